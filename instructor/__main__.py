"""The instructor's commands: ``python -m instructor roster``, ``assignment``, ``collect``, ``grade``, and so on."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from instructor import placing, returning, roster
from instructor.course import Course
from instructor.exercise_sheet import Sheet
from instructor.grading import collected, grade, to_mark
from instructor.jail import NoJail
from instructor.own_numbers import handed_out
from instructor.platforms import Export
from instructor.release import release


def main(words: list[str] | None = None) -> int:
    """Do what the command line says; the exit status is 1 where something is left to do."""
    for stream in (sys.stdout, sys.stderr):  # a name may have letters that the terminal does not know
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    options = _options().parse_args(words)
    course = Course(options.course.expanduser().resolve())
    try:
        return _COMMANDS[options.command][1](course, options)
    except (ValueError, NoJail) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. What is done is kept: type the same again to go on.", file=sys.stderr)
        return 130


def _sheet(options: argparse.Namespace) -> Sheet:
    return Sheet.find(options.sheets.expanduser().resolve(), options.chapter)


def _roster(course: Course, options: argparse.Namespace) -> int:
    course.prepare()
    before = roster.Roster.of(course.root) or roster.Roster()
    made, gone = Export.read(options.source.expanduser()).roster(before)
    path = course.root / roster.FILE
    made.write(path)
    print(f"{len(made)} students, {len(made) - len(before)} of them new: {path}")
    if gone:
        print(f"Not in {options.source.name}, and kept: {', '.join(gone)}")
    return 0


def _assignment(course: Course, options: argparse.Namespace) -> int:
    sheet = _sheet(options)
    print(f"Give out {release(course, sheet)}")
    if own := handed_out(course, sheet):
        print(f"but to {len(own)} students their own, with numbers of their own: {course.handouts(sheet)}.zip")
    return 0


def _collect(course: Course, options: argparse.Namespace) -> int:
    worksheet = options.worksheet.expanduser() if options.worksheet else None
    report = placing.collect(course, _sheet(options), options.source.expanduser(), worksheet)
    print("\n".join(placing.lines(report)))
    for text in report.left:
        print(f"NOT PLACED: {text}", file=sys.stderr)
    return 1 if report.left else 0


def _grade(course: Course, options: argparse.Namespace) -> int:
    sheet = _sheet(options)
    roster.Roster.of(course.root)  # one that cannot be used is to be known before anything is run
    students = [options.student] if options.student else []
    if options.dry:
        due = to_mark(course, sheet, collected(course, sheet), students, options.force)
        print(f"{len(due)} to be marked: {', '.join(due)}" if due else "Nothing is to be marked.")
        return 0
    if options.trusted:
        print("NO JAIL: submissions run with your own rights.", file=sys.stderr)
    failed = grade(course, sheet, options.workers, options.trusted, students=students, force=options.force)
    if failed:
        print(f"Not marked, so run this again: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _export(course: Course, options: argparse.Namespace) -> int:
    print("\n".join(returning.give_back(course, _sheet(options), options.source.expanduser())))
    return 0


def _exam(course: Course, options: argparse.Namespace) -> int:
    from instructor import exam  # only here: it needs torch, whose import takes seconds

    folder = exam.make(course, " ".join(options.questions).replace(",", " ").split())
    print(f"Print {folder / exam.PRINT}: a paper for each student. Its answers: {folder / exam.KEYS}")
    return 0


_COMMANDS: dict[str, tuple[str, Callable[[Course, argparse.Namespace], int]]] = {
    "roster": ("make students.csv of Canvas's gradebook export or Moodle's grading worksheet", _roster),
    "assignment": ("make the notebook for students", _assignment),
    "collect": ("put what a platform has collected where it is marked", _collect),
    "grade": ("mark what was collected", _grade),
    "export": ("fill the marks into Canvas's or Moodle's table, and pack the feedback", _export),
    "exam": ("make a printable exam with numbers of their own for every student, and its answers", _exam),
}


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m instructor", description="Give out exercises and mark them.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (text, _) in _COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--course", type=Path, default=Path("course"), help="the course folder (default: course)")
        if name == "exam":
            command.add_argument("questions", nargs="+", help="as the book's exam questions are numbered, such as 1.1")
        elif name != "roster":
            command.add_argument("chapter", help="the number that the notebook's name begins with, such as 02")
            command.add_argument("--sheets", type=Path, default=Path("exercises"), help="the folder of the notebooks")
        if name in ("roster", "collect", "export"):
            command.add_argument("--from", dest="source", type=Path, required=True, help="the platform's file")
        if name == "collect":
            command.add_argument("--worksheet", type=Path, help="Moodle's grading worksheet, if two have one name")
        if name == "grade":
            command.add_argument("--workers", default="", help="submissions at a time, or a dask cluster's address")
            command.add_argument("--student", default="", help="mark this student only")
            command.add_argument("--force", action="store_true", help="mark also what has its marks")
            command.add_argument("--dry", action="store_true", help="only say who would be marked")
            command.add_argument(
                "--trusted", action="store_true", help="no jail: students' code can do all that you can"
            )
    return parser


if __name__ == "__main__":
    sys.exit(main())
