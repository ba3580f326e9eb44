"""Layouts: which dimensions of a tensor run over pixels, and what becomes of them where tensors meet or mix.

What runs over no pixels, such as channels, counts together: a position sees what any of its channels sees.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache, reduce
from math import prod
from typing import TypeAlias

from utils.profiling.fields import Axis, Lost, Sees, Taps, union

# A dimension holds factors, outermost first: (size, its axis, or None for channels and the batch). Flattening puts
# several in one dimension, so that a view back finds them again.
Factor: TypeAlias = tuple[int, Axis | None]
Dimension: TypeAlias = tuple[Factor, ...]
Dimensions: TypeAlias = tuple[Dimension, ...]
# Of a tensor that depends on the input; one that does not has none.
Layout: TypeAlias = Dimensions | Sees

ONE: Dimension = ((1, None),)


def input_layout(shape: Sequence[int]) -> Dimensions:
    """The layout of a batch of inputs, (N, C, …): what follows the channels runs over pixels."""
    return tuple(((size, Axis(size, i) if i > 1 else None),) for i, size in enumerate(shape))


@lru_cache(maxsize=1024)
def receptive_field(layout: Layout | None) -> int | tuple[int, ...] | None:
    """The receptive field of a layout: one side, or one for each axis of the input if they differ; None without any."""
    if layout is None or isinstance(layout, Sees):
        return None
    axes = [(axis.number, axis.receptive_field(size)) for dimension in layout for size, axis in dimension if axis]
    sides = tuple(side for _, side in sorted(axes))
    return sides[0] if len(set(sides)) == 1 else sides or None


def length(dimension: Dimension) -> int:
    """How many positions a dimension has."""
    return prod(size for size, _ in dimension)


def over_pixels(dimensions: Iterable[Dimension]) -> bool:
    """Whether any of the dimensions runs over pixels."""
    return any(axis for dimension in dimensions for _, axis in dimension)


def mix(dimensions: Iterable[Dimension]) -> None:
    """Lose the layout if the positions along any of the dimensions that mix here, or are dropped, run over pixels."""
    axes = [(size, axis) for dimension in dimensions for size, axis in dimension if axis]
    if axes:
        raise Lost(Sees.EVERYTHING if any(axis.sees_all(size) for size, axis in axes) else Sees.UNKNOWN)


def single(dimension: Dimension) -> Axis | None:
    """The one axis that a dimension runs over; channels inside it are positions that see the same."""
    if not over_pixels([dimension]):
        return None
    (_, axis), *inner = dimension
    if axis is None or over_pixels([tuple(inner)]):
        raise Lost
    return axis.read([(0,)] * length(tuple(inner)), 1) if inner else axis


def read(layout: Dimensions, shape: Sequence[int], readings: Sequence[tuple[Taps, int]]) -> Dimensions:
    """The last dimensions are read, each by its taps and step; those before them stay, but may have other sizes."""
    made: list[Dimension] = []
    kept = len(layout) - len(readings)
    for dimension, size in zip(layout[:kept], shape[:kept], strict=True):
        if length(dimension) != size:
            mix([dimension])
            dimension = ((size, None),)
        made.append(dimension)
    for dimension, size, (taps, step) in zip(layout[kept:], shape[kept:], readings, strict=True):
        axis = single(dimension)
        made.append(((size, axis and axis.read(taps, step)),))
    return tuple(made)


def read_one(layout: Dimensions, shape: Sequence[int], at: int, reading: tuple[Taps, int]) -> Dimensions:
    """One dimension is read, the others stay."""
    (made,) = read(layout[at : at + 1], shape[at : at + 1], [reading])
    return (*layout[:at], made, *layout[at + 1 :])


def channels(layout: Dimensions, at: int, size: int) -> Dimensions:
    """The layout with ``size`` channels in a dimension, mixed of those before."""
    at %= len(layout)
    mix([layout[at]])
    return (*layout[:at], ((size, None),), *layout[at + 1 :])


def join(layouts: Sequence[Dimensions], shape: Sequence[int]) -> Dimensions:
    """Tensors broadcast to ``shape``: a position sees what it sees in any of them."""
    if len(layouts) == 1 and [length(dimension) for dimension in layouts[0]] == list(shape):
        return layouts[0]
    if any(layout != layouts[0] for layout in layouts) or len(layouts[0]) != len(shape):
        offset = [len(shape) - len(layout) for layout in layouts]
        joined = tuple(
            _meet([layout[i - skip] for layout, skip in zip(layouts, offset, strict=True) if i >= skip], size)
            for i, size in enumerate(shape)
        )
    else:
        joined = tuple(_meet([dimension], size) for dimension, size in zip(layouts[0], shape, strict=True))
    numbers = [axis.number for dimension in joined for _, axis in dimension if axis]
    if len(set(numbers)) < len(numbers):
        raise Lost(Sees.EVERYTHING)  # as where rows meet columns, every one with every other
    return joined


def _meet(dimensions: Sequence[Dimension], size: int) -> Dimension:
    """One dimension of several tensors; of a single position, it is broadcast."""
    paths = [_stretched(dimension, size) for dimension in dimensions if over_pixels([dimension])]
    if not paths:
        return ((size, None),)
    if any([n for n, _ in path] != [n for n, _ in paths[0]] for path in paths):
        paths = [((size, single(path)),) for path in paths]
    return tuple((factors[0][0], _union([axis for _, axis in factors])) for factors in zip(*paths, strict=True))


def _stretched(dimension: Dimension, size: int) -> Dimension:
    if length(dimension) == size:
        return dimension
    axis = single(dimension)
    assert axis and length(dimension) == 1
    return ((size, axis.read([(0,)], 0)),)


def _union(axes: Sequence[Axis | None]) -> Axis | None:
    found = [axis for axis in axes if axis]
    return reduce(union, found) if found else None


def multiply(left: Dimensions | None, right: Dimensions | None, shape: Sequence[int]) -> Dimensions:
    """A product of matrices, or of batches of them; one without a layout is of weights."""
    mix([left[-1]] if left else [])
    mix([right[-2]] if right else [])
    if left and not right:
        return (*left[:-1], ((shape[-1], None),))
    if right and not left:
        return (*right[:-2], ((shape[-2], None),), right[-1])
    assert left and right
    return join([(*left[:-1], ONE), (*right[:-2], ONE, right[-1])], shape)


def view(layout: Dimensions, shape: Sequence[int]) -> Dimensions:
    """The factors of all dimensions dealt out again; of pixels that are split, the inner ones are channels."""
    factors = [factor for dimension in layout for factor in dimension if factor[0] > 1 or factor[1]]
    made: list[Dimension] = []
    for size in shape:
        dimension: Dimension = ()
        if size == 1 and factors and factors[0][0] == 1:
            dimension = (factors.pop(0),)
        while (need := size // length(dimension)) > 1:
            n, axis = factors.pop(0)
            if need % n and n % need:
                raise Lost
            if need % n:
                inner = n // need
                factors.insert(0, (inner, None))
                n, axis = need, axis and axis.read([range(inner)], inner)
            dimension += ((n, axis),)
        made.append(dimension or ONE)
    if factors:  # of one position each
        made[-1:] = [(*made[-1], *factors)] if made else []
    return tuple(made)
