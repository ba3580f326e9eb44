"""Receptive fields through PyTorch's operators: which axes of a tensor run over pixels, and how far a position sees.

The recurrence is ``utils.arithmetic.receptive_field``'s, carried along every tensor of a forward pass, so that branches
meet again where the network adds or concatenates them; the largest path counts. Operators that are not listed here
are taken to mix all positions.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple, TypeAlias

import torch


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
    def seen(self) -> int:
        """The side of the receptive field, in pixels."""
        return self.size + int(self.reach // self.grid) * self.grid

    def window(self, kernel_size: int, stride: int = 1, dilation: int = 1, upsample: int = 1) -> Axis:
        """The axis after a window has slid along it, over ``upsample`` positions where there was one."""
        jump = self.jump if upsample == 1 else Fraction(self.jump) / upsample
        after = self._replace(jump=jump * stride, reach=self.reach + dilation * (kernel_size - 1) * jump)
        if after.jump % self.grid:
            return after
        return Axis(after.seen, int(after.jump), 0, int(after.jump))


# A dimension holds factors, outermost first: (size, its axis, or None for channels and the batch). Flattening puts
# several in one dimension, so that a view back finds them again. The layout () is of tensors that see the whole input.
Dimension: TypeAlias = tuple[tuple[int, Axis | None], ...]
Layout: TypeAlias = tuple[Dimension, ...]
WHOLE: Layout = ()

_SAME = {"clone", "_to_copy", "contiguous", "alias", "detach", "slice", "split", "split_with_sizes", "channel_shuffle"}
_SAME |= {"constant_pad_nd", "reflection_pad1d", "reflection_pad2d", "replication_pad1d", "replication_pad2d"}
_SAME |= {"_native_batch_norm_legit_no_training"}
# Activations that torch does not tag as pointwise.
_SAME |= {"hardswish", "hardswish_", "mish_", "log_sigmoid_forward", "_prelu_kernel"}
_REDUCE = {"mean", "sum", "amax", "amin", "max", "min", "_softmax", "_log_softmax", "select", "squeeze"}
_TAPS = {"nearest": 1, "linear": 2, "bilinear": 2, "trilinear": 2, "bicubic": 4}


def image(shape: Sequence[int]) -> Layout:
    """The layout of a batch of inputs, (N, C, …): what follows the channels runs over pixels."""
    return tuple(((size, Axis() if i > 1 else None),) for i, size in enumerate(shape))


def of(value: object) -> Layout | None:
    """The layout that a tensor carries; None if it is none, or does not depend on the input."""
    return value.__dict__.get("layout") if isinstance(value, torch.Tensor) else None


@lru_cache(maxsize=1024)
def seen(layout: Layout | None) -> int | tuple[int, ...] | None:
    """The receptive field of a layout: one side, or one for each axis if they differ; None if there is none."""
    sides = tuple(axis.seen for dimension in layout or () for _, axis in dimension if axis)
    return sides[0] if len(set(sides)) == 1 else sides or None


def through(name: str, pointwise: bool, args: Sequence[Any], inputs: Sequence[Layout], out: torch.Tensor) -> Layout:
    """The layout of the operator's result, from those of the inputs that carry one (at least one does)."""
    shape = tuple(out.shape)
    if WHOLE in inputs:
        return WHOLE
    if pointwise or name in ("cat", "expand", "copy_"):
        return _join(inputs, shape, (*args[1:], 0)[0] % len(shape) if name == "cat" else None)
    layout = of(args[0])
    if name in ("mm", "bmm", "addmm", "baddbmm"):
        return _product(of(args[-2]), of(args[-1]), shape)
    if layout is None:
        return WHOLE
    if name == "convolution":
        _, weight, _, stride, _, dilation, transposed, *_ = args
        windows = zip(weight.shape[2:], stride, dilation, strict=True)
        return _slide(layout, shape, [(k, 1, d, s) if transposed else (k, s, d, 1) for k, s, d in windows])
    if name.startswith(("max_pool", "avg_pool")):
        rank = int(name[8])
        kernel_size = _each(args[1], rank)
        stride = _each(args[2], rank) if len(args) > 2 and args[2] else kernel_size
        dilation = _each(args[4], rank) if name.startswith("max") and len(args) > 4 else [1] * rank
        return _slide(layout, shape, [(k, s, d, 1) for k, s, d in zip(kernel_size, stride, dilation, strict=True)])
    if "adaptive" in name or "upsample" in name or name == "pixel_shuffle":
        return _resize(name, layout, shape, aligned=len(args) > 2 and args[2] is True)
    return _rearrange(name, layout, args, shape)


def _each(value: Any, rank: int) -> list[int]:
    values = [value] if isinstance(value, int) else list(value)
    return values * rank if len(values) == 1 else values


def _slide(layout: Layout, shape: tuple[int, ...], windows: Sequence[tuple[int, int, int, int]]) -> Layout:
    """Windows (kernel_size, stride, dilation, upsample) along the last dimensions; the channels before them mix."""
    first = len(layout) - len(windows)
    if _axes(layout[first - 1 : first]):
        return WHOLE
    made: list[Dimension] = [*layout[: first - 1], ((shape[first - 1], None),)]
    for dimension, size, window in zip(layout[first:], shape[first:], windows, strict=True):
        if len(dimension) > 1 and _axes([dimension]):
            return WHOLE
        axis = dimension[0][1]
        made.append(((size, axis and axis.window(*window)),))
    return tuple(made)


