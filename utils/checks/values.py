"""Answers as plain numbers, lists and text: when two are the same, and how one looks in a message."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import isfunction
from typing import Any, NamedTuple

from numpy import abs as absolute
from numpy import array2string, asarray, errstate, float64, int64, isfinite, isnan, ndarray

from utils.checks.calls import Other


def plain(value: Any) -> ndarray | None:
    """Numbers, arrays and lists of numbers as an array; None for all else."""
    if _has_text(value):  # NumPy would make all of it text, as long as the longest
        return None
    try:
        array = asarray(value)
    except (ValueError, OverflowError):  # rows of different lengths, numbers of hundreds of digits
        return None
    return array if array.dtype.kind in "biufc" else None


def _has_text(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list | tuple) and any(map(_has_text, value)))


def close(number: ndarray, right: ndarray) -> bool:
    """Equal in shape, and everywhere up to rounding."""
    return number.shape == right.shape and bool(agreeing(number, right).all())


def agreeing(number: ndarray, right: ndarray) -> ndarray:
    """Where two arrays are equal up to rounding, also in single precision; no number is equal to no number."""
    whole = right.dtype.kind in "biu"
    number, right = number.astype(float64), right.astype(float64)
    scale = 1.0 if whole else max(1.0, absolute(right[isfinite(right)]).max(initial=0))
    with errstate(invalid="ignore"):
        near = absolute(number - right) <= 1e-4 * scale
    return asarray(near | (number == right) | (isnan(number) & isnan(right)))


def same(value: Any, other: Any) -> bool:
    """Whether two plain values say the same, be they lists, tuples or arrays."""
    one, two = plain(value), plain(other)
    if one is not None and two is not None and "c" not in one.dtype.kind + two.dtype.kind:
        return close(one, two)
    if isinstance(value, list | tuple) and isinstance(other, list | tuple):
        return len(value) == len(other) and all(map(same, value, other))
    return type(value) is str and type(other) is str and value == other


def ran_over(value: Any, wanted: Any) -> bool:
    """Whether whole numbers are right but for what does not fit into 32 bits, as many as NumPy's have in a browser."""
    number, right = plain(value), plain(wanted)
    if number is None or right is None or number.shape != right.shape or {number.dtype.kind, right.dtype.kind} != {"i"}:
        return False
    gap = number.astype(int64) - right.astype(int64)
    return bool((gap != 0).any() and (gap % 2**32 == 0).all() and (absolute(number.astype(float64)) <= 2**31).all())


class Part(NamedTuple):
    """A part of an answer, from 1, and what is wanted there."""

    place: int
    value: Any
    wanted: Any


def parts(value: Any, wanted: Any, rows: bool = False, place: int = 0) -> Iterator[Part]:
    """The parts of an answer, down to numbers and arrays, or to an array's ``rows``.

    There are none where it is not made of as many parts as are wanted.
    """
    if not isinstance(wanted, list | tuple) and not (rows and isinstance(wanted, ndarray) and wanted.ndim):
        yield Part(place, value, wanted)
    elif (isinstance(value, list | tuple) or (isinstance(value, ndarray) and value.ndim)) and len(value) == len(wanted):
        for at, (one, other) in enumerate(zip(value, wanted, strict=True), 1):
            yield from parts(one, other, False, place or at)


def kind_of(array: ndarray, shape: bool = False) -> str:
    """What an array is in a message."""
    if array.shape:
        return f"an array of shape {array.shape}" if shape else "an array"
    return "a number" if array.dtype.kind == "f" else "an int"


def shown(value: Any) -> str:
    """A value for a message, on one line: small arrays whole, others by their shape."""
    text = _shown(value)
    return text if len(text) <= 160 else f"{text[:159]}…"


def _shown(value: Any) -> str:
    if isinstance(value, ndarray):
        if value.size > 9:
            return kind_of(value, shape=True)
        return " ".join(array2string(value, precision=3, separator=", ").split())
    if isinstance(value, list | tuple):
        inside = ", ".join(_shown(part) for part in value[:40])
        return f"[{inside}]" if isinstance(value, list) else f"({inside}{',' * (len(value) == 1)})"
    if isinstance(value, float):
        return f"{value:.{6 if abs(value) < 1000 else 12}g}"
    return value.text if isinstance(value, Other) else value.__name__ if isfunction(value) else repr(value)
