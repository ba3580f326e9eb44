"""The exam questions that can be drawn: each a function of the numbers in its text, with the notebook's for defaults.

Their texts are those of ``questions.ipynb``; answers are computed, and so is what the usual mistakes lead to.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import torch
import torch.nn.functional as F

from utils.arithmetic import conv_macs, conv_output_size, conv_parameter_count, receptive_field
from utils.checks.exercise import Exercise
from utils.checks.own_numbers import Numbered, Numbers, grid

Rows = Sequence[Sequence[int]]
Key = list[tuple[str, Any]]  # each part of an answer, with what it is


def _matrices(*names: str) -> str:
    """A formula with a matrix for each of these names."""
    each = (rf"{name} = \begin{{{{pmatrix}}}} {{{name.lower()}}} \end{{{{pmatrix}}}}" for name in names)
    return "$$\n" + " \\quad\n".join(each) + "\n$$"


def _require(holds: bool, rule: str) -> None:
    """Refuse numbers that would make another question, or an easier or a harder one."""
    if not holds:
        raise ValueError(rule)


@Numbers(
    "An image has two channels, $A$ and $B$. A kernel has the slices $U$ for $A$ and $V$ for $B$, and the bias {bias}. "
    "A ReLU follows. There is no padding, and the stride is 1.\n\n"
    f"{_matrices('A', 'B')}\n\n{_matrices('U', 'V')}\n\nWhat comes out?",
    a=grid(3, 3, 0, 3),
    b=grid(3, 3, 0, 3),
    u=grid(2, 2, -2, 2),
    v=grid(2, 2, -2, 2),
    bias=range(-4, 0),
)
def two_channels(
    a: Rows = ((1, 0, 2), (3, 1, 0), (0, 2, 1)),
    b: Rows = ((0, 1, 1), (2, 0, 1), (1, 1, 0)),
    u: Rows = ((1, -1), (0, 2)),
    v: Rows = ((2, 0), (1, -1)),
    bias: int = -3,
) -> Exercise:
    """A kernel with two slices, its bias, a ReLU."""
    planes, slices = torch.tensor([a, b]).double(), torch.tensor([u, v]).double()

    def layer(kernels: torch.Tensor = slices, biases: int = 1, least: float = 0, early: float = -math.inf) -> Key:
        each = F.conv2d(planes[None], kernels[:, None], groups=2)[0]
        out = (each.clamp(min=early).sum(0) + biases * bias).clamp(min=least)
        return [("U on A", each[0]), ("V on B", each[1]), ("the output", out)]

    maps, out = torch.stack([part for _, part in layer()[:2]]), layer(least=-math.inf)[2][1]
    _require(bool((out < 0).any() and (out > 0).sum() >= 2), "the ReLU has something to do, and something is left")
    return Exercise(
        "1.1",
        reference=layer,
        mistakes={"left as two maps": lambda: [*layer()[:2], ("the output", (maps + bias).relu())]},
        slips={
            "the bias once for each channel": {"biases": 2},
            "no ReLU": {"least": -math.inf},
            "a ReLU on each slice before the sum": {"early": 0},
            "the kernel flipped": {"kernels": slices.flip(1, 2)},
        },
    )


@Numbers(
    "An image has {channels} channels, {rows} rows and {columns} columns. A layer has {kernels} kernels of {high} × "
    "{wide} (height × width), stride ({strides[0]}, {strides[1]}) and padding ({paddings[0]}, {paddings[1]}). What is "
    "the shape of its output? How many parameters does it have, and how many MACs does it do? Is there a row or a "
    "column of the image that no kernel reads?",
    channels=range(2, 6),
    rows=range(60, 121, 4),
    columns=range(40, 101, 4),
    kernels=range(12, 41, 4),
    high=(3, 5, 7),
    wide=(3, 5, 7),
    strides=lambda rng: rng.permutation([1, 2, 3, 4])[:2].tolist(),
    paddings=lambda rng: rng.permutation([0, 1, 2, 3])[:2].tolist(),
)
def not_square(
    channels: int = 3,
    rows: int = 100,
    columns: int = 60,
    kernels: int = 24,
    high: int = 5,
    wide: int = 3,
    strides: Sequence[int] = (3, 2),
    paddings: Sequence[int] = (2, 0),
) -> Exercise:
    """Shape, parameters and work of a layer, and what it does not read."""
    image, kernel = (rows, columns), (high, wide)
    ends = [(n + 2 * p - k) % s for n, k, s, p in zip(image, kernel, strides, paddings, strict=True)]
    unread = [max(0, over - p) for over, p in zip(ends, paddings, strict=True)]
    _require(high != wide and high >= strides[0] and wide >= strides[1], "not square, and no gaps between kernels")
    _require((unread[0] > 0) != (unread[1] > 0), "either rows or columns are left over")

    def layer(
        size: tuple[int, int] = kernel, sides: int = 2, started: int = 0, depth: int = channels, bias: bool = True
    ) -> Key:
        height, width = (
            conv_output_size(n + sides * p, k, s) for n, k, s, p in zip(image, size, strides, paddings, strict=True)
        )
        out = (height + started * (ends[0] > 0), width + started * (ends[1] > 0))
        return [
            ("shape", (kernels, *out)),
            ("parameters", conv_parameter_count(depth, kernels, size, bias=bias)),
            ("MACs", conv_macs(depth, kernels, size, out)),
            ("rows not read", unread[0]),
            ("columns not read", unread[1]),
        ]

    return Exercise(
        "2.1",
        reference=layer,
        slips={
            "a kernel's height and width exchanged": {"size": kernel[::-1]},
            "padding on one side only": {"sides": 1},
            "rounded up, not down": {"started": 1},
            "no biases": {"bias": False},
            "kernels that read one channel": {"depth": 1},
        },
    )


@Numbers(
    "A map is max-pooled with 3 × 3 windows and stride 1, without padding. Behind it arrives the gradient $G$.\n\n"
    f"{_matrices('X', 'G')}\n\n"
    "What comes out of the layer, and what is the gradient of $X$? What would the pixel in row 2, column 2 get if the "
    "layer took the mean?",
    x=grid(4, 4, 0, 9),
    g=lambda rng: rng.permutation(range(1, 7))[:4].reshape(2, 2).tolist(),
)
def forward_and_back(
    x: Rows = ((1, 5, 2, 0), (3, 4, 6, 1), (0, 2, 3, 7), (4, 1, 0, 2)), g: Rows = ((1, 2), (3, 4))
) -> Exercise:
    """A max pooling, its gradient, and one of a mean's."""
    leaf, behind = torch.tensor(x).double().requires_grad_(), torch.tensor(g).double()
    windows = F.unfold(leaf.detach()[None, None], 3)[0]
    _require(bool((windows == windows.amax(0)).sum() == 4), "no window has its maximum twice")
    out = F.max_pool2d(leaf[None], 3, 1)[0]
    (grad,) = torch.autograd.grad(out, leaf, behind)
    _require(int((grad != 0).sum()) == 2, "two pixels win two windows each, or one of them three")
    last, places = torch.zeros_like(grad), F.max_pool2d(leaf[None], 3, 1, return_indices=True)[1]
    for place, slope in zip(places.flatten().tolist(), behind.flatten().tolist(), strict=True):
        last.view(-1)[place] = slope

    def layer(back: torch.Tensor = grad, total: int = int(behind.sum()), share: int = 9) -> Key:
        return [
            ("the output", out.detach()),
            ("the gradient of X", back),
            ("row 2, column 2 under the mean", str(Fraction(total, share))),
        ]

    return Exercise(
        "3.1",
        reference=layer,
        slips={
            "overwritten instead of added": {"back": last},
            "under the mean only one window": {"total": int(behind[0, 0])},
            "under the mean the sum, not divided": {"share": 1},
            "under the mean divided by the four windows": {"share": 4},
        },
    )


