"""Every check of every chapter: right answers in any style pass, and each mistake is told its own hint."""

import pkgutil
from importlib import import_module

import pytest
import torch

from utils import checks
from utils.checks import Exercise, Wrong

torch.set_num_threads(1)  # its threads and NumPy's would wait for each other
TOPICS = [module.name for module in pkgutil.iter_modules(checks.__path__) if module.name not in ("calls", "exercise")]
EXERCISES = {
    (topic, exercise.name): exercise
    for topic in TOPICS
    for exercise in vars(import_module(f"utils.checks.{topic}")).values()
    if isinstance(exercise, Exercise)
}
ANSWERS = {topic: import_module(f"answers.{topic}") for topic in TOPICS}
RIGHT = [(t, name, answer) for t in TOPICS for name, answers in ANSWERS[t].RIGHT.items() for answer in answers]
WRONG = [(t, name, *answer) for t in TOPICS for name, answers in ANSWERS[t].WRONG.items() for answer in answers]


@pytest.mark.parametrize(("topic", "name"), EXERCISES)
def test_every_exercise_and_mistake_is_tested(topic, name):
    assert vars(import_module(f"utils.checks.{topic}"))[name] is EXERCISES[topic, name]
    assert len(ANSWERS[topic].RIGHT[name]) >= 2
    hints = EXERCISES[topic, name].mistakes
    assert len(hints) >= 4
    pieces = [piece for _, piece in ANSWERS[topic].WRONG[name]]
    assert all(any(piece in hint for piece in pieces) for hint in hints)


@pytest.mark.parametrize(("topic", "name", "answer"), RIGHT)
def test_right_answers_pass(topic, name, answer):
    for _ in range(3):
        EXERCISES[topic, name].check(answer)


@pytest.mark.parametrize(("topic", "name", "answer", "piece"), WRONG)
def test_a_mistake_gets_its_own_hint(topic, name, answer, piece):
    for _ in range(3):
        with pytest.raises(Wrong) as refused:
            EXERCISES[topic, name].check(answer)
        assert piece in str(refused.value)
        assert sum(piece in hint for hint in EXERCISES[topic, name].mistakes) <= 1
