"""The exercises of chapter 03: pooling."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.random import Generator

from utils.checks import won
from utils.checks.exercise import Arguments, Exercise
from utils.checks.own_numbers import Numbers
from utils.functional import avg_pool2d, max_pool2d

Array = np.ndarray


def _largest(x: Array, kernel_size: int, stride: Any = None, padding: int = 0, **settings: Any) -> Array:
    """Max pooling of (C, H, W)."""
    return np.asarray(max_pool2d(x[None], kernel_size, stride, padding, **settings)[0])


def _zeros(x: Array, padding: int) -> Array:
    return np.pad(x, ((0, 0), (padding, padding), (padding, padding)))


def _farthest(x: Array, k: int, s: int) -> Array:
    """Of each window of (H, W) the number that is farthest from 0."""
    highest, lowest = (_largest(sign * x[None], k, s)[0] for sign in (1, -1))
    return np.where(highest > lowest, highest, -lowest)


_LAYER = Numbers(
    "An input with {channels} channels of {size} × {size} pixels goes through `nn.MaxPool2d({kernel_size}, "
    "padding={padding})`.",
    channels=range(8, 33, 2),
    size=range(20, 61),
    kernel_size=range(3, 7),
    padding=(1, 2),
)


@_LAYER
def shape(channels: int = 16, size: int = 32, kernel_size: int = 3, padding: int = 1) -> Exercise:
    """How large the output is, with all its channels."""
    if 2 * padding > kernel_size:
        raise ValueError(f"padding is at most half the window of {kernel_size}, got {padding}")

    def output(stride: int = kernel_size, over: int = 0, first: int = 1, maps: int = channels) -> tuple[int, int, int]:
        side = (size + 2 * padding - kernel_size + over) // stride + first
        return maps, side, side

    return Exercise(
        "shape",
        reference=output,
        mistakes={"PyTorch's order is channels, height, width.": lambda: output()[::-1]},
        slips={
            "That is what a stride of 1 makes. Which does pooling take if nobody names one?": {"stride": 1},
            "That is what a stride of 2 makes. Nobody has asked for it.": {"stride": 2},
            "One too small: count the padding, and the place where the window starts.": {"first": 0},
            "What is left over at the end is dropped: a started step is no step.": {"over": kernel_size - 1},
            "A window is as deep as one channel, so the channels stay apart.": {"maps": 1},
        },
    )


_MAP = Numbers(
    "| map | | | |\n|---|---|---|---|\n"
    + "\n".join("".join(f"| {{pixels[{i}][{j}]}} " for j in range(4)) + "|" for i in range(4)),
    pixels=lambda rng: (rng.permutation(16).reshape(4, 4) - 9).tolist(),
)


@_MAP
def by_hand(
    pixels: Sequence[Sequence[int]] = ((-3, -1, 2, 0), (-2, -4, 1, 5), (-6, -5, -7, 4), (-9, -3, -2, -8)),
) -> Exercise:
    """What max pooling makes of a map."""
    x = np.array([pixels], float)
    return Exercise(
        "by_hand",
        reference=lambda kernel_size=3, stride=2, padding=1: _largest(x, kernel_size, stride, padding)[0],
        mistakes={
            "You let a 0 of the padding win. That must never happen.": lambda: _largest(_zeros(x, 1), 3, 2)[0],
            "The largest, not the one that is farthest from 0: signs count.": lambda: _farthest(_zeros(x, 1)[0], 3, 2),
            "Your windows lie side by side. Wider than the stride, they overlap.": lambda: _largest(x, 2)[0],
        },
        slips={
            "Where is the padding? The first window hangs over the edge.": {"padding": 0},
            "That is a window at every place. How far does it move at a time?": {"stride": 1},
            "The windows are 3 × 3: yours are smaller.": {"kernel_size": 2},
        },
    )


def _stacks(rng: Generator) -> list[Arguments]:
    """Maps with few positive numbers, with and without a stride, padding and a remainder."""
    settings: list[tuple[Any, ...]] = [(2, 6, 5, 2, None, 0), (3, 8, 7, 3, 2, 1), (2, 6, 9, 3, None, 1)]
    settings += [(2, 5, 6, 3, 1, 1), (3, 9, 8, 4, 3, 2)]
    maps: list[Arguments] = [(rng.standard_normal((c, h, w)) - 1.5, k, s, p) for c, h, w, k, s, p in settings]
    return [*maps, (-1000 - rng.random((2, 5, 7)), 3, 2, 1)]  # below any number that one may think of


max_pool = Exercise(
    "max_pool",
    cases=_stacks,
    reference=_largest,
    mistakes={
        "Your padding's zeros win where all pixels are negative. What never wins?": (
            lambda x, k, s, p: _largest(_zeros(x, p), k, s)
        ),
        "Your maximum begins at 0, and 0 wins where all is negative.": lambda *case: np.maximum(_largest(*case), 0),
        "Each channel is pooled by itself, not all together.": lambda x, k, s, p: _largest(x, k, s, p).max(0),
        "The largest of each window, not the mean.": (lambda x, k, s, p: _mean(x, k, k if s is None else s, p, True)),
        "The largest of each window, not the smallest.": lambda x, k, s, p: -_largest(-x, k, s, p),
    },
    slips={
        "With stride None your windows move by one pixel; a convolution does that. Pooling does not.": (
            lambda x, k, s, p: (x, k, 1 if s is None else s, p)
        ),
        "With stride None your windows always move by two.": lambda x, k, s, p: (x, k, 2 if s is None else s, p),
        "Your windows always tile the map. Use the stride where there is one.": lambda x, k, s, p: (x, k, k, p),
        "Your padding is missing below and on the right, or your size counts it once.": (
            lambda x, k, s, p: (np.pad(x, ((0, 0), (p, 0), (p, 0)), constant_values=-np.inf), k, s, 0)
        ),
        "A window that hangs over the padding is dropped: round down.": {"ceil_mode": True},
    },
)


def _mean(x: Array, kernel_size: int, stride: int, padding: int, count_include_pad: bool) -> Array:
    return avg_pool2d(x[None], kernel_size, stride, padding, count_include_pad=count_include_pad)[0]


def _flagged(rng: Generator) -> list[Arguments]:
    settings = [
        (2, 6, 5, 3, 2, 1, True),
        (3, 7, 8, 3, 2, 1, False),
        (2, 9, 6, 4, 3, 2, True),
        (2, 6, 6, 2, 2, 0, False),
    ]
    maps: list[Arguments] = [(rng.standard_normal((c, h, w)) + 1, k, s, p, flag) for c, h, w, k, s, p, flag in settings]
    return [*maps, (rng.integers(0, 3, (2, 6, 7)).astype(float), 3, 2, 1, False)]  # a pixel may be 0 itself


avg_pool = Exercise(
    "avg_pool",
    cases=_flagged,
    reference=_mean,
    mistakes={
        "That is the sum of each window, not the mean.": lambda x, k, s, p, _: k * k * _mean(x, k, s, p, True),
        "A window holds more numbers than it is wide.": lambda x, k, s, p, _: k * _mean(x, k, s, p, True),
        "Each channel is pooled by itself, not all together.": lambda x, *layer: _mean(x, *layer).mean(0),
        "A pixel may be 0 itself. Count places, not numbers that are not 0.": (
            lambda x, k, s, p, flag: (
                _mean(x, k, s, p, True)
                if flag
                else _mean(x, k, s, p, True) / np.maximum(_mean((x != 0).astype(float), k, s, p, True), 1 / k**2)
            )
        ),
        "Without the zeros there are as many windows.": lambda x, k, s, p, flag: _mean(x, k, s, p if flag else 0, True),
    },
    slips={
        "Your switch is the wrong way round: with True the padding's zeros are numbers like all others.": (
            lambda x, k, s, p, flag: (x, k, s, p, not flag)
        ),
    },
)


def _ties(rng: Generator) -> list[Arguments]:
    """Whole numbers, some of them equal; in the last map all are."""
    settings = [(6, 8, 2, 2), (7, 5, 3, 2), (6, 9, 3, 3), (5, 7, 3, 1)]
    maps: list[Arguments] = [(rng.integers(-5, 6, (h, w)).astype(float), k, s) for h, w, k, s in settings]
    return [*maps, (np.full((5, 7), float(rng.integers(-5, 6))), 3, 2)]


winners = Exercise(
    "winners",
    cases=_ties,
    reference=won.found,
    mistakes={
        "You count within each window. Count the pixels of the whole map.": won.within,
        "You count within each window, from 1. Count in the whole map, from 0.": lambda x, k, s: (
            won.within(x, k, s) + 1
        ),
        "One number for each place, in reading order; not its row and column.": (
            lambda x, k, s: np.stack(np.divmod(won.found(x, k, s), x.shape[1]), -1)
        ),
        "You count down the columns. Reading order goes along the rows.": (
            lambda x, k, s: won.found(x, k, s) % x.shape[1] * x.shape[0] + won.found(x, k, s) // x.shape[1]
        ),
        "Of equal numbers the first one wins; yours is the last.": won.last,
        "A row of the map is as long as the map is wide, not as long as the output's.": (
            lambda x, k, s: (
                won.found(x, k, s) // x.shape[1] * won.found(x, k, s).shape[1] + won.found(x, k, s) % x.shape[1]
            )
        ),
        "A row of the map is as long as the map is wide, not as long as it is high.": (
            lambda x, k, s: won.found(x, k, s) // x.shape[1] * x.shape[0] + won.found(x, k, s) % x.shape[1]
        ),
        "You find the smallest of each window.": lambda x, k, s: won.found(-x, k, s),
        "Those are the largest numbers themselves. Where do they stand?": lambda x, k, s: _largest(x[None], k, s)[0],
    },
)


def _overlapping(rng: Generator) -> list[Arguments]:
    """A pixel that wins four windows, maps without overlap, and one in which all numbers are equal."""
    peak = rng.standard_normal((7, 5))
    peak[2, 2] = 9
    maps = [(peak, 3, 2), (rng.standard_normal((6, 8)), 2, 2), (rng.standard_normal((5, 6)), 3, 1)]
    maps.append((np.zeros((5, 7)), 3, 2))
    return [(x, rng.standard_normal(won.found(x, k, s).shape), k, s) for x, k, s in maps]


sent_back = Exercise(
    "sent_back",
    cases=_overlapping,
    reference=won.back,
    mistakes={
        "You share each gradient among its window: so does the mean. Which pixel moves the maximum?": won.shared,
        "Not every pixel of a window can move its maximum.": lambda x, g, k, s: k * k * won.shared(x, g, k, s),
        "A pixel may win more than one window. What then?": won.written,
        "Several equal numbers: you send to each of them. Only one is the winner.": won.to_equals,
        "Of equal numbers the first one wins; yours is the last.": lambda x, g, k, s: won.back(
            x, g, k, s, won.last(x, k, s)
        ),
        "Raise the winner a little. How much does its own value matter?": lambda x, g, k, s: won.back(x, g, k, s) * x,
    },
)


def _weights(channels: int, kernel_size: int, divisor: Any = None, apart: bool = True) -> Array:
    one = np.ones((channels, channels, kernel_size, kernel_size)) / (divisor or kernel_size**2)
    return one * np.eye(channels)[:, :, None, None] if apart else one


mean_weights = Exercise(
    "mean_weights",
    cases=lambda rng: [(c, k) for c, k in [(3, 2), (2, 3), (4, 5), (1, 4)]],
    reference=_weights,
    mistakes={
        "Do not take the mean over the channels, too.": lambda c, k: np.full((c, c, k, k), 1 / (c * k**2)),
        "How many numbers are in a square window? Your weights sum to more than 1.": lambda c, k: _weights(c, k) * k,
        "A convolution has a slice of each kernel for every channel, also for those that it is not to see.": (
            lambda c, k: np.full((c, 1, k, k), 1 / k**2)
        ),
        "That is one window. A convolution has many, for channels in and out.": lambda c, k: np.full((k, k), 1 / k**2),
    },
    slips={
        "Your kernels read all channels, so their maps are mixed. Pooling keeps them apart.": {"apart": False},
        "Your convolution adds up a window. The mean needs smaller weights.": {"divisor": 1},
    },
)


def _step(layers: list[tuple[Any, ...]], pool: int | None = None, conv: int | None = 1, done: Any = prod) -> Any:
    """Of the strides, with those that take the place of None; None takes the kernel's size."""
    default = {"pool": pool, "conv": conv}
    return done([(default[kind] or k) if s is None else s for kind, k, s in layers])


