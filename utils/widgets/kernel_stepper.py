"""A kernel steps over a small image: every product, the sum, and the pixels that no position reads."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import traitlets

from utils.arithmetic import conv_output_size
from utils.functional import conv2d
from utils.functional.columns import Array
from utils.widgets.examples import IMAGES, KERNELS, make_image, make_kernel
from utils.widgets.figure import Figure
from utils.widgets.settings import check_controls, check_position
from utils.widgets.svg import Cell, Frame, Panel, counted, signed

CONTROLS = ("size", "kernel_size", "stride", "padding", "dilation", "image", "kernel", "flip")


class KernelStepper(Figure):
    """One kernel over one image, position by position, with every argument on a slider.

    ``controls`` names the traits that the reader can change, by default all; without "size" the arithmetic of sizes
    is not told either.
    ``image`` is one of "edge", "corner", "spot" or "counting"; ``kernel`` one of "vertical edge", "blur", "sharpen",
    "identity" or "counting", or a square of your own integers from −9 to 9; ``position`` is the output (row, column)
    shown first, from 0. A kernel that does not fit is no error here: the figure says why.
    """

    name: ClassVar[str] = "kernel_stepper"

    size = traitlets.Int(7, min=3, max=10).tag(sync=True)
    kernel_size = traitlets.Int(3, min=1, max=5).tag(sync=True)
    stride = traitlets.Int(1, min=1, max=4).tag(sync=True)
    padding = traitlets.Int(0, min=0, max=4).tag(sync=True)
    dilation = traitlets.Int(1, min=1, max=3).tag(sync=True)
    flip = traitlets.Bool(False).tag(sync=True)
    image = traitlets.Enum(IMAGES, "edge").tag(sync=True)
    kernel = traitlets.Any("vertical edge").tag(sync=True)
    position = traitlets.List([0, 0]).tag(sync=True)
    controls = traitlets.List(list(CONTROLS)).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        """Take the traits by keyword; ``kernel_size`` follows from a kernel of your own."""
        kernel = traits.get("kernel")
        if kernel is not None and not isinstance(kernel, str):
            traits["kernel"] = [[int(weight) for weight in row] for row in kernel]
            traits.setdefault("kernel_size", len(traits["kernel"]))
        super().__init__(**traits)

    @traitlets.validate("kernel")
    def _valid_kernel(self, proposal: Any) -> Any:
        kernel = proposal["value"]
        if isinstance(kernel, str):
            if kernel not in KERNELS:
                raise traitlets.TraitError(f"kernel must be one of {', '.join(KERNELS)}, got {kernel!r}")
        elif any(len(row) != len(kernel) for row in kernel) or not 1 <= len(kernel) <= 5:
            raise traitlets.TraitError(f"kernel must be a square of 1 to 5 rows, got rows of {[*map(len, kernel)]}")
        elif any(not -9 <= weight <= 9 for row in kernel for weight in row):
            raise traitlets.TraitError(f"kernel must hold integers from -9 to 9, got {kernel}")
        return kernel

    @traitlets.validate("position")
    def _valid_position(self, proposal: Any) -> Any:
        return check_position(proposal["value"], "an output's")

    @traitlets.validate("controls")
    def _valid_controls(self, proposal: Any) -> Any:
        return check_controls(proposal["value"], CONTROLS)

    @property
    def weights(self) -> Array:
        """The kernel as it lies on the image: turned by half a turn if ``flip`` is set."""
        # While the slider moves on, a kernel of one's own size gives way to the first preset.
        own = isinstance(self.kernel, list) and len(self.kernel) == self.kernel_size
        name = self.kernel if isinstance(self.kernel, str) else KERNELS[0]
        weights = np.array(self.kernel) if own else make_kernel(name, self.kernel_size)
        return weights[::-1, ::-1] if self.flip else weights

    @property
    def pixels(self) -> Array:
        """The image."""
        return make_image(self.image, self.size)

    @property
    def output(self) -> Array:
        """Every sum; ``ValueError`` if the kernel does not fit."""
        x, weight = self.pixels[None, None], self.weights[None, None]
        return conv2d(x, weight, None, self.stride, self.padding, self.dilation)[0, 0]

    @property
    def unread(self) -> list[int]:
        """The rows (and as many columns) of the image that no position of the kernel touches."""
        starts = range(conv_output_size(self.size, self.kernel_size, self.stride, self.padding, self.dilation))
        taps = range(self.kernel_size)
        read = {start * self.stride - self.padding + tap * self.dilation for start in starts for tap in taps}
        return [index for index in range(self.size) if index not in read]

    def _place(self) -> tuple[int, int]:
        """The position, kept inside the output, which other traits may have made smaller."""
        last = len(self.output) - 1
        return min(self.position[0], last), min(self.position[1], last)

    def sentence(self) -> str:
        """The output at the position, and what no position reads."""
        try:
            output, unread = self.output, len(self.unread)
        except ValueError as error:
            return f"{str(error)[0].upper()}{str(error)[1:]}."
        row, column = self._place()
        lost = f"{counted(unread, 'row')} and {counted(unread, 'column')} of the input are never read"
        return (
            f"Output row {row + 1}, column {column + 1} of {len(output)} × {len(output)} is "
            f"{signed(output[row, column])}; {lost if unread else 'every pixel is read'}."
        )

    def panels(self) -> list[Panel]:
        """Input with the kernel on it, kernel, output."""
        try:
            output = self.output
        except ValueError:
            output = np.empty((0, 0), int)
        size, pixels, weights, spread = self.size, self.pixels, self.weights, self.dilation
        at: dict[tuple[int, int], int] = {}
        frames: list[Frame] = []
        unread: list[int] = []
        if output.size:
            top, left = (index * self.stride for index in self._place())
            at = {(top + r * spread, left + c * spread): int(w) for (r, c), w in np.ndenumerate(weights)}
            frames = [Frame(top, left, spread * (len(weights) - 1) + 1, thin=spread > 1)]
            frames += [Frame(*place, 1) for place in at if spread > 1]
            unread = self.unread

        def cell(r: int, c: int) -> Cell:
            corner = signed(at[r, c]) if (r, c) in at else ""
            y, x = r - self.padding, c - self.padding
            if not (0 <= y < size and 0 <= x < size):
                return Cell("0", "padding", corner=corner)
            lost = y in unread or x in unread
            return Cell(
                str(pixels[y, x]),
                "input",
                0 if lost else 0.3 * pixels[y, x] / max(1, pixels.max()),
                corner,
                crossed=lost,
            )

        full = range(size + 2 * self.padding)
        most, chosen = max(1, abs(output).max(initial=1)), self._place() if output.size else None
        outputs = [
            [Cell(signed(v), "output", 0.3 * abs(v) / most, strong=(r, c) == chosen) for c, v in enumerate(row)]
            for r, row in enumerate(output)
        ]
        kernel = [[Cell(signed(w), "kernel") for w in row] for row in weights]
        return [
            Panel(f"Input {size} × {size}", "input", [[cell(r, c) for c in full] for r in full], frames),
            Panel(f"Kernel {len(weights)} × {len(weights)}", "kernel", kernel, [Frame(0, 0, len(weights))]),
            Panel(f"Output {len(output)} × {len(output)}" if output.size else "No output", "output", outputs),
        ]
