"""A class to try the grading on: honest and hostile submissions to the example sheet, with the marks they must get."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import indent
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest
from nbformat.v4 import new_code_cell

from instructor import jail

ROOT = Path(__file__).parents[2]

EXAMPLE = ROOT / "instructor" / "example"
SHEET = EXAMPLE / "01_reading.ipynb"
POINTS = {"corner_edge_middle": 1, "readings": 2, "read_map": 2}

RIGHT = {
    "corner_edge_middle": "corner_edge_middle = [1, 3, 9]",
    "readings": """\
def readings(size, kernel_size, stride):
    starts = np.arange(0, size - kernel_size + 1, stride)
    return ((starts <= np.arange(size)[:, None]) & (np.arange(size)[:, None] < starts + kernel_size)).sum(axis=1)""",
    "read_map": """\
def read_map(height, width, kernel_size, stride):
    counts = np.zeros((height, width))
    for i in range(0, height - kernel_size + 1, stride):
        for j in range(0, width - kernel_size + 1, stride):
            counts[i:i + kernel_size, j:j + kernel_size] += 1
    return counts""",
}
# A mistake for each, and a piece of the hint that it gets.
MISTAKES = {
    "corner_edge_middle": ("corner_edge_middle = 4, 6, 9", "There is no padding"),
    "readings": (RIGHT["readings"].replace("kernel_size + 1", "kernel_size"), "The last place is missing"),
    "read_map": (RIGHT["read_map"].replace("(height, width)", "(width, height)").replace("height -", "h -")
                 .replace("width -", "height -").replace("h -", "width -"), "Height comes first"),
}  # fmt: skip


def require_a_jail() -> None:
    """Skip the module where students' code cannot be locked in; with CI set fail."""
    try:
        jail.require()
    except jail.NoJail as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"NO JAIL, so no grading was tested. {error}", allow_module_level=True)


class Submission(NamedTuple):
    """What a student hands in, the points that is worth, and a piece of the hint for each mistake."""

    student: str
    content: bytes
    points: dict[str, float]
    hints: Mapping[str, str] = MappingProxyType({})


def notebook(released: Any, answers: dict[str, str], first: str = "", change: Callable[[Any], Any] = len) -> bytes:
    """The released notebook with answers in their cells, a ``first`` cell before them, and a ``change`` to all."""
    made = copy.deepcopy(released)
    for cell in made.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = ({"padding": "Four times instead of once."} | answers).get(name, cell.source)
    if first:
        made.cells.insert(0, new_code_cell(first))
    change(made)
    return json.dumps(made).encode()


def honest(released: Any, count: int) -> list[Submission]:
    """Students who know some of it, make some mistakes, and leave some out."""
    rng = np.random.default_rng(5)
    class_ = []
    for number in range(count):
        answers, points, hints = {}, {}, {}
        for name, most in POINTS.items():
            kind = rng.choice(["right", "mistake", "blank"], p=[0.6, 0.25, 0.15])
            points[name] = most if kind == "right" else 0
            if kind == "right":
                answers[name] = RIGHT[name]
            elif kind == "mistake":
                answers[name], hints[name] = MISTAKES[name]
        class_.append(Submission(f"honest-{number:02d}", notebook(released, answers), points, hints))
    return class_


def _body(lines: str) -> dict[str, str]:
    """Right answers, but for ``readings``, which does something else."""
    return {**RIGHT, "readings": "def readings(size, kernel_size, stride):\n" + indent(lines, "    ")}


