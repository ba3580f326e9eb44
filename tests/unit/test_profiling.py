"""Profiles against published counts, the arithmetic, real forward passes and real gradients."""

import copy
import re
import sys
import threading
from html.parser import HTMLParser
from math import prod
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import prune

from utils import arithmetic, models
from utils.profiling import LayerProfile, profile
from utils.profiling.table import RULES

IMAGE = (3, 224, 224)


def rows(model: nn.Module, *size: int) -> dict[str, LayerProfile]:
    """The rows by name; of a module that is called again, the last."""
    return {row.name: row for row in profile(model, size).rows}


# Parameters and MACs: those of torchvision's models, from the metadata of their weights (there in units of 10⁹), to the
# unit where they are known so.
KNOWN = {
    "lenet5": (61_706, 416_520),
    "alexnet": (61_100_840, 714_188_480),
    "vgg16": (138_357_544, 15_470_264_320),
    "vgg19": (143_667_240, 19.632),
    "googlenet": (6_624_904, 1.498),
    "resnet18": (11_689_512, 1.814),
    "resnet34": (21_797_672, 3.664),
    "resnet50": (25_557_032, 4_089_184_256),
    "resnet101": (44_549_160, 7.801),
    "resnet152": (60_192_808, 11.514),
    "densenet121": (7_978_856, 2.834),
    "mobilenet_v2": (3_504_872, 0.301),
    "efficientnet_b0": (5_288_548, 0.386),
    "convnext_tiny": (28_589_128, 4.456),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_networks(name):
    with torch.device("meta"):
        model = getattr(models, name)()
    found = profile(model, (1, 28, 28) if name == "lenet5" else IMAGE)
    parameters, macs = KNOWN[name]
    assert found.total_parameters == parameters == sum(p.numel() for p in model.parameters())
    assert (round(found.total_macs / 1e9, 3) if isinstance(macs, float) else found.total_macs) == macs
    for i, total in enumerate((found.total_parameters, found.total_macs, found.total_activation_bytes), start=3):
        assert sum(row[i] for row in found.rows) == total > 0


@pytest.mark.parametrize("name", ["vgg11_bn", "googlenet", "resnet18", "densenet121", "mobilenet_v2", "convnext_tiny"])
def test_layers_have_the_shapes_of_a_real_forward_pass(name):
    model = getattr(models, name)().eval()
    met: dict[str, tuple[int, ...]] = {}
    for path, module in model.named_modules():
        module.register_forward_hook(lambda _, args, out, path=path: met.update({path: tuple(out.shape[1:])}))
    with torch.inference_mode():
        model(torch.zeros(1, 3, 64, 64))
    profiled = {row.name: row.output_shape for row in profile(model, (3, 64, 64)).rows}
    common = met.keys() & profiled.keys()
    assert len(common) > 25
    assert {path: met[path] for path in common} == {path: profiled[path] for path in common}
    layers = {path for path, module in model.named_modules() if not list(module.children())}
    assert met.keys() & layers <= profiled.keys()


@pytest.mark.parametrize(
    ("name", "layer", "field"),
    [("alexnet", "features.12", 195), ("vgg16", "features.30", 212), ("resnet50", "layer4.2.relu", 427)],
)
def test_receptive_fields_of_classic_networks(name, layer, field):
    # The first two: Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks" (2019).
    with torch.device("meta"):
        model = getattr(models, name)()
    assert rows(model, *IMAGE)[layer].receptive_field == field


@pytest.mark.parametrize(("name", "field"), [("resnet50", 483), ("resnet101", 1027), ("resnet152", 1507)])
def test_a_resnet_that_strides_before_its_3x3_sees_what_was_published(name, field):
    # Araujo et al. again; torchvision's strides are in the 3 × 3, after which one kernel a stage reads denser pixels.
    with torch.device("meta"):
        model = getattr(models, name)()
    for block in model.modules():
        if hasattr(block, "conv3"):
            block.conv1.stride, block.conv2.stride = block.conv2.stride, block.conv1.stride
    found = [row.receptive_field for row in profile(model, IMAGE).rows]
    assert max(side for side in found if side) == field


def test_the_inception_block_counts_its_largest_branch():
    with torch.device("meta"):
        three, five = rows(models.googlenet(), *IMAGE), rows(models.googlenet(large_kernel=5), *IMAGE)
    # conv 7/2, pool 3/2, 1 × 1, conv 3, pool 3/2, one block
    stem = [(7, 2), (3, 2), (1,), (3,), (3, 2)]
    assert three["inception3a.cat"].receptive_field == arithmetic.receptive_field([*stem, (3,)]).size == 43
    assert five["inception3a.cat"].receptive_field == arithmetic.receptive_field([*stem, (5,)]).size == 59
    assert five["inception3a.cat"].kind == "cat" and five["inception3a.cat"].output_shape == (256, 28, 28)


pairs = st.tuples(st.integers(1, 4), st.integers(1, 4))
convolutions = st.fixed_dictionaries(
    {
        "kernel_size": pairs,
        "stride": pairs,
        "padding": st.tuples(st.integers(0, 3), st.integers(0, 3)),
        "dilation": st.tuples(st.integers(1, 3), st.integers(1, 3)),
        "groups": st.sampled_from([1, 2, 4]),
        "bias": st.booleans(),
    }
)
layers = st.one_of(
    st.tuples(st.just("conv"), convolutions),
    st.tuples(st.just("transposed"), convolutions, st.tuples(st.integers(0, 2), st.integers(0, 2))),
    st.tuples(st.sampled_from(["max", "avg"]), pairs, pairs, st.booleans()),
)


def build(layer: tuple) -> nn.Module:
    kind, first, *rest = layer
    if kind == "conv":
        return nn.Conv2d(4, 4, **first)
    if kind == "transposed":
        return nn.ConvTranspose2d(4, 4, **first, output_padding=rest[0])
    return (nn.MaxPool2d if kind == "max" else nn.AvgPool2d)(first, rest[0], ceil_mode=rest[1])


@settings(max_examples=200)
@given(st.lists(layers, min_size=1, max_size=5), st.tuples(st.integers(1, 30), st.integers(1, 30)))
def test_chains_agree_with_the_arithmetic_and_with_torch(chain, size):
    model = nn.Sequential(*map(build, chain)).eval()
    real, shapes, refusing = torch.zeros(1, 4, *size), [], None
    with torch.inference_mode():
        for i, module in enumerate(model):
            try:
                real = module(real)
            except (RuntimeError, ValueError):
                refusing = i
                break
            assume(real.numel() < 1e6)
            shapes.append(tuple(real.shape[1:]))
    if refusing is not None:
        shape = ", ".join(map(str, (1, *(shapes[-1] if shapes else (4, *size)))))
        with pytest.raises(ValueError, match=rf"layer '{refusing}' \(.*\) met an input of \({shape}\): ."):
            profile(model, (4, *size))
        return
    found = profile(model, (4, *size)).rows
    assert [row.output_shape for row in found] == shapes
    assert [row.activation_bytes for row in found] == [4 * prod(shape) for shape in shapes]
    before, steps = size, ([], [])
    for row, (kind, first, *rest) in zip(found, chain, strict=True):
        if kind == "conv" or kind == "transposed":
            window = [first[name] for name in ("kernel_size", "stride", "padding")]
            assert row.parameters == arithmetic.conv_parameter_count(
                4, 4, first["kernel_size"], first["groups"], first["bias"]
            )
            if kind == "conv":
                after = arithmetic.conv_output_size(before, *window, first["dilation"])
                assert row.macs == arithmetic.conv_macs(4, 4, first["kernel_size"], after, first["groups"])
            else:
                after = arithmetic.conv_transpose_output_size(before, *window, rest[0], first["dilation"])
                assert row.macs == arithmetic.conv_macs(4, 4, first["kernel_size"], before, first["groups"])
            window.append(first["dilation"])
        else:
            after = arithmetic.pool_output_size(before, first, rest[0], ceil_mode=rest[1])
            assert (row.parameters, row.macs) == (0, 0)
            window = [first, rest[0], (0, 0), (1, 1)]
        assert row.output_shape == (4, *after)
        before = after
        if steps and kind != "transposed":
            for axis, arguments in zip(steps, zip(*window, strict=True), strict=True):
                axis.append(arguments)
            height, width = (arithmetic.receptive_field(axis).size for axis in steps)
            assert row.receptive_field == (height if height == width else (height, width))
        else:
            steps = ()  # the recurrence knows no upsampling


class Branches(nn.Module):
    """Paths of different lengths that are added and concatenated."""

    def __init__(self):
        super().__init__()
        self.short, self.long = nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 5, padding=4, dilation=2)
        self.pool, self.last = nn.MaxPool2d(2, 1), nn.Conv2d(2, 1, 2, stride=2)

    def forward(self, x):
        y = F.relu(self.short(x) + self.long(x))
        return self.last(self.pool(torch.cat([y, x], dim=1)))


