"""The exercises of chapter 13: counting, and comparing what can be compared."""

from __future__ import annotations

from typing import Any

from numpy.random import Generator

from utils.checks.exercise import Arguments, Exercise

Network = tuple[str, float, float]  # name, cost, accuracy
Result = tuple[str, str, float]  # network, recipe, accuracy


twice_the_side = Exercise(
    "twice_the_side",
    cases=lambda rng: [()],
    reference=lambda: (16.0, 25.6, 448.0),
    mistakes={
        "Twice the side is four times the places, and each weight is used at every place.": lambda: (8.0, 25.6, 448.0),
        "The kernels are the same, whatever the image.": lambda: (16.0, 102.4, 448.0),
        "The maps grow with the area, too.": lambda: (16.0, 25.6, 224.0),
        "Twice the side, twice the maps? Along both axes.": lambda: (8.0, 25.6, 224.0),
        "The work grows with the image: every place costs.": lambda: (4.0, 25.6, 448.0),
        "An image has two axes, not three.": lambda: (32.0, 25.6, 896.0),
    },
)


def _training(rng: Generator) -> list[Arguments]:
    cases: list[Arguments] = [(25_557_032, 111_804_320, 64, 1), (11_689_512, 23_689_120, 32, 2), (1000, 8000, 1, 0)]
    for _ in range(6):
        cases.append((int(rng.integers(10**3, 10**8)), int(rng.integers(10**3, 10**8)), int(rng.integers(2, 99)), 2))
    return cases


training_bytes = Exercise(
    "training_bytes",
    cases=_training,
    reference=lambda p, a, batch, states: batch * a + 4 * p * (2 + states),
    mistakes={
        "Every image of the batch has its own maps.": lambda p, a, batch, states: a + 4 * p * (2 + states),
        "The parameters are there once, however many images there are.": (
            lambda p, a, batch, states: batch * (a + 4 * p * (2 + states))
        ),
        "The gradients of the parameters take as much as the parameters.": (
            lambda p, a, batch, states: batch * a + 4 * p * (1 + states)
        ),
        "A number takes four bytes.": lambda p, a, batch, states: batch * a + p * (2 + states),
        "The maps are given in bytes already.": lambda p, a, batch, states: 4 * (batch * a + p * (2 + states)),
        "What the optimiser keeps for each parameter is missing.": lambda p, a, batch, states: batch * a + 8 * p,
        "That is what use takes. Learning keeps gradients, and what the optimiser remembers.": (
            lambda p, a, batch, states: batch * a + 4 * p
        ),
    },
)

intensity = Exercise(
    "intensity",
    cases=lambda rng: [
        (int(rng.integers(10**6, 10**9)), int(rng.integers(10**4, 10**8)), int(rng.integers(10**4, 10**8)), images)
        for images in (1, 2, 16, 64)
    ],
    reference=lambda macs, p, a, images: images * macs / (2 * images * a + 4 * p),
    mistakes={
        "The weights are read once for the whole batch.": lambda macs, p, a, images: macs / (2 * a + 4 * p),
        "A map is written by one layer and read by the next: it moves twice.": (
            lambda macs, p, a, images: images * macs / (images * a + 4 * p)
        ),
        "Every image is computed: the MACs are those of one.": lambda macs, p, a, images: (
            macs / (2 * images * a + 4 * p)
        ),
        "A weight takes four bytes.": lambda macs, p, a, images: images * macs / (2 * images * a + p),
        "The weights must come from memory as well.": lambda macs, p, a, images: macs / (2 * a),
        "MACs for each byte, not bytes for each MAC.": lambda macs, p, a, images: (
            (2 * images * a + 4 * p) / (images * macs)
        ),
    },
)


def _rows(rng: Generator) -> list[Arguments]:
    kinds = ["Conv2d", "Linear", "Conv2d", "BatchNorm2d", "MaxPool2d", "Linear", "Linear"]
    return [
        ([(kind, int(rng.integers(1, 10**6)), int(rng.integers(1, 10**9))) for kind in kinds[:n]],) for n in (3, 5, 7)
    ]


def _shares(rows: list[tuple[str, int, int]], kind: str = "Linear") -> tuple[float, float]:
    chosen = [row for row in rows if row[0] == kind]
    return sum(r[1] for r in chosen) / sum(r[1] for r in rows), sum(r[2] for r in chosen) / sum(r[2] for r in rows)


