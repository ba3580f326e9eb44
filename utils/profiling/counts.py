"""How many multiply-accumulates an operator asks for, from its arguments and its result."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, TypeAlias

import torch

Arguments: TypeAlias = Sequence[Any]


def conv_macs(args: Arguments, out: torch.Tensor) -> int:
    """Every weight is used once per output position, of a transposed convolution once per input position."""
    positions = (args[0] if args[6] else out).shape
    return int(args[1].numel() * positions[0] * prod(positions[2:]))


def conv_tbc_macs(args: Arguments, out: torch.Tensor) -> int:
    """A convolution over the first of (time, batch, channels): its weight is (kernel, channels in, channels out)."""
    return int(out.numel() * args[1].shape[0] * args[1].shape[1])


def product_macs(args: Arguments, out: torch.Tensor) -> int:
    """Each number of the result is a sum as long as a row of the left matrix."""
    left, _ = [arg for arg in args if isinstance(arg, torch.Tensor)][-2:]  # before them may come what is added
    return int(out.numel() * left.shape[-1])


def summed_product_macs(args: Arguments, out: torch.Tensor) -> int:
    """As many products as a batch has, added up."""
    return product_macs(args, out) * int(args[1].shape[0])


def bilinear_macs(args: Arguments, out: torch.Tensor) -> int:
    """Every weight (out, left, right) is used once per position."""
    return int(out.numel() * args[1].shape[-2] * args[1].shape[-1])


def outer_macs(args: Arguments, out: torch.Tensor) -> int:
    """A column times a row: one each."""
    return out.numel()


def conv_kind(args: Arguments) -> str:
    """The convolution's name in torch.nn.functional: conv2d, conv_transpose1d, …"""
    return f"conv{'_transpose' if args[6] else ''}{args[1].dim() - 2}d"