class Subsampled(nn.Module):
    """The shortcut without parameters: every second pixel, and channels of zeros."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3, stride=2, padding=1)

    def forward(self, x):
        return self.conv(x) + F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 1, 1))


class ChannelsLast(nn.Module):
    """A dense layer on the channels of every position, between two convolutions."""

    def __init__(self):
        super().__init__()
        self.patches, self.dense, self.conv = nn.Conv2d(1, 4, 2, 2), nn.Linear(4, 6), nn.Conv2d(6, 1, 3)

    def forward(self, x):
        return self.conv(self.dense(self.patches(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2))


def upsampled(*middle: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 4, 3, stride=2), nn.Conv2d(4, 4, 2, stride=2), *middle)


REAL = {
    "branches": (Branches(), 11),
    "subsampled": (Subsampled(), 3),
    "channels last": (ChannelsLast(), 6),
    "transposed 2/2": (upsampled(nn.ConvTranspose2d(4, 1, 2, 2)), 5),
    "transposed 4/2": (upsampled(nn.ConvTranspose2d(4, 1, 4, 2, 1)), 9),
    "transposed 3/2, dilated": (upsampled(nn.ConvTranspose2d(4, 1, 3, 2, dilation=3)), 17),
    "transposed, then 3": (upsampled(nn.ConvTranspose2d(4, 4, 2, 2), nn.Conv2d(4, 1, 3)), 9),
    "nearest, then 3": (upsampled(nn.Upsample(scale_factor=3), nn.Conv2d(4, 1, 3)), 9),
    "bilinear ×2": (upsampled(nn.Upsample(scale_factor=2, mode="bilinear")), 9),
    "bilinear ×3": (upsampled(nn.Upsample(scale_factor=3, mode="bilinear")), 9),
    "bicubic, then 3": (upsampled(nn.Upsample(scale_factor=2, mode="bicubic"), nn.Conv2d(4, 1, 3)), 21),
    "pixel shuffle, then 4": (upsampled(nn.PixelShuffle(2), nn.Conv2d(1, 1, 4)), 13),
    "adaptive": (nn.Sequential(nn.AdaptiveAvgPool2d(10), nn.Conv2d(1, 1, 3)), 12),
}


@pytest.mark.parametrize("name", REAL)
def test_the_receptive_field_is_the_largest_through_which_a_pixel_acts(name):
    model, expected = REAL[name]
    model = copy.deepcopy(model).double().eval()
    for weight in model.parameters():
        nn.init.uniform_(weight, 0.5, 1)  # positive, so that no two paths cancel
    with torch.no_grad():
        # A row of pixels at a time is raised, so that a maximum passes it on, whatever else is in its window.
        x = torch.rand(1, 1, 40, 40, dtype=torch.float64)
        out = model(x)[0, 0]
        reach = [set() for _ in out]
        for pixel in range(40):
            raised = x.clone()
            raised[:, :, pixel] += 100
            changed = (model(raised)[0, 0] - out).abs().amax(1) > 1e-9
            for position in changed.nonzero().flatten().tolist():
                reach[position].add(pixel)
    found = max(max(pixels) - min(pixels) + 1 for pixels in reach if pixels)
    assert profile(model, (1, 40, 40)).rows[-1].receptive_field == found == expected


class Functional(nn.Module):
    """No layer: parameters, functional convolutions, and a tensor made on the way."""

    def __init__(self):
        super().__init__()
        self.kernel = nn.Parameter(torch.ones(8, 2, 3, 3))
        self.up = nn.Parameter(torch.ones(8, 3, 2, 2))
        self.matrix = nn.Parameter(torch.ones(5, 3))

    def forward(self, x):
        y = F.conv2d(x, self.kernel, padding=1, groups=2)
        y = F.conv_transpose2d(F.relu(y), self.up, stride=2, groups=2) * torch.ones(16, 16)
        return {"scores": F.linear(y[:, :3].mean((2, 3)), self.matrix), "map": y}


def test_functional_operations_have_rows():
    found = profile(Functional(), (4, 8, 8))
    assert [tuple(row[:7]) for row in found.rows] == [
        ("kernel", "Parameter", (8, 2, 3, 3), 144, 0, 0, None),
        ("up", "Parameter", (8, 3, 2, 2), 96, 0, 0, None),
        ("matrix", "Parameter", (5, 3), 15, 0, 0, None),
        ("conv2d", "conv2d", (8, 8, 8), 0, 144 * 64, 4 * 8 * 64, 3),
        ("relu", "relu", (8, 8, 8), 0, 0, 4 * 8 * 64, 3),
        ("conv_transpose2d", "conv_transpose2d", (6, 16, 16), 0, 96 * 64, 4 * 6 * 256, 3),
        ("mul", "mul", (6, 16, 16), 0, 0, 4 * 6 * 256, 3),
        ("mean", "mean", (3,), 0, 0, 4 * 3, None),
        ("matmul", "matmul", (5,), 0, 15, 4 * 5, None),
    ]
    assert found.total_macs == 144 * 64 + 96 * 64 + 15


class Block(nn.Module):
    """A layer that is called twice, two that share their weights, one that is not called, and a residual sum."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.tied = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.tied.weight = self.conv.weight
        self.scale = nn.Parameter(torch.ones(4, 1, 1))
        self.auxiliary = nn.Sequential(nn.Conv2d(4, 2, 1), nn.ReLU())
        self.borrowed = nn.Conv2d(4, 4, 1, bias=False)
        self.empty = nn.Sequential()

    def forward(self, x):
        y = self.tied(self.conv(self.conv(x)))
        y += self.empty(x) * self.scale
        return F.conv2d(y, self.borrowed.weight)


