"""Answers to chapter 01's exercises: right ones in several styles, and each mistake as a student would make it."""

import numpy as np
import torch
import torch.nn.functional as F
from scipy.signal import convolve2d, correlate2d

IMAGE = np.array([[1.0, 2, 0], [0, 3, 1], [2, 1, 4]])
KERNEL = np.array([[1.0, 2], [0, -1]])


def loops(image, kernel, stride=1):
    f1, f2 = kernel.shape
    return [
        [(image[i : i + f1, j : j + f2] * kernel).sum() for j in range(0, image.shape[1] - f2 + 1, stride)]
        for i in range(0, image.shape[0] - f1 + 1, stride)
    ]


def torchs(image, kernel, stride=1, padding=0):
    image, kernel = (torch.as_tensor(np.array(array)) for array in (image, kernel))
    return F.conv2d(image[None, None], kernel[None, None], stride=stride, padding=padding)[0, 0]


def torch_layer(x, weight, bias):
    return F.conv2d(*map(torch.from_numpy, (x[None], weight, bias)))[0]


def summed_layer(x, weight, bias):
    return [
        sum(correlate2d(plane, slice_, "valid") for plane, slice_ in zip(x, kernel, strict=True)) + b
        for kernel, b in zip(weight, bias, strict=True)
    ]


def padded_loops(image, kernel, stride, padding):
    canvas = np.zeros([side + 2 * padding for side in image.shape])
    canvas[padding : padding + image.shape[0], padding : padding + image.shape[1]] = image
    return loops(canvas, kernel, stride)


def filled_matrix(kernel, size):
    rows = size - len(kernel) + 1
    out = [[0.0] * size for _ in range(rows)]
    for i in range(rows):
        for r, w in enumerate(kernel):
            out[i][i + r] = w
    return out


def probed_matrix(kernel, size):
    return np.stack([np.correlate(pixel, kernel, "valid") for pixel in np.eye(size)], axis=1)


def equations(image, output, kernel_size):
    places = [(i, j) for i in range(output.shape[0]) for j in range(output.shape[1])]
    left = [image[i : i + kernel_size, j : j + kernel_size].ravel() for i, j in places]
    return np.array(left), np.array([output[place] for place in places])


def by_least_squares(image, output, kernel_size):
    return np.linalg.lstsq(*equations(image, output, kernel_size), rcond=None)[0].reshape(kernel_size, kernel_size)


def by_as_many_as_weights(image, output, kernel_size):
    left, right = equations(image, output, kernel_size)
    return np.linalg.solve(left[: kernel_size**2], right[: kernel_size**2]).reshape(kernel_size, -1)


def by_descent(image, output, kernel_size):
    image, output = (torch.from_numpy(array)[None, None] for array in (image, output))
    weight = torch.zeros(1, 1, kernel_size, kernel_size, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight], max_iter=200, tolerance_grad=1e-12, tolerance_change=1e-16)

    def loss():
        optimizer.zero_grad()
        error = (F.conv2d(image, weight) - output).square().sum()
        error.backward()
        return error

    optimizer.step(loss)
    return weight.detach()[0, 0]


def rows(*modes):
    return np.array([F.pad(torch.arange(1.0, 5)[None, None], (2, 2), mode=mode)[0, 0].numpy() for mode in modes])


