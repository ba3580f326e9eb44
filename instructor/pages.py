"""The pages that grading writes: feedback for a student, a report on the class. Each is one file that loads nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from instructor.exercise_sheet import Sheet
from instructor.gradebook import Row
from instructor.marking import Marks
from utils.checks.seen import KINDS

_TEMPLATES = Environment(
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
_TEMPLATES.filters["number"] = lambda value: f"{value:g}"


def feedback(sheet: Sheet, row: Row, marks: Marks) -> str:
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
    return _TEMPLATES.get_template("feedback.html").render(
        sheet=sheet, student=row.student, tasks=tasks, total=row.total, of=sheet.points, notes=marks.notes
    )


def report(sheet: Sheet, rows: list[Row], marks: Mapping[str, Marks]) -> str:
    """The class's page: points for each exercise, commonest mistakes, totals, and what to look at."""
    scores = []
    for task in sheet.tasks:
        points = [point for row in rows if (point := row.points[task.cell]) is not None]
        share = sum(points) / (len(points) * task.points) if points else None
        scores.append({"task": task, "share": share, "marked": len(points)})
    titles = {task.cell: task.title for task in sheet.tasks}
    kinds = Counter((result.name, result.kind) for made in marks.values() for result in made.results)
    mistakes = [result for made in marks.values() for result in made.results if result.kind in KINDS]
    sorts = Counter(_SORTS[kind] for (_, kind), count in kinds.items() if kind in _SORTS for _ in range(count))
    hints = Counter((titles[result.cell], result.message) for result in mistakes)
    tenths = Counter(min(9, int(10 * row.total / sheet.points)) for row in rows)
    return _TEMPLATES.get_template("report.html").render(
        sheet=sheet,
        rows=rows,
        scores=scores,
        kinds=kinds,
        sorts=sorts.most_common(),
        hints=[{"title": title, "hint": hint, "count": count} for (title, hint), count in hints.most_common(12)],
        tenths=[tenths[tenth] for tenth in range(10)],
        totals={row.student: row.total for row in rows},
        of=sheet.points,
        notes={student: made.notes for student, made in sorted(marks.items()) if made.notes},
    )
