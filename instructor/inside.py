"""The program in the jail: it runs a student's cells, then calls what they defined and sends the outcomes.

It is trusted with nothing. The student's code shares its process and may send in its name; what counts is that the
values are right, and that is judged outside.
"""

from __future__ import annotations

import builtins
import linecache
import os
import pickle
import resource
import sys
from pathlib import Path
from traceback import walk_tb
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from instructor.wire import encoded, packed
from utils.checks.calls import Call, call_answer

FOREVER = 10.0**6  # seconds: the grader ends what takes too long


def _shell() -> Any:
    """IPython's shell, over the same names. Its import takes long, and few submissions need it."""
    from IPython.core.interactiveshell import InteractiveShell

    main = sys.modules["__main__"]
    shell = InteractiveShell.instance(user_module=main, user_ns=vars(main))
    shell.enable_gui = lambda gui=None: None  # type: ignore[method-assign]  # %matplotlib asks; there is no screen
    return shell


def _run(source: str, place: str) -> BaseException | None:
    """Run a cell as a notebook would: after an error, which is returned, the next one has its turn."""
    try:
        code = compile(source, place, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        result = _shell().run_cell(source)  # magics, shell commands, top-level await
        return result.error_before_exec or result.error_in_exec
    try:
        linecache.cache[place] = (len(source), None, source.splitlines(True), place)
        exec(code, vars(sys.modules["__main__"]))
    except BaseException as error:  # also SystemExit
        return error
    return None


def _told(key: str, place: str, error: BaseException) -> list[Any]:
    """A cell's error for the grader: the cell, the kind, its line, and the package that is not there."""
    lines = [line for frame, line in walk_tb(error.__traceback__) if frame.f_code.co_filename == place]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    return [key, type(error).__name__, line, error.name if isinstance(error, ModuleNotFoundError) else None]


def main() -> None:
    """Read the cells and then one question after the other from stdin; answer on what was stdout."""
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb", buffering=0)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(null, stream)  # what the student prints goes nowhere, and may be as much as it likes
    cells, limits = pickle.load(questions)
    for name, most in limits.items():
        resource.setrlimit(getattr(resource, name), (most, most))
    sys.modules["__main__"] = ModuleType("__main__")
    sys.path.append("")  # what a cell has written can be imported
    builtins.display = lambda *things, **how: None  # type: ignore[attr-defined]
    builtins.get_ipython = _shell  # type: ignore[attr-defined]
    errors, own = [], os.getpid()
    for number, (key, source) in enumerate(cells.items()):
        answers.write(packed({"cell": key}))
        place = f"<cell {number}>"
        if error := _run(source, place):
            errors.append(_told(key, place, error))
        if os.getpid() != own:
            os._exit(0)  # what a cell has forked is not to answer for us
    answers.write(packed({"errors": errors}))
    while True:
        try:
            ticket, name, cases = pickle.load(questions)
        except EOFError:
            os._exit(0)  # no handler of the student's has a say in how this ends
        missing = [Call(kind="missing")] * len(cases)
        names = vars(sys.modules["__main__"])
        calls = call_answer(names[name], cases, FOREVER) if name in names else missing
        outcomes = [(encoded(call.value), call.error, call.kind) for call in calls]
        answers.write(packed({"ticket": ticket, "calls": outcomes}))


if __name__ == "__main__":
    main()
