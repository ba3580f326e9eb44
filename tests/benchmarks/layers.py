"""The NumPy layers against torch's, chosen ones and others by lot; conv2d against two other ways to write it.

One thread, float32, no bias. Two calls take turns in blocks: a block's time is the median of its calls, a ratio the
median over the rounds, so that a slow moment of the machine meets both sides or is left out. Results that fill
megabytes include what the system takes to hand out that memory, as they do for a user.
"""

import os

# NumPy's BLAS reads these when it is imported.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import math
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import numpy as np
import torch
import torch.nn.functional as F
from numpy.lib.stride_tricks import as_strided

from utils import functional

CHAPTER = Path(__file__).parents[2] / "chapters" / "01_convolution.ipynb"
ROUNDS, BLOCK_SECONDS = 9, 0.08
DENSE = {  # input, weight, arguments
    "3 → 10, 5 × 5, on 32²": ((1, 3, 32, 32), (10, 3, 5, 5), {"padding": 2}),
    "64 → 64, 3 × 3, on 8 × 56²": ((8, 64, 56, 56), (64, 64, 3, 3), {"padding": 1}),
    "3 → 64, 7 × 7, stride 2, on 224²": ((1, 3, 224, 224), (64, 3, 7, 7), {"padding": 3, "stride": 2}),
    "256 → 256, 1 × 1, on 14²": ((1, 256, 14, 14), (256, 256, 1, 1), {}),
}
DEPTHWISE = {
    "depthwise 128, 3 × 3, on 28²": ((1, 128, 28, 28), (128, 1, 3, 3), {"padding": 1, "groups": 128}),
    "depthwise 64, 3 × 3, on 8 × 56²": ((8, 64, 56, 56), (64, 1, 3, 3), {"padding": 1, "groups": 64}),
}
LARGE = {
    "8 → 8, 31 × 31, on 64²": ((1, 8, 64, 64), (8, 8, 31, 31), {"padding": 15}),
    "depthwise 64, 31 × 31, on 56²": ((1, 64, 56, 56), (64, 1, 31, 31), {"padding": 15, "groups": 64}),
}
TRANSPOSED = {
    "64 → 64, 4 × 4, stride 2, on 8 × 28²": ((8, 64, 28, 28), (64, 64, 4, 4), {"stride": 2, "padding": 1}),
    "128 → 64, 2 × 2, stride 2, on 14²": ((1, 128, 14, 14), (128, 64, 2, 2), {"stride": 2}),
    "16 → 3, 5 × 5, on 56²": ((1, 16, 56, 56), (16, 3, 5, 5), {"padding": 2}),
}
POOLED = {
    "2 × 2, on 8 × 64 × 56²": ((8, 64, 56, 56), {"kernel_size": 2}),
    "3 × 3, stride 2, on 64 × 112²": ((1, 64, 112, 112), {"kernel_size": 3, "stride": 2, "padding": 1}),
}
DRAWN = (1, 256), (1, 256), (7, 224), (1, 16)  # channels in and out, size, batch: each order of magnitude as likely
TITLE = f"{'NumPy ms':>10}{'torch ms':>10}{'ratio':>9}"
rng = np.random.default_rng(0)


