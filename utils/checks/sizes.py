"""The exercises of chapter 02: sizes, parameters and work."""

from __future__ import annotations

from math import ceil, prod
from typing import Any

from numpy.random import Generator

from utils.arithmetic import conv_output_size, pool_output_size
from utils.checks.exercise import Arguments, Exercise
from utils.checks.own_numbers import Numbers


def _rows(rng: Generator) -> list[Arguments]:
    """Sizes, kernels, strides, paddings and dilations that leave something over, and some that do not."""
    settings: list[Arguments] = [(7, 3, 2, 0, 1), (8, 3, 2, 0, 1), (32, 5, 1, 2, 1), (10, 3, 3, 1, 2)]
    for _ in range(30):
        k, s, d = (int(rng.integers(*bounds)) for bounds in ((1, 8), (1, 5), (1, 4)))
        p = int(rng.integers(0, k + 1))
        settings.append((int(rng.integers(d * (k - 1) + 1, 60)), k, s, p, d))
    return settings


_LAYER = Numbers(
    "An image of {size} × {size} pixels with {channels} channels goes through a convolution with {kernels} kernels of "
    "{kernel_size} × {kernel_size}, stride {stride} and padding {padding}.",
    size=range(24, 61),
    channels=range(2, 7),
    kernels=range(8, 33, 2),
    kernel_size=(5, 7, 9, 11),
    stride=(2, 3, 4),
    padding=range(1, 6),
)


@_LAYER
def shape(
    size: int = 32, channels: int = 3, kernels: int = 16, kernel_size: int = 11, stride: int = 3, padding: int = 5
) -> Exercise:
    """How large the output is, with all its channels."""

    def output(sides: int = 2, step: int = stride, over: int = 0, first: int = 1, depth: int = kernels) -> Any:
        side = (size + sides * padding - kernel_size + over) // step + first
        return depth, side, side

    every = channels * kernels
    return Exercise(
        "shape",
        reference=output,
        mistakes={"PyTorch's order is channels, height, width.": lambda: output()[::-1]},
        slips={
            "The kernel's edge starts somewhere: count that place, too, not only the steps.": {"first": 0},
            "There are pixels left over at the end. No kernel goes there: a started step is no step.": {
                "over": stride - 1
            },
            "Padding goes on both sides of a row.": {"sides": 1},
            f"Without padding the kernel stops earlier; here there are {padding} pixels on each side.": {"sides": 0},
            "Where is the stride?": {"step": 1},
            "How many channels come out? One for each kernel, however many went in.": {"depth": channels},
            "A kernel reads all channels and makes one map, not one map for each channel.": {"depth": every},
        },
    )


@_LAYER
def parameters(
    size: int = 32, channels: int = 3, kernels: int = 16, kernel_size: int = 11, stride: int = 3, padding: int = 5
) -> Exercise:
    """How many weights and biases that layer has."""

    def count(many: int = kernels, depth: int = channels, area: int = kernel_size**2, biases: int = kernels) -> int:
        return many * depth * area + biases

    side = (size + 2 * padding - kernel_size) // stride + 1
    return Exercise(
        "parameters",
        reference=count,
        mistakes={
            "One bias for a kernel, not one for each of its weights.": lambda: 2 * count(biases=0),
            "The size of the map does not matter: the same weights are used at every place.": lambda: count() * side**2,
        },
        slips={
            "Each kernel has a bias, too.": {"biases": 0},
            "One bias in all? One for each kernel.": {"biases": 1},
            "A bias belongs to a kernel, not to a channel that it reads.": {"biases": channels},
            "One bias for each kernel, however many channels it reads.": {"biases": channels * kernels},
            "A kernel reads all the channels, and has weights for each.": {"depth": 1},
            f"That is one kernel; there are {kernels}.": {"many": 1, "biases": 1},
            f"Those are one kernel's weights; there are {kernels}.": {"many": 1},
            "A kernel has as many rows of weights as it has columns.": {"area": kernel_size},
        },
    )


def _output(
    size: int, kernel_size: int, stride: int, padding: int, dilation: int, sides: int = 2, first: int = 1
) -> int:
    return (size + sides * padding - dilation * (kernel_size - 1) - 1) // stride + first


