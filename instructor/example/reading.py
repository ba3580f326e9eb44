"""What the marks of 01_reading.ipynb rest on. In a class of your own, nobody but you can read this file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy import add, ndarray, outer
from numpy.random import Generator

from utils.checks import Exercise
from utils.checks.exercise import Arguments


def _rows(rng: Generator) -> list[Arguments]:
    """Rows and kernels, some with pixels left over at the end."""
    rows: list[Arguments] = [(8, 3, 1), (9, 4, 2), (11, 2, 3), (6, 6, 1)]
    for _ in range(12):
        kernel_size = int(rng.integers(2, 6))
        rows.append((kernel_size + int(rng.integers(3, 20)), kernel_size, int(rng.integers(1, 5))))
    return rows


def _counts(size: int, kernel_size: int, starts: Any) -> list[int]:
    return [sum(start <= pixel < start + kernel_size for start in starts) for pixel in range(size)]


def _readings(size: int, kernel_size: int, stride: int) -> list[int]:
    return _counts(size, kernel_size, range(0, size - kernel_size + 1, stride))


def _map(height: int, width: int, kernel_size: int, stride: int, combine: Callable[..., Any] = outer) -> ndarray:
    return combine(_readings(height, kernel_size, stride), _readings(width, kernel_size, stride))


corner_edge_middle = Exercise(
    "corner_edge_middle",
    cases=lambda rng: [()],
    reference=lambda: (1, 3, 9),
    mistakes={
        "There is no padding: the kernel never hangs over the border.": lambda: (4, 6, 9),
        "Near the border fewer places of the kernel reach a pixel.": lambda: (9, 9, 9),
        "Count along both axes, and multiply.": lambda: (1, 3, 3),
        "At an edge the kernel still has three places along that edge.": lambda: (1, 1, 9),
    },
)

readings = Exercise(
    "readings",
    cases=_rows,
    reference=_readings,
    mistakes={
        "The last place is missing: a kernel may end on the last pixel.": (
            lambda n, k, s: _counts(n, k, range(0, n - k, s))
        ),
        "Where is the stride?": lambda n, k, s: _readings(n, k, 1),
        "The kernel hangs over the end of the row: there is no padding.": lambda n, k, s: _counts(n, k, range(0, n, s)),
        "A kernel reads as many pixels as it is wide, not only the first of them.": (
            lambda n, k, s: _counts(n, 1, range(0, n - k + 1, s))
        ),
        "How often a pixel is read is asked, not whether.": lambda n, k, s: [min(1, c) for c in _readings(n, k, s)],
    },
    seconds=2,
)

read_map = Exercise(
    "read_map",
    cases=lambda rng: [(n + 2, n, k, s) for n, k, s in _rows(rng)],
    reference=_map,
    mistakes={
        "Each row's place goes with each column's place: multiply, do not add.": (
            lambda h, w, k, s: _map(h, w, k, s, add.outer)
        ),
        "Height comes first, then width.": lambda h, w, k, s: _map(w, h, k, s),
        "The stride holds along both axes.": lambda h, w, k, s: outer(_readings(h, k, s), _readings(w, k, 1)),
        "All rows of your map are the same, but the upper border is a border, too.": (
            lambda h, w, k, s: outer([1] * h, _readings(w, k, s))
        ),
    },
    seconds=2,
)
