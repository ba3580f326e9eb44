"""utils.profiling against torchinfo and PyTorch's own FLOP counter: time, and MACs too many or too few.

All three get a model that is on the meta device already, which spares the other two the arithmetic; blocks in turns,
as in layers.py. The counter's FLOPs are two for each MAC.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
import torchinfo
from layers import compare, verdicts
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from utils.arithmetic import conv_macs, linear_parameter_count
from utils.models import resnet50, vgg16
from utils.profiling import profile


class Functional(nn.Module):
    """Grouped, dilated and transposed convolutions, as modules and as functions, and a product with a bare matrix."""

    def __init__(self) -> None:
        super().__init__()
        self.grouped = nn.Conv2d(3, 24, 3, padding=2, dilation=2, groups=3)
        self.kernel = nn.Parameter(torch.empty(24, 12, 5, 5))
        self.up = nn.ConvTranspose2d(24, 12, 4, stride=2, padding=1, groups=4)
        self.matrix = nn.Parameter(torch.empty(10, 12))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.conv2d(F.relu(self.grouped(x)), self.kernel, stride=2, padding=2, groups=2)
        return F.linear(self.up(x).mean((2, 3)), self.matrix)


EXACT = {  # the first two from their definitions, the third counted layer by layer
    "ResNet-50": (resnet50, 4_089_184_256),
    "VGG-16": (vgg16, 15_470_264_320),
    "functional": (
        Functional,
        conv_macs(3, 24, 3, 224, groups=3)
        + conv_macs(24, 24, 5, 112, groups=2)
        + conv_macs(24, 12, 4, 112, groups=4)  # transposed: every weight once per input position
        + linear_parameter_count(12, 10, bias=False),
    ),
}
IMAGE = (3, 224, 224)


def ours(model: nn.Module) -> int:
    """MACs by this book's profile."""
    return profile(model, IMAGE).total_macs


def by_torchinfo(model: nn.Module) -> int:
    """MACs by torchinfo."""
    return torchinfo.summary(model, (1, *IMAGE), device="meta", verbose=0).total_mult_adds


def by_counter(model: nn.Module) -> int:
    """MACs by PyTorch's FLOP counter."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.empty(1, *IMAGE, device="meta"))
    return counter.get_total_flops() // 2


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    others: dict[str, Callable[[nn.Module], int]] = {"torchinfo": by_torchinfo, "flop_counter": by_counter}
    print(f"{'profile':40}{'other ms':>10}{'ours ms':>10}{'ratio':>9}")
    faster, errors = {}, {}
    for name, (build, exact) in EXACT.items():
        with torch.device("meta"):
            model = build().eval()
        errors["ours", name] = ours(model) - exact
        for other, count in others.items():
            calls = [lambda way=way: way(model) for way in (count, ours)]  # noqa: B023  # called at once
            faster[other, name] = compare(f"{name}, {other}", *calls)
            errors[other, name] = count(model) - exact
    print(f"\n{'MACs too many':40}" + "".join(f"{name:>16}" for name in EXACT))
    for who in ("ours", *others):
        print(f"{who:40}" + "".join(f"{errors[who, name]:16,}" for name in EXACT))

    verdicts(("faster than torchinfo, ResNet-50", faster["torchinfo", "ResNet-50"], ">", 3))
    exactly = not any(errors["ours", name] for name in EXACT)
    print(f"{'MACs of all three networks':40}{'exact' if exactly else 'wrong':>20}     {'PASS' if exactly else 'over'}")


if __name__ == "__main__":
    main()
