"""The exercises of chapter 08: the first loss, steps and their length, when to stop, and what a difference is worth."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.random import Generator

from utils.checks.exercise import Arguments, Exercise

Array = np.ndarray

first_loss = Exercise(
    "first_loss",
    reference=lambda: math.log(200),
    mistakes={
        "Those are the ten digits of the chapter. How many kinds are there here?": lambda: math.log(10),
        "The cross-entropy takes the natural logarithm, np.log.": lambda: math.log10(200),
        "The cross-entropy takes the natural logarithm, not that to base 2.": lambda: math.log2(200),
        "That is the probability of the right kind. What is the loss that it makes?": lambda: 1 / 200,
        "A loss is never below 0: there is a minus in front of the logarithm.": lambda: -math.log(200),
    },
)


def _standardised(train: Array, images: Array) -> Array:
    return (images - train.mean()) / train.std()


def _two_sets(rng: Generator) -> list[Arguments]:
    """Images to learn from and others, which are lighter and of less contrast."""
    shapes = [((6, 4, 5), (3, 4, 5)), ((8, 3, 3), (5, 3, 3)), ((5, 2, 6), (7, 2, 6))]
    return [(3 + 4 * rng.random(one), 5 + rng.random(other)) for one, other in shapes]


def _together(train: Array, images: Array) -> Array:
    return _standardised(np.concatenate([train, images]), images)


standardise = Exercise(
    "standardise",
    cases=_two_sets,
    reference=_standardised,
    mistakes={
        "Each set has its own scale now, and the network cannot know which it gets. Whose mean and deviation count?": (
            lambda train, images: (images - images.mean()) / images.std()
        ),
        "What is taken from the other images as well is a look at them before the time.": _together,
        "The standard deviation is the root of the variance.": lambda t, images: (images - t.mean()) / t.var(),
        "One mean and one deviation for all pixels: yours differ from pixel to pixel.": (
            lambda train, images: (images - train.mean(0)) / train.std(0)
        ),
        "The deviation is right. Where has the mean gone?": lambda train, images: images / train.std(),
        "The mean is right. What makes the deviation 1?": lambda train, images: images - train.mean(),
        "That brings the smallest to 0 and the largest to 1. What are mean and deviation then?": (
            lambda train, images: (images - train.min()) / (train.max() - train.min())
        ),
    },
)


def _adam(
    w: Array, gradients: Sequence[Array], rate: float, beta1: float, beta2: float, eps: float,
    correct: Any = "both", root: bool = True, inside: bool = False,
) -> Array:  # fmt: skip
    mean, square = np.zeros_like(w), np.zeros_like(w)
    for step, gradient in enumerate(gradients, 1):
        mean = beta1 * mean + (1 - beta1) * gradient
        square = beta2 * square + (1 - beta2) * gradient**2
        power = 1 if correct == "first" else step
        one = mean / (1 - beta1**power) if correct else mean
        two = square / (1 - beta2**power) if correct and correct != "mean" else square
        below = np.sqrt(two + eps) if inside else (np.sqrt(two) if root else two) + eps
        w = w - rate * one / below
    return w


def _adam_walks(rng: Generator) -> list[Arguments]:
    """Gradients of very different length, and an eps large enough that its place matters."""
    cases: list[Arguments] = []
    for shape, steps, *betas in [((3,), 3, 0.9, 0.99), ((2, 3), 4, 0.8, 0.95), ((4,), 2, 0.7, 0.9)]:
        gradients = [rng.standard_normal(shape) * 10.0 ** rng.integers(-1, 2, shape) for _ in range(steps)]
        rate, eps = rng.uniform([0.05, 0.1], [0.2, 0.3]).tolist()
        cases.append((rng.standard_normal(shape), gradients, rate, *betas, eps))
    return cases


adam = Exercise(
    "adam",
    cases=_adam_walks,
    reference=_adam,
    mistakes={
        "You go uphill. A step goes against the gradient.": lambda w, *rest: 2 * w - _adam(w, *rest),
        "That is how far w has moved. Where is it now?": lambda w, *rest: _adam(w, *rest) - w,
        "All gradients count, one after the other: yours is the place after the first.": (
            lambda w, g, *rest: _adam(w, g[:1], *rest)
        ),
    },
    slips={
        "Both means begin at 0, so the first are too small. What makes up for that?": {"correct": ""},
        "The mean of the squares begins at 0 as well.": {"correct": "mean"},
        "What makes up for the beginning fades from step to step: the powers of beta grow.": {"correct": "first"},
        "A step is divided by a length. That is the mean of the squares: take its root.": {"root": False},
        "eps comes to the root, not under it.": {"inside": True},
    },
)


def _rate(
    step: int, steps: int, warmup: int, highest: float, wave: float = 1, shift: bool = True, whole: bool = False
) -> float:
    if step < warmup:
        return highest * step / warmup
    way = (step - warmup * shift) / (steps - warmup * (shift and not whole))
    return highest * (1 + math.cos(math.pi * wave * way)) / 2


def _moments(rng: Generator) -> list[Arguments]:
    moments = [(0, 20, 4), (3, 20, 4), (4, 20, 4), (9, 20, 4), (12, 20, 4), (20, 20, 4), (7, 30, 10), (23, 30, 10)]
    return [(*moment, float(rng.uniform(0.5, 2))) for moment in [*moments, (0, 8, 0), (5, 8, 0)]]


def _falls(fall: Callable[[float], float]) -> Callable[..., float]:
    """The schedule with another way down, from 1 at 0 to whatever at 1."""
    return lambda step, steps, warmup, highest: (
        _rate(step, steps, warmup, highest) if step < warmup else highest * fall((step - warmup) / (steps - warmup))
    )


schedule = Exercise(
    "schedule",
    cases=_moments,
    reference=_rate,
    mistakes={
        "That goes down in a straight line.": _falls(lambda way: 1 - way),
        "That is a quarter of a wave, which still falls steeply at the end.": _falls(
            lambda w: math.cos(math.pi / 2 * w)
        ),
        "Half a wave goes from 1 to −1. What has to be added, and halved, to go from 1 to 0?": _falls(
            lambda way: math.cos(math.pi * way)
        ),
        "At step 0 the rate is 0: yours is one step ahead while it rises.": (
            lambda step, *rest: (
                _rate(step, *rest) * ((step + 1) / step if 0 < step < rest[1] else 1)
                + (rest[2] / rest[1] if step == 0 < rest[1] else 0)
            )
        ),
    },
    slips={
        "That is a whole wave: at the end the rate is as high as at the top.": {"wave": 2},
        "np.cos takes radians: half a wave is π, not 180.": {"wave": 180 / math.pi},
        "The way down has only the steps after the warm-up: yours does not arrive at 0.": {"whole": True},
        "The wave begins where the rise ends, not at step 0: the rate jumps there.": {"shift": False},
    },
)


def _normalised(x: Array, groups: int, eps: float, ddof: int = 0, batch: bool = False, root: str = "over") -> Array:
    grouped = x.reshape(len(x), groups, -1)
    axes = (0, 2) if batch else 2
    variance = grouped.var(axes, keepdims=True, ddof=ddof)
    below = {"over": np.sqrt(variance + eps), "beside": np.sqrt(variance) + eps, "": variance + eps}[root]
    return ((grouped - grouped.mean(axes, keepdims=True)) / below).reshape(x.shape)


def _maps(rng: Generator) -> list[Arguments]:
    settings = [((2, 6, 2, 3), 3), ((3, 4, 3, 2), 2), ((2, 8, 1, 2), 2), ((2, 6, 2, 2), 2)]
    return [
        (rng.standard_normal(s) * (1 + np.arange(s[1]))[:, None, None] + 3 * rng.standard_normal((*s[:2], 1, 1)), g,
         float(rng.uniform(0.5, 1)))
        for s, g in settings
    ]  # fmt: skip


def _in_turn(x: Array, groups: int, eps: float) -> Array:
    order = np.argsort(np.arange(x.shape[1]) % groups, kind="stable")
    return _normalised(x[:, order], groups, eps)[:, np.argsort(order)]


def _places(x: Array, groups: int, eps: float) -> Array:
    grouped = x.reshape(len(x), groups, -1, *x.shape[2:])
    return np.asarray(
        (grouped - grouped.mean(2, keepdims=True)) / np.sqrt(grouped.var(2, keepdims=True) + eps)
    ).reshape(x.shape)


group_norm = Exercise(
    "group_norm",
    cases=_maps,
    reference=_normalised,
    mistakes={
        "A group is made of channels that are neighbours: yours are dealt out in turn.": _in_turn,
        "Each channel is by itself now. How many channels does a group have?": (
            lambda x, groups, eps: _normalised(x, x.shape[1], eps)
        ),
        "All channels are in one group now. How many groups are there?": lambda x, groups, eps: _normalised(x, 1, eps),
        "Take the mean over a group's places as well, not only over its channels.": _places,
        "The mean is gone, and what makes the deviation 1?": (
            lambda x, groups, eps: (
                x - x.reshape(len(x), groups, -1).mean(2).repeat(x.shape[1] // groups, 1)[..., None, None]
            )
        ),
    },
    slips={
        "Each image is by itself: the batch has no part in it. That is what sets it apart.": {"batch": True},
        "Divide by the number of values, not by one less.": {"ddof": 1},
        "eps stands under the root, beside the variance.": {"root": "beside"},
        "Divide by the deviation, the root of the variance.": {"root": ""},
    },
)


def _stopped(
    losses: Sequence[float], patience: int, late: int = 0, before: bool = False, reset: bool = True, tie: bool = False
) -> tuple[int, int]:
    best, since = 0, 0
    for epoch, loss in enumerate(losses):
        reached = losses[epoch - 1 if before else best]
        better = epoch == 0 or loss < reached or (tie and loss == reached)
        best = epoch if loss < losses[best] else best
        since = since + 1 if not better else 0 if reset else since
        if since == patience + late:
            return epoch + 1, best + 1
    return len(losses), best + 1


def _losses(rng: Generator) -> list[Arguments]:
    """Curves that fall and rise: with a tie, one that never stops, and one whose lowest loss comes too late."""
    curves: list[tuple[list[float], int]] = [
        ([9, 7, 8, 6, 7, 6.5, 6.2, 6.1, 3], 3), ([9, 8, 7, 6, 5, 4], 2), ([8, 6, 7, 6, 7, 6, 7, 5], 3),
        ([5, 6, 5.5, 5.2, 4, 4.5, 4.4, 4.3, 4.2], 4), ([7, 5, 6, 4, 5, 3, 4, 2, 3], 2), ([4, 5, 4.5], 1),
    ]  # fmt: skip
    return [([round(loss * scale, 3) for loss in losses], p)
            for (losses, p), scale in zip(curves, rng.uniform(0.5, 2, len(curves)), strict=True)]  # fmt: skip


early_stop = Exercise(
    "early_stop",
    cases=_losses,
    reference=_stopped,
    mistakes={
        "What comes after the stop is never seen: you looked for the lowest loss of all.": (
            lambda losses, patience: (_stopped(losses, patience)[0], int(np.argmin(losses)) + 1)
        ),
        "The network gets back what it was when the loss was lowest, not what it was at the end.": (
            lambda losses, patience: (_stopped(losses, patience)[0],) * 2
        ),
        "Epochs are counted from 1.": lambda losses, patience: tuple(n - 1 for n in _stopped(losses, patience)),
        "First how many epochs were run, then which was the best.": lambda losses, p: _stopped(losses, p)[::-1],
    },
    slips={
        "You wait for one epoch more than `patience`.": {"late": 1},
        "An equal loss is not lower: it does not set the count back.": {"tie": True},
        "You compare with the epoch before. Compare with the best so far.": {"before": True},
        "An epoch that is the best so far sets the count back to 0. Yours goes on counting.": {"reset": False},
    },
)


def _difference(
    one: Array, other: Array, paired: bool = True, ddof: int = 1, power: float = 0.5, root: bool = True
) -> tuple[float, float]:
    gains = one - other
    variance = gains.var(ddof=ddof) if paired else one.var(ddof=ddof) + other.var(ddof=ddof)
    return float(gains.mean()), float((np.sqrt(variance) if root else variance) / len(gains) ** power)


def _recipes(rng: Generator) -> list[Arguments]:
    """Accuracies by seed: much of what a seed does, it does to both."""
    return [
        (0.9 + seeds + 0.004 * rng.standard_normal(n), 0.89 + seeds + 0.004 * rng.standard_normal(n))
        for n in (3, 5, 8)
        for seeds in [0.02 * rng.standard_normal(n)]
    ]


difference = Exercise(
    "difference",
    cases=_recipes,
    reference=_difference,
    mistakes={
        "How much better is `one` than `other`? Yours has the other sign.": (
            lambda one, other: (-_difference(one, other)[0], _difference(one, other)[1])
        ),
    },
    slips={
        "That is how far a single pair strays. The mean of many strays less.": {"power": 0},
        "Independent pairs: the variance of their mean goes down by n. What does its root?": {"power": 1},
        "That is the variance of the mean: take its root.": {"power": 1, "root": False},
        "The seeds are the same on both sides. Take the difference of each pair first, and then its deviation.": {
            "paired": False
        },
        "From so few seeds the deviation is estimated: divide by one less than their number.": {"ddof": 0},
    },
)
