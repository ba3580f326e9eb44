"""Numbers of their own: who gets which notebook, by whose numbers an answer is judged, and what is noticed."""

import json
import zipfile

import nbformat
import pytest
from classroom import ROOT, SHEET, Submission, hand_in, notebook, require_a_jail

from instructor.__main__ import main
from instructor.course import Course
from instructor.exercise_sheet import MARKS, Sheet, grade_id
from instructor.grading import collected, grade
from instructor.handed_in import code_cells
from instructor.own_numbers import KEY, handed_out
from instructor.records import kept_marks
from instructor.release import release
from utils.checks import sizes

require_a_jail()
SIZES = Sheet(ROOT / "exercises" / "02_sizes.ipynb")
OWN = ("shape", "parameters")


def set_up(root, students=("ada", "eve", "hm")):
    course = Course(root)
    course.prepare()
    # The same numbers each time: by chance one student's answer may be a known mistake with another's.
    (root / "secret").write_text("a secret of the tests")
    (root / "course.toml").write_text("own_numbers = true\n")
    lines = "".join(f"{student},{student.title()}\n" for student in students)
    (root / "students.csv").write_text(f"student,name\n{lines}")
    return course


def read(path):
    return nbformat.read(path, as_version=4)


def cells(made):
    return {grade_id(cell): cell for cell in made.cells if grade_id(cell)}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    made = set_up(tmp_path_factory.mktemp("own"))
    release(made, SIZES)
    return made


def answers(numbers=None):
    """The sheet's solutions; shape and parameters for these numbers, counted another way."""
    cells = code_cells(SIZES.notebook).items()
    made = {key: MARKS.sub("", source) for key, source in cells if not key.startswith("own ")}
    if numbers:
        n = numbers["shape"]
        places = range(-n["padding"], n["size"] + n["padding"] - n["kernel_size"] + 1, n["stride"])
        made["shape"] = f"shape = {(n['kernels'], len(places), len(places))}"
        made["parameters"] = (
            f"parameters = sum({n['kernel_size'] ** 2 * n['channels'] + 1} for _ in range({n['kernels']}))"
        )
    return made


def test_each_gets_a_notebook_with_numbers_of_their_own(course):
    numbers = handed_out(course, SIZES)
    assert set(numbers) == {"ada", "eve", "hm"}
    assert len({json.dumps(one) for one in numbers.values()}) > 1
    common = read(course.released(SIZES))
    for student, own in numbers.items():
        assert set(own) == set(OWN) and own["shape"] == own["parameters"]
        made = read(course.handout(SIZES, student))
        n = own["shape"]
        texts = "\n".join(cell.source for cell in made.cells if cell.cell_type == "markdown")
        assert f"{n['size']} × {n['size']} pixels with {n['channels']} channels" in texts
        assert sizes.shape.numbers.text(sizes.shape.sheets) not in texts
        for name in OWN:
            check = cells(made)[f"check_{name}"]
            assert f"sizes.{name}.with_numbers(size={n['size']}, " in check.source
            assert check.source.endswith(f").check({name})")
            assert check.metadata.nbgrader.checksum != cells(common)[f"check_{name}"].metadata.nbgrader.checksum
        others = [grade_id(cell) for cell, other in zip(made.cells, common.cells, strict=True) if cell != other]
        assert sorted(others) == ["", "check_parameters", "check_shape"]
        assert not any("SOLUTION" in cell.source for cell in made.cells)
    with zipfile.ZipFile(course.handouts(SIZES).with_suffix(".zip")) as packed:
        assert packed.namelist() == [f"{student}/02_sizes.ipynb" for student in ("ada", "eve", "hm")]


def test_the_check_in_a_students_notebook_takes_their_answer_and_no_other(course, capsys):
    numbers = handed_out(course, SIZES)
    made = cells(read(course.handout(SIZES, "ada")))
    for source in ("from utils.checks import sizes", answers(numbers["ada"])["shape"], made["check_shape"].source):
        exec(source, space := locals().get("space", {}))
    assert "shape is right" in capsys.readouterr().out


def test_numbers_stay_and_who_comes_later_gets_some(tmp_path):
    course = set_up(tmp_path, ["ada"])
    release(course, SIZES)
    before = handed_out(course, SIZES)["ada"]
    secret = (tmp_path / "secret").read_text()
    (tmp_path / "secret").write_text("another")
    (tmp_path / "students.csv").write_text("student,name\nada,Ada\nbo,Bo\n")
    release(course, SIZES)
    assert handed_out(course, SIZES)["ada"] == before
    (tmp_path / "secret").write_text(secret)
    course.handout(SIZES, "ada").unlink()
    release(course, SIZES)
    assert handed_out(course, SIZES)["ada"] == before  # as the secret says
    assert handed_out(course, SIZES)["bo"] != handed_out(course, SIZES)["ada"]


