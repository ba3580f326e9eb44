"""LeNet-5 and a dense network on digits whose pixels are in order or shuffled, epoch by epoch (chapters 7 and 8)."""

from __future__ import annotations

from typing import Any

import torch

from experiments.lenet import anywhere, network, shuffled
from experiments.runs import Experiment, digits, main
from utils.datasets import Split
from utils.training import Data, fit

NETWORKS = ("LeNet-5", "dense")
TASKS = ("plain", "plain, shuffled", "moved", "moved, shuffled")


def images(split: Split, task: str) -> Data:
    """MNIST, plain or each digit moved once by up to 4 pixels either way; shuffled: all pixels, always in one order."""
    data, draw = digits(split), torch.Generator().manual_seed(0)
    order = torch.randperm(28 * 28, generator=draw)
    data = anywhere(data, draw) if task.startswith("moved") else data
    return shuffled(data, order) if task.endswith("shuffled") else data


def run(case: str, seed: int, epochs: int) -> dict[str, Any]:
    """Train one network, and examine it on the test images after every epoch, since nothing is chosen by them."""
    name, task = case.split(", ", 1)
    torch.manual_seed(seed)
    model, train = network(name), images("train", task)
    if not epochs:
        epochs, train = 1, (train[0][:150], train[1][:150])
    adam = torch.optim.Adam(model.parameters(), lr=3e-3)
    history = fit(model, train, images("test", task), epochs=epochs, optimizer=adam, seed=seed)
    curves = {"loss": history.loss, "train": history.accuracy, "test": history.validation_accuracy}
    return {key: [round(number, 4) for number in curve] for key, curve in curves.items()}


EXPERIMENT = Experiment("shuffled", run, tuple(f"{name}, {task}" for task in TASKS for name in NETWORKS))

if __name__ == "__main__":
    main(EXPERIMENT)
