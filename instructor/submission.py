"""One submission in the jail: its cells are run and its answers called for, whatever it does about that."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import time
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from signal import SIGKILL
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

    def of_a_process(self) -> dict[str, int]:
        """The part of it that the kernel keeps, for each process: names and values of ``resource.setrlimit``."""
        megabytes = 2**20
        return {
            "RLIMIT_AS": 2 * self.memory,  # address space: twice what may be used of it
            "RLIMIT_FSIZE": 256 * megabytes,
            "RLIMIT_NPROC": self.processes,
            "RLIMIT_NOFILE": 256,
            "RLIMIT_CORE": 0,
        }


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

    A cell that ends the process is left out when the others are run again in a fresh one, and so is a question; all
    the rest counts.
    """
    return asyncio.run(_run(dict(enumerate(cells)), list(questions), limits, trusted))


async def _run(cells: dict[int, str], left: list[Question], limits: Limits, trusted: bool) -> Outcome:
    outcome = Outcome()
    end = time.monotonic() + limits.total
    while left:
        process = await _Process.start(limits, end, trusted)
        try:
            await process.run(cells)
            while left:
                calls = await process.ask(left[0])
                outcome.calls[left.pop(0).name] = calls
                if any(call.kind == "late" for call in calls):
                    break  # that call may still be running: the other questions get a process of their own
        except _Ended as ended:
            at = process.at
            if isinstance(at, int):
                (where, *_) = (line for line in [*cells.pop(at).splitlines(), ""] if line.strip() or not line)
                outcome.notes.append(f"{ended} in the cell that begins “{where.strip()[:60]}”.")
            elif isinstance(at, Question):
                outcome.notes.append(f"{ended} while {at.name} was called.")
                outcome.calls[at.name] = at.failed()
                left.remove(at)
            else:
                outcome.notes.append(f"{ended} before the first cell.")
            if at is None or str(ended) == OVER:
                return Outcome(outcome.calls | {question.name: question.failed() for question in left}, outcome.notes)
        finally:
            await process.stop()
    return outcome


class _Process:
    """The jailed process, spoken to with time limits, and watched; ``at`` is the cell or the question it is at."""

    def __init__(self, process: asyncio.subprocess.Process, limits: Limits, end: float) -> None:
        assert process.stdin and process.stdout
        self.process, self.limits, self.end = process, limits, end
        self.stdin, self.stdout = process.stdin, process.stdout
        self.at: int | Question | None = None
        self.full = False
        self.watch = asyncio.create_task(self._watch())

    @classmethod
    async def start(cls, limits: Limits, end: float, trusted: bool) -> _Process:
        pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            *jail.python(trusted), stdin=pipe, stdout=pipe, stderr=null, env=jail.environment(), limit=2**20
        )
        return cls(process, limits, end)

    async def stop(self) -> None:
        self.watch.cancel()
        self._kill()
        await self.process.wait()

    def _kill(self) -> None:
        # asyncio's own kill may take the exit status away from its watcher, which then complains.
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, SIGKILL)

    async def run(self, cells: dict[int, str]) -> None:
        """Have it run the cells, and say of each that it begins."""
        await self._send((list(cells.items()), self.limits.of_a_process()), self.limits.start)
        seconds = self.limits.start
        for place in cells:
            await self._expect({"cell": place}, seconds)
            self.at, seconds = place, self.limits.cell
        await self._expect({"ready": True}, seconds)

    async def ask(self, question: Question) -> list[Call]:
        self.at = question
        seconds = question.seconds + GRACE
        await self._send((question.name, question.cases, question.seconds), seconds)
        try:
            return calls_from(await self._receive(seconds), len(question.cases))
        except _Ended:
            raise
        except Exception:  # whatever a forged message leads to
            raise _Ended(DIED) from None

    async def _expect(self, message: Any, seconds: float) -> None:
        if await self._receive(seconds) != message:
            raise _Ended(DIED)

    async def _send(self, message: Any, seconds: float) -> None:
        self.stdin.write(pickle.dumps(message))
        await self._within(self.stdin.drain(), seconds)

    async def _receive(self, seconds: float) -> Any:
        length = int.from_bytes(await self._within(self.stdout.readexactly(LENGTH), seconds), "big")
        if length > LONGEST:
            raise _Ended(DIED)
        try:
            return json.loads(await self._within(self.stdout.readexactly(length), seconds))
        except (ValueError, RecursionError):
            raise _Ended(DIED) from None

    async def _within(self, coming: Awaitable[Any], seconds: float) -> Any:
        left = self.end - time.monotonic()
        try:
            return await asyncio.wait_for(coming, min(seconds, left))
        except TimeoutError:
            raise _Ended(OVER if left < seconds else STUCK) from None
        except (asyncio.IncompleteReadError, ConnectionError):
            raise _Ended(FULL if self.full else DIED) from None

    async def _watch(self) -> None:
        """End the process once it and its children hold more memory than is allowed; no single limit says so."""
        while True:
            await asyncio.sleep(0.1)
            if self._memory() > self.limits.memory:
                self.full = True
                self._kill()
                return

    def _memory(self) -> int:
        held = 0
        try:
            family = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.Error:
            return 0
        for member in family:
            try:
                held += member.memory_info().rss
            except psutil.Error:
                continue
        return held