def _field(layers: list[tuple[Any, ...]]) -> int:
    return 1 + sum((k - 1) * _step(layers[:i]) for i, (_, k, _) in enumerate(layers))


def _stages(rng: Generator) -> list[Arguments]:
    stacks: list[list[tuple[Any, ...]]] = [[("conv", 3, 2), ("pool", 3, None), ("conv", 5, None), ("pool", 2, 2)]]
    for _ in range(12):
        draws = rng.integers([0, 2, 1], [2, 6, 4], (int(rng.integers(1, 6)), 3))
        stacks.append([(("conv", "pool")[a], int(k), None if rng.random() < 0.4 else int(s)) for a, k, s in draws])
    return [(stack,) for stack in stacks]


whole_step = Exercise(
    "whole_step",
    cases=_stages,
    reference=_step,
    mistakes={
        "How wide a window is says what it sees. How far does it move?": lambda layers: prod(k for _, k, _ in layers),
        "That is what one of the last units sees. How far does its field move for the next one?": _field,
        "Convolutions can have strides as well.": lambda layers: _step([x for x in layers if x[0] == "pool"]),
        "Pooling moves as well, not only convolutions.": lambda layers: _step([x for x in layers if x[0] == "conv"]),
    },
    slips={
        "You add. Later layers step over places that are already apart.": {"done": sum},
        "All layers count, not only that with the longest stride.": {"done": max},
        "A pooling layer with stride None does not move by one.": {"pool": 1},
        "A pooling layer with stride None moves by its own size, which is not always 2.": {"pool": 2},
        "Stride None is another for a convolution than for pooling.": {"conv": None},
    },
)
