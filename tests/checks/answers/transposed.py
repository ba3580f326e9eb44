"""Answers to chapter 04's exercises: right ones in several styles, and each mistake as a student would make it."""

import numpy as np
import torch
import torch.nn.functional as F
from scipy.linalg import toeplitz
from scipy.signal import convolve2d, correlate2d
from torch import nn

IMAGE, KERNEL = np.array([[1.0, 2], [0, 3]]), np.array([[1.0, -1], [2, 0]])


def copies(x, weight, stride=1, larger=0, add=True, mean=False):
    """One channel's or all channels' copies, laid down one after the other."""
    (c, h, w), (_, k, f1, f2) = x.shape, weight.shape
    out = np.zeros((k, (h - 1) * stride + f1 + larger, (w - 1) * stride + f2 + larger))
    count = np.zeros(out.shape[1:])
    for i in range(h):
        for j in range(w):
            place = np.s_[i * stride : i * stride + f1, j * stride : j * stride + f2]
            patch = sum(x[a, i, j] * weight[a] for a in range(c))
            out[:, *place] = out[:, *place] + patch if add else patch
            count[place] += 1
    return out / np.maximum(count, 1) if mean else out


def torch_layer(x, weight, stride):
    return F.conv_transpose2d(torch.from_numpy(x)[None], torch.from_numpy(weight.copy()), stride=stride)[0]


def torch_shape(*settings, **more):
    return nn.ConvTranspose2d(*settings, **more)(torch.zeros(1, 8, 10, 10)).shape[1:]


def framed(whole, p, extra):
    """Counted cell by cell."""
    height, width = (n - 2 * p + extra for n in whole.shape)
    out = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            if p + i < whole.shape[0] and p + j < whole.shape[1]:
                out[i, j] = whole[p + i, p + j]
    return out


def padded_crop(whole, p, extra):
    longer = np.zeros([n + extra for n in whole.shape])
    longer[: whole.shape[0], : whole.shape[1]] = whole
    return longer[p : longer.shape[0] - p, p : longer.shape[1] - p]


def apart(x, step, more=0):
    image = np.zeros([(n - 1) * step + 1 + more for n in x.shape])
    for i, j in np.ndindex(x.shape):
        image[i * step, j * step] = x[i, j]
    return image


def zeros_between(x, kernel, stride, rim=lambda f: f - 1, turn=np.rot90):
    rows, columns = (rim(f) for f in kernel.shape)
    return np.pad(apart(x, stride), [(rows, rows), (columns, columns)]), turn(kernel, 2)


def kron_gaps(x, kernel, stride):
    one = np.zeros((stride, stride))
    one[0, 0] = 1
    f1, f2 = kernel.shape
    long = np.kron(x, one)
    long = torch.from_numpy(long[: long.shape[0] - stride + 1, : long.shape[1] - stride + 1])
    return F.pad(long, (f2 - 1, f2 - 1, f1 - 1, f1 - 1)), np.flip(kernel)


def filled(kernel, size, stride, more=0):
    out = np.zeros(((size - 1) * stride + len(kernel) + more, size))
    for j in range(size):
        out[j * stride : j * stride + len(kernel), j] = kernel
    return out


def every_column(kernel, size, stride):
    longest = (size - 1) * stride + 1
    first = np.concatenate([kernel, np.zeros(longest - 1)])
    return toeplitz(first, np.zeros(longest))[:, ::stride]


def made(n, k, s, p):
    return (n + 2 * p - k) // s + 1


def searched(size, k, s, p):
    return [n for n in range(1, 500) if n + 2 * p >= k and made(n, k, s, p) == size]


def spread_ones(kernel, stride):
    """From the middle of a large map of ones."""
    ones = torch.ones(1, 1, 12, 12, dtype=torch.float64)
    out = F.conv_transpose2d(ones, torch.from_numpy(kernel.copy())[None, None], stride=stride)[0, 0]
    return out[6 * stride : 7 * stride, 6 * stride : 7 * stride]


