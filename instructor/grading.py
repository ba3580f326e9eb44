"""From submissions to marks, gradebook, pages and table: a class in one go, where nobody stops anybody else."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import nbformat
from tqdm import tqdm

from instructor import handed_in, jail, pages, records
from instructor.course import Course
from instructor.exercise_sheet import Sheet
from instructor.gradebook import writing_marks
from instructor.marking import Marks, marks, questions, unreadable
from instructor.release import require_as_released
from instructor.runs import Job, check_workers, run_all
from instructor.submission import Limits, Outcome, Question
from instructor.table import write_table

UNREADABLE = f"There is no notebook of at most {handed_in.LARGEST >> 20} MB that can be read."


def grade(
    course: Course, sheet: Sheet, workers: str = "", trusted: bool = False, limits: Limits | None = None
) -> list[str]:
    """Mark every submission of a sheet that has no marks yet, then write gradebook, table, feedback and report.

    ``workers`` is how many submissions to run at a time, or the address of a dask cluster. Returns the students whose
    submission could not be marked for a reason that is not theirs: for them run it again.
    """
    check_workers(workers)
    if not trusted:
        jail.require()
    submissions = _collected(course, sheet)
    require_as_released(course, sheet)
    asked = questions(sheet, course.rng)
    done, jobs = _prepared(course, sheet, submissions)
    runs = run_all(jobs, asked, limits or Limits(), trusted, workers)
    shown = tqdm(runs, sheet.name, total=len(submissions), initial=len(done), unit="submission")
    made, unmarked = _marked(course, sheet, asked, shown)
    return [*unmarked, *_published(course, sheet, done | made)]


def _collected(course: Course, sheet: Sheet) -> dict[str, Path]:
    """What was handed in, by student; ``ValueError`` where there is nothing to grade."""
    if not course.released(sheet).exists():
        raise ValueError(f"{sheet.name} was not released in {course.root}: make the assignment first")
    submissions = course.submissions(sheet)
    if not submissions:
        raise ValueError(f"nothing was collected: there is no {course.root}/submitted/STUDENT/{sheet.name}")
    return submissions


def _prepared(course: Course, sheet: Sheet, submissions: dict[str, Path]) -> tuple[dict[str, Marks], list[Job]]:
    """The marks of those who need no run, because they have one already or cannot be read, and jobs for the others."""
    release = course.released(sheet).read_bytes()
    done: dict[str, Marks] = {}
    jobs: list[Job] = []
    for student, path in submissions.items():
        content = handed_in.read(path)
        digest = sheet.digest(release, content)
        if (kept := records.kept_marks(course, sheet, student)) and kept.digest == digest:
            done[student] = kept
            continue
        try:
            notebook = handed_in.restored(content, nbformat.reads(release.decode(), as_version=4))
            jobs.append(Job(student, digest, notebook))
        except Exception as error:  # whatever a broken file leads to
            why = str(error) if type(error) is ValueError else UNREADABLE
            done[student] = unreadable(digest, sheet.tasks, why)
            records.keep(course, sheet, student, done[student], nbformat.v4.new_notebook())
    return done, jobs


def _marked(
    course: Course, sheet: Sheet, asked: list[Question], runs: Iterable[tuple[Job, Outcome | BaseException]]
) -> tuple[dict[str, Marks], list[str]]:
    """The marks of those whose run came to an end, kept in their folders, and the students of the others."""
    given = handed_in.written(json.loads(course.released(sheet).read_bytes()))
    by_hand = {task.cell: given[task.cell] for task in sheet.tasks if not task.exercise and task.cell in given}
    done: dict[str, Marks] = {}
    failed = []
    for job, outcome in runs:
        try:
            if isinstance(outcome, BaseException):
                raise outcome
            written = handed_in.written(job.notebook)
            blank = [cell for cell, source in by_hand.items() if written[cell] in ("", source)]
            made = marks(job.digest, sheet, asked, outcome, blank)
            records.keep(course, sheet, job.student, made, job.notebook)
            done[job.student] = made
        except Exception as error:
            failed.append(job.student)
            tqdm.write(f"{job.student} was not marked: {error!r}")
    return done, failed


def _published(course: Course, sheet: Sheet, done: dict[str, Marks]) -> list[str]:
    """Write gradebook, feedback, table and report; the students who could not be put into the gradebook."""
    rows, failed = [], []
    with writing_marks(course, sheet) as write:
        for student, made in sorted(done.items()):
            try:
                rows.append(write(student, made))
                page = pages.feedback(sheet, rows[-1], made, records.kept_cells(course, sheet, student))
                records.write_feedback(course, sheet, student, page)
            except Exception as error:
                failed.append(student)
                tqdm.write(f"{student} is not in the gradebook: {error!r}")
    write_table(course, sheet, rows)
    course.report(sheet).write_text(pages.report(sheet, rows, done), encoding="utf-8")
    return failed
