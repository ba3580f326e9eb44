"""Every system call of the table is the one it is named after, and is refused: by the program, and in the jail."""

import errno
import platform
import re
import struct
import subprocess
from pathlib import Path

import pytest
from classroom import require_a_jail

from instructor import jail, syscalls
from instructor.syscalls import ARCHITECTURE, CLONE, CLONE3, NEW_USER, REFUSED, ByMachine

require_a_jail()
CASES = [(name, machine) for name in REFUSED for machine in ByMachine._fields]
# Where Linux's own numbers are, if its headers are installed; aarch64 has the generic ones.
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}


def answer(machine, number, argument=0, architecture=None):
    """What the program answers to a call: a small machine for the five instructions that it is made of."""
    call = {0: number, 4: architecture or getattr(ARCHITECTURE, machine), 16: argument}
    loaded = at = 0
    steps = list(struct.iter_unpack("HBBI", syscalls.forbidden()))
    while True:
        code, yes, no, value = steps[at]
        at += 1
        if code == syscalls.RETURN:
            return value
        if code == syscalls.LOAD:
            loaded = call[value]
            continue
        true = {
            syscalls.EQUAL: loaded == value,
            syscalls.AT_LEAST: loaded >= value,
            syscalls.ANY_BIT: bool(loaded & value),
        }[code]
        at += yes if true else no


@pytest.mark.parametrize(("name", "machine"), CASES)
def test_the_program_refuses_every_name_of_the_table(name, machine, monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert answer(machine, getattr(REFUSED[name], machine)) == syscalls.EPERM


@pytest.mark.parametrize(("name", "machine"), CASES)
def test_every_number_is_the_kernels_for_that_name(name, machine):
    if not HEADERS[machine].exists():
        pytest.skip(f"{HEADERS[machine]} is not installed")
    numbers = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", HEADERS[machine].read_text())
    assert dict(numbers)[name] == str(getattr(REFUSED[name], machine))


@pytest.mark.parametrize("machine", ByMachine._fields)
def test_the_program_lets_the_rest_through(machine, monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: machine)
    clone = getattr(CLONE, machine)
    assert answer(machine, 0) == answer(machine, clone) == syscalls.ALLOW
    assert answer(machine, clone, argument=NEW_USER | 1) == syscalls.EPERM
    assert answer(machine, CLONE3) == syscalls.ENOSYS
    assert answer(machine, 0x40000000) == syscalls.EPERM
    assert answer(machine, 0, architecture=3) == syscalls.KILL


def test_a_machine_that_is_not_in_the_table_has_no_program(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "s390x")
    assert syscalls.forbidden() is None


@pytest.mark.skipif(platform.machine() not in ByMachine._fields, reason="its numbers are not known")
def test_the_kernel_refuses_every_name_in_the_jail():
    numbers = [getattr(number, platform.machine()) for number in REFUSED.values()]
    code = (
        "import ctypes; libc = ctypes.CDLL(None, use_errno=True)\n"
        f"print([libc.syscall(number, -1, -1, -1, -1, -1) and ctypes.get_errno() for number in {numbers}])"
    )
    with jail.start(["-c", code], stderr=subprocess.PIPE) as process:
        said, complained = process.communicate(timeout=60)
    assert said.decode().strip() == str([errno.EPERM] * len(numbers)), complained.decode()
