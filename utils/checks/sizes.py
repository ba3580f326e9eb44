"""The exercises of chapter 02: sizes, parameters and work."""

from __future__ import annotations

from math import ceil
from typing import Any

from numpy.random import Generator

from utils.arithmetic import conv_macs, conv_output_size, conv_parameter_count, pool_output_size
from utils.checks.exercise import Arguments, Exercise


def _rows(rng: Generator) -> list[Arguments]:
    """Sizes, kernels, strides, paddings and dilations that leave something over, and some that do not."""
    settings: list[Arguments] = [(7, 3, 2, 0, 1), (8, 3, 2, 0, 1), (32, 5, 1, 2, 1), (10, 3, 3, 1, 2)]
    for _ in range(30):
        k, s, d = (int(rng.integers(*bounds)) for bounds in ((1, 8), (1, 5), (1, 4)))
        p = int(rng.integers(0, k + 1))
        settings.append((int(rng.integers(d * (k - 1) + 1, 60)), k, s, p, d))
    return settings


shape = Exercise(
    "shape",
    cases=lambda rng: [()],
    reference=lambda: (16, 11, 11),
    mistakes={
        "The kernel's edge starts somewhere: count that place, too, not only the steps.": lambda: (16, 10, 10),
        "There are pixels left over at the end. No kernel goes there: a started step is no step.": lambda: (16, 12, 12),
        "Padding goes on both sides of a row.": lambda: (16, 9, 9),
        "Without padding the kernel stops earlier; here there are 5 pixels on each side.": lambda: (16, 8, 8),
        "How many channels come out? One for each kernel, however many went in.": lambda: (3, 11, 11),
        "PyTorch's order is channels, height, width.": lambda: (11, 11, 16),
        "A kernel reads all channels and makes one map, not one map for each channel.": lambda: (48, 11, 11),
    },
)

parameters = Exercise(
    "parameters",
    cases=lambda rng: [()],
    reference=lambda: 5824,
    mistakes={
        "Each kernel has a bias, too.": lambda: 5808,
        "One bias for a kernel, not one for each of its weights.": lambda: 2 * 5808,
        "A kernel reads all three channels, and has weights for each.": lambda: 11 * 11 * 16 + 16,
        "That is one kernel; there are sixteen.": lambda: 11 * 11 * 3 + 1,
        "The size of the map does not matter: the same weights are used at every place.": lambda: 5824 * 11 * 11,
        "One bias in all? One for each kernel.": lambda: 5809,
    },
)

output_size = Exercise(
    "output_size",
    cases=_rows,
    reference=conv_output_size,
    mistakes={
        "Always one too small: count the place where the kernel starts.": (
            lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) // s
        ),
        "One too many when the division is not exact: a started step is no step, round down.": (
            lambda n, k, s, p, d: ceil((n + 2 * p - d * (k - 1) - 1) / s) + 1
        ),
        "Padding is on both sides.": lambda n, k, s, p, d: (n + p - d * (k - 1) - 1) // s + 1,
        "Where is the padding?": lambda n, k, s, p, d: (n - d * (k - 1) - 1) // s + 1,
        "Right without dilation. Where is it?": lambda n, k, s, p, d: (n + 2 * p - k) // s + 1,
        "With dilation d a kernel of 3 spans 2 d + 1 pixels, not 3 d: there are k − 1 gaps, not k.": (
            lambda n, k, s, p, d: (n + 2 * p - d * k) // s + 1
        ),
        "First divide the room by the stride, then add one; not the other way round.": (
            lambda n, k, s, p, d: (n + 2 * p - d * (k - 1)) // s
        ),
        "Divide by the stride: it says how far apart the places are.": lambda n, k, s, p, d: n + 2 * p - d * (k - 1),
    },
)


def _unread(n: int, k: int, s: int, p: int) -> int:
    return max(0, (n + 2 * p - k) % s - p)


