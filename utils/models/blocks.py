"""What the newer networks share: a convolution with its normalisation and activation, and blocks left out by chance."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ConvNormActivation(nn.Sequential):
    """A convolution that keeps the size at stride 1, batch normalisation, and an activation unless it is None."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        groups: int = 1,
        activation: type[nn.Module] | None = nn.ReLU6,
    ) -> None:
        """Set up the layers."""
        padding = kernel_size // 2
        layers = [
            nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias=False),
            nn.BatchNorm2d(out_channels),
        ]
        super().__init__(*layers, *([] if activation is None else [activation(inplace=True)]))


class StochasticDepth(nn.Module):
    """While the network learns, leave out an image's whole residual with ``probability`` (Huang et al., 2016).

    What stays is enlarged, so that the mean is the same as when nothing is left out.
    """

    def __init__(self, probability: float) -> None:
        """Keep the probability."""
        super().__init__()
        self.probability = probability

    def forward(self, residual: Tensor) -> Tensor:
        """(N, …) → (N, …), some of the N set to zero."""
        if not self.training or self.probability == 0:
            return residual
        keep = 1 - self.probability
        kept = torch.empty(len(residual), *[1] * (residual.ndim - 1), device=residual.device).bernoulli_(keep)
        return residual * kept.to(residual.dtype) / keep
