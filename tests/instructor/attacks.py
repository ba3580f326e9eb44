"""What hostile students write: in a function that is called for a mark, or in a cell before the others."""

KERNEL = "import ctypes\nlibc = ctypes.CDLL(None)\n"

# What each does in the function that is called with the hidden inputs; that one must not count, the others must.
IN_A_CALL = {
    "exits": "import os\nos._exit(0)",
    "raises-systemexit": "raise SystemExit(0)",
    "loops": "while True:\n    pass",
    "swallows-interrupts": """\
while True:
    try:
        while True:
            pass
    except BaseException:
        pass""",
    "loops-in-c": "return sum(range(10**13))",
    "lies-about-equality": """\
class Equal(np.ndarray):
    __array_priority__ = 1e9
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __sub__(self, other): return 0
return np.zeros(size).view(Equal)""",
    "lies-about-itself": """\
class Chameleon:
    def __array__(self, *args, **kwargs): raise SystemExit
    def __eq__(self, other): return True
    def __len__(self): return size
    def __iter__(self): return iter([self] * size)
return Chameleon()""",
    "changes-its-caller": """\
import sys
frame = sys._getframe()
while frame:
    for value in frame.f_locals.values():
        if isinstance(value, list):
            value.clear()
    frame = frame.f_back
return []""",
    "looks-for-the-master": """\
import os
for folder, below, files in os.walk("/"):
    below[:] = set(below) - {"usr", "lib", "proc"}
    for file in files:
        if file.endswith("reading.py") or "_reading" in file:
            scope = {}
            exec(open(f"{folder}/{file}").read(), scope)
            return scope["_readings"](size, kernel_size, stride)
return []""",
    "phones-home": """\
import socket
try:
    socket.create_connection(("127.0.0.1", 22), 1)
    return [len(socket.gethostname())]
except OSError:
    pass
socket.create_connection(("1.1.1.1", 53), 1)""",
    "forks-without-end": "import os\nwhile True:\n    os.fork()",
    "fills-memory": """\
import os
for _ in range(30):
    if not os.fork():
        break
held = [bytearray(os.urandom(1)) * 2**26 for _ in range(100)]
while True:
    pass""",
    "fills-the-disk": """\
import itertools
for number in itertools.count():
    for folder in ("/tmp", "/dev/shm", "/dev", "/", "/usr", "."):
        try:
            with open(f"{folder}/{number}", "wb") as file:
                file.write(bytes(2**26))
        except OSError:
            if number > 50:
                return []""",
    "tells-the-inputs": """\
print(size, kernel_size, stride)
raise type(f"E{size}k{kernel_size}s{stride}", (ValueError,), {})(f"{size}, {kernel_size}, {stride}")""",
    "answers-with-the-inputs": "return [size, kernel_size, stride]",
    "answers-too-much": "return np.zeros(2 * 10**8)",
    "answers-with-nothing-at-great-length": "return np.zeros((10**9, 0))",
    "answers-in-long-words": "return ['x' * 10**5] + ['a'] * 50_000",
    "answers-with-lists-of-nothing": "return [[]] * 5_000_000",
    "hides-memory": """\
import ctypes, os
held = [os.memfd_create(str(number)) for number in range(10)]
for file in held:
    os.write(file, bytes(2**27))
return []""",
    "leaves-its-namespace": """\
import ctypes
libc = ctypes.CDLL(None)
if libc.unshare(0x10020000) == 0 and libc.mount(b"tmpfs", b"/tmp", b"tmpfs", 0, b"size=3g") == 0:
    with open("/tmp/large", "wb") as file:
        for _ in range(24):
            file.write(bytes(2**27))
return []""",
    "answers-too-deep": "value = []\nfor _ in range(10**5):\n    value = [value]\nreturn value",
    "kills-everything": """\
import os, signal
for pid in (os.getppid(), 1, -1):
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass
return []""",
    "closes-everything": "import os\nos.closerange(0, 256)\nreturn []",
    "forges-the-answer": """\
import json, os
calls = [([1] * size, "", "")] * 16
body = json.dumps({"calls": calls}).encode()
for stream in range(3, 64):
    try:
        os.write(stream, len(body).to_bytes(8, "big") + body)
    except OSError:
        pass
return []""",
    "rewrites-the-gradebook": """\
import os, sqlite3
for folder, below, files in os.walk("/"):
    below[:] = set(below) - {"usr", "lib", "proc"}
    if "gradebook.db" in files:
        with sqlite3.connect(f"{folder}/gradebook.db") as book:
            book.execute("UPDATE grade SET auto_score = 9")
return []""",
    "makes-semaphores": KERNEL + "while True:\n    libc.syscall(64, 0, 32000, 0o1600)",
    "makes-message-queues": KERNEL + "for _ in range(10**5):\n    libc.syscall(68, 0, 0o1600)\nreturn []",
    "makes-named-queues": KERNEL + """\
for n in range(10**5):
    libc.syscall(240, b"q%d" % n, 0o102, 0o600, 0)
return []""",
    "watches-files": KERNEL + """\
for _ in range(60):
    watch = libc.syscall(294, 0)
    libc.syscall(254, watch, b"/tmp", 1)
return []""",
    "fills-keyrings": KERNEL + """\
for n in range(10**4):
    libc.syscall(248, b"user", b"k%d" % n, b"x" * 10**4, 10**4, -3)
return []""",
    "arms-timers": KERNEL + """\
at = ctypes.c_int()
for _ in range(10**5):
    libc.syscall(222, 1, None, ctypes.byref(at))
return []""",
    "forgets-what-it-shares": """\
import itertools, mmap, os
held = []
for n in itertools.count():
    try:
        file = os.open("/dev/zero", os.O_RDWR) if n % 2 else -1
        held.append(mmap.mmap(file, 2**24))
    except (OSError, ValueError):
        return []
    held[-1][:] = b"x" * 2**24
    held[-1].madvise(mmap.MADV_DONTNEED)""",
    "takes-answers-back": """\
import os, time
for stream in range(3, 9):
    try:
        os.write(stream, b"")
        there = os.open(f"/proc/self/fd/{stream}", os.O_RDONLY)
    except OSError:
        continue
    for _ in range(8):
        if not os.fork():
            while True:
                os.read(there, 1)
    time.sleep(0.3)
    for _ in range(7):
        os.write(stream, b"0")
        time.sleep(0.05)
time.sleep(10**6)""",
    "errs-in-many-words": """\
import utils.checks.calls as calls
calls._failed = lambda *a: calls.Call(error="ends in ModuleNotFoundError" * 15_000, kind="error")
raise ValueError""",
    "takes-locks": """\
import fcntl, os
for _ in range(60):
    if not os.fork():
        break
held = [open(f"/tmp/{os.getpid()}-{n}", "w") for n in range(50)]
while True:
    for place in range(0, 10**5, 2):
        for file in held:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
            except OSError:
                pass""",
    "maps-in-many-processes": """\
import mmap, os, time
for _ in range(60):
    if not os.fork():
        break
held = []
while True:
    try:
        held.append(mmap.mmap(-1, 4096, flags=2, prot=1 + 2 * (len(held) % 2)))
        held[-1][0]
    except (OSError, ValueError):
        time.sleep(60)""",
    "opens-terminals": """\
import os
for _ in range(60):
    if not os.fork():
        break
while True:
    try:
        one, other = os.openpty()
        os.set_blocking(one, False)
        os.write(one, bytes(2**16))
    except OSError:
        pass""",
    "fills-inodes": """\
import itertools
for n in itertools.count():
    open(f"/tmp/{n}", "w").close()""",
    "fills-folders": """\
import itertools, os
for n in itertools.count():
    os.makedirs(f"/dev/shm/{n}/" + "/".join("d" * 100))""",
    "fills-sockets": """\
import os, socket
for _ in range(40):
    if not os.fork():
        break
held = [end for _ in range(25) for end in socket.socketpair()]
for end in held:
    end.setblocking(False)
    try:
        while True:
            end.send(bytes(2**14))
    except OSError:
        pass
while True:
    pass""",
    "fills-pipes": """\
import fcntl, os
for _ in range(40):
    if not os.fork():
        break
for _ in range(25):
    try:
        out, into = os.pipe()
        fcntl.fcntl(into, 1031, 2**20)
    except OSError:
        pass
    os.set_blocking(into, False)
    try:
        while os.write(into, bytes(2**12)):
            pass
    except OSError:
        pass
while True:
    pass""",
    "maps-without-end": """\
import mmap
held = []
while True:
    try:
        held.append(mmap.mmap(-1, 4096, flags=2, prot=1 + 2 * (len(held) % 2)))
    except (OSError, ValueError):
        return []""",
    "reads-what-is-not-there": """\
import mmap
there = mmap.mmap(-1, 2**31, flags=2)
return [there[place] for place in range(0, 2**31, 4096)][:0]""",
    "sleeps": "import time\ntime.sleep(10**6)",
    "stops-itself": "import os\nos.kill(os.getpid(), 19)",
    "stops-everybody": "import os\nos.kill(-1, 19)\nreturn []",
    "waits-for-a-lock": "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()",
    "outlives-its-parent": KERNEL + """\
import os
libc.prctl(1, 0, 0, 0, 0)
for _ in range(5):
    if not os.fork():
        os.setsid()
        if not os.fork():
            import signal, time
            for number in range(1, 65):
                try:
                    signal.signal(number, signal.SIG_IGN)
                except (OSError, ValueError):
                    pass
            while True:
                time.sleep(60)
return []""",
    "takes-over-process-1": """\
import re, struct
code = b"\\xbf\\x01\\0\\0\\0\\x31\\xf6\\xb8\\x9d\\0\\0\\0\\x0f\\x05\\xb8\\x22\\0\\0\\0\\x0f\\x05\\xeb\\xf7"
try:
    at = int(open("/proc/1/syscall").read().split()[-1], 16)
    with open("/proc/1/mem", "r+b", 0) as memory:
        memory.seek(at)
        memory.write(code)
except (OSError, ValueError):
    pass
return []""",
    "hides-and-fills-memory": KERNEL + """\
import os
libc.prctl(4, 0, 0, 0, 0)
for _ in range(30):
    if not os.fork():
        break
held = [bytearray(os.urandom(1)) * 2**26 for _ in range(100)]
while True:
    pass""",
    "starts-threads": """\
import threading
def spin():
    while True:
        pass
for _ in range(1000):
    threading.Thread(target=spin, daemon=True).start()
return []""",
    "starts-itself-again": "import os, sys\nos.execv(sys.executable, [sys.executable, '-c', 'while True: pass'])",
    "raises-its-limits": """\
import resource
for name in dir(resource):
    if name.startswith("RLIMIT_"):
        try:
            resource.setrlimit(getattr(resource, name), (-1, -1))
        except (OSError, ValueError):
            pass
held = []
while True:
    held.append(bytearray(b"x") * 2**27)""",
    "is-nice-to-nobody": "import os\ntry:\n    os.nice(-20)\nexcept OSError:\n    pass\nwhile True:\n    pass",
    "floods-the-answers": """\
import os
while True:
    for stream in range(3, 10):
        try:
            os.write(stream, bytes(2**16))
        except OSError:
            pass""",
    "reads-the-questions": """\
import os
taken = []
for stream in range(3, 10):
    try:
        os.set_blocking(stream, False)
        taken.append(os.read(stream, 2**20))
    except OSError:
        pass
return taken""",
    "errs-at-length": "raise ValueError('x' * 10**8)",
    "errs-while-it-errs": """\
class Deep(Exception):
    def __str__(self):
        raise Deep from self
    __repr__ = __str__
raise Deep""",
    "crashes": "import ctypes\nctypes.string_at(0)",
    "falls-deep": "import sys\nsys.setrecursionlimit(10**9)\ndef fall():\n    return fall()\nreturn fall()",
    "hooks-every-event": """\
import sys
def hook(*event):
    raise RuntimeError
sys.addaudithook(hook)
return open("/tmp/x").read()""",
    "breaks-what-answers": """\
import json, pickle, threading, time
json.dumps = pickle.dumps = lambda *a, **k: "[" * 10**6
time.monotonic = lambda: 0.0
threading.Thread.join = lambda *a: None
return []""",
    "shadows-the-book": """\
import os
for package in ("utils", "numpy", "instructor", "utils/checks"):
    os.makedirs(package, exist_ok=True)
    open(f"{package}/__init__.py", "w").write("raise SystemExit")
return []""",
    "maps-the-memory-of-all": "return np.memmap('/proc/self/mem', mode='r+', shape=2**40)",
    "links-in-circles": """\
import os
os.symlink("/tmp/b", "/tmp/a")
os.symlink("/tmp/a", "/tmp/b")
return os.listdir("/tmp/a")""",
    "listens": """\
import socket
for family in range(45):
    try:
        held = socket.socket(family)
        assert family == 1
    except OSError:
        pass
return []""",
    "allocates-for-ever": "held = []\nwhile True:\n    held.append([0] * 10**6)",
    "clears-its-modules": "import sys\nsys.modules.clear()\nreturn []",
    "answers-without-end": "return iter(int, 1)",
    "answers-with-itself": "value = []\nvalue.append(value)\nreturn value",
    "answers-a-galaxy": "value = [0]\nfor _ in range(40):\n    value = [value, value]\nreturn value",
}  # fmt: skip
# What is done in a cell before the others; none of it may gain a mark or cost one.
IN_A_CELL = {
    "exits-in-a-cell": "import os\nos._exit(0)",
    "loops-in-a-cell": "while True:\n    pass",
    "prints-50-mb": "import sys\nfor _ in range(500):\n    print('x' * 10**5)\n    print('y' * 10**5, file=sys.stderr)",
    "writes-half-a-character": "half = '\ud800'",
    "hooks-the-syntax": """\
import ast
class Deletes(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
    def visit_Expr(self, node): return ast.Pass()
get_ipython().ast_transformers.append(Deletes())""",
    "patches-what-compares": """\
import numpy, numpy.testing, utils.checks.exercise
numpy.testing.assert_allclose = numpy.testing.assert_array_equal = lambda *a, **k: None
numpy.array_equal = lambda *a, **k: True
utils.checks.exercise.Exercise.check = lambda *a: None
utils.checks.exercise.Exercise.fault = lambda *a: None
utils.checks.exercise._close = lambda *a: True""",
    "forges-early": """\
import json, os
for told in ({"cell": "readings"}, {"errors": [["readings", "FULL MARKS", 1, "FULL_MARKS"]]}, {"errors": 5}, {}):
    body = json.dumps(told).encode()
    for stream in range(3, 10):
        try:
            os.write(stream, len(body).to_bytes(8, "big") + body)
        except OSError:
            pass""",
    "sleeps-in-a-cell": "import time\ntime.sleep(10**6)",
    "forks-in-a-cell": "import os\nwhile True:\n    os.fork()",
    "leaves-a-daemon": """\
import os
if not os.fork():
    os.setsid()
    while True:
        pass""",
    "imports-what-boasts": "import FULL_MARKS_were_agreed_with_the_lecturer",
    "changes-the-clock": """\
import time, threading
time.monotonic = time.time = time.perf_counter = lambda: 0.0
threading.Timer(0.2, lambda: None).start()""",
    "sets-a-signal": """\
import signal
signal.signal(signal.SIGALRM, lambda *a: 1 / 0)
signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)""",
    "traces-everything": """\
import sys, threading
sys.setprofile(lambda *a: None)
threading.setprofile(lambda *a: None)""",
    "loses-its-folder": """\
import os, shutil
os.mkdir("/tmp/x")
os.chdir("/tmp/x")
shutil.rmtree("/tmp/x")
os.umask(0o777)""",
}  # fmt: skip
OWN_LOSS = {"forks-in-a-cell", "sets-a-signal"}  # they may take from their own answers what these need
