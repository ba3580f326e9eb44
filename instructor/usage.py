"""What a submission's processes have used: time that no busy machine adds to, and memory, its files included."""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

WAITS = 10  # seconds of waiting for each second of work, before a process counts as asleep and not as kept waiting
INODE = 2**10  # bytes of kernel memory that a file takes, be it empty
SOME = 4  # processes of which the kernel's part is read
MAPPING = 2**10  # bytes that it takes to remember a piece of a process's memory


@dataclass(frozen=True)
class Budget:
    """Seconds for a piece of work that began when the processes had ``used`` so much processor time."""

    seconds: float
    used: float
    began: float

    def over(self, used: float) -> bool:
        """Whether it is spent. Who is kept waiting by others works now and then; who sleeps does not."""
        work = used - self.used
        return work > self.seconds or time.monotonic() - self.began > self.seconds + WAITS * max(work, 0)


def family_of(pid: int) -> list[psutil.Process]:
    """The process that was started, then all that it has started."""
    with suppress(psutil.Error):
        first = psutil.Process(pid)
        return [first, *first.children(recursive=True)]
    return []


def work_of(family: Sequence[psutil.Process]) -> float:
    """Seconds of processor time that they have used, and those of theirs that have ended."""
    used = 0.0
    for member in family:
        with suppress(psutil.Error):
            used += sum(member.cpu_times()[:4])
    return used


def memory_of(family: Sequence[psutil.Process], most: int) -> int:
    """Bytes that they hold together, files in the jail included: no limit of the kernel's is on the sum."""
    held, shared = _files_of(family), 0
    for member in family:
        with suppress(psutil.Error):
            held += member.memory_info().rss
    some = random.sample(family, min(SOME, len(family)))  # of all, it may take longer than they run
    held += sum(_kernels_of(member.pid) for member in some) * len(family) // max(len(some), 1)
    if held > most:  # pages that several of them share were counted for each
        for member in family:
            with suppress(psutil.Error):
                full = member.memory_full_info()
                shared += full.rss - full.pss
    return held - shared


def _kernels_of(pid: int) -> int:
    """Bytes of a process that are not in its resident set: in swap, tables of pages, and a list of its pieces."""
    with suppress(OSError):
        status, maps = (Path(f"/proc/{pid}/{name}").read_bytes() for name in ("status", "maps"))
        kilobytes = sum(map(int, re.findall(rb"(?:VmPTE|VmSwap):\s*(\d+)", status)))
        return maps.count(b"\n") * MAPPING + kilobytes * 1024
    return 0


def _files_of(family: Sequence[psutil.Process]) -> int:
    """Bytes of the files in the jail's /tmp and /dev/shm; the first of the family stands outside of it."""
    for member in family[1:]:
        with suppress(OSError):
            there = [os.statvfs(f"/proc/{member.pid}/root/{scratch}") for scratch in ("tmp", "dev/shm")]
            return sum(
                (one.f_blocks - one.f_bfree) * one.f_frsize + (one.f_files - one.f_ffree) * INODE for one in there
            )
    return 0
