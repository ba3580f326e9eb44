"""What a figure leaves in a notebook, what it refuses, and the rules its script must keep."""

import base64
import gzip
import html
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import traitlets
from PIL import Image
from scipy.ndimage import grey_dilation, grey_erosion

import theme.figures
from tests.widgets.kinds import FOUGHT, KINDS, NETWORKS, POOLED, Compared, Curves, Explorer
from utils import widgets
from utils.models import lenet5
from utils.widgets import (
    ChannelMixer,
    CompareRuns,
    ConvolutionMatrix,
    DrawDigit,
    Frequencies,
    KernelOnPhoto,
    KernelStepper,
    LayerLedger,
    Pooling,
    ReceptiveFieldTower,
    TrainingCurves,
    TransposedConvolution,
    YourPhoto,
    compare_runs,
    efficientnet,
)
from utils.widgets.frequencies import around
from utils.widgets.lenet import moved, unpacked_network
from utils.widgets.raster import Raster

CROSS = [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
TWICE = (
    np.add.outer(abs(np.arange(-2, 3)), abs(np.arange(-2, 3))) <= 2
)  # a cross, and a cross around each of its pixels
FOLDER = Path(widgets.__file__).parent
STATES = [
    Explorer(),
    Explorer(network="VGG-16", area="memory", selected=3),
    Explorer(area="MACs", selected=99),
    Explorer(POOLED),
    KernelOnPhoto(),
    KernelOnPhoto([[0.5] * 8] * 8, kernel="blur", position=(9, 9), drawn=7),
    KernelStepper(),
    KernelStepper(kernel=[[1, -2], [3, 4]], padding=2, dilation=3, flip=True, position=(1, 2)),
    KernelStepper(size=3, kernel_size=5),
    KernelStepper(controls=("image", "kernel")),
    ConvolutionMatrix(),
    ConvolutionMatrix(size=3, padding=1, stride=2, transposed=True, side="input", index=8),
    ConvolutionMatrix(size=3, kernel_size=4),
    ChannelMixer(),
    ChannelMixer(in_channels=6, out_channels=3, groups=3, kernel_size=2, channel=5),
    ChannelMixer(groups=3),
    ChannelMixer(size=5, position=(1, 9), controls=["kernel_size"]),
    Frequencies(),
    Frequencies(picture="zone plate", operation="every second pixel", kernel="none", wave=(20, -3)),
    Frequencies(operation="zeros between", kernel="1 2 1", wave=(0, 0)),
    Frequencies(picture="one wave", operation="largest of 2 × 2", kernel="outline", controls=()),
    LayerLedger(),
    LayerLedger(input=(1, 8, 8), layers=[{"kind": "maxpool", "kernel_size": 3}, {"kind": "linear", "out_features": 2}]),
    LayerLedger(layers=[]),
    TransposedConvolution(),
    TransposedConvolution(size=4, stride=3, padding=1, output_padding=2, position=(3, 0)),
    TransposedConvolution(position=(1, 1), asked=(2, 2)),
    TransposedConvolution(padding=1, kernel_size=2, stride=3, asked=(9, 9)),
    TransposedConvolution(view="insert zeros", padding=3, image="one pixel", position=(1, 1)),
    TransposedConvolution(view="count copies", kernel_size=4, kernel="ones", position=(9, 9)),
    TransposedConvolution(stride=1, output_padding=1),
    Pooling(),
    Pooling(kind="average", kernel_size=4, stride=1, padding=2, image="negative", position=(8, 0)),
    Pooling(size=7, ceil_mode=True, side="input", position=(6, 6)),
    Pooling(padding=2),
    ReceptiveFieldTower(),
    ReceptiveFieldTower(side="input", position=15),
    ReceptiveFieldTower(size=32, layers=[{"kernel_size": 7, "stride": 4, "padding": 3}] * 6),
    ReceptiveFieldTower(size=7, layers=[{"kernel_size": 2, "stride": 3}, {"kernel_size": 1, "padding": 3}], position=0),
    ReceptiveFieldTower(layers=[{"kernel_size": 5, "stride": 4}, {"kernel_size": 4}]),
    ReceptiveFieldTower(layers=[]),
    Compared(),
    Compared(shown=[run["case"] for run in FOUGHT[:15:3]], up="right on test images", across="parameters"),
    Compared(shown=["residual, 20 layers"], up="loss while learning", across="minutes of learning", steps=313),
    Compared(shown=[]),
    Curves(),
    Curves(rate=3.0),
    Curves(rate=1.0),
    Curves(rate=3.0, seed=1),
    YourPhoto(),
    YourPhoto("a rocket", label=744, heat=False),
    YourPhoto("an astronaut", turn=30),
]


def bundle(figure):
    return figure._repr_mimebundle_()[0]


@pytest.mark.parametrize("figure", STATES, ids=lambda figure: figure.sentence())
def test_bundle_carries_state_picture_and_sentence(figure):
    data = bundle(figure)
    assert data["text/plain"] == figure.sentence()
    assert "application/vnd.jupyter.widget-view+json" in data
    page = ElementTree.fromstring(data["text/html"])  # well formed, so that it stands in any page
    assert page.attrib["class"] == "cnn-widget"
    assert page.attrib["data-widget"] == figure.name
    assert json.loads(page.attrib["data-state"]) == figure.state
    assert list(json.loads(page.attrib["data-state"])) == sorted(figure.state)
    assert page[0].attrib["alt"] == figure.sentence()
    kind, svg = page[0].attrib["src"].split(",")
    assert kind == "data:image/svg+xml;base64"
    texts = [
        node.text for node in ElementTree.fromstring(base64.b64decode(svg)).iter("{http://www.w3.org/2000/svg}text")
    ]
    assert figure.sentence() in " ".join(texts)
    assert "<script" not in data["text/html"]
    assert len(data["text/html"]) < 60_000


@pytest.mark.parametrize("figure", KINDS)
def test_bundle_is_the_same_each_time(figure):
    first, second = bundle(figure()), bundle(figure())
    assert first["text/html"] == second["text/html"]
    assert first["text/plain"] == second["text/plain"]
    assert not re.search(r"anywidget| 0x|IPY_MODEL", html.unescape(first["text/html"]))


def test_state_follows_a_change():
    figure = KernelStepper()
    figure.stride = 2
    assert '"stride": 2' in html.unescape(bundle(figure)["text/html"])
    assert bundle(figure)["text/plain"] == "Output row 1, column 1 of 3 × 3 is 0; every pixel is read."


def test_explorer_carries_all_networks_of_the_course():
    figure = Explorer(NETWORKS, "VGG-16")
    assert figure.sentence() == (
        "VGG-16, classifier.0 (Linear, ReLU, Dropout) makes 4096: 102,764,544 parameters (74 %), "
        "102,760,448 MACs (1 %), 16.4 kB (< 1 %); receptive field the whole input."
    )
    assert len(bundle(figure)["text/html"]) < 120_000


def test_compared_runs_say_which_overlap():
    every = [run["case"] for run in FOUGHT[:12:3]]
    figure = Compared(shown=every[::-1], up="right on test images", across="kB kept an image")
    assert figure.shown == every
    assert figure.ends("plain, 20 layers") == [520, 530, 540]
    assert figure.points("plain, 20 layers") == [[(241.5, 520)], [(241.5, 530)], [(241.5, 540)]]
    said = figure.sentence()
    assert said.startswith("Right on test images, at the end: plain, 20 layers, 52.0 to 54.0 %; residual, 20 layers, ")
    assert said.endswith(" The runs of residual, 20 layers and dense, 20 layers overlap.")
    assert Compared().sentence().endswith(" The runs of no two overlap.")
    assert "overlap" not in Compared(shown=every[:1]).sentence()


def test_compared_runs_lie_along_epochs_and_minutes():
    # The least of 40, 41 and 42 milliseconds, 60 steps an epoch.
    along = Compared(across="minutes of learning", up="loss while learning", steps=60).points("plain, 20 layers")
    assert along[0] == [(pytest.approx(0.04 * epoch), loss) for epoch, loss in ((1, 1850), (2, 1520), (3, 1300))]
    assert Compared(up="right on test images").points("plain, 20 layers")[2] == [(3, 540)]


def test_axes_have_round_numbers_around_what_they_hold():
    assert compare_runs.ticks(0, 8) == [0, 2, 4, 6, 8]
    assert compare_runs.ticks(312, 688) == [300, 400, 500, 600, 700]
    alone = compare_runs.ticks(5, 5)
    assert alone[0] == 5 < alone[-1]


def test_digit_carries_its_network_and_test_digits():
    figure = DrawDigit(layer="C3", unit=(2, 4, 4))
    page = ElementTree.fromstring(bundle(figure)["text/html"])
    assert json.loads(page.attrib["data-state"]) == figure.state
    assert page[0].attrib["alt"] == figure.sentence()
    assert figure.sentence().endswith("it sees rows 7 to 20 and columns 7 to 20.")
    assert len(bundle(figure)["text/html"]) < 160_000
    site = theme.figures.bundle(FOLDER, ["draw_digit"]) + bundle(figure)["text/html"]
    assert len(gzip.compress(site.encode())) < 100_000


def test_photo_brings_its_network_only_to_those_who_ask():
    figure, sent = YourPhoto(), []
    text = theme.figures.bundle(FOLDER, ["your_photo"]) + bundle(figure)["text/html"]
    assert len(gzip.compress(text.encode())) < 60_000
    figure.send = lambda content, buffers: sent.append((content, buffers))
    assert not sent
    figure._handle_custom_msg({"wants": "network"}, [])
    ((content, (weights, kernels)),) = sent
    assert len(content["classes"]) == 1000 and list(content["photos"]) == list(efficientnet.SAMPLES)
    assert (len(weights), kernels[:4]) == (4_988_416, b"\0asm")
    # The page's script carries the same.
    start = "/* Licences: your_photo.licence.txt */ document.currentScript.answer = "
    script = theme.figures.parcel("your_photo")
    answer = json.loads(script.removeprefix(start).removesuffix(";\n"))
    assert answer["content"] == content
    assert [base64.b64decode(part) for part in answer["buffers"]] == [weights, kernels]
    assert "Apache License\n" in efficientnet.LICENCE.read_text(encoding="utf-8")


def test_photo_follows_a_change_of_sample():
    figure = YourPhoto()
    figure.sample = "a cup of coffee"
    assert figure.sentence().startswith("Photo of a cup of coffee: espresso 94 %, then cup")
    assert figure.state["still"]["sample"] == "a cup of coffee"


def test_digit_says_what_a_unit_is():
    figure = DrawDigit(image=np.zeros((28, 28)), layer="C5", unit=(0, 1, 2))
    assert figure.sentence().startswith("Your drawing is read as a") and "Unit 18 of C5 is" in figure.sentence()
    assert not figure.image.any()
    figure.layer, figure.unit = "scores", [0, 0, 99]
    assert "The score of 9 is" in figure.sentence()
    figure.layer, figure.unit = "C1", [5, 0, 27]
    assert figure.sentence().endswith("it sees rows 1 to 3 and columns 26 to 28.")
    figure.layer, figure.unit = "S4", [15, 4, 0]
    assert figure.sentence().endswith("it sees rows 15 to 28 and columns 1 to 14.")


def test_digit_moves_what_was_drawn():
    pixels = DrawDigit(digit=3).pixels
    assert np.array_equal(DrawDigit(digit=3).image, pixels / 255)  # MNIST has centred it already
    assert np.array_equal(DrawDigit(digit=3, right=2, down=-1).image, moved(pixels, -1, 2) / 255)
    assert np.allclose(DrawDigit(digit=3, turn=180).image, pixels[::-1, ::-1] / 255)
    assert np.allclose(DrawDigit(digit=3, turn=90).image, np.rot90(pixels, -1) / 255)
    assert (DrawDigit(digit=3, thickness=1).image >= pixels / 255).all()
    assert np.array_equal(DrawDigit(digit=3, thickness=2).image, grey_dilation(pixels, footprint=CROSS) / 255)
    assert np.array_equal(DrawDigit(digit=3, thickness=-4).image, grey_erosion(pixels, footprint=TWICE) / 255)
    corner = np.zeros((28, 28))
    corner[1:6, 2] = 1
    assert np.argwhere(DrawDigit(image=corner).image == 1).tolist() == [[row, 14] for row in range(12, 17)]
    assert np.array_equal(DrawDigit(image=corner, centre=False).image, corner)
    for wrong in (corner[1:], 2 * corner, corner - np.nan):
        with pytest.raises(ValueError, match="image must be 28 × 28 gray values in 0 … 1, got shape"):
            DrawDigit(image=wrong)


def test_digit_takes_a_network_of_your_own():
    torch = pytest.importorskip("torch")
    torch.manual_seed(3)
    own = lenet5()
    figure = DrawDigit(own, digit=5)
    for tensor, rounded in zip(own.state_dict().values(), unpacked_network(figure.weights), strict=True):
        assert abs(tensor.numpy() - rounded).max() <= abs(tensor).max().item() / 250
    with torch.no_grad():
        scores = own(torch.from_numpy(figure.image[None, None]).float())
    assert np.allclose(figure.values["scores"].ravel(), scores, atol=0.02)
    with pytest.raises(ValueError, match=r"the ten tensors of LeNet-5, of shapes .*got \(\(2, 3\), \(2,\)\)"):
        DrawDigit(torch.nn.Linear(3, 2))


def test_ledger_opens_on_the_worked_example():
    (row,) = LayerLedger().rows
    assert (row["output_shape"], row["parameters"], row["dense_parameters"]) == ([10, 32, 32], 760, 31_467_520)


def test_matrix_is_the_convolution():
    figure = ConvolutionMatrix(size=5, kernel_size=2, stride=2, padding=1)
    padded = np.pad(figure.pixels, 1)
    looped = [(padded[r : r + 2, c : c + 2] * figure.weights).sum() for r in range(0, 6, 2) for c in range(0, 6, 2)]
    assert (figure.matrix @ figure.pixels.ravel()).tolist() == looped


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_mixer_adds_up_what_the_groups_connect(groups):
    figure = ChannelMixer(groups=groups, out_channels=4)
    width = 4 // groups
    block = np.kron(np.eye(groups, dtype=int), np.ones((width, width), int))
    loops = np.einsum("kcrs,crs->kc", figure.kernels, figure.patches) * block
    assert figure.parts.tolist() == loops.tolist()
    assert figure.outputs.ravel().tolist() == loops.sum(1).tolist()
    assert figure.weights.size == figure.weight_count() == 144 // groups


def test_mixer_slides_as_torchs_layer():
    torch = pytest.importorskip("torch")
    figure = ChannelMixer(in_channels=4, out_channels=6, groups=2, kernel_size=2, size=5, position=(3, 1), channel=4)
    x, weight = (torch.from_numpy(array.astype(float)) for array in (figure.pixels[None], figure.weights))
    layer = torch.nn.functional.conv2d(x, weight, groups=2)[0]
    assert figure.outputs.tolist() == layer.tolist()
    assert figure.parts[4].sum() == figure.outputs[4, 3, 1]


def test_transposed_adds_up_copy_by_copy():
    figure = TransposedConvolution(position=(1, 1), asked=(2, 2))
    assert figure.sentence().endswith("Output row 3, column 3: 3·9 + 0·7 + 4·3 + 1·1 = 40.")
    assert figure.so_far[3].tolist() == [16, 20, 28, 5, 6, None, None]
    figure.position = [0, 1]
    assert figure.sentence().endswith("Output row 3, column 3: 3·9 + 0·7 = 27, 2 terms to come.")
    figure.asked = [6, 6]
    assert figure.sentence().endswith("Output row 7, column 7: nothing, 1 term to come.")
    figure.position = [2, 2]
    assert np.array_equal(figure.so_far, figure.output) and not figure.so_far.mask.any()


def test_frequencies_say_what_a_layer_does_to_a_wave():
    y, x = np.indices((64, 64))
    wave = np.cos(2 * np.pi * (20 * x + 5 * y) / 64)
    figure = Frequencies(wave=(20, 5))
    blurred = around(np.ones((3, 3)) / 9, wave)
    ratio = np.sqrt((blurred**2).sum() / (wave**2).sum())
    assert figure.gain(20, 5) == f"{ratio:.2f}" and figure.sentence().endswith(f"by {ratio:.2f}.")
    # Every second pixel of that wave is every second pixel of the one that the figure names.
    figure.operation = "every second pixel"
    assert "as one with −12 cycles across and 5 down" in figure.sentence()
    assert np.allclose(wave[::2, ::2], np.cos(2 * np.pi * (-12 * x + 5 * y) / 64)[::2, ::2])
    # Zeros between make four waves of one, a quarter as strong each.
    copies = [(across, down) for across in (20, -12) for down in (5, -27)]
    spread = sum(np.cos(2 * np.pi * (u * x + v * y) / 64) for u, v in copies) / 4
    assert np.allclose(np.where((x % 2 == 0) & (y % 2 == 0), wave, 0), spread)


@pytest.mark.parametrize(
    ("kernel", "copies"),
    [("mean of 2 × 2", 0), ("mean of 3 × 3", 1 / 3), ("mean of 4 × 4", 0), ("1 2 1", 0)],
)
def test_zeros_between_leave_a_checkerboard_unless_the_kernel_takes_it_out(kernel, copies):
    figure = Frequencies(np.full((64, 64), 0.5), operation="zeros between", kernel=kernel)
    rows = figure.result[::2].mean(), figure.result[1::2].mean()
    assert abs(rows[0] - rows[1]) / sum(rows) == pytest.approx(copies)


def test_mixer_keeps_a_pairs_slice_while_the_others_change():
    few, many = ChannelMixer(in_channels=2, out_channels=2), ChannelMixer(in_channels=6, out_channels=6, groups=2)
    assert (many.kernels[:2, :2] == few.kernels).all()
    assert len({kernel.tobytes() for kernel in many.kernels.reshape(36, -1)}) == 36


def test_transposed_convolution_is_torchs():
    torch = pytest.importorskip("torch")
    figure = TransposedConvolution(size=4, kernel_size=4, stride=3, padding=1, output_padding=2)
    x, weight = (torch.from_numpy(array)[None, None].double() for array in (figure.pixels, figure.weights))
    layer = torch.nn.functional.conv_transpose2d(x, weight, None, 3, 1, 2)
    assert figure.output.tolist() == layer[0, 0].tolist()
    # Counted by hand: 4 rows 3 apart, from −1 on, each 4 high, on 13 rows.
    once = [sum(start <= row < start + 4 for start in (-1, 2, 5, 8)) for row in range(13)]
    assert figure.copies.tolist() == np.outer(once, once).tolist()


def test_pooling_starts_with_the_stride_of_its_kernel():
    assert [Pooling(kernel_size=size).stride for size in (1, 2, 3, 4)] == [1, 2, 3, 4]
    figure = Pooling()
    figure.kernel_size = 3
    assert figure.stride == 2


def test_pooling_says_who_wins_and_who_gets_the_gradient():
    assert Pooling(image="edge").sentence() == (
        "Output row 1, column 1 is 1, the largest of 4 pixels (the first of 4 equal ones); "
        "its gradient 1 goes whole to row 1, column 1."
    )
    # Every window of 3 × 3 at a distance of at most one from the spot has it as its maximum.
    spot = Pooling(image="spot", size=5, kernel_size=3, stride=1, side="input", position=(2, 2))
    assert (
        spot.sentence()
        == f"Pixel row 3, column 3 is 1: it lies in 9 windows, wins 9, and its gradient is {sum(range(10))}."
    )
    spot.position = [4, 4]
    assert spot.sentence() == "Pixel row 5, column 5 is 0: it lies in 1 window, wins none, and its gradient is 0."
    spot.stride = 3
    assert spot.sentence() == "Pixel row 5, column 5 is 0: no window reads it, so its gradient is 0."
    mean = Pooling(kind="average", size=3, kernel_size=3, stride=2, padding=1)
    assert mean.sentence() == (
        "Output row 1, column 1 is about 1.78, the mean of 9 numbers, 5 of them padding; "
        "its gradient 1 is divided by 9, and about 0.11 goes to each."
    )
    assert mean.facts() == (
        "9 of 9 pixels get a gradient. Its sum is 10 at the output and about 4.44 at the input: "
        "about 5.56 falls on the padding."
    )


@pytest.mark.parametrize(
    "settings", [{}, {"kernel_size": 3, "stride": 2, "padding": 1}, {"size": 7, "ceil_mode": True}]
)
@pytest.mark.parametrize("image", ["scattered", "spot", "edge", "negative"])
def test_pooling_is_that_of_torch(settings, image):
    torch = pytest.importorskip("torch")
    for kind, layer in (("max", torch.nn.MaxPool2d), ("average", torch.nn.AvgPool2d)):
        figure = Pooling(kind=kind, image=image, **settings)
        names = ("kernel_size", "stride", "padding", "ceil_mode")
        leaf = torch.tensor(figure.pixels[None, None] * 1.0, requires_grad=True)
        out = layer(**{name: getattr(figure, name) for name in names})(leaf)
        out.backward(torch.tensor(figure.upstream[None, None] * 1.0))
        assert np.allclose(figure.output, out.detach()[0, 0])
        assert np.allclose(figure.gradient, leaf.grad[0, 0])


def test_tower_starts_with_the_middle_of_the_top():
    figure = ReceptiveFieldTower(size=9, layers=[{"kernel_size": 3}, {"kernel_size": 3}])
    assert (figure.layer, figure.position) == (1, 2)
    assert figure.sentence() == "Unit 3 of 5 in layer 2 sees 5 pixels, 3 … 7; neighbours see fields 1 pixel apart."
    assert figure.paths[0].tolist() == [0, 0, 1, 2, 3, 2, 1, 0, 0]
    figure.layers = [{"kernel_size": 3, "dilation": 4}]  # one unit is left
    assert figure.layers == [{"kernel_size": 3, "stride": 1, "padding": 0, "dilation": 4}]
    assert figure.sentence() == "Unit 1 of 1 in layer 1 sees 9 pixels, 1 … 9; no path reaches 6 of them."
    figure.layers = [*figure.layers, {"kernel_size": 2}]
    assert figure.sentence() == "Layer 2: kernel 2 is larger than padded input 1 (size 1 + 2·0): no output."


def test_tower_tells_padding_from_pixels():
    figure = ReceptiveFieldTower(position=0)
    assert [row.start for row in figure.rows] == [0, -1, -2, -4]
    assert figure.sentence() == (
        "Unit 1 of 8 in layer 3 sees 9 pixels, −3 … 5; 4 lie outside the image, in the padding; "
        "neighbours see fields 2 pixels apart."
    )
    # Only padding: the unit is a constant.
    figure = ReceptiveFieldTower(size=5, layers=[{"kernel_size": 3, "padding": 3}, {"kernel_size": 1}], position=0)
    assert figure.sentence().startswith("Unit 1 of 9 in layer 2 sees 3 pixels, −2 … 0; 3 lie outside the image")
    assert not figure.paths[0].any()


@pytest.mark.parametrize("side", ["output", "input"])
def test_tower_counts_paths_as_torch_sums_ones(side):
    torch = pytest.importorskip("torch")
    layers = [
        {"kernel_size": 3, "padding": 2, "dilation": 2},
        {"kernel_size": 2, "stride": 2},
        {"kernel_size": 3, "padding": 1},
    ]
    figure = ReceptiveFieldTower(size=12, layers=layers, side=side, position=1)
    net = [torch.nn.Conv1d(1, 1, **layer, bias=False) for layer in figure.layers]
    rows = [torch.zeros(1, 1, 12, requires_grad=True)]
    for layer in net:
        torch.nn.init.ones_(layer.weight)
        rows.append(layer(rows[-1]))
    if side == "output":
        (paths,) = torch.autograd.grad(rows[-1][0, 0, 1], rows[0])
        assert figure.paths[0].tolist() == paths[0, 0].tolist()
    else:
        with torch.no_grad():
            up = torch.eye(12)[1].view(1, 1, -1)
            for layer, paths in zip(net, figure.paths[1:], strict=True):
                up = layer(up)
                assert paths.tolist() == up[0, 0].tolist()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: KernelOnPhoto(kernel="sobel"), r"kernel.*'sobel'"),
        (lambda: KernelOnPhoto(position=(0, -1)), r"position must be an output's \(row, column\).*-1"),
        (lambda: KernelOnPhoto(pixels="AAAA"), r"pixels must be a square of 8 to 96 a side, got 3 bytes"),
        (lambda: KernelOnPhoto(pixels="%"), r"pixels must be bytes in base64"),
        (lambda: DrawDigit(weights="AAAA"), r"weights: network must be 61746 bytes in base64, got 3"),
        (lambda: DrawDigit(weights="%"), r"weights: .*base64"),
        (lambda: DrawDigit(weights="/" * 82328), r"weights: network must have scales .*nan"),
        (lambda: DrawDigit(digits="AAAA"), r"digits must be 30 labels 0 … 9 with 784 pixels each, got 3 bytes"),
        (lambda: DrawDigit(drawing="AAAA"), r"drawing must be empty or 392 bytes, got 3"),
        (lambda: DrawDigit(drawing="%"), r"drawing must be bytes in base64"),
        (lambda: DrawDigit(digit=30), r"digit.*30"),
        (lambda: DrawDigit(layer="C2"), r"layer.*'C2'"),
        (lambda: DrawDigit(unit=(0, -1, 0)), r"unit.*-1"),
        (lambda: Frequencies(kernel="sobel"), r"kernel.*'sobel'"),
        (lambda: Frequencies(wave=(32, 0)), r"wave.*32"),
        (lambda: Frequencies(wave=(1,)), r"wave.*length 2"),
        (lambda: Frequencies(pixels="AAAA"), r"pixels must be a square of 64 a side, got 3 bytes"),
        (lambda: Frequencies(controls=["size"]), r"controls must be among picture, operation, kernel, got 'size'"),
        (lambda: KernelStepper(controls=["sise"]), r"controls must be among size, .*, got 'sise'"),
        (lambda: ChannelMixer(controls=["size"]), r"controls must be among in_channels, .*, got 'size'"),
        (lambda: ChannelMixer(size=6), r"size.*6"),
        (lambda: ChannelMixer(position=(0,)), r"position must be an output's \(row, column\).*\[0\]"),
        (lambda: TransposedConvolution(asked=[1]), r"asked must be an output's \(row, column\) or empty, got \[1\]"),
        (lambda: TransposedConvolution(asked=[0, -1]), r"asked.*-1"),
        (lambda: KernelStepper(size=2), r"size.*2"),
        (lambda: KernelStepper(stride=0), r"stride.*0"),
        (lambda: KernelStepper(kernel="sobel"), r"kernel must be one of vertical edge.*'sobel'"),
        (lambda: KernelStepper(kernel=[[1, 2], [3]]), r"kernel must be a square.*\[2, 1\]"),
        (lambda: KernelStepper(kernel=[[10]]), r"integers from -9 to 9, got \[\[10\]\]"),
        (lambda: KernelStepper(position=(0, -1)), r"position must be.*-1"),
        (lambda: KernelStepper(image="cat"), r"image.*'cat'"),
        (lambda: Explorer({}), r"profiles must map at least one name to a ModelProfile, got {}"),
        (lambda: Explorer({"own": 3}), r"profile 'own' must be a ModelProfile with rows, got 3"),
        (lambda: Explorer(network="VGG"), r"network must be one of AlexNet, VGG-16, ResNet-18, got 'VGG'"),
        (lambda: Explorer(area="FLOPs"), r"area.*'FLOPs'"),
        (lambda: Explorer(selected=-1), r"selected.*-1"),
        (lambda: ConvolutionMatrix(size=7), r"size.*7"),
        (lambda: ConvolutionMatrix(side="both"), r"side.*'both'"),
        (lambda: ConvolutionMatrix(index=-1), r"index.*-1"),
        (lambda: TransposedConvolution(output_padding=3), r"output_padding.*3"),
        (lambda: TransposedConvolution(view="gather"), r"view.*'gather'"),
        (lambda: TransposedConvolution(position=[1]), r"position.*length 2"),
        (lambda: TransposedConvolution(position=[0, -1]), r"position.*-1"),
        (lambda: ChannelMixer(groups=0), r"groups.*0"),
        (lambda: ChannelMixer(in_channels=7), r"in_channels.*7"),
        (lambda: ChannelMixer(channel=6), r"channel.*6"),
        (lambda: LayerLedger(input=(3, 32)), r"input must be \(channels, height, width\), got \[3, 32\]"),
        (lambda: LayerLedger(input=(3, 32, 0)), r"input width must be an integer from 1 to 512, got 0"),
        (lambda: LayerLedger(layers=[{"kind": "relu"}]), r"layer 1: kind must be one of conv, .*'relu'"),
        (lambda: LayerLedger(layers=[{"kind": "flatten", "size": 1}]), r"layer 1: flatten takes nothing, got 'size'"),
        (
            lambda: LayerLedger(layers=[{"kind": "conv", "kernel_size": 3}]),
            r"layer 1: out_channels must be an integer from 1 to 2048, got None",
        ),
        (lambda: CompareRuns(), r"runs must be at least one, with the costs of its network, got none"),
        (lambda: Compared(across="weeks"), r"across must be one of epoch, minutes of learning, .*, got 'weeks'"),
        (lambda: Compared(up="wrong"), r"up must be one of loss while learning, .*, got 'wrong'"),
        (lambda: Compared(shown=["LeNet"]), r"shown must be among plain, 20 layers; .*, got 'LeNet'"),
        (lambda: Compared(shown=[run["case"] for run in FOUGHT[::3]]), r"shown must be at most 5 networks, got 6"),
        (lambda: TrainingCurves(), r"runs must be at least one, got none"),
        (lambda: Curves(rate=0.2), r"rate must be one of 0.1, 0.3, 1, 3, got '0.2'"),
        (lambda: Curves(seed=7), r"seed must be one of 0, 1, got '7'"),
        (lambda: YourPhoto("a dog"), r"sample.*'a dog'"),
        (lambda: YourPhoto(zoom=49), r"zoom.*49"),
        (lambda: YourPhoto(label=1000), r"label.*1000"),
        (lambda: Pooling(size=9), r"size.*9"),
        (lambda: Pooling(kind="min"), r"kind.*'min'"),
        (lambda: Pooling(image="corner"), r"image.*'corner'"),
        (lambda: Pooling(position=(0,)), r"position must be a \(row, column\) from 0, got \[0\]"),
        (lambda: LayerLedger(layers=[{"kind": "flatten"}] * 13), r"at most 12, got 13"),
        (lambda: ReceptiveFieldTower(size=33), r"size.*33"),
        (lambda: ReceptiveFieldTower(side="both"), r"side.*'both'"),
        (lambda: ReceptiveFieldTower(layer=-1), r"layer.*-1"),
        (lambda: ReceptiveFieldTower(position=-1), r"position.*-1"),
        (lambda: ReceptiveFieldTower(layers=[3]), r"layers.*3"),
        (lambda: ReceptiveFieldTower(layers=[{}]), r"layer 1: kernel_size must be an integer from 1 to 7, got None"),
        (
            lambda: ReceptiveFieldTower(layers=[{"kernel_size": 3, "stride": 5}]),
            r"layer 1: stride must be an integer from 1 to 4, got 5",
        ),
        (
            lambda: ReceptiveFieldTower(layers=[{"kernel_size": 3, "groups": 1}]),
            r"layer 1 takes kernel_size, stride, padding, dilation, got 'groups'",
        ),
        (lambda: ReceptiveFieldTower(layers=[{"kernel_size": 1}] * 7), r"at most 6, got 7"),
    ],
)
def test_bad_traits_are_refused(build, message):
    with pytest.raises(traitlets.TraitError, match=message):
        build()


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((8, 9)), r"image must be a square of 8 to 96 pixels a side, got shape \(8, 9\)"),
        (np.zeros((7, 7)), r"got shape \(7, 7\)"),
        (np.zeros((3, 8, 8)), r"got shape \(3, 8, 8\)"),
        (np.full((8, 8), 2.0), r"image must hold gray values in 0 … 1, got 2 … 2"),
        (np.full((8, 8), np.nan), r"image must hold gray values in 0 … 1, got nan … nan"),
    ],
)
def test_photo_refuses_what_is_no_gray_square(image, message):
    with pytest.raises(ValueError, match=message):
        KernelOnPhoto(image)


