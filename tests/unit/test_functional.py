"""NumPy layers against torch's, on drawn shapes and arguments."""

import re
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.functional import (
    avg_pool2d,
    avg_pool2d_backward,
    col2im,
    columns,
    conv2d,
    conv2d_backward,
    conv_transpose2d,
    conv_transpose2d_backward,
    fft_conv2d,
    im2col,
    max_pool2d,
    max_pool2d_backward,
    max_unpool2d,
    max_unpool2d_backward,
    products,
)

pairs = {
    "kernel_size": st.tuples(st.integers(1, 5), st.integers(1, 5)),
    "stride": st.tuples(st.integers(1, 4), st.integers(1, 4)),
    "padding": st.tuples(st.integers(0, 4), st.integers(0, 4)),
    "dilation": st.tuples(st.integers(1, 3), st.integers(1, 3)),
}
TORCH_MODE = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}


def outcome(call):
    """The array that comes out, or None where the arguments are refused."""
    try:
        return np.asarray(call())
    except (ValueError, RuntimeError):
        return None


def assert_same(ours, theirs):
    assert (ours is None) == (theirs is None)
    if ours is not None:
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-4 if ours.dtype == np.float32 else 1e-10, atol=1e-4)


def test_convolution_is_what_the_plain_lines_say():
    rng = np.random.default_rng(1)
    x, weight = rng.normal(size=(2, 3, 7, 8)), rng.normal(size=(4, 3, 3, 2))
    plain = textwrap.dedent("\n".join(re.findall(r"(?m)^    .*$", columns.__doc__)))
    assert len(plain.splitlines()) == 5
    for stride, padding, dilation in ((1, 0, 1), (2, 1, 1), (1, 2, 2)):
        fast = conv2d(x, weight, stride=stride, padding=padding, dilation=dilation)
        padded, out = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding))), np.empty_like(fast)
        scope = {"np": np, "padded": padded, "weight": weight, "out": out, "stride": stride, "dilation": dilation}
        exec(plain, scope)
        np.testing.assert_allclose(fast, out)


