"""The runs behind chapter 8's figure: plain gradient descent, its rate, batch, decay, normalisation and seed varied."""

from __future__ import annotations

from itertools import product
from math import isfinite
from typing import Any

import torch

from experiments.runs import Experiment, main
from experiments.training import network, small_digits
from utils.training import fit

RATES = (0.03, 0.1, 0.3, 1.0, 3.0)
BATCHES = (10, 50)
DECAYS = (0.0, 0.03)
NORMALISATIONS = ("none", "batch")


def run(case: str, seed: int, epochs: int) -> dict[str, Any]:
    """Train one network on 500 digits, and keep its curves; a loss that is no number, or infinite, is None."""
    rate, batch, decay, normalisation = case.split(", ")
    train, validation = small_digits("train", 500 if epochs else 150), small_digits("validation")
    torch.manual_seed(seed)
    model = network(normalisation)
    optimizer = torch.optim.SGD(model.parameters(), float(rate), weight_decay=float(decay))
    history = fit(
        model, train, validation, epochs=max(1, epochs), batch_size=int(batch), optimizer=optimizer, seed=seed
    )
    return {
        name: [round(number, 4) if isfinite(number) else None for number in numbers]
        for name, numbers in history._asdict().items()
    }


CASES = tuple(", ".join(map(str, settings)) for settings in product(RATES, BATCHES, DECAYS, NORMALISATIONS))
EXPERIMENT = Experiment("curves", run, CASES, epochs=20)

if __name__ == "__main__":
    main(EXPERIMENT)
