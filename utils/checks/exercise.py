"""An exercise: what it asks for, how its answer is judged, how long that may take, the mistakes it knows by name.

Answers are turned into plain numbers and arrays first, and compared with those of a reference solution on inputs that
are drawn afresh; so an object that claims to be equal, a patched NumPy or a table of remembered answers is no help.
This is feedback, in the learner's own process: who takes the checks themselves apart only cheats himself.
"""

from __future__ import annotations

import copy
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import isfunction
from typing import Any

from numpy import abs as absolute
from numpy import array2string, array_equal, asarray, float64, isfinite, ndarray, random

from utils.checks.calls import Call, Other, call_all, call_answer

Arguments = tuple[Any, ...]
SECONDS = 10  # for all calls of one check: far more than an answer needs, and no longer than a learner waits
FLOAT = ": the right number, but a float. Divide whole numbers by //, or use int()."


class Wrong(Exception):
    """An answer is not right; the message is the hint. A notebook shows nothing but that."""

    def _render_traceback_(self) -> list[str]:  # IPython asks for it
        return [f"✗ {self}"]


@dataclass(frozen=True)
class Exercise:
    """What a learner writes, and how it is judged.

    ``cases`` draws the arguments of a number of calls. ``reference`` is a right solution; or ``accept`` takes an
    answer after the arguments and returns what is wrong with it, or None. ``mistakes`` has a wrong solution for each
    hint: whoever gets its answers in all cases is told the hint.
    """

    name: str
    cases: Callable[[random.Generator], Sequence[Arguments]]
    reference: Callable[..., Any] | None = None
    accept: Callable[..., str | None] | None = None
    mistakes: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    seconds: float = SECONDS

    def check(self, answer: Any) -> None:
        """Print that ``answer``, a function or a value, is right, or raise ``Wrong`` with a hint."""
        cases = self.cases(random.default_rng(secrets.randbits(64)))
        calls = call_answer(answer, copy.deepcopy(cases), self.seconds)
        faults = [fault for case, call in zip(cases, calls, strict=True) if (fault := self.fault(case, call))]
        if faults:
            raise Wrong(self.mistake(cases, calls) or faults[0])
        print(f"✓ {self.name} is right.")

    def mistake(self, cases: Sequence[Arguments], calls: Sequence[Call]) -> str | None:
        """The hint of the mistake that has the same outcome in every case, if one has."""
        for hint, wrong in self.mistakes.items():
            theirs = call_all(wrong, copy.deepcopy(list(cases)), self.seconds)
            if all(_alike(call, their) for call, their in zip(calls, theirs, strict=True)):
                return hint
        return None

    def fault(self, case: Arguments, call: Call) -> str | None:
        """What is wrong with the outcome of one call, or None if nothing is."""
        if not call.error and not self.accept:
            assert self.reference
            wanted = self.reference(*copy.deepcopy(case))
            if not _difference("", call.value, wanted):
                return None  # without the words for what is wrong, which take their time
        what = f"{self.name}({', '.join(map(_shown, case))})" if case else self.name
        if call.error:
            return call.error.replace("{what}", what).replace("{name}", self.name)
        if self.accept:
            return self.accept(*copy.deepcopy(case), call.value)
        return _difference(f"{what} gives" if case else f"{what} is", call.value, wanted)


def _difference(says: str, value: Any, wanted: Any, part: bool = False) -> str | None:
    """How an answer differs from the one that is wanted, without saying that one; ``says`` begins the sentence."""
    if value is None:
        return f"{says} None: is there a `return`?"
    if isinstance(wanted, tuple | list):
        if not isinstance(value, list) and not (isinstance(value, ndarray) and value.shape):
            return f"{says} {_shown(value)}, where a list or an array is wanted."
        if len(value) != len(wanted):
            # Of a list the length may be the question; that of a tuple is known.
            many = "too many" if len(value) > len(wanted) else "too few"
            return f"{says} {_shown(value)}: {f'{len(wanted)} are wanted' if isinstance(wanted, tuple) else many}."
        for place, (one, other) in enumerate(zip(value, wanted, strict=True), 1):
            if fault := _difference(f"{says} {_shown(value)}. Number {place} in it is", one, other, part=True):
                return fault
        return None
    if isinstance(wanted, str):
        return None if type(value) is str and value == wanted else f"{says} {_shown(value)}; that is not it."
    number, right = plain(value), asarray(wanted)
    if number is None:
        return f"{says} {_shown(value)}, where {_kind(right)} is wanted."
    if number.dtype.kind == "c":
        return f"{says} complex numbers, where real ones are wanted: take .real where the rest is only rounding."
    if number.shape != right.shape:
        return f"{says} {_kind(number, shape=True)}; that is not the shape."
    if not _close(number, right):
        return f"{says} {_shown(value)}; that is not it."
    if not part and not right.shape and right.dtype.kind == "i" and number.dtype.kind == "f":
        return f"{says} {_shown(value)}{FLOAT}"
    return None


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
    return isinstance(value, str) or (isinstance(value, list) and any(map(_has_text, value)))


def _close(number: ndarray, right: ndarray) -> bool:
    """Equal up to rounding, that of single precision included; no number, or infinity, only where both have it."""
    whole = right.dtype.kind in "biu"
    number, right = number.astype(float64), right.astype(float64)
    finite = isfinite(right)
    if not array_equal(number[~finite], right[~finite], equal_nan=True):
        return False
    gap = absolute(number[finite] - right[finite])
    scale = 1.0 if whole else max(1.0, absolute(right[finite]).max(initial=0))
    return bool(isfinite(gap).all() and (gap <= 1e-4 * scale).all())


def _alike(call: Call, their: Call) -> bool:
    """Whether two outcomes are the same, errors by their kind."""
    if call.kind or their.kind:
        return call.kind == their.kind
    return _same(call.value, their.value)


def _same(value: Any, other: Any) -> bool:
    one, two = plain(value), plain(other)
    if one is not None and two is not None and "c" not in one.dtype.kind + two.dtype.kind:
        return one.shape == two.shape and _close(one, two)
    if isinstance(value, list) and isinstance(other, list):
        return len(value) == len(other) and all(map(_same, value, other))
    return type(value) is str and value == other


def _kind(array: ndarray, shape: bool = False) -> str:
    if array.shape:
        return f"an array of shape {array.shape}" if shape else "an array"
    return "a number" if array.dtype.kind == "f" else "an int"


def _shown(value: Any) -> str:
    """A value for a message, on one line: small arrays whole, others by their shape."""
    if isinstance(value, ndarray):
        if value.size > 9:
            return _kind(value, shape=True)
        text = array2string(value, precision=3, separator=", ").replace("\n", "")
    else:
        text = value.text if isinstance(value, Other) else value.__name__ if isfunction(value) else repr(value)
    return text if len(text) <= 160 else f"{text[:159]}…"
