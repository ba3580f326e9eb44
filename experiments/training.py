"""What helps a small network on 500 digits: each remedy beside its control, at each of its rates (chapter 8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d
from torch.optim import SGD, Adam, Optimizer
from torch.optim.lr_scheduler import OneCycleLR

from experiments.runs import Experiment, digits, main
from utils.datasets import Split
from utils.training import Data, evaluate, fit

MEAN, DEVIATION = 0.13, 0.28  # of the training images, at this size
NORMALISATIONS: dict[str, Callable[[int], nn.Module]] = {
    "none": lambda channels: nn.Identity(),
    "batch": nn.BatchNorm2d,
    "layer": lambda channels: nn.GroupNorm(1, channels),
    "group": lambda channels: nn.GroupNorm(4, channels),
}


class Shift(nn.Module):
    """While it learns: every image (1, H, W) moved by at most one pixel, round the border; afterwards nothing."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, H, W) as it is, or each of the N by its own lot."""
        if not self.training:
            return x
        n, _, height, width = x.shape
        down, right = torch.randint(-1, 2, (2, n, 1))
        rows, columns = (torch.arange(height) + down) % height, (torch.arange(width) + right) % width
        return x[torch.arange(n)[:, None, None], 0, rows[:, :, None], columns[:, None]][:, None]


class Flip(nn.Module):
    """While it learns: every image as it is or mirrored, left for right, by lot; afterwards nothing."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) as it is, or about half of it mirrored."""
        if not self.training:
            return x
        return torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x.flip(3), x)


AUGMENTATIONS: dict[str, Callable[[], nn.Module]] = {"none": nn.Identity, "shift": Shift, "flip": Flip}


def network(normalisation: str = "none", dropout: float = 0) -> nn.Sequential:
    """14 × 14 pixels to ten scores."""
    norm = NORMALISATIONS[normalisation]
    return nn.Sequential(
        *[nn.Conv2d(1, 8, 3, padding=1), norm(8), nn.ReLU(), nn.MaxPool2d(2)],
        *[nn.Conv2d(8, 16, 3, padding=1), norm(16), nn.ReLU(), nn.MaxPool2d(2)],
        *[nn.Flatten(), nn.Dropout(dropout), nn.Linear(16 * 3 * 3, 64), nn.ReLU()],
        *[nn.Dropout(dropout), nn.Linear(64, 10)],
    )


def small_digits(split: Split, count: int = 1000) -> Data:
    """MNIST at half its size, (N, 1, 14, 14), with a mean of 0 and a deviation of 1: the first ``count`` of a split."""
    images, labels = digits(split)
    return (avg_pool2d(images[:count], 2) - MEAN) / DEVIATION, labels[:count]


class Recipe(NamedTuple):
    """How a network learns; every recipe is tried at three rates."""

    rates: tuple[float, float, float] = (0.01, 0.03, 0.1)
    momentum: float | None = 0.9  # None: Adam
    decay: float = 0
    schedule: bool = False
    patience: int | None = None
    normalisation: str = "none"
    dropout: float = 0
    augmentation: str = "none"


FAST = (0.03, 0.1, 0.3)
RECIPES = {
    "SGD": Recipe((0.1, 0.2, 0.4), momentum=0),
    "Adam": Recipe((0.001, 0.003, 0.01), momentum=None),
    "momentum": Recipe(),
    "… and a schedule": Recipe(FAST, schedule=True),
    "… and weight decay .003": Recipe(decay=0.003),
    "… and weight decay .03": Recipe(decay=0.03),
    "… and dropout .25": Recipe(dropout=0.25),
    "… and dropout .5": Recipe(dropout=0.5),
    "… and early stopping": Recipe(patience=6),
    "… and shifted digits": Recipe(augmentation="shift"),
    "… and mirrored digits": Recipe(augmentation="flip"),
    "… and batch norm": Recipe(normalisation="batch"),
    "… and all of it": Recipe(
        FAST, decay=0.003, schedule=True, normalisation="batch", dropout=0.25, augmentation="shift"
    ),
}


def optimizer_for(recipe: Recipe, model: nn.Module, rate: float) -> Optimizer:
    """SGD with the recipe's momentum, or Adam."""
    if recipe.momentum is None:
        return Adam(model.parameters(), rate)
    return SGD(model.parameters(), rate, recipe.momentum, weight_decay=recipe.decay)


def run(case: str, seed: int, epochs: int) -> dict[str, Any]:
    """Train one network on 500 digits; "hundred" is its accuracy on the first hundred validation images."""
    name, rate = case.rsplit(", ", 1)
    recipe, train = RECIPES[name], small_digits("train", 500 if epochs else 150)
    epochs = max(1, epochs)
    torch.manual_seed(seed)
    model = nn.Sequential(AUGMENTATIONS[recipe.augmentation](), network(recipe.normalisation, recipe.dropout))
    optimizer = optimizer_for(recipe, model, float(rate))
    steps = epochs * len(train[0]) // 50
    schedule = OneCycleLR(optimizer, float(rate), steps, cycle_momentum=False) if recipe.schedule else None
    watched = small_digits("validation") if recipe.patience else None
    fit(
        model,
        train,
        watched,
        epochs=epochs,
        optimizer=optimizer,
        scheduler=schedule,
        patience=recipe.patience,
        seed=seed,
    )
    ends = {split: evaluate(model, small_digits(split)) for split in ("validation", "test")}
    learned = evaluate(model, train)
    numbers = {"loss": learned.loss, "train": learned.accuracy, "validation loss": ends["validation"].loss}
    numbers |= {split: end.accuracy for split, end in ends.items()}
    numbers["hundred"] = evaluate(model, small_digits("validation", 100)).accuracy
    return {key: round(number, 4) for key, number in numbers.items()}


CASES = tuple(f"{name}, {rate}" for name, recipe in RECIPES.items() for rate in recipe.rates)
BEST = (0.2, 0.01, 0.03, 0.03, 0.03, 0.03, 0.01, 0.03, 0.03, 0.03, 0.03, 0.03, 0.1)  # on validation images, seeds 0–2
OFTEN = tuple(f"{name}, {rate}" for name, rate in zip(RECIPES, BEST, strict=True))
EXPERIMENT = Experiment("training", run, CASES, epochs=30, seeds=3, often=OFTEN)

if __name__ == "__main__":
    main(EXPERIMENT)
