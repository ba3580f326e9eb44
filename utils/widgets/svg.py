"""The still pictures of the interactive figures as SVG text, and numbers in words as their sentences print them.

A picture is its own file, so it cannot follow the page into the dark: it brings a light card.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from textwrap import wrap

import numpy as np

from utils.widgets.raster import Photo, Raster

CELL = 36
_INK, _CARD, _LINE = "#1f2328", "#ffffff", "#d0d7de"
_COLOUR = {
    role: colours["light"]
    for role, colours in json.loads((Path(__file__).parents[1] / "palette.json").read_text(encoding="utf-8")).items()
}


@dataclass(frozen=True)
class Cell:
    """One square: its text, its role, how strongly it is tinted (0 to 1), the weight that lies on it."""

    text: str
    role: str
    tint: float = 0
    corner: str = ""
    strong: bool = False
    crossed: bool = False
    shift: int = 0  # to the right, in the picture's units


@dataclass(frozen=True)
class Frame:
    """A kernel's frame over ``span`` cells, counted from the panel's first."""

    row: int
    column: int
    span: int
    thin: bool = False


@dataclass(frozen=True)
class Tile:
    """A box whose area says something; its role may be "neutral"."""

    x: float
    y: float
    width: float
    height: float
    role: str
    text: str = ""


@dataclass(frozen=True)
class Curve:
    """A line through points (x, y) of a plot; numbers from 0 to 4 have colours and dashes of their own."""

    points: Sequence[tuple[float, float]]
    number: int


PLOT = (300, 170)  # width and height
_LOOKS = (("input", ""), ("kernel", "5 3"), ("output", "2 2"), ("gradient", "8 2 2 2"), ("padding", "10 3"))


@dataclass(frozen=True)
class Panel:
    """A grid of cells under a heading, or tiles, pixels or a plot; without any, lines of text.

    A link joins the middles of two columns from the top of its row to the bottom: (row, column above, column below).
    """

    heading: str
    role: str
    cells: Sequence[Sequence[Cell]] = ()
    frames: Sequence[Frame] = ()
    lines: Sequence[str] = field(default=())
    links: Sequence[tuple[int, float, float]] = ()
    tiles: Sequence[Tile] = ()
    raster: Raster | None = None
    photo: Photo | None = None
    curves: Sequence[Curve] = ()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, heading included."""
        columns = max((len(row) for row in self.cells), default=0)
        longest = max(map(len, [self.heading, *self.lines]))
        right = max((round(tile.x + tile.width) for tile in self.tiles), default=0)
        bottom = max((round(tile.y + tile.height) for tile in self.tiles), default=0)
        if self.curves:
            return PLOT[0], 28 + PLOT[1]
        if pixels := self.raster or self.photo:
            return max(longest * 8, pixels.width), 28 + pixels.width
        return max(columns * CELL, longest * 8, right), 28 + len(self.cells) * CELL + len(self.lines) * 22 + bottom


