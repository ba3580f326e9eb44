"""What a lecturer may set for a course: one file, ``course.toml``, in which every setting is explained."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from instructor.submission import Limits

FILE = "course.toml"
TEMPLATE = """\
# The settings of this course. Without the # before it a line is in force, from the next `make grade` on.

# What is taken off for each day begun after a sheet's `due`, in percent of what the submission has got.
#late_percent_a_day = 10

# Numbers of their own for each student in the roster, where a sheet has numbers that can be drawn.
#own_numbers = true

# Then a part for each sheet that is to differ, by the name of its notebook.
#[sheets.02_sizes]
# The deadline, with the offset of your time zone from UTC.
#due = 2026-10-19T23:59:00+02:00
# How much it counts in grades/all.csv; 1 if nothing is said, 0 for not at all.
#weight = 2
# The column that Canvas has for it, if that is not called like the sheet.
#column = "Exercise 2"
# What a submission may use: seconds for a cell, seconds in all, megabytes of memory.
#cell_seconds = 30
#seconds = 300
#megabytes = 2048
"""


@dataclass(frozen=True)
class SheetSettings:
    """What is set for one sheet."""

    due: datetime | None = None
    weight: float = 1
    column: str = ""
    cell_seconds: float = Limits.cell
    seconds: float = Limits.total
    megabytes: float = Limits.memory / 2**20

    @property
    def limits(self) -> Limits:
        """What a submission may use."""
        return replace(Limits(), cell=self.cell_seconds, total=self.seconds, memory=int(self.megabytes * 2**20))


@dataclass(frozen=True)
class Settings:
    """What is set for a course, and by a sheet's name for its sheets."""

    late_percent_a_day: float = 0
    own_numbers: bool = False
    sheets: dict[str, SheetSettings] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path) -> Settings:
        """The settings in a course folder. ``ValueError`` for what is no setting, or no value for it."""
        path = folder / FILE
        try:
            made = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError) as error:
            raise ValueError(f"{path} is to be TOML in UTF-8: {error}") from None
        sheets = made.pop("sheets", {})
        if not isinstance(sheets, dict) or not all(isinstance(sheet, dict) for sheet in sheets.values()):
            raise ValueError(f"{path}: the settings of a sheet stand below its name, [sheets.02_sizes]")
        _check(path, "", made, _COURSE)
        for name, sheet in sheets.items():
            _check(path, f"sheets.{name}.", sheet, _SHEET)
        return cls(**made, sheets={name: SheetSettings(**sheet) for name, sheet in sheets.items()})

    def sheet(self, name: str) -> SheetSettings:
        """What is set for the sheet of this name."""
        return self.sheets.get(name, SheetSettings())


def _number(least: float, most: float) -> tuple[str, Callable[[Any], bool]]:
    return (
        f"a number from {least:g} to {most:g}",
        lambda value: type(value) in (int, float) and least <= value <= most,
    )


_YES_OR_NO = ("true or false", lambda value: type(value) is bool)
_COURSE: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "late_percent_a_day": _number(0, 100),
    "own_numbers": _YES_OR_NO,
}
_SHEET: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "due": (
        "a date and a time with an offset from UTC, such as 2026-10-19T23:59:00+02:00",
        lambda value: isinstance(value, datetime) and value.tzinfo is not None,
    ),
    "weight": _number(0, 1000),
    "column": ("text", lambda value: isinstance(value, str)),
    "cell_seconds": _number(1, 86_400),
    "seconds": _number(1, 86_400),
    "megabytes": _number(64, 1_000_000),
}


def _check(path: Path, place: str, made: dict[str, Any], rules: dict[str, tuple[str, Callable[[Any], bool]]]) -> None:
    for key, value in made.items():
        if key not in rules:
            raise ValueError(f"{path}: {place}{key} is no setting; there are {', '.join(rules)}")
        rule, holds = rules[key]
        if not holds(value):
            raise ValueError(f"{path}: {place}{key} is to be {rule}, and not {value!r}")
