"""ResNet (He, Zhang, Ren and Sun, "Deep residual learning for image recognition", 2016).

A block computes what to *add* to its input. Where the shape changes, a 1 × 1 convolution changes the input's as well
(the paper's option B). A bottleneck strides in its 3 × 3 convolution, as in torchvision; the paper strides in the 1 × 1
before it, at fewer MACs.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn


def conv_norm(
    in_channels: int, out_channels: int, kernel_size: int, stride: int = 1
) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    """A convolution that keeps the size at stride 1, without bias, for the normalisation behind it has one."""
    conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2, bias=False)
    return conv, nn.BatchNorm2d(out_channels)


def shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Sequential | None:
    """What makes the input fit to be added to the output: nothing, or a projection if the shape changes."""
    if stride == 1 and in_channels == out_channels:
        return None
    return nn.Sequential(*conv_norm(in_channels, out_channels, 1, stride))


class BasicBlock(nn.Module):
    """Two 3 × 3 convolutions, added to their input (figure 5, left)."""

    expansion: ClassVar[int] = 1

    def __init__(self, in_channels: int, width: int, stride: int = 1) -> None:
        """Make ``width`` channels of ``in_channels``, at a ``stride``."""
        super().__init__()
        self.conv1, self.bn1 = conv_norm(in_channels, width, 3, stride)
        self.conv2, self.bn2 = conv_norm(width, width, 3)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut(in_channels, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) → (N, width, H / stride, W / stride)."""
        residual = self.relu(self.bn1(self.conv1(x)))
        residual = self.bn2(self.conv2(residual))
        return self.relu(residual + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    """1 × 1 to fewer channels, 3 × 3, 1 × 1 to four times as many, added to their input (figure 5, right)."""

    expansion: ClassVar[int] = 4

    def __init__(self, in_channels: int, width: int, stride: int = 1) -> None:
        """Make 4 · ``width`` channels of ``in_channels``, at a ``stride``."""
        super().__init__()
        out_channels = width * self.expansion
        self.conv1, self.bn1 = conv_norm(in_channels, width, 1)
        self.conv2, self.bn2 = conv_norm(width, width, 3, stride)
        self.conv3, self.bn3 = conv_norm(width, out_channels, 1)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut(in_channels, out_channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) → (N, 4 · width, H / stride, W / stride)."""
        residual = self.relu(self.bn1(self.conv1(x)))
        residual = self.relu(self.bn2(self.conv2(residual)))
        residual = self.bn3(self.conv3(residual))
        return self.relu(residual + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """A stem, four stages of blocks, ``depths`` in each, and one dense layer (table 1), for images (N, 3, 224, 224)."""

    def __init__(
        self, block: type[BasicBlock] | type[Bottleneck], depths: tuple[int, int, int, int], num_classes: int = 1000
    ) -> None:
        """Set up the layers."""
        super().__init__()
        self.conv1, self.bn1 = conv_norm(3, 64, 7, stride=2)  # 112 × 112
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)  # 56 × 56
        channels, stages = 64, []
        for width, depth, stride in zip((64, 128, 256, 512), depths, (1, 2, 2, 2), strict=True):
            blocks: list[nn.Module] = []
            for i in range(depth):  # only the first block of a stage strides
                blocks.append(block(channels, width, stride if i == 0 else 1))
                channels = width * block.expansion
            stages.append(nn.Sequential(*blocks))
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Images (N, 3, H, W) → scores (N, num_classes)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


def resnet18(num_classes: int = 1000) -> ResNet:
    """ResNet-18, basic blocks: 11,689,512 parameters."""
    return ResNet(BasicBlock, (2, 2, 2, 2), num_classes)


def resnet34(num_classes: int = 1000) -> ResNet:
    """ResNet-34, basic blocks: 21,797,672 parameters."""
    return ResNet(BasicBlock, (3, 4, 6, 3), num_classes)


def resnet50(num_classes: int = 1000) -> ResNet:
    """ResNet-50, bottlenecks: 25,557,032 parameters."""
    return ResNet(Bottleneck, (3, 4, 6, 3), num_classes)


def resnet101(num_classes: int = 1000) -> ResNet:
    """ResNet-101, bottlenecks: 44,549,160 parameters."""
    return ResNet(Bottleneck, (3, 4, 23, 3), num_classes)


def resnet152(num_classes: int = 1000) -> ResNet:
    """ResNet-152, bottlenecks: 60,192,808 parameters."""
    return ResNet(Bottleneck, (3, 8, 36, 3), num_classes)
