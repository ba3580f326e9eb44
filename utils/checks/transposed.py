"""The exercises of chapter 04: transposed convolution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.random import Generator

from utils.checks.exercise import Arguments, Exercise
from utils.checks.own_numbers import Numbers, grid
from utils.functional import conv2d, conv_transpose2d

Array = np.ndarray
Rows = Sequence[Sequence[int]]


def _spread(x: Array, kernel: Array, stride: Any = 1) -> Array:
    """The copies of one kernel."""
    return conv_transpose2d(x[None, None], kernel[None, None], stride=stride)[0, 0]


_TABLE = Numbers(
    """\
| image | | | kernel | |
|---|---|---|---|---|
| {image[0][0]} | {image[0][1]} | | {kernel[0][0]} | {kernel[0][1]} |
| {image[1][0]} | {image[1][1]} | | {kernel[1][0]} | {kernel[1][1]} |""",
    image=grid(2, 2, 0, 4),
    kernel=grid(2, 2, -2, 3),
)


@_TABLE
def by_hand(image: Rows = ((1, 2), (0, 3)), kernel: Rows = ((1, -1), (2, 0))) -> Exercise:
    """What a kernel makes of an image."""
    x, weight = np.array(image, float), np.array(kernel, float)
    return Exercise(
        "by_hand",
        reference=lambda: _spread(x, weight),
        mistakes={
            "Copies that overlap add up; yours replace each other.": lambda: _replaced(x[None], weight[None, None], 1)[
                0
            ],
            "You have turned the kernel. A copy is laid down as it is.": lambda: _spread(x, weight[::-1, ::-1]),
            "Rows and columns of the kernel are swapped.": lambda: _spread(x, weight.T),
            "Your copies lie side by side. How far apart are they at stride 1?": lambda: _spread(x, weight, 2),
            "Where copies overlap they add up; do not take their mean.": (
                lambda: _spread(x, weight) / _spread(np.ones((2, 2)), np.ones((2, 2)))
            ),
            "That is a convolution: it reads. Here each pixel writes.": (
                lambda: conv2d(x[None, None], weight[None, None])[0, 0]
            ),
        },
    )


_LAYER = Numbers(
    "An input with {channels} channels of {size} × {size} pixels goes through `nn.ConvTranspose2d({channels}, "
    "{kernels}, {kernel_size}, stride={stride}, padding={padding}, output_padding={extra})`.",
    channels=range(4, 17, 2),
    size=range(7, 16),
    kernels=range(8, 33, 2),
    kernel_size=range(4, 10),
    stride=(2, 3, 4),
    padding=range(1, 5),
    extra=range(1, 4),
)


@_LAYER
def shape(
    channels: int = 8, size: int = 10, kernels: int = 16, kernel_size: int = 8, stride: int = 3, padding: int = 2,
    extra: int = 1,
) -> Exercise:  # fmt: skip
    """How large the output is, with all its channels."""
    if extra >= stride:
        raise ValueError(f"an output padding below the stride of {stride} is needed, got {extra}")

    def output(
        copies: int = size - 1, span: int = kernel_size, crop: int = 2 * padding, more: int = extra, k: int = kernels
    ) -> Any:
        return k, *2 * (copies * stride + span - crop + more,)

    side = (size + 2 * padding - kernel_size) // stride + 1
    return Exercise(
        "shape",
        reference=output,
        mistakes={
            "That is what a convolution makes of it. This layer makes maps larger.": lambda: (kernels, side, side),
            "The stride alone does not say it: what do kernel and padding do?": (
                lambda: (kernels, size * stride, size * stride)
            ),
            "PyTorch's order is channels, height, width.": lambda: output()[::-1],
        },
        slips={
            "Padding crops here; you have added it.": {"crop": -2 * padding},
            "Where is the padding?": {"crop": 0},
            "Padding comes off both ends.": {"crop": padding},
            "Where is the output padding?": {"more": 0},
            "Output padding is at one end only.": {"more": 2 * extra},
            "Between copies there is one distance fewer than there are copies.": {"copies": size},
            "How many channels come out? Not those that went in.": {"k": channels},
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
    },
    slips={
        "The stride is for columns as well as rows.": lambda x, weight, s: (x, weight, (s, 1)),
        "Input channels are summed, not averaged.": lambda x, weight, s: (x / len(x), weight, s),
        "The weights come with the input channels first, then the output channels.": (
            lambda x, weight, s: (x, weight.reshape(weight.shape[1], len(weight), *weight.shape[2:]).swapaxes(0, 1), s)
        ),
    },
)


def _crop(whole: Array, padding: int, output_padding: int) -> Array:
    ends = [max(0, n - padding + output_padding) for n in whole.shape]
    return np.pad(whole, (0, output_padding))[padding : ends[0], padding : ends[1]]


crop = Exercise(
    "crop",
    cases=lambda rng: [
        (rng.standard_normal((7, 8)), p, extra) for p, extra in [(1, 0), (3, 1), (2, 2), (1, 2), (0, 1), (0, 0)]
    ],
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
        "With a padding of 0 nothing is cut off, and yours is empty: so is a slice [0:-0].": (
            lambda whole, p, extra: np.pad(whole, (0, extra))[p:-p, p:-p]
        ),
        "With more output padding than padding the map ends too early: what lies beyond the last copy?": (
            lambda whole, p, extra: _crop(whole, p, min(p, extra))
        ),
    },
)


def _gaps(x: Array, kernel: Array, stride: int, after: int = 0, rim: Any = lambda f: f - 1, turned: Any = -1) -> Any:
    image = np.zeros([(n - 1) * stride + 1 + after * (stride - 1) for n in x.shape])
    image[::stride, ::stride] = x
    return np.pad(image, [(rim(f),) * 2 for f in kernel.shape]), kernel[::turned, ::turned]


def _images(rng: Generator) -> list[Arguments]:
    settings = [(2, 3, 3, 3, 2), (3, 4, 2, 5, 3), (4, 2, 4, 3, 2), (3, 2, 5, 4, 1)]
    return [(rng.standard_normal((h, w)), rng.standard_normal((f1, f2)), s) for h, w, f1, f2, s in settings]


gaps = Exercise(
    "gaps",
    cases=_images,
    reference=_gaps,
    mistakes={"The kernel must be turned, not transposed.": lambda x, k, s: (_gaps(x, k, s)[0], k.T)},
    slips={
        "In an ordinary convolution a copy comes out turned: the kernel is still as it was.": {"turned": 1},
        "From one pixel to the next it is stride cells: how many lie between them?": lambda x, k, s: (x, k, s + 1),
        "The gaps lie between pixels; there is none after the last.": {"after": 1},
        "Too many zeros around: the first place of the kernel must touch a pixel.": {"rim": lambda f: f},
        "Where are the zeros around the image?": {"rim": lambda f: 0},
        "That padding keeps the size. Here the kernel's corner must just reach a pixel.": {"rim": lambda f: f // 2},
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
        "Each copy begins further on than the one before.": lambda k, n, s: np.repeat(_matrix(k, n, s)[:, :1], n, 1),
        "The last copy is cut off.": lambda kernel, n, s: _matrix(kernel, n, s)[: n * s],
    },
)


def _settings(rng: Generator) -> list[Arguments]:
    cases: list[Arguments] = [(5, 5, 3, 2), (4, 3, 2, 1), (3, 2, 4, 0), (50, 3, 2, 1)]
    for _ in range(20):
        k = int(rng.integers(1, 8))
        cases.append((int(rng.integers(2, 20)), k, int(rng.integers(1, 6)), int(rng.integers(0, k // 2 + 1))))
    return cases


def _sources(size: int, kernel_size: int, stride: int, padding: int) -> list[int]:
    largest = (size - 1) * stride + kernel_size - 2 * padding + stride - 1
    return list(range(max(1, largest - stride + 1), largest + 1))


sources = Exercise(
    "sources",
    cases=_settings,
    reference=_sources,
    mistakes={
        "That is the size the transposed layer makes. Others go to the same output: try one pixel more.": (
            lambda size, k, s, p: _sources(size, k, s, p)[:1]
        ),
        "Your largest already makes one more.": lambda n, k, s, p: [*_sources(n, k, s, p), n * s + k - 2 * p],
        "The largest is missing: range stops before its end.": lambda size, k, s, p: _sources(size, k, s, p)[:-1],
        "What is left over is dropped, so sizes that are larger go to the same output, not smaller ones.": (
            lambda size, k, s, p: [n - s + 1 for n in _sources(size, k, s, p)]
        ),
        "Padding is on both sides.": lambda size, k, s, p: [n + p for n in _sources(size, k, s, p)],
        "Where is the padding?": lambda size, k, s, p: _sources(size, k, s, 0),
        "That is the largest. How many smaller ones go to the same output?": lambda *case: _sources(*case)[-1:],
        "All of them, in a list.": lambda size, k, s, p: _sources(size, k, s, p)[0],
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
        "Copies add up; do not take their mean.": lambda k, s: _tile(k, s) / np.maximum(_tile(np.ones_like(k), s), 1),
        "Outputs do not all get the same: which weights meet there?": lambda k, s: np.full((s, s), k.sum() / s**2),
        "A cell gets every stride-th weight, not neighbours.": (
            lambda kernel, s: np.array([[kernel[a : a + s, b : b + s].sum() for b in range(s)] for a in range(s)])
        ),
    },
)
