"""The exercises of chapter 07: a small network counted, and the parts of a training loop."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from utils.checks.exercise import Arguments, Exercise

Array = np.ndarray

counted = Exercise(
    "counted",
    cases=lambda rng: [()],
    reference=lambda: [(80, 23328), (1548, 55296), (3270, 3240), (310, 300)],
    mistakes={
        "Each kernel and each unit has a bias, which is a parameter, too.": (
            lambda: [(72, 23328), (1536, 55296), (3240, 3240), (300, 300)]
        ),
        "A bias is added, but multiplied with nothing: no MAC.": (
            lambda: [(80, 25920), (1548, 55728), (3270, 3270), (310, 310)]
        ),
        "The dense layer reads every number of the last map, not one for each channel.": (
            lambda: [(80, 23328), (1548, 55296), (390, 360), (310, 300)]
        ),
        "Where is the second pooling? It makes the map smaller before the dense layer reads it.": (
            lambda: [(80, 23328), (1548, 55296), (12990, 12960), (310, 300)]
        ),
        "The second layer's kernels read all the maps of the first.": (
            lambda: [(80, 23328), (204, 6912), (3270, 3240), (310, 300)]
        ),
        "Count a weight once for each place of the layer's output, not of its input.": (
            lambda: [(80, 28800), (1548, 124416), (3270, 3240), (310, 300)]
        ),
        "The convolutions work before the pooling: at every place, kept afterwards or not.": (
            lambda: [(80, 5832), (1548, 13824), (3270, 3240), (310, 300)]
        ),
        "A multiplication and the addition that follows are one MAC.": (
            lambda: [(80, 46656), (1548, 110592), (3270, 6480), (310, 600)]
        ),
    },
)

steps = Exercise(
    "steps",
    cases=lambda rng: [()],
    reference=lambda: 136,
    mistakes={
        "The images that are left over make a batch as well, a smaller one.": lambda: 128,
        "Every epoch begins anew: no batch has images of two epochs.": lambda: 132,
        "That is one epoch.": lambda: 17,
        "One step for each batch, not for each image.": lambda: 8400,
        "The last batch is smaller, but its step is a whole one.": lambda: 131.25,
    },
)


def _scores(rng: Generator) -> list[Array]:
    return [3 * rng.standard_normal(shape) for shape in [(3, 4), (2, 5), (5, 3)]]


def _softmax(scores: Array, axis: int | None = 1, over: int | None = 1) -> Array:
    """Shares along an axis, after taking off the largest score over another."""
    with np.errstate(all="ignore"):
        powers = np.exp(scores - scores.max(axis=over, keepdims=True))
        return powers / powers.sum(axis=axis, keepdims=True)


def _naive(scores: Array, axis: int | None = 1) -> Array:
    with np.errstate(all="ignore"):
        return np.exp(scores) / np.exp(scores).sum(axis=axis, keepdims=True)


def _powers(scores: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(np.exp(scores))


def _large(rng: Generator) -> list[Arguments]:
    few, shifts = rng.standard_normal((2, 3)), np.array([[1000], [0]])
    return [(scores,) for scores in [*_scores(rng), few + shifts, few - shifts]]


softmax = Exercise(
    "softmax",
    cases=_large,
    reference=_softmax,
    mistakes={
        "Fine for small scores. e to the 1000 is no number; but shares stay as they are if a row's scores all move.": (
            _naive
        ),
        "A row is an image, and its shares add up to 1. Yours do so down the columns.": lambda scores: _softmax(
            scores, 0, 0
        ),
        "It is down the columns that your shares add up to 1; and then think of scores of 1000.": (
            lambda scores: _naive(scores, 0)
        ),
        "Each row's shares add up to 1; yours do so over the whole batch.": lambda scores: _softmax(scores, None, None),
        "The largest score of the batch may be far above all of another row: that row becomes 0 / 0.": (
            lambda scores: _softmax(scores, 1, None)
        ),
        "Where is the exponential? Shares of the scores themselves can be negative.": (
            lambda scores: scores / scores.sum(axis=1, keepdims=True)
        ),
        "Those are the logarithms of the shares.": lambda scores: (
            scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
        ),
        "Those are no shares yet: they do not add up to 1.": _powers,
    },
)


def _labelled(rng: Generator) -> list[Arguments]:
    # No label is that of the largest score everywhere, and no two images of a batch have the same.
    return [(scores, rng.permutation(scores.shape[1])[: len(scores)]) for scores in _scores(rng)[:2]] + [
        (3 * rng.standard_normal((4, 6)), rng.permutation(6)[:4])
    ]


def _shares(scores: Array, labels: Array) -> Array:
    return np.asarray(_softmax(scores)[np.arange(len(labels)), labels])


cross_entropy = Exercise(
    "cross_entropy",
    cases=_labelled,
    reference=lambda scores, labels: -np.log(_shares(scores, labels)).mean(),
    mistakes={
        "That grows with the batch: take the mean over its images.": (
            lambda scores, labels: -np.log(_shares(scores, labels)).sum()
        ),
        "A loss is not negative, and falls as the share of the right class grows.": (
            lambda scores, labels: np.log(_shares(scores, labels)).mean()
        ),
        "That is a loss for each image; one number is wanted.": lambda scores, labels: -np.log(_shares(scores, labels)),
        "One softmax too many: apply it once.": lambda scores, labels: (
            -np.log(_shares(_softmax(scores), labels)).mean()
        ),
        "The natural logarithm, as in PyTorch.": lambda scores, labels: -np.log2(_shares(scores, labels)).mean(),
        "First the logarithm of each image's share, then the mean; not the other way round.": (
            lambda scores, labels: -np.log(_shares(scores, labels).mean())
        ),
        "The share of the right class, not the largest one.": (
            lambda scores, labels: -np.log(_softmax(scores).max(axis=1)).mean()
        ),
        "[:, labels] takes all those columns from every row. Each row has a label of its own.": (
            lambda scores, labels: -np.log(_softmax(scores)[:, labels]).mean()
        ),
        "All classes count in yours. Only the right one does.": lambda scores, labels: -np.log(_softmax(scores)).mean(),
    },
)


def _weights(rng: Generator) -> list[Arguments]:
    return [
        (*rng.standard_normal((3, *shape)), float(rng.uniform(0.1, 0.4)), float(rng.uniform(0.6, 0.95)))
        for shape in [(3,), (2, 4), (5,)]
    ]


def _step(w: Array, v: Array, rate: float) -> tuple[Array, Array]:
    return w - rate * v, v


sgd = Exercise(
    "sgd",
    cases=_weights,
    reference=lambda w, v, g, rate, m: _step(w, m * v + g, rate),
    mistakes={
        "That is a step up. The gradient points to where the loss grows.": (
            lambda w, v, g, rate, m: (w + rate * (m * v + g), m * v + g)
        ),
        "The step is what the gradient alone would do. Where is the momentum?": (
            lambda w, v, g, rate, m: (w - rate * g, m * v + g)
        ),
        "First the new velocity, then the step: yours goes with the old one.": (
            lambda w, v, g, rate, m: (w - rate * v, m * v + g)
        ),
        "In PyTorch the rate is no part of the velocity; it multiplies the step.": (
            lambda w, v, g, rate, m: _step(w, m * v + rate * g, 1)
        ),
        "PyTorch adds the whole gradient to the velocity, not a share of 1 − momentum.": (
            lambda w, v, g, rate, m: _step(w, m * v + (1 - m) * g, rate)
        ),
        "Momentum shrinks the old velocity, not the gradient.": lambda w, v, g, rate, m: _step(w, v + m * g, rate),
        "Weights first, velocity second.": lambda w, v, g, rate, m: _step(w, m * v + g, rate)[::-1],
    },
)


def _named(rng: Generator) -> list[Arguments]:
    """Labels and answers: one confusion occurs several times, the last class never, the one before it always."""
    cases = []
    for classes, more in [(3, 12), (5, 20), (4, 9)]:
        labels = np.concatenate([[0, 0, 0, 1, 0, classes - 2], rng.integers(0, classes - 1, more)])
        predicted = np.concatenate([[1, 1, 1, 1, 0, 0], rng.integers(0, classes - 1, more)])
        order = rng.permutation(len(labels))
        if (_table(labels, predicted, classes) == _table(predicted, labels, classes)).all():
            return _named(rng)
        cases.append((labels[order], predicted[order], classes))
    return cases


def _table(labels: Array, predicted: Array, classes: int) -> Array:
    table = np.zeros((classes, classes), int)
    np.add.at(table, (labels, predicted), 1)
    return table


confusion = Exercise(
    "confusion",
    cases=_named,
    reference=_table,
    mistakes={
        "A row for each true class, a column for what it was taken for; yours is the other way round.": (
            lambda labels, predicted, classes: _table(predicted, labels, classes)
        ),
        "None of your counts is above 1: with lists of indices, += counts a place once, however often it is named.": (
            lambda labels, predicted, classes: np.minimum(_table(labels, predicted, classes), 1)
        ),
        "Counts, not shares.": lambda labels, predicted, classes: _table(labels, predicted, classes) / len(labels),
        "Only mistakes are in yours; the right answers go on the diagonal.": (
            lambda labels, predicted, classes: _table(labels, predicted, classes) * (1 - np.eye(classes))
        ),
        "A class that does not occur here has a row and a column all the same.": (
            lambda labels, predicted, classes: _table(labels, predicted, classes)[:-1, :-1]
        ),
        "Only right answers are in yours. Where are the mistakes?": (
            lambda labels, predicted, classes: _table(labels, predicted, classes) * np.eye(classes)
        ),
    },
)


def _budgets(rng: Generator) -> list[Arguments]:
    cases: list[Arguments] = []
    for _ in range(8):
        inputs, classes = int(rng.integers(20, 800)), int(rng.integers(3, 30))
        units = int(rng.integers(2 * inputs, 4 * inputs))
        price = inputs + 1 + classes
        for money in (
            units * price + classes,  # just enough
            units * price + classes - 1,  # one too few
            units * (price - 1) + classes - 1,  # enough for units without biases, but not for the scores'
        ):
            cases.append((money, inputs, classes))
    return cases


hidden = Exercise(
    "hidden",
    cases=_budgets,
    reference=lambda budget, inputs, classes: (budget - classes) // (inputs + 1 + classes),
    mistakes={
        "Every hidden unit has a bias, too.": lambda budget, inputs, classes: (budget - classes) // (inputs + classes),
        "The scores have biases as well; they are to be paid however few units there are.": (
            lambda budget, inputs, classes: budget // (inputs + 1 + classes)
        ),
        "No bias at all? Hidden units and scores have one each.": (
            lambda budget, inputs, classes: budget // (inputs + classes)
        ),
        "A hidden unit is also read: it costs a weight for each score.": (
            lambda budget, inputs, classes: budget // (inputs + 1)
        ),
        "That costs more than the budget: round down.": (
            lambda budget, inputs, classes: -((classes - budget) // (inputs + 1 + classes))
        ),
    },
)