def phases(kernel, stride):
    out = np.zeros((stride, stride))
    for r, c in np.ndindex(kernel.shape):
        out[r % stride, c % stride] += kernel[r, c]
    return out


RIGHT = {
    "by_hand": [[[1, 1, -2], [2, 7, -3], [0, 6, 0]], convolve2d(IMAGE, KERNEL)],
    "shape": [(16, 32, 32), torch_shape(8, 16, 8, stride=3, padding=2, output_padding=1)],
    "layer": [torch_layer, copies],
    "crop": [framed, padded_crop],
    "gaps": [zeros_between, kron_gaps],
    "matrix": [filled, every_column],
    "sources": [
        searched,
        lambda size, k, s, p: np.arange((size - 1) * s + k - 2 * p, size * s + k - 2 * p),
    ],
    "tile": [spread_ones, phases],
}
# Each with a piece of the hint that it must get.
WRONG = {
    "by_hand": [
        (copies(IMAGE[None], KERNEL[None, None], add=False)[0], "replace each other"),
        (correlate2d(IMAGE, KERNEL), "turned the kernel"),
        (convolve2d(IMAGE, KERNEL.T), "are swapped"),
        (np.kron(IMAGE, KERNEL), "side by side"),
        ([[1, 0.5, -2], [1, 7 / 4, -1.5], [0, 3, 0]], "mean"),
        ([[-1]], "That is a convolution: it reads. Here"),
    ],
    "shape": [
        (nn.Conv2d(8, 16, 8, 3, 2)(torch.zeros(1, 8, 10, 10)).shape[1:], "what a convolution makes"),
        ((16, 9 * 3 + 8 + 4 + 1, 40), "you have added it"),
        (torch_shape(8, 16, 8, 3, output_padding=1), "Where is the padding"),
        ((16, 34, 34), "both ends"),
        (torch_shape(8, 16, 8, 3, 2), "Where is the output padding"),
        ((16, 33, 33), "at one end only"),
        ((16, 30, 30), "stride alone"),
        ((16, 10 * 3 - 4 + 8 + 1, 35), "one distance fewer"),
        (torch_shape(8, 8, 8, 3, 2, 1), "Not those that went in"),
        ((32, 32, 16), "order"),
    ],
    "layer": [
        (lambda x, weight, s: copies(x, weight, s, add=False), "the later of yours"),
        (lambda x, weight, s: copies(x, weight, s, mean=True), "mean"),
        (lambda x, weight, s: copies(x, np.flip(weight, (2, 3)), s), "half a turn"),
        (lambda x, weight, s: copies(x, weight), "`stride` were 1"),
        (lambda x, weight, s: torch_layer(x, weight, (s, 1)), "columns as well"),
        (lambda x, weight, s: copies(x, weight, s, larger=s), "The right numbers are all there, and"),
        (lambda x, weight, s: copies(x[:1], weight, s), "only the first of `x` counted"),
        (lambda x, weight, s: copies(x.sum(0, keepdims=True), weight, s), "all of `weight` were like its first"),
        (lambda x, weight, s: copies(x / len(x), weight, s), "not averaged"),
        (lambda x, weight, stride: torch_layer(x, weight.reshape(weight.shape[1], weight.shape[0],
         *weight.shape[2:]).swapaxes(0, 1).copy(), stride), "input channels first"),
    ],
    "crop": [
        (lambda whole, p, extra: whole[p:, p:], "all four sides"),
        (lambda whole, p, extra: whole[p : len(whole) - p, p : whole.shape[1] - p], "Where is the output padding"),
        (lambda whole, p, extra: np.pad(framed(whole, p, 0), ((0, extra), (0, extra))), "no frame of zeros"),
        (lambda whole, p, extra: np.rot90(padded_crop(np.rot90(whole, 2), p, extra), 2), "kept more at the start"),
        (lambda whole, p, extra: F.pad(torch.from_numpy(whole), [extra - p] * 4), "as well"),
        (lambda whole, p, extra: np.pad(whole, ((p, p + extra), (p, p + extra))), "You have added"),
        (lambda whole, p, extra: whole[p : -(p - extra), p : -(p - extra)], "[p:-0]"),
        (lambda whole, p, extra: whole[p : len(whole) - p + extra, p : whole.shape[1] - p + extra], "beyond the last"),
        (lambda whole, p, extra: np.pad(whole, (0, extra))[p:-p, p:-p], "so is a slice [0:-0]"),
    ],
    "gaps": [
        (lambda x, kernel, s: zeros_between(x, kernel, s, turn=lambda kernel, _: kernel),
         "In an ordinary convolution a copy comes"),
        (lambda x, kernel, s: zeros_between(x, kernel, s, turn=lambda kernel, _: kernel.T), "not transposed"),
        (lambda x, kernel, s: zeros_between(x, kernel, s + 1), "how many lie between"),
        (lambda x, kernel, s: (np.pad(apart(x, s, s - 1), [(f - 1, f - 1) for f in kernel.shape]), np.rot90(kernel, 2)),
         "none after the last"),
        (lambda x, kernel, s: zeros_between(x, kernel, s, lambda f: f), "Too many zeros"),
        (lambda x, kernel, s: zeros_between(x, kernel, s, lambda f: 0), "Where are the zeros"),
        (lambda x, kernel, s: zeros_between(x, kernel, s, lambda f: f // 2), "keeps the size"),
    ],
    "matrix": [
        (lambda kernel, n, s: filled(kernel, n, s).T, "rows and columns have changed places"),
        (lambda kernel, n, s: filled(np.flip(kernel), n, s), "The numbers are right, but turned by"),
        (lambda kernel, n, s: every_column(kernel, n, 1), "`stride` were 1"),
        (lambda kernel, n, s: np.outer(filled(kernel, n, s)[:, 0], np.ones(n)), "begins further on"),
        (lambda kernel, n, s: filled(kernel, n, s, more=s), "The right numbers are all there, and"),
        (lambda kernel, n, s: every_column(kernel, n, s)[: n * s], "cut off"),
    ],
    "sources": [
        (lambda size, k, s, p: [(size - 1) * s - 2 * p + k], "one pixel more"),
        (lambda size, k, s, p: list(range((size - 1) * s + k - 2 * p, size * s + k - 2 * p + 1)), "makes one more"),
        (lambda size, k, s, p: list(range((size - 1) * s + k - 2 * p, size * s + k - 2 * p - 1)), "The largest is"),
        (lambda size, k, s, p: list(range((size - 2) * s + k - 2 * p + 1, (size - 1) * s + k - 2 * p + 1)), "dropped"),
        (lambda size, k, s, p: [(size - 1) * s + k - p + extra for extra in range(s)], "both sides"),
        (lambda size, k, s, p: searched(size, k, s, 0), "Where is the padding"),
        (lambda size, k, s, p: sorted(searched(size, k, s, p), reverse=True), "The numbers are right, but in reverse"),
        (lambda size, k, s, p: searched(size, k, s, p)[-1:], "That is the largest"),
        (lambda size, k, s, p: searched(size, k, s, p)[0], "in a list"),
    ],
    "tile": [
        (lambda kernel, s: spread_ones(np.ones(kernel.shape), s), "count copies"),
        (lambda kernel, s: np.array([[kernel[a, b] if max(a, b) < len(kernel) else 0 for b in range(s)]
                                     for a in range(s)]), "Go inside"),
        (lambda kernel, s: phases(kernel, s) / np.maximum(phases(np.ones(kernel.shape), s), 1), "mean"),
        (lambda kernel, s: np.ones((s, s)) * phases(kernel, s).mean(), "Outputs do not all get the same: which"),
        (lambda kernel, s: phases(kernel.T, s), "The numbers are right, but rows and"),
        (lambda kernel, s: phases(np.rot90(kernel, 2), s), "The numbers are right, but some stand"),
        (lambda kernel, s: [[kernel[a : a + s, b : b + s].sum() for b in range(s)] for a in range(s)],
         "not neighbours"),
    ],
}  # fmt: skip
