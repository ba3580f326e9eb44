"""Nothing outlives its grading, nothing is used that is not counted, and a busy machine takes nothing from anybody."""

import ast
import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from attacks import IN_A_CALL, IN_A_CELL
from classroom import ROOT, require_a_jail

from instructor import jail, submission, usage
from instructor.submission import Limits, Question, run
from instructor.usage import Budget

require_a_jail()
LIMITS = Limits(cell=2, total=60)
ASKED = [Question("one", [()], 2), Question("two", [(3,)], 2), Question("three", [()], 2)]
# An attack that comes first is run once; after other answers it would be asked again, in a process of its own.
ATTACK_FIRST = [ASKED[1], ASKED[0], ASKED[2]]
# An attack that is given half a second: nobody's honest answer depends on when it is ended.
ATTACK_IN_BRIEF = [ASKED[0], replace(ASKED[1], seconds=0.5), ASKED[2]]
CELLS = {"a": "import numpy as np", "one": "one = 1", "two": "def two(x):\n    return x * 2", "three": "three = [3]"}


def attacked(lines):
    """The cells, the second answer of which does something else."""
    body = "\n".join(f"    {line}" for line in lines.splitlines())
    return {**CELLS, "two": f"def two(size, kernel_size=1, stride=1):\n{body}"}


def inside(grader):
    """The processes in the jails that a grader has started, and in no other's: graders work side by side."""
    found = []
    for process in submission.family_of(grader.pid)[1:]:
        with suppress(psutil.Error):
            if str(jail.INSIDE) in process.cmdline():
                found.append(process)
    return found


def alive(process):
    with suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def outlives(processes):
    """Those of them that go on, however long one waits."""
    deadline = time.monotonic() + 120
    while any(map(alive, processes)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return list(filter(alive, processes))


def values(outcome):
    return [calls[0].value for calls in (outcome.calls[question.name] for question in ASKED)]


@pytest.mark.parametrize(
    "name",
    [
        "outlives-its-parent",
        "takes-over-process-1",
        "takes-answers-back",
        "starts-threads",
        "stops-everybody",
        "forks-without-end",
        "sleeps",
    ],
)
def test_nothing_outlives_its_grading(name, monkeypatch):
    started = []
    really = jail.start

    def start(*args, **kwargs):
        started.append(really(*args, **kwargs))
        return started[-1]

    monkeypatch.setattr(jail, "start", start)
    seen = set()
    families = submission.family_of

    def family_of(pid):
        family = families(pid)
        seen.update(family)
        return family

    monkeypatch.setattr(submission, "family_of", family_of)
    outcome = run(attacked(IN_A_CALL[name]), ATTACK_FIRST, LIMITS)
    assert values(outcome)[::2] == [1, [3]]
    assert len(seen) > 2 * len(started) - 1
    assert outlives(seen) == []


def test_a_grader_that_is_killed_takes_its_submissions_along():
    attack = attacked(IN_A_CALL["outlives-its-parent"].replace("return []", "while True: pass"))
    program = f"from instructor.submission import *\nrun({attack!r}, [Question('two', [(3,)], 60)], Limits())"
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT) as grader:
        while len(prisoners := inside(grader)) < 4:
            assert grader.poll() is None
            time.sleep(0.05)
        grader.kill()
    assert outlives(prisoners) == []


