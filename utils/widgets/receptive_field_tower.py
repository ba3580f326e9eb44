"""What a unit deep in a network sees of the image: the receptive field, layer by layer, along one axis."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np
import traitlets

from utils.arithmetic import conv_output_size, receptive_field
from utils.functional.columns import Array
from utils.widgets.figure import Figure
from utils.widgets.settings import check_integer, complete_layers, with_defaults
from utils.widgets.svg import CELL, Cell, Panel, counted, signed

# The least and the most of every number, as in BOUNDS of settings.js.
LIMITS = {"size": (5, 32), "kernel_size": (1, 7), "stride": (1, 4), "padding": (0, 3), "dilation": (1, 4)}
# A layer's arguments in the order of receptive_field, with torch's defaults; None must be given.
ARGUMENTS: dict[str, int | None] = {"kernel_size": None, "stride": 1, "padding": 0, "dilation": 1}
MOST_LAYERS = 6
MARGIN = 6  # pixels outside the image that are drawn at most


class Row(NamedTuple):
    """A row of the tower: its units, and the receptive field of each along the pixels."""

    units: int
    size: int
    jump: int
    start: int

    def first(self, unit: int) -> int:
        """The pixel from 0 at which a unit's field begins."""
        return self.start + unit * self.jump

    def centre(self, unit: int) -> float:
        """The place of a unit: the middle of its field."""
        return self.first(unit) + (self.size - 1) / 2


def _complete(number: int, layer: dict[str, Any]) -> dict[str, Any]:
    """The layer with every argument, checked."""
    full = with_defaults(f"layer {number}", layer, ARGUMENTS)
    for name, value in full.items():
        check_integer(f"layer {number}: ", name, value, LIMITS)
    return full


