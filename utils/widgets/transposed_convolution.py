"""A transposed convolution: every pixel lays down a copy of the kernel, or a kernel slides over pixels among zeros."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import traitlets

from utils.arithmetic import conv_transpose_output_size
from utils.functional import conv_transpose2d
from utils.functional.columns import Array
from utils.widgets.figure import Figure
from utils.widgets.svg import Cell, Frame, Panel, counted, signed

VIEWS = ("scatter", "insert zeros", "count copies")


class TransposedConvolution(Figure):
    """One small image made larger, seen in three ways.

    ``view`` "scatter" lays down the copies of the kernel pixel by pixel, "insert zeros" shows the same numbers from a
    turned kernel that slides over the pixels with zeros between them, "count copies" how many copies cover each
    output. ``image`` is "digits", "one pixel" or "ones", ``kernel`` "counting" (1, 2, 3, …) or "ones". ``position``
    is the (row, column), from 0, of an output, or for "scatter" of the last pixel that has laid down its copy;
    ``asked`` is the output whose terms "scatter" lists, or nothing.
    """

    name: ClassVar[str] = "transposed_convolution"

    size = traitlets.Int(3, min=1, max=4).tag(sync=True)
    kernel_size = traitlets.Int(3, min=1, max=4).tag(sync=True)
    stride = traitlets.Int(2, min=1, max=3).tag(sync=True)
    padding = traitlets.Int(0, min=0, max=3).tag(sync=True)
    output_padding = traitlets.Int(0, min=0, max=2).tag(sync=True)
    image = traitlets.Enum(("digits", "one pixel", "ones"), "digits").tag(sync=True)
    kernel = traitlets.Enum(("counting", "ones"), "counting").tag(sync=True)
    view = traitlets.Enum(VIEWS, "scatter").tag(sync=True)
    position = traitlets.List(traitlets.Int(min=0), [0, 0], minlen=2, maxlen=2).tag(sync=True)
    asked = traitlets.List(traitlets.Int(min=0), []).tag(sync=True)

    @traitlets.validate("asked")
    def _valid_asked(self, proposal: Any) -> Any:
        if len(proposal["value"]) not in (0, 2):
            raise traitlets.TraitError(f"asked must be an output's (row, column) or empty, got {proposal['value']}")
        return proposal["value"]

    @property
    def pixels(self) -> Array:
        """The input."""
        n = self.size
        digits = (7 * np.arange(n * n).reshape(n, n) + 3) % 10
        middle = np.zeros((n, n), int)
        middle[(n - 1) // 2, (n - 1) // 2] = 1
        return {"digits": digits, "one pixel": middle, "ones": np.ones((n, n), int)}[self.image]

    @property
    def weights(self) -> Array:
        """The kernel."""
        k = self.kernel_size
        return np.ones((k, k), int) if self.kernel == "ones" else np.arange(1, k * k + 1).reshape(k, k)

    def _spread(self, pixels: Array, weights: Array, padding: int) -> Array:
        return conv_transpose2d(
            pixels[None, None], weights[None, None], None, self.stride, padding, self.output_padding
        )[0, 0]

    @property
    def output(self) -> Array:
        """What comes out; ``ValueError`` if nothing does."""
        return self._spread(self.pixels, self.weights, self.padding)

    @property
    def copies(self) -> Array:
        """How many copies of the kernel cover each output."""
        return self._spread(np.ones_like(self.pixels), np.ones_like(self.weights), self.padding)

    @property
    def so_far(self) -> Array:
        """The sum of the copies laid down up to ``position``, cropped cells too; masked where none lies yet."""
        row, column = self._place(0)
        down = np.arange(self.size**2).reshape(self.size, -1) <= row * self.size + column
        touched = self._spread(down * 1, np.ones_like(self.weights), 0) > 0
        return np.ma.array(self._spread(self.pixels * down, self.weights, 0), mask=~touched)

    def _terms(self, row: int, column: int) -> tuple[list[str], int]:
        """The products that make an output, of the copies laid down so far; and how many are still to come."""
        k, s, p, n = self.kernel_size, self.stride, self.padding, self.size
        last = self._place(0)
        terms, to_come = [], 0
        for i, j in np.ndindex(n, n):
            r, c = row + p - i * s, column + p - j * s
            if not (0 <= r < k and 0 <= c < k):
                continue
            if (i, j) > last:
                to_come += 1
            else:
                terms.append(f"{int(self.pixels[i, j])}·{int(self.weights[r, c])}")
        return terms, to_come

    def _answer(self, size: int) -> str:
        """What has made the output that is asked for."""
        if not self.asked:
            return ""
        row, column = (min(index, size - 1) for index in self.asked)
        terms, to_come = self._terms(row, column)
        value = int(self.so_far[row + self.padding, column + self.padding]) if terms else 0
        made = f"{' + '.join(terms)} = {signed(value)}" if terms else "nothing"
        rest = f", {counted(to_come, 'term')} to come" if to_come else ""
        return f" Output row {row + 1}, column {column + 1}: {made}{rest}."

    def _place(self, size: int) -> tuple[int, int]:
        """The position inside a grid of ``size``, which other traits may have made smaller."""
        grid = self.size if self.view == "scatter" else size
        return min(self.position[0], grid - 1), min(self.position[1], grid - 1)

    def _reads(self, index: int) -> range:
        """The places from which an output reads along one axis, counted in pixels with zeros between them."""
        first = index + self.padding - self.kernel_size + 1
        return range(first, first + self.kernel_size)

    def _pixel(self, place: int) -> int | None:
        """The pixel at a place among the zeros, or None."""
        index, rest = divmod(place, self.stride)
        return index if rest == 0 and 0 <= index < self.size else None

    def sentence(self) -> str:
        """What the chosen pixel or output does."""
        k, s, p = self.kernel_size, self.stride, self.padding
        try:
            size = conv_transpose_output_size(self.size, k, s, p, self.output_padding)
        except ValueError as error:
            return f"{str(error)[0].upper()}{str(error)[1:]}."
        row, column = self._place(size)
        where = f"row {row + 1}, column {column + 1}"
        if self.view == "scatter":
            kept = [sum(0 <= index * s + tap - p < size for tap in range(k)) for index in (row, column)]
            lost = k * k - kept[0] * kept[1]
            cropped = f", {lost} of them cropped" if lost else ""
            pixel = signed(self.pixels[row, column])
            copy = f"Pixel {where} is {pixel}: it adds {pixel} times the kernel to {counted(k * k, 'cell')}{cropped}."
            return copy + self._answer(size)
        if self.view == "insert zeros":
            met = [sum(self._pixel(place) is not None for place in self._reads(index)) for index in (row, column)]
            value, pixels = signed(self.output[row, column]), met[0] * met[1]
            return f"Output {where} is {value}: the turned kernel meets {counted(pixels, 'pixel')} among the zeros."
        copies = self.copies
        spread = f"{copies.min()} everywhere" if copies.min() == copies.max() else f"{copies.min()} to {copies.max()}"
        number = int(copies[row, column])
        return (
            f"Output {where} lies under {number} {'copy' if number == 1 else 'copies'} of the kernel; "
            f"the count over all outputs is {spread}."
        )

    def panels(self) -> list[Panel]:
        """Input or what the kernel slides over, kernel, and the output with the cells that are cropped."""
        try:
            output = self.output
        except ValueError:
            return [self._input()]
        turned = self.view == "insert zeros"
        k, (row, column) = self.kernel_size, self._place(len(output))
        laid = self.weights[::-1, ::-1] if turned else self.weights
        kernel = [[Cell(str(w), "kernel") for w in line] for line in laid.tolist()]
        chosen = (row, column) if self.view == "scatter" else None
        return [
            self._among_zeros(len(output), row, column) if turned else self._input(chosen),
            Panel(f"Kernel {k} × {k}" + (", turned" if turned else ""), "kernel", kernel, [Frame(0, 0, k)]),
            self._made(output, row, column),
        ]

    def _input(self, chosen: tuple[int, int] | None = None) -> Panel:
        cells = [
            [Cell(str(v), "input", 0.03 * v, strong=(r, c) == chosen) for c, v in enumerate(line)]
            for r, line in enumerate(self.pixels.tolist())
        ]
        return Panel(f"Input {self.size} × {self.size}", "input", cells)

    def _among_zeros(self, size: int, row: int, column: int) -> Panel:
        """The pixels among the zeros over which the turned kernel slides, to the output at (row, column)."""
        pixels, turned, k = self.pixels, self.weights[::-1, ::-1], self.kernel_size
        rows, columns = self._reads(row), self._reads(column)

        def source(r: int, c: int) -> Cell:
            y, x = self._pixel(r), self._pixel(c)
            weight = turned[r - rows[0], c - columns[0]] if r in rows and c in columns else ""
            if y is None or x is None:
                return Cell("0", "padding", corner=str(weight))
            return Cell(str(pixels[y, x]), "input", 0.03 * pixels[y, x], str(weight))

        around = range(self.padding - k + 1, self.padding + size)
        cells = [[source(r, c) for c in around] for r in around]
        return Panel("Pixels among zeros", "input", cells, [Frame(row, column, k)])

    def _made(self, output: Array, row: int, column: int) -> Panel:
        """The output, as far as it is laid down in "scatter", with what is cropped; or how many copies lie on it."""
        size, k, s, p = len(output), self.kernel_size, self.stride, self.padding
        scatter, pixels, weights = self.view == "scatter", self.pixels, self.weights
        shown = self.copies if self.view == "count copies" else output
        most, so_far = max(1, shown.max()), self.so_far
        asked = tuple(min(index, size - 1) for index in self.asked)

        def made(r: int, c: int) -> Cell:
            y, x = r - p, c - p
            corner = ""
            if scatter and 0 <= r - row * s < k and 0 <= c - column * s < k:
                corner = signed(pixels[row, column] * weights[r - row * s, c - column * s])
            inside = 0 <= y < size and 0 <= x < size
            if scatter:
                value = so_far[r, c] if so_far[r, c] is not np.ma.masked else None
                text, tint = ("", 0) if value is None else (signed(value), 0.3 * value / most if inside else 0)
                return Cell(text, "output" if inside else "padding", tint, corner, strong=(y, x) == asked)
            return Cell(signed(shown[y, x]), "output", 0.3 * shown[y, x] / most, strong=(y, x) == (row, column))

        full = range(len(so_far)) if scatter else range(p, p + size)
        title = "Copies on each output" if self.view == "count copies" else f"Output {size} × {size}"
        title += " so far" if scatter and (row, column) < (self.size - 1,) * 2 else ""
        title += f", cropped by {p} on every side" if scatter and p else ""
        frames = [Frame(row * s, column * s, k)] if scatter else []
        return Panel(title, "output", [[made(r, c) for c in full] for r in full], frames)
