"""Whose a file is: what learning platforms, zip tools and browsers make of the names of students and notebooks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

# Each is looked for where a name begins, and is as short as can be: what follows was chosen by the student.
_PLATFORMS = [
    # Moodle: a folder, or the beginning of a file's name. The number is the participant's, another one for each sheet.
    r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_(?P<plugin>[a-z]+)_?",
    # Blackboard: the assignment's name comes first, and may hold anything.
    r"(?P<name>.+?)_attempt_(?P<time>\d{4}(?:-\d\d){5})_?",
    # Canvas: a file; the user's number, then the file's. Without names, a word instead of the user's.
    r"(?P<name>.+?)_(?P<late>LATE_)?(?P<number>\d+)_(?P<order>\d{3,})_(?=.)",
    r"(?P<late>LATE_)?(?P<name>anon_[A-Za-z0-9]+)_(?P<order>\d{3,})_(?=.)",
    # ILIAS: a folder; family name, first name, login, number.
    r"(?P<name>.+_.+_(?P<login>[^_]+))_(?P<number>\d+)$",
]
_COPY = r"(?:[-_ ]?\(\d+\)|[-_ ]copy ?\d*|[-_ ]kopie ?\d*|-\d+|~\d*)*"
_NOTEBOOK = re.compile(rf"(?P<stem>.*?){_COPY}(?:\.ipynb(?:\.json|\.txt)?){_COPY}(?:\.ipynb)?", re.IGNORECASE)


@dataclass(frozen=True)
class Named:
    """What a platform's name says of a file: who, and how the name begins; if it is known the number, time, order.

    ``late`` is whether the platform says so. ``order`` sorts the versions that one student handed in.
    """

    who: str
    prefix: str
    number: str = ""
    login: str = ""
    late: bool = False
    time: str = ""
    order: int = 0
    rest: str = ""
    file: bool = True


def stem(name: str) -> str | None:
    """A notebook's name without what browsers and Jupyter add to copies; None where it is no notebook."""
    found = _NOTEBOOK.fullmatch(name)
    return found["stem"] if found else None


def junk(parts: Sequence[str]) -> bool:
    """Whether an operating system or Jupyter has put it there."""
    return parts[-1].casefold() in ("thumbs.db", "desktop.ini") or any(
        part.startswith(".") or part == "__MACOSX" for part in parts
    )


def platform(paths: Sequence[Sequence[str]]) -> tuple[int, str] | None:
    """How deep the platform's names lie in a download, and their pattern; None if it comes from none of these.

    Most of the names have to follow it, and below most of the folders: so one student's names make none.
    """
    for level in range(max(map(len, paths), default=0)):
        parts = {tuple(path[: level + 1]) for path in paths if len(path) > level}
        fits = {pattern: [part for part in parts if re.match(pattern, part[-1])] for pattern in _PLATFORMS}
        best = max(_PLATFORMS, key=lambda pattern: len(fits[pattern]))
        above = {part[:-1] for part in parts}
        if 2 * len(fits[best]) > len(parts) and 2 * len({part[:-1] for part in fits[best]}) > len(above):
            return level, best
    return None


def named(part: str, pattern: str) -> Named | None:
    """What a platform's name says, of a folder or a file; None where it is none of that platform's."""
    if not (found := re.match(pattern, part)):
        return None
    said: dict[str, Any] = {"plugin": "file", "number": "", "login": "", "late": "", "time": "", "order": ""}
    said |= {key: value for key, value in found.groupdict().items() if value}
    order = said["order"] or said["time"].replace("-", "")
    return Named(
        who=said["name"],
        prefix=found[0],
        number=said["number"],
        login=said["login"] or (said["name"].rpartition("_")[2] if said["time"] else ""),
        late=bool(said["late"]),
        time=said["time"],
        order=int(order or 0),
        rest=part[found.end() :],
        file=said["plugin"] == "file",
    )


def students_level(paths: Sequence[Sequence[str]]) -> int:
    """How deep the students' names lie in a download of no platform: below the folders that hold everything."""
    level = 0
    while len({path[level] for path in paths if len(path) > level + 1}) == 1 and all(
        len(path) > level + 1 for path in paths
    ):
        if len({path[level + 1] for path in paths}) == 1:
            break
        level += 1
    return level


def readings(name: str, utf8: bool) -> list[str]:
    """What a name in a zip file may be, the likeliest first: old zip tools do not say how they wrote it.

    ``name`` is what ``zipfile`` made of it, which without the flag for UTF-8 means code page 437.
    """
    if utf8:
        return [name]
    try:
        raw = name.encode("cp437")
    except UnicodeEncodeError:
        return [name]
    return decoded(raw)


def decoded(raw: bytes) -> list[str]:
    """What the bytes of a name may be: UTF-8 if they can be, or else what old Windows tools write."""
    try:
        return [raw.decode("utf-8")]
    except UnicodeDecodeError:
        found = [raw.decode(encoding, errors="replace") for encoding in ("cp1252", "cp850", "cp437")]
        return sorted(found, key=lambda text: sum(not _common(letter) for letter in text))


def _common(letter: str) -> bool:
    return letter.isascii() or unicodedata.category(letter) in ("Ll", "Lu")


def person(said: Named, known: Callable[[str], set[str]]) -> set[str]:
    """Which of those who are ``known`` a platform's name means: by the number it has of them, a login, or the name."""
    if said.time:  # Blackboard's assignment and login, between which nothing tells where one ends
        words = said.who.split("_")
        ends = ["_".join(words[start:]) for start in range(1, len(words))]
        return next((found for end in ends if (found := known(end))), set())
    for text in (said.login, said.number if said.order else "", said.who):
        if text and (found := known(text)):
            return found
    return set()
