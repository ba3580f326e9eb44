"""Convolution by the fast Fourier transform: its cost hardly depends on how large the kernel is."""

from __future__ import annotations

from itertools import count

import numpy as np
from numpy.typing import ArrayLike

from utils.arithmetic import IntOrPair, pair
from utils.functional.columns import Array, Padding, dtype_of, geometry, pad
from utils.functional.conv import check_bias, check_convolution


def fft_conv2d(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: IntOrPair = 1,
    padding: Padding = 0,
    dilation: IntOrPair = 1,
    groups: int = 1,
) -> Array:
    """``conv2d`` by the convolution theorem: transform, multiply frequency by frequency, transform back.

    Shapes and errors are those of ``conv2d``. Numbers are floating (integers become float64) and agree to rounding,
    relative to the largest of an image's outputs. A stride saves nothing: every position is computed, then most
    are dropped.
    """
    x, weight, groups = check_convolution(x, weight, groups)
    bias = check_bias(bias, len(weight))
    (down, across), spread = pair("stride", stride, 1), pair("dilation", dilation, 1)
    (height, width), sides = geometry(x.shape[2:], weight.shape[2:], stride, padding, dilation)
    padded = pad(x, sides)
    dtype = np.result_type(dtype_of(x, weight, bias), np.float32)
    # In a circle as long as the padded image no output that we keep meets what has wrapped around.
    circle = [_smooth(n) for n in padded.shape[2:]]
    reach = [d * (n - 1) + 1 for d, n in zip(spread, weight.shape[2:], strict=True)]
    kernel = np.zeros((*weight.shape[:2], *reach), dtype)
    kernel[..., :: spread[0], :: spread[1]] = weight
    waves = np.fft.rfft2(padded.astype(dtype), circle)
    weights = np.fft.rfft2(kernel, circle).conj()  # conjugated, for the kernel is not flipped
    # For every frequency a small matrix product over the channels of a group: (…, G, N, C/G) @ (…, G, C/G, K/G).
    left = waves.reshape(len(x), groups, weight.shape[1], *waves.shape[2:]).transpose(3, 4, 1, 0, 2)
    right = weights.reshape(groups, -1, *weights.shape[1:]).transpose(3, 4, 0, 2, 1)
    product = (left @ right).transpose(3, 2, 4, 0, 1).reshape(len(x), len(weight), *waves.shape[2:])
    out = np.fft.irfft2(product, circle)
    out = out[..., : (height - 1) * down + 1 : down, : (width - 1) * across + 1 : across].astype(dtype)
    return out if bias is None else out + bias[:, None, None]


def _smooth(size: int) -> int:
    """The least number from ``size`` on without prime factors above 5, at which transforms are quick."""
    return next(n for n in count(size) if 30 ** n.bit_length() % n == 0)