def test_shared_bare_and_unused_parameters_are_counted_once():
    model = nn.Sequential(Block(), nn.Flatten())
    found = profile(model, (4, 6, 6))
    weight, pixels = 4 * 4 * 9, 36
    assert [tuple(row[:7]) for row in found.rows] == [
        ("0.scale", "Parameter", (4, 1, 1), 4, 0, 0, None),
        ("0.conv", "Conv2d", (4, 6, 6), weight + 4, weight * pixels, 16 * pixels, 3),
        ("0.conv", "Conv2d", (4, 6, 6), 0, weight * pixels, 16 * pixels, 5),
        ("0.tied", "Conv2d", (4, 6, 6), 0, weight * pixels, 16 * pixels, 7),
        ("0.mul", "mul", (4, 6, 6), 0, 0, 16 * pixels, 1),
        ("0.add", "add", (4, 6, 6), 0, 0, 0, 7),  # in place: nothing new is written
        ("0.conv2d", "conv2d", (4, 6, 6), 0, 16 * pixels, 16 * pixels, 7),
        ("1", "Flatten", (144,), 0, 0, 0, 7),
        ("0.auxiliary.0", "Conv2d", None, 10, 0, 0, None),
        ("0.borrowed.weight", "Parameter", (4, 4, 1, 1), 16, 0, 0, None),
    ]
    assert found.total_parameters == sum(p.numel() for p in model.parameters())
    assert "not called" in str(found)


