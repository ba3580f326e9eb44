"""Answers to chapter 08's exercises: right ones in several styles, and each mistake as a student would make it."""

import math
import statistics

import numpy as np
import torch
import torch.nn.functional as F


def mean_of(values, beta):
    """The running mean in one sum, with what makes up for its beginning."""
    shares = beta ** np.arange(len(values))[::-1]
    return np.tensordot(shares / shares.sum(), np.array(values), 1)


def adam_in_sums(w, gradients, rate, b1, b2, eps):
    for t in range(1, len(gradients) + 1):
        seen = np.array(gradients[:t])
        w = w - rate * mean_of(seen, b1) / (mean_of(seen**2, b2) ** 0.5 + eps)
    return w


def adam(w, gradients, rate, b1, b2, eps, power=lambda t: t, square=True, root=np.sqrt, sign=-1, inside=0):
    m, s = 0 * w, 0 * w
    for t, g in enumerate(gradients, 1):
        m, s = b1 * m + (1 - b1) * g, b2 * s + (1 - b2) * g * g
        mean = m / (1 - b1 ** power(t)) if power(t) else m
        size = s / (1 - b2 ** power(t)) if power(t) and square else s
        w = w + sign * rate * mean / (root(size + inside * eps) + (1 - inside) * eps)
    return w


def falling(step, steps, warmup, highest, fall=lambda way: 0.5 + 0.5 * np.cos(np.pi * way), first=0, whole=False):
    if step < warmup:
        return highest * (step + first) / warmup
    return highest * fall(step / steps if whole else (step - warmup) / (steps - warmup))


def groups_of(x, groups, eps, each=lambda c, n: range(c * n, c * n + n), ddof=0, mean=True):
    out = np.array(x)
    n = x.shape[1] // groups
    for image in out:
        for group in range(groups):
            part = image[list(each(group, n))]
            image[list(each(group, n))] = (part - part.mean()) / np.sqrt(part.var(ddof=ddof) + eps)
    return out


def stop(losses, patience, late=0, reset=True, before=False):
    best, waited = 0, 0
    for i in range(1, len(losses)):
        better = losses[i] < losses[i - 1 if before else best]
        best = i if losses[i] < losses[best] else best
        waited = (0 if reset else waited) if better else waited + 1
        if waited == patience + late:
            return i + 1, best + 1
    return len(losses), best + 1


def tied(losses, patience):
    """Stops late, for a loss that only equals the lowest starts the count anew."""
    waited = 0
    for i in range(1, len(losses)):
        waited = 0 if losses[i] <= min(losses[:i]) else waited + 1
        if waited == patience:
            break
    return i + 1, 1 + losses.index(min(losses[: i + 1]))


def sliced(losses, patience):
    for end in range(1, len(losses) + 1):
        seen = np.array(losses[:end])
        if end - 1 - seen.argmin() >= patience:
            break
    return [end, seen.argmin() + 1]


def gains(one, other, error):
    return np.mean(one - other), error(one - other)


