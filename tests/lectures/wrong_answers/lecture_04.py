"""Mistakes that a learner makes in lecture 4's exercises."""

import numpy as np


def threshold(x, t, *, average=False, at_value=False, in_order=False):
    if in_order:
        x = np.sort(x)
    values = np.unique(x)
    cuts = values[:-1] if at_value else (values[1:] + values[:-1]) / 2

    def spread(cut):
        sides = t[x <= cut], t[x > cut]
        return sum(side.var() * (1 if average else side.size) for side in sides)

    return min(cuts, key=spread)


def ask(tree, x):
    while "value" not in tree:
        tree = tree["yes" if x[tree["feature"]] <= tree["threshold"] else "no"]
    return tree["value"]


def ask_strictly(tree, x):
    while "value" not in tree:
        tree = tree["yes" if x[tree["feature"]] < tree["threshold"] else "no"]
    return tree["value"]


def depth(tree, *, of_leaf=0, choose=max):
    if "value" in tree:
        return of_leaf
    return 1 + choose(depth(tree[side], of_leaf=of_leaf, choose=choose) for side in ("yes", "no"))


def overflowing(F, y):
    return y * np.exp(-y * F) / (1 + np.exp(-y * F))


def stump(w, b, a1, a2, x, y, *, gate=True, answers=True):
    g = 1 / (1 + np.exp(-(w * x + b)))
    miss = g * a1 + (1 - g) * a2 - y
    through = miss * (a1 - a2) * (g * (1 - g) if gate else 1)
    return through * x, through, miss * (g if answers else 1), miss * ((1 - g) if answers else 1)


def variance(m, rho, sigma):
    return rho * sigma**2 + (1 - rho) / m * sigma**2


def needed(rho, excess):
    return int(np.ceil((1 - rho) / (rho * excess) - 1e-9))


rng = np.random.default_rng(1)
SQUARE = rng.uniform(-1, 1, size=(60, 2))

WRONG = {
    1: [(0.375, 1.5, 0.5), (0.625, 1.04, 0.5), (0.625, 1.5, 0.75)],
    2: [(3.5, 4 / 9, 0.0), (5.5, 2 / 9, 2 / 9), (3.5, 2 / 9, 4 / 9)],
    3: [
        lambda x, t: threshold(x, t, average=True),
        lambda x, t: threshold(x, t, at_value=True),
        lambda x, t: threshold(x, t, in_order=True),
    ],
    4: [
        (ask_strictly, depth),
        (ask, lambda tree: depth(tree, of_leaf=1)),
        (ask, lambda tree: depth(tree, choose=min)),
    ],
    5: [
        (0.045, 0.015, "lower", 0.05),
        (0.06, 0.03, "upper", 0.075),
        (0.06, 0.03, "lower", 0.06),
    ],
    6: [overflowing, lambda F, y: -y * 0.5 * (1 - np.tanh(y * F / 2)), lambda F, y: y - F],
    7: [
        lambda *case: stump(*case, gate=False),
        lambda *case: stump(*case, answers=False),
        lambda *case: stump(*case)[::-1],
    ],
    8: [
        (lambda m, rho, sigma: sigma**2 / m, needed),
        (lambda m, rho, sigma: rho * sigma + (1 - rho) / m * sigma, needed),
        (variance, lambda rho, excess: int((1 - rho) / (rho * excess))),
    ],
    9: [
        (SQUARE, (SQUARE[:, 0] > 0).astype(int)),
        (SQUARE, rng.integers(0, 2, size=60)),
        (np.zeros((80, 2)), np.zeros(80, dtype=int)),
    ],
}
