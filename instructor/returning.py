"""Marks and feedback as Canvas and Moodle take them back: their own table filled in, and a zip file of pages."""

from __future__ import annotations

import zipfile
from pathlib import Path

from instructor import spreadsheet
from instructor.course import Course
from instructor.exercise_sheet import Sheet
from instructor.gradebook import standing
from instructor.placing import read_state
from instructor.platforms import Export
from instructor.roster import Roster


def give_back(course: Course, sheet: Sheet, theirs: Path) -> list[str]:
    """Fill the marks of a sheet into a platform's table, and pack the feedback; what came of it, in lines.

    Only whole marks are filled in: not those of who handed in nothing, or waits for a mark by hand. ``ValueError``
    where the table is not the platform's, or has no column for the sheet.
    """
    export = Export.read(theirs)
    marks = standing(course, sheet)
    if not marks:
        raise ValueError(f"{sheet.name} has no marks in {course.root}: grade it first")
    collected = read_state(course, sheet)
    numbers = {one.number: student for student, one in collected.items() if one.number}
    students = export.students(Roster.of(course.root), numbers)
    titles = (course.settings.sheet(sheet.name).column, sheet.title, sheet.name)
    filled = export.filled(titles, sheet.points, marks, students)
    table = course.root / "grades" / f"{sheet.name}_{'canvas' if export.is_canvas else 'moodle'}.csv"
    spreadsheet.write(table, filled.rows)
    said = [f"{filled.done} marks: {table}"]
    if filled.scaled is not None:
        said.append(f"Scaled from {sheet.points:g} to {filled.scaled:g} points, the most that the platform gives.")
    if waiting := sorted(student for student, mark in marks.items() if mark is None):
        said.append(f"Left out, for a mark by hand is missing: {', '.join(waiting)}")
    if filled.without:
        said.append(f"No line in {theirs.name} for: {', '.join(filled.without)}")
    packed = course.root / "grades" / f"{sheet.name}_feedback.zip"
    pages = 0
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for student, one in sorted(collected.items()):
            page = course.feedback(sheet, student)
            if one.prefix and page.exists():
                archive.write(page, f"{one.prefix.rstrip('_')}_feedback.html")
                pages += 1
    if pages:
        said.append(f"{pages} feedback pages: {packed}")
    else:
        packed.unlink()
    return said
