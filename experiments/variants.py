"""Ordinary or depthwise-separable convolutions, as wide or with as many weights, on MNIST (chapter 6)."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from experiments.runs import LONGER, Experiment, digits, learn, main
from utils.training import evaluate


def ordinary(c: int, k: int) -> nn.Module:
    """A 3 × 3 convolution."""
    return nn.Conv2d(c, k, 3, padding=1)


def separable(c: int, k: int) -> nn.Module:
    """A depthwise 3 × 3 convolution, then a 1 × 1."""
    depthwise = nn.Conv2d(c, c, 3, padding=1, groups=c, bias=False)
    return nn.Sequential(depthwise, nn.Conv2d(c, k, 1))


CASES = {  # the layer, and the channels after each of three
    "ordinary": (ordinary, (8, 16, 32)),
    "separable": (separable, (8, 16, 32)),
    "ordinary, thin": (ordinary, (4, 7, 12)),
    "separable, wide": (separable, (21, 42, 84)),
}


def network(case: str) -> nn.Module:
    """28 × 28 pixels to ten scores; the first layer is ordinary in all."""
    if case == "linear":
        return nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 10))
    layer, (a, b, c) = CASES[case]
    return nn.Sequential(
        *[ordinary(1, a), nn.ReLU(), nn.MaxPool2d(2)],
        *[layer(a, b), nn.ReLU(), nn.MaxPool2d(2)],
        *[layer(b, c), nn.ReLU()],
        *[nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, 10)],
    )


def run(case: str, seed: int, epochs: int) -> dict[str, Any]:
    """Train one network, and examine it."""
    torch.manual_seed(seed)
    model, train = network(case), digits("train")
    loss = learn(model, cross_entropy, train, epochs, rate=0.02)
    shares = {"train": evaluate(model, train).accuracy, "test": evaluate(model, digits("test")).accuracy}
    return {key: round(value, 4) for key, value in {"loss": loss, **shares}.items()}


LONG = tuple(case + LONGER for case in ("separable", "ordinary, thin"))  # which have not learned their digits by heart
EXPERIMENT = Experiment("variants", run, ("linear", *CASES, *LONG), seeds=4)

if __name__ == "__main__":
    main(EXPERIMENT)
