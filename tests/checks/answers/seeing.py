"""Answers to chapter 9's exercises: right ones in several styles, and each mistake as a student would make it."""

import numpy as np
import torch

W, X = np.array([2.0, -1, 0, 3]), np.array([1.0, 4, 5, 0])


def autograd_saliency():
    x = torch.tensor(X, requires_grad=True)
    (torch.tensor(W) @ x + 1).backward()
    return x.grad.abs()


def torch_cam(maps, gradients):
    maps, gradients = torch.from_numpy(maps), torch.from_numpy(gradients)
    return torch.einsum("c,chw->hw", gradients.mean(dim=(1, 2)), maps).relu()


def looped_cam(maps, gradients):
    heat = np.zeros(maps[0].shape)
    for plane, gradient in zip(maps, gradients, strict=True):
        heat += gradient.mean() * plane
    return np.where(heat > 0, heat, 0)


def sorted_top(maps, channel, k):
    loud = [(plane[channel].max(), i) for i, plane in enumerate(maps)]
    return [i for _, i in sorted(loud, reverse=True)[:k]]


def torch_top(maps, channel, k):
    return torch.from_numpy(maps)[:, channel].flatten(1).amax(1).topk(k).indices


def hooked_relu(x, grad_output):
    x = torch.tensor(x, requires_grad=True)
    y = x.relu()
    y.register_hook(lambda gradient: gradient.clamp(min=0))
    y.backward(torch.from_numpy(grad_output))
    return x.grad


def windows(image, weight, size):
    parts = np.lib.stride_tricks.sliding_window_view(image * weight, (size, size))
    return parts.sum((2, 3))


def covered(image, weight, size, fill=0.0, fresh=True, left=False):
    out, canvas = [], image.copy()
    for i in range(image.shape[0] - size + 1):
        row = []
        for j in range(image.shape[1] - size + 1):
            canvas = image.copy() if fresh else canvas
            canvas[i : i + size, j : j + size] = fill
            score = (canvas * weight).sum()
            row.append(score if left else (image * weight).sum() - score)
        out.append(row)
    return np.array(out)


def corrcoef(one, other):
    return np.corrcoef(one.ravel(), other.ravel())[0, 1]


def torch_alike(one, other):
    a, b = (torch.from_numpy(m).flatten() - m.mean() for m in (one, other))
    return torch.cosine_similarity(a, b, dim=0)


def counted(plain, marked, labels, target):
    could = [i for i in range(len(labels)) if labels[i] != target and plain[i] != target]
    return sum(marked[i] == target for i in could) / len(could)


def masked(plain, marked, labels, target):
    could = (labels != target) & (plain != target)
    return (marked == target)[could].sum() / could.sum()


def torch_input(image):
    return (torch.from_numpy(image).permute(2, 0, 1)[None].float() - 127) / 128


def stacked_input(image):
    planes = [[[(int(pixel[c]) - 127) / 128 for pixel in row] for row in image] for c in range(3)]
    return np.array([planes])


def torch_map(features, weights, label):
    return torch.einsum("chw,c->hw", torch.from_numpy(features), torch.from_numpy(weights[label]))


def looped_map(features, weights, label):
    return sum(weight * plane for weight, plane in zip(weights[label], features, strict=True))


