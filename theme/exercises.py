"""Exercise notebooks as pages and as the learner's copy: what is to be written, and below it a solution, folded.

The notebooks are nbgrader's source format. Its ``ClearSolutions`` makes the same copies for a class.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from sphinx.application import Sphinx

from theme.colab import colab_copy
from utils.checks.calls import BLANK

EXERCISES = Path(__file__).parent.parent / "exercises"
_SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION\n.*?^ *### END SOLUTION$", re.MULTILINE | re.DOTALL)
_MARKERS = re.compile(r"^ *### (BEGIN|END) SOLUTION\n?", re.MULTILINE)


def stubbed(source: str) -> str:
    """A solution cell's source with a stub in place of every solution."""
    return _SOLUTION.sub(lambda found: "\n".join(found[1] + line for line in BLANK.splitlines()), source)


def learners_copy(notebook: Any) -> Any:
    """The notebook as a learner gets it: stubs for solutions, no outputs."""
    copy = nbformat.from_dict(notebook)
    for cell in copy.cells:
        if cell.cell_type == "code":
            cell.source, cell.outputs, cell.execution_count = stubbed(cell.source), [], None
    return copy


def _page_cells(cells: list[Any]) -> Iterator[Any]:
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and (stub := stubbed(source)) != source:
            yield {**cell, "source": stub, "outputs": [], "id": f"{cell['id']}-stub"}
            folded = {
                "tags": ["hide-input"],
                "mystnb": {"code_prompt_show": "Solution", "code_prompt_hide": "Solution"},
            }
            yield {**cell, "source": _MARKERS.sub("", source), "metadata": {**cell["metadata"], **folded}}
        elif cell["cell_type"] == "code" and ".check(" in source:
            yield {**cell, "outputs": []}  # a stub does not pass
        else:
            yield cell


def _fold(app: Sphinx, page: str, content: list[str]) -> None:
    if page.startswith("exercises/"):
        notebook = json.loads(content[0])
        content[0] = json.dumps({**notebook, "cells": list(_page_cells(notebook["cells"]))})


def _offer(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    if doctree is None or not page.startswith("exercises/"):
        return
    file = f"learner/{page.removeprefix('exercises/')}.ipynb"
    links = [f'<a href="../{file}" download>Download the notebook</a>']
    if repository := app.config.book_repository:
        links.append(f'<a href="{repository.colab(file)}">Work in Colab</a>')
    line = f'<p class="reading-time">{" · ".join(links)}</p>'
    context["body"] = context["body"].replace("</h1>", f"</h1>\n{line}", 1)


def _write(app: Sphinx, error: Exception | None) -> None:
    if error:
        return
    folder = Path(app.outdir) / "learner"
    folder.mkdir(exist_ok=True)
    for path in sorted(EXERCISES.glob("*.ipynb")):
        copy = learners_copy(nbformat.read(path, as_version=4))
        if repository := app.config.book_repository:
            copy = colab_copy(copy, repository.requirement)
        nbformat.write(copy, folder / path.name)


def setup(app: Sphinx) -> None:
    """Fold the solutions on the pages, and write the copies beside them."""
    app.connect("source-read", _fold)
    app.connect("html-page-context", _offer, priority=900)
    app.connect("build-finished", _write)
