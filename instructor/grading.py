"""From submissions to marks: one submission after the other, where nobody stops anybody else."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial
from hashlib import sha256

import nbformat
from tqdm import tqdm

from instructor import jail, records
from instructor.course import Course
from instructor.exercise_sheet import Sheet
from instructor.handed_in import Unreadable, put_in_order, read_notebook
from instructor.marking import draw, marks, require_solvable, unreadable
from instructor.own_numbers import handed_out, right_for_others
from instructor.publishing import publish
from instructor.release import require_as_released
from instructor.runs import Job, check_workers, run_all
from instructor.submission import Limits


def grade(
    course: Course,
    sheet: Sheet,
    workers: str = "",
    trusted: bool = False,
    limits: Limits | None = None,
    students: Collection[str] = (),
    force: bool = False,
) -> list[str]:
    """Mark every submission of a sheet that has no marks yet, then write gradebook, table, feedback and report.

    ``workers`` is how many submissions to run at a time, or the address of a dask cluster. ``students`` are the only
    ones to mark, if any are named; ``force`` marks also what has its marks. Returns the students whose submission could
    not be marked for a reason that is not theirs: for them run it again.
    """
    check_workers(workers)
    if not trusted:
        jail.require_unseen(course.root, sheet.path.parent)
        jail.require()
    limits = limits or course.settings.sheet(sheet.name).limits
    digests = collected(course, sheet)
    require_as_released(course, sheet)
    require_solvable(sheet, partial(course.inputs, "of the sheet itself"), limits)
    numbers = handed_out(course, sheet)
    due = to_mark(course, sheet, digests, students, force)
    failed = course.misplaced()
    jobs = _jobs(course, sheet, {student: digests[student] for student in due}, failed)
    shown = tqdm(run_all(jobs, limits, trusted, workers), sheet.name, total=len(due), unit="submission")
    for job, outcome in shown:
        try:
            if isinstance(outcome, BaseException):
                raise outcome
            theirs = numbers.get(job.student, {})
            made = marks(job.digest, sheet.with_numbers(theirs), job.asked, outcome, job.handed_in)
            made.private.extend(right_for_others(sheet, numbers, theirs, made.results, outcome))
            records.keep(course, sheet, job.student, made, job.handed_in.notebook)
        except Exception as error:
            failed[job.student] = repr(error)
    return publish(course, sheet, digests, failed)


def collected(course: Course, sheet: Sheet) -> dict[str, str]:
    """A digest of all that a student's marks depend on, for each; ``ValueError`` where there is nothing to grade."""
    released = course.released(sheet)
    if not released.exists():
        raise ValueError(f"{sheet.name} was not released in {course.root}: make the assignment first")
    submissions = course.submissions(sheet)
    if not submissions:
        there = "".join(f"\n{name}: {why}" for name, why in course.misplaced().items())
        raise ValueError(f"nothing was collected: there is no {course.root}/submitted/STUDENT/{sheet.name}{there}")
    digests = {}
    for student, path in submissions.items():
        try:
            content = read_notebook(path)
        except Unreadable as why:
            content = str(why).encode()
        digests[student] = sheet.digest(course.given(sheet, student).read_bytes(), content)
    return digests


def to_mark(
    course: Course, sheet: Sheet, digests: dict[str, str], students: Collection[str] = (), force: bool = False
) -> list[str]:
    """Those of the students, all if none are named, whose marks are not those of what is there now."""
    if unknown := sorted(set(students) - set(digests)):
        raise ValueError(f"there is no submission of {', '.join(unknown)} in {course.submitted}")
    return [
        student
        for student, digest in digests.items()
        if (not students or student in students)
        and (force or (kept := records.kept_marks(course, sheet, student)) is None or kept.digest != digest)
    ]


def _jobs(course: Course, sheet: Sheet, due: dict[str, str], failed: dict[str, str]) -> Iterator[Job]:
    """What is to be run for each student, one at a time; what cannot be read has its marks at once."""
    submissions = course.submissions(sheet)
    for student, digest in due.items():
        try:
            content = read_notebook(submissions[student])
            handed_in = put_in_order(content, nbformat.read(course.given(sheet, student), as_version=4))
            # Drawn afresh for each version that is handed in: feedback on one says nothing about the next.
            version = sha256(content).hexdigest()
            yield Job(student, digest, handed_in, draw(sheet, partial(course.inputs, version)))
        except Unreadable as why:
            made = unreadable(digest, sheet.tasks, str(why))
            records.keep(course, sheet, student, made, nbformat.v4.new_notebook())
        except Exception as error:
            failed[student] = repr(error)
