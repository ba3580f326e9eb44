"""The matrix products that a convolution, its adjoint and its gradients are, over columns that stay in the cache."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from utils.arithmetic import IntOrPair, pair
from utils.functional.columns import Array, Sides, add_patches, crop, dtype_of, pad, patches

_CACHE = 1 << 19  # bytes of columns multiplied at once: small enough to be still in the cache when they are read


def convolve(
    padded: Array, weight: Array, bias: Array | None, size: Any, stride: IntOrPair, dilation: IntOrPair, groups: int
) -> Array:
    """Multiply the weights by what every position meets: (N, K, *size)."""
    dtype = dtype_of(padded, weight, bias)
    out = np.empty((len(padded), len(weight), *size), dtype)
    rows = _by_group(weight, groups)
    answers = out.reshape(len(out), groups, len(weight) // groups, math.prod(size))
    for n, some, places, columns in _columns(patches(padded, weight.shape[2:], size, stride, dilation), groups):
        np.matmul(rows[some], columns, out=answers[n, some, :, places], dtype=dtype)
    if bias is not None:
        out += bias[:, None, None]
    return out


def transposed(
    maps: Array, weight: Array, size: Any, sides: Sides, stride: IntOrPair, dilation: IntOrPair, groups: int
) -> Array:
    """The adjoint of a convolution of images of ``size`` with ``sides`` added, applied to ``maps`` (N, K, P, Q)."""
    if _reads(weight, stride, groups):
        padded, turned = _turn(maps, weight, size, sides, dilation, groups)
        return convolve(padded, turned, None, size, 1, dilation, groups)
    shape = (n + sum(side) for n, side in zip(size, sides, strict=True))
    out = np.zeros((len(maps), weight.shape[1] * groups, *shape), dtype_of(maps, weight))
    _add_transposed(maps, weight, out, stride, dilation, groups)
    return crop(out, sides)


def weight_gradient(maps: Array, taps: Array, groups: int) -> Array:
    """Sum over images and positions of ``maps`` (N, K, P, Q) times what each tap met there: (K, C/groups, R, S)."""
    count, channels = maps.shape[:2]
    answers = maps.reshape(count, groups, channels // groups, math.prod(maps.shape[2:]))
    total = np.zeros((groups, channels // groups, math.prod(taps.shape[1:4]) // groups), dtype_of(maps, taps))
    for n, some, places, columns in _columns(taps, groups):
        total[some] += answers[n, some, :, places] @ columns.transpose(0, 2, 1)
    return total.reshape(channels, -1, *taps.shape[2:4])


def gradients(
    grad: Array, x: Array, weight: Array, size: Any, sides: Sides, stride: IntOrPair, dilation: IntOrPair, groups: int
) -> tuple[Array, Array]:
    """Gradients of a convolution with respect to ``x`` and ``weight``, given ``grad`` (N, K, *size) at its output."""
    if not _reads(weight, stride, groups):
        taps = patches(pad(x, sides), weight.shape[2:], size, stride, dilation)
        dx = transposed(grad, weight, x.shape[2:], sides, stride, dilation, groups)
        return dx, weight_gradient(grad, taps, groups)
    # The columns of grad that make dx are also what every pixel of x was multiplied by: they serve both.
    padded, turned = _turn(grad, weight, x.shape[2:], sides, dilation, groups)
    rows, dx = _by_group(turned, groups), np.empty(x.shape, dtype_of(grad, weight))
    pixels, answers = (a.reshape(len(x), groups, weight.shape[1], math.prod(x.shape[2:])) for a in (x, dx))
    dw = np.zeros(rows.shape, dtype_of(grad, x))
    for n, some, places, columns in _columns(patches(padded, weight.shape[2:], x.shape[2:], 1, dilation), groups):
        np.matmul(rows[some], columns, out=answers[n, some, :, places])
        dw[some] += pixels[n, some, :, places] @ columns.transpose(0, 2, 1)
    return dx, _exchange(dw.reshape(turned.shape), groups)


def _by_group(weight: Array, groups: int) -> Array:
    return weight.reshape(groups, len(weight) // groups, -1)


def _columns(taps: Array, groups: int) -> Iterator[tuple[int, slice, slice, Array]]:
    """Image, groups, positions, and their columns (groups, CRS/groups, positions), as many at once as fit the cache.

    All groups at a few rows of positions; or, where there is room for a whole group, a few groups at all of them, which
    makes fewer and longer products.
    """
    count, channels, *kernel_size, height, width = taps.shape
    deep = channels // groups
    row = deep * math.prod(kernel_size) * width * taps.itemsize  # bytes of one group's columns for a row of positions
    whole = groups > 1 and row * height <= _CACHE
    block, strip = (max(1, _CACHE // (row * height)), height) if whole else (groups, max(1, _CACHE // (row * groups)))
    for n, first, top in product(range(count), range(0, groups, block), range(0, height, strip)):
        part = taps[n, first * deep : (first + block) * deep, ..., top : top + strip, :]
        places = slice(top * width, top * width + part.shape[-2] * width)
        yield n, slice(first, first + block), places, part.reshape(len(part) // deep, deep * math.prod(kernel_size), -1)


def _reads(weight: Array, stride: IntOrPair, groups: int) -> bool:
    """Whether the adjoint should read columns of the maps: it can without gaps, and reading is quicker than adding.

    With fewer channels to make than to read there are fewer columns to add.
    """
    return pair("stride", stride, 1) == (1, 1) and weight.shape[1] * groups >= len(weight)


def _turn(maps: Array, weight: Array, size: Any, sides: Sides, dilation: IntOrPair, groups: int) -> tuple[Array, Array]:
    """Padded maps and the turned kernel whose convolution is the adjoint at stride 1."""
    reach = [d * (k - 1) for k, d in zip(weight.shape[2:], pair("dilation", dilation, 1), strict=True)]
    around = [
        (r - before, n + before - have)
        for r, (before, _), n, have in zip(reach, sides, size, maps.shape[2:], strict=True)
    ]
    inside = crop(maps, [(max(0, -before), max(0, -after)) for before, after in around])
    padded = pad(inside, [(max(0, before), max(0, after)) for before, after in around])
    return padded, _exchange(weight, groups)


def _exchange(weight: Array, groups: int) -> Array:
    """Input and output channels exchanged within every group, and the kernel turned by half a turn."""
    out, per_group, *kernel_size = weight.shape
    by_group = weight.reshape(groups, out // groups, per_group, *kernel_size)
    turned = by_group.swapaxes(1, 2)[..., ::-1, ::-1]
    return np.ascontiguousarray(turned).reshape(-1, out // groups, *kernel_size)  # matmul is slow at reversed axes


def _add_transposed(
    maps: Array, weight: Array, padded: Array, stride: IntOrPair, dilation: IntOrPair, groups: int
) -> None:
    """Multiply ``maps`` (N, K, P, Q) by the transposed weights and add the columns to ``padded``, strip by strip."""
    (_, channels, height, width), step = maps.shape, pair("stride", stride, 1)[0]
    kernel_size = weight.shape[2:]
    # Taps first, so that what one tap adds lies together: (groups, RS·C/groups, K/groups).
    rows = weight.reshape(groups, channels // groups, -1, *kernel_size).transpose(0, 3, 4, 2, 1)
    rows = rows.reshape(groups, -1, channels // groups)
    multiply = np.multiply if channels == groups else np.matmul  # matmul is slow at outer products
    strip = max(1, _CACHE // (rows.shape[1] * groups * width * padded.itemsize))
    targets = padded.reshape(len(padded), groups, padded.shape[1] // groups, *padded.shape[2:])
    for image, target in zip(maps, targets, strict=True):
        for top in range(0, height, strip):
            part = image[:, top : top + strip]
            columns = multiply(rows, part.reshape(groups, channels // groups, -1))
            places = columns.reshape(groups, *kernel_size, -1, part.shape[1], width)
            add_patches(places.transpose(0, 3, 1, 2, 4, 5), target[:, :, top * step :], stride, dilation)
