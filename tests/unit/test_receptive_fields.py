"""Receptive fields against the pixels that really act: random networks, and those that people write."""

from random import Random

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from utils.profiling import profile


class Steps(nn.Module):
    """Functions one after another, each of a tensor (N, C, H, W) and of the layers it needs."""

    def __init__(self, *steps):
        super().__init__()
        self.functions = [function for function, _ in steps]
        self.layers = nn.ModuleList([nn.ModuleList(layers) for _, layers in steps])

    def forward(self, x):
        for function, layers in zip(self.functions, self.layers, strict=True):
            x = function(x, *layers)
        return x


def acting(model: nn.Module, size: tuple[int, ...]) -> list[list[list[int]]]:
    """For each axis of the input: at every output position, which of its pixels act on any channel.

    All pixels along the other axes are changed together, up or down, so that what a maximum keeps is met either way.
    """
    torch.manual_seed(0)
    model = model.double().eval()
    for weight in model.parameters():
        nn.init.uniform_(weight, 0.5, 1)  # positive, so that no two paths cancel
    x = torch.rand(1, *size, dtype=torch.float64)
    found = []
    for axis in range(2, x.dim()):
        pixels = torch.eye(size[axis - 1], dtype=torch.float64)
        changes = pixels.view([-1, *(n if i == axis else 1 for i, n in enumerate(x.shape) if i)])
        changes = 100 * changes * (0.5 + torch.rand(x.shape, dtype=x.dtype))  # unlike, so that no difference cancels
        with torch.no_grad():
            out = model(torch.cat([x, x + changes, x - changes]))
        moved = ((out[1:] - out[:1]).abs().amax(1) > 1e-10 * out.abs().max()).unflatten(0, (2, -1)).any(0)
        found.append([column.nonzero().flatten().tolist() for column in moved.flatten(1).T])
    return found


def sides(model: nn.Module, size: tuple[int, ...]) -> list[int]:
    """Along each axis, from the first to the last pixel that acts on a position: the most of any position."""
    return [max((max(seen) - min(seen) + 1 for seen in axis if seen), default=0) for axis in acting(model, size)]


def field(model: nn.Module, size: tuple[int, ...]) -> tuple[list[int] | None, str]:
    """The profile's answer for the last layer, one side for each axis, and what it says instead."""
    row = profile(model, size).rows[-1]
    value = row.receptive_field
    return [value] * (len(size) - 1) if isinstance(value, int) else value and list(value), row.sees


def mixed(function, channels: int = 2):
    """A step whose channels are mixed at its end, so that all of them see the same."""
    return lambda x, conv: conv(function(x)), [nn.LazyConv2d(channels, 1)]


def branches(one, other):
    """Two ways from one tensor, cut to a common size and added, or laid side by side."""

    def both(x, conv):
        a, b = one(x), other(x)
        height, width = min(a.shape[2], b.shape[2]), min(a.shape[3], b.shape[3])
        return conv(torch.cat([a[:, :, :height, :width], b[:, :, :height, :width]], 1))

    return both, [nn.LazyConv2d(2, 1)]


def focus(x):
    return torch.cat([x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]], 1)


