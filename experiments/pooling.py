"""Max pooling, average pooling or a stride: networks that differ in nothing else, on MNIST (chapter 3)."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from experiments.runs import Experiment, digits, learn, main
from utils.training import Data, evaluate

POOLING = {"max": nn.MaxPool2d(2), "average": nn.AvgPool2d(2)}
STRIDED = {"strided 3 × 3": 3, "strided, wide": 3, "strided, dilated": 3, "strided 6 × 6": 6}  # the kernel's side
CASES = ("linear", *POOLING, *STRIDED)


def network(case: str) -> nn.Module:
    """28 × 28 pixels to ten scores, by way of 14 × 14 and 7 × 7."""
    if case == "linear":
        return nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 10))
    c = 16 if case == "strided, wide" else 8
    smaller = POOLING.get(case, nn.Identity())
    f, d = STRIDED.get(case, 3), 3 if case == "strided, dilated" else 1
    later = f, 2 if case in STRIDED else 1, d * (f - 1) // 2, d  # kernel, stride, padding, dilation
    return nn.Sequential(
        *[nn.Conv2d(1, c, 3, padding=1), nn.ReLU(), smaller],
        *[nn.Conv2d(c, 2 * c, *later), nn.ReLU(), smaller],
        *[nn.Conv2d(2 * c, 4 * c, *later), nn.ReLU()],
        *[nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4 * c, 10)],
    )


def steadiness(model: nn.Module, test: Data) -> float:
    """The share of test digits that are called the same when moved by one pixel: the mean over four directions."""
    before = evaluate(model, test).predicted
    moved = [torch.roll(test[0], by, axis) for axis in (2, 3) for by in (-1, 1)]
    after = [evaluate(model, (images, test[1])).predicted for images in moved]
    return torch.stack([before == each for each in after]).double().mean().item()


def run(case: str, seed: int, epochs: int) -> dict[str, Any]:
    """Train one network, and examine it."""
    torch.manual_seed(seed)
    model, train, test = network(case), digits("train"), digits("test")
    learn(model, cross_entropy, train, epochs, rate=0.02)
    shares = evaluate(model, train).accuracy, evaluate(model, test).accuracy, steadiness(model, test)
    return dict(zip(("train", "test", "steady"), (round(share, 4) for share in shares), strict=True))


EXPERIMENT = Experiment("pooling", run, CASES)

if __name__ == "__main__":
    main(EXPERIMENT)
