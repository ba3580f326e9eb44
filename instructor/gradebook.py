"""nbgrader's gradebook: a student's marks put into it, beside what a person has marked or written there by hand."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC
from hashlib import sha256
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import parse_utc

from instructor import handed_in
from instructor.course import Course
from instructor.exercise_sheet import Sheet
from instructor.lateness import Late
from instructor.marking import Marks
from instructor.placing import read_state

# nbgrader starts the alembic beside this Python by its bare name.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


@dataclass(frozen=True)
class Row:
    """A student's line: the points for each cell, None where nobody has marked it yet, and comments by hand.

    ``penalty`` is taken off for being ``late``. ``outdated`` are the cells with a mark by hand that was given to
    another answer than the one there is now; ``overruled`` those whose mark by hand is below the automatic one.
    """

    student: str
    points: dict[str, float | None]
    comments: dict[str, str]
    late: Late = field(default_factory=Late)
    penalty: float = 0
    outdated: tuple[str, ...] = ()
    overruled: tuple[str, ...] = ()

    @property
    def earned(self) -> float:
        """The sum of the points there are."""
        return sum(point for point in self.points.values() if point is not None)

    @property
    def total(self) -> float:
        """What is left of them if it came late."""
        return max(0.0, self.earned - self.penalty)

    @property
    def finished(self) -> bool:
        """Whether nothing is left to a person to mark."""
        return None not in self.points.values()


def open_gradebook(course: Course) -> closing[Gradebook]:
    """The gradebook of a course, to be used in a ``with``."""
    return closing(Gradebook(CourseDirectory(config=course.config()).db_url))


def standing(course: Course, sheet: Sheet) -> dict[str, float | None]:
    """What everybody who handed in has got for a sheet; None where a mark by hand is missing."""
    with open_gradebook(course) as book:
        found: dict[str, float | None] = {}
        for submission in book.assignment_submissions(sheet.name):
            grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
            whole = all(_points(grade) is not None for grade in grades)
            left = max(0.0, submission.score - submission.late_submission_penalty)
            found[submission.student_id] = left if whole else None
        return found


@contextmanager
def writing_marks(course: Course, sheet: Sheet) -> Iterator[Callable[[str, Marks], Row]]:
    """What puts a student's marks for a sheet into the gradebook, and returns what stands there then."""
    settings = course.settings
    collected = read_state(course, sheet)
    before = _read_seen(course, sheet)
    with open_gradebook(course) as book:
        book.db.expire_on_commit = False  # nobody else writes meanwhile: what was read stays true
        if due := settings.sheet(sheet.name).due:
            book.find_assignment(sheet.name).duedate = due.astimezone(UTC).replace(tzinfo=None)
            book.db.commit()
        notebook = book.find_notebook(sheet.name, sheet.name)
        names = {cell.id: cell.name for cell in (*notebook.grade_cells, *notebook.solution_cells)}
        answers = {task.cell: task.name for task in sheet.tasks}

        def write(student: str, marks: Marks) -> Row:
            try:
                with book.db.no_autoflush:
                    book.update_or_create_student(student)
                    submission = book.update_or_create_submission(sheet.name, student)
                    submission.timestamp = _stamp(course, sheet, student)
                texts = {cell: _short(marks.answers.get(name, "")) for cell, name in answers.items()}
                outdated, overruled = _grade(submission, names, marks, texts, before.setdefault(student, {}))
                points, comments = _written(submission, names)
                flagged = student in collected and collected[student].late and submission.timestamp is None
                late = Late(collected[student].seconds_late if flagged else submission.total_seconds_late)
                row = Row(student, points, comments, late, 0, outdated, overruled)
                penalty = late.penalty(row.earned, settings.late_percent_a_day)
                submission.notebooks[0].late_submission_penalty = penalty or None
                book.db.commit()
                return replace(row, penalty=penalty)
            except Exception:
                book.db.rollback()
                raise

        try:
            yield write
        finally:
            _write_seen(course, sheet, before)


def _grade(
    submission: Any, names: dict[str, str], marks: Marks, texts: dict[str, str], seen: dict[str, Any]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Put marks and messages into the gradebook; which marks by hand are outdated, and which overrule a better one.

    ``seen`` is what was there after the last grading. Whoever has marked by hand is asked again, once, when the answer
    or the automatic mark is another one: until the mark is given anew in the formgrader.
    """
    (notebook,) = submission.notebooks
    results = {result.cell: result for result in marks.results}
    outdated, overruled = [], []
    for grade in notebook.grades:
        cell = names[grade.cell_id]
        points, last = results[cell].points, seen.get(cell, {})
        changed = bool(last) and last["text"] != texts[cell]
        changed |= points is not None and grade.auto_score is not None and grade.auto_score != points
        asked = bool(last.get("outdated")) and last["score"] == grade.manual_score and grade.needs_manual_grade
        stands = grade.manual_score is not None
        if stands and (changed or asked):
            outdated.append(cell)
        grade.needs_manual_grade = cell in outdated or (points is None and not stands)
        if points is not None:
            grade.auto_score = points
            if stands and grade.manual_score < points:
                overruled.append(cell)
        seen[cell] = {"text": texts[cell], "score": grade.manual_score, "outdated": cell in outdated}
    hints = {result.name: result.message for result in marks.results}
    for comment in notebook.comments:
        comment.auto_comment = hints.get(names[comment.cell_id]) or None
    return tuple(outdated), tuple(overruled)


def _written(submission: Any, names: dict[str, str]) -> tuple[dict[str, float | None], dict[str, str]]:
    """The points and the comments by hand that stand there."""
    (notebook,) = submission.notebooks
    return (
        {names[grade.cell_id]: _points(grade) for grade in notebook.grades},
        {names[comment.cell_id]: comment.manual_comment or "" for comment in notebook.comments},
    )


def _stamp(course: Course, sheet: Sheet, student: str) -> Any:
    """When it was handed in, in UTC; None where the file that says so is not there, or makes no sense."""
    file = course.submitted / student / sheet.name / "timestamp.txt"
    try:
        return parse_utc(handed_in.read(file, largest=100).decode(errors="replace").strip())
    except Exception:  # it may say anything
        return None


def _points(grade: Any) -> float | None:
    """What a grade is worth as nbgrader counts it; None where neither we nor a person has marked it."""
    marked = grade.auto_score if grade.manual_score is None else grade.manual_score
    return None if marked is None else float(marked + (grade.extra_credit or 0))


def _short(text: str) -> str:
    return sha256(text.encode(errors="replace")).hexdigest()[:16]


def _seen_file(course: Course, sheet: Sheet) -> Path:
    return course.root / "autograded" / f"{sheet.name}.seen.json"


def _read_seen(course: Course, sheet: Sheet) -> dict[str, dict[str, Any]]:
    try:
        made = json.loads(_seen_file(course, sheet).read_text(encoding="utf-8"))
        return made if isinstance(made, dict) else {}
    except (OSError, ValueError):
        return {}


def _write_seen(course: Course, sheet: Sheet, seen: dict[str, dict[str, Any]]) -> None:
    path = _seen_file(course, sheet)
    path.parent.mkdir(exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(seen), encoding="utf-8")
    part.replace(path)
