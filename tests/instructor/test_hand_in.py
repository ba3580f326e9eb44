"""What is handed in as a file: whatever a platform or an attacker makes is graded, or named with a reason."""

import json
import os
import shutil
import subprocess
import sys

import nbformat
import pytest
from classroom import EXAMPLE, RIGHT, ROOT, SHEET, Submission, given_out, hand_in, notebook, require_a_jail
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell

from instructor.__main__ import main
from instructor.course import Course
from instructor.exercise_sheet import Sheet
from instructor.grading import grade
from instructor.handed_in import Unreadable, put_in_order
from instructor.records import kept_marks
from instructor.release import release

require_a_jail()


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return given_out(tmp_path_factory.mktemp("course"))[0]


@pytest.fixture(scope="module")
def released(course):
    return nbformat.read(course.released(Sheet(SHEET)), as_version=4)


def code(handed_in):
    return "\n".join(handed_in.sources.values())


def as_version_3(content):
    made = json.loads(content)
    for cell in made["cells"]:
        if cell["cell_type"] == "code":
            cell["input"] = cell.pop("source")
    return json.dumps({"worksheets": [{"cells": made["cells"]}], "metadata": {}, "nbformat": 3}).encode()


def without_metadata(content):
    made = json.loads(content)
    for cell in made["cells"]:
        cell.pop("metadata", None), cell.pop("id", None), cell.pop("outputs", None)
    return json.dumps(made).encode()


@pytest.mark.parametrize(
    "made",
    [
        lambda content: content,
        lambda content: b"\xef\xbb\xbf" + content,
        lambda content: content.decode().encode("utf-16"),
        lambda content: content.decode().encode("utf-32"),
        lambda content: content.replace(b"\\n", b"\\r\\n"),
        lambda content: json.dumps(json.loads(content), indent=1).replace("\n", "\r\n").encode(),
        lambda content: content.replace(b'"nbformat": 4', b'"nbformat": 99'),
        lambda content: content.replace(
            b'"metadata": {"kernelspec"', b'"odd": [NaN, 1e999], "metadata": {"kernelspec"'
        ),
        as_version_3,
        without_metadata,
    ],
    ids=["as it is", "mark", "utf-16", "utf-32", "crlf", "lines", "version 99", "NaN", "version 3", "bare"],
)
def test_a_readable_notebook_is_read(released, made):
    found = put_in_order(made(notebook(released, RIGHT)), released)
    assert all(answer.replace("\r", "") in code(found).replace("\r", "") for answer in RIGHT.values())


