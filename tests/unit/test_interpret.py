"""Maps, gradients and heat against what can be worked out by hand; and a model that is left as it was."""

import copy
import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from utils import models
from utils.interpret import feature_maps, grad_cam, maximise, occlusion, saliency, top_examples


def images(count=3, channels=2, size=8, seed=0):
    return torch.randn(count, channels, size, size, generator=torch.Generator().manual_seed(seed))


def network(inplace=True, pool=nn.AdaptiveAvgPool2d, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(inplace),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 5, 3, padding=1),
        nn.ReLU(inplace),
        pool(1),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(5, 3),
    )


def test_feature_maps_are_what_the_layers_put_out():
    model, x = network(inplace=False).eval(), images()
    found = feature_maps(model, x, ["4", "0", "9"])
    assert list(found) == ["4", "0", "9"]
    for name, maps in found.items():
        torch.testing.assert_close(maps, model[: int(name) + 1](x))
        assert not maps.requires_grad


def test_a_layer_behind_that_works_in_place_changes_no_map():
    x, layers = images(), ["0", "1", "2", "4", "5"]
    found = feature_maps(network(inplace=True), x, layers)
    for name, maps in feature_maps(network(inplace=False), x, layers).items():
        torch.testing.assert_close(found[name], maps)
    assert found["4"].min() < 0 == found["5"].min()


class Residual(nn.Module):
    """One activation for two places, in place, and an addition in place onto what a layer passed through."""

    def __init__(self):
        super().__init__()
        self.same, self.conv, self.relu, self.unused = nn.Identity(), nn.Conv2d(2, 2, 1), nn.ReLU(True), nn.ReLU()

    def forward(self, x):
        kept = self.same(x)
        out = self.conv(self.relu(self.conv(x)))
        kept += out
        return self.relu(kept)


def test_of_a_layer_that_is_called_twice_the_last_call_counts():
    model, x = Residual(), images()
    found = feature_maps(model, x, ["same", "conv", "relu", ""])
    again = model.conv(model.conv(x).relu())
    torch.testing.assert_close(found["same"], x)
    torch.testing.assert_close(found["conv"], again)
    torch.testing.assert_close(found["relu"], (x + again).relu())
    torch.testing.assert_close(found[""], found["relu"])


def test_a_real_network_with_activations_in_place():
    model = models.resnet18(num_classes=4).eval()
    x = images(2, 3, 64)
    maps = feature_maps(model, x, ["conv1", "layer4"])
    torch.testing.assert_close(maps["conv1"], model.conv1(x))
    assert maps["layer4"].shape == (2, 512, 2, 2)
    # Behind the last map stand a mean and a dense layer: its weights are the gradient, over four places.
    heat = (model.fc.weight[3][:, None, None] / 4 * maps["layer4"]).sum(1, keepdim=True).relu()
    expected = F.interpolate(heat, size=(64, 64), mode="bilinear")[:, 0]
    torch.testing.assert_close(grad_cam(model, x, "layer4", 3), expected)


def test_the_saliency_of_a_linear_model_is_its_weights():
    model, x = nn.Sequential(nn.Flatten(), nn.Linear(128, 4)), images()
    torch.testing.assert_close(saliency(model, x, 2), model[1].weight[2].view(1, 2, 8, 8).expand(3, -1, -1, -1))
    found = saliency(model, x, torch.tensor([3, 0, 3]))
    torch.testing.assert_close(found, model[1].weight[[3, 0, 3]].view(3, 2, 8, 8))


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 3))
def test_occlusion_of_a_linear_model_is_what_each_square_hid(size, stride, seed):
    size, stride = max(size, stride), min(size, stride)
    model, x = nn.Sequential(nn.Flatten(), nn.Linear(96, 2)), torch.rand(2, 2, 6, 8)
    weight = model[1].weight.detach()[1].view(2, 6, 8)
    expected, hidden = torch.zeros(2, 6, 8), torch.zeros(6, 8)
    for i in sorted({*range(0, 7 - size, stride), 6 - size}):
        for j in sorted({*range(0, 9 - size, stride), 8 - size}):
            part = (slice(i, i + size), slice(j, j + size))
            lost = (weight * (x - 0.25))[(..., *part)].sum((1, 2, 3))
            expected[(slice(None), *part)] += lost[:, None, None]
            hidden[part] += 1
    assert hidden.min() >= 1
    found = occlusion(model, x, 1, size=size, stride=stride, value=0.25)
    torch.testing.assert_close(found, expected / hidden, atol=1e-4, rtol=1e-4)


