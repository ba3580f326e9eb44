"""The exercises of chapter 03: pooling."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.random import Generator

from utils.checks.exercise import Arguments, Exercise
from utils.functional import avg_pool2d, avg_pool2d_backward, max_pool2d, max_pool2d_backward

Array = np.ndarray


def _largest(x: Array, k: int, stride: int | None = None, padding: int = 0, **settings: Any) -> Array:
    """Max pooling of (C, H, W)."""
    return max_pool2d(x[None], k, stride, padding, **settings)[0]


def _zeros(x: Array, padding: int) -> Array:
    return np.pad(x, ((0, 0), (padding, padding), (padding, padding)))


shape = Exercise(
    "shape",
    cases=lambda rng: [()],
    reference=lambda: (16, 11, 11),
    mistakes={
        "That is what a stride of 1 makes. Which does pooling take if nobody names one?": lambda: (16, 32, 32),
        "That is what a stride of 2 makes. Nobody has asked for it.": lambda: (16, 16, 16),
        "One too small: count the padding, and the place where the window starts.": lambda: (16, 10, 10),
        "What is left over at the end is dropped: a started step is no step.": lambda: (16, 12, 12),
        "A window is as deep as one channel, so the channels stay apart.": lambda: (1, 11, 11),
        "PyTorch's order is channels, height, width.": lambda: (11, 11, 16),
    },
)

_MAP = np.array([[-3.0, -1, 2, 0], [-2, -4, 1, 5], [-6, -5, -7, 4], [-9, -3, -2, -8]])


by_hand = Exercise(
    "by_hand",
    cases=lambda rng: [()],
    reference=lambda: _largest(_MAP[None], 3, 2, 1)[0],
    mistakes={
        "You let a 0 of the padding win. That must never happen.": lambda: _largest(_zeros(_MAP[None], 1), 3, 2)[0],
        "Your windows lie side by side. Wider than the stride, they overlap.": lambda: _largest(_MAP[None], 2)[0],
        "Where is the padding? The first window hangs over the edge.": lambda: _largest(_MAP[None], 3, 2)[0],
        "The largest, not the one that is farthest from 0: signs count.": lambda: np.array([[-4.0, 5], [-6, -8]]),
        "That is a window at every place. How far does it move at a time?": lambda: _largest(_MAP[None], 3, 1, 1)[0],
    },
)


def _stacks(rng: Generator) -> list[Arguments]:
    """Maps with few positive numbers, with and without a stride, padding and a remainder."""
    settings: list[tuple[Any, ...]] = [(2, 6, 5, 2, None, 0), (3, 8, 7, 3, 2, 1), (2, 6, 9, 3, None, 1)]
    settings += [(2, 5, 6, 3, 1, 1), (3, 9, 8, 4, 3, 2)]
    return [(rng.standard_normal((c, h, w)) - 1.5, k, s, p) for c, h, w, k, s, p in settings]


max_pool = Exercise(
    "max_pool",
    cases=_stacks,
    reference=_largest,
    mistakes={
        "The zeros of your padding win where all pixels are negative. What never wins a maximum?": (
            lambda x, k, s, p: _largest(_zeros(x, p), k, s)
        ),
        "Your maximum begins at 0, and 0 wins where all pixels are negative.": (
            lambda x, k, s, p: np.maximum(_largest(x, k, s, p), 0)
        ),
        "With stride None your windows move by one pixel; a convolution does that. Pooling does not.": (
            lambda x, k, s, p: _largest(x, k, 1 if s is None else s, p)
        ),
        "Your windows always tile the map. Use the stride where there is one.": lambda x, k, s, p: _largest(x, k, k, p),
        "Where is the padding?": lambda x, k, s, p: _largest(x, k, s),
        "Your padding is missing below and on the right.": (
            lambda x, k, s, p: _largest(np.pad(x, ((0, 0), (p, 0), (p, 0)), constant_values=-np.inf), k, s)
        ),
        "Each channel is pooled by itself, not all together.": lambda x, k, s, p: _largest(x, k, s, p).max(0),
        "A window that hangs over the padding is dropped: round down.": (
            lambda x, k, s, p: _largest(x, k, s, p, ceil_mode=True)
        ),
        "The last row and column of windows are missing.": lambda x, k, s, p: _largest(x, k, s, p)[:, :-1, :-1],
    },
)


def _mean(x: Array, k: int, s: int, p: int, counted: bool) -> Array:
    return avg_pool2d(x[None], k, s, p, count_include_pad=counted)[0]


def _flagged(rng: Generator) -> list[Arguments]:
    settings = [
        (2, 6, 5, 3, 2, 1, True),
        (3, 7, 8, 3, 2, 1, False),
        (2, 9, 6, 4, 3, 2, True),
        (2, 6, 6, 2, 2, 0, False),
    ]
    return [(rng.standard_normal((c, h, w)) + 1, k, s, p, counted) for c, h, w, k, s, p, counted in settings]


avg_pool = Exercise(
    "avg_pool",
    cases=_flagged,
    reference=_mean,
    mistakes={
        "You always count the padding. It has a switch.": lambda x, k, s, p, counted: _mean(x, k, s, p, True),
        "You never count the padding. It has a switch.": lambda x, k, s, p, counted: _mean(x, k, s, p, False),
        "Your switch is the wrong way round: with True the padding's zeros are numbers like all others.": (
            lambda x, k, s, p, counted: _mean(x, k, s, p, not counted)
        ),
        "That is the sum of each window, not the mean.": lambda x, k, s, p, _: k * k * _mean(x, k, s, p, True),
        "A window holds more numbers than it is wide.": lambda x, k, s, p, _: k * _mean(x, k, s, p, True),
        "Where is the padding?": lambda x, k, s, p, counted: _mean(x, k, s, 0, True),
        "Each channel is pooled by itself, not all together.": lambda x, *layer: _mean(x, *layer).mean(0),
    },
)


def _found(x: Array, k: int, s: int) -> Array:
    _, indices = max_pool2d(x[None, None], k, s, return_indices=True)
    return indices[0, 0]


def _last(x: Array, k: int, s: int) -> Array:
    """Where the last of equals is, for windows that fit: the first in the map turned by half a turn."""
    rest = [(n - k) % s for n in x.shape]
    fits = x[: x.shape[0] - rest[0], : x.shape[1] - rest[1]]
    row, column = np.divmod(fits.size - 1 - _found(fits[::-1, ::-1], k, s)[::-1, ::-1], fits.shape[1])
    return row * x.shape[1] + column


def _ties(rng: Generator) -> list[Arguments]:
    """Whole numbers, some of them equal; in the last map all are."""
    settings = [(6, 8, 2, 2), (7, 5, 3, 2), (6, 9, 3, 3), (5, 7, 3, 1)]
    maps: list[Arguments] = [(rng.integers(-5, 6, (h, w)).astype(float), k, s) for h, w, k, s in settings]
    return [*maps, (np.full((5, 7), float(rng.integers(-5, 6))), 3, 2)]


winners = Exercise(
    "winners",
    cases=_ties,
    reference=_found,
    mistakes={
        "You count within each window. Count the pixels of the whole map.": (
            lambda x, k, s: sliding_window_view(x, (k, k))[::s, ::s].reshape(*_found(x, k, s).shape, -1).argmax(-1)
        ),
        "You count down the columns. Reading order goes along the rows.": (
            lambda x, k, s: _found(x, k, s) % x.shape[1] * x.shape[0] + _found(x, k, s) // x.shape[1]
        ),
        "Of equal numbers the first in reading order wins; yours is the last.": _last,
        "A row of the map is as long as the map is wide, not as long as the output's.": (
            lambda x, k, s: _found(x, k, s) // x.shape[1] * _found(x, k, s).shape[1] + _found(x, k, s) % x.shape[1]
        ),
        "A row of the map is as long as the map is wide, not as long as it is high.": (
            lambda x, k, s: _found(x, k, s) // x.shape[1] * x.shape[0] + _found(x, k, s) % x.shape[1]
        ),
        "You find the smallest of each window.": lambda x, k, s: _found(-x, k, s),
        "The first pixel has number 0.": lambda x, k, s: _found(x, k, s) + 1,
        "Those are the largest numbers themselves. Where do they stand?": lambda x, k, s: _largest(x[None], k, s)[0],
    },
)


def _back(x: Array, g: Array, k: int, s: int, places: Array | None = None) -> Array:
    places = _found(x, k, s) if places is None else places
    return max_pool2d_backward(g[None, None], places[None, None], x.shape)[0, 0]


def _overlapping(rng: Generator) -> list[Arguments]:
    """A pixel that wins four windows, maps without overlap, and one in which all numbers are equal."""
    peak = rng.standard_normal((7, 5))
    peak[2, 2] = 9
    maps = [(peak, 3, 2), (rng.standard_normal((6, 8)), 2, 2), (rng.standard_normal((5, 6)), 3, 1)]
    maps.append((np.zeros((5, 7)), 3, 2))
    return [(x, rng.standard_normal(_found(x, k, s).shape), k, s) for x, k, s in maps]


def _to_equals(x: Array, g: Array, k: int, s: int) -> Array:
    out = np.zeros(x.shape)
    for i, j in np.ndindex(g.shape):
        window = np.s_[i * s : i * s + k, j * s : j * s + k]
        out[window] += g[i, j] * (x[window] == x[window].max())
    return out


def _written(x: Array, g: Array, k: int, s: int) -> Array:
    out = np.zeros(x.size)
    for place, value in zip(_found(x, k, s).ravel(), g.ravel(), strict=True):
        out[place] = value
    return out.reshape(x.shape)


def _shared(x: Array, g: Array, k: int, s: int) -> Array:
    return avg_pool2d_backward(g[None, None], x.shape, k, s)[0, 0]


sent_back = Exercise(
    "sent_back",
    cases=_overlapping,
    reference=_back,
    mistakes={
        "You share each gradient among its window: so does the mean. Which pixel moves the maximum?": _shared,
        "Not every pixel of a window can move its maximum.": lambda x, g, k, s: k * k * _shared(x, g, k, s),
        "A pixel may win more than one window. What then?": _written,
        "Several equal numbers: you send to each of them. Only one is the winner.": (_to_equals),
        "Of equal numbers the first in reading order wins; yours is the last.": (
            lambda x, g, k, s: _back(x, g, k, s, _last(x, k, s))
        ),
        "Raise the winner a little. How much does its own value matter?": lambda x, g, k, s: _back(x, g, k, s) * x,
    },
)


def _weights(channels: int, k: int) -> Array:
    return np.eye(channels)[:, :, None, None] * np.ones((k, k)) / k**2


mean_weights = Exercise(
    "mean_weights",
    cases=lambda rng: [(c, k) for c, k in [(3, 2), (2, 3), (4, 5), (1, 4)]],
    reference=_weights,
    mistakes={
        "Your kernels read all channels, so their maps are mixed. Pooling keeps them apart.": (
            lambda c, k: np.full((c, c, k, k), 1 / k**2)
        ),
        "Do not take the mean over the channels, too.": lambda c, k: np.full((c, c, k, k), 1 / (c * k**2)),
        "Your convolution adds up a window. The mean needs smaller weights.": lambda c, k: _weights(c, k) * k**2,
        "How many numbers are in a square window? Your weights sum to more than 1.": lambda c, k: _weights(c, k) * k,
        "A convolution has a slice of each kernel for every channel, also for those that it is not to see.": (
            lambda c, k: np.full((c, 1, k, k), 1 / k**2)
        ),
    },
)


def _strides(layers: list[tuple[Any, ...]], pool: int | None = None, conv: int | None = 1) -> list[int]:
    """The strides, with those that take the place of None; None takes the kernel's size."""
    default = {"pool": pool, "conv": conv}
    return [(default[kind] or k) if s is None else s for kind, k, s in layers]


