"""The rows of a profile as the blocks that the architecture explorer draws, and which modules are opened for them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from utils.profiling import LayerProfile

_JOINS = {"add", "cat", "mul"}  # where paths meet: steps of their own


def _opened(rows: Sequence[LayerProfile]) -> set[str]:
    """The modules to look into: their children are numbered alike, or they hold more than half of all rows."""
    children: dict[str, set[str]] = defaultdict(set)
    sizes: Counter[str] = Counter()
    for row in rows:
        parts = row.name.split(".")
        for depth, part in enumerate(parts):
            path = ".".join(parts[:depth])
            children[path].add(part)
            sizes[path] += 1

    def numbered(names: set[str]) -> bool:
        return all(name[-1:].isdigit() for name in names) and len({name.rstrip("0123456789") for name in names}) == 1

    return {path for path, names in children.items() if numbered(names) or 2 * sizes[path] > len(rows)}


def _layers(rows: Sequence[LayerProfile]) -> Iterator[list[Any]]:
    """One entry for every row that multiplies, pools, joins or is never called.

    Normalisation, activation and the like belong to what they follow; after pooling, and where they come first, to the
    product after them.
    """
    groups: list[list[LayerProfile]] = []
    waiting: list[LayerProfile] = []
    follows = False
    for row in rows:
        pools = "pool" in row.kind.lower()
        if row.macs or pools or row.kind in _JOINS or row.output_shape is None:
            if waiting and not row.macs:
                groups.append(waiting)
                waiting = []
            groups.append([*waiting, row])
            waiting, follows = [], not pools
        else:
            (groups[-1] if follows else waiting).append(row)
    for group in [*groups, waiting] if waiting else groups:
        first = next((row for row in group if row.macs), group[0])
        yield _entry(first.name, group)


def _entry(name: str, rows: Sequence[LayerProfile], layers: Sequence[list[Any]] = ()) -> list[Any]:
    """Plain JSON of some rows: their sums, and the last one's output and receptive field."""
    shape, field = rows[-1].output_shape, rows[-1].receptive_field
    return [
        name,
        ", ".join(dict.fromkeys(row.kind for row in rows)),
        None if shape is None else list(shape),
        sum(row.parameters for row in rows),
        sum(row.macs for row in rows),
        sum(row.activation_bytes for row in rows),
        list(field) if isinstance(field, tuple) else field,
        list(layers),
    ]


def blocks(rows: Sequence[LayerProfile]) -> list[list[Any]]:
    """Every row in exactly one block, in order: a module that is not opened is one, other rows are as ``_layers`` says.

    A block is [name, kinds, output shape, parameters, MACs, bytes, receptive field, layers]; so is each of its layers.
    """
    opened, made = _opened(rows), []

    def module(row: LayerProfile) -> str | None:
        parts = row.name.split(".")
        paths = (".".join(parts[:depth]) for depth in range(1, len(parts)))
        return next((path for path in paths if path not in opened), None)

    for name, group in groupby(rows, module):
        inside = list(group)
        layers = list(_layers(inside))
        if name is None:
            made += layers
        else:
            for layer in layers:
                layer[0] = layer[0].removeprefix(f"{name}.")
            made.append(_entry(name, inside, layers if len(layers) > 1 else ()))
    return made