def drawn(count: int, seed: int = 0) -> dict:
    """Layers as they may come: channels, kernels, sizes, batches, strides and groups drawn by lot."""
    lot, found = random.Random(seed), {}
    while len(found) < count:
        c, k, size, n = (round(math.exp(lot.uniform(0, math.log(most / least))) * least) for least, most in DRAWN)
        kernel, stride, padded = lot.randint(1, 7), lot.choice((1, 1, 2)), lot.random() < 0.5
        groups = lot.choice([each for each in (2, 4, 8, c) if c % each == 0] or [1]) if lot.random() < 0.2 else 1
        k, padding = max(groups, k // groups * groups), kernel // 2 if padded else 0
        side = (size + 2 * padding - kernel) // stride + 1
        work = n * k * (c // groups) * (kernel * side) ** 2
        if side < 1 or not 1e5 <= work <= 1e9 or max(n * c * size**2, n * k * side**2) > 4e6:
            continue
        name = f"{n}: {c} → {k}, {kernel}², s {stride}, p {padding}, g {groups}, on {size}²"
        found[name] = (
            (n, c, size, size),
            (k, c // groups, kernel, kernel),
            {"stride": stride, "padding": padding, "groups": groups},
        )
    return found


def compare(name: str, *calls: Callable[[], object]) -> float:
    """Print the median milliseconds of two calls; return how many times longer the first takes, median over rounds."""
    blocks: list[list[float]] = []
    for _ in range(ROUNDS + 1):
        for call in calls:
            taken = []
            end = time.perf_counter() + BLOCK_SECONDS
            while (start := time.perf_counter()) < end:
                call()
                taken.append(time.perf_counter() - start)
            blocks.append(1e3 * statistics.median(taken))
    first, second = blocks[2::2], blocks[3::2]  # the first round only warms up
    ratio = statistics.median(one / other for one, other in zip(first, second, strict=True))
    print(f"{name:40}{statistics.median(first):10.3f}{statistics.median(second):10.3f}{ratio:9.2f}", flush=True)
    return ratio


def draw(*shapes: tuple[int, ...]) -> tuple[list[np.ndarray], list[torch.Tensor]]:
    """Random arrays of these shapes, and tensors on the same memory."""
    arrays = [rng.standard_normal(shape, dtype=np.float32) for shape in shapes]
    return arrays, [torch.from_numpy(array) for array in arrays]


def forward(shapes: dict, ours: Callable, theirs: Callable) -> list[float]:
    """Compare a layer with torch's on some shapes."""
    ratios = []
    for name, (*sizes, arguments) in shapes.items():
        arrays, tensors = draw(*sizes)
        with torch.inference_mode():
            ratios.append(compare(name, lambda: ours(*arrays, **arguments), lambda: theirs(*tensors, **arguments)))  # noqa: B023  # called at once
    return ratios


def backward(shapes: dict) -> list[float]:
    """Compare conv2d's gradients of input, weight and bias with autograd's."""
    ratios = []
    for name, (size, kernel, arguments) in shapes.items():
        (x, weight, _), tensors = draw(size, kernel, kernel[:1])
        out = F.conv2d(*(tensor.requires_grad_() for tensor in tensors), **arguments)
        (grad,), (upstream,) = draw(tuple(out.shape))
        ratios.append(
            compare(
                name,
                lambda: functional.conv2d_backward(grad, x, weight, **arguments),  # noqa: B023
                lambda: torch.autograd.grad(out, tensors, upstream, retain_graph=True),  # noqa: B023
            )
        )
    return ratios


def loops() -> Callable[..., np.ndarray]:
    """The function that chapter 01 writes out, from its cell."""
    cells = nbformat.read(CHAPTER, as_version=4).cells
    (cell,) = [cell for cell in cells if "loops" in cell.metadata.get("tags", [])]
    names = {"np": np}
    exec(cell.source, names)
    return names["conv_layer"]


def whole_batch(x: np.ndarray, weight: np.ndarray, padding: int = 0, stride: int = 1) -> np.ndarray:
    """A convolution as courses teach it: strided columns of the whole batch, one product, axes put back."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    (n, c, height, width), (k, _, r, s) = x.shape, weight.shape
    p, q = (height - r) // stride + 1, (width - s) // stride + 1
    image, channel, row, column = x.strides
    strides = (channel, row, column, image, stride * row, stride * column)
    columns = np.ascontiguousarray(as_strided(x, (c, r, s, n, p, q), strides)).reshape(c * r * s, n * p * q)
    return np.ascontiguousarray((weight.reshape(k, -1) @ columns).reshape(k, n, p, q).transpose(1, 0, 2, 3))


def verdicts(*lines: tuple[str, float, str, float]) -> None:
    """Say which targets are met: (what, value, "<" or ">", target)."""
    print()
    for what, value, sense, target in lines:
        ok = value <= target if sense == "<" else value >= target
        print(f"{what:40}{value:20,.2f} ×   {'PASS' if ok else 'over'} (target {sense} {target:,} ×)")


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    print(f"{'conv2d':40}{TITLE}")
    dense = forward(DENSE, functional.conv2d, F.conv2d)
    depthwise = forward(DEPTHWISE, functional.conv2d, F.conv2d)
    print(f"\n{'fft_conv2d against torch.conv2d':40}{TITLE}")
    large = forward(LARGE, functional.fft_conv2d, F.conv2d)
    print(f"\n{'gradients of conv2d':40}{TITLE}")
    gradients, thin = backward(DENSE), backward(DEPTHWISE)
    layers = drawn(30)
    dense_layers = {name: layer for name, layer in layers.items() if layer[2]["groups"] == 1}
    print(f"\n{'conv2d on 30 layers drawn by lot':40}{TITLE}")
    lots = dict(zip(layers, forward(layers, functional.conv2d, F.conv2d), strict=True))
    print(f"\n{'its gradients, where dense':40}{TITLE}")
    gradient_lots = backward(dense_layers)
    print(f"\n{'conv_transpose2d':40}{TITLE}")
    transposed = forward(TRANSPOSED, functional.conv_transpose2d, F.conv_transpose2d)
    print(f"\n{'max_pool2d with indices':40}{TITLE}")
    pooled = forward(
        POOLED,
        lambda x, **more: functional.max_pool2d(x, return_indices=True, **more),
        lambda x, **more: F.max_pool2d(x, return_indices=True, **more),
    )
    print(f"\n{'conv2d against other ways to write it':40}{'other ms':>10}{'conv2d ms':>10}{'ratio':>9}")
    (x, weight, bias), _ = draw((1, 3, 32, 32), (10, 3, 5, 5), (10,))
    padded, conv_layer = np.pad(x, ((0, 0), (0, 0), (2, 2), (2, 2))), loops()
    slow = compare(
        "the chapter's loops, 3 → 10, 5 × 5",
        lambda: conv_layer(padded, weight, bias),
        lambda: functional.conv2d(x, weight, bias, padding=2),
    )
    taught = []
    for name, (size, kernel, arguments) in DENSE.items():
        (x, weight), _ = draw(size, kernel)
        calls = [lambda way=way: way(x, weight, **arguments) for way in (whole_batch, functional.conv2d)]  # noqa: B023
        taught.append(compare(f"columns of the whole batch, {name}"[:39], *calls))

    verdicts(
        ("conv2d, dense, geometric mean", statistics.geometric_mean(dense), "<", 1.3),
        ("conv2d, dense, the worst", max(dense), "<", 1.75),
        ("drawn, dense, geometric mean", statistics.geometric_mean(lots[name] for name in dense_layers), "<", 1.1),
        ("drawn, dense, the worst", max(lots[name] for name in dense_layers), "<", 1.5),
        ("drawn, gradients, geometric mean", statistics.geometric_mean(gradient_lots), "<", 1.2),
        ("conv2d, depthwise, the worse", max(depthwise), "<", 3.5),
        ("31 × 31 by FFT, the worse", max(large), "<", 0.35),
        ("gradients, dense, the worst", max(gradients), "<", 1.6),
        ("gradients, depthwise, the worse", max(thin), "<", 2.6),
        ("conv_transpose2d, the worst", max(transposed), "<", 2),
        ("max_pool2d with indices, the worse", max(pooled), "<", 1.15),
        ("faster than the loops", slow, ">", 1000),
        ("faster than whole-batch columns", statistics.geometric_mean(taught), ">", 1.2),
    )


if __name__ == "__main__":
    main()