@Numbers(
    "A picture of {columns} columns shows vertical stripes: the cosine with {cycles} cycles across the picture. A "
    "layer looks at it with a 1 × 1 kernel of weight 1 and stride 2. How many cycles do the {half} columns of its "
    "output show? What do they show if a kernel with the weights (1, 2, 1)/4 comes first, at stride 1, and how strong "
    "are the stripes then? Name two weights that, put first, would take out the stripes with {half} cycles altogether, "
    "and say what they leave of {cycles}.",
    columns=range(48, 129, 4),
    half=range(24, 65, 2),
    cycles=range(13, 57),
)
def stripes(columns: int = 64, half: int = 32, cycles: int = 26) -> Exercise:
    """What a stride makes of fine stripes, and two blurs."""
    _require(columns == 2 * half, "the output has half the columns")
    _require(half / 2 < cycles <= half * 7 / 8, "the output cannot show so many, and each blur leaves something")
    angle = math.pi * cycles / columns

    def picture(shown: int = half - cycles, blur: float = (1 + math.cos(2 * angle)) / 2) -> Key:
        return [
            ("cycles in the output, before and after the blur", shown),
            ("what (1, 2, 1)/4 leaves", round(blur, 3)),
            ("what two equal weights, (1, 1)/2, leave", round(abs(math.cos(angle)), 3)),
        ]

    return Exercise(
        "3.4",
        reference=picture,
        slips={
            "as many cycles as before": {"shown": cycles},
            "half as many cycles": {"shown": cycles / 2},
            "the most that the output can show": {"shown": half / 2},
            "the blur of the stripes in the output": {"blur": (1 + math.cos(4 * angle)) / 2},
        },
    )


