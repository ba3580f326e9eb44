"""What the jail allows is enough for honest work, and everything else is answered as by a kernel that lacks it."""

import errno
import subprocess
import textwrap

import pytest
from classroom import require_a_jail

from instructor import jail, syscalls

require_a_jail()
seccomp = pytest.importorskip("pyseccomp")

# Memory that nobody counts, other processes, other namespaces, the kernel's own doors.
REFUSED = """
    acct add_key bpf clone3 delete_module fanotify_init finit_module fsopen init_module inotify_init1 io_setup
    io_uring_setup ioperm kcmp kexec_load keyctl landlock_create_ruleset lookup_dcookie memfd_create
    memfd_secret migrate_pages mlock mlockall mount mount_setattr move_mount move_pages mq_open msgget msgsnd
    name_to_handle_at nfsservctl open_by_handle_at open_tree perf_event_open personality pidfd_getfd pidfd_open
    pivot_root pkey_alloc process_madvise process_vm_readv process_vm_writev ptrace quotactl reboot
    remap_file_pages request_key sched_setattr sched_setscheduler seccomp semget semop semtimedop setdomainname
    setfsuid sethostname setns settimeofday shmat shmget signalfd4 splice swapon syslog tee timer_create
    timerfd_create tuxcall umount2 unshare userfaultfd ustat vhangup vmsplice"""
CALLS = {
    "the parent's death": (157, 1, 0),  # prctl(PR_SET_PDEATHSIG)
    "out of sight": (157, 4, 0),  # prctl(PR_SET_DUMPABLE)
    "a new user namespace": (56, 0x10000000, 0),
    "a new network": (56, 0x40000000, 0),
    "the internet": (41, 2, 1),
    "the kernel's netlink": (41, 16, 3),
    "the virtual machine's host": (41, 40, 1),
    "a pair that is not of files": (53, 2, 1),
    "a larger buffer": (54, 0, 1),
}


def run(code):
    """What a program prints in the jail."""
    with jail.start(["-c", textwrap.dedent(code)], stderr=subprocess.PIPE) as process:
        try:
            said, complained = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert process.returncode == 0, complained.decode()
    return said.decode().strip()


def answers(calls):
    """The error of each call, in the jail."""
    return eval(run(f"""
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        answers = []
        for number, *arguments in {calls!r}:
            ctypes.set_errno(0)
            libc.syscall(number, *arguments, *[0] * (5 - len(arguments)))
            answers.append(ctypes.get_errno())
        print(answers)
    """))  # fmt: skip


def test_what_is_not_listed_is_not_there():
    numbers = {name: seccomp.resolve_syscall(seccomp.Arch.NATIVE, name) for name in REFUSED.split()}
    known = {name: number for name, number in numbers.items() if number >= 0}
    assert len(known) > 60
    found = answers([(number, -1, -1, -1, -1, -1) for number in known.values()])
    assert dict(zip(known, found, strict=True)) == dict.fromkeys(known, errno.ENOSYS)


@pytest.mark.skipif(seccomp.system_arch() != seccomp.Arch.X86_64, reason="the numbers are those of x86-64")
def test_what_is_allowed_for_some_arguments_is_refused_for_others():
    found = answers(list(CALLS.values()))
    assert dict(zip(CALLS, found, strict=True)) == dict.fromkeys(CALLS, errno.ENOSYS)


@pytest.mark.parametrize("name", " ".join(syscalls.ALLOWED.values()).split())
def test_every_name_is_a_system_call(name):
    assert seccomp.resolve_syscall(seccomp.Arch.X86_64, name) >= 0


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import numpy as np; print(np.linalg.svd(np.eye(3))[1].sum())", "3.0"),
        ("import matplotlib.pyplot as plt; plt.plot([1]); plt.savefig('/tmp/a.png'); print('drawn')", "drawn"),
        ("from multiprocessing import Pool; print(Pool(2).map(abs, [1, -2]))", "[1, 2]"),
        ("from concurrent.futures import ThreadPoolExecutor as T; print(list(T(2).map(abs, [-1])))", "[1]"),
        ("from concurrent.futures import ProcessPoolExecutor as P; print(list(P(2).map(abs, [-1])))", "[1]"),
        ("import asyncio; print(asyncio.run(asyncio.sleep(0, 'slept')))", "slept"),
        ("import subprocess; print(subprocess.run(['echo', 'said'], capture_output=True).stdout)", r"b'said\n'"),
        ("import tempfile; print(tempfile.TemporaryFile().write(b'abc'))", "3"),
        (
            "import torch, torch.utils.data as d; print(torch.nn.Conv2d(1, 2, 3)(torch.ones(1, 1, 5, 5)).shape[-1], "
            "len(list(d.DataLoader(torch.ones(4), num_workers=1))))",
            "3 4",
        ),
        ("from IPython.core.interactiveshell import InteractiveShell as S; S().run_cell('print(await_ := 1)')", "1"),
        ("import mmap, queue, threading, signal, sqlite3, ssl, select, shutil, zipfile; print('imported')", "imported"),
    ],
)
def test_honest_work_lacks_nothing(code, said):
    assert run(code) == said


def test_without_libseccomp_nothing_is_run(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyseccomp", None)
    syscalls.program.cache_clear()
    with pytest.raises(jail.NoJail, match="libseccomp is not on this machine"):
        jail.require()
    syscalls.program.cache_clear()