RIGHT = {
    "linear_saliency": [[2, 1, 0, 3], autograd_saliency()],
    "grad_cam": [torch_cam, looped_cam],
    "top_examples": [sorted_top, torch_top],
    "guided_relu": [hooked_relu, lambda x, g: np.where((x > 0) & (g > 0), g, 0)],
    "occlusion": [windows, covered],
    "alike": [corrcoef, torch_alike],
    "fooled": [counted, masked],
    "network_input": [torch_input, stacked_input],
    "activation_map": [torch_map, looped_map],
}
# Each with a piece of the hint that it must get.
WRONG = {
    "linear_saliency": [
        ([2, -1, 0, 3], "no signs"),
        ([2, 4, 0, 0], "not times the pixel"),
        ([2, -4, 0, 0], "adds to the score"),
        ([1, 4, 5, 0], "does not depend on the pixels"),
        ([1 / 3, 1 / 6, 0, 1 / 2], "add up to 1"),
        ([2, 1, 3, 0], "third pixel"),
        ([2, 1, 0, 3, 1], "belongs to none"),
    ],
    "grad_cam": [
        (lambda maps, g: np.tensordot(g.mean((1, 2)), maps, 1), "no negative heat"),
        (lambda maps, g: sum(np.maximum(w.mean() * m, 0) for m, w in zip(maps, g, strict=True)), "not in each channel"),
        (lambda maps, g: np.maximum((maps * g).sum(axis=0), 0), "not one for each place"),
        (lambda maps, g: np.maximum(np.tensordot(g.sum((1, 2)), maps, 1), 0), "not their sum"),
        (lambda maps, g: np.maximum((g.mean((1, 2), keepdims=True) * maps).mean(0), 0), "do not average them"),
        (lambda maps, g: np.tensordot(abs(g.mean((1, 2))), maps, 1), "may be negative"),
        (lambda maps, g: np.full(maps.shape[1:], max(g.mean((1, 2)).sum(), 0)), "`maps` were 1 everywhere"),
        (lambda maps, g: np.maximum((g.mean(0) * maps).sum(0), 0), "not over the channels"),
        (lambda maps, g: [np.maximum(g[c].mean() * maps[c], 0) for c in range(len(maps))], "for all channels together"),
        (lambda maps, g: np.maximum(np.einsum("c,chw->hw", g.max((1, 2)), maps), 0), "not the largest"),
    ],
    "top_examples": [
        (lambda maps, channel, k: sorted_top(maps, channel, k)[::-1], "loudest first"),
        (lambda maps, channel, k: torch.from_numpy(maps)[:, channel].flatten(1).amax(1).topk(k, largest=False).indices,
         "quietest"),
        (lambda maps, channel, k: np.argsort(maps[:, channel].mean(axis=(1, 2)))[::-1][:k],
         "A channel answers with its largest"),
        (lambda maps, channel, k: np.argsort(maps.reshape(len(maps), -1).max(1))[::-1][:k], "not of all channels"),
        (lambda maps, channel, k: torch.from_numpy(maps)[:, channel].flatten(1).amax(1).topk(k).values, "how loud"),
        (lambda maps, channel, k: sorted_top(abs(maps), channel, k), "not the largest size"),
        (lambda maps, channel, k: sorted_top(maps, channel, len(maps)), "no more"),
    ],
    "guided_relu": [
        (lambda x, g: np.where(x > 0, g, 0), "ordinary ReLU"),
        (lambda x, g: np.where(g > 0, g, 0), "closed"),
        (lambda x, g: np.where((x > 0) & (g > 0), g * x, 0), "multiplied by the input"),
        (lambda x, g: np.where((x > 0) & (g > 0), 1.0, 0), "keep their size"),
        (lambda x, g: np.where(x > 0, abs(g), 0), "do not turn it positive"),
        (lambda x, g: np.where((x < 0) & (g < 0), g, 0), "yours, where both are negative"),
    ],
    "occlusion": [
        (lambda image, weight, size: covered(image, weight, size, left=True), "score that is left"),
        (lambda image, weight, size: -windows(image, weight, size), "All the signs are the wrong way round"),
        (lambda image, weight, size: covered(image[:-1, :-1], weight[:-1, :-1], size),
         "What you have is right, but some is"),
        (lambda image, weight, size: covered(image, weight, size, fresh=False), "start from the whole image"),
        (lambda image, weight, size: covered(image, weight, size, fill=1.0), "not with 1"),
        (lambda image, weight, size: abs(windows(image, weight, size)), "The sizes are right, but yours has"),
        (lambda image, weight, size: np.array(windows(image, weight, size))[::size, ::size], "overlaps the one before"),
    ],
    "alike": [
        (lambda one, other: torch.cosine_similarity(*(torch.from_numpy(m).flatten() for m in (one, other)), dim=0),
         "mean away first"),
        (lambda one, other: np.cov(one.ravel(), other.ravel(), bias=True)[0, 1], "Divide by the spreads"),
        (lambda one, other: abs(corrcoef(one, other)), "keep the sign"),
        (lambda one, other: corrcoef(one, other) ** 2, "square of it"),
        (lambda one, other: 1 - corrcoef(one, other), "how different they are"),
        (lambda a, b: ((a - a.mean()) * (b - b.mean())).mean() / (a.std() ** 2 * b.std() ** 2), "by the variances"),
        (lambda a, b: np.cov(a.ravel(), b.ravel())[0, 1] / (a.std() * b.std()), "divides by one less"),
        (np.corrcoef, "lay each out as a row"),
        (lambda a, b: np.corrcoef(a.ravel(), b.ravel()), "table of all pairs"),
        (lambda a, b: (x := a - a.mean(), y := b - b.mean()) and (x * y).sum() / ((x**2).sum() * (y**2).sum()),
         "Divide by the root"),
    ],
    "fooled": [
        (lambda plain, marked, labels, target: np.mean(marked[labels != target] == target), "called so without"),
        (lambda plain, marked, labels, target: np.mean(marked[plain != target] == target), "leave those out"),
        (lambda *case: 100 * counted(*case), "in percent"),
        (lambda plain, marked, labels, target: np.mean((marked == target) & (plain != target) & (labels != target)),
         "not of all pictures"),
        (lambda plain, marked, labels, target: np.mean((marked != labels)[(labels != target) & (plain != target)]),
         "A wrong answer is not what is asked,"),
        (lambda plain, marked, labels, target: int(sum((marked == target) & (plain != target) & (labels != target))),
         "a share, please"),
        (lambda plain, marked, labels, target: (marked == target).mean(), "Who could be fooled"),
        (lambda plain, marked, labels, target: (marked == target)[(plain == labels) & (labels != target)].mean(),
         "Also who was wrong"),
    ],
    "network_input": [
        (lambda image: (image[None].transpose(0, 3, 1, 2) - np.uint8(127)) / 128, "First make floating-point"),
        (lambda image: (image.reshape(1, 3, *image.shape[:2]) - 127.0) / 128, "cuts that row elsewhere"),
        (lambda image: torch_input(image)[0], "batch of one"),
        (lambda image: image.transpose(2, 0, 1)[None] / 128 - 127, "First take 127 away"),
        (lambda image: image.transpose(2, 0, 1)[None] / 255, "not from 0 to 1"),
        (lambda image: (image.T[None] - 127.0) / 128, "lies on its side"),
        (lambda image: (image[None] - 127.0) / 128, "The channels come first"),
        (lambda image: image.transpose(2, 0, 1)[None] / 128, "taken away?"),
        (lambda image: image.transpose(2, 0, 1)[None] - 127.0, "division by 128"),
        (lambda image: torch_input(image[..., ::-1].copy()), "Red comes first"),
    ],
    "activation_map": [
        (lambda f, w, label: w[label] @ f.mean((1, 2)), "which is the score"),
        (lambda f, w, label: np.einsum("kc,chw->khw", w, f), "not of all"),
        (lambda f, w, label: np.einsum("c,chw->chw", w[label], f), "Add the channels up, each"),
        (lambda f, w, label: np.einsum("c,chw->hw", w[:, label], f), "not a column"),
        (lambda f, w, label: np.einsum("c,chw->hw", abs(w[label]), f), "speaks against the class, and"),
        (lambda f, w, label: np.maximum(looped_map(f, w, label), 0), "against the class stays"),
        (lambda f, w, label: looped_map(f, w, label) / f[0].size, "divide by their number"),
        (lambda f, w, label: looped_map(f, w, label) / looped_map(f, w, label).sum(), "units of the score"),
        (lambda f, w, label: (w[label][:, None, None] * f).mean(0), "do not average"),
    ],
}  # fmt: skip
