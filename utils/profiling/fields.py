"""One axis of a receptive field: which pixels each position along a dimension sees, as on an image without borders.

Whatever moves pixels (windows, strides, padding, slices, flips, upsampling) is one thing to an axis: new positions that
``read`` old ones. Where branches meet, a position sees what it sees through either: their ``union``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from functools import lru_cache
from math import gcd, lcm
from typing import NamedTuple, TypeAlias

LONGEST = 1024  # spans of an axis: resizing makes as many as the new size, once its common factors are taken out

Span: TypeAlias = tuple[int, int]  # the first pixel and the last, of a position that sees any
Taps: TypeAlias = Sequence[Sequence[int]]  # which positions are read, in order, for each of some new ones


class Sees(Enum):
    """The layout of a tensor that is not followed position by position."""

    EVERYTHING = "all"  # a position may see the input from border to border, along one axis at least
    UNKNOWN = "not known"


class Lost(Exception):
    """Raised by what cannot be followed: from here on the tensor has the layout ``sees``."""

    def __init__(self, sees: Sees = Sees.UNKNOWN) -> None:
        """Keep what is to be said instead of a layout."""
        super().__init__(sees)
        self.sees = sees


class Axis(NamedTuple):
    """What the positions along a dimension see of the input's axis ``number``, which is ``pixels`` long.

    ``spans`` repeats: with p spans, position i + p sees what position i sees, moved by ``step`` pixels. It is more than
    one span after upsampling only, where neighbours see unlike parts of the same pixels; a position that sees no pixel
    has None. ``mirrored`` says that positions beyond the border see pixels inside, and not those that would follow.
    """

    pixels: int
    number: int
    spans: tuple[Span | None, ...] = ((0, 0),)
    step: int = 1
    mirrored: bool = False

    def receptive_field(self, count: int) -> int:
        """The side of the receptive field, in pixels: the most that any of the first ``count`` positions sees."""
        return max((last - first + 1 for first, last in filter(None, self.spans[:count])), default=0)

    def span(self, positions: Iterable[int]) -> Span | None:
        """From the first to the last pixel that any of the positions sees."""
        seen = []
        for position in positions:
            round_, i = divmod(position, len(self.spans))
            if (span := self.spans[i]) is not None:
                seen.append((span[0] + round_ * self.step, span[1] + round_ * self.step))
        return (min(first for first, _ in seen), max(last for _, last in seen)) if seen else None

    def read(self, taps: Taps, step: int) -> Axis:
        """The axis of new positions: i + m · len(taps) reads the old ones t + m · step for every t of taps[i]."""
        return _read(self, tuple(taps), step)

    def mirror(self, count: int) -> Axis:
        """The axis if its ``count`` positions go on beyond the border by seeing what is inside."""
        (first, _), (_, last) = self.span([0]) or (self.pixels, 0), self.span([count - 1]) or (self.pixels, 0)
        if first >= abs(self.step) or last <= self.pixels - 1 - abs(self.step):
            raise Lost  # a mirror inside the image would show what other branches see elsewhere
        if len(self.spans) > 1:
            raise Lost  # unlike neighbours would come in another order
        return self._replace(mirrored=True)

    def sees_all(self, count: int) -> bool:
        """Whether its first ``count`` positions together see the input from border to border.

        Less than one step may be missing on either side, where no window fitted any more.
        """
        ends = {*range(min(count, len(self.spans))), *range(max(0, count - len(self.spans)), count)}
        first, last = self.span(ends) or (self.pixels, 0)
        return first < max(1, abs(self.step)) and self.pixels - 1 - last < max(1, abs(self.step))


@lru_cache(maxsize=4096)
def _read(axis: Axis, taps: tuple[Sequence[int], ...], step: int) -> Axis:
    period = len(axis.spans)
    rounds = period // gcd(period, step)  # until the taps meet the first span again
    if rounds * len(taps) > LONGEST:
        raise Lost
    if period == 1:  # then the outermost taps see the outermost pixels
        taps = tuple(tap and (tap[0], tap[-1]) for tap in taps)
    spans = [axis.span(position + n * step for position in tap) for n in range(rounds) for tap in taps]
    if not any(spans):
        raise Lost
    return _shortest(axis._replace(spans=tuple(spans), step=rounds * step // period * axis.step))


def _shortest(axis: Axis) -> Axis:
    """The same axis with as few spans as repeat."""
    count = len(axis.spans)
    for period in range(1, count):
        if count % period == 0 and axis.step * period % count == 0:
            shorter = axis._replace(spans=axis.spans[:period], step=axis.step * period // count)
            if all(axis.spans[i] == shorter.span([i]) for i in range(period, count)):
                return shorter
    return axis


@lru_cache(maxsize=4096)
def union(one: Axis, other: Axis) -> Axis:
    """The axis of positions that see what both see; lost where the distance between the two grows."""
    count = lcm(len(one.spans), len(other.spans))
    steps = {axis.step * count // len(axis.spans) for axis in (one, other)}
    if (one.number, one.pixels) != (other.number, other.pixels) or len(steps) > 1 or count > LONGEST:
        raise Lost
    pairs = [(one.span([i]), other.span([i])) for i in range(count)]
    spans = tuple((min(a[0], b[0]), max(a[1], b[1])) if a and b else a or b for a, b in pairs)
    mirrored = one.mirrored or other.mirrored
    if mirrored and spans not in zip(*pairs, strict=True):
        raise Lost  # neither is within the other: beyond the border the mirrored one may lie farther off than inside
    return _shortest(one._replace(spans=spans, step=steps.pop(), mirrored=mirrored))
