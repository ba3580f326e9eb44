"""Grids whose cells are to be read: numbers in cells, matrices, the positions of a kernel, confusion matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Rectangle
from numpy.typing import ArrayLike, NDArray

from utils.arithmetic import conv_output_size
from utils.plotting.given import as_many
from utils.plotting.style import COLOURS, SIGNED, WIDTH, Role, styled


@styled
def grids(
    arrays: Sequence[ArrayLike],
    roles: Sequence[Role],
    titles: Sequence[str] | None = None,
    signs: str = "",
    frames: Mapping[int, tuple[int, int, int, int]] | None = None,
) -> Axes:
    """Small 2-D ``arrays`` side by side with their numbers in the cells, a sign from ``signs`` after each.

    Titles are the roles unless given. ``frames`` {array index: (top, left, height, width)} lays the kernel's frame
    on an array.
    """
    as_many("roles", roles, "arrays", len(arrays))
    if titles is not None:
        as_many("titles", titles, "arrays", len(arrays))
    tables = [np.atleast_2d(np.asarray(array)) for array in arrays]
    rows, gap = max(len(table) for table in tables), 1.3
    width = sum(table.shape[1] for table in tables) + gap * (len(tables) - 1)
    unit = min(0.28, WIDTH / width)
    _, ax = plt.subplots(figsize=(unit * width, unit * (rows + 1)))
    left = 0.0
    for i, (table, role) in enumerate(zip(tables, roles, strict=True)):
        (height, columns), top = table.shape, (rows - len(table)) / 2
        for (row, column), value in np.ndenumerate(table):
            _cell(ax, top + row, left + column, value, role)
        framed = [(0, 0, height, columns)] if role == "kernel" else []
        for y, x, h, w in framed + ([frames[i]] if frames and i in frames else []):
            corner = (left + x, top + y)
            ax.add_patch(Rectangle(corner, w, h, fill=False, lw=2.5, ec=COLOURS["kernel"], zorder=3))
        ax.text(left + columns / 2, top - 0.25, (titles or roles)[i], ha="center", va="bottom")
        left += columns + gap
        if i < len(signs):
            ax.text(left - gap / 2, rows / 2, signs[i], ha="center", va="center", fontsize=15)
    ax.set(xlim=(-0.1, width + 0.1), ylim=(rows + 0.1, -0.9), aspect="equal")
    ax.axis("off")
    return ax


def _cell(ax: Axes, row: float, column: float, value: float, role: Role) -> None:
    box: Any = Rectangle((column + 0.04, row + 0.04), 0.92, 0.92)
    if role == "output":
        box = FancyBboxPatch((column + 0.16, row + 0.16), 0.68, 0.68, boxstyle="round,pad=0.12")
    box.set(edgecolor=COLOURS[role], facecolor="none" if role == "padding" else f"{COLOURS[role]}1F")
    box.set(linewidth=1.0, linestyle="--" if role in ("padding", "gradient") else "-")
    if role == "padding":
        box.set(hatch="////", alpha=0.55)
    ax.add_patch(box)
    text = f"{value:g}" if float(value).is_integer() else f"{value:.2f}".rstrip("0")
    style: Any = {"fontsize": 9 if len(text) <= 2 else 7.5 if len(text) == 3 else 6, "ha": "center", "va": "center"}
    if role == "gradient":
        style["fontstyle"] = "italic"
    if role == "padding":
        style["bbox"] = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    ax.text(column + 0.5, row + 0.52, text, **style)


@styled
def matrix(weights: ArrayLike, title: str = "") -> Axes:
    """A weight matrix as coloured cells, blue to orange around zero; zeros stay white."""
    table = np.asarray(weights)
    _, ax = plt.subplots(figsize=(WIDTH, min(6.0, WIDTH * table.shape[0] / table.shape[1]) + 0.5))
    limit = float(np.abs(table).max())
    ax.imshow(table, cmap=SIGNED, vmin=-limit, vmax=limit)
    ax.set(title=title, xlabel=f"{table.shape[1]} inputs", ylabel=f"{table.shape[0]} outputs")
    ax.spines[:].set_visible(True)
    return ax


@styled
def positions(
    sizes: Sequence[int], kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> NDArray[Any]:
    """Every position of a kernel on rows of pixels, a panel for each of ``sizes``; unread pixels are crossed out."""
    counts = [conv_output_size(size, kernel_size, stride, padding, dilation) for size in sizes]
    widest = max(sizes) + 2 * padding
    unit = min(0.28, WIDTH / (widest + 0.5))
    heights = [count * 0.62 + 2.1 for count in counts]
    _, axes = plt.subplots(
        len(sizes), 1, figsize=(unit * widest, unit * sum(heights)), height_ratios=heights, squeeze=False
    )
    for ax, size, count in zip(axes[:, 0], sizes, counts, strict=True):
        starts = [i * stride - padding for i in range(count)]
        taps = [[start + r * dilation for r in range(kernel_size)] for start in starts]
        read = {pixel for position in taps for pixel in position}
        for pixel in range(-padding, size + padding):
            outside = not 0 <= pixel < size
            _cell(ax, 0, pixel + padding, 0 if outside else pixel + 1, "padding" if outside else "input")
            if not outside and pixel not in read:
                ax.add_patch(
                    Rectangle(
                        (pixel + padding, 0), 1, 1, fill=False, hatch="xxx", ec=COLOURS["gradient"], lw=0, zorder=0.5
                    )
                )
        for row, position in enumerate(taps):
            y = 1.45 + row * 0.62
            ax.plot([p + padding + 0.5 for p in (position[0], position[-1])], [y, y], color=COLOURS["kernel"], lw=1)
            for tap in position:
                ax.add_patch(Rectangle((tap + padding + 0.2, y - 0.2), 0.6, 0.4, color=COLOURS["kernel"]))
        lost = size - len([pixel for pixel in read if 0 <= pixel < size])
        ax.set_title(f"{size} pixels: {count} positions, {lost} never read", loc="left")
        ax.set(xlim=(-0.1, widest + 0.1), ylim=(1.3 + count * 0.62, -0.1), aspect="equal", anchor="W")
        ax.axis("off")
    return axes[:, 0]


@styled
def confusion(counts: ArrayLike, row: str, column: str) -> Axes:
    """A square table of counts: the diagonal framed, fields tinted by their share of the row, zeros left empty."""
    table = np.asarray(counts)
    _, ax = plt.subplots(figsize=(WIDTH * 0.8, WIDTH * 0.8))
    shares = table / np.maximum(1, table.sum(1, keepdims=True))
    ax.imshow(shares, cmap=SIGNED, vmin=-1.6, vmax=1.6)
    for (i, j), count in np.ndenumerate(table):
        if count:
            ax.text(j, i, f"{count:,}", ha="center", va="center", fontweight="bold" if i == j else "normal")
    for i in range(len(table)):
        ax.add_patch(Rectangle((i - 0.5, i - 0.5), 1, 1, fill=False, lw=1.5, ec=COLOURS["kernel"]))
    ax.set(xlabel=column, ylabel=row, xticks=range(len(table)), yticks=range(len(table)))
    ax.spines[:].set_visible(True)
    ax.tick_params(length=0)
    return ax
