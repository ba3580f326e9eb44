"""Answers to chapter 14's exercises: right ones in several styles, and each mistake as a student would make it."""

from itertools import pairwise

import numpy as np

DENSE = "Linear"


def walked_front(networks):
    names, best = [], -1.0
    for name, _, accuracy in sorted(networks, key=lambda network: network[1]):
        if accuracy > best:
            names.append(name)
            best = accuracy
    return names


def tried_front(networks):
    free = [n for n in networks if not [m for m in networks if m[1] < n[1] and m[2] > n[2]]]
    return [n[0] for n in sorted(free, key=lambda n: n[1])]


def without(networks, worse):
    return [n[0] for n in sorted(networks, key=lambda n: n[1]) if not any(worse(n, m) for m in networks)]


def better_than_the_last(networks):
    order = [("", 0, 0), *sorted(networks, key=lambda network: network[1])]
    return [name for (_, _, before), (name, _, accuracy) in pairwise(order) if accuracy > before]


def table(results, network):
    return {r: a for n, r, a in results if n == network}


def mean_of(results, network):
    return np.mean([accuracy for name, _, accuracy in results if name == network])


def common(results, one, other):
    ours, theirs = table(results, one), table(results, other)
    return [ours[r] - theirs[r] for r in ours if r in theirs]


def looped_lead(results, one, other):
    total = count = 0
    for a, recipe, x in results:
        for b, same, y in results:
            if (a, b) == (one, other) and recipe == same:
                total, count = total + x - y, count + 1
    return total / count


def shares(rows, of=DENSE, whole=None):
    counts = np.array([row[1:] for row in rows], float)
    kinds = np.array([row[0] for row in rows])
    every = counts if whole is None else counts[kinds == whole]
    return counts[kinds == of].sum(0) / every.sum(0)


def summed_shares(rows):
    dense = [(p, m) for kind, p, m in rows if kind == DENSE]
    return [sum(x[i] for x in dense) / sum(row[i + 1] for row in rows) for i in (0, 1)]


def maps_kept(image, layers):
    sizes, keep = [image] + [size for _, size in layers], {}
    for i, (kind, _) in enumerate(layers):
        if kind != "add":
            place = i + 1 if kind == "relu" else i
            keep[place] = sizes[place]
    return sum(keep.values())


def walked_kept(image, layers):
    total, read, counted = 0, image, False
    for kind, made in layers:
        if kind in ("conv", "norm", "relu6") and not counted:
            total += read
        read, counted = made, kind == "relu"
        total += made if counted else 0
    return total


def listed(image, layers, **places):
    sizes = [image] + [size for _, size in layers]
    places = {"conv": 0, "norm": 0, "relu": 1, "relu6": 0} | places
    return [(i + places[k], sizes[i + places[k]]) for i, (k, _) in enumerate(layers) if k in places]


def added(image, layers, **places):
    return sum(dict(listed(image, layers, **places)).values())


