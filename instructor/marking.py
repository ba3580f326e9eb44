"""Marks: hidden inputs drawn, answers judged by their values outside the jail, and the messages that students read."""

from __future__ import annotations

import copy
import json
import pickle
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from numpy.random import Generator

from instructor.exercise_sheet import Sheet, Task
from instructor.handed_in import HandedIn, code_cells
from instructor.submission import Limits, Outcome, Question, run
from utils.checks import Exercise
from utils.checks.calls import BLANK, Call

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
    """The results of a submission, what an instructor should look at, and a digest of what they were made from.

    ``answers`` is what the student wrote in each cell that has an id. ``private`` are notes that no student sees.
    """

    digest: str
    results: list[Result]
    notes: list[str]
    answers: dict[str, str] = field(default_factory=dict)
    private: list[str] = field(default_factory=list)

    def dumps(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False)

    @classmethod
    def loads(cls, text: str) -> Marks:
        """From JSON."""
        made = json.loads(text)
        results = [Result(**result) for result in made["results"]]
        return cls(made["digest"], results, made["notes"], made["answers"], made["private"])


def draw(sheet: Sheet, rng: Callable[[str], Generator]) -> list[Question]:
    """What to ask of a submission; ``rng`` makes the generator for an exercise's hidden inputs from a name."""
    asked = []
    for task in sheet.tasks:
        if task.exercise:
            try:
                cases = list(task.exercise.cases(rng(f"{sheet.name} {task.name}")))
                pickle.dumps(cases)
            except Exception as error:
                raise ValueError(f"the inputs of {task.name} cannot be drawn and sent: {error!r}") from error
            asked.append(Question(task.name, cases, task.exercise.seconds))
    return asked


def require_solvable(sheet: Sheet, rng: Callable[[str], Generator], limits: Limits) -> None:
    """Raise ``ValueError`` where the sheet's own solutions do not get their points: nobody's could."""
    asked = draw(sheet, rng)
    outcome = run(code_cells(sheet.notebook), asked, limits, trusted=True)  # it is the instructor's own
    for result in results(sheet, asked, outcome):
        if result.kind not in ("right", "by hand"):
            said = " ".join([result.message, *outcome.notes])
            raise ValueError(
                f"{sheet.path.name} does not solve its own exercise {result.name}, or its checks err: {said}"
            )


def marks(digest: str, sheet: Sheet, asked: Sequence[Question], outcome: Outcome, handed_in: HandedIn) -> Marks:
    """The marks for what was handed in and what came back of it."""
    made = [
        Result(result.cell, result.name, 0, "stub", MESSAGES["stub"]) if result.cell in handed_in.blank else result
        for result in results(sheet, asked, outcome)
    ]
    notes = list(outcome.notes)
    notes += [f"An answer to {cell} may stand outside of its cell, which is empty." for cell in handed_in.outside]
    sources = handed_in.sources
    lost = [one.name for one in made if one.kind == "missing" and _defines(sources.get(one.name, ""), one.name)]
    if lost and len(lost) == len(asked):
        notes.append(f"Cells define {', '.join(lost)}, and nothing of it is left at the end of the notebook.")
    return Marks(digest, made, notes, handed_in.answers)


def results(sheet: Sheet, asked: Sequence[Question], outcome: Outcome) -> list[Result]:
    """What came of each task, in the sheet's order."""
    cases = {question.name: question.cases for question in asked}
    return [
        _result(task, cases.get(task.name, ()), outcome.calls.get(task.name, ()), outcome.errors.get(task.name, ""))
        for task in sheet.tasks
    ]


def unreadable(digest: str, tasks: Sequence[Task], why: str) -> Marks:
    """The marks where there is no notebook to run."""
    results = [
        Result(task.cell, task.name, 0 if task.exercise else None, "missing" if task.exercise else "by hand", why)
        for task in tasks
    ]
    return Marks(digest, results, [why])


def _defines(source: str, name: str) -> bool:
    return re.search(rf"(?m)^(def {name}\b|{name}\s*=)", source) is not None and BLANK not in source


def _result(task: Task, cases: Sequence[tuple[Any, ...]], calls: Sequence[Call], cell_error: str) -> Result:
    if task.exercise is None:
        return Result(task.cell, task.name, None, "by hand")
    kinds = [_fault(task.exercise, case, call) for case, call in zip(cases, calls, strict=True)]
    wrong = [kind for kind in kinds if kind]
    if not wrong:
        return Result(task.cell, task.name, task.points, "right")
    part, said = _part(task, len(kinds) - len(wrong), len(kinds))
    if hint := task.exercise.hint(copy.deepcopy(cases), calls):
        return Result(task.cell, task.name, part, hint.kind, hint.text + said)
    often = f" for {len(wrong)} of {len(kinds)} hidden inputs" if cases != [()] else ""
    message = MESSAGES[wrong[0]].format(name=task.name, often=often)
    if wrong[0] == "missing" and cell_error.startswith("NotImplementedError"):
        return Result(task.cell, task.name, 0, "stub", MESSAGES["stub"])
    if wrong[0] == "missing" and cell_error:
        message = f"Its cell ends in {cell_error}, so there is no {task.name}."
    return Result(task.cell, task.name, part, wrong[0], message + said)


def _part(task: Task, right: int, calls: int) -> tuple[float, str]:
    """The points for an answer that is right for some inputs, in whole quarters, and what is said of them."""
    assert task.exercise
    quarters = 4 * right // calls if task.exercise.partial and calls else 0
    points = task.points * quarters / 4
    return points, f" It is right for some of the inputs: {points:g} of {task.points:g} points." if points else ""


def _fault(exercise: Exercise, case: tuple[Any, ...], call: Call) -> str | None:
    """The kind of what is wrong with a call, None if it is right."""
    if call.error or call.kind:
        return call.kind if call.kind in MESSAGES else "died"
    try:
        return "wrong" if exercise.fault(case, call) else None
    except Exception:  # a value that no check expects
        return "wrong"
