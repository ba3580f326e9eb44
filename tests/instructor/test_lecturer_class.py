"""What a lecturer expects of a graded class: everybody in it, lateness, marks by hand, exports, the pages."""

import csv
import io
import re
import shutil
import zipfile

import pytest
from classroom import EXAMPLE, MISTAKES, RIGHT, SHEET, Submission, given_out, hand_in, notebook, require_a_jail
from nbgrader.api import Gradebook

from instructor import measures, pages
from instructor.__main__ import main
from instructor.course import Course
from instructor.exercise_sheet import Sheet
from instructor.gradebook import Row
from instructor.grading import grade
from instructor.lateness import Late
from instructor.likeness import alike
from instructor.marking import Marks
from instructor.members import members
from instructor.release import release
from instructor.settings import Settings

require_a_jail()
NAME = SHEET.stem


def command(*words):
    return main(list(map(str, words)))


def read(path):
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"))))


@pytest.fixture(scope="module")
def blank(tmp_path_factory):
    return given_out(tmp_path_factory.mktemp("blank"))


@pytest.fixture
def course(blank, tmp_path):
    shutil.copytree(blank[0].root, tmp_path / "course")
    return Course(tmp_path / "course")


ROSTER = """\
student,name,canvas_id,login,email
ada,"Lovelace, Ada",1234,ada,ada@example.org
eve,=HYPERLINK("x"),2345,eve,eve@example.org
hm,Hans Müller,3456,hm,hm@example.org
zoe,Zoë,4567,zoe,zoe@example.org
"""
WEEK = {
    "lovelaceada_1234_5001_01_reading.ipynb": RIGHT,
    "hyperlinkx_LATE_2345_5002_01_reading-1.ipynb": RIGHT,
    "müllerhans_3456_5003_01_reading.ipynb": {name: answer for name, (answer, _) in MISTAKES.items()},
    "stranger_9999_5004_01_reading.ipynb": RIGHT,
}


@pytest.fixture(scope="module")
def week(blank, tmp_path_factory):
    """A course in its first week, through the commands that the guide names, with what they said."""
    folder = tmp_path_factory.mktemp("a week")
    course = Course(folder / "course")
    shutil.copytree(blank[0].root, course.root)
    (course.root / "students.csv").write_text(ROSTER, encoding="utf-8")
    (course.root / "course.toml").write_text("late_percent_a_day = 20\n", encoding="utf-8")
    with zipfile.ZipFile(folder / "submissions.zip", "w") as archive:
        for name, answers in WEEK.items():
            archive.writestr(name, notebook(blank[1], {**answers, "padding": "YOUR ANSWER HERE"}))
    words = ("01", "--sheets", EXAMPLE, "--course", course.root)
    assert command("collect", *words, "--from", folder / "submissions.zip") == 0
    assert command("grade", *words) == 0
    return course, folder


def test_everybody_has_a_line_and_a_name(week):
    course, _ = week
    rows = {row["student"]: row for row in read(course.table(Sheet(SHEET)))}
    assert list(rows) == ["ada", "eve", "hm", "zoe", "stranger_9999"]
    assert [rows[student]["handed in"] for student in rows] == ["yes", "late", "yes", "no", "yes"]
    assert (rows["ada"]["total"], rows["zoe"]["total"], rows["zoe"]["of"]) == ("5.0", "", "7.0")
    assert rows["eve"]["name"] == '\'=HYPERLINK("x")'
    page = course.report(Sheet(SHEET)).read_text(encoding="utf-8")
    assert "Lovelace, Ada" in page
    assert "not in students.csv" in page
    assert "1 handed in nothing" in page
    assert "Hans Müller" in course.feedback(Sheet(SHEET), "hm").read_text(encoding="utf-8")


def test_links_lead_from_a_student_to_feedback_and_notebook(week):
    course, _ = week
    page = course.report(Sheet(SHEET))
    links = re.findall(r'href="(\.\./[^"]+)"', page.read_text(encoding="utf-8"))
    assert len(links) == 8
    assert all((page.parent / link).resolve().is_file() for link in links)


