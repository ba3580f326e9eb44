"""The blocks that a network is drawn with hold its whole profile, and their areas are what they say."""

from itertools import combinations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.widgets.kinds import NETWORKS, OWN, Explorer
from utils import models
from utils.profiling import profile
from utils.widgets.architecture_explorer import treemap
from utils.widgets.blocks import blocks

SIZES = {"lenet5": (1, 28, 28)}


@pytest.mark.parametrize("name", models.__all__)
def test_blocks_and_their_layers_add_up_to_the_profile(name):
    with torch.device("meta"):
        profiled = profile(getattr(models, name)(), SIZES.get(name, (3, 224, 224)))
    totals = [profiled.total_parameters, profiled.total_macs, profiled.total_activation_bytes]
    made = blocks(profiled.rows)
    assert [sum(block[i] for block in made) for i in (3, 4, 5)] == totals
    for block in made:
        if block[7]:
            assert [sum(layer[i] for layer in block[7]) for i in (3, 4, 5)] == block[3:6]
            assert len(block[7]) > 1
            assert block[7][-1][2:3] + block[7][-1][6:7] == [block[2], block[6]]  # its output is its last layer's
    assert made[-1][2] == list(profiled.rows[-1].output_shape)


@pytest.mark.parametrize(
    ("name", "count", "some"),
    [
        ("LeNet-5", 7, ["0", "2", "3", "5", "7", "9", "11"]),
        ("AlexNet", 12, ["features.0", "features.2", "avgpool", "classifier.1", "classifier.6"]),
        ("VGG-16", 22, ["features.0", "features.30", "classifier.0"]),
        ("GoogLeNet", 18, ["conv1", "inception3a", "inception5b", "fc"]),
        ("ResNet-18", 12, ["conv1", "maxpool", "layer1.0", "layer4.1", "fc"]),
        ("ResNet-50", 20, ["conv1", "maxpool", "layer1.0", "layer4.2", "avgpool", "fc"]),
        ("DenseNet-121", 66, ["features.transition1", "features.denseblock3.denselayer24", "features.norm5"]),
        ("MobileNetV2", 21, ["features.0.0", "features.1", "features.17", "features.18.0"]),
        ("EfficientNet-B0", 20, ["features.0.0", "features.1.0", "features.7.0", "features.8.0"]),
        ("ConvNeXt-T", 24, ["features.0.0", "features.1.0", "features.2.1", "features.7.2", "classifier.2"]),
    ],
)
def test_blocks_are_those_of_the_papers(name, count, some):
    names = [block[0] for block in blocks(NETWORKS[name].rows)]
    assert len(names) == count
    assert [name for name in names if name in some] == some


def test_blocks_of_another_network():
    figure = Explorer(OWN)
    assert [block[:2] for block in figure.blocks] == [
        ["body.first", "Conv2d, relu"],
        ["body.stage.0", "Conv2d, BatchNorm2d"],
        ["body.add", "add, relu"],
        ["body.max_pool2d", "max_pool2d"],
        ["head", "mean, Linear"],
        ["unused", "Linear"],
    ]
    figure.selected = 0
    assert figure.sentence().endswith("receptive field 3 × 5.")
    figure.selected = 5
    assert figure.sentence() == "own, unused (Linear) is never called: 6 parameters (1 %), 0 MACs (0 %), 0 bytes (0 %)."


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=25), st.integers(100, 900), st.integers(100, 400))
def test_areas_are_the_shares_and_fill_the_frame(values, width, height):
    boxes = treemap(values, width, height)
    for value, (left, top, wide, high) in zip(values, boxes, strict=True):
        assert wide * high == pytest.approx(value / sum(values) * width * height)
        assert left >= 0
        assert top >= 0
        assert left + wide <= width * (1 + 1e-9)
        assert top + high <= height * (1 + 1e-9)
    for (a, b, wide, high), (c, d, *_) in combinations(boxes, 2):  # in order of reading
        assert c >= a + wide - 1e-6 or d >= b + high - 1e-6


def test_alexnets_parameters_are_dense_and_its_work_is_convolution():
    figure = Explorer(NETWORKS, "AlexNet")
    convolutions = ["conv" in block[1].lower() for block in figure.blocks]
    assert sum(convolutions) == 5
    shares = {}
    for figure.area in ("parameters", "MACs"):
        shares[figure.area] = sum(size for size, conv in zip(figure.sizes, convolutions, strict=True) if conv)
    assert shares["parameters"] < 0.1 * NETWORKS["AlexNet"].total_parameters
    assert shares["MACs"] > 0.9 * NETWORKS["AlexNet"].total_macs
