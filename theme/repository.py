"""Where the book lives: addresses that exist only when the build is told its repository, and are never invented.

``GITHUB_REPOSITORY`` (set by GitHub Actions) or ``BOOK_REPOSITORY``, "owner/name", names it.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Repository:
    """A GitHub repository and the commit that the book is built from."""

    owner: str
    name: str
    commit: str

    @property
    def url(self) -> str:
        """Its page."""
        return f"https://github.com/{self.owner}/{self.name}"

    @property
    def site(self) -> str:
        """The book's own address, on GitHub Pages."""
        host = f"{self.owner.lower()}.github.io"
        return f"https://{host}/" if self.name.lower() == host else f"https://{host}/{self.name}/"

    @property
    def requirement(self) -> str:
        """What pip installs: the course's package with all that the notebooks need, from the same commit."""
        return f"executable-convnet[learn] @ git+{self.url}@{self.commit}"

    def report(self, page: str) -> str:
        """A new issue that names the page and the commit it was built from."""
        body = f"Page: {self.site}{page}.html\nBuilt from: {self.commit}\n\nWhat is wrong:\n\nBrowser and device:\n"
        return f"{self.url}/issues/new?{urlencode({'title': f'{page}: ', 'body': body})}"

    def binder(self, notebook: str) -> str:
        """A live server on ``notebook``."""
        return f"https://mybinder.org/v2/gh/{self.owner}/{self.name}/{self.commit}?urlpath=lab/tree/{notebook}"

    def colab(self, notebook: str) -> str:
        """The copy of ``notebook`` that installs what it needs; the site's branch, gh-pages, carries it."""
        return f"https://colab.research.google.com/github/{self.owner}/{self.name}/blob/gh-pages/{notebook}"


def known_repository() -> Repository | None:
    """The repository that the environment names, if any."""
    name = os.environ.get("GITHUB_REPOSITORY") or os.environ.get("BOOK_REPOSITORY")
    if not name:
        return None
    if name.count("/") != 1 or not all(name.split("/")):
        raise ConfigError(f"BOOK_REPOSITORY must be owner/name, got {name!r}")
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    if head.returncode:
        raise ConfigError(f"links to {name} need the commit, and this folder is no git checkout: {head.stderr.strip()}")
    owner, project = name.split("/")
    return Repository(owner, project, head.stdout.strip())


def _configure(app: Sphinx, config: Config) -> None:
    repository = known_repository()
    config.notfound_urls_prefix = urlsplit(repository.site).path if repository else "/"
    config.html_baseurl = repository.site if repository else ""


def setup(app: Sphinx) -> None:
    """Give the site its address before other extensions look for it."""
    app.setup_extension("notfound.extension")
    app.connect("config-inited", _configure, priority=10)
    app.add_config_value("book_repository", known_repository(), "html")  # a page's buttons depend on it
