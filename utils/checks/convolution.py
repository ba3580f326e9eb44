"""The exercises of chapter 01: what a convolutional layer computes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.random import Generator

from utils.checks.exercise import Arguments, Exercise
from utils.checks.own_numbers import Numbers, grid
from utils.functional import conv2d

Array = np.ndarray
Rows = Sequence[Sequence[int]]


def _correlate(image: Array, kernel: Array, stride: Any = 1, padding: Any = 0) -> Array:
    return conv2d(image[None, None], kernel[None, None], stride=stride, padding=padding)[0, 0]


def _with_one_negative(rng: Generator) -> list[list[int]]:
    """The weights of a kernel: two positive, one negative, and a 0."""
    weights = [*rng.integers(1, 4, 2), 0, -rng.integers(1, 4)]
    return rng.permutation(weights).reshape(2, 2).tolist()


_TABLE = Numbers(
    """\
| image | | | | kernel | |
|---|---|---|---|---|---|
| {image[0][0]} | {image[0][1]} | {image[0][2]} | | {kernel[0][0]} | {kernel[0][1]} |
| {image[1][0]} | {image[1][1]} | {image[1][2]} | | {kernel[1][0]} | {kernel[1][1]} |
| {image[2][0]} | {image[2][1]} | {image[2][2]} | | | |""",
    image=grid(3, 3, 0, 5),
    kernel=_with_one_negative,
)


@_TABLE
def by_hand(image: Rows = ((1, 2, 0), (0, 3, 1), (2, 1, 4)), kernel: Rows = ((1, 2), (0, -1))) -> Exercise:
    """What comes out of a kernel on an image."""
    pixels, weights = np.array(image, float), np.array(kernel, float)
    return Exercise(
        "by_hand",
        reference=lambda kernel=weights, stride=1, padding=0: _correlate(pixels, kernel, stride, padding),
        slips={
            "You have turned the kernel by half a turn. A layer lays it on as it is.": {"kernel": weights[::-1, ::-1]},
            "Rows and columns of the kernel are swapped.": {"kernel": weights.T},
            "The kernel is upside down, or its left and right are swapped.": {"kernel": weights[::-1]},
            "One of the kernel's weights is negative: what it multiplies is taken off.": {"kernel": np.abs(weights)},
            "Add the four products; do not take their mean.": {"kernel": weights / 4},
            "The kernel moves by one pixel, so that its places overlap: 2 × 2 of them.": {"stride": 2},
            "No padding here: the kernel never hangs over the edge.": {"padding": 1},
        },
    )


_MODES = ("constant", "reflect", "edge", "wrap")
_ROW = Numbers(
    "A row of pixels, {row[0]} {row[1]} {row[2]} {row[3]}, gets a padding of 2 on each side.",
    row=lambda rng: (1 + rng.permutation(9)[:4]).tolist(),
)


@_ROW
def borders(row: Sequence[int] = (1, 2, 3, 4)) -> Exercise:
    """A row with a border in four modes."""
    pixels = np.array(row, float)

    def padded(*modes: str, width: int = 2) -> Array:
        return np.stack([np.pad(pixels, width, mode=mode) for mode in modes])  # type: ignore[call-overload]

    def but(at: int, left: Array, right: Array) -> Array:
        rows = padded(*_MODES)
        rows[at] = [*left, *pixels, *right]
        return rows

    first, last = pixels[:2], pixels[2:]
    return Exercise(
        "borders",
        reference=lambda: padded(*_MODES),
        mistakes={
            "Reflect turns round at the last pixel, not after it.": (
                lambda: padded("constant", "symmetric", "edge", "wrap")
            ),
            "Reflect and replicate are swapped.": lambda: padded("constant", "edge", "reflect", "wrap"),
            "Replicate and circular are swapped.": lambda: padded("constant", "reflect", "wrap", "edge"),
            "Circular goes on with the other end in its own order: the row is laid end to end.": (
                lambda: but(3, last[::-1], first[::-1])
            ),
            "Circular: on the left stand the last pixels of the row, on the right the first.": (
                lambda: but(3, first, last)
            ),
            "Circular goes on with the other end; yours turns round.": lambda: but(3, first[::-1], last[::-1]),
            "Reflect is a mirror: what is next to the edge comes first on the other side of it.": (
                lambda: but(1, pixels[1:3], pixels[1:3])
            ),
            "Two pixels on each side, not two in all.": lambda: padded(*_MODES, width=1),
        },
    )


def _images(rng: Generator) -> list[Arguments]:
    cases = []
    for height, width, f1, f2 in [(4, 5, 3, 3), (6, 4, 2, 3), (5, 5, 1, 4), (7, 6, 3, 2)]:
        cases.append((rng.standard_normal((height, width)), rng.standard_normal((f1, f2))))
    return cases


correlate = Exercise(
    "correlate",
    cases=_images,
    reference=lambda image, kernel: _correlate(image, kernel),
    mistakes={
        "The places of the kernel overlap: it moves by one pixel, not by its own size.": (
            lambda image, kernel: _correlate(image, kernel, kernel.shape)
        ),
    },
    slips={
        "Your kernel is turned by half a turn: this is what mathematics calls a convolution, and no layer does it.": (
            lambda image, kernel: (image, kernel[::-1, ::-1])
        ),
        "Add the products; do not take their mean.": lambda image, kernel: (image, kernel / kernel.size),
    },
)


def _layers(rng: Generator) -> list[Arguments]:
    shapes = [(3, 5, 6, 2, 3, 3), (2, 4, 4, 2, 2, 3), (3, 6, 5, 3, 1, 2), (4, 5, 5, 1, 3, 1)]
    return [
        (rng.standard_normal((c, h, w)), rng.standard_normal((k, c, f1, f2)), rng.standard_normal(k))
        for c, h, w, k, f1, f2 in shapes
    ]


def _layer(x: Array, weight: Array, bias: Array | None = None) -> Array:
    return conv2d(x[None], weight, bias)[0]


layer = Exercise(
    "layer",
    cases=_layers,
    reference=_layer,
    mistakes={
        "Each kernel makes one map: add up what its channels say.": (
            lambda x, weight, bias: np.stack([_layer(x[[c]], weight[:, [c]], bias) for c in range(len(x))], axis=1)
        ),
        "The kernels' maps stay apart; you have added them up.": lambda *case: _layer(*case).sum(0),
    },
    slips={
        "The bias is added once, not once for each channel of the input.": lambda x, w, bias: (x, w, len(x) * bias),
        "The bias is added once to each output, not once for each weight.": lambda x, w, b: (x, w, w[0].size * b),
        "Every kernel has its own weights for each channel; you use those of its first for all.": (
            lambda x, weight, bias: (x, np.repeat(weight[:, :1], len(x), 1), bias)
        ),
        "Every kernel has a bias of its own.": lambda x, weight, bias: (x, weight, np.full_like(bias, bias[0])),
        "The channels' products are added up, not averaged.": lambda x, weight, bias: (x, weight / len(x), bias),
    },
)


def _strides(rng: Generator) -> list[Arguments]:
    settings = [(7, 6, 3, 2, 2, 1), (8, 9, 3, 3, 3, 2), (6, 8, 2, 3, 2, 1), (9, 7, 3, 3, 1, 1), (7, 9, 3, 2, 2, 0)]
    return [(rng.standard_normal((h, w)), rng.standard_normal((k, f)), s, p) for h, w, k, f, s, p in settings]


strided = Exercise(
    "strided",
    cases=_strides,
    reference=_correlate,
    mistakes={
        "As many places as there should be, but yours lie one pixel apart.": (
            lambda *case: _correlate(case[0], case[1], 1, case[3])[tuple(map(slice, _correlate(*case).shape))]
        ),
        "Pad the image before the kernel moves over it, not its output.": (
            lambda x, k, s, p: np.pad(_correlate(x, k, s), p)
        ),
        "The stride skips places of the kernel. You have left out pixels of the image before it.": (
            lambda image, kernel, s, p: _correlate(np.pad(image, p)[::s, ::s], kernel)
        ),
    },
    slips={
        "The stride goes along both axes, and yours only down the rows.": lambda x, k, s, p: (x, k, (s, 1), p),
        "The stride goes along both axes, and yours only across the columns.": lambda x, k, s, p: (x, k, (1, s), p),
        "Zeros go around the image, on all four sides; yours are missing below and on the right, or your size counts "
        "them once.": lambda image, kernel, s, p: (np.pad(image, ((p, 0), (p, 0))), kernel, s, 0),
        "Zeros go around the image; yours are above and below only.": lambda x, k, s, p: (x, k, s, (p, 0)),
        "Zeros, not copies of the border.": lambda image, kernel, s, p: (np.pad(image, p, mode="edge"), kernel, s, 0),
    },
)


def _matrix(kernel: Array, size: int) -> Array:
    rows = size - len(kernel) + 1
    return np.stack([np.pad(kernel, (i, rows - 1 - i)) for i in range(rows)])


matrix = Exercise(
    "matrix",
    cases=lambda rng: [(rng.standard_normal(k), n) for k, n in [(3, 6), (2, 5), (4, 9), (1, 3)]],
    reference=_matrix,
    mistakes={
        "There are fewer outputs than pixels: your last rows run over the end.": (
            lambda kernel, size: np.stack([np.roll(np.pad(kernel, (0, size - len(kernel))), i) for i in range(size)])
        ),
        "Rows of zeros are no outputs: leave out those in which the kernel does not fit.": (
            lambda kernel, size: np.pad(_matrix(kernel, size), ((0, len(kernel) - 1), (0, 0)))
        ),
        "The kernel moves: each row has it one pixel further on.": (
            lambda kernel, size: np.stack([_matrix(kernel, size)[0]] * (size - len(kernel) + 1))
        ),
        "A row for each output and a column for each pixel; yours is the transpose.": lambda *case: _matrix(*case).T,
    },
)


def _weights(image: Array, output: Array, kernel_size: int) -> Array:
    views = np.lib.stride_tricks.sliding_window_view(image, (kernel_size, kernel_size))
    found, *_ = np.linalg.lstsq(views.reshape(-1, kernel_size**2), output.ravel(), rcond=None)
    return found.reshape(kernel_size, kernel_size)


def _shown(rng: Generator) -> list[Arguments]:
    cases: list[Arguments] = []
    for height, width, size in [(8, 9, 3), (6, 7, 2), (10, 9, 4)]:
        image, kernel = rng.standard_normal((height, width)), rng.standard_normal((size, size))
        cases.append((image, _correlate(image, kernel), size))
    return cases


find_kernel = Exercise(
    "find_kernel",
    cases=_shown,
    reference=_weights,
    mistakes={
        "That is how much each weight's pixels have in common with the output. But the pixels have something in common "
        "with each other as well: solve the equations for all weights at once.": (
            lambda image, output, k: _correlate(image, output)
        ),
    },
    slips={
        "An output is the sum over its patch, not the mean: nothing is to be divided or multiplied.": (
            lambda image, output, k: (image, output * k * k, k)
        ),
    },
)
