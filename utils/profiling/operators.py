"""The table of PyTorch's operators: what each counts, how it moves a receptive field, what it is called, how it is run.

Operators come as PyTorch's dispatcher calls them in a forward pass without gradients, and composite ones arrive
decomposed: ``linear`` is seen as ``addmm`` or ``mm``, ``matmul``, ``einsum`` and attention as ``bmm``, ``flatten`` and
``reshape`` as ``view`` and ``clone``, ``chunk`` as ``split``, pooling along one axis as pooling along two. An operator
without a line in ``RULES`` counts nothing; it leaves the pixels where they are if PyTorch tags it as pointwise, and
is else taken to mix all positions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, NamedTuple, cast

import torch

from utils.arithmetic import conv_transpose_output_size
from utils.profiling import rules
from utils.profiling.fields import EVERYTHING, Layout
from utils.profiling.rules import Arguments, LayoutRule, Layouts, first

_NOTHING = torch.empty(0, device="meta")


class Rule(NamedTuple):
    """What is known of an operator.

    ``layout`` is its layout rule, None where the result depends on no more than shape and dtype. ``macs`` counts
    multiply-accumulates from the arguments and the result. ``kind`` is the operator's name in torch.nn.functional or
    torch, where that is another. ``by_value`` says that what it makes, or how large that is, depends on values.
    ``on_meta`` stands in for the operator on the meta device: it raises where torch takes there what it refuses
    elsewhere, and returns the result where torch is slow to make it, or else None.
    """

    layout: LayoutRule | None = rules.mix_all
    macs: Callable[[Arguments, torch.Tensor], int] | None = None
    kind: str | Callable[[Arguments], str] = ""
    by_value: bool = False
    on_meta: Callable[[Arguments], Any] | None = None


def empty_like(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor without data; torch's own takes twenty times as long on the meta device."""
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")


def _check_output_padding(args: Arguments) -> None:
    if args[6]:
        kernel = args[1].shape[2:]
        for i, size in enumerate(args[0].shape[2:]):
            conv_transpose_output_size(size, kernel[i], args[3][i], args[4][i], args[7][i], args[5][i])


def _normalised(args: Arguments) -> Any:
    """What a batch norm by running statistics makes, which would take most of a ResNet's time."""
    x, *statistics = args[:5]
    if not args[5] and all(tensor is None or tensor.shape == x.shape[1:2] for tensor in statistics):
        return empty_like(x), _NOTHING, _NOTHING
    return None


def _pool(rank: int, dilated: bool = False) -> Rule:
    return Rule(first(partial(rules.pool, rank=rank, dilated=dilated)))


def _pool_to_size(rank: int) -> Rule:
    return Rule(first(partial(rules.pool_to_size, rank=rank)))


def _interpolate(rank: int, taps: int) -> Rule:
    return Rule(first(partial(rules.interpolate, rank=rank, taps=taps)))


_PRODUCT = Rule(rules.multiply, rules.product_macs, "matmul")
_VECTOR_PRODUCT = Rule(macs=rules.product_macs)
_KEEP, _REDUCE = Rule(first(rules.resize)), Rule(first(rules.reduce))
_VIEW, _TRANSPOSE = Rule(first(rules.view)), Rule(first(rules.transpose))
_SHAPE_ONLY, _BY_VALUE = Rule(layout=None), Rule(by_value=True)

