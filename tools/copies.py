"""Copies of chapters and exercises for where the book is not: a folder to work in, a download, Colab, Binder.

A copy has no outputs, so that predictions come before results, and no solutions; its links lead somewhere from where
it is; and its first cell finds the course's package, or says how to get it.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat

from tools import links
from utils.checks.calls import BLANK

ROOT = links.ROOT
SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION\n.*?^ *### END SOLUTION$", re.MULTILINE | re.DOTALL)
INSTALL = """\
# Gets the course's own package, `utils`, as it was when this notebook was published.
%pip install --quiet "{requirement}"
"""
FIND = """\
try:
    import utils.arithmetic
except ImportError:
    raise ImportError(
{advice}
    ) from None"""
RESTART = (
    "The course's `utils` is not what Python finds here. Either the line above could not install it, or a utils.py "
    "beside this notebook hides it: give that file another name, restart the kernel and run this cell again."
)
FROM_CLONE = (
    "This notebook needs `utils`, the course's own package (not the one of that name on PyPI). In a clone of the "
    "book, `make lab` has everything ready; elsewhere choose the clone's .venv as the kernel. A utils.py beside this "
    "notebook would hide it, too."
)
Lead = Callable[[str, str], str | None]
"""Where a link leads, from the page's name and a place on it: an address, or None for words without a link."""


def stubbed(source: str) -> str:
    """A solution cell's source with a stub in place of every solution."""
    return SOLUTION.sub(lambda found: "\n".join(found[1] + line for line in BLANK.splitlines()), source)


def learners_copy(notebook: Any) -> Any:
    """The notebook as a learner gets it: stubs for solutions, no outputs."""
    copy = nbformat.from_dict(notebook)
    for cell in copy.cells:
        if cell.cell_type == "code":
            cell.source, cell.outputs, cell.execution_count = stubbed(cell.source), [], None
    return copy


def setup_cell(requirement: str | None = None) -> Any:
    """The first cell of a copy: it installs ``requirement``, as pip writes it, or says how to get ``utils``."""
    install = INSTALL.format(requirement=requirement) if requirement else "# Is the course's own package here?\n"
    lines = textwrap.wrap(RESTART if requirement else FROM_CLONE, 92, drop_whitespace=False)
    source = install + FIND.format(advice="\n".join(f'        "{line}"' for line in lines))
    metadata = {} if requirement else {"jupyter": {"source_hidden": True}}  # folded: it has nothing to do as a rule
    return nbformat.from_dict({**nbformat.v4.new_code_cell(source, metadata=metadata), "id": "setup"})


def name_of(path: Path) -> Path:
    """Where the copy of a notebook lies in a folder of copies; exercises do not share their chapter's name."""
    folder, stem = path.parent.name, path.stem
    return Path(folder) / f"{stem}_exercises.ipynb" if folder == "exercises" else Path(folder) / path.name


def written(notebook: Any) -> str:
    """The text of a copy's file."""
    return f"{nbformat.v4.writes(notebook)}\n"


def copy_of(path: Path, lead: Lead, requirement: str | None = None) -> Any:
    """A copy of the book's notebook at ``path``, with links as ``lead`` has them."""
    copy = learners_copy(nbformat.read(path, as_version=4))
    for cell in copy.cells:
        if cell.cell_type == "markdown":
            cell.source = links.LINK.sub(lambda link: _led(link, path.parent, lead), cell.source)
    copy.cells = [setup_cell(requirement), *copy.cells, *_ways_on(path, lead)]
    return copy


def _ways_on(path: Path, lead: Lead) -> list[Any]:
    """The last cell, as a page's end has it: a chapter leads to its exercises, both to the next chapter."""
    number, chapter = path.name[:2], path.parent.name == "chapters"
    sheets, chapters = (
        [each for each in notebooks() if each.parent.name == name] for name in ("exercises", "chapters")
    )
    ways = [f"the [exercises](../exercises/{each.name})" for each in sheets if chapter and each.name[:2] == number]
    # From a chapter to its next part or the next chapter, from exercises to the next chapter.
    after = [each for each in chapters if (each.name > path.name if chapter else each.name[:2] > number)][:1]
    ways += [
        f"[{'its next part' if each.name[:2] == number else f'chapter {int(each.name[:2])}'}](../chapters/{each.name})"
        for each in after
    ]
    text = links.LINK.sub(lambda link: _led(link, path.parent, lead), f"**Next:** {', then '.join(ways)}.")
    return [nbformat.from_dict({**nbformat.v4.new_markdown_cell(text), "id": "next"})] if ways else []


def _led(link: re.Match[str], folder: Path, lead: Lead) -> str:
    """A link of the book with the target that ``lead`` gives; a term brings its definition along."""
    words, target = link["words"], link["target"]
    path, _, place = target.partition("#")
    if not path or re.match(r"[a-z]+:", target):
        return link.group()
    page = (folder / path).resolve().relative_to(ROOT).with_suffix("").as_posix()
    address = lead(page, place)
    if address is None:
        return words
    term = links.terms().get(place) if page == "glossary" else None
    title = f' "{term.definition.replace(chr(34), chr(8243))}"' if term else ""
    return f"[{words}]({address}{title})"


def notebooks() -> list[Path]:
    """The notebooks that have copies: chapters and exercises."""
    return [path for folder in ("chapters", "exercises") for path in sorted((ROOT / folder).glob("[0-9]*.ipynb"))]
