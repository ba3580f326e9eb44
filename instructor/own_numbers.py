"""Numbers of their own: the notebook of each student, and for whose numbers an answer is right that is wrong for them.

What was handed out says which numbers a student has, and says so to the end: it is never drawn again.
"""

from __future__ import annotations

import copy
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.utils import compute_checksum, is_locked

from instructor.course import Course
from instructor.exercise_sheet import Sheet, Task, grade_id
from instructor.marking import Result
from instructor.roster import FILE, Roster
from instructor.submission import Outcome
from utils.checks.own_numbers import Numbered

KEY = "own_numbers"  # in a notebook's metadata: the numbers by exercise
NAMED = 3  # students in a note
Numbers = dict[str, dict[str, Any]]


def hand_out(course: Course, sheet: Sheet) -> Path | None:
    """Make a notebook for everybody in the roster, and a zip file of them; None where they are not wanted.

    Who has handed in the common notebook already gets none. ``ValueError`` without a roster.
    """
    if not course.settings.own_numbers or not any(isinstance(task.exercise, Numbered) for task in sheet.tasks):
        return None
    release = nbformat.read(course.released(sheet), as_version=4)
    before, submitted = handed_out(course, sheet), course.submissions(sheet)
    for student in require_roster(course):
        if student in before or student not in submitted:
            numbers = _drawn(course, sheet, student) | before.get(student, {})
            path = course.handout(sheet, student)
            path.parent.mkdir(parents=True, exist_ok=True)
            nbformat.write(_notebook(release, sheet, numbers), path)
    packed = course.handouts(sheet).with_suffix(".zip")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(course.handouts(sheet).glob(f"*/{sheet.path.name}")):
            archive.write(path, path.relative_to(course.handouts(sheet)))
    return packed


def require_roster(course: Course) -> Roster:
    """Everybody in the class. ``ValueError`` where nobody says who that is."""
    if (roster := Roster.of(course.root)) is None:
        raise ValueError(
            f"own_numbers is set, so {course.root / FILE} is needed: make the roster first, or set it false"
        )
    return roster


def handed_out(course: Course, sheet: Sheet) -> dict[str, Numbers]:
    """The numbers of each student who has got some. ``ValueError`` for a notebook that is not as it was made."""
    made = {}
    if course.settings.own_numbers:
        for path in sorted(course.handouts(sheet).glob(f"*/{sheet.path.name}")):
            try:
                made[path.parent.name] = nbformat.read(path, as_version=4).metadata[KEY]
                _ = sheet.with_numbers(made[path.parent.name]).tasks
            except Exception as error:
                raise ValueError(
                    f"{path} says which numbers a student has: bring it back as it was ({error})"
                ) from None
    return made


def right_for_others(
    sheet: Sheet, everybodys: Mapping[str, Numbers], theirs: Mapping[str, Any], results: list[Result], outcome: Outcome
) -> list[str]:
    """Notes on answers that are wrong, and right for another's numbers; a mistake that is known is no such thing."""
    notes = []
    for task, result in zip(sheet.tasks, results, strict=True):
        calls = outcome.calls.get(task.name, ())
        if task.name not in theirs or result.kind in ("right", "stub", "mistake") or not calls:
            continue
        whose = [] if _fault(task, {}, calls[0]) else ["of the sheet"]
        whose += [f"of {student}" for student, numbers in everybodys.items()
                  if task.name in numbers and not _fault(task, numbers[task.name], calls[0])]  # fmt: skip
        if whose:
            more = f" and of {len(whose) - NAMED} more" if len(whose) > NAMED else ""
            notes.append(f"{task.name} is right for the numbers {', '.join(whose[:NAMED])}{more}.")
    return notes


def _fault(task: Task, numbers: Mapping[str, Any], call: Any) -> bool:
    """Whether an answer is wrong for these numbers."""
    assert isinstance(task.exercise, Numbered)
    try:
        return bool(call.error or call.kind or task.exercise.with_numbers(**numbers).fault((), call))
    except Exception:  # a value that no check expects
        return True


def _drawn(course: Course, sheet: Sheet, student: str) -> Numbers:
    """A student's numbers, the same each time; exercises about one text have the same."""
    made: Numbers = {}
    by_text: dict[int, dict[str, Any]] = {}
    for task in sheet.tasks:
        if isinstance(task.exercise, Numbered):
            numbers = task.exercise.numbers
            if id(numbers) not in by_text:
                rng = course.inputs(f"numbers of {student}", f"{sheet.name} {task.name}")
                by_text[id(numbers)] = numbers.draw(rng)
            made[task.name] = by_text[id(numbers)]
    return made


def _notebook(release: Any, sheet: Sheet, numbers: Numbers) -> Any:
    """What a student gets: the release with these numbers in texts and checks, and in its metadata."""
    made = copy.deepcopy(release)
    made.metadata[KEY] = numbers
    for task in sheet.tasks:
        if isinstance(exercise := task.exercise, Numbered):
            text, own = (exercise.numbers.text(some) for some in (exercise.sheets, numbers[task.name]))
            values = ", ".join(f"{name}={value!r}" for name, value in numbers[task.name].items())
            _replace(made, "", text, own)
            _replace(made, task.cell, f".{task.name}.check(", f".{task.name}.with_numbers({values}).check(")
    return made


def _replace(notebook: Any, key: str, text: str, other: str) -> None:
    """Put ``other`` in the place of a text, in the cell with this id, or in Markdown without any."""
    for cell in notebook.cells:
        if grade_id(cell) == key and (key or cell.cell_type == "markdown") and text in cell.source:
            cell.source = cell.source.replace(text, other)
            if is_locked(cell):
                cell.metadata.nbgrader.checksum = compute_checksum(cell)
            return
    if key or not any(other in cell.source for cell in notebook.cells):
        raise ValueError(f"a sheet needs, word for word and in {key or 'a text'}: {text}")
