"""Who is in the class: ``students.csv``, with real names, and the ids by which the platforms know everybody."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from instructor import spreadsheet

FILE = "students.csv"
IDS = ("canvas_id", "sis_id", "login", "email")  # what a platform may call a student by, beside the name


@dataclass(frozen=True)
class Person:
    """A line of the roster: the name of the folder, the name on pages, and what else the file says."""

    student: str
    name: str
    others: dict[str, str] = field(default_factory=dict)


class Roster(dict[str, Person]):
    """Everybody in the class by their ``student``, in the order of the file."""

    @classmethod
    def of(cls, folder: Path) -> Roster | None:
        """The roster of a course; None if it has none. ``ValueError`` for one that cannot be used."""
        path = folder / FILE
        return cls.read(path) if path.exists() else None

    @classmethod
    def read(cls, path: Path) -> Roster:
        """The roster in a file. ``ValueError`` for a missing column, a doubled or an unsafe name."""
        rows = spreadsheet.read(path)
        head = [cell.strip().casefold() for cell in rows[0]] if rows else []
        for column in ("student", "name"):
            if column not in head:
                raise ValueError(f"{path}: a column {column} is needed, there are {', '.join(head) or 'none'}")
        if doubled := [column for column in head if column and head.count(column) > 1]:
            raise ValueError(f"{path}: the column {doubled[0]} is there twice")
        made = cls()
        for number, row in enumerate(rows[1:], 2):
            line = {column: cell.strip() for column, cell in zip(head, row, strict=False) if column}
            student, name = line.pop("student", ""), line.pop("name", "")
            if why := unsafe(student):
                raise ValueError(f"{path}, line {number}: a student becomes a folder's name, and {student!r} {why}")
            made.add(Person(nfc(student), name or student, line), f"{path}, line {number}")
        return made

    def add(self, person: Person, place: str) -> None:
        """Put somebody into it. ``ValueError`` if the student is there already, or would have the same folder."""
        for other in self:
            if other.casefold() == person.student.casefold():
                raise ValueError(f"{place}: the student {person.student!r} is there already, as {other!r}")
        self[person.student] = person

    def write(self, path: Path) -> None:
        """Write it as a table."""
        columns = list(dict.fromkeys(column for person in self.values() for column in person.others))
        rows = [[person.student, person.name, *(person.others.get(c, "") for c in columns)] for person in self.values()]
        spreadsheet.write(path, [["student", "name", *columns], *rows])

    def called(self, text: str) -> set[str]:
        """The students whom a platform calls by ``text``: an id of theirs, or else their name in any writing."""
        by_id, by_name = self._calls
        return by_id.get(key(text), set()) or by_name.get(key(text), set())

    @property
    def _calls(self) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
        if not hasattr(self, "_index"):
            by_id: dict[str, set[str]] = defaultdict(set)
            by_name: dict[str, set[str]] = defaultdict(set)
            for person in self.values():
                for text in (person.student, *(person.others.get(column, "") for column in IDS)):
                    by_id[key(text)].add(person.student)
                for text in writings(person.name):
                    by_name[text].add(person.student)
            by_id.pop("", None)
            by_name.pop("", None)
            self._index = dict(by_id), dict(by_name)
        return self._index


def key(text: str) -> str:
    """What stays of a name when platforms and zip tools have had it: its letters and digits, however written."""
    folded = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in unicodedata.normalize("NFC", folded) if letter.isalnum())


def writings(name: str) -> Iterable[str]:
    """The keys of a name with its family name last, or first, or with any other of its words first."""
    words = re.split(r"[\s,]+", name.strip(" ,"))
    return {key("".join(words[start:] + words[:start])) for start in range(len(words))}


def nfc(text: str) -> str:
    """A name as Linux and Windows write it; a Mac takes its accents apart."""
    return unicodedata.normalize("NFC", text)


def unsafe(student: str) -> str:
    """Why this cannot be the name of a folder and stand in nbgrader's gradebook; empty if it can."""
    if not student.strip():
        return "is empty"
    if student != student.strip() or student.startswith("."):
        return "begins or ends in a space, or begins with a dot"
    if any(letter in '/\\:*?"<>|' or not letter.isprintable() for letter in student):
        return 'has one of / \\ : * ? " < > | or a letter that cannot be printed'
    return "is longer than 200 bytes" if len(student.encode(errors="replace")) > 200 else ""
