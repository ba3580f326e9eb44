"""Whose answers are the same but for spaces, layout and comments, which is no verdict on anybody."""

from __future__ import annotations

import io
import tokenize
from collections import defaultdict
from collections.abc import Mapping

from utils.checks.calls import BLANK

LONGEST = 1_000  # characters of a line: what no string ends is looked through from each quote on it
LEAST = 80  # letters in all: shorter answers are the same by chance
_LAYOUT = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)


def alike(answers: Mapping[str, Mapping[str, str]], given: Mapping[str, str]) -> list[list[str]]:
    """Groups of students with the same answers, which are by student and cell; ``given`` is what the cells held first.

    Cells that nobody has changed do not count, so that two blank notebooks are no copies of each other.
    """
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    blank = {name: _plain(source) for name, source in given.items()}
    for student, cells in sorted(answers.items()):
        plain = {name: _plain(cells.get(name, "")) for name in given}
        key = tuple("" if plain[name] == blank[name] else plain[name] for name in given)
        if sum(map(len, key)) >= LEAST:
            groups[key].append(student)
    return [students for students in groups.values() if len(students) > 1]


def _plain(source: str) -> str:
    """What an answer says, word by word: of code without comments and layout."""
    if BLANK.strip() in source:
        return ""
    if max(map(len, source.split("\n"))) > LONGEST:
        return " ".join(source.split())
    try:  # no parser, which is not made for what is written to crash it
        tokens = list(tokenize.generate_tokens(io.StringIO(source[:100_000]).readline))
        return " ".join(token.string for token in tokens if token.type not in _LAYOUT)
    except (SyntaxError, tokenize.TokenError, ValueError):
        return " ".join(source.split())
