"""The exercises of chapter 07: a small network counted, and the parts of a training loop."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray as Array
from numpy.random import Generator

from utils.checks.exercise import Arguments, Exercise
from utils.checks.own_numbers import Numbers


def _counted(
    bias: int = 1,
    added: int = 0,
    maps: int = 8,
    side: int = 3,
    areas: Any = (9, 16),
    places: Any = (324, 36),
    work: int = 1,
    order: int = 1,
) -> list[tuple[int, int]]:
    layers = [(8, areas[0], places[0]), (12, maps * areas[1], places[1]), (30, 12 * side**2, 1), (10, 30, 1)]
    return [(units * (reads + bias), units * at * (work * reads + added))[::order] for units, reads, at in layers]


counted = Exercise(
    "counted",
    reference=_counted,
    slips={
        "Parameters first, then MACs.": {"order": -1},
        "Each kernel and each unit has a bias, which is a parameter, too.": {"bias": 0},
        "A bias is added, but multiplied with nothing: no MAC.": {"added": 1},
        "The dense layer reads every number of the last map, not one for each channel.": {"side": 1},
        "Where is the second pooling? It makes the map smaller before the dense layer reads it.": {"side": 6},
        "The second layer's kernels read all the maps of the first.": {"maps": 1},
        "Count a weight once for each place of the layer's output, not of its input.": {"places": (400, 81)},
        "The convolutions work before the pooling: at every place, kept afterwards or not.": {"places": (81, 9)},
        "A weight works at every place of the map, not once.": {"places": (1, 1)},
        "A kernel has as many rows of weights as columns.": {"areas": (3, 4)},
        "A multiplication and the addition that follows are one MAC.": {"work": 2},
    },
)

_EPOCHS = Numbers(
    "{images:,} images go through a network in batches of {batch}, for {epochs} epochs.",
    images=range(520, 2000, 10),
    batch=(16, 32, 48, 64, 100, 128),
    epochs=range(3, 13),
)


@_EPOCHS
def steps(images: int = 1050, batch: int = 64, epochs: int = 8) -> Exercise:
    """How often the optimiser takes a step."""
    return Exercise(
        "steps",
        reference=lambda batches=-(-images // batch), epochs=epochs: batches * epochs,
        mistakes={
            "Every epoch begins anew: no batch has images of two epochs.": lambda: -(-images * epochs // batch),
            "Do not round at the end: it is the batches of an epoch that are whole.": lambda: images * epochs // batch,
        },
        slips={
            "The images that are left over make a batch as well, a smaller one.": {"batches": images // batch},
            "The last batch is smaller, but its step is a whole one.": {"batches": images / batch},
            "One step for each batch, not for each image.": {"batches": images},
            "A step for each batch: how many are there?": {"batches": batch},
            "That is one epoch.": {"epochs": 1},
        },
    )


def _scores(rng: Generator) -> list[Array]:
    return [3 * rng.standard_normal(shape) for shape in [(3, 4), (2, 5), (5, 3)]]


def _softmax(scores: Array, axis: int | None = 1, over: Any = 1, shares: bool = True) -> Array:
    """Shares along an axis, after taking off the largest score over another, if any."""
    with np.errstate(all="ignore"):
        powers = np.exp(scores if over == "none" else scores - scores.max(axis=over, keepdims=True))
        return np.asarray(powers / powers.sum(axis=axis, keepdims=True) if shares else powers)


def _large(rng: Generator) -> list[Arguments]:
    few, shifts = rng.standard_normal((2, 3)), np.array([[1000], [0]])
    return [
        (scores,) for scores in [*_scores(rng), few + shifts, few - shifts, np.outer([1.0, -1.0], [1000, -1000, 0])]
    ]


softmax = Exercise(
    "softmax",
    cases=_large,
    reference=_softmax,
    mistakes={
        "Your probabilities add up to 1 down the columns; and think of scores of 1000.": (
            lambda scores: _softmax(scores, 0, "none")
        ),
        "Where is the exponential? Scores over their sum can be negative.": lambda x: x / x.sum(axis=1, keepdims=True),
        "Those are the logarithms of the probabilities.": lambda scores: (
            scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
        ),
    },
    slips={
        "Fine for small scores. e to the 1000 is no number; but a row's scores may all move.": {"over": "none"},
        "A row is an image, and its probabilities add up to 1. Yours do so down the columns.": {"axis": 0, "over": 0},
        "Each row's probabilities add up to 1; yours do so over the whole batch.": {"axis": None},
        "Probabilities are to add up to 1 along each row, and yours do so over all rows.": {"axis": None, "over": None},
        "The largest score of the batch may be far above all of another row: that row becomes 0 / 0.": {"over": None},
        "Those are no probabilities yet: they do not add up to 1.": {"shares": False},
    },
)


def _labelled(rng: Generator) -> list[Arguments]:
    # No label is that of the largest score everywhere, and no two images of a batch have the same.
    return [(scores, rng.permutation(scores.shape[1])[: len(scores)]) for scores in _scores(rng)[:2]] + [
        (3 * rng.standard_normal((4, 6)), rng.permutation(6)[:4])
    ]


def _shares(scores: Array, labels: Array) -> Array:
    return np.asarray(_softmax(scores)[np.arange(len(labels)), labels])


def _loss(scores: Array, labels: Array, sign: int = -1, done: Any = np.mean, log: Any = np.log) -> Any:
    return done(sign * log(_shares(scores, labels)))


cross_entropy = Exercise(
    "cross_entropy",
    cases=_labelled,
    reference=_loss,
    mistakes={
        "First the logarithm of each image's probability, then the mean; not the other way round.": (
            lambda scores, labels: -np.log(_shares(scores, labels).mean())
        ),
        "The probability of the right class, not the largest one.": lambda z, y: (
            -np.log(_softmax(z).max(axis=1)).mean()
        ),
        "[:, labels] takes all those columns from every row. Each row has a label of its own.": (
            lambda scores, labels: -np.log(_softmax(scores)[:, labels]).mean()
        ),
        "All classes count in yours. Only the right one does.": lambda scores, labels: -np.log(_softmax(scores)).mean(),
        "One softmax too many: probabilities are no scores.": lambda scores, labels: _loss(_softmax(scores), labels),
        "Make probabilities of the scores first.": lambda scores, labels: (
            -scores[np.arange(len(labels)), labels].mean()
        ),
    },
    slips={
        "That grows with the batch: take the mean over its images.": {"done": np.sum},
        "That is a loss for each image; one number is wanted.": {"done": np.asarray},
        "A loss is not negative, and falls as the probability of the right class grows.": {"sign": 1},
        "Where is the logarithm?": {"log": np.asarray},
        "The natural logarithm, not that to the base of 2.": {"log": np.log2},
        "The natural logarithm, not that to the base of 10.": {"log": np.log10},
        "Classes are counted from 0 already.": lambda scores, labels: (scores, labels - 1),
    },
)


def _weights(rng: Generator) -> list[Arguments]:
    return [
        (*rng.standard_normal((3, *shape)), float(rng.uniform(0.1, 0.4)), float(rng.uniform(0.6, 0.95)))
        for shape in [(3,), (2, 4), (5,)]
    ]


def _step(w: Array, v: Array, rate: float) -> tuple[Array, Array]:
    return w - rate * v, v


def _sgd(
    weights: Array, velocity: Array, gradient: Array, rate: float, momentum: float, up: int = -1
) -> tuple[Array, Array]:
    after = momentum * velocity + gradient
    return weights + up * rate * after, after


sgd = Exercise(
    "sgd",
    cases=_weights,
    reference=_sgd,
    mistakes={
        "That step is the gradient's alone. Where is the momentum?": lambda w, v, g, rate, m: (w - rate * g, m * v + g),
        "First the velocity, then the step: yours takes the old one.": (
            lambda w, v, g, rate, m: (w - rate * v, m * v + g)
        ),
        "The rate is no part of the velocity; it multiplies the step.": (
            lambda w, v, g, r, m: _step(w, m * v + r * g, 1)
        ),
        "The rate and the minus come in when the weights move. The velocity gathers gradients as they are.": (
            lambda w, v, g, rate, m: (w + m * v - rate * g, m * v - rate * g)
        ),
        "That is how Nesterov looks ahead: here the weights move by the new velocity itself.": (
            lambda w, v, g, rate, m: (w - rate * (g + m * (m * v + g)), m * v + g)
        ),
        "PyTorch adds the whole gradient to the velocity, not a share of 1 − momentum.": (
            lambda w, v, g, rate, m: _step(w, m * v + (1 - m) * g, rate)
        ),
        "Weights first, velocity second.": lambda *case: _sgd(*case)[::-1],
        "The new velocity is wanted as well.": lambda *case: _sgd(*case)[0],
    },
    slips={
        "That is a step up. The gradient points to where the loss grows.": {"up": 1},
        "Momentum shrinks the old velocity, not the gradient.": lambda w, v, g, rate, m: (w, v / m, m * g, rate, m),
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
        "None of your counts is above 1: = writes 1, and += with lists of indices counts a place once.": (
            lambda labels, predicted, classes: np.minimum(_table(labels, predicted, classes), 1)
        ),
        "Counts, not fractions.": lambda labels, predicted, classes: _table(labels, predicted, classes) / len(labels),
        "Counts, no fractions of a row.": lambda *case: (
            _table(*case) / np.maximum(_table(*case).sum(1, keepdims=True), 1)
        ),
        "[[0] * n] * n is one list, n times: all your rows are the same.": (
            lambda *x: np.tile(_table(*x).sum(0), (x[2], 1))
        ),
        "Only mistakes are in yours; the right answers go on the diagonal.": (
            lambda labels, predicted, classes: _table(labels, predicted, classes) * (1 - np.eye(classes))
        ),
        "Only right answers are in yours. Where are the mistakes?": lambda y, p, n: _table(y, p, n) * np.eye(n),
    },
    slips={
        "A row for each true class, a column for what it was taken for; yours is the other way round.": (
            lambda labels, predicted, classes: (predicted, labels, classes)
        ),
        "Classes are counted from 0 already.": lambda labels, predicted, n: (labels - 1, predicted - 1, n),
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


def _units(budget: int, inputs: int, classes: int, own: int = 1, scores: int = 1, read: int = 1, up: int = 0) -> int:
    price = inputs + own + read * classes
    return (budget - scores * classes + up * (price - 1)) // price


hidden = Exercise(
    "hidden",
    cases=_budgets,
    reference=_units,
    slips={
        "Every hidden unit has a bias, too.": {"own": 0},
        "The scores have biases as well; they are to be paid however few units there are.": {"scores": 0},
        "No bias at all? Hidden units and scores have one each.": {"own": 0, "scores": 0},
        "A hidden unit is also read: it costs a weight for each score.": {"read": 0},
        "That costs more than the budget: round down.": {"up": 1},
    },
)
