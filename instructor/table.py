"""The class as a table in CSV: a line for each student, a column for each exercise, and totals."""

from __future__ import annotations

import csv
from collections.abc import Iterable

from instructor.course import Course
from instructor.exercise_sheet import Sheet
from instructor.gradebook import Row


def write_table(course: Course, sheet: Sheet, rows: Iterable[Row]) -> None:
    """Write the rows; what nobody has marked yet is empty."""
    path = course.table(sheet)
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["student", *(task.name for task in sheet.tasks), "total", "of"])
        for row in rows:
            points = [row.points[task.cell] for task in sheet.tasks]
            known = ["" if point is None else point for point in points]
            table.writerow([row.student, *known, row.total, sheet.points])
