"""Plain links become what they stand for: definitions on hover and on focus, and citations with a tooltip.

A link to a term or a work names a place that is no heading: ``glossary.md#term-stride``, ``references.md#he2016deep``.
Whatever else a link says is resolved by MyST.
"""

from __future__ import annotations

import html
import re
from functools import cache
from typing import Any

from docutils import nodes
from pybtex.plugin import find_plugin
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.nodes import make_refnode

TERM = re.compile(r'<a class="reference internal" href="(?:\.\./)*glossary\.html#(term-[^"]+)"')
PLAIN = find_plugin("pybtex.backends", "plaintext")()


def definitions(glossary: nodes.document) -> dict[str, str]:
    """The plain text of every definition, by the id of its term."""
    return {
        identifier: " ".join(definition.astext().split())
        for item in glossary.findall(nodes.definition_list_item)
        for definition in item.findall(nodes.definition)
        for term in item.findall(nodes.term)
        for identifier in term["ids"]
    }


# Once for a build: all pages have been read when their links are resolved, and the glossary takes long to unpickle.
@cache
def _known(env: BuildEnvironment) -> dict[str, str]:
    return definitions(env.get_doctree("glossary"))


@cache
def _tooltips(env: BuildEnvironment, page: str) -> dict[str, str | None]:
    if page == "glossary":
        return dict.fromkeys(_known(env))  # theirs are added to the HTML, below
    if page == "references":
        works = env.get_domain("cite").citations  # type: ignore[attr-defined]
        return {work.key: work.tooltip_entry.text.render(PLAIN).replace("\\url ", "") for work in works}
    return {}


class TermsAndWorks(SphinxPostTransform):
    """Resolves links to places of the glossary and of the bibliography."""

    default_priority = 8  # before MyST's resolver, which knows headings only and would warn

    def run(self, **options: Any) -> None:
        """Replace them on one page; a place that is not there is left to MyST's warning."""
        for link in list(self.document.findall(pending_xref)):
            page, place = link["reftarget"], link.get("reftargetid")
            tooltips = _tooltips(self.env, page) if link["reftype"] == "myst" and place else {}
            if place in tooltips:
                words = nodes.inline("", "", *link[0].children)
                link.replace_self(make_refnode(self.app.builder, self.env.docname, page, place, words, tooltips[place]))


def _define(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    if page == "glossary" or not TERM.search(context.get("body", "")):
        return
    known = _known(app.env)
    context["body"] = TERM.sub(
        lambda link: f'{link.group()} data-definition="{html.escape(known[link[1]])}"', context["body"]
    )


def setup(app: Sphinx) -> None:
    """Resolve the links of every page, then annotate those to terms."""
    app.add_post_transform(TermsAndWorks)
    app.connect("html-page-context", _define)
