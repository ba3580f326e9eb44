"""What takes longer than a chapter may: a script for each experiment, and in results/ the numbers that it found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def results(name: str) -> dict[str, Any]:
    """What results/name.json holds: epochs, date, device, versions and ``runs``, one for each case and seed."""
    content: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return content