class Swish(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(x)


def test_a_module_of_one_operation_is_a_layer():
    class Filter(nn.Module):
        def __init__(self):
            super().__init__()
            self.kernel = nn.Parameter(torch.ones(2, 1, 3))

        def forward(self, x):
            return F.relu(F.conv1d(x, self.kernel))

    found = profile(nn.Sequential(Filter(), Swish()), (1, 7))
    assert [row[:5] for row in found.rows] == [("0", "Filter", (2, 5), 6, 30), ("1", "Swish", (2, 5), 0, 0)]
    assert [row.name for row in profile(nn.Linear(3, 2), (3,)).rows] == ["Linear"]


def test_products_of_every_kind():
    class Products(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, x):
            y, _ = self.attention(x, x, x)  # 5 tokens of 8 channels, in and out projected
            y = F.scaled_dot_product_attention(y, y, y)
            y = torch.einsum("ntc,nsc->nts", y, y)
            return y @ y[0, 0], torch.baddbmm(y, y, y), torch.dot(y[0, 0], y[0, 1])

    projections, scores = 4 * 5 * 8 * 8, 5 * 5 * 8
    found = profile(Products(), (5, 8))
    assert found.total_macs == projections + 2 * scores + 2 * scores + scores + 25 + 125 + 5
    assert found.total_parameters == 4 * 8 * 8 + 4 * 8


def test_a_recurrent_layer_is_one_row():
    (row,) = profile(nn.LSTM(8, 4, batch_first=True), (5, 8)).rows
    assert row[:7] == ("LSTM", "LSTM", (5, 4), 4 * 4 * (8 + 4 + 2), 4 * 5 * 4 * (8 + 4), 4 * 5 * 4, None)


def test_what_is_written_into_a_part_counts():
    class Halves(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular")

        def forward(self, x):
            y = x.new_zeros(1, 4, 6, 6)
            y[:, :2] = self.conv(x)
            return F.conv2d(y, self.conv.weight.repeat(1, 2, 1, 1))

    found = {row.name: row for row in profile(Halves(), (2, 6, 6)).rows}
    assert (found["conv"].macs, found["conv"].activation_bytes) == (36 * 36, 4 * 72)
    assert (found["conv2d"].macs, found["conv2d"].receptive_field) == (72 * 16, None)


def test_activation_bytes_follow_the_dtype_and_are_those_of_the_results():
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(inplace=True), nn.ReLU(), nn.MaxPool2d(2), nn.LocalResponseNorm(3)
    )
    for dtype, size in ((torch.float16, 2), (torch.float64, 8)):
        written = [row.activation_bytes for row in profile(model.to(dtype), (1, 4, 4)).rows]
        assert written == [32 * size, 0, 32 * size, 8 * size, 8 * size]


def test_no_window_after_what_mixes_all_positions():
    class Gate(nn.Module):
        def forward(self, x):
            return x * torch.sigmoid(x.amax((2, 3), keepdim=True))

    conv = nn.Conv2d(2, 2, 3, padding=1)
    mixing = {
        "pooling": nn.AdaptiveMaxPool2d(1),
        "gate": Gate(),
        "group": nn.GroupNorm(1, 2),
        "instance": nn.InstanceNorm2d(2),
        "softmax": nn.Softmax(dim=2),
        "dense": nn.Linear(6, 6),
    }
    for name, module in mixing.items():
        found = profile(nn.Sequential(conv, module), (2, 6, 6)).rows
        assert [(row.receptive_field, row.sees) for row in found] == [(3, ""), (None, "all")], name
    local = nn.Sequential(conv, nn.Softmax(dim=1), nn.BatchNorm2d(2), nn.LocalResponseNorm(3), nn.ChannelShuffle(2))
    assert {row.receptive_field for row in profile(local, (2, 6, 6)).rows} == {3}
    assert rows(nn.Sequential(nn.Conv2d(1, 1, (1, 5), (1, 2)), nn.Flatten()), 1, 9, 9)["1"].receptive_field == (1, 5)
    assert rows(nn.Sequential(nn.Conv3d(1, 1, 3), nn.MaxPool3d(2)), 1, 9, 9, 9)["1"].receptive_field == 4
    assert rows(nn.Sequential(nn.Conv1d(1, 1, 3), nn.MaxPool1d(2), nn.AvgPool1d(2)), 1, 29)["2"].receptive_field == 6


ACTIVATIONS = ["ReLU", "ReLU6", "LeakyReLU", "PReLU", "ELU", "SELU", "CELU", "GELU", "SiLU", "Mish", "Hardswish"]
ACTIVATIONS += ["Hardsigmoid", "Hardtanh", "Sigmoid", "LogSigmoid", "Tanh", "Softplus", "Softsign", "Softshrink"]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_see_what_their_input_sees(name):
    for options in ({}, {"inplace": True}):
        try:
            activation = getattr(nn, name)(**options)
        except TypeError:
            continue  # has no such option
        _, row = profile(nn.Sequential(nn.Conv2d(1, 2, 3), activation), (1, 8, 8)).rows
        assert (row.kind, row.receptive_field, row.macs) == (name, 3, 0)
        assert row.activation_bytes in ((288,) if not options else (0, 288))


class Shuffle(nn.Module):
    """Channels dealt out anew, and half of them passed by: views and copies that leave the pixels where they are."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 8, 3, padding=1)

    def forward(self, x):
        first, second = self.conv(x).chunk(2, dim=1)
        x = torch.cat([first, second.mean(1, keepdim=True)], dim=1)
        x = torch.cat([x, torch.zeros(1, 1, 6, 6)], dim=1).view(1, 2, 3, 6, 6).transpose(1, 2).reshape(1, 6, 6, 6)
        return F.max_pool2d(x[0], 2).to(torch.float64)


def test_views_of_channels_leave_the_window():
    found = profile(Shuffle(), (4, 6, 6)).rows
    assert [(row.name, row.output_shape, row.receptive_field) for row in found] == [
        ("conv", (8, 6, 6), 3),
        ("mean", (1, 6, 6), 3),
        ("cat", (5, 6, 6), 3),
        ("cat", (6, 6, 6), 3),
        ("clone", (3, 2, 6, 6), 3),
        ("max_pool2d", (3, 3), 4),
        ("to", (3, 3), 4),
    ]


class Noisy(nn.Module):
    """Everything that a forward pass could leave behind in a model."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.drop = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout()
        self.register_buffer("seen", torch.zeros(()), persistent=False)
        self.calls, self.kept, self.again = 0, [], [self.norm]
        self.frozen = nn.Linear(2, 2).requires_grad_(False)
        self.last = (self.conv.weight * 2).sum()  # a result of autograd, which cannot be copied

    def forward(self, x):
        self.calls += 1
        self.seen += 1
        x = self.drop(self.again[0](self.conv(x)))
        self.last = x
        self.kept.append(x)
        if x.shape[-1] == 1:
            raise RuntimeError("too small")
        return x


def state(model: nn.Module) -> list:
    """All that a model holds, to be compared."""
    found: list = [name for name, _ in model.named_modules()]
    for module in model.modules():
        for name, value in vars(module).items():
            if isinstance(value, torch.Tensor):
                value = (id(value), value.detach().clone().tolist())
            elif name in ("_parameters", "_buffers"):
                value = {
                    key: tensor if tensor is None else (id(tensor), tensor.tolist(), tensor.requires_grad, tensor.grad)
                    for key, tensor in value.items()
                }
            found.append((name, copy.copy(value)))
    return found


def test_the_model_is_untouched():
    model, heard = Noisy(), []
    model.conv.register_forward_hook(lambda *_: heard.append("forward"))
    model.norm.register_forward_pre_hook(lambda *_: heard.append("before"))
    model.frozen.eval()
    before, generator = state(model), torch.get_rng_state()
    assert profile(model, (3, 5, 5)).total_macs == 27 * 4 * 9
    with pytest.raises(ValueError, match=r"the model \(Noisy\) met an input of \(1, 3, 3, 3\): too small") as caught:
        profile(model, (3, 3, 3))
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert state(model) == before and heard == []
    assert model.training and not model.frozen.training
    assert torch.equal(torch.get_rng_state(), generator) and torch.is_grad_enabled()
    model(torch.ones(2, 3, 5, 5)).sum().backward()  # and it still learns
    assert heard == ["forward", "before"] and model.norm.num_batches_tracked == 1 and model.calls == 1


@pytest.mark.parametrize("name", RULES)
def test_every_line_of_the_table_is_reached(name):
    packet = getattr(torch.ops.aten, name)
    operators = [getattr(packet, overload) for overload in packet.overloads() if not overload.endswith("out")]
    decomposed = "CompositeImplicitAutograd"
    assert RULES[name].by_value or any(
        torch.Tag.pointwise not in operator.tags  # torch says of these what the table would
        and not torch._C._dispatch_has_kernel_for_dispatch_key(operator.name(), decomposed)
        for operator in operators
    )


def test_evaluation_is_profiled_whatever_the_mode():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout())
    assert profile(model.train(), (1, 3, 3)) == profile(model.eval(), (1, 3, 3))  # one value per channel is enough