output_size = Exercise(
    "output_size",
    cases=_rows,
    reference=_output,
    mistakes={
        "One too many when the division is not exact: a started step is no step, round down.": (
            lambda n, k, s, p, d: ceil((n + 2 * p - d * (k - 1) - 1) / s) + 1
        ),
        "With dilation d a kernel of 3 spans 2 d + 1 pixels, not 3 d: there are k − 1 gaps, not k.": (
            lambda n, k, s, p, d: (n + 2 * p - d * k) // s + 1
        ),
        "First divide the room by the stride, then add one.": lambda n, k, s, p, d: (n + 2 * p - d * (k - 1)) // s,
    },
    slips={
        "Always one too small: count the place where the kernel starts.": {"first": 0},
        "Padding is on both sides.": {"sides": 1},
    },
)


def _unread(
    size: int, kernel_size: int, stride: int, padding: int, sides: int = 2, right: int = 1, own: int = 1
) -> int:
    return max(0, (size + sides * padding - own * kernel_size) % stride - right * padding)


unread = Exercise(
    "unread",
    cases=lambda rng: [(n, k, s, p) for n, k, s, p, _ in _rows(rng) if s <= k] + [(8, 3, 2, 0), (10, 5, 4, 1)],
    reference=_unread,
    mistakes={
        "A padding wider than the rest leaves none unread: no less than 0.": lambda n, k, s, p: (n + 2 * p - k) % s - p,
    },
    slips={
        "What is left over at the end is padding first; only what is more than that are pixels.": {"right": 0},
        "Take off the padding on the right, not that on both sides.": {"right": 2},
        "The padding gives the kernel more room: it belongs into the sum, twice.": {"sides": 0, "right": 0},
        "There is padding on both sides of the row: each gives the kernel more room.": {"sides": 1},
        "The kernel's own width is no step: take it off before you divide.": {"own": 0},
    },
)


def _layers(rng: Generator) -> list[Arguments]:
    layers: list[Arguments] = [(3, 10, (5, 5), 1, True), (4, 8, (1, 3), 2, False), (6, 6, (3, 5), 6, True)]
    for _ in range(20):
        groups = int(rng.integers(1, 5))
        c, k = groups * int(rng.integers(1, 6)), groups * int(rng.integers(1, 6))
        kernel = int(rng.integers(1, 6)), int(rng.integers(1, 6))
        layers.append((c, k, kernel, groups, bool(rng.random() < 0.7)))
    return layers


def _count(in_channels: int, out_channels: int, kernel_size: tuple[int, int], groups: int, bias: Any) -> int:
    return in_channels // groups * out_channels * kernel_size[0] * kernel_size[1] + bias * out_channels


parameter_count = Exercise(
    "parameter_count",
    cases=_layers,
    reference=_count,
    mistakes={
        "One bias for a kernel, not one for each weight.": lambda c, k, f, g, b: c // g * k * f[0] * f[1] * (1 + b),
        "There is a bias for each kernel, not for each channel it reads.": (
            lambda c, k, f, g, b: c // g * k * prod(f) + b * c
        ),
        "One bias in all? Each kernel has its own.": lambda c, k, f, g, b: c // g * k * f[0] * f[1] + b,
        "Groups divide what kernels read, not their number as well.": (
            lambda c, k, f, g, b: c // g * (k // g) * prod(f) + b * k
        ),
    },
    slips={
        "A kernel has weights for every channel that it reads.": lambda c, k, f, g, b: (1, k, f, 1, b),
        "A kernel need not be square: kernel_size is (height, width).": lambda c, k, f, g, b: (c, k, (f[0],) * 2, g, b),
    },
)


def _work(rng: Generator) -> list[Arguments]:
    cases: list[Arguments] = [((3, 32, 32), 10, 5, 1, 2), ((8, 7, 10), 4, 3, 2, 0)]
    for _ in range(20):
        channels, height, width = (int(rng.integers(*bounds)) for bounds in ((1, 9), (7, 30), (7, 30)))
        k, s, p = int(rng.integers(1, 6)), int(rng.integers(1, 4)), int(rng.integers(0, 3))
        cases.append(((channels, height, width), int(rng.integers(1, 9)), k, s, p))
    return cases


