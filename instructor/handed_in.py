"""What students hand in: files read without following links, JSON bounded before it is parsed, cells put in order.

Of a submission only this is kept: source, and beside an answer that a person marks the pictures and the text under it.
What a person sees of it is code, a picture, or Markdown's literal text: never markup, a link or a request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from nbgrader.utils import is_grade, is_locked, is_solution

from instructor.exercise_sheet import MARKS, grade_id
from instructor.pictures import Picture, pictures_in

LARGEST = 2**25  # bytes of a submission's file
MOST_PARTS = 500_000  # lists and objects in it
MOST_COMMAS = 2_000_000
MOST_CELLS = 2_000
MOST_PRINTED = 20_000  # characters under an answer
MOST_CODE, LONGEST_LINE = 200_000, 1_000  # characters of code that a person sees: colouring it takes long


class Unreadable(ValueError):
    """Raised, with a sentence for student and instructor, where no notebook can be had from what was handed in."""


@dataclass(frozen=True)
class HandedIn:
    """A submission put in order: the code to run, what is written in each cell with an id, and what a person may see.

    ``blank`` are the cells for a person's eyes that nobody has written into, ``outside`` those that are empty while
    something stands beside them.
    """

    sources: dict[str, str]
    answers: dict[str, str]
    blank: frozenset[str]
    outside: frozenset[str]
    notebook: Any


@dataclass(frozen=True)
class _Cell:
    """What is kept of a cell of the student's."""

    kind: str
    source: str
    key: str
    pictures: list[Picture]
    printed: str


def read(path: Path, largest: int) -> bytes:
    """A small file that was handed in; nothing for a link, which may lead anywhere, or one that cannot be read."""
    try:
        if path.resolve() != path.absolute() or not path.is_file() or path.stat().st_size > largest:
            return b""
        return path.read_bytes()
    except OSError:
        return b""


def read_notebook(path: Path) -> bytes:
    """The notebook that was handed in. ``Unreadable`` where there is none, or no telling which."""
    try:
        if path.resolve() != path.absolute():
            raise Unreadable("The notebook is a link, and links are not followed.")
        if not path.exists():
            names = sorted(one.name for one in path.parent.iterdir() if not one.name.startswith("."))
            shown = ", ".join(name.encode(errors="replace").decode()[:60] for name in names[:4])
            raise Unreadable(
                f"There is no telling which file is the notebook: {shown}." if names else "Nothing was handed in."
            )
        if not path.is_file():
            raise Unreadable("The notebook is no file.")
        if path.stat().st_size > LARGEST:
            raise Unreadable(f"The notebook is larger than {LARGEST >> 20} MB: its outputs can be cleared.")
        return path.read_bytes()
    except OSError as error:
        raise Unreadable(f"The notebook cannot be read: {error.strerror}.") from error


def put_in_order(content: bytes, release: Any) -> HandedIn:
    """What the student wrote, with the release's locked cells as they were and the missing ones put back.

    As in nbgrader, of two cells with one id the later counts. ``Unreadable`` where there are no cells to be had.
    """
    cells = _cells(content)
    if any(MARKS.search(cell.source) for cell in cells):
        raise Unreadable("The notebook is not the one that was given out, but the sheet's source.")
    given = {key: cell for cell in release.cells if (key := grade_id(cell))}
    last = {cell.key: place for place, cell in enumerate(cells) if cell.key in given}
    placed: dict[str, _Cell] = {}
    for place, cell in enumerate(cells):
        placed[cell.key if last.get(cell.key) == place else f"own {place}"] = cell
    order = list(placed)
    at = 0
    for key in given:
        if key not in placed:
            order.insert(at, key)
        at = order.index(key) + 1

    texts = {str(cell.source).strip() for cell in release.cells}
    made, sources, answers = [], {}, {}
    for key in order:
        original, theirs = given.get(key), placed.get(key)
        if original is None:
            kind, source = placed[key].kind, placed[key].source
        else:
            kind = original.cell_type
            left = theirs.source if theirs else "" if is_solution(original) else original.source
            source = answers[key] = original.source if is_locked(original) else left
        if kind == "code" and (original is None or is_solution(original) or not is_grade(original)):
            sources[key] = source
        by_hand = original is not None and is_grade(original) and is_solution(original)
        made += _seen(kind, source, original, theirs, by_hand, known=source.strip() in texts)
    by_hand_cells = {key: cell for key, cell in given.items() if is_grade(cell) and is_solution(cell)}
    unwritten = {key for key, cell in by_hand_cells.items() if answers[key].strip() in ("", cell.source.strip())}
    outside = {key for key in unwritten if _beside(key, given[key].cell_type, order, placed, given, texts)}
    _shorten(made)
    notebook = {**release, "cells": [{**cell, "id": f"cell-{place}"} for place, cell in enumerate(made)]}
    return HandedIn(sources, answers, frozenset(unwritten - outside), frozenset(outside), nbformat.from_dict(notebook))


