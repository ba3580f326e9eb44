"""Sizes, parameters, multiply-accumulates and receptive fields of layers, in exact integers.

Names, argument order and defaults are PyTorch's. A size is the length of one axis; where
it is a pair it is (height, width), and every other argument may be an int or a pair too.
Bad input raises ``ValueError`` naming the rule and the value that broke it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, SupportsIndex, TypeAlias, TypeVar

IntOrPair: TypeAlias = SupportsIndex | Sequence[SupportsIndex]
# An int gives an int, a (height, width) gives a (height, width).
Size = TypeVar("Size", int, tuple[int, int])


def integer(name: str, value: object, minimum: int) -> int:
    """``value`` as an int, refusing anything that is not a whole number of at least ``minimum``."""
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)  # type: ignore[arg-type]  # the TypeError is the check
    except TypeError:
        raise ValueError(f"{name} must be an integer, got {value!r}") from None
    if number < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {number}")
    return number


def pair(name: str, value: IntOrPair, minimum: int) -> tuple[int, int]:
    """``value`` as (height, width): an int counts for both axes."""
    values = _elements(value)
    if values is None:
        return (integer(name, value, minimum),) * 2
    if len(values) != 2:
        raise ValueError(f"{name} must be an integer or a (height, width) pair, got {value!r}")
    return integer(name, values[0], minimum), integer(name, values[1], minimum)


def _elements(value: object) -> tuple[object, ...] | None:
    """The elements of a pair, or None for a single value (a 0-d array is one, though it has ``__iter__``)."""
    try:
        return None if isinstance(value, (int, str, bytes, set, frozenset, dict)) else tuple(value)  # type: ignore[arg-type]  # as above
    except TypeError:
        return None


_MINIMUM = {"size": 1, "kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1, "output_padding": 0}


def _per_axis(rule: Callable[..., int], **arguments: Any) -> Any:
    """Check the arguments and apply the one-axis ``rule``: once if the first is an int, twice if it is a pair."""
    (first, size), *others = arguments.items()
    if _elements(size) is None:
        for name, value in others:
            if _elements(value) is not None:
                raise ValueError(f"{first} {size} is one axis, so {name} must be one integer, got {value!r}")
        return rule(*(integer(name, value, _MINIMUM[name]) for name, value in arguments.items()))
    height, width = zip(*(pair(name, value, _MINIMUM[name]) for name, value in arguments.items()), strict=True)
    return rule(*height), rule(*width)


def _conv_axis(size: int, kernel_size: int, stride: int, padding: int, dilation: int) -> int:
    reach = dilation * (kernel_size - 1) + 1
    room = size + 2 * padding - reach
    if room < 0:
        spread = "" if dilation == 1 else f" (spread over {reach} by dilation {dilation})"
        raise ValueError(
            f"kernel {kernel_size}{spread} is larger than padded input {size + 2 * padding} "
            f"(size {size} + 2·{padding}): no output"
        )
    return room // stride + 1


def conv_output_size(
    size: Size, kernel_size: IntOrPair, stride: IntOrPair = 1, padding: IntOrPair = 0, dilation: IntOrPair = 1
) -> Size:
    """Output size of a convolution along one axis, or along both if ``size`` is (height, width).

    ⌊(size + 2·padding − dilation·(kernel_size − 1) − 1) / stride⌋ + 1, the formula of ``torch.nn.Conv2d``.
    ``padding`` counts the cells added on each side. ``ValueError`` if the kernel does not fit.
    """
    return _per_axis(_conv_axis, size=size, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)


def _conv_transpose_axis(
    size: int, kernel_size: int, stride: int, padding: int, output_padding: int, dilation: int
) -> int:
    if output_padding >= max(stride, dilation):
        raise ValueError(f"output_padding {output_padding} must be smaller than stride {stride} or dilation {dilation}")
    full = (size - 1) * stride + dilation * (kernel_size - 1) + output_padding + 1
    if full <= 2 * padding:
        raise ValueError(f"padding {padding} on both sides crops all of the {full} output cells: no output")
    return full - 2 * padding


def conv_transpose_output_size(
    size: Size,
    kernel_size: IntOrPair,
    stride: IntOrPair = 1,
    padding: IntOrPair = 0,
    output_padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
) -> Size:
    """Output size of a transposed convolution along one axis, or along both.

    (size − 1)·stride − 2·padding + dilation·(kernel_size − 1) + output_padding + 1, the formula of
    ``torch.nn.ConvTranspose2d``: ``padding`` crops. ``ValueError`` if nothing is left, or if
    ``output_padding`` is not smaller than the stride or the dilation.
    """
    return _per_axis(
        _conv_transpose_axis,
        size=size,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        output_padding=output_padding,
        dilation=dilation,
    )


def pool_output_size(
    size: Size,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
    ceil_mode: bool = False,
) -> Size:
    """Output size of a pooling layer along one axis, or along both; the default stride is the kernel.

    As ``torch.nn.MaxPool2d``: ``ceil_mode`` rounds up, then drops a last window that would start in the
    right-hand padding. ``ValueError`` if no window fits or the padding exceeds half of the kernel.
    """

    def axis(size: int, kernel_size: int, stride: int, padding: int, dilation: int) -> int:
        reach = dilation * (kernel_size - 1) + 1
        if padding > kernel_size // 2:
            raise ValueError(f"padding {padding} is more than half of kernel {kernel_size}")
        if not ceil_mode:
            return _conv_axis(size, kernel_size, stride, padding, dilation)
        count = -((reach - size - 2 * padding) // stride) + 1
        if (count - 1) * stride >= size + padding:
            count -= 1
        if count < 1:
            raise ValueError(
                f"kernel {kernel_size} is larger than padded input {size + 2 * padding} (size {size} + 2·{padding})"
                f" by more than ceil_mode can make up for with stride {stride}: no output"
            )
        return count

    stride = kernel_size if stride is None else stride
    return _per_axis(axis, size=size, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)


def same_padding(kernel_size: Size, dilation: IntOrPair = 1) -> Size:
    """Padding per side that keeps the size at stride 1: dilation·(kernel_size − 1) / 2.

    ``ValueError`` where that is no whole number, as for every undilated even kernel: then one side
    would need one cell more than the other.
    """

    def axis(kernel_size: int, dilation: int) -> int:
        total = dilation * (kernel_size - 1)
        if total % 2:
            raise ValueError(
                f"kernel_size {kernel_size} with dilation {dilation} needs padding {total} in all, an odd number: "
                "no symmetric padding keeps the size"
            )
        return total // 2

    return _per_axis(axis, kernel_size=kernel_size, dilation=dilation)


def conv_parameter_count(
    in_channels: int, out_channels: int, kernel_size: IntOrPair, groups: int = 1, bias: bool = True
) -> int:
    """Parameters of a convolution: out_channels · (in_channels / groups) · kernel height · width, + one bias each.

    ``ValueError`` unless ``groups`` divides both channel counts.
    """
    in_channels, out_channels = integer("in_channels", in_channels, 1), integer("out_channels", out_channels, 1)
    groups = integer("groups", groups, 1)
    for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
        if channels % groups:
            raise ValueError(f"groups must divide {name}: {channels} is not a multiple of {groups}")
    height, width = pair("kernel_size", kernel_size, 1)
    return out_channels * (in_channels // groups) * height * width + (out_channels if bias else 0)


def linear_parameter_count(in_features: int, out_features: int, bias: bool = True) -> int:
    """Parameters of a dense layer: in_features · out_features, + one bias per output."""
    in_features, out_features = integer("in_features", in_features, 1), integer("out_features", out_features, 1)
    return in_features * out_features + (out_features if bias else 0)


def conv_macs(
    in_channels: int, out_channels: int, kernel_size: IntOrPair, output_size: IntOrPair, groups: int = 1
) -> int:
    """Multiply-accumulates of a convolution on one image: its weights, each used once per output position.

    ``output_size`` is (height, width), or an int for a square map; adding the bias is not counted.
    """
    height, width = pair("output_size", output_size, 1)
    return conv_parameter_count(in_channels, out_channels, kernel_size, groups, bias=False) * height * width


class ReceptiveField(NamedTuple):
    """What one output sees along one axis: output i reads pixels start + i·jump … start + i·jump + size − 1."""

    size: int
    jump: int
    start: int


def receptive_field(layers: Iterable[Sequence[int]]) -> ReceptiveField:
    """Receptive field of a chain of layers along one axis, each (kernel_size, stride=1, padding=0, dilation=1).

    ``jump`` is the distance in input pixels between two neighbouring outputs; ``start`` is the first pixel
    of output 0, negative where padding reaches out of the image. The recurrence is that of Araujo,
    Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks" (2019).
    """
    size, jump, start = 1, 1, 0
    for number, layer in enumerate(layers, 1):
        if not isinstance(layer, Iterable) or not 1 <= len(layer) <= 4:
            raise ValueError(f"layer {number} must be (kernel_size, stride, padding, dilation), got {layer!r}")
        kernel_size, stride, padding, dilation = (*layer, *(1, 0, 1)[len(layer) - 1 :])
        kernel_size, stride = integer("kernel_size", kernel_size, 1), integer("stride", stride, 1)
        padding, dilation = integer("padding", padding, 0), integer("dilation", dilation, 1)
        size += dilation * (kernel_size - 1) * jump
        start -= padding * jump
        jump *= stride
    return ReceptiveField(size, jump, start)
