"""Answers to chapter 07's exercises: right ones in several styles, and each mistake as a student would make it."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

PARAMETERS, MACS = [80, 1548, 3270, 310], [23328, 55296, 3240, 300]


def small_net(dense=108):
    return [nn.Conv2d(1, 8, 3), nn.Conv2d(8, 12, 4), nn.Linear(dense, 30), nn.Linear(30, 10)]


def sizes_of(layers):
    return [sum(p.numel() for p in layer.parameters()) for layer in layers]


def pairs(parameters, macs):
    return list(zip(parameters, macs, strict=True))


def loop_softmax(scores):
    out = []
    for row in scores:
        powers = [math.exp(score - max(row)) for score in row]
        out.append([power / sum(powers) for power in powers])
    return out


def torch_softmax(scores, dim=1):
    return torch.softmax(torch.from_numpy(scores), dim)


def overflowing(scores, axis=1):
    powers = np.exp(scores)
    return powers / powers.sum(axis, keepdims=True)


def torch_loss(scores, labels, reduction="mean"):
    return F.cross_entropy(torch.from_numpy(scores), torch.from_numpy(labels), reduction=reduction)


def loop_loss(scores, labels):
    return sum(-math.log(shares[label]) for shares, label in zip(loop_softmax(scores), labels, strict=True)) / len(
        labels
    )


def loop_softmax_of(scores, labels):
    return np.array([row[label] for row, label in zip(loop_softmax(scores), labels, strict=True)])


def torch_sgd(w, v, g, rate, momentum, **options):
    weight = torch.tensor(w, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=rate, momentum=momentum, **options)
    weight.grad = torch.tensor(g)
    optimizer.state[weight]["momentum_buffer"] = torch.tensor(v)
    optimizer.step()
    return weight, optimizer.state[weight]["momentum_buffer"]


def plain_sgd(w, v, g, rate, momentum):
    v = momentum * v + g
    return [w - rate * v, v]


def counts(labels, predicted, classes):
    table = np.zeros((classes, classes))
    for label, answer in zip(labels, predicted, strict=True):
        table[label][answer] += 1
    return table


def sums(labels, predicted, classes):
    return [[int(((labels == i) & (predicted == j)).sum()) for j in range(classes)] for i in range(classes)]


def listed(labels, predicted, classes):
    table = np.zeros((classes, classes), int)
    table[labels, predicted] += 1
    return table


def tried(budget, inputs, classes):
    units = 0
    while (inputs + 1) * (units + 1) + (units + 2) * classes <= budget:
        units += 1
    return units


RIGHT = {
    "counted": [pairs(PARAMETERS, MACS), np.array([sizes_of(small_net()), MACS]).T],
    "steps": [math.ceil(1050 / 64) * 8, sum(len(torch.arange(1050).split(64)) for _ in range(8))],
    "softmax": [loop_softmax, torch_softmax],
    "cross_entropy": [torch_loss, loop_loss],
    "sgd": [torch_sgd, plain_sgd],
    "confusion": [counts, sums],
    "hidden": [tried, lambda budget, inputs, classes: int((budget - classes) / (1 + inputs + classes))],
}
# Each with a piece of the hint that it must get.
WRONG = {
    "counted": [
        (pairs([layer.weight.numel() for layer in small_net()], MACS), "has a bias"),
        (pairs(PARAMETERS, [80 * 18 * 18, 1548 * 6 * 6, 3270, 310]), "no MAC"),
        (pairs(sizes_of(small_net(12)), [23328, 55296, 360, 300]), "one for each channel"),
        (pairs(sizes_of(small_net(12 * 6 * 6)), [23328, 55296, 12 * 6 * 6 * 30, 300]), "second pooling"),
        (pairs([80, 12 * 17, 3270, 310], [23328, 12 * 16 * 36, 3240, 300]), "all the maps of the first"),
        (pairs(PARAMETERS, [72 * 20 * 20, 1536 * 9 * 9, 3240, 300]), "not of its input"),
        (pairs(PARAMETERS, [72 * 9 * 9, 1536 * 3 * 3, 3240, 300]), "before the pooling"),
        (pairs(PARAMETERS, [2 * macs for macs in MACS]), "are one MAC"),
        ([(23328, 80), (55296, 1548), (3240, 3270), (300, 310)], "Parameters first"),
        ([(80, 72), (1548, 1536), (3270, 3240), (310, 300)], "not once"),
        ([(32, 7776), (396, 13824), (3270, 3240), (310, 300)], "as many rows of weights"),
    ],
    "steps": [
        (1050 // 64 * 8, "left over"),
        (math.ceil(1050 * 8 / 64), "begins anew"),
        (math.ceil(1050 / 64), "one epoch"),
        (1050 * 8, "not for each image"),
        (1050 / 64 * 8, "a whole one"),
        (round(1050 / 64 * 8), "Do not round at the end"),
        (64 * 8, "how many are there"),
    ],
    "softmax": [
        (overflowing, "no number"),
        (lambda scores: torch_softmax(scores, 0), "Yours do so down"),
        (lambda scores: overflowing(scores, 0), "Your probabilities add up to 1 down the columns;"),
        (lambda scores: torch_softmax(scores.ravel(), 0).reshape(scores.shape), "Probabilities are to add up to"),
        (lambda scores: overflowing(scores - scores.max()), "0 / 0"),
        (lambda scores: [[score / sum(row) for score in row] for row in scores], "the exponential"),
        (lambda scores: F.log_softmax(torch.from_numpy(scores), dim=1), "logarithms"),
        (np.exp, "To begin with: Fine for small scores"),
        (lambda scores: np.exp(scores - scores.max(1, keepdims=True)) / np.exp(scores - scores.max(1,
         keepdims=True)).sum(), "over the whole batch"),
        (lambda scores: np.exp(scores - scores.max(1, keepdims=True)), "no probabilities yet"),
    ],
    "cross_entropy": [
        (lambda scores, labels: torch_loss(scores, labels, "sum"), "grows with the batch"),
        (lambda scores, labels: -loop_loss(scores, labels), "not negative"),
        (lambda scores, labels: torch_loss(scores, labels, "none"), "for each image"),
        (lambda scores, labels: torch_loss(torch_softmax(scores).numpy(), labels), "One softmax too many"),
        (lambda scores, labels: loop_loss(scores, labels) / math.log(2),
         "The natural logarithm, not that to the base of 2"),
        (lambda scores, labels: -math.log(np.mean([row[k] for row, k in zip(loop_softmax(scores), labels,
                                                                            strict=True)])), "then the mean"),
        (lambda scores, labels: torch_loss(scores, scores.argmax(1)), "not the largest"),
        (lambda scores, labels: -np.log(overflowing(scores)[:, labels]).mean(), "takes all those columns"),
        (lambda scores, labels: -np.log(overflowing(scores)).mean(), "Only the right one"),
        (lambda scores, labels: -np.mean([row[label] for row, label in zip(scores, labels, strict=True)]),
         "Make probabilities"),
        (lambda scores, labels: -loop_softmax_of(scores, labels).mean(), "Where is the logarithm"),
        (lambda scores, labels: -np.log10(loop_softmax_of(scores, labels)).mean(), "base of 10"),
        (lambda scores, labels: loop_loss(scores, labels - 1), "counted from 0"),
    ],
    "sgd": [
        (lambda w, v, g, rate, m: (w + rate * (m * v + g), m * v + g), "a step up"),
        (lambda w, v, g, rate, m: (w - rate * g, plain_sgd(w, v, g, rate, m)[1]), "Where is the momentum"),
        (lambda w, v, g, rate, m: (w - v * rate, v * m + g), "First the velocity, then the step:"),
        (lambda w, v, g, rate, m: (w - (step := m * v + rate * g), step), "no part of the velocity"),
        (lambda w, v, g, rate, m: torch_sgd(w, v, g, rate, m, dampening=m), "the whole gradient"),
        (lambda w, v, g, rate, m: plain_sgd(w, v, m * g, rate, 1), "not the gradient"),
        (lambda w, v, g, rate, m: plain_sgd(w, v, g, rate, m)[::-1], "Weights first"),
        (lambda w, v, g, rate, m: plain_sgd(w, v, g, rate, m)[:1], "some is missing"),
        (lambda w, v, g, rate, m: (w + (m * v - rate * g), m * v - rate * g), "gathers gradients"),
        (lambda w, v, g, rate, m: torch_sgd(w, v, g, rate, m, nesterov=True), "Nesterov"),
        (lambda w, v, g, rate, m: plain_sgd(w, v, g, rate, m)[0], "velocity is wanted"),
    ],
    "confusion": [
        (lambda labels, predicted, classes: counts(predicted, labels, classes), "other way round"),
        (listed, "None of your counts is above 1: = writes"),
        (lambda labels, predicted, classes: counts(labels, predicted, classes) / len(labels), "not fractions"),
        (lambda labels, predicted, classes: [[n if i != j else 0 for j, n in enumerate(row)]
                                             for i, row in enumerate(sums(labels, predicted, classes))],
         "Only mistakes"),
        (lambda labels, predicted, classes: sums(labels, predicted, max(labels) + 1),
         "What you have is right, but some is"),
        (lambda labels, predicted, classes: np.diag(np.diag(counts(labels, predicted, classes))), "Only right answers"),
        (lambda y, p, n: (t := np.array(counts(y, p, n), float)) / np.maximum(t.sum(1, keepdims=True), 1),
         "no fractions of a row"),
        (lambda y, p, n: [[int((p == c).sum()) for c in range(n)]] * n, "one list, n times"),
        (lambda y, p, n: counts(y - 1, p - 1, n), "counted from 0"),
    ],
    "hidden": [
        (lambda budget, inputs, classes: (budget - classes) // (inputs + classes), "hidden unit has a bias"),
        (lambda budget, inputs, classes: budget // (inputs + classes + 1), "scores have biases"),
        (lambda budget, inputs, classes: budget // (inputs + classes), "No bias at all"),
        (lambda budget, inputs, classes: math.ceil((budget - classes) / (inputs + 1 + classes)), "round down"),
        (lambda budget, inputs, classes: (budget - classes) / (inputs + 1 + classes), "what comes after the point"),
        (lambda budget, inputs, classes: (budget - classes) // (inputs + 1), "also read"),
    ],
}  # fmt: skip