RULES: dict[str, Rule] = {
    # Products.
    "convolution": Rule(first(rules.convolve), rules.conv_macs, rules.conv_kind, on_meta=_check_output_padding),
    "mm": _PRODUCT,
    "bmm": _PRODUCT,
    "baddbmm": _PRODUCT,
    "addmm": _PRODUCT._replace(kind="linear"),
    "addmv": _VECTOR_PRODUCT._replace(kind="linear"),
    "mv": _VECTOR_PRODUCT._replace(kind="matmul"),
    "dot": _VECTOR_PRODUCT,
    # Windows.
    "max_pool2d_with_indices": _pool(2, dilated=True),
    "max_pool3d_with_indices": _pool(3, dilated=True),
    "avg_pool2d": _pool(2),
    "avg_pool3d": _pool(3),
    "_adaptive_avg_pool2d": _pool_to_size(2),
    "_adaptive_avg_pool3d": _pool_to_size(3),
    "adaptive_max_pool2d": _pool_to_size(2),
    "adaptive_max_pool3d": _pool_to_size(3),
    # Interpolation, by how many inputs its kernel is wide.
    "pixel_shuffle": _interpolate(2, 1),
    "upsample_nearest1d": _interpolate(1, 1),
    "upsample_nearest2d": _interpolate(2, 1),
    "upsample_nearest3d": _interpolate(3, 1),
    "_upsample_nearest_exact1d": _interpolate(1, 1),
    "_upsample_nearest_exact2d": _interpolate(2, 1),
    "_upsample_nearest_exact3d": _interpolate(3, 1),
    "upsample_linear1d": _interpolate(1, 2),
    "upsample_bilinear2d": _interpolate(2, 2),
    "upsample_trilinear3d": _interpolate(3, 2),
    "_upsample_bilinear2d_aa": _interpolate(2, 2),
    "upsample_bicubic2d": _interpolate(2, 4),
    "_upsample_bicubic2d_aa": _interpolate(2, 4),
    # Where several tensors meet.
    "cat": Rule(rules.concatenate),
    "expand": Rule(rules.join),
    "copy_": Rule(rules.join),
    # Pixels stay where they are, with fewer or more around them.
    "_to_copy": _KEEP._replace(kind="to"),
    "alias": _KEEP,
    "detach": _KEEP,
    "split": _KEEP,
    "split_with_sizes": _KEEP,
    "slice": Rule(first(rules.slice_)),
    "channel_shuffle": _KEEP,
    "constant_pad_nd": _KEEP,
    "reflection_pad1d": _KEEP,
    "reflection_pad2d": _KEEP,
    "replication_pad1d": _KEEP,
    "replication_pad2d": _KEEP,
    # Activations that torch does not tag as pointwise.
    "hardswish": _KEEP,
    "hardswish_": _KEEP,
    "mish_": _KEEP,
    "log_sigmoid_forward": _KEEP,
    "_prelu_kernel": _KEEP._replace(kind="prelu"),
    # Normalisation.
    "native_batch_norm": Rule(first(rules.batch_norm), on_meta=_normalised),
    "_native_batch_norm_legit_no_training": _KEEP,
    "native_layer_norm": Rule(first(rules.layer_norm)),
    "_softmax": _REDUCE,
    "_log_softmax": _REDUCE,
    # One number in place of many.
    "mean": _REDUCE,
    "sum": _REDUCE,
    "amax": _REDUCE,
    "amin": _REDUCE,
    "max": _REDUCE,
    "min": _REDUCE,
    "select": _REDUCE,
    "squeeze": _REDUCE,
    # The same numbers in another shape.
    "view": _VIEW,
    "_unsafe_view": _VIEW,
    "permute": Rule(first(rules.permute)),
    "transpose": _TRANSPOSE,
    "t": _TRANSPOSE,
    "unsqueeze": Rule(first(rules.unsqueeze)),
    # No more than shape and dtype of what they are given.
    "zeros_like": _SHAPE_ONLY,
    "ones_like": _SHAPE_ONLY,
    "empty_like": _SHAPE_ONLY,
    "full_like": _SHAPE_ONLY,
    "new_zeros": _SHAPE_ONLY,
    "new_ones": _SHAPE_ONLY,
    "new_empty": _SHAPE_ONLY,
    "new_full": _SHAPE_ONLY,
    # What they make, or how large it is, is in the values.
    "_local_scalar_dense": _BY_VALUE,
    "nonzero": _BY_VALUE,
    "index": _BY_VALUE,
    "masked_select": _BY_VALUE,
    "_unique2": _BY_VALUE,
    "unique_consecutive": _BY_VALUE,
    "bincount": _BY_VALUE,
}


class Operator(NamedTuple):
    """An operator: ``views`` if its result is memory of its input, ``in_place`` if it writes there."""

    name: str
    rule: Rule
    pointwise: bool
    views: bool
    in_place: bool

    def kind(self, args: Arguments) -> str:
        """The name under which torch.nn.functional or torch has the operator."""
        kind = self.rule.kind
        if callable(kind):
            return kind(args)
        return kind or self.name.strip("_").removeprefix("native_").removesuffix("_with_indices")

    def macs(self, args: Arguments, out: torch.Tensor) -> int:
        """Multiply-accumulates of a call with result ``out``."""
        return self.rule.macs(args, out) if self.rule.macs else 0

    def layout(self, layouts: Sequence[Layout | None], args: Arguments, out: torch.Tensor) -> Layout | None:
        """The layout of a result, from those of the tensors among the arguments (at least one has one)."""
        if self.rule.layout is None:
            return None
        return EVERYTHING if EVERYTHING in layouts else self.rule.layout(cast(Layouts, layouts), args, out.shape)

    def run(self, func: Any, args: Arguments, kwargs: Any) -> Any:
        """Call the operator ``func`` on the meta device, or say without it what is plain and torch is slow to make."""
        if self.in_place and self.pointwise and len({arg.shape for arg in args if isinstance(arg, torch.Tensor)}) == 1:
            return args[0]
        made = self.rule.on_meta and self.rule.on_meta(args)
        return func(*args, **kwargs) if made is None else made


@cache
def describe(func: Any) -> Operator:
    """What the table and the schema of torch's operator ``func`` say of it."""
    aliases = [result.alias_info for result in func._schema.returns if result.alias_info]
    name, written = func.overloadpacket.__name__, any(alias.is_write for alias in aliases)
    views = name == "_unsafe_view" or (bool(aliases) and not written)
    rule, pointwise = RULES.get(name, Rule()), torch.Tag.pointwise in func.tags
    return Operator(name, rule._replace(layout=rules.join) if pointwise else rule, pointwise, views, written)
