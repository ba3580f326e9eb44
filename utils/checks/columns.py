"""The columns of im2col and the way back, in the order that is asked for and in those that learners choose."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray as Array


def windows(x: Array, k: int, s: int) -> Array:
    """Channel, row and column in the window, row and column of the place."""
    view = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(1, 2))[:, ::s, ::s]
    return view.transpose(0, 3, 4, 1, 2)


def columns_of(x: Array, kernel_size: int, stride: int, order: tuple[int, ...] = (0, 1, 2, 3, 4)) -> Array:
    """The windows of (C, H, W) as columns, whose axes come in ``order``."""
    return windows(x, kernel_size, stride).transpose(order).reshape(len(x) * kernel_size**2, -1)


def pixels_of(
    columns: Array, shape: Any, kernel_size: int, stride: int, order: str = "crsij", add: bool = True
) -> Array:
    """The image of the columns, whose axes c, r, s (in the window), i and j (of the place) come in ``order``."""
    out, k, s = np.zeros(shape), kernel_size, stride
    sizes = dict(zip("crsij", windows(out, k, s).shape, strict=True))
    parts = np.einsum(f"{order}->crsij", columns.reshape([sizes[axis] for axis in order]))
    for i, j in np.ndindex(parts.shape[3:]):
        place = np.s_[:, i * s : i * s + k, j * s : j * s + k]
        out[place] = parts[..., i, j] + (out[place] if add else 0)
    return out
