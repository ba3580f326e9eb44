"""The built book, a server for it and a browser to look at it: one of each for all tests."""

import functools
import os
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import Error, expect, sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT))  # `theme` is part of the build and not of the installed package
# The first is Chromium without windows of its own, which are a third of the work of opening a page.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")
# Tests read what a page shows after an action by playwright's ``expect``, which looks until it is so: a page may draw
# when the action is over, and a busy machine is no failure.
PATIENCE = 180_000  # milliseconds
expect.set_options(timeout=PATIENCE)
# Nothing that a browser does by itself may look like a request of the page.
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
# Of a chapter's thousands of signs in formulas, words of code, and shapes and numbers in drawings, one of each kind
# stays as it is, and of each kind of text one has its contrast measured: for it, axe asks for all that lies under it.
ONE_OF_EACH = """() => {
  const kinds = new Map([[document, '']]), seen = new Set();
  const kind = (node) => {
    if (!kinds.has(node)) {
      const { color, backgroundColor, fontSize, fontWeight, opacity } = getComputedStyle(node);
      const look = [node.localName, node.getAttribute('class'), color, backgroundColor, fontSize, fontWeight, opacity];
      kinds.set(node, `${look} in ${kind(node.parentElement?.closest('.katex') ?? node.parentNode)}`);
    }
    return kinds.get(node);
  };
  const again = (node) => seen.has(kind(node)) || !seen.add(kind(node));
  const all = (selector) => [...document.querySelectorAll(selector)];
  const shapes = all('svg :is(text, rect, path, line, circle):not([role], [tabindex])');
  for (const node of [...shapes, ...all('.cnn-figure tbody tr')].filter(again)) node.remove();
  for (const formula of all('.katex')) {
    const signs = [...formula.querySelectorAll('.katex-html span:not(:has(*))')];
    if (signs.map(again).every(Boolean)) formula.replaceWith('x');
  }
  for (const formula of all('math')) formula.textContent = formula.textContent;
  for (const word of all('pre span').filter(again)) word.replaceWith(...word.childNodes);
  for (const code of all('pre')) code.normalize();
  seen.clear();
  for (const node of all('body *')) {
    const text = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    const shown = (text || node.matches('input, select')) && node.checkVisibility();
    node.toggleAttribute('data-measured', shown && !again(node));
  }
  axe.configure({ rules: [{ id: 'color-contrast', selector: '[data-measured]' }] });
}"""


def build(output, repository=""):
    """Build the book from nothing, as `make book` does, and return the folder of its pages."""
    environment = {**os.environ, "GITHUB_REPOSITORY": "", "BOOK_REPOSITORY": repository}
    program = Path(sys.executable).with_name("jupyter-book")
    options = ["--path-output", output, "--warningiserror", "--keep-going", "--quiet"]
    done = subprocess.run([program, "build", ROOT, *options], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return Path(output) / "_build" / "html"


@pytest.fixture(scope="session")
def built(tmp_path_factory, worker_id):
    """Build the book, once for all processes that run tests: who comes first builds, the others wait."""
    own = tmp_path_factory.getbasetemp()
    shared = own if worker_id == "master" else own.parent

    def build_once(name, repository=""):
        output, done = shared / name, shared / f"{name}.done"
        with FileLock(shared / f"{name}.lock"):
            if not done.exists():
                build(output, repository)
                done.touch()
        return output / "_build" / "html"

    return build_once


@pytest.fixture(scope="session")
def site(built):
    """The folder of the pages, built without knowing a repository."""
    return built("book")


@pytest.fixture(scope="session")
def published(built):
    """The folder of the pages, built for a repository."""
    return built("published", "some-owner/some-name")


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def send_error(self, code, *args):
        """Answer with the book's own page where there is none, as GitHub Pages does."""
        if code != 404:
            return super().send_error(code, *args)
        body = (Path(self.directory) / "404.html").read_bytes()
        self.send_response(404)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return self.wfile.write(body)


@contextmanager
def serving(folder, handler=Handler):
    """Serve the pages in a folder on this machine; gives their address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def address(site):
    """Where the pages are served."""
    with serving(site) as where:
        yield where


@pytest.fixture(scope="session")
def started():
    """What starts Chromium, the system's or the one that playwright has installed, by one of playwright's methods."""
    with sync_playwright() as playwright:
        path = next(filter(None, map(shutil.which, BROWSERS)), None)

        def start(method, *where, **options):
            try:
                return getattr(playwright.chromium, method)(*where, executable_path=path, args=QUIET, **options)
            except Error as error:
                advice = "install Chromium, or run `playwright install chromium`"
                reason = f"NO BROWSER, so nothing of the pages was tested: {advice}. {error}"
                if os.environ.get("CI"):
                    pytest.fail(reason)
                pytest.skip(reason)

        yield start


@pytest.fixture(scope="session")
def browser(started):
    """A browser that forgets everything with each context."""
    chromium = started("launch")
    chromium.on("context", lambda context: context.set_default_timeout(PATIENCE))
    yield chromium
    chromium.close()


@pytest.fixture(scope="session")
def keeping(started, tmp_path_factory):
    """The context of a browser that keeps what it has fetched and compiled, as that of a reader who comes again."""
    viewport = {"width": 1280, "height": 900}
    context = started("launch_persistent_context", tmp_path_factory.mktemp("profile"), viewport=viewport)
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture(scope="session")
def axe():
    """What axe finds on a page, a line each; of parts of a page, which lack the rest, what is serious or critical."""
    script = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")

    def violations(page, whole=False):
        if not page.evaluate("'axe' in window"):
            page.evaluate(script)
        page.evaluate(ONE_OF_EACH)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations'], preload: false})")["violations"]
        return [
            f"{violation['id']}: {node['html'][:200]} {node['failureSummary']}"
            for violation in found
            if whole or violation["impact"] in ("serious", "critical")
            for node in violation["nodes"]
        ]

    return violations
