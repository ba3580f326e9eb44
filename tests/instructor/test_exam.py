"""An exam with numbers of their own: texts and answers are the notebook's, others are right, the papers can be used."""

import json
import re
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d
from torch import nn

from instructor import exam, formulas
from instructor.__main__ import main
from instructor.course import Course
from instructor.exam import KEYS, NOTEBOOK, PRINT, chosen, notebook

DRAWS = 100
QUESTIONS = notebook()[1]
EVERY = list(QUESTIONS)
NAMES = {"ada": "Ada Lovelace", "eve": "<script>alert(1)</script> & Co", "hm": "Hans Müller"}


def cell_of(number):
    cells = exam.nbformat.read(NOTEBOOK, as_version=4).cells
    return next(cell.source for cell in cells if f"### {number} " in cell.source)


# The answers again, by SciPy, by PyTorch's modules, by loops, or counted.


def two_channels(a, b, u, v, bias):
    each = [correlate2d(plane, kernel, "valid") for plane, kernel in ((a, u), (b, v))]
    return [*each, np.maximum(sum(each) + bias, 0)]


def not_square(channels, rows, columns, kernels, high, wide, strides, paddings):
    layer = nn.Conv2d(channels, kernels, (high, wide), strides, paddings)
    image = torch.zeros(1, channels, rows, columns, requires_grad=True)
    out = layer(image)
    out.sum().backward()
    seen = image.grad.abs().sum((0, 1)) > 0
    macs = sum(kernel.numel() for kernel in layer.weight) * out[0, 0].numel()
    parameters = sum(one.numel() for one in layer.parameters())
    return [tuple(out.shape[1:]), parameters, macs, int((~seen.any(1)).sum()), int((~seen.any(0)).sum())]


def forward_and_back(x, g):
    x, back, out = np.array(x), np.zeros((4, 4)), np.zeros((2, 2))
    for i, j in product(range(2), repeat=2):
        window = x[i : i + 3, j : j + 3]
        row, column = np.unravel_index(window.argmax(), (3, 3))
        out[i, j] = window[row, column]
        back[i + row, j + column] += g[i][j]
    return [out, back, Fraction(sum(map(sum, g)), 9)]


def stripes(columns, half, cycles):
    x = np.cos(2 * np.pi * cycles * np.arange(columns) / columns)
    shown = {int(np.abs(np.fft.rfft(x[::2])).argmax())}
    left = []
    for kernel in ((0.25, 0.5, 0.25), (0.5, 0.5)):
        blurred = sum(weight * np.roll(x, place) for place, weight in enumerate(kernel))
        left.append(round(blurred.std() / x.std(), 3))
        shown |= {int(np.abs(np.fft.rfft(blurred[::2])).argmax())}
    assert half == columns / 2
    (same,) = shown
    return [same, *left]


def one_step(weights, bias, row, rate):
    w, places = np.array(weights, float), [np.array(row[i : i + 2], float) for i in (0, 2)]
    y = [place @ w + bias for place in places]
    dw = y[0] * places[0] + y[1] * places[1]
    return [np.array(y), dw, sum(y), np.array([*(y[0] * w), *(y[1] * w), 0]), w - rate * dw]


def stem(kernels, strides, paddings, unit):
    def reads(units, layers):
        for k, s, p in reversed(layers):
            units = {i * s - p + offset for i in units for offset in range(k)}
        return units

    layers = list(zip(kernels, strides, paddings, strict=True))
    rows = []
    for n in range(1, 6):
        first, second = reads({0}, layers[:n]), reads({1}, layers[:n])
        rows.append((len(first), min(second) - min(first), min(first)))
    seen = reads({unit}, layers)
    return [np.array(rows), (min(seen), max(seen))]


