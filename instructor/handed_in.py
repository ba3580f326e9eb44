"""What students hand in: files read without following links, and notebooks put back in order, cell by cell."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import nbformat
import nbformat.reader
from nbgrader.preprocessors import DeduplicateIds
from nbgrader.utils import is_grade, is_locked, is_solution

from instructor.exercise_sheet import grade_id

LARGEST = 2**25  # bytes of a submission's file


def read(path: Path, largest: int = LARGEST) -> bytes:
    """The file that was handed in; nothing for a link, which may lead anywhere, or one too large or not to be read."""
    try:
        if path.resolve() != path.absolute() or not path.is_file() or path.stat().st_size > largest:
            return b""
        return path.read_bytes()
    except OSError:
        return b""


def restored(content: bytes, release: Any) -> Any:
    """What the student wrote, with the release's locked cells as they were and the missing ones put back.

    Only source is kept of a submission: no outputs, no metadata. For a broken file anything may be raised.
    """
    submission = nbformat.convert(nbformat.reader.reads(content.decode("utf-8-sig")), 4)
    for cell in submission.cells:
        cell.metadata = cell.get("metadata") or nbformat.from_dict({})
        cell.metadata.nbgrader = cell.metadata.get("nbgrader") or nbformat.from_dict({})
        if re.search(r"### (BEGIN|END) (SOLUTION|HIDDEN TESTS)", cell.source):
            raise ValueError("The notebook is not the one that was given out, but the sheet's source.")
    DeduplicateIds().preprocess(submission, {})
    given = {key: cell for cell in release.cells if (key := grade_id(cell))}
    cells: dict[str, Any] = {}
    for place, cell in enumerate(submission.cells):
        original = given.get(grade_id(cell))
        if original is None:
            cells[f"own {place}"] = _bare(cell.cell_type, str(cell.source))
        else:
            source = original.source if is_locked(original) else str(cell.source)
            cells[grade_id(cell)] = _bare(original.cell_type, source, original.metadata.nbgrader)
    order = list(cells)
    at = 0
    for key, original in given.items():
        if key not in cells:
            source = "" if is_solution(original) else original.source
            cells[key] = _bare(original.cell_type, source, original.metadata.nbgrader)
            order.insert(at, key)
        at = order.index(key) + 1
    return nbformat.from_dict({**release, "cells": [{**cells[key], "id": f"cell-{i}"} for i, key in enumerate(order)]})


def written(notebook: Any) -> dict[str, str]:
    """What is written in each cell that has nbgrader's id, of a notebook or of the JSON of one."""
    sources = {}
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        key = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        sources[key] = html.unescape(source) if cell["cell_type"] == "markdown" else source
    return sources


def code_cells(notebook: Any) -> list[str]:
    """The code that a restored submission runs: all but the checks, which are the grader's to make."""
    return [
        cell.source for cell in notebook.cells if cell.cell_type == "code" and (is_solution(cell) or not is_grade(cell))
    ]


def _bare(kind: str, source: str, nbgrader: Any = None) -> dict[str, Any]:
    source = source.encode(errors="replace").decode()  # half a character cannot be written to a file
    metadata = {"nbgrader": nbgrader} if nbgrader else {}
    if kind != "code":
        return {"cell_type": "markdown", "source": source, "metadata": metadata}
    return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": [], "execution_count": None}
