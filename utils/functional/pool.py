"""Pooling, unpooling, and the gradients of both."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from utils.arithmetic import IntOrPair, pair, pool_output_size
from utils.functional.columns import Array, array, crop, dtype_of, patches


def max_pool2d(
    x: ArrayLike,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Array | tuple[Array, Array]:
    """The largest number in every window, channel by channel: (N, C, H, W) → (N, C, P, Q).

    The default stride is the kernel; padding never wins. With ``return_indices`` also where each was found, counted
    along H·W in reading order: the first of equals, the last NaN, as in torch.
    """
    x = array("x", x, "(N, C, H, W)")
    windows = _Windows(x.shape[2:], kernel_size, stride, padding, dilation, ceil_mode)
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min if x.dtype.kind in "ui" else False
    taps = windows.over(x, lowest)
    best = taps[0].copy()
    for tap in taps[1:]:
        np.maximum(best, tap, out=best)  # a NaN stays
    return (best, windows.find(best, taps)) if return_indices else best


def max_pool2d_backward(grad_output: ArrayLike, indices: ArrayLike, input_size: IntOrPair) -> Array:
    """Gradient of ``max_pool2d``: each number goes to the pixel that won, and adds up where one won twice.

    ``grad_output`` and ``indices`` (N, C, P, Q), ``input_size`` (H, W) → (N, C, H, W).
    """
    grad, indices, height, width = _check_indices("grad_output", grad_output, indices, input_size)
    dx = np.zeros((*grad.shape[:2], height * width), dtype_of(grad))
    image, channel, _, _ = np.ogrid[tuple(map(slice, grad.shape))]
    np.add.at(dx, (image, channel, indices), grad)
    return dx.reshape(*grad.shape[:2], height, width)


def avg_pool2d(
    x: ArrayLike,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """The mean of every window, channel by channel: (N, C, H, W) → (N, C, P, Q).

    ``count_include_pad`` says whether the zeros of the padding count as numbers; what hangs over the padding,
    in ``ceil_mode``, never does.
    """
    x = array("x", x, "(N, C, H, W)")
    windows = _Windows(x.shape[2:], kernel_size, stride, padding, 1, ceil_mode)
    taps = windows.over(x, 0)
    total = taps[0].astype(np.result_type(x, np.float16))
    for tap in taps[1:]:
        total += tap
    total /= windows.counts(count_include_pad).astype(total.dtype)
    return total


def avg_pool2d_backward(
    grad_output: ArrayLike,
    input_size: IntOrPair,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Gradient of ``avg_pool2d``: each number is divided among its window. ``input_size`` (H, W) → (N, C, H, W)."""
    grad = array("grad_output", grad_output, "(N, C, P, Q)")
    windows = _Windows(pair("input_size", input_size, 1), kernel_size, stride, padding, 1, ceil_mode)
    if grad.shape[2:] != windows.size:
        raise ValueError(f"grad_output must be {windows.size} high and wide, as the output is, got {grad.shape[2:]}")
    share = grad / windows.counts(count_include_pad).astype(np.result_type(grad, np.float16))
    padded = np.zeros((*grad.shape[:2], *windows.padded), share.dtype)
    for tap in windows.taps(padded):
        tap += share
    return crop(padded, windows.sides)


def max_unpool2d(
    x: ArrayLike,
    indices: ArrayLike,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    output_size: IntOrPair | None = None,
) -> Array:
    """Put every number back where ``max_pool2d`` found it, among zeros: (N, C, P, Q) → (N, C, H, W).

    ``output_size`` (H, W) is needed where pooling rounded; by default the windows fit exactly.
    """
    if output_size is None:
        sizes = array("x", x, "(N, C, P, Q)").shape[2:]
        kernel = pair("kernel_size", kernel_size, 1)
        steps, cells = pair("stride", kernel if stride is None else stride, 1), pair("padding", padding, 0)
        height, width = ((n - 1) * s - 2 * p + k for n, s, p, k in zip(sizes, steps, cells, kernel, strict=True))
        output_size = height, width
    x, indices, height, width = _check_indices("x", x, indices, output_size)
    out = np.zeros((*x.shape[:2], height * width), x.dtype)
    image, channel, _, _ = np.ogrid[tuple(map(slice, x.shape))]
    out[image, channel, indices] = x
    return out.reshape(*x.shape[:2], height, width)


def max_unpool2d_backward(grad_output: ArrayLike, indices: ArrayLike) -> Array:
    """Gradient of ``max_unpool2d``: collect it from where the numbers were put. (N, C, H, W) → (N, C, P, Q)."""
    grad, indices = array("grad_output", grad_output, "(N, C, H, W)"), array("indices", indices, "(N, C, P, Q)")
    planes = grad.reshape(*grad.shape[:2], grad.shape[2] * grad.shape[3])
    image, channel, _, _ = np.ogrid[tuple(map(slice, indices.shape))]
    result: Array = planes[image, channel, indices]
    return result


