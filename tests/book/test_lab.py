"""A figure in the real JupyterLab: it runs, it moves by key, and Lab's own shortcuts stay out of it."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest

from utils.widgets import KernelStepper

CODE = "from utils.widgets import KernelStepper\nfigure = KernelStepper(padding=1)\nfigure"
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


@pytest.fixture
def lab(tmp_path):
    """A JupyterLab of its own on a free port, dark, with one notebook; yields the notebook's address."""
    home, folder = tmp_path / "home", tmp_path / "notebooks"
    folder.mkdir()
    cells = [nbformat.v4.new_code_cell(CODE), nbformat.v4.new_code_cell("figure.position, figure.stride")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=KERNEL), folder / "figure.ipynb")
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "themes.jupyterlab-settings").write_text(json.dumps({"theme": "JupyterLab Dark"}))
    (settings / "notification.jupyterlab-settings").write_text(
        json.dumps({"fetchNews": "false", "checkForUpdates": False})
    )
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
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            wait_for(f"http://127.0.0.1:{port}/api", server, tmp_path / "log")
            yield f"http://127.0.0.1:{port}/lab/tree/figure.ipynb?token=figure"
        finally:
            server.terminate()
            server.wait(30)


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


def test_figure_works_in_jupyterlab(lab, browser):
    page = browser.new_page(viewport={"width": 1400, "height": 1000}, color_scheme="light")
    page.goto(lab)
    page.locator(".jp-Notebook .jp-Cell").first.click()
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=60_000)
    page.keyboard.press("Shift+Enter")
    result = page.locator(".cnn-result")
    result.wait_for(timeout=60_000)
    assert result.inner_text() == KernelStepper(padding=1).sentence()

    # Command mode would move to another cell with these keys.
    page.keyboard.press("Escape")
    grid = page.get_by_role("application")
    grid.press("ArrowRight")
    grid.press("ArrowDown")
    page.get_by_label("Stride S").press("ArrowRight")
    moved = KernelStepper(padding=1, position=(1, 1), stride=2)
    assert result.inner_text() == moved.sentence()

    # Lab's theme decides, not the system's, which is light here.
    colour = result.evaluate("node => getComputedStyle(node).getPropertyValue('--cnn-input')")
    assert colour == "#56B4E9"

    # Python has followed.
    page.locator(".jp-Notebook .jp-Cell").nth(1).click()
    page.keyboard.press("Shift+Enter")
    page.get_by_text("([1, 1], 2)").wait_for(timeout=60_000)
    page.context.close()
