"""A class to try the grading on: honest and hostile submissions to the example sheet, with the marks they must get."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from textwrap import indent
from types import MappingProxyType
from typing import Any, NamedTuple

import nbformat
import numpy as np
import pytest
from attacks import IN_A_CALL, IN_A_CELL, OWN_LOSS
from nbformat.v4 import new_code_cell
from nbgrader import api

from instructor import jail
from instructor.course import Course
from instructor.exercise_sheet import Sheet
from instructor.release import release

ROOT = Path(__file__).parents[2]

# For every new gradebook nbgrader starts a program for seconds, which always says the same: how new its tables are.
api.get_alembic_version = cache(api.get_alembic_version)

EXAMPLE = ROOT / "instructor" / "example"
SHEET = EXAMPLE / "01_reading.ipynb"
POINTS = {"corner_edge_middle": 1, "readings": 2, "read_map": 2}

RIGHT = {
    "corner_edge_middle": "corner_edge_middle = [1, 3, 9]",
    "readings": """\
def readings(size, kernel_size, stride):
    starts = np.arange(0, size - kernel_size + 1, stride)
    return ((starts <= np.arange(size)[:, None]) & (np.arange(size)[:, None] < starts + kernel_size)).sum(axis=1)""",
    "read_map": """\
def read_map(height, width, kernel_size, stride):
    counts = np.zeros((height, width))
    for i in range(0, height - kernel_size + 1, stride):
        for j in range(0, width - kernel_size + 1, stride):
            counts[i:i + kernel_size, j:j + kernel_size] += 1
    return counts""",
}
# A mistake for each, and a piece of the hint that it gets.
MISTAKES = {
    "corner_edge_middle": ("corner_edge_middle = 4, 6, 9", "There is no padding"),
    "readings": (RIGHT["readings"].replace("kernel_size + 1", "kernel_size"), "The last place is missing"),
    "read_map": (RIGHT["read_map"].replace("(height, width)", "(width, height)").replace("height -", "h -")
                 .replace("width -", "height -").replace("h -", "width -"), "Height comes first"),
}  # fmt: skip


def given_out(folder):
    """A course that has given out the example, and the notebook that students got."""
    course = Course(folder)
    return course, nbformat.read(release(course, Sheet(SHEET)), as_version=4)


def require_a_jail() -> None:
    """Skip the module where students' code cannot be locked in; with CI set fail."""
    try:
        jail.require()
    except jail.NoJail as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"NO JAIL, so no grading was tested. {error}", allow_module_level=True)


class Submission(NamedTuple):
    """What a student hands in, the points that is worth, and a piece of the hint for each mistake."""

    student: str
    content: bytes
    points: dict[str, float]
    hints: Mapping[str, str] = MappingProxyType({})


def notebook(released: Any, answers: dict[str, str], first: str = "", change: Callable[[Any], Any] = len) -> bytes:
    """The released notebook with answers in their cells, a ``first`` cell before them, and a ``change`` to all."""
    made = copy.deepcopy(released)
    for cell in made.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = ({"padding": "Four times instead of once."} | answers).get(name, cell.source)
    if first:
        made.cells.insert(0, new_code_cell(first))
    change(made)
    return json.dumps(made).encode()


def honest(released: Any, count: int) -> list[Submission]:
    """Students who know some of it, make some mistakes, and leave some out."""
    rng = np.random.default_rng(5)
    class_ = []
    for number in range(count):
        answers, points, hints = {}, {}, {}
        for name, most in POINTS.items():
            kind = rng.choice(["right", "mistake", "blank"], p=[0.6, 0.25, 0.15])
            points[name] = most if kind == "right" else 0
            if kind == "right":
                answers[name] = RIGHT[name]
            elif kind == "mistake":
                answers[name], hints[name] = MISTAKES[name]
        class_.append(Submission(f"honest-{number:02d}", notebook(released, answers), points, hints))
    return class_


def _body(lines: str) -> dict[str, str]:
    """Right answers, but for ``readings``, which does something else."""
    return {**RIGHT, "readings": "def readings(size, kernel_size, stride):\n" + indent(lines, "    ")}


def _without_checks(made: Any) -> None:
    made.cells = [cell for cell in made.cells if not cell.metadata.get("nbgrader", {}).get("grade")]


def _dearer_checks(made: Any) -> None:
    for cell in made.cells:
        if "points" in cell.metadata.get("nbgrader", {}):
            cell.metadata.nbgrader.points = 100
            cell.source = "True"


def _copied_cells(made: Any) -> None:
    made.cells += [copy.deepcopy(cell) for cell in made.cells]


def _stripped(made: Any) -> None:
    for cell in made.cells:
        cell.metadata = {}


def hostile(released: Any) -> list[Submission]:
    """Students who want marks without answers, or others to lose theirs."""
    wrong = {name: f"{name} = None" for name in POINTS}
    class_ = [
        Submission(name, notebook(released, _body(lines)), {**POINTS, "readings": 0})
        for name, lines in IN_A_CALL.items()
    ]
    for name, source in IN_A_CELL.items():
        if name not in OWN_LOSS:
            class_.append(Submission(name, notebook(released, RIGHT, source), POINTS))
        class_.append(Submission(f"{name}-in-vain", notebook(released, wrong, source), dict.fromkeys(POINTS, 0)))
    for change in (_without_checks, _dearer_checks, _copied_cells, _stripped):
        name = change.__name__.strip("_").replace("_", "-")
        class_.append(Submission(name, notebook(released, RIGHT, change=change), POINTS))
        class_.append(Submission(f"{name}-in-vain", notebook(released, wrong, change=change), dict.fromkeys(POINTS, 0)))
    nothing = dict.fromkeys(POINTS, 0)
    broken = json.dumps({"cells": [{"cell_type": "code", "metadata": {"nbgrader": {"grade_id": []}}, "source": 3}],
                         "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()  # fmt: skip
    source = SHEET.read_bytes()
    return [
        *class_,
        Submission("hands-in-the-master", source, nothing),
        Submission("no-notebook", b"\x00\xff", nothing),
        Submission("nested-notebook", b"[" * 10**6, nothing),
        Submission("odd-notebook", broken, nothing),
    ]


def hand_in(course: Path, submissions: list[Submission], sheet: Path = SHEET) -> None:
    """Put submissions where nbgrader collects them."""
    for submission in submissions:
        folder = course / "submitted" / submission.student / sheet.stem
        folder.mkdir(parents=True)
        (folder / sheet.name).write_bytes(submission.content)
