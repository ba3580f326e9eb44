"""What students write is shown to the instructor and runs nowhere: never markup, a link or a request."""

import base64
import io
import json

import nbformat
import pytest
from bs4 import BeautifulSoup
from classroom import SHEET, Submission, given_out, hand_in, notebook, require_a_jail
from hypothesis import given
from hypothesis import strategies as st
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_markdown_cell, new_output
from nbgrader.server_extensions.formgrader import handlers
from PIL import Image
from traitlets.config import Config

from instructor.exercise_sheet import Sheet
from instructor.grading import grade
from instructor.handed_in import literal, put_in_order
from instructor.pictures import pictures_in

require_a_jail()
MARKUP = [
    "<script>steal()</script> [here](javascript:steal()) 3 < 4 & so",
    r"[My reasoning](javascript\:steal())",
    "[a][b]\n\n[b]: javascript:steal()",
    "![t](http://127.0.0.1:9/track.png) <http://127.0.0.1:9/> http://127.0.0.1:9/bare",
    "<img src=x onerror=steal()>",
    "~~~\nout\n~~~\n<b onclick=steal()>of a fence</b>\n~~~~~~\n[x](http://127.0.0.1:9/)",
    "```\n</code></pre><a href='javascript:steal()'>x</a>",
    "$$\\href{javascript:steal()}{x}$$ \\(\\unicode{x}\\)",
    "    <iframe src=http://127.0.0.1:9/></iframe>\n\r~~~\r[x](http://127.0.0.1:9/)",
    "![plot](attachment:evil.svg) {{7*7}} {% raw %}",
    "\ufeff~~~\u2028[x](javascript:steal())\x0b<svg onload=steal()>\x00\x1b]8;;http://127.0.0.1:9/\x07link",
    "- ~~~\n- [x](http://127.0.0.1:9/)\n> <video src=x>\n\n| a |\n|---|\n| [x](javascript:steal()) |",
]


def png(width, height):
    """A picture's bytes."""
    file = io.BytesIO()
    Image.new("RGB", (width, height)).save(file, "PNG")
    return file.getvalue()


PICTURE = base64.b64encode(png(2, 3)).decode()


@pytest.fixture(scope="module")
def formgrader():
    """What the formgrader's page makes of a notebook: tags with where they lead, and the text."""
    config = Config()
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    exporter = HTMLExporter(config=config)
    names = ("assignment_id", "notebook_id", "submission_id", "base_url", "student", "last_name", "first_name")

    def page(made):
        resources = {**dict.fromkeys((*names, "notebook_path"), "x"), "index": 0, "total": 1}
        soup = BeautifulSoup(exporter.from_notebook_node(made, resources=resources)[0], "html.parser")
        tags = {
            (tag.name, *(tag.get(name) for name in ("href", "src", "action")), *(k for k in tag.attrs if k[:2] == "on"))
            for tag in soup.find_all()
            if not tag.find_parent("svg")
        }
        return tags, soup.get_text()

    return page


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return given_out(tmp_path_factory.mktemp("course"))[0]


@pytest.fixture(scope="module")
def released(course):
    return nbformat.read(course.released(Sheet(SHEET)), as_version=4)


def of_a_student(released, written):
    """A notebook that says ``written`` in every place where a student can write."""

    def everywhere(made):
        for cell in made.cells:
            if cell.metadata.get("nbgrader", {}).get("grade_id") == "padding":
                cell.attachments = {"evil.svg": {"image/svg+xml": written}, written: {"image/png": PICTURE}}
            if cell.cell_type == "code":
                cell.source += f"\n# {written}"
                cell.outputs = [new_output("display_data", data={"text/html": written, "text/markdown": written})]
        made.cells.append(new_markdown_cell(written, attachments={"a.png": {"image/png": written}}))
        made.metadata.update({"title": written, "kernelspec": {"name": written, "display_name": written}})

    return notebook(released, {"padding": written}, change=everywhere)


@pytest.fixture(scope="module")
def plain(released, formgrader):
    """The tags of the page where nobody writes markup."""
    return formgrader(put_in_order(of_a_student(released, "plain"), released).notebook)[0]


@pytest.mark.parametrize("written", MARKUP)
def test_in_the_formgrader_it_is_text(released, formgrader, plain, written):
    tags, text = formgrader(put_in_order(of_a_student(released, written), released).notebook)
    assert {tag for tag in tags if tag[0] != "span"} <= plain
    assert ("img", None, f"data:image/png;base64,{PICTURE}", None) in tags
    for line in written.replace("\x00", "").splitlines():
        assert "".join(c for c in line if c.isalnum()) in "".join(c for c in text if c.isalnum())


@given(st.text(st.sampled_from("~`<>[]()!\\\n\r \t&;:/ajx*_#>|-\"'"), max_size=60))
def test_a_fence_holds_everything(written):
    text = literal(written)
    if not written.strip():
        assert text == ""
        return
    first, *inside, last = text.split("\n")
    assert first == last == "~" * len(first)
    assert "\n".join(inside) == written
    assert first not in written


def test_the_students_page_and_the_gradebook_show_it_as_text(course, released):
    hand_in(course.root, [Submission(f"writes-{n}", of_a_student(released, text), {}) for n, text in enumerate(MARKUP)])
    assert grade(course, Sheet(SHEET)) == []
    for number, written in enumerate(MARKUP):
        feedback = course.feedback(Sheet(SHEET), f"writes-{number}").read_text(encoding="utf-8")
        soup = BeautifulSoup(feedback, "html.parser")
        assert not soup.find_all(["script", "a", "img", "iframe", "svg", "video", "b"])
        assert "".join(written.replace("\x00", "").split()) in "".join(soup.get_text().replace("\x00", "").split())


def test_pictures_and_print_under_an_answer_that_a_person_marks_are_kept(released):
    made = json.loads(notebook(released, {"padding": "See the plot."}))
    (answer,) = [cell for cell in made["cells"] if cell["metadata"].get("nbgrader", {}).get("grade_id") == "padding"]
    answer["attachments"] = {"plot.png": {"image/png": PICTURE}}
    kept = put_in_order(json.dumps(made).encode(), released).notebook
    (cell,) = [cell for cell in kept.cells if "See the plot." in cell.source]
    assert list(cell.attachments.values()) == [{"image/png": PICTURE}]
    assert f"(attachment:{next(iter(cell.attachments))})" in cell.source


@pytest.mark.parametrize(
    "data",
    ["", "x", "!" * 9, base64.b64encode(b"<svg onload=steal()>").decode(), 3, None, ["\u2028", 5],
     base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\x00" * 40).decode(), PICTURE[:-8] + '"><b>'],
)  # fmt: skip
def test_what_is_no_picture_is_left_out(data):
    assert pictures_in([{"image/png": data, "image/svg+xml": "<svg/>", "text/html": "<b>"}, data]) == []


def test_a_picture_has_a_bounded_size():
    vast = base64.b64encode(png(5000, 5000)).decode()
    assert pictures_in([{"image/png": vast}]) == []
    assert len(pictures_in([{"image/png": PICTURE}] * 50)) == 8
    assert pictures_in([{"image/jpeg": PICTURE}]) == []
