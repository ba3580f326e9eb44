"""From submissions to marks, a class at a time: what is done already is kept, and nobody stops anybody else."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import nbformat
from nbformat.v4 import new_output
from tqdm import tqdm

from instructor import jail, pages
from instructor.course import Course
from instructor.marking import Marks, marks, questions, unreadable
from instructor.sheets import LARGEST, Sheet, code_cells, handed_in, restored
from instructor.submission import Limits, Outcome, Question, run

MARKS = "marks.json"
UNREADABLE = f"There is no notebook of at most {LARGEST >> 20} MB that can be read."


class _Job(NamedTuple):
    """A submission that is to be run: the restored notebook of a student."""

    student: str
    digest: str
    notebook: Any


def grade(
    course: Course, sheet: Sheet, workers: str = "", trusted: bool = False, limits: Limits | None = None
) -> list[str]:
    """Mark every submission of a sheet that has no marks yet, then write gradebook, table, feedback and report.

    ``workers`` is how many submissions to run at a time, or the address of a dask cluster. Returns the students whose
    submission could not be marked for a reason that is not theirs: for them run it again.
    """
    if workers and not workers.isdigit() and "://" not in workers:
        raise ValueError(f"workers are a number or the address of a dask scheduler, tcp://…, and not {workers!r}")
    if not trusted:
        jail.require()
    if not course.released(sheet).exists():
        raise ValueError(f"{sheet.name} was not released in {course.root}: make the assignment first")
    submissions = course.submissions(sheet)
    if not submissions:
        raise ValueError(f"nothing was collected: there is no {course.root}/submitted/STUDENT/{sheet.name}")

    course.compare(sheet)
    asked = questions(sheet, course.rng)
    release = course.released(sheet).read_bytes()
    done: dict[str, Marks] = {}
    jobs: list[_Job] = []
    for student, path in submissions.items():
        content = handed_in(path)
        digest = sheet.digest(release, content)
        if (kept := _kept(course, sheet, student)) and kept.digest == digest:
            done[student] = kept
            continue
        try:
            jobs.append(_Job(student, digest, restored(content, nbformat.reads(release.decode(), as_version=4))))
        except Exception as error:  # whatever a broken file leads to
            why = str(error) if type(error) is ValueError else UNREADABLE
            done[student] = unreadable(digest, sheet.tasks, why)
            _keep(course, sheet, student, done[student], nbformat.v4.new_notebook())

    failed = []
    by_hand = {task.cell for task in sheet.tasks if not task.exercise}
    unanswered = {grade_id: source for grade_id, source in _code(json.loads(release)).items() if grade_id in by_hand}
    runs = _runs(jobs, asked, limits or Limits(), trusted, workers)
    for job, outcome in tqdm(runs, sheet.name, total=len(submissions), initial=len(done), unit="submission"):
        try:
            if isinstance(outcome, BaseException):
                raise outcome
            written = _code(job.notebook)
            blank = [cell for cell, source in unanswered.items() if written[cell] in ("", source)]
            made = marks(job.digest, sheet, asked, outcome, blank)
            _keep(course, sheet, job.student, made, job.notebook)
            done[job.student] = made
        except Exception as error:
            failed.append(job.student)
            tqdm.write(f"{job.student} was not marked: {error!r}")

    rows = []
    with course.gradebook(sheet) as write:
        for student, made in sorted(done.items()):
            try:
                rows.append(write(student, made))
                code = _code(json.loads((course.graded(sheet, student) / sheet.path.name).read_bytes()))
                course.write_feedback(sheet, student, pages.feedback(sheet, rows[-1], made, code))
            except Exception as error:
                failed.append(student)
                tqdm.write(f"{student} is not in the gradebook: {error!r}")
    course.write_csv(sheet, rows)
    course.report(sheet).write_text(pages.report(sheet, rows, done), encoding="utf-8")
    return failed


def _runs(
    jobs: list[_Job], asked: list[Question], limits: Limits, trusted: bool, workers: str
) -> Iterator[tuple[_Job, Outcome | BaseException]]:
    """The outcome of each job as it comes, or what went wrong with running it here."""
    if not workers:
        for job in jobs:
            try:
                yield job, run(code_cells(job.notebook), asked, limits, trusted)
            except Exception as error:
                yield job, error
        return
    from distributed import Client, LocalCluster, as_completed

    cluster: Any = workers
    if workers.isdigit():  # threads will do: all that a worker does itself is wait for the jail
        cluster = LocalCluster(n_workers=1, threads_per_worker=int(workers), processes=False, dashboard_address=None)
    with Client(cluster) as client:
        running = {
            client.submit(run, code_cells(job.notebook), asked, limits, trusted, pure=False): job for job in jobs
        }
        for future in as_completed(running):
            yield running[future], future.exception() or future.result()


def _kept(course: Course, sheet: Sheet, student: str) -> Marks | None:
    try:
        return Marks.loads((course.graded(sheet, student) / MARKS).read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(course: Course, sheet: Sheet, student: str, made: Marks, notebook: Any) -> None:
    """Write the marked notebook and then the marks, at once: what is there after a crash is whole."""
    results = {result.cell: result for result in made.results}
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _harmless(cell.source)
        result = results.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
        if result and cell.cell_type == "code" and result.points is not None:
            text = f"✗ {result.message}" if result.message else f"✓ {result.name} is right."
            cell.outputs = [new_output("stream", name="stdout", text=text)]
    course.write_notebook(sheet, student, notebook)
    file = course.graded(sheet, student) / MARKS
    unfinished = file.with_suffix(".part")
    unfinished.write_text(made.dumps(), encoding="utf-8")
    unfinished.replace(file)


def _code(notebook: Any) -> dict[str, str]:
    """What is written in each cell of a notebook that has nbgrader's id."""
    written = {}
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        written[grade_id] = html.unescape(source) if cell["cell_type"] == "markdown" else source
    return written


def _harmless(markdown: str) -> str:
    """A student's Markdown without HTML or scripts: the formgrader would run them in the instructor's session."""
    return re.sub(r"(?i)(javascript|vbscript|data)(?=\s*:)", r"\1 ", html.escape(markdown, quote=False))
