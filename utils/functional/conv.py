"""Convolution, transposed convolution, and the gradients of both: matrix products over columns."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from utils.arithmetic import IntOrPair, conv_parameter_count, conv_transpose_output_size, integer, pair
from utils.functional.columns import (
    Array,
    Padding,
    PaddingMode,
    Sides,
    add_patches,
    array,
    crop,
    dtype_of,
    geometry,
    pad,
    patches,
)

_CACHE = 1 << 19  # bytes of columns multiplied at once: small enough to be still in the cache when they are read


def conv2d(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: IntOrPair = 1,
    padding: Padding = 0,
    dilation: IntOrPair = 1,
    groups: int = 1,
    *,
    padding_mode: PaddingMode = "zeros",
) -> Array:
    """Slide ``weight`` over ``x`` and sum the products at every position (a cross-correlation).

    ``x`` (N, C, H, W), ``weight`` (K, C/groups, R, S), ``bias`` (K,) → (N, K, P, Q), in the common dtype.
    ``padding`` counts cells per side, or is ``"valid"`` (none) or ``"same"`` (as many as keep the size; an odd
    one goes right and below, as in torch); ``padding_mode`` says what they hold, as in ``torch.nn.Conv2d``.
    ``ValueError`` if a rank, a channel count or a size does not fit.
    """
    x, weight = array("x", x, "(N, C, H, W)"), array("weight", weight, "(K, C/groups, R, S)")
    groups = _check_channels(x, weight, groups)
    bias = _check_bias(bias, len(weight))
    kernel_size = weight.shape[2:]
    size, sides = geometry(x.shape[2:], kernel_size, stride, padding, dilation)
    taps = patches(pad(x, sides, padding_mode), kernel_size, size, stride, dilation)
    dtype = dtype_of(x, weight, bias)
    out = np.empty((len(x), len(weight), *size), dtype)
    rows = weight.reshape(groups, len(weight) // groups, -1)
    strip = _strip(taps)
    for image, result in zip(taps, out.reshape(len(x), groups, rows.shape[1], size[0] * size[1]), strict=True):
        for top in range(0, size[0], strip):
            columns = image[..., top : top + strip, :].reshape(groups, rows.shape[2], -1)
            np.matmul(rows, columns, out=result[..., top * size[1] : (top + strip) * size[1]], dtype=dtype)
        if bias is not None:
            result += bias.reshape(groups, -1, 1)
    return out


def conv2d_backward(
    grad_output: ArrayLike,
    x: ArrayLike,
    weight: ArrayLike,
    stride: IntOrPair = 1,
    padding: Padding = 0,
    dilation: IntOrPair = 1,
    groups: int = 1,
) -> tuple[Array, Array, Array]:
    """Gradients of ``conv2d`` (zero padding) with respect to ``x``, ``weight`` and ``bias``.

    ``grad_output`` (N, K, P, Q) is the gradient at its output. ``ValueError`` if it has another shape.
    """
    x, weight = array("x", x, "(N, C, H, W)"), array("weight", weight, "(K, C/groups, R, S)")
    groups = _check_channels(x, weight, groups)
    kernel_size = weight.shape[2:]
    size, sides = geometry(x.shape[2:], kernel_size, stride, padding, dilation)
    grad = _check_gradient(grad_output, (len(x), len(weight), *size))
    padded = pad(x, sides)
    dw = _weight_gradient(grad, patches(padded, kernel_size, size, stride, dilation), groups)
    dx = np.zeros(padded.shape, dtype_of(grad, weight))
    _add_transposed(grad, weight, dx, stride, dilation, groups)
    return crop(dx, sides), dw.reshape(weight.shape), grad.sum((0, 2, 3))


def conv_transpose2d(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: IntOrPair = 1,
    padding: IntOrPair = 0,
    output_padding: IntOrPair = 0,
    groups: int = 1,
    dilation: IntOrPair = 1,
) -> Array:
    """Lay a copy of the kernel, times the pixel, at every pixel's place, and add: the adjoint of ``conv2d``.

    ``x`` (N, C, H, W), ``weight`` (C, K/groups, R, S), ``bias`` (K,) → (N, K, P, Q). ``padding`` crops;
    ``output_padding`` adds rows and columns at the end that the crop would have taken, with what falls on them.
    """
    x, weight = array("x", x, "(N, C, H, W)"), array("weight", weight, "(C, K/groups, R, S)")
    groups, sides = _check_transposed(x, weight, groups, padding)
    channels = weight.shape[1] * groups
    bias = _check_bias(bias, channels)
    size = conv_transpose_output_size(x.shape[2:], weight.shape[2:], stride, padding, output_padding, dilation)
    out = np.zeros(
        (len(x), channels, *(a + sum(s) for a, s in zip(size, sides, strict=True))), dtype_of(x, weight, bias)
    )
    _add_transposed(x, weight, out, stride, dilation, groups)
    out = crop(out, sides)
    if bias is not None:
        out += bias[:, None, None]
    return out


def conv_transpose2d_backward(
    grad_output: ArrayLike,
    x: ArrayLike,
    weight: ArrayLike,
    stride: IntOrPair = 1,
    padding: IntOrPair = 0,
    output_padding: IntOrPair = 0,
    groups: int = 1,
    dilation: IntOrPair = 1,
) -> tuple[Array, Array, Array]:
    """Gradients of ``conv_transpose2d`` with respect to ``x``, ``weight`` and ``bias``: the first is a convolution."""
    x, weight = array("x", x, "(N, C, H, W)"), array("weight", weight, "(C, K/groups, R, S)")
    groups, sides = _check_transposed(x, weight, groups, padding)
    size = conv_transpose_output_size(x.shape[2:], weight.shape[2:], stride, padding, output_padding, dilation)
    grad = _check_gradient(grad_output, (len(x), weight.shape[1] * groups, *size))
    height, width = x.shape[2:]
    dx = conv2d(grad, weight, None, stride, padding, dilation, groups)[..., :height, :width]
    taps = patches(pad(grad, sides), weight.shape[2:], (height, width), stride, dilation)
    return dx, _weight_gradient(x, taps, groups).reshape(weight.shape), grad.sum((0, 2, 3))


def _weight_gradient(maps: Array, taps: Array, groups: int) -> Array:
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


def _check_channels(x: Array, weight: Array, groups: Any) -> int:
    in_channels, (out_channels, channels_per_group, *kernel_size) = x.shape[1], weight.shape
    groups = integer("groups", groups, 1)
    conv_parameter_count(in_channels, out_channels, kernel_size, groups)  # refuses groups that do not divide
    if channels_per_group * groups != in_channels:
        raise ValueError(
            f"weight reads {channels_per_group} channels in each of {groups} group(s), "
            f"{channels_per_group * groups} in all, but x has {in_channels}"
        )
    return groups


def _check_transposed(x: Array, weight: Array, groups: Any, padding: IntOrPair) -> tuple[int, Sides]:
    groups = integer("groups", groups, 1)
    conv_parameter_count(len(weight), weight.shape[1] * groups, weight.shape[2:], groups)
    if x.shape[1] != len(weight):
        raise ValueError(f"weight spreads {len(weight)} channels, but x has {x.shape[1]}")
    height, width = pair("padding", padding, 0)
    return groups, [(height, height), (width, width)]


def _check_bias(bias: ArrayLike | None, channels: int) -> Array | None:
    if bias is None:
        return None
    bias = np.asarray(bias)
    if bias.shape != (channels,):
        raise ValueError(f"bias must be ({channels},), one number per output channel, got {bias.shape}")
    return bias


def _check_gradient(grad_output: ArrayLike, shape: tuple[int, ...]) -> Array:
    grad = np.asarray(grad_output)
    if grad.shape != shape:
        raise ValueError(f"grad_output must have the shape of the output, {shape}, got {grad.shape}")
    return grad
