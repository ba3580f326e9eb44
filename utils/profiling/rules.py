"""What an operator's arguments say about the receptive field: which positions of its input each of its output reads.

The table in ``utils.profiling.table`` says which operator follows which rule. A rule takes the layouts of the tensors
among the arguments (None for one that does not depend on the input, such as weights; never lost ones), the arguments,
and the result, and raises ``Lost`` for what it cannot follow. Most operators carry on with their first argument:
``first`` makes a rule of what they do to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from torch import Tensor

from utils.profiling import layouts as of
from utils.profiling.fields import Lost
from utils.profiling.layouts import Dimensions

Arguments: TypeAlias = Sequence[Any]
Layouts: TypeAlias = Sequence[Dimensions | None]
Rule: TypeAlias = Callable[[Layouts, Arguments, Tensor], Dimensions]


def lose(layouts: Layouts, args: Arguments, out: Tensor) -> Dimensions:
    """What is not followed."""
    raise Lost


def first(rule: Callable[..., Dimensions]) -> Rule:
    """The rule of an operator that carries on with its first tensor; if it reads others by the input, it is lost."""

    def layout(layouts: Layouts, args: Arguments, out: Tensor) -> Dimensions:
        if layouts[0] is None or layouts.count(None) < len(layouts) - 1:
            raise Lost
        return rule(layouts[0], args, out)

    return layout


# Where several tensors meet.


def join(layouts: Layouts, args: Arguments, out: Tensor) -> Dimensions:
    """The arguments are broadcast against each other."""
    return of.join([layout for layout in layouts if layout is not None], out.shape)


def copy(layouts: Layouts, args: Arguments, out: Tensor) -> Dimensions:
    """The second argument is written over the first."""
    return join(layouts if layouts[1] is None else [layouts[1]], args, out)


def concatenate(layouts: Layouts, args: Arguments, out: Tensor) -> Dimensions:
    """The arguments are laid end to end along a dimension, at first the first; no other may run over pixels."""
    along = (args[1] if len(args) > 1 else 0) % out.dim()
    found = [layout for layout in layouts if layout is not None]
    if of.over_pixels(layout[along] for layout in found):
        raise Lost
    return of.join([(*layout[:along], of.ONE, *layout[along + 1 :]) for layout in found], out.shape)


def stack(layouts: Layouts, args: Arguments, out: Tensor) -> Dimensions:
    """The arguments are laid along a new dimension."""
    return join([layout and unsqueeze(layout, args, out) for layout in layouts], args, out)


def multiply(layouts: Layouts, args: Arguments, out: Tensor) -> Dimensions:
    """A product of the last two arguments, matrices or batches of them; to it any other is added."""
    *added, left, right = layouts
    products = [] if left is None and right is None else [of.multiply(left, right, out.shape)]
    return join([*added, *products], args, out)


def multiply_vector(layouts: Layouts, args: Arguments, out: Tensor) -> Dimensions:
    """A product of the last two arguments, the second a vector; to it any other is added."""
    *added, left, right = layouts
    of.mix([*(left or ())[-1:], *(right or ())])  # what is left of the vector runs over nothing
    return join([*added, left and left[:-1], right and ()], args, out)


def look_up(layouts: Layouts, args: Arguments, out: Tensor) -> Dimensions:
    """The second argument says which rows of the first are read, a matrix of weights."""
    if layouts[0] is not None or layouts[1] is None:
        raise Lost
    return (*layouts[1], ((out.shape[-1], None),))


# The same positions, fewer, more around them, or in another order.


def keep(layout: Dimensions, args: Arguments, out: Tensor) -> Dimensions:
    """Each position on its own, or with others that run over no pixels."""
    return of.read(layout, out.shape, [])


def pad(layout: Dimensions, args: Arguments, out: Tensor, mirrored: bool = False) -> Dimensions:
    """Positions added or, by negative numbers, cut off, from the last dimension on: before and after."""
    for i in range(len(args[1]) // 2):
        at, (before, after) = len(layout) - 1 - i, args[1][2 * i : 2 * i + 2]
        size = of.length(layout[at])
        if mirrored and (before > 0 or after > 0) and (axis := of.single(layout[at])):
            layout = (*layout[:at], ((size, axis.mirror(size)),), *layout[at + 1 :])
        if before or after:
            layout = of.read_one(layout, out.shape, at, (((-before,),), 1))
    return layout


def part(layout: Dimensions, args: Arguments, out: Tensor, at: int) -> Dimensions:
    """Some positions along a dimension, which the argument ``at`` names, perhaps every so many."""
    d = (args[at] if len(args) > at else 0) % out.dim()
    if layout[d] == ((out.shape[d], layout[d][0][1]),):
        return layout
    stride, offset = args[0].stride(d), out.storage_offset() - args[0].storage_offset()
    step = args[4] if at == 1 and len(args) > 4 else 1
    return of.read_one(layout, out.shape, d, (((offset // stride if stride else 0,),), step))


def flip(layout: Dimensions, args: Arguments, out: Tensor) -> Dimensions:
    """Some dimensions run backwards."""
    for d in (d % out.dim() for d in args[1]):
        layout = of.read_one(layout, out.shape, d, (((out.shape[d] - 1,),), -1))
    return layout


def roll(layout: Dimensions, args: Arguments, out: Tensor) -> Dimensions:
    """Some dimensions, or without any all, are turned round: their ends meet."""
    if of.over_pixels([layout[d] for d in args[2]] if len(args) > 2 and args[2] else layout):
        raise Lost
    return layout


def pick(layout: Dimensions, args: Arguments, out: Tensor, at: int = 1) -> Dimensions:
    """Some positions along a dimension, which the argument ``at`` names, and which runs over no pixels."""
    if of.over_pixels([layout[args[at] if len(args) > at else -1]]):
        raise Lost
    return keep(layout, args, out)


def select(layout: Dimensions, args: Arguments, out: Tensor) -> Dimensions:
    """One position along a dimension, at first the first, which is gone then."""
    d = (args[1] if len(args) > 1 else 0) % len(layout)
    if of.over_pixels([layout[d]]) and of.length(layout[d]) > 1:
        raise Lost
    return reduce(layout, (args[0], d), out)


def index(layout: Dimensions, args: Arguments, out: Tensor) -> Dimensions:
    """Positions named by a tensor, along one dimension that runs over no pixels."""
    chosen = [d for d, picks in enumerate(args[1]) if picks is not None]
    if len(chosen) != 1 or args[1][chosen[0]].dim() != 1 or of.over_pixels([layout[chosen[0]]]):
        raise Lost
    return keep(layout, args, out)


def repeat(layout: Dimensions, args: Arguments, out: Tensor) -> Dimensions:
    """Copies laid end to end, along dimensions that run over no pixels."""
    return keep((*[of.ONE] * (out.dim() - len(layout)), *layout), args, out)


def along(layout: Dimensions, args: Arguments, out: Tensor, at: int = 1) -> Dimensions:
    """The positions mix along a dimension, which the argument ``at`` names, and may be fewer or more then."""
    of.mix([layout[args[at] if len(args) > at else -1]])
    return keep(layout, args, out)


def reduce(layout: Dimensions, args: Arguments, out: Tensor, at: int = 1) -> Dimensions:
    """One number in place of the dimensions that the argument ``at`` names, or in place of all where none are named."""
    named = args[at] if len(args) > at else None
    gone = {d % len(layout) for d in ([named] if isinstance(named, int) else named or range(len(layout)))}
    of.mix(layout[d] for d in gone)
    left = layout if out.dim() == len(layout) else tuple(d for i, d in enumerate(layout) if i not in gone)
    return keep(left, args, out)


# The same numbers in other dimensions.


def view(layout: Dimensions, args: Arguments, out: Tensor) -> Dimensions:
    """The same numbers in another shape."""
    return of.view(layout, out.shape)


def permute(layout: Dimensions, args: Arguments, out: Tensor) -> Dimensions:
    """The dimensions in another order."""
    return tuple(layout[d] for d in args[1])


def transpose(layout: Dimensions, args: Arguments, out: Tensor) -> Dimensions:
    """Two dimensions exchanged; of a matrix they need not be named."""
    one, other = args[1:3] if len(args) > 1 else (0, -1)
    swapped = list(layout)
    swapped[one], swapped[other] = layout[other], layout[one]
    return tuple(swapped)


def unsqueeze(layout: Dimensions, args: Arguments, out: Tensor) -> Dimensions:
    """A dimension more, of one position."""
    at = (args[1] if len(args) > 1 else 0) % out.dim()
    return (*layout[:at], of.ONE, *layout[at:])


# Normalisation.


def batch_norm(layout: Dimensions, args: Arguments, out: Tensor) -> Dimensions:
    """By running statistics each number is on its own; by the batch's, which the sixth argument asks for, none is."""
    of.mix(layout if args[5] else [])
    return keep(layout, args, out)


def group_norm(layout: Dimensions, args: Arguments, out: Tensor) -> Dimensions:
    """Numbers are measured against those at all positions."""
    of.mix(layout)
    return layout


def layer_norm(layout: Dimensions, args: Arguments, out: Tensor) -> Dimensions:
    """Numbers are measured against those in the last dimensions."""
    of.mix(layout[-len(args[1]) :])
    return layout
