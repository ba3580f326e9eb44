"""DenseNet (Huang, Liu, van der Maaten and Weinberger, "Densely connected convolutional networks", 2017).

Every layer reads what *all* layers of its block before it have made, and adds a few channels of its own.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn


class DenseLayer(nn.Module):
    """Normalise, 1 × 1 to four times ``growth``, normalise, 3 × 3 to ``growth``: DenseNet-B's layer."""

    def __init__(self, in_channels: int, growth: int) -> None:
        """Set up the layers."""
        super().__init__()
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, 4 * growth, kernel_size=1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, kernel_size=3, padding=1, bias=False)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) → (N, in_channels + growth, H, W): the input, and behind it what is new."""
        new = self.conv1(self.relu(self.norm1(x)))
        new = self.conv2(self.relu(self.norm2(new)))
        return torch.cat([x, new], dim=1)


class DenseNet(nn.Module):
    """A stem, four blocks of ``depths`` dense layers, a halving between them (table 1), for images (N, 3, 224, 224)."""

    def __init__(self, growth: int, depths: tuple[int, int, int, int], num_classes: int = 1000) -> None:
        """Set up the layers; each dense layer adds ``growth`` channels."""
        super().__init__()
        channels = 2 * growth
        self.features = nn.Sequential(
            OrderedDict(
                conv0=nn.Conv2d(3, channels, kernel_size=7, stride=2, padding=3, bias=False),  # 112 × 112
                norm0=nn.BatchNorm2d(channels),
                relu0=nn.ReLU(inplace=True),
                pool0=nn.MaxPool2d(kernel_size=3, stride=2, padding=1),  # 56 × 56
            )
        )
        for number, depth in enumerate(depths, 1):
            layers = {f"denselayer{i + 1}": DenseLayer(channels + i * growth, growth) for i in range(depth)}
            self.features.add_module(f"denseblock{number}", nn.Sequential(OrderedDict(layers)))
            channels += depth * growth
            if number < len(depths):
                transition = OrderedDict(
                    norm=nn.BatchNorm2d(channels),
                    relu=nn.ReLU(inplace=True),
                    conv=nn.Conv2d(channels, channels // 2, kernel_size=1, bias=False),
                    pool=nn.AvgPool2d(kernel_size=2),
                )
                self.features.add_module(f"transition{number}", nn.Sequential(transition))
                channels //= 2
        self.features.add_module("norm5", nn.BatchNorm2d(channels))
        self.relu = nn.ReLU(inplace=True)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Images (N, 3, H, W) → scores (N, num_classes)."""
        x = self.avgpool(self.relu(self.features(x)))
        return self.classifier(x.flatten(1))


def densenet121(num_classes: int = 1000) -> DenseNet:
    """DenseNet-121, growth 32: 7,978,856 parameters."""
    return DenseNet(32, (6, 12, 24, 16), num_classes)
