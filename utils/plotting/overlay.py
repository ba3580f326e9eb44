"""Heat over pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import ArrayLike, NDArray

from utils.plotting.given import as_many, picture
from utils.plotting.style import COLOURS, WIDTH, styled


@styled
def overlays(
    pictures: Sequence[ArrayLike], heats: Sequence[ArrayLike], titles: Sequence[str] | None = None, columns: int = 8
) -> NDArray[Any]:
    """Pictures from 0 to 1, (H, W) or (3, H, W), each under its heat (H, W): the gradient's colour, denser if hotter.

    Each heat is scaled to its own maximum, and a dashed line runs around what is hotter than half of it. ``ValueError``
    if a heat has another size than its picture, or if anything is not finite.
    """
    as_many("heats", heats, "pictures", len(pictures))
    if titles:
        as_many("titles", titles, "pictures", len(pictures))
    grays = [picture(each) for each in pictures]
    warmths = [picture(heat, "heat").astype(float) for heat in heats]
    for gray, warmth in zip(grays, warmths, strict=True):
        if warmth.ndim != 2 or warmth.shape != gray.shape[-2:]:
            raise ValueError(f"a heat must be as large as its picture, {gray.shape[-2:]}, got {warmth.shape}")
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    height, width = np.shape(pictures[0])[-2:]
    size = (WIDTH, rows * (WIDTH / columns * height / width + (0.26 if titles else 0.05)))
    _, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    for ax in axes.flat:
        ax.axis("off")
    for i, (gray, warmth) in enumerate(zip(grays, warmths, strict=True)):
        ax, warmth = axes.flat[i], warmth / (warmth.max() or 1)
        # Gray, and paler than they are, so that the film shows on what is black or coloured.
        ax.imshow(gray.reshape(-1, *warmth.shape).mean(0), cmap="gray", vmin=-1, vmax=1, interpolation="nearest")
        film = np.empty((*warmth.shape, 4))
        film[..., :3], film[..., 3] = to_rgb(COLOURS["gradient"]), 0.9 * warmth
        ax.imshow(film, interpolation="nearest")
        if warmth.min() < 0.5 < warmth.max():
            ax.contour(warmth, [0.5], colors=COLOURS["gradient"], linewidths=1, linestyles="--")
        if titles:
            ax.set_title(titles[i])
    return axes
