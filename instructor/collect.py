"""Collecting for a class in which somebody hands in links: nbgrader follows them, with the rights of the instructor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbgrader.exchange.default import ExchangeCollect


class Collect(ExchangeCollect):  # type: ignore[misc]  # it ships no types
    """Leaves out, and names, a submission with a link in it, or one that cannot be copied; the others are collected."""

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """Copy a submission's folder from the exchange into the course."""
        try:
            if links := [path for path in (Path(src), *Path(src).rglob("*")) if path.is_symlink()]:
                raise ValueError(f"{links[0]} is a link")
            super().do_copy(src, dest, log)
        except Exception as error:
            self.log.error("NOT COLLECTED: %s: %s", src, error)
