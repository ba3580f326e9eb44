"""The training loop: that it learns, can be repeated, and leaves everything else alone."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from utils.datasets import digits
from utils.training import evaluate, fit


def data(count=400, start=0):
    images, labels = digits()
    return torch.from_numpy(images[start : start + count]), torch.from_numpy(labels[start : start + count])


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 10))


def test_it_learns_and_says_how():
    model = network()
    history = fit(model, data(), data(200, 400), epochs=12, optimizer=torch.optim.Adam(model.parameters(), lr=5e-3))
    assert [len(numbers) for numbers in history] == [12] * 4
    assert history.loss[-1] < history.loss[0] / 2
    assert history.accuracy[0] < 0.5 < 0.8 < history.accuracy[-1]
    examination = evaluate(model, data(200, 400))
    assert 0.8 < history.validation_accuracy[-1] == examination.accuracy
    assert history.validation_loss[-1] == examination.loss
    assert [len(numbers) for numbers in fit(model, data(), epochs=1)] == [1, 1, 0, 0]


def test_a_whole_batch_says_what_the_network_before_it_would():
    model = network()
    model[3] = nn.Identity()
    before = evaluate(model, data(30))
    history = fit(model, data(30), epochs=1, batch_size=30)
    assert history.loss == [pytest.approx(before.loss)]
    assert history.accuracy == [before.accuracy]


def test_the_scheduler_steps_after_every_batch():
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))
    fit(model, data(45), epochs=2, batch_size=15, optimizer=optimizer, scheduler=scheduler)
    assert scheduler.get_last_lr() == [pytest.approx(1 / 7)]


@pytest.mark.parametrize(("epochs", "ran"), [(60, None), (3, 3)])
def test_it_stops_early_and_keeps_the_best(epochs, ran):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    watched = data(200, 1000)
    history = fit(model, data(40), watched, epochs=epochs, batch_size=8, optimizer=optimizer, patience=2)
    best = min(history.validation_loss)
    assert evaluate(model, watched).loss == best
    assert len(history.loss) == ran or len(history.loss) == history.validation_loss.index(best) + 1 + 2 < epochs


def test_without_patience_it_keeps_the_last():
    model = network()
    history = fit(model, data(40), data(200, 1000), epochs=20, batch_size=8)
    assert evaluate(model, data(200, 1000)).loss == history.validation_loss[-1]


@pytest.mark.parametrize(("count", "sizes"), [(21, [10, 11]), (22, [10, 10, 2]), (20, [10, 10]), (1, [1])])
def test_a_last_batch_of_one_joins_the_one_before(count, sizes):
    model, seen = network(), []
    model.register_forward_hook(lambda model, inputs, output: seen.append(len(output)))
    fit(model, data(count), epochs=1, batch_size=10)
    assert seen == sizes


def test_batch_normalisation_meets_no_single_image():
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 10))
    assert np.isfinite(fit(model, data(101), epochs=2, batch_size=50).loss).all()


def test_the_seed_decides_and_nothing_else():
    weights = []
    for seed, noise in ((1, 0), (1, 5), (2, 0)):
        model = network()
        torch.rand(noise)
        fit(model, data(), epochs=2, seed=seed)
        weights.append(model[1].weight.detach().clone())
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_the_callers_random_numbers_go_on():
    torch.manual_seed(3)
    expected = torch.rand(2)
    model = network()
    torch.manual_seed(3)
    fit(model, data(50), epochs=1)
    assert torch.equal(torch.rand(2), expected)


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_stays(training):
    model = network().train(training)
    fit(model, data(50), data(50), epochs=1)
    assert model.training is training
    evaluate(model, data(50))
    assert model.training is training


def test_one_batch_of_plain_gradient_descent_is_one_step():
    model, images, labels = nn.Sequential(nn.Flatten(), nn.Linear(64, 10)), *data(30)
    before = model[1].weight.detach().clone()
    F.cross_entropy(model(images), labels).backward()
    expected = before - 0.5 * model[1].weight.grad
    fit(model, (images, labels), epochs=1, batch_size=30, optimizer=torch.optim.SGD(model.parameters(), lr=0.5))
    torch.testing.assert_close(model[1].weight.detach(), expected)


def test_examination_is_what_it_says_whatever_the_batch():
    model, (images, labels) = network(), data(100)
    whole, parts = evaluate(model, (images, labels)), evaluate(model, (images, labels), batch_size=7)
    model.eval()
    scores = model(images)
    assert whole.loss == pytest.approx(F.cross_entropy(scores, labels).item())
    assert whole.accuracy == np.mean(scores.argmax(1).numpy() == labels.numpy())
    assert torch.equal(whole.predicted, parts.predicted)
    assert whole.loss == pytest.approx(parts.loss)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x, y: fit(network(), (x, y[1:])), "every image needs one label, got 20 images and 19 labels"),
        (lambda x, y: evaluate(network(), (x[:0], y[:0])), "at least one image, got none"),
        (lambda x, y: fit(network(), (x, y), epochs=-1), "epochs must be at least 0, got -1"),
        (lambda x, y: fit(network(), (x, y), batch_size=0), "batch_size must be at least 1, got 0"),
        (lambda x, y: fit(network(), (x, y), patience=3), "needs validation images, got a patience of 3 and no images"),
        (lambda x, y: fit(network(), (x, y), (x, y), patience=0), "patience must be at least 1, got 0"),
        (lambda x, y: evaluate(network(), (x, y), batch_size=2.5), "batch_size must be an integer, got 2.5"),
    ],
)
def test_bad_arguments_name_the_rule_and_the_value(call, message):
    with pytest.raises(ValueError, match=message):
        call(*data(20))


GIVEN = torch.rand(4, 1, 2, 2), torch.tensor([0, 1, 0, 1])


def classifier(after=lambda y: y, classes=2):
    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(4, classes)

        def forward(self, x):
            return after(self.head(x.flatten(1)))

    return Classifier()


@pytest.mark.parametrize(
    ("model", "data", "message"),
    [
        (classifier(), (GIVEN[0].numpy(), GIVEN[1]), "images and labels must be tensors, got ndarray and Tensor"),
        (classifier(), (GIVEN[0].byte(), GIVEN[1]), "images must be of floating point, got torch.uint8"),
        (classifier(), (GIVEN[0] * torch.nan, GIVEN[1]), "every number of the images must be finite"),
        (
            classifier(),
            (GIVEN[0], GIVEN[1].float()),
            r"labels must be \(N,\) of torch.int64, got \(4,\) of torch.float32",
        ),
        (classifier(), (GIVEN[0], GIVEN[1][:, None]), r"labels must be \(N,\) of torch.int64, got \(4, 1\)"),
        (classifier(), (GIVEN[0], GIVEN[1] + 1), "labels must lie in 0 … 1, got 1 … 2"),
        (classifier(lambda y: (y, y)), GIVEN, r"scores \(N, classes\), got tuple"),
        (classifier(lambda y: y[:, 0]), GIVEN, r"scores \(N, classes\), got \(4,\)"),
    ],
)
def test_what_cannot_be_learned_is_named(model, data, message):
    for way in (fit, evaluate):
        with pytest.raises(ValueError, match=message):
            way(model, data)
    assert model.training
