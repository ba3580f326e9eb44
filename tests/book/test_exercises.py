"""Exercises as readers and learners get them: the solution folded on the page, and gone from the learner's copy."""

import contextlib
import io
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbgrader.preprocessors import ClearSolutions
from playwright.sync_api import expect

from conftest import ROOT
from theme import exercises
from tools.copies import learners_copy
from utils.checks.calls import BLANK, YOURS

SHEETS = sorted((ROOT / "exercises").glob("*.ipynb"))
every_sheet = pytest.mark.parametrize("sheet", SHEETS, ids=[path.stem for path in SHEETS])


def read(path):
    return nbformat.read(path, as_version=4)


def nbgraders(cell, kind):
    return cell.metadata.get("nbgrader", {}).get(kind, False)


@every_sheet
def test_sheets_are_nbgraders_sources(sheet):
    cells = read(sheet).cells
    solutions = [cell for cell in cells if nbgraders(cell, "solution")]
    checks = [cell for cell in cells if nbgraders(cell, "grade")]
    parts = len(list((ROOT / "chapters").glob(f"{sheet.name[:2]}_*.ipynb")))
    assert 5 <= len(solutions) == len(checks) <= 8 * parts
    for solution, check in zip(solutions, checks, strict=True):
        name = solution.metadata.nbgrader.grade_id
        assert check.metadata.nbgrader.grade_id == f"check_{name}"
        assert check.source.endswith(f".{name}.check({name})") and check.source.count("\n") == 0
        assert check.metadata.nbgrader.locked and check.metadata.nbgrader.points > 0
        assert "### BEGIN SOLUTION" in solution.source
    levels = [line for cell in cells for line in cell.source.splitlines() if line.startswith("## ")]
    assert levels == ["## Warm up", "## Build", "## Explore"]


@every_sheet
def test_learners_copy_is_that_of_nbgrader(sheet):
    notebook = read(sheet)
    cleared = ClearSolutions(code_stub={"python": BLANK}).preprocess(read(sheet), {})[0]
    copy = learners_copy(notebook)
    assert [cell.source for cell in copy.cells] == [cell.source for cell in cleared.cells]
    assert all(cell.get("outputs", []) == [] for cell in copy.cells)
    assert [cell.metadata for cell in copy.cells] == [cell.metadata for cell in notebook.cells]


@every_sheet
def test_page_shows_no_check_passed(sheet):
    assert not any("✓" in str(cell.get("outputs")) for cell in exercises.page_cells(read(sheet).cells))


def copy_of(sheet, site):
    return site / "notebooks" / "exercises" / f"{sheet.stem}_exercises.ipynb"


def said(cell, names):
    """What running a cell comes to: what it prints, or the error."""
    try:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(cell.source, names)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return printed.getvalue()


def assert_first_contact(cell, text):
    assert "✓" not in text
    if nbgraders(cell, "solution"):
        assert not text or YOURS in text
    elif nbgraders(cell, "grade"):
        assert "There is no answer yet: write yours" in text or "NameError" in text


@every_sheet
def test_first_contact_says_what_to_do_and_nothing_is_right_yet(sheet, site):
    names = {}
    for cell in read(copy_of(sheet, site)).cells:
        if cell.cell_type == "code":
            assert_first_contact(cell, said(cell, names))


def test_first_contact_in_a_notebook(site):
    copy = read(site / "notebooks" / "exercises" / "02_sizes_exercises.ipynb")
    NotebookClient(copy, timeout=180, allow_errors=True, kernel_name="python3").execute()
    for cell in copy.cells:
        assert_first_contact(cell, " ".join(str(output) for output in cell.get("outputs", [])))


@every_sheet
def test_page_folds_the_solutions_and_offers_the_copy(sheet, site, browser):
    page = browser.new_page()
    page.goto((site / "exercises" / f"{sheet.stem}.html").as_uri())
    solutions = page.locator("article details")
    expect(solutions).to_have_count(sum(bool(nbgraders(cell, "solution")) for cell in read(sheet).cells))
    first = solutions.first
    expect(first.locator("summary")).to_have_text("Solution", use_inner_text=True)
    expect(first.locator("pre")).to_be_hidden()
    first.locator("summary").press("Enter")
    expect(first.locator("pre")).to_be_visible()
    assert "SOLUTION" not in page.content()
    page.close()


@every_sheet
def test_a_keyboard_comes_to_the_last_exercise_from_the_top(sheet, site, browser):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((site / "exercises" / f"{sheet.stem}.html").as_uri())
    ways = page.get_by_role("navigation", name="Exercises of this page").get_by_role("link")
    titles = page.locator("article h3")
    assert [f"{title}#" for title in ways.all_inner_texts()] == titles.all_text_contents()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # past the menus
    focused = "(node) => node === document.activeElement"
    for _ in range(10 + ways.count()):
        page.keyboard.press("Tab")
        if ways.last.evaluate(focused):
            break
    expect(ways.last).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_function("(way) => location.href === way.href", arg=ways.last.element_handle())
    page.keyboard.press("Tab")
    # What comes after the title, or the link in it to itself.
    after = "(title) => title.compareDocumentPosition(document.activeElement) & Node.DOCUMENT_POSITION_FOLLOWING"
    page.wait_for_function(after, arg=titles.last.element_handle())
    page.close()


@every_sheet
def test_every_download_is_the_copy_from_disk_too(sheet, site, browser):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((site / "exercises" / f"{sheet.stem}.html").as_uri())
    for link in (page.get_by_role("link", name="Download the notebook"), page.locator(".btn-download-source-button")):
        if not link.is_visible():
            page.get_by_role("button", name="Download this page").click()
        with page.expect_download() as download:
            link.click()
        assert download.value.suggested_filename == copy_of(sheet, site).name
        assert Path(download.value.path()).read_bytes() == copy_of(sheet, site).read_bytes()
    page.close()


@every_sheet
def test_chapter_leads_to_its_exercises(sheet):
    assert f"../exercises/{sheet.name}" in (ROOT / "chapters" / sheet.name).read_text(encoding="utf-8")


def test_colab_gets_the_copy_with_what_it_needs(published):
    for sheet in SHEETS:
        assert "%pip install" in read(copy_of(sheet, published)).cells[0].source
        page = (published / "exercises" / f"{sheet.stem}.html").read_text(encoding="utf-8")
        assert f"blob/gh-pages/notebooks/exercises/{sheet.stem}_exercises.ipynb" in page


def test_nothing_of_a_sheet_with_marks_is_published(site, published):
    hidden = [
        line.strip() for line in (ROOT / "instructor/example/reading.py").read_text(encoding="utf-8").splitlines()
    ]
    hidden = [line for line in hidden if "lambda" in line] + ["read_map.check", "corner_edge_middle = (1, 3, 9)"]
    assert len(hidden) > 10
    for path in [*site.rglob("*"), *published.rglob("*")]:
        assert "example" not in path.parts
        if path.suffix in (".html", ".ipynb", ".js", ".json", ".md", ".py", ".txt", ".xml"):
            text = path.read_text(encoding="utf-8", errors="replace")
            assert not [line for line in hidden if line in text], path
