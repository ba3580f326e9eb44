"""Answers to chapter 09's exercises: right ones in several styles, and each mistake as a student would make it."""

import math

import numpy as np
import torch
from torch import nn

from utils.arithmetic import receptive_field

CHAIN = [(5, 1, 2, 1), (2, 2, 0, 1), (3, 1, 1, 1), (3, 2, 1, 1)]


def looped(layers):
    size, jump, start = 1, 1, 0
    for k, s, p, d in layers:
        size += d * (k - 1) * jump
        start -= p * jump
        jump *= s
    return [size, jump, start]


def closed(layers):
    jumps = [math.prod(s for _, s, _, _ in layers[:i]) for i in range(len(layers) + 1)]
    size = 1 + sum((k - 1) * d * j for (k, _, _, d), j in zip(layers, jumps, strict=False))
    return np.array([size, jumps[-1], -sum(p * j for (_, _, p, _), j in zip(layers, jumps, strict=False))])


def seen(layers, unit, size):
    reach, jump, start = looped(layers)
    return sum(0 <= pixel < size for pixel in range(start + unit * jump, start + unit * jump + reach))


def cut(layers, unit, size):
    reach, jump, start = looped(layers)
    window = np.arange(size)
    return int(((window >= start + unit * jump) & (window < start + unit * jump + reach)).sum())


def grown_paths(kernels):
    ways = [1]
    for k in kernels:
        ways = [sum(ways[j] for j in range(i - k + 1, i + 1) if 0 <= j < len(ways)) for i in range(len(ways) + k - 1)]
    return ways


def gradient_paths(kernels):
    layers = [nn.Conv1d(1, 1, k, bias=False) for k in kernels]
    for layer in layers:
        nn.init.ones_(layer.weight)
    x = torch.zeros(1, 1, 1 + sum(kernels) - len(kernels), requires_grad=True)
    nn.Sequential(*layers)(x).sum().backward()
    return x.grad[0, 0]


def width(kernels, share):
    ways = np.array(grown_paths(kernels), float)
    middle = len(ways) // 2
    for radius in range(middle + 1):
        if ways[middle - radius : middle + radius + 1].sum() >= share * ways.sum():
            return 2 * radius + 1
    return len(ways)
    return None


def trimmed(kernels, share):
    ways, total = [int(n) for n in gradient_double(kernels)], math.prod(kernels)
    while len(ways) > 2 and sum(ways[1:-1]) >= share * total:
        ways = ways[1:-1]
    return len(ways)


def gradient_double(kernels):
    ways = np.ones(1)
    for k in kernels:
        ways = np.convolve(ways, np.ones(k))
    return ways


def without(chain, **changes):
    return [tuple(changes.get(name, value) for name, value in zip("kspd", layer, strict=True)) for layer in chain]


def in_pixels(layers):
    return *looped(layers)[:2], -sum(p for _, _, p, _ in layers)


def jumped_first(layers):
    size, jump, start = 1, 1, 0
    for k, s, p, d in layers:
        jump *= s
        size += d * (k - 1) * jump
        start -= p * jump
    return size, jump, start


def last_stride(layers):
    size, jump, start = 1, 1, 0
    for k, s, p, d in layers:
        size, start, jump = size + d * (k - 1) * jump, start - p * jump, s
    return size, jump, start


def one_more(layers, unit, size):
    reach, jump, start = looped(layers)
    first = start + unit * jump
    return len(range(max(first, 0), min(first + reach + 1, size)))


def int64_width(kernels, share):
    ways = np.ones(1, np.int64)
    for k in kernels:
        ways = np.convolve(ways, np.ones(k, np.int64))
    side = len(ways) // 2
    enough = [n for n in range(side) if ways[side - n : side + n + 1].sum() >= share * ways.sum()]
    return 2 * min(enough, default=side) + 1


def largest_first(kernels, share):
    ways = sorted(grown_paths(kernels), reverse=True)
    total = sum(ways)
    return next(n for n in range(1, len(ways) + 1) if sum(ways[:n]) >= share * total - 1e-9)


def added_strides(layers):
    size, jump, start = 1, 1, 0
    for k, s, p, d in layers:
        size, start, jump = size + d * (k - 1) * jump, start - p * jump, jump + s - 1
    return size, jump, start


def late_padding(layers):
    size, jump, start = 1, 1, 0
    for k, s, p, d in layers:
        size += d * (k - 1) * jump
        jump *= s
        start -= p * jump
    return size, jump, start


def one_pixel_steps(layers):
    return 1 + sum(d * (k - 1) for k, _, _, d in layers), *looped(layers)[1:]


def whole_kernels(layers):
    size, jump, start = looped(layers)
    return size + sum(d * j for (_, _, _, d), j in zip(layers, jumps(layers), strict=False)), jump, start


def jumps(layers):
    return [math.prod(s for _, s, _, _ in layers[:i]) for i in range(len(layers))]


def centred(kernels):
    n = len(grown_paths(kernels))
    out = [0] * n
    for k in kernels:
        left = (n - k) // 2
        for i in range(k):
            out[left + i] += 1
    return out


