"""EfficientNet-B0 (Tan and Le, "EfficientNet: rethinking model scaling for convolutional neural networks", 2019).

MobileNetV2's block, with channels that are weighted by what the whole map holds, found by a search over architectures.
"""

from __future__ import annotations

from torch import Tensor, nn

from utils.models.blocks import ConvNormActivation, StochasticDepth

# Table 1: expansion of the middle, kernel, stride of the first block, channels, number of blocks.
STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)


class SqueezeExcitation(nn.Module):
    """Multiply every channel by a number from 0 to 1 that two dense layers make of all channels' means."""

    def __init__(self, channels: int, squeezed: int) -> None:
        """Set up the layers: dense ones, as 1 × 1 convolutions of a map of one pixel."""
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.fc2 = nn.Conv2d(squeezed, channels, 1)
        self.activation = nn.SiLU(inplace=True)
        self.scale_activation = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) → (N, channels, H, W)."""
        scale = self.activation(self.fc1(self.avgpool(x)))
        return x * self.scale_activation(self.fc2(scale))


class MBConv(nn.Module):
    """1 × 1 to more channels, depthwise, squeeze and excite, 1 × 1 to fewer, added to the input where shapes agree."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, stride: int, expansion: int, drop: float
    ) -> None:
        """Set up the layers; ``drop`` is the probability that the residual is left out while the network learns."""
        super().__init__()
        width = in_channels * expansion
        expand = [ConvNormActivation(in_channels, width, 1, activation=nn.SiLU)] if expansion > 1 else []
        self.block = nn.Sequential(
            *expand,
            ConvNormActivation(width, width, kernel_size, stride, groups=width, activation=nn.SiLU),
            SqueezeExcitation(width, in_channels // 4),
            ConvNormActivation(width, out_channels, 1, activation=None),
        )
        self.stochastic_depth = StochasticDepth(drop)
        self.adds = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) → (N, out_channels, H / stride, W / stride)."""
        return x + self.stochastic_depth(self.block(x)) if self.adds else self.block(x)


class EfficientNet(nn.Module):
    """A stem, seven stages, a 1 × 1 convolution and one dense layer, for images (N, 3, 224, 224)."""

    def __init__(self, num_classes: int = 1000) -> None:
        """Set up the layers; later blocks are left out more often, up to one time in five."""
        super().__init__()
        layers: list[nn.Module] = [ConvNormActivation(3, 32, 3, stride=2, activation=nn.SiLU)]
        channels, built, total = 32, 0, sum(depth for *_, depth in STAGES)
        for expansion, kernel_size, stride, width, depth in STAGES:
            blocks = []
            for i in range(depth):
                first = stride if i == 0 else 1
                blocks.append(MBConv(channels, width, kernel_size, first, expansion, 0.2 * built / total))
                channels, built = width, built + 1
            layers.append(nn.Sequential(*blocks))
        layers.append(ConvNormActivation(channels, 1280, 1, activation=nn.SiLU))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, num_classes))

    def forward(self, x: Tensor) -> Tensor:
        """Images (N, 3, H, W) → scores (N, num_classes)."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def efficientnet_b0(num_classes: int = 1000) -> EfficientNet:
    """EfficientNet-B0: 5,288,548 parameters."""
    return EfficientNet(num_classes)
