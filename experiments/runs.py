"""How experiments learn, and how they keep their numbers: a run for each case and seed, written as soon as it ends."""

from __future__ import annotations

import argparse
import json
import platform
import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import date
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from tqdm import tqdm

from experiments import RESULTS, results
from utils import datasets
from utils.training import Data

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
PROCESSOR = f"CPU ({platform.machine()}), one thread"
LONGER = ", longer"  # at the end of a case: the same, for three times as many epochs


class Experiment(NamedTuple):
    """``run(case, seed, epochs)`` returns the numbers to keep; the cases in ``often`` are run with ten seeds.

    What measures time is run ``alone``, never beside another run. Where many cases take the same steps, ``quick`` names
    those that a quick run takes.
    """

    name: str
    run: Callable[[str, int, int], dict[str, Any]]
    cases: Sequence[str]
    epochs: int = 40
    seeds: int = 3
    often: Sequence[str] = ()
    alone: bool = False
    quick: Sequence[str] = ()

    def wanted(self) -> list[tuple[str, int]]:
        """Every case with every seed, in the order in which they are run."""
        often = [(case, seed) for seed in range(self.seeds, 10) for case in self.cases if case in self.often]
        return [(case, seed) for seed in range(self.seeds) for case in self.cases] + often


@cache
def digits(split: datasets.Split) -> Data:
    """MNIST as tensors: images (N, 1, 28, 28) and labels (N,)."""
    images, labels = datasets.mnist(split)
    return torch.from_numpy(images), torch.from_numpy(labels)


def on_device(data: Data) -> Data:
    """Images and labels where networks learn."""
    images, labels = data
    return images.to(DEVICE), labels.to(DEVICE)


def learn(
    model: nn.Module, loss: Callable[[Tensor, Tensor], Tensor], data: tuple[Tensor, Tensor], epochs: int, rate: float
) -> float:
    """Adam on shuffled batches of 50, its rate rising to ``rate`` and falling to 0; returns the last epoch's mean loss.

    0 epochs are three batches: enough to see that everything works.
    """
    x, wanted = data
    optimizer = torch.optim.Adam(model.parameters(), rate)
    batches = -(-len(x) // 50) if epochs else 3
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=max(1, epochs) * batches)
    losses: list[float] = []
    for _ in range(max(1, epochs)):
        losses = []
        for batch in torch.randperm(len(x)).split(50)[:batches]:
            cost = loss(model(x[batch]), wanted[batch])
            optimizer.zero_grad()
            cost.backward()
            optimizer.step()
            schedule.step()
            losses.append(cost.item())
    return sum(losses) / len(losses)


def _timed(experiment: Experiment, case: str, seed: int) -> dict[str, Any]:
    start = time.perf_counter()
    epochs = experiment.epochs * (3 if case.endswith(LONGER) else 1)
    numbers = experiment.run(case.removesuffix(LONGER), seed, epochs)
    return {"case": case, "seed": seed, "seconds": round(time.perf_counter() - start, 1), **numbers}


def _made(experiment: Experiment, pairs: list[tuple[str, int]], side_by_side: int) -> Iterator[dict[str, Any]]:
    """The runs, as they end, so many at a time; one at a time needs no other process."""
    torch.set_num_threads(1)  # as fast for networks as small as these
    if side_by_side == 1:
        yield from (_timed(experiment, *pair) for pair in pairs)
        return
    with ProcessPoolExecutor(side_by_side, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for ended in as_completed([pool.submit(_timed, experiment, *pair) for pair in pairs]):
            yield ended.result()


def record(experiment: Experiment, quick: bool = False, side_by_side: int = 1) -> dict[str, Any]:
    """Run every case with every seed, but for those that the results have already, and return what is now in them.

    ``quick`` runs one seed of each for three batches, and writes nothing.
    """
    if quick:
        experiment = experiment._replace(epochs=0, seeds=1, often=(), cases=experiment.quick or experiment.cases)
    name, epochs = experiment.name, experiment.epochs
    path = RESULTS / f"{name}.json"
    content: dict[str, Any] = {"epochs": epochs, "runs": []}
    if path.exists() and not quick and results(name)["epochs"] == epochs:
        content = results(name)
    done = {(each["case"], each["seed"]) for each in content["runs"]}
    missing = [pair for pair in experiment.wanted() if pair not in done]
    side_by_side = 1 if experiment.alone else side_by_side
    for made in tqdm(_made(experiment, missing, side_by_side), name, len(missing), unit="run"):
        content["runs"].append(made)
        content |= {
            "date": date.today().isoformat(),
            "device": torch.cuda.get_device_name() if DEVICE.type == "cuda" else PROCESSOR,
            "versions": {"python": platform.python_version(), "torch": torch.__version__},
        }
        if not quick:
            text = json.dumps(content, indent=1, ensure_ascii=False)
            curves = re.sub(r"\[[^][{}\"]+\]", lambda found: " ".join(found[0].split()), text)  # each on one line
            path.write_text(curves + "\n", encoding="utf-8")
    return content


def main(*experiments: Experiment) -> None:
    """Read the command line, and record one experiment after another."""
    parser = argparse.ArgumentParser(prog=f"python -m experiments.{experiments[-1].name}")
    parser.add_argument("--quick", action="store_true", help="one seed, three batches, nothing is written")
    parser.add_argument("--side-by-side", type=int, default=1, metavar="N", help="so many runs at a time (default: 1)")
    given = parser.parse_args()
    for experiment in experiments:
        record(experiment, given.quick, given.side_by_side)