def test_a_penalty_is_the_same_here_and_in_nbgrader(week):
    course, _ = week
    rows = {row["student"]: row for row in read(course.table(Sheet(SHEET)))}
    assert (rows["eve"]["taken off"], rows["eve"]["total"]) == ("1.0", "4.0")
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as book:
        found = book.find_submission(NAME, "eve")
        assert found.score - found.late_submission_penalty == 4
    assert "were taken off" in course.feedback(Sheet(SHEET), "eve").read_text(encoding="utf-8")


def test_the_same_answers_are_pointed_out(week):
    course, _ = week
    page = course.report(Sheet(SHEET)).read_text(encoding="utf-8")
    group = page.split("The same answers</h2>")[1].split("</ul>")[0]
    assert "Lovelace, Ada" in group
    assert "stranger_9999" in group
    assert "Müller" not in group


def test_all_sheets_are_in_one_table(week):
    course, _ = week
    rows = {row["student"]: row for row in read(course.root / "grades" / "all.csv")}
    assert float(rows["ada"][NAME]) == pytest.approx(500 / 7, abs=0.01)
    assert (rows["zoe"][NAME], rows["zoe"]["total"]) == ("", "0.0")
    assert rows["ada"]["email"] == "ada@example.org"


def test_canvas_gets_its_own_table_back(week, capsys):
    course, folder = week
    theirs = folder / "canvas.csv"
    theirs.write_text(
        "Student,ID,SIS User ID,SIS Login ID,Section,Another (1),01_reading (77),Final Score\n"
        "    Points Possible,,,,,5.00,14.00,(read only)\n"
        '"Lovelace, Ada",1234,,ada,A,3,,\n"Eve",2345,,eve,A,,2.00,\n'
        '"Müller, Hans",3456,,hm,A,,,\nZoë,4567,,zoe,A,,1.00,\n',
        encoding="utf-8",
    )
    words = ("01", "--sheets", EXAMPLE, "--course", course.root, "--from", theirs)
    assert command("export", *words) == 0
    said = capsys.readouterr().out
    assert "Scaled from 7 to 14 points" in said
    assert "No line in canvas.csv for: stranger_9999" in said
    rows = read(course.root / "grades" / f"{NAME}_canvas.csv")
    assert list(rows[0]) == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "01_reading (77)"]
    assert [row["01_reading (77)"] for row in rows] == ["14.00", "10", "8", "0", "1.00"]
    with zipfile.ZipFile(course.root / "grades" / f"{NAME}_feedback.zip") as archive:
        assert "hyperlinkx_LATE_2345_5002_feedback.html" in archive.namelist()
    theirs.write_text(theirs.read_text(encoding="utf-8").replace("01_reading (77)", "Week 1 (77)"), encoding="utf-8")
    assert command("export", *words) == 1
    assert "it has Another (1), Week 1 (77). Say in course.toml" in capsys.readouterr().err


def test_moodle_gets_its_worksheet_back(week):
    course, folder = week
    theirs = folder / "Grades.csv"
    theirs.write_text(
        "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Last modified (grade),Feedback comments\n"
        "Participant 71,Ada Lovelace,ada@example.org,Submitted,,100.00,-,\n"
        "Participant 72,Zoë,zoe@example.org,No submission,3.00,100.00,-,well\n",
        encoding="utf-8-sig",
    )
    assert command("export", "01", "--sheets", EXAMPLE, "--course", course.root, "--from", theirs) == 0
    path = course.root / "grades" / f"{NAME}_moodle.csv"
    assert path.read_bytes().startswith(b"\xef\xbb\xbfIdentifier,")
    rows = read(path)
    assert rows[0]["Last modified (grade)"] == "-"
    assert [(row["Identifier"], row["Grade"], row["Feedback comments"]) for row in rows] == [
        ("Participant 71", "71.43", ""),
        ("Participant 72", "3.00", "well"),
    ]


def test_the_terminal_says_a_line_for_each_cause(course, blank, capsys):
    hand_in(course.root, [Submission(name, notebook(blank[1], RIGHT), {}) for name in ("a", "b")])
    words = ("01", "--sheets", EXAMPLE, "--course", course.root)
    assert command("grade", *words, "--dry") == 0
    assert "2 to be marked: a, b" in capsys.readouterr().out
    assert not (course.root / "autograded").exists()
    assert command("grade", *words) == 0
    said = capsys.readouterr().out
    assert "2 marked, 2 to mark by hand" in said
    assert "The same answers: a, b" in said
    assert command("grade", *words, "--dry") == 0
    assert "Nothing is to be marked" in capsys.readouterr().out
    assert command("grade", *words, "--dry", "--force", "--student", "b") == 0
    assert "1 to be marked: b" in capsys.readouterr().out


