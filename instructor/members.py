"""The class: a line for everybody in the roster, and for whoever handed in without being in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from instructor.gradebook import Row
from instructor.marking import Marks
from instructor.roster import Person, Roster

MOST = 5  # notes on one student that a page shows


@dataclass(frozen=True)
class Member:
    """Somebody in the class: the row and the marks are None for who handed in nothing, or is not marked yet."""

    person: Person
    listed: bool
    row: Row | None
    marks: Marks | None
    waiting: bool = False

    @property
    def handed_in(self) -> str:
        """Whether and when, in words."""
        if self.row is None:
            return "not marked" if self.waiting else "no"
        return str(self.row.late) if self.row.late else "yes"

    def notes(self, titles: Mapping[str, str]) -> list[str]:
        """What there is to look at, each thing once."""
        said = [] if self.marks is None else [*self.marks.notes, *self.marks.private]
        if self.row:
            said += [
                f"The mark by hand for {titles[cell]} was given to an earlier answer." for cell in self.row.outdated
            ]
            said += [
                f"The mark by hand for {titles[cell]} is below the automatic one."
                for cell in self.row.overruled
                if cell not in self.row.outdated
            ]
        counted = list(Counter(said).items())
        shown = [note if count == 1 else f"{note} ({count} times)" for note, count in counted[:MOST]]
        return [*shown, *([f"And {len(counted) - MOST} more."] if len(counted) > MOST else [])]


def members(
    roster: Roster | None, rows: Iterable[Row], marks: Mapping[str, Marks], waiting: Iterable[str] = ()
) -> list[Member]:
    """Everybody: in the order of the roster, then who is not in it. ``waiting`` handed in and could not be marked."""
    by_student = {row.student: row for row in rows}
    waiting = set(waiting)
    people = list((roster or {}).values())
    others = sorted({*by_student, *waiting} - {person.student for person in people})
    people += [Person(student, student) for student in others]
    return [
        Member(
            person,
            roster is None or person.student in roster,
            by_student.get(person.student),
            marks.get(person.student),
            person.student in waiting,
        )
        for person in people
    ]
