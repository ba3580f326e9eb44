"""Where root runs the tests, those of the jail run once more as a user without rights, as most lecturers grade.

Only what rights decide: whom a grader may kill and whose memory it can see, how many processes there may be, what the
walls are built with, and what lies behind them. Answers, marks, tables and pages are made by the same code for all, so
of the class there are only the attacks on such things. System calls that are not listed are refused before a kernel
looks at rights: ``test_what_is_not_listed_is_not_there`` speaks for the attacks that begin with one.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from classroom import ROOT, require_a_jail

require_a_jail()
HERE = "tests/instructor"
TESTS = [
    f"{HERE}/test_jail.py::test_nothing_outlives_its_grading",
    f"{HERE}/test_jail.py::test_a_grader_that_is_killed_takes_its_submissions_along",
    *(
        f"{HERE}/test_jail.py::test_what_nobody_counts_cannot_be_had[{attack}]"
        for attack in ("takes-locks", "maps-in-many-processes", "opens-terminals")
    ),
    f"{HERE}/test_jail.py::test_empty_files_count_as_memory",
    f"{HERE}/test_syscalls.py::test_what_is_not_listed_is_not_there",
    f"{HERE}/test_syscalls.py::test_honest_work_lacks_nothing",
    f"{HERE}/without_rights.py::test_everybody_gets_the_marks_they_earned",
]
USER = "54321"


def opened(path):
    """What makes bubblewrap show a path to everybody that lies in a folder of somebody's own."""
    for above in reversed(path.resolve().parents[:-1]):
        if not above.stat().st_mode & 0o001:
            return ["--perms", "0755", "--tmpfs", str(above)], [
                *(word for each in reversed(path.resolve().parents[:-1]) if each.is_relative_to(above)
                  for word in ("--perms", "0755", "--dir", str(each))),
                "--ro-bind", str(path.resolve()), str(path.resolve()),
            ]  # fmt: skip
    return [], []


@pytest.mark.skipif(os.geteuid() != 0, reason="this is an ordinary user already")
def test_the_jail_holds_for_an_ordinary_user():
    assert shutil.which("setpriv")
    with tempfile.TemporaryDirectory() as home:
        Path(home).chmod(0o777)
        shown = [opened(path) for path in (ROOT, Path(sys.prefix), Path(sys.base_prefix))]
        walls = ["bwrap", "--dev-bind", "/", "/"]
        for part in (0, 1):
            for one in shown:
                if not (part == 0 and one[0] and set(one[0]) <= set(walls)):
                    walls += one[part]
        variables = {"HOME": home, "TMPDIR": home, "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8",
                     "PATH": os.environ["PATH"], "CI": os.environ.get("CI", "")}  # fmt: skip
        user = ["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups", "--inh-caps=-all"]
        words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", *TESTS]
        done = subprocess.run([*walls, *user, "env", "-i", *(f"{k}={v}" for k, v in variables.items()), *words],
                              cwd=ROOT, capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout
