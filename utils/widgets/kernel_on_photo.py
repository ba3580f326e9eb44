"""A kernel lies on a photograph: the patch under it, the sum of its products, and the map of all sums."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import traitlets
from numpy.typing import ArrayLike

from utils.functional import conv2d
from utils.functional.columns import Array
from utils.widgets.examples import PHOTO_KERNELS, make_kernel
from utils.widgets.figure import Figure
from utils.widgets.raster import NONE, Raster, gray_levels, packed, signed_levels, unpacked
from utils.widgets.settings import check_pixels, check_position
from utils.widgets.svg import Cell, Frame, Panel, counted, signed

LEAST, MOST = 8, 96  # pixels along a side


class KernelOnPhoto(Figure):
    """A 3 × 3 kernel that is dragged over a photograph, or swept.

    ``image`` holds the gray values of a square, (side, side) of 8 to 96 in 0 … 1; the default is scikit-image's cat
    with 64. ``kernel`` is one of "vertical edge", "horizontal edge", "outline", "blur", "sharpen" or "identity";
    ``position`` is the output (row, column) shown first, from 0; ``drawn`` is how many outputs the map shows, in
    reading order, by default all. The image travels as ``pixels``: its bytes row by row, in base64.
    """

    name: ClassVar[str] = "kernel_on_photo"

    pixels = traitlets.Unicode().tag(sync=True)
    kernel = traitlets.Enum(PHOTO_KERNELS, "vertical edge").tag(sync=True)
    position = traitlets.List([0, 0]).tag(sync=True)
    drawn = traitlets.Int(MOST**2, min=0, max=MOST**2).tag(sync=True)

    def __init__(self, image: ArrayLike | None = None, **traits: Any) -> None:
        """Take the photograph, then the other traits by keyword."""
        if "pixels" not in traits:
            traits["pixels"] = packed(_cat() if image is None else np.asarray(image, float), LEAST, MOST)
        super().__init__(**traits)

    @traitlets.validate("pixels")
    def _valid_pixels(self, proposal: Any) -> Any:
        return check_pixels(proposal["value"], LEAST, MOST)

    @traitlets.validate("position")
    def _valid_position(self, proposal: Any) -> Any:
        return check_position(proposal["value"], "an output's")

    @property
    def image(self) -> Array:
        """The gray values, 0 … 255."""
        return unpacked(self.pixels)

    @property
    def weights(self) -> Array:
        """The kernel."""
        return make_kernel(self.kernel, 3)

    @property
    def output(self) -> Array:
        """Every sum."""
        return conv2d(self.image[None, None], self.weights[None, None])[0, 0]

    @property
    def levels(self) -> Array:
        """How light each sum is drawn: sums of weights that cancel have a sign, others are means."""
        total = int(self.weights.sum())
        return gray_levels(self.output, 255 * total) if total else signed_levels(self.output)

    def _place(self) -> tuple[int, int]:
        last = len(self.output) - 1
        return min(self.position[0], last), min(self.position[1], last)

    def sentence(self) -> str:
        """The sum at the position."""
        row, column = self._place()
        total = signed(self.output[row, column])
        return f"Row {row + 1}, column {column + 1} of the map: the nine products add up to {total}."

    def panels(self) -> list[Panel]:
        """The photograph with the kernel on it, the map, and the patch with its weights."""
        image, output, weights, (row, column) = self.image, self.output, self.weights, self._place()
        patch = image[row : row + 3, column : column + 3]
        cells = [
            [Cell(str(patch[r, c]), "input", 0.3 * patch[r, c] / 255, signed(weights[r, c])) for c in range(3)]
            for r in range(3)
        ]
        number = np.arange(output.size).reshape(output.shape)
        part = f", {counted(self.drawn, 'sum')} so far" if self.drawn < output.size else ""
        return [
            Panel(f"Photograph {len(image)} × {len(image)}", "input", raster=Raster(image, (row, column, 3))),
            Panel(
                f"Map {len(output)} × {len(output)}{part}",
                "output",
                raster=Raster(
                    np.where(number < self.drawn, self.levels, NONE), (row - 1, column - 1, 3), not weights.sum()
                ),
            ),
            Panel("Under the kernel", "kernel", cells, [Frame(0, 0, 3)]),
        ]


def _cat() -> Array:
    from utils.datasets import photo  # and scikit-image with it: only who needs the cat

    return photo("chelsea", size=64, gray=True)[0]
