"""Answers to chapter 05's exercises: right ones in several styles, and each mistake as a student would make it."""

import numpy as np
import torch
import torch.nn.functional as F
from scipy.signal import convolve2d, correlate2d


def autograd(g, x, w, stride, padding):
    leaves = [torch.from_numpy(a).requires_grad_() for a in (x, w, np.zeros(len(w)))]
    F.conv2d(*leaves, stride=stride, padding=padding).backward(torch.from_numpy(g))
    return [leaf.grad for leaf in leaves]


def loops(g, x, w, stride, padding, crop=True, add=True):
    f = w.shape[2]
    x = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i, j in np.ndindex(g.shape[2:]):
        place = np.s_[:, :, i * stride : i * stride + f, j * stride : j * stride + f]
        sent = np.einsum("nk,kcrs->ncrs", g[:, :, i, j], w)
        dx[place] = dx[place] + sent if add else sent
        dw += np.einsum("nk,ncrs->kcrs", g[:, :, i, j], x[place])
    if crop and padding:
        dx = dx[:, :, padding:-padding, padding:-padding]
    return dx, dw, g.sum((0, 2, 3))


def but(**other):
    """The gradients, with another one in place of dx, dw or db."""

    def answer(*case):
        right = dict(zip(("dx", "dw", "db"), loops(*case), strict=True))
        return [other[name](*case) if name in other else value for name, value in right.items()]

    return answer


def nudged(f, values, up, down):
    out = np.zeros(values.shape)
    for i in range(values.size):
        high, low = values.copy(), values.copy()
        high.flat[i] += up
        low.flat[i] -= down
        out.flat[i] = (f(high) - f(low)) / (up + down)
    return out


def tensor_slopes(f, values, step):
    rows = step * torch.eye(values.size, dtype=torch.float64)
    flat = torch.from_numpy(values).flatten()
    ends = [[f((flat + sign * row).reshape(values.shape).numpy()) for row in rows] for sign in (1, -1)]
    return ((torch.tensor(ends[0]) - torch.tensor(ends[1])) / (2 * step)).reshape(values.shape)


def piling(f, values, step):
    high, low, out = values.copy(), values.copy(), []
    for place in np.ndindex(values.shape):
        high[place] += step
        low[place] -= step
        out.append((f(high) - f(low)) / (2 * step))
    return np.reshape(out, values.shape)


def unfolded(x, k, s):
    return F.unfold(torch.from_numpy(x)[None], k, stride=s)[0]


def starts(side, k, s):
    return range(0, side - k + 1, s)


def gathered(x, k, s, flat=np.ravel, down=False):
    places = [(i, j) for i in starts(x.shape[1], k, s) for j in starts(x.shape[2], k, s)]
    if down:
        places.sort(key=lambda place: place[::-1])
    return np.stack([flat(x[:, i : i + k, j : j + k]) for i, j in places], axis=1)


def folded(columns, shape, k, s):
    return F.fold(torch.from_numpy(columns)[None], shape[1:], k, stride=s)[0]


def scattered(columns, shape, k, s, square=lambda column, c, k: column.reshape(c, k, k), mode="add", down=False):
    out, count = np.zeros(shape), np.zeros(shape)
    places = [(i, j) for i in starts(shape[1], k, s) for j in starts(shape[2], k, s)]
    if down:
        places.sort(key=lambda place: place[::-1])
    in_order = dict(zip(places, columns.T, strict=True))
    for i, j in sorted(places):
        place = np.s_[:, i : i + k, j : j + k]
        patch = square(in_order[i, j], shape[0], k)
        out[place] = patch if mode == "replace" else out[place] + patch
        count[place] += 1
    return out / np.maximum(count, 1) if mode == "mean" else out


def torch_spectra(x, kernel, padding):
    x = F.pad(torch.from_numpy(x), [padding] * 4)
    product = torch.fft.fft2(x) * torch.fft.fft2(torch.from_numpy(kernel), x.shape).conj()
    return torch.fft.ifft2(product).real[: x.shape[0] - kernel.shape[0] + 1, : x.shape[1] - kernel.shape[1] + 1]


def full_spectra(x, kernel, padding):
    """A full convolution with the kernel turned, of which the middle is kept."""
    x, (f1, f2) = np.pad(x, padding), kernel.shape
    size = [x.shape[0] + f1 - 1, x.shape[1] + f2 - 1]
    full = np.fft.ifft2(np.fft.fft2(x, size) * np.fft.fft2(np.rot90(kernel, 2), size)).real
    return full[f1 - 1 : x.shape[0], f2 - 1 : x.shape[1]]


