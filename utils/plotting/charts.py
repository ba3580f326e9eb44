"""Pictures in a row, bars, curves, points and shares: what a chapter draws but grids and heat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle, pairwise
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator
from numpy.typing import ArrayLike, NDArray

from utils.plotting.given import as_many, picture
from utils.plotting.style import COLOURS, SIGNED, WIDTH, styled


@styled
def maps(
    arrays: Sequence[ArrayLike],
    titles: Sequence[str],
    columns: int = 4,
    signed: Sequence[bool] | bool = False,
    together: bool = False,
) -> NDArray[Any]:
    """Pictures side by side: (H, W) in gray, (3, H, W) in colour, both from 0 to 1; signed ones blue … orange.

    ``signed`` is for all pictures or for each. A signed one is scaled to the 99.5 % of its values nearest to
    zero, and its title says how far that is; ``together`` gives all signed ones the widest of these scales.
    """
    as_many("titles", titles, "pictures", len(arrays))
    signs = [signed] * len(arrays) if isinstance(signed, bool) else signed
    as_many("signed", signs, "pictures", len(arrays))
    pictures = [np.asarray(array) if sign else picture(array) for array, sign in zip(arrays, signs, strict=True)]
    pairs = zip(pictures, signs, strict=True)
    limits = [float(np.quantile(np.abs(values), 0.995)) if sign else 0.0 for values, sign in pairs]
    limits = [max(limits)] * len(limits) if together else limits
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    size = (WIDTH, rows * (WIDTH / columns * pictures[0].shape[-2] / pictures[0].shape[-1] + 0.26))
    _, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    for ax in axes.flat:
        ax.axis("off")
    for ax, drawn, title, sign, limit in zip(axes.flat, pictures, titles, signs, limits, strict=False):
        if sign:
            span = limit or 1  # nothing but zeros is white
            ax.imshow(drawn, cmap=SIGNED, vmin=-span, vmax=span, interpolation="nearest")
            title = f"{title} (±{limit:.2g})"
        elif drawn.ndim == 3:
            ax.imshow(np.clip(drawn.transpose(1, 2, 0), 0, 1), interpolation="nearest")
        else:
            ax.imshow(drawn, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        ax.set_title(title)
    return axes


@styled
def bars(counts: Mapping[str, int], title: str, log: bool = True) -> Axes:
    """Named whole numbers as horizontal bars, each labelled with its value."""
    _, ax = plt.subplots(figsize=(WIDTH, 0.36 * len(counts) + 0.6))
    drawn = ax.barh(list(counts), list(counts.values()), color=COLOURS["kernel"], height=0.62)
    ax.bar_label(drawn, [f" {count:,}" for count in counts.values()])
    ax.set(title=title, xscale="log" if log else "linear")
    ax.invert_yaxis()
    ax.spines["left"].set_visible(False)
    ax.tick_params(left=False)
    ax.margins(x=0.18)
    return ax


@styled
def curve(
    values: ArrayLike | Mapping[str, ArrayLike],
    xlabel: str,
    ylabel: str,
    log: bool = False,
    x: ArrayLike | None = None,
) -> Axes:
    """A number that changes step by step, as a loss does, or several by name; ``x`` counts from 0 unless given.

    Several runs of one, (runs, steps), are thin lines around their mean.
    """
    _, ax = plt.subplots(figsize=(WIDTH * 0.8, 2.0))
    series = values if isinstance(values, Mapping) else {"": values}
    dashes = cycle(["-", "--", "-.", ":", (0, (8, 2, 1, 2, 1, 2))])  # one more than colours
    for (name, line), style in zip(series.items(), dashes, strict=False):
        runs = np.atleast_2d(line)
        places = np.arange(runs.shape[1]) if x is None else np.asarray(x)
        (mean,) = ax.plot(places, runs.mean(0), ls=style, lw=1.8, label=name)
        if len(runs) > 1:
            ax.plot(places, runs.T, ls=style, lw=0.6, color=mean.get_color())
    ax.set(xlabel=xlabel, ylabel=ylabel, yscale="log" if log else "linear")
    if len(series) > 1:
        ax.legend(frameon=False, handlelength=3, loc="center left", bbox_to_anchor=(1, 0.5))
    return ax


@styled
def scatter(points: Mapping[str, Sequence[tuple[float, float]]], xlabel: str, ylabel: str, log: bool = False) -> Axes:
    """Named points (x, y), each with its name beside it; a name with several has an arrow through them, in order."""
    _, ax = plt.subplots(figsize=(WIDTH, WIDTH * 0.75))
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if log:
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_minor_formatter("")
    for places in points.values():
        ax.plot(*zip(*places, strict=True), "o", color=COLOURS["input"], ms=4.5)
        for start, end in pairwise(places):
            ax.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": COLOURS["kernel"], "lw": 1.5})
    ax.margins(x=0.17, y=0.1)
    ax.autoscale_view()  # now, not when it is drawn: the places on the axes are needed
    ends = {
        name: ax.transAxes.inverted().transform(ax.transData.transform(places[-1])) for name, places in points.items()
    }
    for name, (x, y) in ends.items():
        # The name stands to the right of its point, unless another point is close there.
        close = any(0 < right - x < 0.2 and abs(top - y) < 0.05 for right, top in ends.values())
        look = ((-5, 3), "right") if close else ((5, 3), "left")
        ax.annotate(name, points[name][-1], look[0], textcoords="offset points", ha=look[1], fontsize=8)
    return ax


@styled
def shares(parts: Mapping[str, Mapping[str, float]], title: str) -> Axes:
    """What each named whole consists of, as bars of one length; all have the same parts, four at most."""
    _, ax = plt.subplots(figsize=(WIDTH, 0.3 * len(parts) + 1.1))
    left = np.zeros(len(parts))
    looks = zip(("kernel", "output", "input", "gradient"), ("", "///", "...", "xxx"), strict=True)
    for part, (role, hatch) in zip(next(iter(parts.values())), looks, strict=False):
        widths = np.array([100 * whole[part] / sum(whole.values()) for whole in parts.values()])
        ax.barh(list(parts), widths, 0.7, left, label=part, color=COLOURS[role], hatch=hatch, ec="white", lw=0)
        left += widths
    ax.set(title=title, xlabel="%", xlim=(0, 100))
    ax.invert_yaxis()
    ax.spines["left"].set_visible(False)
    ax.tick_params(left=False)
    ax.legend(frameon=False, ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.55 / (0.3 * len(parts) + 0.5)))
    return ax


@styled
def pairs(
    curves: Mapping[str, Sequence[ArrayLike]],
    xlabel: str,
    ylabel: str,
    names: tuple[str, str] = ("while learning", "validation"),
    columns: int = 3,
) -> NDArray[Any]:
    """Named pairs of curves side by side, the second dashed, all on one logarithmic scale; both count from 1."""
    columns = min(columns, len(curves))
    rows = -(-len(curves) // columns)
    size = (WIDTH, 1.6 * rows + 0.5)
    figure, axes = plt.subplots(
        rows, columns, figsize=size, squeeze=False, sharex=True, sharey=True, layout="constrained"
    )
    for ax, (title, pair) in zip(axes.flat, curves.items(), strict=False):
        for line, style, name, role in zip(pair, ("-", "--"), names, ("input", "kernel"), strict=True):
            heights = np.asarray(line)
            ax.plot(1 + np.arange(len(heights)), heights, ls=style, lw=1.6, label=name, color=COLOURS[role])
        ax.set(title=title, yscale="log")
    for ax in axes.flat[len(curves) :]:
        ax.set_visible(False)
    figure.supxlabel(xlabel, fontsize=9)
    figure.supylabel(ylabel, fontsize=9)
    figure.legend(*axes.flat[0].get_legend_handles_labels(), frameon=False, ncols=2, loc="outside upper center")
    return axes
