"""A course folder as nbgrader lays it out: source, release, submitted, autograded, feedback, and the gradebook."""

from __future__ import annotations

import csv
import os
import re
import secrets
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import parse_utc
from numpy.random import Generator, default_rng
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from instructor.marking import Marks, questions
from instructor.sheets import Sheet, handed_in
from utils.checks.calls import BLANK

# nbgrader starts the alembic beside this Python by its bare name.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

SETTINGS = "nbgrader_config.py"
_SETTINGS = f'''\
"""nbgrader's settings for this course; its own commands and its formgrader read them, too."""

from pathlib import Path

from instructor.collect import Collect

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "convnet"
c.CourseDirectory.root = str(Path(__file__).parent)
c.ClearSolutions.code_stub = {{"python": {BLANK!r}}}
# Names of files from a learning platform, for zip_collect: the student's, _, anything, and the notebook's at the end.
c.FileNameCollectorPlugin.named_regexp = (
    r"(?:.*/)?(?P<student_id>[^/_.][^/_]*(?:_\\d+)?)_(?:[^/]*[_/])?(?P<file_id>\\d+_\\w+)(?:-\\d+)?\\.ipynb"
)
c.ExchangeFactory.collect = Collect  # which follows no links
# nbgrader's own autograding would run students' code with your rights. Marks come from `make grade`.
c.ExecutePreprocessor.kernel_name = "graded-by-make-grade"
'''


@dataclass(frozen=True)
class Row:
    """A student's line: the points for each cell, None where nobody has marked it yet, and comments by hand."""

    student: str
    points: dict[str, float | None]
    comments: dict[str, str]


