"""A small class, hostile students among them, from the sheet to marks, pages and the gradebook."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path

import nbformat
import pytest
from classroom import (
    EXAMPLE,
    POINTS,
    RIGHT,
    ROOT,
    SHEET,
    Submission,
    given_out,
    hand_in,
    honest,
    hostile,
    notebook,
    require_a_jail,
)
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory

from instructor import grading, jail, runs
from instructor.__main__ import main
from instructor.collect import Collect
from instructor.course import Course
from instructor.exercise_sheet import Sheet
from instructor.grading import grade
from instructor.marking import draw
from instructor.release import release
from instructor.submission import Limits

require_a_jail()
LIMITS = Limits(cell=2, total=60)
# The others of them are in tests/benchmarks/grading.py.
HOSTILE = (
    "exits", "loops", "swallows-interrupts", "loops-in-c", "lies-about-equality", "looks-for-the-master",
    "answers-with-nothing-at-great-length", "answers-in-long-words", "answers-with-lists-of-nothing",
    "hides-memory", "leaves-its-namespace", "writes-half-a-character", "hands-in-the-master", "phones-home",
    "forks-without-end", "fills-memory", "answers-too-deep", "tells-the-inputs", "answers-with-the-inputs",
    "kills-everything", "forges-the-answer", "rewrites-the-gradebook", "exits-in-a-cell", "prints-50-mb",
    "hooks-the-syntax-in-vain", "patches-what-compares-in-vain", "without-checks", "dearer-checks-in-vain",
    "copied-cells", "stripped", "no-notebook", "nested-notebook", "odd-notebook",
)  # fmt: skip
LOOPING = ("loops", "swallows-interrupts", "loops-in-c")  # and do nothing else, until they are ended


def hurried(jobs, *how):
    """Run the submissions; for an answer that only loops, half a second instead of the sheet's two."""

    def short(job):
        asked = [replace(one, seconds=0.5) if one.name == "readings" else one for one in job.asked]
        return job._replace(asked=asked) if job.student in LOOPING else job

    return runs.run_all(map(short, jobs), *how)


def command(*words):
    return main(list(map(str, words)))


def marks(course, student):
    return json.loads((course.root / "autograded" / student / SHEET.stem / "marks.json").read_text())


def table(course):
    with (course.root / "grades" / f"{SHEET.stem}.csv").open(encoding="utf-8-sig") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def new_course(tmp_path_factory):
    """What makes a course in which the example is released, with submissions: so many honest ones, or these."""
    blank, released = given_out(tmp_path_factory.mktemp("blank"))

    def make(folder, submissions=()):
        shutil.copytree(blank.root, folder, dirs_exist_ok=True)
        hand_in(folder, honest(released, submissions) if isinstance(submissions, int) else submissions)
        return Course(folder), released

    return make


@pytest.fixture(scope="module")
def class_(new_course, tmp_path_factory):
    """A course that was graded, and what was handed in."""
    course, released = new_course(tmp_path_factory.mktemp("a class"))
    known = hostile(released)
    assert set(HOSTILE) <= {submission.student for submission in known}
    submissions = honest(released, 6) + [submission for submission in known if submission.student in HOSTILE]
    hand_in(course.root, submissions)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grading, "run_all", hurried)
        assert grade(course, Sheet(SHEET), limits=LIMITS) == []
    return course, {submission.student: submission for submission in submissions}


@pytest.mark.parametrize("student", [*HOSTILE, *(f"honest-{number:02d}" for number in range(6))])
def test_everybody_gets_the_marks_they_earned(class_, student):
    course, submissions = class_
    row = table(course)[student]
    assert {name: float(row[name]) for name in POINTS} == submissions[student].points
    assert (float(row["total"]), row["of"]) == (sum(submissions[student].points.values()), "7.0")
    assert row["padding"] in ("", "0.0")  # a person's to mark, or nothing was written
    said = {result["name"]: result["message"] for result in marks(course, student)["results"]}
    assert all(piece in said[name] for name, piece in submissions[student].hints.items())


def test_who_needs_a_look_is_named(class_):
    course, _ = class_
    report = course.report(Sheet(SHEET)).read_text(encoding="utf-8")
    assert "A mistake that the exercise knows" in report
    for student in ("exits", "loops", "loops-in-c", "fills-memory", "exits-in-a-cell", "no-notebook"):
        assert marks(course, student)["notes"]
        assert f"<strong>{student}</strong>" in report
    assert not any(marks(course, f"honest-{number:02d}")["notes"] for number in range(6))