class ReceptiveFieldTower(Figure):
    """Rows of units over a row of pixels: what a unit sees, and which units see a pixel.

    ``layers`` is a list of dicts: {"kernel_size": 3, "stride": 1, "padding": 1, "dilation": 1}, the last three as in
    torch if left out; ``size`` is the number of pixels. ``side`` says what is chosen: an "output", which is unit
    ``position`` of layer ``layer``, or the "input" pixel ``position``, all from 0; at first the middle unit of the last
    layer. Settings that do not fit are no error here: the figure says why.
    """

    name: ClassVar[str] = "receptive_field_tower"

    layers = traitlets.List(
        traitlets.Dict(),
        [{"kernel_size": 3, "stride": stride, "padding": 1, "dilation": 1} for stride in (1, 2, 1)],
    ).tag(sync=True)
    size = traitlets.Int(16, min=LIMITS["size"][0], max=LIMITS["size"][1]).tag(sync=True)
    side = traitlets.Enum(("output", "input"), "output").tag(sync=True)
    layer = traitlets.Int(0, min=0).tag(sync=True)
    position = traitlets.Int(0, min=0).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        """Take the traits by keyword."""
        super().__init__(**traits)
        if "layer" not in traits:
            self.layer = max(0, len(self.layers) - 1)
        if "position" not in traits and not self.error:
            self.position = (self.rows[self._row].units - 1) // 2

    @traitlets.validate("layers")
    def _valid_layers(self, proposal: Any) -> Any:
        return complete_layers(proposal["value"], MOST_LAYERS, _complete)

    def _build(self) -> tuple[list[Row], str]:
        rows, chain = [Row(self.size, *receptive_field([]))], [tuple(layer.values()) for layer in self.layers]
        for number, layer in enumerate(chain, 1):
            try:
                units = conv_output_size(rows[-1].units, *layer)
            except ValueError as error:
                return rows, f"layer {number}: {error}"
            rows.append(Row(units, *receptive_field(chain[:number])))
        return rows, ""

    @property
    def rows(self) -> list[Row]:
        """The pixels and every layer, up to the first that breaks a rule."""
        return self._build()[0]

    @property
    def error(self) -> str:
        """The rule that is broken, and by which layer; empty if none is."""
        return self._build()[1]

    @property
    def _row(self) -> int:
        """The row of what is chosen: 0 for the pixels."""
        return min(self.layer + 1, len(self.layers)) if self.side == "output" else 0

    @property
    def _unit(self) -> int:
        """The position, kept inside its row, which other traits may have made shorter."""
        return min(self.position, self.rows[self._row].units - 1)

    def _reads(self, row: int) -> Array:
        """How often each unit of a row reads each of the row below: 0 or 1."""
        kernel_size, stride, padding, dilation = self.layers[row - 1].values()
        above, below = self.rows[row].units, self.rows[row - 1].units
        taps = np.add.outer(np.arange(above) * stride - padding, np.arange(kernel_size) * dilation)
        return (taps[..., None] == np.arange(below)).sum(1)

    @property
    def paths(self) -> list[Array]:
        """Row by row: by how many paths the chosen unit reaches each one below it, or the chosen pixel each above.

        A path runs through units: padding is on none. Only of layers that break no rule.
        """
        chosen, rows = self._row, self.rows
        paths = [np.zeros(row.units, int) for row in rows]
        paths[chosen][self._unit] = 1
        for row in range(chosen, 0, -1):
            paths[row - 1] = paths[row] @ self._reads(row)
        if not chosen:
            for row in range(1, len(rows)):
                paths[row] = self._reads(row) @ paths[row - 1]
        return paths

    def sentence(self) -> str:
        """How far the chosen unit sees, or how many units the chosen pixel reaches."""
        if error := self.error:
            return f"{error[0].upper()}{error[1:]}."
        if not self.layers:
            return "No layer yet: every pixel sees only itself."
        chosen, unit, rows, paths = self._row, self._unit, self.rows, self.paths
        reached = [np.count_nonzero(ways) for ways in paths]
        if not chosen:
            units = [counted(rows[1].units, "unit"), *(row.units for row in rows[2:])]
            seen = [f"{reached[i]} of {of} in layer {i}" for i, of in enumerate(units, 1)]
            return f"Pixel {unit + 1} reaches {', '.join(seen)}."
        row = rows[chosen]
        first = row.first(unit)
        inside = max(0, min(first + row.size, self.size) - max(first, 0))
        outside, missed = row.size - inside, inside - reached[0]
        pixels = signed(first + 1) if row.size == 1 else f"{signed(first + 1)} … {signed(first + row.size)}"
        said = [f"Unit {unit + 1} of {row.units} in layer {chosen} sees {counted(row.size, 'pixel')}, {pixels}"]
        if outside:
            said.append(f"{signed(outside)} {'lies' if outside == 1 else 'lie'} outside the image, in the padding")
        if missed:
            said.append(f"no path reaches {missed} of {'the others' if outside else 'them'}")
        if row.units > 1:
            said.append(f"neighbours see fields {counted(row.jump, 'pixel')} apart")
        return f"{'; '.join(said)}."

    def panels(self) -> list[Panel]:
        """The tower, and what each layer adds to the field."""
        rows = self.rows
        lines = [
            f"Layer {number}: {', '.join(f'{name} {value}' for name, value in layer.items())} → "
            f"{counted(row.units, 'unit')}, field {signed(row.size)}, jump {row.jump:,}, start {signed(row.start)}"
            for number, (layer, row) in enumerate(zip(self.layers, rows[1:], strict=False), 1)
        ]
        facts = Panel("The field grows by dilation·(kernel_size − 1)·jump", "kernel", lines=lines)
        return [facts] if self.error else [self._tower(), facts]

    def _tower(self) -> Panel:
        rows, paths, chosen = self.rows, self.paths, (self._row, self._unit)
        left = max(min(row.start for row in rows), -MARGIN)
        right = min(max(row.first(row.units - 1) + row.size for row in rows), self.size + MARGIN)
        first = rows[chosen[0]].first(chosen[1])
        field = range(first, first + rows[chosen[0]].size) if chosen[0] else range(0)
        cells, links = [], []
        for number in reversed(range(len(rows))):
            row, most = rows[number], max(1, paths[number].max())
            role, half = "output" if number else "input", CELL // 2 * (row.size % 2 == 0)
            outside = ["padding" if not number and x in field else "blank" for x in range(left, right)]
            line = [Cell("0" if kind == "padding" else "", kind) for kind in outside]
            for unit, ways in enumerate(paths[number].tolist()):
                if left <= row.centre(unit) <= right - 1:
                    line[int(row.centre(unit) // 1) - left] = Cell(
                        str(ways) if 0 < ways < 10_000 else "", role, (0.08 + 0.27 * ways / most) * (ways > 0),
                        strong=(number, unit) == chosen, crossed=not number and not ways and unit in field, shift=half,
                    )  # fmt: skip
            cells += [[Cell(str(number) if number else "px", "blank"), *line], []]
            for unit, below in np.argwhere(self._reads(number)).tolist() if number else ():
                above, under = (1 - left + place for place in (row.centre(unit), rows[number - 1].centre(below)))
                drawn = min(above, under) >= 1 and max(above, under) <= right - left
                if drawn and paths[number][unit] and paths[number - 1][below]:
                    links.append((len(cells) - 1, above, under))
        return Panel("Numbers and tint count paths", "output", cells[:-1], links=links)
