"""What grading leaves in a student's folders: the marked notebook, its marks for the next run, the feedback page."""

from __future__ import annotations

import secrets
from typing import Any

import nbformat
from nbformat.v4 import new_output

from instructor import handed_in
from instructor.course import Course
from instructor.exercise_sheet import Sheet
from instructor.marking import Marks

MARKS = "marks.json"


def kept_marks(course: Course, sheet: Sheet, student: str) -> Marks | None:
    """The marks that an earlier run has kept; None if it has not, or not whole."""
    try:
        return Marks.loads((course.graded(sheet, student) / MARKS).read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(course: Course, sheet: Sheet, student: str, marks: Marks, notebook: Any) -> None:
    """Write the marked notebook, where nbgrader's formgrader looks for it, and then the marks.

    The marks are written at once: what is there after a crash is whole.
    """
    results = {result.cell: result for result in marks.results}
    for cell in notebook.cells:
        result = results.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
        if result and cell.cell_type == "code" and result.points is not None:
            text = f"✗ {result.message}" if result.message else f"✓ {result.name} is right."
            cell.outputs.append(new_output("stream", name="stdout", text=text))
    folder = course.graded(sheet, student)
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / sheet.path.name)
    unfinished = (folder / MARKS).with_suffix(".part")
    unfinished.write_text(marks.dumps(), encoding="utf-8")
    unfinished.replace(folder / MARKS)


def write_feedback(course: Course, sheet: Sheet, student: str, page: str) -> None:
    """Write a student's page, and beside it what nbgrader's exchange needs to hand it back."""
    path = course.feedback(sheet, student)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    # What came in another way has no such files: a time that says so, and a secret that nobody guesses.
    instead = {"timestamp.txt": "unknown", "submission_secret.txt": secrets.token_hex(16)}
    for name, text in instead.items():
        content = handed_in.read(course.submitted / student / sheet.name / name, largest=100)
        (path.parent / name).write_bytes(content or text.encode())
