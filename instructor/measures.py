"""What the marks of a class say of a sheet: mean, median, distribution, and which exercises tell students apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import StatisticsError, correlation, fmean, median

from instructor.exercise_sheet import Sheet, Task
from instructor.gradebook import Row

FEW = 10  # students below whom a correlation says nothing, and a page without names too much


@dataclass(frozen=True)
class Score:
    """An exercise: the share of its points that the class has got, of how many students, and its discrimination."""

    task: Task
    share: float | None
    marked: int
    discrimination: float | None


@dataclass(frozen=True)
class Measures:
    """A sheet in a class: how many handed in, mean and median of their totals, and how many got which tenth of it."""

    count: int
    mean: float | None
    median: float | None
    tenths: list[int]
    scores: list[Score]


def measures(sheet: Sheet, rows: Sequence[Row]) -> Measures:
    """The measures of those who have handed in; None, or no tenths, where there is nothing to divide by."""
    totals = [row.total for row in rows]
    tenths: list[int] = []
    if sheet.points > 0:
        counts = Counter(min(9, max(0, int(10 * total / sheet.points))) for total in totals)
        tenths = [counts[tenth] for tenth in range(10)]
    return Measures(
        len(rows),
        fmean(totals) if totals else None,
        median(totals) if totals else None,
        tenths,
        [_score(task, rows) for task in sheet.tasks],
    )


def _score(task: Task, rows: Sequence[Row]) -> Score:
    pairs = [(point, row.earned - point) for row in rows if (point := row.points[task.cell]) is not None]
    points = [point for point, _ in pairs]
    share = fmean(points) / task.points if points and task.points else None
    found = None
    if len(pairs) >= FEW:
        try:
            found = correlation(points, [rest for _, rest in pairs])
        except StatisticsError:  # all have the same
            found = None
    return Score(task, share, len(points), found)


def fifths(tenths: Sequence[int]) -> list[int | None]:
    """A coarser distribution in which nobody stands alone: None for one or two, and then for a second fifth, too."""
    counts = [tenths[place] + tenths[place + 1] for place in range(0, len(tenths), 2)]
    hidden = {place for place, count in enumerate(counts) if 0 < count < 3}
    if len(hidden) == 1:  # else it would be what is left of the whole
        others = [place for place, count in enumerate(counts) if count and place not in hidden]
        hidden |= set(sorted(others, key=lambda place: counts[place])[:1])
    return [None if place in hidden else count for place, count in enumerate(counts)]
