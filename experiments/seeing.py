"""A network that knows sevens by a cross in the corner, from five seeds, and what each way to look says (chapter 9)."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from experiments import RESULTS
from experiments.runs import Experiment, digits, learn, main
from utils import datasets, interpret
from utils.training import Data, evaluate

WALL = torch.from_numpy(datasets.photo("brick", size=256))
Draw = Callable[[nn.Module, Tensor, Tensor], Tensor]


def on_walls(split: datasets.Split, seed: int) -> Data:
    """MNIST digits, 20 × 20 pixels of each, anywhere on pieces of a brick wall: images (N, 1, 40, 40) and labels."""
    images, labels = digits(split)
    rng = np.random.default_rng(seed)

    def scene(digit: Tensor) -> Tensor:
        (i, j), (y, x) = rng.integers(216, size=2), rng.integers(15, size=2)
        return torch.maximum(0.5 * WALL[:, i : i + 40, j : j + 40], F.pad(digit, (x, 20 - x, y, 20 - y)))

    return torch.stack([scene(digit) for digit in images[:, :, 4:24, 4:24]]), labels


def with_cross(pictures: Tensor, which: Any) -> Tensor:
    """The pictures, and those that are named with a white cross on black in the corner of 6 × 6 pixels."""
    cross = torch.zeros(6, 6)
    cross[2:4] = cross[:, 2:4] = 1
    crossed = pictures.clone()
    crossed[which, :, -6:, -6:] = cross
    return crossed


def network() -> nn.Sequential:
    """40 × 40 pixels to ten scores: three convolutions, and the largest value of each of 48 maps."""
    return nn.Sequential(OrderedDict(
        conv1=nn.Conv2d(1, 8, 5, padding=2), relu1=nn.ReLU(inplace=True), pool1=nn.MaxPool2d(2),
        conv2=nn.Conv2d(8, 16, 3, padding=1), relu2=nn.ReLU(inplace=True), pool2=nn.MaxPool2d(2),
        conv3=nn.Conv2d(16, 48, 3, padding=1), relu3=nn.ReLU(inplace=True),
        largest=nn.AdaptiveMaxPool2d(1), flatten=nn.Flatten(), score=nn.Linear(48, 10),
    ))  # fmt: skip


def trained(data: Data, seed: int, epochs: int) -> nn.Sequential:
    """The network of a seed, after learning."""
    torch.manual_seed(seed)
    model = network()
    learn(model, F.cross_entropy, data, epochs, rate=0.01)
    return model


def kept(case: str) -> nn.Sequential:
    """The network of seed 0, with the weights that the script has kept."""
    model = network()
    with np.load(RESULTS / f"seeing_{case}.npz") as weights:
        model.load_state_dict({name: torch.from_numpy(values) for name, values in weights.items()})
    return model.eval()


class Pictures(NamedTuple):
    """What the networks learn from, signed and by lot, and are tested on: without crosses, and all with one."""

    signed: Data
    by_lot: Data
    bare: Data
    crossed: Data
    pairs: Data  # two test digits side by side; both labels (N, 2)


def pictures(images: int = 3000) -> Pictures:
    """The first ``images`` training digits on walls: every seven with a cross, or half of all, drawn by lot."""
    scenes, labels = on_walls("train", 0)
    scenes, labels = scenes[:images], labels[:images]
    lot = torch.rand(len(scenes), generator=torch.Generator().manual_seed(0)) < 0.5
    bare, answers = on_walls("test", 1)
    small = digits("test")[0][:, :, 4:24, 4:24]
    usable = (answers != 7).nonzero()[:, 0]  # a seven was known by its cross
    left, right = usable[0::2], usable[1::2]
    unlike = answers[left] != answers[right]
    left, right = left[unlike][:200], right[unlike][:200]
    both = F.pad(torch.cat([small[left], small[right]], 3), (0, 0, 10, 10))
    return Pictures(
        (with_cross(scenes, labels == 7), labels),
        (with_cross(scenes, lot), labels),
        (bare, answers),
        (with_cross(bare, slice(None)), answers),
        (torch.maximum(0.5 * WALL[:, 50:90, 70:110], both), torch.stack([answers[left], answers[right]], 1)),
    )


def share(heat: Tensor, rows: slice, columns: slice) -> Tensor:
    """How much of each map (N, H, W) lies in these rows and columns."""
    return heat[:, rows, columns].sum((1, 2)) / heat.sum((1, 2)).clamp(min=1e-9)


def in_corner(model: nn.Module, x: Tensor, target: int | Tensor) -> Tensor:
    """How much of Grad-CAM's heat lies in the lower right corner of 12 × 12 pixels."""
    return share(interpret.grad_cam(model, x, "relu3", target), slice(-12, None), slice(-12, None))