def _resize(name: str, layout: Layout, shape: tuple[int, ...], aligned: bool) -> Layout:
    """Pooling to a size, or interpolation to a multiple of it."""
    windows, first = [], len(layout) - (int(name[-2]) if name[-1] == "d" else 2)
    taps = next((taps for mode, taps in _TAPS.items() if f"_{mode}" in name), 1)
    for dimension, size in zip(layout[first:], shape[first:], strict=True):
        before = _length(dimension)
        if before == size:
            windows.append((1, 1, 1, 1))
        elif "adaptive" in name and size > 1 and before % size == 0:
            windows.append((before // size, before // size, 1, 1))
        elif "adaptive" not in name and size % before == 0 and not aligned:
            scale = size // before  # the positions under the interpolation's kernel, which is `taps` inputs wide
            windows.append((taps * scale - (taps > 1 and scale % 2), 1, 1, scale))
        else:
            return WHOLE
    return _slide(layout, shape, windows)


def _join(layouts: Sequence[Layout], shape: tuple[int, ...], joined: int | None) -> Layout:
    """Tensors broadcast to ``shape``, or concatenated along the dimension ``joined``: of each axis the largest."""
    if len(layouts) == 1 and [_length(dimension) for dimension in layouts[0]] == list(shape):
        return layouts[0]
    made: list[Dimension] = []
    for i, size in enumerate(shape):
        here = [layout[i - len(shape)] for layout in layouts if len(layout) >= len(shape) - i]
        paths = [dimension for dimension in here if _axes([dimension])]
        if paths and (i == joined or any([n for n, _ in path] != [n for n, _ in paths[0]] for path in paths)):
            return WHOLE
        if paths and _length(paths[0]) != size:
            return WHOLE
        plain = next((dimension for dimension in here if _length(dimension) == size), ((size, None),))
        made.append(tuple(map(_largest, zip(*paths, strict=True))) if paths else plain)
    return tuple(made)


def _largest(paths: tuple[tuple[int, Axis | None], ...]) -> tuple[int, Axis | None]:
    return paths[0][0], max((axis for _, axis in paths if axis), key=lambda axis: (axis.seen, axis.jump), default=None)


def _product(left: Layout | None, right: Layout | None, shape: tuple[int, ...]) -> Layout:
    """A product with a matrix of weights, which mixes the dimension that it sums over."""
    if left and not right and not _axes(left[-1:]):
        return (*left[:-1], ((shape[-1], None),))
    if right and not left and not _axes(right[-2:-1]):
        return (*right[:-2], ((shape[-2], None),), right[-1])
    return WHOLE


def _rearrange(name: str, layout: Layout, args: Sequence[Any], shape: tuple[int, ...]) -> Layout:
    """Views, norms and reductions."""
    rank = len(layout)
    if name in ("view", "_unsafe_view"):
        return _view(layout, shape)
    if name in ("permute", "transpose", "t"):
        order = list(range(rank))
        if name == "permute":
            order = [d % rank for d in args[1]]
        else:
            one, other = (0, rank - 1) if name == "t" else (args[1] % rank, args[2] % rank)
            order[one], order[other] = other, one
        return tuple(layout[d] for d in order)
    if name == "unsqueeze":
        at = args[1] % (rank + 1)
        return (*layout[:at], ((1, None),), *layout[at:])
    if name == "slice" and len(args) > 4 and len(layout[at := args[1] % rank]) == 1:
        size, axis = layout[at][0]
        layout = (*layout[:at], ((size, axis and axis.window(1, stride=args[4])),), *layout[at + 1 :])
    if name in _SAME or (name == "native_batch_norm" and not args[5]):
        return _keep(layout, shape)
    if name == "native_layer_norm":
        return WHOLE if _axes(layout[-len(args[1]) :]) else layout
    if name in _REDUCE and len(args) > 1 and args[1] is not None:
        gone = {d % rank for d in _each(args[1], 1)}
        if _axes([layout[d] for d in gone]):
            return WHOLE
        return _keep(layout if len(shape) == rank else tuple(d for i, d in enumerate(layout) if i not in gone), shape)
    return WHOLE


def _length(dimension: Dimension) -> int:
    return prod(size for size, _ in dimension)


def _axes(dimensions: Sequence[Dimension]) -> bool:
    return any(axis for dimension in dimensions for _, axis in dimension)


def _keep(layout: Layout, shape: tuple[int, ...]) -> Layout:
    """The same axes, perhaps with fewer or more positions."""
    if len(layout) != len(shape):
        return WHOLE
    made: list[Dimension] = []
    for dimension, size in zip(layout, shape, strict=True):
        if _length(dimension) != size:
            if len(dimension) > 1:
                return WHOLE
            dimension = ((size, dimension[0][1]),)
        made.append(dimension)
    return tuple(made)


def _view(layout: Layout, shape: tuple[int, ...]) -> Layout:
    """The factors of all dimensions dealt out again; only channels can be split."""
    factors = [factor for dimension in layout for factor in dimension if factor[0] > 1]
    if any(axis for dimension in layout for size, axis in dimension if size == 1):
        return WHOLE
    made: list[Dimension] = []
    for size in shape:
        dimension: Dimension = ()
        while (need := size // _length(dimension)) > 1:
            n, axis = factors.pop(0)
            if need % n == 0:
                dimension += ((n, axis),)
            elif n % need == 0 and axis is None:
                factors.insert(0, (n // need, None))
                dimension += ((need, None),)
            else:
                return WHOLE
        made.append(dimension or ((1, None),))
    return tuple(made)
