"""Answers to chapter 12's exercises: right ones in several styles, and each mistake as a student would make it."""

import math

import numpy as np
import torch
from torch import nn


def dense(inputs, outputs=100):
    return sum(p.numel() for p in nn.Linear(inputs, outputs).parameters())


def torch_norm(x, gamma, beta, eps):
    return nn.functional.batch_norm(*map(torch.from_numpy, (x, 0 * gamma, 0 * beta, gamma, beta)), True, 0, eps)


def normalised(x, gamma, beta, eps, divide=None):
    """Channel by channel, with what comes below the line as a function of values and eps."""
    out = np.empty_like(x)
    for c in range(x.shape[1]):
        values = x[:, c]
        below = divide(values, eps) if divide else math.sqrt(((values - values.mean()) ** 2).mean() + eps)
        out[:, c] = gamma[c] * (values - values.mean()) / below + beta[c]
    return out


def over(axis):
    def norm(x, gamma, beta, eps):
        x, gamma, beta = map(torch.from_numpy, (x, gamma, beta))
        var, mean = torch.var_mean(x, axis, unbiased=False, keepdim=True)
        return gamma.view(-1, 1, 1) * (x - mean) / (var + eps).sqrt() + beta.view(-1, 1, 1)

    return norm


def torch_running(batches, momentum):
    layer = nn.BatchNorm2d(batches[0].shape[1], momentum=momentum, dtype=torch.float64)
    for batch in batches:
        layer(torch.from_numpy(batch))
    return layer.running_mean, layer.running_var


def loop_running(batches, momentum, mean=0, var=1, unbiased=True):
    channels = batches[0].shape[1]
    means, variances = [mean] * channels, [var] * channels
    for batch in batches:
        for c in range(channels):
            values = batch[:, c].ravel()
            n = len(values) - 1 if unbiased else len(values)
            means[c] += momentum * (values.mean() - means[c])
            variances[c] += momentum * (((values - values.mean()) ** 2).sum() / n - variances[c])
    return means, variances


def of_batch(batch):
    return loop_running([batch], 1)


def mixed_spreads(batches, momentum):
    spread = 1
    for batch in batches:
        spread = (1 - momentum) * spread + momentum * np.sqrt(of_batch(batch)[1])
    return loop_running(batches, momentum)[0], spread


def kept_whole(batches, momentum):
    mean, var = 0, 1
    for batch in batches:
        mean, var = mean + momentum * batch.mean((0, 2, 3)), var + momentum * batch.var((0, 2, 3), ddof=1)
    return mean, var


def from_first(batches, momentum):
    mean, var = map(np.array, of_batch(batches[0]))
    for batch in batches[1:]:
        m, v = map(np.array, of_batch(batch))
        mean, var = mean + momentum * (m - mean), var + momentum * (v - var)
    return mean, var


def torch_cost(channels, numbers, side, bias=False, five=5):
    one, narrow3, three, narrow5, wide, pooled = numbers
    layers = [(channels, one, 1), (channels, narrow3, 1), (narrow3, three, 3), (channels, narrow5, 1),
              (narrow5, wide, five), (channels, pooled, 1)]  # fmt: skip
    total = sum(math.prod((c, k, f, f)) + (k if bias else 0) for c, k, f in layers)
    return [total, total * side**2]


def terms(channels, numbers, side):
    a, b, c, d, e, f = numbers
    weights = channels * (a + b + d + f) + 9 * b * c + 25 * d * e
    return weights, weights * side * side


def both(weights, side):
    return weights, weights * side**2


def narrows(channels, kernels, size):
    direct = channels * kernels * size**2
    return max(b for b in range(channels) if channels * b + b * kernels * size**2 < direct)


def bound(channels, kernels, size):
    return math.ceil(channels * kernels * size**2 / (channels + kernels * size**2)) - 1


def torch_fold(weight, gamma, beta, mean, var, eps):
    conv = nn.Conv2d(weight.shape[1], len(weight), weight.shape[2], bias=False, dtype=torch.float64)
    norm = nn.BatchNorm2d(len(weight), eps, dtype=torch.float64)
    with torch.no_grad():
        for target, numbers in [(conv.weight, weight), (norm.weight, gamma), (norm.bias, beta),
                                (norm.running_mean, mean), (norm.running_var, var)]:  # fmt: skip
            target.copy_(torch.from_numpy(numbers))
    fused = nn.utils.fuse_conv_bn_eval(conv.eval(), norm.eval())
    return fused.weight, fused.bias


