"""Sizes and counts against torch's own layers."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from utils import arithmetic as a

sizes, kernels = st.integers(1, 40), st.integers(1, 9)
strides, paddings, dilations = st.integers(1, 5), st.integers(0, 6), st.integers(1, 4)


def torch_size(layer: nn.Module, size: int) -> int | None:
    """What the layer makes of a row, or None where torch refuses."""
    try:
        return layer(torch.zeros(1, 1, size, device="meta")).shape[-1]
    except (RuntimeError, ValueError):
        return None


def our_size(function, *args, **kwargs) -> int | None:
    try:
        return function(*args, **kwargs)
    except ValueError:
        return None


@settings(max_examples=2000)
@given(sizes, kernels, strides, paddings, dilations)
def test_conv_output_size_is_torchs(size, kernel_size, stride, padding, dilation):
    layer = nn.Conv1d(1, 1, kernel_size, stride, padding, dilation, device="meta")
    assert our_size(a.conv_output_size, size, kernel_size, stride, padding, dilation) == torch_size(layer, size)


@settings(max_examples=2000)
@given(sizes, kernels, strides, paddings, st.integers(0, 4), dilations)
def test_conv_transpose_output_size_is_torchs(size, kernel_size, stride, padding, output_padding, dilation):
    layer = nn.ConvTranspose1d(1, 1, kernel_size, stride, padding, output_padding, dilation=dilation, device="meta")
    ours = our_size(a.conv_transpose_output_size, size, kernel_size, stride, padding, output_padding, dilation)
    theirs = torch_size(layer, size)
    # On the meta device torch does not check output_padding where it leaves a size; on the CPU it does.
    assert ours == (None if output_padding >= max(stride, dilation) else theirs)


@settings(max_examples=2000)
@given(sizes, kernels, st.none() | strides, paddings, dilations, st.booleans())
def test_pool_output_size_is_torchs(size, kernel_size, stride, padding, dilation, ceil_mode):
    layer = nn.MaxPool1d(kernel_size, stride, padding, dilation, ceil_mode=ceil_mode)
    ours = our_size(a.pool_output_size, size, kernel_size, stride, padding, dilation, ceil_mode)
    assert ours == torch_size(layer, size)


@given(sizes, sizes, st.tuples(kernels, kernels), strides, st.tuples(paddings, paddings), dilations)
def test_a_pair_is_two_axes(height, width, kernel_size, stride, padding, dilation):
    axes = [
        our_size(a.conv_output_size, size, k, stride, p, dilation)
        for size, k, p in zip((height, width), kernel_size, padding, strict=True)
    ]
    ours = our_size(a.conv_output_size, (height, width), kernel_size, stride, padding, dilation)
    assert ours == (None if None in axes else tuple(axes))


@given(sizes, kernels, dilations)
def test_same_padding_keeps_the_size_or_refuses(size, kernel_size, dilation):
    padding = our_size(a.same_padding, kernel_size, dilation)
    if padding is None:
        kept = [p for p in range(40) if our_size(a.conv_output_size, size, kernel_size, 1, p, dilation) == size]
        assert not kept
    else:
        assert a.conv_output_size(size, kernel_size, 1, padding, dilation) == size


def test_same_padding_of_a_pair():
    assert a.same_padding((3, 5)) == (1, 2)
    assert a.same_padding((3, 5), (2, 1)) == (2, 2)


@given(st.integers(1, 6), st.integers(1, 6), st.tuples(kernels, kernels), st.integers(1, 4), st.booleans())
def test_parameter_counts_are_torchs(in_per_group, out_per_group, kernel_size, groups, bias):
    channels = in_per_group * groups, out_per_group * groups
    conv = nn.Conv2d(*channels, kernel_size, groups=groups, bias=bias, device="meta")
    dense = nn.Linear(*channels, bias=bias, device="meta")
    assert a.conv_parameter_count(*channels, kernel_size, groups, bias) == sum(p.numel() for p in conv.parameters())
    assert a.linear_parameter_count(*channels, bias) == sum(p.numel() for p in dense.parameters())


def test_the_worked_example():
    assert a.conv_output_size(32, 5, padding=2) == 32
    assert a.conv_parameter_count(3, 10, 5) == 760
    assert a.linear_parameter_count(32 * 32 * 3, 32 * 32 * 10) == 31_467_520
    assert a.conv_macs(3, 10, 5, 32) == a.conv_macs(3, 10, (5, 5), (32, 32)) == 768_000


@settings(max_examples=300)
@given(st.lists(st.tuples(kernels, strides, paddings, dilations), max_size=4), st.integers(0, 2))
def test_receptive_field_is_where_the_gradient_goes(layers, output):
    field = a.receptive_field(layers)
    first = field.start + output * field.jump
    net = nn.Sequential(*(nn.Conv1d(1, 1, k, s, p, d, bias=False, dtype=torch.float64) for k, s, p, d in layers))
    for weight in net.parameters():
        nn.init.ones_(weight)
    size = max(1, first + field.size)  # just long enough for that output
    x = torch.zeros(1, 1, size, dtype=torch.float64, requires_grad=True)
    try:
        y = net(x)
    except RuntimeError:
        return  # some layer has no output at all at this size
    if y.shape[-1] <= output:
        return
    y[0, 0, output].backward()
    touched = x.grad[0, 0].nonzero().flatten().tolist()
    if touched:
        assert first <= touched[0] and touched[-1] <= first + field.size - 1
        if (
            all(d == 1 for *_, d in layers)
            and all(s <= k for k, s, *_ in layers)
            and not any(p for _, _, p, _ in layers)
        ):
            assert touched == list(range(first, first + field.size))


def test_receptive_field_known_values():
    assert a.receptive_field([]) == (1, 1, 0)
    assert a.receptive_field([(3, 1, 1)] * 3) == (7, 1, -3)
    alexnet_features = [(11, 4, 2), (3, 2), (5, 1, 2), (3, 2), (3, 1, 1), (3, 1, 1), (3, 1, 1), (3, 2)]
    assert a.receptive_field(alexnet_features)[:2] == (195, 32)
    assert a.receptive_field([(3, 1, 2, 2)]) == (5, 1, -2)


def test_numpy_integers_count_and_the_answer_is_an_int():
    answer = a.conv_output_size(np.int64(7), np.int32(3), np.array(2))
    assert answer == 3 and type(answer) is int
    assert a.conv_output_size(np.array([7, 9]), [3, 3]) == (5, 7)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: a.conv_output_size(3, 7, 1, 1),
            r"kernel 7 is larger than padded input 5 \(size 3 \+ 2·1\): no output",
        ),
        (lambda: a.conv_output_size(8, 5, dilation=3), r"kernel 5 \(spread over 13 by dilation 3\) is larger than"),
        (lambda: a.conv_output_size((9, 3), 5), r"kernel 5 is larger than padded input 3"),
        (lambda: a.conv_output_size(0, 1), "size must be at least 1, got 0"),
        (lambda: a.conv_output_size(-4, 1), "size must be at least 1, got -4"),
        (lambda: a.conv_output_size(7, 0), "kernel_size must be at least 1, got 0"),
        (lambda: a.conv_output_size(7, 3, 0), "stride must be at least 1, got 0"),
        (lambda: a.conv_output_size(7, 3, 1, -1), "padding must be at least 0, got -1"),
        (lambda: a.conv_output_size(7, 3, dilation=0), "dilation must be at least 1, got 0"),
        (lambda: a.conv_output_size(7.0, 3), "size must be an integer, got 7.0"),
        (lambda: a.conv_output_size(7, "3"), "kernel_size must be an integer, got '3'"),
        (lambda: a.conv_output_size(7, True), "kernel_size must be an integer, got True"),
        (lambda: a.conv_output_size(7, None), "kernel_size must be an integer, got None"),
        (lambda: a.conv_output_size({7, 5}, 3), "size must be an integer, got {5, 7}"),  # a set has no order
        (lambda: a.conv_output_size((7, 7), (3, 2.5)), "kernel_size must be an integer, got 2.5"),
        (lambda: a.conv_output_size((7, 7, 3), 3), r"size must be an integer or a \(height, width\) pair"),
        (
            lambda: a.conv_output_size(7, (3, 5)),
            r"size 7 is one axis, so kernel_size must be one integer, got \(3, 5\)",
        ),
        (lambda: a.conv_transpose_output_size(1, 1, padding=1), "padding 1 on both sides crops all of the 1 output"),
        (lambda: a.conv_transpose_output_size(3, 3, 2, 1, 2), "output_padding 2 must be smaller than stride 2 or"),
        (lambda: a.pool_output_size(7, 2, padding=2), "padding 2 is more than half of kernel 2"),
        (lambda: a.pool_output_size(2, 3), "kernel 3 is larger than padded input 2"),
        (lambda: a.pool_output_size(2, 9, 2, ceil_mode=True), "by more than ceil_mode can make up for with stride 2"),
        (lambda: a.same_padding(2), "kernel_size 2 with dilation 1 needs padding 1 in all, an odd number"),
        (
            lambda: a.conv_parameter_count(3, 10, 5, groups=2),
            "groups must divide in_channels: 3 is not a multiple of 2",
        ),
        (
            lambda: a.conv_parameter_count(4, 9, 5, groups=2),
            "groups must divide out_channels: 9 is not a multiple of 2",
        ),
        (lambda: a.conv_parameter_count(0, 10, 5), "in_channels must be at least 1, got 0"),
        (lambda: a.linear_parameter_count(10, 2.0), "out_features must be an integer, got 2.0"),
        (lambda: a.conv_macs(3, 10, 5, 0), "output_size must be at least 1, got 0"),
        (lambda: a.receptive_field([(3,), 3]), r"layer 2 must be \(kernel_size, stride, padding, dilation\), got 3"),
        (lambda: a.receptive_field([(3, 0)]), "stride must be at least 1, got 0"),
    ],
)
def test_bad_arguments_name_the_rule_and_the_value(call, message):
    with pytest.raises(ValueError, match=message):
        call()
