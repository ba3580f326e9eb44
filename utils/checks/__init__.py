"""Instant feedback on exercises: what is wrong, in the learner's terms, and never the answer. A module a chapter."""

from utils.checks.exercise import Exercise, Wrong

__all__ = ["Exercise", "Wrong"]
