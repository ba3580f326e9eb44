"""The exercises of chapter 12: blocks that add, and what that does to gradients and paths."""

from __future__ import annotations

from math import comb, perm
from typing import Any

import numpy as np
from numpy.random import Generator

from utils.checks.exercise import Arguments, Exercise

Array = np.ndarray
Pairs = list[tuple[int, int]]

_X, _BODY = np.array([1, 2, 0, 3]), np.array([-2, 1, -1, -1])

block = Exercise(
    "block",
    cases=lambda rng: [()],
    reference=lambda: np.maximum(_X + _BODY, 0),
    mistakes={
        "After the sum there is a ReLU.": lambda: _X + _BODY,
        "The ReLU comes after the sum. Before it, a block could never take anything away.": (
            lambda: _X + np.maximum(_BODY, 0)
        ),
        "Where is the shortcut?": lambda: np.maximum(_BODY, 0),
        "Input and body are added, not multiplied.": lambda: np.maximum(_X * _BODY, 0),
        "The body says what is to be added, not what is to be taken away.": lambda: np.maximum(_X - _BODY, 0),
        "Concatenating is what GoogLeNet does. Here the channels stay as many.": (
            lambda: np.maximum(np.concatenate([_X, _BODY]), 0)
        ),
    },
)

weights = Exercise(
    "weights",
    cases=lambda rng: [()],
    reference=lambda: (294912, 278528),
    mistakes={
        "A basic block has two convolutions.": lambda: (147456, 278528),
        "The bottleneck block ends in a 1 × 1 that brings the channels back.": lambda: (294912, 212992),
        "Only the one in the middle is a 3 × 3.": lambda: (294912, 1327104),
        "No biases: a normalisation follows each convolution.": lambda: (295168, 279296),
        "A 3 × 3 has nine weights for each pair of channels.": lambda: (98304, 180224),
        "The middle layer reads what the first 1 × 1 has left, not all 512 channels.": lambda: (294912, 720896),
        "The other way round: basic first.": lambda: (278528, 294912),
    },
)


def _relu(x: Array) -> Array:
    return np.maximum(x, 0)


def _layers(rng: Generator) -> list[Arguments]:
    return [
        (rng.standard_normal(n), rng.standard_normal((n, n)), rng.standard_normal((n, n))) for n in (3, 8, 8, 9, 10)
    ]


residual = Exercise(
    "residual",
    cases=_layers,
    reference=lambda x, w1, w2: _relu(x + w2 @ _relu(w1 @ x)),
    mistakes={
        "The last ReLU, that after the sum, is missing.": lambda x, w1, w2: x + w2 @ _relu(w1 @ x),
        "Your last ReLU comes before the sum; it belongs after it.": lambda x, w1, w2: x + _relu(w2 @ _relu(w1 @ x)),
        "There is one ReLU too many: none between the second layer and the sum.": (
            lambda x, w1, w2: _relu(x + _relu(w2 @ _relu(w1 @ x)))
        ),
        "Without a ReLU between them two layers are no more than one.": lambda x, w1, w2: _relu(x + w2 @ w1 @ x),
        "That is a plain block: where is the shortcut?": lambda x, w1, w2: _relu(w2 @ _relu(w1 @ x)),
        "The shortcut goes around both layers; yours ends after the first.": lambda x, w1, w2: _relu(
            w2 @ _relu(x + w1 @ x)
        ),
        "The shortcut starts before the first layer; yours, after it.": (
            lambda x, w1, w2: _relu(_relu(w1 @ x) + w2 @ _relu(w1 @ x))
        ),
        "First w1, then w2.": lambda x, w1, w2: _relu(x + w1 @ _relu(w2 @ x)),
        "A row of weights for each output: the matrix stands before the vector.": (
            lambda x, w1, w2: _relu(x + _relu(x @ w1) @ w2)
        ),
    },
)


def _kernel(channels: int, size: int, at: int) -> Array:
    weight = np.zeros((channels, channels, size, size))
    weight[range(channels), range(channels), at, at] = 1
    return weight


