"""A class: release notebooks, and marks for what comes back. The guide is instructor/guide.md."""

import sys

# nbformat imports jsonschema, which imports this where it is installed, which builds a grammar of web addresses for two
# seconds. Without it such addresses go unchecked; no notebook has a field for one.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
