"""A network block by block: shapes to scale, and areas that are parameters, multiply-accumulates or memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

from utils.widgets.blocks import blocks
from utils.widgets.figure import Figure
from utils.widgets.svg import Panel, Tile, counted, signed

if TYPE_CHECKING:
    from utils.profiling import ModelProfile

AREAS = ("parameters", "MACs", "memory")


def treemap(values: Sequence[int], width: float, height: float) -> list[list[float]]:
    """Boxes [x, y, width, height] in rows, areas as ``values``; rows break where boxes come closest to squares."""
    total, best = sum(values), [(0.0, 0)]  # for the first 0, 1, 2, … values: the least cost, where the last row starts
    for end in range(1, len(values) + 1):
        costs, share = [], 0
        for start in range(end - 1, -1, -1):
            share += values[start]
            cost = best[start][0]
            for value in values[start:end]:
                aspect = value / share * (total / share) * (width / height)
                cost += value * max(aspect, 1 / aspect)
            costs.append((cost, start))
        best.append(min(costs))
    ends = [len(values)]
    while ends[0]:
        ends.insert(0, best[ends[0]][1])
    boxes, top = [], 0.0
    for start, end in pairwise(ends):
        row, left = sum(values[start:end]), 0.0
        for value in values[start:end]:
            boxes.append([left, top, width * value / row, height * row / total])
            left += width * value / row
        top += height * row / total
    return boxes


def _times(shape: Sequence[int]) -> str:
    return " × ".join(map(str, shape))


def _percent(part: int, total: int) -> str:
    rounded = (200 * part + total) // (2 * total) if total else 0
    return "< 1 %" if part and not rounded else f"{rounded} %"


def _bytes(value: int) -> str:
    """Bytes to a tenth of a kB or MB, of a thousand and a million bytes."""
    if value < 1000:
        return counted(value, "byte")
    size, unit = (100, "kB") if value < 1_000_000 else (100_000, "MB")
    return f"{(value + size // 2) // size / 10:,.1f}".removesuffix(".0") + f" {unit}"


class ArchitectureExplorer(Figure):
    """Networks block by block, from ``profiles``: a mapping of names to what ``utils.profiling.profile`` gives.

    ``network`` is the name of the one shown, at first the first; ``area`` is "parameters", "MACs" or "memory";
    ``selected`` counts the chosen block from 0, at first the largest in the area shown. Memory is what layers write.
    """

    name: ClassVar[str] = "architecture_explorer"

    networks = traitlets.List(traitlets.Dict()).tag(sync=True)
    network = traitlets.Unicode().tag(sync=True)
    area = traitlets.Enum(AREAS, AREAS[0]).tag(sync=True)
    selected = traitlets.Int(0, min=0).tag(sync=True)

    def __init__(
        self,
        profiles: Mapping[str, ModelProfile],
        network: str | None = None,
        area: str = AREAS[0],
        selected: int | None = None,
    ) -> None:
        """Take the profiles, and what to show of them."""
        if not isinstance(profiles, Mapping) or not profiles:
            raise traitlets.TraitError(f"profiles must map at least one name to a ModelProfile, got {profiles!r}")
        for name, profile in profiles.items():
            if not getattr(profile, "rows", ()):
                raise traitlets.TraitError(f"profile {name!r} must be a ModelProfile with rows, got {profile!r}")
        networks = [
            {"name": name, "input": list(profile.input_size), "blocks": blocks(profile.rows)}
            for name, profile in profiles.items()
        ]
        super().__init__(networks=networks, network=next(iter(profiles)) if network is None else network, area=area)
        sizes = self.sizes
        self.selected = sizes.index(max(sizes)) if selected is None else selected

    @traitlets.validate("network")
    def _valid_network(self, proposal: Any) -> Any:
        names = [network["name"] for network in self.networks]
        if proposal["value"] not in names:
            raise traitlets.TraitError(f"network must be one of {', '.join(names)}, got {proposal['value']!r}")
        return proposal["value"]

    @property
    def blocks(self) -> list[list[Any]]:
        """The blocks of the network shown."""
        return next(network["blocks"] for network in self.networks if network["name"] == self.network)

    @property
    def sizes(self) -> list[int]:
        """What each block has of the quantity shown as area."""
        return [block[3 + AREAS.index(self.area)] for block in self.blocks]

    def sentence(self) -> str:
        """What the chosen block is, makes and costs, with its shares of the network."""
        blocks = self.blocks
        name, kinds, shape, *costs, field, _ = blocks[min(self.selected, len(blocks) - 1)]
        said = (counted(costs[0], "parameter"), counted(costs[1], "MAC"), _bytes(costs[2]))
        totals = [sum(block[3 + i] for block in blocks) for i in range(3)]
        shares = ", ".join(f"{text} ({_percent(*of)})" for text, *of in zip(said, costs, totals, strict=True))
        if shape is None:
            return f"{self.network}, {name} ({kinds}) is never called: {shares}."
        seen = "the whole input" if field is None else _times(field) if isinstance(field, list) else signed(field)
        made = _times(shape) or "a number"
        return f"{self.network}, {name} ({kinds}) makes {made}: {shares}; receptive field {seen}."

    def panels(self) -> list[Panel]:
        """The areas."""
        shown = [(block, size) for block, size in zip(self.blocks, self.sizes, strict=True) if size]
        boxes = treemap([size for _, size in shown], 640, 240)
        tiles = []
        for (block, size), (x, y, width, height) in zip(shown, boxes, strict=True):
            name, kinds, macs = block[0], block[1], block[4]
            role = "kernel" if "conv" in kinds.lower() else "output" if macs else "neutral"
            share = _percent(size, sum(self.sizes))
            fits = (text for text in (f"{name} {share}", share) if 8 * len(text) + 8 < width and height > 16)
            tiles.append(Tile(x, y, width, height, role, next(fits, "")))
        heading = f"{self.network}: area is {self.area}, {len(self.blocks)} blocks row by row"
        return [Panel(heading, "kernel", tiles=tiles)]
