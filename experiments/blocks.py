"""Eight kinds of blocks, and a control, in one scaffold: stem, three stages, mean of each channel, dense layer."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def convolution(c: int, k: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """A convolution that keeps the size (or halves it, with a stride of 2), and batch normalisation."""
    layer = nn.Conv2d(c, k, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(k))


class Block(nn.Module):
    """``LAYERS`` weighted layers one after another, from ``c`` channels to ``out``, with a stride of 1 or 2."""

    LAYERS = 2
    WIDENS = 1  # what ``last`` multiplies the channels by
    out: int

    @staticmethod
    def stem(k: int) -> nn.Module:
        """What comes before all blocks: from three channels to ``k``, at half the size."""
        return nn.Sequential(convolution(3, k, stride=2), nn.ReLU())

    @staticmethod
    def last(c: int) -> nn.Module:
        """What comes after all blocks, for those that leave something to do."""
        return nn.Identity()


class Plain(Block):
    """Two 3 × 3 convolutions, each normalised."""

    def __init__(self, c: int, k: int, stride: int) -> None:
        """Set up the layers."""
        super().__init__()
        self.out = k
        self.body = nn.Sequential(convolution(c, k, stride=stride), nn.ReLU(), convolution(k, k))

    def forward(self, x: Tensor) -> Tensor:
        """(N, c, H, W) → (N, k, H / stride, W / stride)."""
        return F.relu(self.body(x))


class VGG(Block):
    """Two 3 × 3 convolutions without normalisation; max pooling halves the size."""

    def __init__(self, c: int, k: int, stride: int) -> None:
        """Set up the layers."""
        super().__init__()
        self.out = k
        pool = nn.MaxPool2d(2) if stride > 1 else nn.Identity()
        layers = nn.Conv2d(c, k, 3, padding=1), nn.ReLU(), nn.Conv2d(k, k, 3, padding=1), nn.ReLU()
        self.body = nn.Sequential(pool, *layers)

    @staticmethod
    def stem(k: int) -> nn.Module:
        """Without normalisation, as all else."""
        return nn.Sequential(nn.Conv2d(3, k, 3, 2, 1), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        """(N, c, H, W) → (N, k, H / stride, W / stride)."""
        y: Tensor = self.body(x)
        return y


class NormalisedVGG(Plain):
    """The plain block with VGG's max pooling: all that VGG lacks beside it is normalisation."""

    def __init__(self, c: int, k: int, stride: int) -> None:
        """Set up the layers."""
        super().__init__(c, k, 1)
        self.body.insert(0, nn.MaxPool2d(2) if stride > 1 else nn.Identity())


