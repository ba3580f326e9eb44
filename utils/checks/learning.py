"""The exercises of chapter 05: gradients, and fast ways of computing a convolution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.random import Generator

from utils.checks.columns import columns_of, pixels_of
from utils.checks.exercise import Arguments, Exercise
from utils.checks.own_numbers import Numbers
from utils.functional import conv2d, conv2d_backward

Array = np.ndarray


_ROW = Numbers(
    "A kernel with the weights {weights[0]}, {weights[1]} and a bias slides over the row {row[0]}, {row[1]}, {row[2]}, "
    "{row[3]}. At its outputs the loss has the gradients {slopes[0]}, {slopes[1]}, {slopes[2]}.",
    weights=lambda rng: rng.integers(-2, 4, 2).tolist(),
    row=lambda rng: rng.integers(-2, 4, 4).tolist(),
    slopes=lambda rng: rng.integers(-2, 4, 3).tolist(),
)


@_ROW
def by_hand(
    weights: Sequence[int] = (1, 2), row: Sequence[int] = (2, -1, 0, 3), slopes: Sequence[int] = (1, -1, 2)
) -> Exercise:
    """The gradients of a row, the weights and the bias."""
    w, x, g = (np.array(numbers, float) for numbers in (weights, row, slopes))
    windows = np.stack([x[:3], x[1:]])
    dx, dw, db = np.convolve(g, w), windows @ g, g.sum()
    return Exercise(
        "by_hand",
        reference=lambda dx=dx, dw=dw, db=db: [np.array(part, float) for part in (dx, dw, db)],
        slips={
            "dx is the wrong way round: which weight did each pixel meet?": {"dx": np.convolve(g, w[::-1])},
            "In dx, where two outputs have read a pixel, what they send adds up.": {"dx": [*w[0] * g, w[1] * g[2]]},
            "dw is the wrong way round: weight r met pixel i + r for output i.": {"dw": dw[::-1]},
            "dw is a mean over the three places. What they say adds up.": {"dw": dw / 3},
            "The outputs do not count alike in dw: which has which gradient?": {"dw": windows.sum(1)},
            "db is no mean: the bias stands in every output.": {"db": g.mean()},
            "The outputs do not count alike in db: which has which gradient?": {"db": len(g)},
            "The bias changes all outputs: add up their gradients.": {"db": g[0]},
            "The bias is one number, and has one gradient: add up what the outputs say.": {"db": g},
        },
    )


_BATCH = Numbers(
    "A batch of {images} images with {channels} channels of {size} × {size} pixels meets {kernels} kernels of 3 × 3, "
    "with stride 2 and padding 1.",
    images=(8, 16, 32, 64),
    channels=range(16, 97, 8),
    size=range(20, 65, 4),
    kernels=range(32, 193, 16),
)


@_BATCH
def memory(images: int = 32, channels: int = 64, size: int = 56, kernels: int = 128) -> Exercise:
    """The bytes of im2col's columns."""
    side = (size + 2 - 3) // 2 + 1

    def count(n: int = images, depth: int = channels, area: int = 9, places: int = side**2, byte: int = 4) -> int:
        return n * depth * area * places * byte

    return Exercise(
        "memory",
        reference=count,
        mistakes={
            "That is the batch of images itself. How often is a pixel copied?": lambda: count(area=1, places=size**2),
            "Those are the outputs. The columns are what is multiplied by the kernels.": (
                lambda: count(depth=kernels, area=1)
            ),
        },
        slips={
            "Those are the numbers. How many bytes does each take?": {"byte": 1},
            "That is one image of the batch.": {"n": 1},
            "At how many places does a kernel with stride 2 lie? There is a column for each.": {"places": size**2},
            "Count the place where the kernel starts, and the padding.": {"places": (side - 1) ** 2},
            "The places have rows and columns.": {"places": side},
            "A window has two sides: a column holds all of it.": {"area": 3},
            "A column holds the window in all channels.": {"depth": 1},
            "A column holds what a kernel reads, not what comes out.": {"depth": kernels},
            "The columns are the same for all kernels: they are written down once.": {"depth": channels * kernels},
        },
    )


def _batches(rng: Generator) -> list[Arguments]:
    cases: list[Arguments] = []
    sizes = [(2, 2, 5, 6, 3, 3, 1, 1), (3, 2, 8, 5, 2, 3, 2, 1), (2, 3, 6, 7, 2, 4, 1, 2), (2, 1, 4, 5, 2, 2, 1, 0)]
    for n, c, h, w, k, f, s, p in sizes:
        x, weight = rng.standard_normal((n, c, h, w)), rng.standard_normal((k, c, f, f))
        g = rng.standard_normal(conv2d(x, weight, stride=s, padding=p).shape) + 0.3
        cases.append((g, x, weight, s, p))
    return cases