def _macs(
    shape: Any, out_channels: int, kernel_size: int, stride: int, padding: int, sides: int = 2, area: int = 2
) -> int:
    channels, *size = shape
    height, width = ((n + sides * padding - kernel_size) // stride + 1 for n in size)
    return int(channels * out_channels * kernel_size**area * height * width)


macs = Exercise(
    "macs",
    cases=_work,
    reference=_macs,
    mistakes={
        "A weight is used once for each place of the output, not the input.": (
            lambda size, k, f, s, p: prod(size) * k * f * f
        ),
        "Those are the weights. How often is each of them used?": lambda size, k, f, s, p: size[0] * k * f * f,
        "A bias is added, but multiplied with nothing: it is not counted.": (
            lambda size, k, f, s, p: _macs(size, k, f, s, p) + _macs((1, *size[1:]), k, f, s, p) // f**2
        ),
        "A multiplication and the addition that follows are one MAC, not two.": lambda *case: 2 * _macs(*case),
    },
    slips={
        "Padding makes room for more places of the kernel.": {"sides": 0},
        "There is padding on both sides of the image.": {"sides": 1},
        "A kernel has kernel_size rows of as many weights.": {"area": 1},
        "Each kernel reads all the channels.": lambda size, *layer: ((1, *size[1:]), *layer),
        "That is one kernel; there are out_channels of them.": lambda size, k, *layer: (size, 1, *layer),
    },
)


def _chains(rng: Generator) -> list[Arguments]:
    chains: list[Arguments] = [
        ((1, 28, 28), [("conv", 6, 5, 1, 2), ("pool", 2), ("conv", 16, 5, 1, 0), ("pool", 2)]),
        ((3, 33, 27), [("conv", 8, 3, 2, 1), ("pool", 3), ("conv", 4, 1, 1, 0)]),
    ]
    for _ in range(15):
        layers: list[tuple[Any, ...]] = []
        for _ in range(2):
            k, s, p = int(rng.integers(1, 6)), int(rng.integers(1, 3)), int(rng.integers(0, 3))
            layers += [("conv", int(rng.integers(1, 9)), k, s, p), ("pool", int(rng.integers(2, 4)))]
        size = int(rng.integers(1, 4)), int(rng.integers(120, 200)), int(rng.integers(120, 200))
        chains.append((size, layers[: int(rng.integers(1, len(layers) + 1))]))
    return chains


def _chain(shape: tuple[int, ...], layers: list[tuple[Any, ...]], **wrong: Any) -> tuple[int, ...]:
    c, *sides = shape
    for kind, *numbers in layers:
        if kind == "pool":
            k, up = numbers[0], wrong.get("ceil_mode", False)
            sides = [pool_output_size(n, k, wrong.get("pool_stride", k), ceil_mode=up) for n in sides]
            c = 1 if wrong.get("pool_sums") else c
        else:
            k, f, s, p = numbers
            sides = [conv_output_size(n, f, s, wrong.get("padding", 1) * p) for n in sides]
            c = c if wrong.get("channels_stay") else c * k if wrong.get("channels_multiply") else k
    return (c, *sides)


chain = Exercise(
    "chain",
    cases=_chains,
    reference=_chain,
    mistakes={
        "Height stays in front of width.": lambda *case: (_chain(*case)[0], *_chain(*case)[:0:-1]),
        "The channels are missing: give (channels, height, width).": lambda *case: _chain(*case)[1:],
    },
    slips={
        "Pooling steps by its kernel's size if nothing else is said.": {"pool_stride": 1},
        "A pooling is not always of 2, so it does not always step by 2.": {"pool_stride": 2},
        "Pooling drops what is left over; it does not round up.": {"ceil_mode": True},
        "Pooling works on each channel by itself: as many come out.": {"pool_sums": True},
        "A layer's output has one channel for each kernel, whatever came in.": {"channels_multiply": True},
        "A convolution changes the number of channels: one for each of its kernels.": {"channels_stay": True},
        "The convolutions have a padding, their last number.": {"padding": 0},
    },
)


def _halving(largest: int) -> list[tuple[int, int]]:
    sizes = range(2 * largest, 2 * largest + 40, 2)
    return [
        (k, p)
        for k in range(1, largest + 1)
        for p in range(k)
        if all(conv_output_size(n, k, 2, p) == n // 2 for n in sizes)
    ]


halving = Exercise(
    "halving",
    cases=lambda rng: [(largest,) for largest in sorted({7, int(rng.integers(4, 7)), int(rng.integers(8, 13))})],
    reference=_halving,
    mistakes={
        "Even kernels can halve as well: try 2 with no padding.": (
            lambda n: [pair for pair in _halving(n) if pair[0] % 2]
        ),
        "Odd kernels can halve a size as well, though a pixel is left over: try 3 with padding 1.": (
            lambda largest: [pair for pair in _halving(largest) if not pair[0] % 2]
        ),
        "Padding by half the kernel does too much for even kernels: try 2 with padding 1.": (
            lambda largest: [(k, k // 2) for k in range(1, largest + 1)]
        ),
    },
    slips={
        "The largest kernel belongs to them: range stops before its end.": lambda largest: (largest - 1,),
    },
)