def test_who_has_handed_in_the_common_notebook_keeps_it(tmp_path):
    course = set_up(tmp_path, ["ada", "bo"])
    (tmp_path / "course.toml").write_text("")
    release(course, SIZES)
    assert not course.handouts(SIZES).exists()
    hand_in(tmp_path, [Submission("ada", notebook(read(course.released(SIZES)), answers()), {})], SIZES.path)
    (tmp_path / "course.toml").write_text("own_numbers = true")
    release(course, SIZES)
    assert set(handed_out(course, SIZES)) == {"bo"}
    assert course.given(SIZES, "ada") == course.released(SIZES)


def test_without_a_roster_it_says_what_is_needed(tmp_path, capsys):
    course = set_up(tmp_path)
    (tmp_path / "students.csv").unlink()
    assert main(["assignment", "02", "--course", str(tmp_path), "--sheets", str(SIZES.path.parent)]) == 1
    assert "own_numbers is set, so" in (said := capsys.readouterr().err)
    assert "students.csv is needed" in said
    assert not course.released(SIZES).exists()


def test_a_sheet_without_such_numbers_is_given_out_as_ever(tmp_path):
    course = set_up(tmp_path)
    release(course, Sheet(SHEET))
    assert not (tmp_path / "handouts").exists()


def test_a_handout_that_is_broken_is_named(tmp_path):
    course = set_up(tmp_path, ["ada"])
    release(course, SIZES)
    path = course.handout(SIZES, "ada")
    made = read(path)
    made.metadata[KEY]["shape"]["width"] = 3
    nbformat.write(made, path)
    with pytest.raises(ValueError, match=r"ada/02_sizes.ipynb says which numbers .* no width"):
        handed_out(course, SIZES)


@pytest.fixture(scope="module")
def graded(course):
    numbers = handed_out(course, SIZES)
    own = {student: read(course.handout(SIZES, student)) for student in numbers}
    common = read(course.released(SIZES))

    def easier(made):
        for cell in made.cells:
            if grade_id(cell) == "check_shape":
                cell.source = "sizes.shape.check(shape)"
        made.metadata[KEY] = {}

    wrong = answers(numbers["ada"]) | {"shape": answers()["shape"], "parameters": answers(numbers["eve"])["parameters"]}
    class_ = [
        Submission("ada", notebook(own["ada"], answers(numbers["ada"])), {}),
        Submission("eve", notebook(own["eve"], answers(), change=easier), {}),
        Submission("hm", notebook(common, wrong), {}),
        Submission("guest", notebook(common, answers()), {}),
    ]
    hand_in(course.root, class_, SIZES.path)
    assert grade(course, SIZES) == []
    return {student: kept_marks(course, SIZES, student) for student in ("ada", "eve", "hm", "guest")}


def points(marks):
    return {result.name: result.points for result in marks.results if result.points is not None}


def test_an_answer_is_judged_by_the_students_numbers(course, graded):
    every = {task.name: task.points for task in SIZES.tasks if task.exercise}
    assert points(graded["ada"]) == points(graded["guest"]) == every
    assert points(graded["eve"]) == points(graded["hm"]) == every | dict.fromkeys(OWN, 0)
    # What a student makes of a locked cell, or of the metadata, is not asked.
    made = cells(read(course.graded(SIZES, "eve") / "02_sizes.ipynb"))
    assert made["check_shape"].source == cells(read(course.handout(SIZES, "eve")))["check_shape"].source


def test_only_the_instructor_hears_for_whose_numbers_an_answer_is_right(course, graded):
    assert graded["ada"].private == graded["guest"].private == []
    assert graded["eve"].private == [f"{name} is right for the numbers of the sheet." for name in OWN]
    assert graded["hm"].private == [
        "shape is right for the numbers of the sheet.",
        "parameters is right for the numbers of eve.",
    ]
    assert "right for the numbers of eve" in course.report(SIZES).read_text(encoding="utf-8")
    for student in graded:
        assert "right for the numbers" not in course.feedback(SIZES, student).read_text(encoding="utf-8")


def test_marks_hang_on_the_numbers_and_not_where_there_are_none(course, graded):
    before = collected(course, SIZES)
    settings = course.root / "course.toml"
    settings.write_text("")
    off = collected(course, SIZES)
    settings.write_text("own_numbers = true\n")
    assert off["guest"] == before["guest"]
    assert all(off[student] != before[student] for student in ("ada", "eve", "hm"))
    release_bytes = course.released(SIZES).read_bytes()
    assert off["hm"] == SIZES.digest(release_bytes, (course.submissions(SIZES)["hm"]).read_bytes())