def test_marks_stand_in_nbgraders_gradebook(class_):
    course, submissions = class_
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as book:
        for student, submission in submissions.items():
            found = book.find_submission(SHEET.stem, student)
            assert (found.score, found.max_score) == (sum(submission.points.values()), 7)
            assert found.needs_manual_grade == (table(course)[student]["padding"] == "")
    program = Path(sys.executable).with_name("nbgrader")
    there = {**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run([program, "export", "--to", "all.csv"], cwd=course.root, env=there, check=True, capture_output=True)
    with (course.root / "all.csv").open(encoding="utf-8") as file:
        exported = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert exported == {student: float(row["total"]) for student, row in table(course).items()}


def test_nbgraders_own_autograder_runs_nothing(class_):
    course, _ = class_
    program = Path(sys.executable).with_name("nbgrader")
    there = {**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
    words = [program, "autograde", SHEET.stem, "--student=honest-01", "--force"]
    before = table(course)
    done = subprocess.run(words, cwd=course.root, env=there, capture_output=True, text=True)
    assert done.returncode != 0
    assert "graded-by-make-grade" in done.stderr
    grade(course, Sheet(SHEET), limits=LIMITS)
    assert table(course) == before


def test_nothing_is_run_twice(class_, monkeypatch):
    course, _ = class_
    before = table(course)
    monkeypatch.setattr(runs, "run", None)
    assert grade(course, Sheet(SHEET)) == []
    assert table(course) == before


def test_nothing_hidden_is_given_out(class_):
    course, submissions = class_
    sheet = Sheet(SHEET)
    hidden = {(course.root / "secret").read_text(), "HIDDEN TESTS", "import reading", "SOLUTION", "four places of a 3"}
    hidden |= {line.strip() for line in (EXAMPLE / "reading.py").read_text().splitlines() if "lambda" in line}
    for submission in submissions.values():
        version = sha256(submission.content).hexdigest()
        for question in draw(sheet, partial(course.inputs, version)):
            cases = [case for case in question.cases if len(case) == 3]
            hidden |= {form.format(*case) for case in cases for form in ("{}, {}, {}", "E{}k{}s{}")}
    assert len(hidden) > 40
    pages = [course.root / "feedback" / student / "01_reading" / "01_reading.html" for student in submissions]
    for path in [*pages, course.root / "grades" / "01_reading.html", course.released(sheet)]:
        text = path.read_text(encoding="utf-8")
        assert not [secret for secret in hidden if secret in text]


def test_feedback_is_the_students_own(class_):
    course, submissions = class_
    page = (course.root / "feedback" / "honest-00" / "01_reading" / "01_reading.html").read_text(encoding="utf-8")
    assert "honest-00" in page
    assert not [student for student in submissions if student != "honest-00" and student in page]
    assert all(piece in page for piece in submissions["honest-00"].hints.values())


@pytest.mark.parametrize("which", ["feedback", "report"])
@pytest.mark.parametrize(("mode", "width"), [("light", 1280), ("dark", 1280), ("light", 390)])
def test_pages_are_accessible_and_fit(class_, browser, axe, which, mode, width):
    course, _ = class_
    path = course.report(Sheet(SHEET)) if which == "report" else course.feedback(Sheet(SHEET), "honest-00")
    tab = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=mode)
    asked = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(path.as_uri())
    assert asked == [path.as_uri()]
    assert axe(tab) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    tab.close()


def test_a_run_that_was_killed_goes_on(new_course, tmp_path):
    course, _ = new_course(tmp_path, 12)
    words = [sys.executable, "-m", "instructor", "grade", "01", "--sheets", EXAMPLE, "--course", tmp_path]
    with subprocess.Popen(words, cwd=ROOT, stderr=subprocess.DEVNULL) as first:
        while len(done := list(tmp_path.glob("autograded/*/*/marks.json"))) < 3 and first.poll() is None:
            time.sleep(0.02)
        first.send_signal(signal.SIGKILL)
    assert 3 <= len(done) < 12
    stamps = {path: path.stat().st_mtime_ns for path in done}
    assert command("grade", "01", "--sheets", EXAMPLE, "--course", tmp_path) == 0
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in stamps.items())
    released = nbformat.read(course.released(Sheet(SHEET)), as_version=4)
    rows = table(course)
    for submission in honest(released, 12):
        assert {name: float(rows[submission.student][name]) for name in POINTS} == submission.points


def test_what_goes_wrong_here_stops_nobody_else(new_course, tmp_path, monkeypatch):
    course, _ = new_course(tmp_path, 4)
    really = runs.run
    times = iter(range(4))

    def fails_once(*args):
        if next(times) == 1:
            raise OSError("no process could be started")
        return really(*args)

    monkeypatch.setattr(runs, "run", fails_once)
    assert grade(course, Sheet(SHEET)) == ["honest-01"]
    assert [student for student, row in table(course).items() if row["handed in"] == "not marked"] == ["honest-01"]
    monkeypatch.setattr(runs, "run", really)
    assert grade(course, Sheet(SHEET)) == []
    assert len(table(course)) == 4


