"""Layers in NumPy, named and argued as in ``torch.nn.functional``; images are (N, C, H, W)."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from utils.arithmetic import IntOrPair, conv_output_size, conv_parameter_count, integer, pair

Array = NDArray[Any]
Padding = IntOrPair | Literal["same", "valid"]
PaddingMode = Literal["zeros", "reflect", "replicate", "circular"]
_CACHE = 1 << 19  # bytes of columns multiplied at once: small enough to be still in the cache when they are read
_NUMPY_MODE = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


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
    x, weight = _array("x", x, "(N, C, H, W)", 4), _array("weight", weight, "(K, C/groups, R, S)", 4)
    out_channels, channels_per_group, *kernel_size = weight.shape
    in_channels, groups = x.shape[1], integer("groups", groups, 1)
    conv_parameter_count(in_channels, out_channels, kernel_size, groups)  # refuses groups that do not divide
    if channels_per_group * groups != in_channels:
        raise ValueError(
            f"weight reads {channels_per_group} channels in each of {groups} group(s), "
            f"{channels_per_group * groups} in all, but x has {in_channels}"
        )
    if bias is not None:
        bias = np.asarray(bias)
        if bias.shape != (out_channels,):
            raise ValueError(f"bias must be ({out_channels},), one number per output channel, got {bias.shape}")

    patches = _patches(x, kernel_size, stride, padding, dilation, padding_mode)
    n, *_, height, width = patches.shape
    dtype = np.result_type(x, weight, *([bias] if bias is not None else []))
    if dtype.kind in "bui":  # sums of small integers would wrap around
        dtype = np.dtype(np.int64)
    out = np.empty((n, out_channels, height, width), dtype)
    rows = weight.reshape(groups, out_channels // groups, -1)
    strip = max(1, _CACHE // (in_channels * kernel_size[0] * kernel_size[1] * width * x.itemsize))
    for image, result in zip(patches, out.reshape(n, groups, rows.shape[1], height * width), strict=True):
        for top in range(0, height, strip):
            columns = image[..., top : top + strip, :].reshape(groups, rows.shape[2], -1)
            np.matmul(rows, columns, out=result[..., top * width : (top + strip) * width], dtype=dtype)
        if bias is not None:
            result += bias.reshape(groups, -1, 1)
    return out


def im2col(
    x: ArrayLike,
    kernel_size: IntOrPair,
    dilation: IntOrPair = 1,
    padding: IntOrPair = 0,
    stride: IntOrPair = 1,
) -> Array:
    """Lay every patch that a kernel reads into a column: torch's ``unfold``, with its argument order.

    ``x`` (N, C, H, W) → (N, C·R·S, P·Q): rows in the order of ``weight.reshape(K, -1)``, columns in reading order.
    """
    x = _array("x", x, "(N, C, H, W)", 4)
    patches = _patches(x, pair("kernel_size", kernel_size, 1), stride, padding, dilation, "zeros")
    n, channels, rows, columns, height, width = patches.shape
    return patches.copy().reshape(n, channels * rows * columns, height * width)


def _patches(
    x: Array, kernel_size: Any, stride: IntOrPair, padding: Padding, dilation: IntOrPair, mode: PaddingMode
) -> Array:
    """View padded ``x`` as (N, C, R, S, P, Q): for each tap of the kernel, what it meets at every position.

    A tap moves by the dilation, a position by the stride; the axes come in the order a matrix product wants.
    """
    size, sides = _geometry(x.shape[2:], kernel_size, stride, padding, dilation)
    x = _pad(x, sides, mode)
    (step_y, step_x), (spread_y, spread_x) = pair("stride", stride, 1), pair("dilation", dilation, 1)
    image, channel, row, column = x.strides
    strides = (image, channel, spread_y * row, spread_x * column, step_y * row, step_x * column)
    return np.ndarray((*x.shape[:2], *kernel_size, *size), x.dtype, x, strides=strides)


def _geometry(size: Any, kernel_size: Any, stride: IntOrPair, padding: Padding, dilation: IntOrPair) -> tuple[Any, Any]:
    """Output size, and the cells to add ((above, below), (left, right))."""
    if isinstance(padding, str) and padding == "same":
        if pair("stride", stride, 1) != (1, 1):
            raise ValueError(f"padding='same' keeps the size, which stride {stride} cannot: stride must be 1")
        both = [d * (k - 1) for k, d in zip(kernel_size, pair("dilation", dilation, 1), strict=True)]
        return pair("size", size, 1), [(total // 2, total - total // 2) for total in both]
    if isinstance(padding, str) and padding != "valid":
        raise ValueError(f"padding must be an integer, a (height, width) pair, 'same' or 'valid', got {padding!r}")
    padding = 0 if isinstance(padding, str) else padding
    height, width = pair("padding", padding, 0)
    return conv_output_size(size, kernel_size, stride, padding, dilation), [(height, height), (width, width)]


def _pad(x: Array, sides: list[tuple[int, int]], mode: PaddingMode) -> Array:
    if mode not in _NUMPY_MODE:
        raise ValueError(f"padding_mode must be one of {', '.join(_NUMPY_MODE)}, got {mode!r}")
    if not any(map(any, sides)):
        return np.ascontiguousarray(x)
    (above, below), (left, right) = sides
    if mode == "zeros":  # by far the commonest, and np.pad takes longer over it than a small convolution
        n, channels, height, width = x.shape
        padded: Array = np.zeros((n, channels, above + height + below, left + width + right), x.dtype)
        padded[:, :, above : above + height, left : left + width] = x
        return padded
    # NumPy would reflect again and again, or wrap around twice; torch refuses, and so do we.
    spare = {"reflect": 1, "circular": 0}.get(mode)
    for axis, size, side in zip(("height", "width"), x.shape[2:], map(max, sides), strict=True):
        if spare is not None and size < side + spare:
            raise ValueError(f"{mode} padding {side} needs an input {axis} of {side + spare} or more, got {size}")
    return np.pad(x, ((0, 0), (0, 0), *sides), mode=_NUMPY_MODE[mode])  # type: ignore[call-overload]  # a str to it


def _array(name: str, value: ArrayLike, axes: str, rank: int) -> Array:
    array = np.asarray(value)
    if array.ndim != rank:
        raise ValueError(f"{name} must have {rank} axes {axes}, got {array.ndim}: {array.shape}")
    return array
