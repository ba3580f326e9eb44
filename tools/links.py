"""What the links of a notebook may say: works of the bibliography, terms of the glossary, files of the book.

They are plain Markdown, which every notebook front end shows; the site makes citations and definitions of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pybtex.database import parse_file

ROOT = Path(__file__).resolve().parent.parent
REFERENCES, GLOSSARY = ROOT / "references.md", ROOT / "glossary.md"
LINK = re.compile(r"(?<!!)\[(?P<words>[^\[\]]*)\]\((?P<target>[^()\s]*)\)")
CODE = re.compile(
    r"^(?P<fence>`{3,}|~{3,})(?! *\{).*?^(?P=fence)"  # a block, but no directive
    r"|(?<![`}])(?!`{3,} *\{)(?P<ticks>`+)[^`].*?(?P=ticks)",  # a span, but no role's
    re.M | re.S,
)
SPHINX_ONLY = re.compile(r"\{[\w:.+-]+\}`[^`]+`|^ *(?:`{3,}|~{3,}|:{3,}) *\{[^}\n]*\}|^\([\w-]+\)=$", re.M)


class Term(NamedTuple):
    """An entry of the glossary."""

    name: str
    definition: str


class Work(NamedTuple):
    """How a text cites an entry of the bibliography: by whom it is and when it appeared."""

    names: str
    year: str


@cache
def terms() -> dict[str, Term]:
    """The entries of the glossary by their places on its page, which Sphinx names like this."""
    entries = re.findall(r"^(\S.*)\n  (\S.*)$", GLOSSARY.read_text(encoding="utf-8"), re.M)
    plain = {name: name.encode("ascii", "ignore").decode() for name, _ in entries}
    return {
        f"term-{re.sub('[^A-Za-z0-9]+', '-', plain[name]).strip('-')}": Term(name, definition)
        for name, definition in entries
    }


@cache
def works() -> dict[str, Work]:
    """The entries of the bibliography by their keys."""
    found = {}
    for key, entry in parse_file(str(ROOT / "references.bib")).entries.items():
        people = entry.persons["author"]
        names = [" ".join(map(str, (*one.rich_prelast_names, *one.rich_last_names))) for one in people]
        found[key] = Work(f"{names[0]} et al." if len(names) > 2 else " and ".join(names), entry.fields["year"])
    return found


def problems(source: str, folder: Path) -> Iterator[str]:
    """What is wrong with the links of a Markdown cell in a notebook of ``folder``, one sentence each."""
    text = CODE.sub("", source)
    for found in SPHINX_ONLY.finditer(text):
        yield f"has {found.group()!r}, which only Sphinx understands: write a link"
    for words, target in LINK.findall(text):
        path, _, place = target.partition("#")
        if re.match(r"[a-z]+:", target) or not path:
            continue
        file = (folder / path).resolve()
        if not file.is_file():
            yield f"links to {target}, and there is no such file"
        elif file == REFERENCES and place not in works():
            yield f"cites {place!r}, which references.bib does not have"
        elif file == REFERENCES and words not in _citations(works()[place]):
            yield f"cites {place} as {words!r}: write {' or '.join(map(repr, _citations(works()[place])))}"
        elif file == GLOSSARY and place and place not in terms():
            yield f"links to {place!r}, which the glossary does not have"


def _citations(work: Work) -> tuple[str, str]:
    return f"{work.names}, {work.year}", f"{work.names} ({work.year})"
