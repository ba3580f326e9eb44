"""Python in the page, as a reader meets it: what goes wrong, what is kept and handed on, keys, fingers, predictions.

Pages come from a server that sends no special headers: to a browser that has run Python (``again``), or to a new one.
"""

import functools
import gzip
import re
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell
from page import Page, opened, opened_again
from playwright.sync_api import expect

from conftest import Handler
from instructor import jail
from instructor.__main__ import main
from tools import serve, wheels

if wheels.missing():
    pytest.skip("NO WHEELS, so nothing of Python in the page was tested: run tools/wheels.py", allow_module_level=True)

LIGHT = 8 * 1024 - 200  # bytes that a page may weigh more before a press, but for the links


@pytest.fixture
def go(browser, address):
    yield from opened(browser, address)


@pytest.fixture
def again(keeping, address):
    yield from opened_again(keeping, address)


def test_a_page_pays_little_and_loads_nothing_before_a_press(go, site):
    for name in ("exercises/02_sizes", "chapters/05_learning", "how_a_check_thinks"):
        page = go(name)
        assert not any("/_static/python/" in url for url in page.asked)
        scripts = [site / "_static" / file for file in ("live.js", "live.css", "predict.js")]
        weight = sum(path.stat().st_size for path in scripts) + len(page.tab.locator("#live").text_content())
        assert weight <= LIGHT
        assert page.complaints == []


def test_the_first_press_brings_ten_megabytes_at_most(site):
    folder = site / "_static" / "python"
    later = re.compile(r"photo|rows|csv|whl|notebook|licences")
    first = [path for path in folder.iterdir() if not later.search(path.name) or path.name.startswith("numpy")]
    assert sum(len(gzip.compress(path.read_bytes(), 6)) for path in first) <= 10_000_000


HEAD = "def output_size(size, kernel_size, stride, padding, dilation):\n    "
RIGHT = HEAD + "return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1\n"
# An answer, what its own cell says (any of it), and what its check says.
TROUBLE = {
    "stub": (None, "", "There is no answer yet"),
    "wrong": (RIGHT.replace(" + 1\n", "\n"), "", "✗ Always one too small: count the place where the kernel starts."),
    "syntax": (HEAD + "return size +\n", 'File "cell 6", line 2', "ended in an error"),
    "name": ("1 + 1\nsize_", 'File "cell 6", line 2, in <module>', "ended in an error"),
    "exception": (HEAD + "return size / 0", "", "ends in ZeroDivisionError in line 2"),
    # Python's clock runs ahead, so nobody sits out the limit; the next answer ends this Python, and with it this clock.
    "endless": (
        "import time\nclock = time.monotonic\ntime.monotonic = lambda: 20 * clock()\n" + HEAD + "while True: pass",
        "",
        "did not end within 10 seconds",
    ),
    "in C": (HEAD + "return sum(range(10**10))", "", "did not end within 20 seconds"),
    "printed": ("for _ in range(100_000):\n    print('x' * 100)\n" + RIGHT, "the rest is left out", "✓"),
    "recursion": ("def f(n):\n    return f(n + 1)\nf(0)", "RecursionError", "ended in an error"),
    "broken": (
        "import sys\nsys.setrecursionlimit(10**8)\ndef f(n): return f(n)\nf(0)",
        ("broken down", "did not end within 20 seconds"),  # where the machine is busy
        "ended in an error",
    ),
    "memory": ("import numpy as np\nx = [np.empty(10**8) for _ in range(50)]", "MemoryError", "ended in an error"),
    "nameless": ("size = 1", "", "There is no output_size yet"),
    "asks": ("input()", "write the value into the cell", "ended in an error"),
    "right": (RIGHT, "", "✓ output_size is right."),
}


def test_whatever_goes_wrong_is_said_and_the_page_goes_on(again):
    page = again("exercises/02_sizes")
    page.tab.clock.install()
    answer = page.places("answer")[2]
    for kind, (source, own, check) in TROUBLE.items():
        if source:
            page.write(answer, source)
        page.press(answer + 1)
        if kind == "in C":  # nothing but the page's clock ends it
            page.box(answer + 1).get_by_text("Running").wait_for()
            page.tab.clock.fast_forward(3_000)
            page.box(answer + 1).get_by_text("Running, ").wait_for()
            page.tab.clock.fast_forward(20_000)
        said = page.ended(answer + 1)
        assert check in said, (kind, said[:300])
        any_of = own if isinstance(own, tuple) else (own,)
        assert any(words in page.said(answer) for words in any_of), (kind, page.said(answer)[-300:])
        assert len(page.said(answer)) < 101_000
    assert [text for text in page.complaints if "fatal error" not in text and "RangeError" not in text][1:] == []


