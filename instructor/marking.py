"""Marks: hidden inputs drawn, answers judged by their values outside the jail, and the messages that students read."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from numpy.random import Generator

from instructor.exercise_sheet import Sheet, Task
from instructor.handed_in import code_cells
from instructor.submission import Limits, Outcome, Question, run
from utils.checks import Exercise
from utils.checks.calls import Call

# Written here and not by a student's process: nothing of the hidden inputs is in them.
MESSAGES = {
    "stub": "There is no answer yet.",
    "missing": "The notebook defines no {name}: there is no answer yet, or its cell is gone or ends in an error.",
    "no function": "{name} is to be a function.",
    "late": "{name} did not stop in time.",
    "died": "There is no answer: the process ended, or had to be ended.",
    "changed": "{name} changes what it was given: compute with a copy of it.",
    "error": "{name} ends in an error{often}.",
    "none": "{name} returns nothing.",
    "wrong": "{name} gives a wrong answer{often}.",
}


@dataclass(frozen=True)
class Result:
    """What came of one task: its points, None for what is marked by hand, and why.

    ``kind`` is "right", "by hand", a key of MESSAGES, or a key of ``utils.checks.seen.KINDS`` if the message is a hint.
    """

    cell: str
    name: str
    points: float | None
    kind: str
    message: str = ""


@dataclass(frozen=True)
class Marks:
    """The results of a submission, what an instructor should look at, and a digest of what they were made from."""

    digest: str
    results: list[Result]
    notes: list[str]

    def dumps(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False)

    @classmethod
    def loads(cls, text: str) -> Marks:
        """From JSON."""
        made = json.loads(text)
        return cls(made["digest"], [Result(**result) for result in made["results"]], made["notes"])


def questions(sheet: Sheet, rng: Callable[[str], Generator]) -> list[Question]:
    """What to ask of every submission; ``rng`` makes the generator for an exercise's hidden inputs from a name.

    ``ValueError`` where the sheet's own solutions do not get their points: nobody's could.
    """
    asked = []
    for task in sheet.tasks:
        if task.exercise:
            try:
                cases = list(task.exercise.cases(rng(f"{sheet.name} {task.name}")))
                pickle.dumps(cases)
            except Exception as error:
                raise ValueError(f"the inputs of {task.name} cannot be drawn and sent: {error!r}") from error
            asked.append(Question(task.name, cases, task.exercise.seconds))
    outcome = run(code_cells(sheet.notebook), asked, Limits(), trusted=True)  # it is the instructor's own
    for result in marks("", sheet, asked, outcome).results:
        if result.kind not in ("right", "by hand"):
            said = " ".join([result.message, *outcome.notes])
            raise ValueError(
                f"{sheet.path.name} does not solve its own exercise {result.name}, or its checks err: {said}"
            )
    return asked


def marks(
    digest: str, sheet: Sheet, questions: Sequence[Question], outcome: Outcome, blank: Collection[str] = ()
) -> Marks:
    """The marks for what came back; ``blank`` are the cells for a person's eyes that nobody has written into."""
    cases = {question.name: question.cases for question in questions}
    results = [
        Result(task.cell, task.name, 0, "stub", MESSAGES["stub"])
        if task.cell in blank
        else _result(task, cases.get(task.name, ()), outcome.calls.get(task.name, ()))
        for task in sheet.tasks
    ]
    late = [result.name for result in results if result.kind == "late"]
    return Marks(digest, results, [*outcome.notes, *(MESSAGES["late"].format(name=name) for name in late)])


def unreadable(digest: str, tasks: Sequence[Task], why: str) -> Marks:
    """The marks where there is no notebook to run."""
    results = [
        Result(task.cell, task.name, 0 if task.exercise else None, "missing" if task.exercise else "by hand", why)
        for task in tasks
    ]
    return Marks(digest, results, [why])


def _result(task: Task, cases: Sequence[tuple[Any, ...]], calls: Sequence[Call]) -> Result:
    if task.exercise is None:
        return Result(task.cell, task.name, None, "by hand")
    kinds = [_fault(task.exercise, case, call) for case, call in zip(cases, calls, strict=True)]
    wrong = [kind for kind in kinds if kind]
    if not wrong:
        return Result(task.cell, task.name, task.points, "right")
    if hint := task.exercise.hint(copy.deepcopy(cases), calls):
        return Result(task.cell, task.name, 0, hint.kind, hint.text)
    often = f" for {len(wrong)} of {len(kinds)} hidden inputs" if cases != [()] else ""
    return Result(task.cell, task.name, 0, wrong[0], MESSAGES[wrong[0]].format(name=task.name, often=often))


def _fault(exercise: Exercise, case: tuple[Any, ...], call: Call) -> str | None:
    """The kind of what is wrong with a call, None if it is right."""
    if call.error or call.kind:
        return call.kind if call.kind in MESSAGES else "died"
    try:
        return "wrong" if exercise.fault(case, call) else None
    except Exception:  # a value that no check expects
        return "wrong"
