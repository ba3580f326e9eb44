"""Which pixel wins a window of max pooling, and where its gradient goes: as it is, and as learners get it wrong."""

from __future__ import annotations

import numpy as np
from numpy import ndarray as Array
from numpy.lib.stride_tricks import sliding_window_view

from utils.functional import avg_pool2d_backward, max_pool2d, max_pool2d_backward


def found(x: Array, kernel_size: int, stride: int, first: int = 0) -> Array:
    """The number of each window's winner in the whole map, in reading order."""
    _, indices = max_pool2d(x[None, None], kernel_size, stride, return_indices=True)
    return np.asarray(indices[0, 0] + first)


def within(x: Array, k: int, s: int) -> Array:
    """Its number within the window."""
    return np.asarray(sliding_window_view(x, (k, k))[::s, ::s].reshape(*found(x, k, s).shape, -1).argmax(-1))


def last(x: Array, k: int, s: int) -> Array:
    """Where the last of equals is, for windows that fit: the first in the map turned by half a turn."""
    rest = [(n - k) % s for n in x.shape]
    fits = x[: x.shape[0] - rest[0], : x.shape[1] - rest[1]]
    row, column = np.divmod(fits.size - 1 - found(fits[::-1, ::-1], k, s)[::-1, ::-1], fits.shape[1])
    return row * x.shape[1] + column


def back(x: Array, grad_output: Array, kernel_size: int, stride: int, places: Array | None = None) -> Array:
    """The gradient of the map (H, W): each number goes to its winner."""
    places = found(x, kernel_size, stride) if places is None else places
    return max_pool2d_backward(grad_output[None, None], places[None, None], x.shape)[0, 0]


def to_equals(x: Array, g: Array, k: int, s: int) -> Array:
    """Each number goes to all pixels as large as the winner."""
    out = np.zeros(x.shape)
    for i, j in np.ndindex(g.shape):
        window = np.s_[i * s : i * s + k, j * s : j * s + k]
        out[window] += g[i, j] * (x[window] == x[window].max())
    return out


def written(x: Array, g: Array, k: int, s: int) -> Array:
    """Each number takes the place of what is there."""
    out = np.zeros(x.size)
    for place, value in zip(found(x, k, s).ravel(), g.ravel(), strict=True):
        out[place] = value
    return out.reshape(x.shape)


def shared(x: Array, g: Array, k: int, s: int) -> Array:
    """Each number is shared among the window."""
    return avg_pool2d_backward(g[None, None], x.shape, k, s)[0, 0]
