"""Layers in NumPy and their gradients, named and argued as in ``torch.nn.functional``; images are (N, C, H, W)."""

from utils.functional.columns import col2im, im2col
from utils.functional.conv import conv2d, conv2d_backward, conv_transpose2d, conv_transpose2d_backward
from utils.functional.fft import fft_conv2d
from utils.functional.pool import (
    avg_pool2d,
    avg_pool2d_backward,
    max_pool2d,
    max_pool2d_backward,
    max_unpool2d,
    max_unpool2d_backward,
)

__all__ = [
    "avg_pool2d",
    "avg_pool2d_backward",
    "col2im",
    "conv2d",
    "conv2d_backward",
    "conv_transpose2d",
    "conv_transpose2d_backward",
    "fft_conv2d",
    "im2col",
    "max_pool2d",
    "max_pool2d_backward",
    "max_unpool2d",
    "max_unpool2d_backward",
]
