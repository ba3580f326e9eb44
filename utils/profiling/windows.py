"""Layout rules of what reads neighbouring pixels: convolution, pooling, unfolding, resizing, shuffling.

Each is a function of one layout, of the operator's arguments and of its result, for ``utils.profiling.rules.first``.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor
from typing import Any, TypeAlias

from torch import Tensor

from utils.profiling import layouts as of
from utils.profiling.fields import LONGEST, Lost, Taps
from utils.profiling.layouts import Dimensions

Arguments: TypeAlias = Sequence[Any]
Reading: TypeAlias = tuple[Taps, int]


def per_axis(value: Any, rank: int) -> list[int]:
    """One number or several as one for each axis."""
    values = [value] if isinstance(value, int) else list(value)
    return values * rank if len(values) == 1 else values


def _window(kernel_size: int, stride: int, padding: int, dilation: int) -> Reading:
    return (range(-padding, dilation * (kernel_size - 1) - padding + 1, dilation),), stride


@lru_cache(maxsize=1024)
def _spread(kernel_size: int, stride: int, padding: int, dilation: int) -> Reading:
    """As the adjoint of a window: output i gets something from every position at which the window covers i."""
    taps = []
    for i in range(padding, padding + stride):
        starts = range(i - dilation * (kernel_size - 1), i + 1, dilation)
        taps.append(tuple(start // stride for start in starts if start % stride == 0))
    return tuple(taps), 1


def convolve(layout: Dimensions, args: Arguments, out: Tensor) -> Dimensions:
    """A convolution, transposed or not; the channels mix."""
    _, weight, _, stride, padding, dilation, transposed, *_ = args
    kernel_size = weight.shape[2:]
    numbers = zip(*(per_axis(n, len(kernel_size)) for n in (kernel_size, stride, padding, dilation)), strict=True)
    readings = [(_spread if transposed else _window)(*axis) for axis in numbers]
    channel = -1 - len(kernel_size)
    return of.read(of.channels(layout, channel, out.shape[channel]), out.shape, readings)


def pool(layout: Dimensions, args: Arguments, out: Tensor, rank: int, dilated: bool) -> Dimensions:
    """A window over each of the last ``rank`` dimensions; strides that are not given are the kernel's size."""
    kernel_size = per_axis(args[1], rank)
    stride = per_axis(args[2], rank) if len(args) > 2 and args[2] else kernel_size
    padding = per_axis(args[3], rank) if len(args) > 3 else [0] * rank
    dilation = per_axis(args[4], rank) if dilated and len(args) > 4 else [1] * rank
    return of.read(layout, out.shape, list(map(_window, kernel_size, stride, padding, dilation)))


def unfold(layout: Dimensions, args: Arguments, out: Tensor) -> Dimensions:
    """torch.nn.functional.unfold: each window's numbers are channels of its position, the positions one dimension."""
    kernel_size, dilation, padding, stride = (per_axis(number, 2) for number in args[1:5])
    readings = list(map(_window, kernel_size, stride, padding, dilation))
    sizes = [
        (of.length(dimension) + 2 * p - d * (k - 1) - 1) // s + 1
        for dimension, k, s, p, d in zip(layout[-2:], kernel_size, stride, padding, dilation, strict=True)
    ]
    shape = [*out.shape[:-1], *sizes]
    return of.view(of.read(of.channels(layout, -3, out.shape[-2]), shape, readings), out.shape)


def fold(layout: Dimensions, args: Arguments, out: Tensor) -> Dimensions:
    """torch.nn.functional.fold, which adds up what ``unfold`` laid apart."""
    kernel_size, dilation, padding, stride = (per_axis(number, 2) for number in args[2:6])
    sizes = [
        (size + 2 * p - d * (k - 1) - 1) // s + 1
        for size, k, s, p, d in zip(out.shape[-2:], kernel_size, stride, padding, dilation, strict=True)
    ]
    apart = of.view(layout, [*(of.length(dimension) for dimension in layout[:-1]), *sizes])
    readings = list(map(_spread, kernel_size, stride, padding, dilation))
    return of.read(of.channels(apart, -3, out.shape[-3]), out.shape, readings)


