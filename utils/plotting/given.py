"""What figures are given: pictures that can be drawn as they are, and as many of everything as there should be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def picture(value: ArrayLike, name: str = "picture") -> NDArray[Any]:
    """A picture (H, W), (1, H, W) or (3, H, W) as an array; bytes are refused, which would all be white."""
    array = np.asarray(value)
    if array.ndim not in (2, 3) or (array.ndim == 3 and len(array) not in (1, 3)) or not array.size:
        raise ValueError(f"a {name} must be (H, W) or (3, H, W), got {array.shape}")
    if array.dtype.kind not in "buif" or not np.isfinite(array).all():
        raise ValueError(f"every number of a {name} must be finite, got NaN, infinity or no number")
    if array.dtype.kind in "ui" and array.max() > 1:
        raise ValueError(f"a {name} must be from 0 to 1, got whole numbers up to {array.max()}: divide bytes by 255")
    return array[0] if array.shape[0] == 1 and array.ndim == 3 else array


def as_many(name: str, values: Sequence[Any], things: str, count: int) -> None:
    """Refuse a text in place of a list, and a list of another length than there are things."""
    if isinstance(values, str):
        raise ValueError(f"{name} must be a list with one for each of the {things}, got the text {values!r}")
    if len(values) != count:
        raise ValueError(f"{name} must have one for each of the {count} {things}, got {len(values)}")
    if not count:
        raise ValueError(f"there must be at least one of the {things}, got none")
