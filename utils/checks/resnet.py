"""The exercises of chapter 13: blocks that add, and what that does to gradients and paths."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb, perm
from typing import Any

import numpy as np
from numpy.random import Generator

from utils.checks.exercise import Arguments, Exercise
from utils.checks.own_numbers import Numbers

Array = np.ndarray
Pairs = list[tuple[int, int]]

_FOUR = Numbers(
    "Four numbers, {x[0]}, {x[1]}, {x[2]}, {x[3]}, go into a residual block of the chapter's first form. Its body "
    "makes {body[0]}, {body[1]}, {body[2]}, {body[3]} of them.",
    x=lambda rng: rng.integers(0, 5, 4).tolist(),
    body=lambda rng: rng.integers(-4, 3, 4).tolist(),
)


@_FOUR
def block(x: Sequence[int] = (1, 2, 0, 3), body: Sequence[int] = (-2, 1, -1, -1)) -> Exercise:
    """What comes out of a block."""
    way, made = np.array(x), np.array(body)
    return Exercise(
        "block",
        reference=lambda: np.maximum(way + made, 0),
        mistakes={
            "After the sum there is a ReLU.": lambda: way + made,
            "The ReLU comes after the sum. Before it a block can take nothing away.": lambda: way + np.maximum(made, 0),
            "Where is the shortcut?": lambda: np.maximum(made, 0),
            "Input and body are added, not multiplied.": lambda: np.maximum(way * made, 0),
            "The body says what is to be added, not what is to be taken away.": lambda: np.maximum(way - made, 0),
            "GoogLeNet concatenates. Here the numbers stay as many.": lambda: np.maximum([*way, *made], 0),
        },
    )


_BLOCKS = Numbers(
    "How many weights do the convolutions of a basic block on {inside} channels have? And those of a bottleneck block "
    "on {channels} channels, with {inside} inside?",
    inside=range(32, 257, 16),
    channels=range(128, 1025, 64),
)


@_BLOCKS
def weights(inside: int = 128, channels: int = 512) -> Exercise:
    """The weights of two blocks."""
    if channels != 4 * inside:
        raise ValueError(f"blocks of one price have 4 · {inside} channels, got {channels}")

    def count(
        area: int = 9, convs: int = 2, points: int = 2, middles: int = 1, reads: int = inside, around: int = 1
    ) -> tuple[int, int]:
        return convs * area * inside**2, points * around * channels * inside + middles * area * inside * reads

    return Exercise(
        "weights",
        reference=count,
        mistakes={
            "No biases: a normalisation follows each convolution.": (
                lambda: (count()[0] + 2 * inside, count()[1] + 2 * inside + channels)
            ),
            "The other way round: basic first.": lambda: count()[::-1],
        },
        slips={
            "A basic block has two convolutions.": {"convs": 1},
            "The bottleneck block ends in a 1 × 1 that brings the channels back.": {"points": 1},
            "The bottleneck block begins and ends with a 1 × 1, and both have weights.": {"points": 0},
            "Only the one in the middle is a 3 × 3.": {"around": 9},
            "Where is the 3 × 3 in the middle of the bottleneck?": {"middles": 0},
            "A bottleneck block has one 3 × 3, in the middle.": {"points": 0, "middles": 3},
            "A 3 × 3 has nine weights for each pair of channels.": {"area": 3},
            f"The middle layer reads what the first 1 × 1 has left, not all {channels} channels.": {"reads": channels},
        },
    )


def _relu(x: Array) -> Array:
    return np.maximum(x, 0)


def _layers(rng: Generator) -> list[Arguments]:
    return [
        (rng.standard_normal(n), rng.standard_normal((n, n)), rng.standard_normal((n, n))) for n in (3, 8, 8, 9, 10)
    ]


def _residual(
    x: Array, w1: Array, w2: Array, inner: Any = _relu, middle: Any = None, last: Any = _relu, around: float = 1
) -> Array:
    body = w2 @ (inner(w1 @ x) if inner else w1 @ x)
    out = around * x + (middle(body) if middle else body)
    return np.asarray(last(out) if last else out)


residual = Exercise(
    "residual",
    cases=_layers,
    reference=_residual,
    mistakes={
        "The shortcut goes around both layers; yours ends after the first.": lambda x, w1, w2: _relu(
            w2 @ _relu(x + w1 @ x)
        ),
        "The shortcut starts in front of both layers.": lambda x, w1, w2: _relu(_relu(w1 @ x) + w2 @ _relu(w1 @ x)),
    },
    slips={
        "The last ReLU, that after the sum, is missing.": {"last": None},
        "Your last ReLU comes before the sum; it belongs after it.": {"last": None, "middle": _relu},
        "There is one ReLU too many: none between the second layer and the sum.": {"middle": _relu},
        "Without a ReLU between them two layers are no more than one.": {"inner": None},
        "That is a plain block: where is the shortcut?": {"around": 0},
        "A row of weights for each output: the matrix stands before the vector.": lambda x, w1, w2: (x, w1.T, w2.T),
    },
)


def _kernel(channels: int, size: int, at: int | None = None, mixed: bool = False, rest: float = 0) -> Array:
    weight = np.full((channels, channels, size, size), float(rest))
    middle = size // 2 if at is None else at
    weight[:, :, middle, middle] = 1
    return weight * (1 if mixed else np.eye(channels)[:, :, None, None])


idle = Exercise(
    "idle",
    cases=lambda rng: [(int(rng.integers(3, 7)), 3), (int(rng.integers(2, 5)), 5), (1, 7), (3, 1)],
    reference=_kernel,
    mistakes={
        "That is the mean of the neighbours: the picture is blurred.": lambda c, n: _kernel(c, n, rest=1) / n**2,
        "With weights of 0 a *plain* layer hands nothing on. The body of a residual block may have them.": (
            lambda channels, size: np.zeros((channels, channels, size, size))
        ),
        "A kernel reads all channels, and has a slice for each, most of them zeros.": (
            lambda channels, size: np.stack([_kernel(1, size)[0, 0]] * channels)
        ),
        "In a kernel one weight is 1, not a diagonal.": lambda c, size: np.eye(c)[:, :, None, None] * np.eye(size),
    },
    slips={
        "That hands on the sum of all channels: each output should read its own alone.": {"mixed": True},
        "With a 1 in the corner the picture moves. Which weight lies on the pixel itself?": {"at": 0},
        "Place [1, 1] is the middle of a kernel of 3 only.": {"at": 1},
        "All weights at 1 add up the neighbours of a pixel.": {"rest": 1},
    },
)


def _projections(depths: list[int], expansion: int, **wrong: Any) -> Pairs:
    pairs, c = [], 64
    for stage, depth in enumerate(depths):
        out = 64 * 2**stage * expansion
        for i in range(depth):
            stride = 2 if stage and not i else 1
            if stride == 2 or (stage and wrong.get("every")) or (c != out and not wrong.get("strides_only")):
                pairs.append((stage, i))
            c = 64 * 2**stage if wrong.get("narrow") else c if wrong.get("stuck") else out
    return pairs


def _nets(rng: Generator) -> list[Arguments]:
    drawn = [([int(n) for n in rng.integers(1, 5, int(rng.integers(2, 5)))], e) for e in (1, 2, 4)]
    return [([2, 2, 2, 2], 1), ([3, 4, 6, 3], 1), ([3, 4, 6, 3], 4), *drawn]


projections = Exercise(
    "projections",
    cases=_nets,
    reference=_projections,
    mistakes={
        "Not every stage begins with a projection: compare what comes out of the stem with what the block makes.": (
            lambda depths, expansion: [(stage, 0) for stage in range(len(depths))]
        ),
        "Within a stage the shape stays: there the shortcut is bare.": (
            lambda depths, expansion: [(stage, i) for stage, depth in enumerate(depths) for i in range(depth)]
        ),
        "The shape changes in the block that begins a stage, not in the last of the one before.": (
            lambda depths, expansion: [(s - 1, depths[s - 1] - 1) for s, _ in _projections(depths, expansion) if s]
        ),
        "Count stages and blocks from 0.": lambda *case: [(stage + 1, i + 1) for stage, i in _projections(*case)],
        "Stage first, then block.": lambda *case: [(i, stage) for stage, i in _projections(*case)],
        "Pairs, please: the block as well as the stage.": lambda *case: [stage for stage, _ in _projections(*case)],
    },
    slips={
        "Right for basic blocks. A stride is one reason; compare channels as well.": {"strides_only": True},
        "Within a stage the shape stays after its first block.": {"every": True},
        "The second block of a stage reads what the first one makes, expansion and all.": {"narrow": True},
        "What comes in changes from block to block: in yours it stays that of the stem.": {"stuck": True},
    },
)


def _end(x: float, weights: Array) -> float:
    for w in weights:
        x = x + w * np.tanh(x)
    return x


def _gradient(
    x: float, weights: Array, shift: int = 0, around: int = 1, own: int = 1, power: int = 2, **how: Any
) -> Any:
    """Slopes of the blocks, taken at the number that goes into each or at a later one, and multiplied."""
    inputs = [x]
    for w in weights:
        inputs.append(how.get("carried", 1) * inputs[-1] + w * np.tanh(inputs[-1]))
    at = np.full(len(weights), x) if how.get("held") else np.array(inputs[shift : len(weights) + shift])
    return how.get("done", np.prod)(around + (weights if own else 1) * (1 - np.tanh(at) ** power))


gradient = Exercise(
    "gradient",
    cases=lambda rng: [(float(rng.standard_normal()), rng.standard_normal(n)) for n in (2, 3, 4, 5, 6)],
    reference=_gradient,
    mistakes={
        "Each block has its shortcut; yours has one around all of them.": lambda x, ws: 1 + _gradient(x, ws, around=0),
        "You add what each body does to the gradient. But a body also reads what the blocks before it have added.": (
            lambda x, weights: 1 + _gradient(x, weights, around=0, done=np.sum)
        ),
        "tanh has a slope as well, and it is not 1 everywhere.": lambda x, weights: np.prod(1 + weights),
        "Only the body's slope has a 1 − tanh²; the shortcut's is 1.": (
            lambda x, weights: np.prod(1 + weights) * _gradient(x, weights, around=0, own=0)
        ),
        "That is the number at the end. How does it change with x?": _end,
        "That is how far the number has come. How does the end change with x?": lambda x, weights: _end(x, weights) - x,
    },
    slips={
        "Those are the bodies alone. The shortcut has a slope, too.": {"around": 0},
        "Along a chain slopes multiply.": {"done": np.sum},
        "Only the first block reads x. Take the slope of each at the number that goes into it.": {"held": True},
        "The slope of a body is that at the number that goes in, not at the one that comes out.": {"shift": 1},
        "What is the derivative of tanh? It has a square in it.": {"power": 1},
        "Each body multiplies by its w, and so does its slope.": {"own": 0},
        "What goes into the next block is x and what the body adds; yours is what the body makes.": {"carried": 0},
    },
)


def _by_length(blocks: int, fade: float, count: Any = comb, around: float = 1, whole: Any = None) -> Array:
    parts = np.array([count(blocks, k) * fade**k * around ** (blocks - k) for k in range(blocks + 1)])
    return parts / (whole or parts.sum())


paths = Exercise(
    "paths",
    cases=lambda rng: [(2, 0.5), (54, 0.3), *((int(rng.integers(3, 9)), float(rng.uniform(0.3, 0.8))) for _ in "123")],
    reference=_by_length,
    mistakes={
        "One path goes through no block at all.": lambda *case: _by_length(*case)[1:] / _by_length(*case)[1:].sum(),
        "One path goes through all the blocks.": lambda *case: _by_length(*case)[:-1] / _by_length(*case)[:-1].sum(),
        "Going around leaves all of the gradient, not 1 − fade of it.": lambda n, f: _by_length(n, f, around=1 - f),
        "Divide by what all paths carry, not by how many there are.": lambda n, fade: _by_length(n, fade, whole=2**n),
        "Shares add up to 1, not to 100.": lambda *case: 100 * _by_length(*case),
    },
    slips={
        "You count paths. Those through many blocks carry less than those through few.": lambda blocks, _: (blocks, 1),
        "That is what one path of each length carries. How many are there?": {"count": lambda blocks, k: 1},
        "Shares add up to 1.": {"whole": 1},
        "A path meets the blocks in their one order: do not count it again for each order of them.": {"count": perm},
    },
)