def test_what_is_typed_is_no_shortcut_of_the_page(again):
    page = again("exercises/02_sizes")
    place = page.places("answer")[0]
    page.write(place, "")
    page.tab.keyboard.type("shape = 7 // 2")
    expect(page.editor(place)).to_have_text("shape = 7 // 2")


def test_a_verdict_goes_with_the_answer_that_it_was_about(again):
    page = again("exercises/02_sizes")
    place = page.places("answer")[0]
    page.write(place, page.solution(place))
    assert page.run(place + 1) == "✓ shape is right.\n"
    page.write(place, "shape = 7")
    expect(page.box(place + 1).locator(".live-out pre").filter(has_text=re.compile("."))).to_have_count(0)


def test_two_tabs_keep_each_others_answers(go):
    page = go("exercises/02_sizes")
    first, second = page.places("answer")[:2]
    other = Page(page.tab.context.new_page(), page.tab.url)
    page.write(first, "shape = 1")
    other.write(second, "parameters = 2")
    page.tab.reload(wait_until="networkidle")
    for place, answer in ((first, "shape = 1"), (second, "parameters = 2")):
        expect(page.box(place).locator("pre")).to_have_text(answer)


def test_answers_survive_a_reload_and_are_gone_after_a_reset(again):
    page = again("exercises/02_sizes")
    first, second = page.places("answer")[:2]
    page.write(first, "shape = (16, 11, 11)")
    page.write(second, "parameters = 1")
    page.tab.reload(wait_until="networkidle")
    expect(page.box(first).locator("pre")).to_have_text("shape = (16, 11, 11)")
    assert page.run(first + 1) == "✓ shape is right.\n"
    page.tab.reload(wait_until="networkidle")
    expect(page.box(first + 1).locator(".live-status")).to_have_text("✓ when you last checked it.")
    page.write(second, "parameters = 2")
    expect(page.box(first + 1).locator(".live-status")).to_have_text("✓ when you last checked it.")
    page.box(second).get_by_role("button", name="Reset this cell").click()
    page.tab.reload(wait_until="networkidle")
    expect(page.box(first).locator("pre")).to_contain_text("shape = (16")
    expect(page.box(second).locator("pre")).to_contain_text("NotImplementedError")
    page.tab.on("dialog", lambda dialog: dialog.accept())
    page.tab.get_by_role("button", name="Reset all").click()
    page.box(first + 1).get_by_text("✓ when you last checked it.").wait_for(state="hidden")
    page.tab.reload(wait_until="networkidle")
    expect(page.box(first).locator("pre")).to_contain_text("NotImplementedError")
    assert page.tab.evaluate("localStorage.length") == 0 or "live:" not in page.tab.evaluate(
        "JSON.stringify(localStorage)"
    )


def test_what_does_not_come_is_said_and_asked_for_again(go):
    page = go("how_a_check_thinks")
    place = page.places("run")[0]
    page.tab.context.set_offline(True)
    page.press(place)
    page.box(place).get_by_text("Are you offline?").wait_for()
    page.tab.context.set_offline(False)
    page.tab.route("**/*.wasm", lambda route: route.abort())
    assert "Are you offline?" in page.run(place)
    page.tab.unroute("**/*.wasm")
    page.run(place)
    expect(page.box(place)).to_have_attribute("data-live", "done")


def stopped(page):
    """Make a name, stop a loop, and return what is said then and what is left of the name."""
    place = page.places("run")[0]
    page.run(place)
    page.write(place, "kept = 5\nprint(kept)\nwhile True: pass")
    page.tab.keyboard.press("Shift+Enter")
    page.box(place).locator(".live-out pre").get_by_text("5", exact=True).wait_for()  # the name is made
    page.box(place).get_by_role("button", name="Stop").click()
    said = page.ended(place)
    page.write(place, "kept")
    page.tab.keyboard.press("Shift+Enter")
    return said, page.ended(place)


def test_stop_keeps_names_where_memory_can_be_shared_and_says_so_where_not(go, again, site):
    said, left = stopped(again("how_a_check_thinks"))
    assert "Python starts afresh" in said and "NameError" in left
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        said, left = stopped(go("how_a_check_thinks", f"http://127.0.0.1:{server.server_port}"))
        server.shutdown()
    assert said == "5\nStopped." and left == "5\n"


class Quiet(serve.Handler):
    log_message = Handler.log_message