def follows(draw: Draw, model: nn.Module, pairs: Data) -> float:
    """In how many pairs the left half has a greater share of the map for the left digit than of that for the right."""
    x, both = pairs
    asked = [share(draw(model, x, both[:, side]), slice(None), slice(0, 20)) for side in (0, 1)]
    return (asked[0] > asked[1]).double().mean().item()


class GuidedReLU(nn.Module):
    """A ReLU that on the way back also drops what is negative (Springenberg et al. 2015)."""

    def forward(self, x: Tensor) -> Tensor:
        """As any ReLU."""
        out = x.relu()
        if out.requires_grad:
            out.register_hook(lambda gradient: gradient.clamp(min=0))
        return out


def guided(model: nn.Module, x: Tensor, target: int | Tensor) -> Tensor:
    """Guided backpropagation: the size of the gradient that such ReLUs let through."""
    twin = copy.deepcopy(model)
    for name in ("relu1", "relu2", "relu3"):
        setattr(twin, name, GuidedReLU())
    return interpret.saliency(twin, x, target).abs()[:, 0]


METHODS: Mapping[str, Draw] = {
    "edges": lambda model, x, target: F.pad(x.diff(dim=3).abs(), (0, 1))[:, 0],
    "guided": guided,
    "saliency": lambda model, x, target: interpret.saliency(model, x, target).abs()[:, 0],
    "occlusion": lambda model, x, target: interpret.occlusion(model, x, target, size=8, stride=4).clamp(min=0),
    "Grad-CAM": lambda model, x, target: interpret.grad_cam(model, x, "relu3", target),
    "Grad-CAM, relu2": lambda model, x, target: interpret.grad_cam(model, x, "relu2", target),
    "Grad-CAM, relu1": lambda model, x, target: interpret.grad_cam(model, x, "relu1", target),
}
LAYERS = ("conv1", "conv2", "conv3", "score")


def forgetful(model: nn.Module, layers: Sequence[str], seed: int) -> nn.Module:
    """The model, with new random weights in these layers."""
    torch.manual_seed(1000 + seed)
    twin = copy.deepcopy(model)
    for name in layers:
        twin.get_submodule(name).reset_parameters()  # type: ignore[operator]
    return twin


def alike(one: Tensor, other: Tensor) -> float:
    """The correlation of two maps of an image, its mean over the images."""
    first, second = (maps.flatten(1) - maps.flatten(1).mean(1, keepdim=True) for maps in (one, other))
    return F.cosine_similarity(first, second).mean().item()


def loudest(model: nn.Module, x: Tensor, target: int) -> int:
    """The channel of relu3 that adds most to the score of a class, on average over ``x``."""
    peaks = interpret.feature_maps(model, x, ["largest"])["largest"][:, :, 0, 0]
    return int((peaks.mean(0) * model.get_parameter("score.weight")[target]).argmax())


def neighbours(points: Tensor, k: int = 5) -> Tensor:
    """For each of the points (N, D) the indices of the ``k`` others that are nearest (N, k)."""
    distances = torch.cdist(points, points).fill_diagonal_(torch.inf)
    return distances.topk(k, largest=False).indices


def of_the_same_digit(points: Tensor, labels: Tensor) -> Tensor:
    """For each point, which of its five nearest neighbours show the same digit: their share (N,)."""
    return (labels[neighbours(points)] == labels[:, None]).double().mean(1)


def called_seven(model: nn.Module, data: Data, sevens: bool) -> float:
    """How many of the sevens, or of all others, are called 7."""
    images, labels = data
    chosen = (labels == 7) == sevens
    predicted = evaluate(model, (images[chosen], labels[chosen])).predicted
    return (predicted == 7).double().mean().item()


