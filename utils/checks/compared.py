"""The exercises of chapter 14: counting, and comparing what can be compared."""

from __future__ import annotations

from functools import partial
from typing import Any

from numpy.random import Generator

from utils.checks.exercise import Arguments, Exercise

Network = tuple[str, float, float]  # name, cost, accuracy
Result = tuple[str, str, float]  # network, recipe, accuracy


twice_the_side = Exercise(
    "twice_the_side",
    reference=lambda work=4.0, kernels=1.0, maps=4.0: (4.0 * work, 25.6 * kernels, 112.0 * maps),
    mistakes={"An image has two axes, not three.": lambda: (32.0, 25.6, 896.0)},
    slips={
        "Twice the side is four times the places, and each weight is used at every place.": {"work": 2.0},
        "The work grows with the image: every place costs.": {"work": 1.0},
        "The kernels are the same, whatever the image.": {"kernels": 4.0},
        "The kernels are the same, however wide the image.": {"kernels": 2.0},
        "The maps grow with the area, too.": {"maps": 2.0},
        "The maps are as large as the image makes them.": {"maps": 1.0},
        "Twice the side, twice the maps? Along both axes.": {"work": 2.0, "maps": 2.0},
    },
)


def _training(rng: Generator) -> list[Arguments]:
    cases: list[Arguments] = [(25_557_032, 86_334_464, 64, 1), (11_689_512, 22_256_640, 32, 2), (1000, 8000, 1, 0)]
    for _ in range(6):
        cases.append((int(rng.integers(10**3, 10**8)), int(rng.integers(10**3, 10**8)), int(rng.integers(2, 99)), 2))
    return cases


def _bytes(parameters: int, kept_bytes: int, batch: int, states: int, slopes: int = 1, **wrong: Any) -> int:
    maps = wrong.get("map_size", 1) * wrong.get("images", batch) * kept_bytes * wrong.get("twice", 1)
    return maps + wrong.get("size", 4) * parameters * (1 + slopes + states) * (batch if wrong.get("each") else 1)


training_bytes = Exercise(
    "training_bytes",
    cases=_training,
    reference=_bytes,
    mistakes={
        "What the optimiser keeps are numbers for each parameter, of four bytes: yours adds a few alone.": (
            lambda p, a, batch, states: batch * a + 8 * p + states
        ),
        "What the optimiser keeps has four bytes a number.": lambda p, a, batch, n: batch * a + 8 * p + n * p,
    },
    slips={
        "Every image of the batch has its own maps.": {"images": 1},
        "The parameters are there once, however many images there are.": {"each": True},
        "The gradients of the parameters take as much as the parameters.": {"slopes": 0},
        "A number takes four bytes.": {"size": 1},
        "The maps are given in bytes already.": {"map_size": 4},
        "The gradients are those of the parameters; maps are counted once.": {"twice": 2},
        "What the optimiser keeps for each parameter is missing.": lambda p, a, batch, states: (p, a, batch, 0),
    },
)


def _intensity(
    macs: int, parameters: int, activation_bytes: int, images: int, moves: int = 2, size: int = 4, **wrong: Any
) -> float:
    maps = moves * activation_bytes * wrong.get("maps", images) * wrong.get("map_size", 1)
    work = macs * wrong.get("work", images)
    return work / (maps + size * parameters * (images if wrong.get("each") else 1))


intensity = Exercise(
    "intensity",
    cases=lambda rng: [
        (int(rng.integers(10**6, 10**9)), int(rng.integers(10**4, 10**8)), int(rng.integers(10**4, 10**8)), images)
        for images in (1, 2, 16, 64)
    ],
    reference=_intensity,
    mistakes={
        "MACs for each byte, not bytes for each MAC.": lambda *case: 1 / _intensity(*case),
        "Divide by all the bytes: yours adds the parameters behind the division. Are there brackets?": (
            lambda macs, p, a, images: images * macs / (2 * images * a) + 4 * p
        ),
    },
    slips={
        "The weights are read once for the whole batch.": {"each": True},
        "A map is written by one layer and read by the next: it moves twice.": {"moves": 1},
        "Every image is computed: the MACs are those of one.": {"work": 1},
        "Every image has maps: those of yours are of one.": {"maps": 1},
        "A weight takes four bytes.": {"size": 1},
        "The maps are given in bytes already.": {"map_size": 4},
        "The weights must come from memory as well.": {"size": 0},
        "Each weight moves once: it is read, not written.": {"size": 8},
    },
)