def test_the_saliency_is_the_slope_of_the_score():
    model, x, h = network().double().eval(), images().double(), 1e-6
    slopes = saliency(model, x, 1)
    for place in [(0, 0, 0, 0), (1, 1, 3, 4), (2, 0, 7, 2)]:
        up, down = x.clone(), x.clone()
        up[place] += h
        down[place] -= h
        slope = (model(up) - model(down))[place[0], 1] / (2 * h)
        torch.testing.assert_close(slopes[place], slope, atol=1e-7, rtol=1e-5)


@given(st.integers(1, 4), st.integers(1, 4), st.integers(2, 6), st.integers(0, 2), st.integers(0, 99))
def test_grad_cam_of_a_dense_layer_on_a_mean_is_that_layer(count, channels, size, target, seed):
    x = images(count, channels, size, seed)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Identity(), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    model.append(nn.Linear(channels, 3))
    row = model[4].weight[target].view(1, -1, 1, 1)
    # The layer before the ReLU gets a gradient only where the ReLU is open; the one after it gets it everywhere.
    share = (x > 0).float().mean((2, 3), keepdim=True)
    before = (row / size**2 * share * x).sum(1).relu()
    after = (row / size**2 * x.relu()).sum(1).relu()
    torch.testing.assert_close(grad_cam(model, x, "0", target), before)
    torch.testing.assert_close(grad_cam(model, x, "1", target), after)


def test_grad_cam_finds_the_place_that_the_score_was_made_from():
    model = nn.Sequential(nn.AvgPool2d(4), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(1, 2))
    model[3].weight.data[:] = torch.tensor([[2.0], [-2.0]])
    x = torch.zeros(1, 1, 16, 16)
    x[..., 8:12, 4:8] = 1
    heat = grad_cam(model, x, "0", 0)
    assert heat.shape == (1, 16, 16)
    assert heat[0, 8:12, 4:8].min() > heat.max() / 2 and heat[0, :6].max() == 0
    assert heat.max() <= 2 / 16  # the mean of one gradient of 2 over 4 × 4 places
    assert not grad_cam(model, x, "0", 1).any()


@given(st.booleans(), st.sampled_from(["1", "2", "4", "5"]), st.integers(0, 99))
def test_working_in_place_changes_no_heat(training, layer, seed):
    x, target = images(seed=seed), torch.tensor([2, 0, 1])
    one, other = network(inplace=True, seed=seed).train(training), network(inplace=False, seed=seed)
    torch.testing.assert_close(grad_cam(one, x, layer, target), grad_cam(other, x, layer, target))
    torch.testing.assert_close(saliency(one, x, target), saliency(other, x, target))


def test_an_image_is_judged_alone():
    model, x, target = network(), images(4), torch.tensor([0, 2, 1, 1])
    together = grad_cam(model, x, "5", target), saliency(model, x, target)
    for i in range(4):
        alone = grad_cam(model, x[i : i + 1], "5", int(target[i])), saliency(model, x[i : i + 1], target[i])
        torch.testing.assert_close(together[0][i], alone[0][0])
        torch.testing.assert_close(together[1][i], alone[1][0])


@given(st.integers(1, 5), st.integers(0, 3), st.integers(0, 99))
def test_top_examples_are_the_largest_of_all(k, channel, seed):
    model, x = network().eval(), images(6, seed=seed)
    maps = model[:3](x)[:, channel]
    found = top_examples(model, x, "2", channel, k)
    torch.testing.assert_close(found.values, maps.amax((1, 2)).sort(descending=True).values[:k])
    for value, index, (row, column) in zip(*found, strict=True):
        assert maps[index, row, column] == value == maps[index].max()


