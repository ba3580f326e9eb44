"""The class as a table: a line for each student, a column for each exercise, and totals."""

from __future__ import annotations

from collections.abc import Sequence

from instructor import spreadsheet
from instructor.course import Course
from instructor.exercise_sheet import Sheet
from instructor.members import Member


def write_table(course: Course, sheet: Sheet, class_: Sequence[Member]) -> None:
    """Write the class; what nobody has marked yet is empty. With a roster, all that it says of a student is there."""
    columns = list(dict.fromkeys(column for member in class_ for column in member.person.others))
    names = any(member.person.name != member.person.student for member in class_)
    head = ["student", *(["name"] if names else []), *columns, *(task.name for task in sheet.tasks)]
    rows: list[list[object]] = [[*head, "handed in", "taken off", "total", "of"]]
    for member in class_:
        person, row = member.person, member.row
        points = [None if row is None else row.points[task.cell] for task in sheet.tasks]
        rows.append(
            [
                person.student,
                *([person.name] if names else []),
                *(person.others.get(column, "") for column in columns),
                *("" if point is None else point for point in points),
                member.handed_in,
                "" if row is None else round(row.penalty, 2),
                "" if row is None else round(row.total, 2),
                sheet.points,
            ]
        )
    spreadsheet.write(course.table(sheet), rows)