AGAIN = {
    "1.1": two_channels,
    "2.1": not_square,
    "3.1": forward_and_back,
    "3.4": stripes,
    "5.1": one_step,
    "10.1": stem,
}
# What the notebook's answers say, as they say it.
SAID = {
    "1.1": ["gives 3, −2, 6, 3", "gives 2, 1, 4, 1", r"\begin{pmatrix} 2 & 0 \\ 7 & 1 \end{pmatrix}"],
    "2.1": ["(24, 34, 29)", "1{,}104$ parameters", "1{,}064{,}880$ MACs", "All rows are read", "one column is left"],
    "3.1": [
        "6 and 7 in its first row, and 6 and 7 in its second",
        "The 6 (row 2, column 3) wins both windows on the left and gets $1 + 3 = 4$; "
        "the 7 (row 3, column 4) wins both on the right and gets $2 + 4 = 6$",
        "10/9$",
    ],
    "3.4": ["six cycles", "0.084", "0.290$ at 26"],
    "5.1": ["(5, 3)", "(11, 12)", "5 + 3 = 8", "(10, 5, 6, 3, 0)", "(1.89, 0.88)"],
    "10.1": ["| 7 / 2 | 7 | 2 | −3 |\n| 3 / 2 | 11 | 4 | −5 |\n| 3 / 1 | 19 | 4 | −9 |\n| 3 / 2 | 27 | 8 | −13 |\n"
             "| 3 / 1 | 43 | 8 | −21 |", "= 59$ and ends at $59 + 43 - 1 = 101"],
}  # fmt: skip
MEANT = {
    "1.1": [[[3, -2], [6, 3]], [[2, 1], [4, 1]], [[2, 0], [7, 1]]],
    "2.1": [(24, 34, 29), 1104, 1064880, 0, 1],
    "3.1": [[[6, 7], [6, 7]], [[0, 0, 0, 0], [0, 0, 4, 0], [0, 0, 0, 6], [0, 0, 0, 0]], Fraction(10, 9)],
    "3.4": [6, 0.084, 0.29],
    "5.1": [(5, 3), (11, 12), 8, (10, 5, 6, 3, 0), (1.89, 0.88)],
    "10.1": [[(7, 2, -3), (11, 4, -5), (19, 4, -9), (27, 8, -13), (43, 8, -21)], (59, 101)],
}


def assert_is(key, wanted):
    for (part, value), want in zip(key.items(), wanted, strict=True):
        value, want = (Fraction(one) if isinstance(one, str) else one for one in (value, want))
        np.testing.assert_allclose(np.array(value, float), np.array(want, float), err_msg=part, atol=1e-12)


def test_every_question_that_can_be_computed_in_these_chapters_is_there():
    cells = [cell.source for cell in exam.nbformat.read(NOTEBOOK, as_version=4).cells]
    heads = [found.groups() for source in cells if (found := re.search(r"### (\d+)(\.\d) .+\n\n\*Compute ·", source))]
    assert [a + b for a, b in heads if a in ("1", "2", "3", "5", "10")] == EVERY == list(AGAIN)


@pytest.mark.parametrize("number", EVERY)
def test_the_text_is_word_for_word_the_notebooks(number):
    question = QUESTIONS[number]
    cell = cell_of(number)
    body = cell.split("minutes*\n\n", 1)[1].split("\n\n<details>")[0]
    assert question.text(question.exercise.sheets) == body
    assert f"### {number} {question.title}\n\n*Compute · {question.points} points · {question.minutes} minutes*" in cell
    assert f"**Marking:** {question.marking}\n" in cell
    assert not re.search(r"\d", question.marking), "with other numbers this would be wrong"


@pytest.mark.parametrize("number", EVERY)
def test_the_key_for_the_notebooks_numbers_is_the_notebooks_answer(number):
    answer = cell_of(number).split("<summary>Answer</summary>")[1]
    assert [text for text in SAID[number] if text not in answer] == []
    question = QUESTIONS[number]
    assert_is(question.key(question.exercise.sheets), MEANT[number])
    assert_is(question.key(question.exercise.sheets), AGAIN[number](**question.exercise.sheets))


@cache
def drawn(number):
    """What some students might get in a question."""
    return [QUESTIONS[number].exercise.numbers.draw(np.random.default_rng(seed)) for seed in range(DRAWS)]


