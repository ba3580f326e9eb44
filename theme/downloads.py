"""Copies of the notebooks beside the pages, for Colab and for download, and every button that leads to them.

From the same commit as the pages: a copy that met a ``utils`` newer or older than itself would break.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from theme.repository import Repository
from tools.copies import copy_of, name_of, notebooks, written

FOLDER = "notebooks"
PAGES = {path.relative_to(path.parents[1]).with_suffix("").as_posix(): path for path in notebooks()}


def _lead(repository: Repository | None, page: str, place: str) -> str | None:
    """The page on the site, where that has an address; else a downloaded copy has words and no links."""
    return f"{repository.site}{page}.html#{place}".removesuffix("#") if repository else None


def _offer(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    if doctree is None or page not in PAGES:
        return
    file = f"{FOLDER}/{name_of(PAGES[page]).as_posix()}"
    for group in context["header_buttons"]:
        for button in group.get("buttons", []):
            if button.get("label") == "download-source-button":  # else it would be the source, solutions and all
                button |= {"url": context["pathto"](file, 1), "tooltip": "Download this notebook, to run it"}
    context["notebook_copy"] = file
    app.add_js_file("download.js", loading_method="defer")


def _write(app: Sphinx, error: Exception | None) -> None:
    if error:
        return
    repository = app.config.book_repository
    requirement = repository.requirement if repository else None
    for path in PAGES.values():
        copy = written(copy_of(path, lambda page, place: _lead(repository, page, place), requirement))
        target = Path(app.outdir) / FOLDER / name_of(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(copy, encoding="utf-8", newline="\n")
        # From disk a browser may neither save a file nor read one, but it runs this.
        script = f"saveNotebook({json.dumps(target.name)}, {json.dumps(copy)});\n"
        target.with_suffix(".ipynb.js").write_text(script, encoding="utf-8", newline="\n")


def setup(app: Sphinx) -> None:
    """Lead buttons to the copies after the theme has made its own, and write the copies at the end."""
    app.connect("html-page-context", _offer, priority=850)
    app.connect("build-finished", _write)
