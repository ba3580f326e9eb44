"""Draw a digit, and see every layer of LeNet-5 read it: maps, probabilities, and what lies behind a unit."""

from __future__ import annotations

import base64
import binascii
import json
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
import traitlets
from numpy.typing import ArrayLike

from utils.functional.columns import Array
from utils.widgets import lenet
from utils.widgets.figure import Figure
from utils.widgets.lenet import LAYERS, SIDE
from utils.widgets.raster import NONE, Raster, gray_levels
from utils.widgets.svg import Panel, percent

FILE = Path(__file__).with_suffix(".json")
INK = 15  # a drawing's pixels are 0 … 15, two to a byte
DIGIT = SIDE**2 + 1  # bytes of a test digit: its label, and its pixels


class Network(Protocol):
    """A PyTorch module."""

    def state_dict(self) -> dict[str, Any]:
        """Its tensors by name."""


class Behind(NamedTuple):
    """What a unit is computed from: numbers that it reads and a weight for each (maps, rows, columns), and its bias."""

    reads: Array
    weights: Array
    bias: float


class DrawDigit(Figure):
    """LeNet-5 of chapter 7 reads what is drawn.

    ``network`` is a LeNet-5 of your own, as ``utils.models.lenet5`` builds it; the default learned as in the chapter.
    Its weights are rounded to 8 bits. ``digit`` chooses one of the 30 test digits; ``image``, gray values (28, 28) in
    0 … 1, stands in its place. It travels as ``drawing``: pixels of 0 … 15, two to a byte, in base64. ``centre`` moves
    the middle of its mass to where MNIST has it; then it is turned by ``turn`` degrees clockwise, made thicker or
    thinner by ``thickness`` halves of a pixel, and moved by ``down`` and ``right`` pixels. ``layer`` is one of C1, S2,
    C3, S4, C5, F6 and scores; ``unit`` is its unit that is explained, (map, row, column) from 0.
    """

    name: ClassVar[str] = "draw_digit"

    weights = traitlets.Unicode().tag(sync=True)
    digits = traitlets.Unicode().tag(sync=True)
    digit = traitlets.Int(0, min=0, max=29).tag(sync=True)
    drawing = traitlets.Unicode().tag(sync=True)
    centre = traitlets.Bool(True).tag(sync=True)
    turn = traitlets.Int(0, min=-180, max=180).tag(sync=True)
    thickness = traitlets.Int(0, min=-4, max=4).tag(sync=True)
    down = traitlets.Int(0, min=-8, max=8).tag(sync=True)
    right = traitlets.Int(0, min=-8, max=8).tag(sync=True)
    layer = traitlets.Enum(tuple(LAYERS), "C1").tag(sync=True)
    unit = traitlets.List(traitlets.Int(min=0), [0, 12, 12], minlen=3, maxlen=3).tag(sync=True)

    def __init__(self, network: Network | None = None, image: ArrayLike | None = None, **traits: Any) -> None:
        """Take the network, a drawing as an image, then the other traits by keyword."""
        if network is not None:
            traits["weights"] = lenet.packed_network([tensor.numpy() for tensor in network.state_dict().values()])
        if image is not None:
            traits["drawing"] = _drawn(np.asarray(image, float))
        super().__init__(**{"weights": stored()["weights"], "digits": stored()["digits"], **traits})

    @traitlets.validate("weights")
    def _valid_weights(self, proposal: Any) -> Any:
        try:
            lenet.unpacked_network(proposal["value"])
        except ValueError as error:  # as base64's is
            raise traitlets.TraitError(f"weights: {error}") from None
        return proposal["value"]

    @traitlets.validate("digits")
    def _valid_digits(self, proposal: Any) -> Any:
        data = _bytes("digits", proposal["value"])
        if len(data) != 30 * DIGIT or max(data[::DIGIT]) > 9:
            raise traitlets.TraitError(f"digits must be 30 labels 0 … 9 with 784 pixels each, got {len(data)} bytes")
        return proposal["value"]

    @traitlets.validate("drawing")
    def _valid_drawing(self, proposal: Any) -> Any:
        if len(data := _bytes("drawing", proposal["value"])) not in (0, SIDE**2 // 2):
            raise traitlets.TraitError(f"drawing must be empty or 392 bytes, got {len(data)}")
        return proposal["value"]

    @property
    def label(self) -> int | None:
        """What the chosen test digit is; None for a drawing."""
        return None if self.drawing else base64.b64decode(self.digits)[self.digit * DIGIT]

    @property
    def pixels(self) -> Array:
        """What is drawn or chosen: gray values (28, 28), 0 … 255."""
        if not self.drawing:
            data = np.frombuffer(base64.b64decode(self.digits), np.uint8, SIDE**2, self.digit * DIGIT + 1)
            return data.astype(int).reshape(SIDE, SIDE)
        pairs = np.frombuffer(base64.b64decode(self.drawing), np.uint8).astype(int)
        return np.stack([pairs >> 4, pairs & INK], 1).reshape(SIDE, SIDE) * (255 // INK)

    @property
    def image(self) -> Array:
        """What the network reads, (28, 28) in 0 … 1."""
        pixels = lenet.centred(self.pixels) if self.centre else self.pixels
        pixels = lenet.thickened(lenet.turned(pixels, self.turn), self.thickness)
        return lenet.moved(pixels, self.down, self.right) / 255

    @property
    def values(self) -> dict[str, Array]:
        """What every unit of every layer puts out."""
        return lenet.forward(lenet.unpacked_network(self.weights), self.image)

    @property
    def place(self) -> tuple[int, int, int]:
        """The chosen unit, or the nearest that the layer has."""
        maps, rows, columns = LAYERS[self.layer].shape
        m, row, column = self.unit
        return min(m, maps - 1), min(row, rows - 1), min(column, columns - 1)

    def behind(self) -> Behind:
        """What the chosen unit reads, and what it multiplies that by."""
        values, tensors = self.values, lenet.unpacked_network(self.weights)
        m, row, column = self.place
        if self.layer == "C1":
            patch = np.pad(self.image, 2)[None, row : row + 5, column : column + 5]
            return Behind(patch, tensors[0][m], tensors[1][m])
        if self.layer in ("S2", "S4"):
            maps = values["C1" if self.layer == "S2" else "C3"]
            return Behind(
                maps[m, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2][None], np.full((1, 2, 2), 0.25), 0
            )
        if self.layer == "C3":
            return Behind(values["S2"][:, row : row + 5, column : column + 5], tensors[2][m], tensors[3][m])
        below, first = {"C5": ("S4", 4), "F6": ("C5", 6), "scores": ("F6", 8)}[self.layer]
        index, reads = row * LAYERS[self.layer].shape[2] + column, values[below]
        return Behind(reads, tensors[first][index].reshape(reads.shape), tensors[first + 1][index])

    def seen(self) -> tuple[int, int, int]:
        """The first row and column of the image that the chosen unit sees, and how many; some may be padding."""
        layer, (_, row, column) = LAYERS[self.layer], self.place
        if layer.field == SIDE:
            return 0, 0, SIDE
        return layer.start + layer.step * row, layer.start + layer.step * column, layer.field

    def sentence(self) -> str:
        """What the network reads, how sure it is, and what the chosen unit says."""
        shares = lenet.probabilities(self.values["scores"])
        first, second = np.argsort(-shares, kind="stable")[:2]
        what = "Your drawing" if self.label is None else f"A test digit, {_a(self.label)},"
        sure, next_ = (percent(shares[digit]) for digit in (first, second))
        read = f"{what} is read as {_a(first)}: probability {sure}, then {_a(second)}, {next_}."
        m, row, column = self.place
        value, index = self.values[self.layer][m, row, column], row * LAYERS[self.layer].shape[2] + column
        if self.layer == "scores":
            return f"{read} The score of {column} is {_hundredths(value)}."
        if self.layer in ("C5", "F6"):
            return f"{read} Unit {index + 1} of {self.layer} is {_hundredths(value)}."
        *first, field = self.seen()
        rows, columns = (f"{max(0, at) + 1} to {min(SIDE, at + field)}" for at in first)
        return (
            f"{read} Map {m + 1} of {self.layer}, row {row + 1}, column {column + 1} is {_hundredths(value)}; "
            f"it sees rows {rows} and columns {columns}."
        )

    def panels(self) -> list[Panel]:
        """What the network reads, the first maps, the probabilities."""
        values, shares = self.values, lenet.probabilities(self.values["scores"])
        maps = [
            Panel(
                f"{name}: maps of {shape[1]} × {shape[2]}",
                "output",
                raster=Raster(mosaic(values[name], name), None, True),
            )
            for name, (shape, *_) in LAYERS.items()
            if name in ("C1", "C3")
        ]
        order = np.argsort(-shares, kind="stable")[:3]
        lines = [f"{digit}: {percent(shares[digit])}" for digit in order]
        return [
            Panel("What the network reads", "input", raster=Raster(gray_levels(self.image, 1), self.seen())),
            Panel("Probabilities", "output", lines=lines),
            *maps,
        ]


def mosaic(values: Array, name: str) -> Array:
    """A layer's maps as levels of one picture, a square; between the maps nothing is drawn."""
    maps, height, width = values.shape
    across = 3 if name == "C1" else 4
    down = -(-maps // across)
    side = max(across * (width + 1), down * (height + 1)) - 1
    levels = np.full((side, side), NONE)
    for m, each in enumerate(values):
        top, left = m // across * (height + 1), m % across * (width + 1)
        levels[top : top + height, left : left + width] = 128 + np.floor(127 * each + 0.5).astype(int)
    return levels


@cache
def stored() -> dict[str, Any]:
    """What draw_digit.json holds; ``python -m experiments.digit`` makes it."""
    content: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return content


def _bytes(name: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise traitlets.TraitError(f"{name} must be bytes in base64: {error}") from None


def _drawn(image: Array) -> str:
    if image.shape != (SIDE, SIDE) or not (np.isfinite(image).all() and image.min() >= 0 and image.max() <= 1):
        raise ValueError(f"image must be 28 × 28 gray values in 0 … 1, got shape {image.shape}, {image.ravel()[:3]} …")
    ink = np.round(INK * image).astype(np.uint8)
    return base64.b64encode((ink[:, ::2] * 16 + ink[:, 1::2]).tobytes()).decode()


def _a(digit: int) -> str:
    return f"an {digit}" if digit == 8 else f"a {digit}"


def _hundredths(value: float) -> str:
    text = f"{np.floor(100 * abs(value) + 0.5) / 100:,.2f}".rstrip("0").rstrip(".")
    return f"−{text}" if value < 0 and text != "0" else text
