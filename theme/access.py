"""Repairs where docutils and MyST-NB tell assistive technology something that is not so, or not all of it."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

# What unfolds a chapter's entry in the sidebar has a picture for a name.
TOGGLE = '<summary><span class="toctree-toggle"'
# Citations are announced as a list, but none of its children as an item of one: readers would hear an empty list.
# What folds a cell has a name of its own, "Solution", that the label would hide.
# The corner of a table names neither its row nor its column.
REPAIRS = {
    ' role="doc-biblioentry">': ' role="listitem">',
    '<summary aria-label="Toggle hidden content">': "<summary>",
    '<th class="head"><p></p></th>': '<td class="head"></td>',
}
CHINESE = re.compile("([\u3400-\u9fff]+)")


def _repair(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    for wrong, right in REPAIRS.items():
        if "body" in context:
            context["body"] = context["body"].replace(wrong, right)


def _name_toggles(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    draw = context["generate_toctree_html"]
    named = TOGGLE.replace("<summary>", '<summary aria-label="Exercises">')
    context["generate_toctree_html"] = lambda *args, **options: str(draw(*args, **options)).replace(TOGGLE, named)


def _mark_chinese(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Say of Chinese words that they are Chinese, so that they are not read aloud as if they were English."""
    for text in [*doctree.findall(nodes.Text)]:
        if not isinstance(text.parent, nodes.literal | nodes.FixedTextElement | nodes.raw) and CHINESE.search(text):
            words: list[nodes.Node] = [nodes.Text(part) for part in CHINESE.split(text)]
            words[1::2] = [nodes.inline("", str(part), classes=["language-zh"]) for part in words[1::2]]
            text.parent.replace(text, words)


def _drop_empty_heads(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Take away a head that Markdown wants for every table, where it is empty, as over the numbers of a grid."""
    for head in [*doctree.findall(nodes.thead)]:
        if not head.astext().strip():
            head.parent.remove(head)


def setup(app: Sphinx) -> None:
    """Repair every page."""
    app.connect("doctree-resolved", _mark_chinese)
    app.connect("doctree-resolved", _drop_empty_heads)
    app.connect("html-page-context", _repair)
    app.connect("html-page-context", _name_toggles, priority=900)