def test_a_keyboard_does_all_of_it(again):
    page = again("exercises/02_sizes")
    answer = page.places("answer")[0]
    page.box(answer).locator(".live-go").focus()
    page.tab.keyboard.press("Enter")
    page.editor(answer).wait_for()
    expect(page.editor(answer)).to_be_focused()
    page.tab.keyboard.press("Control+a")
    page.tab.keyboard.type("shape = (16, 11,")
    page.tab.keyboard.press("Tab")  # indents, and stays
    expect(page.editor(answer)).to_be_focused()
    page.tab.keyboard.type("11)")
    page.tab.keyboard.press("Shift+Enter")
    page.ended(answer)
    page.tab.keyboard.press("Escape")
    page.tab.keyboard.press("Tab")
    expect(page.tab.locator(":focus")).to_have_text("Run")
    check = page.box(answer + 1).locator(".live-go")
    for _ in range(5):
        if check.evaluate("node => node === document.activeElement"):
            break
        page.tab.keyboard.press("Tab")
    page.tab.keyboard.press("Enter")
    assert page.ended(answer + 1) == "✓ shape is right.\n"


def test_a_page_at_work_is_accessible_and_fits_a_telephone(go, axe):
    page = go("chapters/02_sizes", color_scheme="light", viewport={"width": 390, "height": 844}, has_touch=True)
    first, second = page.places("run")[:2]
    page.box(first).locator(".live-go").tap()
    page.ended(first)
    page.write(second, "print('x' * 300)\n1 / 0")
    page.box(second).locator(".live-go").tap()
    assert "ZeroDivisionError" in page.ended(second)
    page.tab.locator(".live-needs summary").first.tap()
    assert page.tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    small = "nodes => nodes.filter((node) => node.offsetHeight && node.offsetHeight < 44).map((node) => node.outerHTML)"
    assert page.tab.locator(".live-bar button, .guess button, .guess input").evaluate_all(small) == []
    page.tab.evaluate("new Promise((done) => setTimeout(done, 400))")  # after the theme's own 300 ms
    assert axe(page.tab) == []
    page.tab.emulate_media(color_scheme="dark")
    page.tab.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    assert axe(page.tab) == []


def test_from_disk_a_page_says_what_it_needs(browser, site):
    tab = browser.new_page()
    page = Page(tab, (site / "exercises" / "02_sizes.html").as_uri().removesuffix(".html") + ".html")
    place = page.places("check")[0]
    page.press(place)
    page.box(place).get_by_text("make serve").wait_for()
    assert page.complaints == []
    tab.close()


def test_what_needs_pytorch_says_so_at_its_button(go, published):
    page = go("chapters/02_sizes")
    place = page.places("PyTorch")[0]
    ways = page.box(place).locator("details.live-needs")
    expect(ways.locator("summary")).to_have_text("Needs PyTorch")
    ways.locator("summary").click()
    expect(ways.get_by_role("link")).to_have_attribute("href", "../notebooks/chapters/02_sizes.ipynb")
    about = (published / "chapters" / "02_sizes.html").read_text(encoding="utf-8")
    assert '"colab":"https://colab.research.google.com/github/some-owner/some-name/' in about


def test_tables_come_without_scripts(again):
    page = again("how_a_check_thinks")
    place = page.places("run")[0]
    page.run(place)
    html = "<table onclick='x()'><tr><th scope=col>a</th></tr></table><script>x()</script><img src=x onerror=alert(1)>"
    page.write(place, f"class Table:\n    def _repr_html_(self):\n        return {html!r}\nTable()")
    page.tab.keyboard.press("Shift+Enter")
    page.box(place).locator(".live-html table").wait_for()
    made = page.box(place).locator(".live-html").inner_html()
    assert made == '<table><tbody><tr><th scope="col">a</th></tr></tbody></table>'


# From the page to the gradebook.


def downloaded(page, folder):
    with page.tab.expect_download() as download:
        page.tab.get_by_role("button", name="Download my notebook").click()
    target = folder / download.value.suggested_filename
    download.value.save_as(target)
    return target