def test_reparametrised_models():
    model = nn.utils.parametrizations.weight_norm(nn.Conv2d(2, 2, 3))
    found = profile(nn.Sequential(model), (2, 5, 5))
    assert (found.total_parameters, found.total_macs) == (36 + 2 + 2, 36 * 9)
    assert found.rows[-1].name == "0.conv2d" and found.total_activation_bytes == 4 * 2 * 9


class Way(nn.Module):
    """One function of the inputs, with whatever a model may keep as an attribute."""

    def __init__(self, function, **kept):
        super().__init__()
        self.function = function
        for name, each in kept.items():
            setattr(self, name, each)

    def forward(self, *inputs):
        return self.function(self, *inputs)


def ran(model):
    """The model after it has run once, with what it keeps of that."""
    model(torch.rand(1, 3, 8, 8))
    return model


def conv():
    return nn.Conv2d(3, 4, 3)


def pruned():
    return prune.l1_unstructured(conv(), "weight", 0.5)


def half_and_float(self, x):
    return self.head(self.body(x.half()).float().flatten(1))


MACS = 27 * 4 * 36  # of conv() on 8 × 8
AS_WRITTEN = {
    "a kernel": lambda: Way(lambda s, x: F.conv2d(x, s.kernel), kernel=torch.rand(4, 3, 3, 3)),
    "a mean": lambda: Way(lambda s, x: s.conv(x - s.mean), conv=conv(), mean=torch.zeros(1, 3, 1, 1)),
    "an array": lambda: Way(lambda s, x: F.conv2d(x, torch.from_numpy(s.k)), k=np.ones((4, 3, 3, 3), np.float32)),
    "parameters in a list": lambda: Way(lambda s, x: F.conv2d(x, s.k[0]), k=[nn.Parameter(torch.rand(4, 3, 3, 3))]),
    "activations in a list": lambda: ran(
        Way(lambda s, x: s.kept.append(s.conv(x)) or s.kept[-1], conv=conv(), kept=[])
    ),
    "one in a dict": lambda: ran(Way(lambda s, x: s.kept.setdefault(0, s.conv(x)) * 1, conv=conv(), kept={})),
    "one in an object": lambda: Way(
        lambda s, x: s.conv(x), conv=conv(), o=SimpleNamespace(x=conv()(torch.rand(3, 8, 8)))
    ),
    "weight norm": lambda: nn.utils.parametrizations.weight_norm(conv()),
    "old weight norm": lambda: nn.utils.weight_norm(conv()),
    "old spectral norm": lambda: nn.utils.spectral_norm(conv()),
    "pruned": pruned,
    "lazy": lambda: nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d()),
    "lazy and never called": lambda: Way(lambda s, x: s.conv(x), conv=conv(), other=nn.LazyLinear(3)),
    "compiled": lambda: torch.compile(conv()),
    "traced by fx": lambda: torch.fx.symbolic_trace(nn.Sequential(conv(), nn.ReLU())),
    "exported": lambda: torch.export.export(conv().eval(), (torch.rand(1, 3, 8, 8),)).module(),
    "predicting": lambda: Way(torch.inference_mode()(lambda s, x: s.conv(x)), conv=conv()),
    "double scale": lambda: Way(lambda s, x: s.conv(x), s=nn.Parameter(torch.zeros(1).double()), conv=conv()),
    "complex": lambda: nn.Conv2d(3, 4, 3, dtype=torch.complex64),
    "half body, float head": lambda: Way(half_and_float, body=conv().half(), head=nn.Linear(144, 1)),
}


