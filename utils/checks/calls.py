"""Calling a learner's function: with a time limit, and seeing to it that it leaves its arguments alone."""

from __future__ import annotations

import ctypes
import pickle
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from numpy import array, ndarray

STUB = "There is no answer yet: write yours in place of `raise NotImplementedError`, run that cell, then this one."
CHANGED = "{what} changes what it was given: compute with a copy of it."


class Call(NamedTuple):
    """The outcome of a call: its value, or what went wrong, with {what} for the call, and the kind of error."""

    value: Any = None
    error: str = ""
    kind: str = ""


class _TooLong(BaseException):
    """Raised in a call that goes on and on; no ``except Exception`` takes it."""


def call_all(function: Callable[..., Any], cases: Sequence[tuple[Any, ...]], seconds: float) -> list[Call]:
    """Call ``function`` for each case, all within ``seconds``; those not reached are too late as well."""
    calls: list[Call] = []
    # A daemon: a call that cannot be stopped does not keep the kernel alive.
    thread = threading.Thread(target=_work, args=(function, cases, calls), daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_TooLong))
        thread.join(1)
    late = Call(
        error=f"{{what}} did not end within {seconds:g} seconds: is there a loop that never stops?", kind="late"
    )
    done = calls[: len(cases)]  # as far as it has come: it may still be running
    return [*done, *[late] * (len(cases) - len(done))]


def snapshot(value: Any) -> Any:
    """A value as it is now, since a later call may write over it; tensors become arrays."""
    if isinstance(value, tuple | list):
        return [snapshot(part) for part in value]
    if type(value).__module__.partition(".")[0] == "torch" and hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    return array(value) if isinstance(value, ndarray) else value


def _work(function: Callable[..., Any], cases: Sequence[tuple[Any, ...]], calls: list[Call]) -> None:
    for case in cases:
        before = pickle.dumps(case)
        try:
            value = snapshot(function(*case))
        except _TooLong:
            return
        except NotImplementedError:
            calls.append(Call(error=STUB, kind="stub"))
        except Exception as error:
            calls.append(Call(error=f"{{what}} ends in {type(error).__name__}: {_braced(str(error))}", kind="error"))
        else:
            changed = pickle.dumps(case) != before
            calls.append(Call(error=CHANGED, kind="changed") if changed else Call(value))


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
