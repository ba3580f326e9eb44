"""What can be seen of any answer: how its numbers are related to those that are wanted.

Each rule says what holds of one call; only what holds of all of them is told. No hint names a number of the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import permutations, product
from math import isclose, pi
from typing import Any, NamedTuple

import numpy as np

from utils.checks.values import close, plain, same

Array = np.ndarray
Given = Mapping[str, Any]  # the arguments of a call by their names; none where a value is asked for
SIMPLE = (*range(2, 17), 25, 64, 100, 128, 256, 1000, 1024, pi)
SMALL = 10  # numbers written by hand below this are met by chance
LARGEST = 10_000  # numbers, or pairs of parts, that are looked at: no answer that is wanted has more


class Hint(NamedTuple):
    """What is told, and of which kind it is."""

    kind: str
    text: str

    def first(self) -> Hint:
        """The hint where it is not all that is to be mended."""
        return Hint(self.kind, f"To begin with: {self.text}")


KINDS = {
    "mistake": "A mistake that the exercise knows",
    "argument": "An argument is left out or read otherwise",
    "shape": "The right numbers in another shape",
    "order": "The right numbers in another order",
    "sum": "Added up, or not added up",
    "part": "A part is missing, or there is too much",
    "whole": "Cut to whole numbers, or rounded",
    "sign": "Signs",
    "factor": "Off by a factor",
    "one": "Off by one, or by a constant",
    "function": "Another function of the right number",
    "constant": "The same answer for every call",
    "nan": "Numbers that overflow",
    "place": "Right in some places, wrong in others",
    "where": "Right for some arguments, wrong for others",
}


def seen(value: Any, wanted: Any, given: Given) -> Iterator[Hint]:
    """All that holds of an answer to one call and of the one that is wanted."""
    number, right = plain(value), plain(wanted)
    if number is None or right is None:
        yield from _listed(value, wanted)
    elif number.dtype.kind != "c" and max(number.size, right.size) <= LARGEST:
        wrong = not close(number, right)
        number, right = number.astype(float), right.astype(float)
        if wrong and close(number, right) and not (number % 1).any():
            return  # large whole numbers, so near that rules which round would hold
        for rule in _SHAPES if number.shape != right.shape else _NUMBERS:
            yield from rule(number, right, given)


def _listed(value: Any, wanted: Any) -> Iterator[Hint]:
    if not isinstance(value, list | tuple) or not isinstance(wanted, list) or len(value) * len(wanted) > LARGEST:
        return
    there = [any(same(part, other) for other in value) for part in wanted]
    extra = [part for part in value if not any(same(part, other) for other in wanted)]
    if same(value[::-1], wanted):
        yield Hint("order", "All of it is right, but in reverse order.")
    if all(there) and not extra and len(value) == len(wanted):
        yield Hint("order", "All of it is right, but in another order.")
    if any(there) and not extra and len(value) <= len(wanted):
        yield Hint("part", "What is in your list belongs there, but something is missing.")
    if all(there) and extra:
        yield Hint("part", "All that belongs into the list is there, and something else as well.")


def _shaped(number: Array, right: Array, given: Given) -> Iterator[Hint]:
    if number.size == right.size and close(number.ravel(), right.ravel()):
        if number.ndim < right.ndim:
            how = "in one row: the answer is to have more axes"
        elif number.ndim > right.ndim:
            how = "with an axis, or a list in a list, too many"
        else:
            how = "in another shape"
        yield Hint("shape", f"The numbers are right and in the right order, but {how}.")


def _mixed(number: Array, right: Array, given: Given) -> Iterator[Hint]:
    if number.size == right.size > 2 and close(np.sort(number, None), np.sort(right, None)):
        yield Hint("order", "The numbers are right, but their order is not, nor their shape.")


def _turned(number: Array, right: Array, given: Given) -> Iterator[Hint]:
    if number.ndim == right.ndim <= 4:
        for order in list(permutations(range(right.ndim)))[1:]:
            if close(number.transpose(order), right):
                swapped = "rows and columns have changed places" if right.ndim == 2 else "the axes are in another order"
                yield Hint("shape", f"The numbers are right, but {swapped}.")
                return


def _taken(number: Array, right: Array, given: Given) -> Iterator[Hint]:
    for axis in range(right.ndim if right.size else 0):
        for place, which in [(0, "first"), (-1, "last")]:
            if close(number, np.asarray(right.take(place, axis))):
                yield Hint("part", f"That is right, but it is the {which} of them only.")


def _summed(number: Array, right: Array, given: Given) -> Iterator[Hint]:
    if number.ndim == right.ndim + 1 and any(close(number.sum(axis), right) for axis in range(number.ndim)):
        yield Hint("sum", "There is an axis too many: added up along it, yours would be right.")
    for axis in [*range(right.ndim), None] if number.ndim < right.ndim and right.size else []:
        for done, how in [(right.sum(axis), "added up"), (right.mean(axis), "averaged")]:
            if close(number, np.asarray(done)):
                yield Hint("sum", f"You have {how} numbers that are to stay apart.")


def _start(small: Array, large: Array) -> tuple[int, ...] | None:
    """Where in an array a smaller one lies."""
    if small.ndim != large.ndim or not small.size or any(a > b for a, b in zip(small.shape, large.shape, strict=True)):
        return None
    spare = [b - a for a, b in zip(small.shape, large.shape, strict=True)]
    if np.prod([n + 1 for n in spare]) > 400:
        return None
    for start in product(*(range(n + 1) for n in spare)):
        block = tuple(slice(i, i + n) for i, n in zip(start, small.shape, strict=True))
        if close(small, large[block]):
            return start
    return None


def _within(number: Array, right: Array, given: Given) -> Iterator[Hint]:
    for small, large, says in [
        (number, right, "What you have is right, but some is missing"),
        (right, number, "The right numbers are all there, and there are others"),
    ]:
        telling = small.size and (np.ptp(small) > 0 or not close(small, np.rint(small)))
        if telling and (start := _start(small, large)) is not None:
            spare = [b - a for a, b in zip(small.shape, large.shape, strict=True)]
            where = "at the end" if not any(start) else "at the start" if list(start) == spare else "around it"
            yield Hint("part", f"{says} {where}.")


def _whole(number: Array, right: Array, given: Given) -> Iterator[Hint]:
    if not np.isfinite(right).all() or close(right, np.rint(right)):
        if close(number, right):
            yield from (CUT, ROUNDED)  # a call whose answer is whole says nothing
        if not right.ndim and np.isfinite(number) and any(close(way(number), right) for way in (np.floor, np.ceil)):
            yield Hint("whole", "Right but for what comes after the point: a whole number is wanted. Round which way?")
        return
    if any(close(number, way(right)) for way in (np.trunc, np.floor)):
        yield CUT
    if any(close(number, np.round(right, d)) and _digits(number, d) for d in range(4)):
        yield ROUNDED


def _digits(number: Array, digits: int) -> bool:
    return bool((np.abs(number - np.round(number, digits)) < 1e-9).all())


CUT = Hint("whole", "Yours are whole numbers, cut off after the point: is an array or a division one of whole numbers?")
ROUNDED = Hint("whole", "Yours is rounded: leave it as it is.")


def _signed(number: Array, right: Array, given: Given) -> Iterator[Hint]:
    if close(number, -right):
        yield Hint("sign", "All the signs are the wrong way round.")
    if close(number, np.abs(right)):
        yield Hint("sign", "The sizes are right, but yours has lost the signs.")
    if given and close(number, np.maximum(right, 0)):
        yield Hint("sign", "Right where the numbers are positive, but yours has lost the negative ones.")
    if close(np.abs(number), np.abs(right)):
        yield Hint("sign", "The sizes are right, but some of the signs are not.")


_ORDINALS = ("first", "second", "third", "fourth")


def _sizes(given: Given) -> Iterator[tuple[str, float]]:
    """What a factor may be, in words, by the arguments of the call."""
    for name, value in given.items():
        if type(value) in (int, float):
            yield f"`{name}`", value
            yield f"`{name}` squared", value**2
        elif isinstance(value, np.ndarray):
            for axis, size in enumerate(value.shape[:4]):
                yield f"the length of `{name}` along its {_ORDINALS[axis]} axis", size
            yield f"the number of places in `{name}`", value.size
            if value.ndim > 2:
                yield f"the number of places in one of `{name}`", value[0].size
        elif isinstance(value, list):
            yield f"the length of `{name}`", len(value)


def _scaled(number: Array, right: Array, given: Given) -> Iterator[Hint]:
    nonzero = np.abs(right) > 1e-9
    if not nonzero.any() or not np.isfinite(number).all() or np.abs(number[~nonzero]).any():
        return
    ratios = number[nonzero] / right[nonzero]
    ratio = float(ratios.flat[0])
    if not np.allclose(ratios, ratio, rtol=1e-3) or ratio <= 0:
        return
    step, side = (ratio, "large") if ratio > 1 else (1 / ratio, "small")
    same = isclose(step, 1, rel_tol=1e-3)  # so is a factor that is 1 in this call
    simple = next(
        (n for n in (*range(2, 17), 25, 64, 100, 128, 256, 1000, 1024, pi) if isclose(step, n, rel_tol=1e-3)), 0
    )
    if not given:
        if simple and np.abs(right).max() >= 10 * SMALL:
            yield Hint("factor", "Right but for a simple factor: something is counted too often, or is left out.")
        return
    if simple:
        amount = "π" if simple == pi else simple
        yield Hint("factor", f"Always too {side} by the factor {amount}.")
    for name, size in _sizes(given):
        if isclose(step, size, rel_tol=1e-3):
            for way in ("large", "small") if same else (side,):
                yield Hint("factor", f"Always too {way} by a factor, and that is {name}.")


def _alike(number: Array, right: Array, given: Given) -> Iterator[Hint]:
    """For what comes last: it says less than other rules."""
    if not given or len(set(right.ravel().round(6))) < 3 or not np.isfinite(number).all():
        return
    ratio = (number * right).sum() / (right**2).sum()
    if ratio > 0 and close(number / ratio, right):
        yield Hint("factor", "Within each call all your numbers are off by one and the same factor.")
    if close(number - (number - right).mean(), right):
        yield Hint("one", "Within each call all your numbers are off by the same amount.")


def _moved(number: Array, right: Array, given: Given) -> Iterator[Hint]:
    if not right.size or not np.isfinite(number).all():
        return
    gap = number - right
    if np.ptp(gap) > 1e-6 * max(1.0, np.abs(right).max()) or abs(gap.flat[0]) < 1e-3:
        return
    if isclose(abs(gap.flat[0]), 1, rel_tol=1e-6):
        side = "too large" if gap.flat[0] > 0 else "too small"
        if given:
            yield Hint("one", f"Always one {side}.")
        elif np.abs(right).max() >= SMALL:
            yield Hint("one", "Very near: you are off by one.")


def _flipped(number: Array, right: Array, given: Given) -> Iterator[Hint]:
    ways = {(0,): "in reverse order", (-1,): "mirrored, left and right", (-2, -1): "turned by half a turn"}
    for axes, how in ways.items() if right.ndim else ():
        if -right.ndim <= min(axes) and close(np.flip(number, axes), right):
            if axes == (-1,) and right.shape[-1] == 2:
                how = "in each pair the two have changed places"
            yield Hint("order", f"The numbers are right, but {how}.")
    if right.size > 2 and np.ptp(right) > 0 and close(np.sort(number, None), np.sort(right, None)):
        yield Hint("order", "The numbers are right, but some stand in each other's place.")


def _function(number: Array, right: Array, given: Given) -> Iterator[Hint]:
    if not given or not right.size:
        return
    with np.errstate(all="ignore"):
        for made, what in [
            (right**2, "the square of what is wanted"),
            (np.sqrt(np.abs(right)), "the root of what is wanted"),
            (1 / right, "one divided by what is wanted"),
            (1 - right, "one less what is wanted: the rest"),
            (right / np.abs(right).max(), "divided by its own maximum"),
            (right / right.sum(), "divided by its own sum"),
        ]:
            if right.size == 1 and "its own" in what:
                continue
            if np.isfinite(made).all() and close(number, made):
                yield Hint("function", f"Yours is {what}.")


def _unwritten(number: Array, right: Array, given: Given) -> Iterator[Hint]:
    """For what comes last: it says less than other rules."""
    empty, hits = (number == 0) & (np.abs(right) > 1e-9), np.isclose(number, right, atol=1e-4) & (np.abs(right) > 1e-9)
    if right.size > 3 and empty.any() and hits.sum() * 4 >= right.size and close(number[~empty], right[~empty]):
        yield Hint("place", "Where you have a number it is right, but some places hold 0 that are to hold another.")
    if right.ndim > 1 and min(right.shape[-2:]) > 2:
        inner = (..., slice(1, -1), slice(1, -1))
        if close(number[inner], right[inner]) and np.ptp(right[inner]) > 0:
            yield Hint("place", "Inside, your numbers are right; along the border some are not.")


Rule = Callable[[Array, Array, Given], Iterator[Hint]]
_SHAPES: tuple[Rule, ...] = (_shaped, _turned, _taken, _summed, _within, _mixed)
_NUMBERS: tuple[Rule, ...] = (_turned, _flipped, _whole, _signed, _function, _scaled, _moved, _alike, _unwritten)