@pytest.mark.filterwarnings("ignore")  # what torch says of its own that is deprecated
@pytest.mark.parametrize("name", AS_WRITTEN)
def test_models_as_people_write_them(name):
    # Of complex numbers, torch makes three products of real ones.
    expected = 3 * MACS if name == "complex" else MACS + (144 if "head" in name else 0)
    found = profile(AS_WRITTEN[name](), (3, 8, 8))
    assert (found.total_macs, found.uncounted) == (expected, ())
    with torch.inference_mode():
        assert profile(AS_WRITTEN[name](), (3, 8, 8)).rows == found.rows
    assert 3 in [row.receptive_field for row in found.rows] or found.rows[-1].sees == "not known"


def test_an_attribute_that_cannot_be_copied_is_named():
    with pytest.raises(ValueError, match="Way cannot be copied: its 'lock', cannot pickle"):
        profile(Way(lambda s, x: x, lock=threading.Lock()), (3,))


def test_inputs_of_several_kinds():
    both = Way(lambda s, a, b: s.a(a) + s.b(b), a=nn.Conv2d(1, 4, 3), b=nn.Conv2d(3, 4, 5, padding=1))
    found = profile(both, [(1, 8, 8), (3, 8, 8)])
    assert (found.total_macs, found.rows[-1].receptive_field) == (36 * 36 + 300 * 36, 5)
    assert found.input_size == ((1, 8, 8), (3, 8, 8)) and repr(found).startswith("Way on 1 × 8 × 8 and 3 × 8 × 8: ")

    class Siamese(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 4, 3)

        def forward(self, left, right, scale=2.0):
            return self.conv(left) * scale + self.conv(right)

    found = profile(Siamese(), (1, 8, 8))  # both are of this size
    assert (found.total_macs, found.input_size) == (2 * 36 * 36, ((1, 8, 8), (1, 8, 8)))
    tokens = Way(lambda s, x: s.b(s.a(x).mean(1)), a=nn.Embedding(100, 8), b=nn.Linear(8, 2))
    assert profile(tokens, (7,)).total_macs == 16
    film = Way(lambda s, x, t: s.a(x) * s.b(t).mean(1)[..., None, None], a=nn.Conv2d(1, 4, 3), b=nn.Embedding(9, 4))
    assert profile(film, [(1, 8, 8), (5,)]).rows[-1].receptive_field == 3
    masked = Way(lambda s, x, mask: x.masked_fill(mask, 0))
    assert profile(masked, [(1, 8), torch.zeros(1, 8, dtype=torch.bool)]).rows[-1].kind == "masked_fill"


