"""Borrowed features against what one can do without them, for 1 to 500 labelled photographs a class (chapter 15)."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from experiments import cifar10
from experiments.blocks import network
from experiments.fair import BATCH, Augment, recipe
from experiments.runs import DEVICE, Experiment, main, on_device
from utils.models import efficientnet_lite0
from utils.models.efficientnet_lite import preprocess
from utils.training import evaluate, fit

LABELS = (1, 5, 20, 100, 500)  # photographs of each of the ten kinds to learn from
CHOOSING, TESTING = 1000, 2000
SIDE = 96  # pixels to which the 32 of a photograph are enlarged before a pretrained network sees them
STAGES = (1, 2, 3, 4, 5, 6, 7, 8)  # of the pretrained network; 8 is its last convolution
STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0)  # of what a linear layer's weights may be, scikit-learn's C
STEPS = {1: 50, 5: 100, 20: 150, 100: 300, 500: 600}  # of fine-tuning, 32 photographs each; from scratch four times
LINEAR = ("pixels", "hand-made", "random", "borrowed")
TUNED = tuple(
    f"fine-tuned at {rate}, {rest}"
    for rate, rest in ((0.0003, 20), (0.003, 20), (0.001, "own statistics, 20"), (0.003, "own statistics, 20"))
)

SPLITS: tuple[cifar10.Split, ...] = ("train", "validation", "test")

Numbers = NDArray[np.float32]


class Borrowed(nn.Module):
    """A pretrained network that takes CIFAR-10's images from 0 to 1, enlarged, and gives ten scores."""

    def __init__(self, pretrained: bool = True, own_statistics: bool = False) -> None:
        """With a new last layer; batch normalisation keeps the statistics that it has, or goes on measuring."""
        super().__init__()
        self.network = efficientnet_lite0(pretrained=pretrained)
        self.network.classifier = nn.Sequential(nn.Linear(1280, 10))
        self.own_statistics = own_statistics

    def train(self, mode: bool = True) -> Borrowed:
        """The mode is the new layer's; of the borrowed ones only batch norms have it, if they are to measure."""
        super().train(mode)
        for part in self.network.features.modules():
            part.training = mode and self.own_statistics and isinstance(part, nn.BatchNorm2d)
        return self

    def features(self, x: Tensor) -> list[Tensor]:
        """(N, 3, 32, 32) → after each of ``STAGES`` the means of the channels (N, C)."""
        maps, means = self.enlarged(x), []
        for stage, layer in enumerate(self.network.features):
            maps = layer(maps)
            means += [maps.mean((2, 3))] if stage in STAGES else []
        return means

    def enlarged(self, x: Tensor) -> Tensor:
        """(N, 3, 32, 32) → (N, 3, SIDE, SIDE), as the pretrained network wants them."""
        return preprocess(F.interpolate(x, size=(SIDE, SIDE), mode="bilinear").clamp(0, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, 32, 32) → (N, 10)."""
        scores: Tensor = self.network(self.enlarged(x))
        return scores


def photographs(split: cifar10.Split, labels: int, seed: int, epochs: int) -> tuple[Tensor, Tensor]:
    """To learn from: so many of each kind, by lot, and those of a smaller number first. Else the first of the split.

    From 0 to 1, (N, 3, 32, 32). A quick run, of 0 epochs, gets three noisy images of each kind.
    """
    if not epochs:
        return torch.rand(30, 3, 32, 32, generator=torch.Generator().manual_seed(seed)), torch.arange(30) % 10
    images, kinds = cifar10.pictures(split)
    count = TESTING if split == "test" else CHOOSING
    places = np.arange(count)
    if split == "train":
        lot = np.random.default_rng(seed)
        orders = [lot.permutation(np.flatnonzero(kinds == kind))[:labels] for kind in range(10)]
        places = np.stack(orders, 1).reshape(-1)
    return torch.from_numpy(images[places]).float() / 255, torch.from_numpy(kinds[places]).long()


def hand_made(x: Tensor) -> Numbers:
    """Histograms of gradients in cells of 4 × 4 pixels, and of colours: what was common before 2012."""
    from skimage.feature import hog

    settings: dict[str, Any] = {
        "orientations": 9,
        "pixels_per_cell": (4, 4),
        "cells_per_block": (2, 2),
        "channel_axis": 0,
    }
    edges = [hog(image, **settings) for image in x.numpy()]
    colours = [
        np.histogramdd(image.reshape(3, -1).T, bins=4, range=[(0, 1)] * 3)[0].ravel() / 1024 for image in x.numpy()
    ]
    return np.concatenate([edges, np.sqrt(colours)], 1).astype(np.float32)


@cache
def pretrained() -> Borrowed:
    """The network as it comes."""
    return Borrowed().eval()


@cache
def untrained(seed: int, epochs: int) -> Borrowed:
    """The control: random weights, and batch norms that have measured what 200 photographs send them."""
    torch.manual_seed(seed)
    model = Borrowed(pretrained=False, own_statistics=True)
    for part in model.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = None  # the plain mean over all that comes
    model.train()
    with torch.no_grad():
        model.features(photographs("train", 20, seed, epochs)[0])
    return model.eval()


@torch.no_grad()
def features(kind: str, x: Tensor, seed: int, epochs: int) -> list[Numbers]:
    """What a linear layer gets, (N, C): of networks after every stage, each image's numbers with a length of 1."""
    if kind == "pixels":
        return [x.flatten(1).numpy()]
    if kind == "hand-made":
        return [hand_made(x)]
    model = pretrained() if kind == "borrowed" else untrained(seed, epochs)
    parts = [model.features(part) for part in x.split(50)]
    return [F.normalize(torch.cat(stage)).numpy() for stage in zip(*parts, strict=True)]


@cache
def looked_at(kind: str, split: cifar10.Split, seed: int, epochs: int) -> tuple[list[Numbers], Tensor]:
    """Features and kinds of the images to choose by and to test with, computed once."""
    x, kinds = photographs(split, 0, seed, epochs)
    return features(kind, x, seed, epochs), kinds


def linear(kind: str, labels: int, seed: int, epochs: int) -> dict[str, Any]:
    """Logistic regression, as strong as is best on 1,000 other photographs."""
    from sklearn.linear_model import LogisticRegression

    x, wanted = photographs("train", labels, seed, epochs)
    lot = seed if kind == "random" else 0
    validation, right = looked_at(kind, "validation", lot, epochs)
    test, truth = looked_at(kind, "test", lot, epochs)
    found = []
    for learn, choose, judge in zip(features(kind, x, seed, epochs), validation, test, strict=True):
        fitted = [LogisticRegression(C=c, max_iter=300).fit(learn, wanted) for c in STRENGTHS]
        shares = [model.score(choose, right) for model in fitted]
        best = int(np.argmax(shares))
        found.append({"validation": round(shares[best], 4), "test": round(float(fitted[best].score(judge, truth)), 4)})
    if len(found) == 1:
        return found[0]
    return {**max(found, key=lambda each: each["validation"]), "stages": [each["test"] for each in found]}


def trained(
    model: nn.Module, rate: float, labels: int, seed: int, epochs: int, steps: int, batch: int
) -> dict[str, Any]:
    """Let a network learn with the recipe of the fair fight, for so many steps."""
    train, validation, test = (on_device(photographs(split, labels, seed, epochs)) for split in SPLITS)
    model.to(DEVICE)
    batch = min(batch, len(train[0]))
    a_round = -(-len(train[0]) // batch)
    rounds = -(-steps // a_round) if epochs else 1
    optimizer, scheduler = recipe(model, rate, rounds * a_round)
    fit(model, train, epochs=rounds, batch_size=batch, optimizer=optimizer, scheduler=scheduler, seed=seed)
    found = {"validation": evaluate(model, validation, 100), "test": evaluate(model, test, 100)}
    return {split: round(examination.accuracy, 4) for split, examination in found.items()}


def run(case: str, seed: int, epochs: int) -> dict[str, Any]:
    """Learn from so many photographs of each kind, and tell 2,000 others apart."""
    how, count = case.rsplit(", ", 1)
    labels = int(count)
    if how in LINEAR:
        return linear(how, labels, seed, epochs)
    torch.manual_seed(seed)
    if how == "from scratch":
        small = nn.Sequential(Standard(), Augment(), network("residual", 8))
        return trained(small, 0.003, labels, seed, epochs, 4 * STEPS[labels], BATCH)
    rate = float(how.split()[2].strip(","))
    model = nn.Sequential(Augment(), Borrowed(own_statistics="own statistics" in how))
    return trained(model, rate, labels, seed, epochs, STEPS[labels], 32)


class Standard(nn.Module):
    """Images from 0 to 1 with a mean of 0 and a deviation of 1 in each channel."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) → the same."""
        mean, deviation = (
            torch.tensor(values, device=x.device)[:, None, None] for values in (cifar10.MEAN, cifar10.DEVIATION)
        )
        return (x - mean) / deviation


CASES = tuple(f"{how}, {labels}" for labels, how in product(LABELS, (*LINEAR, "from scratch", "fine-tuned at 0.001")))
EXPERIMENT = Experiment("borrowed", run, (*CASES, *TUNED), epochs=1)

if __name__ == "__main__":
    main(EXPERIMENT)
