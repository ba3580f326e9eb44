"""Each experiment runs, in a few steps, and the numbers that are kept are those that it makes."""

import hashlib
from functools import cache

import numpy as np
import pytest
import torch

from experiments import (
    curves,
    depth,
    digit,
    lenet,
    photo,
    photographs,
    pooling,
    results,
    runs,
    seeing,
    segmentation,
    shuffled,
    training,
    variants,
)
from utils import datasets
from utils.models import efficientnet_lite0
from utils.training import evaluate
from utils.widgets import DrawDigit, efficientnet
from utils.widgets.draw_digit import stored

NAMED = (curves, depth, lenet, photographs, pooling, seeing, segmentation, shuffled, training, variants)
EXPERIMENTS = [module.EXPERIMENT for module in NAMED]


@pytest.fixture
def few_pictures(monkeypatch):
    """A tenth of the pictures and one photograph, read once: not what is found in them counts, but that it is found."""
    digits, scenes, photos = runs.digits, segmentation.scenes, photographs.photographs
    few = cache(lambda split: tuple(part[: len(part) // 10] for part in digits(split)))
    for module in (runs, *NAMED):
        if getattr(module, "digits", None) is digits:
            monkeypatch.setattr(module, "digits", few)
    monkeypatch.setattr(segmentation, "scenes", cache(lambda split, count: scenes(split, count // 10)))
    monkeypatch.setattr(photographs, "photographs", cache(lambda: tuple(part[:1] for part in photos())))


@pytest.mark.usefixtures("few_pictures")
@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda each: each.name)
def test_results_are_those_of_the_script(experiment):
    kept, made = results(experiment.name), runs.record(experiment, quick=True)
    assert kept["epochs"] == experiment.epochs
    assert kept.keys() == made.keys()
    again = {run["case"]: run.keys() for run in made["runs"]}
    assert again.keys() == set(experiment.quick or experiment.cases)
    assert {run["case"]: run.keys() for run in kept["runs"] if run["case"] in again} == again
    ran = sorted((run["case"], run["seed"]) for run in kept["runs"])
    assert ran == sorted(experiment.wanted())


def test_what_is_there_is_not_run_again(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "RESULTS", tmp_path)
    monkeypatch.setattr("experiments.RESULTS", tmp_path)
    ran = []
    experiment = runs.Experiment("some", lambda *arguments: ran.append(arguments) or {"right": 1.0}, ["a", "b"], 2, 1)
    runs.record(experiment)
    content = runs.record(experiment._replace(seeds=2))
    assert ran == [("a", 0, 2), ("b", 0, 2), ("a", 1, 2), ("b", 1, 2)]
    assert results("some") == content
    runs.record(experiment._replace(epochs=3))
    assert ran[4:] == [("a", 0, 3), ("b", 0, 3)]
    runs.record(experiment._replace(epochs=3, often=["b"]))
    assert ran[6:] == [("b", seed, 3) for seed in range(1, 10)]


def test_the_rates_that_are_run_often_are_those_that_validation_images_chose():
    found = {(run["case"], run["seed"]): run["validation"] for run in results("training")["runs"]}
    for (name, recipe), best in zip(training.RECIPES.items(), training.BEST, strict=True):
        means = {rate: round(sum(found[f"{name}, {rate}", seed] for seed in range(3)), 6) for rate in recipe.rates}
        assert best == max(means, key=means.get)


def test_scenes_are_marked_where_an_eight_is():
    picture, mask = segmentation.scenes("validation", 50)
    assert ((mask == 1) <= (picture > segmentation.INK)).all()
    assert segmentation.judge(segmentation.Scenes(picture, mask), mask > 0) == {"IoU": 1, "told": 1, "where": 1}


def test_moving_and_shuffling_keep_what_they_should():
    images = torch.arange(24.0).reshape(2, 1, 3, 4)
    assert lenet.moved(images, 1, -2)[1].tolist() == [[[0, 0, 0, 0], [14, 15, 0, 0], [18, 19, 0, 0]]]
    order = torch.tensor([11, *range(11)])
    mixed, labels = lenet.shuffled((images, torch.tensor([3, 4])), order)
    assert mixed.shape == images.shape and mixed[1].flatten()[:3].tolist() == [23, 12, 13] and labels.tolist() == [3, 4]


def test_digits_of_the_figure_are_those_that_its_network_reads_so():
    network = digit.rounded(stored()["weights"])
    images, labels = runs.digits("test")
    rows = [DrawDigit(digit=place) for place in range(30)]
    places = digit.chosen(network)
    assert [row.label for row in rows] == labels[places].tolist()
    assert all(np.allclose(row.pixels / 255, images[place, 0]) for row, place in zip(rows, places, strict=True))
    read = [row.values["scores"].argmax() == row.label for row in rows]
    assert read == [True] * 20 + [False] * 10
    told = evaluate(network, (images, labels)).accuracy
    assert told == pytest.approx(stored()["test accuracy"]["in 8 bits"], abs=1e-4)


def test_every_photograph_is_a_square_in_three_channels():
    names, x = photographs.photographs()
    assert x.shape == (len(names), 3, 224, 224) and x.min() >= 0 and x.max() <= 1
    assert torch.equal(x[names.index("coffee")], torch.from_numpy(datasets.photo("coffee", 224)))
    page = x[names.index("page")]  # 191 pixels high: enlarged
    assert torch.equal(page[0], page[2]) and page.std() > 0.1


def test_a_width_is_that_of_the_square_that_holds_enough():
    shares = torch.zeros(9, 9)
    shares[4, 4], shares[4, 6], shares[0, 0] = 0.5, 0.3, 0.2
    assert [photographs.width(shares, part, 4) for part in (0.4, 0.7, 0.9)] == [1, 5, 9]


def test_what_forgets_is_a_copy_and_only_what_is_named():
    model = photographs.Viewer(efficientnet_lite0(pretrained=True))
    before = {name: values.clone() for name, values in model.state_dict().items()}
    x = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    twin = photographs.forgetful(model, ["features.8"], x, 0)
    assert all(torch.equal(values, before[name]) for name, values in model.state_dict().items())
    changed = {name for name, values in twin.state_dict().items() if not torch.equal(values, before[name])}
    assert changed and all(name.startswith("network.features.8.") for name in changed)
    # Its batch norm has measured what it now gets.
    maps = twin.network.features[:8](photographs.preprocess(x))
    found = twin.network.features[8][0](maps)
    assert torch.allclose(twin.network.features[8][1].running_mean, found.mean((0, 2, 3)), atol=1e-4)
    assert not any(part.training for part in twin.modules())


def test_the_photo_figures_network_is_the_pretrained_one_rounded():
    model = efficientnet_lite0(pretrained=True)
    data = (efficientnet.FOLDER / "network.bin").read_bytes()
    layers = photo.unpacked(data, model)
    assert photo.packed(layers) == data
    for (weight, bias), layer in zip(photo.folded(model), layers, strict=True):
        off = abs(weight.flatten(1).numpy() - layer.weights * layer.scales[:, None]) / layer.scales[:, None]
        most = 32767 if layer.wide else 127
        assert off[abs(layer.weights) < most].max() <= 0.505  # what is larger than the largest is cut off
        assert (abs(layer.weights) == most).mean() < 0.2
        assert np.allclose(layer.biases, bias, atol=1e-5)
    small_layer = photo.layer(*next(photo.folded(model)))
    assert np.array_equal(small_layer.weights, layers[0].weights)
    small = photo.rounded(model, layers)
    for sample, kept in efficientnet.stored()["samples"].items():
        name = sample.split()[-1]
        image = photo.view((efficientnet.FOLDER / f"{name}.jpg").read_bytes())
        scores = photo.scores(small, image)
        shares = scores.softmax(0)[[label for label, *_ in kept["likeliest"]]]
        assert shares.tolist() == pytest.approx([share for *_, share in kept["likeliest"]], abs=1e-4)
        assert scores.topk(5).values.tolist() == scores[[label for label, *_ in kept["likeliest"]]].tolist()
        label = kept["likeliest"][1][0]
        assert np.allclose(photo.heat(small, image, label).ravel(), kept["heat"][1], atol=0.06)


def test_the_photo_figures_loops_were_compiled_from_their_source():
    source = (efficientnet.FOLDER / "kernels.ts").read_bytes()
    assert hashlib.sha256(source).hexdigest() == efficientnet.stored()["kernels"]
