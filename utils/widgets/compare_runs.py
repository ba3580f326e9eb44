"""Kept runs of several networks, with every seed drawn: the reader chooses the networks and both axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import ceil, floor, log10
from typing import Any, ClassVar

import traitlets

from utils.widgets.figure import Figure
from utils.widgets.svg import PLOT, Curve, Panel

CURVES = ("epoch", "minutes of learning")  # along these a run is a line, along the others a point: its end
COSTS = {"milliseconds a step": "milliseconds", "kB kept an image": "kept kB", "parameters": "parameters"}
ACROSS = (*CURVES, *COSTS, "layers")
# What a run has, and how finely it is kept: thousandths.
UP = {
    "loss while learning": "loss",
    "right while learning": "accuracy",
    "right on validation images": "validation accuracy",
    "right on test images": "test accuracy",
}
MOST = 5  # networks at a time: so many colours there are


def _whole(values: Any) -> list[int]:
    """Thousandths; the test images are seen once, at the end."""
    return [round(1000 * value) for value in (values if isinstance(values, list) else [values])]


def ticks(least: float, most: float) -> list[float]:
    """Round numbers, at most eight, the first no larger than ``least`` and the last no smaller than ``most``."""
    size = 10.0 ** floor(log10((most - least or 1) / 6))
    step = size * next(factor for factor in (1, 2, 5, 10) if (most - least) / (factor * size) <= 6)
    first = floor(least / step)
    return [step * place for place in range(first, max(ceil(most / step), first + 1) + 1)]


class CompareRuns(Figure):
    """The runs of up to five networks, each seed a line along epochs or time, or a point along what networks cost.

    ``runs`` and ``costs`` are those of ``experiments.fair``, a network's case and a seed each; ``steps`` is how many an
    epoch has. ``shown`` names the networks, ``across`` and ``up`` the axes.
    """

    name: ClassVar[str] = "compare_runs"

    runs = traitlets.List(traitlets.Dict()).tag(sync=True)
    steps = traitlets.Int(1).tag(sync=True)
    shown = traitlets.List(traitlets.Unicode()).tag(sync=True)
    across, up = (traitlets.Unicode().tag(sync=True) for _ in range(2))

    def __init__(
        self, runs: Sequence[Mapping[str, Any]] = (), costs: Sequence[Mapping[str, Any]] = (), **traits: Any
    ) -> None:
        """Take runs and costs; at first the first two networks are shown, their validation images along epochs."""
        names = list(dict.fromkeys(run["case"] for run in costs))
        packed = [
            {
                "name": name,
                "costs": [min(run[key] for run in costs if run["case"] == name) for key in COSTS.values()]
                + [int(name.split(", ")[1].split()[0])],
                "seeds": [
                    [_whole(run[key]) for key in UP.values()]
                    for run in sorted(runs, key=lambda run: int(run["seed"]))
                    if run["case"] == name
                ],
            }
            for name in names
        ]
        super().__init__(runs=[each for each in packed if each["seeds"]])
        if not self.runs:
            raise traitlets.TraitError("runs must be at least one, with the costs of its network, got none")
        first = {"shown": self.names[:2], "across": ACROSS[0], "up": list(UP)[2]}
        for name, value in (first | traits).items():
            setattr(self, name, value)

    @traitlets.validate("across", "up")
    def _valid_axis(self, proposal: Any) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        offered = ACROSS if name == "across" else tuple(UP)
        if value not in offered:
            raise traitlets.TraitError(f"{name} must be one of {', '.join(offered)}, got {value!r}")
        return value

    @traitlets.validate("shown")
    def _valid_shown(self, proposal: Any) -> Any:
        value = proposal["value"]
        if unknown := [name for name in value if name not in self.names]:
            raise traitlets.TraitError(f"shown must be among {'; '.join(self.names)}, got {unknown[0]!r}")
        if len(value) > MOST:
            raise traitlets.TraitError(f"shown must be at most {MOST} networks, got {len(value)}")
        return [name for name in self.names if name in value]

    @property
    def names(self) -> list[str]:
        """The networks that have runs."""
        return [run["name"] for run in self.runs]

    def points(self, name: str) -> list[list[tuple[float, float]]]:
        """For each seed of a network its line, or its end: what lies across, and what lies up, in thousandths."""
        run = self.runs[self.names.index(name)]
        costs, seeds = run["costs"], run["seeds"]
        epochs, lines = len(seeds[0][0]), []
        for seed in seeds:
            values = seed[list(UP).index(self.up)]
            ends = list(zip(range(epochs - len(values) + 1, epochs + 1), values, strict=True))
            if self.across not in CURVES:
                ends = [(costs[ACROSS.index(self.across) - len(CURVES)], values[-1])]
            minutes = self.steps * costs[0] / 60_000 if self.across == CURVES[1] else 1
            lines.append([(minutes * place, value) for place, value in ends])
        return lines

    def ends(self, name: str) -> list[int]:
        """What the seeds of a network end with, in thousandths."""
        return [int(line[-1][1]) for line in self.points(name)]

    def written(self, value: float) -> str:
        """A loss, rounded half up as in JavaScript, or a share in percent."""
        return f"{(value + 5) // 10 / 100:.2f}" if self.up == "loss while learning" else f"{value / 10:.1f}"

    def sentence(self) -> str:
        """Where the runs end, and which networks they do not tell apart."""
        if not self.shown:
            return "Choose at least one network."
        unit, ends = "" if self.up == "loss while learning" else " %", {name: self.ends(name) for name in self.shown}
        said = []
        for name, values in ends.items():
            least, most = self.written(min(values)), self.written(max(values))
            said.append(f"{name}, {least}{'' if least == most else f' to {most}'}{unit}")
        order = sorted(self.shown, key=lambda name: sum(ends[name]) / len(ends[name]))
        alike = [
            f" The runs of {low} and {high} overlap."
            for low, high in pairwise(order)
            if min(ends[high]) <= max(ends[low])
        ]
        apart = " The runs of no two overlap." if len(order) > 1 and not alike else ""
        return f"{self.up[0].upper()}{self.up[1:]}, at the end: {'; '.join(said)}.{''.join(alike)}{apart}"

    def panels(self) -> list[Panel]:
        """The plot, on axes that hold every run, and what its lines are."""
        if not self.shown:
            return [Panel("No network", "neutral")]
        every = [point for name in self.names for line in self.points(name) for point in line]
        width, height = PLOT
        right = ticks(0, max(x for x, _ in every))[-1]
        bottom, *_, top = ticks(min(y for _, y in every), max(y for _, y in every))
        curves = []
        for number, name in enumerate(self.shown):
            for line in self.points(name):
                places = [(width * x / right, height * (top - y) / (top - bottom)) for x, y in line]
                if len(places) == 1:
                    ((x, y),) = places
                    places = [(x - 4, y), (x, y - 4), (x + 4, y), (x, y + 4), (x - 4, y)]
                curves.append(Curve(places, number))
        shown = [
            Panel(name, ("input", "kernel", "output", "gradient", "padding")[i]) for i, name in enumerate(self.shown)
        ]
        heading = f"{self.written(bottom)} to {self.written(top)}, along 0 to {right:,g} {self.across}"
        return [Panel(heading, "neutral", curves=curves), *shown]
