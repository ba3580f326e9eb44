"""Numbers of their own: an exercise as a function of the numbers in its text, for which others can be drawn.

Drawn is what makes as honest a task as the sheet's numbers: every mistake gives a wrong answer, and one of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from inspect import signature
from itertools import combinations
from typing import Any

from numpy.random import Generator

from utils.checks.exercise import Exercise
from utils.checks.hints import alike, outcome

__all__ = ["Numbered", "Numbers", "grid"]

TRIES = 10_000  # a hundred times what any exercise has needed
Choice = Sequence[Any] | Callable[[Generator], Any]


class Numbers:
    """The numbers in a text; exercises that ask about the same text share them.

    ``text`` is how the sheet has it, with {name} for each number, and {name[0]} in a list. The others are the values
    to choose from, or a function that draws one, whole numbers or lists of them. As a decorator it makes an exercise of
    the function that makes one of numbers, which has the sheet's for defaults; ``ValueError`` there refuses numbers.
    """

    def __init__(self, text: str, **choices: Choice) -> None:
        """With the text and, by name, what each number is drawn from."""
        self._text, self._choices = text, choices
        self._makers: list[Callable[..., Exercise]] = []

    def __call__(self, make: Callable[..., Exercise]) -> Numbered:
        """The exercise for the sheet's numbers, from which that for others can be had."""
        made = make()
        self._makers.append(make)
        sheets = {name: argument.default for name, argument in signature(make).parameters.items()}
        return Numbered(**{one.name: getattr(made, one.name) for one in fields(made)}, numbers=self, sheets=sheets,
                        make=make)  # fmt: skip

    def text(self, numbers: Mapping[str, Any]) -> str:
        """The text with these numbers, their minus as a sheet has it, that of a formula as TeX has it."""
        text = self._text.format_map(numbers)
        return re.sub(r"(?s)(\$\$?).*?\1|-(?=\d)", lambda found: found[0] if found[1] else "−", text)

    def draw(self, rng: Generator) -> dict[str, Any]:
        """Other numbers than the sheet's. ``ValueError`` if there seem to be none."""
        for _ in range(TRIES):
            numbers = {
                name: choice(rng) if callable(choice) else choice[int(rng.integers(len(choice)))]
                for name, choice in self._choices.items()
            }
            if all(_honest(make, numbers) for make in self._makers):
                return numbers
        raise ValueError(f"no numbers make an honest task of: {self._text}")


@dataclass(frozen=True, kw_only=True)
class Numbered(Exercise):
    """An exercise that can be had for other numbers than the sheet's."""

    numbers: Numbers
    sheets: Mapping[str, Any]
    make: Callable[..., Exercise]

    def with_numbers(self, **numbers: Any) -> Exercise:
        """The same for other numbers; ``ValueError`` unless they are called as in the exercise, and fit."""
        if unknown := sorted(numbers.keys() - self.sheets.keys()):
            raise ValueError(f"{self.name} has the numbers {', '.join(self.sheets)}, and no {', '.join(unknown)}")
        return self.make(**{**self.sheets, **numbers})


def grid(rows: int, columns: int, least: int, most: int) -> Callable[[Generator], list[list[int]]]:
    """What draws rows of whole numbers, from ``least`` to ``most``."""
    return lambda rng: rng.integers(least, most, (rows, columns), endpoint=True).tolist()


def _honest(make: Callable[..., Exercise], numbers: Mapping[str, Any]) -> bool:
    """Whether the answer is another than the sheet's, and each mistake leads to another one."""
    try:
        made = make(**numbers)
    except ValueError:
        return False
    right, sheets = outcome(made.reference, ()), outcome(make().reference, ())  # type: ignore[arg-type]
    wrong = [outcome(guess.solution, ()) for guess in made.guesses()]
    if right.kind or alike(right, sheets):
        return False
    return not any(alike(one, other) for one, other in combinations([right, *wrong], 2))