def whole_circle(x, kernel, padding, turned=np.conj):
    x = np.pad(x, padding)
    return np.fft.ifft2(np.fft.fft2(x) * turned(np.fft.fft2(kernel, x.shape))).real


def tried(size, kernel_size, padding):
    """The first circle on which a random row comes out right."""
    rng = np.random.default_rng(0)
    row, kernel = rng.standard_normal(size), rng.standard_normal(kernel_size)
    wanted = np.correlate(np.pad(row, padding), kernel, "valid")
    length = size
    while True:
        around = np.concatenate([row, np.zeros(length - size)])
        places = range(-padding, len(wanted) - padding)
        got = [sum(kernel[r] * around[(i + r) % length] for r in range(kernel_size)) for i in places]
        if np.allclose(got, wanted):
            return length
        length += 1


RIGHT = {
    "by_hand": [
        ([1, 1, 0, 4], [3, 5], 2),
        [
            a.ravel() if a.numel() > 1 else a[0]
            for a in autograd(
                np.array([[[[1.0, -1, 2]]]]), np.array([[[[2.0, -1, 0, 3]]]]), np.array([[[[1.0, 2]]]]), 1, 0
            )
        ],
    ],
    "memory": [4 * 32 * 576 * 784, F.unfold(torch.zeros(1, 64, 56, 56), 3, padding=1, stride=2).numel() * 32 * 4],
    "gradients": [autograd, loops],
    "slopes": [lambda f, values, step: nudged(f, values, step, step), tensor_slopes],
    "im2col": [unfolded, gathered],
    "col2im": [folded, scattered],
    "by_spectra": [torch_spectra, full_spectra],
    "circle": [tried, lambda size, kernel_size, padding: size + padding],
}
# Each with a piece of the hint that it must get.
WRONG = {
    "by_hand": [
        (([2, -1, 3, 2], [3, 5], 2), "dx is the wrong way"),
        (([1, -1, 2, 4], [3, 5], 2), "In dx"),
        (([1, 1, 0, 4], [5, 3], 2), "dw is the wrong way"),
        (([1, 1, 0, 4], [1, 5 / 3], 2), "over the three places"),
        (([1, 1, 0, 4], [3, 5], 2 / 3), "no mean"),
        (([1, 1, 0, 4], [3, 5], 3), "The outputs do not count alike in db:"),
        (([1, 1, 0, 4], [3, 5], 1), "The bias changes all"),
        (([1, 1, 0, 4], [3, 5], [1, -1, 2]), "The bias is one number"),
        (([1, 1, 0, 4], [1, 2], 2), "not count alike in dw"),
        (([1, 1, 0, 4], [3, 5], 3), "not count alike in db"),
    ],
    "memory": [
        (32 * 576 * 784, "How many bytes"),
        (4 * 576 * 784, "one image"),
        (4 * 32 * 576 * 56 * 56, "stride 2"),
        (4 * 32 * 64 * 3 * 784, "two sides"),
        (4 * 32 * 9 * 784, "in all channels"),
        (4 * 32 * 576 * 784 * 128, "same for all kernels"),
        (4 * 32 * 64 * 56 * 56, "batch of images itself"),
        (4 * 32 * 128 * 784, "Those are the outputs"),
        (4 * 32 * 64 * 9 * 27 * 27, "where the kernel starts"),
        (4 * 32 * 64 * 9 * 28, "rows and columns"),
        (4 * 32 * 128 * 9 * 28 * 28, "not what comes out"),
    ],
    "gradients": [
        (lambda *case: loops(*case, crop=False), "no part of x"),
        (lambda *case: loops(*case, add=False), "several places"),
        (but(dx=lambda g, x, w, s, p: autograd(g, x, np.flip(w, (2, 3)).copy(), s, p)[0]), "half a turn"),
        (but(dx=lambda g, x, w, s, p: autograd(g / len(x), x, w, s, p)[0]), "of its own"),
        (but(dw=lambda g, x, w, s, p: autograd(g / len(x), x, w, s, p)[1]), "dw is a mean over the images"),
        (but(dw=lambda g, x, w, s, p: autograd(g, x, w, s, p)[1] / (g.shape[2] * g.shape[3])), "over the places"),
        (but(dw=lambda g, x, w, s, p: autograd(g[-1:], x[-1:], w, s, p)[1]), "one image only"),
        (but(db=lambda g, *_: g.mean((0, 2, 3))), "not averaged"),
        (but(db=lambda g, *_: g.sum((2, 3))), "kernel and image"),
        (lambda *case: [autograd(*case)[i] for i in (1, 0, 2)], "The three are right; their order is"),
        (lambda g, x, w, s, p: (full := loops(g, x, w, s, p, crop=False)) and [full[0][:, :, p:-p, p:-p], *full[1:]],
         "a slice [0:-0]"),
        (lambda g, x, w, s, p: [*loops(g, x, w, s, p)[:2], g.sum()], "yours is one for all"),
    ],
    "slopes": [
        (lambda f, values, step: nudged(f, values, step, 0), "one side only"),
        (lambda f, values, step: 2 * nudged(f, values, step, step), "Twice too large"),
        (lambda f, values, step: nudged(f, values, step / 2, step / 2), "half a step"),
        (piling, "pile up"),
        (lambda f, values, step: np.ones_like(values) * (f(values + step) - f(values - step)) / (2 * step),
         "You nudge all numbers at once. Each"),
        (lambda f, values, step: nudged(f, values, step, step) * step**2, "brackets"),
        (lambda f, values, step: nudged(f, values, step, 0) / 2, "halved"),
        (lambda f, values, step: nudged(f, values, step, step) * 2 * step, "how far the nudges are apart"),
        (lambda f, values, step: (f(values + step) - f(values - step)) / (2 * step), "A number for all"),
    ],
    "im2col": [
        (lambda x, k, s: gathered(x, k, s).T, "The numbers are right, but rows and"),
        (lambda x, k, s: gathered(x, k, s, lambda patch: np.moveaxis(patch, 0, -1).ravel()), "channels change slowest"),
        (lambda x, k, s: gathered(x, k, s, lambda patch: patch.swapaxes(1, 2).ravel()), "window's rows"),
        (lambda x, k, s: gathered(x, k, s, down=True), "reading order"),
        (lambda x, k, s: unfolded(x, k, 1), "`stride` were 1"),
        (lambda x, k, s: np.array([x[:, i : i + k, j : j + k].ravel() for i in starts(x.shape[1], k, s) for j in
         starts(x.shape[2], k, s)]).reshape(len(x) * k * k, -1), "reshape keeps"),
        (lambda x, k, s: unfolded(x[:1], k, s), "in all channels"),
    ],
    "col2im": [
        (lambda *case: scattered(*case, mode="replace"), "replace each other"),
        (lambda *case: scattered(*case, mode="mean"), "mean"),
        (lambda *case: scattered(*case, square=lambda column, c, k: column.reshape(k, k, c).transpose(2, 0, 1)),
         "channels change slowest"),
        (lambda *case: scattered(*case, square=lambda column, c, k: column.reshape(c, k, k).swapaxes(1, 2)),
         "along the rows of the window"),
        (lambda *case: scattered(*case, down=True), "reading order"),
    ],
    "by_spectra": [
        (lambda x, kernel, p: convolve2d(np.pad(x, p), kernel, "valid"), "`kernel` were turned by half a turn"),
        (lambda x, kernel, p: whole_circle(x, kernel, p, np.asarray)[
            : x.shape[0] + 2 * p - kernel.shape[0] + 1, : x.shape[1] + 2 * p - kernel.shape[1] + 1],
         "what you keep"),
        (whole_circle, "the whole circle"),
        (lambda x, kernel, p: torch_spectra(x, kernel, 0), "`padding` were 0"),
        (lambda x, kernel, p: correlate2d(np.pad(x, p, mode="wrap"), kernel, "valid"), "Your padding has pixels"),
    ],
    "circle": [
        (lambda size, kernel_size, padding: size, "must lie between"),
        (lambda size, kernel_size, padding: size + 2 * padding, "It works, but a shorter circle does, too: the"),
        (lambda size, kernel_size, padding: size + kernel_size - 1, "all shifts"),
        (lambda size, kernel_size, padding: size + 2 * padding - kernel_size + 1, "That many outputs"),
        (lambda size, kernel_size, padding: size + max(padding - 1, 0), "One too short"),
        (lambda size, kernel_size, padding: size + 2 * padding + kernel_size - 1, "can share zeros"),
    ],
}  # fmt: skip
