"""Training, plainly: the loop, seeded, that every classifier of the course learns by, and its examination."""

from __future__ import annotations

import copy
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler
from tqdm import tqdm

from utils.arithmetic import integer

Data = tuple[Tensor, Tensor]  # images (N, C, H, W), labels (N,)


class History(NamedTuple):
    """For each epoch mean loss and share of right answers: while learning, and after it on the validation images.

    The first two are met on the way: the epoch's first batch meets a network that has not seen the last. Without
    validation images the other two are empty.
    """

    loss: list[float]
    accuracy: list[float]
    validation_loss: list[float]
    validation_accuracy: list[float]


class Examination(NamedTuple):
    """Mean loss, share of right answers, and the answers (N,)."""

    loss: float
    accuracy: float
    predicted: Tensor


def fit(
    model: nn.Module,
    train: Data,
    validation: Data | None = None,
    *,
    epochs: int = 10,
    batch_size: int = 50,
    optimizer: torch.optim.Optimizer | None = None,
    scheduler: LRScheduler | None = None,
    patience: int | None = None,
    seed: int = 0,
) -> History:
    """Let ``model`` learn to classify, with the cross-entropy of its scores (N, classes), and return what happened.

    The default ``optimizer`` is Adam with a learning rate of 0.001. The ``scheduler`` changes the rate after every
    batch. With ``patience`` learning stops early: after so many epochs in a row without a lower loss on the validation
    images the model gets back what it had learned when that loss was lowest, also if the epochs run out before.

    A last batch of a single image joins the one before it: batch normalisation could not learn from it. ``seed``
    decides the order of the images and what dropout drops; the caller's random numbers go on as if nothing had been
    drawn. ``TQDM_DISABLE=1`` hides the bar. ``ValueError`` if images or labels are not of these kinds or not as many,
    if the model has no such classes, or for patience without validation images.
    """
    images, labels = _check(train)
    epochs, batch_size = integer("epochs", epochs, 0), integer("batch_size", batch_size, 1)
    if patience is not None and validation is None:
        raise ValueError(f"patience needs validation images, got a patience of {patience} and no images")
    patience = patience if patience is None else integer("patience", patience, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3) if optimizer is None else optimizer
    history, was_training, best = History([], [], [], []), model.training, model.state_dict()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for _ in (bar := tqdm(range(epochs), unit="epoch")):
            loss, accuracy = _epoch(model, (images, labels), batch_size, optimizer, scheduler)
            history.loss.append(loss)
            history.accuracy.append(accuracy)
            if validation is not None:
                examination = evaluate(model, validation)
                history.validation_loss.append(examination.loss)
                history.validation_accuracy.append(examination.accuracy)
            bar.set_postfix({name: f"{values[-1]:.3f}" for name, values in history._asdict().items() if values})
            if patience is not None:
                since = len(history.loss) - 1 - history.validation_loss.index(min(history.validation_loss))
                best = copy.deepcopy(model.state_dict()) if since == 0 else best
                if since == patience:
                    break
    if patience is not None:
        model.load_state_dict(best)
    model.train(was_training)
    return history


def _epoch(
    model: nn.Module, train: Data, batch_size: int, optimizer: torch.optim.Optimizer, scheduler: LRScheduler | None
) -> tuple[float, float]:
    """Once through the images: the mean loss and the share of right answers that were met on the way."""
    images, labels = train
    batches = [*torch.randperm(len(images)).split(batch_size)]
    if len(batches) > 1 and len(batches[-1]) == 1 < batch_size:
        batches[-2:] = [torch.cat(batches[-2:])]
    model.train()
    total, right = 0.0, 0
    for batch in batches:
        scores = _scores(model, images[batch], labels[batch])
        loss = F.cross_entropy(scores, labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        total += loss.item() * len(batch)
        right += int((scores.argmax(1) == labels[batch]).sum())
    return total / len(images), right / len(images)


@torch.no_grad()
def evaluate(model: nn.Module, data: Data, batch_size: int = 500) -> Examination:
    """Examine ``model`` in evaluation mode, and leave it in the mode that it was in."""
    images, labels = _check(data)
    was_training = model.training
    model.eval()
    size = integer("batch_size", batch_size, 1)
    batches = zip(images.split(size), labels.split(size), strict=True)
    try:
        scores = torch.cat([_scores(model, *batch) for batch in batches])
    finally:
        model.train(was_training)
    predicted = scores.argmax(1)
    return Examination(F.cross_entropy(scores, labels).item(), (predicted == labels).double().mean().item(), predicted)


def _check(data: Data) -> Data:
    images, labels = data
    if not isinstance(images, Tensor) or not isinstance(labels, Tensor):
        raise ValueError(f"images and labels must be tensors, got {type(images).__name__} and {type(labels).__name__}")
    if not images.is_floating_point():
        raise ValueError(f"images must be of floating point, got {images.dtype}: of bytes take images.float() / 255")
    if labels.ndim != 1 or labels.dtype != torch.int64:
        raise ValueError(f"labels must be (N,) of torch.int64, got {tuple(labels.shape)} of {labels.dtype}")
    if len(images) != len(labels):
        raise ValueError(f"every image needs one label, got {len(images)} images and {len(labels)} labels")
    if not len(images):
        raise ValueError("there must be at least one image, got none")
    if not images.isfinite().all():
        raise ValueError("every number of the images must be finite, got NaN or infinity")
    return images, labels


def _scores(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """The model's scores (N, classes), if every label is one of the classes."""
    scores = model(images)
    if not isinstance(scores, Tensor) or scores.ndim != 2:
        got = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
        raise ValueError(f"the model must put out scores (N, classes), got {got}")
    if not 0 <= int(labels.min()) <= int(labels.max()) < scores.shape[1]:
        lowest, highest = int(labels.min()), int(labels.max())
        raise ValueError(f"labels must lie in 0 … {scores.shape[1] - 1}, got {lowest} … {highest}")
    return scores
