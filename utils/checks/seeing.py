"""The exercises of chapter 9: what a network looks at, and whether a picture of it says so."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from utils.checks.exercise import Arguments, Exercise

Array = np.ndarray
_W, _X = np.array([2.0, -1, 0, 3]), np.array([1.0, 4, 5, 0])

linear_saliency = Exercise(
    "linear_saliency",
    reference=lambda: np.abs(_W),
    mistakes={
        "Saliency is the size of the gradient: no signs.": lambda: _W,
        "The gradient alone, not times the pixel: one that is 0 now may still matter.": lambda: np.abs(_W * _X),
        "Not what each pixel adds to the score; how the score changes with it.": lambda: _W * _X,
        "The gradient of a linear score does not depend on the pixels.": lambda: np.abs(_X),
        "As it is; it need not add up to 1.": lambda: np.abs(_W) / np.abs(_W).sum(),
        "The third pixel is not in the score; the fourth is.": lambda: np.array([2.0, 1, 3, 0]),
        "A number for each pixel; the constant belongs to none.": lambda: np.array([2.0, 1, 0, 3, 1]),
    },
)


def _activations(rng: Generator) -> list[Arguments]:
    cases: list[Arguments] = []
    for c, h, w in [(3, 4, 5), (5, 3, 3), (2, 6, 4), (4, 4, 4)]:
        signs = (-1.0) ** np.arange(c)  # of what each channel says, so that some speak against
        maps, gradients = np.maximum(rng.standard_normal((c, h, w)) + 0.5, 0), rng.standard_normal((c, h, w))
        cases.append((maps, gradients - gradients.mean((1, 2), keepdims=True) + 0.5 * signs[:, None, None]))
    return cases


def _cam(
    maps: Array, gradients: Array, mean: Any = lambda g: g.mean((1, 2)), done: Any = np.sum, last: float = 0, **how: Any
) -> Array:
    heat = mean(gradients).reshape(len(maps), *[1] * 2) * maps
    heat = done(how.get("each", np.asarray)(heat), axis=0)
    return np.asarray(np.maximum(heat, last))


grad_cam = Exercise(
    "grad_cam",
    cases=_activations,
    reference=_cam,
    mistakes={
        "A channel has one weight, the mean of its gradients, not one for each place.": (
            lambda maps, gradients: np.maximum((gradients * maps).sum(0), 0)
        ),
        "A channel's gradients are averaged over its places, not over the channels.": (
            lambda maps, gradients: np.maximum((gradients.mean(0) * maps).sum(0), 0)
        ),
        "A map for all channels together: add them up.": lambda a, g: np.maximum(g.mean((1, 2))[:, None, None] * a, 0),
    },
    slips={
        "What speaks against the class is dropped in the end: no negative heat.": {"last": -np.inf},
        "Drop what is negative only in the end, in the sum, not in each channel.": {
            "each": lambda heat: np.maximum(heat, 0)
        },
        "The mean of a channel's gradients, not their sum.": {"mean": lambda g: g.sum((1, 2))},
        "The mean of a channel's gradients, not the largest.": {"mean": lambda g: g.max((1, 2))},
        "Add the channels up, do not average them.": {"done": np.mean},
        "Weights may be negative: such a channel speaks against the class.": {"mean": lambda g: np.abs(g.mean((1, 2)))},
    },
)


def _peaks(rng: Generator) -> list[Arguments]:
    return [
        (rng.standard_normal((n, c, 3, 4)), channel, k)
        for n, c, channel, k in [(8, 3, 1, 3), (12, 5, 4, 5), (7, 7, 2, 2), (9, 4, 0, 9)]
    ]


def _best(values: Array, k: int) -> Array:
    return np.argsort(-values)[:k]


def _loudest(maps: Array, channel: int, k: int, first: int = 0, up: bool = False, **how: Any) -> Array:
    seen = maps.reshape(len(maps), -1) if how.get("every") else maps[:, channel].reshape(len(maps), -1)
    best = _best(how.get("answer", np.max)(seen, axis=1) * (-1 if how.get("quiet") else 1), k)
    return (best[::-1] if up else best) + first


top_examples = Exercise(
    "top_examples",
    cases=_peaks,
    reference=_loudest,
    mistakes={
        "The images' numbers, not how loud they are.": lambda a, channel, k: -np.sort(-a[:, channel].max((1, 2)))[:k],
        "The first k of them, no more.": lambda maps, channel, k: _best(maps[:, channel].max((1, 2)), len(maps)),
    },
    slips={
        "The loudest first.": {"up": True},
        "Those are the quietest.": {"quiet": True},
        "A channel answers with its largest value; yours is a mean or a sum.": {"answer": np.mean},
        "Of this channel only, not of all channels.": {"every": True},
        "Positive and negative are not alike: the largest value, not the largest size.": lambda m, c, k: (abs(m), c, k),
    },
)

guided_relu = Exercise(
    "guided_relu",
    cases=lambda rng: [(rng.standard_normal((4, 5)), rng.standard_normal((4, 5))) for _ in range(3)],
    reference=lambda x, grad_output: grad_output * (x > 0) * (grad_output > 0),
    mistakes={
        "That is an ordinary ReLU's. Guided, negative gradients are dropped as well.": (
            lambda x, grad_output: grad_output * (x > 0)
        ),
        "Where the input was negative the ReLU is closed, guided or not.": lambda x, g: np.maximum(g, 0),
        "The gradient passes; it is not multiplied by the input.": lambda x, g: np.maximum(x, 0) * np.maximum(g, 0),
        "The gradients that get through keep their size.": lambda x, g: ((x > 0) & (g > 0)).astype(float),
        "Drop what is negative; do not turn it positive.": lambda x, grad_output: np.abs(grad_output) * (x > 0),
        "What comes back passes where both are positive; yours, where both are negative.": (
            lambda x, grad_output: grad_output * (x < 0) * (grad_output < 0)
        ),
    },
)


def _occluded(
    image: Array, weight: Array, size: int, fill: float = 0, score: bool = False, fresh: bool = True
) -> Array:
    h, w = image.shape
    out, covered = np.zeros((h - size + 1, w - size + 1)), image.copy()
    for i in range(h - size + 1):
        for j in range(w - size + 1):
            covered = image.copy() if fresh else covered
            covered[i : i + size, j : j + size] = fill
            out[i, j] = (covered * weight).sum() if score else ((image - covered) * weight).sum()
    return out


occlusion = Exercise(
    "occlusion",
    cases=lambda rng: [
        (rng.random((h, w)) + 0.2, rng.standard_normal((h, w)), size)
        for h, w, size in [(5, 6, 2), (4, 4, 3), (6, 5, 1)]
    ],
    reference=_occluded,
    mistakes={
        "At every place where the square fits, also where it overlaps the one before.": (
            lambda image, weight, size: _occluded(image, weight, size)[::size, ::size]
        ),
    },
    slips={
        "By how much does the score fall? Yours is the score that is left.": {"score": True},
        "Cover one place at a time: start from the whole image again.": {"fresh": False},
        "Cover with 0, not with 1.": {"fill": 1},
    },
)


def _centred(maps: Array) -> Array:
    return maps - maps.mean()


def _correlation(one: Array, other: Array, means: Any = _centred, power: float = 0.5, sign: Any = None) -> Any:
    a, b = means(one), means(other)
    alike = (a * b).sum() / ((a**2).sum() * (b**2).sum()) ** power
    return sign(alike) if sign else alike


alike = Exercise(
    "alike",
    cases=lambda rng: [
        (a := rng.random((5, 6)) + 1, sign * a + size * rng.random((5, 6)))
        for sign, size in [(1, 0.5), (-1, 0.7), (1, 2.0), (-3, 1.0)]
    ],
    reference=_correlation,
    mistakes={
        "Divide by the spreads: strength must not count.": lambda one, other: (_centred(one) * _centred(other)).mean(),
        "The spreads are roots: you divide by the variances.": (
            lambda one, other: (_centred(one) * _centred(other)).mean() / one.var() / other.var()
        ),
        "Sums by sums, or means by means: one of yours divides by one less.": (
            lambda *maps: _correlation(*maps) * 30 / 29
        ),
        "One number for two maps: lay each out as a row.": lambda one, other: np.corrcoef(one, other),
        "One number, not the table of all pairs.": lambda one, other: np.corrcoef(one.ravel(), other.ravel()),
        "1 for the same map, not 0: you have measured how different they are.": lambda *case: 1 - _correlation(*case),
    },
    slips={
        "Take each map's mean away first: two bright maps are not alike for that.": {"means": np.asarray},
        "Opposite maps are not alike: keep the sign.": {"sign": np.abs},
        "That is the square of it.": {"sign": np.square},
        "Divide by the root: squares were added up.": {"power": 1},
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


def _fooled(
    plain: Array, marked: Array, labels: Array, target: int, already: bool = False, everyone: bool = False, **how: Any
) -> Any:
    of = np.full(len(labels), True) if everyone else labels != target
    of = of & (plain == labels) if how.get("right") else of if already else of & (plain != target)
    hit = (marked != labels) if how.get("any") else (marked == target)
    return how.get("scale", 1) * hit[of].sum() / how.get("over", lambda of: of.sum())(of)


fooled = Exercise(
    "fooled",
    cases=_predictions,
    reference=_fooled,
    slips={
        "Some were called so without the mark: they were not fooled by it.": {"already": True},
        "Whoever really is of the class cannot be fooled into it: leave those out.": {"everyone": True},
        "That is how often the marked are called the target. Who could be fooled?": {"already": True, "everyone": True},
        "Also who was wrong without the mark can be fooled by it, if not called the target.": {"right": True},
        "Of those that could be fooled, not of all pictures.": {"over": len},
        "A wrong answer is not what is asked, but this one: called the target.": {"any": True},
        "A share lies between 0 and 1; yours is in percent.": {"scale": 100},
        "How many there are says little: a share, please.": {"over": lambda of: 1},
    },
)


def _input(
    image: Array, axes: tuple[int, ...] = (2, 0, 1), minus: float = 127, by: float = 128, done: Any = np.asarray
) -> Array:
    return np.asarray(done((image.transpose(axes).astype(float) - minus) / by))[None]


network_input = Exercise(
    "network_input",
    cases=lambda rng: [(rng.integers(0, 256, (h, w, 3), np.uint8),) for h, w in [(4, 5), (5, 3), (4, 4)]],
    reference=_input,
    mistakes={
        "A byte cannot be negative: yours have come round from 0 to 255. First make floating-point numbers of them.": (
            lambda image: ((image - np.uint8(127)) / 128).transpose(2, 0, 1)[None]
        ),
        "Move the last axis to the front. `reshape` leaves the numbers in a row, and cuts that row elsewhere.": (
            lambda image: (image.reshape(3, *image.shape[:2]).astype(float) - 127)[None] / 128
        ),
        "The network takes batches: one picture is a batch of one.": lambda image: _input(image)[0],
        "First take 127 away, then divide.": lambda image: _input(image, minus=0, by=128) - 127,
        "It has learned from whole numbers, not from 0 to 1.": lambda image: _input(image, minus=0, by=255),
    },
    slips={
        "Rows and columns are swapped: your picture lies on its side.": {"axes": (2, 1, 0)},
        "The channels come first.": {"axes": (0, 1, 2)},
        "Where are the 127 that are taken away?": {"minus": 0},
        "Where is the division by 128?": {"by": 1},
        "Red comes first: you have turned the channels round.": {"done": lambda planes: planes[::-1]},
    },
)


def _features(rng: Generator) -> list[Arguments]:
    """As many classes as channels, so that rows and columns can be mixed up."""
    return [
        (np.maximum(rng.standard_normal((c, h, w)), 0), rng.standard_normal((c, c)), int(rng.integers(c)))
        for c, h, w in [(6, 3, 4), (5, 4, 2), (7, 3, 3)]
    ]


def _activation_map(
    features: Array, weights: Array, label: int, row: Any = lambda w, label: w[label], done: Any = np.asarray
) -> Array:
    return np.asarray(done(np.tensordot(row(weights, label), features, 1)))


activation_map = Exercise(
    "activation_map",
    cases=_features,
    reference=_activation_map,
    mistakes={
        "A number for each place; you have their mean, which is the score.": lambda *case: _activation_map(
            *case
        ).mean(),
        "A map of this one class, not of all.": lambda f, w, label: np.tensordot(w, f, 1),
        "Add the channels up, each times its weight.": lambda f, w, label: w[label][:, None, None] * f,
    },
    slips={
        "A class's weights are a row of `weights`, not a column.": {"row": lambda w, label: w[:, label]},
        "A negative weight speaks against the class, and has to count so.": {"row": lambda w, label: abs(w[label])},
        "Here what speaks against the class stays: the mean has to be the score.": {"done": lambda m: np.maximum(m, 0)},
        "The mean over the places is the score: do not divide by their number as well.": {"done": lambda m: m / m.size},
        "Leave it in the units of the score.": {"done": lambda m: m / m.sum()},
        "Add the channels up; do not average them.": {"row": lambda w, label: w[label] / len(w)},
    },
)
