"""A course folder as nbgrader lays it out: its settings, its secret, and where everything of a class lies."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from numpy.random import Generator, default_rng
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from instructor import naming, settings
from instructor.exercise_sheet import Sheet
from utils.checks.calls import BLANK

CLONE = str(Path(__file__).resolve().parents[1])
SETTINGS = "nbgrader_config.py"
_SETTINGS = f'''\
"""nbgrader's settings for this course; its own commands and its formgrader read them, too."""

import sys
from pathlib import Path

sys.path.append({CLONE!r})
try:
    from instructor.collect import Collect
except ImportError:  # nbgrader would go on without these settings, and run students' code with your rights
    raise SystemExit("the clone of the book is not where it was: correct its place in {SETTINGS}") from None

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "convnet"
c.CourseDirectory.root = str(Path(__file__).parent)
c.ClearSolutions.code_stub = {{"python": {BLANK!r}}}
c.ExchangeFactory.collect = Collect  # which follows no links
# nbgrader's own autograding would run students' code with your rights. Marks come from `make grade`.
c.ExecutePreprocessor.kernel_name = "graded-by-make-grade"
'''


@dataclass(frozen=True)
class Course:
    """The folder of one class."""

    root: Path

    def prepare(self) -> None:
        """Make the folder, its settings and its secret, where they are not there."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)  # solutions, marks and the secret lie in it
        for name, text in ((SETTINGS, _SETTINGS), (settings.FILE, settings.TEMPLATE)):
            if not (self.root / name).exists():
                (self.root / name).write_text(text, encoding="utf-8")
        if not (secret := self.root / "secret").exists():
            with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(32))

    @property
    def settings(self) -> settings.Settings:
        """What the lecturer has set. ``ValueError`` for what is no setting."""
        return settings.Settings.of(self.root)

    def config(self) -> Config:
        """The settings of nbgrader in this folder."""
        return PyFileConfigLoader(SETTINGS, path=str(self.root)).load_config()

    def inputs(self, version: str, exercise: str) -> Generator:
        """What draws the hidden inputs of an exercise for a version that was handed in: known to nobody."""
        try:
            secret = (self.root / "secret").read_text(encoding="utf-8")
        except FileNotFoundError:
            raise ValueError(f"{self.root}/secret is gone. Restore it: from it the hidden inputs are drawn") from None
        return default_rng(int.from_bytes(sha256(f"{secret} {exercise} {version}".encode()).digest(), "big"))

    def source(self, sheet: Sheet) -> Path:
        """Where nbgrader looks for the notebook that it makes the students' from."""
        return self.root / "source" / sheet.name / sheet.path.name

    def released(self, sheet: Sheet) -> Path:
        """Where the notebook is that students got."""
        return self.root / "release" / sheet.name / sheet.path.name

    def handouts(self, sheet: Sheet) -> Path:
        """The folder of the notebooks with numbers of their own, by student."""
        return self.root / "handouts" / sheet.name

    def handout(self, sheet: Sheet, student: str) -> Path:
        """Where the notebook with a student's own numbers is, if they have got one."""
        return self.handouts(sheet) / student / sheet.path.name

    def given(self, sheet: Sheet, student: str) -> Path:
        """Where the notebook is that this student got."""
        own = self.handout(sheet, student)
        return own if self.settings.own_numbers and own.exists() else self.released(sheet)

    @property
    def submitted(self) -> Path:
        """The folder of what was handed in. It may be a link of the instructor's; in it none is followed."""
        return (self.root / "submitted").resolve()

    def submissions(self, sheet: Sheet) -> dict[str, Path]:
        """What was handed in, by student: the notebook, or the only one there is if it has another name."""
        found = {}
        for folder in sorted(self.submitted.glob(f"*/{sheet.name}")):
            if _is_text(folder.parent.name):
                notebooks = [path for path in _entries(folder) if naming.stem(path.name)]
                found[folder.parent.name] = notebooks[0] if len(notebooks) == 1 else folder / sheet.path.name
        return found

    def misplaced(self) -> dict[str, str]:
        """What lies in ``submitted`` and is not graded where it lies, with the reason."""
        found = {}
        released = {path.name for path in _entries(self.root / "release")}
        for folder, below, files in os.walk(self.submitted):
            place = Path(folder).relative_to(self.submitted).parts
            below[:] = sorted(name for name in below if not name.startswith("."))
            if place and not _is_text(place[0]):
                found[place[0].encode(errors="backslashreplace").decode()] = "the folder's name is not UTF-8: rename it"
                below.clear()
            elif len(place) < 2 or place[1] not in released:
                for name in sorted(files):
                    if naming.stem(name):
                        shown = "/".join(("submitted", *place, name))
                        shown = shown if shown.isprintable() else ascii(shown)
                        found[shown] = "a notebook is graded in submitted/STUDENT/SHEET/, the sheet by its full name"
        return found

    def graded(self, sheet: Sheet, student: str) -> Path:
        """The folder of what was made of a submission."""
        return self.root / "autograded" / student / sheet.name

    def feedback(self, sheet: Sheet, student: str) -> Path:
        """Where a student's feedback page goes; nbgrader's exchange hands it back from there."""
        return self.root / "feedback" / student / sheet.name / f"{sheet.name}.html"

    def report(self, sheet: Sheet) -> Path:
        """Where the page on the whole class goes."""
        return self.root / "grades" / f"{sheet.name}.html"

    def lecture(self, sheet: Sheet) -> Path:
        """Where the page without names goes."""
        return self.root / "grades" / f"{sheet.name}_lecture.html"

    def table(self, sheet: Sheet) -> Path:
        """Where the table of the whole class goes."""
        return self.root / "grades" / f"{sheet.name}.csv"


def _is_text(name: str) -> bool:
    """Whether a name can be written to a file; a zip tool leaves others."""
    try:
        return bool(name.encode())
    except UnicodeEncodeError:
        return False


def _entries(folder: Path) -> list[Path]:
    """What is in a folder and not hidden; nothing where there is no such folder."""
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:
        return []