def test_a_notebook_goes_to_the_gradebook_and_comes_back(go, tmp_path):
    page = go("exercises/02_sizes")
    answers = page.places("answer")
    for place in answers[:-1]:
        page.write(place, page.solution(place))
    file = downloaded(page, tmp_path)
    assert file.name == "02_sizes_exercises.ipynb"
    nbformat.validate(nbformat.read(file, as_version=4))
    # Another browser takes it up, and the last answer is given there.
    other = go("exercises/02_sizes")
    with other.tab.expect_file_chooser() as chooser:
        other.tab.get_by_role("button", name="Open a notebook of mine").click()
    chooser.value.set_files(file)
    other.tab.get_by_text("7 answers taken from 02_sizes_exercises.ipynb.").wait_for()
    assert other.run(answers[2] + 1) == "✓ output_size is right.\n"
    other.write(answers[-1], other.solution(answers[-1]))
    file = downloaded(other, tmp_path)
    try:
        jail.require()
    except jail.NoJail as error:
        pytest.skip(f"NO JAIL, so no grading was tested. {error}")
    course = tmp_path / "course"
    assert main(["assignment", "2", "--course", str(course)]) == 0
    handed_in = course / "submitted" / "reader" / "02_sizes" / "02_sizes.ipynb"
    handed_in.parent.mkdir(parents=True)
    handed_in.write_bytes(file.read_bytes())
    assert main(["grade", "2", "--course", str(course)]) == 0
    assert (course / "grades" / "02_sizes.csv").read_text().splitlines()[1].endswith(",16.0,16.0")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x00\xff", "is no notebook"),
        (b'{"cells": [1, null]}', "is no notebook"),
        (nbformat.writes(nbformat.v4.new_notebook(cells=[new_code_cell("1")])).encode(), "of other exercises"),
        (b" " * 6_000_000, "is too large"),
    ],
    ids=["bytes", "shape", "other", "large"],
)
def test_what_is_no_notebook_of_theirs_is_refused(go, tmp_path, content, says):
    page = go("exercises/02_sizes")
    file = Path(tmp_path / "mine.ipynb")
    file.write_bytes(content)
    with page.tab.expect_file_chooser() as chooser:
        page.tab.get_by_role("button", name="Open a notebook of mine").click()
    chooser.value.set_files(file)
    page.tab.get_by_text(says).wait_for()
    assert page.complaints == []


# Predictions before answers.


def test_answers_wait_for_a_guess_that_stands_beside_them(go, axe):
    page = go("chapters/01_convolution")
    guess = page.tab.locator(".guess").first
    output = page.tab.locator(".guess + .cell_output").first
    after = page.tab.locator(".cell:has(> .guess) + div").first
    expect(guess.get_by_text("The answer is covered")).to_be_visible()
    expect(output).to_be_hidden()
    assert after.bounding_box()["height"] == 0
    assert axe(page.tab) == []
    guess.get_by_role("textbox").fill("16 <b>places</b>")
    page.tab.keyboard.press("Enter")
    beside = page.tab.locator(".guessed").first
    expect(beside).to_have_text("You guessed: 16 <b>places</b>")
    expect(beside).to_be_focused()
    expect(beside).to_have_class("guessed")
    expect(page.tab.locator(".guessed + .cell_output").first).to_be_visible()
    assert page.tab.locator(".cell:has(> .guessed) + p").first.bounding_box()["height"] > 20
    page.tab.reload(wait_until="networkidle")
    expect(page.tab.locator(".guessed").first).to_have_text("You guessed: 16 <b>places</b>")
    before = page.tab.locator(".guess").count()
    page.tab.get_by_role("button", name="Always show them").click()
    assert before > 3
    expect(page.tab.locator(".guess")).to_have_count(0)
    page.tab.goto(page.tab.url.replace("01_convolution", "03_pooling"), wait_until="networkidle")
    expect(page.tab.locator(".guess")).to_have_count(0)
    page.tab.get_by_role("button", name="Cover them").click()
    page.tab.locator(".guess").first.wait_for()


def test_running_a_cell_shows_its_answer(again):
    page = again("chapters/01_convolution")
    place = next(place for place in page.places("run") if page.box(place).locator(".guess").count())
    page.box(place).get_by_role("textbox").fill("16")
    page.run(place)
    expect(page.box(place).locator(".live-out img")).to_be_visible()
    expect(page.box(place).locator(".guessed")).to_have_text("You guessed: 16")
    expect(page.tab.locator("article .cell_output + [hidden], .cell:has(.guessed) + [hidden]")).to_have_count(0)


def test_in_print_and_without_javascript_everything_is_shown(go, browser, address):
    page = go("chapters/01_convolution")
    page.tab.emulate_media(media="print")
    covered = page.tab.locator("article [hidden=until-found]")
    assert covered.count() > 3
    for index in range(covered.count()):
        expect(covered.nth(index)).to_be_visible()
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(f"{address}/chapters/01_convolution.html")
    outputs = plain.locator("div.cell_output")
    assert outputs.count() > 20 and all(outputs.nth(index).is_visible() for index in range(outputs.count()))
    context.close()