def _stages(rng: Generator) -> list[Arguments]:
    stacks: list[list[tuple[Any, ...]]] = [[("conv", 3, 2), ("pool", 3, None), ("conv", 5, None), ("pool", 2, 2)]]
    for _ in range(12):
        draws = rng.integers([0, 2, 1], [2, 6, 4], (int(rng.integers(1, 6)), 3))
        stacks.append([(("conv", "pool")[a], int(k), None if rng.random() < 0.4 else int(s)) for a, k, s in draws])
    return [(stack,) for stack in stacks]


whole_step = Exercise(
    "whole_step",
    cases=_stages,
    reference=lambda layers: prod(_strides(layers)),
    mistakes={
        "You add. Later layers step over places that are already apart.": lambda layers: sum(_strides(layers)),
        "How wide a window is says what it sees. How far does it move?": lambda layers: prod(k for _, k, _ in layers),
        "A pooling layer with stride None does not move by one.": lambda layers: prod(_strides(layers, pool=1)),
        "Stride None is another for a convolution than for pooling.": lambda layers: prod(_strides(layers, conv=None)),
        "Convolutions can have strides as well.": lambda layers: prod(_strides([x for x in layers if x[0] == "pool"])),
        "All layers count, not only that with the longest stride.": lambda layers: max(_strides(layers)),
    },
)
