"""Giving a sheet out: the notebook that students get, proved to be solvable, and whether it is still as it went out."""

from __future__ import annotations

import glob
import re
from functools import partial
from pathlib import Path

import nbformat
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory

from instructor import jail, own_numbers
from instructor.course import Course
from instructor.exercise_sheet import Sheet
from instructor.gradebook import open_gradebook
from instructor.marking import require_solvable


def release(course: Course, sheet: Sheet) -> Path:
    """Make the notebook that students get. ``ValueError`` for a sheet that cannot be marked."""
    if glob.escape(str(course.root)) != str(course.root):
        raise ValueError(f"nbgrader takes *, ? and [ for patterns: give {course.root} another name")
    jail.require_unseen(course.root, sheet.path.parent)
    course.prepare()
    if course.settings.own_numbers:
        own_numbers.require_roster(course)
    require_solvable(sheet, partial(course.inputs, "of the sheet itself"), course.settings.sheet(sheet.name).limits)
    with open_gradebook(course) as book:
        handed_in_before = sheet.name in [one.name for one in book.assignments if one.submissions]
    if handed_in_before:
        require_as_released(course, sheet)
    notebook = nbformat.read(sheet.path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":  # links within the book lead nowhere from a student's folder
            cell.source = re.sub(r"\[([^\]]+)\]\(\.\./[^)]*\)", r"\1", cell.source)
    source = course.source(sheet)
    source.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, source)
    config = course.config()
    result = NbGraderAPI(CourseDirectory(config=config), config=config).generate_assignment(sheet.name)
    if not result["success"]:
        raise ValueError(f"nbgrader made no assignment of {sheet.path}:\n{result.get('log') or result.get('error')}")
    own_numbers.hand_out(course, sheet)
    return course.released(sheet)


def require_as_released(course: Course, sheet: Sheet) -> None:
    """Raise ``ValueError`` unless the sheet has the graded cells and points with which it was released."""
    with open_gradebook(course) as book:
        cells = book.find_notebook(sheet.name, sheet.name).grade_cells
        released = {cell.name: cell.max_score for cell in cells}
    if released != {task.cell: task.points for task in sheet.tasks}:
        raise ValueError(
            f"{sheet.path} has other graded cells or points than when it was released. Before anything was marked, "
            "make the assignment again; later, take the changes back, or give the new sheet another name"
        )