def even(x):
    return x[..., : x.shape[-2] // 2 * 2, : x.shape[-1] // 2 * 2]


def to_depth(x):
    n, c, h, w = even(x).shape
    return even(x).reshape(n, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4).reshape(n, 4 * c, h // 2, w // 2)


def to_space(x):
    x = torch.cat([x, x], 1)  # four channels
    n, c, h, w = x.shape
    return x.view(n, c // 4, 2, 2, h, w).permute(0, 1, 4, 2, 5, 3).reshape(n, c // 4, 2 * h, 2 * w)


PLAIN = [
    focus,
    to_depth,
    to_space,
    lambda x: 1 - x,
    lambda x: F.leaky_relu(x),
    lambda x: F.max_pool2d(x, 3, 1, 1),
    lambda x: F.pixel_unshuffle(even(x), 2),
    lambda x: F.pixel_shuffle(torch.cat([x, x], 1), 2),
    lambda x: F.adaptive_avg_pool2d(x, [max(2, side * 2 // 3) for side in x.shape[2:]]),
    lambda x: F.adaptive_max_pool2d(x, [max(2, side // 2) for side in x.shape[2:]]),
    lambda x: x[:, :, 1:] - x[:, :, :-1],
    lambda x: x.diff(dim=3),
    lambda x: x.flip(2),
    lambda x: x.flip(2, 3),
    lambda x: x.roll(1, 1),
    lambda x: x.sort(1).values,
    lambda x: x.mean(1, keepdim=True),
    lambda x: x.permute(0, 2, 3, 1).cumsum(-1).permute(0, 3, 1, 2),
    lambda x: x.transpose(2, 3).contiguous().transpose(2, 3),
    lambda x: x.unfold(2, 3, 2).permute(0, 1, 4, 2, 3).flatten(1, 2),
    lambda x: torch.stack(x.unbind(1)[::-1], 1),
    lambda x: x[:, [1, 0]],
    lambda x: x.split(max(1, x.shape[2] // 2), 2)[-1],
    lambda x: x.chunk(2, 3)[0],
    lambda x: x.flatten(2).view(x.shape),
    lambda x: x.repeat_interleave(2, 2),
    lambda x: x.repeat(1, 2, 1, 1),
    lambda x: torch.einsum("nchw,cd->ndhw", x, torch.ones(2, 2, dtype=x.dtype, device=x.device)),
]


def cropped(random: Random):
    top, left, bottom, right = (random.randint(0, 3) for _ in range(4))
    down, along = random.randint(1, 2), random.randint(1, 2)
    return lambda x: x[..., top : x.shape[-2] - bottom : down, left : x.shape[-1] - right : along]


def padded(random: Random):
    mode = random.choice(["constant", "reflect", "replicate"])
    amounts = [random.randint(-2 if mode == "constant" else 0, 3) for _ in range(4)]
    return lambda x: F.pad(x, amounts, mode)


def resized(random: Random):
    mode = random.choice(["nearest", "nearest-exact", "area", "bilinear", "bilinear", "bicubic", "bicubic"])
    options = {}
    if mode.startswith("bi"):
        options = random.choice([{}, {"align_corners": True}, {"antialias": True}])
    sixths = [random.choice([3, 4, 5, 6, 8, 9, 12]) for _ in range(2)]

    def function(x):
        size = [max(1, n * side // 6) for n, side in zip(sixths, x.shape[2:], strict=True)]
        return F.interpolate(x, size, mode=mode, **options)

    return function


def unfolded(random: Random):
    kernel, stride, dilation = random.randint(1, 3), random.randint(1, 2), random.randint(1, 2)

    def function(x):
        size = [(side - dilation * (kernel - 1) - 1) // stride + 1 for side in x.shape[2:]]
        return F.unfold(x, kernel, dilation, 0, stride).view(len(x), -1, *size)

    return function


def folded(random: Random):
    kernel, stride = random.randint(1, 3), random.randint(1, 2)

    def function(x):
        size = [(side - 1) * stride + kernel for side in x.shape[2:]]
        return F.fold(x.repeat(1, kernel * kernel, 1, 1).flatten(2), size, kernel, 1, 0, stride)

    return function


def layer(random: Random) -> nn.Module:
    """A convolution, transposed or not, or pooling."""

    def pair(low, high):
        return random.randint(low, high), random.randint(low, high)

    kind, kernel = random.choice(["conv", "conv", "transposed", "max", "avg"]), pair(1, 4)
    if kind == "conv":
        return nn.Conv2d(2, 2, kernel, pair(1, 3), pair(0, 2), pair(1, 2))
    if kind == "transposed":
        return nn.ConvTranspose2d(2, 2, kernel, pair(1, 3), dilation=pair(1, 2))
    padding = random.randint(0, min(kernel) // 2)
    if kind == "max":
        return nn.MaxPool2d(kernel, pair(1, 3), padding, pair(1, 2), ceil_mode=random.random() < 0.5)
    return nn.AvgPool2d(kernel, pair(1, 3), padding, ceil_mode=random.random() < 0.5)


def draw(random: Random):
    """A step by chance, as ``Steps`` takes it."""

    def function():
        drawn = random.choice([*PLAIN, *[cropped, padded, resized] * 4, unfolded, folded])
        return drawn if drawn in PLAIN else drawn(random)

    kind = random.choice(["layer", "layer", "function", "function", "branches", "branches", "rolled"])
    if kind == "layer":
        return lambda x, layer: layer(x), [layer(random)]
    if kind == "branches":
        return branches(function() if random.random() < 0.7 else lambda x: x, function())
    return mixed((lambda x: x.roll(1, 2)) if kind == "rolled" and random.random() < 0.2 else function())


def network(seed: int) -> tuple[nn.Module, tuple[int, ...]]:
    """A network by chance, and the size of its input."""
    random = Random(seed)
    return Steps(*(draw(random) for _ in range(random.randint(1, 5)))), (
        2,
        random.randint(33, 37),
        random.randint(31, 37),
    )


def compared(seed: int) -> list[tuple[int, int, int]] | str:
    """What a random network's profile says along each axis, what was measured, and the input's size; or why not."""
    model, size = network(seed)
    try:
        with torch.no_grad():
            out = model.double().eval()(torch.rand(1, *size, dtype=torch.float64))
    except (RuntimeError, ValueError):
        return "refused"  # by torch: too small for a kernel, or for its padding
    if out.numel() > 60_000:
        return "large"
    said, sees = field(model, size)
    return sees or list(zip(said, sides(model, size), size[1:], strict=True))


def test_no_field_of_a_random_network_is_too_small_and_few_are_larger_than_measured():
    found = [compared(seed) for seed in range(100)]
    fields = [axis for answer in found if isinstance(answer, list) for axis in answer]
    assert len(fields) > 100  # most networks have an answer
    assert all(said >= measured for said, measured, _ in fields)
    # On an image without borders: a field that fits into the image many times is met in its middle.
    inside = [said == measured for said, measured, pixels in fields if said <= pixels // 2]
    assert sum(inside) > 0.97 * len(inside) > 90


class Way(nn.Module):
    """One function, with the layers it needs."""

    def __init__(self, function, **layers):
        super().__init__()
        self.function = function
        for name, each in layers.items():
            setattr(self, name, each)

    def forward(self, x):
        return self.function(self, x)


def conv(kernel_size=3, **options):
    return nn.LazyConv2d(2, kernel_size, **options)


def enlarged(x):
    return F.interpolate(x, (39, 39), mode="bilinear", align_corners=True)


def reflecting():
    return conv(padding=1, padding_mode="reflect")


def dotted(self, x):
    return torch.einsum("nchw,nchw->nhw", self.a(x), self.b(x))[:, None]


def pyramid(self, x):
    return self.c(F.interpolate(self.b(self.a(x)), scale_factor=2) + self.a(x))


def shifted(x):
    return torch.cat([F.pad(x, (3, -3)), F.pad(x, (-3, 3))], 1)


def transposed(self, x):
    return self.b(self.a(x).transpose(2, 3)).transpose(2, 3)


def causal(self, x):
    return self.a(F.pad(x, (2, 0))) + self.b(F.pad(x, (0, 2)))


WRITTEN = {
    "Focus": (Way(lambda s, x: s.conv(focus(x)), conv=conv(padding=1)), [6, 6]),
    "space to depth by views": (Way(lambda s, x: s.conv(to_depth(x)), conv=conv(padding=1)), [6, 6]),
    "depth to space by views": (Way(lambda s, x: s.b(to_space(s.a(x))), a=conv(2, stride=2), b=conv()), [4, 4]),
    "differences": (Way(lambda s, x: s.conv(x[:, :, 1:] - x[:, :, :-1]), conv=conv()), [4, 3]),
    "left and right padding": (Way(causal, a=conv((1, 3)), b=conv((1, 3))), [1, 5]),
    "shifted channels": (Way(lambda s, x: s.conv(shifted(x)), conv=conv(1)), [1, 7]),
    "a window from the middle": (Way(lambda s, x: s.conv(x[..., 5:15, ::2]), conv=conv()), [3, 5]),
    "flipped, then strided": (Way(lambda s, x: s.conv(x.flip(3)).flip(3), conv=conv((3, 4), stride=2)), [3, 4]),
    "an axis exchanged and back": (Way(transposed, a=conv((3, 1)), b=conv((1, 5))), [7, 1]),
    "align_corners": (Way(lambda s, x: enlarged(s.a(x)), a=conv(2, stride=2)), [4, 4]),
    "two thirds": (Way(lambda s, x: s.b(F.interpolate(x, (24, 27), mode="nearest")), b=conv(2)), [3, 3]),
    "pixels unshuffled": (Way(lambda s, x: s.conv(F.pixel_unshuffle(x, 3)), conv=conv(2)), [6, 6]),
    "a pyramid": (Way(pyramid, a=conv(2, stride=2), b=conv(2, stride=2), c=conv()), [8, 8]),
    "a residual block that reflects": (Way(lambda s, x: x + s.b(s.a(x)), a=reflecting(), b=reflecting()), [5, 5]),
    "pooling to a size that does not divide": (nn.AdaptiveAvgPool2d((24, 20)), [2, 3]),
    "products along channels": (Way(dotted, a=conv(), b=conv(5, padding=1)), [5, 5]),
    "windows unfolded": (Way(lambda s, x: s.conv(F.unfold(x, 3).view(len(x), -1, 34, 34)), conv=conv(1)), [3, 3]),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_fields_of_networks_as_people_write_them(name):
    model, expected = WRITTEN[name]
    model.double().eval()(torch.rand(1, 2, 36, 36, dtype=torch.float64))
    assert field(model, (2, 36, 36)) == (expected, "")
    assert sides(model, (2, 36, 36)) == expected


EVERYWHERE = {
    "global pooling": nn.AdaptiveAvgPool2d(1),
    "flattened": nn.Sequential(nn.Flatten(), nn.Linear(2 * 12 * 12, 3)),
    "rows meet columns": Way(lambda s, x: x @ x.transpose(2, 3)),
    "groups measured": nn.GroupNorm(1, 2),
    "gated": Way(lambda s, x: x * x.mean((2, 3), keepdim=True)),
    "sums up to here": Way(lambda s, x: x.cumsum(2)),
}
NOWHERE = {
    "rolled": Way(lambda s, x: s.conv(x.roll(1, 2)), conv=conv()),
    "circular": conv(padding=1, padding_mode="circular"),
    "one row picked": Way(lambda s, x: x[:, :, 3:4] * 1 + x),
    "its own transpose": Way(lambda s, x: x + x.transpose(2, 3)),
    "halves exchanged": Way(lambda s, x: torch.cat([x[..., 6:], x[..., :6]], 3)),
    "rates that differ": Way(lambda s, x: x[..., :6] + x[..., ::2]),
    "by value": Way(lambda s, x: x.gather(2, x.argmax(1, keepdim=True).expand(x.shape))),
    "a shift that is reflected": Way(lambda s, x: F.pad(x[..., 4:], (2, 2, 0, 0), mode="reflect") + x),
    "pairs reflected out of step": Way(
        lambda s, x: F.max_pool2d(F.pad(x.repeat_interleave(2, 3), (2, 2, 0, 0), "reflect"), 2)
    ),
    "a kernel made of the input": Way(lambda s, x: F.conv2d(x, x[:, :, :3, :3])),
    "a part written anew": Way(lambda s, x: s.write(x.clone())),
    "frequencies": Way(lambda s, x: torch.fft.rfft2(x).abs()),
    "two rows added": Way(lambda s, x: x[:, :, :2].mean(2)),
}


def _write(x):
    x[:, :, :3] = x[:, :, 3:6] * 2
    return x * 1


NOWHERE["a part written anew"].write = _write


@pytest.mark.filterwarnings("ignore:MACs of")
@pytest.mark.parametrize("name", [*EVERYWHERE, *NOWHERE])
def test_everything_and_not_known_are_told_apart(name):
    model = EVERYWHERE.get(name) or NOWHERE[name]
    assert field(model, (2, 12, 12)) == (None, "all" if name in EVERYWHERE else "not known")


def test_upsampling_by_a_long_fraction_is_not_followed():
    assert field(nn.Upsample((2011, 12)), (1, 2003, 12)) == (None, "not known")
    assert field(nn.Upsample((4006, 12)), (1, 2003, 12)) == ([1, 1], "")
