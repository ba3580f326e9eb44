"""What a check takes, what it refuses, and that nothing an answer says about itself counts."""

import time

import numpy as np
import pytest
import torch

from utils.checks import Exercise, Wrong

double = Exercise(
    "double",
    cases=lambda rng: [(3,), (int(rng.integers(5, 100)),)],
    reference=lambda n: 2 * n,
    mistakes={"Twice, not squared.": lambda n: n * n, "Two more is not twice as much.": lambda n: n + 2},
    seconds=0.5,
)
halves = Exercise(
    "halves", cases=lambda rng: [(rng.standard_normal((2, 3)),) for _ in range(3)], reference=lambda x: x / 2
)
pair = Exercise("pair", cases=lambda rng: [(4, 5)], reference=lambda a, b: (a, b))
odd = Exercise(
    "odd",
    cases=lambda rng: [()],
    accept=lambda answer: None if answer % 2 else f"{answer} is even.",
)


def hint(exercise, answer):
    with pytest.raises(Wrong) as refused:
        exercise.check(answer)
    return str(refused.value)


@pytest.mark.parametrize(
    "answer",
    [
        lambda n: 2 * n,
        lambda n: n + n,
        lambda n: np.int64(2) * n,
        lambda n: np.array(2 * n),
        lambda n: torch.tensor(2 * n),
    ],
)
def test_right_answers_of_any_style(answer, capsys):
    double.check(answer)
    assert capsys.readouterr().out == "✓ double is right.\n"


def test_right_arrays_of_any_style():
    halves.check(lambda x: x * 0.5)
    halves.check(lambda x: torch.from_numpy(x).float().requires_grad_() / 2)
    halves.check(lambda x: [[value / 2 for value in row] for row in x])
    pair.check(lambda a, b: [a, b])
    pair.check(lambda a, b: np.array([a, b]))
    pair.check(lambda a, b: (np.int32(a), torch.tensor(b)))


def test_a_known_mistake_gets_its_hint():
    assert hint(double, lambda n: n**2) == "Twice, not squared."
    assert hint(double, lambda n: n + 2) == "Two more is not twice as much."


def test_other_answers_are_told_apart_without_the_answer():
    assert hint(double, lambda n: 2 * n + 1) == "double(3) gives 7; that is not it."
    assert hint(double, lambda n: "six") == "double(3) gives 'six', where an int is wanted."
    assert hint(double, lambda n: None) == "double(3) gives None, where an int is wanted."
    assert "gives 6.0, which is no int" in hint(double, lambda n: 2.0 * n)
    assert hint(double, lambda n: [2 * n]) == "double(3) gives an array of shape (1,); that is not the shape."
    assert hint(double, lambda n: 1 / 0) == "double(3) ends in ZeroDivisionError: division by zero"
    assert "{braces}" in hint(double, lambda n: {}["{braces}"])
    assert "should give 2 things, but gives 4" in hint(pair, lambda a, b: 4)
    assert "should give 2 things" in hint(pair, lambda a, b: (a, b, 0))
    assert "an array of shape (3, 2); that is not the shape" in hint(halves, lambda x: x.T / 2)
    assert "array" in hint(halves, lambda x: [[1], [2, 3]])
    assert "that is not it" in hint(halves, lambda x: x / 2 + np.nan)


def halved(x):
    return x / 2


def test_a_function_goes_by_its_name():
    at_two = Exercise("at_two", cases=lambda rng: [(halved,)], reference=lambda f: f(2.0))
    assert hint(at_two, lambda f: f(3)) == "at_two(halved) gives 1.5; that is not it."
    assert hint(at_two, lambda f: f) == "at_two(halved) gives halved, where a number is wanted."


def test_a_value_where_nothing_is_given():
    odd.check(3)
    odd.check(lambda: 3)
    assert hint(odd, 4) == "4 is even."


def test_the_function_itself_is_wanted():
    assert hint(double, 6) == "double is to be a function, but you gave 6: its name, without ( )."


def test_the_stub_says_what_to_do():
    def stub(n):
        raise NotImplementedError

    assert "There is no answer yet" in hint(double, stub)


class Liar(int):
    """Equal to whatever it meets."""

    def __eq__(self, other):
        return True

    __ne__ = __sub__ = __rsub__ = lambda self, other: 0
    __hash__ = int.__hash__


class Mimic:
    """Equal to whatever it meets, and no number."""

    def __eq__(self, other):
        return True

    __array__ = None


def test_what_an_answer_says_about_itself_does_not_count():
    assert "gives 1" in hint(double, lambda n: Liar(1))
    assert "is wanted" in hint(double, lambda n: Mimic())

    class Lying(np.ndarray):
        def __eq__(self, other):
            return np.True_

        def __sub__(self, other):
            return np.zeros(self.shape)

        __array_priority__ = 1e9

    assert "that is not it" in hint(halves, lambda x: np.zeros((2, 3)).view(Lying))


def test_patched_numpy_does_not_count(monkeypatch):
    for name in ("allclose", "array_equal", "isclose", "all", "abs", "absolute", "asarray", "isfinite"):
        monkeypatch.setattr(np, name, lambda *args, **kwargs: True)
    assert "that is not it" in hint(halves, lambda x: x)


def test_remembered_answers_do_not_help():
    seen = {}
    Exercise("double", cases=double.cases, reference=lambda n: seen.setdefault(n, 2 * n)).check(lambda n: 2 * n)
    with pytest.raises(Wrong):
        for _ in range(20):  # 95 numbers to draw from
            double.check(lambda n: seen.get(n, 0))


def test_arguments_are_left_alone():
    def writes(x):
        x /= 2
        return x

    assert "changes what it was given" in hint(halves, writes)
    cases = [(np.ones(3),)]
    Exercise("copy", cases=lambda rng: cases, reference=lambda x: x).check(lambda x: x.copy())
    assert cases[0][0].tolist() == [1, 1, 1]


def test_a_result_that_is_written_over_counts_as_it_was():
    kept = np.empty((2, 3))

    def reuses(x):
        np.divide(x, 2, out=kept)
        return kept

    halves.check(reuses)


def test_a_mistake_that_gives_no_number_gets_its_hint():
    roots = Exercise(
        "roots",
        cases=lambda rng: [(np.array([-4.0, 9.0]),), (np.array([-1.0, 0.0]),)],
        reference=lambda x: np.sqrt(np.abs(x)),
        mistakes={"Below 0 there is no root.": lambda x: np.where(x < 0, np.nan, 3.0 * (x > 0))},
    )
    assert hint(roots, lambda x: np.sqrt(x, where=x >= 0, out=np.full(2, np.nan))) == "Below 0 there is no root."
    assert "that is not it" in hint(roots, lambda x: np.where(x < 0, np.inf, 3.0 * (x > 0)))
    assert "that is not it" in hint(roots, lambda x: np.full(2, np.nan))


def test_an_endless_loop_is_stopped():
    stopped = []

    def endless(n):
        try:
            while True:
                pass
        finally:
            stopped.append(n)

    start = time.perf_counter()
    assert "did not end within 0.5 seconds" in hint(double, endless)
    assert time.perf_counter() - start < 5
    assert stopped == [3]


def test_a_loop_that_swallows_exceptions_is_left_behind():
    go = [True]

    def stubborn(n):
        while go:
            try:
                while go:
                    pass
            except Exception:
                pass

    assert "did not end" in hint(double, stubborn)
    go.clear()


def test_a_notebook_shows_the_hint_alone():
    assert Wrong("Twice, not squared.")._render_traceback_() == ["✗ Twice, not squared."]
