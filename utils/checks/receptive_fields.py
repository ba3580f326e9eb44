"""The exercises of chapter 09: what a unit sees, and how much of it counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from utils.arithmetic import receptive_field
from utils.checks.exercise import Arguments, Exercise
from utils.checks.values import plain

Layers = list[tuple[int, int, int, int]]  # kernel size, stride, padding, dilation
_CHAIN: Layers = [(5, 1, 2, 1), (2, 2, 0, 1), (3, 1, 1, 1), (3, 2, 1, 1)]


def _field(layers: Layers, **wrong: Any) -> tuple[int, int, int]:
    """Size, jump and start, with what a learner may get wrong."""
    size, jump, start = 1, 1, 0
    for k, s, p, d in layers:
        step = s if wrong.get("own_stride") else jump
        step = 1 if wrong.get("no_jump") else step
        grown = k if wrong.get("whole_kernel") else k - 1
        size += grown * step * (1 if wrong.get("no_dilation") else d)
        after = jump * s
        start -= p * (1 if wrong.get("plain_padding") else after if wrong.get("late_padding") else jump)
        jump = jump + s - 1 if wrong.get("add_strides") else after
    if wrong.get("positive"):
        start = -start
    if wrong.get("no_start"):
        start = 0
    return size, jump, start


first_field = Exercise(
    "first_field",
    cases=lambda rng: [()],
    reference=lambda: _field(_CHAIN),
    mistakes={
        "Two neighbours of a layer overlap: the field grows by F − 1 steps, not by F.": (
            lambda: _field(_CHAIN, whole_kernel=True)
        ),
        "After a stride a step is longer: multiply F − 1 by the jump.": lambda: _field(_CHAIN, no_jump=True),
        "A layer's own stride lengthens the steps of those after it, not its own.": (
            lambda: _field(_CHAIN, own_stride=True)
        ),
        "Padding also counts in jumps: a cell of padding in a late layer is many pixels.": (
            lambda: _field(_CHAIN, plain_padding=True)
        ),
        "Padding moves the first field to the left, out of the image: the start is negative.": (
            lambda: _field(_CHAIN, positive=True)
        ),
        "Strides multiply.": lambda: _field(_CHAIN, add_strides=True),
    },
)


def _chains(rng: Generator) -> list[Arguments]:
    chains: list[Layers] = [_CHAIN, [(3, 2, 1, 1), (3, 1, 2, 2), (5, 3, 1, 1), (3, 1, 1, 1)], []]
    for _ in range(20):
        chains.append(
            [(int(rng.integers(1, 6)), int(rng.integers(1, 4)), int(rng.integers(0, 3)), int(rng.integers(1, 4)))
             for _ in range(int(rng.integers(1, 6)))]
        )  # fmt: skip
    return [(chain,) for chain in chains]


field = Exercise(
    "field",
    cases=_chains,
    reference=lambda layers: tuple(receptive_field(layers)),
    mistakes={
        "The field grows by F − 1 steps of the layer, not by F.": lambda layers: _field(layers, whole_kernel=True),
        "The steps of a layer are as long as the jump before it, not one pixel.": (
            lambda layers: _field(layers, no_jump=True)
        ),
        "A layer's own stride comes after it has read: first the field, then the jump.": (
            lambda layers: _field(layers, own_stride=True)
        ),
        "Right for dilation 1. With dilation d the taps are d steps apart.": (
            lambda layers: _field(layers, no_dilation=True)
        ),
        "Padding shifts the start by jumps, not by pixels.": lambda layers: _field(layers, plain_padding=True),
        "The start moves by the jump before this layer's stride, not after it.": (
            lambda layers: _field(layers, late_padding=True)
        ),
        "Strides multiply: two of 2 make a jump of 4, two of 3 one of 9.": lambda layers: _field(
            layers, add_strides=True
        ),
        "Where is the padding?": lambda layers: _field(layers, no_start=True),
        "Padding moves the first field to the left: the start goes down.": lambda layers: _field(layers, positive=True),
    },
)


def _sees(layers: Layers, unit: int, size: int) -> int:
    """The pixels inside the image within the field of a unit."""
    reach, jump, start = _field(layers)
    first = start + unit * jump
    return max(0, min(first + reach, size) - max(first, 0))


inside = Exercise(
    "inside",
    # The last two fields have left the image.
    cases=lambda rng: [
        *((chain, unit, size) for (chain,) in _chains(rng)[:12] for unit, size in [(0, 24), (2, 24), (1, 60), (4, 30)]),
        ([(3, 1, 2, 1)] * 3, 40, 24),
        ([(3, 2, 1, 1)] * 2, 12, 24),
    ],
    reference=_sees,
    mistakes={
        "That is the whole field; some of it lies outside the image.": lambda layers, unit, size: _field(layers)[0],
        "The right end of the image cuts as well.": (
            lambda layers, unit, size: _field(layers)[0] - max(0, -(_field(layers)[2] + unit * _field(layers)[1]))
        ),
        "Unit i begins at start + i · jump, not at start + i.": (
            lambda layers, unit, size: max(
                0, min(_field(layers)[2] + unit + _field(layers)[0], size) - max(_field(layers)[2] + unit, 0)
            )
        ),
        "Units count from 0 here.": lambda layers, unit, size: _sees(layers, unit - 1, size),
        "A field that has left the image altogether holds no pixel of it, not fewer than none.": (
            lambda layers, unit, size: (
                min(_field(layers)[2] + unit * _field(layers)[1] + _field(layers)[0], size)
                - max(_field(layers)[2] + unit * _field(layers)[1], 0)
            )
        ),
    },
)


def _paths(kernels: list[int]) -> np.ndarray:
    ways = np.ones(1, int)
    for k in kernels:
        ways = np.convolve(ways, np.ones(k, int))
    return ways


def _added(kernels: list[int]) -> np.ndarray:
    """Each kernel in the middle of the field, and all of them added up."""
    spare = [len(_paths(kernels)) - k for k in kernels]
    rows = [np.pad(np.ones(k, int), (s // 2, s - s // 2)) for k, s in zip(kernels, spare, strict=True)]
    return np.sum(rows, axis=0)


paths = Exercise(
    "paths",
    cases=lambda rng: [([3, 3],), ([3, 3, 3],), ([2, 3],), ([int(k) for k in rng.integers(1, 6, 4)],), ([5, 4, 2],)],
    reference=_paths,
    mistakes={
        "Every pixel of the field is reached, but the inner ones by more ways than the outer.": (
            lambda kernels: np.ones(len(_paths(kernels)), int)
        ),
        "Shares add up to 1; count the ways instead.": lambda kernels: _paths(kernels) / _paths(kernels).sum(),
        "The last layer is missing.": lambda kernels: _paths(kernels[:-1]),
        "The ways of two layers do not add, they multiply: each way through the first goes on by every tap.": _added,
    },
)


def _width(kernels: list[int], share: float, **wrong: Any) -> int:
    ways = _paths(kernels) / _paths(kernels).sum()
    for cut in range(len(ways)):
        kept = ways[cut + 1 : len(ways) - cut - 1].sum()
        if kept < share:
            return len(ways) - (cut if wrong.get("one_side") else 2 * cut) - (2 if wrong.get("too_far") else 0)
    return 0


effective = Exercise(
    "effective",
    cases=lambda rng: (
        [([3] * n, share) for n, share in [(5, 0.95), (20, 0.95), (20, 0.5), (30, 0.9)]]
        + [([5] * int(rng.integers(6, 12)), 0.95), ([3] * 6, 0.8), ([3] * 9, 0.9), ([5, 3, 7], 0.7)]
    ),
    reference=_width,
    mistakes={
        "That is the whole field. How few of its columns, around the middle, are enough?": (
            lambda kernels, share: len(_paths(kernels))
        ),
        "Take away columns on both sides at a time, so that the middle stays in the middle.": (
            lambda kernels, share: _width(kernels, share, one_side=True)
        ),
        "Too narrow: those columns have less than the share.": lambda kernels, share: _width(
            kernels, share, too_far=True
        ),
        "Not the share of the columns; the share of the ways.": (
            lambda kernels, share: int(share * len(_paths(kernels))) // 2 * 2 + 1
        ),
    },
)


def _reaches(layers: Any, wanted: int) -> str | None:
    """Judge a network that is to see ``wanted`` pixels: at most six layers of kernel 3, without a stride."""
    table = plain(layers)
    if table is None or table.ndim != 2 or table.shape[1] != 3 or table.dtype.kind not in "iu":
        return "Give a list of (kernel_size, stride, dilation), a triple of whole numbers for each layer."
    if len(table) > 6:
        return f"You have {len(table)} layers; at most six are allowed."
    chain = [(int(k), int(s), 0, int(d)) for k, s, d in table]
    if any(k != 3 for k, *_ in chain):
        return "Only kernels of 3 are allowed."
    if any(s != 1 for _, s, *_ in chain):
        return "No strides: the map must stay as fine as the image."
    if not all(1 <= d <= 2000 for *_, d in chain):
        return "Dilations from 1 to 2000, please."
    ways = np.ones(1)
    for _, _, _, d in chain:
        taps = np.zeros(2 * d + 1)
        taps[::d] = 1
        ways = np.convolve(ways, taps)
    if (ways == 0).any():
        return "There are pixels within your field that no path reaches: the dilations grow too fast."
    size = _field(chain)[0]
    return None if size >= wanted else f"Your field has {size} pixels; {wanted} are wanted."


wide_and_fine = Exercise(
    "wide_and_fine",
    cases=lambda rng: [()],
    accept=lambda answer: _reaches(answer, 301),
    mistakes={
        "Dilations that double do not reach far enough with six layers. By how much may the next one be larger?": (
            lambda: [(3, 1, 2**i) for i in range(6)]
        ),
        "Too few layers for such a field without holes: use all six.": lambda: [(3, 1, 3**i) for i in range(5)],
        "Six layers without dilation see 13 pixels.": lambda: [(3, 1, 1)] * 6,
        "The first dilation must be 1, or every other pixel is lost.": lambda: [(3, 1, 2 * 3**i) for i in range(6)],
    },
)
