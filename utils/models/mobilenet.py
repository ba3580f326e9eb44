"""MobileNetV2 (Sandler, Howard, Zhu, Zhmoginov and Chen, "Inverted residuals and linear bottlenecks", 2018).

A bottleneck turned inside out: narrow at both ends, where maps are added, wide in the middle, where a depthwise
convolution looks around at little cost.
"""

from __future__ import annotations

from torch import Tensor, nn

from utils.models.blocks import ConvNormActivation

# Table 2: expansion of the middle, channels, number of blocks, stride of the first.
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


class InvertedResidual(nn.Module):
    """1 × 1 to ``expansion`` times the channels, depthwise 3 × 3, 1 × 1 back without activation (figure 4d)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, expansion: int) -> None:
        """Set up the layers; the input is added where the shape stays."""
        super().__init__()
        width = in_channels * expansion
        expand = [ConvNormActivation(in_channels, width, 1)] if expansion > 1 else []
        self.conv = nn.Sequential(
            *expand,
            ConvNormActivation(width, width, 3, stride, groups=width),
            nn.Conv2d(width, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        self.adds = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) → (N, out_channels, H / stride, W / stride)."""
        return x + self.conv(x) if self.adds else self.conv(x)


class MobileNetV2(nn.Module):
    """A stem, seventeen inverted residuals, a 1 × 1 convolution and one dense layer, for images (N, 3, 224, 224)."""

    def __init__(self, num_classes: int = 1000) -> None:
        """Set up the layers."""
        super().__init__()
        layers: list[nn.Module] = [ConvNormActivation(3, 32, 3, stride=2)]
        channels = 32
        for expansion, width, depth, stride in STAGES:
            for i in range(depth):
                layers.append(InvertedResidual(channels, width, stride if i == 0 else 1, expansion))
                channels = width
        layers.append(ConvNormActivation(channels, 1280, 1))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, num_classes))

    def forward(self, x: Tensor) -> Tensor:
        """Images (N, 3, H, W) → scores (N, num_classes)."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def mobilenet_v2(num_classes: int = 1000) -> MobileNetV2:
    """MobileNetV2: 3,504,872 parameters."""
    return MobileNetV2(num_classes)
