"""Tables in CSV, as Excel reads and writes them: no cell of ours is a formula, and none of theirs is misread."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

# What a spreadsheet computes, or takes for another cell: = + - @, also as Chinese and Japanese keyboards write them.
# A sign alone is none; Moodle's tables are full of -, and want it back.
_FORMULA = re.compile(r"'*(\s*[=+\-@＝＋－＠](?s:.)|[\t\r\n])")
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)*%?")


def guarded(cell: Any) -> Any:
    """The cell so that no spreadsheet computes it: text that begins like a formula gets an apostrophe before it."""
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def unguarded(cell: str) -> str:
    """What ``guarded`` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def write(path: Path, rows: Iterable[Sequence[Any]]) -> None:
    """Write a table, guarded, at once or not at all; in UTF-8 with the mark by which Excel knows it, or in ASCII."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO(newline="")
    csv.writer(text).writerows([guarded(cell) for cell in row] for row in rows)
    part = path.with_name(f"{path.name}.part")
    made = text.getvalue()
    part.write_bytes((b"" if made.isascii() else b"\xef\xbb\xbf") + made.encode(errors="replace"))
    part.replace(path)


def read(path: Path) -> list[list[str]]:
    """The rows of a table with commas, semicolons or tabs between its cells. ``ValueError`` where there is none."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"a table is needed, and {path} cannot be read: {error.strerror}") from None
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"a table is to be in UTF-8, and {path} is not: save it as “CSV UTF-8”") from None
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise ValueError(f"a table is to be CSV, and {path} is not: {error}") from None
    return [[unguarded(cell) for cell in row] for row in rows if any(cell.strip() for cell in row)]
