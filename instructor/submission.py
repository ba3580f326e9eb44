"""One submission in the jail: its cells run, its answers called for, its limits on seconds, memory and processes."""

from __future__ import annotations

import builtins
import json
import os
import pickle
import re
import secrets
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from typing import Any

import psutil

from instructor import jail
from instructor.usage import Budget, family_of, memory_of, work_of
from instructor.wire import LENGTH, LONGEST, calls_from
from utils.checks.calls import Call

DIED = "The process ended"
STUCK = "The process did not stop, and was ended,"
FULL = "The process used more memory than one submission may, and was ended,"
OVER = "The time for one submission was over"
STARTS = 3  # times that a process may fail to start
LOOK = 0.1  # seconds between two looks at what a process uses
NO_PACKAGE = "A cell asks for “{}”, which is not installed here."
LACKING = re.compile(r"ends in ModuleNotFoundError[^:]{0,20}: No module named '([A-Za-z_][\w.]{0,39})'")
ERRORS = {name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, BaseException)}


@dataclass(frozen=True)
class Limits:
    """What a submission may use: seconds for a cell and in all, bytes of memory in all, processes and threads.

    Seconds are of processor time, so that a busy machine takes nothing from anybody; those that a process sleeps count,
    too.
    """

    cell: float = 30
    total: float = 300
    start: float = 60
    memory: int = jail.MEMORY
    processes: int = 64

    def of_a_process(self, trusted: bool) -> dict[str, int]:
        """The part of it that the kernel keeps, for each process: names and values of ``resource.setrlimit``."""
        megabytes = 2**20
        limits = {
            "RLIMIT_AS": 2 * self.memory,  # address space: twice what may be used of it
            "RLIMIT_FSIZE": 256 * megabytes,
            "RLIMIT_NOFILE": 64,  # pipes and sockets hold memory of the kernel's
            "RLIMIT_CORE": 0,
        }
        # Without a jail this would count all that the instructor runs.
        return limits if trusted else {**limits, "RLIMIT_NPROC": self.processes}


@dataclass(frozen=True)
class Question:
    """An answer to be called for: its name, a list of arguments for each call, and seconds for all of them."""

    name: str
    cases: Sequence[tuple[Any, ...]]
    seconds: float

    def failed(self, kind: str = "died") -> list[Call]:
        """The outcomes where there is none."""
        return [Call(kind=kind)] * len(self.cases)