unread = Exercise(
    "unread",
    cases=lambda rng: [(n, k, s, p) for n, k, s, p, _ in _rows(rng) if s <= k] + [(8, 3, 2, 0), (10, 5, 4, 1)],
    reference=_unread,
    mistakes={
        "What is left over at the end is padding first; only what is more than that are pixels.": (
            lambda n, k, s, p: (n + 2 * p - k) % s
        ),
        "The padding gives the kernel more room: it belongs into the sum, twice.": lambda n, k, s, p: (n - k) % s,
        "A padding wider than the rest leaves nothing unread: not less than 0.": (
            lambda n, k, s, p: (n + 2 * p - k) % s - p
        ),
        "The kernel's own width is no step: take it off before you divide.": (
            lambda n, k, s, p: max(0, (n + 2 * p) % s - p)
        ),
        "Take off the padding on the right, not that on both sides.": (
            lambda n, k, s, p: max(0, (n + 2 * p - k) % s - 2 * p)
        ),
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


parameter_count = Exercise(
    "parameter_count",
    cases=_layers,
    reference=conv_parameter_count,
    mistakes={
        "Each kernel has one bias: out_channels of them, if bias.": lambda c, k, f, g, b: c // g * k * f[0] * f[1],
        "One bias for a kernel, not one for each weight.": lambda c, k, f, g, b: c // g * k * f[0] * f[1] * (1 + b),
        "A bias belongs to a kernel, so there are out_channels of them, not in_channels.": (
            lambda c, k, f, g, b: c // g * k * f[0] * f[1] + b * c
        ),
        "bias may be False.": lambda c, k, f, g, b: c // g * k * f[0] * f[1] + k,
        "One bias in all? Each kernel has its own.": lambda c, k, f, g, b: c // g * k * f[0] * f[1] + b,
        "A kernel has weights for every channel that it reads: channels are not averaged.": (
            lambda c, k, f, g, b: k * f[0] * f[1] + b * k
        ),
        "With groups a kernel reads only in_channels / groups.": lambda c, k, f, g, b: c * k * f[0] * f[1] + b * k,
        "Groups divide what each kernel reads, not the number of kernels as well.": (
            lambda c, k, f, g, b: c // g * (k // g) * f[0] * f[1] + b * k
        ),
        "A kernel need not be square: kernel_size is (height, width).": (
            lambda c, k, f, g, b: c // g * k * f[0] ** 2 + b * k
        ),
    },
)


def _work(rng: Generator) -> list[Arguments]:
    cases: list[Arguments] = [((3, 32, 32), 10, 5, 1, 2), ((8, 7, 10), 4, 3, 2, 0)]
    for _ in range(20):
        channels, height, width = (int(rng.integers(*bounds)) for bounds in ((1, 9), (7, 30), (7, 30)))
        k, s, p = int(rng.integers(1, 6)), int(rng.integers(1, 4)), int(rng.integers(0, 3))
        cases.append(((channels, height, width), int(rng.integers(1, 9)), k, s, p))
    return cases


def _made(size: tuple[int, ...], f: int, s: int, p: int) -> Any:
    return conv_output_size((size[1], size[2]), f, s, p)


macs = Exercise(
    "macs",
    cases=_work,
    reference=lambda size, k, f, s, p: conv_macs(size[0], k, f, _made(size, f, s, p)),
    mistakes={
        "Every weight is used once for each place of the output, not of the input.": (
            lambda size, k, f, s, p: conv_macs(size[0], k, f, size[1:])
        ),
        "Those are the weights. How often is each of them used?": (
            lambda size, k, f, s, p: conv_parameter_count(size[0], k, f, bias=False)
        ),
        "A bias is added, but multiplied with nothing: it is not counted.": (
            lambda size, k, f, s, p: conv_macs(size[0], k, f, _made(size, f, s, p)) + k * _area(size, f, s, p)
        ),
        "A multiplication and the addition that follows are one MAC, not two.": (
            lambda size, k, f, s, p: 2 * conv_macs(size[0], k, f, _made(size, f, s, p))
        ),
        "Padding makes room for more places of the kernel.": (
            lambda size, k, f, s, p: conv_macs(size[0], k, f, _made(size, f, s, 0))
        ),
        "Each kernel reads all the channels.": lambda size, k, f, s, p: conv_macs(1, k, f, _made(size, f, s, p)),
        "That is one kernel; there are out_channels of them.": (
            lambda size, k, f, s, p: conv_macs(size[0], 1, f, _made(size, f, s, p))
        ),
        "Height and width of the output need not be the same.": (
            lambda size, k, f, s, p: conv_macs(size[0], k, f, _made(size, f, s, p)[0])
        ),
    },
)


def _area(size: tuple[int, ...], f: int, s: int, p: int) -> int:
    height, width = _made(size, f, s, p)
    return int(height * width)


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


def _chain(size: tuple[int, ...], layers: list[tuple[Any, ...]], **wrong: Any) -> tuple[int, ...]:
    c, *sides = size
    for kind, *numbers in layers:
        if kind == "pool":
            k = numbers[0]
            s = wrong.get("pool_stride", k)
            sides = [pool_output_size(n, k, s, ceil_mode=wrong.get("ceil_mode", False)) for n in sides]
            c = 1 if wrong.get("pool_sums") else c
        else:
            k, f, s, p = numbers
            sides = [conv_output_size(n, f, s, 0 if wrong.get("unpadded") else p) for n in sides]
            c = c * k if wrong.get("channels_multiply") else k
    return (c, *sides[:: wrong.get("order", 1)])


chain = Exercise(
    "chain",
    cases=_chains,
    reference=_chain,
    mistakes={
        "Pooling steps by its kernel's size if nothing else is said.": lambda x, layers: _chain(
            x, layers, pool_stride=1
        ),
        "Pooling drops what is left over; it does not round up.": (
            lambda size, layers: _chain(size, layers, ceil_mode=True)
        ),
        "Pooling works on each channel by itself: as many come out.": lambda x, layers: _chain(
            x, layers, pool_sums=True
        ),
        "A layer's output has one channel for each kernel, whatever came in.": (
            lambda size, layers: _chain(size, layers, channels_multiply=True)
        ),
        "Height stays in front of width.": lambda size, layers: _chain(size, layers, order=-1),
        "The convolutions have a padding, their last number.": lambda size, layers: _chain(size, layers, unpadded=True),
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
        "Even kernels can halve a size as well: try 2 with no padding.": (
            lambda largest: [pair for pair in _halving(largest) if pair[0] % 2]
        ),
        "The pairs are (kernel_size, padding), in this order.": lambda largest: [
            pair[::-1] for pair in _halving(largest)
        ],
        "Odd kernels can halve a size as well, though a pixel is left over: try 3 with padding 1.": (
            lambda largest: [pair for pair in _halving(largest) if not pair[0] % 2]
        ),
        "A kernel of 1 counts, too: with stride 2 it reads every other pixel.": (
            lambda largest: [pair for pair in _halving(largest) if pair[0] > 1]
        ),
        "The largest kernel belongs to them: range stops before its end.": lambda largest: _halving(largest - 1),
    },
)
