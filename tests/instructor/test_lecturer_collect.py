"""What platforms, zip tools and students do to a class's notebooks on their way into the course folder."""

import io
import json
import os
import re
import stat
import unicodedata
import zipfile

import pytest
from classroom import SHEET
from hypothesis import given
from hypothesis import strategies as st

from instructor import naming, spreadsheet
from instructor.course import Course
from instructor.exercise_sheet import Sheet
from instructor.placing import collect, read_state
from instructor.platforms import Export
from instructor.roster import Roster, key

NAME = "01_reading.ipynb"


def notebook(text="x"):
    return json.dumps({"cells": [], "metadata": {"text": text}, "nbformat": 4, "nbformat_minor": 5}).encode()


def packed(path, files):
    """A zip file with these files: their content, or the whole ``ZipInfo`` for a name."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items() if isinstance(files, dict) else files:
            archive.writestr(name, content)
    return path


@pytest.fixture
def course(tmp_path):
    made = Course(tmp_path / "course")
    made.prepare()
    return made


def roster(course, *lines, head="student,name,canvas_id,login,email"):
    (course.root / "students.csv").write_text("\n".join([head, *lines]), encoding="utf-8")


def placed(course):
    return {path.parent.parent.name: path.read_bytes() for path in course.submitted.glob("*/01_reading/*.ipynb")}


CLASS = (
    "ada,Ada Lovelace,1234,ada,ada@example.org",
    "alan,Alan Turing,2345,alan,alan@example.org",
    "hm,Hans Müller,3456,hmueller,hm@example.org",
)


@pytest.mark.parametrize(
    "names",
    [
        # Canvas
        ["lovelaceada_1234_5678_01_reading.ipynb", "turingalan_LATE_2345_6789_01_reading-1.ipynb",
         "müllerhans_3456_7890_01_reading (1).ipynb"],
        # Moodle, with folders and without
        ["Ada Lovelace_11_assignsubmission_file/01_reading.ipynb",
         "Alan Turing_12_assignsubmission_file/Untitled.ipynb",
         "Hans Müller_13_assignsubmission_file/sub/folder/01_reading.IPYNB"],
        ["Ada Lovelace_11_assignsubmission_file_01_reading-Copy1.ipynb",
         "Alan Turing_12_assignsubmission_file_01_reading.ipynb.json",
         "Hans Müller_13_assignsubmission_file_01_reading.ipynb.txt"],
        # Blackboard
        ["Sheet_1_ada_attempt_2026-10-01-10-00-00_01_reading.ipynb",
         "Sheet_1_alan_attempt_2026-10-01-11-00-00_01_reading.ipynb",
         "Sheet_1_hmueller_attempt_2026-10-02-09-30-00_01_reading.ipynb"],
        # ILIAS
        ["Week 1/Submissions/Lovelace_Ada_ada_21/01_reading.ipynb", "Week 1/Submissions/Turing_Alan_alan_22/x.ipynb",
         "Week 1/Submissions/Müller_Hans_hmueller_23/20261001_01_reading.ipynb"],
        # by hand
        ["ada_01_reading.ipynb", "Alan Turing_01_reading.ipynb", "hm.ipynb"],
        ["all/ada/01_reading.ipynb", "all/Turing, Alan/01_reading.ipynb", "all/Müller Hans/work/x.ipynb"],
    ],
)  # fmt: skip
def test_each_platforms_names_are_understood(course, tmp_path, names):
    roster(course, *CLASS)
    names = [*names, f"__MACOSX/._{names[0]}", "Thumbs.db"]
    files = {unicodedata.normalize("NFD", name): notebook(name) for name in names}
    report = collect(course, Sheet(SHEET), packed(tmp_path / "s.zip", files))
    assert report.left == report.unknown == report.missing == []
    wanted = dict(zip(("ada", "alan", "hm"), map(notebook, names), strict=False))
    assert placed(course) == wanted
    assert report.late == (["alan"] if "LATE" in names[1] else [])


@pytest.mark.parametrize("encoding", ["cp437", "cp1252", "utf-8"])
def test_names_that_a_zip_tool_did_not_mark_are_read(course, tmp_path, encoding):
    roster(course, *CLASS)
    zipped = packed(tmp_path / "s.zip", {"M#ller Hans_13_assignsubmission_file/01_reading.ipynb": notebook()})
    bytes_ = "ü".encode(encoding)
    raw = zipped.read_bytes()
    if len(bytes_) == 1:
        zipped.write_bytes(raw.replace(b"M#ller", b"M" + bytes_ + b"ller"))
    else:
        zipped.write_bytes(raw.replace(b"M#ller Hans", b"M" + bytes_ + b"llerHans"))
    assert collect(course, Sheet(SHEET), zipped).unknown == []
    assert set(placed(course)) == {"hm"}


def test_a_folder_is_collected_whatever_its_names_are(course, tmp_path):
    roster(course, *CLASS)
    folder = tmp_path / "loose"
    (folder / "ada").mkdir(parents=True)
    (folder / "ada" / NAME).write_bytes(notebook("a"))
    (folder / "alan").mkdir()
    (folder / "alan" / NAME).symlink_to(SHEET)
    strange = folder / os.fsdecode(b"M\xfcller Hans")
    strange.mkdir()
    (strange / NAME).write_bytes(notebook("m"))
    report = collect(course, Sheet(SHEET), folder)
    assert placed(course) == {"ada": notebook("a"), "hm": notebook("m")}
    assert any("alan/01_reading.ipynb is a link" in line for line in report.left)


def test_nobody_is_lost_and_nobody_is_merged(course, tmp_path):
    roster(course, *CLASS, "al2,Alan Turing,9999,al2,al2@example.org")
    link = zipfile.ZipInfo("Eve_31_assignsubmission_file/01_reading.ipynb")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    files = [
        ("Alan Turing_12_assignsubmission_file/01_reading.ipynb", notebook()),
        ("Ada Lovelace_11_assignsubmission_file/01_reading.ipynb", notebook("one")),
        ("Ada Lovelace_14_assignsubmission_file/01_reading.ipynb", notebook("two")),
        (link, b"/etc/passwd"),
        ("Hans Müller_13_assignsubmission_file/work.zip", b"PK"),
        ("Zoe_15_assignsubmission_file/answer.pdf", b"%PDF"),
        ("Yan_16_assignsubmission_onlinetext/onlinetext.html", b"<p>"),
        ("Xi_17_assignsubmission_file/01_reading.ipynb", notebook("xi")),
        ("../../evil.ipynb", notebook()),
        ("Wu_18_assignsubmission_file/a.ipynb", notebook("a")),
        ("Wu_18_assignsubmission_file/b.ipynb", notebook("b")),
    ]
    report = collect(course, Sheet(SHEET), packed(tmp_path / "s.zip", files))
    assert placed(course) == {"Xi_17": notebook("xi")}
    assert report.unknown == ["Xi_17"]
    said = "\n".join(report.left)
    for piece in ("may be from al2 or alan", "two may be meant", "is a link", "is packed", "is no notebook",
                  "typed into the platform", "evil.ipynb is left", "not clear which counts"):  # fmt: skip
        assert piece in said
    assert set(report.missing) == {"ada", "alan", "hm", "al2"}


def test_a_worksheet_tells_namesakes_apart(course, tmp_path):
    roster(course, "al1,Alan Turing,,,a1@example.org", "al2,Alan Turing,,,a2@example.org")
    sheet = tmp_path / "Grades.csv"
    sheet.write_text(
        "Identifier,Full name,Email address,Status,Grade,Maximum Grade\n"
        "Participant 12,Alan Turing,a2@example.org,Submitted for grading - 2 days 3 hours late,,100\n"
        "Participant 13,Alan Turing,a1@example.org,,,100\n"
    )
    files = {f"Alan Turing_{n}_assignsubmission_file/{NAME}": notebook(str(n)) for n in (12, 13)}
    report = collect(course, Sheet(SHEET), packed(tmp_path / "s.zip", files), sheet)
    assert (report.left, report.late) == ([], ["al2"])
    assert placed(course) == {"al2": notebook("12"), "al1": notebook("13")}
    seconds = {name: one.seconds_late for name, one in read_state(course, Sheet(SHEET)).items()}
    assert seconds == {"al2": 51 * 3600, "al1": None}


def test_a_download_without_the_worksheet_does_not_take_lateness_back(course, tmp_path):
    roster(course, "ada,Ada Lovelace,,,a@example.org")
    sheet = tmp_path / "Grades.csv"
    sheet.write_text("Identifier,Full name,Status\nParticipant 12,Ada Lovelace,Submitted for grading - 2 days late\n")

    def late(text, worksheet=None):
        files = {f"Ada Lovelace_12_assignsubmission_file/{NAME}": notebook(text)}
        collect(course, Sheet(SHEET), packed(tmp_path / "s.zip", files), worksheet)
        return read_state(course, Sheet(SHEET))["ada"].late

    assert late("1", sheet)
    assert late("1")
    assert not late("2")  # another version, of which nothing is known
    assert late("2", sheet)
    sheet.write_text("Identifier,Full name,Status\nParticipant 12,Ada Lovelace,Submitted for grading\n")
    assert not late("2", sheet)


def test_nobody_hands_in_as_somebody_else(course, tmp_path):
    roster(course, *CLASS)
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("lovelaceada_1234_5678_01_reading.ipynb", notebook("forged"))
    files = {
        "eve_66_7777_lovelaceada_1234_5678_01_reading.ipynb": notebook("eve"),
        "eve2_67_7778_x_ada_attempt_2026-10-01-10-00-00_01_reading.ipynb": notebook("eve2"),
        "eve3_68_7779_Ada Lovelace_1_assignsubmission_file_01_reading.ipynb": notebook("eve3"),
        "eve4_69_7780_all.zip": inner.getvalue(),
        "eve5_70_7781_ada.ipynb": notebook("eve5"),
    }
    collect(course, Sheet(SHEET), packed(tmp_path / "s.zip", files))
    assert set(placed(course)) == {"eve_66", "eve2_67", "eve3_68", "eve5_70"}


def test_one_students_odd_names_do_not_change_how_the_others_are_read(course, tmp_path):
    files = {f"{name}/{NAME}": notebook(name) for name in ("ada", "alan", "hm")}
    files |= {f"eve/x{n}_ada_attempt_2026-10-01-10-00-0{n}_{n}.ipynb": notebook(str(n)) for n in range(9)}
    collect(course, Sheet(SHEET), packed(tmp_path / "s.zip", files))
    assert set(placed(course)) == {"ada", "alan", "hm"}


def test_a_canvas_number_is_stronger_than_a_name(course, tmp_path):
    roster(course, *CLASS)
    files = {"turingalan_8888_1111_01_reading.ipynb": notebook("a namesake")}
    report = collect(course, Sheet(SHEET), packed(tmp_path / "s.zip", files))
    assert report.unknown == ["turingalan_8888"]


def test_collecting_again_takes_newer_versions_and_keeps_what_a_person_put_there(course, tmp_path):
    roster(course, *CLASS)
    first = {
        "lovelaceada_1234_5678_01_reading.ipynb": notebook("1"),
        "turingalan_2345_6789_01_reading.ipynb": notebook("a"),
    }
    report = collect(course, Sheet(SHEET), packed(tmp_path / "1.zip", first))
    assert (report.new, report.missing) == (["ada", "alan"], ["hm"])
    target = course.submitted / "alan" / "01_reading" / NAME
    target.write_bytes(notebook("after an appeal"))
    second = {
        "lovelaceada_LATE_1234_5999_01_reading-1.ipynb": notebook("2"),
        "turingalan_2345_6789_01_reading.ipynb": notebook("a"),
    }
    report = collect(course, Sheet(SHEET), packed(tmp_path / "2.zip", second))
    assert (report.newer, report.same, report.late) == (["ada"], ["alan"], ["ada"])
    assert placed(course) == {"ada": notebook("2"), "alan": notebook("after an appeal")}
    assert [path.read_bytes() for path in (course.root / "collected").glob("*.ada.*")] == [notebook("1")]
    assert read_state(course, Sheet(SHEET))["ada"].late
    report = collect(course, Sheet(SHEET), tmp_path / "2.zip")
    assert (report.new, report.newer, report.same) == ([], [], ["ada", "alan"])


def test_of_several_versions_the_newest_counts_and_its_time_is_kept(course, tmp_path):
    (course.root / "course.toml").write_text("[sheets.01_reading]\ndue = 2026-10-01T23:59:00+02:00")
    files = {f"S_ada_attempt_2026-10-0{day}-10-00-00_01_reading.ipynb": notebook(str(day)) for day in (1, 3, 2)}
    report = collect(course, Sheet(SHEET), packed(tmp_path / "s.zip", files))
    assert placed(course) == {"ada": notebook("3")}
    assert len(report.passed_over) == 2
    stamp = course.submitted / "ada" / "01_reading" / "timestamp.txt"
    assert stamp.read_text() == "2026-10-03 10:00:00 +0200"


def test_a_broken_or_huge_file_costs_nobody_else(course, tmp_path):
    files = {f"{name}_{n}_{n}000_01_reading.ipynb": notebook(name) for n, name in ((11, "ada"), (12, "eve"))}
    path = packed(tmp_path / "s.zip", {**files, "zoe_13_13000_01_reading.ipynb": bytes(2**25 + 1)})
    raw = bytearray(path.read_bytes())
    at = raw.index(b'"eve"')
    raw[at : at + 5] = b'"bad"'  # its checksum is wrong now
    path.write_bytes(raw)
    report = collect(course, Sheet(SHEET), path)
    assert set(placed(course)) == {"ada_11"}
    assert any("is broken" in line for line in report.left)
    assert any("is larger than 32 MB" in line for line in report.left)
    with pytest.raises(ValueError, match="is to be the zip file that a platform made"):
        collect(course, Sheet(SHEET), tmp_path / "course" / "course.toml")


@given(st.text(min_size=1, max_size=40), st.text(max_size=20))
def test_no_name_makes_reading_names_fail(name, other):
    found = naming.platform([(name, other), (other, name)])
    if found:
        naming.named(name, found[1])
    naming.stem(name)
    naming.students_level([(name, other)])
    assert key(unicodedata.normalize("NFD", name)) == key(unicodedata.normalize("NFC", name))


_CELLS = st.text(max_size=30) | st.builds(str.__add__, st.sampled_from("=+-@'\t\n ＝"), st.text(max_size=9))


@given(st.lists(_CELLS, min_size=1, max_size=5))
def test_no_cell_is_a_formula_and_each_comes_back(tmp_path_factory, cells):
    path = tmp_path_factory.mktemp("table") / "a.csv"
    cells = [cell.encode(errors="replace").decode().replace("\r", "\n").replace("\0", "") for cell in cells] + ["end"]
    for cell in cells:
        shown = str(spreadsheet.guarded(cell))
        alone = len(shown.lstrip()) == 1 or re.fullmatch(r"[+-]\d+([.,]\d+)*%?", shown)
        assert alone or shown.lstrip()[:1] not in ("=", "@", "+", "-")
        assert shown[:1] not in ("\t", "\r", "\n")
        assert spreadsheet.unguarded(shown) == cell
    spreadsheet.write(path, [cells])
    assert path.read_bytes().isascii() or path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert spreadsheet.read(path) == [cells]


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        (["student"], "a column name is needed"),
        (["student,name", "../x,Eve"], r"becomes a folder's name, and '\.\./x'"),
        (["student,name", ",Eve"], "is empty"),
        (["student,name", "Ada,A", "ada,B"], "the student 'ada' is there already"),
        (["student,name,student", "a,b,c"], "the column student is there twice"),
        (["student,name", 'a,"b'], "is to be CSV"),
    ],
)
def test_a_roster_that_cannot_be_used_says_why(tmp_path, lines, rule):
    (tmp_path / "students.csv").write_text("\n".join(lines))
    with pytest.raises(ValueError, match=rule):
        Roster.of(tmp_path)


def test_a_roster_is_made_of_what_the_platforms_export(tmp_path):
    canvas = tmp_path / "canvas.csv"
    canvas.write_text(
        "Student,ID,SIS User ID,SIS Login ID,Section,Sheet 1 (77),Current Score\n"
        "    Points Possible,,,,,7.00,(read only)\n"
        '"Lovelace, Ada",1234,s1,ada,A,3,\n"Turing, Alan",2345,s2,alan,A,,\n"Student, Test",9,,x9,A,,\n',
        encoding="utf-8-sig",
    )
    made = Export.read(canvas).roster(Roster())[0]
    assert {name: (one.name, one.others["canvas_id"]) for name, one in made.items()} == {
        "ada": ("Lovelace, Ada", "1234"),
        "alan": ("Turing, Alan", "2345"),
    }
    made.write(tmp_path / "students.csv")
    assert Roster.of(tmp_path) == made
    moodle = tmp_path / "moodle.csv"
    moodle.write_text(
        "Identifier,Full name,Email address,Status,Grade,Maximum Grade\n"
        "Participant 4711,Ada Lovelace,ada@example.org,No submission,,100.00\n"
        "Participant 4712,=Eve,eve@example.org,No submission,,100.00\n"
    )
    made = Export.read(moodle).roster(Roster())[0]
    assert {name: one.name for name, one in made.items()} == {
        "ada@example.org": "Ada Lovelace",
        "eve@example.org": "=Eve",
    }
    moodle.write_text("Identifier,Full name\nParticipant 1,A\nParticipant 2,A\n")
    with pytest.raises(ValueError, match="tells two people apart by nothing"):
        Export.read(moodle).roster(Roster())
    with pytest.raises(ValueError, match="is to be Canvas's gradebook export"):
        Export.read(SHEET.with_name("01_reading.ipynb"))


def test_a_zip_file_packed_in_an_odd_way_is_named_and_not_unpacked(course, tmp_path):
    bomb = zipfile.ZipInfo(f"ada/{NAME}")
    bomb.compress_type = zipfile.ZIP_BZIP2
    found = collect(course, Sheet(SHEET), packed(tmp_path / "all.zip", {bomb: notebook(), f"bo/{NAME}": notebook()}))
    assert set(placed(course)) == {"bo"}
    assert any("packed in a way" in line for line in found.left)


def test_a_name_without_end_stops_nobody(course, tmp_path):
    files = {f"ada/{'~' * 60_000}": b"", f"{'a/' * 30_000}x": b"", f"ada/{NAME}": notebook(), f"bo/{NAME}": notebook()}
    collect(course, Sheet(SHEET), packed(tmp_path / "all.zip", files))
    assert set(placed(course)) == {"ada", "bo"}


def test_a_files_name_says_nothing_to_the_terminal(course):
    folder = course.submitted / "ada" / "01_reading" / "more"
    folder.mkdir(parents=True)
    (folder / "\x1b[2J.ipynb").touch()
    assert all(name.isprintable() for name in course.misplaced())
