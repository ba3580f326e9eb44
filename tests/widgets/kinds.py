"""Every kind of figure; and what the architecture explorer is tested with: networks of the course and a learner's."""

import torch
from torch import nn

from utils import models, widgets
from utils.profiling import profile
from utils.widgets import ArchitectureExplorer, CompareRuns, TrainingCurves

with torch.device("meta"):  # shapes are enough
    NETWORKS = {
        "LeNet-5": profile(models.lenet5(), (1, 28, 28)),
        "AlexNet": profile(models.alexnet(), (3, 224, 224)),
        "VGG-16": profile(models.vgg16(), (3, 224, 224)),
        "GoogLeNet": profile(models.googlenet(), (3, 224, 224)),
        "ResNet-18": profile(models.resnet18(), (3, 224, 224)),
        "ResNet-50": profile(models.resnet50(), (3, 224, 224)),
        "DenseNet-121": profile(models.densenet121(), (3, 224, 224)),
        "MobileNetV2": profile(models.mobilenet_v2(), (3, 224, 224)),
        "EfficientNet-B0": profile(models.efficientnet_b0(), (3, 224, 224)),
        "ConvNeXt-T": profile(models.convnext_tiny(), (3, 224, 224)),
    }
FEW = {name: NETWORKS[name] for name in ("AlexNet", "VGG-16", "ResNet-18")}


class Body(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, (3, 5), padding=(1, 2))
        self.stage = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8))

    def forward(self, x):
        x = torch.relu(self.first(x))
        return torch.max_pool2d(torch.relu(x + self.stage(x)), 2)


class Own(nn.Module):
    """What a learner may bring: layers in a wrapper, operations without a module, a module that is never called."""

    def __init__(self):
        super().__init__()
        self.body, self.unused, self.head = Body(), nn.Linear(2, 2), nn.Linear(8, 5)

    def forward(self, x):
        return self.head(self.body(x).mean((2, 3)))


OWN = {"own": profile(Own(), (3, 8, 8))}
POOLED = {"Pooling": profile(nn.Sequential(nn.MaxPool2d(2), nn.Flatten()), (3, 8, 8))}


class Explorer(ArchitectureExplorer):
    """The figure with something to show if it is given nothing, as all others have."""

    def __init__(self, profiles=FEW, *arguments, **traits):
        super().__init__(profiles, *arguments, **traits)


def kept(case, seed, loss):
    """A run as experiments.curves keeps it."""
    lower = [value and value / 2 for value in loss]
    right = [0.1 if value is None else max(0.0, 1 - value / 3) for value in loss]
    return {
        "case": case,
        "seed": seed,
        "loss": lower,
        "validation_loss": loss,
        "accuracy": right,
        "validation_accuracy": right,
    }


RUNS = [
    kept(
        f"{rate}, {batch}, 0.0, {normalisation}", seed, [scale * (1 + seed / 9) * value for value in (2, 0.4, 0.3, 0.5)]
    )
    for rate, scale in ((0.1, 1.0), (0.3, 0.5), (1.0, 9.0))
    for batch in (10, 50)
    for normalisation in ("none", "batch")
    for seed in (0, 1)
]
RUNS += [kept("3.0, 10, 0.0, none", 0, [3.0, 70.0, None, None])]


class Curves(TrainingCurves):
    """The figure with runs to show if it is given none."""

    def __init__(self, runs=RUNS, **traits):
        super().__init__(runs, **traits)


def fought(case, seed, right):
    """A run as experiments.fair keeps it."""
    return {
        "case": case,
        "seed": seed,
        "loss": [2.4 - 2 * value for value in right],
        "accuracy": right,
        "validation accuracy": [value - 0.02 for value in right],
        "test accuracy": right[-1] - 0.03,
    }


FOUGHT = [
    fought(name, seed, [end * share + 0.01 * seed for share in (0.5, 0.8, 1.0)])
    for name, end in (
        ("plain, 20 layers", 0.55),
        ("residual, 20 layers", 0.65),
        ("dense, 20 layers", 0.66),
        ("VGG, 20 layers", 0.4),
        ("plain, 8 layers", 0.6),
        ("plain, 32 layers", 0.5),
    )
    for seed in range(3)
]
PAID = [
    {"case": run["case"], "seed": run["seed"], "milliseconds": 40.0 + i, "kept kB": 241.5, "parameters": 165786}
    for i, run in enumerate(FOUGHT)
]


class Compared(CompareRuns):
    """The figure with runs to show if it is given none."""

    def __init__(self, runs=FOUGHT, costs=PAID, **traits):
        super().__init__(runs, costs, **traits)


OWN_KINDS = {"ArchitectureExplorer": Explorer, "CompareRuns": Compared, "TrainingCurves": Curves}
KINDS = [OWN_KINDS.get(name) or getattr(widgets, name) for name in widgets.__all__]
