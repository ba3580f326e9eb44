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
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from instructor.wire import encoded, packed
from utils.checks.calls import Call, call_answer


def _shell() -> Any:
    """IPython's shell, over the same names. Its import takes long, and few submissions need it."""
    from IPython.core.interactiveshell import InteractiveShell

    main = sys.modules["__main__"]
    shell = InteractiveShell.instance(user_module=main, user_ns=vars(main))
    shell.enable_gui = lambda gui=None: None  # type: ignore[method-assign]  # %matplotlib asks; there is no screen
    return shell


def _run(source: str, place: int) -> str:
    """Run a cell as a notebook would: after an error the next one has its turn. Returns a package that is not there."""
    try:
        code = compile(source, f"<cell {place}>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        _shell().run_cell(source)  # magics, shell commands, top-level await
        return ""
    try:
        linecache.cache[f"<cell {place}>"] = (len(source), None, source.splitlines(True), f"<cell {place}>")
        exec(code, vars(sys.modules["__main__"]))
    except ModuleNotFoundError as error:
        return str(error.name)
    except BaseException:  # also SystemExit
        pass
    return ""


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
    lacking = []
    for place, source in cells:
        answers.write(packed({"cell": place}))
        lacking.append(_run(source, place))
    answers.write(packed({"lacking": [name for name in lacking if name]}))
    while True:
        try:
            ticket, name, cases, seconds = pickle.load(questions)
        except EOFError:
            os._exit(0)  # no handler of the student's has a say in how this ends
        missing = [Call(kind="missing")] * len(cases)
        names = vars(sys.modules["__main__"])
        calls = call_answer(names[name], cases, seconds) if name in names else missing
        outcomes = [(encoded(call.value), call.error, call.kind) for call in calls]
        answers.write(packed({"ticket": ticket, "calls": outcomes}))


if __name__ == "__main__":
    main()
