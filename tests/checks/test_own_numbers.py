"""Numbers of their own: what is drawn is honest, right answers are those of other means, mistakes keep their hints."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.signal import convolve2d, correlate2d
from scipy.stats import binom
from test_mistakes import EXERCISES
from torch import nn
from torch.nn import functional as F

from utils.checks import Exercise, Wrong
from utils.checks.calls import Call, snapshot
from utils.checks.hints import outcome
from utils.checks.own_numbers import Numbered, Numbers

DRAWS = 200
NUMBERED = {place: exercise for place, exercise in EXERCISES.items() if isinstance(exercise, Numbered)}


def shape_of(layer, *size):
    return tuple(layer(torch.zeros(1, *size, device="meta")).shape[1:])


def on_meta(make, *arguments, **settings):
    return make(*arguments, **settings, device="meta")


def weights(*layers):
    return sum(parameter.numel() for layer in layers for parameter in layer.parameters())


def borders(row):
    modes = ("constant", "reflect", "replicate", "circular")
    return [F.pad(torch.tensor([[row]]).float(), (2, 2), mode)[0, 0].numpy() for mode in modes]


def field(kernels, strides, paddings):
    """By the gradient: which pixels of a long row reach two neighbours in the middle, and where the first begins."""
    x = torch.zeros(1, 1, 900, requires_grad=True)
    out = x
    for k, s, p in zip(kernels, strides, paddings, strict=True):
        out = F.conv1d(out, torch.ones(1, 1, k), stride=s, padding=p)
    at = out.shape[-1] // 2
    reached = [torch.autograd.grad(out[0, 0, at + i], x, retain_graph=True)[0][0, 0].nonzero() for i in (0, 1)]
    (first, second), jump = [int(pixels[0]) for pixels in reached], int(reached[1][0] - reached[0][0])
    assert second - first == jump
    return len(reached[0]), jump, first - at * jump


def towers(kernels):
    one, two, three = kernels
    layers = nn.Conv2d(3, one, 11), nn.Conv2d(one, two, 5, groups=2), nn.Conv2d(two, three, 3)
    return [weights(layer) for layer in layers]


def written(side, channels):
    """What the layers of two stages write, added up as they run."""
    x, totals = torch.zeros(1, 3, side, side, device="meta"), []
    for many in channels:
        totals.append(0)
        for layer in (on_meta(nn.Conv2d, x.shape[1], many, 3, padding=1), on_meta(nn.Conv2d, many, many, 3, padding=1),
                      nn.MaxPool2d(2)):  # fmt: skip
            x = layer(x)
            totals[-1] += x.numel()
    return totals


def joined(reads, size, ones, inside, ends):
    x = torch.zeros(1, reads, size, size, device="meta")
    branches = [
        [(reads, ones, 1)],
        [(reads, inside[0], 1), (inside[0], ends[0], 3)],
        [(reads, inside[1], 1), (inside[1], ends[1], 5)],
        [(reads, ends[2], 1)],
    ]
    maps = []
    for number, branch in enumerate(branches):
        out = F.max_pool2d(x, 3, 1, 1) if number == 3 else x
        for c, k, f in branch:
            out = on_meta(nn.Conv2d, c, k, f, padding=f // 2)(out)
        maps.append(out)
    return tuple(torch.cat(maps, 1).shape[1:])


def gradients(weights, row, slopes):
    x, w = torch.tensor([[row]]).float().requires_grad_(), torch.tensor([[weights]]).float().requires_grad_()
    bias = torch.zeros(1, requires_grad=True)
    F.conv1d(x, w, bias).backward(torch.tensor([[slopes]]).float())
    return [x.grad[0, 0].numpy(), w.grad[0, 0].numpy(), bias.grad[0].numpy()]


def memory(images, channels, size, kernels):
    column = F.unfold(torch.zeros(1, channels, size, size, device="meta"), 3, padding=1, stride=2)
    return images * column.numel() * column.element_size()


def steps(images, batch, epochs):
    return sum(1 for _ in range(epochs) for _ in range(0, images, batch))


def conv(*arguments, **settings):
    return on_meta(nn.Conv2d, *arguments, **settings, bias=False)


# The right answers again, by PyTorch, SciPy, or counting.
AGAIN = {
    ("sizes", "shape"): lambda size, channels, kernels, kernel_size, stride, padding: shape_of(
        on_meta(nn.Conv2d, channels, kernels, kernel_size, stride, padding), channels, size, size
    ),
    ("sizes", "parameters"): lambda size, channels, kernels, kernel_size, stride, padding: weights(
        on_meta(nn.Conv2d, channels, kernels, kernel_size)
    ),
    ("convolution", "by_hand"): lambda image, kernel: correlate2d(image, kernel, "valid"),
    ("convolution", "borders"): borders,
    ("pooling", "shape"): lambda channels, size, kernel_size, padding: shape_of(
        nn.MaxPool2d(kernel_size, padding=padding), channels, size, size
    ),
    ("pooling", "by_hand"): lambda pixels: F.max_pool2d(torch.tensor([pixels]).float(), 3, 2, 1)[0].numpy(),
    ("transposed", "by_hand"): lambda image, kernel: convolve2d(image, kernel),
    ("transposed", "shape"): lambda channels, size, kernels, kernel_size, stride, padding, extra: shape_of(
        on_meta(nn.ConvTranspose2d, channels, kernels, kernel_size, stride, padding, extra), channels, size, size
    ),
    ("variants", "counts"): lambda channels, groups: [
        weights(conv(channels, channels, 3)),
        weights(conv(channels, channels, 1)),
        weights(conv(channels, channels, 3, groups=groups)),
        weights(conv(channels, channels, 3, groups=channels)),
        weights(conv(channels, channels, 3, groups=channels), conv(channels, channels, 1)),
    ],
    ("receptive_fields", "first_field"): field,
    ("learning", "by_hand"): gradients,
    ("learning", "memory"): memory,
    ("lenet", "steps"): steps,
    ("alexnet_vgg", "towers"): towers,
    ("alexnet_vgg", "written"): written,
    ("googlenet", "joined"): joined,
    ("googlenet", "heads"): lambda channels, side, classes: (
        weights(on_meta(nn.Linear, channels, classes)),
        weights(on_meta(nn.Linear, channels * side * side, classes)),
    ),
    ("resnet", "block"): lambda x, body: F.relu(torch.tensor(x) + torch.tensor(body)).numpy(),
    ("resnet", "weights"): lambda inside, channels: (
        weights(conv(inside, inside, 3), conv(inside, inside, 3)),
        weights(conv(channels, inside, 1), conv(inside, inside, 3), conv(inside, channels, 1)),
    ),
    ("borrowed", "learns"): lambda stages, channels, kinds: (
        weights(on_meta(nn.Linear, channels, kinds)),
        weights(on_meta(nn.Linear, channels, kinds)) + stages[-1],
    ),
    ("borrowed", "lucky"): lambda tries, pictures, right: 1 - binom.cdf(right - 1, pictures, 0.5) ** tries,
}


@cache
def drawn(place):
    exercise, rng = NUMBERED[place], np.random.default_rng(1)
    return [exercise.numbers.draw(rng) for _ in range(DRAWS)]


@pytest.mark.parametrize("place", NUMBERED, ids="-".join)
def test_the_sheet_has_the_text_word_for_word(place):
    (path,) = Path("exercises").glob(f"*_{place[0]}.ipynb")
    exercise = NUMBERED[place]
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "markdown"]
    text = exercise.numbers.text(exercise.sheets)
    assert sum("".join(cell["source"]).count(text) for cell in cells) == 1


@pytest.mark.parametrize("place", NUMBERED, ids="-".join)
def test_right_answers_are_those_of_other_means(place):
    exercise = NUMBERED[place]
    for numbers in [exercise.sheets, *drawn(place)]:
        assert not exercise.with_numbers(**numbers).fault((), Call(snapshot(AGAIN[place](**numbers))))


@pytest.mark.parametrize("place", NUMBERED, ids="-".join)
def test_every_mistake_keeps_its_own_hint_and_no_drawn_answer_is_the_sheets(place):
    exercise = NUMBERED[place]
    several = drawn(place)
    for numbers in several:
        made = exercise.with_numbers(**numbers)
        assert made.fault((), Call(exercise.reference()))
        for guess in made.guesses():
            call = outcome(guess.solution, ())
            assert made.fault((), call)
            assert made.hint([()], [call]) == guess.hint
    assert len({json.dumps(numbers) for numbers in several}) >= 10


def test_a_question_about_the_same_text_has_the_same_numbers():
    layer = EXERCISES["sizes", "shape"], EXERCISES["sizes", "parameters"]
    assert layer[0].numbers is layer[1].numbers


def test_what_does_not_fit_is_refused():
    shape = EXERCISES["sizes", "shape"]
    with pytest.raises(ValueError, match=r"shape has the numbers size, .* and no width"):
        shape.with_numbers(width=3)
    with pytest.raises(Wrong):
        shape.with_numbers(size=40).check(shape.reference())
    with pytest.raises(ValueError, match="output padding below the stride of 3"):
        EXERCISES["transposed", "shape"].with_numbers(extra=3)


def test_numbers_that_make_no_honest_task_are_not_drawn():
    numbers = Numbers("{n}", n=(3,))
    numbers(lambda n=3: Exercise("n", reference=lambda: n, mistakes={"one": lambda: n}))
    with pytest.raises(ValueError, match="no numbers make an honest task of"):
        numbers.draw(np.random.default_rng(1))
