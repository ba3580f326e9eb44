"""The instructor's two commands: ``python -m instructor assignment 02`` and ``python -m instructor grade 02``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from instructor.course import Course
from instructor.exercise_sheet import Sheet
from instructor.grading import grade
from instructor.jail import NoJail
from instructor.release import release


def main(words: list[str] | None = None) -> int:
    """Do what the command line says; the exit status is 1 where something is left to do."""
    options = _options().parse_args(words)
    course = Course(options.course.expanduser().resolve())
    try:
        sheet = Sheet.find(options.sheets.expanduser().resolve(), options.chapter)
        if options.command == "assignment":
            print(f"Give out {release(course, sheet)}")
            return 0
        if options.trusted:
            print("NO JAIL: submissions run with your own rights.", file=sys.stderr)
        failed = grade(course, sheet, options.workers, options.trusted)
    except (ValueError, NoJail) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"The class: {course.report(sheet)}\nTable:     {course.table(sheet)}")
    if failed:
        print(f"Not marked, so run this again: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m instructor", description="Give out exercises and mark them.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (("assignment", "make the notebook for students"), ("grade", "mark what was collected")):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("chapter", help="the number that the notebook's name begins with, such as 02")
        command.add_argument("--course", type=Path, default=Path("course"), help="the course folder (default: course)")
        command.add_argument("--sheets", type=Path, default=Path("exercises"), help="the folder of the notebooks")
        if name == "grade":
            command.add_argument("--workers", default="", help="submissions at a time, or a dask cluster's address")
            command.add_argument(
                "--trusted", action="store_true", help="no jail: students' code can do all that you can"
            )
    return parser


if __name__ == "__main__":
    sys.exit(main())
