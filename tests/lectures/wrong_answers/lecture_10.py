"""Mistakes that a learner makes in lecture 10's exercises."""

import math

import numpy as np


def conjunction_learner(X, y):
    return X[y].all(axis=0), ~X[y].any(axis=0)


def swapped(X, y):
    return X[~y].all(axis=0), ~X[~y].any(axis=0)


def occam(error, bits, m, delta, *, in_nats=False, inside=2.0, cap=True):
    length = bits if in_nats else bits * math.log(2)
    bound = error + math.sqrt((length + math.log(2 / delta)) / (inside * m))
    return min(1.0, bound) if cap else bound


EVEN = list(range(0, 16, 2))

WRONG = {
    1: [(531, 5455), (532, 5454), (532, 532), (270, 5455)],
    2: [(4, 0.025, 176), (2, 0.05, 75), (2, 0.1, 74)],
    3: [conjunction_learner, swapped, lambda X, y: (np.ones(7, bool), np.ones(7, bool))],
    4: [
        lambda found, m: len(found) == 2**m,
        lambda found, m: len(set(found)) == 2 * m,
        lambda found, m: True,
    ],
    5: [(2, 2, 4, 6), (1, 2, 4, 5), (1, 3, 4, 6), (1, 2, 2, 6)],
    6: [
        lambda m: 2**m,
        lambda m: m * (m + 1) // 2 + 1,
        lambda m: sum(math.comb(m, i) for i in range(4)),
    ],
    7: [
        (lambda *case: occam(*case, in_nats=True), "short"),
        (lambda *case: occam(*case, inside=1.0), "short"),
        (lambda *case: occam(*case, cap=False), "short"),
        (occam, "long"),
    ],
    8: [
        (EVEN, [0] * 16, [0] * 8 + [1] * 8),
        (EVEN, [0, 1] * 8, [0, 1] * 8),
        (EVEN, [0, 1] * 8, [0] * 16),
        (EVEN[:4], [0, 1] * 8, [0] * 8 + [1] * 8),
    ],
}
