"""Answers to chapter 15's exercises: right ones in several styles, and each mistake as a student would make it."""

from math import comb

import numpy as np

STAGES = [12_000, 95_000, 310_000, 820_000]
AT_LEAST_8 = sum(comb(10, k) for k in (8, 9, 10)) / 1024


def unit(x):
    return x / np.sqrt((x**2).sum(1))[:, None]


def centres(x, kinds):
    return np.array([x[kinds == kind].mean(axis=0) for kind in np.unique(kinds)])


def closest(means, new):
    return np.linalg.norm(new[:, None, :] - means[None], axis=2).argmin(axis=1)


def looped_mean(x, kinds, new):
    x = [row / np.linalg.norm(row) for row in x]
    found = []
    for row in new:
        row, best = row / np.linalg.norm(row), None
        for kind in range(max(kinds) + 1):
            own = [one for one, k in zip(x, kinds, strict=True) if k == kind]
            gap = np.linalg.norm(row - sum(own) / len(own))
            if best is None or gap < best:
                best, answer = gap, kind
        found.append(int(answer))
    return found


def single_row(x, kinds, new):
    x, new = unit(x), unit(new)
    return [kinds[np.argmax([row @ one for one in x])] for row in new]


def sums(x, kinds, new):
    return closest(np.array([unit(x)[kinds == kind].sum(0) for kind in range(max(kinds) + 1)]), unit(new))


def per_column(x):
    return x / np.linalg.norm(x, axis=0)


def by_sizes(x):
    return x / np.abs(x).sum(1, keepdims=True)


def of(file):
    return file.rsplit("_", 1)[0]


def walked(files, folds, fold, name=of, first=0, by_name=False):
    seen, learn, judge = [], [], []
    for file in files:
        if name(file) not in seen:
            seen.append(name(file))
    seen = sorted(seen) if by_name else seen
    for place, file in enumerate(files):
        side = judge if (seen.index(name(file)) + first) % folds == fold else learn
        side.append(place)
    return learn, judge


def arrays(files, folds, fold):
    names = np.array([of(file) for file in files])
    _, first, number = np.unique(names, return_index=True, return_inverse=True)
    held = np.argsort(np.argsort(first))[number] % folds == fold
    return np.flatnonzero(~held), np.flatnonzero(held)