idle = Exercise(
    "idle",
    cases=lambda rng: [(int(rng.integers(3, 7)), 3), (int(rng.integers(2, 5)), 5), (1, 7), (3, 1)],
    reference=lambda channels, size: _kernel(channels, size, size // 2),
    mistakes={
        "That hands on the sum of all channels: each output should read its own alone.": (
            lambda channels, size: np.ones((channels, channels, 1, 1)) * _kernel(1, size, size // 2)
        ),
        "With a 1 in the corner the picture moves. Which weight lies on the pixel itself?": (
            lambda channels, size: _kernel(channels, size, 0)
        ),
        "All weights at 1 add up the neighbours of a pixel.": (
            lambda channels, size: np.eye(channels)[:, :, None, None] * np.ones((size, size))
        ),
        "That is the mean of the neighbours: the picture is blurred.": (
            lambda channels, size: np.eye(channels)[:, :, None, None] * np.ones((size, size)) / size**2
        ),
        "With weights of 0 a *plain* layer hands nothing on. The body of a residual block may have them.": (
            lambda channels, size: np.zeros((channels, channels, size, size))
        ),
        "A kernel reads all channels, and has a slice for each, most of them zeros.": (
            lambda channels, size: np.stack([_kernel(1, size, size // 2)[0, 0]] * channels)
        ),
    },
)


def _projections(depths: list[int], expansion: int, **wrong: Any) -> Pairs:
    pairs, c = [], 64
    for stage, depth in enumerate(depths):
        out = 64 * 2**stage * expansion
        for i in range(depth):
            stride = 2 if stage and not i else 1
            if stride == 2 or (c != out and not wrong.get("strides_only")):
                pairs.append((stage, i))
            c = 64 * 2**stage if wrong.get("narrow") else out
    return pairs


def _nets(rng: Generator) -> list[Arguments]:
    drawn = [([int(n) for n in rng.integers(1, 5, int(rng.integers(2, 5)))], e) for e in (1, 2, 4)]
    return [([2, 2, 2, 2], 1), ([3, 4, 6, 3], 1), ([3, 4, 6, 3], 4), *drawn]


projections = Exercise(
    "projections",
    cases=_nets,
    reference=_projections,
    mistakes={
        "Right for basic blocks. A stride is one reason for a projection; compare the channels as well.": (
            lambda depths, expansion: _projections(depths, expansion, strides_only=True)
        ),
        "Not every stage begins with a projection: compare what comes out of the stem with what the block makes.": (
            lambda depths, expansion: [(stage, 0) for stage in range(len(depths))]
        ),
        "Within a stage the shape stays: there the wire is bare.": (
            lambda depths, expansion: [(stage, i) for stage, depth in enumerate(depths) for i in range(depth)]
        ),
        "The shape changes in the block that begins a stage, not in the last of the one before.": (
            lambda depths, expansion: [(s - 1, depths[s - 1] - 1) for s, _ in _projections(depths, expansion) if s]
        ),
        "Count stages and blocks from 0.": lambda depths, expansion: [
            (stage + 1, i + 1) for stage, i in _projections(depths, expansion)
        ],
        "Stage first, then block.": lambda depths, expansion: [
            (i, stage) for stage, i in _projections(depths, expansion)
        ],
        "The second block of a stage reads what the first one makes, expansion and all.": (
            lambda depths, expansion: _projections(depths, expansion, narrow=True)
        ),
    },
)


def _inputs(x: float, weights: Array) -> list[float]:
    """What goes into each block, and what comes out of the last."""
    inputs = [x]
    for w in weights:
        inputs.append(inputs[-1] + w * np.tanh(inputs[-1]))
    return inputs


def _slopes(x: float, weights: Array, shift: int = 0) -> Array:
    """The slope of each body, at the number that goes into it or at a later one."""
    return np.asarray(weights * (1 - np.tanh(_inputs(x, weights)[shift : len(weights) + shift]) ** 2))


gradient = Exercise(
    "gradient",
    cases=lambda rng: [(float(rng.standard_normal()), rng.standard_normal(n)) for n in (2, 3, 4, 5, 6)],
    reference=lambda x, weights: np.prod(1 + _slopes(x, weights)),
    mistakes={
        "Those are the bodies alone. The shortcut has a slope, too.": lambda x, weights: np.prod(_slopes(x, weights)),
        "Along a chain slopes multiply.": lambda x, weights: np.sum(1 + _slopes(x, weights)),
        "Each block has its shortcut; yours has one around all of them.": (
            lambda x, weights: 1 + np.prod(_slopes(x, weights))
        ),
        "You add what each body does to the gradient. But a body also reads what the blocks before it have added.": (
            lambda x, weights: 1 + np.sum(_slopes(x, weights))
        ),
        "Only the first block reads x. Take the slope of each at the number that goes into it.": (
            lambda x, weights: np.prod(1 + weights * (1 - np.tanh(x) ** 2))
        ),
        "The slope of a body is that at the number that goes in, not at the one that comes out.": (
            lambda x, weights: np.prod(1 + _slopes(x, weights, shift=1))
        ),
        "tanh has a slope as well, and it is not 1 everywhere.": lambda x, weights: np.prod(1 + weights),
        "That is the number at the end. How does it change with x?": lambda x, weights: _inputs(x, weights)[-1],
    },
)


def _by_length(blocks: int, fade: float, count: Any = comb) -> Array:
    return np.array([count(blocks, k) * fade**k for k in range(blocks + 1)])


def _normed(parts: Array) -> Array:
    return np.asarray(parts / parts.sum())


paths = Exercise(
    "paths",
    cases=lambda rng: [(2, 0.5), (54, 0.3), *((int(rng.integers(3, 9)), float(rng.uniform(0.3, 0.8))) for _ in "123")],
    reference=lambda blocks, fade: _normed(_by_length(blocks, fade)),
    mistakes={
        "You count paths. Those through many blocks carry less than those through few.": (
            lambda blocks, fade: _normed(_by_length(blocks, 1))
        ),
        "That is what one path of each length carries. How many are there?": (
            lambda blocks, fade: _normed(fade ** np.arange(blocks + 1))
        ),
        "Shares add up to 1.": _by_length,
        "Begin with the path that goes around every block.": lambda blocks, fade: _normed(_by_length(blocks, fade))[
            ::-1
        ],
        "One path goes through no block at all.": lambda blocks, fade: _normed(_by_length(blocks, fade)[1:]),
        "One path goes through all the blocks.": lambda blocks, fade: _normed(_by_length(blocks, fade)[:-1]),
        "A path meets the blocks in their one order: do not count it again for each order of them.": (
            lambda blocks, fade: _normed(_by_length(blocks, fade, perm))
        ),
    },
)