def test_top_examples_of_a_dense_layer_stand_at_the_only_place():
    model, x = network().eval(), images(600)
    found = top_examples(model, x, "9", 1)
    torch.testing.assert_close(found.values, model(x)[:, 1].topk(9).values)
    torch.testing.assert_close(found.indices, model(x)[:, 1].topk(9).indices)
    assert found.positions.shape == (9, 2) and not found.positions.any()


def test_what_excites_a_linear_unit_most_is_white_where_its_weight_is_positive():
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    image = maximise(model, (1, 8, 8), "1", 2, steps=200)
    assert torch.equal(image, (model[1].weight[2] > 0).float().view(1, 8, 8))
    mean = maximise(model, (1, 8, 8), "1", 2, steps=1, blur=1.0)
    assert mean.std() < image.std() / 2


def test_the_channel_rises_and_regularisers_smooth():
    model = network().eval()

    def score(image):
        return model[:5](image[None])[0, 3].mean().item()

    def roughness(image):
        return image.diff(dim=-1).abs().mean().item()

    start, plain, smooth = (maximise(model, (2, 12, 12), "4", 3, **how) for how in ({"steps": 0}, {}, {"blur": 0.5}))
    assert score(start) < score(smooth) < score(plain)
    assert roughness(smooth) < roughness(plain) / 2
    for image in (start, plain, smooth):
        assert image.shape == (2, 12, 12) and image.min() >= 0 and image.max() <= 1 and not image.requires_grad


def test_one_step_of_ascent_has_the_length_that_was_asked_for():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(72, 2))
    start, stepped = (maximise(model, (1, 8, 8), "2", 0, steps=n, step_size=0.01) for n in (0, 1))
    gradient = saliency(model, start[None], 0)[0]
    torch.testing.assert_close(stepped, start + 0.01 * gradient / gradient.square().mean().sqrt())


