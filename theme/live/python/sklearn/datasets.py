"""The handwritten digits."""

from types import SimpleNamespace

import fetched  # type: ignore[import-not-found]  # beside this folder, in the page
import numpy as np


def load_digits() -> SimpleNamespace:
    """Images and labels, each image a row with its label at the end."""
    rows = fetched.array("digits.rows")
    return SimpleNamespace(images=rows[:, :-1].reshape(-1, 8, 8).astype(float), target=rows[:, -1].astype(np.int64))
