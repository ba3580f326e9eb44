"""Answers to chapter 06's exercises: right ones in several styles, and each mistake as a student would make it."""

import itertools
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def tensors(*arrays):
    return [torch.from_numpy(np.ascontiguousarray(array)) for array in arrays]


def weights(*layers):
    return sum(layer.weight.numel() for layer in layers)


def torch_pointwise(x, weight):
    x, weight = tensors(x, weight)
    return F.conv2d(x[None], weight[:, :, None, None])[0]


def torch_grouped(x, weight, groups):
    x, weight = tensors(x, weight)
    return F.conv2d(x[None], weight, groups=groups)[0]


def split_grouped(x, weight, groups):
    pairs = zip(np.split(x, groups), np.split(weight, groups), strict=True)
    return np.concatenate([torch_grouped(part, kernels, 1).numpy() for part, kernels in pairs])


def torch_separable(x, depth, point):
    x, depth, point = tensors(x, depth, point)
    y = F.conv2d(x[None], depth[:, None], groups=len(x))
    return F.conv2d(y, point[:, :, None, None])[0]


def loop_separable(x, depth, point):
    filtered = [torch_grouped(plane[None], kernel[None, None], 1)[0] for plane, kernel in zip(x, depth, strict=True)]
    return [sum(w * plane for w, plane in zip(row, filtered, strict=True)).tolist() for row in point]


def loop_depthwise(x, depth):
    return np.stack(
        [
            F.conv2d(*tensors(plane[None, None], kernel[None, None]))[0, 0]
            for plane, kernel in zip(x, depth, strict=True)
        ]
    )


def strided_spread(kernel, d):
    out = np.zeros([d * (side - 1) + 1 for side in kernel.shape])
    out[::d, ::d] = kernel
    return out


def kron_spread(kernel, d):
    tap = np.zeros((d, d))
    tap[0, 0] = 1
    return np.kron(kernel, tap)[: -(d - 1), : -(d - 1)]


def set_read(dilations):
    pixels = {0}
    for d in dilations:
        pixels = {pixel + step for pixel in pixels for step in (-d, 0, d)}
    return len(pixels)


def gradient_read(dilations):
    layers = [nn.Conv1d(1, 1, 3, dilation=d, bias=False) for d in dilations]
    for layer in layers:
        nn.init.ones_(layer.weight)
    x = torch.zeros(1, 1, 1 + 2 * sum(dilations), requires_grad=True)
    nn.Sequential(*layers)(x).sum().backward()
    return x.grad.count_nonzero()


def turns(channels, groups):
    size = channels // groups
    return [g * size + i for i in range(size) for g in range(groups)]


def mixed_pixels(x, weight):
    pixels = x.reshape(x.shape[1] * x.shape[2], x.shape[0])
    return np.stack([(pixels @ row).reshape(x.shape[1:]) for row in weight])


def which(x, weight, channels):
    return np.stack([torch_grouped(x[c], w[None], 1)[0].numpy() for c, w in zip(channels, weight, strict=True)])


def pad_behind(kernel, d):
    return np.kron(kernel, np.pad([[1.0]], ((0, d - 1), (0, d - 1))))


