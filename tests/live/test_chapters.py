"""Every cell of chapters 1 to 6 that runs in the page, against what the book has printed."""

import nbformat
import pytest
from page import opened_again
from playwright.sync_api import expect

from conftest import ROOT
from theme.live.needs import needs
from tools import wheels

if wheels.missing():
    pytest.skip("NO WHEELS, so nothing of Python in the page was tested: run tools/wheels.py", allow_module_level=True)

CHAPTERS = [path.stem for path in sorted((ROOT / "chapters").glob("0[1-6]*.ipynb"))]
# Cells whose text differs in the page, each by a piece of its code, with the reason. What the book's own tests leave
# free (nbval-ignore-output) is free here as well.
OTHERWISE: dict[str, str] = {}


@pytest.fixture
def go(keeping, address):
    yield from opened_again(keeping, address)


def shown(cell):
    """A committed cell's text, and how many figures it has."""
    text, figures = "", 0
    for output in cell.outputs:
        data = output.get("data", {})
        if "image/png" in data:
            figures += 1
        else:
            text += output.text if output.output_type == "stream" else data["text/plain"] + "\n"
    return text.strip(), figures


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_cell_that_runs_gives_the_books_text_and_figures(go, chapter):
    page = go(f"chapters/{chapter}")
    notebook = nbformat.read(ROOT / "chapters" / f"{chapter}.ipynb", as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    lacks = needs([cell.source for cell in cells])
    assert page.places("run")
    for place, (cell, need) in enumerate(zip(cells, lacks, strict=True)):
        kind = page.cells[place][0]
        assert kind == ("figure" if "cnn-widget" in str(cell.outputs) else need or "run")
        if kind != "run":
            continue
        page.press(place)
        text = page.ended(place).strip()
        wanted, figures = shown(cell)
        assert page.box(place).get_attribute("data-live") == "done", text
        free = "nbval-ignore-output" in cell.metadata.get("tags", []) or any(
            piece in cell.source for piece in OTHERWISE
        )
        assert free or text == wanted
        expect(page.box(place).locator(".live-out img")).to_have_count(figures)
    assert page.complaints == []