@Numbers(
    "A convolution with the weights ({weights[0]}, {weights[1]}), bias {bias} and stride 2 reads the row ({row[0]}, "
    "{row[1]}, {row[2]}, {row[3]}, {row[4]}). The loss is $L = \\tfrac{{1}}{{2}} \\sum_i y_i^2$. Compute the outputs, "
    "the gradients of the weights, of the bias and of the row, and the weights after one step of gradient descent with "
    "rate {rate}. Why is one number of the row's gradient 0?",
    weights=lambda rng: rng.integers(-3, 4, 2).tolist(),
    bias=range(-2, 3),
    row=lambda rng: rng.integers(-3, 5, 5).tolist(),
    rate=(0.01, 0.02, 0.1),
)
def one_step(
    weights: Sequence[int] = (2, 1), bias: int = 0, row: Sequence[int] = (1, 3, 2, -1, 2), rate: float = 0.01
) -> Exercise:
    """Forward, back, and a step."""

    def step(down: float = -1, stride: int = 2, turned: bool = False, plain: bool = False) -> Key:
        x, w, b = (torch.tensor(one).double().requires_grad_() for one in (row, weights, [bias]))
        y = F.conv1d(x[None], w.flip(0)[None, None] if turned else w[None, None], b, stride)
        dw, db, dx = torch.autograd.grad(y.sum() if plain else y.square().sum() / 2, (w, b, x))
        return [
            ("outputs", y.detach()[0]),
            ("gradient of the weights", dw),
            ("gradient of the bias", int(db)),
            ("gradient of the row", dx),
            ("new weights", (w + down * rate * dw).detach()),
        ]

    _, (_, dw), (_, db), (_, dx), _ = step()
    _require(int((dx == 0).sum()) == 1 and bool(dw.all()) and db != 0, "the last pixel alone has no gradient")
    return Exercise(
        "5.1",
        reference=step,
        slips={
            "the stride left out": {"stride": 1},
            "1 for the gradient of the outputs": {"plain": True},
            "the step uphill": {"down": 1},
            "the kernel flipped": {"turned": True},
        },
    )


_LAYERS = ", ".join(f"({{kernels[{n}]}}, {{strides[{n}]}}, {{paddings[{n}]}})" for n in range(5))


@Numbers(
    f"Along one axis, as (kernel, stride, padding): {_LAYERS}. Work out size, jump and start of the field after each "
    "layer. Which pixels does the last layer's unit number {unit} see, counted from 0?",
    kernels=lambda rng: [int(rng.choice([5, 7, 9])), *rng.choice([3, 3, 5], 4).tolist()],
    strides=lambda rng: [2, *rng.permutation([1, 1, 2, 2]).tolist()],
    paddings=lambda rng: rng.integers(0, 4, 5).tolist(),
    unit=range(6, 16),
)
def stem(
    kernels: Sequence[int] = (7, 3, 3, 3, 3),
    strides: Sequence[int] = (2, 2, 1, 2, 1),
    paddings: Sequence[int] = (3, 1, 1, 1, 1),
    unit: int = 10,
) -> Exercise:
    """Receptive fields layer by layer, and the pixels of one unit."""
    layers = list(zip(kernels, strides, paddings, strict=True))
    right = [tuple(receptive_field(layers[: n + 1])) for n in range(5)]
    _require(all(p <= k // 2 for k, _, p in layers), "no more padding than half a kernel")
    _require(right[-1][2] + unit * right[-1][1] >= 0, "the unit sees pixels, not padding")

    def fields(rows: Sequence[Sequence[int]] = right, over: int = 0) -> Key:
        size, jump, start = rows[-1]
        first = start + unit * jump
        return [("size, jump, start", rows), ("first and last pixel", (first, first + size - 1 + over))]

    def chain(early: bool = False, still: bool = False) -> list[tuple[int, int, int]]:
        rows = [(1, 1, 0)]
        for k, s, p in layers:
            size, jump, start = rows[-1]
            rows.append((size + (k - 1) * jump * (s if early else 1), jump * s, start - p * (1 if still else jump)))
        return rows[1:]

    return Exercise(
        "10.1",
        reference=fields,
        slips={
            "a layer's own stride counted in its size": {"rows": chain(early=True)},
            "the padding not multiplied by the jump": {"rows": chain(still=True)},
            "the last pixel one too far": {"over": 1},
        },
    )


QUESTIONS: dict[str, Numbered] = {
    exercise.name: exercise for exercise in (two_channels, not_square, forward_and_back, stripes, one_step, stem)
}