def unreclaimable():
    """Megabytes of the kernel's memory that it cannot take back."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("SUnreclaim"))


UNCOUNTED = [
    name
    for name in IN_A_CALL
    if name.startswith(("makes-", "watches-", "fills-key", "arms-", "takes-l", "maps-in", "opens-t"))
]


@pytest.mark.parametrize("name", UNCOUNTED)
def test_what_nobody_counts_cannot_be_had(name):
    before = unreclaimable()
    outcome = run(attacked(IN_A_CALL[name]), ATTACK_FIRST, LIMITS)
    assert values(outcome)[::2] == [1, [3]]
    assert unreclaimable() - before < 400


def test_empty_files_count_as_memory():
    cell = IN_A_CALL["fills-inodes"].replace("itertools.count()", "range(150_000)")
    outcome = run({**CELLS, "b": cell}, ASKED, Limits(memory=2**27))
    assert values(outcome) == [1, 6, [3]]
    assert any(note.startswith(submission.FULL) for note in outcome.notes)


def test_sleep_and_work_are_over_and_waiting_for_others_is_not(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(usage.time, "monotonic", lambda: now[0])
    budget = Budget(seconds=2, used=5, began=100)
    now[0] = 101.9
    assert not budget.over(5)  # asleep, and not too long
    assert budget.over(7.1)  # two seconds of work
    now[0] = 102.1
    assert budget.over(5)
    assert not budget.over(5.2)  # a tenth of a processor: others are busy
    now[0] = 121
    assert not budget.over(6.9)
    assert budget.over(5.5)


HOGS = 4
BUSY = ("forks-without-end", "fills-memory", "loops", "sleeps", "starts-threads", "answers-too-deep")


@pytest.fixture
def busy():
    """A machine on which others work."""
    hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(HOGS)]
    yield
    for hog in hogs:
        hog.kill()
        hog.wait()


@pytest.mark.parametrize("name", BUSY)
def test_on_a_busy_machine_honest_answers_keep_their_marks(busy, name):
    assert values(run(attacked(IN_A_CALL[name]), ATTACK_IN_BRIEF, LIMITS))[::2] == [1, [3]]


@pytest.mark.parametrize("name", ["loops-in-a-cell", "sleeps-in-a-cell", "exits-in-a-cell"])
def test_a_cell_that_does_not_end_is_left_out(busy, name):
    outcome = run({"b": IN_A_CELL[name], **CELLS}, ASKED, LIMITS)
    assert values(outcome) == [1, 6, [3]]
    assert len(outcome.notes) == 1


def test_three_deaths_in_a_row_cost_three_exercises():
    dies = "import os\ndef {}(*args):\n    os._exit(0)"
    cells = {name: dies.format(name) for name in ("one", "two", "three")}
    four = Question("four", [()], 2)
    outcome = run({**cells, "four": "four = 4"}, [*ASKED, four], LIMITS)
    assert [calls[0].kind for name, calls in outcome.calls.items() if name != "four"] == ["died"] * 3
    assert outcome.calls["four"][0].value == 4
    assert len(outcome.notes) == 3


def test_time_that_sleeps_away_ends_the_whole():
    cells = {f"cell {number}": "import time\ntime.sleep(100)" for number in range(9)}
    outcome = run({**cells, **CELLS}, ASKED, Limits(cell=5, total=2))
    assert [calls[0].kind for calls in outcome.calls.values()] == ["died"] * 3
    assert outcome.notes[-1].startswith(submission.OVER)


def test_a_cells_error_is_told_by_its_kind_and_line():
    cells = {
        "first": "x = 1\n1 / 0", "b": "def f(:", "c": "class FULL_MARKS(Exception): pass\nraise FULL_MARKS('agreed')",
        "d": "%nothing_of_this_kind", "e": "import no_such_package", **CELLS,
    }  # fmt: skip
    outcome = run(cells, ASKED, LIMITS)
    assert outcome.errors["first"] == "ZeroDivisionError in line 2"
    assert outcome.errors["b"].startswith("SyntaxError in line 1")
    assert outcome.errors["e"] == "ModuleNotFoundError in line 1"
    assert set(outcome.errors) <= {"first", "b", "d", "e"}
    assert outcome.notes == ["A cell asks for “no_such_package”, which is not installed here."]


def test_a_package_that_an_answer_asks_for_is_noted():
    outcome = run({**CELLS, "two": "def two(x):\n    import no_such_package"}, ASKED, LIMITS)
    assert outcome.notes == ["A cell asks for “no_such_package”, which is not installed here."]


def test_a_jail_sees_no_files_but_its_own():
    with jail.start(["-c", "import os; print([sorted(os.listdir(place)) for place in ('/', '/tmp')])"]) as process:
        top, scratch = ast.literal_eval(process.communicate(timeout=120)[0].decode())
    seen = [path.parts for path in jail._seen()]
    system = {"bin", "dev", "etc", "lib", "lib64", "proc", "tmp", "usr"}
    assert set(top) <= system | {parts[1] for parts in seen}
    assert set(scratch) == {parts[2] for parts in seen if parts[1] == "tmp"}


def test_where_systemd_lends_a_cgroup_it_is_used(tmp_path, monkeypatch):
    asked = tmp_path / "asked"
    fake = tmp_path / "systemd-run"
    fake.write_text(f'#!/bin/sh\necho "$@" >> {asked}\nwhile [ "${{1#-}}" != "$1" ]; do shift; done\nexec "$@"\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SECRET_OF_THE_INSTRUCTOR", "1")
    jail._scope.cache_clear()
    outcome = run({"one": "import os\none = list(os.environ)"}, ASKED[:1], Limits(memory=2**30))
    jail._scope.cache_clear()
    assert f"MemoryMax={2**30 + jail.KERNELS}" in asked.read_text()
    assert "SECRET_OF_THE_INSTRUCTOR" not in outcome.calls["one"][0].value
    assert "HOME" in outcome.calls["one"][0].value


def test_what_an_answer_lacks_tells_nothing_of_its_inputs():
    told = "def two(x):\n    raise ModuleNotFoundError(f\"No module named 'the_input_is_{x}'\")"
    assert run({**CELLS, "two": told}, ASKED, LIMITS).notes == []


def test_a_process_that_says_much_is_heard_no_longer_than_it_has_cells():
    forged = """\
import json, os
body = json.dumps({"errors": [["only", "OSError", 1, f"a{n:x}"] for n in range(200_000)]}).encode()
for stream in range(3, 10):
    try:
        os.write(stream, len(body).to_bytes(8, "big") + body)
    except OSError:
        pass"""
    notes = run({"only": forged}, ASKED, LIMITS).notes
    assert [note for note in notes if "not installed" in note] == ["A cell asks for “a0”, which is not installed here."]


def test_memory_that_is_swapped_out_counts(monkeypatch):
    monkeypatch.setattr(Path, "read_bytes", lambda path: b"VmPTE:\t 3 kB\nVmSwap:\t 5 kB\n")
    assert usage._kernels_of(1) == 8 * 1024 + 2 * usage.MAPPING
