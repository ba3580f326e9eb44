"""AlexNet in one tower (Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014).

The network that won ILSVRC 2012 ran on two graphics cards, with 96/256/384/384/256 kernels in two groups and a
normalisation of local responses. This later version has 64/192/384/256/256, no groups and no normalisation; it is the
one that torchvision publishes weights for.
"""

from __future__ import annotations

from torch import Tensor, nn


class AlexNet(nn.Module):
    """Five convolutions and three dense layers for images (N, 3, 224, 224)."""

    def __init__(self, num_classes: int = 1000, dropout: float = 0.5) -> None:
        """Set up the layers; ``dropout`` is the share of numbers set to zero before the first two dense layers."""
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, kernel_size=11, stride=4, padding=2),  # 55 × 55
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),  # 27 × 27
            nn.Conv2d(64, 192, kernel_size=5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),  # 13 × 13
            nn.Conv2d(192, 384, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),  # 6 × 6
        )
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))  # so that other image sizes fit the dense layers
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(256 * 6 * 6, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Linear(4096, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Images (N, 3, H, W) → scores (N, num_classes)."""
        x = self.avgpool(self.features(x))
        return self.classifier(x.flatten(1))


def alexnet(num_classes: int = 1000) -> AlexNet:
    """AlexNet, one tower: 61,100,840 parameters."""
    return AlexNet(num_classes)
