"""Which hint fits an answer: a mistake of the exercise, what can be seen of any answer, or two things at once.

Whatever is told has to explain every call. First come the exercise's own words, then what says most.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from inspect import signature
from itertools import combinations
from typing import Any

import numpy as np

from utils.checks.arguments import Arguments, misread, where
from utils.checks.calls import Call, snapshot
from utils.checks.seen import KINDS, Given, Hint, seen
from utils.checks.values import parts, plain, same

Solution = Callable[..., Any]
Slip = Mapping[str, Any] | Callable[..., Arguments]
FIRST = "To begin with: "  # for what is not all
FORMS = ("shape", "whole", "sign", "factor")  # what can come on top of a mistake


@dataclass(frozen=True)
class Guess:
    """A hint with the solution that deserves it; ``slip``, if that is what makes it one, can come with others."""

    hint: Hint
    solution: Solution
    slip: Slip | None = None

    @classmethod
    def changed(cls, hint: Hint, reference: Solution, slip: Slip) -> Guess:
        """The reference with other arguments, or with other settings."""
        wrong = (lambda *case: reference(*slip(*case))) if callable(slip) else partial(reference, **slip)
        return cls(hint, wrong, slip)

    def after(self, other: Guess) -> Solution | None:
        """The solution with both slips, if they go together."""
        if callable(change := other.slip):
            return lambda *case: self.solution(*change(*case))
        if isinstance(self.slip, Mapping) and isinstance(change, Mapping) and not self.slip.keys() & change.keys():
            return partial(self.solution, **change)
        return None


def outcome(solution: Solution, case: Arguments) -> Call:
    """What one of our own solutions gives, errors by their kind."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return Call(snapshot(solution(*case)))
    except Exception:
        return Call(kind="error")


def alike(call: Call, their: Call) -> bool:
    """Whether two outcomes are the same."""
    if call.kind or their.kind:
        return call.kind == their.kind
    return same(call.value, their.value)


