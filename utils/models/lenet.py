"""LeNet-5 (LeCun, Bottou, Bengio and Haffner, 1998), as it is usually rebuilt.

Three things differ from the paper: its second convolution leaves out some pairs of channels, its pooling layers have
a weight and a bias for each map, and its last layer measures distances to drawn digits. Here pairs are complete,
pooling is a plain mean, and the last layer is dense.
"""

from __future__ import annotations

from torch import nn


def lenet5(num_classes: int = 10) -> nn.Sequential:
    """LeNet-5 for images (N, 1, 28, 28); the padding of 2 makes them the paper's 32 × 32."""
    return nn.Sequential(
        nn.Conv2d(1, 6, kernel_size=5, padding=2),  # C1: 6 × 28 × 28
        nn.Tanh(),
        nn.AvgPool2d(2),  # S2: 6 × 14 × 14
        nn.Conv2d(6, 16, kernel_size=5),  # C3: 16 × 10 × 10
        nn.Tanh(),
        nn.AvgPool2d(2),  # S4: 16 × 5 × 5
        nn.Flatten(),
        nn.Linear(16 * 5 * 5, 120),  # C5
        nn.Tanh(),
        nn.Linear(120, 84),  # F6
        nn.Tanh(),
        nn.Linear(84, num_classes),
    )
