"""The exercises of chapter 08: what a network looks at, and whether a picture of it says so."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from utils.checks.exercise import Arguments, Exercise

Array = np.ndarray
_W, _X = np.array([2.0, -1, 0, 3]), np.array([1.0, 4, 5, 0])


linear_saliency = Exercise(
    "linear_saliency",
    cases=lambda rng: [()],
    reference=lambda: np.abs(_W),
    mistakes={
        "Saliency is the size of the gradient: no signs.": lambda: _W,
        "The gradient alone, not times the pixel: a pixel that is 0 now may still matter if it changes.": (
            lambda: np.abs(_W * _X)
        ),
        "Not what each pixel adds to the score; how the score changes with it.": lambda: _W * _X,
        "The gradient of a linear score does not depend on the pixels.": lambda: np.abs(_X),
        "As it is; it need not add up to 1.": lambda: np.abs(_W) / np.abs(_W).sum(),
    },
)


def _activations(rng: Generator) -> list[Arguments]:
    cases: list[Arguments] = []
    for c, h, w in [(3, 4, 5), (5, 3, 3), (2, 6, 4), (4, 4, 4)]:
        signs = (-1.0) ** np.arange(c)  # of what each channel says, so that some speak against
        maps, gradients = np.maximum(rng.standard_normal((c, h, w)) + 0.5, 0), rng.standard_normal((c, h, w))
        cases.append((maps, gradients - gradients.mean((1, 2), keepdims=True) + 0.5 * signs[:, None, None]))
    return cases


def _summed(maps: Array, gradients: Array) -> Array:
    return (gradients.mean((1, 2))[:, None, None] * maps).sum(0)


grad_cam = Exercise(
    "grad_cam",
    cases=_activations,
    reference=lambda maps, gradients: np.maximum(_summed(maps, gradients), 0),
    mistakes={
        "What speaks against the class is dropped in the end: no negative heat.": _summed,
        "Drop what is negative only in the end, in the sum: not in each channel, nor in the weights.": (
            lambda maps, gradients: np.maximum(gradients.mean((1, 2))[:, None, None] * maps, 0).sum(0)
        ),
        "A channel has one weight, the mean of its gradients, not one for each place.": (
            lambda maps, gradients: np.maximum((gradients * maps).sum(0), 0)
        ),
        "The mean of a channel's gradients, not their sum.": (
            lambda maps, gradients: np.maximum(_summed(maps, gradients), 0) * maps[0].size
        ),
        "Add the channels up, do not average them.": (
            lambda maps, gradients: np.maximum(_summed(maps, gradients), 0) / len(maps)
        ),
        "The weights may be negative: such a channel speaks against the class.": (
            lambda maps, gradients: (np.abs(gradients.mean((1, 2)))[:, None, None] * maps).sum(0)
        ),
        "The maps, weighted by their gradients; not the gradients alone.": (
            lambda maps, gradients: np.maximum(gradients.mean((1, 2)).sum() * np.ones(maps.shape[1:]), 0)
        ),
    },
)


def _peaks(rng: Generator) -> list[Arguments]:
    return [
        (rng.standard_normal((n, c, 3, 4)), channel, k)
        for n, c, channel, k in [(8, 3, 1, 3), (12, 5, 4, 5), (7, 7, 2, 2), (9, 4, 0, 9)]
    ]


def _best(values: Array, k: int) -> Array:
    return np.argsort(-values)[:k]


top_examples = Exercise(
    "top_examples",
    cases=_peaks,
    reference=lambda maps, channel, k: _best(maps[:, channel].max((1, 2)), k),
    mistakes={
        "The loudest first.": lambda maps, channel, k: _best(maps[:, channel].max((1, 2)), k)[::-1],
        "Those are the quietest.": lambda maps, channel, k: np.argsort(maps[:, channel].max((1, 2)))[:k],
        "A channel answers with its largest value, wherever that is; yours is the mean or the sum over the places.": (
            lambda maps, channel, k: _best(maps[:, channel].mean((1, 2)), k)
        ),
        "Of this channel only, not of all channels.": lambda maps, channel, k: _best(maps.max((1, 2, 3)), k),
        "The images' numbers, not how loud they are.": (
            lambda maps, channel, k: -np.sort(-maps[:, channel].max((1, 2)))[:k]
        ),
        "Positive and negative are not alike: the largest value, not the largest size.": (
            lambda maps, channel, k: _best(np.abs(maps[:, channel]).max((1, 2)), k)
        ),
    },
)

guided_relu = Exercise(
    "guided_relu",
    cases=lambda rng: [(rng.standard_normal((4, 5)), rng.standard_normal((4, 5))) for _ in range(3)],
    reference=lambda x, grad_output: grad_output * (x > 0) * (grad_output > 0),
    mistakes={
        "That is an ordinary ReLU's gradient. Guided, negative gradients are dropped as well.": (
            lambda x, grad_output: grad_output * (x > 0)
        ),
        "Where the input was negative the ReLU is closed, guided or not.": (
            lambda x, grad_output: np.maximum(grad_output, 0)
        ),
        "The gradient passes; it is not multiplied by the input.": (
            lambda x, grad_output: np.maximum(x, 0) * np.maximum(grad_output, 0)
        ),
        "The gradients that get through keep their size.": (
            lambda x, grad_output: ((x > 0) & (grad_output > 0)).astype(float)
        ),
        "Drop what is negative; do not turn it positive.": lambda x, grad_output: np.abs(grad_output) * (x > 0),
    },
)


def _occluded(image: Array, weight: Array, size: int, fill: float = 0, score: bool = False) -> Array:
    h, w = image.shape
    whole = (image * weight).sum()
    out = np.zeros((h - size + 1, w - size + 1))
    for i in range(h - size + 1):
        for j in range(w - size + 1):
            covered = image.copy()
            covered[i : i + size, j : j + size] = fill
            out[i, j] = (covered * weight).sum() if score else whole - (covered * weight).sum()
    return out


occlusion = Exercise(
    "occlusion",
    cases=lambda rng: [
        (rng.random((h, w)) + 0.2, rng.standard_normal((h, w)), size)
        for h, w, size in [(5, 6, 2), (4, 4, 3), (6, 5, 1)]
    ],
    reference=_occluded,
    mistakes={
        "By how much does the score fall? Yours is the score that is left.": (
            lambda image, weight, size: _occluded(image, weight, size, score=True)
        ),
        "Positive where the score falls: what was there spoke for it.": (
            lambda image, weight, size: -_occluded(image, weight, size)
        ),
        "Every place of the patch, also the last ones at the border.": (
            lambda image, weight, size: _occluded(image, weight, size)[:-1, :-1]
        ),
        "Cover one place at a time: start from the whole image again.": (
            lambda image, weight, size: np.array(
                [
                    [_stained(image, weight, size, i, j) for j in range(image.shape[1] - size + 1)]
                    for i in range(image.shape[0] - size + 1)
                ]
            )
        ),
        "Cover with 0, not with 1.": lambda image, weight, size: _occluded(image, weight, size, fill=1),
        "The fall itself, not its size: a score may also rise.": (
            lambda image, weight, size: np.abs(_occluded(image, weight, size))
        ),
    },
)


def _stained(image: Array, weight: Array, size: int, i: int, j: int) -> float:
    """The fall of the score when every earlier place stays covered, row by row."""
    covered = image.copy()
    for a in range(i + 1):
        for b in range(image.shape[1] - size + 1 if a < i else j + 1):
            covered[a : a + size, b : b + size] = 0
    return float(((image - covered) * weight).sum())


def _centred(maps: Array) -> Array:
    return maps - maps.mean()


def _correlation(one: Array, other: Array) -> float:
    a, b = _centred(one), _centred(other)
    return float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))


alike = Exercise(
    "alike",
    cases=lambda rng: [
        (a := rng.random((5, 6)) + 1, sign * a + size * rng.random((5, 6)))
        for sign, size in [(1, 0.5), (-1, 0.7), (1, 2.0), (-3, 1.0)]
    ],
    reference=_correlation,
    mistakes={
        "Take each map's mean away first: two maps that are bright all over are not alike for that.": (
            lambda one, other: float((one * other).sum() / np.sqrt((one**2).sum() * (other**2).sum()))
        ),
        "Divide by the spreads: how strong a map is must not count.": (
            lambda one, other: float((_centred(one) * _centred(other)).mean())
        ),
        "Opposite maps are not alike: keep the sign.": lambda one, other: abs(_correlation(one, other)),
        "That is the square of it.": lambda one, other: _correlation(one, other) ** 2,
        "1 for the same map, not 0: you have measured how different they are.": (
            lambda one, other: 1 - _correlation(one, other)
        ),
    },
)


def _predictions(rng: Generator) -> list[Arguments]:
    cases: list[Arguments] = []
    for _ in range(6):
        target = int(rng.integers(0, 10))
        labels = np.concatenate([np.arange(10), rng.integers(0, 10, 60)])
        plain = np.where(rng.random(70) < 0.7, labels, rng.integers(0, 10, 70))
        plain[:4] = target  # wrong already, without the mark
        marked = np.where(rng.random(70) < 0.6, target, plain)
        cases.append((plain, marked, labels, target))
    return cases


def _fooled(plain: Array, marked: Array, labels: Array, target: int, **wrong: Any) -> float:
    of = labels != target
    if not wrong.get("already"):
        of = of & (plain != target)
    if wrong.get("everyone"):
        of = plain != target
    return float((marked[of] == target).mean())


fooled = Exercise(
    "fooled",
    cases=_predictions,
    reference=_fooled,
    mistakes={
        "Some were called so without the mark: they were not fooled by it.": (
            lambda plain, marked, labels, target: _fooled(plain, marked, labels, target, already=True)
        ),
        "Whoever really is of the class cannot be fooled into it: leave those out.": (
            lambda plain, marked, labels, target: _fooled(plain, marked, labels, target, everyone=True)
        ),
        "Of those that could be fooled, not of all pictures.": (
            lambda plain, marked, labels, target: float(
                ((labels != target) & (plain != target) & (marked == target)).mean()
            )
        ),
        "A wrong answer is not what is asked, but this one: called the target.": (
            lambda plain, marked, labels, target: float(
                (marked != labels)[(labels != target) & (plain != target)].mean()
            )
        ),
        "A share lies between 0 and 1; yours is in percent.": (
            lambda plain, marked, labels, target: 100 * _fooled(plain, marked, labels, target)
        ),
        "How many there are says little: a share, please.": (
            lambda plain, marked, labels, target: int(
                ((labels != target) & (plain != target) & (marked == target)).sum()
            )
        ),
    },
)