@dataclass(frozen=True)
class Puzzle:
    """The calls of a wrong answer, and all that may explain them."""

    reference: Solution | None
    own: Sequence[Guess]
    cases: Sequence[Arguments]
    calls: Sequence[Call]

    def explain(self) -> Hint | None:
        """The first that fits. After an error nothing is known of the numbers."""
        if not self.reference:
            return self.known()
        failed = any(call.kind for call in self.calls)
        ways = (self.known, self.common, self.constant, self.read, self.part, self.two, self.formed, self.rest)
        return next((hint for way in (ways[::7] if failed else ways) if (hint := way())), None)

    def known(self) -> Hint | None:
        """A mistake of the exercise."""
        return self._first(self.own) if not all(call.kind for call in self.calls) else None

    def common(self) -> Hint | None:
        """What is seen of every call, or what the wrong ones have in common."""
        wrong = [plain(call.value) for call, right in zip(self.calls, self.right, strict=True) if not right]
        if all(value is not None and value.dtype.kind == "f" and not np.isfinite(value).all() for value in wrong):
            return Hint("nan", "There are nan or infinite numbers in it: which step overflows, or divides by 0?")
        return self._seen(self.wanted)

    def constant(self) -> Hint | None:
        """The same for every call."""
        first, calls, wanted = plain(self.calls[0].value), self.calls[1:], self.wanted[1:]
        constant = first is not None and len(calls) > 1 and all(same(first, call.value) for call in calls)
        if constant and not all(same(self.wanted[0], other) for other in wanted):
            return Hint("constant", "Yours is the same for every call: does it look at what it is given?")
        return None

    def read(self) -> Hint | None:
        """An argument that is left out, or read otherwise."""
        return self._first(self.arguments)

    def part(self) -> Hint | None:
        """A part of a tuple, or of a value written by hand, that is a known mistake's, or that shows what it is."""
        if self.names and not isinstance(self.wanted[0], tuple):
            return None
        mine = self._parts(self.calls)
        places = range(len(mine[0]))
        if len(places) < 2 or any(len(line) != len(places) for line in mine):
            return None
        wrong = [i for i in places if not all(same(value, wanted) for _, value, wanted in (line[i] for line in mine))]
        hints = {i: self._of_part(i, mine) for i in wrong}
        told = [i for i in wrong if hints[i] and (all(hints.values()) or _telling(mine[0][i][1]))]
        for i in told:
            hint = hints[i]
            assert hint
            return Hint(hint.kind, (FIRST if len(wrong) > 1 else "") + hint.text)
        for i in wrong:
            if hint := self._seen([line[i][2] for line in mine], [line[i][1] for line in mine]):
                return Hint(hint.kind, f"Number {mine[0][i][0]} in it. {hint.text}")
        return None

    def _parts(self, calls: Sequence[Call]) -> list[list[tuple[int, Any, Any]]]:
        rows = not self.names
        return [list(parts(call.value, wanted, rows)) for call, wanted in zip(calls, self.wanted, strict=True)]

    def _of_part(self, place: int, mine: Sequence[Sequence[tuple[int, Any, Any]]]) -> Hint | None:
        """The mistake that has the same there."""
        for guess, theirs in self._own_parts:
            lines = zip(mine, theirs, strict=True)
            if all(len(line) == len(their) and same(line[place][1], their[place][1]) for line, their in lines):
                return guess.hint
        return None

    @cached_property
    def _own_parts(self) -> list[tuple[Guess, list[list[tuple[int, Any, Any]]]]]:
        every = [(guess, self._parts(self._all(guess.solution))) for guess in self.own]
        return [(guess, theirs) for guess, theirs in every if not _moves(theirs)]

    def two(self) -> Hint | None:
        """Two at once, of which one says which arguments count for the other."""
        for one, other in combinations([*self.own, *self.arguments], 2):
            if any(both and self._fits(both) for both in (one.after(other), other.after(one))):
                return Hint(one.hint.kind, FIRST + one.hint.text)
        return None

    def formed(self) -> Hint | None:
        """A mistake, and its numbers in another form."""
        for guess in [*self.own, *self.arguments]:
            theirs = self._all(guess.solution)
            known = not any(call.kind for call in theirs) and _rich(theirs)
            if known and self._seen([call.value for call in theirs], kinds=FORMS):
                return Hint(guess.hint.kind, FIRST + guess.hint.text)
        return None

    def rest(self) -> Hint | None:
        """What says least."""
        return where(self.names, self.cases, self.right)

    @cached_property
    def names(self) -> list[str]:
        """What the arguments are called."""
        return list(signature(self.reference).parameters)[: len(self.cases[0])] if self.reference else []

    @cached_property
    def wanted(self) -> list[Any]:
        """What is wanted of each call."""
        assert self.reference
        return [self.reference(*case) for case in self.cases]

    @cached_property
    def right(self) -> list[bool]:
        """Which of the calls are right."""
        return [not c.kind and same(c.value, wanted) for c, wanted in zip(self.calls, self.wanted, strict=True)]

    @cached_property
    def arguments(self) -> list[Guess]:
        """What comes out if one argument is read otherwise."""
        assert self.reference
        return [Guess.changed(hint, self.reference, slip) for hint, slip in misread(self.names, self.cases)]

    def _all(self, solution: Solution) -> list[Call]:
        return [outcome(solution, case) for case in self.cases]

    def _fits(self, solution: Solution) -> bool:
        return all(alike(call, outcome(solution, case)) for case, call in zip(self.cases, self.calls, strict=True))

    def _first(self, guesses: Sequence[Guess]) -> Hint | None:
        return next((guess.hint for guess in guesses if self._fits(guess.solution)), None)

    def _given(self) -> Iterator[Given]:
        return (dict(zip(self.names, case, strict=True)) for case in self.cases)

    def _seen(
        self, wanted: Sequence[Any], values: Sequence[Any] | None = None, kinds: Container[str] = KINDS
    ) -> Hint | None:
        """What holds of all the calls. Nothing is said of zeros: too much holds of them."""
        values = [call.value for call in self.calls] if values is None else values
        if all(number is not None and not number.any() for number in map(plain, values)):
            return None
        told = [list(seen(*line)) for line in zip(values, wanted, self._given(), strict=True)]
        return next((hint for hint in told[0] if hint.kind in kinds and all(hint in others for others in told)), None)


def _moves(parts: Sequence[Sequence[tuple[int, Any, Any]]]) -> bool:
    """Whether a mistake only gives the right parts in each other's place: then no part of it says anything alone."""
    return all(any(same(one, wanted) for *_, wanted in line) for line in parts for _, one, _ in line)


def _telling(value: Any) -> bool:
    """Whether it is no chance to meet it."""
    array = plain(value)
    return array is None or array.size > 2 or bool((np.abs(array) >= 50).any())


def _rich(calls: Sequence[Call]) -> bool:
    """Whether there are so many numbers that no other relation meets them by chance."""
    arrays = [plain(call.value) for call in calls]
    return len({float(x) for array in arrays if array is not None for x in array.flat if x not in (0, 1)}) > 5
