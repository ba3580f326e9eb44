"""The book's figures: functions that take arrays and return axes, coloured by the roles of palette.json.

Input, kernel, output, gradient and padding keep one colour and one second cue each (frame, corners, hatching), so
that a figure can be read without colour. Signed values run from blue through white to orange.
"""

from utils.plotting.charts import bars, curve, maps, pairs, scatter, shares
from utils.plotting.graphs import graph
from utils.plotting.grids import confusion, grids, matrix, positions
from utils.plotting.overlay import overlays
from utils.plotting.style import COLOURS, SIGNED

__all__ = [
    "COLOURS",
    "SIGNED",
    "bars",
    "confusion",
    "curve",
    "graph",
    "grids",
    "maps",
    "matrix",
    "overlays",
    "pairs",
    "positions",
    "scatter",
    "shares",
]
