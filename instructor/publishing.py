"""From marks to gradebook, feedback, tables and the pages on the class, for all who have marks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import nbformat
from tqdm import tqdm

from instructor import closing, pages, records
from instructor.course import Course
from instructor.exercise_sheet import Sheet, grade_id
from instructor.gradebook import Row, writing_marks
from instructor.likeness import alike
from instructor.marking import Marks
from instructor.members import members
from instructor.overall import write_overall
from instructor.roster import Roster
from instructor.table import write_table


def publish(course: Course, sheet: Sheet, digests: dict[str, str], failed: dict[str, str]) -> list[str]:
    """Write gradebook, feedback, tables and pages; the students for whom something has failed, here or before.

    ``digests`` are of what is there now, for each who handed in: marks that were made from something else do not count.
    """
    failed = dict(failed)
    roster = Roster.of(course.root)
    rows, made = _recorded(course, sheet, digests, failed, roster or Roster())
    for student, why in failed.items():
        tqdm.write(f"{student} was not marked: {why}")
    class_ = members(roster, rows, made, set(digests) - set(made))
    cells = nbformat.read(course.released(sheet), as_version=4).cells
    given = {grade_id(cell): str(cell.source) for cell in cells}
    answers = {task.name: given.get(task.name, "") for task in sheet.tasks}
    same = alike({student: marks.answers for student, marks in made.items()}, answers)
    write_table(course, sheet, class_)
    for path, page in (
        (course.report(sheet), pages.report(course, sheet, class_, same)),
        (course.lecture(sheet), pages.lecture(sheet, class_)),
    ):
        _write(path, page)
    write_overall(course)
    for line in closing.lines(course, sheet, class_, same):
        tqdm.write(line)
    return sorted(failed)


def _recorded(
    course: Course, sheet: Sheet, digests: Mapping[str, str], failed: dict[str, str], roster: Roster
) -> tuple[list[Row], dict[str, Marks]]:
    """The rows and marks of those for whom nothing has failed, in the gradebook now, each with a feedback page."""
    rows, made = [], {}
    with writing_marks(course, sheet) as write:
        for student, digest in sorted(digests.items()):
            marks = records.kept_marks(course, sheet, student)
            if student in failed or marks is None or marks.digest != digest:
                continue
            try:
                row = write(student, marks)
                records.write_feedback(course, sheet, student, pages.feedback(sheet, row, marks, roster.get(student)))
                rows.append(row)
                made[student] = marks
            except Exception as error:
                failed[student] = repr(error)
    return rows, made


def _write(path: Path, page: str) -> None:
    part = path.with_suffix(".part")
    part.write_text(page, encoding="utf-8", errors="replace")
    part.replace(path)
