"""Sheets and submissions as the grader reads them, and what crosses into and out of the jail."""

import base64
import io
import json
import pickle
import shutil

import nbformat
import numpy as np
import pytest
from classroom import EXAMPLE, ROOT, SHEET, notebook, require_a_jail
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions

from instructor import wire
from instructor.exercise_sheet import Sheet
from instructor.handed_in import code_cells, put_in_order
from instructor.marking import results
from instructor.submission import Limits, Question, run
from tools.copies import learners_copy
from utils.checks.calls import Call, Other, snapshot

require_a_jail()
SHEETS = sorted((ROOT / "exercises").glob("*.ipynb"))


@pytest.mark.parametrize("path", [*SHEETS, SHEET], ids=lambda path: path.stem)
def test_its_own_solutions_get_every_point_and_a_blank_sheet_none(path):
    sheet = Sheet(path)
    tasks = [task for task in sheet.tasks if task.exercise]
    questions = [
        Question(task.name, task.exercise.cases(np.random.default_rng(1)), task.exercise.seconds) for task in tasks
    ]
    blank = code_cells(learners_copy(sheet.notebook))
    for cells, wanted in ((code_cells(sheet.notebook), [task.points for task in tasks]), (blank, [0] * len(tasks))):
        outcome = run(cells, questions, Limits())
        made = results(sheet, questions, outcome)
        assert [result.points for result in made if result.kind != "by hand"] == wanted
        assert outcome.notes == []


@pytest.fixture(scope="module")
def released():
    cleared, _ = ClearSolutions().preprocess(nbformat.read(SHEET, as_version=4), {})
    return ClearHiddenTests().preprocess(cleared, {})[0]


def ids(notebook):
    return [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in notebook.cells]


def test_deleted_cells_come_back_in_their_places(released):
    wanted = [grade_id for grade_id in ids(released) if grade_id]

    def without(made):
        made.cells = [
            cell for cell in made.cells if cell.metadata.get("nbgrader", {}).get("grade_id") != "check_readings"
        ]

    back = put_in_order(notebook(released, {}, change=without), released).notebook
    assert [grade_id for grade_id in ids(back) if grade_id] == wanted
    assert ids(back).index("check_readings") == ids(back).index("readings") + 1


def test_locked_cells_are_the_instructors_and_the_rest_the_students(released):
    def scribbled(made):
        for cell in made.cells:
            cell.source += "\n# mine"

    back = put_in_order(notebook(released, {}, change=scribbled), released).notebook
    for cell in back.cells:
        locked = cell.metadata.get("nbgrader", {}).get("locked", False)
        assert ("# mine" in cell.source) is not locked
        assert cell.get("outputs", []) == []


def test_of_two_copies_of_a_cell_the_later_counts_as_in_nbgrader(released):
    def twice(made):
        made.cells.append(nbformat.from_dict({**made.cells[3], "source": "later = True"}))

    back = put_in_order(notebook(released, {}, change=twice), released).notebook
    kept = [cell.source for cell, grade_id in zip(back.cells, ids(back), strict=True) if grade_id == ids(released)[3]]
    assert kept == ["later = True"]


def test_checks_beside_a_sheet_come_first_and_unknown_ones_are_named(tmp_path):
    shutil.copy(SHEET, tmp_path)
    with pytest.raises(ValueError, match=r"no checks for .*01_reading\.ipynb"):
        _ = Sheet(tmp_path / SHEET.name).tasks
    checks = (EXAMPLE / "reading.py").read_text()
    (tmp_path / "reading.py").write_text(checks.replace("readings = Exercise", "x = Exercise"))
    with pytest.raises(
        ValueError, match=r"'check_readings' is to be check_NAME, and .*reading\.py has no Exercise readings"
    ):
        _ = Sheet(tmp_path / SHEET.name).tasks


def test_a_sheets_digest_changes_with_its_checks(tmp_path):
    shutil.copytree(EXAMPLE, tmp_path / "graded")
    sheet = Sheet(tmp_path / "graded" / SHEET.name)
    before = sheet.digest(b"release", b"submission")
    assert before == Sheet(sheet.path).digest(b"release", b"submission") != sheet.digest(b"releases", b"ubmission")
    with (tmp_path / "graded" / "reading.py").open("a") as file:
        file.write("\n# stricter\n")
    assert Sheet(sheet.path).digest(b"release", b"submission") != before


plain = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(),
        arrays(st.sampled_from(["i8", "f4", "f8", "c16", "?"]), st.sampled_from([(), (0,), (3,), (2, 3)])),
    ),
    lambda parts: st.lists(parts, max_size=4),
    max_leaves=8,
)  # fmt: skip


@given(plain)
def test_plain_values_cross_unchanged(value):
    kept = snapshot(value)
    back = wire.decoded(json.loads(wire.packed(wire.encoded(kept))[wire.LENGTH :]))
    np.testing.assert_equal(back, kept)
    assert type(back) is type(kept)


def test_everything_else_crosses_as_its_looks():
    assert wire.decoded(wire.encoded(snapshot(int))) == Other("<class 'int'>")


class Opens:
    def __reduce__(self):
        return open, ("/etc/passwd",)


@pytest.mark.parametrize("dtype", ["O", "U3", "V8", "M8[s]"])
def test_no_array_but_of_numbers_gets_out(dtype):
    file = io.BytesIO()
    np.save(file, np.zeros(2, dtype=dtype), allow_pickle=True)
    sent = {"array": base64.b64encode(file.getvalue()).decode()}
    with pytest.raises(ValueError):
        wire.decoded(sent)


@pytest.mark.parametrize(
    "forged",
    [
        None, [], {}, {"ticket": "t"}, {"ticket": "other", "calls": [[1, "", ""]]}, {"ticket": "t", "calls": []},
        {"ticket": "t", "calls": [[1, "", ""], [1, "", ""]]}, {"ticket": "t", "calls": [[{"array": 3}, "", ""]]},
        {"ticket": "t", "calls": [[{"array": base64.b64encode(pickle.dumps(Opens())).decode()}, "", ""]]},
    ],
)  # fmt: skip
def test_forged_messages_are_refused(forged):
    with pytest.raises((ValueError, TypeError, KeyError)):
        wire.calls_from(forged, "t", 1)
    assert wire.calls_from({"ticket": "t", "calls": [[1, "", ""]]}, "t", 1) == [Call(1)]