RIGHT = {
    "by_hand": [[[2, 1], [5, 1]], torchs(IMAGE, KERNEL)],
    "borders": [
        rows("constant", "reflect", "replicate", "circular"),
        [[0, 0, 1, 2, 3, 4, 0, 0], [3, 2, 1, 2, 3, 4, 3, 2], [1, 1, 1, 2, 3, 4, 4, 4], [3, 4, 1, 2, 3, 4, 1, 2]],
    ],
    "correlate": [loops, torchs, lambda image, kernel: correlate2d(image, kernel, "valid")],
    "layer": [torch_layer, summed_layer],
    "strided": [torchs, padded_loops],
    "matrix": [filled_matrix, probed_matrix],
    "find_kernel": [by_least_squares, by_as_many_as_weights, by_descent],
}
# Each with a piece of the hint that it must get.
WRONG = {
    "by_hand": [
        (convolve2d(IMAGE, KERNEL, "valid"), "half a turn"),
        (torchs(IMAGE, KERNEL.T), "of the kernel are swapped"),
        ([[0.5, 0.25], [1.25, 0.25]], "mean"),
        ([[2]], "overlap"),
        ([[2, 5], [1, 1]], "The numbers are right, but rows and"),
        (loops(IMAGE, np.flipud(KERNEL)), "upside down"),
        (loops(IMAGE, np.abs(KERNEL)), "is negative"),
        (torchs(IMAGE, KERNEL, padding=1), "never hangs over"),
    ],
    "borders": [
        ([[0, 0, 1, 2, 3, 4, 0, 0], [2, 1, 1, 2, 3, 4, 4, 3], [1, 1, 1, 2, 3, 4, 4, 4], [3, 4, 1, 2, 3, 4, 1, 2]],
         "Reflect turns round at the last pixel,"),
        (rows("constant", "replicate", "reflect", "circular"), "Reflect and replicate are swapped"),
        ([[0, 0, 1, 2, 3, 4, 0, 0], [3, 2, 1, 2, 3, 4, 3, 2], [1, 1, 1, 2, 3, 4, 4, 4], [2, 1, 1, 2, 3, 4, 4, 3]],
         "Circular goes on with the other end;"),
        ([[0, 0, 1, 2, 3, 4, 0, 0], [3, 2, 1, 2, 3, 4, 3, 2], [1, 1, 1, 2, 3, 4, 4, 4], [1, 2, 1, 2, 3, 4, 3, 4]],
         "on the left stand the last"),
        ([[0, 1, 2, 3, 4, 0], [2, 1, 2, 3, 4, 3], [1, 1, 2, 3, 4, 4], [4, 1, 2, 3, 4, 1]], "Two pixels on each side"),
        ([[0, 0, 1, 2, 3, 4, 0, 0], [3, 2, 1, 2, 3, 4, 3, 2], [1, 1, 1, 2, 3, 4, 4, 4], [4, 3, 1, 2, 3, 4, 2, 1]],
         "laid end to end"),
        ([[0, 0, 1, 2, 3, 4, 0, 0], [2, 3, 1, 2, 3, 4, 2, 3], [1, 1, 1, 2, 3, 4, 4, 4], [3, 4, 1, 2, 3, 4, 1, 2]],
         "Reflect is a mirror"),
        (rows("constant", "reflect", "circular", "replicate"), "Replicate and circular"),
    ],
    "correlate": [
        (lambda image, kernel: convolve2d(image, kernel, "valid"), "half a turn"),
        (lambda image, kernel: np.array(loops(image, kernel))[:-1, :-1], "What you have is right, but some is"),
        (lambda image, kernel: np.array(loops(image, kernel)) / kernel.size, "mean"),
        (lambda image, kernel: loops(image, np.flipud(kernel)), "upside down"),
        (lambda image, kernel: loops(image, np.fliplr(kernel)), "`kernel` were mirrored, left and right"),
        (lambda image, kernel: np.array(loops(image, kernel[:1]))[: len(image) - len(kernel) + 1],
         "only the first of `kernel` counted"),
        (lambda image, kernel: torchs(image, kernel, 1, [side // 2 for side in kernel.shape]),
         "The right numbers are all there, and"),
        (lambda image, kernel: np.array(loops(image, kernel))[:: len(kernel), :: kernel.shape[1]],
         "not by its own size"),
    ],
    "layer": [
        (lambda x, weight, bias: torch_layer(x / len(x), weight, bias), "not averaged"),
        (lambda x, weight, bias: torch_layer(x, weight, 0 * bias), "`bias` were 0 everywhere"),
        (lambda x, weight, bias: torch_layer(x, weight, bias * x.shape[0]), "each channel of the input"),
        (lambda x, weight, bias: torch_layer(x, weight, bias * weight[0].size), "each weight"),
        (lambda x, weight, bias: torch_layer(x.sum(0, keepdims=True), weight[:, :1].copy(), bias), "its first for all"),
        (lambda x, weight, bias: torch_layer(x[:1], weight[:, :1].copy(), bias), "only the first of `x` counted"),
        (lambda x, weight, bias: torch_layer(x, weight, bias[:1].repeat(len(bias))), "bias of its own"),
        (lambda x, weight, bias: torch_layer(x, weight[:, :, ::-1, ::-1].copy(), bias), "half a turn"),
        (lambda x, weight, bias: [[np.array(loops(p, k)) + b for p, k in zip(x, w, strict=True)] for w, b in
         zip(weight, bias, strict=True)], "add up what its channels"),
        (lambda x, weight, bias: sum(summed_layer(x, weight, bias)), "you have added them up"),
    ],
    "strided": [
        (lambda image, kernel, s, p: torchs(image, kernel, (s, 1), p), "down the rows"),
        (lambda image, kernel, s, p: torchs(image, kernel, (1, s), p), "across the columns"),
        (lambda image, kernel, s, p: loops(np.pad(image, ((p, 0), (p, 0))), kernel, s), "all four sides"),
        (lambda image, kernel, s, p: loops(image, kernel, s), "`padding` were 0"),
        (lambda image, kernel, s, p: torchs(image, kernel, padding=p), "`stride` were 1"),
        (lambda image, kernel, s, p: np.pad(loops(image, kernel, s), p), "not its output"),
        (lambda image, kernel, s, p: loops(np.pad(image, p, mode="edge"), kernel, s), "not copies"),
        (lambda image, kernel, s, p: loops(np.pad(image, p)[::s, ::s], kernel), "skips places"),
        (lambda image, kernel, s, p: np.array(padded_loops(image, kernel, 1, p))[: (len(image) + 2 * p - len(kernel))
         // s + 1, : (image.shape[1] + 2 * p - kernel.shape[1]) // s + 1], "one pixel apart"),
        (lambda image, kernel, s, p: loops(np.pad(image, ((p, p), (0, 0))), kernel, s), "above and below only"),
    ],
    "matrix": [
        (lambda kernel, size: np.array(filled_matrix(kernel, size)).T, "transpose"),
        (lambda kernel, size: filled_matrix(kernel[::-1], size), "The numbers are right, but turned by"),
        (lambda kernel, size: [[kernel[(j - i) % size] if (j - i) % size < len(kernel) else 0 for j in range(size)]
                               for i in range(size)], "run over the end"),
        (lambda kernel, size: [*filled_matrix(kernel, size), *[[0] * size] * (len(kernel) - 1)], "Rows of zeros"),
        (lambda kernel, size: [filled_matrix(kernel, size)[0]] * (size - len(kernel) + 1), "one pixel further"),
        (lambda kernel, size: filled_matrix(kernel, size)[:-1], "What you have is right, but some is"),
    ],
    "find_kernel": [
        (lambda *case: by_least_squares(*case)[::-1, ::-1], "The numbers are right, but turned by"),
        (lambda *case: by_least_squares(*case).T, "The numbers are right, but rows and"),
        (lambda image, output, k: [[(image[r : r + len(output), c : c + output.shape[1]] * output).sum()
                                    for c in range(k)] for r in range(k)], "in common with each other"),
        (lambda image, output, k: by_least_squares(image, output * k**2, k), "not the mean"),
        (lambda *case: by_least_squares(*case).ravel(), "more axes"),
    ],
}  # fmt: skip