def _text(x: float, y: float, text: str, classes: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{classes}">{escape(text)}</text>'


def _style(gradients: bool) -> str:
    """Said once for all cells: a picture is in every notebook that shows the figure, so its size counts."""
    dashed = "rect.gradient{stroke-dasharray:4 3}.i{font-style:italic}" if gradients else ""
    roles = "".join(f".{role}{{fill:{colour};stroke:{colour}}}" for role, colour in _COLOUR.items())
    kernel, padding = _COLOUR["kernel"], _COLOUR["padding"]
    mixed = f"color-mix(in srgb, {kernel} 60%, {_INK})"  # as in widgets.css
    return (
        f"text{{font:14px system-ui,sans-serif;fill:{_INK};stroke:none!important}}"
        ".v,.w{text-anchor:middle;dominant-baseline:central}.h,.w,.s,.c{font-weight:600}.s{font-size:15px}"
        f".c{{fill:{kernel};fill:{mixed};font-size:12px;text-anchor:end;dominant-baseline:central}}{roles}"
        f"rect.output{{stroke-width:1.5}}rect.padding{{stroke-dasharray:3 3}}rect.w{{stroke-width:3}}"
        f"path{{fill:none;stroke:{padding};stroke-opacity:.55}}path.gradient{{stroke:{_COLOUR['gradient']};stroke-width:1.5}}"
        f".f,.t{{fill:none;stroke:{kernel};stroke-width:2.5}}.t{{stroke-width:1;stroke-dasharray:4 3}}{dashed}"
    )


def _cell(cell: Cell, x: int, y: int) -> str:
    inset = 2 if cell.role == "output" else 0
    side, half = CELL - 2 * inset, CELL // 2
    strong = " w" if cell.strong else ""
    corners = ' rx="8"' if inset else ""
    parts = [
        f'<rect x="{x + inset}" y="{y + inset}" width="{side}" height="{side}"{corners} '
        f'class="{cell.role}{strong}" fill-opacity="{cell.tint:.2g}"/>'
    ]
    if cell.crossed or cell.role == "padding":
        # As in the live figure: padding is hatched, what is never read is crossed out.
        crossed = f"M{x},{y}l{CELL},{CELL}M{x + CELL},{y}l{-CELL},{CELL}"
        hatched = f"M{x},{y + half}l{half},{-half}M{x},{y + CELL}l{CELL},{-CELL}M{x + half},{y + CELL}l{half},{-half}"
        lines, role = (crossed, "gradient") if cell.crossed else (hatched, "padding")
        parts.append(f'<path d="{lines}" class="{role}"/>')
    if cell.corner:
        parts.append(_text(x + CELL - 4, y + 10, cell.corner, "c"))
        aside = 5 if len(cell.text) < 3 else 0
        parts.append(_text(x + CELL / 2 - aside, y + CELL * 0.68, cell.text, "v"))
    elif cell.text:
        italic = " i" if cell.role == "gradient" else ""
        parts.append(_text(x + CELL / 2, y + CELL / 2, cell.text, ("w" if cell.strong else "v") + italic))
    return "".join(parts)


def _tile(tile: Tile, left: int, top: int) -> str:
    x, y, width, height = left + tile.x, top + tile.y, tile.width, tile.height
    colour, round_corners = _COLOUR.get(tile.role, _COLOUR["padding"]), f' rx="{min(8, width / 3, height / 3):.1f}"'
    box = (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" stroke="{colour}" fill="{colour}" '
        f'fill-opacity="{0 if tile.role == "neutral" else 0.25}"{round_corners if tile.role == "output" else ""}/>'
    )
    return box + (_text(round(x + width / 2), round(y + height / 2), tile.text, "v") if tile.text else "")


def _raster(raster: Raster, left: int, top: int) -> str:
    width, picture = raster.width, raster.png()
    drawn = (
        f'<image x="{left}" y="{top}" width="{width}" height="{width}" style="image-rendering:pixelated" '
        f'href="{picture}"/>'
    )
    if raster.frame is None:
        return drawn
    row, column, side = (width / len(raster.levels) * number for number in raster.frame)
    return f'{drawn}<rect x="{left + column:g}" y="{top + row:g}" width="{side:g}" height="{side:g}" class="f"/>'


def _photo(photo: Photo, left: int, top: int) -> str:
    width, side = photo.width, photo.width / len(photo.film)
    href = f"data:image/jpeg;base64,{photo.jpeg}"
    drawn = f'<image x="{left}" y="{top}" width="{width}" height="{width}" href="{href}"/>'
    for (row, column), share in np.ndenumerate(photo.film):
        if share:
            place = f'x="{left + column * side:g}" y="{top + row * side:g}" width="{side:g}" height="{side:g}"'
            drawn += f'<rect {place} fill="{_COLOUR["gradient"]}" fill-opacity="{0.85 * share:.2g}"/>'
    return drawn


def _curve(curve: Curve, left: int, top: int) -> str:
    role, pattern = _LOOKS[curve.number]
    dashes = f' stroke-dasharray="{pattern}"' if pattern else ""
    points = " ".join(f"{left + x:.1f},{top + y:.1f}" for x, y in curve.points)
    return f'<polyline points="{points}" fill="none" stroke="{_COLOUR[role]}" stroke-width="2"{dashes}/>'


def _panel(panel: Panel, left: int, top: int) -> str:
    parts = [_text(left, top + 14, panel.heading, f"{panel.role} h")]
    first = top + 24
    for r, row in enumerate(panel.cells):
        parts += [_cell(cell, left + c * CELL + cell.shift, first + r * CELL) for c, cell in enumerate(row)]
    if panel.links:
        middles = [(first + r * CELL, *(round(left + (c + 0.5) * CELL) for c in ends)) for r, *ends in panel.links]
        steps = "".join(f"M{above},{y}L{below},{y + CELL}" for y, above, below in middles)
        parts.append(f'<path d="{steps}" class="kernel"/>')
    for frame in panel.frames:
        x, y, side = left + frame.column * CELL, first + frame.row * CELL, frame.span * CELL
        parts.append(f'<rect x="{x}" y="{y}" width="{side}" height="{side}" class="{"t" if frame.thin else "f"}"/>')
    parts += [_tile(tile, left, first) for tile in panel.tiles]
    parts += [_raster(panel.raster, left, first)] if panel.raster else []
    parts += [_photo(panel.photo, left, first)] if panel.photo else []
    if panel.curves:
        width, height = PLOT
        parts.append(f'<rect x="{left}" y="{first}" width="{width}" height="{height}" fill="none" stroke="{_LINE}"/>')
        parts += [_curve(curve, left, first) for curve in panel.curves]
    below = first + len(panel.cells) * CELL
    parts += [_text(left, below + 14 + 22 * i, line, "") for i, line in enumerate(panel.lines)]
    return "".join(parts)


def picture(panels: Sequence[Panel], caption: str, limit: int = 720) -> str:
    """The panels in rows no wider than ``limit`` (unless one alone is) on a card, ``caption`` below them."""
    left, top, row_height, right, drawn = 20, 16, 0, 0, []
    for panel in panels:
        width, height = panel.size
        if left > 20 and left + width > limit:
            left, top, row_height = 20, top + row_height + 16, 0
        drawn.append(_panel(panel, left, top))
        left, row_height = left + width + 28, max(row_height, height)
        right = max(right, left - 28)
    gradients = any(cell.role == "gradient" for panel in panels for row in panel.cells for cell in row)
    lines = wrap(caption, 72)
    width, height = max(right, max(map(len, lines)) * 9) + 20, top + row_height + 22 + 22 * len(lines)
    drawn += [_text(20, top + row_height + 28 + 22 * i, line, "s") for i, line in enumerate(lines)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f'><style>{_style(gradients)}</style><rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="12" '
        f'fill="{_CARD}" stroke="{_LINE}"/>{"".join(drawn)}</svg>'
    )


def signed(value: int) -> str:
    """A number as the figures print it: 31,467,520 and −4."""
    return f"{value:,}".replace("-", "−")


def _hundredths(value: float) -> tuple[int, bool]:
    """The size of ``value`` in hundredths, rounded half up, and whether that is exact.

    A mean of at most 4 × 4 numbers is a multiple of a 144th; rounded there first, it is the same as in JavaScript.
    """
    rounded, rest = divmod(25 * round(144 * abs(value)) + 18, 36)
    return rounded, rest == 18


def decimal(value: float) -> str:
    """A number to two decimals as the figures print it: 3,321 and −0.67."""
    hundredths, _ = _hundredths(value)
    text = f"{hundredths / 100:,.2f}".rstrip("0").rstrip(".")
    return f"−{text}" if value < 0 < hundredths else text


def about(value: float) -> str:
    """The same in a sentence, with "about" before it unless it is exact."""
    return f"{'' if _hundredths(value)[1] else 'about '}{decimal(value)}"


def counted(value: int, noun: str) -> str:
    """The number and its noun: 1 row, 2 rows."""
    return f"{signed(value)} {noun}{'' if value == 1 else 's'}"


def percent(share: float) -> str:
    """A probability as the figures print it: to a whole number, and never 0 or 100."""
    whole = int(np.floor(100 * share + 0.5))
    return "< 1 %" if not whole else "> 99 %" if whole == 100 else f"{whole} %"
