"""How an operator's arguments move a receptive field, and how many multiply-accumulates they ask for.

The table in ``utils.profiling.operators`` says which operator follows which. A layout rule takes the layouts of the
tensors among the arguments (None for one that does not depend on the input, such as weights; never EVERYTHING), the
arguments, and the shape of the result. Most operators carry on with their first argument: ``first`` makes a layout rule
of what they do to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, TypeAlias

import torch

from utils.profiling import fields
from utils.profiling.fields import EVERYTHING, Dimensions, Layout, Window

Arguments: TypeAlias = Sequence[Any]
Layouts: TypeAlias = Sequence[Dimensions | None]
Shape: TypeAlias = Sequence[int]
LayoutRule: TypeAlias = Callable[[Layouts, Arguments, Shape], Layout]


def mix_all(layouts: Layouts, args: Arguments, shape: Shape) -> Layout:
    """Every position of the result may depend on all of the input."""
    return EVERYTHING


def first(rule: Callable[..., Layout]) -> LayoutRule:
    """The rule of an operator that carries on with its first argument and mixes all positions of any other."""

    def layout(layouts: Layouts, args: Arguments, shape: Shape) -> Layout:
        return EVERYTHING if layouts[0] is None else rule(layouts[0], args, shape)

    return layout


def join(layouts: Layouts, args: Arguments, shape: Shape) -> Layout:
    """Broadcast the arguments against each other."""
    return fields.join([layout for layout in layouts if layout is not None], shape)


def concatenate(layouts: Layouts, args: Arguments, shape: Shape) -> Layout:
    """Lay the arguments end to end along a dimension, at first the first."""
    along = args[1] if len(args) > 1 else 0
    return fields.join([layout for layout in layouts if layout is not None], shape, along % len(shape))


def multiply(layouts: Layouts, args: Arguments, shape: Shape) -> Layout:
    """A product of the last two arguments, matrices or batches of them."""
    return fields.multiply(layouts[-2], layouts[-1], shape)


def _per_axis(value: Any, rank: int) -> list[int]:
    values = [value] if isinstance(value, int) else list(value)
    return values * rank if len(values) == 1 else values


def convolve(layout: Dimensions, args: Arguments, shape: Shape) -> Layout:
    """A convolution, transposed or not; the channels mix."""
    _, weight, _, stride, _, dilation, transposed, *_ = args
    windows = zip(weight.shape[2:], stride, dilation, strict=True)
    return fields.slide(layout, shape, [Window(k, 1, d, s) if transposed else Window(k, s, d) for k, s, d in windows])


def pool(layout: Dimensions, args: Arguments, shape: Shape, rank: int, dilated: bool) -> Layout:
    """A window over each of the last ``rank`` dimensions; strides that are not given are the kernel's size."""
    kernel_size = _per_axis(args[1], rank)
    stride = _per_axis(args[2], rank) if len(args) > 2 and args[2] else kernel_size
    dilation = _per_axis(args[4], rank) if dilated and len(args) > 4 else [1] * rank
    return fields.slide(layout, shape, list(map(Window, kernel_size, stride, dilation)))


def pool_to_size(layout: Dimensions, args: Arguments, shape: Shape, rank: int) -> Layout:
    """Pooling to an output size: windows of one size, or else every position may see all."""
    windows = []
    for before, size in _sizes(layout, shape, rank):
        if before != size and (size == 1 or before % size):
            return EVERYTHING
        windows.append(Window(before // size, before // size))
    return fields.slide(layout, shape, windows)


def interpolate(layout: Dimensions, args: Arguments, shape: Shape, rank: int, taps: int) -> Layout:
    """To a multiple of the size, by a kernel that is ``taps`` inputs wide."""
    aligned = len(args) > 2 and args[2] is True
    windows = []
    for before, size in _sizes(layout, shape, rank):
        scale, rest = divmod(size, before)
        if rest or (aligned and scale > 1):
            return EVERYTHING
        # As many positions as lie under the kernel.
        windows.append(Window(taps * scale - (taps > 1 and scale % 2), upsample=scale) if scale > 1 else Window())
    return fields.slide(layout, shape, windows)


def _sizes(layout: Dimensions, shape: Shape, rank: int) -> list[tuple[int, int]]:
    """Positions before and after, of each of the last ``rank`` dimensions."""
    return [(fields.length(dimension), size) for dimension, size in zip(layout[-rank:], shape[-rank:], strict=True)]


def resize(layout: Dimensions, args: Arguments, shape: Shape) -> Layout:
    """The same positions, some fewer, or more around them."""
    return fields.resize(layout, shape)


def view(layout: Dimensions, args: Arguments, shape: Shape) -> Layout:
    """The same numbers in another shape."""
    return fields.view(layout, shape)


def permute(layout: Dimensions, args: Arguments, shape: Shape) -> Layout:
    """The dimensions in another order."""
    return tuple(layout[d] for d in args[1])


def transpose(layout: Dimensions, args: Arguments, shape: Shape) -> Layout:
    """Two dimensions exchanged; of a matrix they need not be named."""
    one, other = args[1:3] if len(args) > 1 else (0, -1)
    swapped = list(layout)
    swapped[one], swapped[other] = layout[other], layout[one]
    return tuple(swapped)


def unsqueeze(layout: Dimensions, args: Arguments, shape: Shape) -> Layout:
    """A dimension more, of one position."""
    at = args[1] % len(shape)
    return (*layout[:at], ((1, None),), *layout[at:])


def slice_(layout: Dimensions, args: Arguments, shape: Shape) -> Layout:
    """Some positions along a dimension, perhaps every so many."""
    if len(args) > 4 and len(layout[at := args[1] % len(shape)]) == 1:
        size, axis = layout[at][0]
        layout = (*layout[:at], ((size, axis and axis.slide(Window(stride=args[4]))),), *layout[at + 1 :])
    return fields.resize(layout, shape)


def reduce(layout: Dimensions, args: Arguments, shape: Shape) -> Layout:
    """One number in place of some dimensions, or in place of all where none are named."""
    if len(args) < 2 or args[1] is None:
        return EVERYTHING
    return fields.reduce(layout, {d % len(layout) for d in _per_axis(args[1], 1)}, shape)


def batch_norm(layout: Dimensions, args: Arguments, shape: Shape) -> Layout:
    """By running statistics each number is on its own; by the batch's, which the sixth argument asks for, none is."""
    return EVERYTHING if args[5] else fields.resize(layout, shape)


def layer_norm(layout: Dimensions, args: Arguments, shape: Shape) -> Layout:
    """Numbers are measured against those in the last dimensions."""
    return EVERYTHING if fields.over_pixels(layout[-len(args[1]) :]) else layout


def conv_macs(args: Arguments, out: torch.Tensor) -> int:
    """Every weight is used once per output position, of a transposed convolution once per input position."""
    positions = (args[0] if args[6] else out).shape
    return int(args[1].numel() * positions[0] * prod(positions[2:]))


def product_macs(args: Arguments, out: torch.Tensor) -> int:
    """Each number of the result is a sum as long as a row of the left matrix."""
    left, _ = [arg for arg in args if isinstance(arg, torch.Tensor)][-2:]  # before them may come what is added
    return int(out.numel() * left.shape[-1])


def conv_kind(args: Arguments) -> str:
    """The convolution's name in torch.nn.functional: conv2d, conv_transpose1d, …"""
    return f"conv{'_transpose' if args[6] else ''}{args[1].dim() - 2}d"
