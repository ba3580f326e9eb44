"""Every page of the built book, looked at as readers do: from a server and from disk, wide and narrow, light and dark.

A page is opened once; the tests read what was seen then. Only what needs a reader's hand opens it again.
"""

import itertools
import json
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qs, unquote, urldefrag, urljoin, urlsplit

import pytest
import yaml
from playwright.sync_api import TimeoutError, expect

from conftest import ROOT, build

BUDGET = 900_000
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
ENTRIES = [entry for part in TOC["parts"] for entry in part["chapters"]]
CHAPTERS = [each["file"] for entry in ENTRIES for each in (entry, *entry.get("sections", []))]
PAGES = [TOC["root"], *CHAPTERS, "404", "genindex", "search"]
MOVED = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["sphinx"]["config"]["redirects"]
NOTEBOOKS = {page: ROOT / f"{page}.ipynb" for page in PAGES if (ROOT / f"{page}.ipynb").exists()}
LIVE = [page for page, path in NOTEBOOKS.items() if "data-widget" in path.read_text(encoding="utf-8")]
every_page = pytest.mark.parametrize("page", PAGES)
every_live_page = pytest.mark.parametrize("page", LIVE)


@dataclass
class Visit:
    """What a browser saw on a page."""

    requests: list = field(default_factory=list)
    complaints: list = field(default_factory=list)
    weight: dict = field(default_factory=dict)
    facts: dict = field(default_factory=dict)


FACTS = """() => {
  const article = document.querySelector('article') ?? document.querySelector('main');
  const prose = article.cloneNode(true);
  prose.querySelectorAll('pre, code, .katex, script, style').forEach((node) => node.remove());
  return {
    theme: document.documentElement.dataset.theme,
    figures: document.querySelectorAll('.cnn-widget').length,
    ready: document.querySelectorAll('.cnn-widget[data-ready]').length,
    headings: [...article.querySelectorAll('h1, h2, h3, h4, h5, h6')].map((node) => +node.tagName[1]),
    silent: [...article.querySelectorAll('img')].filter((node) => !node.alt.trim()).map((node) => node.src),
    unmarked: [...document.querySelectorAll('img:not([alt])')].map((node) => node.src),
    tex: prose.textContent.match(/\\$[^\\d\\s][^$\\n]*\\$|\\\\[a-zA-Z]+[{ ]/g) ?? [],
  };
}"""
# After the 300 ms, by the page's own clock, that the theme waits before it lets the keyboard reach what scrolls now.
SETTLED = "() => new Promise((done) => setTimeout(done, 400))"
WIDE = """() => [document.documentElement.scrollWidth - innerWidth, ...[...document.querySelectorAll('body *')]
  .filter((node) => node.getBoundingClientRect().right > innerWidth + 1)
  .slice(0, 5).map((node) => node.outerHTML.slice(0, 120))]"""


def listen(tab, complaints):
    """Collect errors and warnings of a page; the theme also logs, harmlessly, which colour mode it is in."""
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("console", lambda message: message.type == "log" or complaints.append(f"{message.type}: {message.text}"))


