"""Interactive figures without a kernel: a page's scripts from ``utils/widgets`` in one classic script.

Classic, because a browser that opens the book from disk refuses module scripts. ``runtime.js`` stands in for the
kernel: it gives each figure a model made of the state that the notebook's output carries.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from utils.widgets import SHARED, efficientnet

WIDGETS = Path(__file__).parent.parent / "utils" / "widgets"
EXPORT = re.compile(r"^export default\b", re.MULTILINE)
SPARE = re.compile(r"^\s*//.*\n|^ +", re.MULTILINE)  # comments, indentation: for readers of the source, and pages pay

# What figures bring when a reader asks for it: plain JSON, and bytes.
PARCELS: dict[str, Callable[[], tuple[dict[str, Any], list[bytes]]]] = {"your_photo": efficientnet.parcel}


def parcel(name: str) -> str:
    """The script with what a figure asks for, which it leaves at its own element for ``runtime.js``."""
    content, buffers = PARCELS[name]()
    answer = {"content": content, "buffers": [base64.b64encode(part).decode() for part in buffers]}
    return f"/* Licences: {name}.licence.txt */ document.currentScript.answer = {json.dumps(answer)};\n"


def bundle(folder: Path, names: Iterable[str]) -> str:
    """One script of what all figures share, the figures ``names`` and the runtime.

    ``ExtensionError`` if a module imports anything, or is no figure.
    """
    shared, modules = ({name: (folder / f"{name}.js").read_text("utf-8") for name in each} for each in (SHARED, names))
    for name, source in {**shared, **modules}.items():
        if re.search(r"^\s*import\b|\bimport\(", source, re.MULTILINE):
            raise ExtensionError(f"{name}.js imports something; a figure is one file")
        exports = len(re.findall(r"^export\b", source, re.MULTILINE))
        if exports != (name in modules) or (name in modules and not EXPORT.search(source)):
            raise ExtensionError(
                f"{name}.js must have exactly one export, `export default` ({', '.join(SHARED)}: none)"
            )
    figures = "\n".join(
        f'figures["{name}"] = (() => {{\n{EXPORT.sub("const exported$ =", source)}\nreturn exported$;\n}})();'
        for name, source in modules.items()
    )
    runtime = Path(__file__).with_name("runtime.js").read_text(encoding="utf-8")
    before = "\n".join(shared.values())
    return SPARE.sub("", f'(() => {{\n"use strict";\n{before}\nconst figures = {{}};\n{figures}\n{runtime}\n}})();\n')


def _link(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    names = sorted(set(re.findall(r'class="cnn-widget" data-widget="(\w+)"', context.get("body", ""))))
    if names:
        # A page pays for its own figures only. Written before it is linked, for a link carries a hash of the file.
        static = Path(app.outdir) / "_static"
        script = f"figures-{'-'.join(names)}.js"
        (static / script).write_text(bundle(WIDGETS, names), encoding="utf-8")
        for name in PARCELS.keys() & set(names):
            (static / f"{name}.data.js").write_text(parcel(name), encoding="utf-8")
            (static / f"{name}.licence.txt").write_text(efficientnet.LICENCE.read_text("utf-8"), encoding="utf-8")
        app.add_js_file(script, loading_method="defer")
        app.add_css_file("widgets.css")


def _write(app: Sphinx) -> None:
    static = Path(app.outdir) / "_static"
    static.mkdir(parents=True, exist_ok=True)
    (static / "widgets.css").write_text((WIDGETS / "widgets.css").read_text(encoding="utf-8"), encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Write the style sheet first, for links carry a hash of it too, and link both from pages with figures."""
    app.connect("html-page-context", _link)
    app.connect("builder-inited", _write)