def test_a_new_version_is_marked_again_and_marks_by_hand_stay(new_course, tmp_path):
    course, released = new_course(tmp_path, 2)
    grade(course, Sheet(SHEET))
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as book:
        book.find_grade("padding", SHEET.stem, SHEET.stem, "honest-00").manual_score = 1.5
        book.find_comment("padding", SHEET.stem, SHEET.stem, "honest-00").manual_comment = "Which zeros?"
        book.db.commit()
    before = table(course)["honest-01"]
    path = course.submissions(Sheet(SHEET))["honest-01"]
    path.write_bytes(notebook(released, dict.fromkeys(POINTS, "")))
    grade(course, Sheet(SHEET))
    assert table(course)["honest-00"]["padding"] == "1.5"
    assert "Which zeros?" in course.feedback(Sheet(SHEET), "honest-00").read_text(encoding="utf-8")
    assert float(before["total"]) > float(table(course)["honest-01"]["total"]) == 0


@pytest.mark.parametrize("how", ["a number", "an address"])
def test_workers_give_the_same_marks(new_course, class_, tmp_path, how):
    from distributed import LocalCluster

    course, _ = new_course(tmp_path, 6)
    if how == "a number":
        grade(course, Sheet(SHEET), workers="2")
    else:
        with LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, protocol="tcp", dashboard_address=None
        ) as far:
            grade(course, Sheet(SHEET), workers=far.scheduler_address)
    assert table(course) == {name: row for name, row in table(class_[0]).items() if name.startswith("honest")}


def test_a_written_answer_waits_for_a_person_and_a_blank_one_does_not(new_course, tmp_path):
    course, released = new_course(tmp_path)
    blank = notebook(released, {"padding": "YOUR ANSWER HERE"})
    hand_in(tmp_path, [Submission("blank", blank, {}), Submission("written", notebook(released, {}), {})])
    grade(course, Sheet(SHEET))
    assert {student: row["padding"] for student, row in table(course).items()} == {"blank": "0.0", "written": ""}


def test_a_package_that_is_not_there_is_named(new_course, tmp_path):
    course, released = new_course(tmp_path)
    answer = notebook(released, {"readings": "import no_such_package\nreadings = no_such_package.readings"})
    hand_in(tmp_path, [Submission("imports", answer, {})])
    grade(course, Sheet(SHEET))
    assert marks(course, "imports")["notes"] == ["A cell asks for “no_such_package”, which is not installed here."]


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("return _counts(size", "return [1] + _counts(size", r"does not solve its own exercise readings"),
        ("reference=_readings", "reference=len", r"does not solve its own exercise readings"),
        ("cases=_rows", "cases=lambda rng: [(print, lambda: 1)]", r"the inputs of readings cannot be drawn and sent"),
        ("import Exercise", "import Exercises", r"reading\.py cannot be run"),
    ],
)
def test_checks_that_err_are_found_before_anybody_loses_a_mark(new_course, tmp_path, old, new, rule):
    course, _ = new_course(tmp_path / "course", 1)
    shutil.copytree(EXAMPLE, tmp_path / "graded")
    checks = tmp_path / "graded" / "reading.py"
    checks.write_text(checks.read_text().replace(old, new))
    for does in (release, grade):
        with pytest.raises(ValueError, match=rule):
            does(course, Sheet(tmp_path / "graded" / SHEET.name))
    assert not (course.root / "autograded").exists()
    assert course.released(Sheet(SHEET)).exists()


def test_a_sheet_that_was_handed_in_keeps_its_cells_and_points(new_course, tmp_path):
    course, _ = new_course(tmp_path / "course", 1)
    shutil.copytree(EXAMPLE, tmp_path / "graded")
    changed = tmp_path / "graded" / SHEET.name
    grade(course, Sheet(changed))
    changed.write_text(changed.read_text().replace('"points": 2', '"points": 3'))
    for does in (release, grade):
        with pytest.raises(ValueError, match="has other graded cells or points than when it was released"):
            does(course, Sheet(changed))
    assert course.released(Sheet(SHEET)).exists()
    release(course, Sheet(SHEET))  # the same cells: a better wording may go out


