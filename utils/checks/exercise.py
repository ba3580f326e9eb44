"""An exercise: what it asks for, how its answer is judged, how long that may take, the mistakes it knows by name.

Answers become plain numbers, compared with a reference solution's on inputs that are drawn afresh: so an object that
claims to be equal, a patched NumPy or remembered answers are no help. Who takes the checks apart only cheats himself.
"""

from __future__ import annotations

import copy
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy import argwhere, asarray, ndarray, random

from utils.checks.arguments import Arguments
from utils.checks.calls import Call, call_answer
from utils.checks.hints import Guess, Slip, explain
from utils.checks.seen import Hint
from utils.checks.values import agreeing, close, kind_of, plain, shown

__all__ = ["Arguments", "Exercise", "Wrong"]

SECONDS = 10  # for all calls of one check: far more than an answer needs, and no longer than a learner waits


class Wrong(Exception):
    """An answer is not right; the message is the hint. A notebook shows nothing but that."""

    def _render_traceback_(self) -> list[str]:  # IPython asks for it
        return [f"✗ {self}"]


@dataclass(frozen=True)
class Exercise:
    """What a learner writes, and how it is judged.

    ``cases`` draws the arguments of calls; without it the answer is a value. ``reference`` is a right solution; or
    ``accept`` takes an answer after the arguments and says what is wrong. ``mistakes`` has a wrong solution for each
    hint, told to whoever gets its answers. ``slips``, found in twos as well, have the arguments that then count, as a
    function, or settings of the reference.
    ``partial``: in a class, an answer that is right for some inputs gets a part of the points.
    """

    name: str
    cases: Callable[[random.Generator], Sequence[Arguments]] = lambda rng: [()]
    reference: Callable[..., Any] | None = None
    accept: Callable[..., str | None] | None = None
    mistakes: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    slips: Mapping[str, Slip] = field(default_factory=dict)
    seconds: float = SECONDS
    partial: bool = False

    def check(self, answer: Any) -> None:
        """Print that ``answer``, a function or a value, is right, or raise ``Wrong`` with a hint."""
        cases = self.cases(random.default_rng(secrets.randbits(64)))
        calls = call_answer(answer, copy.deepcopy(cases), self.seconds)
        faults = [fault for case, call in zip(cases, calls, strict=True) if (fault := self.fault(case, call))]
        if faults:
            hint = self.hint(cases, calls)
            raise Wrong(faults[0] if not hint else f"{faults[0]} {hint.text}" if hint.kind == "where" else hint.text)
        print(f"✓ {self.name} is right.")

    def hint(self, cases: Sequence[Arguments], calls: Sequence[Call]) -> Hint | None:
        """The hint that explains all the calls of a wrong answer, if one does."""
        try:
            return explain(self.reference, self.guesses(), cases, calls)
        except Exception:  # in the learner's process NumPy may be patched: what is wrong is known without a hint
            return None

    def guesses(self) -> list[Guess]:
        """The mistakes that the exercise knows, as solutions."""
        assert self.reference or not self.slips
        known = [Guess(Hint("mistake", text), wrong) for text, wrong in self.mistakes.items()]
        for text, slip in self.slips.items():
            known.append(Guess.changed(Hint("mistake", text), self.reference, slip))  # type: ignore[arg-type]
        return known

    def fault(self, case: Arguments, call: Call) -> str | None:
        """What is wrong with the outcome of one call, or None if nothing is."""
        if not call.error and not self.accept:
            assert self.reference
            wanted = self.reference(*copy.deepcopy(case))
            if not difference("", call.value, wanted):
                return None  # without the words for what is wrong, which take their time
        what = f"{self.name}({', '.join(map(shown, case))})" if case else self.name
        if call.error:
            return call.error.replace("{what}", what).replace("{name}", self.name)
        if self.accept:
            return self.accept(*copy.deepcopy(case), call.value)
        return difference(f"{what} gives" if case else f"{what} is", call.value, wanted)


def difference(says: str, value: Any, wanted: Any) -> str | None:
    """How an answer differs from the one that is wanted, without saying that one; ``says`` begins the sentence."""
    if isinstance(wanted, tuple | list):
        if not isinstance(value, list | tuple) and not (isinstance(value, ndarray) and value.shape):
            return f"{says} {shown(value)}, where a list or an array is wanted."
        if len(value) != len(wanted):
            # Of a list the length may be the question; that of a tuple is known.
            many = "too many" if len(value) > len(wanted) else "too few"
            return f"{says} {shown(value)}: {f'{len(wanted)} are wanted' if isinstance(wanted, tuple) else many}."
        for place, (one, other) in enumerate(zip(value, wanted, strict=True), 1):
            if fault := difference(f"{says} {shown(value)}. Number {place} in it is", one, other):
                return fault
        return None
    if isinstance(wanted, str):
        return None if type(value) is str and value == wanted else f"{says} {shown(value)}; that is not it."
    number, right = plain(value), asarray(wanted)
    if number is None:
        return f"{says} {shown(value)}, where {kind_of(right)} is wanted."
    if number.dtype.kind == "c":
        return f"{says} complex numbers, where real ones are wanted: take .real where the rest is only rounding."
    if number.shape != right.shape:
        return f"{says} {kind_of(number, shape=True)}; that is not the shape."
    if not close(number, right):
        hits = agreeing(number, right)
        some = (
            f": {hits.sum()} of {hits.size} numbers are right, {argwhere(~hits)[0].tolist()} is not"
            if hits.any()
            else ""
        )
        return f"{says} {shown(value)}; that is not it{some}."
    return None
