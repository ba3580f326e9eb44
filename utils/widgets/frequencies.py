"""Pictures and spectra: what a kernel does to every wave; what leaving out pixels and putting in zeros does."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import traitlets
from numpy.typing import ArrayLike

from utils.functional import conv2d, max_pool2d
from utils.functional.columns import Array
from utils.widgets.examples import make_kernel
from utils.widgets.figure import Figure
from utils.widgets.raster import NONE, Raster, gray_levels, packed, signed_levels, unpacked
from utils.widgets.settings import check_controls, check_pixels
from utils.widgets.svg import Cell, Frame, Panel, counted, signed

SIDE = 64  # of the picture; its waves have up to 32 cycles
HALF = SIDE // 2
PICTURES = ("photo", "zone plate", "one wave")
OPERATIONS = ("convolution", "every second pixel", "largest of 2 × 2", "zeros between")
SPECTRAL_KERNELS = (
    "none", "mean of 2 × 2", "mean of 3 × 3", "mean of 4 × 4", "1 2 1", "vertical edge", "outline"
)  # fmt: skip
CONTROLS = ("picture", "operation", "kernel")


def spectral_kernel(name: str) -> Array:
    """The weights, whole numbers, of a kernel by its name in ``SPECTRAL_KERNELS``."""
    if name.startswith("mean"):
        return make_kernel("blur", int(name[-1]))
    if name == "1 2 1":
        return np.outer([1, 2, 1], [1, 2, 1])
    return np.ones((1, 1), int) if name == "none" else make_kernel(name, 3)


def around(kernel: Array, image: Array) -> Array:
    """The kernel's sum at every place of an image that goes on at the opposite side; even kernels reach up and left."""
    f = len(kernel)
    wrapped = np.pad(image, (f // 2, f - 1 - f // 2), mode="wrap")
    return conv2d(wrapped[None, None], kernel[None, None])[0, 0]


def spectrum_levels(image: Array) -> Array:
    """How light each wave's amplitude is drawn, on a logarithmic scale, the mean in the middle."""
    amplitude = abs(np.fft.fftshift(np.fft.fft2(image))) / image.size
    return gray_levels(np.log2(1 + 16 * amplitude), 11)


class Frequencies(Figure):
    """A picture and its spectrum, the kernel and what it multiplies each wave by, the result and its spectrum.

    ``image`` holds the gray values of the photo, (64, 64) in 0 … 1; the default is scikit-image's cameraman.
    ``picture`` is "photo", "zone plate" or "one wave", the chosen one. ``operation`` is "convolution", with the
    kernel; "every second pixel" or "largest of 2 × 2" of its result; or "zeros between", in place of three pixels of
    four, before it. ``kernel`` is "none", "mean of 2 × 2", … 3 × 3, … 4 × 4, "1 2 1", "vertical edge" or "outline".
    ``wave`` is the chosen one, its cycles (across, down) from −32 to 31. ``controls`` names what the reader can
    change, by default all.
    """

    name: ClassVar[str] = "frequencies"

    pixels = traitlets.Unicode().tag(sync=True)
    picture = traitlets.Enum(PICTURES, "photo").tag(sync=True)
    operation = traitlets.Enum(OPERATIONS, "convolution").tag(sync=True)
    kernel = traitlets.Enum(SPECTRAL_KERNELS, "mean of 3 × 3").tag(sync=True)
    wave = traitlets.List(traitlets.Int(min=-HALF, max=HALF - 1), [12, 0], minlen=2, maxlen=2).tag(sync=True)
    controls = traitlets.List(list(CONTROLS)).tag(sync=True)

    def __init__(self, image: ArrayLike | None = None, **traits: Any) -> None:
        """Take the photograph, then the other traits by keyword."""
        if "pixels" not in traits:
            traits["pixels"] = packed(_cameraman() if image is None else np.asarray(image, float), SIDE, SIDE)
        super().__init__(**traits)

    @traitlets.validate("pixels")
    def _valid_pixels(self, proposal: Any) -> Any:
        return check_pixels(proposal["value"], SIDE, SIDE)

    @traitlets.validate("controls")
    def _valid_controls(self, proposal: Any) -> Any:
        return check_controls(proposal["value"], CONTROLS)

    @property
    def thinned(self) -> bool:
        """Whether the result has half as many rows and columns."""
        return self.operation in OPERATIONS[1:3]

    @property
    def weights(self) -> Array:
        """The kernel, in whole numbers."""
        return spectral_kernel(self.kernel)

    @property
    def source(self) -> Array:
        """The picture that the kernel meets: gray values, 0 … 255."""
        y, x = np.indices((SIDE, SIDE))
        if self.picture == "photo":
            values = unpacked(self.pixels)
        elif self.picture == "one wave":
            across, down = self.wave
            values = _shade((2 * (across * x + down * y)) % (2 * SIDE))
        else:
            values = _shade(((x - HALF) ** 2 + (y - HALF) ** 2) % (2 * SIDE))
        between = (self.operation == "zeros between") & ((x % 2 == 1) | (y % 2 == 1))
        return np.where(between, 0, values)

    @property
    def result(self) -> Array:
        """What comes out, as sums of whole numbers: (64, 64), or (32, 32)."""
        sums = around(self.weights, self.source)
        if self.operation == "every second pixel":
            return sums[::2, ::2]
        if not self.thinned:
            return sums
        pooled = max_pool2d(sums[None, None], 2)
        assert isinstance(pooled, np.ndarray)  # no indices were asked for
        return pooled[0, 0]

    @property
    def levels(self) -> Array:
        """How light each number of the result is drawn; zeros put in would darken it, were they not made up for."""
        total = int(self.weights.sum())
        if not total:
            return signed_levels(self.result)
        spread = self.operation == "zeros between" and self.kernel != "none"
        return gray_levels(self.result * (4 if spread else 1), 255 * total)

    @property
    def gains(self) -> Array:
        """By how much the kernel multiplies the amplitude of each wave, [down + 32, across + 32]."""
        total = max(1, int(self.weights.sum()))
        return abs(np.fft.fftshift(np.fft.fft2(self.weights, (SIDE, SIDE)))) / total

    @property
    def spectra(self) -> list[Array]:
        """Levels of the source's spectrum, of the gains, and of the result's spectrum where its waves would lie."""
        scale = max(1, int(self.weights.sum())) / (4 if self.operation == "zeros between" else 1)
        after = spectrum_levels(self.result / scale)
        if self.thinned:
            after = np.pad(after, HALF // 2, constant_values=NONE)
        return [spectrum_levels(self.source), gray_levels(self.gains / self.gains.max(), 1), after]

    def gain(self, across: int, down: int) -> str:
        """By how much the kernel multiplies a wave, to two decimals."""
        value = self.gains[(down + HALF) % SIDE, (across + HALF) % SIDE]
        return f"{int(100 * value + 0.5 + 1e-9) / 100:g}"

    def sentence(self) -> str:
        """What becomes of the chosen wave."""
        across, down = self.wave
        name, gain = f"The wave with {_cycles(across, down)}", self.gain(across, down)
        if self.operation == "zeros between":
            copies = [self.gain(across + right, down + low) for low in (0, HALF) for right in (0, HALF)]
            return (
                f"{name} comes out of the zeros four times; "
                f"the kernel multiplies the four by {', '.join(copies[:3])} and {copies[3]}."
            )
        if self.operation == "largest of 2 × 2":
            return f"{name} is multiplied by {gain}; then comes a maximum, which multiplies no wave: it mixes them."
        if self.operation == "convolution":
            return f"{name} is multiplied by {gain}."
        alias = [(cycles + HALF // 2) % HALF - HALF // 2 for cycles in self.wave]
        if alias == self.wave:
            return f"{name} is multiplied by {gain}, and every second pixel still shows it."
        if gain == "0":
            return f"{name} is multiplied by 0: every second pixel has nothing to mistake."
        return f"{name} is multiplied by {gain}; every second pixel shows it as one with {_cycles(*alias)}."

    def panels(self) -> list[Panel]:
        """The picture, the kernel and the result; below, the spectrum, the gains, and the result's spectrum."""
        small, (across, down) = 208, self.wave
        mark = (down + HALF - 1, across + HALF - 1, 3)
        weights = [[Cell(signed(weight), "kernel") for weight in row] for row in self.weights.tolist()]
        before, gains, after = (Raster(levels, mark, width=small) for levels in self.spectra)
        made = Raster(self.levels, signed=not self.weights.sum(), width=small)
        return [
            Panel(f"Picture {SIDE} × {SIDE}", "input", raster=Raster(self.source, width=small)),
            Panel(_kernel_heading(self.weights), "kernel", weights, [Frame(0, 0, len(weights))]),
            Panel(f"Result {len(self.result)} × {len(self.result)}", "output", raster=made),
            Panel("Its waves", "input", raster=before),
            Panel(f"Multiplied by 0 … {self.gains.max():.3g}", "kernel", raster=gains),
            Panel("Its waves", "output", raster=after),
        ]


def _shade(phase: Array) -> Array:
    """A cosine as gray values; the phase is counted in 128ths of a cycle."""
    return np.floor(128.5 + 126 * np.cos(np.pi * phase / SIDE)).astype(int)


def _cycles(across: int, down: int) -> str:
    return f"{counted(across, 'cycle')} across and {signed(down)} down"


def _kernel_heading(weights: Array) -> str:
    if len(weights) == 1:
        return "No kernel"
    return f"Kernel, divided by {weights.sum()}" if weights.sum() else "Kernel"


def _cameraman() -> Array:
    from utils.datasets import photo  # and scikit-image with it: only who needs the picture

    return photo("camera", size=SIDE, gray=True)[0]
