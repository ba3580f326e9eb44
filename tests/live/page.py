"""A page with Python in it, as tests drive it."""

import json

import pytest
from playwright.sync_api import TimeoutError


class Page:
    """A page of the site and its cells."""

    def __init__(self, tab, address):
        self.tab, self.complaints, self.asked = tab, [], []
        tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        tab.on("console", lambda message: message.type == "log" or self.complaints.append(message.text))
        tab.on("request", lambda request: self.asked.append(request.url))
        tab.goto(address, wait_until="networkidle")
        about = tab.locator("#live")
        self.cells = (
            [cell.split(" ") for cell in json.loads(about.text_content())["cells"].split(",")] if about.count() else []
        )

    def places(self, kind):
        """Where the cells of a kind are on the page."""
        return [place for place, (what, *_) in enumerate(self.cells) if what == kind]

    def box(self, place):
        return self.tab.locator("article div.cell").nth(place)

    def editor(self, place):
        return self.box(place).locator(".cm-content")

    def press(self, place):
        """Press a cell's button. On a machine that is busy a browser may lose a mouse's click, so none is needed."""
        self.box(place).locator(".live-go").dispatch_event("click")

    def write(self, place, source):
        """Put source into a cell's editor; the first press opens it."""
        if not self.editor(place).count():
            self.press(place)
            self.editor(place).wait_for()
        self.editor(place).click()
        self.tab.keyboard.press("Control+a")
        self.tab.keyboard.insert_text(source)

    def ended(self, place):
        """Wait until a cell has run, and return what it shows."""
        state = "node => ['done', 'failed'].includes(node.dataset.live)"
        try:
            self.tab.wait_for_function(state, arg=self.box(place).element_handle())
        except TimeoutError as error:
            pytest.fail(f"cell {place}: {self.box(place).inner_text()!r} {self.complaints} {self.asked[-3:]}: {error}")
        return self.said(place)

    def said(self, place):
        return "".join(self.box(place).locator(".live-out pre").all_text_contents())

    def run(self, place):
        self.press(place)
        return self.ended(place)

    def solution(self, place):
        """The folded solution of the answer at a place."""
        return self.box(place + 2).locator(".cell_input pre").text_content()


def opened(browser, address):
    """A function that opens a page of the site; ``browser.new_context``'s options by keyword."""
    contexts = []

    def open_page(name, at=address, **options):
        contexts.append(browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options}))
        return Page(contexts[-1].new_page(), f"{at}/{name}.html")

    yield open_page
    for context in contexts:
        context.close()


def opened_again(context, address):
    """A function that opens a page of the site in a context that has had Python in it: to compile it takes longest."""
    pages = []

    def open_page(name):
        pages.append(Page(context.new_page(), f"{address}/{name}.html"))
        return pages[-1]

    yield open_page
    for page in pages:
        page.tab.evaluate("localStorage.clear()")  # what was answered is no other test's
        page.tab.close()
