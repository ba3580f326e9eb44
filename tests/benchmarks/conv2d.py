"""functional.conv2d against torch, and against the loops of chapter 01: `make bench` prints the table.

One thread, float32, no bias. The two take turns in blocks of calls: a block's time is the median of its calls, a ratio
the median over the rounds, so that a slow moment of the machine meets both sides or is left out. Results that fill
megabytes include what the system takes to hand out that memory, as they do for a user.
"""

import os

# NumPy's BLAS reads these when it is imported.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import math
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import numpy as np
import torch

from utils.functional import conv2d

CHAPTER = Path(__file__).parents[2] / "chapters" / "01_convolution.ipynb"
ROUNDS, BLOCK_SECONDS = 9, 0.1
DENSE, DEPTHWISE, LOOPS = 1.3, 3.5, 1000
SHAPES = {  # input, weight, arguments
    "3 → 10, 5 × 5, on 32²": ((1, 3, 32, 32), (10, 3, 5, 5), {"padding": 2}),
    "64 → 64, 3 × 3, on 8 × 56²": ((8, 64, 56, 56), (64, 64, 3, 3), {"padding": 1}),
    "3 → 64, 7 × 7, stride 2, on 224²": ((1, 3, 224, 224), (64, 3, 7, 7), {"padding": 3, "stride": 2}),
    "256 → 256, 1 × 1, on 14²": ((1, 256, 14, 14), (256, 256, 1, 1), {}),
    "depthwise 128, 3 × 3, on 28²": ((1, 128, 28, 28), (128, 1, 3, 3), {"padding": 1, "groups": 128}),
    "depthwise 64, 3 × 3, on 8 × 56²": ((8, 64, 56, 56), (64, 1, 3, 3), {"padding": 1, "groups": 64}),
}


def compare(*calls: Callable[[], object]) -> tuple[float, float, float]:
    """Median milliseconds of two calls, and the median over the rounds of how many times longer the first takes."""
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
    ratios = [one / other for one, other in zip(first, second, strict=True)]
    return statistics.median(first), statistics.median(second), statistics.median(ratios)


def loops() -> Callable[..., np.ndarray]:
    """The function that the chapter writes out, from its cell."""
    cells = nbformat.read(CHAPTER, as_version=4).cells
    (cell,) = [cell for cell in cells if "loops" in cell.metadata.get("tags", [])]
    names = {"np": np}
    exec(cell.source, names)
    return names["conv_layer"]


def verdict(what: str, value: float, target: float, ok: bool) -> str:
    """A line that says whether a target is met."""
    return f"{what:<36}{value:>29,.2f} ×   {'PASS' if ok else 'over'} (target {target:,} ×)"


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    ratios = {}
    print(f"{'one thread, float32, medians':36}{'NumPy ms':>10}{'torch ms':>10}{'ratio':>9}")
    with torch.inference_mode():
        for name, (size, kernel, arguments) in SHAPES.items():
            x, weight = (rng.standard_normal(shape, dtype=np.float32) for shape in (size, kernel))
            tensors = torch.from_numpy(x), torch.from_numpy(weight)
            ours, theirs, ratios[name] = compare(
                lambda x=x, weight=weight, more=arguments: conv2d(x, weight, **more),
                lambda tensors=tensors, more=arguments: torch.nn.functional.conv2d(*tensors, **more),
            )
            print(f"{name:36}{ours:10.3f}{theirs:10.3f}{ratios[name]:9.2f}")

    size, kernel, arguments = next(iter(SHAPES.values()))
    x, weight = (rng.standard_normal(shape, dtype=np.float32) for shape in (size, kernel))
    side = arguments["padding"]
    padded = np.pad(x, ((0, 0), (0, 0), (side, side), (side, side)))
    conv_layer, no_bias = loops(), np.zeros(len(weight))
    slow, fast, faster = compare(lambda: conv_layer(padded, weight, no_bias), lambda: conv2d(x, weight, **arguments))
    print(f"{'the loops, on the first shape':36}{fast:10.3f}{'':10}  loops: {slow:.0f} ms")

    dense = math.prod(ratio for name, ratio in ratios.items() if "depthwise" not in name) ** 0.25
    depthwise = max(ratio for name, ratio in ratios.items() if "depthwise" in name)
    print()
    print(verdict("dense, geometric mean", dense, DENSE, dense <= DENSE))
    print(verdict("depthwise, the worse", depthwise, DEPTHWISE, depthwise <= DEPTHWISE))
    print(verdict("faster than the loops", faster, LOOPS, faster >= LOOPS))


if __name__ == "__main__":
    main()
