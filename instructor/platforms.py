"""The tables that Canvas and Moodle export and take back: a roster made of one, and marks filled into one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from instructor import spreadsheet
from instructor.lateness import Late
from instructor.roster import Person, Roster, key, nfc, unsafe

# What each kind of table calls a student by, and what the roster calls that.
_COLUMNS = {
    "id": "canvas_id",
    "sis user id": "sis_id",
    "sis login id": "login",
    "section": "section",
    "email address": "email",
    "id number": "sis_id",
    "username": "login",
}
_NAMES = (
    ("student",),
    ("full name",),
    ("first name", "last name"),
    ("first name", "surname"),
    ("firstname", "lastname"),
)
_TEST_STUDENT = "Student, Test"  # whom Canvas adds to a course that was looked at as a student


class Filled(NamedTuple):
    """A platform's table with marks in it: in how many lines, whom it has no line for, to how many points scaled."""

    rows: list[list[str]]
    done: int
    without: list[str]
    scaled: float | None


@dataclass(frozen=True)
class Export:
    """A table as a platform wrote it: Canvas's gradebook, Moodle's grading worksheet or list of participants."""

    path: Path
    head: list[str]
    rows: list[list[str]]

    @classmethod
    def read(cls, path: Path) -> Export:
        """The table in a file. ``ValueError`` where it is none of these."""
        rows = spreadsheet.read(path)
        made = cls(path, rows[0] if rows else [], [])
        if not made._name_columns:
            raise ValueError(
                f"{path} is to be Canvas's gradebook export, with columns Student and ID, or Moodle's grading "
                f"worksheet, with Identifier and Full name, in English; it has {', '.join(made.head) or 'no columns'}"
            )
        width = len(made.head)
        return cls(path, made.head, [row[:width] + [""] * (width - len(row)) for row in rows[1:]])

    @property
    def is_canvas(self) -> bool:
        """Whether it is Canvas's."""
        return self._columns[:1] == ["student"] or self._columns[:2] == ["lastname", "firstname"]

    def people(self) -> list[dict[str, str]]:
        """Everybody in it: ``name``, ``number`` as it stands in the names of files, and the ids that the roster has."""
        found = []
        for row in self.rows:
            line = dict(zip(self._columns, row, strict=True))
            name = " ".join(line[column].strip() for column in self._name_columns).strip()
            if name.startswith('="'):  # so Canvas writes a name that would be a formula
                name = name[2:].rstrip('"')
            ids = {ours: line[theirs].strip() for theirs, ours in _COLUMNS.items() if line.get(theirs, "").strip()}
            number = re.search(r"\d+$", line.get("identifier", ids.get("canvas_id", "")))
            if name and name != _TEST_STUDENT and not (self.is_canvas and not ids):
                found.append({"name": nfc(name), "number": number[0] if number else "", **ids})
        return found

    def roster(self, before: Roster) -> tuple[Roster, list[str]]:
        """Everybody in it as a roster, with who was in the one ``before``, and of these the ones who are not in it now.

        Who was in it keeps the folder. ``ValueError`` where nothing tells everybody apart.
        """
        people = self.people()
        made = Roster()
        for old in before.values():
            made.add(old, str(self.path))
        choices = [
            [person.get(column, "") for person in people] for column in ("login", "email", "sis_id", "canvas_id")
        ]
        choices.append([person["name"] for person in people])
        fit = [
            names
            for names in choices
            if len({key(name) for name in names}) == len(names) and not any(map(unsafe, names))
        ]
        if people and not fit:
            raise ValueError(
                f"{self.path} tells two people apart by nothing: it needs a column of emails or ID numbers"
            )
        gone = set(before)
        for student, person in zip(fit[0] if fit else (), people, strict=True):
            others = {column: text for column, text in person.items() if column not in ("name", "number")}
            known = [old for old in made.values() if _same(old, others, person["name"])]
            if known:
                gone.discard(known[0].student)
                made[known[0].student] = Person(known[0].student, person["name"], {**known[0].others, **others})
            else:
                made.add(Person(nfc(student), person["name"], others), str(self.path))
        return made, sorted(gone)

    def students(self, roster: Roster | None, numbers: Mapping[str, str]) -> list[str | None]:
        """Whose each line is: by the ``numbers`` in the names of what was collected, or else by the roster."""
        called = roster.called if roster is not None else lambda text: {text} & set(numbers.values())
        found: list[str | None] = []
        for row, number in zip(self.rows, self.numbers(), strict=True):
            line = dict(zip(self._columns, row, strict=True))
            texts = [line.get(column, "") for column in (*_COLUMNS, "student")]
            texts.append(" ".join(line[column].strip() for column in self._name_columns))
            student = numbers.get(number)
            for text in texts:
                if student is None and text.strip() and len(those := called(text)) == 1:
                    (student,) = those
            found.append(student)
        return found

    def filled(
        self, titles: Sequence[str], of: float, marks: Mapping[str, float | None], students: Sequence[str | None]
    ) -> Filled:
        """The table with ``marks`` by student in the column for the sheet, as the platform takes it back.

        ``titles`` are what Canvas may call the sheet, which has ``of`` points. Where there is no mark, what stood there
        stays. ``ValueError`` without such a column.
        """
        place, most = self._grades(titles)
        # Other columns of Canvas's would go back as they were when the table was exported.
        keep = range(len(self.head)) if not self.is_canvas else [*range(self._columns.index("section") + 1), place]
        count, scales, known = 0, set(), set()
        rows = [[self.head[column] for column in keep]]
        for row, student in zip(self.rows, students, strict=True):
            mark = marks.get(student) if student else None
            line = list(row)
            if student and student in marks:
                known.add(student)
            if student and mark is not None:
                top = most if self.is_canvas else _value(line[self._columns.index("maximum grade")])
                scale = top / of if top and of else 1
                scales.add(scale)
                line[place] = f"{round(mark * scale, 2):g}"
                count += 1
            rows.append([line[column] for column in keep])
        scaled = next((scale * of for scale in scales if abs(scale - 1) > 1e-9), None)
        return Filled(rows, count, sorted(set(marks) - known), scaled)

    def numbers(self) -> list[str]:
        """The number of each line, as it stands in the names of files; empty where there is none."""
        lines = [dict(zip(self._columns, row, strict=True)) for row in self.rows]
        found = [re.search(r"\d+$", line.get("identifier", line.get("id", ""))) for line in lines]
        return [number[0] if number else "" for number in found]

    def late(self) -> dict[str, Late]:
        """How late everybody was, by number, as Moodle's *Status* says; empty without that column."""
        if "status" not in self._columns:
            return {}
        lines = [dict(zip(self._columns, row, strict=True)) for row in self.rows]
        late = [Late.said(line.get("status", "")) for line in lines]
        return {number: one for number, one in zip(self.numbers(), late, strict=True) if number}

    @property
    def _columns(self) -> list[str]:
        return [cell.strip().casefold() for cell in self.head]

    @property
    def _name_columns(self) -> tuple[str, ...]:
        return next((names for names in _NAMES if set(names) <= set(self._columns)), ())

    def _grades(self, titles: Sequence[str]) -> tuple[int, float | None]:
        """Which column takes the marks, and in Canvas the most that it has."""
        if not self.is_canvas:
            if not {"identifier", "grade", "maximum grade"} <= set(self._columns):
                raise ValueError(f"{self.path} is no grading worksheet: download it again, from the assignment itself")
            return self._columns.index("grade"), None
        if "section" not in self._columns:
            raise ValueError(f"{self.path} has no column Section, without which Canvas does not take it back")
        own = [(place, re.sub(r"\s*\(\d+\)$", "", title)) for place, title in enumerate(self.head)]
        for title in titles:
            if (
                len(
                    fits := [place for place, name in own if title and key(title) in (key(name), key(self.head[place]))]
                )
                == 1
            ):
                tops = [row[fits[0]] for row in self.rows if "Points Possible" in row[0]]
                return fits[0], _value(tops[0]) if tops else None
        called = " or ".join(dict.fromkeys(filter(None, titles)))
        there = [title for title in self.head[self._columns.index("section") + 1 :] if re.search(r"\(\d+\)$", title)]
        raise ValueError(
            f"{self.path} has no column called {called}; it has {', '.join(there) or 'none for an assignment'}. "
            "Say in course.toml, with column = …, which it is"
        )


def _same(old: Person, ids: Mapping[str, str], name: str) -> bool:
    common = [column for column in ids if old.others.get(column) and column != "section"]
    return any(key(old.others[column]) == key(ids[column]) for column in common) if common else old.name == name


def _value(text: str) -> float | None:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return None
