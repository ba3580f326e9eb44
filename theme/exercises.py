"""Exercise notebooks as pages: what is to be written, below it a solution, folded, and how to get a copy to work in."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from tools.copies import stubbed

_MARKERS = re.compile(r"^ *### (BEGIN|END) SOLUTION\n?", re.MULTILINE)
_NUMBERED = re.compile(r"\d+\. ")


def page_cells(cells: list[Any]) -> Iterator[Any]:
    """The cells of an exercise's page: a stub, its check, and below them the solution."""
    folded: list[Any] = []
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and (stub := stubbed(source)) != source:
            yield {**cell, "source": stub, "outputs": [], "id": f"{cell['id']}-stub"}
            fold = {"tags": ["hide-input"], "mystnb": {"code_prompt_show": "Solution", "code_prompt_hide": "Solution"}}
            folded = [{**cell, "source": _MARKERS.sub("", source), "metadata": {**cell["metadata"], **fold}}]
        elif cell["cell_type"] == "code" and ".check(" in source:
            yield {**cell, "outputs": []}  # a stub does not pass
            yield from folded
            folded = []
        else:
            yield cell
    yield from folded


def _fold(app: Sphinx, page: str, content: list[str]) -> None:
    if page.startswith("exercises/"):
        notebook = json.loads(content[0])
        content[0] = json.dumps({**notebook, "cells": list(page_cells(notebook["cells"]))})


def _ways(doctree: nodes.document) -> Iterator[str]:
    """A link to each exercise: with cells and editors between, a keyboard would take long to the last."""
    for section in doctree.findall(nodes.section):
        if _NUMBERED.match(title := section[0].astext()):
            yield f'<a href="#{section["ids"][0]}">{html.escape(title)}</a>'


def _offer(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    if doctree is None or not page.startswith("exercises/"):
        return
    file = context["notebook_copy"]
    links = [f'<a href="{context["pathto"](file, 1)}">Download the notebook</a>']
    if repository := app.config.book_repository:
        links.append(f'<a href="{repository.colab(file)}">Work in Colab</a>')
        how = "The first cell gets what the checks need."
    else:
        how = "Its first cell says what it needs to run; in a clone of the book, <code>make lab</code> has it ready."
    line = f'<p class="reading-time">{" · ".join(links)}. {how}</p>'
    ways = f'<nav class="reading-time" aria-label="Exercises of this page">{" · ".join(_ways(doctree))}</nav>'
    context["body"] = context["body"].replace("</h1>", f"</h1>\n{line}\n{ways}", 1)


def setup(app: Sphinx) -> None:
    """Fold the solutions, and say under each title where the copy and each exercise is."""
    app.connect("source-read", _fold)
    app.connect("html-page-context", _offer, priority=900)