PRODUCTS = {
    "addbmm": (lambda s, x: torch.addbmm(torch.zeros(4, 4), x, x.mT), (4, 5), 80),
    "baddbmm in place": (lambda s, x: x.clone().baddbmm_(x, x), (4, 4), 64),
    "conv_tbc": (lambda s, x: F.conv_tbc(x.transpose(0, 1), torch.ones(3, 5, 2), torch.zeros(2)), (9, 5), 30 * 7),
    "bilinear": (lambda s, x: F.bilinear(x, x, torch.ones(3, 5, 5)), (5,), 75),
    "vecdot": (lambda s, x: torch.linalg.vecdot(x, x, dim=1), (4, 5), 20),
    "vdot": (lambda s, x: torch.vdot(x[0], x[0]), (4,), 4),
    "addmv": (lambda s, x: torch.addmv(torch.zeros(4), x[0], x[0, 0]), (4, 5), 20),
    "addr": (lambda s, x: torch.addr(torch.zeros(4, 4), x[0], x[0]), (4,), 16),
    "inner": (lambda s, x: torch.inner(x[0], x[0]), (4, 5), 80),
    "tensordot": (lambda s, x: torch.tensordot(x, x, ([2], [2])), (4, 5), 80),
    "matrix power": (lambda s, x: torch.linalg.matrix_power(x, 3), (5, 5), 250),
    "unfolded": (lambda s, x: torch.ones(4, 27) @ F.unfold(x, 3), (3, 8, 8), MACS),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_count(name):
    function, size, macs = PRODUCTS[name]
    found = profile(Way(function), size)
    assert (found.total_macs, found.uncounted) == (macs, ())
    with torch.inference_mode():
        assert profile(Way(function), size) == found


def test_what_is_not_counted_is_reported():
    def spectral(self, x):
        return self.conv(x) * torch.fft.rfft2(x).abs().sum()

    model = nn.Sequential(Way(spectral, conv=conv()), Way(lambda s, x: torch.cdist(x, x)))
    with pytest.warns(UserWarning, match="MACs of fft_r2c, cdist_forward are not counted"):
        found = profile(model, (3, 8, 8))
    assert found.uncounted == ("fft_r2c", "cdist_forward") and found.total_macs == MACS
    assert repr(found).endswith("; MACs not counted: fft_r2c, cdist_forward")
    cells = {row.name: row.cells() for row in found.rows}
    assert cells["0.fft_r2c"][4] == cells["1"][4] == "not counted" and cells["1"][6] == "not known"
    assert f"{MACS:,} and more" in str(found).splitlines()[-1]
    assert "not counted" in found._repr_html_()


def test_memory_and_values_are_not_needed():
    found = profile(models.resnet18(), (3, 100_000, 100_000))
    assert found.total_activation_bytes > 2**42 and found.total_parameters == 11_689_512


class Deciding(nn.Module):
    def __init__(self, question):
        super().__init__()
        self.question = question

    def forward(self, x):
        return self.question(x)


@pytest.mark.parametrize(
    ("model", "size", "message"),
    [
        (
            nn.Sequential(nn.Flatten(), nn.Linear(400, 120)),
            (1, 24, 24),
            r"layer '1' \(Linear\(in_features=400, out_features=120, bias=True\)\) met an input of \(1, 576\): .",
        ),
        (
            nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(5)),
            (3, 8, 8),
            r"layer '1' \(BatchNorm2d\(5, .*\) met an input of \(1, 4, 6, 6\): ",
        ),
        (nn.Sequential(nn.Conv2d(3, 4, 9)), (3, 8, 8), r"layer '0' \(Conv2d.* met an input of \(1, 3, 8, 8\): "),
        (nn.Sequential(nn.Conv2d(3, 4, 1)), (2, 8, 8), r"layer '0' \(Conv2d.* met an input of \(1, 2, 8, 8\): "),
        (nn.Sequential(nn.Conv2d(3, 4, 1)), (3,), r"layer '0' \(Conv2d.* met an input of \(1, 3\): "),
        (nn.MaxPool2d(2), (3, 1, 1), r"the model \(MaxPool2d.* met an input of \(1, 3, 1, 1\): "),
        (
            nn.Sequential(Deciding(lambda x: x + x.permute(0, 2, 1))),
            (2, 3),
            r"layer '0' \(Deciding\(\)\) met an input of \(1, 2, 3\): ",
        ),
        (
            Deciding(lambda x: torch.cat([x, x[:, :, 1:]], 1)),
            (2, 3),
            r"the model \(Deciding\(\)\): cat met an input of \(1, 2, 3\) and \(1, 2, 2\): ",
        ),
        (
            Deciding(lambda x: F.conv2d(x, torch.ones(2, 5, 3, 3))),
            (3, 8, 8),
            r"the model \(Deciding\(\)\): conv2d met an input of \(1, 3, 8, 8\) and \(2, 5, 3, 3\): ",
        ),
        (Deciding(lambda x: x.no_such_thing), (2, 3), r"the model \(Deciding\(\)\) met an input of \(1, 2, 3\): '"),
        (nn.Sequential(Deciding(lambda x: x if x.sum() > 0 else -x)), (2,), "layer '0' .* asks for the values of a"),
        (Deciding(lambda x: x[x > 0]), (2,), r"the model \(Deciding\(\)\) asks for the values of a tensor"),
        (Deciding(lambda x: x.nonzero()), (2,), "asks for the values of a tensor, and a profile knows only its shape"),
        (Deciding(lambda x: x * x.max().item()), (2,), "asks for the values of a tensor"),
        (Deciding(lambda x: torch.from_numpy(x.numpy())), (2,), "asks for the values|numpy"),
        (nn.ReLU(), (), r"input_size must be the shape of one example, such as \(3, 224, 224\), got \(\)"),
        (nn.ReLU(), 224, r"input_size must be the shape of one example, .* got 224"),
        (nn.ReLU(), "3", r"input_size must be the shape of one example, .* got '3'"),
        (nn.ReLU(), (3, 0, 4), "each number of input_size must be at least 1, got 0"),
        (nn.ReLU(), (3, 2.5), r"each number of input_size must be an integer, got 2\.5"),
        ("resnet50", (3, 2), r"model must be a torch\.nn\.Module, got str"),
        (nn.ReLU(), [(3, 2), 4], r"input_size must be the shape of one example, .* got 4"),
        (nn.ReLU(), [(3, 0)], "each number of input_size must be at least 1, got 0"),
        (
            torch.jit.script(nn.Conv2d(3, 4, 3)),
            (3, 8, 8),
            r"is scripted or traced \(Conv2d\).* the model that it was made",
        ),
        (
            nn.Sequential(torch.jit.trace(nn.Conv2d(3, 4, 3), torch.rand(1, 3, 8, 8))),
            (3, 8, 8),
            r"Sequential is scripted or traced \(Conv2d\)",
        ),
    ],
)
def test_what_is_wrong_is_named(model, size, message):
    with pytest.raises(ValueError, match=message):
        profile(model, size)


