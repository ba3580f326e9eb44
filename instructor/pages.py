"""The pages that grading writes: feedback for a student, a report on the class. Each is one file that loads nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from instructor import formulas
from instructor.course import Course
from instructor.exercise_sheet import Sheet
from instructor.gradebook import Row
from instructor.marking import Marks
from instructor.measures import FEW, fifths, measures
from instructor.members import Member
from instructor.roster import Person
from utils.checks.seen import KINDS

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_SORTS = KINDS | {
    "stub": "No answer",
    "missing": "No answer",
    "none": "Nothing is returned",
    "no function": "A value where a function is wanted",
    "late": "Does not end in time",
    "died": "Does not end in time",
    "changed": "Changes its arguments",
    "error": "Ends in an error",
    "wrong": "Wrong in a way that no hint explains",
}
TEMPLATES.filters["number"] = lambda value: f"{round(value, 2):g}"
TEMPLATES.filters["question"], TEMPLATES.filters["value"] = formulas.html, formulas.value


def spoken(text: str) -> Markup:
    """A hint as HTML: what stands between backticks is code, as in the notebook; all else is text."""
    return Markup(re.sub(r"`([^`\n]+)`", r"<code>\1</code>", str(escape(text))))


TEMPLATES.filters["spoken"] = spoken


def feedback(sheet: Sheet, row: Row, marks: Marks, person: Person | None = None) -> str:
    """A student's page: each exercise with its points, why, and what was handed in."""
    results = {result.cell: result for result in marks.results}
    tasks = [
        {
            "task": task,
            "points": row.points[task.cell],
            "result": results[task.cell],
            "comment": row.comments.get(task.name, ""),
            "code": marks.answers.get(task.name, ""),
        }
        for task in sheet.tasks
    ]
    name = person.name if person else row.student
    return TEMPLATES.get_template("feedback.html").render(
        sheet=sheet, student=name, row=row, tasks=tasks, of=sheet.points, notes=list(dict.fromkeys(marks.notes))[:5]
    )


def report(course: Course, sheet: Sheet, class_: Sequence[Member], same: Sequence[Sequence[str]]) -> str:
    """The class's page: points for each exercise, commonest mistakes, totals, whom to look at, and everybody."""
    titles = {task.cell: task.title for task in sheet.tasks}
    results = [result for member in class_ if member.row and member.marks for result in member.marks.results]
    kinds = Counter((result.name, result.kind) for result in results)
    sorts: Counter[str] = Counter()
    for (_, kind), count in kinds.items():
        if kind in _SORTS:
            sorts[_SORTS[kind]] += count
    names = {member.person.student: member.person.name for member in class_}
    return TEMPLATES.get_template("report.html").render(
        sheet=sheet,
        class_=class_,
        found=measures(sheet, [member.row for member in class_ if member.row]),
        few=FEW,
        kinds=kinds,
        sorts=sorts.most_common(),
        hints=_hints(sheet, class_),
        of=sheet.points,
        links={member.person.student: _links(course, sheet, member.person.student) for member in class_ if member.row},
        notes=[(member, said) for member in class_ if (said := member.notes(titles))],
        same=[[names[student] for student in group] for group in same],
    )


def lecture(sheet: Sheet, class_: Sequence[Member]) -> str:
    """A page to show to the class: nothing on it is about one or two students, and where there are few, nothing."""
    rows = [member.row for member in class_ if member.row]
    found = measures(sheet, rows)
    return TEMPLATES.get_template("lecture.html").render(
        sheet=sheet,
        enough=len(rows) >= FEW,
        few=FEW,
        found=found,
        fifths=fifths(found.tenths),
        hints=[line for line in _hints(sheet, class_) if line["count"] >= 3],
        of=sheet.points,
    )


def _hints(sheet: Sheet, class_: Sequence[Member]) -> list[dict[str, Any]]:
    """The commonest hints, and how many students got them."""
    titles = {task.cell: task.title for task in sheet.tasks}
    marks = [member.marks for member in class_ if member.row and member.marks]
    hints = Counter((titles[one.cell], one.message) for made in marks for one in made.results if one.kind in KINDS)
    return [{"title": title, "hint": hint, "count": count} for (title, hint), count in hints.most_common(12)]


def _links(course: Course, sheet: Sheet, student: str) -> Mapping[str, str]:
    """Where a student's pages are, as seen from the class's page."""
    places = {"feedback": course.feedback(sheet, student), "notebook": course.graded(sheet, student) / sheet.path.name}
    return {what: quote(f"../{path.relative_to(course.root).as_posix()}") for what, path in places.items()}
