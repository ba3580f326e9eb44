"""ConvNeXt (Liu, Mao, Wu, Feichtenhofer, Darrell and Xie, "A ConvNet for the 2020s", 2022).

A ResNet given the habits of transformers, one after another: patches for a stem, large depthwise kernels, dense layers
that widen and narrow the channels, one normalisation and one activation a block.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from utils.models.blocks import StochasticDepth


class LayerNorm2d(nn.LayerNorm):
    """Layer normalisation over the channels of every pixel of (N, C, H, W)."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) → (N, C, H, W)."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Permute(nn.Module):
    """Put the axes in another order, as a layer."""

    def __init__(self, *axes: int) -> None:
        """Keep the order."""
        super().__init__()
        self.axes = axes

    def forward(self, x: Tensor) -> Tensor:
        """The same numbers, axes in the order given."""
        return x.permute(self.axes)


class CNBlock(nn.Module):
    """Depthwise 7 × 7, normalise, dense to four times the channels, dense back, added to the input (figure 4)."""

    def __init__(self, channels: int, drop: float) -> None:
        """Set up the layers; ``drop`` is the probability that the residual is left out while the network learns."""
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv2d(channels, channels, kernel_size=7, padding=3, groups=channels),
            Permute(0, 2, 3, 1),  # channels last, where a dense layer finds them
            nn.LayerNorm(channels, eps=1e-6),
            nn.Linear(channels, 4 * channels),
            nn.GELU(),
            nn.Linear(4 * channels, channels),
            Permute(0, 3, 1, 2),
        )
        self.layer_scale = nn.Parameter(torch.full((channels, 1, 1), 1e-6))  # starts as if there were no block
        self.stochastic_depth = StochasticDepth(drop)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) → (N, channels, H, W)."""
        return x + self.stochastic_depth(self.layer_scale * self.block(x))


class ConvNeXt(nn.Module):
    """A stem of 4 × 4 patches, four stages of ``depths`` blocks with a halving between them, and one dense layer."""

    def __init__(self, widths: tuple[int, ...], depths: tuple[int, ...], drop: float, num_classes: int = 1000) -> None:
        """Set up the layers; later blocks are left out more often, the last with probability ``drop``."""
        super().__init__()
        norm = LayerNorm2d(widths[0], eps=1e-6)
        layers: list[nn.Module] = [nn.Sequential(nn.Conv2d(3, widths[0], kernel_size=4, stride=4), norm)]
        built, last = 0, sum(depths) - 1
        for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            layers.append(nn.Sequential(*(CNBlock(width, drop * (built + i) / last) for i in range(depth))))
            built += depth
            if stage + 1 < len(widths):
                norm, conv = LayerNorm2d(width, eps=1e-6), nn.Conv2d(width, widths[stage + 1], kernel_size=2, stride=2)
                layers.append(nn.Sequential(norm, conv))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            LayerNorm2d(widths[-1], eps=1e-6), nn.Flatten(), nn.Linear(widths[-1], num_classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Images (N, 3, H, W) → scores (N, num_classes)."""
        return self.classifier(self.avgpool(self.features(x)))


def convnext_tiny(num_classes: int = 1000) -> ConvNeXt:
    """ConvNeXt-T: 28,589,128 parameters."""
    return ConvNeXt((96, 192, 384, 768), (3, 3, 9, 3), 0.1, num_classes)
