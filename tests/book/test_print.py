"""What a reader in dark mode prints, which has to be dark on white paper; and pages that keep still while they load."""

import math
import re

import pytest
from playwright.sync_api import TimeoutError as Late

# Text that is too pale for white paper, whether or not the browser prints backgrounds: what it says, and its ink.
PALE = """() => {
  const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const light = (ink) => {
    for (const colour of ["#fff", ink]) { paint.fillStyle = colour; paint.fillRect(0, 0, 1, 1); }
    const linear = (part) => (part /= 255) <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    const [red, green, blue] = [...paint.getImageData(0, 0, 1, 1).data].map(linear);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const pale = [], walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  let texts = 0;
  while (walk.nextNode()) {
    const box = walk.currentNode.parentElement, look = getComputedStyle(box);
    if (!walk.currentNode.data.trim() || !box.checkVisibility() || box.matches("script, style")) continue;
    const ink = box instanceof SVGElement ? look.fill : look.color;
    texts += 1;
    if (1.05 / (light(ink) + 0.05) < 4.5) pale.push(`${walk.currentNode.data.trim().slice(0, 40)}: ${ink}`);
  }
  return [texts, pale];
}"""
PRINTED = {
    "index": ".start a", "chapters/01_convolution": ".cnn-widget svg text", "chapters/07_lenet": "pre span.k",
    "chapters/14_compared": "main td", "exercises/02_sizes": "pre span.k", "cheatsheet": "main td",
    "instructor/questions": "pre span", "references": ".citation",
}  # fmt: skip
MARGIN = dict.fromkeys(("top", "bottom", "left", "right"), "12mm")
PATIENCE = 300_000  # a page that never comes is to fail some day; on a busy machine one comes late
SHIFTS = """() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => { for (const entry of list.getEntries()) sum += entry.value; })
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 300);
})"""


@pytest.fixture
def dark(browser, address):
    """A function that opens a page in the dark, wide as on a screen."""
    tab = browser.new_page(color_scheme="dark", viewport={"width": 1280, "height": 900})
    tab.set_default_timeout(PATIENCE)

    def opened(page):
        tab.goto(f"{address}/{page}.html", wait_until="load")
        tab.wait_for_function("document.documentElement.dataset.theme === 'dark'")
        return tab

    yield opened
    tab.close()


@pytest.mark.parametrize("page", PRINTED)
def test_a_dark_page_is_printed_dark_on_white(dark, page):
    tab = dark(page)
    tab.emulate_media(media="print")
    assert tab.locator(PRINTED[page]).count()
    texts, pale = tab.evaluate(PALE)
    assert texts > 50 and pale == []
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_an_editor_in_which_an_answer_is_being_written_prints_as_well(dark):
    tab = dark("exercises/02_sizes")
    if not tab.locator(".live-go").count():
        pytest.skip("NO WHEELS, so no page has an editor: run tools/wheels.py")
    tab.get_by_role("button", name="Write your answer").first.dispatch_event("click")
    tab.locator(".cm-content span").first.wait_for()
    tab.emulate_media(media="print")
    assert tab.evaluate(PALE)[1] == []


def test_a_page_is_dark_again_after_printing(dark):
    tab = dark("chapters/01_convolution")
    style = "getComputedStyle(document.querySelector('{}')).{}"
    colours = f"{style.format('body', 'backgroundColor')} + {style.format('pre span.k', 'color')}"
    before = tab.evaluate(colours)
    tab.emulate_media(media="print")
    assert tab.evaluate(colours) != before
    tab.emulate_media(media="screen", color_scheme="dark")
    tab.wait_for_function(f"before => {colours} === before", arg=before)


@pytest.mark.parametrize("page", ["chapters/01_convolution", "chapters/05_learning", "exercises/02_sizes"])
def test_no_line_is_cut_at_the_edge_of_the_paper(dark, page):
    tab = dark(page)
    tab.emulate_media(media="print")
    tab.set_viewport_size({"width": 700, "height": 990})  # what A4 has between its margins
    wide = "boxes => boxes.filter((box) => box.scrollWidth > box.clientWidth + 1).map((box) => box.textContent)"
    assert tab.locator("main pre").evaluate_all(wide) == []


def test_pictures_that_were_never_in_view_are_printed(dark):
    tab = dark("chapters/01_convolution")
    pictures = tab.locator("main img[loading=lazy]")
    assert pictures.last.evaluate("image => !image.naturalWidth")
    printed = tab.pdf(format="A4", margin=MARGIN)
    assert len(re.findall(rb"/Subtype\s*/Image", printed)) >= pictures.count() > 5


@pytest.mark.parametrize("size", [(1280, 900), (390, 844)], ids=["wide", "narrow"])
@pytest.mark.parametrize(
    "page",
    ["index", "chapters/01_convolution",
     "chapters/09_seeing_photographs", "exercises/02_sizes", "exercises/14_compared",
     "cheatsheet", "references", "instructor/questions", "how_a_check_thinks"],
)  # fmt: skip
def test_nothing_moves_while_a_page_loads(browser, address, page, size):
    def shifts():
        context = browser.new_context(viewport={"width": size[0], "height": size[1]})
        tab = context.new_page()
        tab.set_default_timeout(PATIENCE / 3)
        network = context.new_cdp_session(tab)
        network.send("Network.enable")
        slow = {"offline": False, "latency": 20, "downloadThroughput": 500_000, "uploadThroughput": 500_000}
        network.send("Network.emulateNetworkConditions", slow)
        try:
            tab.goto(f"{address}/{page}.html", wait_until="load")
            return tab.evaluate(SHIFTS)
        except Late:
            return math.inf
        finally:
            context.close()

    # A browser that is busy paints at other moments, half a table for example, and now and then a slowed-down page of
    # it never comes: what moves always, moves thrice.
    assert any(shifts() <= 0.05 for _ in range(3))