dense_shares = Exercise(
    "dense_shares",
    cases=_rows,
    reference=_shares,
    mistakes={
        "Those are the shares of the convolutions.": lambda rows: _shares(rows, "Conv2d"),
        "First the share of the parameters, then that of the MACs.": lambda rows: _shares(rows)[::-1],
        "Of all parameters and MACs, not of those of the convolutions.": lambda rows: tuple(
            sum(r[i] for r in rows if r[0] == "Linear") / sum(r[i] for r in rows if r[0] == "Conv2d") for i in (1, 2)
        ),
        "Weigh the layers by what they have; do not count them.": lambda rows: (
            (sum(r[0] == "Linear" for r in rows) / len(rows),) * 2
        ),
        "A share of 1 is all; do not multiply by 100.": lambda rows: tuple(100 * share for share in _shares(rows)),
    },
)


def _networks(rng: Generator) -> list[Arguments]:
    cases: list[list[Network]] = [
        [("a", 3.0, 70.0), ("b", 1.0, 60.0), ("c", 2.0, 75.0), ("d", 5.0, 80.0), ("e", 6.0, 79.0), ("f", 0.5, 50.0)]
    ]
    for _ in range(10):
        costs, accuracies = rng.permutation(60)[:12] + 1.5, rng.permutation(60)[:12] + 30.5
        cases.append(list(zip("qwertzuiopas", costs.tolist(), accuracies.tolist(), strict=True)))
    return [(case,) for case in cases]


def _names(networks: list[Network], kept: Any) -> list[str]:
    return [n for n, c, a in sorted(networks, key=lambda network: network[1]) if kept(c, a)]


def _beaten(networks: list[Network], cost: float, accuracy: float) -> bool:
    return any(c < cost and a > accuracy for _, c, a in networks)


front = Exercise(
    "front",
    cases=_networks,
    reference=lambda networks: _names(networks, lambda cost, accuracy: not _beaten(networks, cost, accuracy)),
    mistakes={
        "A network is out only if one and the same other is both cheaper and better.": (
            lambda networks: _names(
                networks, lambda cost, accuracy: not any(c < cost or a > accuracy for _, c, a in networks)
            )
        ),
        "Those are the ones that are beaten.": (
            lambda networks: _names(networks, lambda cost, accuracy: _beaten(networks, cost, accuracy))
        ),
        "Cheapest first, please: the order is by cost.": (
            lambda networks: _names(networks, lambda cost, accuracy: not _beaten(networks, cost, accuracy))[::-1]
        ),
        "There is more than one: the most accurate is on the front, and so is the cheapest, and some between.": (
            lambda networks: [max(networks, key=lambda network: network[2])[0]]
        ),
        "Cheaper and better, not dearer and better.": (
            lambda networks: _names(
                networks, lambda cost, accuracy: not any(c > cost and a > accuracy for _, c, a in networks)
            )
        ),
    },
)


def _results(rng: Generator) -> list[Arguments]:
    """Results of two networks that share one to three recipes, and have others of their own."""
    cases: list[Arguments] = []
    for shared in (1, 2, 3, 3, 2):
        one, other = (str(name) for name in rng.permutation(["A", "B", "D"])[:2])
        accuracy = iter((rng.permutation(250)[:12] / 10 + 60).round(1).tolist())
        recipes = [f"recipe {i}" for i in rng.permutation(9)]
        ours, theirs = recipes[: shared + 2], [*recipes[:shared], *recipes[shared + 2 : shared + 3]]
        results: list[Result] = [(one, recipe, next(accuracy)) for recipe in ours]
        results += [(other, recipe, next(accuracy)) for recipe in theirs] + [("C", recipes[0], 99.0)]
        cases.append(([results[i] for i in rng.permutation(len(results))], one, other))
    return cases


def _of(results: list[Result], network: str) -> dict[str, float]:
    return {recipe: accuracy for name, recipe, accuracy in results if name == network}


def _mean(values: Any) -> float:
    values = list(values)
    return sum(values) / len(values)


def _fair(results: list[Result], one: str, other: str) -> float:
    ours, theirs = _of(results, one), _of(results, other)
    return _mean(ours[recipe] - theirs[recipe] for recipe in ours.keys() & theirs.keys())


lead = Exercise(
    "lead",
    cases=_results,
    reference=_fair,
    mistakes={
        "The best of each come from different recipes.": (
            lambda results, one, other: max(_of(results, one).values()) - max(_of(results, other).values())
        ),
        "Means over all recipes compare recipes that only one of them had.": (
            lambda results, one, other: _mean(_of(results, one).values()) - _mean(_of(results, other).values())
        ),
        "The sign: positive if the first is ahead.": lambda results, one, other: -_fair(results, one, other),
        "All recipes that both have, and their mean, not only one of them.": (
            lambda results, one, other: next(
                x - _of(results, other)[recipe]
                for recipe, x in _of(results, one).items()
                if recipe in _of(results, other)
            )
        ),
        "A mean of the leads, not their sum.": (
            lambda results, one, other: (
                _fair(results, one, other) * len(_of(results, one).keys() & _of(results, other).keys())
            )
        ),
    },
)
