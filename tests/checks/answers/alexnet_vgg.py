"""Answers to chapter 11's exercises: right ones in several styles, and each mistake as a student would make it."""

import math

import numpy as np
import torch
from torch import nn


def conv(*numbers, **options):
    return sum(p.numel() for p in nn.Conv2d(*numbers, **options).parameters())


FIRST, SECOND, THIRD = conv(3, 64, 11), conv(64, 192, 5, groups=2), conv(192, 256, 3)


def stages(convs=2, sides=(64, 32), channels=(32, 64)):
    return [c * (convs * side**2 + (side // 2) ** 2) for c, side in zip(channels, sides, strict=True)]


def torch_top_k(scores, labels, k, largest=True, dim=1):
    best = torch.from_numpy(scores).topk(k, dim=dim, largest=largest).indices
    return 1 - (best == torch.from_numpy(labels)[:, None]).any(dim=1).double().mean()


def sorted_top_k(scores, labels, k):
    wrong = 0
    for row, label in zip(scores, labels, strict=True):
        ranking = sorted(range(len(row)), key=lambda i: row[i], reverse=True)
        wrong += int(label) not in ranking[:k]
    return wrong / len(labels)


def only_place(scores, labels, k):
    return 1 - (np.argsort(scores, axis=1)[:, -k] == labels).mean()


def inverted(x, mask, rate, learning):
    return np.where(mask == 1, x / (1 - rate), 0) if learning else x.copy()


def listed(x, mask, rate, learning):
    out = x.copy()
    if learning:
        out /= 1 - rate
        out[mask == 0] = 0
    return out


def filled(weight, channels, height, width):
    out = np.empty((len(weight), channels, height, width))
    for k, row in enumerate(weight):
        numbers = iter(row)
        for c in range(channels):
            for i in range(height):
                for j in range(width):
                    out[k, c, i, j] = next(numbers)
    return out


def torch_view(weight, *shape):
    return torch.from_numpy(weight).view(len(weight), *shape)


def grown_stack(kernel, channels):
    layers, field = 0, 1
    while field < kernel:
        layers, field = layers + 1, field + 2
    saved = np.empty((kernel, kernel)).size - layers * np.empty((3, 3)).size
    return layers, saved * channels * channels


def counted_stack(kernel, channels, layers):
    small, large = conv(channels, channels, 3, bias=False), conv(channels, channels, kernel, bias=False)
    return layers, large - layers * small


def stepwise(layers, std):
    square = 1.0
    for channels, size in layers:
        square *= channels * size**2 * std**2
        square /= 2
    return square


def logs(layers, std):
    return math.exp(sum(math.log(c * f * f) + 2 * math.log(std) - math.log(2) for c, f in layers))


RIGHT = {
    "towers": [(FIRST, SECOND, THIRD), [64 * 364, 192 * 801, 256 * 1729]],
    "written": [stages(), (32 * 64 * 64 * 2 + 32 * 32 * 32, 64 * 32 * 32 * 2 + 64 * 16 * 16)],
    "top_k": [torch_top_k, sorted_top_k],
    "dropout": [inverted, listed],
    "as_convolution": [torch_view, filled],
    "stack": [grown_stack, lambda kernel, c: counted_stack(kernel, c, kernel // 2)],
    "signal": [stepwise, logs],
}
# Each with a piece of the hint that it must get.
WRONG = {
    "towers": [
        ([conv(3, 64, 11, bias=False), conv(64, 192, 5, groups=2, bias=False), conv(192, 256, 3, bias=False)],
         "has a bias"),
        ((FIRST, conv(64, 192, 5), THIRD), "the half on its own card"),
        ((FIRST, conv(32, 96, 5), THIRD), "both cards count"),
        ((FIRST, 2 * conv(32, 192, 5), THIRD), "on both cards together"),
        ((FIRST, SECOND, conv(192, 256, 3, groups=2)), "reads both halves"),
        ((conv(1, 64, 11), SECOND, THIRD), "three channels"),
        ((conv(3, 32, 11), SECOND, THIRD), "one card's half"),
    ],
    "written": [
        ((2 * 32 * 64**2, 2 * 64 * 32**2), "the pooling writes"),
        (stages(convs=1), "Two convolutions"),
        (stages(channels=(1, 1)), "many channels"),
        ([4 * numbers for numbers in stages()], "not bytes"),
        (stages(channels=(32, 32)), "twice the channels"),
        (stages(sides=(64, 64)), "for the second stage"),
        (stages(convs=4), "A ReLU in place"),
        ((32 * (2 * 64**2 + 64**2 // 2), 64 * (2 * 32**2 + 32**2 // 2)), "a quarter of the places"),
    ],
    "top_k": [
        (lambda scores, labels, k: 1 - sorted_top_k(scores, labels, k), "share of right answers"),
        (lambda scores, labels, k: torch_top_k(scores, labels, k, largest=False), "lowest scores"),
        (lambda scores, labels, k: (scores.argmax(axis=1) != labels).mean(), "`k` were 1"),
        (lambda scores, labels, k: sum(sorted_top_k(scores[[i]], labels[[i]], k) > 0 for i in range(len(labels))),
         "not their number"),
        (lambda scores, labels, k: sorted_top_k(scores, labels, k - 1), "one too few"),
        (lambda scores, labels, k: sorted_top_k(scores, labels, k + 1), "One answer too many"),
        (only_place, "need not be the last"),
        (lambda scores, labels, k: sorted_top_k(scores, labels, k) * 100, "not per cent"),
        (lambda scores, labels, k: 1 - (np.argsort(scores, axis=0)[::-1][:, :k] == labels[:, None]).any(1).mean(),
         "within each class"),
    ],
    "dropout": [
        (lambda x, mask, rate, learning: np.where(mask, x / rate, 0) if learning else x, "rate of a half"),
        (lambda x, mask, rate, learning: np.where(mask, x, 0) if learning else x, "make up for those"),
        (lambda x, mask, rate, learning: (inverted(x, mask, rate, True) if learning else x / (1 - rate)),
         "nothing has to be made up"),
        (lambda x, mask, rate, learning: np.where(mask, (1 - rate) * x, 0) if learning else x, "yours shrink"),
        (lambda x, mask, rate, learning: mask * x if learning else (1 - rate) * x, "2012"),
        (lambda x, mask, rate, learning: x * mask, "those that stay make up for the rest"),
        (lambda x, mask, rate, learning: inverted(x, mask == 0, rate, learning), "A 1 in the mask"),
        (lambda x, mask, rate, learning: inverted(x, mask, rate, True), "In use all numbers are there."),
        (lambda x, mask, rate, learning: inverted(x, mask, rate, not learning), "other way round"),
        (lambda x, mask, rate, learning: x * mask / (1 - rate) if learning else 0 * x, "In use the layer does nothing"),
        (lambda x, mask, rate, learning: x * mask * mask.size / mask.sum() if learning else x,
         "not by how many happened"),
    ],
    "as_convolution": [
        (lambda weight, c, h, w: torch_view(weight, h, w, c).permute(0, 3, 1, 2), "channels stand together"),
        (lambda weight, c, h, w: np.array([[np.reshape(part, (h, w), order="F") for part in np.split(row, c)]
                                           for row in weight]), "not column by column"),
        (lambda weight, c, h, w: torch_view(weight, h, w, c), "The numbers are right and in the right"),
        (lambda weight, c, h, w: torch_view(weight, c, w, h), "Height stands before"),
        (lambda weight, c, h, w: torch_view(weight, c, h, w).flip(2, 3), "The numbers are right, but turned by"),
        (lambda weight, c, h, w: torch_view(weight, c, h, w).transpose(0, 1), "The numbers are right, but the axes"),
        (lambda weight, c, h, w: weight.flatten(order="F").reshape(len(weight), c, h, w),
         "The numbers are right, but some stand"),
    ],
    "stack": [
        (lambda kernel, c: counted_stack(kernel, c, math.ceil(kernel / 3)), "overlap"),
        (lambda kernel, c: counted_stack(kernel, c, kernel // 2 + 1), "One layer too many"),
        (lambda kernel, c: (kernel // 2, c * (kernel * kernel - kernel // 2 * 9)), "each pair of channels"),
        (lambda kernel, c: (kernel // 2, kernel // 2 * conv(c, c, 3, bias=False)), "what the stack has"),
        (lambda kernel, c: (kernel // 2, 9 * (kernel // 2) * c**2 - kernel**2 * c**2),
         "The sizes are right, but some of the"),
        (lambda kernel, c: (kernel // 2, counted_stack(kernel, c, 1)[1]), "not only one"),
        (lambda kernel, c: (kernel // 2, conv(c, c, kernel) - kernel // 2 * conv(c, c, 3)), "No biases"),
        (lambda kernel, c: (kernel // 3, (kernel * kernel - kernel // 3 * 9) * c * c), "do not lie side by side"),
        (lambda kernel, c: (kernel // 2, kernel * kernel * c * c), "That is what the large kernel has"),
        (lambda kernel, c: (kernel // 2, 9 * (kernel // 2) / kernel**2), "not a share of it"),
        (lambda kernel, c: (kernel // 2, 1 - 9 * (kernel // 2) / kernel**2), "not its share"),
    ],
    "signal": [
        (lambda layers, std: stepwise(layers, std) * 2 ** len(layers), "Each ReLU"),
        (lambda layers, std: stepwise(layers, std) * 2 ** (len(layers) - 1), "after every layer"),
        (lambda layers, std: stepwise(layers, math.sqrt(std)), "Squares are asked for"),
        (lambda layers, std: (std**2 / 2) ** len(layers), "many products"),
        (lambda layers, std: stepwise([(c, 1) for c, _ in layers], std), "for each channel"),
        (lambda layers, std: math.prod(c * f * std**2 / 2 for c, f in layers), "columns as rows"),
        (lambda layers, std: stepwise([(1, f) for _, f in layers], std), "not one."),
        (lambda layers, std: stepwise(layers, std) ** 0.5, "factor of the standard deviation"),
        (lambda layers, std: sum(stepwise([layer], std) for layer in layers), "do not add"),
        (lambda layers, std: math.prod(c * f * f * std**2 / 4 for c, f in layers), "halves the mean square"),
    ],
}  # fmt: skip
