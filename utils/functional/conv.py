"""Convolution, transposed convolution, and the gradients of both."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from utils.arithmetic import IntOrPair, conv_parameter_count, conv_transpose_output_size, integer, pair
from utils.functional.columns import Array, Padding, PaddingMode, Sides, array, geometry, pad, patches
from utils.functional.products import convolve, gradients, transposed, weight_gradient


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
    x, weight, groups = check_convolution(x, weight, groups)
    bias = check_bias(bias, len(weight))
    kernel_size = weight.shape[2:]
    size, sides = geometry(x.shape[2:], kernel_size, stride, padding, dilation)
    return convolve(pad(x, sides, padding_mode), weight, bias, size, stride, dilation, groups)


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
    x, weight, groups = check_convolution(x, weight, groups)
    kernel_size = weight.shape[2:]
    size, sides = geometry(x.shape[2:], kernel_size, stride, padding, dilation)
    grad = _check_gradient(grad_output, (len(x), len(weight), *size))
    dx, dw = gradients(grad, x, weight, size, sides, stride, dilation, groups)
    return dx, dw, grad.sum((0, 2, 3))


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
    bias = check_bias(bias, channels)
    size = conv_transpose_output_size(x.shape[2:], weight.shape[2:], stride, padding, output_padding, dilation)
    out = transposed(x, weight, size, sides, stride, dilation, groups)
    return out if bias is None else out + bias[:, None, None]


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
    return dx, weight_gradient(x, taps, groups), grad.sum((0, 2, 3))


def check_convolution(x: ArrayLike, weight: ArrayLike, groups: Any) -> tuple[Array, Array, int]:
    """The arguments of a convolution as arrays and an int, if their channels fit."""
    x, weight = array("x", x, "(N, C, H, W)"), array("weight", weight, "(K, C/groups, R, S)")
    in_channels, (out_channels, channels_per_group, *kernel_size) = x.shape[1], weight.shape
    groups = integer("groups", groups, 1)
    conv_parameter_count(in_channels, out_channels, kernel_size, groups)  # refuses groups that do not divide
    if channels_per_group * groups != in_channels:
        raise ValueError(
            f"weight reads {channels_per_group} channels in each of {groups} group(s), "
            f"{channels_per_group * groups} in all, but x has {in_channels}"
        )
    return x, weight, groups


def _check_transposed(x: Array, weight: Array, groups: Any, padding: IntOrPair) -> tuple[int, Sides]:
    groups = integer("groups", groups, 1)
    conv_parameter_count(len(weight), weight.shape[1] * groups, weight.shape[2:], groups)
    if x.shape[1] != len(weight):
        raise ValueError(f"weight spreads {len(weight)} channels, but x has {x.shape[1]}")
    height, width = pair("padding", padding, 0)
    return groups, [(height, height), (width, width)]


def check_bias(bias: ArrayLike | None, channels: int) -> Array | None:
    """``bias`` as an array with one number per output channel."""
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
