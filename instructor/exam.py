"""An exam on paper in which every student has numbers of their own, and its answers.

What was drawn is kept in the exam's folder: papers that were printed stay right, whatever is made later.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import nbformat

from instructor.course import Course
from instructor.exam_questions import QUESTIONS
from instructor.pages import TEMPLATES
from instructor.roster import FILE, Roster
from utils.checks.hints import outcome
from utils.checks.own_numbers import Numbered

NOTEBOOK = Path(__file__).with_name("questions.ipynb")
PRINT, KEYS, DRAWN = "print.html", "keys.html", "numbers.json"
Drawn = dict[str, dict[str, Any]]  # a student's numbers by question
_HEAD = re.compile(r"(?m)^### (\d+\.\d+) (.+)\n\n\*.+ · (\d+) points · (\d+) minutes\*$")
_MARKING = re.compile(r"(?m)^\*\*Marking:\*\* (.+)$")


@dataclass(frozen=True)
class Question:
    """What ``questions.ipynb`` says of a question, and the exercise that makes it for other numbers."""

    number: str
    title: str
    points: int
    minutes: int
    marking: str
    exercise: Numbered

    def text(self, numbers: Mapping[str, Any]) -> str:
        """The question with these numbers, in Markdown as the notebook has it."""
        shown = {name: _tex(value) for name, value in numbers.items()}
        return self.exercise.numbers.text(shown)

    def key(self, numbers: Mapping[str, Any]) -> dict[str, Any]:
        """The answer, part by part."""
        return dict(outcome(self.exercise.with_numbers(**numbers).reference, ()).value)  # type: ignore[arg-type]

    def mistakes(self, numbers: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """What comes out for each mistake that is often made, where that differs from the answer."""
        key = self.key(numbers)
        made = {guess.hint.text: dict(outcome(guess.solution, ()).value)
                for guess in self.exercise.with_numbers(**numbers).guesses()}  # fmt: skip
        return {text: {part: value for part, value in wrong.items() if str(value) != str(key[part])}
                for text, wrong in made.items()}  # fmt: skip


@cache
def notebook() -> tuple[str, dict[str, Question]]:
    """What is agreed on for all questions, and the questions of which others can be drawn, by number."""
    cells = [cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "markdown"]
    found = {}
    for source in cells:
        if (head := _HEAD.search(source)) and head[1] in QUESTIONS:
            number, title, points, minutes = head.groups()
            marking = _MARKING.search(source)
            assert marking
            found[number] = Question(number, title, int(points), int(minutes), marking[1], QUESTIONS[number])
    agreed = re.search(r"As in the book, (.+?\.)(?= |\n|$)", cells[0])
    assert agreed
    return agreed[1][0].upper() + agreed[1][1:], found


def chosen(numbers: Sequence[str]) -> list[Question]:
    """The questions with these numbers. ``ValueError`` for one that cannot be drawn, or is there twice."""
    questions = notebook()[1]
    if not numbers or (unknown := [number for number in numbers if number not in questions]):
        which = f"not {', '.join(unknown)}" if numbers else "none is named"
        raise ValueError(f"numbers of their own can be drawn for {', '.join(questions)}; {which}")
    if doubled := [number for number in numbers if numbers.count(number) > 1]:
        raise ValueError(f"an exam asks a question once, and {doubled[0]} is there twice")
    return [questions[number] for number in numbers]


def make(course: Course, numbers: Sequence[str]) -> Path:
    """Write a paper for everybody in the roster, all of them as one file, and the answers; where they are.

    ``ValueError`` without a roster, for a question that cannot be drawn, and for drawn numbers that were changed.
    """
    questions = chosen(numbers)
    if not (people := Roster.of(course.root)):
        raise ValueError(f"{course.root / FILE} is needed, with those who sit the exam: make the roster first")
    course.prepare()
    folder = course.root / "exams" / "_".join(numbers)
    (folder / "students").mkdir(parents=True, exist_ok=True)
    drawn = _kept(folder / DRAWN, questions)
    for student in people:
        if student not in drawn:
            drawn[student] = {
                one.number: one.exercise.numbers.draw(course.inputs(f"exam of {student}", one.number))
                for one in questions
            }
    (folder / DRAWN).write_text(json.dumps(drawn, indent=1, ensure_ascii=False), encoding="utf-8")
    page, answers = (TEMPLATES.get_template(name) for name in ("exam.html", "keys.html"))
    sittings = {f"students/{student}.html": [person] for student, person in people.items()}
    for name, sitting in {**sittings, PRINT: [*people.values()]}.items():
        made = page.render(agreed=notebook()[0], questions=questions, people=sitting, drawn=drawn)
        (folder / name).write_text(made, encoding="utf-8")
    made = answers.render(questions=questions, people=people.values(), drawn=drawn)
    (folder / KEYS).write_text(made, encoding="utf-8")
    return folder


def _kept(path: Path, questions: Sequence[Question]) -> dict[str, Drawn]:
    """What was drawn for this exam before."""
    if not path.exists():
        return {}
    try:
        drawn: dict[str, Drawn] = json.loads(path.read_text(encoding="utf-8"))
        for own in drawn.values():
            for question in questions:
                question.key(own[question.number])
    except Exception as error:
        raise ValueError(f"{path} says which numbers are on paper: bring it back as it was ({error})") from None
    return drawn


def _tex(value: Any) -> Any:
    """Rows of numbers as TeX has them in a matrix; all else as it is."""
    if isinstance(value, list | tuple) and isinstance(value[0], list | tuple):
        return r" \\ ".join(" & ".join(map(str, row)) for row in value)
    return value
