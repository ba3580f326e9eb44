"""The book's search, asked as readers ask it: for sizes, for the names of others, for the words of the glossary."""

import re
from functools import cache
from urllib.parse import quote

import pytest

from conftest import ROOT

TERMS = re.findall(r"^(\S.*)\n  ", (ROOT / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def found(browser, address):
    """A function that asks the search and returns the pages it finds, best first."""
    tab = browser.new_page()

    @cache  # many ask for what another has asked
    def ask(words):
        tab.goto(f"{address}/search.html?q={quote(words)}")
        tab.wait_for_function("/finished|did not match/.test(document.querySelector('.search-summary')?.innerText)")
        links = tab.locator("#search-results ul.search > li > a").evaluate_all(
            "links => links.map((link) => link.href)"
        )
        return [link.removeprefix(f"{address}/").split("#")[0].removesuffix(".html") for link in links]

    yield ask
    tab.close()


@pytest.mark.parametrize("words", ["1×1", "1x1", "1 x 1", "3×3", "3x3", "3 × 3", "3 X 3", "3*3", "3 by 3", "3-by-3"])
def test_a_size_is_found_however_it_is_written(found, words):
    pages = found(words)
    assert set(pages) == set(found(f"{words[0]} × {words[0]}"))
    assert {"chapters/06_variants", "chapters/14_compared", "instructor/questions"} <= set(pages)


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("2x2 pooling", "chapters/03_pooling"),
        ("5 x 5", "chapters/01_convolution"),
        ("7×7", "chapters/03_pooling"),
        ("11x11", "chapters/09_seeing_photographs"),
        ("skip connection", "glossary"),
        ("residual connection", "chapters/13_resnet"),
        ("how many parameters", "chapters/02_sizes"),
        ("output size formula", "chapters/02_sizes"),
        ("depthwise separable", "chapters/06_variants"),
        ("batch norm", "glossary"),
        ("感受野", "chapters/01_convolution"),
    ],
)
def test_what_answers_a_question_stands_first(found, words, page):
    assert found(words)[0] == page


def test_a_size_is_no_other_size(found):
    assert found("17x19") == found("1×1×99") == []
    assert "chapters/01_convolution" in found("5×5") and "chapters/01_convolution" not in found("7×7")


def test_equal_pages_stand_in_the_order_of_the_book(found):
    pages = found("3×3")[1:]  # the first has it in a title
    kinds = ["chapters", "", "exercises", "instructor"]
    assert pages == sorted(pages, key=lambda page: (kinds.index(page.rpartition("/")[0]), re.findall(r"\d+", page)))
    assert len({kinds.index(page.rpartition("/")[0]) for page in pages}) > 2


def test_every_term_of_the_glossary_is_found_there(browser, address):
    tab = browser.new_page()
    tab.goto(f"{address}/search.html?q=x")
    tab.wait_for_function("Search.hasIndex()")
    pages = "(term) => Search._performSearch(...Search._parseQuery(term)).map(([page]) => page)"
    assert [term for term in TERMS if "glossary" not in tab.evaluate(pages, term)] == []
    assert len(TERMS) > 100
    tab.close()
