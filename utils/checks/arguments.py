"""The arguments of a call: what if one is left out, or read otherwise, and for which of them answers are right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import permutations
from typing import Any

import numpy as np

from utils.checks.seen import Hint

Arguments = tuple[Any, ...]
Change = Callable[..., Arguments]


def _only(axis: int, place: int) -> Callable[[Any], Any]:
    def change(array: Any) -> Any:
        kept = np.zeros_like(array)
        where = (slice(None),) * axis + (place,)
        kept[where] = array[where]
        return kept

    return change


def _square(side: int) -> Callable[[Any], Any]:
    return lambda size: (*size[:-2], size[side], size[side])


_FLAG: list[tuple[str, Any]] = [
    ("{} were always True", lambda flag: True),
    ("{} were always False", lambda flag: False),
    ("{} were the other way round", lambda flag: not flag),
]
_INT: list[tuple[str, Any]] = [
    ("{} were 0", lambda n: 0),
    ("{} were 1", lambda n: 1),
]
_NEAR: list[tuple[str, Any]] = [
    ("{} were one larger", lambda n: n if n is None else n + 1),
    ("{} were one smaller", lambda n: n if n is None else n - 1),
]
_FLOAT: list[tuple[str, Any]] = [
    ("{} were 0", lambda x: 0.0),
    ("{} were 1", lambda x: 1.0),
    ("1 − {} stood for it", lambda x: 1 - x),
]
_ARRAY: list[tuple[str, Any]] = [
    ("{} were 0 everywhere", np.zeros_like),
    ("{} were 1 everywhere", np.ones_like),
    ("{} had no signs", np.abs),
    ("{} had the other signs", np.negative),
    ("{} were its square", np.square),
    ("{} were in reverse order", lambda x: x[::-1]),
    ("all of {} were like its first", lambda x: np.repeat(x[:1], len(x), 0)),
    ("only the first of {} counted", _only(0, 0)),
    ("only the last of {} counted", _only(0, -1)),
]
_MAP: list[tuple[str, Any]] = [
    ("{} were turned by half a turn", lambda x: x[..., ::-1, ::-1]),
    ("{} were upside down", lambda x: x[..., ::-1, :]),
    ("{} were mirrored, left and right", lambda x: x[..., ::-1]),
    ("{} had rows and columns swapped", lambda x: x.swapaxes(-1, -2)),
    ("{} had its first two axes swapped", lambda x: x.swapaxes(0, 1)),
]
_LIST: list[tuple[str, Any]] = [
    ("{} were in reverse order", lambda parts: parts[::-1]),
    ("the last of {} were missing", lambda parts: parts[:-1]),
    ("the first of {} were missing", lambda parts: parts[1:]),
    ("{} had nothing but its first", lambda parts: parts[:1]),
    ("{} had nothing but its last", lambda parts: parts[-1:]),
]
_TUPLE: list[tuple[str, Any]] = [
    ("{} had its last two numbers swapped", lambda size: (*size[:-2], size[-1], size[-2])),
    ("width in {} were the same as height", _square(-2)),
    ("height in {} were the same as width", _square(-1)),
]


def _changes(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, np.ndarray):
        return (_MAP if value.ndim > 1 else []) + _ARRAY if value.ndim else []
    table = {bool: _FLAG, int: _INT, float: _FLOAT, list: _LIST, tuple: _TUPLE}
    return table.get(type(value), [])


def _kinds(cases: Sequence[Arguments]) -> list[Any]:
    return [next((value for value in values if value is not None), None) for values in zip(*cases, strict=True)]


def _changed(name: str, i: int, table: Sequence[tuple[str, Any]]) -> Iterator[tuple[Hint, Change]]:
    for how, change in table:
        yield (
            Hint("argument", f"That would be right if {how.format(f'`{name}`')}."),
            lambda *case, change=change: (*case[:i], change(case[i]), *case[i + 1 :]),
        )


def misread(names: Sequence[str], cases: Sequence[Arguments]) -> Iterator[tuple[Hint, Change]]:
    """Ways of leaving out an argument, or of turning it round, each with the arguments that then count."""
    for i, (name, value) in enumerate(zip(names, _kinds(cases), strict=True)):
        yield from _changed(name, i, _changes(value))


def confused(names: Sequence[str], cases: Sequence[Arguments]) -> Iterator[tuple[Hint, Change]]:
    """Ways of taking an argument for another one, or for a number next to it."""
    kinds = _kinds(cases)
    for i, j in permutations(range(len(names)), 2):
        if type(kinds[i]) is type(kinds[j]) and np.ndim(kinds[i]) == np.ndim(kinds[j]) and not callable(kinds[i]):
            if i < j:
                yield (
                    Hint("argument", f"That would be right if `{names[i]}` and `{names[j]}` changed places."),
                    lambda *case, i=i, j=j: (*case[:i], case[j], *case[i + 1 : j], case[i], *case[j + 1 :]),
                )
            yield (
                Hint("argument", f"That would be right if `{names[i]}` were the same as `{names[j]}`."),
                lambda *case, i=i, j=j: (*case[:i], case[j], *case[i + 1 :]),
            )
    for i, name in enumerate(names):
        yield from _changed(name, i, _NEAR if type(kinds[i]) is int else [])


def _traits(name: str, value: Any) -> Iterator[str]:
    """What may be said of an argument that makes a difference."""
    if value is None or isinstance(value, bool):
        yield f"`{name}` is {value}"
    elif isinstance(value, int):
        if value in (0, 1):
            yield f"`{name}` is {value}"
        yield f"`{name}` is {'odd' if value % 2 else 'even'}"
    elif isinstance(value, np.ndarray) and value.ndim > 1:
        if value.shape[-1] == value.shape[-2]:
            yield f"`{name}` is square"
        if len(value) == 1:
            yield f"the first axis of `{name}` has the length 1"
    elif isinstance(value, list):
        if len(value) < 2:
            yield f"`{name}` has no more than one in it"
    elif isinstance(value, tuple) and value[-1:] == value[-2:-1]:
        yield f"`{name}` is square"


def where(names: Sequence[str], cases: Sequence[Arguments], right: Sequence[bool]) -> Hint | None:
    """For which arguments answers are right and for all others wrong, or the other way round, if one thing says so."""
    if all(right) or not any(right):
        return None
    traits = [{t for name, value in zip(names, case, strict=True) for t in _traits(name, value)} for case in cases]
    found = []
    for trait in sorted(set().union(*traits)):
        has = [trait in those for those in traits]
        if has == list(right):
            found.append(f"Right where {trait}, and wrong everywhere else.")
        elif has == [not ok for ok in right]:
            found.append(f"Right, except where {trait}.")
    return Hint("where", found[0]) if len(found) == 1 else None
