"""GoogLeNet (Szegedy et al., "Going deeper with convolutions", 2015), with batch normalisation.

The paper's inception block has a branch of 5 × 5 kernels. A widespread variant, for which torchvision publishes
weights, has 3 × 3 there and is the default here; ``large_kernel=5`` is the paper's. Both differ from the paper in that
every convolution is normalised, and local responses are not.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn


class ConvNormReLU(nn.Module):
    """A convolution that keeps the size at stride 1, batch normalisation, ReLU."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> None:
        """Set up the layers."""
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2, bias=False)
        self.bn = nn.BatchNorm2d(out_channels, eps=0.001)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) → (N, out_channels, H / stride, W / stride)."""
        return self.relu(self.bn(self.conv(x)))


class Inception(nn.Module):
    """Four branches of one size, laid one behind another as channels (figure 2b).

    ``one`` channels come from 1 × 1, ``three`` from 1 × 1 to ``reduce_three`` and 3 × 3, ``large`` from 1 × 1 to
    ``reduce_large`` and the large kernel, ``pooled`` from 3 × 3 max pooling and 1 × 1: the columns of table 1.
    """

    def __init__(
        self,
        in_channels: int,
        one: int,
        reduce_three: int,
        three: int,
        reduce_large: int,
        large: int,
        pooled: int,
        large_kernel: int,
    ) -> None:
        """Set up the branches."""
        super().__init__()
        self.branch1 = ConvNormReLU(in_channels, one, 1)
        self.branch2 = nn.Sequential(ConvNormReLU(in_channels, reduce_three, 1), ConvNormReLU(reduce_three, three, 3))
        self.branch3 = nn.Sequential(
            ConvNormReLU(in_channels, reduce_large, 1), ConvNormReLU(reduce_large, large, large_kernel)
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(kernel_size=3, stride=1, padding=1), ConvNormReLU(in_channels, pooled, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) → (N, one + three + large + pooled, H, W)."""
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], dim=1)


class AuxiliaryHead(nn.Module):
    """A second, smaller classifier halfway, which brings a gradient to the lower layers while the network learns."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        """Set up the layers."""
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d((4, 4))
        self.conv = ConvNormReLU(in_channels, 128, 1)
        self.fc1 = nn.Linear(128 * 4 * 4, 1024)
        self.relu = nn.ReLU(inplace=True)
        self.dropout = nn.Dropout(0.7)
        self.fc2 = nn.Linear(1024, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) → scores (N, num_classes)."""
        x = self.conv(self.avgpool(x)).flatten(1)
        return self.fc2(self.dropout(self.relu(self.fc1(x))))


class GoogLeNet(nn.Module):
    """A stem, nine inception blocks and one dense layer (table 1), for images (N, 3, 224, 224)."""

    def __init__(self, num_classes: int = 1000, aux_logits: bool = False, large_kernel: Literal[3, 5] = 3) -> None:
        """Set up the layers, with the two auxiliary heads if ``aux_logits``."""
        super().__init__()
        if large_kernel not in (3, 5):
            raise ValueError(f"large_kernel must be 5, as in the paper, or 3, got {large_kernel!r}")
        self.conv1 = ConvNormReLU(3, 64, 7, stride=2)  # 112 × 112
        self.maxpool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)  # 56 × 56
        self.conv2 = ConvNormReLU(64, 64, 1)
        self.conv3 = ConvNormReLU(64, 192, 3)
        self.maxpool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)  # 28 × 28
        self.inception3a = Inception(192, 64, 96, 128, 16, 32, 32, large_kernel)
        self.inception3b = Inception(256, 128, 128, 192, 32, 96, 64, large_kernel)
        self.maxpool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)  # 14 × 14
        self.inception4a = Inception(480, 192, 96, 208, 16, 48, 64, large_kernel)
        self.inception4b = Inception(512, 160, 112, 224, 24, 64, 64, large_kernel)
        self.inception4c = Inception(512, 128, 128, 256, 24, 64, 64, large_kernel)
        self.inception4d = Inception(512, 112, 144, 288, 32, 64, 64, large_kernel)
        self.inception4e = Inception(528, 256, 160, 320, 32, 128, 128, large_kernel)
        self.maxpool4 = nn.MaxPool2d(2, stride=2, ceil_mode=True)  # 7 × 7
        self.inception5a = Inception(832, 256, 160, 320, 32, 128, 128, large_kernel)
        self.inception5b = Inception(832, 384, 192, 384, 48, 128, 128, large_kernel)
        self.aux1 = AuxiliaryHead(512, num_classes) if aux_logits else None
        self.aux2 = AuxiliaryHead(528, num_classes) if aux_logits else None
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.2)
        self.fc = nn.Linear(1024, num_classes)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor, Tensor]:
        """Images (N, 3, H, W) → scores (N, num_classes); while it learns also those of its two heads, if any."""
        x = self.conv3(self.conv2(self.maxpool1(self.conv1(x))))
        x = self.inception3b(self.inception3a(self.maxpool2(x)))
        first = x = self.inception4a(self.maxpool3(x))
        second = x = self.inception4d(self.inception4c(self.inception4b(x)))
        x = self.inception5b(self.inception5a(self.maxpool4(self.inception4e(x))))
        scores = self.fc(self.dropout(self.avgpool(x).flatten(1)))
        if self.training and self.aux1 is not None and self.aux2 is not None:
            return scores, self.aux1(first), self.aux2(second)
        return scores


def googlenet(num_classes: int = 1000, aux_logits: bool = False, large_kernel: Literal[3, 5] = 3) -> GoogLeNet:
    """GoogLeNet: 6,624,904 parameters, and 380,928 more with the paper's 5 × 5 (``large_kernel=5``)."""
    return GoogLeNet(num_classes, aux_logits, large_kernel)