@dataclass
class Outcome:
    """What came of a submission: the calls for each name, what an instructor should look at, and cells' errors."""

    calls: dict[str, list[Call]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    def note(self, text: str) -> None:
        """Add to the notes, which say everything once."""
        if text not in self.notes:
            self.notes.append(text)


class _Ended(Exception):
    """The process is of no use any more; the reason is one of the four above."""


def run(cells: Mapping[str, str], questions: Sequence[Question], limits: Limits, trusted: bool = False) -> Outcome:
    """Run the code ``cells``, by their keys, and ask the ``questions``.

    A cell that ends the process is left out when the others are run again in a fresh one, and so is a question. One
    that ends it after others were asked is asked again first: what they left behind is not its fault.
    """
    outcome = Outcome()
    sources, left = dict(cells), list(questions)
    used, failed = 0.0, 0
    began = time.monotonic()
    while left:
        whole = Budget(limits.total, -used, began)
        with _Process(limits, whole, trusted) as process:
            try:
                outcome.errors = process.run(sources, outcome.note)
                while left:
                    calls = process.ask(left[0])
                    outcome.calls[left[0].name] = calls
                    for package in _lacking(calls, cells.values()):
                        outcome.note(NO_PACKAGE.format(package))
                    left.pop(0)
                continue
            except _Ended as ended:
                why = str(ended)
        used += process.used
        at = process.at
        if isinstance(at, str):
            lines = [line.strip() for line in sources.pop(at).splitlines() if line.strip()]
            outcome.note(f"{why} in the cell that begins “{lines[0][:60] if lines else ''}”.")
        elif at is None:
            failed += 1
            if why != OVER and failed == STARTS:  # nothing of the student's has run yet
                raise RuntimeError(f"{why} before the first cell: is this machine overloaded?")
            outcome.notes += [f"{why} before the first cell."] if why == OVER else []
        elif process.asked == 1 or why == OVER:
            outcome.note(f"{why} while {at.name} was called.")
            outcome.calls[at.name] = at.failed("late" if why == STUCK else "died")
            left.remove(at)
        if why == OVER:
            return replace(outcome, calls=outcome.calls | {question.name: question.failed() for question in left})
    return outcome


def _lacking(calls: Sequence[Call], sources: Collection[str]) -> list[str]:
    """A package that is missing and that the notebook imports by name: others would tell what the inputs are."""
    names = sorted({name for call in calls for name in LACKING.findall(call.error)})
    imports = [re.compile(rf"(import|from)\s+{re.escape(name)}\b") for name in names]
    imported = [name for name, it in zip(names, imports, strict=True) if any(map(it.search, sources))]
    return imported[:1]


class _Process:
    """The jailed process, spoken to with time limits, and watched; ``at`` is the cell or the question it is at."""

    def __init__(self, limits: Limits, whole: Budget, trusted: bool) -> None:
        self.popen = jail.start([str(jail.INSIDE)], trusted, memory=limits.memory)
        assert self.popen.stdin and self.popen.stdout
        self.questions, self.answers = self.popen.stdin.fileno(), self.popen.stdout.fileno()
        for pipe in (self.questions, self.answers):  # what runs inside may open them, and read or write between
            os.set_blocking(pipe, False)
        self.limits, self.whole, self.trusted = limits, whole, trusted
        self.used = 0.0
        self.looked = self.measured = time.monotonic()
        self.at: str | Question | None = None
        self.asked = 0

    def __enter__(self) -> _Process:
        return self

    def __exit__(self, *error: object) -> None:
        # Those inside first: the first of them is bubblewrap's, and when it is killed all in the jail are. Killed after
        # the outer one, it would depend on that having asked for it, which what runs inside might have undone.
        family = family_of(self.popen.pid)
        self.used = max(self.used, work_of(family))
        for member in reversed(family):
            with suppress(psutil.Error):
                member.kill()
        self.popen.wait()
        for pipe in (self.popen.stdin, self.popen.stdout):
            if pipe:
                pipe.close()

    def run(self, sources: Mapping[str, str], note: Callable[[str], None]) -> dict[str, str]:
        """Have it run the cells, and say of each that it begins; returns what the cells' errors are."""
        budget = self._budget(self.limits.start)
        self._send((dict(sources), self.limits.of_a_process(self.trusted)), budget)
        for key in sources:
            if self._receive(budget) != {"cell": key}:
                raise _Ended(DIED)
            self.at, budget = key, self._budget(self.limits.cell)
        message = self._receive(budget)
        errors = message.get("errors") if isinstance(message, dict) else None
        if not isinstance(errors, list):
            raise _Ended(DIED)
        found = {}
        for told in errors[: len(sources)]:
            match told:  # the student's process may say anything
                case [str() as key, str() as kind, line, lacking] if key in sources and kind in ERRORS:
                    found[key] = f"{kind} in line {line}" if isinstance(line, int) else kind
                    if isinstance(lacking, str) and lacking[:40].replace(".", "_").isidentifier():
                        note(NO_PACKAGE.format(lacking[:40]))
        return found

    def ask(self, question: Question) -> list[Call]:
        """The outcome of the question's calls."""
        self.at = question
        self.asked += 1
        ticket, budget = secrets.token_hex(8), self._budget(question.seconds)
        self._send((ticket, question.name, question.cases), budget)
        message = self._receive(budget)
        try:
            return calls_from(message, ticket, len(question.cases))
        except Exception:  # whatever a forged message leads to
            raise _Ended(DIED) from None

    def _budget(self, seconds: float) -> Budget:
        if time.monotonic() > self.measured + LOOK:  # to look at all processes takes as long as an answer
            self.measured = time.monotonic()
            self.used = max(self.used, work_of(family_of(self.popen.pid)))
        return Budget(seconds, self.used, time.monotonic())

    def _send(self, message: Any, budget: Budget) -> None:
        rest = memoryview(pickle.dumps(message))
        while rest:
            self._wait(self.questions, EVENT_WRITE, budget)
            try:
                rest = rest[os.write(self.questions, rest) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise _Ended(DIED) from None

    def _receive(self, budget: Budget) -> Any:
        length = int.from_bytes(self._read(LENGTH, budget), "big")
        if length > LONGEST:
            raise _Ended(DIED)
        try:
            return json.loads(self._read(length, budget))
        except (ValueError, RecursionError):
            raise _Ended(DIED) from None

    def _read(self, count: int, budget: Budget) -> bytes:
        got = bytearray()
        while len(got) < count:
            self._wait(self.answers, EVENT_READ, budget)
            try:
                part = os.read(self.answers, min(count - len(got), 2**16))
            except BlockingIOError:
                continue
            if not part:
                raise _Ended(DIED)
            got += part
        return bytes(got)

    def _wait(self, pipe: int, event: int, budget: Budget) -> None:
        """Until the pipe can be read or written; looks meanwhile at what time and memory are used."""
        with DefaultSelector() as selector:
            selector.register(pipe, event)
            while True:
                if time.monotonic() > self.looked + LOOK:
                    self._look(budget)
                if selector.select(LOOK):
                    return

    def _look(self, budget: Budget) -> None:
        family = family_of(self.popen.pid)
        self.used = max(self.used, work_of(family))
        if self.whole.over(self.used):
            raise _Ended(OVER)
        if budget.over(self.used):
            raise _Ended(STUCK)
        if memory_of(family, self.limits.memory) > self.limits.memory:
            raise _Ended(FULL)
        self.looked = time.monotonic()
