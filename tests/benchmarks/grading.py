"""Grade a whole class with hostile students in it, killed half-way; then time an honest one against plain nbgrader.

Run it on an idle machine: ``python tests/benchmarks/grading.py``. It takes about a quarter of an hour; a name, such as
``scale``, runs one part.
"""

import csv
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import nbformat
import numpy as np

ROOT = Path(__file__).parent.parent.parent
sys.path += [str(ROOT), str(ROOT / "tests" / "instructor")]

from classroom import EXAMPLE, POINTS, SHEET, Submission, hand_in, honest, hostile, notebook  # noqa: E402

from instructor.course import Course  # noqa: E402
from instructor.exercise_sheet import Sheet  # noqa: E402
from instructor.release import release  # noqa: E402

BIN = Path(sys.executable).parent
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
HERE = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}


def totals(path, student, total):
    """The column ``total`` of a table, by ``student``."""
    with path.open(encoding="utf-8-sig") as file:
        return {row[student]: float(row[total]) for row in csv.DictReader(file)}


def grading(course, sheets, chapter, *more):
    """The command that grades a course."""
    return [sys.executable, "-m", "instructor", "grade", chapter, "--sheets", sheets, "--course", course, *more]


def hostile_class(folder):
    """Every mark right, none taken from anybody, and a run that is killed half-way goes on."""
    sheet, course = Sheet(SHEET), Course(folder)
    released = nbformat.read(release(course, sheet), as_version=4)
    submissions = honest(released, 12) + hostile(released)
    hand_in(folder, submissions)
    start = time.perf_counter()
    with subprocess.Popen(grading(folder, EXAMPLE, "01"), cwd=ROOT, stderr=subprocess.DEVNULL) as first:
        while len(list(folder.glob("autograded/*/*/marks.json"))) < len(submissions) // 2:
            time.sleep(0.05)
        first.kill()
    subprocess.run(grading(folder, EXAMPLE, "01"), cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    took = time.perf_counter() - start
    with (folder / "grades" / f"{sheet.name}.csv").open(encoding="utf-8-sig") as file:
        rows = {row["student"]: {name: float(row[name]) for name in POINTS} for row in csv.DictReader(file)}
    wrong = [it.student for it in submissions if rows.get(it.student) != it.points]
    print(f"{len(submissions)} submissions, killed once: {took:.0f} s, wrong marks: {wrong or 'none'}")
    return not wrong


def practice_class(released, count):
    """Honest submissions to a sheet of the book: its own solutions, wrong answers and blanks."""
    rng = np.random.default_rng(3)
    master = nbformat.read(ROOT / "exercises" / "02_sizes.ipynb", as_version=4)
    solutions = {
        cell.metadata.nbgrader.grade_id: re.sub(r" *### (BEGIN|END) SOLUTION\n?", "", cell.source)
        for cell in master.cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }
    for number in range(count):
        answers = {}
        for name, source in solutions.items():
            kind = rng.choice(["right", "wrong", "blank"], p=[0.7, 0.2, 0.1])
            if kind == "right":
                answers[name] = source
            elif kind == "wrong":
                answers[name] = f"def {name}(*numbers):\n    return 1" if "def " in source else f"{name} = 1"
        yield Submission(f"student-{number:02d}", notebook(released, answers), {})


def throughput(folder, count=60):
    """Seconds for the same submissions: plain nbgrader in one batch, ours one after the other, ours two at a time."""
    path = ROOT / "exercises" / "02_sizes.ipynb"
    plain = folder / "plain"
    (plain / "source" / path.stem).mkdir(parents=True)
    shutil.copy(path, plain / "source" / path.stem)
    how = {"cwd": plain, "env": HERE, "check": True, "capture_output": True}
    subprocess.run([BIN / "nbgrader", "generate_assignment", path.stem], **how)
    released = nbformat.read(plain / "release" / path.stem / path.name, as_version=4)
    submissions = list(practice_class(released, count))
    seconds, found = {}, {}

    hand_in(plain, submissions, path)
    start = time.perf_counter()
    subprocess.run([BIN / "nbgrader", "autograde", path.stem], **how)
    seconds["plain nbgrader"] = time.perf_counter() - start
    subprocess.run([BIN / "nbgrader", "export"], **how)
    found["plain nbgrader"] = totals(plain / "grades.csv", "student_id", "score")

    for name, more in (("one at a time", ()), ("two at a time", ("--workers", "2"))):
        course = Course(folder / name)
        release(course, Sheet(path))
        hand_in(course.root, submissions, path)
        start = time.perf_counter()
        command = grading(course.root, ROOT / "exercises", "02", *more)
        subprocess.run(command, cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
        seconds[name] = time.perf_counter() - start
        found[name] = totals(course.root / "grades" / f"{path.stem}.csv", "student", "total")
    for name, took in seconds.items():
        ratio = seconds["plain nbgrader"] / took
        print(f"{name}: {took:.1f} s for {count} submissions, {sum(found[name].values()):g} points, {ratio:.1f} ×")
    same = all(points == found["plain nbgrader"] for points in found.values())
    print("totals equal for everybody" if same else "TOTALS DIFFER")
    return same


@contextmanager
def cluster():
    """A dask cluster of two processes on two other addresses of this machine; its scheduler's address."""
    address = "tcp://127.0.0.2:8790"
    cli = [sys.executable, "-m", "distributed.cli"]
    quiet = {"cwd": ROOT, "stderr": subprocess.DEVNULL}
    scheduler = ["127.0.0.2", "--port", "8790", "--no-dashboard"]
    with subprocess.Popen([*cli[:2], f"{cli[2]}.dask_scheduler", "--host", *scheduler], **quiet) as first:
        worker = [address, "--host", "127.0.0.3", "--nthreads", "2", "--no-dashboard"]
        with subprocess.Popen([*cli[:2], f"{cli[2]}.dask_worker", *worker], **quiet) as second:
            yield address
            second.terminate()
        first.terminate()


def scale(folder, count=300):
    """Seconds and memory for a large class: one at a time, two at a time, and on a cluster."""
    path = ROOT / "exercises" / "02_sizes.ipynb"
    sheet, found = Sheet(path), {}
    with cluster() as address:
        for name, more in (("one", ()), ("two", ("--workers", "2")), ("a cluster of two", ("--workers", address))):
            course = Course(folder / name)
            released = nbformat.read(release(course, sheet), as_version=4)
            hand_in(course.root, practice_class(released, count), path)
            start = time.perf_counter()
            with subprocess.Popen(grading(course.root, ROOT / "exercises", "02", *more), cwd=ROOT, **QUIET) as ours:
                _, status, used = os.wait4(ours.pid, 0)
                ours.returncode = os.waitstatus_to_exitcode(status)
            took = time.perf_counter() - start
            found[name] = totals(course.table(sheet), "student", "total")
            megabytes = used.ru_maxrss / 1024
            print(f"{count} submissions, {name} at a time: {took:.0f} s, the grader's memory {megabytes:.0f} MB")
    same = len(found["one"]) == count and all(points == found["one"] for points in found.values())
    print("totals equal for everybody" if same else "TOTALS DIFFER")
    return same


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        tried = (throughput, hostile_class, scale)
        fine = [one(Path(place) / one.__name__) for one in tried if len(sys.argv) == 1 or one.__name__ in sys.argv]
    sys.exit(not all(fine))
