"""Answers to chapter 13's exercises: right ones in several styles, and each mistake as a student would make it."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

X, BODY = [1, 2, 0, 3], [-2, 1, -1, -1]


def relu(numbers):
    return [max(0, number) for number in numbers]


def conv(c, k, size, bias=False):
    return sum(p.numel() for p in nn.Conv2d(c, k, size, bias=bias).parameters())


def torch_residual(x, w1, w2):
    x, w1, w2 = map(torch.from_numpy, (x, w1, w2))
    return torch.relu(x + F.linear(torch.relu(F.linear(x, w1)), w2))


def loop_residual(x, w1, w2):
    hidden = relu(sum(w * number for w, number in zip(row, x, strict=True)) for row in w1)
    body = [sum(w * number for w, number in zip(row, hidden, strict=True)) for row in w2]
    return relu(a + b for a, b in zip(x, body, strict=True))


def branch(x, w1, w2):
    return w2.dot((w1.dot(x)).clip(0))


def loop_idle(channels, size):
    weight = np.zeros((channels, channels, size, size))
    for i in range(channels):
        weight[i][i][(size - 1) // 2][(size - 1) // 2] = 1
    return weight


def dirac(channels, size):
    return nn.init.dirac_(torch.empty(channels, channels, size, size))


def built_projections(depths, expansion):
    pairs, x = [], torch.zeros(1, 64, 32, 32)
    for stage, depth in enumerate(depths):
        for i in range(depth):
            channels = 64 * expansion * 2**stage
            side = x.shape[-1] // (2 if stage > 0 and i == 0 else 1)
            y = torch.zeros(1, channels, side, side)
            if x.shape != y.shape:
                pairs.append([stage, i])
            x = y
    return pairs


def short_projections(depths, expansion):
    return [(0, 0)] * (expansion > 1) + [(stage, 0) for stage in range(1, len(depths))]


def autograd(x, weights):
    start = end = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    for w in weights:
        end = end + w * torch.tanh(end)
    end.backward()
    return start.grad


def run(x, weights, product=1.0, slope=lambda w, x: 1 + w / math.cosh(x) ** 2):
    for w in weights:
        product *= slope(w, x)
        x += w * math.tanh(x)
    return product, x


def added(x, weights):
    total = 1
    for w in weights:
        total += w / math.cosh(x) ** 2
        x += w * math.tanh(x)
    return total


def late(x, weights):
    product = 1
    for w in weights:
        x = x + w * math.tanh(x)
        product *= 1 + w * (1 - math.tanh(x) ** 2)
    return product


def late_steps(x, weights):
    for w in weights:
        yield w * math.tanh(x)
        x += w * math.tanh(x)


def plain_inputs(x, weights):
    product = 1
    for w in weights:
        product *= 1 + w * (1 - math.tanh(x) ** 2)
        x = w * math.tanh(x)
    return product


def grown(blocks, fade):
    lengths = [1]
    for _ in range(blocks):
        around, through = [*lengths, 0], [0, *(fade * part for part in lengths)]
        lengths = [(a + b) / (1 + fade) for a, b in zip(around, through, strict=True)]
    return lengths


def formula(blocks, fade):
    return np.array([math.comb(blocks, k) * fade**k / (1 + fade) ** blocks for k in range(blocks + 1)])


def shares(parts):
    return [part / sum(parts) for part in parts]


RIGHT = {
    "block": [[0, 3, 0, 2], torch.relu(torch.tensor(X) + torch.tensor(BODY))],
    "weights": [
        (2 * conv(128, 128, 3), conv(512, 128, 1) + conv(128, 128, 3) + conv(128, 512, 1)),
        [2 * 9 * 128 * 128, 17 * 128 * 128],
    ],
    "residual": [torch_residual, loop_residual],
    "idle": [loop_idle, dirac],
    "projections": [built_projections, short_projections],
    "gradient": [autograd, lambda x, weights: run(x, weights)[0]],
    "paths": [grown, formula],
}
# Each with a piece of the hint that it must get.
WRONG = {
    "block": [
        ([-1, 3, -1, 2], "there is a ReLU"),
        ([1, 3, 0, 3], "The ReLU comes after the sum. Before"),
        (relu(BODY), "Where is the shortcut"),
        ([0, 2, 0, 0], "not multiplied"),
        ([3, 1, 1, 4], "not what is to be taken"),
        (relu([*X, *BODY]), "GoogLeNet"),
    ],
    "weights": [
        ((conv(128, 128, 3), 278528), "two convolutions"),
        ((294912, conv(512, 128, 1) + conv(128, 128, 3)), "brings the channels back"),
        ((294912, conv(512, 128, 3) + conv(128, 128, 3) + conv(128, 512, 3)), "Only the one in the middle is a 3 ×"),
        ((2 * conv(128, 128, 3, True), conv(512, 128, 1, True) + conv(128, 128, 3, True) + conv(128, 512, 1, True)),
         "No biases"),
        ((2 * 3 * 128**2, 2 * 512 * 128 + 3 * 128**2), "nine weights"),
        ((294912, conv(512, 128, 1) + conv(512, 128, 3) + conv(128, 512, 1)), "all 512"),
        ((278528, 294912), "other way round"),
        ((294912, 147456), "both have weights"),
        ((294912, 65536 * 2), "Where is the 3 × 3"),
        ((294912, 3 * 147456), "one 3 × 3, in the middle"),
    ],
    "residual": [
        (lambda x, w1, w2: x + branch(x, w1, w2), "is missing"),
        (lambda x, w1, w2: x + relu(branch(x, w1, w2)), "comes before the sum"),
        (lambda x, w1, w2: relu(x + relu(branch(x, w1, w2))), "one ReLU too many"),
        (lambda x, w1, w2: relu(x + w2.dot(w1.dot(x))), "no more than one"),
        (lambda x, w1, w2: relu(branch(x, w1, w2)), "a plain block"),
        (lambda x, w1, w2: relu(w2 @ relu(w1 @ x + x)), "around both layers"),
        (lambda x, w1, w2: relu((h := np.array(relu(w1 @ x))) + w2 @ h), "The shortcut starts in front of both"),
        (lambda x, w1, w2: torch_residual(x, w2, w1), "`w1` and `w2` changed places"),
        (lambda x, w1, w2: loop_residual(x, w1.T, w2.T), "the matrix stands"),
    ],
    "idle": [
        (lambda channels, size: dirac(1, size).repeat(channels, channels, 1, 1), "sum of all channels"),
        (lambda channels, size: np.roll(loop_idle(channels, size), (-(size // 2), -(size // 2)), (2, 3)), "corner"),
        (lambda channels, size: np.where(np.eye(channels)[..., None, None] == 1, np.ones((size, size)), 0), "add up"),
        (lambda channels, size: dirac(channels, size).mean((2, 3), True).expand(-1, -1, size, size), "blurred"),
        (lambda channels, size: torch.zeros(channels, channels, size, size), "hands nothing on"),
        (lambda channels, size: dirac(1, size)[0].repeat(channels, 1, 1), "a slice for each"),
        (lambda c, size: np.eye(c)[:, :, None, None] * np.eye(size), "not a diagonal"),
        (lambda c, size: np.pad(np.eye(c)[:, :, None, None], ((0, 0), (0, 0), (1, size - 2), (1, size - 2))),
         "middle of a kernel of 3"),
    ],
    "projections": [
        (lambda depths, expansion: short_projections(depths, 1), "Right for basic blocks"),
        (lambda depths, expansion: short_projections(depths, 4), "Not every stage"),
        (lambda depths, expansion: [(i, j) for i in range(len(depths)) for j in range(depths[i])], "shortcut is bare"),
        (lambda depths, expansion: [(i, depth - 1) for i, depth in enumerate(depths[:-1])], "that begins a stage"),
        (lambda depths, expansion: np.array(built_projections(depths, expansion)) + 1, "from 0"),
        (lambda depths, expansion: [pair[::-1] for pair in built_projections(depths, expansion)], "Stage first"),
        (lambda depths, expansion: [(i, j) for i in range(len(depths)) for j in range(depths[i])
                                    if expansion > 1 or (i and not j)], "expansion and all"),
        (lambda depths, expansion: [s for s, _ in short_projections(depths, expansion)], "Pairs, please"),
        (lambda depths, expansion: [(s, i) for s, n in enumerate(depths) for i in range(n) if (s and not i) or 64 *
         2**s * expansion != 64], "stays that of the stem"),
        (lambda depths, expansion: [(0, 0)] * (expansion != 1) + [(s, i) for s in range(1, len(depths)) for i in
         range(depths[s])],
         "after its first block"),
    ],
    "gradient": [
        (lambda x, weights: run(x, weights, slope=lambda w, x: w * (1 - math.tanh(x) ** 2))[0], "bodies alone"),
        (lambda x, weights: added(x, weights) - 1 + len(weights), "slopes multiply"),
        (lambda x, weights: 1 + run(x, weights, slope=lambda w, x: w / math.cosh(x) ** 2)[0], "around all of them"),
        (added, "also reads"),
        (lambda x, weights: math.prod(1 + w / math.cosh(x) ** 2 for w in weights), "Only the first block"),
        (late, "not at the one that comes out"),
        (lambda x, weights: math.prod(1 + w for w in weights), "not 1 everywhere"),
        (lambda x, weights: run(x, weights)[1], "number at the end"),
        (lambda x, weights: run(x, weights, slope=lambda w, x: (1 + w) / math.cosh(x) ** 2)[0], "the shortcut's is 1"),
        (lambda x, weights: sum(late_steps(x, weights)), "how far the number has come"),
        (lambda x, weights: run(x, weights, slope=lambda w, x: 1 + w * (1 - math.tanh(x)))[0], "a square in it"),
        (lambda x, weights: run(x, weights, slope=lambda w, x: 1 + 1 / math.cosh(x) ** 2)[0], "and so does its slope"),
        (plain_inputs, "yours is what the body"),
    ],
    "paths": [
        (lambda blocks, fade: [math.comb(blocks, k) / 2**blocks for k in range(blocks + 1)], "You count paths"),
        (lambda blocks, fade: shares([fade**k for k in range(blocks + 1)]), "what one path"),
        (lambda blocks, fade: formula(blocks, fade) * (1 + fade) ** blocks, "Shares add up to 1."),
        (lambda blocks, fade: grown(blocks, fade)[::-1], "The numbers are right, but in reverse"),
        (lambda blocks, fade: shares(formula(blocks, fade)[1:]), "no block at all"),
        (lambda blocks, fade: shares(grown(blocks, fade)[:blocks]), "all the blocks"),
        (lambda blocks, fade: shares([math.perm(blocks, k) * fade**k for k in range(blocks + 1)]), "each order"),
        (lambda n, fade: [math.comb(n, k) * fade**k * (1 - fade) ** (n - k) for k in range(n + 1)],
         "not 1 − fade of it"),
        (lambda n, fade: [math.comb(n, k) * fade**k / 2**n for k in range(n + 1)], "not by how many there are"),
        (lambda n, fade: 100 * np.array(formula(n, fade)), "not to 100"),
    ],
}  # fmt: skip