class _Windows:
    """Where the windows of a pooling layer lie on an image of ``image`` = (H, W)."""

    def __init__(
        self,
        image: tuple[int, ...],
        kernel_size: IntOrPair,
        stride: IntOrPair | None,
        padding: IntOrPair,
        dilation: IntOrPair,
        ceil_mode: bool,
    ) -> None:
        self.image = pair("size", image, 1)
        self.kernel = pair("kernel_size", kernel_size, 1)
        self.step = pair("stride", self.kernel if stride is None else stride, 1)
        self.padding, self.spread = pair("padding", padding, 0), pair("dilation", dilation, 1)
        self.size = pool_output_size(self.image, self.kernel, self.step, self.padding, self.spread, ceil_mode)
        ends = [
            (n - 1) * s + d * (k - 1) + 1 - p
            for n, s, d, k, p in zip(self.size, self.step, self.spread, self.kernel, self.padding, strict=True)
        ]
        self.sides = [(p, max(0, end - n)) for p, end, n in zip(self.padding, ends, self.image, strict=True)]
        self.padded = tuple(n + sum(side) for n, side in zip(self.image, self.sides, strict=True))

    def over(self, x: Array, fill: float) -> list[Array]:
        """What each tap of the window meets at every position of ``x``, with ``fill`` beyond the border."""
        padded = np.ascontiguousarray(x)
        if self.padded != self.image:
            padded = np.full((*x.shape[:2], *self.padded), fill, x.dtype)
            crop(padded, self.sides)[...] = x
        return self.taps(padded)

    def taps(self, padded: Array) -> list[Array]:
        """Views of ``padded``, one for each tap, in reading order."""
        view = patches(padded, self.kernel, self.size, self.step, self.spread)
        return [view[:, :, r, s] for r, s in np.ndindex(self.kernel)]

    def _places(self, axis: int) -> Array:
        """Coordinates (position, tap) along ``axis``, negative or too large in the padding."""
        starts = np.arange(self.size[axis]) * self.step[axis] - self.padding[axis]
        return starts[:, None] + np.arange(self.kernel[axis]) * self.spread[axis]

    def counts(self, include_pad: bool) -> Array:
        """How many numbers each window's mean is taken over, (P, Q)."""
        per_axis = []
        for axis in (0, 1):
            margin = self.padding[axis] if include_pad else 0
            places = self._places(axis)
            per_axis.append(((places >= -margin) & (places < self.image[axis] + margin)).sum(1))
        return np.outer(*per_axis)

    def find(self, best: Array, taps: list[Array]) -> Array:
        """Index along H·W of the tap that holds ``best``: the first inside the image, or the last NaN."""
        (rows, columns), kernel = (self._places(0), self._places(1)), self.kernel
        row_inside, column_inside = (rows >= 0) & (rows < self.image[0]), (columns >= 0) & (columns < self.image[1])
        missed = np.ones(best.shape, bool)
        number = np.zeros(best.shape, np.min_scalar_type(len(taps)))  # taps before the first that holds it
        for (r, s), tap in zip(np.ndindex(kernel), taps, strict=True):
            holds = tap == best
            if self.padded != self.image:
                holds &= np.outer(row_inside[:, r], column_inside[:, s])
            missed &= ~holds
            number += missed
        if best.dtype.kind == "f" and np.isnan(best).any():
            for k, tap in enumerate(taps):
                np.putmask(number, np.isnan(tap), k)
        offsets = np.add.outer(rows[0] * self.image[1], columns[0]).ravel()
        first = np.add.outer((rows - rows[0])[:, 0] * self.image[1], (columns - columns[0])[:, 0])
        return offsets.take(number, mode="clip") + first


def _check_indices(name: str, values: ArrayLike, indices: ArrayLike, size: IntOrPair) -> tuple[Array, Array, int, int]:
    values, indices = array(name, values, "(N, C, P, Q)"), np.asarray(indices)
    height, width = pair("size", size, 1)
    if indices.shape != values.shape or indices.dtype.kind not in "ui":
        raise ValueError(
            f"indices must be integers in the shape of {name}, {values.shape}, got {indices.dtype} {indices.shape}"
        )
    if indices.size and not 0 <= indices.min() <= indices.max() < height * width:
        raise ValueError(
            f"indices must lie in 0 … {height * width - 1} for a size of {height} × {width}, "
            f"got {indices.min()} … {indices.max()}"
        )
    return values, indices, height, width
