"""The exercises of chapter 01: what a convolutional layer computes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from utils.checks.exercise import Arguments, Exercise
from utils.functional import conv2d, conv2d_backward

Array = np.ndarray

_IMAGE = np.array([[1.0, 2, 0], [0, 3, 1], [2, 1, 4]])
_KERNEL = np.array([[1.0, 2], [0, -1]])


def _correlate(image: Array, kernel: Array, stride: Any = 1, padding: Any = 0) -> Array:
    return conv2d(image[None, None], kernel[None, None], stride=stride, padding=padding)[0, 0]


by_hand = Exercise(
    "by_hand",
    cases=lambda rng: [()],
    reference=lambda: _correlate(_IMAGE, _KERNEL),
    mistakes={
        "You have turned the kernel by half a turn. A layer lays it on as it is.": (
            lambda: _correlate(_IMAGE, _KERNEL[::-1, ::-1])
        ),
        "Rows and columns of the kernel are swapped.": lambda: _correlate(_IMAGE, _KERNEL.T),
        "Add the four products; do not take their mean.": lambda: _correlate(_IMAGE, _KERNEL) / 4,
        "The kernel moves by one pixel, so that its places overlap: 2 × 2 of them.": (
            lambda: np.array([[_correlate(_IMAGE, _KERNEL)[0, 0]]])
        ),
        "Rows and columns of the output are swapped.": lambda: _correlate(_IMAGE, _KERNEL).T,
    },
)

_ROW = np.array([1.0, 2, 3, 4])
_MODES = ("constant", "reflect", "edge", "wrap")


def _borders(*modes: str) -> Array:
    return np.stack([np.pad(_ROW, 2, mode=mode) for mode in modes])  # type: ignore[call-overload]


borders = Exercise(
    "borders",
    cases=lambda rng: [()],
    reference=lambda: _borders(*_MODES),
    mistakes={
        "Reflect turns round at the last pixel without repeating it.": (
            lambda: _borders("constant", "symmetric", "edge", "wrap")
        ),
        "Reflect and replicate are swapped: replicate repeats the last pixel.": (
            lambda: _borders("constant", "edge", "reflect", "wrap")
        ),
        "Circular goes on with the other end in its own order: the row is laid end to end.": (
            lambda: np.stack([*_borders(*_MODES)[:3], [2, 1, 1, 2, 3, 4, 4, 3]])
        ),
        "Circular: on the left stand the last pixels of the row, on the right the first.": (
            lambda: np.stack([*_borders(*_MODES)[:3], [1, 2, 1, 2, 3, 4, 3, 4]])
        ),
        "Two pixels on each side, not two in all.": (
            lambda: np.stack([np.pad(_ROW, 1, mode=mode) for mode in _MODES])  # type: ignore[call-overload]
        ),
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
    reference=_correlate,
    mistakes={
        "Your kernel is turned by half a turn: this is what mathematics calls a convolution, and no layer does it.": (
            lambda image, kernel: _correlate(image, kernel[::-1, ::-1])
        ),
        "The last row and the last column of places are missing: there are n − k + 1 places, not n − k.": (
            lambda image, kernel: _correlate(image, kernel)[:-1, :-1]
        ),
        "Add the products; do not take their mean.": lambda image, kernel: _correlate(image, kernel) / kernel.size,
        "The kernel is upside down: its first row meets the first of the rows it lies on.": (
            lambda image, kernel: _correlate(image, kernel[::-1])
        ),
        "The kernel is reversed from left to right.": lambda image, kernel: _correlate(image, kernel[:, ::-1]),
        "Each output is a sum over the whole kernel, rows and columns.": (
            lambda image, kernel: _correlate(image, kernel[:1])[: image.shape[0] - kernel.shape[0] + 1]
        ),
        "No padding here: only places where the whole kernel lies on the image.": (
            lambda image, kernel: _correlate(image, kernel, padding=(kernel.shape[0] // 2, kernel.shape[1] // 2))
        ),
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
        "The channels' products are added up, not averaged.": (
            lambda x, weight, bias: _layer(x, weight / len(x)) + bias[:, None, None]
        ),
        "Where is the bias?": lambda x, weight, bias: _layer(x, weight),
        "The bias is added once to each output, not once for each channel of the input.": (
            lambda x, weight, bias: _layer(x, weight, len(x) * bias)
        ),
        "The bias is added once to each output, not once for each weight.": (
            lambda x, weight, bias: _layer(x, weight, weight[0].size * bias)
        ),
        "Every kernel has its own weights for each channel; you use those of its first for all.": (
            lambda x, weight, bias: _layer(x, np.repeat(weight[:, :1], len(x), 1), bias)
        ),
        "Each kernel reads all channels, not only the first.": (
            lambda x, weight, bias: _layer(x[:1], weight[:, :1], bias)
        ),
        "Every kernel has a bias of its own.": lambda x, weight, bias: _layer(x, weight, np.full_like(bias, bias[0])),
        "The kernels are turned by half a turn: lay them on as they are.": (
            lambda x, weight, bias: _layer(x, weight[..., ::-1, ::-1], bias)
        ),
    },
)


def _strides(rng: Generator) -> list[Arguments]:
    settings = [(7, 6, 3, 2, 1), (8, 9, 3, 3, 2), (6, 8, 2, 2, 1), (9, 7, 3, 1, 1)]
    return [(rng.standard_normal((h, w)), rng.standard_normal((k, k)), s, p) for h, w, k, s, p in settings]


strided = Exercise(
    "strided",
    cases=_strides,
    reference=_correlate,
    mistakes={
        "The stride goes along both axes, and yours only down the rows.": (
            lambda image, kernel, s, p: _correlate(image, kernel, (s, 1), p)
        ),
        "The stride goes along both axes, and yours only across the columns.": (
            lambda image, kernel, s, p: _correlate(image, kernel, (1, s), p)
        ),
        "Zeros go around the image, on all four sides; yours are missing below and on the right.": (
            lambda image, kernel, s, p: _correlate(np.pad(image, ((p, 0), (p, 0))), kernel, s)
        ),
        "Where is the padding?": lambda image, kernel, s, p: _correlate(image, kernel, s),
        "Where is the stride?": lambda image, kernel, s, p: _correlate(image, kernel, 1, p),
        "Pad the image before the kernel moves over it, not its output.": (
            lambda image, kernel, s, p: np.pad(_correlate(image, kernel, s), p)
        ),
        "Zeros, not copies of the border.": (
            lambda image, kernel, s, p: _correlate(np.pad(image, p, mode="edge"), kernel, s)
        ),
        "The stride skips places of the kernel. You have left out pixels of the image before it.": (
            lambda image, kernel, s, p: _correlate(np.pad(image, p)[::s, ::s], kernel)
        ),
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
        "A row for each output and a column for each pixel; yours is the transpose.": (
            lambda kernel, size: _matrix(kernel, size).T
        ),
        "The kernel is reversed: its first weight meets the leftmost pixel.": (
            lambda kernel, size: _matrix(kernel[::-1], size)
        ),
        "There are fewer outputs than pixels: your last rows run over the end.": (
            lambda kernel, size: np.stack([np.roll(np.pad(kernel, (0, size - len(kernel))), i) for i in range(size)])
        ),
        "Rows of zeros are no outputs: leave out those in which the kernel does not fit.": (
            lambda kernel, size: np.pad(_matrix(kernel, size), ((0, len(kernel) - 1), (0, 0)))
        ),
        "The kernel moves: each row has it one pixel further on.": (
            lambda kernel, size: np.stack([_matrix(kernel, size)[0]] * (size - len(kernel) + 1))
        ),
        "The last output is missing: there are n − k + 1.": lambda kernel, size: _matrix(kernel, size)[:-1],
    },
)


def _gradient(x: Array, grad_output: Array, kernel_size: int) -> Array:
    shape = np.zeros((1, 1, 1, kernel_size))
    return conv2d_backward(grad_output[None, None, None], x[None, None, None], shape)[1][0, 0, 0]


shared_gradient = Exercise(
    "shared_gradient",
    cases=lambda rng: [
        (rng.standard_normal(n), rng.standard_normal(n - k + 1), k) for n, k in [(6, 3), (5, 2), (9, 4)]
    ],
    reference=_gradient,
    mistakes={
        "A weight is used at every place, and its gradients add; do not take their mean.": (
            lambda x, grad_output, k: _gradient(x, grad_output, k) / len(grad_output)
        ),
        "That is what one place says. The weight is used at all of them: add what each says.": (
            lambda x, grad_output, k: grad_output[0] * x[:k]
        ),
        "The order is reversed: the first weight met the pixels at the left of each place.": (
            lambda x, grad_output, k: _gradient(x, grad_output, k)[::-1]
        ),
        "Weight by the gradient of each output: the outputs do not count alike.": (
            lambda x, grad_output, k: _gradient(x, np.ones_like(grad_output), k)
        ),
        "Multiply each output's gradient with the pixel that this weight met there, not with all of that place.": (
            lambda x, grad_output, k: np.full(k, _gradient(x, grad_output, k).sum())
        ),
    },
)
