"""The exercises of chapter 09: what a unit sees, and how much of it counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.random import Generator

from utils.checks.exercise import Arguments, Exercise
from utils.checks.own_numbers import Numbers
from utils.checks.values import plain

Layers = list[tuple[int, int, int, int]]  # kernel size, stride, padding, dilation
_CHAIN: Layers = [(5, 1, 2, 1), (2, 2, 0, 1), (3, 1, 1, 1), (3, 2, 1, 1)]


def _field(layers: Layers, **wrong: Any) -> tuple[int, int, int]:
    """Size, jump and start, with what a learner may get wrong."""
    size, jump, start = 1, 1, 0
    for k, s, p, d in layers:
        after = jump + s - 1 if wrong.get("add_strides") else s if wrong.get("last_stride") else jump * s
        step = 1 if wrong.get("no_jump") else jump * s if wrong.get("own_stride") else jump
        size += d * (k - 1 + wrong.get("whole_kernel", 0)) * step
        start -= wrong.get("padding", 1) * p * {"plain": 1, "late": after}.get(wrong.get("pads", ""), jump)
        jump = after
    return size, jump, start


_FIELD: dict[str, Any] = {
    "Two neighbours of a layer overlap: the field grows by F − 1 steps, not by F.": {"whole_kernel": 1},
    "After a stride a step is longer: multiply F − 1 by the jump.": {"no_jump": True},
    "A layer's own stride is for those after it: first the field, then the jump.": {"own_stride": True, "pads": "late"},
    "A layer's own stride comes after it has read: your field grows by the new jump.": {"own_stride": True},
    "The start moves by the jump before this layer's stride, not after it.": {"pads": "late"},
    "Padding also counts in jumps: a cell of padding in a late layer is many pixels.": {"pads": "plain"},
    "Padding moves the first field to the left, out of the image: the start is negative.": {"padding": -1},
    "Where is the padding? It says where the first field starts.": {"padding": 0},
    "Strides multiply.": {"add_strides": True},
    "The jump is that of all the strides, not of the last one.": {"last_stride": True},
}

_FOUR = Numbers(
    "A convolution of {kernels[0]} with padding {paddings[0]}; a pooling of {kernels[1]} with stride {strides[1]}; a "
    "convolution of {kernels[2]} with padding {paddings[2]}; a convolution of {kernels[3]} with padding {paddings[3]} "
    "and stride {strides[3]}.",
    kernels=lambda rng: [int(rng.integers(3, 8)), int(rng.integers(2, 4)), *rng.integers(3, 6, 2).tolist()],
    strides=lambda rng: [1, int(rng.integers(2, 4)), 1, int(rng.integers(2, 4))],
    paddings=lambda rng: [int(rng.integers(1, 4)), 0, *rng.integers(1, 3, 2).tolist()],
)


@_FOUR
def first_field(
    kernels: Sequence[int] = (5, 2, 3, 3), strides: Sequence[int] = (1, 2, 1, 2), paddings: Sequence[int] = (2, 0, 1, 1)
) -> Exercise:
    """The field after four layers."""
    layers = [(k, s, p, 1) for k, s, p in zip(kernels, strides, paddings, strict=True)]
    return Exercise("first_field", reference=lambda **wrong: _field(layers, **wrong), slips=_FIELD)


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
    reference=_field,
    mistakes={
        "That is the field after the first layer: does your loop end there?": lambda layers: _field(layers[:1]),
    },
    slips=_FIELD
    | {
        "Right for dilation 1: taps are d steps apart.": lambda net: ([(k, s, p, 1) for k, s, p, _ in net],),
    },
)


def _sees(layers: Layers, unit: int, size: int, ends: int = 0, **wrong: Any) -> int:
    """The pixels inside the image within the field of a unit."""
    reach, jump, start = _field(layers)
    first = wrong.get("start", start) + unit * wrong.get("jump", jump)
    left, right = max(first, wrong.get("left", 0)), min(first + reach + (ends > 0), wrong.get("right", size))
    return max(wrong.get("least", 0), right - left - (ends < 0))


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
        "Where the field lies counts as well: part of it may be outside though the image is wide enough.": (
            lambda layers, unit, size: min(_field(layers)[0], size)
        ),
    },
    slips={
        "The right end of the image cuts as well.": {"right": 10**9},
        "The left end of the image cuts as well.": {"left": -(10**9)},
        "Unit i begins at start + i · jump, not at start + i.": {"jump": 1},
        "Where is the start? Padding moves the first field to the left.": {"start": 0},
        "A field that has left the image altogether holds no pixel of it, not fewer than none.": {"least": -(10**9)},
        "From pixel a to pixel b, both counted, it is not b − a: one is missing.": {"ends": -1},
        "One too many: the pixel behind the field's last one is no part of it.": {"ends": 1},
    },
)


def _paths(kernels: list[int]) -> np.ndarray:
    ways = np.ones(1)  # an int64 overflows at forty kernels of 3
    for k in kernels:
        ways = np.convolve(ways, np.ones(k))
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
        "Every pixel is reached, but the inner ones by more ways.": lambda kernels: np.ones(len(_paths(kernels)), int),
        "Shares add up to 1; count the ways instead.": lambda kernels: _paths(kernels) / _paths(kernels).sum(),
        "The last layer is missing.": lambda kernels: _paths(kernels[:-1]),
        "For each pixel of the field: yours is the number of all the ways.": lambda kernels: _paths(kernels).sum(),
        "The ways of two layers do not add, they multiply: each way through the first goes on by every tap.": _added,
    },
)


def _width(kernels: list[int], share: float, more: int = 0, sides: int = 2, largest: bool = False) -> int:
    ways = _paths(kernels) / _paths(kernels).sum()
    middle = len(ways) // 2
    if largest:
        return int((np.cumsum(np.sort(ways)[::-1]) < share - 1e-9).sum()) + 1
    side = next(n for n in range(middle + 1) if ways[middle - n : middle + n + 1].sum() >= share - 1e-9)
    return (side + more) * sides + sides // 2


def _overflowed(kernels: list[int], share: float) -> int:
    """As the reference, but in int64."""
    ways = np.ones(1, np.int64)
    for k in kernels:
        ways = np.convolve(ways, np.ones(k, np.int64))
    return next((n for n in range(1, len(ways) + 1, 2) if _middle(ways, n) >= share * ways.sum()), len(ways))


def _middle(ways: np.ndarray, n: int) -> Any:
    return ways[(len(ways) - n) // 2 : (len(ways) + n) // 2].sum()


effective = Exercise(
    "effective",
    cases=lambda rng: (
        [([3] * n, share) for n, share in [(5, 0.95), (20, 0.95), (20, 0.5), (30, 0.9), (80, 0.95)]]
        + [([5] * int(rng.integers(6, 12)), 0.95), ([3] * 6, 0.8), ([3] * 9, 0.9), ([5, 3, 7], 0.7)]
    ),
    reference=_width,
    mistakes={
        "That is the whole field. How few of its columns are enough?": lambda kernels, share: len(_paths(kernels)),
        "Not the share of the columns; the share of the ways.": lambda ks, q: int(q * len(_paths(ks))) // 2 * 2 + 1,
        "Right for few layers. 80 of them have more ways than an int64 can count: use Python's ints, or floats.": (
            _overflowed
        ),
        "How many columns, not what share of the field.": lambda ks, share: _width(ks, share) / len(_paths(ks)),
    },
    slips={
        "The strip has two sides and a middle; that is one side of it.": {"sides": 1},
        "As many columns on the left as on the right; yours takes the largest.": {"largest": True},
        "Too narrow: those columns have less than the share.": {"more": -1},
        "A step too far: a narrower strip holds at least the share already.": {"more": 1},
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
