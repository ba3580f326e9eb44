"""Every check of every chapter: right answers in any style pass, and each mistake is told its own hint."""

import pkgutil
from importlib import import_module

import pytest
import torch

from utils import checks
from utils.checks import Exercise, Wrong

torch.set_num_threads(1)  # its threads and NumPy's would wait for each other
EXERCISES = {
    (module.name, exercise.name): exercise
    for module in pkgutil.iter_modules(checks.__path__)
    for exercise in vars(import_module(f"utils.checks.{module.name}")).values()
    if isinstance(exercise, Exercise)
}
TOPICS = list(dict.fromkeys(topic for topic, _ in EXERCISES))
ANSWERS = {topic: import_module(f"answers.{topic}") for topic in TOPICS}
RIGHT = [(t, name, answer) for t in TOPICS for name, answers in ANSWERS[t].RIGHT.items() for answer in answers]
WRONG = [(t, name, *answer) for t in TOPICS for name, answers in ANSWERS[t].WRONG.items() for answer in answers]


@pytest.mark.parametrize(("topic", "name"), EXERCISES)
def test_every_exercise_and_mistake_is_tested(topic, name):
    assert vars(import_module(f"utils.checks.{topic}"))[name] is EXERCISES[topic, name]
    assert len(ANSWERS[topic].RIGHT[name]) >= 2
    hints = [guess.hint.text for guess in EXERCISES[topic, name].guesses()]
    assert len(hints) >= 4
    pieces = [piece for _, piece in ANSWERS[topic].WRONG[name]]
    assert all(any(piece in hint for piece in pieces) for hint in hints)


@pytest.mark.parametrize(("topic", "name", "answer"), RIGHT)
def test_right_answers_pass(topic, name, answer):
    for _ in range(3):
        EXERCISES[topic, name].check(answer)


@pytest.mark.parametrize(("topic", "name", "answer", "piece"), WRONG)
def test_a_mistake_gets_its_own_hint(topic, name, answer, piece):
    own = [guess.hint.text for guess in EXERCISES[topic, name].guesses()]
    for _ in range(3):
        with pytest.raises(Wrong) as refused:
            EXERCISES[topic, name].check(answer)
        assert piece in str(refused.value)
        assert sum(piece in hint for hint in own) <= 1