# What each does in the function that is called with the hidden inputs; that one must not count, the others must.
_IN_A_CALL = {
    "exits": "import os\nos._exit(0)",
    "raises-systemexit": "raise SystemExit(0)",
    "loops": "while True:\n    pass",
    "swallows-interrupts": """\
while True:
    try:
        while True:
            pass
    except BaseException:
        pass""",
    "loops-in-c": "return sum(range(10**13))",
    "lies-about-equality": """\
class Equal(np.ndarray):
    __array_priority__ = 1e9
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __sub__(self, other): return 0
return np.zeros(size).view(Equal)""",
    "lies-about-itself": """\
class Chameleon:
    def __array__(self, *args, **kwargs): raise SystemExit
    def __eq__(self, other): return True
    def __len__(self): return size
    def __iter__(self): return iter([self] * size)
return Chameleon()""",
    "changes-its-caller": """\
import sys
frame = sys._getframe()
while frame:
    for value in frame.f_locals.values():
        if isinstance(value, list):
            value.clear()
    frame = frame.f_back
return []""",
    "looks-for-the-master": """\
import os
for folder, below, files in os.walk("/"):
    below[:] = set(below) - {"usr", "lib", "proc"}
    for file in files:
        if file.endswith("reading.py") or "_reading" in file:
            scope = {}
            exec(open(f"{folder}/{file}").read(), scope)
            return scope["_readings"](size, kernel_size, stride)
return []""",
    "phones-home": """\
import socket
try:
    socket.create_connection(("127.0.0.1", 22), 1)
    return [len(socket.gethostname())]
except OSError:
    pass
socket.create_connection(("1.1.1.1", 53), 1)""",
    "forks-without-end": "import os\nwhile True:\n    os.fork()",
    "fills-memory": """\
import os
for _ in range(30):
    if not os.fork():
        break
held = [bytearray(os.urandom(1)) * 2**26 for _ in range(100)]
while True:
    pass""",
    "fills-the-disk": """\
import itertools
for number in itertools.count():
    for folder in ("/tmp", "/dev/shm", "/dev", "/", "/usr", "."):
        try:
            with open(f"{folder}/{number}", "wb") as file:
                file.write(bytes(2**26))
        except OSError:
            if number > 50:
                return []""",
    "tells-the-inputs": """\
print(size, kernel_size, stride)
raise type(f"E{size}k{kernel_size}s{stride}", (ValueError,), {})(f"{size}, {kernel_size}, {stride}")""",
    "answers-with-the-inputs": "return [size, kernel_size, stride]",
    "answers-too-much": "return np.zeros(2 * 10**8)",
    "answers-with-nothing-at-great-length": "return np.zeros((10**9, 0))",
    "answers-in-long-words": "return ['x' * 10**5] + ['a'] * 50_000",
    "answers-with-lists-of-nothing": "return [[]] * 5_000_000",
    "hides-memory": """\
import ctypes, os
held = [os.memfd_create(str(number)) for number in range(10)]
for file in held:
    os.write(file, bytes(2**27))
return []""",
    "leaves-its-namespace": """\
import ctypes
libc = ctypes.CDLL(None)
if libc.unshare(0x10020000) == 0 and libc.mount(b"tmpfs", b"/tmp", b"tmpfs", 0, b"size=3g") == 0:
    with open("/tmp/large", "wb") as file:
        for _ in range(24):
            file.write(bytes(2**27))
return []""",
    "answers-too-deep": "value = []\nfor _ in range(10**5):\n    value = [value]\nreturn value",
    "kills-everything": """\
import os, signal
for pid in (os.getppid(), 1, -1):
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass
return []""",
    "closes-everything": "import os\nos.closerange(0, 256)\nreturn []",
    "forges-the-answer": """\
import json, os
calls = [([1] * size, "", "")] * 16
body = json.dumps({"calls": calls}).encode()
for stream in range(3, 64):
    try:
        os.write(stream, len(body).to_bytes(8, "big") + body)
    except OSError:
        pass
return []""",
    "rewrites-the-gradebook": """\
import os, sqlite3
for folder, below, files in os.walk("/"):
    below[:] = set(below) - {"usr", "lib", "proc"}
    if "gradebook.db" in files:
        with sqlite3.connect(f"{folder}/gradebook.db") as book:
            book.execute("UPDATE grade SET auto_score = 9")
return []""",
}  # fmt: skip
# What is done in a cell before the others; none of it may gain a mark or cost one.
_IN_A_CELL = {
    "exits-in-a-cell": "import os\nos._exit(0)",
    "loops-in-a-cell": "while True:\n    pass",
    "prints-50-mb": "import sys\nfor _ in range(500):\n    print('x' * 10**5)\n    print('y' * 10**5, file=sys.stderr)",
    "writes-half-a-character": "half = '\ud800'",
    "hooks-the-syntax": """\
import ast
class Deletes(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
    def visit_Expr(self, node): return ast.Pass()
get_ipython().ast_transformers.append(Deletes())""",
    "patches-what-compares": """\
import numpy, numpy.testing, utils.checks.exercise
numpy.testing.assert_allclose = numpy.testing.assert_array_equal = lambda *a, **k: None
numpy.array_equal = lambda *a, **k: True
utils.checks.exercise.Exercise.check = lambda *a: None
utils.checks.exercise.Exercise.fault = lambda *a: None
utils.checks.exercise._close = lambda *a: True""",
}


def _without_checks(made: Any) -> None:
    made.cells = [cell for cell in made.cells if not cell.metadata.get("nbgrader", {}).get("grade")]


def _dearer_checks(made: Any) -> None:
    for cell in made.cells:
        if "points" in cell.metadata.get("nbgrader", {}):
            cell.metadata.nbgrader.points = 100
            cell.source = "True"


def _copied_cells(made: Any) -> None:
    made.cells += [copy.deepcopy(cell) for cell in made.cells]


def _stripped(made: Any) -> None:
    for cell in made.cells:
        cell.metadata = {}


def hostile(released: Any) -> list[Submission]:
    """Students who want marks without answers, or others to lose theirs."""
    wrong = {name: f"{name} = None" for name in POINTS}
    class_ = [
        Submission(name, notebook(released, _body(lines)), {**POINTS, "readings": 0})
        for name, lines in _IN_A_CALL.items()
    ]
    for name, source in _IN_A_CELL.items():
        class_.append(Submission(name, notebook(released, RIGHT, source), POINTS))
        class_.append(Submission(f"{name}-in-vain", notebook(released, wrong, source), dict.fromkeys(POINTS, 0)))
    for change in (_without_checks, _dearer_checks, _copied_cells, _stripped):
        name = change.__name__.strip("_").replace("_", "-")
        class_.append(Submission(name, notebook(released, RIGHT, change=change), POINTS))
        class_.append(Submission(f"{name}-in-vain", notebook(released, wrong, change=change), dict.fromkeys(POINTS, 0)))
    nothing = dict.fromkeys(POINTS, 0)
    broken = json.dumps({"cells": [{"cell_type": "code", "metadata": {"nbgrader": {"grade_id": []}}, "source": 3}],
                         "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()  # fmt: skip
    source = SHEET.read_bytes()
    return [
        *class_,
        Submission("hands-in-the-master", source, nothing),
        Submission("no-notebook", b"\x00\xff", nothing),
        Submission("nested-notebook", b"[" * 10**6, nothing),
        Submission("odd-notebook", broken, nothing),
    ]


def hand_in(course: Path, submissions: list[Submission], sheet: Path = SHEET) -> None:
    """Put submissions where nbgrader collects them."""
    for submission in submissions:
        folder = course / "submitted" / submission.student / sheet.stem
        folder.mkdir(parents=True)
        (folder / sheet.name).write_bytes(submission.content)
