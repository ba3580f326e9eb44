"""Receptive fields as layouts: which dimensions of a tensor run over pixels, and how windows, sums and views move them.

The recurrence is ``utils.arithmetic.receptive_field``'s, carried along every tensor of a forward pass, so that branches
meet again where the network adds or concatenates them; the largest path counts. Which operator does what is said in
``utils.profiling.operators``.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from fractions import Fraction
from functools import lru_cache
from math import prod
from typing import NamedTuple, TypeAlias


class Window(NamedTuple):
    """What slides along an axis, over ``upsample`` positions where there was one."""

    kernel_size: int = 1
    stride: int = 1
    dilation: int = 1
    upsample: int = 1


class Axis(NamedTuple):
    """How positions along an axis see the input: ``size`` pixels each, ``jump`` pixels apart.

    Upsampling makes jumps that are fractions of ``grid``, the last jump before it. A position then sees ``reach``
    pixels more, as many of them as whole steps of the grid: the most that any position sees.
    """

    size: int = 1
    jump: int | Fraction = 1
    reach: int | Fraction = 0
    grid: int = 1

    @property
    def receptive_field(self) -> int:
        """The side of the receptive field, in pixels."""
        return self.size + int(self.reach // self.grid) * self.grid

    def slide(self, window: Window) -> Axis:
        """The axis after a window has slid along it."""
        jump = self.jump if window.upsample == 1 else Fraction(self.jump) / window.upsample
        reach = self.reach + window.dilation * (window.kernel_size - 1) * jump
        after = self._replace(jump=jump * window.stride, reach=reach)
        if after.jump % self.grid:
            return after
        return Axis(after.receptive_field, int(after.jump), 0, int(after.jump))


# A dimension holds factors, outermost first: (size, its axis, or None for channels and the batch). Flattening puts
# several in one dimension, so that a view back finds them again.
Dimension: TypeAlias = tuple[tuple[int, Axis | None], ...]
Dimensions: TypeAlias = tuple[Dimension, ...]


class Everything(Enum):
    """The layout of a tensor each position of which may see the whole input."""

    EVERYTHING = "everything"


EVERYTHING = Everything.EVERYTHING
# Of a tensor that depends on the input; one that does not has none.
Layout: TypeAlias = Dimensions | Everything


def input_layout(shape: Sequence[int]) -> Dimensions:
    """The layout of a batch of inputs, (N, C, …): what follows the channels runs over pixels."""
    return tuple(((size, Axis() if i > 1 else None),) for i, size in enumerate(shape))


@lru_cache(maxsize=1024)
def receptive_field(layout: Layout | None) -> int | tuple[int, ...] | None:
    """The receptive field of a layout: one side, or one for each axis if they differ; None if there is none."""
    if layout is None or layout is EVERYTHING:
        return None
    sides = tuple(axis.receptive_field for dimension in layout for _, axis in dimension if axis)
    return sides[0] if len(set(sides)) == 1 else sides or None


def length(dimension: Dimension) -> int:
    """How many positions a dimension has."""
    return prod(size for size, _ in dimension)


def over_pixels(dimensions: Sequence[Dimension]) -> bool:
    """Whether any of the dimensions runs over pixels."""
    return any(axis for dimension in dimensions for _, axis in dimension)


def slide(layout: Dimensions, shape: Sequence[int], windows: Sequence[Window]) -> Layout:
    """Windows slide along the last dimensions, one each; the channels before them mix."""
    first = len(layout) - len(windows)
    if over_pixels(layout[first - 1 : first]):
        return EVERYTHING
    made: list[Dimension] = [*layout[: first - 1], ((shape[first - 1], None),)]
    for dimension, size, window in zip(layout[first:], shape[first:], windows, strict=True):
        if len(dimension) > 1 and over_pixels([dimension]):
            return EVERYTHING
        axis = dimension[0][1]
        made.append(((size, axis and axis.slide(window)),))
    return tuple(made)


def join(layouts: Sequence[Dimensions], shape: Sequence[int], along: int | None = None) -> Layout:
    """Tensors broadcast to ``shape``, or concatenated ``along`` a dimension: of each axis the largest."""
    if len(layouts) == 1 and [length(dimension) for dimension in layouts[0]] == list(shape):
        return layouts[0]
    made: list[Dimension] = []
    for i, size in enumerate(shape):
        here = [layout[i - len(shape)] for layout in layouts if len(layout) >= len(shape) - i]
        paths = [dimension for dimension in here if over_pixels([dimension])]
        if paths and (i == along or any([n for n, _ in path] != [n for n, _ in paths[0]] for path in paths)):
            return EVERYTHING
        if paths and length(paths[0]) != size:
            return EVERYTHING
        plain = next((dimension for dimension in here if length(dimension) == size), ((size, None),))
        made.append(tuple(map(_largest, zip(*paths, strict=True))) if paths else plain)
    return tuple(made)


def _largest(paths: tuple[tuple[int, Axis | None], ...]) -> tuple[int, Axis | None]:
    axes = (axis for _, axis in paths if axis)
    return paths[0][0], max(axes, key=lambda axis: (axis.receptive_field, axis.jump), default=None)


def multiply(left: Dimensions | None, right: Dimensions | None, shape: Sequence[int]) -> Layout:
    """A product with a matrix of weights, which has no layout: it mixes the dimension that it sums over."""
    if left and not right and not over_pixels(left[-1:]):
        return (*left[:-1], ((shape[-1], None),))
    if right and not left and not over_pixels(right[-2:-1]):
        return (*right[:-2], ((shape[-2], None),), right[-1])
    return EVERYTHING


def resize(layout: Dimensions, shape: Sequence[int]) -> Layout:
    """The same axes, perhaps with fewer or more positions."""
    if len(layout) != len(shape):
        return EVERYTHING
    made: list[Dimension] = []
    for dimension, size in zip(layout, shape, strict=True):
        if length(dimension) != size:
            if len(dimension) > 1:
                return EVERYTHING
            dimension = ((size, dimension[0][1]),)
        made.append(dimension)
    return tuple(made)


def reduce(layout: Dimensions, gone: set[int], shape: Sequence[int]) -> Layout:
    """The dimensions ``gone`` become one number each, and may have left the ``shape``."""
    if over_pixels([layout[d] for d in gone]):
        return EVERYTHING
    left = layout if len(shape) == len(layout) else tuple(d for i, d in enumerate(layout) if i not in gone)
    return resize(left, shape)


def view(layout: Dimensions, shape: Sequence[int]) -> Layout:
    """The factors of all dimensions dealt out again; only channels can be split."""
    factors = [factor for dimension in layout for factor in dimension if factor[0] > 1]
    if any(axis for dimension in layout for size, axis in dimension if size == 1):
        return EVERYTHING
    made: list[Dimension] = []
    for size in shape:
        dimension: Dimension = ()
        while (need := size // length(dimension)) > 1:
            n, axis = factors.pop(0)
            if need % n == 0:
                dimension += ((n, axis),)
            elif n % need == 0 and axis is None:
                factors.insert(0, (n // need, None))
                dimension += ((need, None),)
            else:
                return EVERYTHING
        made.append(dimension or ((1, None),))
    return tuple(made)
