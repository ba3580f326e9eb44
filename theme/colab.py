"""Copies of the chapters for Colab, each with one cell before all others that installs ``utils``.

From the same commit as the page: a copy that met helpers newer or older than itself would break in a reader's hands.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from sphinx.application import Sphinx

CHAPTERS = Path(__file__).parent.parent / "chapters"


def colab_copy(notebook: Any, source: str) -> Any:
    """The notebook with a set-up cell that installs the course's package from ``source``, a pip requirement."""
    copy = nbformat.from_dict(notebook)
    cell = nbformat.v4.new_code_cell(
        f'# Colab has torch and NumPy already; this adds the course\'s own package.\n%pip install --quiet "{source}"'
    )
    copy.cells.insert(0, nbformat.from_dict({**cell, "id": "setup"}))
    return copy


def _write(app: Sphinx, error: Exception | None) -> None:
    repository = app.config.book_repository
    if error or not repository:
        return
    folder = Path(app.outdir) / "colab"
    folder.mkdir(exist_ok=True)
    for notebook in sorted(CHAPTERS.glob("*.ipynb")):
        nbformat.write(
            colab_copy(nbformat.read(notebook, as_version=4), repository.requirement), folder / notebook.name
        )


def setup(app: Sphinx) -> None:
    """Write the copies beside the pages."""
    app.connect("build-finished", _write)
