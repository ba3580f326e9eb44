"""Every exercise of every page, answered with its solution and checked in the page."""

import pytest
from page import opened_again

from conftest import ROOT
from tools import wheels

if wheels.missing():
    pytest.skip("NO WHEELS, so nothing of Python in the page was tested: run tools/wheels.py", allow_module_level=True)

SHEETS = [path.stem for path in sorted((ROOT / "exercises").glob("*.ipynb"))]


@pytest.fixture
def go(keeping, address):
    yield from opened_again(keeping, address)


@pytest.mark.parametrize("sheet", SHEETS)
def test_every_solution_is_right_in_the_page(go, sheet):
    page = go(f"exercises/{sheet}")
    answers = page.places("answer")
    for place in answers:
        page.write(place, page.solution(place))
        page.press(place + 1)
    for place in answers:
        assert page.ended(place + 1).startswith("✓ ")
    assert page.complaints == []
