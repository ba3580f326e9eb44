"""Who reads whom: kernels slide through all channels, a slice for every pair; and what groups leave out."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import traitlets

from utils.arithmetic import conv_parameter_count
from utils.functional import conv2d
from utils.functional.columns import Array
from utils.widgets.figure import Figure
from utils.widgets.settings import check_controls, check_position
from utils.widgets.svg import Cell, Frame, Panel, counted, signed

LARGEST = 3  # of the kernels
CONTROLS = ("in_channels", "out_channels", "groups", "kernel_size")


def listed(channels: range, of: int) -> str:
    """The input channels by name: "all 4 input channels", "input channels 3 and 4"."""
    first, last = channels.start + 1, channels.stop
    if len(channels) == of:
        return "the only input channel" if of == 1 else f"all {of} input channels"
    if len(channels) == 1:
        return f"input channel {first} alone"
    return f"input channels {first} {'and' if len(channels) == 2 else 'to'} {last}"


class ChannelMixer(Figure):
    """A convolution with all its channels: the input planes, every slice of every kernel, the output maps.

    ``size`` is the side of the planes; ``channel`` is the output channel that is chosen, from 0, and ``position`` the
    (row, column) in its map. Pixels and weights are small integers in no order; those of a pair of channels stay as
    they are while sliders add or take away others. ``groups`` that do not divide a channel count are no error here:
    the figure says why. ``controls`` names the sliders that are shown, by default all.
    """

    name: ClassVar[str] = "channel_mixer"

    in_channels = traitlets.Int(4, min=1, max=6).tag(sync=True)
    out_channels = traitlets.Int(4, min=1, max=6).tag(sync=True)
    groups = traitlets.Int(1, min=1, max=6).tag(sync=True)
    kernel_size = traitlets.Int(3, min=1, max=LARGEST).tag(sync=True)
    size = traitlets.Int(3, min=3, max=5).tag(sync=True)
    channel = traitlets.Int(0, min=0, max=5).tag(sync=True)
    position = traitlets.List([0, 0]).tag(sync=True)
    controls = traitlets.List(list(CONTROLS)).tag(sync=True)

    @traitlets.validate("position")
    def _valid_position(self, proposal: Any) -> Any:
        return check_position(proposal["value"], "an output's")

    @traitlets.validate("controls")
    def _valid_controls(self, proposal: Any) -> Any:
        return check_controls(proposal["value"], CONTROLS)

    @property
    def pixels(self) -> Array:
        """The input planes, (C, size, size)."""
        i = np.arange(self.in_channels * self.size**2)
        return ((11 * i * i + 7 * i) % 59 % 4).reshape(-1, self.size, self.size)

    @property
    def side(self) -> int:
        """The side of an output map."""
        return self.size - self.kernel_size + 1

    @property
    def place(self) -> tuple[int, int]:
        """The position, kept inside the map, which another trait may have made smaller."""
        return min(self.position[0], self.side - 1), min(self.position[1], self.side - 1)

    @property
    def patches(self) -> Array:
        """What the kernels lie on at the position, (C, F, F)."""
        row, column = self.place
        return self.pixels[:, row : row + self.kernel_size, column : column + self.kernel_size]

    @property
    def kernels(self) -> Array:
        """A slice for every pair of channels, whether or not a group connects it, (K, C, F, F)."""
        k, c, row, column = np.indices((self.out_channels, self.in_channels, self.kernel_size, self.kernel_size))
        i = ((k * 6 + c) * LARGEST + row) * LARGEST + column
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
        """The map of every output channel, (K, side, side)."""
        return conv2d(self.pixels[None], self.weights, groups=self.groups)[0]

    @property
    def parts(self) -> Array:
        """What each input channel adds to each output at the position, (K, C); 0 where nothing connects the two."""
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
        chosen, c, k, (row, column) = self._chosen(), self.in_channels, self.out_channels, self.place
        per_kernel = f"{c}/{self.groups}" if self.groups > 1 else c
        where = f" at row {row + 1}, column {column + 1}" if self.side > 1 else ""
        return (
            f"Output channel {chosen + 1} of {k} reads {listed(self.reads(chosen), c)}, and its sum{where} is "
            f"{signed(int(self.outputs[chosen][row, column]))}; "
            f"the layer has {k} · {per_kernel} · {self.kernel_size}² = {counted(weights, 'weight')}."
        )

    def _chosen(self) -> int:
        """The channel, kept among the outputs, which another trait may have made fewer."""
        return min(self.channel, self.out_channels - 1)

    def panels(self) -> list[Panel]:
        """The planes side by side, the maps too, and the kernels: one in each row, with a slice for each input."""
        size, f, side, (top, left) = self.size, self.kernel_size, self.side, self.place

        def pixel(c: int, row: int, column: int) -> Cell:
            value = self.pixels[c, row, column]
            read = top <= row < top + f and left <= column < left + f
            return Cell(str(value), "input", 0.1 * value if read else 0)

        inputs = range(self.in_channels)
        planes = [[pixel(c, row, column) for c in inputs for column in range(size)] for row in range(size)]
        on = [Frame(top, c * size + left, f) for c in inputs]
        heading = f"Input, {counted(self.in_channels, 'channel')}"
        try:
            outputs = self.outputs
        except ValueError:
            return [Panel(heading, "input", planes)]
        chosen, kernels = self._chosen(), self.kernels

        def weight(k: int, c: int, row: int, column: int) -> Cell:
            value = int(kernels[k, c, row, column])
            return Cell(signed(value), "kernel", 0.1 * abs(value)) if c in self.reads(k) else Cell("", "padding")

        rows = [(k, row) for k in range(self.out_channels) for row in range(f)]
        grid = [[weight(k, c, row, column) for c in inputs for column in range(f)] for k, row in rows]
        frames = [Frame(k * f, c * f, f, k != chosen) for k in range(self.out_channels) for c in self.reads(k)]
        most, place = max(1, abs(outputs).max()), (chosen, top, left)

        def made(*at: int) -> Cell:
            value = int(outputs[at])
            return Cell(signed(value), "output", 0.3 * abs(value) / most, strong=at == place)

        maps = range(self.out_channels)
        sums = [[made(k, row, column) for k in maps for column in range(side)] for row in range(side)]
        return [
            Panel(heading, "input", planes, [on[c] for c in self.reads(chosen)]),
            Panel(f"Output, {counted(self.out_channels, 'channel')}", "output", sums),
            Panel("Kernels: one in each row, a slice for each input", "kernel", grid, frames),
        ]
