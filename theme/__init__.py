"""The book's Sphinx extension: what makes its pages light, self-contained and alive."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from theme import access, downloads, exercises, figures, lean, links, live, math, metadata, pages, repository, search

ROOT = Path(__file__).parent.parent
INPUTS = (
    "theme/**/*.*", "tools/copies.py", "utils/palette.json", "utils/widgets/*.js", "utils/widgets/*.css",
    "utils/widgets/photo/*",
    "glossary.md", "references.bib",
)  # fmt: skip


def _rewrite(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """All pages, if something has changed that every page is made of; Sphinx looks at a page's own source only."""
    files = sorted(path for pattern in INPUTS for path in ROOT.glob(pattern) if "__pycache__" not in path.parts)
    contents = [*(path.read_bytes() for path in files), str(env.book_live).encode()]  # type: ignore[attr-defined]
    digest = hashlib.sha256(b"".join(contents)).hexdigest()
    changed = getattr(env, "book_inputs", None) != digest
    env.book_inputs = digest  # type: ignore[attr-defined]
    return sorted(env.found_docs) if changed else []


def setup(app: Sphinx) -> dict[str, Any]:
    """Register every part with Sphinx."""
    for part in (repository, math, figures, links, pages, metadata, access, downloads, exercises, live, lean, search):
        part.setup(app)
    app.connect("env-updated", _rewrite)
    return {"version": "1", "env_version": 2, "parallel_read_safe": True, "parallel_write_safe": True}