def test_the_seed_decides_and_the_callers_random_numbers_go_on():
    model = network()
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    one, again, other = (maximise(model, (2, 8, 8), "4", 0, steps=5, jitter=2, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.rand(2), expected)
    assert torch.equal(one, again) and not torch.equal(one, other)
    assert not torch.equal(one, maximise(model, (2, 8, 8), "4", 0, steps=5, seed=1))


CALLS = {
    "feature_maps": lambda model, x: feature_maps(model, x, ["0", "5"]),
    "top_examples": lambda model, x: top_examples(model, x, "4", 1, 2),
    "saliency": lambda model, x: saliency(model, x, 1),
    "occlusion": lambda model, x: occlusion(model, x, 1, size=5, stride=2),
    "grad_cam": lambda model, x: grad_cam(model, x, "4", 1),
    "maximise": lambda model, x: maximise(model, (2, 8, 8), "4", 1, steps=3, jitter=1, blur=0.1),
}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_the_model_and_the_images_are_left_as_they_were(call, training):
    model, x = network().train(training), images()
    model[1].train(not training)  # a frozen layer stays frozen
    model[4].weight.requires_grad_(False)
    F.cross_entropy(model(x), torch.tensor([0, 1, 2])).backward()
    before, pixels = copy.deepcopy(model), x.clone()
    gradients = [None if p.grad is None else p.grad.clone() for p in model.parameters()]  # which a copy goes without
    call(model, x)
    assert torch.equal(x, pixels) and not x.requires_grad and x.grad is None
    assert [module.training for module in model.modules()] == [module.training for module in before.modules()]
    assert not any(module._forward_hooks or module._backward_hooks for module in model.modules())
    for one, other, gradient in zip(model.parameters(), before.parameters(), gradients, strict=True):
        assert torch.equal(one, other) and one.requires_grad is other.requires_grad
        assert one.grad is gradient is None or torch.equal(one.grad, gradient)
    for one, other in zip(model.buffers(), before.buffers(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("around", [torch.no_grad, torch.inference_mode])
def test_it_makes_no_difference_where_it_is_called(call, around):
    model = network().requires_grad_(False)

    def flat(result):
        return torch.cat([part.flatten().float() for part in (result.values() if isinstance(result, dict) else result)])

    expected = flat(call(model, images()))
    with around():
        torch.testing.assert_close(flat(call(model, images())), expected)


def test_an_error_inside_the_model_leaves_it_as_it_was_too():
    model = network()
    with pytest.raises(RuntimeError):
        grad_cam(model, images(channels=3), "4", 0)
    assert all(module.training and not module._forward_hooks for module in model.modules())


def test_a_first_layer_may_work_in_place():
    model, x = nn.Sequential(nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(128, 2)), images()
    pixels = x.clone()
    torch.testing.assert_close(saliency(model, x, 0), model[2].weight[0].view(1, 2, 8, 8) * (x > 0))
    assert grad_cam(model, x, "0", 0).shape == (3, 8, 8)
    feature_maps(model, x, ["2"]), top_examples(model, x, "2", 0, 1), maximise(model, (2, 8, 8), "2", 0, steps=2)
    assert torch.equal(x, pixels)


class Pair(nn.Module):
    def forward(self, x):
        return x, x


class Side(nn.Module):
    """A layer that is called, though nothing comes of it."""

    def __init__(self):
        super().__init__()
        self.side, self.score = nn.Conv2d(2, 2, 1), nn.Linear(2, 3)

    def forward(self, x):
        self.side(x)
        return self.score(x.mean((2, 3)))


SHUT = nn.Sequential(nn.Conv2d(2, 2, 1), nn.ReLU())
nn.init.zeros_(SHUT[0].weight)
nn.init.constant_(SHUT[0].bias, -1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: feature_maps(network(), x, ["0", "conv"]), r"no layer 'conv'; there are 0, 1, 2, 3, .*, 9$"),
        (lambda x: grad_cam(models.resnet18(), x, "layer5", 0), r"no layer 'layer5'; there are conv1, .* …$"),
        (lambda x: feature_maps(Residual(), x, ["unused"]), "layer 'unused' was never called"),
        (lambda x: feature_maps(Pair(), x, [""]), "layer '' must put out a tensor, got tuple"),
        (lambda x: top_examples(network(), x, "9", 3, 1), "channel must lie in 0 … 2 for layer '9', got 3"),
        (lambda x: top_examples(network(), x, "9", -1, 1), "channel must be at least 0, got -1"),
        (lambda x: top_examples(network(), x, "9", 0, 4), "k must lie in 1 … 3, the number of images, got 4"),
        (lambda x: top_examples(nn.Flatten(0), x, "", 0, 1), r"must have channels, .* got \(384,\)"),
        (lambda x: occlusion(network(), x, 0, size=9), "stride ≤ size ≤ the image's sides, got 1, 9 and 8 × 8"),
        (lambda x: occlusion(network(), x, 0, size=2, stride=3), "stride ≤ size ≤ the image's sides, got 3, 2"),
        (lambda x: saliency(network(), x, 3), "target must lie in 0 … 2, got 3"),
        (lambda x: saliency(network(), x, -1), "target must lie in 0 … 2, got -1"),
        (lambda x: saliency(network(), x, 1.0), "target must be an integer, .* got 1.0"),
        (lambda x: saliency(network(), x, True), "target must be an integer, .* got True"),
        (lambda x: saliency(network(), x, torch.tensor([0, 1])), "one for each of 3 images, got tensor"),
        (lambda x: saliency(network()[:6], x, 0), r"must put out scores \(N, classes\), got \(3, 5, 4, 4\)"),
        (lambda x: grad_cam(network(), x, "9", 0), r"layer '9' must have a map .* output is \(3, 3\)"),
        (lambda x: grad_cam(Side(), x, "side", 0), "the score does not depend on layer 'side'"),
        (lambda x: maximise(SHUT, (2, 8, 8), "1", 0), "channel 0 of layer '1' has no gradient at the noise"),
        (lambda x: maximise(network(), (2, 8, 8), "0", 0, blur=1.5), "blur must lie in 0 … 1, got 1.5"),
        (lambda x: maximise(network(), (2, 8, 8), "0", 0, jitter=-1), "jitter must be at least 0, got -1"),
        (lambda x: maximise(network(), (2, 8, 8), "0", 0, steps=2.5), "steps must be an integer, got 2.5"),
    ],
)
def test_bad_arguments_name_the_rule_and_the_value(call, message):
    with pytest.raises(ValueError, match=message):
        call(images())


def test_it_is_imported_by_name_only():
    code = "import utils, sys; sys.exit('utils.interpret' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class Scorer(nn.Module):
    """A small classifier whose output, or whose features, something is done to."""

    def __init__(self, after=lambda y: y, frozen=False):
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, 3)
        self.after, self.frozen = after, frozen

    def forward(self, x):
        with torch.set_grad_enabled(not self.frozen):
            features = self.conv(x)
        return self.after(self.head(features.mean((2, 3))))


