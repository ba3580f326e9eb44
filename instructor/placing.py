"""Collecting: each downloaded notebook put where grading looks for it; what is not placed is named, with its reason."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from instructor import handed_in, naming
from instructor.course import Course
from instructor.downloads import File, Left, opened
from instructor.exercise_sheet import Sheet
from instructor.lateness import Late
from instructor.naming import Named
from instructor.platforms import Export
from instructor.roster import Roster, key, nfc, unsafe


@dataclass(frozen=True)
class Collected:
    """Where a notebook came from: how the platform's names begin, its number, whether and how late; a digest."""

    prefix: str
    number: str
    late: bool
    digest: str
    seconds_late: float | None = None


@dataclass
class Report:
    """What came of collecting: students by what became of theirs, names that are in no roster, and what was left."""

    new: list[str] = field(default_factory=list)
    newer: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Found:
    """A notebook in the download, and who it is from as the platform says."""

    shown: str
    said: Named
    stem: str
    file: File
    late: Late | None


def collect(course: Course, sheet: Sheet, download: Path, worksheet: Path | None = None) -> Report:
    """Put the notebooks of a platform's ``download`` into ``submitted``. ``ValueError`` where it cannot be read.

    Moodle's grading ``worksheet`` tells two students of the same name apart, and who was late.
    """
    roster = Roster.of(course.root)
    numbers, late = _worksheet(worksheet, roster)
    report = Report()
    found: dict[str, list[_Found]] = defaultdict(list)
    state = read_state(course, sheet)
    with opened(download) as files:
        files = [file for file in files if not naming.junk(file.paths[0])]
        place = naming.platform([file.paths[0] for file in files])
        level = place[0] if place else naming.students_level([file.paths[0] for file in files])
        for file in files:
            try:
                student, one = _whose(file, level, place[1] if place else None, sheet, roster, numbers)
                found[student].append(replace(one, late=late.get(one.said.number, one.late)))
            except Left as why:
                report.left.append(f"{_shown(file)} {why}")
        for student, several in sorted(found.items()):
            try:
                one, content = _chosen(student, several, sheet, report)
                _put(course, sheet, student, one, content, state, report)
            except Left as why:
                report.left.append(f"{student}: {why}")
            _write_state(course, sheet, state)  # after each: whatever stops the next one, this one is known
    if roster is not None:
        report.unknown = sorted({*report.new, *report.newer, *report.same} - set(roster))
        there = {folder.parent.name for folder in course.submitted.glob(f"*/{sheet.name}")}
        report.missing = [student for student in roster if student not in there]
    return report


def read_state(course: Course, sheet: Sheet) -> dict[str, Collected]:
    """What collecting has placed so far, by student."""
    try:
        made = json.loads(_state(course, sheet).read_text(encoding="utf-8"))
        return {student: Collected(**one) for student, one in made.items()}
    except (OSError, ValueError, TypeError):
        return {}


def _state(course: Course, sheet: Sheet) -> Path:
    return course.root / "collected" / f"{sheet.name}.json"


def _write_state(course: Course, sheet: Sheet, state: Mapping[str, Collected]) -> None:
    path = _state(course, sheet)
    path.parent.mkdir(exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps({name: asdict(one) for name, one in state.items()}, indent=1), encoding="utf-8")
    part.replace(path)


def _worksheet(worksheet: Path | None, roster: Roster | None) -> tuple[dict[str, str], dict[str, Late]]:
    """Students by the number in the names of their files, and how late they were, as Moodle's worksheet tells."""
    if worksheet is None:
        return {}, {}
    export = Export.read(worksheet)
    found = zip(export.numbers(), export.students(roster, {}), strict=True)
    return {number: student for number, student in found if number and student}, export.late()


def _whose(
    file: File, level: int, pattern: str | None, sheet: Sheet, roster: Roster | None, numbers: Mapping[str, str]
) -> tuple[str, _Found]:
    """The student whose file it is. ``Left`` where that is not sure, or where it is no notebook."""
    unsure = Left("is left: whose it is cannot be told from its name")
    said: Named | None = None
    for path in file.paths:
        if len(path) <= level:
            raise unsure
        part = nfc(path[level])
        own = len(path) == level + 1  # the student's name is in the file's own
        said = naming.named(part, pattern) if pattern else _plain(part, own, sheet, roster)
        if said is None:
            raise unsure
        if not said.file:
            raise Left("was typed into the platform, which hands over no notebook")
        stem = naming.stem(said.rest if own and pattern else nfc(path[-1]))
        if stem is None:
            zipped = path[-1].casefold().endswith((".zip", ".7z", ".rar", ".gz"))
            raise Left("is packed: have the notebook itself handed in" if zipped else "is no notebook")
        one = _Found(_shown(file), said, stem, file, Late(None) if said.late else Late() if said.order else None)
        those = {numbers[said.number]} if said.number in numbers else set()
        if roster is not None and not those:
            by_name = naming.person(said, roster.called)
            # Of two who have the same name Canvas's number tells which it is, or that it is neither.
            ids = {student: roster[student].others.get("canvas_id") for student in by_name} if said.order else {}
            those = {name for name in by_name if not said.number or ids.get(name) in (None, "", said.number)}
        if len(those) == 1:
            return those.pop(), one
        if len(those) > 1:
            raise Left(f"may be from {' or '.join(sorted(those))}: give the platform's table as WORKSHEET")
    assert said
    names = [said.login or said.who, said.number] if pattern else [said.who]
    student = re.sub(r'[/\\:*?"<>|\x00-\x1f]', "-", nfc("_".join(name for name in names if name)).strip(" ."))
    if unsafe(student):
        raise unsure
    return student, one