def code_cells(notebook: Any) -> dict[str, str]:
    """The code of a sheet by the id of its cell, or its place: all but the checks, which are the grader's to make."""
    return {
        grade_id(cell) or f"own {place}": cell.source
        for place, cell in enumerate(notebook.cells)
        if cell.cell_type == "code" and (is_solution(cell) or not is_grade(cell))
    }


def _cells(content: bytes) -> list[_Cell]:
    """The cells of a notebook, from JSON that nobody has looked at yet."""
    parts = content.count(b"[") + content.count(b"{")
    if parts > MOST_PARTS or content.count(b",") > MOST_COMMAS:
        raise Unreadable("The notebook holds too many numbers and lists: its outputs can be cleared.")
    try:
        made = json.loads(content)  # in UTF-8, -16 or -32, as its first bytes say
        cells = made["cells"] if "cells" in made else [cell for sheet in made["worksheets"] for cell in sheet["cells"]]
        found = [_cell(cell) for cell in cells[: MOST_CELLS + 1] if isinstance(cell, dict)]
    except UnicodeDecodeError:
        raise Unreadable("The notebook is not written in UTF-8.") from None
    except json.JSONDecodeError as error:
        why = "there is a merge conflict in it" if b"\n<<<<<<<" in content else f"line {error.lineno} is no JSON"
        raise Unreadable(f"The notebook is broken or not whole: {why}.") from None
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        raise Unreadable("The file is no notebook: no list of cells can be had from it.") from None
    if len(found) > MOST_CELLS:
        raise Unreadable(f"The notebook has more than {MOST_CELLS} cells.")
    return found


def _cell(made: Mapping[str, Any]) -> _Cell:
    metadata = made.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    key = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else ""
    kind = "code" if made.get("cell_type") == "code" else "markdown"
    outputs = [output for output in _list(made.get("outputs")) if isinstance(output, dict)]
    bundles = [output.get("data") for output in outputs]
    attachments = made.get("attachments")
    printed = "\n".join(
        _text(output.get("text")) or _text((output.get("data") or {}).get("text/plain"))
        for output in outputs
        if isinstance(output.get("data") or {}, dict)
    )
    return _Cell(
        kind,
        _text(made.get("source", made.get("input"))),
        key if isinstance(key, str) else "",
        pictures_in([*bundles, *(attachments.values() if isinstance(attachments, dict) else ())]),
        printed[:MOST_PRINTED].strip("\n"),
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    """Text, which a notebook may have in lines; half a character cannot be written to a file."""
    text = "".join(line for line in value if isinstance(line, str)) if isinstance(value, list) else value
    return text.encode(errors="replace").decode() if isinstance(text, str) else ""


def _seen(kind: str, source: str, original: Any, cell: _Cell | None, by_hand: bool, known: bool) -> list[Any]:
    """The cells in which a person sees one cell of the student's."""
    metadata = {"nbgrader": original.metadata.nbgrader} if original is not None else {}
    pictures = cell.pictures if cell and (by_hand or kind == "markdown") else []
    if kind == "code":
        outputs = [new_output("display_data", data={picture.kind: picture.data}) for picture in pictures]
        made = [new_code_cell(source, metadata=metadata, outputs=outputs)]
        if by_hand and cell and cell.printed:
            made.append(new_markdown_cell(f"Printed in the notebook that was handed in:\n\n{literal(cell.printed)}"))
        return made
    instructors = known or (original is not None and is_locked(original))
    text = source if instructors else literal(source)
    names = [f"{number}.{picture.kind.removeprefix('image/')}" for number, picture in enumerate(pictures, 1)]
    text += "".join(f"\n\n![Picture {name}](attachment:{name})" for name in names)
    attached = {name: {picture.kind: picture.data} for name, picture in zip(names, pictures, strict=True)}
    return [new_markdown_cell(text, metadata=metadata, **({"attachments": attached} if attached else {}))]


def _shorten(cells: list[Any]) -> None:
    """Cut what nobody reads: lines without end, and code beyond what a sheet can ask for."""
    left = MOST_CODE
    for cell in cells:
        if cell.cell_type == "code":
            cell.source = "\n".join(line[:LONGEST_LINE] for line in cell.source[:left].split("\n"))
            left -= len(cell.source)


def literal(text: str) -> str:
    """Markdown that shows a text as it is: a block between fences that are longer than any in it."""
    if not text.strip():
        return ""
    fence = "~" * max(3, 1 + max(map(len, re.findall("~+", text)), default=0))
    return f"{fence}\n{text}\n{fence}"


def _beside(
    key: str, kind: str, order: list[str], placed: dict[str, _Cell], given: dict[str, Any], texts: set[str]
) -> bool:
    """Whether something is written where an empty answer's reader should look: below it, or in a text of one's own."""
    own = {one: cell for one, cell in placed.items() if one not in given and cell.source.strip() not in {"", *texts}}
    below = []
    for one in order[order.index(key) + 1 :]:
        if one in given:
            break
        below.append(one)
    return any(one in below or cell.kind == "markdown" or (key not in placed and cell.kind == kind)
               for one, cell in own.items())  # fmt: skip
