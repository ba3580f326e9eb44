"""The exercises of chapter 12: branches, what a bottleneck saves, and batch normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.random import Generator

from utils.checks.exercise import Arguments, Exercise
from utils.checks.own_numbers import Numbers

Array = np.ndarray

_BLOCK = Numbers(
    """\
An inception block reads {reads} channels of {size} × {size}. Its branches:

| first | then |
|---|---|
| 1 × 1 to {ones} | |
| 1 × 1 to {inside[0]} | 3 × 3 to {ends[0]} |
| 1 × 1 to {inside[1]} | 5 × 5 to {ends[1]} |
| 3 × 3 pooling | 1 × 1 to {ends[2]} |""",
    reads=range(200, 401, 20),
    size=range(12, 29, 2),
    ones=range(60, 121, 10),
    inside=lambda rng: [int(rng.integers(4, 9)) * 10, int(rng.integers(4, 9)) * 4],
    ends=lambda rng: [int(rng.integers(9, 16)) * 10, int(rng.integers(8, 13)) * 5, int(rng.integers(8, 13)) * 4],
)


@_BLOCK
def joined(
    reads: int = 300, size: int = 20, ones: int = 90, inside: Sequence[int] = (60, 20),
    ends: Sequence[int] = (120, 50, 36),
) -> Exercise:  # fmt: skip
    """What a block of four branches makes."""
    depth = ones + sum(ends)
    begun, deepest = depth + sum(inside), max(ones, *ends)

    def output(c: int = depth, side: int = size) -> tuple[int, int, int]:
        return c, side, side

    return Exercise(
        "joined",
        reference=output,
        mistakes={"PyTorch's order is channels, height, width.": lambda: output()[::-1]},
        slips={
            "The first 1 × 1 of a branch is read inside it; only its end is laid beside the others.": {"c": begun},
            "A 1 × 1 follows the pooling and changes the number of channels.": {"c": depth - ends[2] + reads},
            "The block's input is not laid beside the branches.": {"c": depth + reads},
            "Maps are laid one behind another, none is added to another: how many are they in all?": {"c": deepest},
            "The pooling has stride 1 and a padding, or its map would not fit the others.": {"side": size // 2},
            "The maps lie behind one another, not side by side: height and width stay.": {"side": 4 * size},
            "The branch with the pooling counts as well.": {"c": depth - ends[2]},
            "That is what the block reads. What do its branches make?": {"c": reads},
            "Every branch keeps height and width: the kernels come with a padding.": {"side": size - 4},
        },
    )


_HEADS = Numbers(
    "The last map has {channels} channels of {side} × {side}, and there are {classes} classes.",
    channels=range(128, 1025, 64),
    side=range(4, 10),
    classes=range(20, 201, 10),
)


@_HEADS
def heads(channels: int = 512, side: int = 6, classes: int = 100) -> Exercise:
    """The parameters of two ways to scores."""
    numbers = channels * side**2

    def count(average: int = channels, dense: int = numbers, bias: int = 1, more: int = 0) -> tuple[int, int]:
        return classes * (average + bias) + more, classes * (dense + bias)

    return Exercise(
        "heads",
        reference=count,
        mistakes={
            "The average comes first in the answer.": lambda: count()[::-1],
            "One bias for each score, not one for each number that is read.": (
                lambda: ((classes + 1) * channels, (classes + 1) * numbers)
            ),
        },
        slips={
            "Each score has a bias.": {"bias": 0},
            "The average is over all places of a channel, not over the channels of a place.": {"average": side**2},
            "The average is over rows and columns: one number is left of a channel.": {"average": channels * side},
            "A map has as many rows as columns, and a dense layer reads all of it.": {"dense": channels * side},
            "An average has nothing to learn.": {"more": numbers},
        },
    )


def _batches(rng: Generator) -> list[Arguments]:
    shapes = [(2, 3, 2, 2), (3, 2, 1, 3), (4, 5, 2, 1), (2, 4, 3, 2)]
    return [
        (
            rng.standard_normal(shape) * 2 + 5 * rng.standard_normal((1, shape[1], 1, 1)),
            *rng.standard_normal((2, shape[1])),
            float(rng.uniform(0.5, 1)),
        )
        for shape in shapes
    ]


def _channels(numbers: Array) -> Array:
    return numbers[:, None, None]


def _norm(x: Array, gamma: Array, beta: Array, eps: float, axis: Any = (0, 2, 3), ddof: int = 0, **wrong: Any) -> Array:
    mean, var = x.mean(axis=axis, keepdims=True), x.var(axis=axis, keepdims=True, ddof=ddof)
    power = wrong.get("power", 0.5)
    spread = var**power + eps if wrong.get("outside") else (var + eps) ** power
    shift = _channels(beta) * (_channels(gamma) if wrong.get("inside") else 1)
    return np.asarray(_channels(gamma) * (x - mean) / spread + shift)


batch_norm = Exercise(
    "batch_norm",
    cases=_batches,
    reference=_norm,
    slips={
        "You have a mean for each channel of each image. The batch is averaged over, too.": {"axis": (2, 3)},
        "You have a mean for each place. All positions of a channel are averaged over.": {"axis": 0},
        "Each channel has a mean and a standard deviation of its own.": {"axis": (0, 1, 2, 3)},
        "An image's mean over its channels? The batch is averaged over, the channels are not.": {"axis": (1, 2, 3)},
        "The variance here divides by the number of values, not by one less.": {"ddof": 1},
        "ε is added to the variance, within the root.": {"outside": True},
        "Where is ε?": lambda x, gamma, beta, eps: (x, gamma, beta, 0),
        "Divide by the standard deviation, which is the root of the variance.": {"power": 1},
        "What do γ and β do, the two numbers that a channel learns?": lambda x, g, b, e: (x, np.ones_like(g), 0 * b, e),
        "γ multiplies what is normalised already; β is added after it.": {"inside": True},
    },
)


def _runs(rng: Generator) -> list[Arguments]:
    cases = []
    for steps, shape in [(1, (2, 3, 2, 2)), (2, (3, 2, 1, 2)), (4, (2, 4, 2, 1))]:
        batches = [(1 + i) * rng.standard_normal(shape) + 3 * rng.standard_normal() for i in range(steps)]
        cases.append((batches, float(rng.uniform(0.1, 0.4))))
    return cases


def _moments(batch: Array, ddof: int = 1) -> tuple[Array, Array]:
    return batch.mean(axis=(0, 2, 3)), batch.var(axis=(0, 2, 3), ddof=ddof)


def _kept(
    batches: Any, momentum: float, ddof: int = 1, start: Any = (0, 1), root: bool = False, keep: Any = None
) -> Any:
    mean, var = start
    old = keep or 1 - momentum
    for batch in batches:
        now = _moments(batch, ddof)
        mean, var = old * mean + momentum * now[0], old * var + momentum * now[1] ** (0.5 if root else 1)
    return mean, var


running = Exercise(
    "running",
    cases=_runs,
    reference=_kept,
    mistakes={
        "A plain mean of all batches? Late batches count for more than early ones.": (
            lambda batches, momentum: tuple(np.mean([_moments(batch) for batch in batches], axis=0))
        ),
        "You begin with the first batch as it is. It too is mixed, with 0 and 1.": (
            lambda batches, momentum: _kept(batches[1:], momentum, start=_moments(batches[0]))
        ),
        "The variance is kept, not the standard deviation.": lambda *case: (_kept(*case)[0], np.sqrt(_kept(*case)[1])),
    },
    slips={
        "For use PyTorch keeps the variance that divides by one less than the number of values.": {"ddof": 0},
        "In PyTorch momentum is the share of the new batch, not of what is kept.": lambda x, m: (x, 1 - m),
        "The variance starts at 1.": {"start": (0, 0)},
        "Variances are mixed in, not standard deviations.": {"root": True},
        "What was kept gets a smaller share with each batch: yours keeps all of it.": {"keep": 1},
    },
)


def _blocks(rng: Generator) -> list[Arguments]:
    drawn = [tuple(int(n) for n in rng.integers(4, 200, 6)) for _ in range(3)]
    numbers = [(64, 96, 128, 16, 32, 32), *drawn]
    return [(int(rng.integers(30, 300)), six, int(rng.integers(5, 30))) for six in numbers]


def _cost(
    channels: int, numbers: Any, side: int, drop: Any = (), f: Any = (3, 5), wide: bool = False, rows: int = 2
) -> Any:
    one, narrow3, three, narrow5, five, pooled = numbers
    parts = [one, narrow3, (channels if wide else narrow3) * three * f[0] ** 2 / channels]
    parts += [narrow5, (channels if wide else narrow5) * five * f[1] ** 2 / channels, pooled]
    weights = round(sum(channels * part for i, part in enumerate(parts) if i not in drop))
    return weights, weights * side**rows


cost = Exercise(
    "cost",
    cases=_blocks,
    reference=_cost,
    mistakes={
        "No biases: normalisations follow.": lambda c, n, side: (_cost(c, n, side)[0] + sum(n), _cost(c, n, side)[1]),
        "Weights first, then MACs.": lambda *case: _cost(*case)[::-1],
    },
    slips={
        "The pooling has no weights, but the 1 × 1 behind it has.": {"drop": (5,)},
        "A 1 × 1 in front is cheap, not free.": {"drop": (1, 3)},
        "The large kernels read what the 1 × 1 in front of them has left, not the whole input.": {"wide": True},
        "Your large kernels read the whole input. What are the 1 × 1 for?": {"drop": (1, 3), "wide": True},
        "A 5 × 5 has 25 weights for each pair of channels.": {"f": (3, 3)},
        "A kernel has as many rows of weights as columns.": {"f": (3**0.5, 5**0.5)},
        "A weight is used at every place of the map, in all its rows and columns.": {"rows": 1},
        "The order is one, narrow3, three, narrow5 …": lambda c, n, s: (c, (n[0], n[2], n[1], n[4], n[3], n[5]), s),
    },
)


def _narrow(rng: Generator) -> list[Arguments]:
    """Some where a whole number of channels makes it exactly as dear."""
    drawn = [(int(rng.integers(20, 300)), int(rng.integers(20, 300)), int(rng.integers(2, 6))) for _ in range(4)]
    return [(192, 128, 3), (36, 4, 3), (100, 4, 5), (2, 2, 1), *drawn]


def _widest(channels: int, kernels: int, size: int, area: int = 2, less: int = 1) -> int:
    full = kernels * size**area
    return (channels * full - less) // (channels + full)


widest = Exercise(
    "widest",
    cases=_narrow,
    reference=_widest,
    mistakes={
        "That is where it begins to cost more: round down.": lambda c, k, f: -(-c * k * f * f // (c + k * f * f)),
        "A whole number of channels, with fewer weights: round which way?": (
            lambda c, k, f: c * k * f * f / (c + k * f * f)
        ),
        "The 1 × 1 has weights, too, so it is not enough to be narrower than the input.": lambda c, k, f: c - 1,
        "Compare weights, not channels: narrower than what comes out is not yet the answer.": lambda c, k, f: k - 1,
        "The 1 × 1 is all you count; the large kernel has weights as well.": lambda c, k, f: (c * k * f * f - 1) // c,
    },
    slips={
        "As many weights as before are no saving.": {"less": 0},
        "A kernel has size × size weights for each pair of channels.": {"area": 1},
    },
)


def _layers(rng: Generator) -> list[Arguments]:
    shapes = [(4, 2, 3, 3), (2, 4, 1, 1), (3, 3, 3, 3)]
    return [
        (rng.standard_normal(s), *rng.standard_normal((3, s[0])), rng.uniform(0.2, 3, s[0]), float(rng.uniform(0.1, 1)))
        for s in shapes
    ]


def _fold(weight: Array, gamma: Array, beta: Array, mean: Array, var: Array, eps: float) -> tuple[Array, Array]:
    factor = gamma / np.sqrt(var + eps)
    return weight * factor[:, None, None, None], beta - factor * mean


fold = Exercise(
    "fold",
    cases=_layers,
    reference=_fold,
    mistakes={
        "γ is in the weights, but it multiplies the mean in the bias as well.": (
            lambda w, g, b, m, v, e: (_fold(w, g, b, m, v, e)[0], b - m / np.sqrt(v + e))
        ),
        "The mean is divided and multiplied before β is added.": (
            lambda w, g, b, m, v, e: (_fold(w, g, b, m, v, e)[0], b - m)
        ),
        "The normalised channels are those that come out: a factor for each kernel, not for each channel it reads.": (
            lambda w, g, b, m, v, e: (w * (g / np.sqrt(v + e))[:, None, None], _fold(w, g, b, m, v, e)[1])
        ),
        "The weights change as well: sums are divided.": lambda w, g, b, m, v, e: (w, _fold(w, g, b, m, v, e)[1]),
    },
    slips={
        "Where is the variance? It divides.": lambda w, g, b, m, v, e: (w, g, b, m, np.ones_like(v), 0),
        "Where is ε? It is there at inference as well.": lambda w, g, b, m, v, e: (w, g, b, m, v, 0),
        "ε is added to the variance, within the root.": lambda w, g, b, m, v, e: (w, g, b, m, (np.sqrt(v) + e) ** 2, 0),
        "Divide by the root of the variance.": lambda w, g, b, m, v, e: (w, g, b, m, (v + e) ** 2, 0),
        "var is the variance already: it is not squared.": lambda w, g, b, m, v, e: (w, g, b, m, v**2, e),
        "The mean is taken off, not added.": lambda w, g, b, m, v, e: (w, g, b, -m, v, e),
        "The mean has to go as well, into the bias.": lambda w, g, b, m, v, e: (w, g, b, 0 * m, v, e),
        "β is added last: nothing multiplies it.": lambda w, g, b, m, v, e: (w, g, g / np.sqrt(v + e) * b, m, v, e),
        "Where is γ?": lambda w, g, b, m, v, e: (w, np.ones_like(g), b, m, v, e),
        "Where is β?": lambda w, g, b, m, v, e: (w, g, 0 * b, m, v, e),
    },
)
