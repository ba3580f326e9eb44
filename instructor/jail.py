"""The jail: bubblewrap around one Python process, what it sees of the disk, and what is said where there is no jail.

No network, no other processes, an empty file system apart from Python and ``utils``, which it cannot write to, a /tmp
of its own, and no system calls that lead around these. Started by root, what runs inside is another user all the same.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from instructor import syscalls

ROOT = Path(__file__).resolve().parent.parent
INSIDE = ROOT / "instructor" / "inside.py"
SCRATCH = 2**28  # bytes that fit into the jail's /tmp
MEMORY = 2**31  # bytes of a submission, unless its sheet says otherwise
KERNELS = 2**29  # more, before the kernel ends what the grader should have ended

# Where root grades, each jail gets a user nobody else has: limits on processes are counted by user.
_USERS = count(1_000_000 + os.getpid() % 10_000 * 1_000)

NO_JAIL = """\
Students' code cannot be locked in here, so nothing was run.

{reason}

On Linux, bubblewrap and libseccomp are needed: apt-get install bubblewrap libseccomp2. Where they are there and it
still fails, the system forbids user namespaces; on Ubuntu 24.04, for example, an AppArmor profile for bwrap allows
them again, and in a container the host decides. On macOS and Windows grade in a Linux virtual machine.

With --trusted (make grade TRUSTED=1) every submission runs with your own rights: it can read your files, other
students' work and the gradebook, and change them. That is for code that you wrote yourself."""


class NoJail(RuntimeError):
    """Raised where submissions cannot be isolated."""


def start(
    program: Sequence[str], trusted: bool = False, stderr: int = subprocess.DEVNULL, memory: int = MEMORY
) -> subprocess.Popen[bytes]:
    """Start Python with these arguments in a jail, a pipe at each end. ``memory`` is for a cgroup, if there is one."""
    command = [sys.executable, "-I", *program]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": stderr, "bufsize": 0}
    if trusted:
        return subprocess.Popen(command, env=_environment(), **pipes)
    with tempfile.TemporaryFile() as rules:
        rules.write(syscalls.program())
        rules.seek(0)
        # The scope is asked for with our own variables; behind it there are others.
        variables = [f"{name}={value}" for name, value in _environment().items()]
        walls = [*_scope(memory), "env", "-i", *variables, *_walls("--seccomp", str(rules.fileno()))]
        return subprocess.Popen([*walls, *command], pass_fds=[rules.fileno()], **pipes)


def _environment() -> dict[str, str]:
    """The variables of what runs inside: nothing of the instructor's."""
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    return {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", "MPLBACKEND": "agg", **threads}


@cache
def _scope(memory: int) -> list[str]:
    """What puts a process into a cgroup of its own, where systemd makes one: the kernel then keeps the sum."""
    most = ["MemorySwapMax=0", f"MemoryMax={memory + KERNELS}", "TasksMax=256"]
    scope = ["systemd-run", "--quiet", "--scope", "--collect", *(f"--property={one}" for one in most)]
    if os.geteuid():
        scope.insert(1, "--user")
    try:
        tried = subprocess.run([*scope, "true"], capture_output=True, timeout=20, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return scope if tried.returncode == 0 else []


def require_unseen(*folders: Path) -> None:
    """Raise ``ValueError`` for a folder that what runs in the jail can read."""
    for folder in folders:
        if inside := [seen for seen in _seen() if folder.resolve().is_relative_to(seen.resolve())]:
            raise ValueError(f"submissions can read what lies in {inside[0]}: put {folder} somewhere else")


def require() -> None:
    """Raise ``NoJail`` with what to do about it unless a process can be jailed on this machine."""
    if not shutil.which("bwrap"):
        raise NoJail(NO_JAIL.format(reason="There is no bwrap on this machine."))
    try:
        with start(["-c", ""], stderr=subprocess.PIPE) as tried:
            said = tried.communicate(timeout=60)[1].decode(errors="replace").strip()
    except syscalls.NoFilter as error:
        raise NoJail(NO_JAIL.format(reason=f"{error}.")) from error
    if tried.returncode:
        raise NoJail(NO_JAIL.format(reason=f"bwrap says: {said}"))


def _seen() -> list[Path]:
    """What a submission sees of this machine's files, beside a few of the system's."""
    own = [ROOT / "utils", INSIDE, ROOT / "instructor" / "wire.py"]
    return [Path("/usr"), Path(sys.base_prefix), Path(sys.prefix), *own]


def _walls(*more: str) -> list[str]:
    """The command that what runs inside is put behind; ``more`` is for bwrap."""
    usr = Path("/usr")
    bwrap = [shutil.which("bwrap") or "bwrap", *more, "--die-with-parent", "--new-session", "--ro-bind", "/usr", "/usr"]
    for folder in (Path("/bin"), Path("/lib"), Path("/lib64")):
        if folder.is_symlink():
            bwrap += ["--symlink", str(folder.readlink()), str(folder)]
        else:
            bwrap += ["--ro-bind-try", str(folder), str(folder)]
    bwrap += ["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache", "--ro-bind-try", "/etc/fonts", "/etc/fonts"]
    # Mapped, /dev/zero is shared memory that nobody counts.
    bwrap += ["--proc", "/proc", "--dev", "/dev", "--dev-bind", "/dev/null", "/dev/zero"]
    for scratch in ("/tmp", "/dev/shm"):  # before what follows, for the clone itself may lie in /tmp
        bwrap += ["--perms", "1777", "--size", str(SCRATCH), "--tmpfs", scratch]
    for path in _seen():
        if not path.is_relative_to(usr):
            # Without a mode of its own a folder above would get that of the outside, which may shut everybody out.
            for above in reversed(path.parents[:-1]):
                bwrap += ["--perms", "0755", "--dir", str(above)]
            bwrap += ["--ro-bind", str(path), str(path)]
    bwrap += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]
    if os.geteuid():
        return [*bwrap, "--unshare-all"]
    # Root needs no user namespace to build the walls. What runs inside gets a user of its own, for root has no limits.
    user = str(next(_USERS))
    drop = ["--reuid", user, "--regid", user, "--clear-groups", "--no-new-privs", "--bounding-set=-all"]
    return [*bwrap, "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "setpriv", *drop]