@pytest.fixture(scope="session")
def visit(browser, axe, address, site):
    """Open a page, once for all tests: a function of its name."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    seen = {}

    def look(name):
        tab, it = context.new_page(), Visit()
        tab.on("request", lambda request: it.requests.append(request.url))
        listen(tab, it.complaints)
        tab.emulate_media(color_scheme="light")
        tab.goto(f"{address}/{name}.html", wait_until="networkidle")
        # A browser that is busy is idle on the network before it has run all scripts.
        with suppress(TimeoutError):
            tab.wait_for_function("!document.querySelector('.cnn-widget:not([data-ready])')")
        # From disk, so that what the browser asked for twice counts once and nothing is compressed.
        local = {urlsplit(url).path for url in it.requests if url.startswith(address)}
        it.weight = {path: (site / unquote(path).lstrip("/")).stat().st_size for path in local}
        it.facts = tab.evaluate(FACTS)
        tab.set_viewport_size({"width": 320, "height": 640})  # a window of 1280 pixels, enlarged to 400 %
        it.facts["overflow 320"] = tab.evaluate(WIDE)
        tab.set_viewport_size({"width": 390, "height": 844})
        tab.evaluate(SETTLED)
        it.facts["overflow 390"] = tab.evaluate(WIDE)
        it.facts["axe narrow"] = axe(tab, whole=True)  # it leaves less of the page
        tab.set_viewport_size({"width": 1280, "height": 900})
        tab.evaluate(SETTLED)
        it.facts["axe light"] = axe(tab, whole=True)
        tab.emulate_media(color_scheme="dark")
        tab.wait_for_function("document.documentElement.dataset.theme === 'dark'")
        it.facts["axe dark"] = axe(tab, whole=True)
        tab.close()
        return it

    def remember(name):
        if name not in seen:
            seen[name] = look(name)
        return seen[name]

    yield remember
    context.close()


def test_no_page_is_left_out(site):
    built = {str(path.relative_to(site).with_suffix("")) for path in site.rglob("*.html")}
    assert built == {*PAGES, *MOVED}


def test_a_page_that_moved_leads_on_to_the_same_place(browser, site, address):
    assert not MOVED.keys() & set(PAGES)
    assert {urljoin(old, new) for old, new in MOVED.items()} <= {f"{page}.html" for page in PAGES}
    old, new = next(iter(MOVED.items()))
    for root in (address, site.as_uri()):
        tab = browser.new_page()
        tab.goto(f"{root}/{old}.html#summary")
        tab.wait_for_url(urljoin(f"{root}/{old}.html", f"{new}#summary"))
        tab.close()


@every_page
def test_nothing_comes_from_elsewhere(visit, address, page):
    assert [url for url in visit(page).requests if not url.startswith((address, "data:", "blob:"))] == []


@every_page
def test_console_is_silent(visit, page):
    assert visit(page).complaints == []


@every_page
def test_page_is_light(visit, page):
    weight = visit(page).weight
    assert sum(weight.values()) <= BUDGET, sorted(weight.items(), key=lambda item: -item[1])[:8]


def test_pictures_wait_for_the_reader_in_their_place(site):
    page = (site / "chapters" / "01_convolution.html").read_text(encoding="utf-8")
    pictures = re.findall(r"<img [^>]*_images/[^>]*>", page)
    assert len(pictures) > 5
    assert all(re.search(r'loading="lazy" width="\d+" height="\d+"', picture) for picture in pictures)


@every_page
def test_figures_are_alive(visit, page):
    facts = visit(page).facts
    assert facts["ready"] == facts["figures"]
    assert (page in LIVE) == (facts["figures"] > 0)


@every_page
@pytest.mark.parametrize("look", ["axe light", "axe dark", "axe narrow"])
def test_page_is_accessible(visit, page, look):
    assert visit(page).facts[look] == []


@every_page
@pytest.mark.parametrize("width", [390, 320])
def test_fits_a_telephone(visit, page, width):
    overflow, *causes = visit(page).facts[f"overflow {width}"]
    assert overflow <= 0, causes


@every_page
def test_images_speak(visit, page):
    facts = visit(page).facts
    assert facts["silent"] == facts["unmarked"] == []


@every_page
def test_headings_are_in_order(visit, page):
    headings = visit(page).facts["headings"]
    assert headings[0] == 1 and headings.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(headings))


@every_page
def test_formulas_are_drawn(visit, page):
    assert visit(page).facts["tex"] == []


class Links(HTMLParser):
    """The ids of a page, and all that it refers to."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.targets = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.ids |= {values[name] for name in ("id", "name") if values.get(name)}
        self.targets += [values[name] for name in ("href", "src") if values.get(name)]


