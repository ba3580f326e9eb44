"""A computation as a graph: numbers going forward on its edges, gradients coming back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from utils.plotting.style import COLOURS, WIDTH, styled


@styled
def graph(
    steps: Sequence[tuple[str, str, str, str]],
    values: Mapping[str, float],
    shares: Mapping[tuple[str, str], float],
) -> Axes:
    """Steps (result, sign, one, other) from left to right; each edge has what goes forward above what comes back.

    ``values`` has every number by name, first those that no step makes; ``shares`` {(from, to): gradient} is what an
    edge brings back. Beside a number that no step makes stands the sum of its shares, which is its gradient; it is
    drawn as an input if its name begins with x, and as a weight if with w.
    """
    made = {result: {one: 0, other: 0} for result, _, one, other in steps}
    leaves = [name for name in values if name not in made]
    place: dict[str, tuple[float, float]] = {name: (0, -row) for row, name in enumerate(leaves)}
    for result, sources in made.items():
        column = 1 + max(place[name][0] for name in sources)
        place[result] = column, float(np.mean([place[name][1] for name in sources]))
    _, ax = plt.subplots(figsize=(WIDTH * 1.15, 0.8 * len(leaves)))
    for result, sources in made.items():
        for source in sources:
            (x, y), (right, up) = place[source], place[result]
            ax.plot([x, right], [y, up], color="0.6", linewidth=0.8, zorder=1)
            at: Any = {"ha": "center", "zorder": 2, "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 0.6}}
            on = 0.5 if source in leaves else 0.3  # of the way, where no edges cross
            x, y = x + on * (right - x), y + on * (up - y)
            ax.text(x, y, _number(values[source]), va="bottom", **at)
            ax.text(x, y, _number(shares[source, result]), va="top", color=COLOURS["gradient"], style="italic", **at)
    signs = {result: sign for result, sign, *_ in steps}
    for name, (x, y) in place.items():
        role = {"x": "input", "w": "kernel"}.get(name[0], "output") if name in leaves else "output"
        ring = {"boxstyle": "circle,pad=0.35", "facecolor": "white", "edgecolor": COLOURS[role], "linewidth": 1.4}
        ax.text(x, y, signs.get(name, name), ha="center", va="center", bbox=ring, zorder=3)
        if name in leaves:
            total = sum(share for (source, _), share in shares.items() if source == name)
            ax.text(x - 0.35, y, _number(total), ha="right", va="center", color=COLOURS["gradient"], style="italic")
    (last, high), name = place[steps[-1][0]], steps[-1][0]
    ax.text(last + 0.3, high, f"{name} = {_number(values[name])}", ha="left", va="center")
    ax.set(xlim=(-0.8, last + 0.9), ylim=(-len(leaves) + 0.5, 0.5))
    ax.axis("off")
    return ax


def _number(value: float) -> str:
    return f"{value:g}".replace("-", "−")
