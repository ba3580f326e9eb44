"""One table over all the sheets of a course: percent for each, and a total by the weights that course.toml gives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from instructor import spreadsheet
from instructor.course import Course
from instructor.gradebook import open_gradebook
from instructor.roster import Person, Roster

FILE = "all.csv"


def write_overall(course: Course) -> Path:
    """Write ``grades/all.csv``: empty for what was not handed in, which counts as nothing in the total."""
    settings = course.settings
    scores: dict[str, dict[str, float]] = {}
    with open_gradebook(course) as book:
        sheets = [one for one in book.assignments if one.submissions]
        for sheet in sheets:
            if sheet.max_score:
                scores[sheet.name] = {
                    one.student_id: 100 * max(0.0, one.score - one.late_submission_penalty) / sheet.max_score
                    for one in sheet.submissions
                }
    weights = {name: settings.sheet(name).weight for name in sorted(scores)}
    people = _people(Roster.of(course.root), scores)
    columns = list(dict.fromkeys(column for person in people for column in person.others))
    rows: list[list[object]] = [["student", "name", *columns, *weights, "total"]]
    for person in people:
        got = {name: scores[name].get(person.student) for name in weights}
        total = _total(got, weights)
        percents = ["" if percent is None else round(percent, 2) for percent in (*got.values(), total)]
        rows.append([person.student, person.name, *(person.others.get(c, "") for c in columns), *percents])
    path = course.root / "grades" / FILE
    spreadsheet.write(path, rows)
    return path


def _people(roster: Roster | None, scores: Mapping[str, Mapping[str, float]]) -> list[Person]:
    listed = list((roster or {}).values())
    others = {student for sheet in scores.values() for student in sheet} - {person.student for person in listed}
    return [*listed, *(Person(student, student) for student in sorted(others))]


def _total(got: Mapping[str, float | None], weights: Mapping[str, float]) -> float | None:
    """The weighted mean in percent; None where nothing has a weight."""
    whole = sum(weights.values())
    return sum((got[name] or 0) * weight for name, weight in weights.items()) / whole if whole else None
