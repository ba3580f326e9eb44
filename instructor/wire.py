"""What crosses between the grader and the jail: lengths and JSON, plain values and nothing that could run."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np

from utils.checks.calls import Call, Other

LENGTH = 8  # bytes before each message that say how long it is
LONGEST = 2**23  # of a message; what it is decoded to is larger
WORDS = 1_000  # characters of an error


def packed(message: Any) -> bytes:
    """A message as bytes, its length first."""
    body = json.dumps(message).encode()
    return len(body).to_bytes(LENGTH, "big") + body


def encoded(value: Any) -> Any:
    """A plain value, as ``utils.checks.calls.snapshot`` makes them, for JSON."""
    if isinstance(value, list | tuple):
        return [encoded(part) for part in value]
    if isinstance(value, np.ndarray):
        file = io.BytesIO()
        np.save(file, value, allow_pickle=False)
        return {"array": base64.b64encode(file.getvalue()).decode()}
    return {"other": value.text} if isinstance(value, Other) else value


def decoded(sent: Any) -> Any:
    """The value again. ``ValueError`` for what no jail of ours sends."""
    if isinstance(sent, list):
        return [decoded(part) for part in sent]
    if not isinstance(sent, dict):
        return sent
    if isinstance(sent.get("other"), str):
        return Other(sent["other"])
    array = np.load(io.BytesIO(base64.b64decode(sent["array"])), allow_pickle=False)
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biufc":
        raise ValueError("an array of numbers was expected")
    if max(array.shape, default=0) > LONGEST:  # an empty one may be as long as it likes
        raise ValueError("the array is too long")
    return array


def calls_from(sent: Any, ticket: str, count: int) -> list[Call]:
    """The outcomes of ``count`` calls, in answer to the question with that ticket; raises anything for a forged one."""
    if sent["ticket"] != ticket:
        raise ValueError("this was no answer to that question")
    calls = [Call(decoded(value), str(error)[:WORDS], str(kind)[:WORDS]) for value, error, kind in sent["calls"]]
    if len(calls) != count:
        raise ValueError(f"{count} calls were made, {len(calls)} outcomes came")
    return calls
