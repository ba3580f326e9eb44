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
_MANY = 256  # columns, if there are so many: with fewer, a product reads its weights for too little


def convolve(
    padded: Array, weight: Array, bias: Array | None, size: Any, stride: IntOrPair, dilation: IntOrPair, groups: int
) -> Array:
    """Multiply the weights by what every position meets: (N, K, *size)."""
    dtype = dtype_of(padded, weight, bias)
    out = np.zeros((len(padded), len(weight), *size), dtype)
    make = _row_by_row if _narrow(padded, weight, size, stride, groups) else _kernel_by_kernel
    make(padded, weight, out, stride, dilation, groups)
    if bias is not None:
        out += bias[:, None, None]
    return out


def _kernel_by_kernel(
    padded: Array, weight: Array, out: Array, stride: IntOrPair, dilation: IntOrPair, groups: int
) -> None:
    """One product of whole kernels and the columns under them."""
    rows, answers = _by_group(weight, groups), _maps(out, groups)
    for n, some, places, columns in _columns(
        patches(padded, weight.shape[2:], out.shape[2:], stride, dilation), groups
    ):
        _multiply(rows[some], columns, answers[n, some, :, places])


def _row_by_row(padded: Array, weight: Array, out: Array, stride: IntOrPair, dilation: IntOrPair, groups: int) -> None:
    """One product of each row of the kernels and the columns under a row; then the R rows of a kernel are added.

    R times fewer columns are laid out, and R times more products written: good for few output channels.
    """
    (step, across), (spread, _) = pair("stride", stride, 1), pair("dilation", dilation, 1)
    (channels, _, tall, wide), (height, width) = weight.shape, out.shape[2:]
    answers = out.reshape(len(out), groups, channels // groups, height, width)
    taps = patches(padded, (1, wide), (padded.shape[2], width), (1, across), dilation)
    for phase in range(step):  # rows of the image that meet the same rows of the kernel
        meet = [r for r in range(tall) if r * spread % step == phase]
        if not meet:
            continue
        rows = _by_group(weight[:, :, meet].transpose(0, 2, 1, 3).reshape(channels * len(meet), -1), groups)
        for n, some, places, columns in _columns(taps[..., phase::step, :], groups):
            products = np.matmul(rows[some], columns, dtype=out.dtype)
            top, below = places.start // width, places.stop // width
            products = products.reshape(len(columns), channels // groups, len(meet), -1, below - top, width)
            for place, r in enumerate(meet):
                first, end = (min(max(0, edge - r * spread // step), height) for edge in (top, below))
                from_row = first + r * spread // step - top
                part = products[:, :, place, :, from_row : from_row + end - first].transpose(2, 0, 1, 3, 4)
                answers[n, some, :, first:end] += part


def _narrow(padded: Array, weight: Array, size: Any, stride: IntOrPair, groups: int) -> bool:
    """Whether rows of kernels take less time than whole kernels: there are several, and few output channels.

    A number that is laid out, or added, takes about as long as 48 multiplications.
    """
    (channels, deep, tall, wide), step = weight.shape, pair("stride", stride, 1)[0]
    made, lines = channels // groups, padded.shape[2]
    whole = deep * tall * wide * size[0] * (48 + made)
    by_row = 48 * deep * wide * lines + made * tall * lines // step * (48 + deep * wide)
    return tall > 1 and by_row < whole


def _maps(values: Array, groups: int) -> Array:
    """(N, K, P, Q) as (N, groups, K/groups, P·Q)."""
    return values.reshape(len(values), groups, values.shape[1] // groups, math.prod(values.shape[2:]))


def _flat(maps: Array) -> Array:
    """(N, groups, K, places) as (groups, K, N·places), the order of columns."""
    return maps.transpose(1, 2, 0, 3).reshape(*maps.shape[1:3], -1)


def _multiply(rows: Array, columns: Array, maps: Array) -> None:
    """Put rows · columns into ``maps`` (N, groups, K, places)."""
    if len(maps) == 1:
        np.matmul(rows, columns, out=maps[0], dtype=maps.dtype)
    else:
        images = maps.transpose(1, 2, 0, 3)
        images[:] = np.matmul(rows, columns, dtype=maps.dtype).reshape(images.shape)


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
    channels, answers = maps.shape[1], _maps(maps, groups)
    total = np.zeros((groups, channels // groups, math.prod(taps.shape[1:4]) // groups), dtype_of(maps, taps))
    for n, some, places, columns in _columns(taps, groups):
        total[some] += _flat(answers[n, some, :, places]) @ columns.transpose(0, 2, 1)
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
    pixels, answers = _maps(x, groups), _maps(dx, groups)
    dw = np.zeros(rows.shape, dtype_of(grad, x))
    for n, some, places, columns in _columns(patches(padded, weight.shape[2:], x.shape[2:], 1, dilation), groups):
        _multiply(rows[some], columns, answers[n, some, :, places])
        dw[some] += _flat(pixels[n, some, :, places]) @ columns.transpose(0, 2, 1)
    return dx, _exchange(dw.reshape(turned.shape), groups)


def _by_group(weight: Array, groups: int) -> Array:
    return weight.reshape(groups, len(weight) // groups, -1)


def _columns(taps: Array, groups: int) -> Iterator[tuple[slice, slice, slice, Array]]:
    """Images, groups, positions, and their columns (groups, CRS/groups, images · positions), as fit the cache.

    All groups at a few rows of positions; or, where there is room for a whole group, a few groups at all of them, which
    makes fewer and longer products. Small images come several at once. Columns under a kernel of one pixel that moves
    by one are the image as it lies: nothing is laid out, so it comes whole.
    """
    count, channels, *kernel_size, height, width = taps.shape
    deep = channels // groups
    row = deep * math.prod(kernel_size) * width * taps.itemsize  # bytes of one group's columns for a row of positions
    whole = groups > 1 and row * height <= _CACHE
    block = _CACHE // (row * height) if whole else groups
    as_it_lies = kernel_size == [1, 1] and taps.strides[-2:] == (width * taps.itemsize, taps.itemsize)
    rows = max(_CACHE // (row * groups), math.ceil(_MANY / width))
    strip = height if whole or as_it_lies else min(height, rows)
    once = math.ceil(_MANY / (width * height)) if strip == height else 1
    for n, first, top in product(range(0, count, once), range(0, groups, block), range(0, height, strip)):
        part = taps[n : n + once, first * deep : (first + block) * deep, ..., top : top + strip, :]
        places = slice(top * width, top * width + part.shape[-2] * width)
        columns = part.transpose(1, 2, 3, 0, 4, 5).reshape(part.shape[1] // deep, deep * math.prod(kernel_size), -1)
        yield slice(n, n + once), slice(first, first + block), places, columns


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
    row = rows.shape[1] * groups * width * padded.itemsize  # bytes of an image's columns for a row of its pixels
    strip, once = max(1, _CACHE // row), max(1, _CACHE // (row * height))
    targets = padded.reshape(len(padded), groups, padded.shape[1] // groups, *padded.shape[2:])
    for n, top in product(range(0, len(maps), once), range(0, height, strip)):
        part = maps[n : n + once, :, top : top + strip]
        columns = multiply(rows, part.reshape(len(part), groups, channels // groups, -1))
        places = columns.reshape(len(part), groups, *kernel_size, -1, part.shape[2], width)
        target = targets[n : n + once, :, :, top * step :]
        add_patches(places.transpose(0, 1, 4, 2, 3, 5, 6), target, stride, dilation)
