"""An exercise sheet, which is a notebook and no spreadsheet: its title, its tasks with their points, and its digest."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from hashlib import sha256
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
from nbgrader.utils import is_grade, is_locked, is_solution, is_task

from utils import checks
from utils.checks import Exercise
from utils.checks.own_numbers import Numbered

CLONE = Path(__file__).resolve().parents[1]
MARKS = re.compile(r"### (BEGIN|END) (SOLUTION|HIDDEN TESTS)")  # between them is what students do not get
LOOSE_MARKS = re.compile(r"(?i)#+\s*(begin|end)\s+(solution|hidden\s+tests?)\b")


@dataclass(frozen=True)
class Task:
    """What a mark is given for: a cell, the answer's name, and the exercise that judges it, or None by hand."""

    cell: str
    name: str
    title: str
    points: float
    exercise: Exercise | None


@dataclass(frozen=True)
class Sheet:
    """An nbgrader source notebook, ``NN_topic.ipynb``.

    The exercises that judge it are in ``topic.py`` beside it, or else in ``utils.checks.topic``: the cell
    ``check_NAME`` is judged by the one called NAME. A graded cell that holds a solution itself is marked by hand.
    ``numbers`` are a student's own, by exercise.
    """

    path: Path
    numbers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)

    @classmethod
    def find(cls, folder: Path, chapter: str) -> Sheet:
        """The sheet of a chapter, such as 02, in ``folder``. ``ValueError`` unless there is exactly one."""
        if not chapter.isdigit():
            raise ValueError(f"a chapter is a number, the one its notebook's name begins with, and not {chapter!r}")
        chapter = chapter.zfill(2)
        found = sorted(folder.glob(f"{chapter}_*.ipynb"))
        if len(found) != 1:
            names = ", ".join(path.name for path in found) or "none"
            raise ValueError(f"one notebook {chapter}_*.ipynb is needed in {folder}, there is: {names}")
        return cls(found[0])

    @property
    def name(self) -> str:
        """What nbgrader calls the assignment and its notebook."""
        return self.path.stem

    @cached_property
    def notebook(self) -> Any:
        """The source notebook, solutions included."""
        return nbformat.read(self.path, as_version=4)

    @cached_property
    def title(self) -> str:
        """Its first heading, or its name."""
        texts = [cell.source for cell in self.notebook.cells if cell.cell_type == "markdown" and not grade_id(cell)]
        heading = re.search(r"(?m)^# +(\S.*)", "\n".join(texts))
        return heading[1] if heading else self.name

    @cached_property
    def checks(self) -> ModuleType:
        """The module that knows the exercises."""
        topic = re.sub(r"^\d+_", "", self.name)
        beside = self.path.with_name(f"{topic}.py")
        if beside.exists():
            spec = spec_from_file_location(topic, beside)
            assert spec and spec.loader
            module = module_from_spec(spec)
            try:
                spec.loader.exec_module(module)
            except Exception as error:
                raise ValueError(f"{beside} cannot be run: {error!r}") from error
            return module
        if topic in (module.name for module in pkgutil.iter_modules(checks.__path__)):
            return import_module(f"utils.checks.{topic}")
        raise ValueError(f"no checks for {self.path}: there is neither {beside} nor utils.checks.{topic}")

    @cached_property
    def tasks(self) -> list[Task]:
        """What there is to mark. ``ValueError``, with its name, for a cell that cannot be marked."""
        tasks, title = [], self.title
        self._require_names()
        for cell in self.notebook.cells:
            # A cell with an id may hold a solution, and that is not for a page.
            heading = re.search(r"(?m)^### (.*)", cell.source)
            if heading and cell.cell_type == "markdown" and not grade_id(cell):
                title = heading[1]
            if is_grade(cell):
                tasks.append(self._task(grade_id(cell), title, self._points_of(cell), by_hand=is_solution(cell)))
        if not tasks:
            raise ValueError(f"{self.path}: no cell is graded, so there is nothing to mark")
        return tasks

    def _require_names(self) -> None:
        """Raise ``ValueError`` for a cell that is not marked here, or that nbgrader would not tell from another."""
        if not re.fullmatch(r"[\w-]+", self.name):
            raise ValueError(f"{self.path}: a sheet is named with letters, digits, - and _, and not {self.name!r}")
        seen: set[str] = set()
        for place, cell in enumerate(self.notebook.cells, 1):
            key = grade_id(cell)
            called = repr(key) if key else f"number {place}, which begins {cell.source[:40]!r}"
            wrong = ""
            if is_task(cell):
                wrong = (
                    "is a *Manually graded task*: make it a *Manually graded answer*, a cell that students write into"
                )
            elif is_grade(cell) and cell.cell_type != "code" and not is_solution(cell):
                wrong = "is text, and graded without being an answer: make it a *Manually graded answer*"
            elif is_grade(cell) or is_solution(cell) or is_locked(cell):
                if not re.fullmatch(r"[\w-]+", key):
                    wrong = "needs an id of letters, digits, - and _"
                elif key in seen:
                    wrong = "is there twice: each needs an id of its own"
                seen.add(key)
            if any(not MARKS.fullmatch(mark[0]) for mark in LOOSE_MARKS.finditer(cell.source)):
                wrong = "has a mark that nbgrader does not know: it is ### BEGIN SOLUTION, in capitals"
            if wrong:
                raise ValueError(f"{self.path}: the cell {called} {wrong}")

    def _points_of(self, cell: Any) -> float:
        points = cell.metadata.nbgrader.get("points")
        if isinstance(points, bool) or not isinstance(points, int | float) or not 0 <= points < float("inf"):
            raise ValueError(
                f"{self.path}: the graded cell {grade_id(cell)!r} needs points, 0 or more, and has {points!r}"
            )
        return float(points)

    def _task(self, cell: str, title: str, points: float, by_hand: bool) -> Task:
        if by_hand:
            return Task(cell, cell, title, points, None)
        name = cell.removeprefix("check_")
        exercise = getattr(self.checks, name, None)
        if name == cell or not isinstance(exercise, Exercise):
            file = self.checks.__file__
            raise ValueError(
                f"{self.path}: the graded cell {cell!r} is to be check_NAME, and {file} has no Exercise {name}"
            )
        if name in self.numbers:
            if not isinstance(exercise, Numbered):
                raise ValueError(f"{name} has no numbers that a student could have")
            exercise = exercise.with_numbers(**self.numbers[name])
        return Task(cell, name, title, points, exercise)

    def with_numbers(self, numbers: Mapping[str, Mapping[str, Any]]) -> Sheet:
        """The sheet of a student who has these numbers."""
        return replace(self, numbers=numbers) if numbers else self

    @property
    def points(self) -> float:
        """The most that it is worth."""
        return sum(task.points for task in self.tasks)

    def digest(self, *others: bytes) -> str:
        """What the marks depend on, in short: when it changes, so may they."""
        parts = [self.path.read_bytes(), Path(str(self.checks.__file__)).read_bytes(), _judges(), *others]
        return sha256(b"".join(sha256(part).digest() for part in parts)).hexdigest()


@cache
def _judges() -> bytes:
    """A digest of the book's own code: exercises are judged with it, and their solutions use it."""
    files = [path for package in ("utils", "instructor") for path in sorted((CLONE / package).rglob("*.py"))]
    return sha256(b"".join(sha256(path.read_bytes()).digest() for path in files)).digest()


def grade_id(cell: Any) -> str:
    """The id that nbgrader gave the cell; empty if none."""
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))
