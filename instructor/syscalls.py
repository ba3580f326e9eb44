"""The system calls that the jail allows, and the program that has the kernel answer all others as one that lacks them.

What is not listed is refused, so a call that a new kernel brings is, too. Left out is what reaches memory that nobody
counts (System V and POSIX queues and semaphores, memfd, watches, keys, timers), other processes, other namespaces, and
sockets that lead out of the jail.
"""

from __future__ import annotations

import platform
import tempfile
from functools import cache

ALLOWED = {
    "memory": "brk munmap mprotect mremap madvise mincore msync membarrier get_mempolicy",
    "files": """
        access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2
        fadvise64 fallocate fchdir fchmod fchmodat fchown fchownat fdatasync flock fstat fstatfs fsync
        ftruncate getcwd getdents getdents64 getxattr fgetxattr lgetxattr lchown link linkat listxattr
        lseek lstat mkdir mkdirat newfstatat open openat pipe pipe2 pread64 preadv preadv2 pwrite64 pwritev
        pwritev2 read readlink readlinkat readv rename renameat renameat2 rmdir sendfile stat statfs statx
        symlink symlinkat truncate umask unlink unlinkat utime utimensat utimes write writev""",
    "waiting": "epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_wait eventfd2 poll ppoll pselect6 select",
    "processes": """
        execve exit exit_group fork getegid geteuid getgid getgroups getpgid getpgrp getpid getppid
        getpriority getresgid getresuid getrlimit getrusage getsid gettid getuid kill prlimit64 setpgid
        setpriority setrlimit setsid tgkill tkill vfork wait4 waitid""",
    "threads": """
        arch_prctl futex get_robust_list getcpu restart_syscall rseq rt_sigaction rt_sigpending
        rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait sched_get_priority_max
        sched_get_priority_min sched_getaffinity sched_getparam sched_getscheduler sched_setaffinity
        sched_yield set_robust_list set_tid_address sigaltstack""",
    "time": """
        alarm clock_getres clock_gettime clock_nanosleep getitimer gettimeofday nanosleep pause setitimer
        time times""",
    "the system": "getrandom sysinfo uname",
    "sockets": """
        accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmsg sendmsg
        sendto shutdown""",
    # Without privileges these change nothing; setpriv, with which root starts a jail, needs them.
    "rights": "capget capset setgid setgroups setregid setresgid setresuid setreuid setuid",
}
AF_UNIX, SOL_SOCKET, SO_REUSEADDR = 1, 1, 2
# Of mmap(2): memory that is shared and no file's stays when nothing shows it any more, and is on nobody's account.
MAP_SHARED, MAP_ANONYMOUS = 0x1, 0x20
# clone(2) with one of CLONE_NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET.
NEW_NAMESPACES = 0x80 | 0x20000 | 0x2000000 | 0x4000000 | 0x8000000 | 0x10000000 | 0x20000000 | 0x40000000
# Of prctl(2): GET_PDEATHSIG, GET_DUMPABLE, GET_KEEPCAPS, SET_KEEPCAPS, SET_NAME, GET_NAME, GET_SECCOMP, CAPBSET_READ,
# CAPBSET_DROP, GET_SECUREBITS, SET_NO_NEW_PRIVS, GET_NO_NEW_PRIVS, CAP_AMBIENT, SET_VMA. Not what lets
# a process outlive the grader (SET_PDEATHSIG) or hide from it (SET_DUMPABLE).
PRCTL = (2, 3, 7, 8, 15, 16, 21, 23, 24, 27, 38, 39, 47, 0x53564D41)


# Of fcntl(2): DUPFD, GETFD, SETFD, GETFL, SETFL, GETLK, DUPFD_CLOEXEC, GETPIPE_SZ. Not locks, leases and larger pipes.
FCNTL = (0, 1, 2, 3, 4, 5, 1030, 1032)
# Of ioctl(2): TCGETS, TCSETS, TCSETSW, TIOCGPGRP, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX.
IOCTL = (0x5401, 0x5402, 0x5403, 0x540F, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)


class NoFilter(RuntimeError):
    """Raised where the kernel cannot be told what to allow."""


@cache
def program() -> bytes:
    """The filter for this machine, in the BPF that seccomp(2) takes. ``NoFilter`` where libseccomp is missing."""
    try:
        import pyseccomp as seccomp
    except (ImportError, RuntimeError, OSError) as error:
        raise NoFilter(f"libseccomp is not on this machine, or cannot be used: {error}") from error

    # ENOSYS and not EPERM: the C library then takes an older call that does the same, clone for clone3.
    made = seccomp.SyscallFilter(seccomp.ERRNO(38))
    for name in " ".join(ALLOWED.values()).split():
        if seccomp.resolve_syscall(seccomp.Arch.NATIVE, name) >= 0:  # some have no open or fork of their own
            made.add_rule(seccomp.ALLOW, name)
    flags = 1 if platform.machine().startswith("s390") else 0
    made.add_rule(seccomp.ALLOW, "clone", seccomp.Arg(flags, seccomp.MASKED_EQ, NEW_NAMESPACES, 0))
    for flag in (MAP_SHARED, MAP_ANONYMOUS):
        made.add_rule(seccomp.ALLOW, "mmap", seccomp.Arg(3, seccomp.MASKED_EQ, flag, 0))
    for name in ("socket", "socketpair"):
        made.add_rule(seccomp.ALLOW, name, seccomp.Arg(0, seccomp.EQ, AF_UNIX))
    # multiprocessing asks for SO_REUSEADDR; a larger buffer would be the kernel's memory.
    reuse = (seccomp.Arg(1, seccomp.EQ, SOL_SOCKET), seccomp.Arg(2, seccomp.EQ, SO_REUSEADDR))
    made.add_rule(seccomp.ALLOW, "setsockopt", *reuse)
    for name, place, values in (("prctl", 0, PRCTL), ("fcntl", 1, FCNTL), ("ioctl", 1, IOCTL)):
        for value in values:
            made.add_rule(seccomp.ALLOW, name, seccomp.Arg(place, seccomp.EQ, value))
    with tempfile.TemporaryFile() as file:
        made.export_bpf(file)
        file.seek(0)
        return file.read()
