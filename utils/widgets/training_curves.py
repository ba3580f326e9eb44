"""Pairs of training curves from runs that were kept: what rate, batch, decay, normalisation and seed make of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, log10
from typing import Any, ClassVar

import traitlets

from utils.widgets.figure import Figure
from utils.widgets.svg import PLOT, Curve, Panel

SETTINGS = ("rate", "batch_size", "weight_decay", "normalisation", "seed")
CURVES = ("loss", "validation_loss", "accuracy", "validation_accuracy")
LEAST, STEPS, NOTHING = 1e-4, 200, 36**2 - 1  # losses travel as steps from the least, so many to a factor of ten


def _packed(run: Mapping[str, Any]) -> str:
    """A run's four curves, one after the other, two digits to base 36 for each number; a loss that is none is zz."""
    losses = [value for name in CURVES[:2] for value in run[name]]
    levels = [
        NOTHING if value is None else min(max(0, round(STEPS * log10(max(value, LEAST) / LEAST))), NOTHING - 1)
        for value in losses
    ]
    levels += [round(1000 * value) for name in CURVES[2:] for value in run[name]]
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return "".join(digits[level // 36] + digits[level % 36] for level in levels)


def _short(value: object) -> str:
    """A setting as its control shows it: 0.0 is 0."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _key(run: Mapping[str, Any]) -> str:
    parts = [*run["case"].split(", "), run["seed"]]
    return ", ".join(_short(float(part)) if i in (0, 2) else str(part) for i, part in enumerate(parts))


def written(value: float | None) -> str:
    """A loss to two digits."""
    if value is None:
        return "no number"
    return "290 or more" if value > 290 else f"{float(f'{value:.2g}'):.10g}"


class TrainingCurves(Figure):
    """Loss and accuracy of one run, epoch by epoch, with the runs of the other seeds behind it.

    ``runs`` are those of ``experiments.curves``: each has a case, "rate, batch size, weight decay, normalisation", a
    seed, and four curves of equal length. The other traits choose one of them, by number or text.
    """

    name: ClassVar[str] = "training_curves"

    runs = traitlets.Dict().tag(sync=True)
    rate, batch_size, weight_decay, normalisation, seed = (traitlets.Unicode().tag(sync=True) for _ in SETTINGS)

    def __init__(self, runs: Sequence[Mapping[str, Any]] = (), **traits: Any) -> None:
        """Take the runs, then the settings by keyword; what is not said is that of the first run."""
        super().__init__(runs={_key(run): _packed(run) for run in runs})
        if not self.runs:
            raise traitlets.TraitError("runs must be at least one, got none")
        first = dict(zip(SETTINGS, next(iter(self.runs)).split(", "), strict=True))
        for name, value in (first | traits).items():
            setattr(self, name, _short(value))

    @traitlets.validate(*SETTINGS)
    def _valid_setting(self, proposal: Any) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        if value not in self.options(name):
            raise traitlets.TraitError(f"{name} must be one of {', '.join(self.options(name))}, got {value!r}")
        return value

    def options(self, name: str) -> list[str]:
        """What a setting may be, in order: what some run has."""
        found = {key.split(", ")[SETTINGS.index(name)] for key in self.runs}
        return sorted(found, key=(lambda word: (word != "none", word)) if name == "normalisation" else float)

    @property
    def error(self) -> str | None:
        """Why there is nothing to show, if there is not."""
        known = ", ".join(getattr(self, name) for name in SETTINGS) in self.runs
        return None if known else "There is no run with these settings."

    def curves(self) -> dict[str, list[float | None]]:
        """The chosen run: losses, and shares of right answers."""
        text = self.runs[", ".join(getattr(self, name) for name in SETTINGS)]
        levels = [int(text[i : i + 2], 36) for i in range(0, len(text), 2)]
        values = [None if level == NOTHING else LEAST * 10 ** (level / STEPS) for level in levels[: len(levels) // 2]]
        values += [level / 1000 for level in levels[len(levels) // 2 :]]
        epochs = len(values) // 4
        return {name: values[i * epochs : (i + 1) * epochs] for i, name in enumerate(CURVES)}

    def verdict(self) -> str:
        """What the two losses say."""
        loss, validation = (self.curves()[name] for name in CURVES[:2])
        if None in (loss[-1], validation[-1]):
            known = [epoch for epoch, pair in enumerate(zip(loss, validation, strict=True), 1) if None not in pair]
            return f"It has diverged: from epoch {1 + max(known, default=0)} on a loss is no number."
        learned, seen = ([inf if value is None else value for value in values] for values in (loss, validation))
        best = seen.index(min(seen))
        worse = seen[-1] > 1.1 * seen[best]
        if learned[-1] > 2.2:
            return "It has learned next to nothing: whoever guesses has a loss of 2.3."
        if worse and (best >= len(seen) - 3 or learned[-1] > 1.3 * min(learned)):
            return "It jumps from epoch to epoch, lower and higher again: try a lower rate."
        if learned[-1] > 0.5:
            return "It is not done: it does not know its own digits yet."
        if worse:
            return f"It overfits: the validation loss was lowest, {written(seen[best])}, after epoch {1 + best}."
        return "The validation loss is at its lowest, or near it."

    def sentence(self) -> str:
        """Where the run ends, and what that says."""
        if self.error:
            return self.error
        curves = self.curves()
        last = {name: curve[-1] for name, curve in curves.items()}
        right = [f"{100 * (last[name] or 0):.1f} %" for name in CURVES[2:]]
        return (
            f"After {len(curves['loss'])} epochs the loss is {written(last['loss'])} while learning and "
            f"{written(last['validation_loss'])} on validation digits, of which {right[1]} are right "
            f"({right[0]} while learning). {self.verdict()}"
        )

    def panels(self) -> list[Panel]:
        """Losses on a logarithmic scale, then accuracies: while learning solid, on validation digits dashed."""
        if self.error:
            return [Panel("No run", "neutral")]
        curves, panels = self.curves(), []
        for title, names in (("Loss, 0.001 to 10", CURVES[:2]), ("Right, 0 to 100 %", CURVES[2:])):
            drawn = [Curve(part, i) for i, name in enumerate(names) for part in _places(curves[name], title[0] == "L")]
            panels.append(Panel(title, "neutral", curves=drawn))
        lines = [
            f"rate {self.rate}, batches of {self.batch_size}, decay {self.weight_decay}",
            f"normalisation: {self.normalisation}, seed {self.seed}",
            "solid: while learning; dashed: validation",
        ]
        return [*panels, Panel("The run", "neutral", lines=lines)]


def _places(values: Sequence[float | None], log: bool) -> list[list[tuple[float, float]]]:
    """Where the parts of a curve lie in a drawing: it breaks off where a number is none, and stays inside."""
    width, height = PLOT
    parts: list[list[tuple[float, float]]] = [[]]
    for i, value in enumerate(values):
        if value is None:
            parts.append([])
        else:
            share = (log10(min(max(value, 1e-3), 10)) + 3) / 4 if log else value
            parts[-1].append((width * i / max(1, len(values) - 1), height * (1 - share)))
    return [part for part in parts if part]
