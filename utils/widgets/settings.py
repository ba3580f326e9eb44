"""What figures accept, where several accept the same: integers within limits, a position, a list of layers.

Each raises traitlets' ``TraitError`` with the rule and the value. The page holds the same settings to the same limits
with ``settings.js``, and never refuses one.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import traitlets

Limits: TypeAlias = Mapping[str, tuple[int, int]]  # the least and the most of every number
Layer: TypeAlias = dict[str, Any]


def check_integer(where: str, name: str, value: object, limits: Limits) -> None:
    """``TraitError`` unless ``value`` is an integer within the limits of ``name``."""
    least, most = limits[name]
    if type(value) is not int or not least <= value <= most:
        raise traitlets.TraitError(f"{where}{name} must be an integer from {least} to {most}, got {value!r}")


def check_pixels(text: str, least: int, most: int) -> str:
    """The bytes of a square picture in base64, if it has from ``least`` to ``most`` pixels a side."""
    try:
        count = len(base64.b64decode(text, validate=True))
    except binascii.Error as error:
        raise traitlets.TraitError(f"pixels must be bytes in base64: {error}") from None
    if round(count**0.5) ** 2 != count or not least**2 <= count <= most**2:
        sides = f"{least} to {most}" if least < most else f"{most}"
        raise traitlets.TraitError(f"pixels must be a square of {sides} a side, got {count} bytes")
    return text


def check_controls(chosen: Sequence[Any], offered: Sequence[str]) -> Sequence[Any]:
    """The names of the controls that a figure shows, if it has all of them."""
    if unknown := [name for name in chosen if name not in offered]:
        raise traitlets.TraitError(f"controls must be among {', '.join(offered)}, got {unknown[0]!r}")
    return chosen


def check_position(position: Sequence[Any], whose: str) -> Sequence[Any]:
    """The position, if it is a row and a column from 0; ``whose`` begins what the error calls it."""
    if len(position) != 2 or any(type(index) is not int or index < 0 for index in position):
        raise traitlets.TraitError(f"position must be {whose} (row, column) from 0, got {position}")
    return position


def complete_layers(layers: Sequence[Layer], most: int, complete: Callable[[int, Layer], Layer]) -> list[Layer]:
    """Each layer made complete, given its number from 1; at most so many."""
    if len(layers) > most:
        raise traitlets.TraitError(f"layers must be at most {most}, got {len(layers)}")
    return [complete(number, layer) for number, layer in enumerate(layers, 1)]


def with_defaults(who: str, given: Layer, defaults: Layer) -> Layer:
    """The arguments of ``who``, those that are not given by default; only what has a default may be given."""
    if unknown := [name for name in given if name not in defaults]:
        raise traitlets.TraitError(f"{who} takes {', '.join(defaults) or 'nothing'}, got {unknown[0]!r}")
    return {**defaults, **given}