def _rows(rng: Generator) -> list[Arguments]:
    kinds = ["Conv2d", "Linear", "Conv2d", "BatchNorm2d", "MaxPool2d", "Linear", "Linear"]
    return [
        ([(kind, int(rng.integers(1, 10**6)), int(rng.integers(1, 10**9))) for kind in kinds[:n]],) for n in (3, 5, 7)
    ]


def _shares(rows: list[Any], kind: Any = ("Linear",), of: Any = None, last: bool = False, **wrong: Any) -> Any:
    chosen, all_of = [row for row in rows if row[0] in kind], [row for row in rows if not of or row[0] in of]
    sums = [sum(row[i] for row in (chosen[-1:] if last else chosen)) for i in wrong.get("columns", (1, 2))]
    wholes = [sum(row[i] for row in all_of) for i in wrong.get("under", wrong.get("columns", (1, 2)))]
    return tuple(wrong.get("scale", 1) * one / whole for one, whole in zip(sums, wholes, strict=True))


_OTHERS = ("Conv2d", "BatchNorm2d", "MaxPool2d")
dense_shares = Exercise(
    "dense_shares",
    cases=_rows,
    reference=_shares,
    mistakes={
        "Weigh the layers by what they have; do not count them.": lambda rows: (
            (sum(r[0] == "Linear" for r in rows) / len(rows),) * 2
        ),
        "Shares: divide by what all layers have.": lambda rows: tuple(
            sum(r[i] for r in rows if r[0] == "Linear") for i in (1, 2)
        ),
    },
    slips={
        "Those are the shares of the convolutions.": {"kind": ("Conv2d",)},
        "Those are the shares of all the others.": {"kind": _OTHERS},
        "First the share of the parameters, then that of the MACs.": {"columns": (2, 1)},
        "Both of yours are shares of the parameters.": {"columns": (1, 1)},
        "Both are divided by all the parameters; the MACs have a sum of their own.": {"under": (1, 1)},
        "Of all parameters and MACs, not of those of the convolutions.": {"of": ("Conv2d",)},
        "Of all parameters and MACs, not of those that the other layers have.": {"of": _OTHERS},
        "There may be more than one Linear: yours counts the last.": {"last": True},
        "A share of 1 is all; do not multiply by 100.": {"scale": 100},
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


def _sorted(networks: list[Network]) -> list[Network]:
    return sorted(networks, key=lambda network: network[1])


def _names(networks: list[Network], kept: Any) -> list[str]:
    return [n for n, c, a in _sorted(networks) if kept(c, a)]


def _beaten(networks: list[Network], cost: float, accuracy: float) -> bool:
    return any(c < cost and a > accuracy for _, c, a in networks)


def _front(networks: list[Network]) -> list[str]:
    return _names(networks, lambda cost, accuracy: not _beaten(networks, cost, accuracy))


front = Exercise(
    "front",
    cases=_networks,
    reference=_front,
    mistakes={
        "A network is out only if one and the same other is both cheaper and better.": (
            lambda networks: _names(
                networks, lambda cost, accuracy: not any(c < cost or a > accuracy for _, c, a in networks)
            )
        ),
        "Those are the ones that are beaten.": (
            lambda nets: _names(nets, lambda cost, right: _beaten(nets, cost, right))
        ),
        "Cheapest first, please: the order is by cost.": lambda networks: _front(networks)[::-1],
        "Their names alone.": lambda networks: [n for name in _front(networks) for n in networks if n[0] == name],
        "The cheapest of all is beaten by none: nothing is cheaper.": lambda networks: _front(networks)[1:],
        "The most accurate of all is beaten by none: nothing is better.": lambda networks: _front(networks)[:-1],
        "Compare with all that are cheaper, not only with the neighbour before.": (
            lambda networks: [
                n[0] for m, n in zip([("", 0, 0), *_sorted(networks)], _sorted(networks), strict=False) if n[2] > m[2]
            ]
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
        accuracy = iter((rng.permutation(2500)[:12] / 100 + 60).round(2).tolist())
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


def _fair(results: list[Result], one: str, other: str, size: Any = float, over: Any = None, sign: int = 1) -> Any:
    ours, theirs = _of(results, one), _of(results, other)
    leads = [size(ours[recipe] - theirs[recipe]) for recipe in ours if recipe in theirs]
    return sign * sum(leads) / (over(results, leads) if over else len(leads))


def _apart(results: list[Result], one: str, other: str, done: Any = _mean) -> Any:
    return done(_of(results, one).values()) - done(_of(results, other).values())


lead = Exercise(
    "lead",
    cases=_results,
    reference=_fair,
    mistakes={
        "The best of each come from different recipes.": partial(_apart, done=max),
        "Means over all recipes compare recipes that only one of them had.": _apart,
        "Pair results by their recipe, not by their place in the list.": (
            lambda results, one, other: _mean(
                a - b for a, b in zip(_of(results, one).values(), _of(results, other).values(), strict=False)
            )
        ),
        "A recipe that one of them has not had is no 0: leave it out.": (
            lambda results, one, other: sum(_of(results, one).values()) - sum(_of(results, other).values())
        ),
        "All recipes that both have, and their mean, not only one of them.": (
            lambda results, one, other: next(
                x - _of(results, other)[recipe]
                for recipe, x in _of(results, one).items()
                if recipe in _of(results, other)
            )
        ),
    },
    slips={
        "A lead may be negative: leave the signs as they are.": {"size": abs},
        "A mean of the leads, not their sum.": {"over": lambda results, leads: 1},
        "Divide by the recipes of both, not by all.": {
            "over": lambda results, leads: len({recipe for _, recipe, _ in results})
        },
    },
)


def _chains(rng: Generator) -> list[Arguments]:
    tails = (["norm", "relu"], ["norm", "relu6"], ["norm"], ["relu"], ["relu6"], ["norm", "add", "relu"], ["add"])
    cases: list[Arguments] = []
    for _ in range(8):
        layers: list[tuple[str, int]] = []
        for i in rng.permutation(len(tails))[:4]:
            size = int(rng.integers(10, 1000))
            layers += [(kind, size) for kind in ("conv", *tails[i])]
        cases.append((int(rng.integers(10, 1000)), layers))
    return cases


def _kept(image: int, layers: list[tuple[str, int]], **wrong: int) -> int:
    """0 is the map that a layer has read, 1 the one that it has made."""
    sizes, needs = [image, *(size for _, size in layers)], {"conv": 0, "norm": 0, "relu": 1, "relu6": 0, **wrong}
    return sum(sizes[place] for place in {i + needs[kind] for i, (kind, _) in enumerate(layers) if kind in needs})


kept = Exercise(
    "kept",
    cases=_chains,
    reference=_kept,
    mistakes={
        "That is all that is written; the way back does not need all of it.": (
            lambda image, layers: sum(size for _, size in layers)
        ),
        "The image is needed, too.": lambda image, layers: _kept(image, layers) - image,
    },
    slips={
        "What a ReLU has made is what the next layer reads: one map serves both, and is kept once.": {"relu": 0},
        "The gradient of a kernel needs what the convolution has read.": {"conv": 1},
        "A normalisation needs what it has read.": {"norm": 1},
        "A ReLU6 cannot tell from its result alone; it needs what it has read.": {"relu6": 1},
        "A sum hands the gradient on as it is, and needs no map for that.": {"add": 0},
    },
)
