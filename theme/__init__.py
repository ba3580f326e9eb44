"""The book's Sphinx extension: what makes its pages light, self-contained and alive."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

from theme import access, colab, figures, lean, math, metadata, pages, repository, terms


def setup(app: Sphinx) -> dict[str, Any]:
    """Register every part with Sphinx."""
    for part in (repository, math, figures, terms, pages, metadata, access, colab, lean):
        part.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