def in_blocks(files, folds, fold):
    seen = list(dict.fromkeys(map(of, files)))
    held = [seen.index(of(file)) * folds // len(seen) == fold for file in files]
    return [i for i, h in enumerate(held) if not h], [i for i, h in enumerate(held) if h]


def from_one(files, folds, fold):
    seen = list(dict.fromkeys(map(of, files)))
    held = [seen.index(of(file)) % folds + 1 == fold for file in files]
    return [i for i, h in enumerate(held) if not h], [i for i, h in enumerate(held) if h]


def named(files, folds, fold):
    return tuple([files[i] for i in side] for side in walked(files, folds, fold))


def wilson(p, n, z=1.96, zz=1.96**2, half=2, quarter=4, divided=True):
    center, spread = p + zz / (half * n), z * ((p * (1 - p) + zz / (quarter * n)) / n) ** 0.5
    under = 1 + zz / n if divided else 1
    return (center - spread) / under, (center + spread) / under


def solved(right, pictures, shots):
    """The two shares p for which (share − p)² = z² p (1 − p) / n."""
    n, z = pictures // shots, 1.96
    share = right / pictures
    return np.sort(np.roots([1 + z**2 / n, -2 * share - z**2 / n, share**2]).real)


def wald(right, pictures, shots):
    p, n = right / pictures, pictures / shots
    return p - 1.96 * np.sqrt(p * (1 - p) / n), p + 1.96 * np.sqrt(p * (1 - p) / n)


def looped_ahead(labels, borrowed, rival):
    for n, row in zip(labels, borrowed, strict=True):
        if all(mine > theirs for mine in row for theirs in rival[-1]):
            return n
    return 0


def first_where(labels, found):
    found = np.flatnonzero(found)
    return labels[found[0]] if len(found) else 0


RIGHT = {
    "learns": [(192 * 5 + 5, 192 * 5 + 5 + 820_000), [965, 965 + STAGES[-1]]],
    "lucky": [
        1 - (1 - AT_LEAST_8) ** 20,
        sum(comb(20, k) * (56 / 1024) ** k * (968 / 1024) ** (20 - k) for k in range(1, 21)),
    ],
    "nearest_mean": [looped_mean, lambda x, kinds, new: closest(centres(unit(x), kinds), unit(new))],
    "held_out": [walked, arrays],
    "interval": [lambda right, pictures, shots: wilson(right / pictures, pictures / shots), solved],
    "ahead": [looped_ahead, lambda labels, borrowed, rival: first_where(labels, borrowed.min(1) > rival[-1].max())],
}
# Each with a piece of the hint that it must get.
WRONG = {
    "learns": [
        ((192 * 5, 192 * 5 + 820_000), "has a bias for each kind"),
        ((192 * 5 + 192, 192 * 6 + 820_000), "not to a channel"),
        ((192 * 49 * 5 + 5, 192 * 49 * 5 + 5 + 820_000), "leaves one number of each map"),
        ((965, 965 + 12_000), "next to the image"),
        ((965, 965 + sum(STAGES)), "not all four"),
        ((965 + sum(STAGES), 965 + sum(STAGES)), "does not learn"),
        ((965, 820_000), "learns in both cases"),
    ],
    "lucky": [
        (20 * AT_LEAST_8, "two may be lucky at once"),
        (AT_LEAST_8**20, "all of them get so far"),
        ((1 - AT_LEAST_8) ** 20, "none of them"),
        (1 - (1 - 45 / 1024) ** 20, "more would do as well"),
        (1 - (1 - 11 / 1024) ** 20, "just so many would do"),
        (1 - (1 - sum(comb(10, k) for k in range(9)) / 1024) ** 20, "not so many or fewer"),
        (1 - (1 - 3 / 11) ** 20, "count the ways"),
        (1 - (1 - 1 / 256) ** 20, "one of these ways"),
        (AT_LEAST_8, "a single classifier"),
    ],
    "nearest_mean": [
        (lambda x, kinds, new: closest(centres(x, kinds), new), "yours keep theirs"),
        (lambda x, kinds, new: closest(centres(x, kinds), unit(new)), "The rows of `x` need"),
        (lambda x, kinds, new: closest(centres(unit(x), kinds), new), "The rows of `new` need"),
        (lambda x, kinds, new: closest(centres(per_column(x), kinds), per_column(new)), "that of a column"),
        (lambda x, kinds, new: closest(centres(by_sizes(x), kinds), by_sizes(new)), "not a sum of sizes"),
        (sums, "has a long sum"),
        (single_row, "not with each single row"),
        (lambda x, kinds, new: closest(unit(centres(x, kinds)), unit(new)), "outvote short ones"),
        (lambda x, kinds, new: (unit(new) @ centres(unit(x), kinds).T).argmax(1), "not the largest product"),
        (lambda x, kinds, new: [np.linalg.norm(centres(unit(x), kinds) - row, axis=1).argmax() for row in unit(new)],
         "farthest away"),
    ],
    "held_out": [
        (lambda files, folds, fold: ([i for i in range(len(files)) if i % folds != fold],
                                     [i for i in range(len(files)) if i % folds == fold]), "deal out bursts"),
        (lambda files, folds, fold: walked(files, folds, fold, lambda file: of(file).split("/")[-1]), "a burst 0 of"),
        (lambda files, folds, fold: walked(files, folds, fold, lambda file: file[: file.find("/")]), "a whole folder"),
        (lambda files, folds, fold: walked(files, folds, fold, lambda file: file[: file.find("/") + 2]), "two digits"),
        (lambda files, folds, fold: walked(files, folds, fold, by_name=True), "yours are sorted"),
        (from_one, "counted from 0"),
        (in_blocks, "like cards"),
        (named, "not their names"),
        (lambda files, folds, fold: walked(files, folds, fold)[::-1], "First the pictures"),
    ],
    "interval": [
        (lambda right, pictures, shots: wilson(right / pictures, pictures), "count what is independent"),
        (lambda right, pictures, shots: wilson(right / pictures, pictures * shots), "fewer bursts than pictures"),
        (wald, "if all were sure"),
        (lambda right, pictures, shots: wilson(right / pictures, pictures / shots)[::-1], "The lower end comes first"),
        (lambda right, pictures, shots: wilson(right / pictures, pictures / shots, zz=1.96), "has to be squared"),
        (lambda right, pictures, shots: wilson(right / pictures, pictures / shots, half=1), "Half of the extra"),
        (lambda right, pictures, shots: wilson(right / pictures, pictures / shots, quarter=1), "A quarter of"),
        (lambda right, pictures, shots: wilson(right / pictures, pictures / shots, divided=False), "divided by 1 plus"),
        (lambda right, pictures, shots: wilson(right / pictures, pictures / shots, 1.645, 1.645**2), "another promise"),
    ],
    "ahead": [
        (lambda labels, mine, rival: first_where(labels, mine.mean(1) > rival[-1].mean()), "a draw is behind"),
        (lambda labels, mine, rival: first_where(labels, mine.min(1) > rival[-1].mean()), "ahead of the rival's mean"),
        (lambda labels, mine, rival: first_where(labels, mine.max(1) > rival[-1].max()), "The others?"),
        (lambda labels, mine, rival: first_where(labels, mine.mean(1) > rival[-1].max()), "Your mean is ahead"),
        (lambda labels, mine, rival: first_where(labels, mine.min(1) > rival[-1].min()), "not ahead of all"),
        (lambda labels, mine, rival: first_where(labels, mine.min(1) > rival.max(1)), "has as few as you"),
        (lambda labels, mine, rival: first_where(labels, mine.min(1) >= rival[-1].max()), "Equal is not ahead"),
        (lambda labels, mine, rival: first_where(range(6), mine.min(1) > rival[-1].max()), "not its place"),
        (lambda labels, mine, rival: max([labels[i] for i in range(6) if mine[i].min() > rival[-1].max()], default=0),
         "yours is the largest"),
        (lambda labels, mine, rival: first_where(labels, (mine > rival[-1]).all(1)), "every draw with every draw"),
    ],
}  # fmt: skip
