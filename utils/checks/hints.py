"""Which hint fits an answer: a mistake of the exercise, what can be seen of any answer, or two things at once.

Whatever is told has to explain every call. First come the exercise's own words, then what says most.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from inspect import signature
from itertools import combinations
from typing import Any

import numpy as np

from utils.checks.arguments import Arguments, confused, misread, where
from utils.checks.calls import Call, snapshot
from utils.checks.seen import KINDS, Hint, seen
from utils.checks.values import Part, parts, plain, ran_over, same

Solution = Callable[..., Any]
Slip = Mapping[str, Any] | Callable[..., Arguments]
MET_BY_CHANCE = 4  # so few numbers other relations meet as well
OVER = (
    "Right, but too large for whole numbers of 32 bits, so that they began again from below. NumPy takes those where "
    "you name no others, in a browser: give it dtype=np.int64, or count with Python's own numbers."
)
FORMS = ("shape", "whole", "sign")  # what can come on top of a mistake


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
        return Call(snapshot(solution(*case)))
    except Exception:
        return Call(kind="error")


def alike(call: Call, their: Call) -> bool:
    """Whether two outcomes are the same."""
    if call.kind or their.kind:
        return call.kind == their.kind
    return same(call.value, their.value)


def explain(
    reference: Solution | None, own: Sequence[Guess], cases: Sequence[Arguments], calls: Sequence[Call]
) -> Hint | None:
    """The hint for the calls of a wrong answer, if one explains them all."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        wanted = [reference(*case) if reference else None for case in cases]
        right = [not call.kind and same(call.value, want) for call, want in zip(calls, wanted, strict=True)]
        # Those first in which there is most to see: little is tried on the others.
        order = sorted(range(len(cases)), key=lambda i: (right[i], -_weight(wanted[i])))
        lines = [[line[i] for i in order] for line in (cases, calls, wanted, right)]
        return Puzzle(reference, own, *lines).solve()  # type: ignore[arg-type]


