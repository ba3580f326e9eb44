"""Python in the page: cells that can be run and changed, and predictions before answers.

Without the wheels that `tools/wheels.py` finds the site has no Run buttons; a page says nothing of what it has not got.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util import logging

from theme import exercises
from theme.live import kit
from theme.live.needs import needs
from tools import wheels

HOW = (
    "Write your answers here and check them: nothing is to be installed. Python with NumPy (not PyTorch), about 10 MB, "
    "comes when you begin; your answers stay in this browser."
)
logger = logging.getLogger(__name__)
FOLDER = "python"
KEPT = ("run", "answer", "check")  # kinds of cells of which a browser keeps something, by the cell's id
TITLE = re.compile(r'</h1>(?:\s*<p class="reading-time">.*?</p>)?')
# What a script works stands in the page before it comes, so that nothing moves then.
PREDICTIONS = '<p class="live-tools live-predictions pst-js-only"></p>'
TOOLS = (
    f'<p class="live-how pst-js-only">{HOW}</p>\n<p class="live-tools live-notebook pst-js-only">'
    '<button type="button" value="save">Download my notebook</button>'
    '<button type="button" value="open">Open a notebook of mine</button>'
    '<button type="button" value="reset">Reset all</button>'
    '<span class="live-status" role="status"></span></p>'
)
ASKS = re.compile(r"<blockquote>\s*<div><p><strong>(Predict|Before you)\b")


def _kinds(page: str, cells: list[Any]) -> Iterator[str]:
    """What the page does with each of its code cells: run, answer, check; figure, solution; or what it would need."""
    lacks = needs(["".join(cell["source"]) for cell in cells])
    for cell, need in zip(cells, lacks, strict=True):
        nbgrader = cell["metadata"].get("nbgrader", {})
        if "hide-input" in cell["metadata"].get("tags", []):
            yield "solution"
        elif "cnn-widget" in json.dumps(cell["outputs"]):
            yield "figure"
        elif need:
            yield need
        else:
            yield "answer" if nbgrader.get("solution") else "check" if nbgrader.get("grade") else "run"


def _cells(app: Sphinx, page: str) -> list[tuple[str, str]]:
    """The id and the kind of every code cell of a page, in order."""
    path = Path(app.env.doc2path(page))
    if path.suffix != ".ipynb":
        return []
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    cells = list(exercises.page_cells(cells)) if page.startswith("exercises/") else cells
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    return [(cell["id"].removesuffix("-stub"), kind) for cell, kind in zip(code, _kinds(page, code), strict=True)]


def _link(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    if doctree is None:
        return
    cells = _cells(app, page) if app.env.book_live else []  # type: ignore[attr-defined]
    runs = any(kind in ("run", "answer") for _, kind in cells)
    answers = any(kind == "answer" for _, kind in cells)
    asks = bool(ASKS.search(context["body"]))
    if runs:
        about: dict[str, Any] = {
            "folder": context["pathto"](f"_static/{FOLDER}/", 1),
            "cells": ",".join(f"{kind} {cell}" if kind in KEPT else kind for cell, kind in cells),
        }
        about["version"] = app.env.book_live  # type: ignore[attr-defined]
        if "notebook_copy" in context:
            about["notebook"] = context["pathto"](context["notebook_copy"], 1)
            if repository := app.config.book_repository:
                about["colab"] = repository.colab(context["notebook_copy"])
        context["body"] += (
            f'<script type="application/json" id="live">{json.dumps(about, separators=(",", ":"))}</script>'
        )
        app.add_js_file("live.js", loading_method="defer")
    if asks:
        app.add_js_file("predict.js", loading_method="defer")
    lines = [line for line, there in ((TOOLS, answers), (PREDICTIONS, asks)) if there]
    context["body"] = TITLE.sub(lambda title: "\n".join([title[0], *lines]), context["body"], count=1)
    if runs or asks:
        app.add_css_file("live.css", priority=750)


def _write(app: Sphinx) -> None:
    """Write the scripts first, for links carry a hash of them."""
    static = Path(app.outdir) / "_static"
    static.mkdir(parents=True, exist_ok=True)
    kit.bundle(["live.js", "predict.js", "live.css"], static)
    live = ""
    if missing := wheels.missing():
        if os.environ.get("CI"):
            raise ExtensionError(wheels.WITHOUT.format(why=f"no {min(missing)}"))
        logger.info(wheels.WITHOUT.format(why=f"no {min(missing)}"))
        shutil.rmtree(static / FOLDER, ignore_errors=True)  # of an earlier build
    else:
        live = kit.write(static / FOLDER)
    app.env.book_live = live  # type: ignore[attr-defined]


def setup(app: Sphinx) -> None:
    """Make the folder before pages are written, and tell each page which of its cells run."""
    app.connect("builder-inited", _write)
    app.connect("html-page-context", _link, priority=950)
