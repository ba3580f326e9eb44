"""Interactive figures without a kernel: all of ``utils/widgets/*.js`` in one classic script.

Classic, because a browser that opens the book from disk refuses module scripts. ``runtime.js`` stands in for the
kernel: it gives each figure a model made of the state that the notebook's output carries.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

WIDGETS = Path(__file__).parent.parent / "utils" / "widgets"
EXPORT = re.compile(r"^export default\b", re.MULTILINE)


def bundle(folder: Path) -> str:
    """One script of ``common.js``, every figure and the runtime; ``ExtensionError`` if a module imports anything."""
    shared = (folder / "common.js").read_text(encoding="utf-8")
    modules = {
        path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.js")) if path.stem != "common"
    }
    for name, source in {"common": shared, **modules}.items():
        if re.search(r"^\s*import\b|\bimport\(", source, re.MULTILINE):
            raise ExtensionError(f"{name}.js imports something; a figure is one file")
        if len(re.findall(r"^export\b", source, re.MULTILINE)) != (name != "common") or (
            name != "common" and not EXPORT.search(source)
        ):
            raise ExtensionError(f"{name}.js must have exactly one export, `export default` (common.js none)")
    figures = "\n".join(
        f'figures["{name}"] = (() => {{\n{EXPORT.sub("const exported$ =", source)}\nreturn exported$;\n}})();'
        for name, source in modules.items()
    )
    runtime = Path(__file__).with_name("runtime.js").read_text(encoding="utf-8")
    return f'(() => {{\n"use strict";\n{shared}\nconst figures = {{}};\n{figures}\n{runtime}\n}})();\n'


def _link(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    if 'class="cnn-widget"' in context.get("body", ""):
        app.add_js_file("widgets.js", loading_method="defer")
        app.add_css_file("widgets.css")


def _write(app: Sphinx) -> None:
    static = Path(app.outdir) / "_static"
    static.mkdir(parents=True, exist_ok=True)
    (static / "widgets.js").write_text(bundle(WIDGETS), encoding="utf-8")
    (static / "widgets.css").write_text((WIDGETS / "widgets.css").read_text(encoding="utf-8"), encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Write the script first, for links carry a hash of it, and link it from pages with figures."""
    app.connect("html-page-context", _link)
    app.connect("builder-inited", _write)
