"""Answers to chapter 03's exercises: right ones in several styles, and each mistake as a student would make it."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

MAP = torch.tensor([[-3.0, -1, 2, 0], [-2, -4, 1, 5], [-6, -5, -7, 4], [-9, -3, -2, -8]])


def windows(plane, k, s):
    """Row, column and window, for every place."""
    for i in range((plane.shape[0] - k) // s + 1):
        for j in range((plane.shape[1] - k) // s + 1):
            yield i, j, plane[i * s : i * s + k, j * s : j * s + k]


def pool(plane, k, s, choose):
    out = np.zeros([(side - k) // s + 1 for side in plane.shape])
    for i, j, window in windows(plane, k, s):
        out[i, j] = choose(window)
    return out


def padded(x, p, value, ends=True):
    return np.pad(x, [(0, 0), (p, p * ends), (p, p * ends)], constant_values=value)


def loop_max(x, k, s, p, value=-np.inf):
    return np.stack([pool(plane, k, s or k, np.max) for plane in padded(x, p, value)])


def torch_max(x, k, s, p, **settings):
    return F.max_pool2d(torch.from_numpy(x), k, s, p, **settings)


def torch_mean(x, k, s, p, counted):
    return F.avg_pool2d(torch.from_numpy(x), k, s, p, count_include_pad=counted)


def summed_mean(x, k, s, p, counted):
    weight = padded(np.ones_like(x), p, 1.0 if counted else 0.0)
    totals, counts = ([pool(plane, k, s, np.sum) for plane in a] for a in (padded(x, p, 0.0), weight))
    return np.array(totals) / np.array(counts)


def torch_winners(x, k, s):
    return F.max_pool2d(torch.from_numpy(x)[None], k, s, return_indices=True)[1][0]


def loop_winners(x, k, s, width=None, step=1, first=0, choose=np.argmax):
    out = []
    for i, j, window in windows(x, k, s):
        row, column = divmod(int(choose(window)), k)
        out.append((i * s + row) * (width or x.shape[1]) + (j * s + column) * step + first)
    return np.array(out).reshape(len(range(0, x.shape[0] - k + 1, s)), -1)


def last(window):
    return window.size - 1 - np.argmax(window.ravel()[::-1])


def down(x, k, s):
    return [[int(np.ravel_multi_index(np.unravel_index(place, x.shape), x.shape, order="F")) for place in row]
            for row in loop_winners(x, k, s)]  # fmt: skip


def autograd(x, g, k, s):
    leaf = torch.from_numpy(x).requires_grad_()
    F.max_pool2d(leaf[None], k, s).backward(torch.from_numpy(g)[None])
    return leaf.grad


def spread(x, g, k, s, share, overwrite=False):
    """Send to every window what ``share`` makes of it, times the gradient."""
    out = np.zeros_like(x)
    for i, j, window in windows(x, k, s):
        part = out[i * s : i * s + k, j * s : j * s + k]
        sent = g[i, j] * share(window)
        part[:] = np.where(sent != 0, sent, part) if overwrite else part + sent
    return out


def one(choose):
    def share(window):
        flat = np.zeros(window.size)
        flat[choose(window)] = 1
        return flat.reshape(window.shape)

    return share


def set_weights(channels, k):
    weight = torch.zeros(channels, channels, k, k)
    for c in range(channels):
        weight[c, c] = 1 / k**2
    return weight


def walked(layers):
    """The distance between two outputs next to each other, followed back to the image."""
    distance = 1
    for kind, k, s in reversed(layers):
        distance *= s if s is not None else k if kind == "pool" else 1
    return distance


def probed(layers):
    sizes = [nn.MaxPool1d(k, s) if kind == "pool" else nn.Conv1d(1, 1, k, s or 1) for kind, k, s in layers]
    return math.prod(layer.stride if isinstance(layer.stride, int) else layer.stride[0] for layer in sizes)


def told(layers, kind, stride):
    return [(name, k, stride if s is None and name == kind else s) for name, k, s in layers]


RIGHT = {
    "shape": [(16, 11, 11), nn.MaxPool2d(3, padding=1)(torch.zeros(1, 16, 32, 32)).shape[1:]],
    "by_hand": [[[-1, 5], [-2, 5]], F.max_pool2d(MAP[None], 3, 2, 1)[0]],
    "max_pool": [torch_max, loop_max],
    "avg_pool": [torch_mean, summed_mean],
    "winners": [torch_winners, loop_winners],
    "sent_back": [autograd, lambda x, g, k, s: spread(x, g, k, s, one(np.argmax))],
    "mean_weights": [set_weights, lambda c, k: np.eye(c).reshape(c, c, 1, 1).repeat(k, 2).repeat(k, 3) / (k * k)],
    "whole_step": [walked, probed],
}
# Each with a piece of the hint that it must get.
WRONG = {
    "shape": [
        ((16, 32, 32), "a stride of 1"),
        (nn.MaxPool2d(3, 2, 1)(torch.zeros(16, 32, 32)).shape, "a stride of 2"),
        ((16, 10, 10), "One too small"),
        ((16, 12, 12), "a started step"),
        ((1, 11, 11), "as deep as one channel"),
        ((11, 11, 16), "order"),
    ],
    "by_hand": [
        ([[0, 5], [0, 5]], "a 0 of the padding"),
        ([[-1, 5], [-3, 4]], "side by side"),
        ([[2]], "hangs over the edge"),
        ([[-4, 5], [-9, -8]], "signs count"),
        (F.max_pool2d(MAP[None], 3, 1, 1)[0], "at every place"),
        (F.max_pool2d(MAP[None], 2, 2, 1)[0], "yours are smaller"),
    ],
    "max_pool": [
        (lambda x, k, s, p: loop_max(x, k, s, p, 0.0), "Your padding's zeros win where all"),
        (lambda x, k, s, p: np.clip(loop_max(x, k, s, p), 0, None), "begins at 0"),
        (lambda x, k, s, p: torch_max(x, k, s or 1, p), "move by one pixel"),
        (lambda x, k, s, p: loop_max(x, k, None, p), "always tile"),
        (lambda x, k, s, p: loop_max(x, k, s, 0), "`padding` were 0"),
        (lambda x, k, s, p: loop_max(padded(x, p, -np.inf, False), k, s, 0), "below and on the right"),
        (lambda x, k, s, p: pool(np.amax(padded(x, p, -np.inf), 0), k, s or k, np.max), "by itself"),
        (lambda x, k, s, p: torch_max(x, k, s, p, ceil_mode=True), "round down"),
        (lambda x, k, s, p: [plane[:-1, :-1] for plane in loop_max(x, k, s, p)], "What you have is right, but some is"),
        (lambda x, k, s, p: torch_mean(x, k, s or k, p, True), "not the mean"),
        (lambda x, k, s, p: -np.array(loop_max(-x, k, s, p)), "not the smallest"),
        (lambda x, k, s, p: loop_max(x, k, s or 2, p), "always move by two"),
    ],
    "avg_pool": [
        (lambda x, k, s, p, counted: torch_mean(x, k, s, p, True), "`count_include_pad` were always True"),
        (lambda x, k, s, p, counted: summed_mean(x, k, s, p, False), "`count_include_pad` were always False"),
        (lambda x, k, s, p, counted: summed_mean(x, k, s, p, not counted), "wrong way round"),
        (lambda x, k, s, p, counted: [pool(plane, k, s, np.sum) for plane in padded(x, p, 0.0)], "not the mean"),
        (lambda x, k, s, p, counted: [pool(a, k, s, np.sum) / k for a in padded(x, p, 0.0)], "more numbers"),
        (lambda x, k, s, p, counted: summed_mean(x, k, s, 0, counted), "`padding` were 0"),
        (lambda x, k, s, p, counted: summed_mean(x, k, s, p, counted).mean(0), "by itself"),
        (lambda x, k, s, p, flag: torch_mean(x, k, s, p, True) if flag else np.nan_to_num(torch_mean(x, k, s, p, True)
         / torch_mean(1.0 * (x != 0), k, s, p, True)), "not numbers that are not 0"),
        (lambda x, k, s, p, flag: torch_mean(x, k, s, p if flag else 0, True), "Without the zeros"),
    ],
    "winners": [
        (lambda x, k, s: pool(x, k, s, np.argmax), "You count within each window. Count"),
        (down, "down the columns"),
        (lambda x, k, s: loop_winners(x, k, s, choose=last), "yours is the last"),
        (lambda x, k, s: loop_winners(x, k, s, width=(x.shape[1] - k) // s + 1), "not as long as the output"),
        (lambda x, k, s: loop_winners(x, k, s, width=len(x)), "as it is high"),
        (lambda x, k, s: loop_winners(x, k, s, choose=np.argmin), "smallest"),
        (lambda x, k, s: loop_winners(x, k, s, first=1), "Always one too large"),
        (lambda x, k, s: pool(x, k, s, np.max), "themselves"),
        (lambda x, k, s: [[divmod(n, x.shape[1]) for n in row] for row in np.array(loop_winners(x, k, s))],
         "not its row and column"),
        (lambda x, k, s: np.array(pool(x, k, s, np.argmax)) + 1, "from 1"),
    ],
    "sent_back": [
        (lambda x, g, k, s: spread(x, g, k, s, lambda w: np.full(w.shape, 1 / w.size)), "share each gradient"),
        (lambda x, g, k, s: spread(x, g, k, s, np.ones_like), "Not every pixel"),
        (lambda x, g, k, s: spread(x, g, k, s, one(np.argmax), overwrite=True), "more than one window"),
        (lambda x, g, k, s: spread(x, g, k, s, lambda w: w == w.max()), "to each of them"),
        (lambda x, g, k, s: spread(x, g, k, s, one(last)), "yours is the last"),
        (lambda x, g, k, s: spread(x, g, k, s, lambda w: one(np.argmax)(w) * w.max()), "its own value"),
    ],
    "mean_weights": [
        (lambda c, k: torch.ones(c, c, k, k) / k**2, "mixed"),
        (lambda c, k: torch.ones(c, c, k, k) / (c * k**2), "mean over the channels"),
        (lambda c, k: set_weights(c, k) * k**2, "smaller weights"),
        (lambda c, k: set_weights(c, k) * k, "sum to more than 1"),
        (lambda c, k: torch.full((c, 1, k, k), 1 / k**2), "a slice of each kernel"),
        (lambda channels, k: np.ones((k, k)) / k**2, "That is one window"),
    ],
    "whole_step": [
        (lambda layers: sum(s if s else k if kind == "pool" else 1 for kind, k, s in layers), "You add"),
        (lambda layers: math.prod(k for _, k, _ in layers), "what it sees"),
        (lambda layers: walked(told(layers, "pool", 1)), "does not move by one"),
        (lambda layers: math.prod(s or k for _, k, s in layers), "than for pooling"),
        (lambda layers: walked([("conv", k, 1) if kind == "conv" else (kind, k, s) for kind, k, s in layers]),
         "can have strides"),
        (lambda layers: max(walked([layer]) for layer in layers), "longest stride"),
        (lambda layers: 1 + sum((k - 1) * walked(layers[:i]) for i, (_, k, _) in enumerate(layers)),
         "one of the last units"),
        (lambda layers: walked([x for x in layers if x[0] == "conv"]), "Pooling moves as well"),
        (lambda layers: walked(told(layers, "pool", 2)), "not always 2"),
    ],
}  # fmt: skip
