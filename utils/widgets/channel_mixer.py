"""Who reads whom: a slice of a kernel for every pair of channels, the sum of one output, and what groups leave out."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import traitlets

from utils.arithmetic import conv_parameter_count
from utils.functional import conv2d
from utils.functional.columns import Array
from utils.widgets.figure import Figure
from utils.widgets.svg import Cell, Frame, Panel, counted, signed

SIDE = 3  # of the neighbourhood that is shown of every input channel


def listed(channels: range, of: int) -> str:
    """The input channels by name: "all 4 input channels", "input channels 3 and 4"."""
    first, last = channels.start + 1, channels.stop
    if len(channels) == of:
        return "the only input channel" if of == 1 else f"all {of} input channels"
    if len(channels) == 1:
        return f"input channel {first} alone"
    return f"input channels {first} {'and' if len(channels) == 2 else 'to'} {last}"


class ChannelMixer(Figure):
    """One position of a convolution, all channels: the input patches, every slice of every kernel, the outputs.

    ``channel`` is the output channel that is chosen, from 0. Pixels and weights are small integers in no order; those
    of a pair of channels stay as they are while sliders add or take away others. ``groups`` that do not divide a
    channel count are no error here: the figure says why.
    """

    name: ClassVar[str] = "channel_mixer"

    in_channels = traitlets.Int(4, min=1, max=6).tag(sync=True)
    out_channels = traitlets.Int(4, min=1, max=6).tag(sync=True)
    groups = traitlets.Int(1, min=1, max=6).tag(sync=True)
    kernel_size = traitlets.Int(3, min=1, max=SIDE).tag(sync=True)
    channel = traitlets.Int(0, min=0, max=5).tag(sync=True)

    @property
    def pixels(self) -> Array:
        """The neighbourhood of one position in every input channel, (C, 3, 3)."""
        i = np.arange(self.in_channels * SIDE**2)
        return ((11 * i * i + 7 * i) % 59 % 4).reshape(-1, SIDE, SIDE)

    @property
    def start(self) -> int:
        """Row (and column) of the neighbourhood on which the kernel's first weight lies."""
        return (SIDE - self.kernel_size) // 2

    @property
    def patches(self) -> Array:
        """What the kernels lie on, (C, F, F)."""
        read = slice(self.start, self.start + self.kernel_size)
        return self.pixels[:, read, read]

    @property
    def kernels(self) -> Array:
        """A slice for every pair of channels, whether or not a group connects it, (K, C, F, F)."""
        k, c, row, column = np.indices((self.out_channels, self.in_channels, self.kernel_size, self.kernel_size))
        i = ((k * 6 + c) * SIDE + row) * SIDE + column
        return (14 * i * i + 15 * i) % 109 % 5 - 2

    def reads(self, channel: int) -> range:
        """The input channels, from 0, that an output channel reads; ``ValueError`` if the groups do not divide."""
        self.weight_count()
        width = self.in_channels // self.groups
        first = channel // (self.out_channels // self.groups) * width
        return range(first, first + width)

    @property
    def weights(self) -> Array:
        """The slices that exist, as torch keeps them, (K, C/G, F, F)."""
        return np.stack([self.kernels[k, self.reads(k)] for k in range(self.out_channels)])

    @property
    def outputs(self) -> Array:
        """The sum of every output channel, (K,)."""
        return conv2d(self.patches[None], self.weights, groups=self.groups).ravel()

    @property
    def parts(self) -> Array:
        """What each input channel contributes to each output, (K, C); 0 where nothing connects the two."""
        patches, c = self.patches[None], self.in_channels
        # A depthwise convolution keeps the channels' sums apart.
        apart = [conv2d(patches, kernel[:, None], groups=c).ravel() for kernel in self.kernels]
        connected = [[i in self.reads(k) for i in range(c)] for k in range(self.out_channels)]
        return np.where(connected, apart, 0)

    def weight_count(self, groups: int | None = None) -> int:
        """Weights of the layer, or of one with other ``groups``; ``ValueError`` if they do not divide the channels."""
        groups = self.groups if groups is None else groups
        return conv_parameter_count(self.in_channels, self.out_channels, self.kernel_size, groups, bias=False)

    def sentence(self) -> str:
        """Which inputs the chosen output reads, its sum, and the layer's weights."""
        try:
            weights = self.weight_count()
        except ValueError as error:
            return f"{str(error)[0].upper()}{str(error)[1:]}."
        chosen, c, k = self._chosen(), self.in_channels, self.out_channels
        return (
            f"Output channel {chosen + 1} of {k} reads {listed(self.reads(chosen), c)}, and its sum is "
            f"{signed(int(self.outputs[chosen]))}; "
            f"the layer has {k} · {c}/{self.groups} · {self.kernel_size}² = {counted(weights, 'weight')}."
        )

    def _chosen(self) -> int:
        """The channel, kept among the outputs, which another trait may have made fewer."""
        return min(self.channel, self.out_channels - 1)

    def panels(self) -> list[Panel]:
        """The patches side by side, the outputs, and the kernels: one in each row, with a slice for each input."""
        size, start, f = self.kernel_size, self.start, self.kernel_size

        def pixel(c: int, row: int, column: int) -> Cell:
            value = self.pixels[c, row, column]
            read = start <= row < start + f and start <= column < start + f
            return Cell(str(value), "input", 0.1 * value if read else 0)

        inputs = range(self.in_channels)
        patches = [[pixel(c, row, column) for c in inputs for column in range(SIDE)] for row in range(SIDE)]
        on = [Frame(start, c * SIDE + start, f) for c in inputs]
        heading = f"Input, {counted(self.in_channels, 'channel')}"
        try:
            outputs = self.outputs
        except ValueError:
            return [Panel(heading, "input", patches)]
        chosen, kernels = self._chosen(), self.kernels

        def weight(k: int, c: int, row: int, column: int) -> Cell:
            value = int(kernels[k, c, row, column])
            return Cell(signed(value), "kernel", 0.1 * abs(value)) if c in self.reads(k) else Cell("", "padding")

        rows = [(k, row) for k in range(self.out_channels) for row in range(size)]
        grid = [[weight(k, c, row, column) for c in inputs for column in range(size)] for k, row in rows]
        frames = [Frame(k * f, c * f, f, k != chosen) for k in range(self.out_channels) for c in self.reads(k)]
        tints = 0.3 * abs(outputs) / max(1, abs(outputs).max())
        made = [
            [Cell(signed(v), "output", tint, strong=k == chosen)]
            for k, (v, tint) in enumerate(zip(outputs.tolist(), tints, strict=True))
        ]
        return [
            Panel(heading, "input", patches, [on[c] for c in self.reads(chosen)]),
            Panel(f"Output, {counted(self.out_channels, 'channel')}", "output", made),
            Panel("Kernels: one in each row, a slice for each input", "kernel", grid, frames),
        ]
