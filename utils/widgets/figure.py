"""The base of the interactive figures: one script and style for page and notebook, a picture where nothing runs.

A figure is a class with synced traits (plain JSON) beside a module of the same name in JavaScript.
In a live kernel anywidget runs that module; a page without a kernel runs the same module on the
state that ``text/html`` carries; readers without JavaScript, and print, see the picture in it.
"""

from __future__ import annotations

import base64
import html
import json
from pathlib import Path
from typing import Any, ClassVar

import anywidget

from utils.widgets import SHARED
from utils.widgets.svg import Panel, picture

_HERE = Path(__file__).parent
_DARK = (  # who says that a notebook is dark: JupyterLab, VS Code, Colab; the system where none of them does
    '[data-jp-theme-light="false"] .cnn-figure, .vscode-dark .cnn-figure, html[theme="dark"] .cnn-figure'
)
_LIGHT = '[data-jp-theme-light="true"] .cnn-figure, .vscode-light .cnn-figure, html[theme="light"] .cnn-figure'


def _stylesheet() -> str:
    """The figures' rules after the palette's colours, which a page gets from the site instead."""
    palette = json.loads((_HERE.parent / "palette.json").read_text(encoding="utf-8"))
    light, dark = (
        "; ".join(f"--cnn-{role}: {colours[mode]}" for role, colours in palette.items()) for mode in ("light", "dark")
    )
    return (
        f".cnn-figure {{ {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ .cnn-figure {{ {dark} }} }}\n"
        f"{_LIGHT} {{ {light} }}\n{_DARK} {{ {dark} }}\n"
    ) + (_HERE / "widgets.css").read_text(encoding="utf-8")


class Figure(anywidget.AnyWidget):
    """An interactive figure; ``name`` is that of its JavaScript module."""

    name: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Give the class its script and its style."""
        # Once: adding traits to an instance makes another subclass, in which anywidget keeps both as traits.
        if not hasattr(cls, "_esm"):
            scripts = [(_HERE / f"{name}.js").read_text(encoding="utf-8") for name in (*SHARED, cls.name)]
            cls._esm = "\n".join(scripts)
            cls._css = _stylesheet()
        super().__init_subclass__(**kwargs)

    @property
    def state(self) -> dict[str, Any]:
        """Everything the reader can change, as plain JSON."""
        inherited = anywidget.AnyWidget.class_trait_names()
        names = [name for name in self.trait_names(sync=True) if name not in inherited and not name.startswith("_")]
        return {name: getattr(self, name) for name in sorted(names)}

    def sentence(self) -> str:
        """What the figure says in this state: the text that its script announces."""
        raise NotImplementedError

    def panels(self) -> list[Panel]:
        """The drawings of the picture."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """anywidget's bundle, with the picture and the sentence; nothing in them depends on a library's version."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        svg = base64.b64encode(picture(self.panels(), self.sentence()).encode()).decode()
        state = html.escape(json.dumps(self.state, sort_keys=True, ensure_ascii=False))
        fallback = f'<img src="data:image/svg+xml;base64,{svg}" alt="{html.escape(self.sentence())}"/>'
        text = f'<div class="cnn-widget" data-widget="{self.name}" data-state="{state}">{fallback}</div>'
        return {**data, "text/plain": self.sentence(), "text/html": text}, metadata