def _replaced(dx: Array, g: Array, x: Array, weight: Array, s: int, p: int) -> Array:
    (c, height, width), flat = x.shape[1:], weight.reshape(len(weight), -1)
    size = c, height + 2 * p, width + 2 * p
    images = [pixels_of(flat.T @ one.reshape(len(one), -1), size, weight.shape[2], s, add=False) for one in g]
    return np.stack(images)[:, :, p : p + height, p : p + width]


def _one(place: int, change: Callable[..., Any]) -> Callable[..., Any]:
    """The three gradients with one of them changed."""

    def wrong(*case: Any) -> list[Any]:
        right: list[Any] = list(conv2d_backward(*case))
        right[place] = change(right[place], *case)
        return right

    return wrong


def _uncropped(dx: Array, g: Array, x: Array, weight: Array, s: int, p: int) -> Array:
    return conv2d_backward(g, np.pad(x, ((0, 0), (0, 0), (p, p), (p, p))), weight, s)[0]


gradients = Exercise(
    "gradients",
    cases=_batches,
    reference=conv2d_backward,
    mistakes={
        "dx has gradients of the padding, which is no part of x.": _one(0, _uncropped),
        "A pixel lies under several places of a kernel. In dx what these send adds up.": (_one(0, _replaced)),
        "dx is a mean over the images, but each image has a gradient of its own.": _one(0, lambda dx, *_: dx / len(dx)),
        "dw is a mean over the images. What they say adds up.": _one(1, lambda dw, g, *_: dw / len(g)),
        "dw is a mean over the places. What they say adds up.": _one(1, lambda dw, g, *_: dw / g[0, 0].size),
        "dw knows one image only.": _one(1, lambda dw, g, x, *rest: conv2d_backward(g[-1:], x[-1:], *rest)[1]),
        "db is summed over images and places, not averaged.": _one(2, lambda db, g, *_: g.mean((0, 2, 3))),
        "db has a number for each kernel, not one for each kernel and image.": _one(2, lambda db, g, *_: g.sum((2, 3))),
        "With a padding of 0 nothing is cut off: a slice [0:-0] is empty.": (
            _one(0, lambda dx, g, x, w, s, p: dx if p else dx[:, :, :0, :0])
        ),
        "db has a number for each kernel; yours is one for all.": _one(2, lambda db, g, *_: g.sum()),
        "The three are right; their order is dx, dw, db.": lambda *case: [conv2d_backward(*case)[i] for i in (1, 0, 2)],
    },
)


def wavy(values: Array) -> Any:
    """A smooth loss."""
    return np.sin(values).sum() + (values[:-1] * values[1:] ** 2).sum()


def steep(values: Array) -> Any:
    """Another one."""
    return np.exp(values).mean() + values.prod()


def _nudged(f: Callable[[Array], Any], values: Array, up: float, down: float, width: float) -> Array:
    slopes = np.zeros_like(values)
    for place in np.ndindex(values.shape):
        nudge = np.zeros_like(values)
        nudge[place] = 1
        slopes[place] = (f(values + up * nudge) - f(values - down * nudge)) / width
    return slopes


def _piled_up(f: Callable[[Array], Any], values: Array, step: float) -> Array:
    slopes, up, down = np.zeros_like(values), values.copy(), values.copy()
    for place in np.ndindex(values.shape):
        up[place] += step
        down[place] -= step
        slopes[place] = (f(up) - f(down)) / (2 * step)
    return slopes


slopes = Exercise(
    "slopes",
    cases=lambda rng: [
        (f, rng.standard_normal(size), step)
        for f, size, step in [(wavy, (5,), 0.3), (steep, (2, 3), 0.2), (wavy, (3, 2), 0.4)]
    ],
    reference=lambda f, values, step: _nudged(f, values, step, step, 2 * step),
    mistakes={
        "You nudge to one side only.": lambda f, values, h: _nudged(f, values, h, 0, h),
        "Twice too large: how far apart are the two nudges?": lambda f, values, h: _nudged(f, values, h, h, h),
        "Your nudges are half a step, up and down.": lambda f, values, h: _nudged(f, values, h / 2, h / 2, h),
        "Your nudges pile up. Nudge one number at a time, and the others stay where they were.": _piled_up,
        "/ 2 * step divides by 2 and multiplies by step: brackets.": lambda f, v, h: _nudged(f, v, h, h, 2 / h),
        "Nudged to one side, and divided as if to both: halved.": lambda f, x, h: _nudged(f, x, h, 0, 2 * h),
        "A slope is a difference divided by how far the nudges are apart.": lambda f, x, h: _nudged(f, x, h, h, 1),
        "A number for all at once: each has a slope of its own.": lambda f, v, h: (f(v + h) - f(v - h)) / (2 * h),
        "You nudge all numbers at once. Each has a slope of its own.": (
            lambda f, values, h: np.full_like(values, (f(values + h) - f(values - h)) / (2 * h))
        ),
    },
)


