"""The table of PyTorch's operators: what each counts, how it moves a receptive field, what it is called, how it is run.

Operators come as PyTorch's dispatcher calls them in a forward pass without gradients, and composite ones arrive
decomposed: ``linear`` is seen as ``addmm`` or ``mm``, ``matmul``, ``einsum`` and attention as ``bmm``, ``flatten`` and
``reshape`` as ``view`` and ``clone``, ``chunk`` as ``split``, pooling along one axis as pooling along two. What works
in place has the line of what does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import torch

from utils.arithmetic import conv_transpose_output_size
from utils.profiling import counts, rules, windows
from utils.profiling.rules import first

Arguments: TypeAlias = Sequence[Any]
_NOTHING = torch.empty(0, device="meta")


class Rule(NamedTuple):
    """What is known of an operator.

    ``layout`` is its layout rule, None where the result depends on no more than shape and dtype. ``macs`` counts
    multiply-accumulates from the arguments and the result. ``kind`` is the operator's name in torch.nn.functional or
    torch, where that is another. ``by_value`` says that what it makes, or how large that is, depends on values.
    ``indices`` is the argument that has to be whole numbers. ``on_meta`` stands in for the operator on the meta
    device: it raises where torch takes there what it refuses elsewhere, and returns the result where torch is slow to
    make it, or else None.
    """

    layout: rules.Rule | None = rules.lose
    macs: Callable[[Arguments, torch.Tensor], int] | None = None
    kind: str | Callable[[Arguments], str] = ""
    by_value: bool = False
    indices: int | None = None
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


def _of(rule: Callable[..., Any], **settings: Any) -> Rule:
    """The line of what carries on with its first tensor."""
    return Rule(first(partial(rule, **settings)))


_PRODUCT = Rule(rules.multiply, counts.product_macs, "matmul")
_VECTOR_PRODUCT = Rule(rules.multiply_vector, counts.product_macs)
_KEEP, _VIEW, _TRANSPOSE, _JOIN = _of(rules.keep), _of(rules.view), _of(rules.transpose), Rule(rules.join)
_ALONG, _PICK, _SELECT = _of(rules.along), _of(rules.pick), _of(rules.select)
_REDUCE, _REDUCE_SECOND = _of(rules.reduce), _of(rules.reduce, at=2)
_PART, _SPLIT = _of(rules.part, at=1), _of(rules.part, at=2)
_PAD, _MIRROR = _of(rules.pad), _of(rules.pad, mirrored=True)
_SHAPE_ONLY, _BY_VALUE, _LOSE = Rule(layout=None), Rule(by_value=True), Rule()

RULES: dict[str, Rule] = {
    # Products.
    "convolution": Rule(first(windows.convolve), counts.conv_macs, counts.conv_kind, on_meta=_check_output_padding),
    "conv_tbc": Rule(macs=counts.conv_tbc_macs),
    "mm": _PRODUCT,
    "bmm": _PRODUCT,
    "baddbmm": _PRODUCT,
    "addbmm": Rule(macs=counts.summed_product_macs, kind="matmul"),
    "addmm": _PRODUCT._replace(kind="linear"),
    "_addmm_activation": Rule(rules.multiply, counts.product_macs, "linear"),
    "_int_mm": _PRODUCT,
    "addmv": _VECTOR_PRODUCT._replace(kind="linear"),
    "mv": _VECTOR_PRODUCT._replace(kind="matmul"),
    "dot": _VECTOR_PRODUCT,
    "vdot": _VECTOR_PRODUCT,
    "addr": Rule(macs=counts.outer_macs),
    "_trilinear": Rule(macs=counts.bilinear_macs, kind="bilinear"),
    # Windows.
    "max_pool2d_with_indices": _of(windows.pool, rank=2, dilated=True),
    "max_pool3d_with_indices": _of(windows.pool, rank=3, dilated=True),
    "avg_pool2d": _of(windows.pool, rank=2, dilated=False),
    "avg_pool3d": _of(windows.pool, rank=3, dilated=False),
    "_adaptive_avg_pool2d": _of(windows.pool_to_size, rank=2),
    "_adaptive_avg_pool3d": _of(windows.pool_to_size, rank=3),
    "adaptive_max_pool2d": _of(windows.pool_to_size, rank=2),
    "adaptive_max_pool3d": _of(windows.pool_to_size, rank=3),
    "im2col": Rule(first(windows.unfold), kind="unfold"),
    "col2im": Rule(first(windows.fold), kind="fold"),
    # Interpolation, by how many inputs its kernel is wide.
    "pixel_shuffle": _of(windows.pixel_shuffle),
    "pixel_unshuffle": _of(windows.pixel_unshuffle),
    "upsample_nearest1d": _of(windows.interpolate, rank=1, taps=1),
    "upsample_nearest2d": _of(windows.interpolate, rank=2, taps=1),
    "upsample_nearest3d": _of(windows.interpolate, rank=3, taps=1),
    "_upsample_nearest_exact1d": _of(windows.interpolate, rank=1, taps=1, exact=True),
    "_upsample_nearest_exact2d": _of(windows.interpolate, rank=2, taps=1, exact=True),
    "_upsample_nearest_exact3d": _of(windows.interpolate, rank=3, taps=1, exact=True),
    "upsample_linear1d": _of(windows.interpolate, rank=1, taps=2),
    "upsample_bilinear2d": _of(windows.interpolate, rank=2, taps=2),
    "upsample_trilinear3d": _of(windows.interpolate, rank=3, taps=2),
    "_upsample_bilinear2d_aa": _of(windows.interpolate, rank=2, taps=2, smooth=True),
    "upsample_bicubic2d": _of(windows.interpolate, rank=2, taps=4),
    "_upsample_bicubic2d_aa": _of(windows.interpolate, rank=2, taps=4, smooth=True),
    # Where several tensors meet.
    "cat": Rule(rules.concatenate),
    "stack": Rule(rules.stack),
    "expand": _JOIN,
    "copy_": Rule(rules.copy),
    "embedding": Rule(rules.look_up, indices=1),
    "_embedding_bag": Rule(indices=1),
    # Pixels stay where they are, with fewer or more around them.
    "_to_copy": _KEEP._replace(kind="to"),
    "alias": _KEEP,
    "detach": _KEEP,
    "channel_shuffle": _KEEP,
    "tril": _KEEP,
    "triu": _KEEP,
    "split": _SPLIT,
    "split_with_sizes": _SPLIT,
    "unsafe_split": _SPLIT,
    "unsafe_split_with_sizes": _SPLIT,
    "slice": _PART,
    "unfold": _of(windows.windows),
    "flip": _of(rules.flip),
    "roll": _of(rules.roll),
    "constant_pad_nd": _PAD,
    "reflection_pad1d": _MIRROR,
    "reflection_pad2d": _MIRROR,
    "reflection_pad3d": _MIRROR,
    "replication_pad1d": _MIRROR,
    "replication_pad2d": _MIRROR,
    "replication_pad3d": _MIRROR,
    # Pointwise, though torch does not tag them all.
    "hardswish": _KEEP,
    "mish_": _KEEP,
    "log_sigmoid_forward": _KEEP,
    "_prelu_kernel": _KEEP._replace(kind="prelu"),
    "rrelu_with_noise": _KEEP._replace(kind="rrelu"),
    "native_dropout": _KEEP,
    "floor_divide": _JOIN,
    "complex": _JOIN,
    "polar": _JOIN,
    # Normalisation.
    "native_batch_norm": Rule(first(rules.batch_norm), on_meta=_normalised),
    "_native_batch_norm_legit_no_training": _KEEP,
    "native_layer_norm": _of(rules.layer_norm),
    "native_group_norm": _of(rules.group_norm),
    "_softmax": _ALONG,
    "_safe_softmax": _ALONG._replace(kind="softmax"),
    "_log_softmax": _ALONG,
    "_weight_norm_interface": _LOSE,
    # Positions along a dimension, all together.
    "cumsum": _ALONG,
    "cumprod": _ALONG,
    "cummax": _ALONG,
    "cummin": _ALONG,
    "logcumsumexp": _ALONG,
    "sort": _ALONG,
    "topk": _of(rules.along, at=2),
    # Some of them.
    "glu": _PICK,
    "gather": _PICK,
    "index_select": _PICK,
    "select": _SELECT,
    "unbind": _SELECT,
    "repeat": _of(rules.repeat),
    # One number in place of many.
    "mean": _REDUCE,
    "sum": _REDUCE,
    "amax": _REDUCE,
    "amin": _REDUCE,
    "max": _REDUCE,
    "min": _REDUCE,
    "prod": _REDUCE,
    "any": _REDUCE,
    "all": _REDUCE,
    "argmax": _REDUCE,
    "argmin": _REDUCE,
    "var": _REDUCE,
    "std": _REDUCE,
    "logsumexp": _REDUCE,
    "median": _REDUCE,
    "nansum": _REDUCE,
    "norm": _REDUCE_SECOND,
    "linalg_vector_norm": _REDUCE_SECOND,
    # The same numbers in another shape.
    "view": _VIEW,
    "_unsafe_view": _VIEW,
    "squeeze": _VIEW,
    "permute": _of(rules.permute),
    "transpose": _TRANSPOSE,
    "t": _TRANSPOSE,
    "unsqueeze": _of(rules.unsqueeze),
    # No more than shape and dtype of what they are given.
    "zeros_like": _SHAPE_ONLY,
    "ones_like": _SHAPE_ONLY,
    "empty_like": _SHAPE_ONLY,
    "full_like": _SHAPE_ONLY,
    "rand_like": _SHAPE_ONLY,
    "randn_like": _SHAPE_ONLY,
    "randint_like": _SHAPE_ONLY,
    "new_zeros": _SHAPE_ONLY,
    "new_ones": _SHAPE_ONLY,
    "new_empty": _SHAPE_ONLY,
    "new_empty_strided": _SHAPE_ONLY,
    "new_full": _SHAPE_ONLY,
    # What they make, or how large it is, is in the values.
    "_local_scalar_dense": _BY_VALUE,
    "nonzero": _BY_VALUE,
    "index": Rule(first(rules.index), by_value=True),
    "masked_select": _BY_VALUE,
    "_unique2": _BY_VALUE,
    "unique_dim": _BY_VALUE,
    "unique_consecutive": _BY_VALUE,
    "repeat_interleave": _BY_VALUE,
    "bincount": _BY_VALUE,
    "equal": _BY_VALUE,
    # No products, and nothing is known of their pixels.
    "affine_grid_generator": _LOSE,
    "aminmax": _LOSE,
    "as_strided_": _LOSE,
    "as_strided_scatter": _LOSE,
    "bernoulli": _LOSE,
    "bernoulli_": _LOSE,
    "block_diag": _LOSE,
    "bucketize": _LOSE,
    "cauchy_": _LOSE,
    "count_nonzero": _LOSE,
    "diag_embed": _LOSE,
    "diagonal_scatter": _LOSE,
    "exponential_": _LOSE,
    "fractional_max_pool2d": _LOSE,
    "fractional_max_pool3d": _LOSE,
    "geometric_": _LOSE,
    "histc": _LOSE,
    "grid_sampler_2d": _LOSE,
    "grid_sampler_3d": _LOSE,
    "index_add": _LOSE,
    "index_copy": _LOSE,
    "index_fill": _LOSE,
    "index_put": _LOSE,
    "index_reduce": _LOSE,
    "isin": _LOSE,
    "kthvalue": _LOSE,
    "lift": _LOSE,
    "linalg_cross": _LOSE,
    "log_normal_": _LOSE,
    "masked_scatter": _LOSE,
    "max_unpool2d": _LOSE,
    "max_unpool3d": _LOSE,
    "mode": _LOSE,
    "mse_loss": _LOSE,
    "multinomial": _LOSE,
    "nanmedian": _LOSE,
    "nll_loss_forward": _LOSE,
    "nll_loss2d_forward": _LOSE,
    "normal_": _LOSE,
    "poisson": _LOSE,
    "renorm": _LOSE,
    "rot90": _LOSE,
    "scatter": _LOSE,
    "scatter_add": _LOSE,
    "scatter_reduce": _LOSE,
    "searchsorted": _LOSE,
    "select_scatter": _LOSE,
    "slice_scatter": _LOSE,
    "smooth_l1_loss": _LOSE,
    "std_mean": _LOSE,
    "trace": _LOSE,
    "uniform_": _LOSE,
    "var_mean": _LOSE,
}