RIGHT = {
    "first_loss": [np.log(200), F.cross_entropy(torch.zeros(1, 200, dtype=torch.double), torch.tensor([3]))],
    "standardise": [
        lambda train, images: (images - np.mean(train)) / np.sqrt(np.var(train)),
        lambda t, images: (torch.from_numpy(images) - t.mean()) / torch.from_numpy(t).std(correction=0),
    ],
    "adam": [adam, adam_in_sums],
    "schedule": [
        falling,
        lambda step, steps, warmup, highest: (
            highest * min(step / max(warmup, 1), 1)
            if step < warmup
            else highest * math.cos(math.pi / 2 * (step - warmup) / (steps - warmup)) ** 2
        ),
    ],
    "group_norm": [lambda x, groups, eps: F.group_norm(torch.from_numpy(x), groups, eps=eps), groups_of],
    "early_stop": [stop, sliced],
    "difference": [
        lambda one, other: gains(one, other, lambda d: d.std(ddof=1) / len(d) ** 0.5),
        lambda one, other: (
            statistics.fmean(one) - statistics.fmean(other),
            statistics.stdev([a - b for a, b in zip(one, other, strict=True)]) / math.sqrt(len(one)),
        ),
    ],
}
# Each with a piece of the hint that it must get.
WRONG = {
    "first_loss": [
        (np.log(10), "ten digits"),
        (np.log10(200), "natural logarithm, np.log"),
        (np.log2(200), "base 2"),
        (1 / 200, "probability of the right kind. What"),
        (np.log(1 / 200), "never below 0"),
    ],
    "standardise": [
        (lambda train, images: (images - images.mean()) / images.std(), "Each set has its own scale"),
        (lambda t, i: (i - np.r_[t.ravel(), i.ravel()].mean()) / np.r_[t.ravel(), i.ravel()].std(), "before the time"),
        (lambda train, images: (images - train.mean()) / train.std() ** 2, "root of the variance"),
        (lambda train, images: (images - train.mean(axis=0)) / train.std(axis=0), "from pixel to pixel"),
        (lambda train, images: images / train.std(), "Where has the mean gone"),
        (lambda train, images: images - train.mean(), "What makes the deviation 1"),
        (lambda train, images: (images - train.min()) / np.ptp(train), "smallest to 0"),
    ],
    "adam": [
        (lambda *a: adam(*a, sign=1), "uphill"),
        (lambda *a: adam(*a, power=lambda t: 0), "Both means begin at 0"),
        (lambda *a: adam(*a, square=False), "squares begins at 0"),
        (lambda *a: adam(*a, power=lambda t: 1), "powers of beta grow"),
        (lambda *a: adam(*a, root=np.array), "take its root"),
        (lambda *a: adam(*a, inside=1), "not under it"),
        (lambda w, *rest: adam(0 * w, *rest), "how far w has moved"),
        (lambda w, g, *rest: adam(w, g[:1], *rest), "after the first"),
    ],
    "schedule": [
        (lambda *a: falling(*a, fall=lambda way: 1 - way), "straight line"),
        (lambda *a: falling(*a, fall=lambda way: np.cos(np.pi / 2 * way)), "quarter of a wave"),
        (lambda *a: falling(*a, fall=lambda way: np.cos(np.pi * way)), "and halved"),
        (lambda *a: falling(*a, fall=lambda way: 0.5 + 0.5 * np.cos(2 * np.pi * way)), "whole wave"),
        (lambda *a: falling(*a, fall=lambda way: 0.5 + 0.5 * np.cos(180 * way)), "radians"),
        (lambda *a: falling(*a, whole=True), "where the rise ends"),
        (
            lambda step, steps, warmup, highest: (
                falling(step, steps, warmup, highest) if step < warmup
                else highest * (0.5 + 0.5 * math.cos(math.pi * (step - warmup) / steps))
            ),
            "does not arrive",
        ),
        (lambda *a: falling(*a, first=1), "one step ahead"),
    ],
    "group_norm": [
        (lambda x, groups, eps: groups_of(x, groups, eps, lambda c, n: range(c, n * groups, groups)), "in turn"),
        (lambda x, groups, eps: groups_of(x, x.shape[1], eps), "by itself now"),
        (lambda x, groups, eps: F.layer_norm(torch.from_numpy(x), x.shape[1:], eps=eps), "in one group now"),
        (lambda x, groups, eps: groups_of(x, groups, eps, ddof=1), "by one less"),
        (
            lambda x, groups, eps: np.concatenate([
                (p - p.mean((0, 1, 2, 3))) / np.sqrt(p.var() + eps) for p in np.split(x, groups, 1)
            ], 1),
            "the batch has no part",
        ),
        (
            lambda x, groups, eps: np.concatenate([
                (p - p.mean(1, keepdims=True)) / np.sqrt(p.var(1, keepdims=True) + eps) for p in np.split(x, groups, 1)
            ], 1),
            "places as well",
        ),
        (
            lambda x, groups, eps: np.concatenate([
                p - p.mean((1, 2, 3), keepdims=True) for p in np.split(x, groups, 1)
            ], 1),
            "The mean is gone",
        ),
        (
            lambda x, groups, eps: np.concatenate([
                (p - p.mean((1, 2, 3), keepdims=True)) / (p.std((1, 2, 3), keepdims=True) + eps)
                for p in np.split(x, groups, 1)
            ], 1),
            "under the root",
        ),
        (
            lambda x, groups, eps: np.concatenate([
                (p - p.mean((1, 2, 3), keepdims=True)) / (p.var((1, 2, 3), keepdims=True) + eps)
                for p in np.split(x, groups, 1)
            ], 1),
            "Divide by the deviation",
        ),
    ],
    "early_stop": [
        (lambda losses, patience: (stop(losses, patience)[0], 1 + losses.index(min(losses))), "lowest loss of all"),
        (lambda losses, patience: stop(losses, patience, reset=False), "goes on counting"),
        (lambda losses, patience: [stop(losses, patience)[0]] * 2, "not what it was at the end"),
        (lambda losses, patience: [n - 1 for n in stop(losses, patience)], "counted from 1"),
        (lambda losses, patience: stop(losses, patience)[::-1], "First how many"),
        (lambda losses, patience: stop(losses, patience, late=1), "one epoch more"),
        (lambda losses, patience: stop(losses, patience, before=True), "with the epoch before"),
        (tied, "An equal loss"),
    ],
    "difference": [
        (lambda one, other: gains(one, other, lambda d: d.std(ddof=1)), "strays less"),
        (lambda one, other: gains(one, other, lambda d: d.std(ddof=1) / len(d)), "goes down by n"),
        (lambda one, other: gains(one, other, lambda d: d.var(ddof=1) / len(d)), "variance of the mean: take"),
        (lambda one, other: gains(one, other, lambda d: d.std() / len(d) ** 0.5), "one less than"),
        (lambda one, other: gains(other, one, lambda d: d.std(ddof=1) / len(d) ** 0.5), "the other sign"),
        (
            lambda one, other: gains(
                one, other, lambda d: math.sqrt((one.var(ddof=1) + other.var(ddof=1)) / len(d))
            ),
            "of each pair first",
        ),
    ],
}  # fmt: skip