@dataclass(frozen=True)
class Course:
    """The folder of one class."""

    root: Path

    def prepare(self) -> None:
        """Make the folder, its settings and its secret, where they are not there."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)  # solutions, marks and the secret lie in it
        if not (settings := self.root / SETTINGS).exists():
            settings.write_text(_SETTINGS, encoding="utf-8")
        if not (secret := self.root / "secret").exists():
            with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(32))

    def config(self) -> Config:
        """The settings of nbgrader in this folder."""
        return PyFileConfigLoader(SETTINGS, path=str(self.root)).load_config()

    def release(self, sheet: Sheet) -> Path:
        """Make the notebook that students get. ``ValueError`` for a sheet that cannot be marked."""
        self.prepare()
        questions(sheet, self.rng)
        with self._book() as book:
            handed_in_before = sheet.name in [one.name for one in book.assignments if one.submissions]
        if handed_in_before:
            self.compare(sheet)
        source = self.root / "source" / sheet.name / sheet.path.name
        source.parent.mkdir(parents=True, exist_ok=True)
        notebook = nbformat.read(sheet.path, as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":  # links within the book lead nowhere from a student's folder
                cell.source = re.sub(r"\[([^\]]+)\]\(\.\./[^)]*\)", r"\1", cell.source)
        nbformat.write(notebook, source)
        config = self.config()
        result = NbGraderAPI(CourseDirectory(config=config), config=config).generate_assignment(sheet.name)
        if not result["success"]:
            raise ValueError(
                f"nbgrader made no assignment of {sheet.path}:\n{result.get('log') or result.get('error')}"
            )
        return self.released(sheet)

    def compare(self, sheet: Sheet) -> None:
        """Raise ``ValueError`` unless the sheet has the graded cells and points with which it was released."""
        with self._book() as book:
            cells = book.find_notebook(sheet.name, sheet.name).grade_cells
            released = {cell.name: cell.max_score for cell in cells}
        if released != {task.cell: task.points for task in sheet.tasks}:
            raise ValueError(
                f"{sheet.path} has other graded cells or points than when it was released. Before anything was marked, "
                "make the assignment again; later, take the changes back, or give the new sheet another name"
            )

    def released(self, sheet: Sheet) -> Path:
        """Where the notebook is that students got."""
        return self.root / "release" / sheet.name / sheet.path.name

    @property
    def submitted(self) -> Path:
        """The folder of what was handed in, without links in its path."""
        return self.root.resolve() / "submitted"

    def submissions(self, sheet: Sheet) -> dict[str, Path]:
        """What was handed in, by student: the notebook, or the only one there is if it has another name."""
        found = {}
        for folder in sorted(self.submitted.glob(f"*/{sheet.name}")):
            notebooks = sorted(folder.glob("[!.]*.ipynb"))
            named = folder / sheet.path.name
            found[folder.parent.name] = notebooks[0] if len(notebooks) == 1 else named
        return found

    def rng(self, name: str) -> Generator:
        """What draws the hidden inputs of an exercise: the same ones for everybody, known to nobody."""
        try:
            secret = (self.root / "secret").read_text(encoding="utf-8")
        except FileNotFoundError:
            raise ValueError(f"{self.root}/secret is gone. Restore it: from it the hidden inputs are drawn") from None
        return default_rng(int.from_bytes(sha256(f"{secret} {name}".encode()).digest(), "big"))

    def graded(self, sheet: Sheet, student: str) -> Path:
        """The folder of what was made of a submission."""
        return self.root / "autograded" / student / sheet.name

    def feedback(self, sheet: Sheet, student: str) -> Path:
        """Where a student's feedback page goes; nbgrader's exchange hands it back from there."""
        return self.root / "feedback" / student / sheet.name / f"{sheet.name}.html"

    def report(self, sheet: Sheet) -> Path:
        """Where the page on the whole class goes."""
        return self.root / "grades" / f"{sheet.name}.html"

    @contextmanager
    def gradebook(self, sheet: Sheet) -> Iterator[Callable[[str, Marks], Row]]:
        """What puts a student's marks for a sheet into nbgrader's gradebook, and returns what stands there then."""
        with self._book() as book:
            book.db.expire_on_commit = False  # nobody else writes meanwhile: what was read stays true
            notebook = book.find_notebook(sheet.name, sheet.name)
            names = {cell.id: cell.name for cell in (*notebook.grade_cells, *notebook.solution_cells)}

            def write(student: str, marks: Marks) -> Row:
                try:
                    return self._write(book, names, sheet, student, marks)
                except Exception:
                    book.db.rollback()
                    raise

            yield write

    def _book(self) -> closing[Gradebook]:
        return closing(Gradebook(CourseDirectory(config=self.config()).db_url))

    def _write(self, book: Gradebook, names: dict[str, str], sheet: Sheet, student: str, marks: Marks) -> Row:
        with book.db.no_autoflush:
            book.update_or_create_student(student)
            (notebook,) = book.update_or_create_submission(sheet.name, student, **self._stamp(sheet, student)).notebooks
        results = {result.cell: result for result in marks.results}
        for grade in notebook.grades:
            points = results[names[grade.cell_id]].points
            if points is None:
                grade.needs_manual_grade = grade.manual_score is None
            else:
                # Whoever overruled a mark by hand is asked again once there is another mark to overrule.
                grade.needs_manual_grade = grade.manual_score is not None and grade.auto_score != points
                grade.auto_score = points
        hints = {result.name: result.message for result in marks.results}
        for comment in notebook.comments:
            comment.auto_comment = hints.get(names[comment.cell_id]) or None
        book.db.commit()
        return Row(
            student,
            {names[grade.cell_id]: _points(grade) for grade in notebook.grades},
            {names[comment.cell_id]: comment.manual_comment or "" for comment in notebook.comments},
        )

    def _stamp(self, sheet: Sheet, student: str) -> dict[str, str]:
        """When it was handed in, for the gradebook; nothing where the file that says so makes no sense."""
        file = self.submitted / student / sheet.name / "timestamp.txt"
        text = handed_in(file, largest=100).decode(errors="replace")
        try:
            parse_utc(text.strip())
        except Exception:  # it may say anything
            return {}
        return {"timestamp": text.strip()}

    def write_feedback(self, sheet: Sheet, student: str, page: str) -> None:
        """Write a student's page, and beside it what nbgrader's exchange needs to hand it back."""
        path = self.feedback(sheet, student)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
        # What came in another way has no such files: a time that says so, and a secret that nobody guesses.
        instead = {"timestamp.txt": "unknown", "submission_secret.txt": secrets.token_hex(16)}
        for name, text in instead.items():
            content = handed_in(self.submitted / student / sheet.name / name, largest=100)
            (path.parent / name).write_bytes(content or text.encode())

    def write_csv(self, sheet: Sheet, rows: Iterable[Row]) -> Path:
        """The class as a table: a line for each student, a column for each exercise, and totals."""
        path = self.root / "grades" / f"{sheet.name}.csv"
        path.parent.mkdir(exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(["student", *(task.name for task in sheet.tasks), "total", "of"])
            of = sum(task.points for task in sheet.tasks)
            for row in rows:
                points = [row.points[task.cell] for task in sheet.tasks]
                total = sum(point for point in points if point is not None)
                table.writerow([row.student, *("" if point is None else point for point in points), total, of])
        return path

    def write_notebook(self, sheet: Sheet, student: str, notebook: Any) -> None:
        """Keep the marked notebook where nbgrader's formgrader looks for it."""
        path = self.graded(sheet, student) / sheet.path.name
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)


def _points(grade: Any) -> float | None:
    """What a grade is worth as nbgrader counts it; None where neither we nor a person has marked it."""
    marked = grade.auto_score if grade.manual_score is None else grade.manual_score
    return None if marked is None else float(marked + (grade.extra_credit or 0))