im2col = Exercise(
    "im2col",
    cases=lambda rng: [
        (rng.standard_normal((c, h, w)), k, s) for c, h, w, k, s in [(2, 4, 5, 2, 1), (3, 7, 6, 3, 2), (2, 6, 9, 3, 3)]
    ],
    reference=columns_of,
    mistakes={
        "reshape keeps the numbers in their order, and does not make columns of rows: transpose.": (
            lambda *case: columns_of(*case).T.reshape(columns_of(*case).shape)
        ),
    },
    slips={
        "Going down a column, channels change slowest.": {"order": (1, 2, 0, 3, 4)},
        "Within a channel go along the window's rows.": {"order": (0, 2, 1, 3, 4)},
        "The places come in reading order.": {"order": (0, 1, 2, 4, 3)},
        "A column holds the window in all channels.": lambda x, k, s: (x[:1], k, s),
    },
)


def _laid(rng: Generator) -> list[Arguments]:
    settings = [(2, 4, 5, 2, 1), (3, 7, 6, 3, 2), (2, 6, 8, 3, 3)]
    cases: list[Arguments] = []
    for c, h, w, k, s in settings:
        x = rng.standard_normal((c, h, w))
        cases.append((rng.standard_normal(columns_of(x, k, s).shape), (c, h, w), k, s))
    return cases


col2im = Exercise(
    "col2im",
    cases=_laid,
    reference=pixels_of,
    mistakes={
        "Where windows overlap, what they bring adds up; do not take the mean.": (
            lambda columns, *rest: pixels_of(columns, *rest) / np.maximum(pixels_of(np.ones_like(columns), *rest), 1)
        ),
    },
    slips={
        "Where windows overlap they add up; yours replace each other.": {"add": False},
        "Going down a column, channels change slowest.": {"order": "rscij"},
        "Within a channel a column goes along the rows of the window.": {"order": "csrij"},
        "The places come in reading order; yours go down first.": {"order": "crsji"},
    },
)


def _correlate(x: Array, kernel: Array, padding: Any = 0) -> Array:
    return conv2d(x[None, None], kernel[None, None], padding=padding)[0, 0]


def _circular(x: Array, kernel: Array, padding: int, flipped: bool = False) -> Array:
    """All of the circle that is as long as the padded image."""
    padded = np.pad(x, padding)
    spectrum = np.fft.rfft2(kernel, padded.shape)
    product = np.fft.rfft2(padded) * (spectrum if flipped else spectrum.conj())
    return np.fft.irfft2(product, padded.shape)


by_spectra = Exercise(
    "by_spectra",
    cases=lambda rng: [
        (rng.standard_normal((h, w)), rng.standard_normal((f1, f2)), p)
        for h, w, f1, f2, p in [(8, 9, 3, 4, 0), (7, 6, 5, 3, 2), (10, 7, 4, 4, 1)]
    ],
    reference=_correlate,
    mistakes={
        "Your spectrum is that of a flipped kernel, and what you keep has seen the other border.": (
            lambda x, kernel, p: _circular(x, kernel, p, True)[tuple(map(slice, _correlate(x, kernel, p).shape))]
        ),
        "That is the whole circle. Where the kernel hangs over the edge it has seen the other border.": _circular,
        "Your padding has pixels of the other border in it. On a circle there must be zeros between them.": (
            lambda x, kernel, p: _correlate(np.pad(x, p, mode="wrap"), kernel)
        ),
    },
)


def _circles(rng: Generator) -> list[Arguments]:
    cases: list[Arguments] = [(10, 3, 1), (8, 5, 4), (9, 4, 0), (12, 7, 3)]
    for _ in range(15):
        size = int(rng.integers(2, 30))
        k = int(rng.integers(1, size + 1))
        cases.append((size, k, int(rng.integers(0, k))))
    return cases


circle = Exercise(
    "circle",
    cases=_circles,
    reference=lambda size, kernel_size, padding: size + padding,
    mistakes={
        "The kernel that hangs over one edge reads the other end of the row. What must lie between?": lambda n, k, p: n,
        "It works, but a shorter circle does, too: the two borders are neighbours.": lambda n, k, p: n + 2 * p,
        "It works if all shifts are wanted. With a smaller padding some are not.": lambda n, k, p: n + k - 1,
        "That many outputs, but does no kernel read a pixel from the other end?": lambda n, k, p: n + 2 * p - k + 1,
        "It works, but a shorter circle does, too: borders can share zeros.": lambda n, k, p: n + 2 * p + k - 1,
        "One too short: lay a row of ones on the circle and look at the last output.": lambda n, k, p: n + p - (p > 0),
    },
)