def test_odd_files_are_read_or_cost_nobody_else(new_course, tmp_path):
    course, released = new_course(tmp_path, 1)
    right = notebook(released, RIGHT)
    hand_in(tmp_path, [Submission(name, right, {}) for name in ("renamed", "byte-order", "old-time", "no-rights")])
    folder = {name: path.parent for name, path in course.submissions(Sheet(SHEET)).items()}
    (folder["renamed"] / SHEET.name).rename(folder["renamed"] / "Untitled (1).ipynb")
    (folder["renamed"] / "._Untitled (1).ipynb").write_bytes(b"not a notebook")
    (folder["byte-order"] / SHEET.name).write_bytes(b"\xef\xbb\xbf" + right)
    (folder["old-time"] / "timestamp.txt").write_text("1" * 10**6)
    (tmp_path / "submitted" / "folder-link").mkdir()
    (tmp_path / "submitted" / "folder-link" / SHEET.stem).symlink_to(folder["renamed"])
    start = time.process_time()
    assert grade(course, Sheet(SHEET)) == []
    assert time.process_time() - start < 60
    got = {name: float(row["total"]) for name, row in table(course).items()}
    assert got.pop("honest-00") == sum(honest(released, 1)[0].points.values())
    assert got == {"renamed": 5, "byte-order": 5, "old-time": 5, "no-rights": 5, "folder-link": 0}


def test_collecting_follows_no_links(tmp_path):
    inbound = tmp_path / "inbound"
    (inbound / "fine").mkdir(parents=True)
    (inbound / "fine" / "a.ipynb").write_text("{}")
    (inbound / "linked").symlink_to(EXAMPLE)
    (inbound / "with-link").mkdir()
    (inbound / "with-link" / "a.ipynb").symlink_to(SHEET)
    collect = Collect(coursedir=CourseDirectory(root=str(tmp_path)))
    for name in ("linked", "with-link", "missing", "fine"):
        collect.do_copy(str(inbound / name), str(tmp_path / "submitted" / name))
    assert [path.name for path in (tmp_path / "submitted").iterdir()] == ["fine"]


def test_every_sheet_of_the_book_can_be_given_out_and_graded(tmp_path, capsys):
    sheets = [Sheet(path) for path in sorted((ROOT / "exercises").glob("*.ipynb"))]
    course = Course(tmp_path)
    for sheet in sheets:
        assert command("assignment", sheet.name[:2], "--course", tmp_path) == 0
        assert str(course.released(sheet)) in capsys.readouterr().out
        released = nbformat.read(course.released(sheet), as_version=4)
        assert not re.search(r"SOLUTION|\]\(\.\./", str(released))
    hand_in(tmp_path, [Submission("blank", course.released(sheets[1]).read_bytes(), {})], sheets[1].path)
    assert command("grade", "2", "--course", tmp_path) == 0
    assert (tmp_path / "grades" / "02_sizes.csv").read_text().splitlines()[1].endswith(",0.0,16.0")


def test_a_link_is_not_followed(new_course, tmp_path):
    course, _ = new_course(tmp_path, [Submission("links", b"", {})])
    path = course.submissions(Sheet(SHEET))["links"]
    path.unlink()
    path.symlink_to(SHEET)
    grade(course, Sheet(SHEET))
    assert float(table(course)["links"]["total"]) == 0


def test_without_its_secret_a_course_is_not_graded(new_course, tmp_path, capsys):
    course, _ = new_course(tmp_path, 1)
    assert course.root.stat().st_mode & 0o77 == 0
    (tmp_path / "secret").unlink()
    assert command("grade", "01", "--sheets", EXAMPLE, "--course", tmp_path) == 1
    assert "secret is gone" in capsys.readouterr().err


def test_without_a_jail_nothing_is_run(new_course, tmp_path, monkeypatch, capsys):
    new_course(tmp_path, 1)
    words = ("grade", "01", "--sheets", EXAMPLE, "--course", tmp_path)
    with monkeypatch.context() as without_bwrap:
        without_bwrap.setenv("PATH", str(Path(sys.executable).parent))
        assert command(*words) == 1
        said = capsys.readouterr().err
        assert "apt-get install bubblewrap" in said
        assert "--trusted" in said
        assert not (tmp_path / "autograded").exists()
        assert command(*words, "--trusted") == 0
    assert (tmp_path / "grades" / "01_reading.csv").exists()


def test_a_jail_that_cannot_be_built_says_why(tmp_path, monkeypatch):
    bwrap = tmp_path / "bwrap"
    bwrap.write_text("#!/bin/sh\necho No permissions to create new namespace >&2\nexit 1\n")
    bwrap.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(jail.NoJail, match="No permissions to create new namespace"):
        jail.require()


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["assignment", ""], "a chapter is a number"),
        (["assignment", "99"], "one notebook 99_*.ipynb is needed"),
        (["grade", "02"], "was not released"),
        (["grade", "02", "--workers", "two"], "the address of a dask scheduler"),
    ],
)
def test_the_commands_say_what_is_missing(tmp_path, capsys, words, rule):
    assert command(*words, "--course", tmp_path) == 1
    assert rule in capsys.readouterr().err
