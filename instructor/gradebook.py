"""nbgrader's gradebook: a student's marks put into it, beside what a person has marked or written there by hand."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import parse_utc

from instructor import handed_in
from instructor.course import Course
from instructor.exercise_sheet import Sheet
from instructor.marking import Marks

# nbgrader starts the alembic beside this Python by its bare name.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


@dataclass(frozen=True)
class Row:
    """A student's line: the points for each cell, None where nobody has marked it yet, and comments by hand."""

    student: str
    points: dict[str, float | None]
    comments: dict[str, str]

    @property
    def total(self) -> float:
        """The sum of the points there are."""
        return sum(point for point in self.points.values() if point is not None)


def open_gradebook(course: Course) -> closing[Gradebook]:
    """The gradebook of a course, to be used in a ``with``."""
    return closing(Gradebook(CourseDirectory(config=course.config()).db_url))


@contextmanager
def writing_marks(course: Course, sheet: Sheet) -> Iterator[Callable[[str, Marks], Row]]:
    """What puts a student's marks for a sheet into the gradebook, and returns what stands there then."""
    with open_gradebook(course) as book:
        book.db.expire_on_commit = False  # nobody else writes meanwhile: what was read stays true
        notebook = book.find_notebook(sheet.name, sheet.name)
        names = {cell.id: cell.name for cell in (*notebook.grade_cells, *notebook.solution_cells)}

        def write(student: str, marks: Marks) -> Row:
            try:
                with book.db.no_autoflush:
                    book.update_or_create_student(student)
                    stamp = _stamp(course, sheet, student)
                    submission = book.update_or_create_submission(sheet.name, student, **stamp)
                return _write(book, names, student, submission, marks)
            except Exception:
                book.db.rollback()
                raise

        yield write


def _write(book: Gradebook, names: dict[str, str], student: str, submission: Any, marks: Marks) -> Row:
    (notebook,) = submission.notebooks
    results = {result.cell: result for result in marks.results}
    for grade in notebook.grades:
        points = results[names[grade.cell_id]].points
        if points is None:
            grade.needs_manual_grade = grade.manual_score is None
        else:
            # Whoever overruled a mark by hand is asked again once there is another mark to overrule.
            grade.needs_manual_grade = grade.manual_score is not None and grade.auto_score != points
            grade.auto_score = points
    hints = {result.name: result.message for result in marks.results}
    for comment in notebook.comments:
        comment.auto_comment = hints.get(names[comment.cell_id]) or None
    book.db.commit()
    return Row(
        student,
        {names[grade.cell_id]: _points(grade) for grade in notebook.grades},
        {names[comment.cell_id]: comment.manual_comment or "" for comment in notebook.comments},
    )


def _stamp(course: Course, sheet: Sheet, student: str) -> dict[str, str]:
    """When it was handed in, for the gradebook; nothing where the file that says so makes no sense."""
    file = course.submitted / student / sheet.name / "timestamp.txt"
    text = handed_in.read(file, largest=100).decode(errors="replace")
    try:
        parse_utc(text.strip())
    except Exception:  # it may say anything
        return {}
    return {"timestamp": text.strip()}


def _points(grade: Any) -> float | None:
    """What a grade is worth as nbgrader counts it; None where neither we nor a person has marked it."""
    marked = grade.auto_score if grade.manual_score is None else grade.manual_score
    return None if marked is None else float(marked + (grade.extra_credit or 0))
