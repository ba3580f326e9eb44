"""The search: sizes are words, however they are written, and of equal pages the book's order decides."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.search.en import SearchEnglish

# Numbers with signs of multiplication between them: 3×3, 3 x 3, 3 by 3, $3 \times 3$, 3 × 224 × 224.
SIZE = r"\d+(?:\s*(?:[×x*]|\\times|-?by-?)\s*\d+)+"
SPLIT = """
// The words of a question are those of the index, which theme/search.py makes: of a size, each two neighbours.
var splitQuery = (query) => query
  .replace(new RegExp(%s, "giu"), (size) => {
    const numbers = size.match(/\\d+/g);
    return numbers.slice(1).map((each, i) => `${numbers[i]}x${each}`).join(" ");
  })
  .split(/[^\\p{Letter}\\p{Number}_\\p{Emoji_Presentation}]+/u)
  .filter((word) => word);
"""


class Words(SearchEnglish):
    """English, in which a size is a word: ``3x3`` for 3 × 3, ``3x224 224x224`` for 3 × 224 × 224."""

    js_splitter_code = SPLIT % json.dumps(SIZE)

    def split(self, input: str) -> list[str]:
        """The words of a text."""

        def pairs(size: re.Match[str]) -> str:
            numbers = re.findall(r"\d+", size[0])
            return " ".join(f"{one}x{other}" for one, other in itertools.pairwise(numbers))

        return super().split(re.sub(SIZE, pairs, input, flags=re.IGNORECASE))


def _rank(app: Sphinx, config: Config) -> None:
    config.html_search_scorer = str(Path(__file__).with_name("scorer.js"))


def setup(app: Sphinx) -> None:
    """Take the place of Sphinx's own English, and of its scores."""
    app.add_search_language(Words)
    app.connect("config-inited", _rank)