RIGHT = {
    "twice_the_side": [(16.0, 25.6, 448.0), [4 * 2**2, 25.6, 112 * 4]],
    "training_bytes": [
        lambda p, a, batch, states: batch * a + 4 * p + 4 * p + 4 * p * states,
        lambda p, a, batch, states: sum([a] * batch) + sum([4 * p] * (states + 2)),
    ],
    "intensity": [
        lambda macs, p, a, images: macs / (2 * a + 4 * p / images),
        lambda macs, p, a, images: (macs * images) / float(a * images + a * images + p * 4),
    ],
    "dense_shares": [shares, summed_shares],
    "front": [walked_front, tried_front],
    "kept": [maps_kept, walked_kept],
    "lead": [looped_lead, lambda results, one, other: np.mean(common(results, one, other))],
}
# Each with a piece of the hint that it must get.
WRONG = {
    "twice_the_side": [
        ((8.0, 25.6, 448.0), "four times the places"),
        ((16.0, 102.4, 448.0), "The kernels are the same, whatever"),
        ((16.0, 51.2, 448.0), "however wide the image"),
        ((16.0, 25.6, 224.0), "maps grow with the area"),
        ((8.0, 25.6, 224.0), "Along both axes"),
        ((4.0, 25.6, 448.0), "every place costs"),
        ((32.0, 25.6, 896.0), "not three"),
        ((16, 25.6, 112), "The maps are as large"),
    ],
    "training_bytes": [
        (lambda p, a, batch, states: a + 4 * p + 4 * p + 4 * p * states, "its own maps"),
        (lambda p, a, batch, states: batch * a + batch * 4 * p * (states + 2), "there once"),
        (lambda p, a, batch, states: batch * a + 4 * p + 4 * p * states, "The gradients of the parameters"),
        (lambda p, a, batch, states: batch * a + p + p + p * states, "A number takes four bytes"),
        (lambda p, a, batch, states: batch * a + 4 * p + 4 * p + states, "yours adds a few alone"),
        (lambda p, a, batch, states: batch * a + 4 * p + 4 * p + p * states, "has four bytes a number"),
        (lambda p, a, batch, states: 4 * batch * a + 4 * p * (states + 2), "in bytes already"),
        (lambda p, a, batch, states: batch * a + 2 * 4 * p, "for each parameter is missing"),
        (lambda p, a, batch, states: batch * a + 4 * p, "To begin with: The gradients of the"),
        (lambda p, a, batch, states: 2 * batch * a + 4 * p * (2 + states), "maps are counted once"),
    ],
    "intensity": [
        (lambda macs, p, a, images: (images * macs) / (images * (2 * a + 4 * p)), "read once"),
        (lambda macs, p, a, images: images * macs / (images * a + 4 * p), "it moves twice"),
        (lambda macs, p, a, images: macs / (images * 2 * a + 4 * p), "those of one"),
        (lambda macs, p, a, images: images * macs / (images * 2 * a + p), "takes four bytes"),
        (lambda macs, p, a, images: images * macs / (images * 2 * a), "from memory as well"),
        (lambda macs, p, a, images: (images * 2 * a + 4 * p) / (images * macs), "not bytes for each MAC"),
        (lambda macs, p, a, images: images * macs / (2 * images * a) + 4 * p, "Are there brackets"),
        (lambda macs, p, a, images: images * macs / (2 * a + 4 * p), "those of yours are of one"),
        (lambda macs, p, a, images: images * macs / (2 * images * 4 * a + 4 * p), "given in bytes already"),
        (lambda macs, p, a, images: images * macs / (2 * (images * a + 4 * p)), "Each weight moves once"),
    ],
    "dense_shares": [
        (lambda rows: shares(rows, of="Conv2d"), "Those are the shares of the convolutions"),
        (lambda rows: 1 - shares(rows), "shares of all the others"),
        (lambda rows: shares(rows)[::-1], "First the share"),
        (lambda rows: shares(rows, whole="Conv2d"), "not of those of"),
        (lambda rows: [len([r for r in rows if r[0] == DENSE]) / len(rows)] * 2, "do not count them"),
        (lambda rows: 100 * shares(rows), "by 100"),
        (lambda rows: (sum(p for k, p, _ in rows if k == "Linear"), sum(m for k, _, m in rows if k == "Linear")),
         "divide by what all layers"),
        (lambda rows: [shares(rows)[0]] * 2, "Both of yours are shares"),
        (lambda rows: [sum(r[i] for r in rows if r[0] == "Linear") / sum(r[1] for r in rows) for i in (1, 2)],
         "have a sum of their own"),
        (lambda rows: [share / (1 - share) for share in shares(rows)], "that the other layers have"),
        (lambda rows: [[r[i] for r in rows if r[0] == "Linear"][-1] / sum(r[i] for r in rows) for i in (1, 2)],
         "yours counts the last"),
    ],
    "front": [
        (lambda networks: without(networks, lambda n, m: m[1] < n[1] or m[2] > n[2]), "one and the same"),
        (lambda networks: [n for n, *_ in sorted(networks, key=lambda n: n[1]) if n not in tried_front(networks)],
         "that are beaten"),
        (lambda networks: tried_front(networks)[::-1], "Cheapest first"),
        (lambda networks: [sorted(networks, key=lambda n: -n[2])[0][0]], "What is in your list belongs there,"),
        (lambda networks: without(networks, lambda n, m: m[1] > n[1] and m[2] > n[2]), "not dearer"),
        (lambda networks: [n for n in sorted(networks, key=lambda n: n[1]) if n[0] in walked_front(networks)],
         "Their names alone"),
        (lambda networks: walked_front(networks)[1:], "nothing is cheaper"),
        (lambda networks: walked_front(networks)[:-1], "nothing is better"),
        (better_than_the_last, "neighbour before"),
    ],
    "lead": [
        (lambda results, one, other: max(table(results, one).values()) - max(table(results, other).values()),
         "different recipes"),
        (lambda results, one, other: mean_of(results, one) - mean_of(results, other), "only one of them had"),
        (lambda results, one, other: np.mean(common(results, other, one)), "All the signs are the wrong way round"),
        (lambda results, one, other: common(results, one, other)[0], "not only one of them"),
        (lambda results, one, other: sum(common(results, one, other)), "not their sum"),
        (lambda results, one, other: np.mean([a - b for a, b in zip(table(results, one).values(), table(results,
         other).values(), strict=False)]), "not by their place"),
        (lambda results, one, other: sum(table(results, one).values()) - sum(table(results, other).values()),
         "is no 0"),
        (lambda results, one, other: np.mean(np.abs(common(results, one, other))), "leave the signs"),
        (lambda results, one, other: sum(common(results, one, other)) / len({r for _, r, _ in results}),
         "recipes of both"),
    ],
    "kept": [
        (lambda image, layers: sum(n for _, n in layers), "all that is written"),
        (lambda image, layers: maps_kept(image, layers) - image, "The image is needed"),
        (lambda image, layers: sum(n for _, n in listed(image, layers)), "one map serves both"),
        (lambda image, layers: added(image, layers, conv=1), "gradient of a kernel"),
        (lambda image, layers: added(image, layers, norm=1), "A normalisation needs"),
        (lambda image, layers: added(image, layers, relu=0), "one map serves both"),
        (lambda image, layers: added(image, layers, relu6=1), "from its result alone"),
        (lambda image, layers: added(image, layers, add=0), "hands the gradient on"),
    ],
}  # fmt: skip