@dataclass(frozen=True)
class Puzzle:
    """The calls of a wrong answer, what is wanted of each, and all that may explain them."""

    reference: Solution | None
    own: Sequence[Guess]
    cases: Sequence[Arguments]
    calls: Sequence[Call]
    wanted: Sequence[Any]
    right: Sequence[bool]

    def solve(self) -> Hint | None:
        """The first that fits. After an error nothing is known of the numbers."""
        if not self.reference or all(call.kind for call in self.calls):
            return None if self.reference else self.known()
        failed = any(call.kind for call in self.calls)
        ways = (self.known, self.common, self.constant, self.read, self.two, self.part, self.formed, self.where)
        return next((hint for way in (ways[::7] if failed else ways) if (hint := way())), None)

    def known(self) -> Hint | None:
        """A mistake of the exercise."""
        return self._first(self.own)

    def common(self) -> Hint | None:
        """What is seen of every call, or what the wrong ones have in common."""
        wrong = [plain(call.value) for call, right in zip(self.calls, self.right, strict=True) if not right]
        if all(value is not None and value.dtype.kind == "f" and not np.isfinite(value).all() for value in wrong):
            return Hint("nan", "There are nan or infinite numbers in it: which step overflows, or divides by 0?")
        lines = zip(self.calls, self.wanted, self.right, strict=True)
        if all(ran_over(call.value, wanted) for call, wanted, right in lines if not right):
            return Hint("nan", OVER)
        return self._seen(self._values, self.wanted, KINDS.keys() - {"place"})

    def constant(self) -> Hint | None:
        """The same for every call."""
        first = self._values[0]
        repeated = len(self.calls) > 2 and plain(first) is not None and all(same(first, one) for one in self._values)
        if repeated and not all(same(self.wanted[0], other) for other in self.wanted):
            return Hint("constant", "Yours is the same for every call: does it look at what it is given?")
        return None

    def read(self) -> Hint | None:
        """An argument that is left out, turned round, or taken for another."""
        return self._first(self.arguments) or self._first(self._changed(confused(self.names, self.cases)))

    def part(self) -> Hint | None:
        """A part of a tuple, or of a value written by hand, that is a known mistake's, or that shows what it is."""
        if self.names and not isinstance(self.wanted[0], tuple):
            return None
        mine = self._parts(self.calls)
        places = range(len(mine[0]))
        if len(places) < 2 or any(len(line) != len(places) for line in mine):
            return None
        wrong = [i for i in places if not all(same(line[i].value, line[i].wanted) for line in mine)]
        found = {i: self._of_part(i, mine) for i in wrong}
        for i in wrong:
            if (hint := found[i]) and (all(found.values()) or _telling(mine[0][i].value)):
                return hint if len(wrong) == 1 else hint.first()
        for i in wrong:
            if hint := self._seen([line[i].value for line in mine], [line[i].wanted for line in mine]):
                return Hint(hint.kind, f"Number {mine[0][i].place} in it. {hint.text}")
        return None

    def two(self) -> Hint | None:
        """Two at once, of which one says which arguments count for the other."""
        depths = {getattr(plain(one), "ndim", None) for one in (self._values[0], self.wanted[0])}
        for one, other in combinations([*self.own, *self.arguments] if len(depths) == 1 else [], 2):
            free = callable(one.slip) and callable(other.slip)  # then their order does not matter
            if any(both and self._fits(both) for both in (one.after(other), None if free else other.after(one))):
                return one.hint.first()
        return None

    def formed(self) -> Hint | None:
        """A mistake, and its numbers in another form."""
        whole = any((array := plain(wanted)) is None or array.dtype.kind in "iub" for wanted in self.wanted)
        forms = FORMS if whole else (*FORMS, "factor", "part")  # whole numbers meet others by chance
        for guess in [*self.own, *self.arguments]:
            if self._seen(self._values, (call.value for call in self._outcomes(guess)), forms):
                numbers = [plain(call.value) for call in self._outcomes(guess)]
                if len({float(x) for array in numbers if array is not None for x in array.flat}) > MET_BY_CHANCE:
                    return guess.hint.first()
        return None

    def where(self) -> Hint | None:
        """What says least: for which places of an array, or for which arguments, it is right."""
        numbers = None if any(call.kind for call in self.calls) else self._seen(self._values, self.wanted, {"place"})
        return numbers or where(self.names, self.cases, self.right)

    @cached_property
    def names(self) -> list[str]:
        """What the arguments are called."""
        return list(signature(self.reference).parameters)[: len(self.cases[0])] if self.reference else []

    @cached_property
    def arguments(self) -> list[Guess]:
        """What comes out if one argument is left out or turned round."""
        return self._changed(misread(self.names, self.cases))

    @property
    def _values(self) -> list[Any]:
        return [call.value for call in self.calls]

    def _changed(self, slips: Iterable[tuple[Hint, Slip]]) -> list[Guess]:
        assert self.reference
        return [Guess.changed(hint, self.reference, slip) for hint, slip in slips]

    def _outcomes(self, guess: Guess) -> Iterator[Call]:
        return (outcome(guess.solution, case) for case in self.cases)

    def _fits(self, solution: Solution) -> bool:
        return all(alike(call, outcome(solution, case)) for case, call in zip(self.cases, self.calls, strict=True))

    def _first(self, guesses: Iterable[Guess]) -> Hint | None:
        return next((guess.hint for guess in guesses if self._fits(guess.solution)), None)

    def _seen(self, values: Sequence[Any], wanted: Iterable[Any], kinds: Container[str] = KINDS) -> Hint | None:
        """What holds of all the calls. Nothing is said of zeros: too much holds of them."""
        if all(number is not None and not number.any() for number in map(plain, values)):
            return None
        left: list[Hint] | None = None
        for value, target, case in zip(values, wanted, self.cases, strict=True):
            told = [
                hint for hint in seen(value, target, dict(zip(self.names, case, strict=True))) if hint.kind in kinds
            ]
            left = told if left is None else [hint for hint in left if hint in told]
            if not left:
                return None
        return left[0] if left else None

    def _parts(self, calls: Iterable[Call]) -> list[list[Part]]:
        rows = not self.names
        return [list(parts(call.value, wanted, rows)) for call, wanted in zip(calls, self.wanted, strict=True)]

    @cached_property
    def _own_parts(self) -> list[tuple[Guess, list[list[Part]]]]:
        every = [(guess, self._parts(self._outcomes(guess))) for guess in self.own]
        return [(guess, theirs) for guess, theirs in every if not _moves(theirs)]

    def _of_part(self, at: int, mine: Sequence[Sequence[Part]]) -> Hint | None:
        """The mistake that has the same there."""
        for guess, theirs in self._own_parts:
            lines = zip(mine, theirs, strict=True)
            if all(len(line) == len(their) and same(line[at].value, their[at].value) for line, their in lines):
                return guess.hint
        return None


def _moves(lines: Sequence[Sequence[Part]]) -> bool:
    """Whether a mistake only gives the right parts in each other's place: then no part of it says anything alone."""
    return all(any(same(part.value, other.wanted) for other in line) for line in lines for part in line)


def _telling(value: Any) -> bool:
    """Whether it is no chance to meet it."""
    array = plain(value)
    return array is None or array.size > 2 or bool((np.abs(array) >= 50).any())


def _weight(wanted: Any) -> float:
    """Small arrays first, then what is large, then numbers: the larger, the more they tell."""
    arrays = [array for part in parts(wanted, wanted) if (array := plain(part.value)) is not None]
    count = sum(array.size for array in arrays)
    return 1e12 / count if count > 5 else sum(float(np.nansum(np.abs(array))) for array in arrays)
