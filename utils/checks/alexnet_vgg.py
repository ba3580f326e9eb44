"""The exercises of chapter 10: what the challenge measures, and where weights, memory and signals are."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.random import Generator

from utils.checks.exercise import Arguments, Exercise

Array = np.ndarray

towers = Exercise(
    "towers",
    cases=lambda rng: [()],
    reference=lambda: (23296, 153792, 442624),
    mistakes={
        "A kernel has a bias, too.": lambda: (23232, 153600, 442368),
        "A kernel of the second layer reads only the half on its own card.": lambda: (23296, 307392, 442624),
        "The channels that a kernel reads are halved, not the number of kernels: both cards count.": (
            lambda: (23296, 76896, 442624)
        ),
        "There are 192 kernels on both cards together.": lambda: (23296, 307584, 442624),
        "The third layer reads both halves.": lambda: (23296, 153792, 221440),
        "A photograph has three channels, and a kernel has weights for each.": lambda: (7808, 153792, 442624),
        "That is one card's half of the first layer.": lambda: (11648, 153792, 442624),
    },
)

written = Exercise(
    "written",
    cases=lambda rng: [()],
    reference=lambda: (294912, 147456),
    mistakes={
        "What the pooling writes is kept as well.": lambda: (262144, 131072),
        "Two convolutions a stage: both maps are kept for the way back.": lambda: (163840, 81920),
        "Each map has many channels.": lambda: (9216, 2304),
        "Numbers, not bytes.": lambda: (1179648, 589824),
        "The second stage has twice the channels.": lambda: (294912, 73728),
        "The first pooling halves height and width for the second stage.": lambda: (294912, 589824),
        "A ReLU in place writes over the sums, and takes no memory of its own.": lambda: (557056, 278528),
        "Halving the side leaves a quarter of the places.": lambda: (327680, 163840),
    },
)


def _ranked(rng: Generator) -> list[Arguments]:
    """Odd numbers of images, for none is then half of them."""
    sizes = [(9, 6, 1), (11, 6, 2), (15, 8, 3), (13, 9, 5), (7, 5, 2)]
    return [(rng.standard_normal((n, classes)), rng.integers(0, classes, n), k) for n, classes, k in sizes]


def _better(scores: Array, labels: Array) -> Array:
    """How many classes have a higher score than the right one, for each image."""
    return np.asarray((scores > scores[np.arange(len(labels)), labels][:, None]).sum(axis=1))


top_k = Exercise(
    "top_k",
    cases=_ranked,
    reference=lambda scores, labels, k: (_better(scores, labels) >= k).mean(),
    mistakes={
        "That is the share of right answers; the error is what is missing.": (
            lambda scores, labels, k: (_better(scores, labels) < k).mean()
        ),
        "You take the k lowest scores. Which end of a sorted row has the best?": (
            lambda scores, labels, k: (_better(-scores, labels) >= k).mean()
        ),
        "That is the top-1 error: k answers are allowed.": lambda scores, labels, k: (
            _better(scores, labels) >= 1
        ).mean(),
        "A share of the images, not their number.": lambda scores, labels, k: (_better(scores, labels) >= k).sum(),
        "The answer on place k counts as well: one too few is allowed.": (
            lambda scores, labels, k: (_better(scores, labels) >= k - 1).mean()
        ),
        "One answer too many is allowed.": lambda scores, labels, k: (_better(scores, labels) > k).mean(),
        "A place among the first k is enough, it need not be the last of them.": (
            lambda scores, labels, k: (_better(scores, labels) != k - 1).mean()
        ),
        "A share, as 0.25; not per cent.": lambda scores, labels, k: 100 * (_better(scores, labels) >= k).mean(),
        "Each image has k answers of its own. You rank the images within each class.": (
            lambda scores, labels, k: 1 - (np.argsort(-scores, axis=0)[:, :k] == labels[:, None]).any(axis=1).mean()
        ),
    },
)


def _masked(rng: Generator) -> list[Arguments]:
    cases: list[Arguments] = []
    for shape, rate in [((7,), 0.2), ((3, 4), 0.5), ((9,), 0.7), ((2, 5), float(rng.uniform(0.25, 0.4)))]:
        mask = rng.random(shape) < 0.5
        mask.flat[0], mask.flat[1] = True, False
        cases += [(rng.standard_normal(shape), mask.astype(int), rate, learning) for learning in (True, False)]
    return cases


dropout = Exercise(
    "dropout",
    cases=_masked,
    reference=lambda x, mask, rate, learning: x * mask / (1 - rate) if learning else x,
    mistakes={
        "Right for a rate of a half. With few numbers dropped the others need to grow only a little.": (
            lambda x, mask, rate, learning: x * mask / rate if learning else x
        ),
        "Sums get smaller while it learns: the numbers that stay have to make up for those that are dropped.": (
            lambda x, mask, rate, learning: x * mask if learning else x
        ),
        "In use nothing is dropped, so nothing has to be made up for.": (
            lambda x, mask, rate, learning: x * mask / (1 - rate) if learning else x / (1 - rate)
        ),
        "The numbers that stay have to grow, and yours shrink.": (
            lambda x, mask, rate, learning: x * mask * (1 - rate) if learning else x
        ),
        "So did the network of 2012. Since then the numbers are put right while it learns, and in use left alone.": (
            lambda x, mask, rate, learning: x * mask if learning else x * (1 - rate)
        ),
        "A 1 in the mask means that the number stays.": (
            lambda x, mask, rate, learning: x * (1 - mask) / (1 - rate) if learning else x
        ),
        "In use all numbers are there.": lambda x, mask, rate, learning: x * mask / (1 - rate),
        "While it learns numbers are dropped; in use they are not. You have it the other way round.": (
            lambda x, mask, rate, learning: x if learning else x * mask / (1 - rate)
        ),
    },
)


def _dense(rng: Generator) -> list[Arguments]:
    sizes = [(2, 3, 4, 5), (3, 2, 3, 2), (4, 3, 2, 4), (2, 5, 3, 4)]
    return [(rng.standard_normal((k, c * h * w)), c, h, w) for k, c, h, w in sizes]


as_convolution = Exercise(
    "as_convolution",
    cases=_dense,
    reference=lambda weight, c, h, w: weight.reshape(-1, c, h, w),
    mistakes={
        "The dense layer read all of the first channel, then the next; in yours a pixel's channels stand together.": (
            lambda weight, c, h, w: weight.reshape(-1, h, w, c).transpose(0, 3, 1, 2)
        ),
        "A channel was read row by row, not column by column.": (
            lambda weight, c, h, w: weight.reshape(-1, c, w, h).swapaxes(2, 3)
        ),
        "PyTorch's order is kernels, channels, height, width; in yours the channels stand last.": (
            lambda weight, c, h, w: weight.reshape(-1, h, w, c)
        ),
        "Height stands before width.": lambda weight, c, h, w: weight.reshape(-1, c, w, h),
        "A layer does not turn its kernels round, so you need not either.": (
            lambda weight, c, h, w: weight.reshape(-1, c, h, w)[..., ::-1, ::-1]
        ),
        "Kernels first, then the channels that each reads.": (
            lambda weight, c, h, w: weight.reshape(-1, c, h, w).swapaxes(0, 1)
        ),
        "All weights of a unit become one kernel: a row of the matrix, not a column.": (
            lambda weight, c, h, w: weight.T.reshape(-1, c, h, w)
        ),
    },
)


def _stack(kernel: int, c: int, layers: int | None = None) -> tuple[int, int]:
    layers = (kernel - 1) // 2 if layers is None else layers
    return layers, (kernel**2 - 9 * layers) * c * c


stack = Exercise(
    "stack",
    cases=lambda rng: [
        (3, 64),
        (5, 16),
        (7, 256),
        (11, 96),
        (2 * int(rng.integers(4, 12)) + 1, int(rng.integers(5, 99))),
    ],
    reference=_stack,
    mistakes={
        "Fields do not add up like that: neighbouring kernels overlap. What does a second 3 × 3 add?": (
            lambda kernel, c: _stack(kernel, c, -(-kernel // 3))
        ),
        "One layer too many: the first one sees 3 already.": lambda kernel, c: _stack(kernel, c, (kernel + 1) // 2),
        "A layer has weights for each pair of channels, one in and one out.": (
            lambda kernel, c: (_stack(kernel, c)[0], _stack(kernel, c)[1] // c)
        ),
        "That is what the stack has; how many fewer are they?": (
            lambda kernel, c: (_stack(kernel, c)[0], 9 * _stack(kernel, c)[0] * c * c)
        ),
        "The large kernel has more weights than the stack, so what is saved is not negative.": (
            lambda kernel, c: (_stack(kernel, c)[0], -_stack(kernel, c)[1])
        ),
        "Every layer of the stack has its weights, not only one.": (
            lambda kernel, c: (_stack(kernel, c)[0], (kernel**2 - 9) * c * c)
        ),
        "No biases.": lambda kernel, c: (
            _stack(kernel, c)[0],
            _stack(kernel, c)[1] - (_stack(kernel, c)[0] - 1) * c,
        ),
    },
)


Layers = list[tuple[int, int]]  # channels that are read, kernel size
_NETS: list[Layers] = [[(3, 3), (16, 3), (32, 3), (32, 5)], [(3, 5), (8, 5)], [(1, 7), (20, 1), (10, 3)]]


def _nets(rng: Generator) -> list[Arguments]:
    """Networks with a spread that nearly suits them, so that the signal neither vanishes nor explodes."""
    suits = [np.sqrt(2 / np.mean([c * f * f for c, f in layers])) for layers in _NETS]
    return [(layers, float(rng.uniform(0.8, 1.2) * spread)) for layers, spread in zip(_NETS, suits, strict=True)]


signal = Exercise(
    "signal",
    cases=_nets,
    reference=lambda layers, spread: prod(c * f * f * spread**2 / 2 for c, f in layers),
    mistakes={
        "Each ReLU sets half of the numbers to zero: what does that do to the mean of their squares?": (
            lambda layers, spread: prod(c * f * f * spread**2 for c, f in layers)
        ),
        "There is a ReLU after every layer, not only at the end.": (
            lambda layers, spread: prod(c * f * f * spread**2 for c, f in layers) / 2
        ),
        "Squares are asked for: a weight's mean square is its spread, squared.": (
            lambda layers, spread: prod(c * f * f * spread / 2 for c, f in layers)
        ),
        "A sum has many products, one for each weight of a kernel.": (
            lambda layers, spread: prod(spread**2 / 2 for _ in layers)
        ),
        "A kernel has more than one weight for each channel.": (
            lambda layers, spread: prod(c * spread**2 / 2 for c, _ in layers)
        ),
        "A kernel has as many columns as rows; you count one of them.": (
            lambda layers, spread: prod(c * f * spread**2 / 2 for c, f in layers)
        ),
        "A kernel reads all channels, not one.": lambda layers, spread: prod(f * f * spread**2 / 2 for _, f in layers),
        "That is the factor of the spread; the mean square is asked for.": (
            lambda layers, spread: np.sqrt(prod(c * f * f * spread**2 / 2 for c, f in layers))
        ),
        "Each layer multiplies what it gets: their factors do not add.": (
            lambda layers, spread: sum(c * f * f * spread**2 / 2 for c, f in layers)
        ),
    },
)
