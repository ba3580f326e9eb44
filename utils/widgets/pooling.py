"""Pooling and its gradient: who wins a window, where the gradient goes, what unpooling can put back."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import traitlets

from utils.arithmetic import pool_output_size
from utils.functional import avg_pool2d, avg_pool2d_backward, max_pool2d, max_pool2d_backward, max_unpool2d
from utils.functional.columns import Array
from utils.widgets.examples import POOLED_IMAGES, make_image
from utils.widgets.figure import Figure
from utils.widgets.settings import check_position
from utils.widgets.svg import Cell, Frame, Panel, about, counted, decimal, signed


class Pooling(Figure):
    """Max or average pooling of a small grid, with the gradient on its way back, and unpooling.

    ``kind`` is "max" or "average"; ``image`` one of "scattered", "spot", "edge" or "negative". The stride starts
    as large as the kernel, as in torch. ``side`` and ``position`` say what is chosen: an "output" or an "input" pixel,
    as (row, column) from 0. The gradient at the outputs counts them: 1, 2, 3, … Settings that do not fit are no error
    here: the figure says why.
    """

    name: ClassVar[str] = "pooling"

    kind = traitlets.Enum(("max", "average"), "max").tag(sync=True)
    image = traitlets.Enum(POOLED_IMAGES, "scattered").tag(sync=True)
    size = traitlets.Int(6, min=3, max=8).tag(sync=True)
    kernel_size = traitlets.Int(2, min=1, max=4).tag(sync=True)
    stride = traitlets.Int(2, min=1, max=4).tag(sync=True)
    padding = traitlets.Int(0, min=0, max=2).tag(sync=True)
    ceil_mode = traitlets.Bool(False).tag(sync=True)
    side = traitlets.Enum(("output", "input"), "output").tag(sync=True)
    position = traitlets.List([0, 0]).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        """Take the traits by keyword."""
        traits.setdefault("stride", traits.get("kernel_size", 2))
        traits["position"] = list(traits.get("position", (0, 0)))
        super().__init__(**traits)

    @traitlets.validate("position")
    def _valid_position(self, proposal: Any) -> Any:
        return check_position(proposal["value"], "a")

    @property
    def _settings(self) -> dict[str, Any]:
        names = ("kernel_size", "stride", "padding", "ceil_mode")
        return {name: getattr(self, name) for name in names}

    @property
    def _starts(self) -> Array:
        """Where the windows begin along an axis; ``ValueError`` if none fits."""
        return np.arange(pool_output_size(self.size, **self._settings)) * self.stride - self.padding

    @property
    def pixels(self) -> Array:
        """The input."""
        return make_image(self.image, self.size)

    @property
    def winners(self) -> Array:
        """The place of every window's maximum, counted along the rows of the input."""
        return max_pool2d(self.pixels[None, None], **self._settings, return_indices=True)[1][0, 0]

    @property
    def output(self) -> Array:
        """The largest number, or the mean, of every window; ``ValueError`` if none fits."""
        pool: Any = max_pool2d if self.kind == "max" else avg_pool2d
        return pool(self.pixels[None, None], **self._settings)[0, 0]

    @property
    def upstream(self) -> Array:
        """The gradient at the outputs: 1, 2, 3, …"""
        return np.arange(1, len(self._starts) ** 2 + 1).reshape(len(self._starts), -1)

    @property
    def gradient(self) -> Array:
        """The gradient at the input."""
        upstream, size = self.upstream[None, None], (self.size, self.size)
        if self.kind == "max":
            return max_pool2d_backward(upstream, self.winners[None, None], size)[0, 0]
        return avg_pool2d_backward(upstream, size, **self._settings)[0, 0]

    @property
    def unpooled(self) -> Array:
        """The maxima, put back where they were found."""
        maxima, places = self.output[None, None], self.winners[None, None]
        return max_unpool2d(maxima, places, self.kernel_size, self.stride, self.padding, self.size)[0, 0]

    @property
    def reads(self) -> Array:
        """How many windows every pixel lies in."""
        per_axis = [sum(start <= y < start + self.kernel_size for start in self._starts) for y in range(self.size)]
        return np.outer(per_axis, per_axis)

    def _chosen(self) -> tuple[int, int]:
        """The position, kept inside its grid, which other traits may have made smaller."""
        last = (self.size if self.side == "input" else len(self._starts)) - 1
        return min(self.position[0], last), min(self.position[1], last)

    def sentence(self) -> str:
        """What the chosen output or pixel is, and where its gradient goes or comes from."""
        try:
            return self._about_output() if self.side == "output" else self._about_pixel()
        except ValueError as error:
            return f"{str(error)[0].upper()}{str(error)[1:]}."

    def _about_output(self) -> str:
        place = self._chosen()
        value, gradient = self.output[place], self.upstream[place]
        starts = [self._starts[index] for index in place]
        window = self.pixels[tuple(slice(max(start, 0), start + self.kernel_size) for start in starts)]
        said = f"Output row {place[0] + 1}, column {place[1] + 1} is {about(value)}"
        if self.kind == "max":
            row, column = divmod(int(self.winners[place]), self.size)
            equals = int((window == value).sum())
            first = f" (the first of {equals} equal ones)" if equals > 1 else ""
            return (
                f"{said}, the largest of {counted(window.size, 'pixel')}{first}; "
                f"its gradient {gradient} goes whole to row {row + 1}, column {column + 1}."
            )
        # What hangs over the padding in ceil_mode does not count.
        high, wide = (min(start + self.kernel_size, self.size + self.padding) - start for start in starts)
        number = int(high * wide)
        padded = f", {number - window.size} of them padding" if number > window.size else ""
        return (
            f"{said}, the mean of {counted(number, 'number')}{padded}; "
            f"its gradient {gradient} is divided by {number}, and {about(gradient / number)} goes to each."
        )

    def _about_pixel(self) -> str:
        place = self._chosen()
        reads, gradient = int(self.reads[place]), self.gradient[place]
        said = f"Pixel row {place[0] + 1}, column {place[1] + 1} is {signed(self.pixels[place])}: "
        if not reads:
            return f"{said}no window reads it, so its gradient is 0."
        said += f"it lies in {counted(reads, 'window')}"
        if self.kind == "average":
            return f"{said} and its gradient is {about(gradient)}{', a share from each' if reads > 1 else ''}."
        won = int((self.winners == place[0] * self.size + place[1]).sum())
        return f"{said}, wins {won or 'none'}, and its gradient is {decimal(gradient)}."

    def facts(self) -> str:
        """How many pixels get a gradient, and what becomes of its sum; nothing if no window fits."""
        try:
            gradient, before = self.gradient, self.upstream.sum()
        except ValueError:
            return ""
        after = gradient.sum()
        lost = f"{about(before - after)} falls on the padding" if decimal(before - after) != "0" else "nothing is lost"
        return (
            f"{np.count_nonzero(gradient)} of {gradient.size} pixels get a gradient. Its sum is {decimal(before)} "
            f"at the output and {about(after)} at the input: {lost}."
        )

    def panels(self) -> list[Panel]:
        """Input and output, the gradient at both, and the unpooled maxima."""
        size, pixels = self.size, self.pixels
        try:
            output, upstream, gradient, starts = self.output, self.upstream, self.gradient, self._starts
        except ValueError:
            cells = [[Cell(signed(value), "input") for value in row] for row in pixels]
            return [Panel(f"Input {size} × {size}", "input", cells)]
        by_max, outputs, most = self.kind == "max", len(output), max(1, abs(pixels).max())
        won, reads = set(self.winners.ravel()) if by_max else set(), self.reads
        chosen, frames = self._chosen(), []
        if self.side == "output":
            frames = [Frame(chosen[0] * self.stride, chosen[1] * self.stride, self.kernel_size)]

        def pixel(r: int, c: int) -> Cell:
            if not (0 <= r < size and 0 <= c < size):
                return Cell("−∞" if by_max else "0" if max(r, c) < size + self.padding else "", "padding")
            value, unread = pixels[r, c], not reads[r, c]
            tint = 0 if unread else 0.3 * abs(value) / most
            return Cell(signed(value), "input", tint, strong=r * size + c in won, crossed=unread)

        def put_back(r: int, c: int) -> Cell:
            return Cell(signed(pixels[r, c]), "output") if r * size + c in won else Cell("0", "input")

        def grid(values: Array, role: str, marked: str) -> list[list[Cell]]:
            top, at = max(1, abs(values).max()), chosen if self.side == marked else None
            return [
                [Cell(decimal(v), role, 0.3 * abs(v) / top, strong=(r, c) == at) for c, v in enumerate(row)]
                for r, row in enumerate(values)
            ]

        end = max(size + self.padding, starts[-1] + self.kernel_size)
        around = range(-self.padding, end)
        shown = [
            Panel(f"Input {size} × {size}", "input", [[pixel(r, c) for c in around] for r in around], frames),
            Panel(f"Output {outputs} × {outputs}", "output", grid(output, "output", "output")),
            Panel("Gradient at output", "gradient", grid(upstream, "gradient", "output")),
            Panel("Gradient at input", "gradient", grid(gradient, "gradient", "input")),
        ]
        if by_max:
            shown.append(Panel("Unpooled", "output", [[put_back(r, c) for c in range(size)] for r in range(size)]))
        return shown
