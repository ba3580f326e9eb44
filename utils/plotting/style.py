"""The look of every static figure: fonts, sizes, the palette's colours, and the decorator that draws in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Literal, ParamSpec, TypeVar

import matplotlib.pyplot as plt
from cycler import cycler
from matplotlib.colors import LinearSegmentedColormap

P = ParamSpec("P")
R = TypeVar("R")
Role = Literal["input", "kernel", "output", "gradient", "padding"]
COLOURS = {
    role: shades["light"]
    for role, shades in json.loads((Path(__file__).parents[1] / "palette.json").read_text()).items()
}
SIGNED = LinearSegmentedColormap.from_list("signed", [COLOURS["input"], "#FFFFFF", COLOURS["kernel"]])
STYLE: Any = {
    "figure.dpi": 165,
    "figure.facecolor": "white",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=[COLOURS[role] for role in ("input", "kernel", "output", "gradient")]),
    "savefig.bbox": "tight",
    "savefig.pad_inches": 0.12,
}
# Load the backend now: a notebook's turns interactive mode on as it loads, which a style context would undo.
plt.switch_backend(plt.get_backend())
WIDTH = 4.9  # inches: narrow, so that the labels are still legible when a phone shrinks it


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Draw in the book's style without changing the reader's own."""

    @wraps(draw)
    def in_style(*args: P.args, **kwargs: P.kwargs) -> R:
        with plt.rc_context(STYLE):
            return draw(*args, **kwargs)

    return in_style
