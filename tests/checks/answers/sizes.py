"""Answers to chapter 02's exercises: right ones in several styles, and each mistake as a student would make it."""

import math

import numpy as np
import torch
from torch import nn


def torch_size(n, k, s, p, d):
    return nn.Conv1d(1, 1, k, s, p, d)(torch.zeros(1, 1, n)).shape[-1]


def counted_size(n, k, s, p, d):
    return sum(1 for start in range(-p, n + p, s) if start + d * (k - 1) <= n + p - 1)


def torch_parameters(c, k, f, g, b):
    return sum(p.numel() for p in nn.Conv2d(c, k, f, groups=g, bias=b).parameters())


def loop_parameters(c, k, f, g, b):
    total = 0
    for _ in range(k):
        total += np.ones((c // g, *f)).size
        if b:
            total += 1
    return total


def marked_unread(n, k, s, p):
    read = {start + r for start in range(-p, n + p - k + 1, s) for r in range(k)}
    return n - 1 - max(pixel for pixel in read if pixel < n)


def side(n, k, s, p):
    return (n + 2 * p - k) // s + 1


def loop_macs(size, k, f, s, p):
    c, h, w = size
    return k * side(h, f, s, p) * side(w, f, s, p) * f * f * c


def weight_macs(size, k, f, s, p):
    layer = nn.Conv2d(size[0], k, f, s, p)
    return layer.weight.numel() * layer(torch.zeros(1, *size))[0, 0].numel()


def torch_chain(size, layers):
    x = torch.zeros(1, *size)
    for kind, *numbers in layers:
        layer = nn.MaxPool2d(*numbers) if kind == "pool" else nn.Conv2d(x.shape[1], numbers[0], *numbers[1:])
        x = layer(x)
    return tuple(x.shape[1:])


def plain_chain(size, layers):
    c, h, w = size
    for layer in layers:
        if layer[0] == "conv":
            _, c, f, s, p = layer
            h, w = side(h, f, s, p), side(w, f, s, p)
        else:
            h, w = h // layer[1], w // layer[1]
    return [c, h, w]


def pooled(layers, *more):
    return [(*layer, *more) if layer[0] == "pool" else layer for layer in layers]


def tried_halving(largest):
    pairs = []
    for k in range(1, largest + 1):
        for p in range(k):
            if all(side(n, k, 2, p) == n // 2 for n in range(30, 60, 2)):
                pairs.append((k, p))
    return pairs


RIGHT = {
    "shape": [
        (16, 11, 11),
        np.array([16, 11, 11]),
        list(nn.Conv2d(3, 16, 11, 3, 5)(torch.zeros(1, 3, 32, 32)).shape[1:]),
    ],
    "parameters": [5824, np.int64(5824), sum(p.numel() for p in nn.Conv2d(3, 16, 11).parameters())],
    "output_size": [torch_size, counted_size, lambda n, k, s, p, d: math.floor((n + 2 * p - d * (k - 1) - 1) / s + 1)],
    "unread": [marked_unread, lambda n, k, s, p: max(n + p - ((side(n, k, s, p) - 1) * s + k), 0)],
    "parameter_count": [torch_parameters, loop_parameters],
    "macs": [loop_macs, weight_macs],
    "chain": [torch_chain, plain_chain],
    "halving": [tried_halving, lambda largest: [(k, (k - 1) // 2) for k in range(1, largest + 1)]],
}
# Each with a piece of the hint that it must get.
WRONG = {
    "shape": [
        ((16, 10, 10), "starts somewhere"),
        ((16, 12, 12), "a started step is no step"),
        ((16, 9, 9), "both sides"),
        ((16, 8, 8), "Without padding"),
        ((3, 11, 11), "One for each kernel"),
        ((11, 11, 16), "order"),
        ((48, 11, 11), "one map"),
        ((16, 32, 32), "Where is the stride"),
    ],
    "parameters": [
        (11 * 11 * 3 * 16, "has a bias, too"),
        (2 * 11 * 11 * 3 * 16, "one for each of its weights"),
        ((11 * 11 + 1) * 16, "all the channels"),
        (364, "That is one kernel; there are 16"),
        (5824 * 121, "does not matter"),
        (11 * 11 * 3 * 16 + 1, "One bias in all"),
        (16 * 3 * 121 + 3, "not to a channel"),
        (16 * 3 * 121 + 48, "however many channels"),
        (16 * 3 * 11 + 16, "as many rows"),
        (3 * 121 + 16, "Those are one kernel"),
    ],
    "output_size": [
        (lambda n, k, s, p, d: (n + 2 * p - (d * (k - 1) + 1)) // s, "one too small"),
        (lambda n, k, s, p, d: -(-(n + 2 * p - d * (k - 1) - 1) // s) + 1, "round down"),
        (lambda n, k, s, p, d: (n + p - d * (k - 1) - 1) // s + 1, "both sides"),
        (lambda n, k, s, p, d: counted_size(n, k, s, 0, d), "`padding` were 0"),
        (lambda n, k, s, p, d: side(n, k, s, p), "`dilation` were 1"),
        (lambda n, k, s, p, d: side(n, k * d, s, p), "k − 1 gaps"),
        (lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1 + 1) // s, "First divide"),
        (lambda n, k, s, p, d: torch_size(n, k, 1, p, d), "`stride` were 1"),
        (lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) / s + 1, "what comes after the point"),
    ],
    "unread": [
        (lambda n, k, s, p: n + 2 * p - (side(n, k, s, p) - 1) * s - k, "padding first"),
        (lambda n, k, s, p: (n - k) % s, "into the sum, twice"),
        (lambda n, k, s, p: n + p - ((side(n, k, s, p) - 1) * s + k), "A padding wider than the rest leaves"),
        (lambda n, k, s, p: max((n + 2 * p) % s - p, 0), "own width"),
        (lambda n, k, s, p: max((n + 2 * p - k) % s - 2 * p, 0), "on the right"),
        (lambda n, k, s, p: max(0, (n + p - k) % s - p), "padding on both sides of the row"),
    ],
    "parameter_count": [
        (lambda c, k, f, g, b: nn.Conv2d(c, k, f, groups=g).weight.numel(), "`bias` were always False"),
        (lambda c, k, f, g, b: nn.Conv2d(c, k, f, groups=g).weight.numel() * (2 if b else 1), "each weight"),
        (lambda c, k, f, g, b: k * (c // g) * math.prod(f) + (c if b else 0), "There is a bias for each kernel, not"),
        (lambda c, k, f, g, b: k * (c // g) * math.prod(f) + k, "`bias` were always True"),
        (lambda c, k, f, g, b: k * (c // g) * math.prod(f) + (1 if b else 0), "One bias in all"),
        (lambda c, k, f, g, b: k * math.prod(f) + (k if b else 0), "A kernel has weights for every channel"),
        (lambda c, k, f, g, b: torch_parameters(c, k, f, 1, b), "`groups` were 1"),
        (lambda c, k, f, g, b: (c // g) * (k // g) * math.prod(f) + (k if b else 0),
         "Groups divide what kernels read, not"),
        (lambda c, k, f, g, b: torch_parameters(c, k, f[0], g, b), "square"),
    ],
    "macs": [
        (lambda size, k, f, s, p: k * f * f * math.prod(size), "A weight is used once for each place"),
        (lambda size, k, f, s, p: k * f * f * size[0], "How often"),
        (lambda size, k, f, s, p: weight_macs(size, k, f, s, p) + weight_macs(size, k, f, s, p) // (size[0] * f * f),
         "bias"),
        (lambda size, k, f, s, p: 2 * weight_macs(size, k, f, s, p), "one MAC, not two"),
        (lambda size, k, f, s, p: loop_macs(size, k, f, s, 0), "makes room"),
        (lambda size, k, f, s, p: weight_macs((1, *size[1:]), k, f, s, p), "all the channels"),
        (lambda size, k, f, s, p: weight_macs(size, 1, f, s, p), "one kernel"),
        (lambda size, k, f, s, p: k * size[0] * f * f * side(size[1], f, s, p) ** 2,
         "width in `shape` were the same"),
        (lambda size, k, f, s, p: loop_macs(size, k, f, s, p) // f, "kernel_size rows"),
        (lambda size, k, f, s, p: size[0] * k * f * f * ((size[1] + p - f) // s + 1) * ((size[2] + p - f) // s + 1),
         "both sides of the image"),
    ],
    "chain": [
        (lambda size, layers: torch_chain(size, pooled(layers, 1)), "steps by its kernel"),
        (lambda size, layers: torch_chain(size, pooled(layers, 2)), "not always of 2"),
        (lambda size, layers: torch_chain(size, pooled(layers, None, 0, 1, False, True)), "round up"),
        (lambda size, layers: plain_chain(size, [*layers, ("conv", 1, 1, 1, 0)] if layers[-1][0] == "pool" else layers),
         "each channel by itself"),
        (lambda size, layers: [math.prod([size[0], *(x[1] for x in layers if x[0] == "conv")]),
                               *plain_chain(size, layers)[1:]], "one channel for each kernel"),
        (lambda size, layers: [plain_chain(size, layers)[i] for i in (0, 2, 1)], "in front of width"),
        (lambda size, layers: plain_chain(size, [(*x[:4], 0) if x[0] == "conv" else x for x in layers]), "last number"),
        (lambda size, layers: plain_chain(size, layers)[1:], "channels are missing"),
        (lambda size, layers: (size[0], *plain_chain(size, layers)[1:]), "changes the number of channels"),
    ],
    "halving": [
        (lambda largest: [(k, k // 2) for k in range(1, largest + 1, 2)], "Even kernels"),
        (lambda largest: [(p, k) for k, p in tried_halving(largest)], "The numbers are right, but in each"),
        (lambda largest: [(k, k // 2 - 1) for k in range(2, largest + 1, 2)], "Odd kernels"),
        (lambda largest: tried_halving(largest)[1:], "What you have is right, but some is"),
        (lambda largest: tried_halving(largest - 1), "stops before its end"),
        (lambda largest: [(k, k // 2) for k in range(1, largest + 1)], "Padding by half"),
    ],
}  # fmt: skip
