"""Pictures that a network of photographs dreams of, and what is left of its maps when its layers forget (chapter 9)."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from experiments import RESULTS
from experiments.runs import Experiment, main
from experiments.seeing import Draw, alike
from utils import datasets, interpret
from utils.models import efficientnet_lite0
from utils.models.efficientnet_lite import preprocess

DREAMT = {"tripod": 872, "daisy": 985, "espresso": 967, "tabby": 281}
WAYS: Mapping[str, dict[str, Any]] = {
    "plain": {},
    "jitter": {"jitter": 8},
    "blur": {"blur": 0.1},
    "both": {"jitter": 8, "blur": 0.1},
}
LAYERS = ("features.0", *(f"features.{stage}" for stage in range(1, 9)), "classifier")


class Viewer(nn.Module):
    """A network that takes photographs as they are, from 0 to 1, so that gradients reach their pixels."""

    def __init__(self, network: nn.Module) -> None:
        """Keep the network."""
        super().__init__()
        self.network = network

    def forward(self, photographs: Tensor) -> Tensor:
        """(N, 3, H, W) from 0 to 1 → scores (N, 1000)."""
        return self.network(preprocess(photographs))


def photographs() -> tuple[list[str], Tensor]:
    """The names of scikit-image's photographs, and their largest squares, shrunk to (19, 3, 224, 224), from 0 to 1."""
    names = list(datasets.Photo.__args__)  # type: ignore[attr-defined]  # a Literal lists its values there
    return names, torch.cat([square(name) for name in names])


def square(name: datasets.Photo) -> Tensor:
    """A photograph's largest square in three channels, shrunk or enlarged to (1, 3, 224, 224)."""
    whole = datasets.photo(name)
    small = torch.from_numpy(datasets.photo(name, min(224, *whole.shape[1:]))).expand(1, 3, -1, -1)
    return F.interpolate(small, size=(224, 224), mode="bilinear") if small.shape[2] < 224 else small.contiguous()


class GuidedReLU6(nn.Module):
    """A ReLU6 that on the way back also drops what is negative (Springenberg et al. 2015)."""

    def forward(self, x: Tensor) -> Tensor:
        """As any ReLU6."""
        out = F.relu6(x)
        if out.requires_grad:
            out.register_hook(lambda gradient: gradient.clamp(min=0))
        return out


def guided(model: nn.Module, x: Tensor, target: int | Tensor) -> Tensor:
    """Guided backpropagation: the size of the gradient that such ReLUs let through, over the colours (N, H, W)."""
    twin = copy.deepcopy(model)
    for parent in list(twin.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.ReLU6):
                setattr(parent, name, GuidedReLU6())
    return saliency(twin, x, target)


def saliency(model: nn.Module, x: Tensor, target: int | Tensor) -> Tensor:
    """The size of the gradient, its mean over the colours (N, H, W)."""
    return interpret.saliency(model, x, target).abs().mean(1)


METHODS: Mapping[str, Draw] = {
    "edges": lambda model, x, target: F.pad(x.diff(dim=3).abs(), (0, 1)).mean(1),
    "guided": guided,
    "saliency": saliency,
    "Grad-CAM": lambda model, x, target: interpret.grad_cam(model, x, "network.features.8", target),
}


def forgetful(model: nn.Module, layers: Sequence[str], x: Tensor, seed: int) -> nn.Module:
    """The model with new random weights in these layers; their batch norms measure anew what ``x`` sends them."""
    torch.manual_seed(1000 + seed)
    twin = copy.deepcopy(model)
    parts = [part for name in layers for part in twin.get_submodule(f"network.{name}").modules()]
    for part in parts:
        if isinstance(part, nn.Conv2d | nn.Linear | nn.BatchNorm2d):
            part.reset_parameters()
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = None  # the plain mean over all that comes
            part.train()
    with torch.no_grad():
        twin(x)
    return twin.eval()


def cascade(model: nn.Module, x: Tensor, seed: int) -> dict[str, float]:
    """How alike each method's maps stay when 1, 2, 4 or all 10 layers forget, from the top and from the bottom."""
    with torch.no_grad():
        target = model(x).argmax(1)
    before = {name: draw(model, x, target) for name, draw in METHODS.items()}
    kept = {}
    for end, order in (("top", LAYERS[::-1]), ("bottom", LAYERS)):
        for count in (1, 2, 4, 10):
            twin = forgetful(model, order[:count], x, seed)
            with torch.no_grad():
                kept[f"same class | {end} | {count}"] = (twin(x).argmax(1) == target).double().mean().item()
            for name, maps in before.items():
                kept[f"{name} | {end} | {count}"] = alike(maps, METHODS[name](twin, x, target))
    return kept


def dreams(model: nn.Module, way: str, seed: int, steps: int) -> dict[str, float]:
    """The scores and probabilities of a picture made for each of four classes; those of seed 0 are kept."""
    pictures = torch.stack([
        interpret.maximise(model, (3, 160, 160), "network.classifier", label, steps=steps, step_size=0.03, seed=seed,
                           **WAYS[way])
        for label in DREAMT.values()
    ])  # fmt: skip
    if (seed, steps) == (0, EXPERIMENT.epochs):
        np.savez_compressed(RESULTS / f"photographs_{way}.npz", **dict(zip(DREAMT, in_bytes(pictures), strict=True)))
    with torch.no_grad():
        scores = model(pictures)
    own = torch.tensor(list(DREAMT.values()))[:, None]
    rough = pictures.diff(dim=-1).abs().mean((1, 2, 3))
    return {
        **{f"score of {name}": value for name, value in zip(DREAMT, scores.gather(1, own)[:, 0].tolist(), strict=True)},
        **{
            f"probability of {name}": value
            for name, value in zip(DREAMT, scores.softmax(1).gather(1, own)[:, 0].tolist(), strict=True)
        },
        **{f"roughness of {name}": value for name, value in zip(DREAMT, rough.tolist(), strict=True)},
    }


def in_bytes(pictures: Tensor) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Pictures (N, 3, H, W) from 0 to 1 as bytes (N, H, W, 3)."""
    return (pictures * 255).round().byte().permute(0, 2, 3, 1).numpy()


def dreamt(way: str) -> dict[str, np.ndarray[Any, np.dtype[np.uint8]]]:
    """The kept pictures of a way, by class, as bytes (160, 160, 3)."""
    with np.load(RESULTS / f"photographs_{way}.npz") as pictures:
        return dict(pictures)


def run(case: str, seed: int, epochs: int) -> dict[str, Any]:
    """Let layers forget, or dream in one of the four ways for so many steps; two photographs will do for none."""
    model = Viewer(efficientnet_lite0(pretrained=True))
    if case == "forgets":
        found = cascade(model, photographs()[1] if epochs else photographs()[1][:2], seed)
    else:
        found = dreams(model, case, seed, epochs or 2)
    return {name: round(value, 4) for name, value in found.items()}


EXPERIMENT = Experiment("photographs", run, ("forgets", *WAYS), epochs=100, seeds=3)

if __name__ == "__main__":
    main(EXPERIMENT)