@st.composite
def convolutions(draw):
    groups = draw(st.integers(1, 3))
    channels = groups * draw(st.integers(1, 3)), groups * draw(st.integers(1, 3))
    size = draw(st.tuples(st.integers(1, 12), st.integers(1, 12)))
    arguments = {name: draw(pairs[name]) for name in ("stride", "padding", "dilation")}
    if draw(st.integers(0, 4)) == 0:
        arguments["padding"] = draw(st.sampled_from(["same", "valid"]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    x = rng.standard_normal((draw(st.integers(0, 3)), channels[0], *size)).astype(dtype)
    weight = rng.standard_normal((channels[1], channels[0] // groups, *draw(pairs["kernel_size"]))).astype(dtype)
    bias = rng.standard_normal(channels[1]).astype(dtype) if draw(st.booleans()) else None
    return x, weight, bias, {**arguments, "groups": groups}


@settings(max_examples=2000)
@given(convolutions())
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
def test_conv2d_is_torchs(drawn):
    x, weight, bias, arguments = drawn
    tensors = [None if a is None else torch.from_numpy(a) for a in (x, weight, bias)]
    assert_same(outcome(lambda: conv2d(x, weight, bias, **arguments)), outcome(lambda: F.conv2d(*tensors, **arguments)))


@settings(max_examples=500)
@given(convolutions(), st.sampled_from([64, 1024]), st.sampled_from([1, 40]), st.booleans())
def test_conv2d_is_the_same_in_strips_and_images_and_rows(drawn, cache, many, by_row):
    x, weight, bias, arguments = drawn
    expected = outcome(lambda: conv2d(x, weight, bias, **arguments))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(products, "_CACHE", cache)
        patch.setattr(products, "_MANY", many)
        patch.setattr(products, "_narrow", lambda *_: by_row)
        assert_same(outcome(lambda: conv2d(x, weight, bias, **arguments)), expected)
        if expected is None:
            return
        found = conv2d_backward(np.ones_like(expected), x, weight, **arguments)
    for mine, reference in zip(found, conv2d_backward(np.ones_like(expected), x, weight, **arguments), strict=True):
        assert_same(mine, reference)


@settings(max_examples=1000)
@given(convolutions())
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
def test_fft_conv2d_is_conv2d(drawn):
    x, weight, bias, arguments = drawn
    ours = outcome(lambda: fft_conv2d(x, weight, bias, **arguments))
    assert_same(ours, outcome(lambda: conv2d(x, weight, bias, **arguments)))


def test_fft_conv2d_is_exact_enough_for_large_kernels():
    rng = np.random.default_rng(3)
    x, weight = rng.standard_normal((2, 8, 40, 33)), rng.standard_normal((8, 2, 31, 21))
    settings = {"padding": (15, 10), "groups": 4}
    exact = conv2d(x, weight, **settings)
    for dtype, tolerance in ((np.float64, 1e-13), (np.float32, 1e-5)):
        ours = fft_conv2d(x.astype(dtype), weight.astype(dtype), **settings)
        assert ours.dtype == dtype
        assert np.abs(ours - exact).max() < tolerance * np.abs(exact).max()


def test_fft_conv2d_makes_integers_floating():
    x, weight = np.arange(49, dtype=np.int8).reshape(1, 1, 7, 7), np.full((1, 1, 5, 5), 100, np.int8)
    ours = fft_conv2d(x, weight)
    assert ours.dtype == np.float64
    np.testing.assert_allclose(ours, conv2d(x, weight), rtol=1e-12)


@settings(max_examples=500)
@given(convolutions(), st.sampled_from(list(TORCH_MODE)))
def test_padding_modes_are_torchs(drawn, mode):
    x, weight, bias, arguments = drawn
    if isinstance(arguments["padding"], str) or not len(x):
        arguments["padding"] = (2, 1)
    rows, columns = arguments["padding"]

    def reference():
        padded = F.pad(torch.from_numpy(x), (columns, columns, rows, rows), mode=TORCH_MODE[mode])
        rest = {**arguments, "padding": 0}
        return F.conv2d(padded, torch.from_numpy(weight), None if bias is None else torch.from_numpy(bias), **rest)

    if len(x):
        assert_same(outcome(lambda: conv2d(x, weight, bias, **arguments, padding_mode=mode)), outcome(reference))


@settings(max_examples=500)
@given(convolutions(), pairs["kernel_size"])
def test_im2col_is_torchs_unfold(drawn, kernel_size):
    x, _, _, arguments = drawn
    padding = (1, 2) if isinstance(arguments["padding"], str) else arguments["padding"]
    rest = (kernel_size, arguments["dilation"], padding, arguments["stride"])
    if len(x):
        assert_same(outcome(lambda: im2col(x, *rest)), outcome(lambda: F.unfold(torch.from_numpy(x), *rest)))


def gradients(layer, grad, *arrays):
    """What autograd finds for each of the arrays, given the gradient at the layer's output."""
    tensors = [torch.from_numpy(a).requires_grad_() for a in arrays]
    layer(*tensors).backward(torch.from_numpy(grad))
    return [tensor.grad.numpy() for tensor in tensors]


def random_like(array):
    return np.random.default_rng(7).standard_normal(array.shape).astype(array.dtype)


@settings(max_examples=500)
@given(convolutions())
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
def test_conv2d_backward_is_autograds(drawn):
    x, weight, _, arguments = drawn
    out = outcome(lambda: conv2d(x, weight, **arguments))
    if out is None:
        return
    grad, bias = random_like(out), np.zeros(len(weight), x.dtype)
    theirs = gradients(lambda *tensors: F.conv2d(*tensors, **arguments), grad, x, weight, bias)
    for mine, reference in zip(conv2d_backward(grad, x, weight, **arguments), theirs, strict=True):
        assert_same(mine, reference)


@settings(max_examples=1000)
@given(convolutions(), st.tuples(st.integers(0, 3), st.integers(0, 3)))
def test_conv_transpose2d_and_its_gradients_are_torchs(drawn, output_padding):
    x, weight, bias, arguments = drawn
    if isinstance(arguments["padding"], str):
        arguments["padding"] = (1, 0)
    groups = arguments["groups"]
    weight = np.ascontiguousarray(weight[: len(weight) // groups].repeat(x.shape[1], 0)[: x.shape[1]])
    bias = None if bias is None else np.ones(weight.shape[1] * groups, x.dtype)
    arguments["output_padding"] = output_padding
    tensors = [None if a is None else torch.from_numpy(a) for a in (x, weight, bias)]
    ours = outcome(lambda: conv_transpose2d(x, weight, bias, **arguments))
    theirs = outcome(lambda: F.conv_transpose2d(*tensors, **arguments))
    refused = max(output_padding) and any(
        o >= max(s, d) for o, s, d in zip(output_padding, arguments["stride"], arguments["dilation"], strict=True)
    )
    if theirs is not None and (0 in theirs.shape[2:] or refused):
        theirs = None  # torch crops all of an output without a word, and asks no questions of an empty batch
    assert_same(ours, theirs)
    if ours is None:
        return
    grad, bias = random_like(ours), np.zeros(ours.shape[1], x.dtype)
    theirs = gradients(lambda *tensors: F.conv_transpose2d(*tensors, **arguments), grad, x, weight, bias)
    for mine, reference in zip(conv_transpose2d_backward(grad, x, weight, **arguments), theirs, strict=True):
        assert_same(mine, reference)


@settings(max_examples=500)
@given(convolutions(), pairs["kernel_size"])
def test_col2im_is_torchs_fold_and_the_adjoint_of_im2col(drawn, kernel_size):
    x, _, _, arguments = drawn
    padding = (1, 2) if isinstance(arguments["padding"], str) else arguments["padding"]
    rest = (kernel_size, arguments["dilation"], padding, arguments["stride"])
    columns = outcome(lambda: im2col(x, *rest))
    if columns is None or not len(x):
        return
    given = random_like(columns)
    back = col2im(given, x.shape[2:], *rest)
    assert_same(back, F.fold(torch.from_numpy(given), x.shape[2:], *rest).numpy())
    assert np.isclose((columns * given).sum(), (x * back).sum(), rtol=1e-3, atol=1e-2)


@st.composite
def poolings(draw):
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    size = draw(st.tuples(st.integers(1, 12), st.integers(1, 12)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    # Few different numbers, so that windows have ties; NaN and infinities among them.
    x = rng.integers(0, draw(st.integers(1, 9)), (draw(st.integers(0, 2)), 2, *size)).astype(dtype)
    for value in draw(st.lists(st.sampled_from([np.nan, np.inf, -np.inf]), max_size=3)):
        x[rng.random(x.shape) < 0.2] = value
    arguments = {
        "kernel_size": draw(pairs["kernel_size"]),
        "stride": draw(st.none() | pairs["stride"]),
        "padding": draw(st.tuples(st.integers(0, 2), st.integers(0, 2))),
        "ceil_mode": draw(st.booleans()),
    }
    return x, arguments


@settings(max_examples=1500)
@given(poolings(), pairs["dilation"])
def test_max_pool2d_is_torchs(drawn, dilation):
    x, arguments = drawn
    if any(arguments["padding"]):
        dilation = 1  # a dilated window can miss the image, where torch's index means nothing
    arguments = {**arguments, "dilation": dilation, "return_indices": True}
    try:
        theirs, places = F.max_pool2d(torch.from_numpy(x), **arguments)
    except RuntimeError:
        with pytest.raises(ValueError):
            max_pool2d(x, **arguments)
        return
    ours, indices = max_pool2d(x, **arguments)
    np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(indices, places)
    grad = random_like(ours)
    layer = {**arguments, "return_indices": False}
    np.testing.assert_allclose(
        max_pool2d_backward(grad, indices, x.shape[2:]),
        gradients(lambda tensor: F.max_pool2d(tensor, **layer), grad, x)[0],
        rtol=1e-4,
        atol=1e-4,
    )


@settings(max_examples=1500)
@given(poolings(), st.booleans())
def test_avg_pool2d_is_torchs(drawn, count_include_pad):
    x, arguments = drawn
    x, arguments = np.nan_to_num(x, posinf=3, neginf=-3), {**arguments, "count_include_pad": count_include_pad}
    ours = outcome(lambda: avg_pool2d(x, **arguments))
    assert_same(ours, outcome(lambda: F.avg_pool2d(torch.from_numpy(x), **arguments)))
    if ours is not None and len(x):
        grad = random_like(ours)
        theirs = gradients(lambda tensor: F.avg_pool2d(tensor, **arguments), grad, x)[0]
        assert_same(avg_pool2d_backward(grad, x.shape[2:], **arguments), theirs)


@settings(max_examples=300)
@given(poolings())
def test_max_unpool2d_is_torchs(drawn):
    x, arguments = drawn
    x = np.nan_to_num(x, posinf=3, neginf=-3)
    arguments = {**arguments, "stride": arguments["kernel_size"], "ceil_mode": False}
    pooled = outcome(lambda: max_pool2d(x, **arguments))
    if pooled is None:
        return
    pooled, indices = max_pool2d(x, **arguments, return_indices=True)
    del arguments["ceil_mode"]
    rest = {**arguments, "output_size": x.shape[2:]}
    places = torch.from_numpy(indices)
    ours = max_unpool2d(pooled, indices, **rest)
    assert_same(ours, F.max_unpool2d(torch.from_numpy(pooled), places, **rest).numpy())
    grad = random_like(ours)
    theirs = gradients(lambda tensor: F.max_unpool2d(tensor, places, **rest), grad, pooled)[0]
    assert_same(max_unpool2d_backward(grad, indices), theirs)


def test_max_unpool2d_fits_exactly_by_default():
    pooled, indices = max_pool2d(np.arange(36.0).reshape(1, 1, 6, 6), 2, return_indices=True)
    assert max_unpool2d(pooled, indices, 2).shape == (1, 1, 6, 6)
    assert max_unpool2d(pooled, indices, 2).sum() == pooled.sum()


def test_pooling_integers():
    x = np.arange(-16, 0).reshape(1, 1, 4, 4)
    np.testing.assert_array_equal(max_pool2d(x, 2, padding=1)[0, 0], [[-16, -14, -13], [-8, -6, -5], [-4, -2, -1]])
    assert avg_pool2d(x.astype(np.int8), 4).item() == -8.5


def test_ints_count_for_both_axes():
    x, weight = np.arange(98.0).reshape(1, 2, 7, 7), np.ones((1, 2, 3, 3))
    np.testing.assert_array_equal(
        conv2d(x, weight, stride=2, padding=1, dilation=1), conv2d(x, weight, None, (2, 2), (1, 1), (1, 1))
    )


rng = np.random.default_rng(0)
IMAGE, KERNEL, BIAS = rng.standard_normal((2, 4, 7, 6)), rng.standard_normal((4, 4, 3, 3)), rng.standard_normal(4)
POOLED, PLACES = max_pool2d(IMAGE, 2, return_indices=True)
CALLS = {
    "conv2d": (conv2d, (IMAGE, KERNEL, BIAS), {"padding": 1}),
    "conv2d, 1 × 1": (conv2d, (IMAGE, KERNEL[..., :1, :1]), {}),
    "conv2d_backward": (conv2d_backward, (IMAGE, IMAGE, KERNEL), {"padding": 1}),
    "conv2d_backward, stride": (conv2d_backward, (POOLED, IMAGE[:, :, :6], KERNEL), {"padding": 1, "stride": 2}),
    "conv_transpose2d": (conv_transpose2d, (IMAGE, KERNEL, BIAS), {"stride": 2, "padding": 1}),
    "conv_transpose2d, stride 1": (conv_transpose2d, (IMAGE, KERNEL), {}),
    "conv_transpose2d_backward": (conv_transpose2d_backward, (IMAGE, IMAGE, KERNEL), {"padding": 1}),
    "fft_conv2d": (fft_conv2d, (IMAGE, KERNEL, BIAS), {}),
    "im2col": (im2col, (IMAGE, 1), {}),
    "col2im": (col2im, (IMAGE.reshape(2, 4, 42), (7, 6), 1), {}),
    "max_pool2d": (max_pool2d, (IMAGE, 1), {"return_indices": True}),
    "max_pool2d_backward": (max_pool2d_backward, (POOLED, PLACES, (7, 6)), {}),
    "max_unpool2d": (max_unpool2d, (POOLED, PLACES, 2), {"output_size": (7, 6)}),
    "max_unpool2d_backward": (max_unpool2d_backward, (IMAGE, PLACES), {}),
    "avg_pool2d": (avg_pool2d, (IMAGE, 1), {}),
    "avg_pool2d_backward": (avg_pool2d_backward, (POOLED, (7, 6), 2), {}),
}


@pytest.mark.parametrize("name", CALLS)
def test_any_memory_will_do_and_is_left_alone(name):
    layer, arguments, settings = CALLS[name]
    # The same numbers on read-only memory, with the axes in the reverse order and the last one backwards.
    views = [np.asfortranarray(a[..., ::-1])[..., ::-1] if isinstance(a, np.ndarray) else a for a in arguments]
    arrays = [a for a in views if isinstance(a, np.ndarray)]
    for array in arrays:
        array.flags.writeable = False
    results = [layer(*call, **settings) for call in (views, arguments)]
    ours, theirs = ([r] if isinstance(r, np.ndarray) else r for r in results)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)
        assert one.flags.writeable
        assert not any(np.shares_memory(one, array) for array in arrays)
    for array, before in zip(arrays, (a for a in arguments if isinstance(a, np.ndarray)), strict=True):
        np.testing.assert_array_equal(array, before)


def test_small_integers_do_not_wrap_around():
    out = conv2d(np.full((1, 1, 3, 3), 200, np.uint8), np.full((1, 1, 3, 3), 3, np.uint8))
    assert out.item() == 200 * 3 * 9


X, W = np.zeros((1, 4, 5, 5)), np.zeros((6, 4, 3, 3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: conv2d(X[0], W), r"x must have 4 axes \(N, C, H, W\), got 3: \(4, 5, 5\)"),
        (lambda: conv2d(X, W[0, 0]), r"weight must have 4 axes \(K, C/groups, R, S\), got 2"),
        (lambda: conv2d(X, W[:, :3]), r"weight reads 3 channels in each of 1 group\(s\), 3 in all, but x has 4"),
        (lambda: conv2d(X, W, groups=2), r"weight reads 4 channels in each of 2 group\(s\), 8 in all, but x has 4"),
        (lambda: conv2d(X, W[:, :1], groups=3), "groups must divide in_channels: 4 is not a multiple of 3"),
        (lambda: conv2d(X, W[:, :1], groups=4), "groups must divide out_channels: 6 is not a multiple of 4"),
        (lambda: conv2d(X, W, groups=0), "groups must be at least 1, got 0"),
        (lambda: conv2d(X, W, groups=1.0), "groups must be an integer, got 1.0"),
        (lambda: conv2d(X, W, np.zeros(5)), r"bias must be \(6,\), one number per output channel, got \(5,\)"),
        (lambda: conv2d(X, W, dilation=3), r"kernel 3 \(spread over 7 by dilation 3\) is larger than padded input 5"),
        (lambda: conv2d(X[..., :1], W, padding=(0, 0)), "kernel 3 is larger than padded input 1"),
        (lambda: conv2d(X, W, stride=0), "stride must be at least 1, got 0"),
        (lambda: conv2d(X, W, stride=1.5), "stride must be an integer, got 1.5"),
        (lambda: conv2d(X, W, padding=-1), "padding must be at least 0, got -1"),
        (lambda: conv2d(X, W, padding=(1, 1, 1)), r"padding must be an integer or a \(height, width\) pair"),
        (lambda: conv2d(X, W, padding="full"), "padding must be an integer, a .* pair, 'same' or 'valid', got 'full'"),
        (lambda: conv2d(X, W, stride=2, padding="same"), "padding='same' keeps the size, which stride 2 cannot"),
        (lambda: conv2d(X, W, padding=1, padding_mode="mirror"), "padding_mode must be one of zeros, reflect"),
        (lambda: conv2d(X, W, padding=5, padding_mode="reflect"), "reflect padding 5 needs an input height of 6 or"),
        (lambda: conv2d(X, W, padding=6, padding_mode="circular"), "circular padding 6 needs an input height of 6"),
        (lambda: conv2d(X[:, :, :0], W, padding=3), "size must be at least 1, got 0"),
        (lambda: fft_conv2d(X, W[:, :3]), r"weight reads 3 channels in each of 1 group\(s\), 3 in all, but x has 4"),
        (lambda: fft_conv2d(X, W, np.zeros(5)), r"bias must be \(6,\), one number per output channel, got \(5,\)"),
        (lambda: conv2d_backward(X, X, W), r"grad_output must have the shape of the output, \(1, 6, 3, 3\), got"),
        (lambda: conv_transpose2d(X, W), "weight spreads 6 channels, but x has 4"),
        (lambda: conv_transpose2d(X, W[:4], output_padding=1), "output_padding 1 must be smaller than stride 1"),
        (lambda: conv_transpose2d(X, W[:4], padding=4), "padding 4 on both sides crops all of the 7 output cells"),
        (lambda: conv_transpose2d(X, W[:4], np.zeros(3)), r"bias must be \(4,\), one number per output channel"),
        (lambda: conv_transpose2d(X, W[:4], groups=3), "groups must divide in_channels: 4 is not a multiple of 3"),
        (
            lambda: conv_transpose2d_backward(X, X, W[:4]),
            r"grad_output must have the shape of the output, \(1, 4, 7, 7\)",
        ),
        (lambda: col2im(X, 5, 3), r"columns must have 3 axes \(N, C·R·S, P·Q\), got 4"),
        (
            lambda: col2im(np.zeros((1, 18, 8)), 5, 3),
            r"under a kernel \(3, 3\) must be \(N, C·9, 9\), got \(1, 18, 8\)",
        ),
        (lambda: max_pool2d(X[0], 2), r"x must have 4 axes \(N, C, H, W\), got 3"),
        (lambda: max_pool2d(X, 2, padding=2), "padding 2 is more than half of kernel 2"),
        (lambda: max_pool2d(X, 6), "kernel 6 is larger than padded input 5"),
        (lambda: avg_pool2d(X, 0), "kernel_size must be at least 1, got 0"),
        (lambda: avg_pool2d_backward(X, 5, 2), r"grad_output must be \(2, 2\) high and wide"),
        (lambda: max_pool2d_backward(X, X, 5), "indices must be integers in the shape of grad_output"),
        (lambda: max_unpool2d(X, X.astype(int) + 100, 2), r"indices must lie in 0 … 99 for a size of 10 × 10, got 100"),
        (lambda: im2col(X[0], 3), r"x must have 4 axes \(N, C, H, W\), got 3"),
        (lambda: im2col(X, 6), "kernel 6 is larger than padded input 5"),
        (lambda: im2col(X, 0), "kernel_size must be at least 1, got 0"),
    ],
)
def test_bad_arguments_name_the_rule_and_the_value(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_importing_numpy_layers_loads_neither_torch_nor_matplotlib():
    program = (
        "import sys, utils, utils.arithmetic, utils.functional; "
        "print([name for name in ('torch', 'matplotlib', 'anywidget', 'skimage') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