def test_links_lead_somewhere(site):
    pages = {path: Links(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    broken = []
    for path, links in pages.items():
        for target in links.targets:
            if urlsplit(target).scheme or target == "#":
                continue
            # A page that is served anywhere has links from the root of the site.
            base = "/" if target.startswith("/") else f"/{path.relative_to(site)}"
            url, fragment = urldefrag(urljoin(base, target))
            file = site / unquote(urlsplit(url).path).lstrip("/")
            file = file / "index.html" if file.is_dir() else file
            if not file.is_file() or (fragment and file.suffix == ".html" and unquote(fragment) not in pages[file].ids):
                broken.append(f"{path.relative_to(site)}: {target}")
    assert broken == []


@every_live_page
def test_works_from_disk(browser, site, page):
    tab = browser.new_page()
    complaints, requests = [], []
    listen(tab, complaints)
    tab.on("request", lambda request: requests.append(request.url))
    tab.goto((site / f"{page}.html").as_uri(), wait_until="load")
    assert tab.locator(".cnn-widget").count() > 0
    expect(tab.locator(".cnn-widget:not([data-ready])")).to_have_count(0)
    # What a reader does stays in the address, and the links of the page still lead to their places.
    numbers = tab.locator(".cnn-widget :is([type=range], [type=number]):visible")
    ticks = tab.locator(".cnn-widget [type=checkbox]:visible")
    if numbers.count():
        numbers.first.press("ArrowUp")
    elif tab.get_by_role("application").count():
        tab.get_by_role("application").first.press("ArrowRight")
    else:
        ticks.first.press("Space")
    tab.wait_for_function("location.hash.length > 1")
    tab.reload()
    expect(tab.locator(".cnn-widget:not([data-ready])")).to_have_count(0)
    assert complaints == []
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []
    tab.close()


def test_a_network_comes_to_the_page_that_asks_for_it(browser, address):
    tab = browser.new_page()
    requests = []
    tab.on("request", lambda request: requests.append(request.url))
    tab.goto(f"{address}/chapters/09_seeing_photographs.html", wait_until="load")
    figure = tab.locator("[data-widget=your_photo]")
    load = figure.get_by_role("button", name="Load the network (5 MB)")
    load.scroll_into_view_if_needed()
    assert not any("your_photo.data" in url for url in requests)
    load.click()
    figure.get_by_role("button", name="Reset").wait_for()
    (asked,) = (url for url in requests if "your_photo.data" in url)
    assert re.fullmatch(rf"{re.escape(address)}/_static/your_photo\.data\.js\?v=\w+", asked)
    assert "Apache License" in tab.request.get(f"{address}/_static/your_photo.licence.txt").text()
    tab.close()


@every_live_page
def test_without_javascript_pictures_show(browser, address, page):
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(f"{address}/{page}.html")
    pictures = tab.locator("article img")
    assert tab.locator(".cnn-widget img").count() > 0
    for index in range(pictures.count()):
        pictures.nth(index).scroll_into_view_if_needed()
        expect(pictures.nth(index)).not_to_have_js_property("naturalWidth", 0)
    context.close()


def test_broken_addresses_do_no_harm(browser, address):
    tab = browser.new_page()
    errors = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    for fragment in (
        "#see-it-first",
        "#figures=%7Bbroken",
        "#figures=%5B1%5D",
        "#figures=%7B%220%22%3A%7B%22stride%22%3A99%7D%7D",
    ):
        tab.goto("about:blank")
        tab.goto(f"{address}/chapters/01_convolution.html{fragment}")
        expect(tab.locator(".cnn-widget:not([data-ready])")).to_have_count(0)
    assert errors == []
    tab.close()


def test_search_finds(browser, address):
    tab = browser.new_page()
    tab.goto(f"{address}/index.html")
    tab.keyboard.press("Control+k")
    tab.locator("dialog input[type=search]").fill("stride")
    tab.keyboard.press("Enter")
    expect(tab.locator("#search-results li a[href*='chapters/01_convolution']").first).to_be_visible()
    tab.close()


def test_missing_page_finds_its_way(browser, address):
    tab = browser.new_page()
    missing = f"{address}/some/where/deep.html"
    failed = []
    tab.on("response", lambda response: failed.append(response.url) if response.status >= 400 else None)
    tab.goto(missing, wait_until="networkidle")
    assert failed == [missing]
    expect(tab.locator("article h1")).to_be_visible()
    tab.locator("nav a", has_text="Sizes and parameters").first.click()
    tab.wait_for_url(f"{address}/chapters/02_sizes.html")
    tab.close()


def test_definition_shows_by_keyboard_and_by_mouse(browser, address):
    tab = browser.new_page(viewport={"width": 390, "height": 844})
    tab.goto(f"{address}/chapters/01_convolution.html")
    link = tab.locator("a[data-definition]", has_text="stride").first
    shown = "node => getComputedStyle(node, '::after').content.includes('How many pixels the kernel moves')"
    for show in (link.hover, lambda: tab.keyboard.press("Tab")):
        link.scroll_into_view_if_needed()
        assert not link.evaluate(shown)
        # The key goes to the link from the one before it, as a reader's would: only then does focus show.
        link.evaluate("""node => {
          const links = [...document.querySelectorAll('a[href]')];
          links[links.indexOf(node) - 1].focus();
        }""")
        show()
        tab.wait_for_function(shown, arg=link.element_handle())
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        tab.mouse.move(0, 0)
    tab.close()


def test_second_build_changes_nothing(site, tmp_path):
    def bytes_of_all(folder):
        return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}

    shutil.copytree(site.parent, tmp_path / "_build")  # other tests are reading the first
    before, after = bytes_of_all(site), bytes_of_all(build(tmp_path))
    assert [path for path in before.keys() | after.keys() if before.get(path) != after.get(path)] == []


def test_cheat_sheet_prints_on_one_page(browser, address):
    tab = browser.new_page()
    tab.goto(f"{address}/cheatsheet.html")
    margin = dict.fromkeys(("top", "bottom", "left", "right"), "12mm")
    assert len(re.findall(rb"/Type\s*/Page\b", tab.pdf(format="A4", margin=margin))) == 1
    tab.close()


def test_source_of_a_page_hides_nothing(site):
    for path in (site / "_sources").rglob("*.ipynb"):
        text = path.read_text(encoding="utf-8")
        assert "HIDDEN TESTS" not in text
        assert not any("remove-cell" in cell["metadata"].get("tags", []) for cell in json.loads(text)["cells"])


def test_reading_time_stands_under_the_title(site):
    for path in (site / f"{page}.html" for page in CHAPTERS if page.startswith("chapters/")):
        assert re.search(r"</h1>\s*<p class=\"reading-time\">about \d+ minutes", path.read_text(encoding="utf-8")), (
            path.name
        )


def test_chapters_and_exercises_lead_on_to_each_other(site):
    order = [name for name in CHAPTERS if not name.startswith("exercises/")]
    sheets = {name[10:12]: name for name in CHAPTERS if name.startswith("exercises/")}
    for page, after in itertools.pairwise(order):
        if not page.startswith("chapters/"):
            break
        exercises, last = sheets[page[9:11]], page[9:11] != after[9:11]
        for name, leads in ((page, [exercises, after]), *([(exercises, [after])] if last else [])):
            text = (site / f"{name}.html").read_text(encoding="utf-8")
            found = re.findall(r'class="right-next" href="([^"]*)"', text)
            assert [urljoin(f"{name}.html", link) for link in found] == [f"{lead}.html" for lead in leads]
    assert 'class="left-prev" href="01_convolution.html"' in (site / f"{order[1]}.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["chapters/02_sizes", "exercises/02_sizes"])
def test_sidebar_shows_a_chapters_exercises_with_it(browser, site, page):
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    tab.goto((site / f"{page}.html").as_uri())
    shown = tab.locator("nav.bd-links a", has_text="Exercises").filter(visible=True)
    assert [link.get_attribute("href").split("/")[-1] for link in shown.all()] in (["02_sizes.html"], ["#"])
    tab.close()


def test_unknown_repository_is_not_named(site):
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(
            r"mybinder\.org|colab\.research|//[\w-]+\.github\.io|og:url|og:image|canonical|issues/new", text
        ), path.name
    assert not (site / "sitemap.xml").exists()
    for path in (site / "notebooks").rglob("*.ipynb"):
        assert "%pip" not in path.read_text(encoding="utf-8"), path.name


def test_known_repository_gives_addresses(published):
    text = (published / "chapters" / "01_convolution.html").read_text(encoding="utf-8")
    root = "https://some-owner.github.io/some-name/"
    assert 'href="https://github.com/some-owner/some-name"' in text
    assert (
        "https://colab.research.google.com/github/some-owner/some-name/blob/gh-pages/notebooks/chapters/01_convolution.ipynb"
        in text
    )
    assert re.search(
        r"https://mybinder\.org/v2/gh/some-owner/some-name/[0-9a-f]{40}\?urlpath=lab/tree/work/chapters/01_conv", text
    )
    assert f'<meta property="og:url" content="{root}chapters/01_convolution.html"' in text
    picture = re.search(rf'<meta property="og:image" content="{root}([^"]*)"', text)[1]
    assert (published / picture).is_file()
    assert f'<link rel="canonical" href="{root}chapters/01_convolution.html"' in text
    listed = set(re.findall(r"<loc>([^<]*)</loc>", (published / "sitemap.xml").read_text(encoding="utf-8")))
    assert {f"{root}{page}.html" for page in [TOC["root"], *CHAPTERS]} <= listed
    link = re.search(r'href="([^"]*/issues/new\?[^"]*)">Something wrong here\?</a>', text)[1].replace("&amp;", "&")
    issue = parse_qs(urlsplit(link).query)
    assert issue["title"] == ["chapters/01_convolution: "]
    assert re.search(rf"{re.escape(root)}chapters/01_convolution\.html\nBuilt from: [0-9a-f]{{40}}\n", issue["body"][0])
    assert all("issues/new" in (published / f"{page}.html").read_text(encoding="utf-8") for page in PAGES)
    assert 'href="/some-name/index.html"' in (published / "404.html").read_text(encoding="utf-8")


def test_links_of_a_published_copy_lead_to_the_site(published):
    places = {path: Links(path.read_text(encoding="utf-8")).ids for path in published.rglob("*.html")}
    root = "https://some-owner.github.io/some-name/"
    for path in (published / "notebooks").rglob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        setup = "".join(cells[0]["source"])
        assert re.search(
            r'%pip install .*"executable.* @ git\+https://github\.com/some-owner/some-name@[0-9a-f]{40}"', setup
        )
        targets = re.findall(
            r"\]\(([^()\s]+)", "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        )
        assert targets
        for target in targets:
            page, place = urldefrag(target)
            if page.startswith(root):
                assert not place or place in places[published / page.removeprefix(root)], target
            else:
                assert re.match("https?://", page), target


def test_a_copy_without_a_site_has_words_where_links_would_lead_nowhere(site):
    for path in (site / "notebooks").rglob("*.ipynb"):
        setup, *cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        text = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        assert not re.search(r"\]\((?!https?://)", text), path.name
        assert "make lab" in "".join(setup["source"])
