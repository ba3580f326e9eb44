"""Calling a learner's function: with a time limit, its arguments watched, its answer kept as plain values."""

from __future__ import annotations

import ctypes
import pickle
import sys
import threading
import time
from collections.abc import Callable, Iterator, KeysView, Sequence, ValuesView
from dataclasses import dataclass
from inspect import isfunction
from itertools import islice
from traceback import walk_tb
from typing import Any, NamedTuple

from numpy import array, ma

LATE = "{what} did not end within {seconds} seconds: is there a loop that never stops, or one over far too many things?"
STUB = "There is no answer yet: write yours in place of `raise NotImplementedError`, run that cell, then this one."
YOURS = "Put your code in place of this line, run this cell, then the check."
BLANK = f'# YOUR CODE HERE\nraise NotImplementedError("{YOURS}")'  # what stands in place of a solution
EMPTY = "There is no answer yet: write it where the dots are, run that cell, then this one."
NOTHING = "There is no answer yet: {name} is None. Give it the value itself; print() only shows it."
NO_RETURN = "{what} gives None: is there a `return`?"
PRINTED = "{what} gives None. It prints its answer; write `return` there, so that a check sees it, too."
CHANGED = "{what} changes what it was given: compute with a copy of it."


class Call(NamedTuple):
    """The outcome of a call: its value, or an error with {what} for the call or {name}, and the kind of error."""

    value: Any = None
    error: str = ""
    kind: str = ""


class _TooLong(BaseException):
    """Raised in a call that goes on and on; no ``except Exception`` takes it."""


def call_answer(answer: Any, cases: Sequence[tuple[Any, ...]], seconds: float) -> list[Call]:
    """Call a learner's function for each case; an answer that needs no arguments may be the value itself."""
    if callable(answer):
        return call_all(answer, cases, seconds)
    if cases == [()]:
        return [Call(error=NOTHING, kind="stub")] if answer is None else call_all(lambda: answer, cases, seconds)
    text = f"{{name}} is to be a function, but you gave {_text(answer)[:160]}: its name, without ( )."
    return [Call(error=text, kind="no function")] * len(cases)


def call_all(function: Callable[..., Any], cases: Sequence[tuple[Any, ...]], seconds: float) -> list[Call]:
    """Call ``function`` for each case, all within ``seconds``; those not reached are too late as well."""
    calls: list[Call] = []
    _within(seconds, lambda: _work(function, cases, calls))
    late = Call(error=LATE.replace("{seconds}", f"{seconds:g}"), kind="late")
    done = calls[: len(cases)]  # as far as it has come: it may still be running
    return [*done, *[late] * (len(cases) - len(done))]


if sys.platform == "emscripten":  # Python in a browser, which has no threads

    def _within(seconds: float, work: Callable[[], None]) -> None:
        """Do ``work``, and raise ``_TooLong`` in it wherever a loop goes round, or a function begins, too late."""
        watch, ends = sys.monitoring, time.monotonic() + seconds
        tool, watched = watch.PROFILER_ID, (watch.events.JUMP, watch.events.PY_START)

        def look(*_: object) -> None:
            if time.monotonic() > ends:
                raise _TooLong

        watch.use_tool_id(tool, __name__)
        for event in watched:
            watch.register_callback(tool, event, look)
        watch.set_events(tool, sum(watched))
        try:
            work()
        except _TooLong:
            pass
        finally:
            watch.set_events(tool, 0)
            watch.free_tool_id(tool)

else:

    def _within(seconds: float, work: Callable[[], None]) -> None:
        """Do ``work`` in a thread, in which ``_TooLong`` is raised when it has taken so long."""
        # A daemon: a call that cannot be stopped does not keep the kernel alive. One that never leaves C, such as a
        # sum over 10**9 numbers, holds this thread as well until it is done.
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(seconds)
        if thread.is_alive():
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_TooLong))
            thread.join(1)


@dataclass(frozen=True)
class Other:
    """An answer, or a part of one, that is neither numbers nor text: all that is kept of it is how it looks."""

    text: str


def snapshot(value: Any) -> Any:
    """An answer as plain lists, tuples, arrays, numbers and text, as it is now: a later call may write over it."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, tuple):
        return tuple(snapshot(part) for part in tuple.__iter__(value))
    if isinstance(value, list | range | Iterator | KeysView | ValuesView):
        return [snapshot(part) for part in islice(value, 10**6)]
    if ma.is_masked(value):  # behind its mask it has numbers that nobody sees
        return Other(_text(value))
    torch = sys.modules.get("torch")
    if torch and isinstance(value, torch.Tensor):
        value = value.detach().cpu().numpy()
    try:
        made = array(value)
    except Exception:  # an object may make what it likes of the question
        return Other(_text(value))
    if made.dtype.kind in "biufc":
        return made
    return snapshot(made.tolist()) if made.ndim else Other(_text(value))


def _text(value: Any) -> str:
    try:
        return value.__name__ if isfunction(value) else str(value) if isinstance(value, BaseException) else repr(value)
    except Exception:
        return type(value).__name__


def _work(function: Callable[..., Any], cases: Sequence[tuple[Any, ...]], calls: list[Call]) -> None:
    for case in cases:
        before = pickle.dumps(case)
        try:
            value = snapshot(function(*case))
        except _TooLong:
            return
        except BaseException as error:  # also SystemExit, which would end the thread without a word
            if sys.platform == "emscripten" and isinstance(error, KeyboardInterrupt):
                raise  # a page's Stop; elsewhere that interrupts who waits for this thread
            calls.append(_failed(function, error))
            continue
        try:
            changed = pickle.dumps(case) != before
        except Exception:
            changed = True
        calls.append(Call(error=CHANGED, kind="changed") if changed else _given(value, function))


def _given(value: Any, function: Callable[..., Any]) -> Call:
    """The outcome of a call that came to an end; nothing and dots are no answer."""
    if value is None:
        prints = isfunction(function) and "print" in function.__code__.co_names
        return Call(error=PRINTED if prints else NO_RETURN, kind="none")
    return Call(error=EMPTY, kind="stub") if _has_dots(value) else Call(value)


def _has_dots(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_has_dots, value))
    return isinstance(value, Other) and value.text == "Ellipsis"


def _failed(function: Callable[..., Any], error: BaseException) -> Call:
    """What a call came to that ended in an error, with the line of the learner's code."""
    own = getattr(function, "__code__", None)
    frames = [(frame.f_code, line) for frame, line in walk_tb(error.__traceback__)]
    text = _text(error)[:300]
    if isinstance(error, NotImplementedError) and frames[-1][0] is own and text in ("", YOURS):
        return Call(error=STUB, kind="stub")
    lines = [line for code, line in frames if own and code.co_filename == own.co_filename]
    where = f" in line {lines[-1]}" if lines else ""
    said = f": {text}" if text else ""
    if type(error) is NameError:
        said += ". Run the cell that defines it, then this one"
    return Call(error=f"{{what}} ends in {type(error).__name__}{where}{said}", kind="error")