@pytest.mark.parametrize("number", EVERY)
def test_keys_are_right_and_no_mistake_gives_them(number):
    question, texts = QUESTIONS[number], set()
    for numbers in drawn(number):
        assert_is(question.key(numbers), AGAIN[number](**numbers))
        assert all(question.mistakes(numbers).values())
        texts.add(question.text(json.loads(json.dumps(numbers))))
        formulas.html(question.text(numbers))
    assert len(texts) > 0.7 * DRAWS
    assert question.text(question.exercise.sheets) not in texts


def test_the_zero_of_the_rows_gradient_is_that_of_the_last_pixel():
    for numbers in drawn("5.1"):
        assert np.flatnonzero(QUESTIONS["5.1"].key(numbers)["gradient of the row"] == 0).tolist() == [4]


def set_up(root):
    made = Course(root)
    made.prepare()
    (made.root / "secret").write_text("a secret of the tests")
    lines = "".join(f'{student},"{name}"\n' for student, name in NAMES.items())
    (made.root / "students.csv").write_text(f"student,name\n{lines}", encoding="utf-8")
    return made


@pytest.fixture
def course(tmp_path):
    return set_up(tmp_path / "course")


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    """The folder of an exam with every question, which is looked at and not changed."""
    return make(set_up(tmp_path_factory.mktemp("exam") / "course"), *EVERY)


def make(course, *numbers):
    assert main(["exam", *numbers, "--course", str(course.root)]) == 0
    return course.root / "exams" / "_".join(numbers)


def text(path):
    return path.read_text(encoding="utf-8")


def kept(folder):
    return json.loads(text(folder / exam.DRAWN))


def test_each_has_a_paper_with_numbers_of_their_own(course):
    folder = make(course, "2.1", "5.1")
    numbers = kept(folder)
    assert set(numbers) == set(NAMES)
    assert len({json.dumps(own) for own in numbers.values()}) == 3
    for student in NAMES:
        paper = text(folder / "students" / f"{student}.html")
        image = numbers[student]["2.1"]
        assert f"{image['rows']} rows and {image['columns']} columns" in paper
        assert str(formulas.html(QUESTIONS["5.1"].text(numbers[student]["5.1"]))) in paper
        assert paper.split("<main>")[1].split("</main>")[0].count("<article>") == 1
    both = text(folder / PRINT)
    assert both.count("<article>") == 3
    assert all(str(formulas.html(QUESTIONS["2.1"].text(own["2.1"]))) in both for own in numbers.values())


def test_no_paper_names_another_student_or_has_an_answer(course):
    folder = make(course, "1.1", "2.1")
    for student, others in (("ada", ("Müller", "alert")), ("hm", ("Lovelace", "alert"))):
        paper = text(folder / "students" / f"{student}.html")
        assert not any(other in paper for other in others)
        key = QUESTIONS["2.1"].key(kept(folder)[student]["2.1"])
        assert f"{key['MACs']:,}" not in paper
        assert f"{key['MACs']:,}" in text(folder / KEYS)


def test_names_are_no_markup(course):
    folder = make(course, "1.1")
    for path in (folder / "students" / "eve.html", folder / PRINT, folder / KEYS):
        assert "<script" not in text(path)
        assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; Co" in text(path)


def test_the_same_come_again_and_others_by_another_secret(course):
    before = kept(make(course, "1.1", "3.4"))
    (course.root / "exams" / "1.1_3.4" / exam.DRAWN).unlink()
    assert kept(make(course, "1.1", "3.4")) == before
    assert kept(make(course, "1.1"))["ada"]["1.1"] == before["ada"]["1.1"]
    (course.root / "exams" / "1.1_3.4" / exam.DRAWN).unlink()
    (course.root / "secret").write_text("another")
    assert kept(make(course, "1.1", "3.4"))["ada"] != before["ada"]


