"""VGG (Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition", 2015).

Nothing but 3 × 3 convolutions that keep the size and 2 × 2 pooling that halves it; the number in a network's name
counts the layers with weights. Configurations A, B, D and E of the paper's table 1. Batch normalisation came later.
"""

from __future__ import annotations

from torch import Tensor, nn

# How many convolutions with these many channels stand before each of the five poolings.
CHANNELS = (64, 128, 256, 512, 512)
DEPTHS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


class VGG(nn.Module):
    """Five stages of convolutions, ``depths`` in each, and three dense layers, for images (N, 3, 224, 224)."""

    def __init__(self, depths: tuple[int, ...], num_classes: int = 1000, batch_norm: bool = False) -> None:
        """Set up the layers."""
        super().__init__()
        layers: list[nn.Module] = []
        width = 3
        for channels, depth in zip(CHANNELS, depths, strict=True):
            for _ in range(depth):
                layers.append(nn.Conv2d(width, channels, kernel_size=3, padding=1))
                if batch_norm:
                    layers.append(nn.BatchNorm2d(channels))
                layers.append(nn.ReLU(inplace=True))
                width = channels
            layers.append(nn.MaxPool2d(kernel_size=2))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))  # so that other image sizes fit the dense layers
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(4096, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Images (N, 3, H, W) → scores (N, num_classes)."""
        x = self.avgpool(self.features(x))
        return self.classifier(x.flatten(1))


def vgg11(num_classes: int = 1000) -> VGG:
    """VGG-11, configuration A."""
    return VGG(DEPTHS[11], num_classes)


def vgg13(num_classes: int = 1000) -> VGG:
    """VGG-13, configuration B."""
    return VGG(DEPTHS[13], num_classes)


def vgg16(num_classes: int = 1000) -> VGG:
    """VGG-16, configuration D: 138,357,544 parameters."""
    return VGG(DEPTHS[16], num_classes)


def vgg19(num_classes: int = 1000) -> VGG:
    """VGG-19, configuration E: 143,667,240 parameters."""
    return VGG(DEPTHS[19], num_classes)


def vgg11_bn(num_classes: int = 1000) -> VGG:
    """VGG-11 with batch normalisation."""
    return VGG(DEPTHS[11], num_classes, batch_norm=True)


def vgg13_bn(num_classes: int = 1000) -> VGG:
    """VGG-13 with batch normalisation."""
    return VGG(DEPTHS[13], num_classes, batch_norm=True)


def vgg16_bn(num_classes: int = 1000) -> VGG:
    """VGG-16 with batch normalisation."""
    return VGG(DEPTHS[16], num_classes, batch_norm=True)


def vgg19_bn(num_classes: int = 1000) -> VGG:
    """VGG-19 with batch normalisation."""
    return VGG(DEPTHS[19], num_classes, batch_norm=True)
