"""The table of system calls that are refused in the jail, and the program that has the kernel refuse them.

They are ways to memory that nothing counts, to other namespaces and to other processes; no answer to an exercise needs
one. The program is classic BPF, as seccomp(2) takes it, and answers with EPERM.
"""

from __future__ import annotations

import platform
import struct
from typing import NamedTuple


class ByMachine(NamedTuple):
    """A number on each machine that is known here, under the name that ``platform.machine()`` gives it."""

    x86_64: int
    aarch64: int


REFUSED = {
    "memfd_create": ByMachine(319, 279),
    "memfd_secret": ByMachine(447, 447),
    "shmget": ByMachine(29, 194),
    "unshare": ByMachine(272, 97),
    "setns": ByMachine(308, 268),
    "mount": ByMachine(165, 40),
    "open_tree": ByMachine(428, 428),
    "move_mount": ByMachine(429, 429),
    "fsopen": ByMachine(430, 430),
    "keyctl": ByMachine(250, 219),
    "add_key": ByMachine(248, 217),
    "request_key": ByMachine(249, 218),
    "ptrace": ByMachine(101, 117),
    "process_vm_readv": ByMachine(310, 270),
    "process_vm_writev": ByMachine(311, 271),
    "bpf": ByMachine(321, 280),
    "userfaultfd": ByMachine(323, 282),
    "perf_event_open": ByMachine(298, 241),
    "io_uring_setup": ByMachine(425, 425),
}
ARCHITECTURE = ByMachine(0xC000003E, 0xC00000B7)  # as seccomp calls it
CLONE = ByMachine(56, 220)
CLONE3 = 435
NEW_USER = 0x10000000  # clone(CLONE_NEWUSER)
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, EPERM, ENOSYS, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000


def forbidden() -> bytes | None:
    """The program for this machine; None for one whose numbers are not known here."""
    machine = platform.machine()
    if machine not in ByMachine._fields:
        return None
    program = [
        (LOAD, 0, 0, 4),  # the architecture of the call
        (EQUAL, 1, 0, getattr(ARCHITECTURE, machine)),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, 0),  # its number
        (AT_LEAST, 0, 1, 0x40000000),  # x32 has numbers of its own
        (RETURN, 0, 0, EPERM),
        (EQUAL, 0, 1, CLONE3),  # its flags are out of sight; the C library then takes clone
        (RETURN, 0, 0, ENOSYS),
    ]
    for number in REFUSED.values():
        program += [(EQUAL, 0, 1, getattr(number, machine)), (RETURN, 0, 0, EPERM)]
    program += [
        (EQUAL, 0, 3, getattr(CLONE, machine)),
        (LOAD, 0, 0, 16),  # its first argument
        (ANY_BIT, 0, 1, NEW_USER),
        (RETURN, 0, 0, EPERM),
        (RETURN, 0, 0, ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *step) for step in program)
