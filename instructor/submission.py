"""One submission in the jail: its cells run, its answers called for, its limits on seconds, memory and processes."""

from __future__ import annotations

import json
import os
import pickle
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from typing import Any

import psutil

from instructor import jail
from instructor.wire import LENGTH, LONGEST, calls_from
from utils.checks.calls import Call

GRACE = 3.0  # seconds over an exercise's own limit, which stops all but the stubborn, before the process is ended
DIED = "The process ended"
STUCK = "The process did not stop, and was ended,"
FULL = "The process used more memory than one submission may, and was ended,"
OVER = "The time for one submission was over"


@dataclass(frozen=True)
class Limits:
    """What a submission may use: seconds for a cell and in all, bytes of memory in all, processes and threads."""

    cell: float = 30
    total: float = 300
    start: float = 60
    memory: int = 2**31
    processes: int = 64

    def of_a_process(self, trusted: bool) -> dict[str, int]:
        """The part of it that the kernel keeps, for each process: names and values of ``resource.setrlimit``."""
        megabytes = 2**20
        limits = {
            "RLIMIT_AS": 2 * self.memory,  # address space: twice what may be used of it
            "RLIMIT_FSIZE": 256 * megabytes,
            "RLIMIT_NOFILE": 256,
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

    def failed(self) -> list[Call]:
        """The outcomes where there is none."""
        return [Call(kind="died")] * len(self.cases)


@dataclass
class Outcome:
    """What came of a submission: the calls for each name, and what an instructor should look at."""

    calls: dict[str, list[Call]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class _Ended(Exception):
    """The process is of no use any more; the reason is one of the four above."""


def run(cells: Sequence[str], questions: Sequence[Question], limits: Limits, trusted: bool = False) -> Outcome:
    """Run the code ``cells`` and ask the ``questions``.

    A cell that ends the process is left out when the others are run again in a fresh one, and so is a question. One
    that ends it after others were asked is asked again first: what they left behind is not its fault.
    """
    outcome = Outcome()
    sources, left = dict(enumerate(cells)), list(questions)
    end = time.monotonic() + limits.total
    while left:
        with _Process(limits, end, trusted) as process:
            try:
                lacking = [f"A cell asks for {name}, which is not installed here." for name in process.run(sources)]
                outcome.notes += [note for note in lacking if note not in outcome.notes]
                while left:
                    calls = process.ask(left[0])
                    outcome.calls[left.pop(0).name] = calls
                    if any(call.kind == "late" for call in calls):
                        break  # that call may still be running
                continue
            except _Ended as ended:
                why = str(ended)
        at = process.at
        if isinstance(at, int):
            lines = [line.strip() for line in sources.pop(at).splitlines() if line.strip()]
            outcome.notes.append(f"{why} in the cell that begins “{lines[0][:60] if lines else ''}”.")
        elif at is None:
            outcome.notes.append(f"{why} before the first cell.")
        elif process.asked == 1 or why in (STUCK, OVER):
            outcome.notes.append(f"{why} while {at.name} was called.")
            outcome.calls[at.name] = at.failed()
            left.remove(at)
        if at is None or why == OVER:
            return Outcome(outcome.calls | {question.name: question.failed() for question in left}, outcome.notes)
    return outcome


class _Process:
    """The jailed process, spoken to with time limits, and watched; ``at`` is the cell or the question it is at."""

    def __init__(self, limits: Limits, end: float, trusted: bool) -> None:
        self.popen = jail.start([str(jail.INSIDE)], trusted)
        assert self.popen.stdin and self.popen.stdout
        self.questions, self.answers = self.popen.stdin.fileno(), self.popen.stdout.fileno()
        os.set_blocking(self.questions, False)
        self.limits, self.end, self.trusted = limits, end, trusted
        self.looked = time.monotonic()
        self.at: int | Question | None = None
        self.asked = 0

    def __enter__(self) -> _Process:
        return self

    def __exit__(self, *error: object) -> None:
        self.popen.kill()
        self.popen.wait()
        for pipe in (self.popen.stdin, self.popen.stdout):
            if pipe:
                pipe.close()

    def run(self, sources: dict[int, str]) -> list[str]:
        """Have it run the cells, and say of each that it begins; returns names of packages that it lacks."""
        seconds = self.limits.start
        self._send((list(sources.items()), self.limits.of_a_process(self.trusted)), seconds)
        for place in sources:
            if self._receive(seconds) != {"cell": place}:
                raise _Ended(DIED)
            self.at, seconds = place, self.limits.cell
        message = self._receive(seconds)
        lacking = message.get("lacking") if isinstance(message, dict) else None
        if not isinstance(lacking, list):
            raise _Ended(DIED)
        return [name[:40] for name in lacking[:5] if isinstance(name, str) and name.replace(".", "_").isidentifier()]

    def ask(self, question: Question) -> list[Call]:
        """The outcome of the question's calls."""
        self.at = question
        self.asked += 1
        ticket, seconds = secrets.token_hex(8), question.seconds + GRACE
        self._send((ticket, question.name, question.cases, question.seconds), seconds)
        message = self._receive(seconds)
        try:
            return calls_from(message, ticket, len(question.cases))
        except Exception:  # whatever a forged message leads to
            raise _Ended(DIED) from None

    def _send(self, message: Any, seconds: float) -> None:
        until = time.monotonic() + seconds
        rest = memoryview(pickle.dumps(message))
        while rest:
            self._wait(self.questions, EVENT_WRITE, until)
            try:
                rest = rest[os.write(self.questions, rest) :]
            except BrokenPipeError:
                raise _Ended(DIED) from None

    def _receive(self, seconds: float) -> Any:
        until = time.monotonic() + seconds
        length = int.from_bytes(self._read(LENGTH, until), "big")
        if length > LONGEST:
            raise _Ended(DIED)
        try:
            return json.loads(self._read(length, until))
        except (ValueError, RecursionError):
            raise _Ended(DIED) from None

    def _read(self, count: int, until: float) -> bytes:
        got = bytearray()
        while len(got) < count:
            self._wait(self.answers, EVENT_READ, until)
            part = os.read(self.answers, min(count - len(got), 2**16))
            if not part:
                raise _Ended(DIED)
            got += part
        return bytes(got)

    def _wait(self, pipe: int, event: int, until: float) -> None:
        """Until the pipe can be read or written; looks meanwhile at how much memory is held."""
        with DefaultSelector() as selector:
            selector.register(pipe, event)
            while True:
                now = time.monotonic()
                if now > min(until, self.end):
                    raise _Ended(STUCK if until < self.end else OVER)
                if now > self.looked + 0.1:
                    self.looked = now
                    if self._memory() > self.limits.memory:
                        raise _Ended(FULL)
                if selector.select(0.1):
                    return

    def _memory(self) -> int:
        """Bytes that the process and its children hold together: no limit of the kernel's is on the sum."""
        held, shared = 0, 0
        with suppress(psutil.Error):
            family = psutil.Process(self.popen.pid).children(recursive=True)
            for member in family:
                with suppress(psutil.Error):
                    held += member.memory_info().rss
            if held > self.limits.memory:  # pages that several of them share were counted for each
                for member in family:
                    with suppress(psutil.Error):
                        full = member.memory_full_info()
                        shared += full.rss - full.pss
        return held - shared