def windows(layout: Dimensions, args: Arguments, out: Tensor) -> Dimensions:
    """torch.Tensor.unfold: windows along one dimension, whose numbers are a new one."""
    _, at, size, step = args
    shape, at = out.shape[:-1], at % len(layout)
    return (*of.read_one(layout, shape, at, ((range(size),), step)), ((size, None),))


# To another size.


def pool_to_size(layout: Dimensions, args: Arguments, out: Tensor, rank: int) -> Dimensions:
    """Pooling to an output size; a single output sees all there is along its axis."""
    readings = []
    for dimension, size in zip(layout[-rank:], out.shape[-rank:], strict=True):
        before = of.length(dimension)
        if size == 1 < before:
            of.mix([dimension])
        each = _limited(before, size)
        taps = [range(floor(i * each), ceil((i + 1) * each)) for i in range(each.denominator)]
        readings.append((tuple(taps), each.numerator))
    return of.read(layout, out.shape, readings)


def _limited(before: int, size: int) -> Fraction:
    ratio = Fraction(before, size)
    if ratio.denominator > LONGEST:
        raise Lost
    return ratio


@lru_cache(maxsize=1024)
def _resized(ratio: Fraction, start: Fraction, taps: int, width: Fraction) -> Reading:
    """Output i lies at start + i · ratio and reads what is nearer than half of ``taps`` positions, ``width`` long each.

    With one tap that is the position it lies in; positions begin at whole numbers then, and else lie there.
    """
    if ratio.denominator > LONGEST:
        raise Lost
    readings = []
    for i in range(ratio.denominator):
        place, reach = start + i * ratio, width * taps / 2
        ends = floor(place - reach) + 1, ceil(place + reach)
        # A cubic kernel is zero where it is half as wide.
        near = tuple(j for j in range(*ends) if taps == 2 or abs(j - place) != width)
        readings.append((floor(place),) if taps == 1 else near)
    return tuple(readings), ratio.numerator


def interpolate(
    layout: Dimensions, args: Arguments, out: Tensor, rank: int, taps: int, exact: bool = False, smooth: bool = False
) -> Dimensions:
    """Resizing by a kernel ``taps`` positions wide, or more where a ``smooth`` one shrinks the image.

    The nearest position is the one under the left edge of the new pixel, or under its centre if ``exact``.
    """
    aligned = taps > 1 and bool(args[2])
    given = args[2 + (taps > 1) :]
    readings = []
    for i, (dimension, size) in enumerate(zip(layout[-rank:], out.shape[-rank:], strict=True)):
        before = of.length(dimension)
        ratio = Fraction(before, size)
        if aligned:
            ratio = Fraction(before - 1, size - 1) if size > 1 else Fraction(0)
        elif i < len(given) and given[i]:
            ratio = 1 / Fraction(given[i]).limit_denominator(LONGEST)
        start = Fraction(0) if aligned or (taps == 1 and not exact) else ratio / 2 - (Fraction(1, 2) if taps > 1 else 0)
        readings.append(_resized(ratio, start, taps, max(ratio, Fraction(1)) if smooth else Fraction(1)))
    return of.read(layout, out.shape, readings)


def pixel_shuffle(layout: Dimensions, args: Arguments, out: Tensor) -> Dimensions:
    """Channels become pixels between pixels."""
    spread = ((0,),) * args[1], 1
    return of.read(of.channels(layout, -3, out.shape[-3]), out.shape, [spread, spread])


def pixel_unshuffle(layout: Dimensions, args: Arguments, out: Tensor) -> Dimensions:
    """Pixels between pixels become channels."""
    gathered = (range(args[1]),), args[1]
    return of.read(of.channels(layout, -3, out.shape[-3]), out.shape, [gathered, gathered])