def test_a_failure_that_the_model_catches_leaves_no_trace():
    class Trying(nn.Module):
        def __init__(self):
            super().__init__()
            self.block, self.conv = nn.Sequential(nn.Conv2d(3, 4, 9)), nn.Conv2d(3, 4, 3)

        def forward(self, x):
            try:
                return self.block(x)
            except RuntimeError:
                return torch.sigmoid(self.conv(x))

    found = [(row.name, row.output_shape) for row in profile(Trying(), (3, 8, 8)).rows]
    assert found == [("conv", (4, 6, 6)), ("sigmoid", (4, 6, 6)), ("block.0", None)]


class Table(HTMLParser):
    """The cells of a table, with their attributes; fails where a tag is not closed by its own."""

    def __init__(self, text: str):
        super().__init__()
        self.open, self.tags, self.cells, self.caption = [], [], [[]], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.append(tag)
        if tag == "tr":
            self.cells.append([])
        if tag in ("td", "th"):
            self.cells[-1].append([tag, dict(attrs), ""])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1] == "caption":
            self.caption += data
        else:
            self.cells[-1][-1][2] += data


def test_the_tables():
    model = nn.Sequential()
    model.add_module("<b>&", nn.Conv2d(3, 64, (3, 5), padding=1))
    model.add_module("fc", nn.Sequential(nn.Flatten(), nn.Linear(64 * 8 * 6, 1000)))
    found = profile(model, (3, 8, 8))
    summary = "Sequential on 3 × 8 × 8: 3,075,944 parameters, 3,210,240 MACs, 16,288 bytes of activations"
    assert repr(found) == summary
    expected = [
        ["Layer", "Kind", "Output", "Parameters", "MACs", "Bytes", "Field"],
        ["<b>&", "Conv2d", "64 × 8 × 6", "2,944", "138,240", "12,288", "3 × 5"],
        ["fc.0", "Flatten", "3072", "0", "0", "0", "3 × 5"],
        ["fc.1", "Linear", "1000", "3,073,000", "3,072,000", "4,000", "all"],
        ["Total", "", "", "3,075,944", "3,210,240", "16,288", ""],
    ]
    table = Table(found._repr_html_())
    assert [[text for *_, text in row] for row in table.cells[1:]] == expected
    assert table.caption == summary and table.tags.count("caption") == 1
    assert all(part in table.tags for part in ("table", "thead", "tbody", "tfoot"))
    assert [(tag, attributes.get("scope")) for tag, attributes, _ in table.cells[1]] == [("th", "col")] * 7
    for row in table.cells[2:]:
        assert [(tag, attributes.get("scope")) for tag, attributes, _ in row] == [("th", "row")] + [("td", None)] * 6
        assert ["right" in attributes["style"] for _, attributes, _ in row] == [False] * 3 + [True] * 4
    # The page's own colours, in the dark as well: even the caption's.
    assert re.findall(r"[^-\w](?:color|background)[^;\"]*", found._repr_html_()) == ['"color: inherit']
    title, head, rule, *lines, _, total = str(found).splitlines()
    assert title == "Sequential on 3 × 8 × 8" and set(rule) == {"─"}
    assert [text.split() for text in (head, *lines, total)] == [" ".join(row).split() for row in expected]
    ends = [line.index(number) + len(number) for line, number in zip(lines, ("2,944", " 0 ", "3,073,000"), strict=True)]
    assert ends[0] == ends[2] == head.index("Parameters") + len("Parameters")


def test_to_pandas_hands_over_the_rows(monkeypatch):
    frames = SimpleNamespace(DataFrame=lambda data, columns: (data, columns))
    monkeypatch.setitem(sys.modules, "pandas", frames)
    found = profile(nn.Linear(3, 2), (3,))
    data, columns = found.to_pandas()
    assert data == list(found.rows) and columns == list(LayerProfile._fields)
