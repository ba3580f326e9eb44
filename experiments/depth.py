"""Plain and residual networks of 6, 18 and 34 layers on small digits, with several optimizers (chapter 13)."""

from __future__ import annotations

from itertools import product
from typing import Any

import torch
from torch import Tensor, nn

from experiments.runs import Experiment, main
from utils import datasets
from utils.training import Data, evaluate, fit

OPTIMIZERS = ("SGD 0.01", "SGD 0.05", "SGD 0.2", "Adam 0.003", "Adam 0.01")
KINDS = ("plain", "shortcuts")
BLOCKS = {"6 layers": 2, "18 layers": 8, "34 layers": 16}  # blocks of two; a first convolution, a dense layer


def convolution(c: int, k: int) -> list[nn.Module]:
    """3 × 3, normalised."""
    return [nn.Conv2d(c, k, 3, padding=1, bias=False), nn.BatchNorm2d(k)]


class Block(nn.Module):
    """Two convolutions, with or without a shortcut around them."""

    def __init__(self, c: int, shortcut: bool) -> None:
        """Set up the layers."""
        super().__init__()
        self.body = nn.Sequential(*convolution(c, c), nn.ReLU(), *convolution(c, c))
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """(N, c, H, W) → (N, c, H, W)."""
        y: Tensor = self.body(x)
        return torch.relu(x + y if self.shortcut else y)


def network(blocks: int, shortcut: bool, c: int = 8) -> nn.Sequential:
    """8 × 8 pixels to ten scores, the chapter's ``stack``."""
    middle = [Block(c, shortcut) for _ in range(blocks)]
    last = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, 10))
    return nn.Sequential(*convolution(1, c), nn.ReLU(), *middle, *last)


def digits() -> tuple[Data, Data]:
    """The chapter's 1,200 digits to learn from, and its 597 others."""
    images, labels = map(torch.from_numpy, datasets.digits())
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    learn, test = order[:1200], order[1200:]
    return (images[learn], labels[learn]), (images[test], labels[test])


def run(case: str, seed: int, epochs: int) -> dict[str, Any]:
    """Train one network, and keep the loss of every epoch; 0 epochs are three batches."""
    choice, kind, depth = case.split(", ")
    name, rate = choice.split()
    train, test = digits()
    train = train if epochs else (train[0][:240], train[1][:240])
    torch.manual_seed(seed)
    model = network(BLOCKS[depth], kind == "shortcuts")
    optimizer = {
        "SGD": lambda: torch.optim.SGD(model.parameters(), float(rate), momentum=0.9),
        "Adam": lambda: torch.optim.Adam(model.parameters(), float(rate)),
    }[name]()
    history = fit(model, train, epochs=max(1, epochs), batch_size=80, optimizer=optimizer, seed=seed)
    known = {key: round(evaluate(model, data).accuracy, 4) for key, data in (("train", train), ("test", test))}
    return {"loss": [round(loss, 4) for loss in history.loss], **known}


CASES = tuple(", ".join(names) for names in product(OPTIMIZERS, KINDS, BLOCKS))
EXPERIMENT = Experiment("depth", run, CASES, epochs=40)

if __name__ == "__main__":
    main(EXPERIMENT)
