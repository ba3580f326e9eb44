"""LeNet-5 in NumPy with its weights as whole numbers, every layer's numbers, and the ways to move a digit.

``draw_digit.js`` computes the same.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from math import cos, pi, prod, sin
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from utils.functional import avg_pool2d, conv2d
from utils.functional.columns import Array

SIDE = 28
# In the order of PyTorch's state_dict: weight and bias of each layer.
SHAPES: tuple[tuple[int, ...], ...] = (
    *((6, 1, 5, 5), (6,), (16, 6, 5, 5), (16,)),
    *((120, 400), (120,), (84, 120), (84,), (10, 84), (10,)),
)
COUNT = sum(map(prod, SHAPES))


class Layer(NamedTuple):
    """Its units, (maps, rows, columns); how much of the image each sees, from where on, and the step to the next."""

    shape: tuple[int, int, int]
    field: int = SIDE
    start: int = 0
    step: int = 1


LAYERS = {  # by the names of the paper
    "C1": Layer((6, 28, 28), 5, -2),
    "S2": Layer((6, 14, 14), 6, -2, 2),
    "C3": Layer((16, 10, 10), 14, -2, 2),
    "S4": Layer((16, 5, 5), 16, -2, 4),
    "C5": Layer((1, 8, 15)),
    "F6": Layer((1, 7, 12)),
    "scores": Layer((1, 1, 10)),
}


def packed_network(tensors: Sequence[ArrayLike]) -> str:
    """The ten tensors of LeNet-5 in base64: ten scales as float32, then all numbers as multiples of them, −127 … 127.

    ``ValueError`` if they have other shapes or are not finite.
    """
    arrays = [np.asarray(tensor, np.float64) for tensor in tensors]
    shapes = tuple(array.shape for array in arrays)
    if shapes != SHAPES:
        raise ValueError(f"network must have the ten tensors of LeNet-5, of shapes {SHAPES}, got {shapes}")
    scales = np.array([abs(array).max() / 127 or 1 for array in arrays], np.float32)
    if not np.isfinite(scales).all():
        raise ValueError("network must have finite weights")
    numbers = [np.round(array / scale).clip(-127, 127).ravel() for array, scale in zip(arrays, scales, strict=True)]
    return base64.b64encode(scales.tobytes() + np.concatenate(numbers).astype(np.int8).tobytes()).decode()


def unpacked_network(text: str) -> list[Array]:
    """The ten tensors again, as float64; ``ValueError`` if the text has another length or the scales are no numbers."""
    data = base64.b64decode(text, validate=True)
    if len(data) != 4 * len(SHAPES) + COUNT:
        raise ValueError(f"network must be {4 * len(SHAPES) + COUNT} bytes in base64, got {len(data)}")
    scales, numbers = np.frombuffer(data, "<f4", len(SHAPES)), np.frombuffer(data, np.int8, offset=4 * len(SHAPES))
    if not (np.isfinite(scales).all() and (abs(scales) < 1e3).all()):
        raise ValueError(f"network must have scales between −1,000 and 1,000, got {scales}")
    parts = np.split(numbers.astype(float), np.cumsum([prod(shape) for shape in SHAPES])[:-1])
    return [part.reshape(shape) * float(scale) for part, shape, scale in zip(parts, SHAPES, scales, strict=True)]


def forward(tensors: Sequence[Array], image: Array) -> dict[str, Array]:
    """What every unit puts out for an image (28, 28) in 0 … 1: an array for each of ``LAYERS``, in its shape.

    The last are scores; their softmax is :func:`probabilities`.
    """
    w1, b1, w2, b2, w3, b3, w4, b4, w5, b5 = tensors
    c1 = np.tanh(conv2d(image[None, None], w1, b1, padding=2))
    s2 = avg_pool2d(c1, 2)
    c3 = np.tanh(conv2d(s2, w2, b2))
    s4 = avg_pool2d(c3, 2)
    c5 = np.tanh(w3 @ s4.ravel() + b3)
    f6 = np.tanh(w4 @ c5 + b4)
    values = (c1, s2, c3, s4, c5, f6, w5 @ f6 + b5)
    return {name: value.reshape(layer.shape) for (name, layer), value in zip(LAYERS.items(), values, strict=True)}


def probabilities(scores: Array) -> Array:
    """The softmax of ten scores."""
    powers = np.exp(scores.ravel() - scores.max())
    return np.asarray(powers / powers.sum())


def centred(pixels: Array) -> Array:
    """The pixels (28, 28) moved so that the middle of their mass falls in the pixel in which MNIST puts it."""
    total = pixels.sum()
    if not total:
        return pixels
    middle = [(pixels.sum(1 - axis) * np.arange(SIDE)).sum() / total for axis in (0, 1)]
    return moved(pixels, *(int(np.floor(14.5 - place)) for place in middle))


def moved(pixels: Array, down: int, right: int) -> Array:
    """The pixels moved by whole pixels; what comes in is black."""
    out = np.zeros_like(pixels)
    r, c = max(0, down), max(0, right)
    kept = pixels[max(0, -down) : SIDE - r, max(0, -right) : SIDE - c]
    out[r : r + kept.shape[0], c : c + kept.shape[1]] = kept
    return out


def turned(pixels: Array, degrees: int) -> Array:
    """The pixels turned clockwise about the middle of the picture, bilinearly."""
    if not degrees:
        return pixels
    y, x = np.indices(pixels.shape) - (SIDE - 1) / 2
    c, s = cos(degrees * pi / 180), sin(degrees * pi / 180)
    down, right = c * y - s * x + (SIDE - 1) / 2, c * x + s * y + (SIDE - 1) / 2
    top, left = np.floor(down).astype(int), np.floor(right).astype(int)
    u, v = down - top, right - left
    around = np.pad(pixels.astype(float), 1)

    def at(row: Array, column: Array) -> Array:
        return np.asarray(around[np.clip(row + 1, 0, SIDE + 1), np.clip(column + 1, 0, SIDE + 1)])

    return (1 - u) * ((1 - v) * at(top, left) + v * at(top, left + 1)) + u * (
        (1 - v) * at(top + 1, left) + v * at(top + 1, left + 1)
    )


def thickened(pixels: Array, halves: int) -> Array:
    """Each pixel becomes the largest of itself and four neighbours, once for two halves; if negative, the smallest."""
    choose = np.max if halves > 0 else np.min
    for left in range(abs(halves), 0, -2):
        around = np.pad(pixels, 1)
        cross = [around[1:-1, 1:-1], around[:-2, 1:-1], around[2:, 1:-1], around[1:-1, :-2], around[1:-1, 2:]]
        chosen = choose(cross, axis=0)
        pixels = chosen if left > 1 else (pixels + chosen) / 2
    return pixels
