"""Repairs where docutils tells assistive technology something that is not so."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx


def _repair(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    # Citations are announced as a list, but none of its children as an item of one: readers would hear an empty list.
    if "body" in context:
        context["body"] = context["body"].replace(
            '<div role="list" class="citation-list">', '<div class="citation-list">'
        )


def setup(app: Sphinx) -> None:
    """Repair every page."""
    app.connect("html-page-context", _repair)
