"""The exercises of chapter 11: what the challenge measures, and where weights, memory and signals are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import prod
from typing import Any

import numpy as np
from numpy.random import Generator

from utils.checks.exercise import Arguments, Exercise
from utils.checks.own_numbers import Numbers

Array = np.ndarray

_TOWERS = Numbers(
    "Its first layer, {kernels[0]} kernels of 11 × 11, reads photographs; each card makes half of its channels. The "
    "second has {kernels[1]} kernels of 5 × 5, half of them on each card, and they see only what is on their card. The "
    "third, {kernels[2]} kernels of 3 × 3, reads from both cards.",
    kernels=lambda rng: (16 * rng.integers([2, 7, 13], [7, 13, 25])).tolist(),
)


@_TOWERS
def towers(kernels: Sequence[int] = (64, 192, 256)) -> Exercise:
    """The parameters of three layers on two cards."""
    one, two, three = kernels

    def count(
        colours: int = 3, half: int = one // 2, many: int = two, both: int = two, bias: int = 1, first: int = one
    ) -> tuple[int, ...]:
        return first * (121 * colours + bias), many * (25 * half + bias), three * (9 * both + bias)

    return Exercise(
        "towers",
        reference=count,
        slips={
            "A kernel has a bias, too.": {"bias": 0},
            "A kernel of the second layer reads only the half on its own card.": {"half": one},
            "What a kernel reads is halved, not the number of kernels: both cards count.": {"many": two // 2},
            f"There are {two} kernels on both cards together.": {"many": 2 * two},
            "The third layer reads both halves.": {"both": two // 2},
            "A photograph has three channels, and a kernel has weights for each.": {"colours": 1},
            "That is one card's half of the first layer.": {"first": one // 2},
        },
    )


_STAGES = Numbers(
    "A network in the manner of VGG reads images of {side} × {side} pixels. Its first stage has two 3 × 3 convolutions "
    "with {channels[0]} channels and a pooling; its second, two with {channels[1]} channels and a pooling.",
    side=range(32, 129, 8),
    channels=lambda rng: [n := 8 * int(rng.integers(2, 9)), 2 * n],
)


@_STAGES
def written(side: int = 64, channels: Sequence[int] = (32, 64)) -> Exercise:
    """The numbers that two stages write."""
    one, two = channels

    def count(
        convs: int = 2, pooled: float = 1 / 4, late: int = two, area: int = (side // 2) ** 2, maps: bool = True,
        size: int = 1,
    ) -> tuple[float, ...]:  # fmt: skip
        first, second = (one, late) if maps else (1, 1)
        return size * first * side**2 * (convs + pooled), size * second * area * (convs + pooled)

    return Exercise(
        "written",
        reference=lambda **wrong: tuple(map(int, count(**wrong))),
        slips={
            "What the pooling writes is kept as well.": {"pooled": 0},
            "Two convolutions a stage: both maps are kept for the way back.": {"convs": 1},
            "Each map has many channels.": {"maps": False},
            "Numbers, not bytes.": {"size": 4},
            "The second stage has twice the channels.": {"late": one},
            "The first pooling halves height and width for the second stage.": {"area": side**2},
            "A ReLU in place writes over the sums, and takes no memory of its own.": {"convs": 4},
            "Halving the side leaves a quarter of the places.": {"pooled": 1 / 2},
        },
    )


def _ranked(rng: Generator) -> list[Arguments]:
    """Odd numbers of images, for none is then half of them."""
    sizes = [(21, 6, 1), (23, 6, 2), (25, 8, 3), (31, 9, 5), (19, 5, 2)]
    return [(rng.standard_normal((n, classes)), rng.integers(0, classes, n), k) for n, classes, k in sizes]


def _better(scores: Array, labels: Array) -> Array:
    """How many classes have a higher score than the right one, for each image."""
    return np.asarray((scores > scores[np.arange(len(labels)), labels][:, None]).sum(axis=1))


def _error(
    scores: Array, labels: Array, k: int, best: int = 1, done: Any = np.mean, out: Any = np.greater_equal
) -> Any:
    return done(out(_better(best * scores, labels), k))


top_k = Exercise(
    "top_k",
    cases=_ranked,
    reference=_error,
    mistakes={
        "Each image has k answers of its own. You rank the images within each class.": (
            lambda scores, labels, k: 1 - (np.argsort(-scores, axis=0)[:, :k] == labels[:, None]).any(axis=1).mean()
        ),
    },
    slips={
        "That is the share of right answers; the error is what is missing.": {"out": np.less},
        "A place among the first k is enough, it need not be the last of them.": {"out": lambda at, k: at != k - 1},
        "You take the k lowest scores. Which end of a sorted row has the best?": {"best": -1},
        "A share of the images, not their number.": {"done": np.sum},
        "A share, as 0.25; not per cent.": {"done": lambda wrong: 100 * wrong.mean()},
        "The answer on place k counts as well: one too few is allowed.": lambda x, labels, k: (x, labels, k - 1),
        "One answer too many is allowed.": lambda scores, labels, k: (scores, labels, k + 1),
    },
)


def _masked(rng: Generator) -> list[Arguments]:
    cases: list[Arguments] = []
    for shape, rate in [((7,), 0.2), ((3, 4), 0.5), ((9,), 0.7), ((2, 5), float(rng.uniform(0.25, 0.4)))]:
        mask = rng.random(shape) < 0.5
        mask.flat[0], mask.flat[1] = True, False
        cases += [(rng.standard_normal(shape), mask.astype(int), rate, learning) for learning in (True, False)]
    return cases


def _dropped(
    x: Array, mask: Array, rate: float, learning: bool, scale: Any = lambda p: 1 - p, use: Any = None
) -> Array:
    return np.asarray(x * mask / (scale(rate) if scale else 1 - rate) if learning else x / (use(rate) if use else 1))


dropout = Exercise(
    "dropout",
    cases=_masked,
    reference=_dropped,
    mistakes={
        "In use all numbers are there.": lambda x, mask, rate, learning: x * mask / (1 - rate),
        "In use all numbers are there; and those that stay make up for the rest.": lambda x, mask, *_: x * mask,
        "In use the layer does nothing: it hands on what it gets.": lambda x, m, r, on: on * x * m / (1 - r),
        "The numbers that stay grow by a factor that the rate says, not by how many happened to stay.": (
            lambda x, mask, rate, learning: x * mask / mask.mean() if learning else x
        ),
        "So did the network of 2012. Since then the numbers are put right in training, and left alone at inference.": (
            lambda x, mask, rate, learning: x * mask if learning else x * (1 - rate)
        ),
    },
    slips={
        "Right for a rate of a half: if few are dropped, the others grow only a little.": {"scale": lambda rate: rate},
        "The numbers that stay have to make up for those that are dropped.": {"scale": lambda rate: 1},
        "The numbers that stay have to grow, and yours shrink.": {"scale": lambda rate: 1 / (1 - rate)},
        "In use nothing is dropped, so nothing has to be made up for.": {"use": lambda rate: 1 - rate},
        "A 1 in the mask means that the number stays.": lambda x, mask, rate, learning: (x, 1 - mask, rate, learning),
    },
)


def _dense(rng: Generator) -> list[Arguments]:
    sizes = [(2, 3, 4, 5), (3, 2, 3, 2), (4, 3, 2, 4), (2, 5, 3, 4)]
    return [(rng.standard_normal((k, c * h * w)), c, h, w) for k, c, h, w in sizes]


as_convolution = Exercise(
    "as_convolution",
    cases=_dense,
    reference=lambda weight, channels, height, width: weight.reshape(-1, channels, height, width),
    mistakes={
        "The dense layer read all of the first channel, then the next; in yours a pixel's channels stand together.": (
            lambda weight, c, h, w: weight.reshape(-1, h, w, c).transpose(0, 3, 1, 2)
        ),
        "A channel was read row by row, not column by column.": (
            lambda x, c, h, w: x.reshape(-1, c, w, h).swapaxes(2, 3)
        ),
        "Height stands before width.": lambda weight, c, h, w: weight.reshape(-1, c, w, h),
    },
)


def _stack(kernel: int, channels: int, layers: Any = None, pairs: int = 2, counted: Any = None) -> Any:
    layers = layers(kernel) if layers else (kernel - 1) // 2
    ours, theirs = 9 * layers * channels**pairs, kernel**2 * channels**pairs
    return layers, counted(ours, theirs, layers) if counted else theirs - ours


stack = Exercise(
    "stack",
    cases=lambda rng: [
        *((3, 64), (5, 16), (7, 256), (11, 96)),
        (2 * int(rng.integers(4, 12)) + 1, int(rng.integers(5, 99))),
    ],
    reference=_stack,
    mistakes={
        "No biases.": lambda kernel, c: (_stack(kernel, c)[0], _stack(kernel, c)[1] - (_stack(kernel, c)[0] - 1) * c),
    },
    slips={
        "Kernels overlap, so fields do not add up. What does a second 3 × 3 add?": {
            "layers": lambda kernel: -(-kernel // 3)
        },
        "Kernels do not lie side by side. What does a second 3 × 3 add?": {"layers": lambda kernel: kernel // 3},
        "One layer too many: the first one sees 3 already.": {"layers": lambda kernel: (kernel + 1) // 2},
        "A layer has weights for each pair of channels, one in and one out.": {"pairs": 1},
        "That is what the stack has; how many fewer are they?": {"counted": lambda ours, theirs, n: ours},
        "That is what the large kernel has; how many fewer has the stack?": {"counted": lambda ours, theirs, n: theirs},
        "The number that is saved, please, not a share of it.": {"counted": lambda ours, theirs, n: ours / theirs},
        "The number that is saved, please, not its share.": {"counted": lambda ours, theirs, n: 1 - ours / theirs},
        "All layers of the stack have weights, not only one.": {"counted": lambda ours, theirs, n: theirs - ours / n},
    },
)


Layers = list[tuple[int, int]]  # channels that are read, kernel size
_NETS: list[Layers] = [[(3, 3), (16, 3), (32, 3), (32, 5)], [(3, 5), (8, 5)], [(1, 7), (20, 1), (10, 3)]]


def _nets(rng: Generator) -> list[Arguments]:
    """Networks with a standard deviation that nearly suits them, so that the signal neither vanishes nor explodes."""
    suits = [np.sqrt(2 / np.mean([c * f * f for c, f in layers])) for layers in _NETS]
    return [(layers, float(rng.uniform(0.8, 1.2) * std)) for layers, std in zip(_NETS, suits, strict=True)]


def _signal(
    layers: Layers, std: float, relu: float = 0.5, power: int = 2, sides: int = 2, deep: int = 1, done: Any = prod
) -> Any:
    return done(c**deep * f**sides * std**power * relu for c, f in layers)


signal = Exercise(
    "signal",
    cases=_nets,
    reference=_signal,
    mistakes={
        "There is a ReLU after every layer, not only at the end.": lambda layers, std: _signal(layers, std, relu=1) / 2,
        "You return the factor of the standard deviation, not of the mean square.": lambda *case: np.sqrt(
            _signal(*case)
        ),
        "A ReLU halves the mean square, not the standard deviation.": partial(_signal, relu=0.25),
    },
    slips={
        "Each ReLU sets half of the numbers to zero: what does that do to the mean of their squares?": {"relu": 1},
        "Squares are asked for: a weight's mean square is its standard deviation, squared.": {"power": 1},
        "A sum has many products, one for each weight of a kernel.": {"deep": 0, "sides": 0},
        "A kernel has more than one weight for each channel.": {"sides": 0},
        "A kernel has as many columns as rows; you count one of them.": {"sides": 1},
        "A kernel reads all channels, not one.": {"deep": 0},
        "Each layer multiplies what it gets: their factors do not add.": {"done": sum},
    },
)
