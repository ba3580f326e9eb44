"""What a check takes, what it refuses, and that nothing an answer says about itself counts."""

import sys
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
        lambda n: 2.0 * n,
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
    pair.check(lambda a, b: [float(a), b])


def test_a_known_mistake_gets_its_hint():
    assert hint(double, lambda n: n**2) == "Twice, not squared."
    assert hint(double, lambda n: n + 2) == "Two more is not twice as much."


def test_other_answers_are_told_apart_without_the_answer():
    assert hint(double, lambda n: n**3 + 1) == "double(3) gives 28; that is not it."
    assert hint(double, lambda n: "six") == "double(3) gives 'six', where an int is wanted."
    assert hint(double, lambda n: None) == "double(3) gives None: is there a `return`?"
    assert hint(double, lambda n: [n, 3 * n]) == "double(3) gives an array of shape (2,); that is not the shape."
    assert hint(pair, lambda a, b: 7) == "pair(4, 5) gives 7, where a list or an array is wanted."
    assert hint(pair, lambda a, b: (a, 7, 0)) == "pair(4, 5) gives (4, 7, 0): 2 are wanted."
    assert hint(pair, lambda a, b: [a, 99]) == "pair(4, 5) gives [4, 99]. Number 2 in it is 99; that is not it."
    assert "an array of shape (3, 2); that is not the shape" in hint(halves, lambda x: x.T / 2 + np.eye(3, 2))
    assert "where an array is wanted" in hint(halves, lambda x: [[1], [2, 3]])
    assert "take .real" in hint(halves, lambda x: x / 2 + 0j)


listed = Exercise("listed", cases=lambda rng: [(4,), (6,)], reference=lambda n: [str(i) for i in range(n)])


def test_a_wrong_number_next_to_large_ones_is_found():
    large = Exercise("large", cases=lambda rng: [()], reference=lambda: (10**7, [10**7, 5]))
    assert hint(large, (10**7 + 7, [10**7, 5])).endswith("Number 1 in it is 10000007; that is not it.")
    table = Exercise("table", cases=lambda rng: [()], reference=lambda: np.array([[10**7, 5], [3, 4]]))
    assert hint(table, [[10**7 + 7, 5], [3, 6]]).endswith("that is not it: 2 of 4 numbers are right, [0, 0] is not.")


def test_a_list_may_be_anything_that_has_an_order():
    listed.check(lambda n: (str(i) for i in range(n)))
    listed.check(lambda n: np.array([str(i) for i in range(n)]))
    listed.check(lambda n: {str(i): 0 for i in range(n)}.keys())
    counted = Exercise("counted", cases=lambda rng: [(4,)], reference=lambda n: list(range(n)))
    counted.check(lambda n: range(n))
    counted.check(lambda n: np.arange(n).astype(object))
    # The length may be the question.
    assert hint(listed, lambda n: ["x"] * (n - 2)) == "listed(4) gives ['x', 'x']: too few."
    assert hint(listed, lambda n: ["x"] * (n + 2)).endswith(": too many.")


def divides(n):
    half = n / 2
    return n / (half - half)


def refuses(n):
    raise SystemExit


def stops(n):
    raise ValueError


class Speechless(Exception):
    def __str__(self):
        raise ValueError


def speechless(n):
    raise Speechless


def test_an_error_is_told_with_its_line():
    line = divides.__code__.co_firstlineno + 2
    assert hint(double, divides) == f"double(3) ends in ZeroDivisionError in line {line}: float division by zero"
    assert hint(double, refuses).startswith("double(3) ends in SystemExit in line ")
    assert hint(double, stops) == f"double(3) ends in ValueError in line {stops.__code__.co_firstlineno + 1}"
    assert hint(double, speechless).endswith(": Speechless")
    assert "{braces}" in hint(double, lambda n: {}["{braces}"])
    assert hint(double, lambda n: torch.nn.functional.max_pool2d(torch.ones(1, 1, 2, 2) > 0, 2)).startswith(
        "double(3) ends in NotImplementedError"
    )
    assert len(hint(double, lambda n: int("x" * 10_000))) < 500


def test_what_cannot_be_shown_does_not_stop_a_check():
    loop = []
    loop.append(loop)
    assert "RecursionError" in hint(odd, loop)

    class Mute:
        def __repr__(self):
            raise ValueError

        def __array__(self, *arguments):
            raise SystemExit

    assert "SystemExit" in hint(double, lambda n: Mute())
    Mute.__array__ = None
    assert hint(double, lambda n: Mute()) == "double(3) gives Mute, where an int is wanted."


def test_an_answer_is_asked_once_and_before_the_reference():
    asked = []

    class Peeping:
        def __array__(self, *arguments, **options):
            asked.append(1)
            frame = sys._getframe()
            while frame:
                if "right" in frame.f_locals or "wanted" in frame.f_locals:
                    return np.asarray(frame.f_locals.get("right", frame.f_locals.get("wanted")))
                frame = frame.f_back
            return np.array(7)

    assert hint(double, lambda n: Peeping()) == "double(3) gives 7; that is not it."
    assert len(asked) == 2


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
    assert "gives 28" in hint(double, lambda n: Liar(n**3 + 1))
    assert "is wanted" in hint(double, lambda n: Mimic())

    class Lying(np.ndarray):
        def __eq__(self, other):
            return np.True_

        def __sub__(self, other):
            return np.zeros(self.shape)

        __array_priority__ = 1e9

    assert "the same for every call" in hint(halves, lambda x: np.zeros((2, 3)).view(Lying))


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
    assert "nan or infinite" in hint(roots, lambda x: np.where(x < 0, np.inf, 3.0 * (x > 0)))
    assert "nan or infinite" in hint(roots, lambda x: np.full(2, np.nan))


def test_an_endless_loop_is_stopped():
    stopped = []

    def endless(n):
        try:
            while True:
                pass
        finally:
            stopped.append(n)

    start = time.process_time()
    assert "did not end within 0.5 seconds" in hint(double, endless)
    assert time.process_time() - start < 5
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


def test_what_is_behind_a_mask_is_no_answer():
    exercise = Exercise("two", cases=lambda rng: [()], reference=lambda: np.array([1, 2]))
    exercise.check(np.ma.masked_array([1, 2], mask=False))
    with pytest.raises(Wrong, match="is wanted"):
        exercise.check(np.ma.masked_array([1, 2], mask=[False, True]))
