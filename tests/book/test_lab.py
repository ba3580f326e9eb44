"""The folder to work in, in the real JupyterLab: text and links as they should be, and figures that keys move."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest
from playwright.sync_api import Error

from tools import work
from tools.notebooks import METADATA
from utils.widgets import KernelStepper

CODE = "from utils.widgets import KernelStepper\nfigure = KernelStepper(padding=1)\nfigure"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab of its own on a free port, dark, with the folder to work in; yields the address of a notebook."""
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("notebooks")
    work.make(folder)
    cells = [
        nbformat.v4.new_code_cell(CODE),
        nbformat.v4.new_code_cell("figure.position, figure.stride, figure.kernel[0]"),
        nbformat.v4.new_code_cell("from utils.widgets import YourPhoto\nYourPhoto()"),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=METADATA), folder / "figure.ipynb")
    wishes = {
        "apputils-extension/themes": {"theme": "JupyterLab Dark"},
        "notebook-extension/tracker": {"windowingMode": "none"},
    }
    for name, wish in wishes.items():
        path = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(wish))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": folder,
        "LabApp.app_settings_dir": work.SETTINGS,
        "IdentityProvider.token": "figure",
    }
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        *(f"--{name}={value}" for name, value in options.items()),
    ]
    environment = {**os.environ, **{name: str(home / place) for name, place in own.items()}}
    with (home / "log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            wait_for(f"http://127.0.0.1:{port}/api", server, home / "log")
            yield lambda name: f"http://127.0.0.1:{port}/lab/tree/{name}?token=figure&reset"
        finally:
            server.kill()  # asked to end, it waits half a minute for a browser's last words; its kernels end with it
            server.wait()


def wait_for(address, server, log):
    for _ in range(300):
        assert server.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(address, timeout=2)
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(log.read_text())


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={"width": 1400, "height": 1000}, color_scheme="light")
    yield page
    page.context.close()


def open_notebook(page, address):
    page.goto(address)
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for(timeout=60_000)


def run(page, index, shows):
    """Run a cell until it shows something: Lab forgets what it is told before it has its kernel."""
    for _ in range(20):
        page.locator(".jp-Notebook .jp-Cell").nth(index).locator(".jp-InputArea").click()
        page.keyboard.press("Control+Enter")
        with contextlib.suppress(Error):
            return shows.wait_for(timeout=5_000)
    raise AssertionError(f"cell {index} did not run")


def test_chapter_reads_well_and_leads_to_its_exercises(lab, page):
    open_notebook(page, lab("chapters/02_sizes.ipynb"))
    text = page.locator(".jp-RenderedMarkdown")
    text.locator("a", has_text="Eight exercises").wait_for()
    words = " ".join(text.all_inner_texts())
    assert "\N{WARNING SIGN}" not in words and "{" not in words
    links = text.locator("a:not(.jp-InternalAnchorLink)").evaluate_all("nodes => nodes.map((node) => node.href)")
    assert len(links) > 15
    missing = page.evaluate(
        "links => Promise.all(links.map(async (link) => ((await fetch(link)).ok ? null : link)))",
        [link for link in links if "/files/" in link],
    )
    assert not any(missing) and not any(link.endswith("#") for link in links)
    assert text.locator("a", has_text="dilation").last.get_attribute("title").startswith("空洞率. The distance")
    # Opening changes nothing that a reader would have to save.
    assert page.locator(".lm-TabBar-tab.jp-mod-dirty").count() == 0
    text.last.locator("a", has_text="exercises").click()
    page.locator(".lm-TabBar-tab", has_text="02_sizes_exercises.ipynb").wait_for(timeout=30_000)
    page.get_by_role("heading", name="Exercises: sizes and parameters").wait_for(timeout=30_000)
    onward = page.locator(".jp-RenderedMarkdown a", has_text="chapter 3").last
    assert "/files/chapters/03_pooling.ipynb" in onward.get_attribute("href")


def test_glossary_opens_as_text(lab, page):
    page.goto(lab("glossary.md"))
    page.locator(".jp-MarkdownViewer strong", has_text="stride").first.wait_for(timeout=60_000)


def test_figure_works_in_jupyterlab(lab, page):
    open_notebook(page, lab("figure.ipynb"))
    result = page.locator(".cnn-result")
    run(page, 0, result)
    assert result.inner_text() == KernelStepper(padding=1).sentence()

    # Command mode would move to another cell with these keys.
    page.keyboard.press("Escape")
    grid = page.get_by_role("application", name="Output")
    grid.press("ArrowRight")
    grid.press("ArrowDown")
    page.get_by_label("Stride S").press("ArrowRight")
    moved = KernelStepper(padding=1, position=(1, 1), stride=2)
    assert result.inner_text() == moved.sentence()

    # Enter takes a number, and is not the notebook's "edit this cell".
    field = page.get_by_label("Weight row 1, column 1")
    field.fill("5")
    field.press("Enter")
    page.wait_for_function("text => document.querySelector('.cnn-result').textContent !== text", arg=moved.sentence())
    assert field.evaluate("node => node === document.activeElement")

    # Whoever opens the tables and types there inserts no cell.
    summary = page.locator(".cnn-figure summary")
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    summary.press("Enter")
    for key in ("a", "b", "ArrowDown"):
        summary.press(key)
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells
    assert page.locator(".cnn-figure details[open]").count() == 1
    assert summary.evaluate("node => getComputedStyle(node).listStyleType") == "disclosure-open"

    # Lab's theme decides, not the system's, which is light here.
    colour = result.evaluate("node => getComputedStyle(node).getPropertyValue('--cnn-input')")
    assert colour == "#56B4E9"

    # Python has followed.
    run(page, 1, page.get_by_text("([1, 1], 2, [5, "))

    now = result.inner_text()

    # A figure that asks its kernel for more: a network of 5 MB.
    load = page.get_by_role("button", name="Load the network (5 MB)")
    run(page, 2, load)
    load.click()
    page.get_by_role("button", name="Reset").wait_for()
    page.get_by_label("Turn, degrees").press("ArrowRight")
    page.get_by_text("Photo of a cat, changed: ").wait_for()
    page.locator(".jp-Notebook .jp-Cell").nth(2).locator(".jp-InputArea").click()
    page.keyboard.press("Escape")
    for key in ("d", "d"):  # the cell has served
        page.keyboard.press(key)

    # Saved and opened again without its kernel, the figure is there and not an error.
    page.keyboard.press("Control+s")
    page.locator(".lm-TabBar-tab.jp-mod-dirty").wait_for(state="detached")
    page.goto(lab("chapters/01_convolution.ipynb"))
    open_notebook(page, lab("figure.ipynb"))
    result.wait_for(timeout=60_000)
    assert result.inner_text() == now
