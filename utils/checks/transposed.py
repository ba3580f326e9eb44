"""The exercises of chapter 04: transposed convolution."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from utils.arithmetic import conv_output_size
from utils.checks.exercise import Arguments, Exercise
from utils.functional import conv2d, conv_transpose2d

Array = np.ndarray


def _spread(x: Array, kernel: Array, stride: Any = 1) -> Array:
    """The copies of one kernel."""
    return conv_transpose2d(x[None, None], kernel[None, None], stride=stride)[0, 0]


_IMAGE = np.array([[1.0, 2], [0, 3]])
_KERNEL = np.array([[1.0, -1], [2, 0]])

by_hand = Exercise(
    "by_hand",
    cases=lambda rng: [()],
    reference=lambda: _spread(_IMAGE, _KERNEL),
    mistakes={
        "Where copies overlap they add up; yours replace each other.": (
            lambda: np.array([[1, 2, -2], [0, 3, -3], [0, 6, 0]])
        ),
        "You have turned the kernel. A copy is laid down as it is.": lambda: _spread(_IMAGE, _KERNEL[::-1, ::-1]),
        "Rows and columns of the kernel are swapped.": lambda: _spread(_IMAGE, _KERNEL.T),
        "Your copies lie side by side. How far apart are they at stride 1?": lambda: _spread(_IMAGE, _KERNEL, 2),
        "Where copies overlap they add up; do not take their mean.": (
            lambda: _spread(_IMAGE, _KERNEL) / _spread(np.ones((2, 2)), np.ones((2, 2)))
        ),
        "That is a convolution: it reads a patch. Here each pixel writes one.": (
            lambda: conv2d(_IMAGE[None, None], _KERNEL[None, None])[0, 0]
        ),
    },
)

shape = Exercise(
    "shape",
    cases=lambda rng: [()],
    reference=lambda: (16, 32, 32),
    mistakes={
        "That is what a convolution makes of it. This layer makes maps larger.": lambda: (16, 3, 3),
        "Padding crops here; you have added it.": lambda: (16, 40, 40),
        "Where is the padding?": lambda: (16, 36, 36),
        "Padding comes off both ends.": lambda: (16, 34, 34),
        "Where is the output padding?": lambda: (16, 31, 31),
        "Output padding is at one end only.": lambda: (16, 33, 33),
        "Ten copies have nine distances between them.": lambda: (16, 35, 35),
        "The stride alone does not say it: what do kernel and padding do?": lambda: (16, 30, 30),
        "How many channels come out? Not those that went in.": lambda: (8, 32, 32),
        "PyTorch's order is channels, height, width.": lambda: (32, 32, 16),
    },
)


def _layers(rng: Generator) -> list[Arguments]:
    settings = [(3, 4, 3, 2, 3, 3, 2), (2, 3, 5, 3, 2, 4, 1), (2, 5, 2, 2, 4, 3, 2), (3, 3, 4, 1, 5, 4, 3)]
    return [
        (rng.standard_normal((c, h, w)), rng.standard_normal((c, k, f1, f2)), s) for c, h, w, k, f1, f2, s in settings
    ]


def _layer(x: Array, weight: Array, stride: Any) -> Array:
    return conv_transpose2d(x[None], weight, stride=stride)[0]


def _replaced(x: Array, weight: Array, stride: int) -> Array:
    out = np.zeros_like(_layer(x, weight, stride))
    f1, f2 = weight.shape[2:]
    for i, j in np.ndindex(x.shape[1:]):
        patch = np.tensordot(x[:, i, j], weight, 1)
        out[:, i * stride : i * stride + f1, j * stride : j * stride + f2] = patch
    return out


layer = Exercise(
    "layer",
    cases=_layers,
    reference=_layer,
    mistakes={
        "Where copies overlap they add up; the later of yours replace the earlier.": _replaced,
        "Where copies overlap they add up; do not take their mean.": (
            lambda x, weight, s: _layer(x, weight, s) / _layer(np.ones_like(x[:1]), np.ones_like(weight[:1]), s)
        ),
        "Your copies are turned by half a turn: lay the kernels down as they are.": (
            lambda x, weight, s: _layer(x, weight[..., ::-1, ::-1], s)
        ),
        "Your copies are always one cell apart.": lambda x, weight, s: _layer(x, weight, 1),
        "The stride is for columns as well as rows.": lambda x, weight, s: _layer(x, weight, (s, 1)),
        "The last rows and columns lie under no copy: where does the last one begin?": (
            lambda x, weight, s: np.pad(_layer(x, weight, s), ((0, 0), (0, s), (0, s)))
        ),
        "All input channels lay down copies, not only the first.": lambda x, weight, s: _layer(x[:1], weight[:1], s),
        "Each input channel has kernels of its own; you use those of the first for all.": (
            lambda x, weight, s: _layer(x, np.repeat(weight[:1], len(x), 0), s)
        ),
        "Input channels are summed, not averaged.": lambda x, weight, s: _layer(x, weight, s) / len(x),
    },
)


def _crop(whole: Array, padding: int, extra: int) -> Array:
    ends = [max(0, n - padding + extra) for n in whole.shape]
    return np.pad(whole, (0, extra))[padding : ends[0], padding : ends[1]]


crop = Exercise(
    "crop",
    cases=lambda rng: [(rng.standard_normal((7, 8)), p, extra) for p, extra in [(1, 0), (3, 1), (2, 2), (1, 2)]],
    reference=_crop,
    mistakes={
        "The padding comes off all four sides.": lambda whole, p, extra: whole[p:, p:],
        "Where is the output padding?": lambda whole, p, extra: _crop(whole, p, 0),
        "Output padding is no frame of zeros. What stood in the whole map where you have put them?": (
            lambda whole, p, extra: np.pad(_crop(whole, p, 0), (0, extra))
        ),
        "You have kept more at the start. It is the end that becomes longer.": (
            lambda whole, p, extra: _crop(whole[::-1, ::-1], p, extra)[::-1, ::-1]
        ),
        "The output becomes longer at the end only, not at the start as well.": (
            lambda whole, p, extra: np.pad(whole, extra)[
                p : len(whole) + 2 * extra - p, p : whole.shape[1] + 2 * extra - p
            ]
        ),
        "You have added the padding. Here it is taken off.": lambda whole, p, extra: np.pad(whole, (p, p + extra)),
        "It may be that nothing comes off the end, or that something goes on: a slice [p:-0] is empty.": (
            lambda whole, p, extra: whole[p : extra - p, p : extra - p]
        ),
        "With more output padding than padding the map ends too early: what lies beyond the last copy?": (
            lambda whole, p, extra: _crop(whole, p, min(p, extra))
        ),
    },
)


def _gaps(x: Array, kernel: Array, step: int, after: int = 0, rim: Any = None) -> list[Array]:
    image = np.zeros([(n - 1) * step + 1 + after for n in x.shape])
    image[::step, ::step] = x
    around = [(f - 1,) * 2 for f in kernel.shape] if rim is None else [(rim(f),) * 2 for f in kernel.shape]
    return [np.pad(image, around), kernel[::-1, ::-1]]


def _images(rng: Generator) -> list[Arguments]:
    settings = [(2, 3, 3, 3, 2), (3, 4, 2, 5, 3), (4, 2, 4, 3, 2), (3, 2, 5, 4, 1)]
    return [(rng.standard_normal((h, w)), rng.standard_normal((f1, f2)), s) for h, w, f1, f2, s in settings]


gaps = Exercise(
    "gaps",
    cases=_images,
    reference=_gaps,
    mistakes={
        "The image is right. Your kernel swaps left and right.": lambda x, kernel, s: [_gaps(x, kernel, s)[0], kernel],
        "The image is right. The kernel must be turned, not transposed.": (
            lambda x, kernel, s: [_gaps(x, kernel, s)[0], kernel.T]
        ),
        "From one pixel to the next it is stride cells: how many lie between them?": (
            lambda x, kernel, s: _gaps(x, kernel, s + 1)
        ),
        "The gaps lie between pixels; there is none after the last.": lambda x, kernel, s: _gaps(x, kernel, s, s - 1),
        "Too many zeros around: the first place of the kernel must touch a pixel.": (
            lambda x, kernel, s: _gaps(x, kernel, s, rim=lambda f: f)
        ),
        "Where are the zeros around the image?": lambda x, kernel, s: _gaps(x, kernel, s, rim=lambda f: 0),
        "That is a padding that keeps the size. Here the kernel's corner must just reach the first pixel.": (
            lambda x, kernel, s: _gaps(x, kernel, s, rim=lambda f: f // 2)
        ),
    },
)


def _matrix(kernel: Array, size: int, stride: int) -> Array:
    columns = [_spread(pixel[None], kernel[None], (1, stride))[0] for pixel in np.eye(size)]
    return np.stack(columns, axis=1)


matrix = Exercise(
    "matrix",
    cases=lambda rng: [(rng.standard_normal(k), n, s) for k, n, s in [(3, 4, 2), (2, 5, 1), (5, 3, 3), (4, 6, 2)]],
    reference=_matrix,
    mistakes={
        "That is the matrix of the convolution, which makes few numbers of many. Yours is to go the other way.": (
            lambda kernel, n, s: _matrix(kernel, n, s).T
        ),
        "The kernel is reversed: a copy begins with its first weight.": lambda kernel, n, s: _matrix(
            kernel[::-1], n, s
        ),
        "Your copies are always one cell apart.": lambda kernel, n, s: _matrix(kernel, n, 1),
        "Each pixel's copy begins further on than the one before.": (
            lambda kernel, n, s: np.repeat(_matrix(kernel, n, s)[:, :1], n, 1)
        ),
        "Your last rows have no weights: where does the last copy end?": (
            lambda kernel, n, s: np.pad(_matrix(kernel, n, s), ((0, s), (0, 0)))
        ),
        "The last copy is cut off.": lambda kernel, n, s: _matrix(kernel, n, s)[: n * s],
    },
)


def _settings(rng: Generator) -> list[Arguments]:
    cases: list[Arguments] = [(5, 5, 3, 2), (4, 3, 2, 1), (3, 2, 4, 0)]
    for _ in range(20):
        k = int(rng.integers(1, 8))
        cases.append((int(rng.integers(2, 20)), k, int(rng.integers(1, 6)), int(rng.integers(0, k // 2 + 1))))
    return cases


def _sources(size: int, k: int, s: int, p: int) -> list[int]:
    return [n for n in range(max(1, k - 2 * p), size * s + k + 1) if conv_output_size(n, k, s, p) == size]


sources = Exercise(
    "sources",
    cases=_settings,
    reference=_sources,
    mistakes={
        "That is the size the transposed layer makes. Others go to the same output: try one pixel more.": (
            lambda size, k, s, p: _sources(size, k, s, p)[:1]
        ),
        "Your largest size already makes one more.": (
            lambda size, k, s, p: [*_sources(size, k, s, p), (size - 1) * s + k - 2 * p + s]
        ),
        "The largest is missing: range stops before its end.": lambda size, k, s, p: _sources(size, k, s, p)[:-1],
        "What is left over is dropped, so sizes that are larger go to the same output, not smaller ones.": (
            lambda size, k, s, p: [n - s + 1 for n in _sources(size, k, s, p)]
        ),
        "Padding is on both sides.": lambda size, k, s, p: [n + p for n in _sources(size, k, s, p)],
        "Where is the padding?": lambda size, k, s, p: _sources(size, k, s, 0),
        "In ascending order.": lambda size, k, s, p: _sources(size, k, s, p)[::-1],
    },
)


def _tile(kernel: Array, stride: int) -> Array:
    return np.array([[kernel[a::stride, b::stride].sum() for b in range(stride)] for a in range(stride)])


tile = Exercise(
    "tile",
    cases=lambda rng: [(rng.standard_normal((k, k)), s) for k, s in [(3, 2), (4, 2), (5, 3), (2, 3), (6, 3)]],
    reference=_tile,
    mistakes={
        "You count copies. Each lays down its own weight.": lambda kernel, s: _tile(np.ones_like(kernel), s),
        "The corner lies under one copy only. Go inside.": lambda kernel, s: np.pad(kernel, s)[s : 2 * s, s : 2 * s],
        "Copies add up; do not take their mean.": (
            lambda kernel, s: _tile(kernel, s) / np.maximum(_tile(np.ones_like(kernel), s), 1)
        ),
        "Not all outputs get the same: which weights of the kernel meet there?": (
            lambda kernel, s: np.full((s, s), kernel.sum() / s**2)
        ),
        "Rows and columns are swapped.": lambda kernel, s: _tile(kernel, s).T,
        "You have turned the kernel. A copy is laid down as it is.": lambda kernel, s: _tile(kernel[::-1, ::-1], s),
    },
)