def by_hand(course, student, cell, score, formgrader=True):
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as book:
        mark = book.find_grade(cell, NAME, NAME, student)
        mark.manual_score = score
        if formgrader:  # which says so when a person has marked
            mark.needs_manual_grade = False
        book.db.commit()


def test_a_mark_by_hand_for_an_earlier_answer_is_pointed_out_until_it_is_given_again(course, blank, capsys):
    sheet = Sheet(SHEET)
    hand_in(course.root, [Submission("ada", notebook(blank[1], {"readings": MISTAKES["readings"][0]}), {})])
    grade(course, sheet)
    by_hand(course, "ada", "check_readings", 1)
    by_hand(course, "ada", "padding", 1.5)
    grade(course, sheet)
    assert "for an earlier answer" not in capsys.readouterr().out
    course.submissions(sheet)["ada"].write_bytes(notebook(blank[1], {"readings": RIGHT["readings"], "padding": "New."}))
    for _ in range(2):  # and it is not forgotten when nothing has changed since
        grade(course, sheet)
        assert "With a mark by hand for an earlier answer: ada" in capsys.readouterr().out
        page = course.report(sheet).read_text(encoding="utf-8")
        assert page.count("was given to an earlier answer") == 2
    by_hand(course, "ada", "check_readings", 2)
    by_hand(course, "ada", "padding", 1.5)
    grade(course, sheet)
    assert "for an earlier answer" not in capsys.readouterr().out
    assert [row["total"] for row in read(course.table(sheet))] == ["3.5"]
    by_hand(course, "ada", "check_readings", 0.5)
    grade(course, sheet)
    assert "is below the automatic one" in course.report(sheet).read_text(encoding="utf-8")


def test_part_of_the_points_where_the_sheet_says_so(course, blank, tmp_path):
    shutil.copytree(EXAMPLE, tmp_path / "graded")
    checks = tmp_path / "graded" / "reading.py"
    checks.write_text(
        checks.read_text().replace("    reference=_readings,", "    reference=_readings,\n    partial=True,")
    )
    sheet = Sheet(tmp_path / "graded" / SHEET.name)
    release(course, sheet)
    some = RIGHT["readings"].replace("    starts", "    if kernel_size > 3:\n        return []\n    starts", 1)
    none = "def readings(size, kernel_size, stride):\n    return []"
    both = {"read_map": "def read_map(height, width, kernel_size, stride):\n    return []"}
    for name, answer in (("some", some), ("none", none), ("all", RIGHT["readings"])):
        hand_in(course.root, [Submission(name, notebook(blank[1], {**both, "readings": answer}), {})])
    grade(course, sheet)
    rows = {row["student"]: row for row in read(course.table(sheet))}
    assert 0 < float(rows["some"]["readings"]) < 2
    assert float(rows["some"]["readings"]) % 0.5 == 0
    assert (rows["none"]["readings"], rows["all"]["readings"], rows["all"]["read_map"]) == ("0.0", "2.0", "0.0")
    assert "right for some of the inputs" in course.feedback(sheet, "some").read_text(encoding="utf-8")


@pytest.mark.parametrize("points", [0, 3])
def test_nothing_is_divided_by_no_points(blank, points):
    sheet = Sheet(SHEET)
    tasks = [type(task)(task.cell, task.name, task.title, 0, task.exercise) for task in sheet.tasks]
    tasks[0] = type(tasks[0])(tasks[0].cell, tasks[0].name, tasks[0].title, points, tasks[0].exercise)
    object.__setattr__(sheet, "tasks", tasks)
    row = Row("ada", {task.cell: 0.0 for task in tasks}, {})
    for class_ in ([], members(None, [row], {}), members(None, [], {}, ["ada"])):
        pages.report(blank[0], sheet, class_, [])
        pages.lecture(sheet, class_)
        measures.measures(sheet, [member.row for member in class_ if member.row])


