"""Example images and kernels by name, made of small integers; ``examples.js`` makes the same."""

from __future__ import annotations

import numpy as np

from utils.functional.columns import Array

IMAGES = ("edge", "corner", "spot", "counting")
POOLED_IMAGES = ("scattered", "spot", "edge", "negative")
KERNELS = ("vertical edge", "blur", "sharpen", "identity", "counting")
PHOTO_KERNELS = ("vertical edge", "horizontal edge", "outline", "blur", "sharpen", "identity")


def make_image(name: str, size: int) -> Array:
    """A ``size`` × ``size`` image of small integers by its ``name`` in ``IMAGES`` or ``POOLED_IMAGES``."""
    row, column = np.indices((size, size))
    middle = (size - 1) // 2
    scattered = (4 * row * row + 3 * column * column + 4 * row * column + 3 * row + 3) % 10
    return {
        "scattered": scattered,
        "negative": scattered - 10,
        "edge": np.where(2 * column >= size, 6, 1),
        "corner": np.where((2 * row >= size) & (2 * column >= size), 6, 1),
        "spot": np.where((row == middle) & (column == middle), 1, 0),
        "counting": (row * size + column) % 10,
    }[name]


def make_kernel(name: str, size: int) -> Array:
    """A ``size`` × ``size`` kernel by its ``name`` in ``KERNELS`` or ``PHOTO_KERNELS``.

    An even one has its centre up and left.
    """
    row, column = np.indices((size, size))
    steps = abs(row - (size - 1) // 2) + abs(column - (size - 1) // 2)
    return {
        "vertical edge": np.sign(2 * column - size + 1) if size > 1 else np.ones((1, 1), int),
        "horizontal edge": np.sign(2 * row - size + 1) if size > 1 else np.ones((1, 1), int),
        "outline": np.where(steps == 0, size * size - 1, -1),
        "blur": np.ones((size, size), int),
        "sharpen": np.select([steps == 0, steps == 1], [(steps == 1).sum() + 1, -1], 0),
        "identity": np.where(steps == 0, 1, 0),
        "counting": row * size + column + 1,
    }[name]