WHOLE = b'{"cells": [%s], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
EMPTY = b'{"cell_type": "code", "source": ""}'


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"cells": [], "x": [' + b"{}," * 10**6 + b"{}]}", "too many numbers and lists"),
        (b'{"cells": [], "x": [' + b"1," * 3 * 10**6 + b"1]}", "too many numbers and lists"),
        (WHOLE % b",".join([EMPTY] * 3000), "more than 2000 cells"),
        (b"[" * 10**5, "no list of cells"),
        (b"[" * 10**6, "too many numbers and lists"),
        (WHOLE[:-40] % EMPTY, "broken or not whole: line 1"),
        (WHOLE % b"\n<<<<<<< HEAD\n=======\n>>>>>>> x\n", "a merge conflict"),
        (b"{'cells': []}", "broken or not whole"),
        (WHOLE % '{"source": "Größe"}'.encode("cp1252"), "not written in UTF-8"),
        (b'{"cells": %s}' % (b"9" * 5000), "no list of cells"),
        (b"[]", "no list of cells"),
        (b"null", "no list of cells"),
        (b'{"cells": {"a": 1}}', "no list of cells"),
        (b'{"worksheets": [[]]}', "no list of cells"),
        (b"", "broken or not whole"),
        (b"\x00\xff", "not written in UTF-8|broken"),
        (b"PK\x03\x04", "broken"),
        (SHEET.read_bytes(), "the sheet's source"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_why(released, content, why):
    with pytest.raises(Unreadable, match=why):
        put_in_order(content, released)


@pytest.mark.parametrize(
    "cell",
    [
        None, 5, [], {}, {"source": 3}, {"source": [1, None, "a"]}, {"cell_type": {}, "source": "x"}, {"metadata": 3},
        {"metadata": {"nbgrader": 7}}, {"metadata": {"nbgrader": {"grade_id": []}}}, {"outputs": {}}, {"outputs": [5]},
        {"outputs": [{"text": 7, "data": 5}]}, {"outputs": [{"data": {"image/png": {}}}]}, {"attachments": [1]},
        {"attachments": {"a": 5}}, {"attachments": {"a": {"image/png": "x" * 9}}}, {"source": "\ud800"},
        {"metadata": {"nbgrader": {"grade_id": "padding"}}, "attachments": {"a\n](x)": {"image/png": []}}},
    ],
)  # fmt: skip
def test_an_odd_cell_costs_no_other_its_mark(released, cell):
    made = json.loads(notebook(released, RIGHT))
    made["cells"] = [cell, *made["cells"], cell]
    found = put_in_order(json.dumps(made).encode(), released)
    assert all(answer in code(found) for answer in RIGHT.values())
    nbformat.validate(found.notebook)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda parts: st.lists(parts, max_size=4) | st.dictionaries(
        st.sampled_from(["cells", "source", "metadata", "nbgrader", "grade_id", "outputs", "data", "text", "cell_type",
                         "attachments", "worksheets", "image/png", "padding"]), parts, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(anything)
def test_any_json_is_read_or_refused(released, made):
    try:
        found = put_in_order(json.dumps(made).encode(), released)
    except Unreadable:
        return
    nbformat.validate(found.notebook)


def test_hostile_json_takes_little_of_the_graders_memory(tmp_path):
    (tmp_path / "x.ipynb").write_bytes(b'{"cells": [], "x": [' + b"{}," * (2**25 // 3 - 20) + b"{}]}")
    program = (
        "import resource, sys, pathlib, nbformat\n"
        "from instructor.handed_in import Unreadable, put_in_order, read_notebook\n"
        "content = read_notebook(pathlib.Path(sys.argv[1]))\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: put_in_order(content, nbformat.v4.new_notebook())\n"
        "except Unreadable: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    words = [sys.executable, "-c", program, tmp_path / "x.ipynb"]
    said = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert int(said) < 2**15  # kilobytes


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ([], "Nothing was handed in"),
        (["a.ipynb", "b.ipynb"], "no telling which file is the notebook: a.ipynb, b.ipynb"),
        (["work.py"], "no telling which file is the notebook: work.py"),
        ([".ipynb_checkpoints", "._a.ipynb"], "Nothing was handed in"),
        (["sub/a.ipynb"], "no telling which file is the notebook: sub"),
    ],
)
def test_a_folder_without_the_notebook_says_what_is_there(tmp_path, course, names, why):
    here = Course(tmp_path / "course")
    shutil.copytree(course.root, here.root)
    folder = here.root / "submitted" / "ada" / SHEET.stem
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("{}")
    hand_in(here.root, [Submission("bob", b"{}", {})])
    grade(here, Sheet(SHEET))
    assert why in kept_marks(here, Sheet(SHEET), "ada").notes[0]


def test_other_names_and_strange_ones_are_graded_or_named(tmp_path, course, released, capsys):
    here = Course(tmp_path / "course")
    shutil.copytree(course.root, here.root)
    right = notebook(released, RIGHT)
    fine = [
        "-rf",
        "=1+1",
        "Ada Lovelace_4711",
        "Łukasz",
        "ada%s%n",
        "{{7*7}}",
        "a'b",
        "x" * 100,
        "ADA",
        "ada",
        "A&B",
        "🎓",
    ]
    hand_in(here.root, [Submission(name, right, {}) for name in fine])
    for student, file in (("-rf", "A.IPYNB"), ("ada", "x (1).ipynb"), ("ADA", "x.ipynb.json"), ("A&B", "x.ipynb.txt")):
        path = here.submissions(Sheet(SHEET))[student]
        path.rename(path.with_name(file))
    lost = here.root / "submitted" / os.fsdecode(b"M\xfcller")
    (lost / SHEET.stem).mkdir(parents=True)
    (lost / SHEET.stem / SHEET.name).write_bytes(right)
    for place in (
        "bob/01_reading.ipynb",
        "01_reading/carl/01_reading.ipynb",
        "dora/01_read/x.ipynb",
        "eve_01_reading.ipynb",
    ):
        path = here.root / "submitted" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(right)
    env = {**os.environ, "PYTHONIOENCODING": "ascii:strict"}
    words = [sys.executable, "-m", "instructor", "grade", "01", "--sheets", EXAMPLE, "--course", here.root]
    done = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    for named in (r"M\udcfcller", "bob/01_reading.ipynb", "01_reading/carl", "dora/01_read/x.ipynb", "eve_01_reading"):
        assert named in said
    got = {name: kept_marks(here, Sheet(SHEET), name) for name in fine}
    assert all(sum(result.points or 0 for result in made.results) == 5 for made in got.values())
    assert here.table(Sheet(SHEET)).stat().st_size > 100
    assert here.report(Sheet(SHEET)).stat().st_size > 1000


def test_submitted_may_be_the_lecturers_link(tmp_path, course, released):
    here = Course(tmp_path / "course")
    shutil.copytree(course.root, here.root)
    hand_in(tmp_path / "disk", [Submission("ada", notebook(released, RIGHT), {})])
    (here.root / "submitted").symlink_to(tmp_path / "disk" / "submitted")
    assert grade(here, Sheet(SHEET)) == []
    assert sum(result.points or 0 for result in kept_marks(here, Sheet(SHEET), "ada").results) == 5


def _below(made):
    made.cells.insert(_place(made) + 1, new_markdown_cell("Because of the padding."))


def _split(made):
    made.cells.insert(_place(made), new_markdown_cell("Because of"))


def _anew(made):
    del made.cells[_place(made)]
    made.cells.append(new_markdown_cell("Because of the padding."))


def _in_code(made):
    made.cells.insert(_place(made) + 1, new_code_cell("# because of the padding"))


def _place(made):
    return [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in made.cells].index("padding")


@pytest.mark.parametrize("change", [_below, _split, _anew, _in_code])
def test_an_answer_that_stands_outside_of_its_cell_waits_for_a_person(released, change):
    found = put_in_order(notebook(released, {"padding": ""}, change=change), released)
    assert found.outside == {"padding"}
    assert not found.blank


def test_who_writes_nothing_but_code_has_not_answered(released):
    found = put_in_order(notebook(released, {**RIGHT, "padding": ""}, first="x = 1"), released)
    assert found.blank == {"padding"}


def _cell(made, key):
    (cell,) = [cell for cell in made.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == key]
    return cell


def _task(made):
    _cell(made, "padding").metadata.nbgrader.update(task=True, grade=False, solution=False)


def _no_points(made):
    del _cell(made, "check_readings").metadata.nbgrader["points"]


def _doubled(made):
    _cell(made, "readings").metadata.nbgrader.grade_id = "read_map"


def _loose_mark(made):
    cell = _cell(made, "check_readings")
    cell.source = cell.source.replace("### BEGIN HIDDEN TESTS", "### Begin hidden tests")


def _text(made):
    _cell(made, "padding").metadata.nbgrader.solution = False


def _nothing(made):
    for cell in made.cells:
        cell.metadata.pop("nbgrader", None)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (_task, "'padding' is a .Manually graded task"),
        (_no_points, "'check_readings' needs points"),
        (
            lambda made: _cell(made, "check_readings").metadata.nbgrader.update(points=-1),
            "'check_readings' needs points",
        ),
        (
            lambda made: _cell(made, "check_readings").metadata.nbgrader.update(points="2"),
            "'check_readings' needs points",
        ),
        (_doubled, "'read_map' is there twice"),
        (lambda made: _cell(made, "padding").metadata.nbgrader.update(grade_id="a b"), "'a b' needs an id of letters"),
        (_loose_mark, "'check_readings' has a mark that nbgrader does not know"),
        (_text, "'padding' is text, and graded without being an answer"),
        (_nothing, "no cell is graded"),
    ],
)
def test_a_sheet_that_cannot_be_marked_is_refused_by_the_cells_name(tmp_path, change, rule):
    shutil.copytree(EXAMPLE, tmp_path / "graded")
    path = tmp_path / "graded" / SHEET.name
    made = nbformat.read(path, as_version=4)
    change(made)
    nbformat.write(made, path)
    with pytest.raises(ValueError, match=rule):
        release(Course(tmp_path / "course"), Sheet(path))


@pytest.mark.parametrize("which", ["check_readings", "all"])
def test_cells_without_points_and_an_empty_first_cell_are_graded(tmp_path, released, which):
    shutil.copytree(EXAMPLE, tmp_path / "graded")
    path = tmp_path / "graded" / SHEET.name
    made = nbformat.read(path, as_version=4)
    made.cells.insert(0, new_code_cell(""))
    for cell in made.cells:
        if "points" in cell.metadata.get("nbgrader", {}) and which in ("all", cell.metadata.nbgrader.grade_id):
            cell.metadata.nbgrader.points = 0
    nbformat.write(made, path)
    here = Course(tmp_path / "course")
    release(here, Sheet(path))
    hand_in(here.root, [Submission("ada", notebook(released, RIGHT), {})])
    assert grade(here, Sheet(path)) == []
    assert here.report(Sheet(path)).stat().st_size > 1000


def test_a_course_that_submissions_could_read_is_refused():
    with pytest.raises(ValueError, match="submissions can read what lies in"):
        release(Course(ROOT / "utils" / "course"), Sheet(SHEET))
    assert not (ROOT / "utils" / "course").exists()


def test_who_stops_it_is_told_that_nothing_is_lost(monkeypatch, capsys, course):
    def stopped(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("instructor.__main__.grade", stopped)
    assert main(["grade", "01", "--sheets", str(EXAMPLE), "--course", str(course.root)]) == 130
    assert "type the same again" in capsys.readouterr().err


def test_of_code_without_end_a_person_sees_the_beginning_and_all_of_it_is_run(released):
    cells = [new_code_cell("a." * 40_000), new_code_cell("b = 1\n" * 60_000)]
    handed_in = put_in_order(notebook(released, RIGHT, change=lambda made: made.cells.extend(cells)), released)
    shown = [cell.source for cell in handed_in.notebook.cells if cell.cell_type == "code"]
    assert len("".join(shown)) <= 200_000 and max(len(line) for text in shown for line in text.split("\n")) <= 1_000
    assert RIGHT["readings"] in shown
    assert [source for source in handed_in.sources.values() if len(source) > 50_000] == [cell.source for cell in cells]