RIGHT = {
    "first_field": [looped(CHAIN), tuple(receptive_field(CHAIN)), closed(CHAIN)],
    "field": [looped, closed, receptive_field],
    "inside": [seen, cut],
    "paths": [grown_paths, gradient_paths],
    "effective": [width, trimmed],
    "wide_and_fine": [
        [(3, 1, 3**i) for i in range(6)],
        np.array([[3, 1, d] for d in (1, 2, 5, 15, 45, 135)]),
        [[3, 1, d] for d in (1, 3, 9, 27, 81, 30)],
    ],
}
# Each with a piece of the hint that it must get.
WRONG = {
    "first_field": [
        (whole_kernels(CHAIN), "not by F"),
        (one_pixel_steps(CHAIN), "multiply F − 1 by the jump"),
        (jumped_first(CHAIN), "first the field, then the jump"),
        (in_pixels(CHAIN), "late layer is many pixels"),
        ((*looped(CHAIN)[:2], -looped(CHAIN)[2]), "negative"),
        (added_strides(CHAIN), "Strides multiply"),
        (jumped_first(CHAIN), "first the field, then the jump"),
        ((*jumped_first(CHAIN)[:1], *looped(CHAIN)[1:]), "your field grows by the new"),
        (late_padding(CHAIN), "not after it"),
        (looped(without(CHAIN, p=0)), "Where is the padding"),
        ((14, 2, -6), "not of the last one"),
    ],
    "field": [
        (whole_kernels, "not by F"),
        (one_pixel_steps, "After a stride a step is longer: multiply"),
        (lambda layers: (looped(without(layers, d=1))[0], *looped(layers)[1:]), "taps are d steps"),
        (in_pixels, "Padding also counts in jumps: a cell"),
        (late_padding, "not after it"),
        (added_strides, "Strides multiply"),
        (lambda layers: looped(without(layers, p=0)), "Where is the padding"),
        (lambda layers: (*looped(layers)[:2], -looped(layers)[2]), "Padding moves the first field to the"),
        (jumped_first, "first the field, then the jump"),
        (lambda layers: (jumped_first(layers)[0], *looped(layers)[1:]), "your field grows by the new"),
        (lambda layers: looped(layers[:1]), "does your loop end there"),
        (last_stride, "not of the last one"),
    ],
    "inside": [
        (lambda layers, unit, size: looped(layers)[0], "whole field"),
        (lambda layers, unit, size: seen(layers, unit, 10**6) if looped(layers)[2] + unit * looped(layers)[1]
         + looped(layers)[0] > 0 else looped(layers)[0] + looped(layers)[2] + unit * looped(layers)[1], "right end"),
        (lambda layers, unit, size: sum(0 <= looped(layers)[2] + unit + i < size for i in range(looped(layers)[0])),
         "not at start + i."),
        (lambda layers, unit, size: seen(layers, unit - 1, size), "`unit` were one smaller"),
        (lambda layers, unit, size: min(looped(layers)[2] + unit * looped(layers)[1] + looped(layers)[0], size)
         - max(looped(layers)[2] + unit * looped(layers)[1], 0), "fewer than none"),
        (lambda layers, unit, size: min(looped(layers)[0], size), "though the image is wide"),
        (lambda layers, unit, size: max(0, min(size, (f := looped(layers))[2] + unit * f[1] + f[0]) - (f[2] + unit *
         f[1])), "left end of the image"),
        (lambda layers, unit, size: max(0, min(size, unit * looped(layers)[1] + looped(layers)[0]) - unit *
         looped(layers)[1]), "Where is the start"),
        (lambda layers, unit, size: max(0, seen(layers, unit, size) - 1), "one is missing"),
        (one_more, "One too many"),
    ],
    "paths": [
        (lambda kernels: [1] * len(grown_paths(kernels)), "more ways"),
        (lambda kernels: gradient_double(kernels) / math.prod(kernels), "count the ways"),
        (lambda kernels: grown_paths(kernels[:-1]), "last layer"),
        (centred, "they multiply"),
        (math.prod, "the number of all"),
    ],
    "effective": [
        (lambda kernels, share: 1 + sum(k - 1 for k in kernels), "whole field"),
        (lambda kernels, share: width(kernels, share) - 2, "Too narrow"),
        (lambda kernels, share: int(share * (1 + sum(k - 1 for k in kernels))) // 2 * 2 + 1, "share of the ways"),
        (int64_width, "an int64 can count"),
        (lambda kernels, share: width(kernels, share) / len(grown_paths(kernels)), "not what share"),
        (lambda kernels, share: width(kernels, share) // 2, "one side of it"),
        (largest_first, "takes the largest"),
        (lambda kernels, share: width(kernels, share) + 2, "A step too far"),
    ],
    "wide_and_fine": [
        ([(3, 1, d) for d in (1, 2, 4, 8, 16, 32)], "that double"),
        ([(3, 1, d) for d in (1, 3, 9, 27, 81)], "use all six"),
        ([(3, 1, 1)] * 6, "13 pixels"),
        ([(3, 1, 2 * 3**i) for i in range(6)], "first dilation must be 1"),
        ([(3, 1, 4**i) for i in range(6)], "that no path reaches"),
        ([(3, 1, 3**i) for i in range(7)], "at most six"),
        ([(5, 1, 3**i) for i in range(6)], "Only kernels of 3"),
        ([(3, 2, 1)] * 6, "No strides"),
        ([(3, 1, d) for d in (1, 2, 4, 8, 16, 40)], "143 pixels; 301"),
        ([3, 1, 1], "a triple of whole numbers"),
    ],
}  # fmt: skip
