"""The three matrix products that a convolution and its gradients are, strip by strip so that columns stay in cache."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from utils.arithmetic import IntOrPair, pair
from utils.functional.columns import Array, Sides, add_patches, crop, dtype_of, pad, patches

_CACHE = 1 << 19  # bytes of columns multiplied at once: small enough to be still in the cache when they are read


def weight_gradient(maps: Array, taps: Array, groups: int) -> Array:
    """Sum over images and positions of ``maps`` (N, K, P, Q) times what each tap met there: (groups, K/groups, CRS)."""
    _, channels, height, _ = maps.shape
    depth = math.prod(taps.shape[1:4]) // groups
    total = np.zeros((groups, channels // groups, depth), dtype_of(maps, taps))
    strip = _strip(taps)
    for image, met in zip(maps, taps, strict=True):
        for top in range(0, height, strip):
            columns = met[..., top : top + strip, :].reshape(groups, depth, -1)
            rows = image[:, top : top + strip].reshape(groups, channels // groups, -1)
            total += rows @ columns.transpose(0, 2, 1)
    return total


def convolve(
    padded: Array,
    weight: Array,
    bias: Array | None,
    size: Any,
    stride: IntOrPair,
    dilation: IntOrPair,
    groups: int,
) -> Array:
    """Multiply the weights by what every position meets, strip by strip: (N, K, *size)."""
    dtype = dtype_of(padded, weight, bias)
    out = np.empty((len(padded), len(weight), *size), dtype)
    rows = weight.reshape(groups, len(weight) // groups, -1)
    taps = patches(padded, weight.shape[2:], size, stride, dilation)
    strip = _strip(taps)
    for image, result in zip(taps, out.reshape(len(out), groups, rows.shape[1], size[0] * size[1]), strict=True):
        for top in range(0, size[0], strip):
            columns = image[..., top : top + strip, :].reshape(groups, rows.shape[2], -1)
            np.matmul(rows, columns, out=result[..., top * size[1] : (top + strip) * size[1]], dtype=dtype)
        if bias is not None:
            result += bias.reshape(groups, -1, 1)
    return out


def transposed(
    maps: Array, weight: Array, size: Any, sides: Sides, stride: IntOrPair, dilation: IntOrPair, groups: int
) -> Array:
    """The adjoint of a convolution of images of ``size`` with ``sides`` added, applied to ``maps`` (N, K, P, Q)."""
    kernel_size, channels = weight.shape[2:], weight.shape[1] * groups
    if pair("stride", stride, 1) == (1, 1) and channels >= len(weight):
        # Without gaps it is a convolution with the kernel turned, and reading columns is quicker than adding them.
        turned = weight.reshape(groups, -1, *weight.shape[1:]).swapaxes(1, 2)[..., ::-1, ::-1]
        reach = [d * (k - 1) for k, d in zip(kernel_size, pair("dilation", dilation, 1), strict=True)]
        around = [
            (r - before, n + before - have)
            for r, (before, _), n, have in zip(reach, sides, size, maps.shape[2:], strict=True)
        ]
        inside = crop(maps, [(max(0, -before), max(0, -after)) for before, after in around])
        padded = pad(inside, [(max(0, before), max(0, after)) for before, after in around])
        return convolve(padded, turned.reshape(channels, -1, *kernel_size), None, size, 1, dilation, groups)
    out = np.zeros(
        (len(maps), channels, *(n + sum(side) for n, side in zip(size, sides, strict=True))), dtype_of(maps, weight)
    )
    _add_transposed(maps, weight, out, stride, dilation, groups)
    return crop(out, sides)


def _add_transposed(
    maps: Array, weight: Array, padded: Array, stride: IntOrPair, dilation: IntOrPair, groups: int
) -> None:
    """Multiply ``maps`` (N, K, P, Q) by the transposed weights and add the columns to ``padded``, strip by strip."""
    (_, channels, height, width), step = maps.shape, pair("stride", stride, 1)[0]
    kernel_size = weight.shape[2:]
    # Taps first, so that what one tap adds lies together: (groups, RS·C/groups, K/groups).
    rows = weight.reshape(groups, channels // groups, -1, *kernel_size).transpose(0, 3, 4, 2, 1)
    rows = rows.reshape(groups, -1, channels // groups)
    product = np.multiply if channels == groups else np.matmul  # matmul is slow at outer products
    strip = max(1, _CACHE // (rows.shape[1] * groups * width * padded.itemsize))
    targets = padded.reshape(len(padded), groups, padded.shape[1] // groups, *padded.shape[2:])
    for image, target in zip(maps, targets, strict=True):
        for top in range(0, height, strip):
            part = image[:, top : top + strip]
            columns = product(rows, part.reshape(groups, channels // groups, -1))
            places = columns.reshape(groups, *kernel_size, -1, part.shape[1], width)
            add_patches(places.transpose(0, 3, 1, 2, 4, 5), target[:, :, top * step :], stride, dilation)


def _strip(taps: Array) -> int:
    """How many rows of output to multiply at once."""
    _, channels, rows, columns, _, width = taps.shape
    return max(1, _CACHE // (channels * rows * columns * width * taps.itemsize))
