"""Of scikit-image what ``utils.datasets`` takes from it: photographs, and how they are made gray and smaller."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import fetched  # type: ignore[import-not-found]  # beside this file, in the page
import numpy as np

Array = np.ndarray[Any, Any]
GRAY = np.array([0.2125, 0.7154, 0.0721], np.float32)


FILES = {"clock": "clock_motion", "immunohistochemistry": "ihc"}  # the others are called as their functions are


class _Photographs:
    def __getattr__(self, name: str) -> Any:
        return lambda: fetched.array(f"{FILES.get(name, name)}.photo")

    def stereo_motorcycle(self) -> tuple[Array]:
        return (fetched.array("motorcycle_left.photo"),)


def _weights(before: int, after: int) -> Array:
    """What each pixel after resizing takes from those before: a blur as wide as a step, then the nearest two."""
    step = before / after
    sigma = (step - 1) / 2
    reach = int(4 * sigma + 0.5)
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2) if reach else np.ones(1)
    blur = np.zeros((before, before))
    around = np.pad(np.arange(before), reach, mode="reflect")
    for shift, tap in enumerate(taps / taps.sum()):
        np.add.at(blur, (np.arange(before), around[shift : shift + before]), tap)
    places = (np.arange(after) + 0.5) * step - 0.5
    left = np.floor(places).astype(int)
    right, share = np.minimum(left + 1, before - 1), (places - left)[:, None]
    return (1 - share) * blur[left] + share * blur[right]


def _resize(image: Array, size: tuple[int, int], anti_aliasing: bool) -> Array:
    rows, columns = (_weights(before, after) for before, after in zip(image.shape, size, strict=False))
    planes = image[..., None] if image.ndim == 2 else image
    small = np.einsum("ij,jkc,lk->ilc", rows, planes.astype(float), columns, optimize=True).astype(np.float32)
    return small.reshape(*size, *image.shape[2:]).clip(image.min(), image.max())


data = _Photographs()
color = SimpleNamespace(rgb2gray=lambda image: image @ GRAY)
transform = SimpleNamespace(resize=_resize)
util = SimpleNamespace(img_as_float32=lambda image: np.multiply(image, 1 / 255, dtype=np.float32))
