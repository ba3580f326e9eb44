"""The exercises of chapter 15: what learns on borrowed features, and what few pictures can prove."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import comb, sqrt
from typing import Any

import numpy as np
from numpy import ndarray as Array
from numpy.random import Generator

from utils.checks.exercise import Arguments, Exercise
from utils.checks.own_numbers import Numbers

_BORROWED = Numbers(
    "A network that somebody else has trained has four stages, of {stages[0]:,}, {stages[1]:,}, {stages[2]:,} and "
    "{stages[3]:,} parameters. The last stage makes {channels} maps of 7 × 7. You put a linear layer, with a bias, on "
    "their means, for {kinds} kinds.",
    stages=lambda rng: (1000 * np.sort(rng.choice(np.arange(5, 900), 4, replace=False))).tolist(),
    channels=range(64, 513, 32),
    kinds=range(3, 13),
)


@_BORROWED
def learns(stages: Sequence[int] = (12_000, 95_000, 310_000, 820_000), channels: int = 192, kinds: int = 5) -> Exercise:
    """How many parameters learn: of a frozen network, and with its last stage."""

    def counted(bias: int = kinds, places: int = 1, freed: int = stages[-1], always: int = 0) -> tuple[int, int]:
        layer = channels * places * kinds + bias
        return always + layer, always + layer + freed

    return Exercise(
        "learns",
        reference=counted,
        mistakes={
            "The new layer learns in both cases, also where a stage learns with it.": lambda: (counted()[0], stages[-1])
        },
        slips={
            "The layer has a bias for each kind as well.": {"bias": 0},
            "A bias belongs to a kind, not to a channel.": {"bias": channels},
            "A mean leaves one number of each map, however large the map is.": {"places": 49},
            "The last stage is the one next to the new layer, not the one next to the image.": {"freed": stages[0]},
            "The last stage alone is let free, not all four.": {"freed": sum(stages)},
            "What is frozen takes part, but does not learn.": {"always": sum(stages), "freed": 0},
        },
    )  # fmt: skip


_GUESSERS = Numbers(
    "{tries} classifiers have learned nothing: each tosses a coin for each of {pictures} pictures of two kinds. You "
    "keep the best. How likely is this one to be right on at least {right} of the {pictures}?",
    tries=range(5, 41),
    pictures=range(8, 17),
    right=range(6, 14),
)


@_GUESSERS
def lucky(tries: int = 20, pictures: int = 10, right: int = 8) -> Exercise:
    """The chance that the best of several guessers looks good."""
    if not 0.65 < right / pictures < 0.9:
        raise ValueError(f"what looks good is about four fifths of {pictures}, not {right}")

    def share(places: Any = range(right, pictures + 1)) -> float:
        return sum(comb(pictures, place) for place in places) / 2**pictures

    def best(one: float = share(), many: int = tries) -> float:
        return 1 - (1 - one) ** many

    return Exercise(
        "lucky",
        reference=best,
        mistakes={
            "With more classifiers that goes beyond 1: two may be lucky at once.": lambda: tries * share(),
            "That is the chance that all of them get so far; one is enough.": lambda: share() ** tries,
            "That is the chance that none of them gets so far.": lambda: 1 - best(),
        },
        slips={
            "At least so many: more would do as well.": {"one": share([right])},
            "At least so many: just so many would do as well.": {"one": share(range(right + 1, pictures + 1))},
            "So many or more, not so many or fewer.": {"one": share(range(right + 1))},
            "Not every number is as likely: count the ways to it.": {"one": (pictures - right + 1) / (pictures + 1)},
            "That is the chance of one of these ways; they may miss any of the pictures.": {"one": 2.0**-right},
            "That is the chance of a single classifier.": {"many": 1},
        },
    )  # fmt: skip


def _few(rng: Generator) -> list[Arguments]:
    """Rows of very different lengths around a direction for each kind, and kinds of different sizes."""
    cases: list[Arguments] = []
    for many, channels in [(3, 4), (4, 8), (2, 3)]:
        kinds = rng.permutation([*np.repeat(np.arange(many), 3), *[0] * 9, *rng.integers(many, size=200)])
        kinds[:many] = np.arange(many)  # each kind at least once
        rows = rng.standard_normal((many, channels))[kinds] + rng.standard_normal((len(kinds), channels))
        rows *= np.exp(1.5 * rng.standard_normal((len(kinds), 1)))
        cases.append((rows[:-200], kinds[:-200], rows[-200:]))
    return cases


def _unit(x: Array, order: Any = None, axis: int = 1) -> Array:
    return np.asarray(x / np.linalg.norm(x, order, axis, keepdims=True))


_columns, _summed = partial(_unit, axis=0), partial(_unit, order=1)


def _far(centres: Array, new: Array) -> Array:
    return np.asarray(((new[:, None] - centres) ** 2).sum(2))


def _nearest(
    x: Array,
    kinds: Array,
    new: Array,
    known: Callable[[Array], Array] = _unit,
    asked: Callable[[Array], Array] = _unit,
    middle: Any = lambda rows: rows.mean(0),
    far: Any = _far,
) -> Array:
    rows = known(x)
    centres = np.stack([middle(rows[kinds == kind]) for kind in range(kinds.max() + 1)])
    return np.asarray(far(centres, asked(new)).argmin(1))


nearest_mean = Exercise(
    "nearest_mean",
    cases=_few,
    reference=_nearest,
    mistakes={
        "Compare with the mean of each kind, not with each single row.": (
            lambda x, kinds, new: kinds[_far(_unit(x), _unit(new)).argmin(1)]
        ),
        "Long rows outvote short ones in your means: first every row to a length of 1, then the mean.": (
            lambda x, kinds, new: _nearest(x, kinds, new, np.asarray, middle=lambda rows: _unit(rows.mean(0)[None])[0])
        ),
    },
    slips={
        "Bring the rows to a length of 1: yours keep theirs.": {"known": np.asarray, "asked": np.asarray},
        "The rows of `x` need a length of 1 as well.": {"known": np.asarray},
        "The rows of `new` need a length of 1 as well.": {"asked": np.asarray},
        "The length of a row: yours is that of a column.": {"known": _columns, "asked": _columns},
        "A length is the root of a sum of squares, not a sum of sizes.": {"known": _summed, "asked": _summed},
        "A kind with many rows has a long sum: take the mean.": {"middle": lambda rows: rows.sum(0)},
        "The nearest mean, not the largest product: a longer mean gains by that.": {"far": lambda m, new: -new @ m.T},
        "Those are the kinds that lie farthest away.": {"far": lambda centres, new: -_far(centres, new)},
    },
)


def _folders(rng: Generator) -> list[Arguments]:
    """Two or three kinds, up to a dozen bursts of each, in any order; all kinds number theirs from 0."""
    cases: list[Arguments] = []
    for kinds, bursts, folds in [(2, 6, 3), (3, 12, 5), (2, 11, 4), (2, 5, 2)]:
        names = [f"{kind}/{burst}" for kind in ["tram", "bus", "car"][:kinds] for burst in range(bursts)]
        files = [f"{name}_{shot}.jpg" for name in names for shot in range(int(rng.integers(2, 5)))]
        cases.append(([files[i] for i in rng.permutation(len(files))], folds, int(rng.integers(1, folds))))
    return cases


def _burst(file: str) -> str:
    return file.split("_")[0]


def _held(
    files: list[str],
    folds: int,
    fold: int,
    burst: Callable[[str], Any] = _burst,
    order: Any = dict.fromkeys,
    dealt: Any = lambda number, folds, count: number % folds,
) -> tuple[list[int], list[int]]:
    numbers = {name: i for i, name in enumerate(order(map(burst, files)))}
    held = [dealt(numbers[burst(file)], folds, len(numbers)) == fold for file in files]
    return [i for i, aside in enumerate(held) if not aside], [i for i, aside in enumerate(held) if aside]


held_out = Exercise(
    "held_out",
    cases=_folders,
    reference=_held,
    mistakes={
        "First the pictures to learn from, then those to judge by.": lambda *case: _held(*case)[::-1],
        "Their places in the list, not their names.": (
            lambda files, *rest: tuple([files[i] for i in side] for side in _held(files, *rest))
        ),
    },
    slips={
        "Shots of one burst lie on both sides: deal out bursts, not pictures.": {"burst": lambda file: file},
        "Each folder has a burst 0 of its own: those are two.": {"burst": lambda file: _burst(file).split("/")[1]},
        "Bursts, not kinds: yours puts a whole folder on one side.": {"burst": lambda file: file.split("/")[0]},
        "A burst's number may have two digits.": {"burst": lambda file: file[: file.index("/") + 2]},
        "Number the bursts as they first appear; yours are sorted.": {"order": lambda names: sorted({*names})},
        "Folds are counted from 0.": {"dealt": lambda number, folds, count: number % folds + 1},
        "Deal them out in turn, one to a fold, like cards.": {"dealt": lambda i, folds, count: i * folds // count},
    },
)  # fmt: skip


def _counts(rng: Generator) -> list[Arguments]:
    cases: list[Arguments] = [(32, 40, 4), (0, 24, 3), (60, 60, 5), (9, 12, 1)]
    for shots in (2, 3, 6):
        bursts = int(rng.integers(8, 30))
        cases.append((shots * int(rng.integers(2, bursts - 1)), shots * bursts, shots))
    return cases


def _wilson(
    right: int, pictures: int, shots: int, each: int = -1, z: float = 1.96, power: int = 2, one: int = 1, **parts: int
) -> tuple[float, float]:
    n = pictures * shots**each
    share, extra = right / pictures, z**power / n
    middle = share + extra / parts.get("half", 2)
    width = z * sqrt((share * (1 - share) + extra / parts.get("quarter", 4)) / n)
    under = 1 + one * extra
    return (middle - width) / under, (middle + width) / under


def _wald(right: int, pictures: int, shots: int) -> tuple[float, float]:
    share = right / pictures
    width = 1.96 * sqrt(share * (1 - share) * shots / pictures)
    return share - width, share + width


interval = Exercise(
    "interval",
    cases=_counts,
    reference=_wilson,
    mistakes={
        "With none or all of them right yours has no width, as if all were sure. That is another formula.": _wald,
        "The lower end comes first.": lambda *case: _wilson(*case)[::-1],
    },
    slips={
        "Shots of one burst are right or wrong together: count what is independent.": {"each": 0},
        "A burst has several shots, so there are fewer bursts than pictures.": {"each": 1},
        "z has to be squared where the formula says so.": {"power": 1},
        "Half of the extra goes into the middle.": {"half": 1},
        "A quarter of the extra goes under the root.": {"quarter": 1},
        "Both ends are divided by 1 plus the extra.": {"one": 0},
        "For 95 % z is 1.96; yours is that of another promise.": {"z": 1.645},
    },
)  # fmt: skip


def _races(rng: Generator) -> list[Arguments]:
    """Two ways that rise with the labels, each with its draws. Of the last two one is equal first, one never ahead."""
    labels, cases = [1, 2, 5, 10, 20, 50], []
    for start in rng.permutation(np.arange(20, 60)):
        rise = np.cumsum(rng.integers(2, 12, (2, 6)), 1) + np.array([[start], [18]])
        cases.append((labels, *(row[:, None] + rng.integers(-7, 8, (6, 4)) for row in rise)))
    equal, rival = np.array([[50, 70, 71, 75, 81, 90], [10, 20, 50, 60, 62, 63]])[..., None] + np.array([0, 7])
    return [*cases, (labels, equal, rival), (labels, rival, equal)]


def _middle(rival: Array, i: int) -> float:
    return float(rival[-1].mean())


def _ahead(
    labels: list[int],
    ours: Array,
    rival: Array,
    mine: Any = np.min,
    theirs: Any = lambda rival, i: rival[-1].max(),
    over: Any = np.greater,
    told: Any = lambda labels, i: labels[i],
    order: int = 1,
) -> int:
    found = [i for i, row in enumerate(ours) if over(mine(row), theirs(rival, i))]
    return int(told(labels, found[::order][0])) if found else 0


ahead = Exercise(
    "ahead",
    cases=_races,
    reference=_ahead,
    mistakes={
        "Compare every draw with every draw: the first of one has nothing to do with the first of the other.": (
            lambda labels, ours, rival: next(
                (n for n, row in zip(labels, ours, strict=True) if (row > rival[-1]).all()), 0
            )
        ),
    },
    slips={
        "A mean may be ahead while a draw is behind: every draw has to be.": {"mine": np.mean, "theirs": _middle},
        "All of yours are ahead of the rival's mean. Of each of its draws?": {"theirs": _middle},
        "Your best draw is ahead. The others?": {"mine": np.max},
        "Your mean is ahead. Every draw?": {"mine": np.mean},
        "Ahead of the rival's worst draw: that is not ahead of all.": {"theirs": lambda rival, i: rival[-1].min()},
        "The rival keeps all its labels: yours has as few as you.": {"theirs": lambda rival, i: rival[i].max()},
        "Equal is not ahead.": {"over": np.greater_equal},
        "The number of labels, not its place in the list.": {"told": lambda labels, i: i},
        "The smallest number that is enough; yours is the largest.": {"order": -1},
    },
)  # fmt: skip
