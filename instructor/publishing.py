"""From marks to gradebook, feedback, table and the page on the class, for all who have marks."""

from __future__ import annotations

from tqdm import tqdm

from instructor import pages, records
from instructor.course import Course
from instructor.exercise_sheet import Sheet
from instructor.gradebook import writing_marks
from instructor.table import write_table


def publish(course: Course, sheet: Sheet, digests: dict[str, str], failed: dict[str, str]) -> list[str]:
    """Write gradebook, feedback, table and report; the students for whom something has failed, here or before.

    ``digests`` are of what is there now, for each who handed in: marks that were made from something else do not count.
    """
    rows, made, failed = [], {}, dict(failed)
    with writing_marks(course, sheet) as write:
        for student, digest in sorted(digests.items()):
            marks = records.kept_marks(course, sheet, student)
            if student in failed or marks is None or marks.digest != digest:
                continue
            try:
                row = write(student, marks)
                records.write_feedback(course, sheet, student, pages.feedback(sheet, row, marks))
                rows.append(row)
                made[student] = marks
            except Exception as error:
                failed[student] = repr(error)
    for student, why in failed.items():
        tqdm.write(f"{student} was not marked: {why}")
    write_table(course, sheet, rows)
    course.report(sheet).write_text(pages.report(sheet, rows, made), encoding="utf-8")
    return sorted(failed)
