"""What search engines and social networks read: a description of each page and, at a known address, where it is."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any
from urllib.parse import quote

from docutils import nodes
from sphinx.application import Sphinx

CARD = ("_static/card.png", "The book's kernel stepper: nine weights on nine pixels, and their sum.")


def description(doctree: nodes.document) -> str:
    """The first paragraph, which every page begins with a plain answer to what it is; at most 200 characters."""
    paragraph = next(doctree.findall(nodes.paragraph), nodes.paragraph())
    text = " ".join(paragraph.astext().split())
    return text if len(text) <= 200 else text[:199].rsplit(" ", 1)[0] + "…"


def _describe(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    if doctree is None:
        return
    about = description(doctree)
    properties = {
        "og:title": app.env.titles[page].astext(),
        "og:description": about,
        "og:type": "website" if page == app.config.root_doc else "article",
        "og:site_name": app.config.html_title,
    }
    names = {"description": about}
    # An address has to be whole for these: without a known repository there is none.
    if site := app.config.html_baseurl:
        picture, spoken = CARD
        properties |= {"og:url": f"{site}{quote(page)}.html", "og:image": f"{site}{picture}", "og:image:alt": spoken}
        names["twitter:card"] = "summary_large_image"
    for kind, tags in (("property", properties), ("name", names)):
        for key, value in tags.items():
            context["metatags"] += f'\n    <meta {kind}="{key}" content="{html.escape(value)}" />'


def _write_sitemap(app: Sphinx, error: Exception | None) -> None:
    site = app.config.html_baseurl
    if error or not site:
        return
    addresses = "".join(f"<url><loc>{site}{quote(page)}.html</loc></url>\n" for page in sorted(app.env.found_docs))
    text = (
        f'<?xml version="1.0"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{addresses}</urlset>\n'
    )
    (Path(app.outdir) / "sitemap.xml").write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Describe pages as they are written, and list them at the end."""
    app.connect("html-page-context", _describe)
    app.connect("build-finished", _write_sitemap)
