"""Looking into a network: its feature maps, the pixels that a score hangs on, the images that excite a unit.

A layer goes by its name in ``model.named_modules()``. Every function runs the model in evaluation mode and leaves it
as it was: mode, parameters, their gradients, hooks. The caller's random numbers and ``x`` stay untouched as well.
``ValueError`` if ``x`` is no tensor, of another dtype than the model's, or has NaN.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from textwrap import shorten
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utils.arithmetic import integer


class TopExamples(NamedTuple):
    """The images that excite a channel most: how much (k,), which (k,), at which row and column of its map (k, 2)."""

    values: Tensor
    indices: Tensor
    positions: Tensor


def feature_maps(model: nn.Module, x: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
    """What each of ``layers`` puts out for the batch ``x``, by name.

    It is the layer's own output, even where a later layer works in place, as ``nn.ReLU(inplace=True)`` does; of a layer
    that is called more than once, the last one. ``ValueError`` if there is no such layer or ``x`` does not reach it.
    """
    if isinstance(layers, str):
        raise ValueError(f"layers must be a list of names, such as [{layers!r}], got the text {layers!r}")
    x = _images(model, x)
    with _watched(model, layers) as found, torch.no_grad():
        model(x.detach().clone())
    return {name: _reached(found, name) for name in layers}


def top_examples(model: nn.Module, x: Tensor, layer: str, channel: int, k: int = 9) -> TopExamples:
    """The ``k`` images of ``x`` in which the largest value of a channel is largest, and where on its map that is.

    A layer without a map, (N, C), counts as a map of 1 × 1. ``ValueError`` if there is no such layer or channel, and
    if there are fewer images.
    """
    x = _images(model, x)
    if integer("k", k, 1) > len(x):
        raise ValueError(f"k must lie in 1 … {len(x)}, the number of images, got {k}")
    parts = []
    with _watched(model, [layer]) as found, torch.no_grad():
        for batch in x.split(500):
            model(batch.detach().clone())
            parts.append(_channel(found, layer, channel))
    maps = torch.cat(parts)
    peaks, places = maps.flatten(1).max(1)
    values, indices = peaks.topk(k)
    rows, columns = places[indices] // maps.shape[2], places[indices] % maps.shape[2]
    return TopExamples(values, indices, torch.stack([rows, columns], 1))


def saliency(model: nn.Module, x: Tensor, target: int | Tensor) -> Tensor:
    """The gradient of the score of class ``target`` with respect to every pixel, in the shape of ``x``.

    ``target`` is one class, or one for each image (N,). ``ValueError`` if the model has no such class.
    """
    with _watched(model, []):
        leaf = _images(model, x).detach().clone().requires_grad_()
        return _gradient(_scores(model, leaf, target).sum(), leaf, "the pixels")


def occlusion(
    model: nn.Module, x: Tensor, target: int | Tensor, *, size: int, stride: int = 1, value: float = 0.5
) -> Tensor:
    """How much the score of class ``target`` falls when a square hides a pixel (Zeiler & Fergus 2014): (N, H, W).

    The square of ``size`` × ``size`` pixels is filled with ``value`` and moved by ``stride``, as far as the borders;
    a pixel gets the mean over the squares that hide it. ``ValueError`` if the square is larger than the images, if a
    stride larger than ``size`` would leave pixels out, and if the model has no such class.
    """
    x, size, stride = _images(model, x, maps=True), integer("size", size, 1), integer("stride", stride, 1)
    height, width = x.shape[-2:]
    if size > min(height, width) or stride > size:
        raise ValueError(f"need stride ≤ size ≤ the image's sides, got {stride}, {size} and {height} × {width}")
    rows, columns = ([*range(0, side - size, stride), side - size] for side in (height, width))
    with _watched(model, []), torch.no_grad():
        fall, hidden = x.new_zeros(len(x), height, width), x.new_zeros(height, width)
        before = _scores(model, x.detach().clone(), target)
        for i, j in itertools.product(rows, columns):
            place = (..., slice(i, i + size), slice(j, j + size))
            covered = x.detach().clone()
            covered[place] = value
            fall[place] += (before - _scores(model, covered, target))[:, None, None]
            hidden[place] += 1
    return fall / hidden


def grad_cam(model: nn.Module, x: Tensor, layer: str, target: int | Tensor) -> Tensor:
    """Grad-CAM (Selvaraju et al. 2017): the heat (N, H, W) by which places of ``layer`` raise the score of ``target``.

    The layer's channels are added up, each times the mean of its gradient over all places; what is negative becomes
    zero; and the map is enlarged, bilinearly, to the size of ``x``. It is not scaled. ``ValueError`` if there is no
    such layer or class, if the layer has no map (N, C, H, W), and if the score does not depend on it.
    """
    with _watched(model, [layer]) as found:
        score = _scores(model, _images(model, x, maps=True).detach().clone().requires_grad_(), target).sum()
        maps = _reached(found, layer)
        if maps.ndim != 4:
            raise ValueError(f"layer {layer!r} must have a map (N, C, H, W), but its output is {tuple(maps.shape)}")
        gradient = _gradient(score, maps, f"layer {layer!r}")
    weights = gradient.mean((2, 3), keepdim=True)
    heat = (weights * maps.detach()).sum(1, keepdim=True).relu()
    return F.interpolate(heat, size=x.shape[-2:], mode="bilinear")[:, 0]


def maximise(
    model: nn.Module,
    input_size: Sequence[int],
    layer: str,
    channel: int,
    *,
    steps: int = 100,
    step_size: float = 0.05,
    jitter: int = 0,
    blur: float = 0.0,
    seed: int = 0,
) -> Tensor:
    """An image (C, H, W) of ``input_size``, from 0 to 1, that excites a channel: gradient ascent from gray noise.

    What rises is the mean of the channel over its map. Each step changes the pixels by ``step_size`` in the root mean
    square and cuts them off at 0 and 1. Two regularisers, off unless asked for: before a step the image is rolled by
    up to ``jitter`` pixels along each axis, and after it every pixel is drawn to the mean of the 3 × 3 around it,
    ``blur`` of the way. ``seed`` decides the noise and the rolls. ``ValueError`` if there is no such layer or channel,
    and if the channel has no gradient at the noise, as behind a ReLU that is shut: take the layer before it.
    """
    generator = torch.Generator().manual_seed(seed)
    jitter, steps = integer("jitter", jitter, 0), integer("steps", steps, 0)
    if not 0 <= blur <= 1:
        raise ValueError(f"blur must lie in 0 … 1, got {blur}")
    if isinstance(input_size, str) or not isinstance(input_size, Sequence) or len(input_size) != 3:
        raise ValueError(f"input_size must be the (C, H, W) of an image, such as (3, 224, 224), got {input_size!r}")
    size = [integer("each number of input_size", number, 1) for number in input_size]
    with _watched(model, [layer]) as found:
        image = 0.5 + 0.1 * torch.randn((1, *size), generator=generator)
        image = image.to(next(model.parameters(), image)).clamp(0, 1)
        for step in range(steps):
            leaf = image.detach().requires_grad_()
            model(leaf.roll(torch.randint(-jitter, jitter + 1, (2,), generator=generator).tolist(), (2, 3)))
            gradient = _gradient(_channel(found, layer, channel).mean(), leaf, "the pixels")
            length = gradient.square().mean().sqrt()
            if step == 0 and length == 0:
                raise ValueError(f"channel {channel} of layer {layer!r} has no gradient at the noise")
            image = (leaf.detach() + step_size * gradient / length.clamp(min=1e-30)).clamp(0, 1)
            around = F.avg_pool2d(F.pad(image, (1, 1, 1, 1), mode="replicate"), 3, 1)
            image = image.lerp(around, blur)
    return image[0]


@contextmanager
def _watched(model: nn.Module, layers: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """The model in evaluation mode, with gradients; filled at each call with what the layers put out."""
    known, found = dict(model.named_modules(remove_duplicate=False)), dict[str, Tensor]()
    for name in layers:
        if not isinstance(name, str) or name not in known:
            names = shorten(", ".join(filter(None, known)), 400, placeholder=" …")
            raise ValueError(f"there is no layer {name!r}; there are {names}")

    def keep(name: str) -> Any:
        def hook(module: nn.Module, args: Any, output: Any) -> Tensor:
            if not isinstance(output, Tensor):
                raise ValueError(f"layer {name!r} must put out a tensor, got {type(output).__name__}")
            # One copy is kept and another goes on: what follows may overwrite its own.
            found[name] = output.clone()
            return found[name].clone()

        return hook

    modes = [(module, module.training) for module in model.modules()]
    hooks = [known[name].register_forward_hook(keep(name)) for name in dict.fromkeys(layers)]
    try:
        model.eval()
        with torch.inference_mode(False), torch.enable_grad():
            yield found
    finally:
        for hook in hooks:
            hook.remove()
        for module, training in modes:
            module.training = training


def _images(model: nn.Module, x: Tensor, maps: bool = False) -> Tensor:
    """The batch, if it is one for the model; with ``maps`` it has to be of images."""
    if not isinstance(x, Tensor):
        raise ValueError(f"x must be a tensor, a batch such as (N, C, H, W), got {type(x).__name__}")
    if x.ndim != 4 if maps else x.ndim < 2:
        raise ValueError(f"x must be a batch, (N, C, H, W), got {tuple(x.shape)}")
    if not len(x):
        raise ValueError("x must hold at least one image, got none")
    dtypes = {parameter.dtype for parameter in model.parameters()}
    if not x.is_floating_point() or (dtypes and x.dtype not in dtypes):
        expected = ", ".join(sorted(map(str, dtypes))) or "floating point"
        raise ValueError(f"x must be of the model's dtype, {expected}, got {x.dtype}: of bytes take x.float() / 255")
    if not x.isfinite().all():
        raise ValueError("every number of x must be finite, got NaN or infinity")
    return x


def _gradient(score: Tensor, of: Tensor, what: str) -> Tensor:
    """The gradient of the score, if it has one."""
    gradient = None
    if score.requires_grad and of.requires_grad:
        (gradient,) = torch.autograd.grad(score, of, allow_unused=True)
    if gradient is None:
        raise ValueError(f"the score does not depend on {what}, or the model cuts the gradient, as torch.no_grad does")
    return gradient


def _reached(found: dict[str, Tensor], name: str) -> Tensor:
    if name not in found:
        raise ValueError(f"layer {name!r} was never called by its model's forward")
    return found[name]


def _channel(found: dict[str, Tensor], layer: str, channel: int) -> Tensor:
    """One channel of a layer's output as (N, H, W); a layer without a map counts as one of 1 × 1."""
    maps = _reached(found, layer)
    maps = maps[..., None, None] if maps.ndim == 2 else maps
    if maps.ndim != 4:
        raise ValueError(f"layer {layer!r} must have channels, (N, C, H, W) or (N, C), got {tuple(maps.shape)}")
    if not 0 <= integer("channel", channel, 0) < maps.shape[1]:
        raise ValueError(f"channel must lie in 0 … {maps.shape[1] - 1} for layer {layer!r}, got {channel}")
    return maps[:, channel]


def _scores(model: nn.Module, x: Tensor, target: int | Tensor) -> Tensor:
    """Each image's score for its target (N,): a pixel moves the score of its own image only."""
    scores = model(x.clone())  # a first layer may work in place, which a leaf forbids
    if not isinstance(scores, Tensor):
        raise ValueError(f"the model must put out scores (N, classes), got {type(scores).__name__}")
    if scores.ndim != 2:
        raise ValueError(f"the model must put out scores (N, classes), got {tuple(scores.shape)}")
    try:
        targets = torch.as_tensor(target, device=scores.device)
    except (TypeError, ValueError, RuntimeError):
        targets = torch.tensor(torch.nan)  # refused below
    if targets.is_floating_point() or targets.dtype == torch.bool or targets.shape not in ((), (len(x),)):
        raise ValueError(f"target must be an integer, or one for each of {len(x)} images, got {target!r}")
    if targets.numel() and not 0 <= targets.min() <= targets.max() < scores.shape[1]:
        raise ValueError(f"target must lie in 0 … {scores.shape[1] - 1}, got {target!r}")
    if scores.isnan().any():
        raise ValueError("the model's scores must be numbers, got NaN")
    return scores.gather(1, targets.long().expand(len(x))[:, None])[:, 0]