def loop_fold(weight, gamma, beta, mean, var, eps):
    kernels, biases = [], []
    for kernel, g, b, m, v in zip(weight, gamma, beta, mean, var, strict=True):
        scale = g / math.sqrt(v + eps)
        kernels.append(kernel * scale)
        biases.append(b - m * scale)
    return np.array(kernels), biases


RIGHT = {
    "joined": [
        (90 + 120 + 50 + 36, 20, 20),
        torch.cat([torch.zeros(1, c, 20, 20) for c in (90, 120, 50, 36)], dim=1).shape[1:],
    ],
    "heads": [(dense(512), dense(512 * 36)), [512 * 100 + 100, 512 * 6 * 6 * 100 + 100]],
    "batch_norm": [torch_norm, normalised, over((0, 2, 3))],
    "running": [torch_running, loop_running],
    "cost": [torch_cost, terms],
    "widest": [narrows, bound],
    "fold": [torch_fold, loop_fold],
}
# Each with a piece of the hint that it must get.
WRONG = {
    "joined": [
        ((90 + 60 + 120 + 20 + 50 + 36, 20, 20), "The first 1 × 1 of a branch is read"),
        ((90 + 120 + 50 + 300, 20, 20), "follows the pooling"),
        ((90 + 120 + 50 + 36 + 300, 20, 20), "block's input"),
        ((120, 20, 20), "Maps are laid one behind another, none"),
        ((296, 10, 10), "stride 1"),
        ((296, 80, 80), "not side by side"),
        ((20, 20, 296), "PyTorch's order"),
        ((90 + 120 + 50, 20, 20), "counts as well"),
        ((300, 20, 20), "what the block reads"),
        ((296, 16, 16), "come with a padding"),
    ],
    "heads": [
        ((nn.Linear(512, 100).weight.numel(), nn.Linear(512 * 36, 100).weight.numel()), "has a bias"),
        ((dense(512 * 36), dense(512)), "comes first"),
        ((dense(36), dense(512 * 36)), "over the channels of a place"),
        ((dense(512 * 6), dense(512 * 36)), "one number is left"),
        ((dense(512), dense(512 * 6)), "as many rows as columns"),
        ((dense(512) + 512 * 36, dense(512 * 36)), "nothing to learn"),
        ((512 * 100 + 512, 512 * 36 * 100 + 512 * 36), "not one for each number"),
    ],
    "batch_norm": [
        (over((2, 3)), "each channel of each image"),
        (over((0,)), "each place"),
        (over((0, 1, 2, 3)), "of its own"),
        (over((1, 2, 3)), "over its channels"),
        (lambda *args: normalised(*args, lambda values, eps: math.sqrt(values.var(ddof=1) + eps)), "not by one less"),
        (lambda *args: normalised(*args, lambda values, eps: values.std() + eps), "within the root"),
        (lambda x, gamma, beta, eps: torch_norm(x, gamma, beta, 1e-5), "Where is ε"),
        (lambda *args: normalised(*args, lambda values, eps: values.var() + eps), "Divide by the standard deviation"),
        (lambda x, gamma, beta, eps: torch_norm(x, beta, gamma, eps), "`gamma` and `beta` changed places"),
        (lambda x, gamma, beta, eps: nn.functional.batch_norm(torch.from_numpy(x), None, None, training=True, eps=eps),
         "What do γ and β"),
        (lambda x, gamma, beta, eps: gamma[:, None, None] * (normalised(x, gamma**0, beta, eps)), "normalised already"),
    ],
    "running": [
        (lambda batches, momentum: loop_running(batches, momentum, unbiased=False), "For use PyTorch"),
        (lambda batches, momentum: torch_running(batches, 1 - momentum), "share of the new batch"),
        (lambda batches, momentum: loop_running(batches, momentum, var=0), "starts at 1"),
        (lambda batches, momentum: np.mean([of_batch(batch) for batch in batches], axis=0), "A plain mean"),
        (lambda batches, momentum: of_batch(batches[-1]), "`momentum` were 1"),
        (from_first, "You begin with the first"),
        (lambda batches, momentum: ((kept := torch_running(batches, momentum))[0], kept[1].sqrt()), "is kept, not"),
        (lambda batches, momentum: loop_running(batches, momentum)[::-1], "The numbers are right, but in reverse"),
        (mixed_spreads, "not standard deviations"),
        (kept_whole, "yours keeps all of it"),
    ],
    "cost": [
        (lambda c, numbers, side: torch_cost(c, [*numbers[:5], 0], side), "1 × 1 behind it"),
        (lambda c, numbers, side: both(terms(c, numbers, 1)[0] - c * (numbers[1] + numbers[3]), side), "not free"),
        (lambda c, n, side: both(c * (n[0] + n[1] + n[3] + n[5] + 9 * n[2] + 25 * n[4]), side), "what the 1 × 1 in"),
        (lambda c, n, side: both(c * (n[0] + n[5] + 9 * n[2] + 25 * n[4]), side),
         "Your large kernels read the whole input"),
        (lambda c, numbers, side: torch_cost(c, numbers, side, five=3), "25 weights"),
        (lambda c, numbers, side: (terms(c, numbers, side)[0], terms(c, numbers, side)[0] * side), "all its rows"),
        (lambda c, numbers, side: (torch_cost(c, numbers, side, bias=True)[0], terms(c, numbers, side)[1]),
         "No biases"),
        (lambda c, numbers, side: torch_cost(c, numbers, side)[::-1], "Weights first"),
        (lambda c, n, side: (w := c * (n[0] + n[1] + n[3] + n[5]) + 3 * n[1] * n[2] + 5 * n[3] * n[4], w * side**2),
         "as many rows of weights"),
        (lambda c, n, side: terms(c, (n[0], n[2], n[1], n[4], n[3], n[5]), side), "The order is one"),
    ],
    "widest": [
        (lambda c, k, f: max(b for b in range(c) if c * b + b * k * f**2 <= c * k * f**2), "no saving"),
        (lambda c, k, f: math.ceil(c * k * f**2 / (c + k * f**2)), "begins to cost more"),
        (lambda c, k, f: c - 1, "has weights, too"),
        (lambda c, k, f: max(b for b in range(c) if c * b + b * k * f < c * k * f), "size × size"),
        (lambda c, k, f: max(b for b in range(c * k) if b * c * f * f + b * k < c * k * f * f),
         "`channels` and `kernels` changed places"),
        (lambda c, k, f: k - 1, "Compare weights, not channels: narrower than what"),
        (lambda c, k, f: k * f * f - 1, "all you count"),
        (lambda c, k, f: c * k * f * f / (c + k * f * f), "round which way"),
    ],
    "fold": [
        (lambda w, g, b, m, v, e: loop_fold(w, g, b, m, v, 0), "Where is ε"),
        (lambda w, g, b, m, v, e: (w * (g / (v + e))[:, None, None, None], b - m * g / (v + e)), "Divide by the root"),
        (lambda w, g, b, m, v, e: (torch_fold(w, g, b, m, v, e)[0], b - m), "The mean is divided and multiplied"),
        (lambda w, g, b, m, v, e: loop_fold(w, g, b, -m, v, e), "not added"),
        (lambda w, g, b, m, v, e: (loop_fold(w, g, b, m, v, e)[0], b), "mean has to go"),
        (lambda w, g, b, m, v, e: (loop_fold(w, g, b, m, v, e)[0], (b - m) * g / np.sqrt(v + e)), "nothing multiplies"),
        (lambda w, g, b, m, v, e: loop_fold(w, [1] * len(w), b, m, v, e), "Where is γ"),
        (lambda w, g, b, m, v, e: (w * np.reshape(g / np.sqrt(v + e), (1, -1, 1, 1)), loop_fold(w, g, b, m, v, e)[1]),
         "not for each channel it reads"),
        (lambda w, g, b, m, v, e: (w, torch_fold(w, g, b, m, v, e)[1]), "weights change as well"),
        (lambda w, g, b, m, v, e: (loop_fold(w, g, b, m, v, e)[0], b - m / np.sqrt(v + e)),
         "multiplies the mean in the bias"),
        (lambda w, g, b, m, v, e: (w * g[:, None, None, None], b - g * m), "Where is the variance"),
        (lambda w, g, b, m, v, e: (w * (g / (np.sqrt(v) + e))[:, None, None, None], b - g * m / (np.sqrt(v) + e)),
         "within the root"),
        (lambda w, g, b, m, v, e: loop_fold(w, g, b, m, v**2, e), "it is not squared"),
        (lambda w, g, b, m, v, e: (loop_fold(w, g, b, m, v, e)[0], -g * m / np.sqrt(v + e)), "Where is β"),
    ],
}  # fmt: skip
