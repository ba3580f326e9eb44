"""An exercise: what it asks for, how an answer is judged, and the mistakes that it knows by name.

Nothing here asks an answer about itself. Answers are turned into plain numbers and arrays first, and compared with
those of a reference solution on inputs that are drawn afresh; so an object that claims to be equal, a patched NumPy or
a table of remembered answers is no help.
"""

from __future__ import annotations

import copy
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import isfunction
from typing import Any

from numpy import abs as absolute
from numpy import array_equal, asarray, float64, isfinite, ndarray, random

from utils.checks.calls import Call, call_all, snapshot

Arguments = tuple[Any, ...]


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
    seconds: float = 10

    def check(self, answer: Any) -> None:
        """Print that ``answer``, a function or a value, is right, or raise ``Wrong`` with a hint."""
        cases = self.cases(random.default_rng(secrets.randbits(64)))
        if cases == [()] and not callable(answer):
            calls = [Call(snapshot(answer))]
        elif callable(answer):
            calls = call_all(answer, copy.deepcopy(cases), self.seconds)
        else:
            raise Wrong(f"{self.name} is to be a function, but you gave {_shown(answer)}: its name, without ( ).")
        if hint := self.judge(cases, calls):
            raise Wrong(hint)
        print(f"✓ {self.name} is right.")

    def judge(self, cases: Sequence[Arguments], calls: Sequence[Call]) -> str | None:
        """What is wrong with the outcome of a call for each case, or None if nothing is."""
        faults = [self._fault(case, call) for case, call in zip(cases, calls, strict=True)]
        if not any(faults):
            return None
        for hint, wrong in self.mistakes.items():
            theirs = call_all(wrong, copy.deepcopy(list(cases)), self.seconds)
            if all(_alike(call, their) for call, their in zip(calls, theirs, strict=True)):
                return hint
        return next(fault for fault in faults if fault)

    def _fault(self, case: Arguments, call: Call) -> str | None:
        what = f"{self.name}({', '.join(map(_shown, case))})" if case else self.name
        if call.error:
            return call.error.format(what=what)
        if self.accept:
            return self.accept(*copy.deepcopy(case), call.value)
        assert self.reference
        return _difference(what, call.value, self.reference(*copy.deepcopy(case)))


def _difference(what: str, value: Any, wanted: Any) -> str | None:
    """How an answer differs from the one that is wanted, without saying that one."""
    if isinstance(wanted, tuple | list):
        if not isinstance(value, tuple | list | ndarray) or len(value) != len(wanted):
            return f"{what} should give {len(wanted)} things, but gives {_shown(value)}."
        parts = (_difference(what, part, other) for part, other in zip(value, wanted, strict=True))
        return next((part for part in parts if part), None)
    if isinstance(wanted, str):
        return None if type(value) is str and value == wanted else f"{what} gives {_shown(value)}; that is not it."
    number, right = plain(value), asarray(wanted)
    if number is None:
        return f"{what} gives {_shown(value)}, where {_kind(right)} is wanted."
    if number.shape != right.shape:
        return f"{what} gives {_kind(number)}; that is not the shape."
    if not right.shape and right.dtype.kind == "i" and number.dtype.kind == "f":
        return f"{what} gives {_shown(value)}, which is no int: // divides whole numbers and rounds down, / does not."
    if not _close(number, right):
        return f"{what} gives {_shown(value)}; that is not it."
    return None


def plain(value: Any) -> ndarray | None:
    """Numbers, arrays and lists of numbers as an array of NumPy's own; None for all else."""
    try:
        array = asarray(value)
    except Exception:  # rows of different lengths, or an object that makes what it likes of the question
        return None
    return array.view(ndarray) if array.dtype.kind in "biuf" else None


def _close(number: ndarray, right: ndarray) -> bool:
    """Equal up to rounding, that of single precision included; no number, or infinity, only where both have it."""
    if right.dtype.kind in "biu":
        return bool((number == right).all())
    number, right = number.astype(float64), right.astype(float64)
    finite = isfinite(right)
    if not array_equal(number[~finite], right[~finite], equal_nan=True):
        return False
    gap = absolute(number[finite] - right[finite])
    return bool(isfinite(gap).all() and (gap <= 1e-4 * max(1.0, absolute(right[finite]).max(initial=0))).all())


def _alike(call: Call, their: Call) -> bool:
    """Whether two outcomes are the same, errors by their kind."""
    if call.kind or their.kind:
        return call.kind == their.kind
    return _difference("", call.value, their.value) is None


def _kind(array: ndarray) -> str:
    if array.shape:
        return f"an array of shape {array.shape}"
    return "a number" if array.dtype.kind == "f" else "an int"


def _shown(value: Any) -> str:
    """A value for a message: small ones whole, arrays by their shape."""
    number = plain(value)
    if number is not None and number.size > 9:
        return _kind(number)
    text = value.__name__ if isfunction(value) else repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
