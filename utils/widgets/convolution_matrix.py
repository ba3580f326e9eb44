"""A convolution is one matrix: each row of M is one output, each column one pixel, and the weights repeat."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import traitlets

from utils.functional import conv2d
from utils.functional.columns import Array
from utils.widgets.figure import Figure
from utils.widgets.svg import Cell, Frame, Panel, counted, signed


class ConvolutionMatrix(Figure):
    """A small grid, a kernel and the matrix that the convolution is, linked.

    The kernel holds 1, 2, 3, …, so that every entry of M names its weight. ``side`` and ``index`` say what is
    chosen: an "output" (a row of M) or an "input" pixel (a column), from 0 in reading order. ``transposed`` shows Mᵀ.
    """

    name: ClassVar[str] = "convolution_matrix"

    size = traitlets.Int(4, min=3, max=6).tag(sync=True)
    kernel_size = traitlets.Int(3, min=1, max=4).tag(sync=True)
    stride = traitlets.Int(1, min=1, max=3).tag(sync=True)
    padding = traitlets.Int(0, min=0, max=2).tag(sync=True)
    transposed = traitlets.Bool(False).tag(sync=True)
    side = traitlets.Enum(("output", "input"), "output").tag(sync=True)
    index = traitlets.Int(0, min=0).tag(sync=True)

    @property
    def pixels(self) -> Array:
        """The image: digits in no order."""
        return ((7 * np.arange(self.size**2) + 3) % 10).reshape(self.size, self.size)

    @property
    def weights(self) -> Array:
        """The kernel: 1, 2, 3, … in reading order."""
        return np.arange(1, self.kernel_size**2 + 1).reshape(self.kernel_size, self.kernel_size)

    @property
    def matrix(self) -> Array:
        """M, one row per output and one column per pixel; ``ValueError`` if the kernel does not fit."""
        # Column i is what the convolution makes of an image with a 1 at pixel i and nothing else.
        images = np.eye(self.size**2, dtype=int).reshape(-1, 1, self.size, self.size)
        columns = conv2d(images, self.weights[None, None], None, self.stride, self.padding)
        return columns.reshape(self.size**2, -1).T

    def _chosen(self, matrix: Array) -> int:
        """The index, kept inside the grid, which other traits may have made smaller."""
        return min(self.index, matrix.shape[self.side == "input"] - 1)

    def sentence(self) -> str:
        """What the chosen row or column of the matrix does."""
        try:
            matrix = self.matrix
        except ValueError as error:
            return f"{str(error)[0].upper()}{str(error)[1:]}."
        index, x = self._chosen(matrix), self.pixels.ravel()
        y = matrix @ x
        line = matrix[index] if self.side == "output" else matrix[:, index]
        weights = line[line != 0]
        size = int(len(y) ** 0.5) if self.side == "output" else self.size
        where = f"row {index // size + 1}, column {index % size + 1}"
        pixels = counted(len(weights), "pixel")
        if self.side == "output" and self.transposed:
            return f"Column {index + 1} of Mᵀ spreads output {where}, which is {signed(y[index])}, over {pixels}."
        if self.side == "output":
            return (
                f"Row {index + 1} of M computes output {where}: "
                f"{pixels} times {counted(len(weights), 'weight')} is {signed(y[index])}."
            )
        if self.transposed:
            back = (matrix.T @ y)[index]
            verdict = "as it was" if back == x[index] else f"not as {x[index]}: Mᵀ is not an inverse"
            return f"Row {index + 1} of Mᵀ brings pixel {where} back as {signed(back)}, {verdict}."
        through = f", through weight{'s' * (len(weights) > 1)} {', '.join(map(str, weights))}" if len(weights) else ""
        return f"Column {index + 1} of M: pixel {where} feeds {len(weights)} of {counted(len(y), 'output')}{through}."

    def panels(self) -> list[Panel]:
        """Input, kernel, output and the matrix under the image laid flat."""
        try:
            matrix = self.matrix
        except ValueError:
            return [
                Panel(f"Input {self.size} × {self.size}", "input", [self._row(row, "input") for row in self.pixels])
            ]
        pixels, index = self.pixels, self._chosen(matrix)
        y = matrix @ pixels.ravel()
        outputs = int(len(y) ** 0.5)
        chosen = index if self.side == "output" else None
        taps: dict[int, int] = (
            {} if chosen is None else {int(i): int(matrix[chosen, i]) for i in matrix[chosen].nonzero()[0]}
        )
        n, pad = self.size, self.padding

        def cell(r: int, c: int) -> Cell:
            if not (0 <= r < n and 0 <= c < n):
                return Cell("0", "padding")
            return Cell(str(pixels[r, c]), "input", 0.03 * pixels[r, c], str(taps.get(r * n + c, "")))

        around = range(-pad, n + pad)
        patch = []
        if chosen is not None:
            top, left = divmod(chosen, outputs)
            patch = [Frame(top * self.stride, left * self.stride, self.kernel_size)]
        made = [
            Cell(signed(v), "output", 0.3 * v / max(1, y.max()), strong=i == chosen) for i, v in enumerate(y.tolist())
        ]
        shown, vector = (matrix.T, made) if self.transposed else (matrix, self._row(pixels.ravel(), "input"))
        rows = [[Cell(str(w or "·"), "kernel", 0.4 * w / self.weights.size) for w in row] for row in shown.tolist()]
        return [
            Panel(f"Input x, {n} × {n}", "input", [[cell(r, c) for c in around] for r in around], patch),
            Panel(
                f"Kernel {self.kernel_size} × {self.kernel_size}",
                "kernel",
                [[Cell(str(w), "kernel", 0.4 * w / self.weights.size) for w in row] for row in self.weights.tolist()],
                [Frame(0, 0, self.kernel_size)],
            ),
            Panel(
                f"Output y = Mx, {outputs} × {outputs}",
                "output",
                [made[i : i + outputs] for i in range(0, len(y), outputs)],
            ),
            Panel(
                "Mᵀ under y laid flat" if self.transposed else "M under x laid flat",
                "kernel",
                [vector, *rows],
            ),
        ]

    @staticmethod
    def _row(values: Any, role: str) -> list[Cell]:
        return [Cell(str(value), role, 0.03 * value) for value in values.tolist()]
