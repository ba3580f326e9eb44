"""Training, plainly: the loop, seeded, that every classifier of the course learns by, and its examination."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from utils.arithmetic import integer

Data = tuple[Tensor, Tensor]  # images (N, C, H, W), labels (N,)


class History(NamedTuple):
    """For each epoch the mean loss while learning, and the accuracy on the test images after it, if there are any."""

    loss: list[float]
    accuracy: list[float]


class Examination(NamedTuple):
    """Mean loss, share of right answers, and the answers (N,)."""

    loss: float
    accuracy: float
    predicted: Tensor


def fit(
    model: nn.Module,
    learn: Data,
    test: Data | None = None,
    *,
    epochs: int = 10,
    batch_size: int = 50,
    optimizer: torch.optim.Optimizer | None = None,
    seed: int = 0,
) -> History:
    """Let ``model`` learn to classify, with the cross-entropy of its scores (N, classes), and return what happened.

    The default ``optimizer`` is Adam with a learning rate of 0.001. ``seed`` decides the order of the images and what
    dropout drops; the caller's random numbers go on as if nothing had been drawn. ``TQDM_DISABLE=1`` hides the bar.
    ``ValueError`` if there are not as many labels as images.
    """
    images, labels = _check(learn)
    epochs, batch_size = integer("epochs", epochs, 0), integer("batch_size", batch_size, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3) if optimizer is None else optimizer
    history, was_training = History([], []), model.training
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for _ in (bar := tqdm(range(epochs), unit="epoch")):
            model.train()
            total = 0.0
            for batch in torch.randperm(len(images)).split(batch_size):
                loss = F.cross_entropy(model(images[batch]), labels[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() * len(batch)
            history.loss.append(total / max(1, len(images)))
            if test is not None:
                history.accuracy.append(evaluate(model, test).accuracy)
            bar.set_postfix({name: f"{values[-1]:.3f}" for name, values in history._asdict().items() if values})
    model.train(was_training)
    return history


@torch.no_grad()
def evaluate(model: nn.Module, data: Data, batch_size: int = 500) -> Examination:
    """Examine ``model`` in evaluation mode, and leave it in the mode that it was in."""
    images, labels = _check(data)
    was_training = model.training
    model.eval()
    scores = torch.cat([model(batch) for batch in images.split(integer("batch_size", batch_size, 1))])
    model.train(was_training)
    predicted = scores.argmax(1)
    return Examination(F.cross_entropy(scores, labels).item(), (predicted == labels).double().mean().item(), predicted)


def _check(data: Data) -> Data:
    images, labels = data
    if len(images) != len(labels):
        raise ValueError(f"every image needs one label, got {len(images)} images and {len(labels)} labels")
    if not len(images):
        raise ValueError("there must be at least one image, got none")
    return images, labels
