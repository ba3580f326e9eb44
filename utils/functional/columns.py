"""Patches as columns and columns as patches, the two moves that every layer here is made of; padding and its words.

All that is fast here, and in the modules beside this, must equal what is plain. A convolution in one group is

    for n, k, i, j in np.ndindex(out.shape):  # image, output channel, and its row and column
        out[n, k, i, j] = 0
        for c, r, s in np.ndindex(weight.shape[1:]):  # input channel, and the kernel's row and column
            row, column = i * stride + r * dilation, j * stride + s * dilation
            out[n, k, i, j] += weight[k, c, r, s] * padded[n, c, row, column]

and a column holds what ``weight[k]`` meets of ``padded`` at one (i, j).
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from utils.arithmetic import IntOrPair, conv_output_size, pair

Array = NDArray[Any]
Padding = IntOrPair | Literal["same", "valid"]
PaddingMode = Literal["zeros", "reflect", "replicate", "circular"]
Sides = list[tuple[int, int]]  # cells (above, below) and (left, right)
_NUMPY_MODE = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


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
    x = array("x", x, "(N, C, H, W)")
    kernel = pair("kernel_size", kernel_size, 1)
    size, sides = geometry(x.shape[2:], kernel, stride, padding, dilation)
    taps = patches(pad(x, sides), kernel, size, stride, dilation)
    return taps.copy().reshape(len(x), x.shape[1] * kernel[0] * kernel[1], size[0] * size[1])


def col2im(
    columns: ArrayLike,
    output_size: IntOrPair,
    kernel_size: IntOrPair,
    dilation: IntOrPair = 1,
    padding: IntOrPair = 0,
    stride: IntOrPair = 1,
) -> Array:
    """Add every column back to the pixels it was read from: torch's ``fold``, and the adjoint of ``im2col``.

    ``columns`` (N, C·R·S, P·Q), ``output_size`` the image's (H, W) → (N, C, H, W). Pixels that several patches
    share get the sum. ``ValueError`` if the columns are not those of such an image.
    """
    columns = array("columns", columns, "(N, C·R·S, P·Q)", 3)
    image, kernel = pair("output_size", output_size, 1), pair("kernel_size", kernel_size, 1)
    size, sides = geometry(image, kernel, stride, padding, dilation)
    n, depth, count = columns.shape
    if depth % (kernel[0] * kernel[1]) or count != size[0] * size[1]:
        raise ValueError(
            f"columns of an image {image} under a kernel {kernel} must be (N, C·{kernel[0] * kernel[1]}, "
            f"{size[0] * size[1]}), got {columns.shape}"
        )
    channels = depth // (kernel[0] * kernel[1])
    padded = np.zeros((n, channels, *(a + sum(side) for a, side in zip(image, sides, strict=True))), columns.dtype)
    add_patches(columns.reshape(n, channels, *kernel, *size), padded, stride, dilation)
    return crop(padded, sides).copy()


def patches(padded: Array, kernel_size: Any, size: Any, stride: IntOrPair, dilation: IntOrPair) -> Array:
    """View ``padded`` (N, C, H, W) as (N, C, R, S, P, Q): for each tap of a kernel, what it meets at every position.

    A tap moves by the dilation, a position by the stride; the axes come in the order a matrix product wants.
    """
    (step_y, step_x), (spread_y, spread_x) = pair("stride", stride, 1), pair("dilation", dilation, 1)
    image, channel, row, column = padded.strides
    strides = (image, channel, spread_y * row, spread_x * column, step_y * row, step_x * column)
    return np.ndarray((*padded.shape[:2], *kernel_size, *size), padded.dtype, padded, strides=strides)


def add_patches(columns: Array, padded: Array, stride: IntOrPair, dilation: IntOrPair) -> None:
    """Add (…, C, R, S, P, Q) to the pixels of ``padded`` (…, C, H, W) from which ``patches`` reads them.

    One addition a tap: neighbouring patches overlap, but the places of one tap never do.
    """
    (step_y, step_x), (spread_y, spread_x) = pair("stride", stride, 1), pair("dilation", dilation, 1)
    rows, taps, height, width = columns.shape[-4:]
    for r, s in np.ndindex(rows, taps):
        top, left = r * spread_y, s * spread_x
        bottom, right = top + (height - 1) * step_y + 1, left + (width - 1) * step_x + 1
        padded[..., top:bottom:step_y, left:right:step_x] += columns[..., r, s, :, :]


def geometry(
    size: Any, kernel_size: Any, stride: IntOrPair, padding: Padding, dilation: IntOrPair
) -> tuple[tuple[int, int], Sides]:
    """Output size, and the cells to add on every side."""
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


def pad(x: Array, sides: Sides, mode: PaddingMode = "zeros") -> Array:
    """``x`` with cells added on every side, in memory of its own if there are any."""
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


def crop(padded: Array, sides: Sides) -> Array:
    """The view of ``padded`` without the cells on its sides: the reverse of ``pad``."""
    (above, below), (left, right) = sides
    height, width = padded.shape[-2:]
    return padded[..., above : height - below, left : width - right]


def array(name: str, value: ArrayLike, axes: str, rank: int = 4) -> Array:
    """``value`` as an array of ``rank`` axes."""
    try:
        result = np.asarray(value)
    except (RuntimeError, TypeError) as error:  # PyTorch's, of a tensor that learns or lies elsewhere
        raise ValueError(f"{name} must be an array of numbers: {error}") from error
    if result.dtype.kind not in "buif":
        raise ValueError(f"{name} must be an array of real numbers, got {result.dtype}")
    if result.ndim != rank:
        raise ValueError(f"{name} must have {rank} axes {axes}, got {result.ndim}: {result.shape}")
    return result


def dtype_of(*arrays: Array | None) -> np.dtype[Any]:
    """The common type, but never a small integer, whose sums would wrap around."""
    dtype = np.result_type(*(a for a in arrays if a is not None))
    return np.dtype(np.int64) if dtype.kind in "bui" else dtype
