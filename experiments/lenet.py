"""LeNet-5 and its rivals on MNIST digits: in place, moved, and with their pixels shuffled (chapter 7)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad

from experiments.runs import Experiment, digits, learn, main
from utils.models import lenet5
from utils.training import Data, evaluate

HIDDEN = {"dense": 77, "dense, same work": 524}  # units for LeNet-5's 61,706 parameters, and for its 416,520 MACs
CASES = (
    *(f"{name}: in place" for name in ("logistic regression", *HIDDEN, "LeNet-5")),
    *(f"{name}: moved" for name in ("logistic regression", *HIDDEN, "LeNet-5")),
    *(f"{name}: {task}, shuffled" for task in ("moved", "in place") for name in ("dense", "LeNet-5")),
    "LeNet-5, global average: in place",
)


def network(name: str) -> nn.Module:
    """28 × 28 pixels to ten scores."""
    if name == "LeNet-5":
        return lenet5()
    if name == "LeNet-5, global average":  # C1 to S4, the mean of each map, and one layer from there
        return nn.Sequential(*list(lenet5())[:6], nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))
    if name in HIDDEN:
        units = HIDDEN[name]
        return nn.Sequential(nn.Flatten(), nn.Linear(784, units), nn.Tanh(), nn.Linear(units, 10))
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


def moved(images: Tensor, down: int, right: int) -> Tensor:
    """Images (..., H, W) with everything in them moved by some pixels; what comes in is black."""
    return pad(images, (right, -right, down, -down))


def anywhere(data: Data, draw: torch.Generator) -> Data:
    """Each image moved by lot, up to 4 pixels up or down and as many left or right."""
    steps = torch.randint(-4, 5, (len(data[0]), 2), generator=draw).tolist()
    return torch.stack([moved(image, *step) for image, step in zip(data[0], steps, strict=True)]), data[1]


def shuffled(data: Data, order: Tensor) -> Data:
    """The pixels of all images (N, 1, H, W) put in the same order."""
    images, labels = data
    return images.flatten(1)[:, order].reshape(images.shape), labels


def run(case: str, seed: int, epochs: int) -> dict[str, Any]:
    """Train one network on one task; examine it there, and on digits moved by 0 to 6 pixels to the left or right."""
    name, task = case.split(": ")
    draw, mix = (torch.Generator().manual_seed(seed) for _ in range(2))  # shuffled or not, digits move alike
    order = torch.randperm(784, generator=mix) if "shuffled" in task else torch.arange(784)
    place = (lambda data: anywhere(data, draw)) if "moved" in task else (lambda data: data)
    still = digits("test")
    train, validation, test = (shuffled(place(data), order) for data in (digits("train"), digits("validation"), still))
    torch.manual_seed(seed)
    model = network(name)
    # Of .001, .003 and .01, by validation images; that with the global average has LeNet-5's.
    rate = 0.003 if name == "logistic regression" else 0.01
    loss = learn(model, cross_entropy, train, epochs, rate)

    def right_at(by: int) -> float:
        both = torch.cat([moved(still[0], 0, step) for step in (-by, by)])
        return evaluate(model, shuffled((both, still[1].repeat(2)), order)).accuracy

    shares = [evaluate(model, data).accuracy for data in (train, validation, test)]
    numbers = dict(zip(("loss", "train", "validation", "test"), [loss, *shares], strict=True))
    shifts = [round(right_at(by), 4) for by in range(7)]
    return {key: round(value, 4) for key, value in numbers.items()} | {"shifts": shifts}


EXPERIMENT = Experiment("lenet", run, CASES)

if __name__ == "__main__":
    main(EXPERIMENT)
