"""Links to glossary terms show the definition on hover and on keyboard focus."""

from __future__ import annotations

import html
import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

LINK = re.compile(r'<a class="reference internal" href="(?:\.\./)*glossary\.html#(term-[^"]+)"')


def definitions(glossary: nodes.document) -> dict[str, str]:
    """The plain text of every definition, by the id of its term."""
    return {
        identifier: " ".join(definition.astext().split())
        for item in glossary.findall(nodes.definition_list_item)
        for definition in item.findall(nodes.definition)
        for term in item.findall(nodes.term)
        for identifier in term["ids"]
    }


def _annotate(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    if page == "glossary" or not LINK.search(context.get("body", "")):
        return
    known = definitions(app.env.get_doctree("glossary"))
    context["body"] = LINK.sub(
        lambda link: f'{link.group()} data-definition="{html.escape(known[link[1]])}"', context["body"]
    )


def setup(app: Sphinx) -> None:
    """Annotate the links of every page."""
    app.connect("html-page-context", _annotate)