def test_backticks_in_a_hint_are_code_and_nothing_else_is():
    assert pages.spoken("Right if `groups` were 1: `") == "Right if <code>groups</code> were 1: `"
    assert pages.spoken("`<b>`<i>") == "<code>&lt;b&gt;</code>&lt;i&gt;"


def test_the_page_without_names_says_nothing_of_one_person():
    sheet = Sheet(SHEET)
    few = [Row(f"s{n}", {task.cell: 0.0 for task in sheet.tasks}, {}) for n in range(9)]
    page = pages.lecture(sheet, members(None, few, {}))
    assert "Fewer than 10" in page
    assert "<table" not in page
    more = [Row(f"student{n}", {task.cell: task.points * (n > 0) for task in sheet.tasks}, {}) for n in range(12)]
    page = pages.lecture(sheet, members(None, more, {}))
    assert "student" not in page.replace("Students", "")
    assert page.count(">few<") == 2  # the one with nothing, and the others, from whom it would follow


def test_an_exercise_that_tells_nobody_apart_is_seen():
    sheet = Sheet(SHEET)
    rows = [Row(str(n), {task.cell: task.points * (n % 2) for task in sheet.tasks}, {}) for n in range(10)]
    for n, row in enumerate(rows):
        row.points[sheet.tasks[0].cell] = n % 3
        row.points[sheet.tasks[-1].cell] = None if n else 1.0
    scores = measures.measures(sheet, rows).scores
    assert scores[1].discrimination > 0.5 > abs(scores[0].discrimination)
    assert scores[-1].discrimination is None


def test_two_blanks_are_no_copy():
    given = {"a": "# YOUR CODE HERE\nraise NotImplementedError()", "b": "Write here."}
    long = "\n".join(f"x{n} = {n}  # {n}" for n in range(30))
    answers = {
        "blank 1": given, "blank 2": given, "one": {"a": long, "b": "Write here."},
        "two": {"a": long.replace("  # ", " #").replace(" = ", "="), "b": "Write  here."},
        "three": {"a": long, "b": "Mine."},
        "broken": {"a": "'''" * 99, "b": "("}, "broken 2": {"a": "'''" * 99, "b": "("},
    }  # fmt: skip
    assert alike(answers, given) == [["broken", "broken 2"], ["one", "two"]]


def test_notes_are_few_and_each_is_said_once(blank):
    marks = Marks("", [], ["The same."] * 120 + [f"Another {n}." for n in range(20)])
    (member,) = members(None, [Row("ada", {}, {})], {"ada": marks})
    said = member.notes({})
    assert said[0] == "The same. (120 times)"
    assert len(said) == 6
    assert said[-1] == "And 16 more."


@pytest.mark.parametrize(
    ("seconds", "words", "days", "taken"),
    [(0, "", 0, 0), (0.5, "late", 1, 1), (90, "1 minute 30 seconds late", 1, 1), (86_400, "1 day late", 1, 1),
     (86_401, "1 day 1 second late", 2, 2), (864_000 * 9, "90 days late", 90, 10), (None, "late", 1, 1)],
)  # fmt: skip
def test_lateness_in_words_and_days(seconds, words, days, taken):
    late = Late(seconds)
    assert (str(late), late.days, bool(late)) == (words, days, seconds != 0)
    assert late.penalty(10, 10) == taken


@pytest.mark.parametrize(
    ("status", "seconds"),
    [("Submitted for grading", 0), ("Submitted for grading - 2 days late", 172_800), ("No submission", 0),
     ("Submitted for grading - 1 day 3 hours late - Graded", 97_200), ("Submitted for grading - 5 mins late", 300),
     ("Assignment is overdue by: 2 days", 0), ("Submitted, late", None)],
)  # fmt: skip
def test_lateness_that_moodle_writes(status, seconds):
    assert Late.said(status) == Late(seconds)


