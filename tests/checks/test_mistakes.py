"""Every check of every chapter: right answers in any style pass, and each mistake is told its own hint."""

import json
import pkgutil
import re
from importlib import import_module
from inspect import signature
from pathlib import Path

import numpy as np
import pytest

from utils import checks
from utils.checks import Exercise, Wrong

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
    assert len(hints) >= 2
    pieces = [piece for _, piece in ANSWERS[topic].WRONG[name]]
    assert all(any(piece in hint for piece in pieces) for hint in hints)


@pytest.mark.parametrize("notebook", sorted(Path("exercises").glob("*.ipynb")), ids=lambda path: path.stem)
def test_arguments_have_the_names_that_a_learner_knows(notebook):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    source = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    for name, arguments in re.findall(r"^def (\w+)\((.+)\):", source, re.MULTILINE):
        exercise = EXERCISES.get((notebook.stem[3:], name))
        if exercise and exercise.reference:
            case = exercise.cases(np.random.default_rng())[0]
            assert ", ".join(list(signature(exercise.reference).parameters)[: len(case)]) == arguments


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
