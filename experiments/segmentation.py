"""Which pixels belong to an 8? Networks that go down and up again, with and without skip connections (chapter 4)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, binary_cross_entropy_with_logits

from experiments.runs import LONGER, Experiment, learn, main
from utils import datasets

INK = 0.3  # a pixel is ink if it is brighter


class Scenes(NamedTuple):
    """Pictures (N, 1, 32, 32) in 0 … 1, and masks of the same shape: 1 at the ink of an 8, 0 elsewhere."""

    picture: Tensor
    mask: Tensor


def scenes(split: datasets.Split, count: int) -> Scenes:
    """Draw ``count`` scenes: four MNIST digits at half size, each an 8 with probability 0.3, all of the same ink."""
    draw = np.random.default_rng(["train", "validation", "test"].index(split))
    images, labels = datasets.mnist(split)
    half = images.reshape(-1, 14, 2, 14, 2).mean((2, 4))
    eights, others = half[labels == 8], half[labels != 8]
    picture, mask = np.zeros((2, count, 1, 32, 32), np.float32)
    for n, row, column in np.ndindex(count, 2, 2):
        wanted = draw.random() < 0.3
        digit = draw.choice(eights if wanted else others)
        down, right = draw.integers(0, 3, 2)
        top, left = 16 * row + down, 16 * column + right
        picture[n, 0, top : top + 14, left : left + 14] = digit
        mask[n, 0, top : top + 14, left : left + 14] = wanted * (digit > INK)
    return Scenes(torch.from_numpy(picture), torch.from_numpy(mask))


class DownAndUp(nn.Module):
    """An encoder and a decoder: 32 → 16 → 8 → 4 → 8 → 16 → 32 pixels a side."""

    def __init__(self, skips: bool, width: int = 8) -> None:
        """With ``skips`` each map on the way up is joined by the one of its size from the way down."""
        super().__init__()
        one, two, four = width, 2 * width, 4 * width
        down = [(1, one), (one, two), (two, four)]
        up = [(four, two), (two + skips * two, one), (one + skips * one, one)]
        self.skips = skips
        self.down = nn.ModuleList(nn.Conv2d(c, k, 3, stride=2, padding=1) for c, k in down)
        self.up = nn.ModuleList(nn.ConvTranspose2d(c, k, 4, stride=2, padding=1) for c, k in up)
        self.last = nn.Conv2d(one + skips, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Pictures to one number for each pixel, positive for an 8."""
        kept = []
        for layer in self.down:
            kept.append(x)
            x = layer(x).relu()
        for layer in self.up:
            x = layer(x).relu()
            if self.skips:
                x = torch.cat([x, kept.pop()], dim=1)
        return self.last(x)


def dilated() -> nn.Module:
    """Four 3 × 3 convolutions at full size that see 17 × 17 pixels."""
    layers: list[nn.Module] = [nn.Conv2d(1, 8, 3, padding=1), nn.ReLU()]
    for d in (2, 4):
        layers += [nn.Conv2d(8, 8, 3, padding=d, dilation=d), nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv2d(8, 1, 3, padding=1))


NETWORKS = {
    "full size, same work": lambda: nn.Sequential(
        nn.Conv2d(1, 14, 5, padding=2), nn.ReLU(), nn.Conv2d(14, 1, 5, padding=2)
    ),
    "full size, dilated": dilated,
    "down and up": lambda: DownAndUp(skips=False),
    "down and up, wider": lambda: DownAndUp(skips=False, width=10),
    "down and up, skips": lambda: DownAndUp(skips=True),
}
MEANS = {"brightness": 1, "ink, mean of 5²": 5, "ink, mean of 9²": 9, "ink, mean of 13²": 13}


def by_rule(picture: Tensor, size: int) -> Tensor:
    """How bright the surroundings of an ink pixel are, on average over size × size; 0 where no ink is."""
    return (picture > INK) * avg_pool2d(picture, size, stride=1, padding=size // 2)


def overlap(found: Tensor, mask: Tensor) -> float:
    """Intersection over union of two sets of pixels."""
    return ((found & mask).sum() / (found | mask).sum()).item()


def judge(scene: Scenes, found: Tensor) -> dict[str, float]:
    """IoU; the share of digits judged correctly, an 8 if most of its ink is found; IoU on the 8s among these."""
    cells = [
        x.unfold(2, 16, 16).unfold(3, 16, 16).flatten(-2) > INK for x in (scene.picture, scene.mask, found.float())
    ]
    ink, mask, hit = cells
    is_eight, called = mask.any(-1), (ink & hit).sum(-1) > ink.sum(-1) / 2
    right = is_eight & called
    told = (is_eight == called).double().mean().item()
    where = overlap(hit[right], mask[right]) if right.any() else 0.0
    return {"IoU": overlap(found, scene.mask > 0), "told": told, "where": where}


def best_level(score: Tensor, mask: Tensor, ink: Tensor) -> float:
    """The threshold at which the pixels of ``ink`` above it overlap most with the mask."""
    levels = torch.linspace(score.min().item(), score.max().item(), 102)[1:-1].tolist()
    return max(levels, key=lambda level: overlap((score > level) & ink, mask))


def run(case: str, seed: int, epochs: int) -> dict[str, Any]:
    """Let one rule or network learn, choose its threshold on validation scenes, and judge it on test scenes."""
    torch.manual_seed(seed)
    train, validation, test = scenes("train", 2000), scenes("validation", 300), scenes("test", 300)
    pictures, loss = [scene.picture for scene in (train, validation, test)], None
    if case in MEANS:
        seen = [by_rule(picture, MEANS[case]) for picture in pictures]
    else:
        model = NETWORKS[case]()
        loss = learn(model, binary_cross_entropy_with_logits, train, epochs, rate=0.005)
        with torch.no_grad():
            seen = [model(picture) for picture in pictures]
    everywhere = torch.ones_like(validation.mask, dtype=torch.bool)
    level = best_level(seen[1], validation.mask > 0, everywhere)
    on_ink = best_level(seen[1], validation.mask > 0, validation.picture > INK)
    numbers = {
        "loss": loss,
        "train IoU": overlap(seen[0] > level, train.mask > 0),
        **judge(test, seen[2] > level),
        "IoU on ink": overlap((seen[2] > on_ink) & (test.picture > INK), test.mask > 0),
    }
    found = [["".join(".#"[pixel] for pixel in row) for row in each[0].int()] for each in seen[2][:4] > level]
    return {key: value and round(value, 4) for key, value in numbers.items()} | {"found": found}


LONG = tuple(case + LONGER for case in ("down and up", "down and up, skips"))
EXPERIMENT = Experiment("segmentation", run, (*MEANS, *NETWORKS, *LONG))

if __name__ == "__main__":
    main(EXPERIMENT)
