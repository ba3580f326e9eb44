"""One fair fight on CIFAR-10: kinds of blocks with equal depth, work and care (chapters 11 to 14)."""

from __future__ import annotations

import math
import statistics
import time
from itertools import product
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from experiments import cifar10, results
from experiments.blocks import BLOCKS, network
from experiments.runs import DEVICE, Experiment, main, on_device
from utils.training import Data, evaluate, fit

BATCH, DECAY, WARM_UP = 64, 0.05, 0.1  # images; of weights, not of biases and scales; share of all steps
IMAGES, CHOOSING, TESTING = 20_000, 2_500, 10_000
SIZES: tuple[tuple[cifar10.Split, int], ...] = (("train", IMAGES), ("test", TESTING))
RATES = (0.0003, 0.001, 0.003, 0.006, 0.012, 0.024)
DEEPER = [f"{kind}, {depth} layers" for kind, depth in product(("plain", "residual"), (8, 32))]
LINEAR = "linear, 1 layer"  # what any network has to beat: sums of the pixels
SHALLOW, WIDE = "wide plain, 8 layers", (16, 16, 44, 98)  # as much work as 20 layers, in fewer and wider ones
NETWORKS = (*(f"{kind}, 20 layers" for kind in BLOCKS), *DEEPER, LINEAR, SHALLOW)


class Augment(nn.Module):
    """While it learns: every image moved by up to four pixels, zeros behind it, and half of them mirrored."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W), with the channels last in memory, in which small convolutions are faster."""
        if not self.training:
            return x.contiguous(memory_format=torch.channels_last)
        n, _, height, width = x.shape
        down, right = torch.randint(9, (2, n, 1))
        columns = torch.where(torch.rand(n, 1) < 0.5, torch.arange(width), torch.arange(width).flip(0))
        rows, columns = torch.arange(height) + down, columns + right
        padded = F.pad(x, (4, 4, 4, 4))
        return padded[torch.arange(n)[:, None, None], :, rows[:, :, None], columns[:, None]].permute(0, 3, 1, 2)


def recipe(model: nn.Module, rate: float, steps: int) -> tuple[AdamW, LambdaLR]:
    """AdamW; its rate rises for a tenth of the steps, and falls along half a cosine to 0."""
    weights = [values for values in model.parameters() if values.ndim > 1]
    others = [values for values in model.parameters() if values.ndim <= 1]
    optimizer = AdamW([{"params": weights, "weight_decay": DECAY}, {"params": others, "weight_decay": 0}], rate)
    rising = max(1, round(WARM_UP * steps))

    def factor(step: int) -> float:
        left = (steps - step) / max(1, steps - rising)
        return min((step + 1) / rising, (1 - math.cos(math.pi * min(1, left))) / 2)

    return optimizer, LambdaLR(optimizer, factor)


def built(case: str) -> nn.Module:
    """The network of a case, not trained."""
    if case == LINEAR:
        return nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 10))
    if case == SHALLOW:
        return network("plain", 8, WIDE)
    kind, depth = case.removesuffix(" layers").split(", ")
    return network(kind, int(depth))


def images(split: cifar10.Split, count: int, epochs: int) -> Data:
    """Photographs on the device that learns; noise for a quick run, which has 0 epochs."""
    return on_device(cifar10.tensors(split, count) if epochs else cifar10.noise(3 * BATCH))


