"""Runs a page's cells: what they print, their values, tables, figures and errors go to the page one by one."""

from __future__ import annotations

import ast
import base64
import io
import linecache
import sys
import time
import traceback
import types
from collections.abc import Callable
from typing import Any

from absent import NotInThePage  # type: ignore[import-not-found]  # beside this file, in the page

LARGEST = 100_000  # characters that one cell may show: a page that is full of numbers stands still
MUCH = "\n… More than a page can show: the rest is left out.\n"
PAUSE = 0.05  # seconds between two messages of a cell that goes on printing


class Cells:
    """The names that a page's cells share."""

    def __init__(self, emit: Callable[[str, str], None]) -> None:
        """Send outputs to ``emit``, each as its kind and its text."""
        self._emit, self._text, self._kind, self._room, self._sent = emit, "", "text", 0, 0.0
        main = types.ModuleType("__main__")
        sys.modules["__main__"] = main
        self.names: dict[str, Any] = main.__dict__
        self.names |= {"display": self._display, "input": _nobody_answers}
        sys.stdout, sys.stderr = _Stream(self, "text"), _Stream(self, "warning")

    def run(self, source: str, name: str) -> bool:
        """Run a cell, and return whether it came to its end; ``name`` is what errors call it."""
        self._room = LARGEST
        linecache.cache[name] = len(source), None, source.splitlines(True), name
        try:
            tree = ast.parse(source, name)
            last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, name, "exec"), self.names)
            if isinstance(last, ast.Expr):
                value = eval(compile(ast.Expression(last.value), name, "eval"), self.names)
                if value is not None and not source.rstrip().endswith(";"):
                    self._display(value)
        except BaseException as error:
            self._figures()
            self._failed(error)
            return False
        self._figures()
        self.flush()
        return True

    def prepare(self, source: str, name: str) -> bool:
        """Run what a cell can without what it needs, and show nothing of it."""
        emit, self._emit = self._emit, lambda kind, text: None
        try:
            self.run(source, name)
        finally:
            self._emit = emit
        return True

    def write(self, kind: str, text: str) -> None:
        """Keep text for the page, and send it now and then."""
        if self._room < 0:
            return
        self._room -= len(text)
        if self._room < 0:
            text = text[: self._room] + MUCH
        if kind != self._kind:
            self.flush()
        self._kind, self._text = kind, self._text + text
        if time.monotonic() - self._sent > PAUSE:
            self.flush()

    def flush(self) -> None:
        """Send what was kept."""
        if self._text:
            self._emit(self._kind, self._text)
        self._text, self._sent = "", time.monotonic()

    def _send(self, kind: str, text: str) -> None:
        self.flush()
        self._emit(kind, text)

    def _display(self, *values: Any) -> None:
        for value in values:
            made = getattr(value, "_repr_html_", None)
            if html := made() if made else None:
                self._send("html", html)
            else:
                self.flush()
                self.write("value", f"{_shortened(repr(value))}\n")
                self.flush()

    def _figures(self) -> None:
        plt = sys.modules.get("matplotlib.pyplot")
        for number in plt.get_fignums() if plt else ():
            data = io.BytesIO()
            plt.figure(number).savefig(data, format="png", bbox_inches="tight")  # type: ignore[union-attr]
            self._send("figure", base64.b64encode(data.getvalue()).decode())
        if plt:
            plt.close("all")

    def _failed(self, error: BaseException) -> None:
        if own := getattr(error, "_render_traceback_", None):
            self._send("hint", "\n".join(own()))
        elif isinstance(error, KeyboardInterrupt):
            self._send("error", "Stopped.")
        elif isinstance(error, NotInThePage):
            self._send("error", str(error))
        else:
            self._send("error", _told(error))


class _Stream(io.TextIOBase):
    """What a cell prints to."""

    def __init__(self, cells: Cells, kind: str) -> None:
        self._cells, self._kind = cells, kind

    def write(self, text: str) -> int:
        """Take a part of what is printed."""
        self._cells.write(self._kind, str(text))
        return len(text)

    def flush(self) -> None:
        """Send what there is."""
        self._cells.flush()


def _nobody_answers(prompt: object = "") -> str:
    raise RuntimeError("a page cannot ask with input(): write the value into the cell")


def _shortened(text: str) -> str:
    return text if len(text) <= LARGEST else f"{text[:LARGEST]} …"


def _told(error: BaseException) -> str:
    """An error as Python tells it, without the lines that are in no cell."""
    told = traceback.TracebackException.from_exception(error)
    own = [frame for frame in told.stack if frame.filename.startswith("cell ")]
    told.stack = traceback.StackSummary.from_list(own)
    return _shortened("".join(told.format(chain=False) if own else told.format_exception_only())).rstrip()