IMAGES = torch.rand(2, 3, 8, 8)
WRONG = {
    "a text for layers": (
        lambda: feature_maps(Scorer(), IMAGES, "conv"),
        r"layers must be a list .* \['conv'\], got the text",
    ),
    "a layer for its name": (lambda: feature_maps(Scorer(), IMAGES, [["conv"]]), r"there is no layer \['conv'\]"),
    "a tuple": (lambda: grad_cam(Scorer(lambda y: (y, y)), IMAGES, "conv", 1), r"scores \(N, classes\), got tuple"),
    "a dict": (lambda: saliency(Scorer(lambda y: {"out": y}), IMAGES, 1), r"scores \(N, classes\), got dict"),
    "no target": (lambda: grad_cam(Scorer(), IMAGES, "conv", None), "target must be an integer, .* got None"),
    "a text for a target": (lambda: saliency(Scorer(), IMAGES, "7"), "target must be an integer, .* got '7'"),
    "no gradient at a layer": (
        lambda: grad_cam(Scorer(frozen=True), IMAGES, "conv", 1),
        "does not depend on layer 'conv', or",
    ),
    "no gradient": (
        lambda: saliency(Scorer(frozen=True), IMAGES, 1),
        "does not depend on the pixels, or the model cuts",
    ),
    "detached": (
        lambda: saliency(Scorer(lambda y: y.detach()), IMAGES, 1),
        "does not depend on the pixels, or the model",
    ),
    "an array": (lambda: saliency(Scorer(), IMAGES.numpy(), 1), "x must be a tensor, .* got ndarray"),
    "bytes": (lambda: occlusion(Scorer(), (255 * IMAGES).byte(), 1, size=2), "got torch.uint8: of bytes take"),
    "doubles": (lambda: saliency(Scorer(), IMAGES.double(), 1), "the model's dtype, torch.float32, got torch.float64"),
    "one image": (
        lambda: grad_cam(Scorer(), IMAGES[0], "conv", 1),
        r"x must be a batch, \(N, C, H, W\), got \(3, 8, 8\)",
    ),
    "no image": (lambda: saliency(Scorer(), IMAGES[:0], 1), "at least one image, got none"),
    "NaN": (lambda: saliency(Scorer(), IMAGES * torch.nan, 1), "every number of x must be finite"),
    "scores of NaN": (lambda: saliency(Scorer(lambda y: y * torch.nan), IMAGES, 1), "scores must be numbers, got NaN"),
    "a batch for a size": (
        lambda: maximise(Scorer(), (1, 3, 8, 8), "conv", 1),
        r"the \(C, H, W\) of an image, .* got \(1, 3",
    ),
    "a row for an image": (
        lambda: maximise(Scorer(), (1, 30), "conv", 1),
        r"the \(C, H, W\) of an image, .* got \(1, 30\)",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_image_no_layer_or_no_score_is_named(name):
    call, message = WRONG[name]
    with pytest.raises(ValueError, match=message):
        call()
