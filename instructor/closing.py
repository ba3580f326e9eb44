"""What a grading run says at its end, on the terminal: counts, and whom to look at, a line for each cause."""

from __future__ import annotations

from collections.abc import Sequence

from instructor.course import Course
from instructor.exercise_sheet import Sheet
from instructor.members import Member


def lines(course: Course, sheet: Sheet, class_: Sequence[Member], same: Sequence[Sequence[str]]) -> list[str]:
    """The lines, without one for a cause that there is not."""
    titles = {task.cell: task.title for task in sheet.tasks}
    marked = [member for member in class_ if member.row]
    names = {
        "late": [member for member in marked if member.row and member.row.late],
        "to mark by hand": [member for member in marked if member.row and not member.row.finished],
        "to look at": [member for member in marked if member.notes(titles)],
        "with a mark by hand for an earlier answer": [
            member for member in marked if member.row and member.row.outdated
        ],
        "not in students.csv": [member for member in class_ if not member.listed],
        "that handed in nothing": [member for member in class_ if member.row is None and not member.waiting],
    }
    counts = [f"{len(members)} {what}" for what, members in names.items() if members]
    said = [", ".join([f"{len(marked)} marked", *counts])]
    for what in ("with a mark by hand for an earlier answer", "not in students.csv"):
        if names[what]:
            said.append(f"{what.capitalize()}: {_listed([member.person.student for member in names[what]])}")
    if same:
        said.append(f"The same answers: {'; '.join(_listed(group) for group in same[:5])}")
    return [*said, f"The class: {course.report(sheet)}", f"Table:     {course.table(sheet)}"]


def _listed(students: Sequence[str]) -> str:
    more = len(students) - 10
    shown = [name if name.isprintable() else ascii(name) for name in students[:10]]
    return ", ".join([*shown, *([f"and {more} more"] if more > 0 else [])])
