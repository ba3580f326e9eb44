"""Hints that every exercise gets for free: what is seen of the numbers, arguments left out, two things at once."""

import time
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.checks import Exercise, Wrong
from utils.checks.calls import Call, Other
from utils.checks.hints import explain
from utils.checks.seen import KINDS, seen


def hint(exercise, answer):
    """The kind of the hint and the message; what is told must not depend on what is drawn."""
    told = set()
    for _ in range(3):
        cases = exercise.cases(np.random.default_rng())
        calls = [Call(value) for value in (answer(*case) for case in cases)]
        found = exercise.hint(cases, calls)
        assert found is None or found.kind in KINDS
        told.add(found and (found.kind, found.text))
        with pytest.raises(Wrong):
            exercise.check(answer)
    assert len(told) == 1
    return told.pop() or ("", "")


def made(x, weight, stride, padding):
    """As a layer: channels, rows and columns."""
    return np.pad(x * weight.sum() + weight[0, 1], ((0, 0), (padding, padding), (0, 0)))[:, ::stride] + 0.5


sizes = [((2, 5, 4), 1, 1), ((3, 6, 4), 2, 0), ((2, 4, 5), 2, 1), ((4, 7, 3), 3, 2)]
maps = Exercise(
    "maps",
    cases=lambda rng: [(rng.standard_normal(s), rng.standard_normal((3, 3)), stride, p) for s, stride, p in sizes],
    reference=made,
    mistakes={"Add 0.5.": lambda x, weight, stride, padding: made(x, weight, stride, padding) - 0.5},
    slips={
        "All weights count.": lambda x, weight, stride, padding: (x, weight * np.eye(3), stride, padding),
        "The weights are not absolute.": lambda x, weight, stride, padding: (x, np.abs(weight), stride, padding),
    },
)
SEEN = {
    "in one row": lambda y: y.ravel(),
    "an axis, or a list in a list, too many": lambda y: y[None],
    "in another shape": lambda y: y.reshape(y.shape[2], y.shape[0], -1),
    "the axes are in another order": lambda y: y.transpose(1, 2, 0),
    "added up along it": lambda y: np.stack([y - 1, np.ones_like(y)]),
    "You have added up": lambda y: y.sum(0),
    "You have averaged": lambda y: y.mean(),
    "the first of them only": lambda y: y[0],
    "the last of them only": lambda y: y[..., -1],
    "some is missing at the end": lambda y: y[:, :-1],
    "others around it": lambda y: np.pad(y, 1),
    "others at the start": lambda y: np.pad(y, ((1, 0), (1, 0), (0, 0))),
    "whole numbers, cut off": np.trunc,
    "Yours is rounded": lambda y: y.round(1),
    "signs are the wrong way round": lambda y: -y,
    "has lost the signs": np.abs,
    "some of the signs": lambda y: y * (-1) ** (np.arange(y.size).reshape(y.shape) % 2),
    "has lost the negative ones": lambda y: np.maximum(y, 0),
    "too large by the factor 2": lambda y: 2 * y,
    "too small by the factor π": lambda y: y / np.pi,
    "off by one and the same factor": lambda y: y * (1.37 + y[0, 0, 0] ** 2),
    "Always one too large": lambda y: y + 1,
    "off by the same amount": lambda y: y + 3.3,
    "in reverse order": lambda y: y[::-1],
    "mirrored, left and right": lambda y: y[..., ::-1],
    "turned by half a turn": lambda y: y[..., ::-1, ::-1],
    "some stand in each other's place": lambda y: np.roll(y, 1, (0, 1, 2)),
    "the square of what is wanted": np.square,
    "one divided by": lambda y: 1 / y,
    "the rest": lambda y: 1 - y,
    "its own sum": lambda y: y / y.sum(),
    "nan or infinite": lambda y: y / 0 if y.size % 2 else np.full_like(y, np.inf),
    "some places hold 0": lambda y: y * (np.arange(y.shape[-1]) > 0),
}


@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize("piece", SEEN)
def test_what_is_seen_of_the_numbers(piece):
    assert piece in hint(maps, lambda *case: SEEN[piece](made(*case)))[1]


