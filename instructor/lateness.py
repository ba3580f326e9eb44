"""How late something was handed in, and what that costs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import ceil

DAY = 86_400
_UNITS = {"sec": 1, "min": 60, "hour": 3600, "day": DAY, "year": 365 * DAY}


@dataclass(frozen=True)
class Late:
    """Seconds after the deadline; None if the platform says that it was late, and not by how much."""

    seconds: float | None = 0

    @classmethod
    def said(cls, status: str) -> Late:
        """What Moodle's *Status* says, "Submitted for grading - 1 day 3 hours late"."""
        found = re.search(r"\b((?:\d+ (?:sec|min|hour|day|year)s? )*)late\b", status)
        if not found:
            return cls()
        parts = re.findall(r"(\d+) ([a-z]+?)s? ", found[1])
        return cls(sum(int(count) * _UNITS[unit] for count, unit in parts) or None)

    def __bool__(self) -> bool:
        """Whether it is late at all."""
        return self.seconds is None or self.seconds > 0

    @property
    def days(self) -> int:
        """Days begun: at least one, where nothing is known but that it was late."""
        return 1 if self.seconds is None else ceil(self.seconds / DAY)

    def penalty(self, points: float, percent: float) -> float:
        """What is taken off ``points`` for it, at so many percent of them for each day begun."""
        return max(0.0, points) * min(1.0, self.days * percent / 100)

    def __str__(self) -> str:
        """In words, and empty for what is on time."""
        if self.seconds is None:
            return "late"
        left, said = int(self.seconds), []
        for size, unit in ((DAY, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
            count, left = divmod(left, size)
            if count:
                said.append(f"{count} {unit}{'s' if count != 1 else ''}")
        return f"{' '.join(said[:2])} late".strip() if self else ""