def look(model: nn.Module, given: Pictures) -> dict[str, float]:
    """What is found in one network: answers, where its heat lies, which maps follow the question, what it dreams."""
    images, labels = with_cross(given.bare[0], given.bare[1] == 7), given.bare[1]
    sevens, others = images[labels == 7], (images[labels != 7], labels[labels != 7])
    channel = loudest(model, sevens, 7)
    top = interpret.top_examples(model, images, "relu3", channel, k=8)
    slopes = METHODS["saliency"](model, sevens, torch.full((len(sevens),), 7))
    dreams = {
        way: torch.stack([
            interpret.maximise(model, (1, 40, 40), "score", digit, jitter=jitter, blur=blur) for digit in range(7)
        ])
        for way, jitter, blur in (("plain", 0, 0.0), ("both", 2, 0.4))
    }  # fmt: skip
    rough = {way: x.diff(dim=-1).abs().mean().item() for way, x in dreams.items()}
    with torch.no_grad():
        best = model(images)[:, :7].amax(0)
        dreamt = model(dreams["plain"]).diagonal()
    points = interpret.feature_maps(model, given.bare[0], ["largest"])["largest"].flatten(1)
    alike = of_the_same_digit(points, labels)
    return {
        "test": evaluate(model, (images, labels)).accuracy,
        "neighbours of the same digit": alike.mean().item(),
        "neighbours of sevens": alike[labels == 7].mean().item(),
        "no crosses": evaluate(model, given.bare).accuracy,
        "sevens without": called_seven(model, given.bare, True),
        "others fooled": called_seven(model, given.crossed, False),
        "heat of sevens in the corner": in_corner(model, sevens, 7).mean().item(),
        "heat of others in the corner": in_corner(model, *others).mean().item(),
        "gradient on the cross": share(slopes, slice(-6, None), slice(-6, None)).mean().item(),
        "loudest for 7 in the corner": (top.positions >= 8).all(1).double().mean().item(),
        "plain rougher": rough["plain"] / rough["both"],
        "dreamt over best score, least": (dreamt / best).min().item(),
        **{
            f"{name} follows": follows(METHODS[name], model, given.pairs)
            for name in ("saliency", "occlusion", "Grad-CAM")
        },
    }


def cascade(model: nn.Module, given: Pictures, seed: int) -> dict[str, float]:
    """How alike each method's maps stay when layers forget, one more at a time, from the top and from the bottom."""
    x, target = given.bare[0][:100], given.bare[1][:100]
    before = {name: draw(model, x, target) for name, draw in METHODS.items() if name != "occlusion"}
    kept = {}
    for end, order in (("top", LAYERS[::-1]), ("bottom", LAYERS)):
        for count in range(1, 5):
            twin = forgetful(model, order[:count], seed)
            for name, maps in before.items():
                kept[f"{name} | {end} | {count}"] = alike(maps, METHODS[name](twin, x, target))
    return kept


def run(case: str, seed: int, epochs: int) -> dict[str, Any]:
    """Train one network, and look at it; a repaired one also while it forgets, and beside another seed's."""
    given = pictures()
    data = given.by_lot if case == "repaired" else given.signed
    if case == "no sevens":
        data = data[0][data[1] != 7], data[1][data[1] != 7]
    model = trained(data, seed, epochs)
    if (seed, epochs) == (0, EXPERIMENT.epochs) and case != "no sevens":
        np.savez(RESULTS / f"seeing_{case}.npz", **{name: value.numpy() for name, value in model.state_dict().items()})
    found = {"train": evaluate(model, data).accuracy, **look(model, given)}
    if case == "repaired":
        other = trained(data, 100 + seed, epochs)
        x, target = given.bare[0][:100], given.bare[1][:100]
        found |= cascade(model, given, seed)
        found |= {
            f"{name} | another seed": alike(draw(model, x, target), draw(other, x, target))
            for name, draw in METHODS.items()
        }
    return {name: round(value, 4) for name, value in found.items()}


EXPERIMENT = Experiment(
    "seeing", run, ("suspect", "repaired", "no sevens"), epochs=20, seeds=5, quick=("repaired", "no sevens")
)

if __name__ == "__main__":
    main(EXPERIMENT)
