"""The exercises of chapter 06: 1 × 1, grouped, depthwise and dilated convolutions."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.random import Generator

from utils.checks.exercise import Arguments, Exercise
from utils.checks.own_numbers import Numbers
from utils.functional import conv2d

Array = np.ndarray


_FIVE = Numbers(
    "All of them take {channels} channels to {channels} channels, without bias. How many weights are there in an "
    "ordinary 3 × 3, a 1 × 1, a 3 × 3 in {groups} groups,",
    channels=range(32, 385, 32),
    groups=(4, 8, 16),
)


@_FIVE
def counts(channels: int = 256, groups: int = 4) -> Exercise:
    """The weights of five kinds of layers."""

    def count(
        area: int = 9, shares: int = groups, each: int = channels, point: int = channels**2, bias: int = 0,
        first: int = 1, then: int = 1,
    ) -> Array:  # fmt: skip
        full, depth = area * channels**2, area * each
        both = first * depth + then * point
        return np.array([full, point, full // shares, depth, both]) + bias * np.array([1, 1, 1, 1, 2])

    return Exercise(
        "counts",
        reference=count,
        mistakes={
            "One layer after the other: their weights add.": lambda: np.append(count()[:4], count()[1] * count()[3]),
        },
        slips={
            f"A group's kernels read only their own channels: one of {groups} parts.": {"shares": 1},
            f"Groups divide what kernels read, not the kernels as well: all {channels} are still there.": {
                "shares": groups**2
            },
            f"All {groups} groups share the channels between them, not two.": {"shares": 2},
            "A depthwise layer has a kernel for every channel, not one for all.": {"each": 1},
            "A depthwise kernel reads one channel, its own.": {"each": channels**2},
            "The 1 × 1 behind the depthwise layer has weights, too.": {"then": 0},
            "The depthwise layer in front of the 1 × 1 has weights, too.": {"first": 0},
            f"Each of the {channels} kernels of a 1 × 1 reads all channels.": {"point": channels},
            "No biases here, only weights.": {"bias": channels},
            "A kernel of 3 × 3 has nine weights for each channel that it reads.": {"area": 3},
        },
    )


def _points(rng: Generator) -> list[Arguments]:
    return [
        (rng.standard_normal((c, h, w)), rng.standard_normal((k, c)))
        for c, k, h, w in [(3, 3, 4, 5), (4, 4, 4, 3), (5, 5, 5, 5), (2, 2, 3, 6)]
    ]


def _pointwise(x: Array, weight: Array) -> Array:
    return np.einsum("kc,chw->khw", weight, x)


pointwise = Exercise(
    "pointwise",
    cases=_points,
    reference=_pointwise,
    mistakes={
        "Add the channels, weighted; do not take their mean.": lambda x, w: _pointwise(x, w) / len(x),
        "Each output channel mixes all that come in; yours are only scaled.": (
            lambda x, w: np.diag(w)[:, None, None] * x
        ),
        "Pixels have been mixed up: flatten height and width, and leave the channels in front.": (
            lambda x, w: (x.reshape(-1, len(x)) @ w.T).T.reshape(len(w), *x.shape[1:])
        ),
    },
)


def _groups(rng: Generator) -> list[Arguments]:
    return [
        (rng.standard_normal((c, 5, 6)), rng.standard_normal((k, c // g, 3, 2)), g)
        for c, k, g in [(4, 4, 2), (6, 6, 3), (8, 4, 4), (6, 4, 2)]
    ]


def _grouped(x: Array, weight: Array, groups: int) -> Array:
    return conv2d(x[None], weight, groups=groups)[0]


def _by_channels(x: Array, weight: Array, read: list[list[int]]) -> Array:
    return np.stack([conv2d(x[None, channels], w[None])[0, 0] for channels, w in zip(read, weight, strict=True)])


def _reads(channels: int, kernels: int, groups: int) -> list[list[int]]:
    """What each kernel reads."""
    size, share = channels // groups, kernels // groups
    return [list(range(size * (k // share), size * (k // share + 1))) for k in range(kernels)]


grouped = Exercise(
    "grouped",
    cases=_groups,
    reference=_grouped,
    mistakes={
        "Every group has its own channels; yours all read those of the first.": (
            lambda x, w, g: _by_channels(x, w, [_reads(len(x), len(w), g)[0]] * len(w))
        ),
        "A group's channels are neighbours: 0, 1, 2 … belong to the first group, not 0, g, 2 g …": (
            lambda x, w, g: _by_channels(x, w, [list(range(k // (len(w) // g), len(x), g)) for k in range(len(w))])
        ),
        "The kernels of a group are neighbours, too: the first share of them reads the first channels.": (
            lambda x, w, g: _by_channels(
                x, w, [list(range(len(x) // g * (k % g), len(x) // g * (k % g + 1))) for k in range(len(w))]
            )
        ),
        "The kernels of a group are neighbours, too; w[i::g] takes others.": (
            lambda x, w, g: _grouped(x, np.concatenate([w[i::g] for i in range(g)]), g)
        ),
        "The groups are in reverse: the first kernels read the first channels.": (
            lambda x, w, g: _by_channels(x, w, _reads(len(x), len(w), g)[::-1])
        ),
        "The groups' outputs stand one behind another as channels; you have added them up.": (
            lambda x, w, g: _grouped(x, w, g).reshape(g, -1, *_grouped(x, w, g).shape[1:]).sum(0)
        ),
    },
)


def _separables(rng: Generator) -> list[Arguments]:
    return [
        (rng.standard_normal((c, 6, 5)), rng.standard_normal((c, f1, f2)), rng.standard_normal((k, c)))
        for c, k, f1, f2 in [(3, 3, 3, 3), (4, 4, 2, 3), (2, 2, 3, 1)]
    ]


def _depthwise(x: Array, depth: Array) -> Array:
    return conv2d(x[None], depth[:, None], groups=len(x))[0]


def _separable(x: Array, depth: Array, point: Array) -> Array:
    return _pointwise(_depthwise(x, depth), point)


separable = Exercise(
    "separable",
    cases=_separables,
    reference=_separable,
    mistakes={
        "Only the depthwise step: the 1 × 1 that mixes the channels is missing.": lambda x, d, q: _depthwise(x, d),
        "First each channel is filtered, then they are mixed; you have done it the other way round.": (
            lambda x, depth, point: _depthwise(_pointwise(x, point), depth)
        ),
        "The depthwise step keeps the channels apart; you have added them up there.": (
            lambda x, depth, point: _pointwise(np.repeat(_depthwise(x, depth).sum(0)[None], len(x), 0), point)
        ),
        "Nothing but the two convolutions: there is no ReLU between them.": (
            lambda x, depth, point: _pointwise(np.maximum(_depthwise(x, depth), 0), point)
        ),
    },
    slips={
        "The depthwise step reads each channel by itself; you have added them up in front of it.": (
            lambda x, depth, point: (np.repeat(x.sum(0)[None], len(x), 0), depth, point)
        ),
    },
)


def _spread(kernel: Array, rows: int, columns: int) -> Array:
    out = np.zeros([rows * (kernel.shape[0] - 1) + 1, columns * (kernel.shape[1] - 1) + 1])
    out[::rows, ::columns] = kernel
    return out


spread = Exercise(
    "spread",
    cases=lambda rng: [(rng.standard_normal(shape), d) for shape, d in [((3, 3), 2), ((2, 4), 3), ((3, 2), 4)]],
    reference=lambda kernel, dilation: _spread(kernel, dilation, dilation),
    mistakes={
        "d − 1 zeros between two taps, not d.": lambda kernel, d: _spread(kernel, d + 1, d + 1),
        "Zeros stand between taps, not after the last one.": lambda k, d: np.pad(_spread(k, d, d), (0, d - 1)),
        "Zeros between the taps, not copies of them.": lambda kernel, d: kernel.repeat(d, 0).repeat(d, 1),
        "Along both axes; yours is spread down the rows only.": lambda kernel, d: _spread(kernel, d, 1),
        "Along both axes; yours is spread across the columns only.": lambda kernel, d: _spread(kernel, 1, d),
        "The kernel does not get a border of zeros: they go between its taps.": lambda kernel, d: np.pad(kernel, d - 1),
    },
)


def _read(dilations: list[int], taps: tuple[int, ...] = (1, 1, 1)) -> int:
    ways = np.ones(1)
    for d in dilations:
        ways = np.convolve(ways, _spread(np.array([taps]), 1, d)[0])
    return int((ways > 0).sum())


pixels_read = Exercise(
    "pixels_read",
    cases=lambda rng: [
        ([2, 2, 2],),
        ([1, 2, 4],),
        ([1, 2, 9],),
        ([3, 5],),
        ([4],),
        ([int(d) for d in rng.integers(2, 6, 3)],),
    ],
    reference=_read,
    mistakes={
        "That is the width of the field: it has pixels that nobody reads.": lambda dilations: 1 + 2 * sum(dilations),
        "Different taps may meet on the same pixel: count each pixel once.": lambda dilations: 3 ** len(dilations),
        "Dilations that are not 1 spread the taps.": lambda dilations: 1 + 2 * len(dilations),
        "All of the layers read, not only the last.": lambda dilations: 3,
        "Dilations do not multiply; each layer adds to the reach.": lambda dilations: 1 + 2 * prod(dilations),
        "The layers build on each other: each reads what the one before has read.": lambda ds: 3 * len(ds),
        "A kernel of 3 reaches to both sides.": lambda dilations: 1 + sum(dilations),
    },
    slips={
        "A kernel of 3 also reads the place in its middle.": {"taps": (1, 0, 1)},
    },
)


def _shuffled(channels: int, groups: int) -> list[int]:
    return [int(c) for c in np.arange(channels).reshape(groups, -1).T.ravel()]


shuffle = Exercise(
    "shuffle",
    cases=lambda rng: [(6, 2), (12, 3), (8, 4), (20, 4), (int(rng.integers(3, 6)) * 2, 2)],
    reference=_shuffled,
    mistakes={
        "That is the order they are in. Take one channel from each group in turn.": lambda c, g: list(range(c)),
        "That is where each channel goes, or groups of that size; wanted is which comes first, second, …": (
            lambda channels, groups: _shuffled(channels, channels // groups)
        ),
    },
)  # fmt: skip
