"""The exercises of chapter 11: branches, what a bottleneck saves, and batch normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.random import Generator

from utils.checks.exercise import Arguments, Exercise

Array = np.ndarray

joined = Exercise(
    "joined",
    cases=lambda rng: [()],
    reference=lambda: (296, 20, 20),
    mistakes={
        "What the first 1 × 1 of a branch makes is read inside the branch; only its end is laid beside the others.": (
            lambda: (376, 20, 20)
        ),
        "A 1 × 1 follows the pooling and changes the number of channels.": lambda: (560, 20, 20),
        "The block's input is not laid beside the branches.": lambda: (596, 20, 20),
        "Channels are laid one behind another: nothing is added up, and nothing has to be equally many.": (
            lambda: (120, 20, 20)
        ),
        "The pooling has stride 1 and a padding, or its map would not fit the others.": lambda: (296, 10, 10),
        "The maps lie behind one another, not side by side: height and width stay.": lambda: (296, 80, 80),
        "PyTorch's order is channels, height, width.": lambda: (20, 20, 296),
        "The branch with the pooling counts as well.": lambda: (260, 20, 20),
    },
)

heads = Exercise(
    "heads",
    cases=lambda rng: [()],
    reference=lambda: (51300, 1843300),
    mistakes={
        "Each score has a bias.": lambda: (51200, 1843200),
        "The average comes first in the answer.": lambda: (1843300, 51300),
        "The average is over all places of a channel, not over the channels of a place.": lambda: (3700, 1843300),
        "The average is over rows and columns: one number is left of a channel.": lambda: (307300, 1843300),
        "A map has as many rows as columns, and a dense layer reads all of it.": lambda: (51300, 307300),
        "An average has nothing to learn.": lambda: (69732, 1843300),
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


def _norm(x: Array, gamma: Array, beta: Array, eps: float, axis: Any = (0, 2, 3), ddof: int = 0) -> Array:
    mean, var = x.mean(axis=axis, keepdims=True), x.var(axis=axis, keepdims=True, ddof=ddof)
    return np.asarray(_channels(gamma) * (x - mean) / np.sqrt(var + eps) + _channels(beta))


def _spread(x: Array) -> Array:
    return np.asarray(x.std(axis=(0, 2, 3), keepdims=True))


batch_norm = Exercise(
    "batch_norm",
    cases=_batches,
    reference=_norm,
    mistakes={
        "You have a mean for each channel of each image. The batch is averaged over, too.": (
            lambda x, gamma, beta, eps: _norm(x, gamma, beta, eps, (2, 3))
        ),
        "You have a mean for each place. All positions of a channel are averaged over.": (
            lambda x, gamma, beta, eps: _norm(x, gamma, beta, eps, 0)
        ),
        "Each channel has a mean and a spread of its own.": (
            lambda x, gamma, beta, eps: _norm(x, gamma, beta, eps, (0, 1, 2, 3))
        ),
        "An image's own mean, over its channels? The batch is averaged over, the channels are not.": (
            lambda x, gamma, beta, eps: _norm(x, gamma, beta, eps, (1, 2, 3))
        ),
        "The variance here divides by the number of values, not by one less.": (
            lambda x, gamma, beta, eps: _norm(x, gamma, beta, eps, ddof=1)
        ),
        "ε is added to the variance, within the root.": (
            lambda x, gamma, beta, eps: _norm(x, gamma, 0 * beta, 0) * _spread(x) / (_spread(x) + eps) + _channels(beta)
        ),
        "Where is ε?": lambda x, gamma, beta, eps: _norm(x, gamma, beta, 0),
        "Divide by the spread, which is the root of the variance.": (
            lambda x, gamma, beta, eps: (
                _norm(x, gamma, 0 * beta, eps) / np.sqrt(_spread(x) ** 2 + eps) + _channels(beta)
            )
        ),
        "γ multiplies, β is added.": lambda x, gamma, beta, eps: _norm(x, beta, gamma, eps),
        "What do γ and β do, the two numbers that a channel learns?": (
            lambda x, gamma, beta, eps: _norm(x, np.ones_like(gamma), 0 * beta, eps)
        ),
        "γ multiplies what is normalised already; β is added after it.": (
            lambda x, gamma, beta, eps: _norm(x, gamma, 0 * beta, eps) + _channels(gamma * beta)
        ),
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


def _kept(batches: Sequence[Array], momentum: float, start: Any = (0, 1), ddof: int = 1) -> tuple[Array, Array]:
    mean, var = start
    for batch in batches:
        now = _moments(batch, ddof)
        mean, var = (1 - momentum) * mean + momentum * now[0], (1 - momentum) * var + momentum * now[1]
    return mean, var


running = Exercise(
    "running",
    cases=_runs,
    reference=_kept,
    mistakes={
        "For use PyTorch keeps the variance that divides by one less than the number of values.": (
            lambda batches, momentum: _kept(batches, momentum, ddof=0)
        ),
        "In PyTorch momentum is the share of the new batch, not of what is kept.": (
            lambda batches, momentum: _kept(batches, 1 - momentum)
        ),
        "The variance starts at 1.": lambda batches, momentum: _kept(batches, momentum, (0, 0)),
        "A plain mean of all batches? Late batches count for more than early ones.": (
            lambda batches, momentum: tuple(np.mean([_moments(batch) for batch in batches], axis=0))
        ),
        "The last batch alone is too little: what was kept before goes in with its share.": (
            lambda batches, momentum: _moments(batches[-1])
        ),
        "You begin with the first batch as it is. It too is mixed, with 0 and 1.": (
            lambda batches, momentum: _kept(batches[1:], momentum, _moments(batches[0]))
        ),
        "The variance is kept, not the spread.": lambda batches, momentum: (
            (kept := _kept(batches, momentum))[0],
            np.sqrt(kept[1]),
        ),
        "Mean first, then variance.": lambda batches, momentum: _kept(batches, momentum)[::-1],
    },
)


def _blocks(rng: Generator) -> list[Arguments]:
    drawn = [tuple(int(n) for n in rng.integers(4, 200, 6)) for _ in range(3)]
    numbers = [(64, 96, 128, 16, 32, 32), *drawn]
    return [(int(rng.integers(30, 300)), six, int(rng.integers(5, 30))) for six in numbers]


def _cost(c: int, six: Sequence[int], side: int, drop: Sequence[int] = (), f5: int = 5, wide: bool = False) -> Any:
    one, narrow3, three, narrow5, five, pooled = six
    read3, read5 = (c, c) if wide else (narrow3, narrow5)
    parts = [c * one, c * narrow3, read3 * three * 9, c * narrow5, read5 * five * f5**2, c * pooled]
    weights = sum(part for i, part in enumerate(parts) if i not in drop)
    return weights, weights * side**2


cost = Exercise(
    "cost",
    cases=_blocks,
    reference=_cost,
    mistakes={
        "The pooling has no weights, but the 1 × 1 behind it has.": lambda c, six, side: _cost(c, six, side, (5,)),
        "A 1 × 1 in front is cheap, not free.": lambda c, six, side: _cost(c, six, side, (1, 3)),
        "The large kernels read what the 1 × 1 in front of them has left, not the whole input.": (
            lambda c, six, side: _cost(c, six, side, wide=True)
        ),
        "The large kernels read the whole input in yours. What are the 1 × 1 in front of them for?": (
            lambda c, six, side: _cost(c, six, side, (1, 3), wide=True)
        ),
        "A 5 × 5 has 25 weights for each pair of channels.": lambda c, six, side: _cost(c, six, side, f5=3),
        "A weight is used at every place of the map, in all its rows and columns.": (
            lambda c, six, side: (_cost(c, six, side)[0], _cost(c, six, side)[0] * side)
        ),
        "No biases: a normalisation follows each convolution.": (
            lambda c, six, side: (_cost(c, six, side)[0] + sum(six), _cost(c, six, side)[1])
        ),
        "Weights first, then MACs.": lambda c, six, side: _cost(c, six, side)[::-1],
    },
)


def _narrow(rng: Generator) -> list[Arguments]:
    """Some where a whole number of channels makes it exactly as dear."""
    drawn = [(int(rng.integers(20, 300)), int(rng.integers(20, 300)), int(rng.integers(2, 6))) for _ in range(4)]
    return [(192, 128, 3), (36, 4, 3), (100, 4, 5), *drawn]


widest = Exercise(
    "widest",
    cases=_narrow,
    reference=lambda c, k, f: (c * k * f * f - 1) // (c + k * f * f),
    mistakes={
        "As many weights as before are no saving.": lambda c, k, f: c * k * f * f // (c + k * f * f),
        "That is where it begins to cost more: round down.": lambda c, k, f: -(-c * k * f * f // (c + k * f * f)),
        "The 1 × 1 has weights, too, so it is not enough to be narrower than the input.": lambda c, k, f: c - 1,
        "A kernel has size × size weights for each pair of channels.": lambda c, k, f: (c * k * f - 1) // (c + k * f),
        "The 1 × 1 comes first and reads all the channels; the large kernel reads what it has left.": (
            lambda c, k, f: (c * k * f * f - 1) // (c * f * f + k)
        ),
        "Compare weights, not channels: narrower than what comes out is not yet the answer.": lambda c, k, f: k - 1,
        "The 1 × 1 is all you count; the large kernel behind it has weights as well.": (
            lambda c, k, f: (c * k * f * f - 1) // c
        ),
    },
)


def _layers(rng: Generator) -> list[Arguments]:
    shapes = [(3, 3, 3, 3), (2, 4, 1, 1), (4, 2, 3, 3)]
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
        "Where is ε? It is there in use as well.": lambda w, g, b, m, v, e: _fold(w, g, b, m, v, 0),
        "Divide by the root of the variance.": lambda w, g, b, m, v, e: _fold(w, g, b, m, (v + e) ** 2, 0),
        "The mean is divided and multiplied like everything else before β is added.": (
            lambda w, g, b, m, v, e: (_fold(w, g, b, m, v, e)[0], b - m)
        ),
        "The mean is taken off, not added.": lambda w, g, b, m, v, e: _fold(w, g, b, -m, v, e),
        "The mean has to go as well, into the bias.": lambda w, g, b, m, v, e: _fold(w, g, b, 0 * m, v, e),
        "β is added at the end: nothing multiplies it.": lambda w, g, b, m, v, e: (
            (folded := _fold(w, g, 0 * b, m, v, e))[0],
            folded[1] + g / np.sqrt(v + e) * b,
        ),
        "Where is γ?": lambda w, g, b, m, v, e: _fold(w, np.ones_like(g), b, m, v, e),
        "The normalised channels are those that come out: a factor for each kernel, not for each channel it reads.": (
            lambda w, g, b, m, v, e: (w * (g / np.sqrt(v + e))[:, None, None], _fold(w, g, b, m, v, e)[1])
        ),
        "The weights change as well: the sums are divided and multiplied.": (
            lambda w, g, b, m, v, e: (w, _fold(w, g, b, m, v, e)[1])
        ),
    },
)