ARGUMENTS = {
    "`stride` were 1": lambda x, weight, stride, padding: made(x, weight, 1, padding),
    "`padding` were 0": lambda x, weight, stride, padding: made(x, weight, stride, 0),
    "`weight` were 1 everywhere": lambda x, weight, stride, padding: made(x, np.ones((3, 3)), stride, padding),
    "`weight` had rows and columns swapped": lambda x, weight, stride, padding: made(x, weight.T, stride, padding),
    "`weight` were turned by half a turn": lambda x, weight, stride, padding: made(x, weight[::-1], stride, padding),
}


@pytest.mark.parametrize("piece", ARGUMENTS)
def test_an_argument_that_is_left_out_or_read_otherwise(piece):
    kind, text = hint(maps, ARGUMENTS[piece])
    assert (kind, piece in text) == ("argument", True)


def test_a_known_mistake_comes_first_and_then_two_at_once():
    assert hint(maps, lambda *case: made(*case) - 0.5) == ("mistake", "Add 0.5.")
    both = hint(maps, lambda x, weight, stride, padding: made(x, weight * np.eye(3), stride, padding) - 0.5)
    assert both == ("mistake", "To begin with: Add 0.5.")
    both = hint(maps, lambda x, weight, stride, padding: made(x, weight * np.eye(3), 1, padding))
    assert both == ("mistake", "To begin with: All weights count.")
    both = hint(maps, lambda x, weight, stride, padding: made(x, np.abs(weight), stride, padding).transpose(2, 0, 1))
    assert both == ("mistake", "To begin with: The weights are not absolute.")


large = Exercise(
    "large", cases=lambda rng: [(5,), (int(rng.integers(6, 9)),), (2,)], reference=lambda n: [n, 3_000_000_000 * n]
)


def test_whole_numbers_of_32_bits_are_told_where_they_end():
    """As a browser's NumPy computes them, and an older one on Windows."""

    def narrow(n):
        with np.errstate(over="ignore"):
            return [n, (np.array([3_000_000_000]) * n).astype(np.int32)[0]]

    assert "32 bits" in hint(large, narrow)[1]
    assert "32 bits" not in hint(large, lambda n: [n, 3_000_000_000 * n + 2**20])[1]


BOOK = {
    topic: [
        exercise for exercise in vars(import_module(f"utils.checks.{topic}")).values() if isinstance(exercise, Exercise)
    ]
    for topic in (path.stem[3:] for path in sorted(Path("exercises").glob("*.ipynb")))
}
NUMBERS = st.one_of(st.integers(-3, 3), st.floats(), st.complex_numbers(), st.booleans())
SHAPES = st.lists(st.integers(0, 3), max_size=4)
ARRAYS = st.builds(lambda shape, number: np.full(shape, number), SHAPES, NUMBERS)
ANSWERS = st.recursive(
    st.one_of(NUMBERS, ARRAYS, st.text(max_size=3), st.just(Other("?"))),
    lambda parts: st.one_of(st.lists(parts, max_size=4), st.tuples(parts, parts)),
    max_leaves=6,
)


@settings(deadline=None, max_examples=6)
@given(answer=ANSWERS)
@pytest.mark.parametrize("topic", BOOK)
def test_nothing_that_is_answered_stops_the_search(topic, answer):
    for exercise in BOOK[topic]:
        cases = exercise.cases(np.random.default_rng())
        explain(exercise.reference, exercise.guesses(), cases[:2], [Call(answer) for _ in cases[:2]])


def test_of_a_list_without_end_no_part_is_compared(monkeypatch):
    compared = []
    monkeypatch.setattr("utils.checks.seen.same", lambda *pair: compared.append(pair))
    assert list(seen(["long"] * 50_000, ["a", "b"], {})) == compared == []
    assert list(seen(["c"] * 3, ["a", "b"], {})) == [] != compared


@pytest.mark.parametrize("topic", BOOK)
def test_a_sheet_of_answers_that_nothing_explains_takes_two_seconds(topic):
    def spoilt(value):
        if isinstance(value, list | tuple):
            return [spoilt(part) for part in value]
        return (
            value
            if isinstance(value, str)
            else np.asarray(value) * 1.7 + np.arange(np.size(value)).reshape(np.shape(value)) + 9
        )

    asked = []
    for exercise in BOOK[topic]:
        if exercise.reference:
            cases = exercise.cases(np.random.default_rng())
            asked.append((exercise, cases, [Call(spoilt(exercise.reference(*case))) for case in cases]))
    start = time.process_time()
    for exercise, cases, calls in asked:
        exercise.hint(cases, calls)
    assert time.process_time() - start < 2
