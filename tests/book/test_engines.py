"""Every page and figure in Firefox and in WebKit, the engine of Safari: one start of each, all pages through it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from marionette_driver.marionette import Marionette
from selenium import webdriver
from selenium.webdriver.support.wait import WebDriverWait
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service
from test_site import LIVE, PAGES

from conftest import PATIENCE, Handler, serving

RIGHT, UP, SPACE = "\ue014", "\ue013", "\ue00d"
# Neither driver tells of a page's console: what goes wrong is noted in the page, from its first line on.
SPY = b"""<script>
  var complaints = [];
  addEventListener("error", (event) => complaints.push(event.message ?? event.target.src ?? event.target.href), true);
  addEventListener("unhandledrejection", (event) => complaints.push(String(event.reason)));
  for (const kind of ["error", "warn"]) console[kind] = (...words) => complaints.push(words.join(" "));
</script>"""
SEEN = """return {
  complaints, title: document.title, figures: document.querySelectorAll(".cnn-widget:not([data-ready])").length,
  broken: [...document.images].filter((image) => image.complete && !image.naturalWidth).map((image) => image.src),
  wide: document.documentElement.scrollWidth - innerWidth,
}"""
# Whether a figure says or shows anything else than it did, or a control of it holds anything else.
CHANGED = """const figure = document.querySelectorAll(".cnn-widget")[arguments[0]], before = window.shown;
  const controls = [...figure.querySelectorAll("input, select")].map((each) => each.value + each.checked);
  window.shown = figure.innerHTML + controls;
  return window.shown !== before;"""
# What a reader would work first: of each selector the first that can be seen.
FIRST = """const figure = document.querySelectorAll(".cnn-widget")[arguments[0]];
  const first = (selector) => [...figure.querySelectorAll(selector)].find((each) => each.checkVisibility());
  return arguments[1].map((selector) => first(selector) ?? null);"""
CONTROLS = (
    "[type=range]",
    "[role=application]",
    "[type=number]",
    "[type=checkbox]",
    "button:not(:disabled)",
    "summary",
)
KEYS = (RIGHT, RIGHT, UP, SPACE, SPACE, SPACE)


class Spied(Handler):
    """Serves the pages with an ear in each."""

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        if path.suffix != ".html" or not path.is_file():
            return super().do_GET()
        body = path.read_bytes().replace(b"<head>", b"<head>" + SPY, 1)
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return self.wfile.write(body)


@pytest.fixture(scope="module")
def spied(site):
    with serving(site, Spied) as where:
        yield where


def firefox(folder):
    """Firefox over its own protocol, which needs no driver beside it."""
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    if not program:
        raise FileNotFoundError("install firefox-esr")
    browser = Marionette(bin=program, headless=True, port=0, gecko_log=str(folder / "gecko.log"))
    browser.start_session()
    browser.get = browser.navigate
    browser.run = lambda script, *given: browser.execute_script(script, script_args=given, sandbox=None)
    yield browser
    browser.quit()


def webkit(folder):
    """WebKitGTK's small browser, on a display that nobody sees."""
    driver, display = shutil.which("WebKitWebDriver"), shutil.which("Xvfb")
    program = next(Path("/usr/lib").glob("*/webkit*gtk-*/MiniBrowser"), None)
    if not (driver and display and program):
        raise FileNotFoundError("install webkit2gtk-driver and xvfb")
    screen = subprocess.Popen(
        [display, "-displayfd", "1", "-screen", "0", "1280x1000x24", "-nolisten", "tcp"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        options = Options()
        options.binary_location = str(program)
        options.add_argument("--automation")
        environment = {**os.environ, "DISPLAY": f":{screen.stdout.readline().strip()}"}
        browser = webdriver.WebKitGTK(options=options, service=Service(driver, env=environment))
        browser.run = browser.execute_script
        yield browser
        browser.quit()
    finally:
        screen.terminate()
        screen.wait()


@pytest.fixture(scope="module", params=[firefox, webkit], ids=lambda engine: engine.__name__)
def engine(request, tmp_path_factory):
    started = request.param(tmp_path_factory.mktemp("engine"))
    try:
        browser = next(started)
    except FileNotFoundError as error:
        reason = f"NO BROWSER, so nothing was tested in it: {error}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    yield browser
    next(started, None)


def click(engine, control):
    """Click in the middle of the window, where nothing that sticks to its edges lies over a control."""
    engine.run("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", control)
    control.click()


@pytest.mark.parametrize("page", PAGES)
def test_page_is_clean_and_its_figures_answer(engine, spied, page):
    engine.get(f"{spied}/{page}.html")
    seen = engine.run(SEEN)
    assert seen.pop("title")
    assert seen.pop("wide") <= 0
    assert seen == {"complaints": [], "figures": 0, "broken": []}
    figures = engine.run("return document.querySelectorAll('.cnn-widget').length")
    assert (figures > 0) == (page in LIVE)
    for index in range(figures):
        controls = [each for each in zip(engine.run(FIRST, index, CONTROLS), KEYS, strict=True) if each[0]]
        assert engine.run(CHANGED, index)
        keyed = (each.send_keys(key) for each, key in controls)
        assert any(engine.run(CHANGED, index) for _ in keyed), f"figure {index} does not answer keys"
        clicked = (click(engine, each) for each in engine.run(FIRST, index, CONTROLS) if each)
        assert any(engine.run(CHANGED, index) for _ in clicked), f"figure {index} does not answer clicks"
    assert engine.run("return complaints") == []


def test_a_link_to_a_figure_leads_to_it(engine, spied):
    engine.get("about:blank")
    engine.get(f'{spied}/chapters/01_convolution.html#figures={{"1":{{"position":[9,9]}}}}')
    top = "return document.querySelectorAll('.cnn-widget')[1].getBoundingClientRect().top"
    WebDriverWait(engine, PATIENCE / 1000).until(lambda engine: 0 <= engine.run(top) <= 200)
