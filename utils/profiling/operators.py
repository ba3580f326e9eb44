"""PyTorch's operators, as a profile needs them: run without values, named, counted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import prod
from typing import Any, NamedTuple

import torch

from utils.arithmetic import conv_transpose_output_size

# The first of the two matrices among the operator's arguments.
_PRODUCTS = {"mm": 0, "bmm": 0, "mv": 0, "dot": 0, "addmm": 1, "addmv": 1, "baddbmm": 1}
_NAMES = {"addmm": "linear", "addmv": "linear", "_to_copy": "to", "_prelu_kernel": "prelu"}
_NAMES |= dict.fromkeys(("mm", "bmm", "baddbmm", "mv"), "matmul")
_NOTHING = torch.empty(0, device="meta")
# What they make, or how large it is, is in the values.
BY_VALUE = {"_local_scalar_dense", "nonzero", "index", "masked_select", "_unique2", "unique_consecutive", "bincount"}
# Of their input they take no more than shape and dtype.
VALUELESS = {"zeros_like", "ones_like", "empty_like", "full_like", "new_zeros", "new_ones", "new_empty", "new_full"}


class Operator(NamedTuple):
    """An operator: ``views`` if its result is memory of its input, ``in_place`` if it writes there."""

    name: str
    pointwise: bool
    views: bool
    in_place: bool


@cache
def operator(func: Any) -> Operator:
    """What the schema of torch's operator says of it."""
    aliases = [result.alias_info for result in func._schema.returns if result.alias_info]
    name, written = func.overloadpacket.__name__, any(alias.is_write for alias in aliases)
    views = name == "_unsafe_view" or (bool(aliases) and not written)
    return Operator(name, torch.Tag.pointwise in func.tags, views, written)


def empty_like(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor without data; torch's own takes twenty times as long on the meta device."""
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")


def run(func: Any, operator: Operator, args: Sequence[Any], kwargs: Any) -> Any:
    """Call the operator on the meta device, unless it is plain what it makes and torch takes long to say so."""
    name = operator.name
    if (
        operator.in_place
        and operator.pointwise
        and len({arg.shape for arg in args if isinstance(arg, torch.Tensor)}) == 1
    ):
        return args[0]
    if name == "native_batch_norm" and not args[5]:
        x, *statistics = args[:5]
        if all(tensor is None or tensor.shape == x.shape[1:2] for tensor in statistics):
            return empty_like(x), _NOTHING, _NOTHING  # torch takes most of a ResNet's time for this
    if name == "convolution" and args[6]:
        kernel = args[1].shape[2:]
        for i, size in enumerate(args[0].shape[2:]):  # on the meta device torch takes any output_padding
            conv_transpose_output_size(size, kernel[i], args[3][i], args[4][i], args[7][i], args[5][i])
    return func(*args, **kwargs)


def macs(name: str, args: Sequence[Any], out: torch.Tensor) -> int:
    """Multiply-accumulates of a convolution or a matrix product; 0 for any other operator."""
    if name == "convolution":  # every weight is used once per output position, of a transposed one per input position
        positions = (args[0] if args[6] else out).shape
        return int(args[1].numel() * positions[0] * prod(positions[2:]))
    return int(out.numel() * args[_PRODUCTS[name]].shape[-1]) if name in _PRODUCTS else 0


def kind(name: str, args: Sequence[Any]) -> str:
    """The name under which torch.nn.functional or torch has the operator."""
    if name == "convolution":
        return f"conv{'_transpose' if args[6] else ''}{args[1].dim() - 2}d"
    return _NAMES.get(name, name.strip("_").removeprefix("native_").removesuffix("_with_indices"))