def test_frequencies_refuse_another_size():
    with pytest.raises(ValueError, match=r"image must be a square of 64 pixels a side, got shape \(8, 8\)"):
        Frequencies(np.zeros((8, 8)))


def test_photo_draws_what_pillow_reads():
    levels = np.arange(-1, 99).reshape(10, 10)
    file = base64.b64decode(Raster(levels, (0, 0, 3)).png().split(",")[1])
    read = np.asarray(Image.open(io.BytesIO(file)).convert("RGBA"))
    assert read[0, 0, 3] == 0 and (read.reshape(-1, 4)[1:, 3] == 255).all()
    assert np.array_equal(read[1:, :, 0], levels[1:])


@pytest.mark.parametrize(("module", "other"), [("", "anywidget"), (".architecture_explorer", "torch")])
def test_importing_does_not_import_what_is_large(module, other):
    code = f"import sys, utils.widgets{module}; sys.exit('{other}' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize("script", sorted(FOLDER.glob("*.js")), ids=lambda path: path.name)
def test_script_keeps_the_rules(script):
    text = script.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    assert not re.search(r"^\s*import\b|\bimport\(", text, re.MULTILINE)
    assert len(re.findall(r"^export\b", text, re.MULTILINE)) == (script.stem not in widgets.SHARED)
    assert text.count("export default {") == (script.stem not in widgets.SHARED)
    assert not re.search(r"https?://(?!www\.w3\.org)|innerHTML|\beval\b", text)


def test_every_figure_has_its_script():
    assert {figure.name for figure in KINDS} | set(widgets.SHARED) == {path.stem for path in FOLDER.glob("*.js")}


def test_notebook_colours_are_the_palette():
    palette = json.loads((FOLDER.parent / "palette.json").read_text(encoding="utf-8"))
    for role, colours in palette.items():
        for colour in colours.values():
            assert f"--cnn-{role}: {colour}" in KernelStepper()._css