class Inception(Block):
    """Four branches side by side: 1 × 1, 3 × 3 and 5 × 5 behind a 1 × 1, max pooling before a 1 × 1."""

    def __init__(self, c: int, k: int, stride: int) -> None:
        """Of the k channels a half is for 3 × 3, a quarter for 1 × 1, an eighth for each of the others."""
        super().__init__()
        self.out, eighth = k, k // 8
        narrow = 3 * k // 8
        self.pool = nn.MaxPool2d(3, stride, 1) if stride > 1 else nn.Identity()
        self.one = convolution(c, k - k // 2 - 2 * eighth, 1)
        self.three = nn.Sequential(convolution(c, narrow, 1), nn.ReLU(), convolution(narrow, k // 2))
        self.five = nn.Sequential(convolution(c, eighth, 1), nn.ReLU(), convolution(eighth, eighth, 5))
        self.pooled = nn.Sequential(nn.MaxPool2d(3, 1, 1), convolution(c, eighth, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, c, H, W) → (N, k, H / stride, W / stride)."""
        x = self.pool(x)
        return F.relu(torch.cat([self.one(x), self.three(x), self.five(x), self.pooled(x)], 1))


class Residual(Plain):
    """The plain block with a shortcut around it, which has no weights: mean pooling halves it, zeros fill it up."""

    def __init__(self, c: int, k: int, stride: int) -> None:
        """Set up the layers of the plain block."""
        super().__init__(c, k, stride)
        self.stride, self.missing = stride, k - c

    def shortcut(self, x: Tensor) -> Tensor:
        """What comes in, in the shape of what goes out."""
        if self.stride == 1 and not self.missing:
            return x
        return F.pad(F.avg_pool2d(x, self.stride), (0, 0, 0, 0, 0, self.missing))

    def forward(self, x: Tensor) -> Tensor:
        """(N, c, H, W) → (N, k, H / stride, W / stride)."""
        return F.relu(self.shortcut(x) + self.body(x))


class Bottleneck(Residual):
    """1 × 1 to a quarter of the channels, 3 × 3, 1 × 1 back, and the shortcut."""

    LAYERS = 3

    def __init__(self, c: int, k: int, stride: int) -> None:
        """Set up the layers."""
        super().__init__(c, k, stride)
        narrow = round(k / 4)
        layers = convolution(c, narrow, 1), nn.ReLU(), convolution(narrow, narrow, stride=stride), nn.ReLU()
        self.body = nn.Sequential(*layers, convolution(narrow, k, 1))


class Dense(Block):
    """1 × 1 to 4 k channels and 3 × 3 to k, each normalised before; k new channels join those that came in."""

    def __init__(self, c: int, k: int, stride: int) -> None:
        """A stride of 2 is a transition first: 1 × 1 to half of the channels, then mean pooling."""
        super().__init__()
        half = nn.Conv2d(c, c // 2, 1, bias=False), nn.AvgPool2d(2)
        self.transition = nn.Sequential(self.last(c), *half) if stride > 1 else nn.Identity()
        c = c // 2 if stride > 1 else c
        narrow = self.last(c), nn.Conv2d(c, 4 * k, 1, bias=False)
        self.out, self.body = c + k, nn.Sequential(*narrow, self.last(4 * k), nn.Conv2d(4 * k, k, 3, 1, 1, bias=False))

    @staticmethod
    def stem(k: int) -> nn.Module:
        """Only a convolution: blocks normalise what comes in."""
        return nn.Conv2d(3, k, 3, 2, 1, bias=False)

    @staticmethod
    def last(c: int) -> nn.Module:
        """What each convolution has before it, and the dense layer at the end, too."""
        return nn.Sequential(nn.BatchNorm2d(c), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        """(N, c, H, W) → (N, c + k, H, W), or (N, c / 2 + k, H / 2, W / 2)."""
        x = self.transition(x)
        return torch.cat([x, self.body(x)], 1)


class InvertedResidual(Block):
    """1 × 1 to four times the channels, 3 × 3 on each alone, 1 × 1 back without ReLU; a shortcut where shapes agree."""

    LAYERS, WIDENS = 3, 2

    def __init__(self, c: int, k: int, stride: int) -> None:
        """Set up the layers."""
        super().__init__()
        self.out, self.same, wide = k, stride == 1 and c == k, 4 * c
        layers = convolution(c, wide, 1), nn.ReLU(), convolution(wide, wide, stride=stride, groups=wide), nn.ReLU()
        self.body = nn.Sequential(*layers, convolution(wide, k, 1))

    @staticmethod
    def last(c: int) -> nn.Module:
        """As in MobileNetV2: one more 1 × 1, which widens."""
        return nn.Sequential(convolution(c, 2 * c, 1), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        """(N, c, H, W) → (N, k, H / stride, W / stride)."""
        y: Tensor = self.body(x)
        return x + y if self.same else y


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of each pixel."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) → the same."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ConvNeXt(Block):
    """7 × 7 on each channel alone, normalised once, 1 × 1 to four times the channels, GELU, 1 × 1 back, a shortcut."""

    LAYERS = 3

    def __init__(self, c: int, k: int, stride: int) -> None:
        """Where shapes change, a normalised convolution as large as its stride comes first."""
        super().__init__()
        self.out = k
        change = nn.Sequential(ChannelNorm(c), nn.Conv2d(c, k, stride, stride))
        self.change = nn.Identity() if stride == 1 and c == k else change
        wide = nn.Conv2d(k, 4 * k, 1), nn.GELU(), nn.Conv2d(4 * k, k, 1)
        self.body = nn.Sequential(nn.Conv2d(k, k, 7, padding=3, groups=k), ChannelNorm(k), *wide)
        self.scale = nn.Parameter(torch.full((k,), 0.1))  # of what a block adds: small at first

    @staticmethod
    def stem(k: int) -> nn.Module:
        """With layer normalisation."""
        return nn.Sequential(nn.Conv2d(3, k, 3, 2, 1), ChannelNorm(k))

    @staticmethod
    def last(c: int) -> nn.Module:
        """Blocks add what nothing has normalised."""
        return ChannelNorm(c)

    def forward(self, x: Tensor) -> Tensor:
        """(N, c, H, W) → (N, k, H / stride, W / stride)."""
        x = self.change(x)
        return x + self.scale[:, None, None] * self.body(x)


BLOCKS: dict[str, type[Block]] = {
    "plain": Plain,
    "VGG": VGG,
    "normalised VGG": NormalisedVGG,
    "Inception": Inception,
    "residual": Residual,
    "bottleneck": Bottleneck,
    "dense": Dense,
    "inverted residual": InvertedResidual,
    "ConvNeXt": ConvNeXt,
}
# Channels of the stem and of the three stages (of dense blocks: those that each block adds): 20 layers of 4.8 million
# multiply-adds, in multiples of eight where that was possible, which processors like. Plain and residual networks of
# every depth have the same.
WIDTHS: dict[str, tuple[int, ...]] = {
    "plain": (8, 8, 24, 52),
    "VGG": (8, 8, 24, 52),
    "normalised VGG": (8, 8, 24, 52),
    "Inception": (24, 24, 56, 112),
    "residual": (8, 8, 24, 52),
    "bottleneck": (48, 48, 96, 224),
    "dense": (20, 8, 12, 16),
    "inverted residual": (16, 16, 40, 88),
    "ConvNeXt": (16, 16, 32, 80),
}


def network(kind: str, depth: int = 20, widths: Sequence[int] = ()) -> nn.Sequential:
    """3 × 32 × 32 pixels to ten scores: stages at 16, 8 and 4 pixels with (depth − 2) / 3 layers each.

    ``widths`` are the channels of the stem and of the three stages, those of the table unless given.
    """
    if kind not in BLOCKS:
        raise ValueError(f"kind must be one of {', '.join(BLOCKS)}, got {kind}")
    block, (k, *stages) = BLOCKS[kind], widths or WIDTHS[kind]
    if depth <= 2 or (depth - 2) % (3 * block.LAYERS):
        raise ValueError(
            f"depth − 2 must be a multiple of {3 * block.LAYERS} for {kind} blocks, got a depth of {depth}"
        )
    layers, c = [block.stem(k)], k
    for stage, width in enumerate(stages):
        for place in range((depth - 2) // 3 // block.LAYERS):
            made = block(c, width, 2 if stage and not place else 1)
            layers, c = [*layers, made], made.out
    scores = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c * block.WIDENS, 10)
    model = nn.Sequential(*layers, block.last(c), *scores)
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return model