def test_a_deadline_and_a_time_make_the_penalty(course, blank):
    (course.root / "course.toml").write_text(
        f"late_percent_a_day = 10\n[sheets.{NAME}]\ndue = 2026-10-01T12:00:00+02:00\n", encoding="utf-8"
    )
    hand_in(course.root, [Submission(name, notebook(blank[1], RIGHT), {}) for name in ("early", "late", "unknown")])
    for name, time in (("early", "2026-10-01 09:59:00 UTC"), ("late", "2026-10-02 10:00:01 UTC")):
        (course.submissions(Sheet(SHEET))[name].parent / "timestamp.txt").write_text(time)
    grade(course, Sheet(SHEET))
    rows = {row["student"]: (row["handed in"], float(row["taken off"])) for row in read(course.table(Sheet(SHEET)))}
    assert rows == {"early": ("yes", 0), "late": ("1 day 1 second late", 1), "unknown": ("yes", 0)}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("late_percent = 3", "late_percent is no setting; there are late_percent_a_day"),
        ("late_percent_a_day = 101", "is to be a number from 0 to 100, and not 101"),
        ("late_percent_a_day = nan", "is to be a number from 0 to 100, and not nan"),
        ("own_numbers = 1", "is to be true or false, and not 1"),
        ("[sheets.x]\ndue = 2026-01-01T10:00:00", "with an offset from UTC"),
        ("[sheets.x]\nweight = true", "sheets.x.weight is to be a number"),
        ("[sheets]\nx = 1", "stand below its name"),
        ("late_percent_a_day = ", "is to be TOML"),
    ],
)
def test_a_setting_that_is_none_is_named(tmp_path, text, rule):
    (tmp_path / "course.toml").write_text(text)
    with pytest.raises(ValueError, match=re.escape(rule)) as error:
        Settings.of(tmp_path)
    assert str(tmp_path / "course.toml") in str(error.value)


def test_the_settings_file_of_a_new_course_explains_every_setting_and_sets_none(blank):
    text = (blank[0].root / "course.toml").read_text(encoding="utf-8")
    assert blank[0].settings == Settings()
    (blank[0].root / "course.toml").write_text(re.sub(r"(?m)^#(?=\S)", "", text), encoding="utf-8")
    made = blank[0].settings
    (blank[0].root / "course.toml").write_text(text, encoding="utf-8")
    sheet = made.sheet("02_sizes")
    assert made.own_numbers
    assert (made.late_percent_a_day, sheet.weight, sheet.column) == (10, 2, "Exercise 2")
    assert (sheet.limits.cell, sheet.limits.total, sheet.limits.memory) == (30, 300, 2**31)


@pytest.fixture(params=["report", "lecture", "feedback"])
def page(request, week, tmp_path):
    """The class's page, the one without names, and what a student gets back."""
    course, _ = week
    sheet = Sheet(SHEET)
    if request.param == "report":
        return course.report(sheet)
    if request.param == "feedback":
        return course.feedback(sheet, "eve")
    rows = [Row(f"s{n}", {t.cell: t.points * (n % 4) / 3 for t in sheet.tasks}, {}) for n in range(20)]
    (tmp_path / "lecture.html").write_text(pages.lecture(sheet, members(None, rows, {})), encoding="utf-8")
    return tmp_path / "lecture.html"


@pytest.mark.parametrize(("mode", "width"), [("light", 1280), ("dark", 1280), ("light", 390)])
def test_pages_are_accessible_and_fit(page, browser, axe, mode, width):
    tab = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=mode)
    asked = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(page.as_uri())
    assert asked == [page.as_uri()]
    assert axe(tab) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    tab.close()


def test_pages_that_are_dark_on_the_screen_print_dark_on_white(page, browser):
    tab = browser.new_page(color_scheme="dark")
    tab.goto(page.as_uri())
    inks = "[...new Set([...document.querySelectorAll('body, main *')].map((node) => getComputedStyle(node).color))]"
    assert "rgb(223, 228, 234)" in tab.evaluate(inks)
    tab.emulate_media(media="print", color_scheme="dark")
    assert set(tab.evaluate(inks)) <= {"rgb(0, 0, 0)", "rgb(51, 51, 51)", "rgb(85, 85, 85)"}
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    # Browsers print no backgrounds unless told to, and a bar is nothing else.
    bars = tab.locator(".bar i").evaluate_all("bars => bars.map((bar) => getComputedStyle(bar).printColorAdjust)")
    assert set(bars) <= {"exact"} and (bars or "feedback" in page.parts)
    tab.close()


def test_the_same_long_line_is_the_same_answer():
    line = '"' + '\\"' * 40_000  # the tokenizer looks for the end of a string from each of these quotes
    assert alike({"one": {"a": line}, "two": {"a": line + "  "}}, {"a": ""}) == [["one", "two"]]
