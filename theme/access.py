"""Repairs where docutils and MyST-NB tell assistive technology something that is not so."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

# What unfolds a chapter's entry in the sidebar has a picture for a name.
TOGGLE = '<summary><span class="toctree-toggle"'
# Citations are announced as a list, but none of its children as an item of one: readers would hear an empty list.
# What folds a cell has a name of its own, "Solution", that the label would hide.
REPAIRS = {
    '<div role="list" class="citation-list">': '<div class="citation-list">',
    '<summary aria-label="Toggle hidden content">': "<summary>",
}


def _repair(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    for wrong, right in REPAIRS.items():
        if "body" in context:
            context["body"] = context["body"].replace(wrong, right)


def _name_toggles(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    draw = context["generate_toctree_html"]
    named = TOGGLE.replace("<summary>", '<summary aria-label="Exercises">')
    context["generate_toctree_html"] = lambda *args, **options: str(draw(*args, **options)).replace(TOGGLE, named)


def setup(app: Sphinx) -> None:
    """Repair every page."""
    app.connect("html-page-context", _repair)
    app.connect("html-page-context", _name_toggles, priority=900)
