"""System calls that are refused in the jail: ways to memory that nothing counts, to other namespaces and processes.

A classic BPF program, as seccomp(2) takes it. What no answer to an exercise needs is refused with EPERM.
"""

from __future__ import annotations

import platform
import struct

# Numbers by machine: AUDIT_ARCH, clone, and what is refused, in the order of NAMES.
NAMES = (
    "memfd_create", "memfd_secret", "shmget", "unshare", "setns", "mount", "open_tree", "move_mount", "fsopen",
    "keyctl", "add_key", "request_key", "ptrace", "process_vm_readv", "process_vm_writev", "bpf", "userfaultfd",
    "perf_event_open", "io_uring_setup",
)  # fmt: skip
MACHINES = {
    "x86_64": (
        0xC000003E,
        56,
        (319, 447, 29, 272, 308, 165, 428, 429, 430, 250, 248, 249, 101, 310, 311, 321, 323, 298, 425),
    ),
    "aarch64": (
        0xC00000B7,
        220,
        (279, 447, 194, 97, 268, 40, 428, 429, 430, 219, 217, 218, 117, 270, 271, 280, 282, 241, 425),
    ),
}
CLONE3 = 435
NEW_USER = 0x10000000  # clone(CLONE_NEWUSER)
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, EPERM, ENOSYS, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000


def forbidden() -> bytes | None:
    """The program for this machine; None for one whose numbers are not known here."""
    if platform.machine() not in MACHINES:
        return None
    architecture, clone, refused = MACHINES[platform.machine()]
    program = [
        (LOAD, 0, 0, 4),  # the architecture of the call
        (EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, 0),  # its number
        (AT_LEAST, 0, 1, 0x40000000),  # x32 has numbers of its own
        (RETURN, 0, 0, EPERM),
        (EQUAL, 0, 1, CLONE3),  # its flags are out of sight; the C library then takes clone
        (RETURN, 0, 0, ENOSYS),
    ]
    for number in refused:
        program += [(EQUAL, 0, 1, number), (RETURN, 0, 0, EPERM)]
    program += [
        (EQUAL, 0, 3, clone),
        (LOAD, 0, 0, 16),  # its first argument
        (ANY_BIT, 0, 1, NEW_USER),
        (RETURN, 0, 0, EPERM),
        (RETURN, 0, 0, ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *step) for step in program)