RIGHT = {
    "counts": [
        [589824, 65536, 147456, 2304, 67840],
        [
            weights(nn.Conv2d(256, 256, 3)),
            weights(nn.Conv2d(256, 256, 1)),
            weights(nn.Conv2d(256, 256, 3, groups=4)),
            weights(nn.Conv2d(256, 256, 3, groups=256)),
            weights(nn.Conv2d(256, 256, 3, groups=256), nn.Conv2d(256, 256, 1)),
        ],
    ],
    "pointwise": [torch_pointwise, lambda x, weight: np.tensordot(weight, x, 1)],
    "grouped": [torch_grouped, split_grouped],
    "separable": [torch_separable, loop_separable],
    "spread": [strided_spread, kron_spread],
    "pixels_read": [set_read, gradient_read],
    "shuffle": [turns, lambda channels, groups: torch.arange(channels).reshape(groups, -1).T.flatten()],
}
# Each with a piece of the hint that it must get.
WRONG = {
    "counts": [
        ([589824, 65536, 589824, 2304, 67840], "one of 4 parts"),
        ([589824, 65536, 36864, 2304, 67840], "not the kernels as well"),
        ([589824, 65536, 147456, 9, 65545], "not one for all"),
        ([589824, 65536, 147456, 2304, 2304 * 65536], "their weights add"),
        ([589824, 65536, 147456, 2304, 2304], "The 1 × 1 behind the depthwise layer"),
        ([589824 + 256, 65536 + 256, 147456 + 256, 2304 + 256, 67840 + 512], "No biases"),
        ([196608, 65536, 49152, 768, 66304], "nine weights"),
        ([589824, 65536, 294912, 2304, 67840], "not two"),
        ([589824, 65536, 147456, 589824, 655360], "reads one channel"),
        ([589824, 256, 147456, 2304, 2560], "reads all channels"),
        ([589824, 65536, 147456, 2304, 65536], "in front of the 1 × 1"),
    ],
    "pointwise": [
        (lambda x, weight: torch_pointwise(x, weight.T), "`weight` had rows and columns swapped"),
        (lambda x, weight: torch_pointwise(x, weight) / len(x), "mean"),
        (lambda x, weight: [weight[k, k] * x[k] for k in range(len(x))], "only scaled"),
        (mixed_pixels, "mixed up"),
        (lambda x, weight: torch_pointwise(x, weight[::-1]), "The numbers are right, but in reverse"),
    ],
    "grouped": [
        (lambda x, w, g: which(x, w, [slice(0, len(x) // g)] * len(w)), "those of the first"),
        (lambda x, w, g: which(x, w, [slice(k * g // len(w), None, g) for k in range(len(w))]), "are neighbours: 0"),
        (lambda x, w, g: which(x, w, [slice(k % g * len(x) // g, (k % g + 1) * len(x) // g) for k in range(len(w))]),
         "The kernels of a group are neighbours, too:"),
        (lambda x, w, g: split_grouped(x.reshape(g, -1, *x.shape[1:])[::-1].reshape(x.shape), w, g), "in reverse"),
        (lambda x, w, g: sum(np.split(split_grouped(x, w, g), g)), "added them up"),
        (lambda x, w, g: np.concatenate([torch_grouped(x[i * (len(x) // g) : (i + 1) * (len(x) // g)], w[i::g].copy(),
         1) for i in range(g)]), "w[i::g]"),
    ],
    "separable": [
        (lambda x, depth, point: torch_grouped(x, depth[:, None], len(x)), "is missing"),
        (lambda x, depth, point: torch_grouped(torch_pointwise(x, point).numpy(), depth[:, None], len(x)), "way round"),
        (lambda x, depth, point: torch_separable(x, depth[:1].repeat(len(x), 0), point),
         "all of `depth` were like its first"),
        (lambda x, depth, point: torch_pointwise(np.stack([torch_grouped(x, depth[None], 1)[0]] * len(x)), point),
         "added them up there"),
        (lambda x, depth, point: torch_separable(x, depth, point.T), "`point` had rows and columns swapped"),
        (lambda x, depth, point: torch_pointwise(np.maximum(loop_depthwise(x, depth), 0), point), "no ReLU between"),
        (lambda x, depth, point: loop_separable(np.stack([x.sum(0)] * len(x)), depth, point), "in front of it"),
    ],
    "spread": [
        (lambda kernel, d: strided_spread(kernel, d + 1), "not d"),
        (pad_behind, "not after the last one"),
        (lambda kernel, d: np.kron(kernel, np.ones((d, d))), "not copies"),
        (lambda kernel, d: strided_spread(kernel, d)[:, ::d], "down the rows only"),
        (lambda kernel, d: strided_spread(kernel, d)[::d], "across the columns only"),
        (lambda kernel, d: np.pad(kernel, d - 1), "border of zeros"),
    ],
    "pixels_read": [
        (lambda dilations: 1 + sum(2 * d for d in dilations), "nobody reads"),
        (lambda dilations: 3 ** len(dilations), "each pixel once"),
        (lambda dilations: set_read([1] * len(dilations)), "spread the taps"),
        (lambda dilations: set_read(dilations[-1:]), "not only the last"),
        (lambda dilations: 1 + 2 * math.prod(dilations), "do not multiply"),
        (lambda dilations: 3 * len(dilations), "build on each other"),
        (lambda dilations: 1 + sum(dilations), "reaches to both sides"),
        (lambda dilations: len({sum(c) for c in itertools.product(*[(-d, d) for d in dilations])}), "in its middle"),
    ],
    "shuffle": [
        (lambda channels, groups: list(range(channels)), "the order they are in"),
        (lambda channels, groups: turns(channels, channels // groups), "where each channel goes"),
        (lambda channels, groups: [g * (channels // groups) + i for i in range(channels // groups)
                                   for g in reversed(range(groups))], "stand in each other"),
        (lambda channels, groups: list(range(channels))[::-1], "The numbers are right, but some stand"),
        (lambda channels, groups: np.roll(range(channels), channels // groups),
         "The numbers are right, but some stand"),
    ],
}  # fmt: skip