def _plain(part: str, own: bool, sheet: Sheet, roster: Roster | None) -> Named | None:
    """Who a folder is from, or a file whose name begins with a student's."""
    if not own:
        return Named(part, "")
    stem = naming.stem(part)
    ends = [match.start() for match in re.finditer(r"_|$", stem or "")]
    for end in reversed(ends):
        if stem and roster is not None and roster.called(stem[:end]):
            return Named(stem[:end], "")
    before, found, _ = (stem or part).partition(f"_{sheet.name}")
    return Named(before, "") if found and before else None


def _chosen(student: str, several: list[_Found], sheet: Sheet, report: Report) -> tuple[_Found, bytes]:
    """The notebook of a student's that counts. ``Left`` where none does, or it is not sure which."""
    if len({one.said.number or key(one.said.who) for one in several}) > 1:
        raise Left(f"nothing is placed, for two may be meant: {' and '.join(sorted(one.shown for one in several))}")
    read: list[tuple[_Found, bytes]] = []
    for one in several:
        try:
            read.append((one, one.file.read()))
        except Left as why:
            report.left.append(f"{one.shown} {why}")
    if not read:
        raise Left("nothing that was handed in can be read")
    named = [pair for pair in read if pair[0].stem.casefold() == sheet.name.casefold()]
    newest = max(pair[0].said.order for pair in named or read)
    best = [pair for pair in named or read if pair[0].said.order == newest]
    if len({content for _, content in best}) > 1:
        shown = " and ".join(sorted(one.shown for one, _ in best))
        raise Left(f"nothing is placed, for it is not clear which counts: {shown}")
    report.passed_over += [f"{one.shown}: {student} has a newer or a better named one" for one, _ in read
                           if one not in [chosen for chosen, _ in best]]  # fmt: skip
    return best[0]


def _put(
    course: Course,
    sheet: Sheet,
    student: str,
    one: _Found,
    content: bytes,
    state: dict[str, Collected],
    report: Report,
) -> None:
    target = course.submitted / student / sheet.name / sheet.path.name
    digest = sha256(content).hexdigest()
    before = state.get(student)
    late = one.late
    if late is None:  # what a worksheet has said, a download without one does not take back
        known = before and (before.number, before.digest) == (one.said.number, digest)
        late = Late(before.seconds_late) if before and known and before.late else Late()
    now = Collected(one.said.prefix, one.said.number, bool(late), digest, late.seconds or None)
    if now.late:
        report.late.append(student)
    there = handed_in.read(target, handed_in.LARGEST)
    # What a person has put there since stays, until the student hands in something else.
    if target.exists() and (content == there or (before and before.digest == digest)):
        report.same.append(student)
    else:
        if target.exists():
            kept = _state(course, sheet).parent / f"{sheet.name}.{student}.{sha256(there).hexdigest()[:8]}.ipynb"
            kept.parent.mkdir(exist_ok=True)
            target.replace(kept)
        (report.newer if before or there else report.new).append(student)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(".part")
        part.write_bytes(content)
        part.replace(target)
        _stamp(course, sheet, target.with_name("timestamp.txt"), one.said.time)
    state[student] = now


def _stamp(course: Course, sheet: Sheet, path: Path, time: str) -> None:
    """Write when it was handed in, if the platform's name says it; the time of an older version goes in any case."""
    path.unlink(missing_ok=True)
    if time:
        due = course.settings.sheet(sheet.name).due
        said = datetime.strptime(time, "%Y-%m-%d-%H-%M-%S")
        said = said.replace(tzinfo=due.tzinfo) if due else said.astimezone()
        path.write_text(said.strftime("%Y-%m-%d %H:%M:%S %z"), encoding="utf-8")


def _shown(file: File) -> str:
    text = "/".join(file.paths[0])
    return text if text.isprintable() else ascii(text)


def lines(report: Report) -> list[str]:
    """The report in words, a line for each cause."""
    counts: list[tuple[str, Any]] = [
        ("new", report.new),
        ("newer than before", report.newer),
        ("as before", report.same),
        ("late", report.late),
    ]
    said = [", ".join(f"{len(names)} {what}" for what, names in counts if names) or "No notebook was placed"]
    for what, names in (
        ("Newer than before", report.newer),
        ("Not in students.csv, and graded all the same", report.unknown),
        ("Nothing yet from", report.missing),
    ):
        if names:
            said.append(f"{what}: {', '.join(names)}")
    return [*said, *(f"Passed over: {text}" for text in report.passed_over)]