def learned(case: str, rate: float, seed: int, epochs: int, count: int) -> tuple[nn.Module, dict[str, Any]]:
    """A trained network, and its curves, epoch by epoch: loss and share of right answers, also on validation images."""
    train, validation = images("train", count, epochs), images("validation", CHOOSING, epochs)
    torch.manual_seed(seed)
    model = nn.Sequential(Augment(), built(case))
    model.to(memory_format=torch.channels_last).to(DEVICE)  # type: ignore[call-overload]  # torch's stubs lack it
    epochs = max(1, epochs)
    optimizer, scheduler = recipe(model, rate, epochs * -(-len(train[0]) // BATCH))
    history = fit(
        model, train, validation, epochs=epochs, batch_size=BATCH, optimizer=optimizer, scheduler=scheduler, seed=seed
    )
    curves = {name.replace("_", " "): values for name, values in history._asdict().items()}
    return model, {name: [kept(value) for value in values] for name, values in curves.items()}


def kept(value: float) -> float | None:
    """Four decimals; nothing for a loss that is no number any more."""
    return round(value, 4) if math.isfinite(value) else None


def probe(case: str, seed: int, epochs: int) -> dict[str, Any]:
    """Learn from half of the images, in a quarter of the time, at a rate that is to be compared with others."""
    name, rate = case.rsplit(", ", 1)
    _, curves = learned(name, float(rate), seed, epochs, IMAGES // 2)
    return {"loss": curves["loss"][-1], "validation": curves["validation accuracy"][-1]}


def best(case: str) -> float:
    """The rate whose probe was best on validation images."""
    found = {each["case"]: each["validation"] for each in results(PROBES.name)["runs"]}
    return max(RATES, key=lambda rate: found[f"{case}, {rate}"])


def found(case: str, number: str, name: str = "fair") -> list[float]:
    """One number of a network's kept runs, seed by seed."""
    kept_runs = sorted((each["seed"], each[number]) for each in results(name)["runs"] if each["case"] == case)
    return [value for _, value in kept_runs]


def table(*cases: str) -> str:
    """Kept runs as lines: right on test and on training photographs; a step's time, and what an image keeps."""
    lines = [f"{'right, %:':28}{'test, by seed':>21}{'training':>10}{'ms a step':>11}{'kB kept':>9}"]
    for case in cases:
        shares = "".join(f"{100 * share:7.1f}" for share in found(case, "test accuracy"))
        training = 100 * statistics.mean(found(case, "train accuracy"))
        step, memory = (min(found(case, cost, COSTS.name)) for cost in ("milliseconds", "kept kB"))
        lines.append(f"{case:28}{shares}{training:10.1f}{step:11.0f}{memory:9.0f}")
    return "\n".join(lines)


def judged(case: str, rate: float, seed: int, epochs: int) -> dict[str, Any]:
    """Learn at this rate; at the end, know loss and share of right answers without augmentation."""
    model, curves = learned(case, rate, seed, epochs, IMAGES)
    train, test = (evaluate(model, images(split, count, epochs)) for split, count in SIZES)
    return {
        **curves,
        "train loss": kept(train.loss),
        "train accuracy": kept(train.accuracy),
        "test loss": kept(test.loss),
        "test accuracy": kept(test.accuracy),
    }


def run(case: str, seed: int, epochs: int) -> dict[str, Any]:
    """Learn at the best rate."""
    return judged(case, best(case) if epochs else RATES[0], seed, epochs)


def elsewhere(case: str, seed: int, epochs: int) -> dict[str, Any]:
    """Learn at a rate that was not the best in the probes: would another choice have changed the outcome?"""
    name, rate = case.rsplit(", ", 1)
    return judged(name, float(rate), seed, epochs)


def costs(case: str, seed: int, epochs: int) -> dict[str, Any]:
    """Parameters, milliseconds for a step of learning (the fastest of 23), and kB kept for the way back, an image."""
    model = built(case).to(memory_format=torch.channels_last).to(DEVICE)  # type: ignore[call-overload]
    x, labels = on_device(cifar10.noise(BATCH))
    x = x.contiguous(memory_format=torch.channels_last)
    optimizer, _ = recipe(model, RATES[0], 1)
    own = {values.untyped_storage().data_ptr() for values in model.parameters()}
    kept_for_later: dict[int, int] = {}

    def note(values: Tensor) -> Tensor:
        kept_for_later[values.untyped_storage().data_ptr()] = values.untyped_storage().nbytes()
        return values

    with saved_tensors_hooks(note, lambda values: values):
        loss = F.cross_entropy(model(x), labels)
    kept_bytes = sum(size for place, size in kept_for_later.items() if place not in own)
    took = []
    for _ in range(23 if epochs else 1):
        start = time.perf_counter()
        loss = F.cross_entropy(model(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()  # waits until a graphics card has done it all
        took.append(1000 * (time.perf_counter() - start))
    return {
        "parameters": sum(values.numel() for values in model.parameters()),
        "milliseconds": round(min(took), 2),
        "kept kB": round(kept_bytes / BATCH / 1000, 1),
    }


PROBES = Experiment(
    "fair_rates",
    probe,
    [f"{name}, {rate}" for name, rate in product(NETWORKS, RATES)],
    epochs=3,
    seeds=1,
    quick=[f"{name}, {RATES[0]}" for name in NETWORKS],
)
COSTS = Experiment("fair_costs", costs, NETWORKS, epochs=1, alone=True)
EXPERIMENT = Experiment("fair", run, NETWORKS, epochs=8)
OTHER_RATES = Experiment("fair_other_rates", elsewhere, [f"VGG, 20 layers, {rate}" for rate in RATES[1:3]], epochs=8)
LONGER = Experiment("fair_longer", run, ("plain, 20 layers", "residual, 20 layers"), epochs=24)

if __name__ == "__main__":
    main(PROBES, COSTS, EXPERIMENT, OTHER_RATES, LONGER)