def test_what_is_on_paper_stays_when_somebody_joins(course):
    folder = make(course, "2.1")
    before = kept(folder)
    before["ada"]["2.1"]["kernels"] = 48  # as a book before this one might have drawn
    (folder / exam.DRAWN).write_text(json.dumps(before))
    with (course.root / "students.csv").open("a", encoding="utf-8") as file:
        file.write("zoe,Zoë\n")
    make(course, "2.1")
    assert {**kept(folder), "zoe": None} == {**before, "zoe": None}
    assert "A layer has 48 kernels" in text(folder / "students" / "ada.html")
    assert "Zoë" in text(folder / KEYS)


@pytest.mark.parametrize("broken", ["", "[]", '{"ada": {}}', '{"ada": {"2.1": {"rows": "x"}}}', '{"ada": 1}'])
def test_kept_numbers_that_were_changed_are_refused(course, broken, capsys):
    folder = make(course, "2.1")
    (folder / exam.DRAWN).write_text(broken)
    assert main(["exam", "2.1", "--course", str(course.root)]) == 1
    assert "bring it back as it was" in capsys.readouterr().err
    assert text(folder / exam.DRAWN) == broken


@pytest.mark.parametrize(
    ("numbers", "rule"),
    [
        (["1.2"], r"can be drawn for 1\.1, 2\.1, 3\.1, 3\.4, 5\.1, 10\.1; not 1\.2"),
        (["1.1", "99.9", "../x"], r"not 99\.9, \.\./x"),
        ([], "none is named"),
        (["1.1", "2.1", "1.1"], r"1\.1 is there twice"),
    ],
)
def test_what_cannot_be_drawn_is_refused(numbers, rule):
    with pytest.raises(ValueError, match=rule):
        chosen(numbers)


@pytest.mark.parametrize("roster", [None, "student,name\n"])
def test_without_a_roster_nothing_is_made(tmp_path, roster, capsys):
    if roster:
        (tmp_path / "students.csv").write_text(roster)
    assert main(["exam", "1.1", "--course", str(tmp_path)]) == 1
    assert "students.csv is needed, with those who sit the exam" in capsys.readouterr().err
    assert not (tmp_path / "exams").exists()


def test_tex_that_is_not_known_is_refused():
    assert formulas.html("$L = \\tfrac{1}{2} \\sum_i y_i^2$ < 3") == (
        "<p><i>L</i> = ½ ∑<sub><i>i</i></sub> <i>y</i><sub><i>i</i></sub><sup>2</sup> &lt; 3</p>"
    )
    with pytest.raises(ValueError, match="no question has had yet"):
        formulas.html(r"$\sqrt{2}$")
    with pytest.raises(ValueError, match="but matrices"):
        formulas.html("$$x = 1$$")


@pytest.mark.parametrize("which", ["students/ada.html", PRINT, KEYS])
@pytest.mark.parametrize(("mode", "width"), [("light", 1280), ("dark", 1280), ("light", 390)])
def test_pages_are_accessible_and_fit(papers, browser, axe, which, mode, width):
    path = papers / which
    tab = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=mode)
    asked = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(path.as_uri())
    assert asked == [path.as_uri()]
    assert axe(tab) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    tab.close()


def test_print_is_black_on_white_and_begins_a_page_for_each(course, browser):
    folder = make(course, "1.1", "2.1")
    tab = browser.new_page(color_scheme="dark")
    tab.goto((folder / PRINT).as_uri())
    style = "(name => getComputedStyle(document.body)[name])"
    assert tab.evaluate(f"{style}('color')") != "rgb(0, 0, 0)"
    tab.emulate_media(media="print", color_scheme="dark")
    assert tab.evaluate(f"{style}('color')") == "rgb(0, 0, 0)"
    assert tab.evaluate(f"{style}('backgroundColor')") == "rgb(255, 255, 255)"
    pages = {}
    for path in (folder / PRINT, folder / "students" / "ada.html"):
        tab.goto(path.as_uri())
        pages[path.name] = len(re.findall(rb"/Type\s*/Page\b", tab.pdf(format="A4")))
    assert pages == {PRINT: 3 * pages["ada.html"], "ada.html": pages["ada.html"]}
    tab.close()
