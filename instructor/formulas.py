"""The words and formulas of an exam question as HTML that needs no script: matrices are tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup, escape
from numpy import ndarray

_MATRIX = re.compile(r"(\w) = \\begin\{pmatrix\} (.*?) \\end\{pmatrix\}(?: \\quad)?")
_SIGNS = {r"\tfrac{1}{2}": "½", r"\sum": "∑", "-": "−"}
_TOKENS = re.compile(r"\\tfrac\{1\}\{2\}|\\sum|([_^])(\w)|[A-Za-z]|[-=\d(), ]")


def html(text: str) -> Markup:
    """Markdown as the questions have it: paragraphs, emphasis, TeX. ``ValueError`` for TeX that is not known."""
    return Markup("\n").join(_block(block) for block in text.split("\n\n"))


def _block(block: str) -> Markup:
    if block.startswith("$$"):
        rest = _MATRIX.sub("", block).strip("$\n")
        if rest:
            raise ValueError(f"no formula on its own but matrices: {rest}")
        made = [
            Markup('<span class="formula"><i>{}</i> = {}</span>').format(name, matrix(_rows(rows), f"matrix {name}"))
            for name, rows in _MATRIX.findall(block)
        ]
        return Markup('<div class="formulas">{}</div>').format(Markup("\n").join(made))
    parts = re.split(r"\$(.+?)\$", block)
    return Markup("<p>{}</p>").format(
        Markup("").join(_tex(part) if n % 2 else _words(part) for n, part in enumerate(parts))
    )


def _words(text: str) -> Markup:
    return Markup(re.sub(r"\*(.+?)\*", r"<em>\1</em>", str(escape(text))))


def _tex(text: str) -> Markup:
    made, at = Markup(""), 0
    while at < len(text):
        if (found := _TOKENS.match(text, at)) is None:
            raise ValueError(f"TeX that no question has had yet: {text[at:]}")
        token, (shift, small) = found[0], found.groups()
        if shift:
            tag = "sub" if shift == "_" else "sup"
            made += Markup(f"<{tag}>{{}}</{tag}>").format(
                Markup("<i>{}</i>").format(small) if small.isalpha() else small
            )
        else:
            made += Markup("<i>{}</i>").format(token) if token.isalpha() else _SIGNS.get(token, token)
        at = found.end()
    return made


def _rows(tex: str) -> list[list[str]]:
    return [[cell.strip() for cell in row.split("&")] for row in tex.split(r"\\")]


def matrix(rows: Sequence[Sequence[Any]], name: str = "matrix") -> Markup:
    """A table in round brackets, which is read as a table with this name."""
    lines = (
        Markup("<tr>{}</tr>").format(Markup("").join(Markup("<td>{}</td>").format(value(cell)) for cell in row))
        for row in rows
    )
    return Markup('<table class="matrix" aria-label="{}">{}</table>').format(name, Markup("").join(lines))


def value(one: Any) -> Markup | str:
    """A number, a row of them or several rows, as they are written."""
    if isinstance(one, ndarray):
        one = one.tolist()
    if isinstance(one, list | tuple):
        nested = one and isinstance(one[0], list | tuple)
        return matrix(one) if nested else "(" + ", ".join(str(value(part)) for part in one) + ")"
    if isinstance(one, float):
        one = f"{round(one, 4) + 0:,.10g}"  # + 0, since −0 is no number of an exam
    return (f"{one:,}" if isinstance(one, int) else str(one)).replace("-", "−")
