"""Planted answers to lecture 10's exercises: mistakes, and right ones of unusual form."""

import itertools
import math

import numpy as np
from planting import Misread


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
    "how_many_examples": [(531, 5455), (532, 5454), (270, 5455)],
    "intervals": [(2, 0.05, 73), (2, 0.05, 75), (2, 0.1, 74)],
    "striking_out_literals": [
        lambda X, y: (X[~y].any(axis=0), ~X[~y].all(axis=0)),
        swapped,
        lambda X, y: (np.ones(7, bool), np.ones(7, bool)),
    ],
    "shattered": [
        lambda found, m: m <= 2,
        lambda found, m: len(set(found)) == 2 * m,
        lambda found, m: True,
    ],
    "four_vc_dimensions": [(2, 2, 4, 6), (1, 3, 4, 6), (1, 2, 2, 6)],
    "the_growth_of_two_intervals": [
        lambda m: 2**m,
        lambda m: math.comb(m + 1, 4),
        lambda m: sum(math.comb(m, i) for i in range(4)),
    ],
    "occams_bound": [
        (lambda *case: occam(*case, inside=1.0), "short"),
        (lambda *case: occam(*case, cap=False), "short"),
        (occam, "long"),
    ],
    "fool_the_learner": [
        (EVEN, [0] * 16, [0] * 8 + [1] * 8),
        (EVEN, [0, 1] * 8, [0] * 16),
        (EVEN[:4], [0, 1] * 8, [0] * 8 + [1] * 8),
    ],
}


def learn_by_loops(X, y):
    bits = range(X.shape[1])
    negative = [row for row, label in zip(X.tolist(), y.tolist(), strict=True) if not label]
    return [[not any(row[j] for row in negative) for j in bits],
            [all(row[j] for row in negative) for j in bits]]  # fmt: skip


def learn_by_sums(X, y):
    negative = X[y == 0].astype(int)
    ones = negative.sum(axis=0)
    return np.array([ones == 0, ones == len(negative)]).astype(int)


def growth_by_binomials(m):
    return float(sum(math.comb(m + 1, 2 * k) for k in range(3)))  # two changes a run


def occam_by_numpy(error, bits, m, delta):
    return np.minimum(1, error + np.sqrt(np.log(2 ** (bits + 1) / delta) / (2 * m)))


RIGHT = {
    "how_many_examples": [("532", 5455.0), (np.int64(532), [5455])],
    "intervals": [(2.0, "1/20", 74), ("2", 0.05, np.int64(74))],
    "striking_out_literals": [learn_by_loops, learn_by_sums],
    "shattered": [
        lambda found, m: int(all(t in found for t in itertools.product((0, 1), repeat=m))),
        lambda found, m: np.array(len({"".join(map(str, t)) for t in found}) == 2**m),
    ],
    "four_vc_dimensions": [(1.0, "2", np.int64(4), [6]), ("1", 2, 4, 6)],
    "the_growth_of_two_intervals": [
        growth_by_binomials,
        lambda m: np.array([1 + m * (m + 1) // 2 + math.comb(m + 1, 4)]),
    ],
    "occams_bound": [(occam_by_numpy, " Short"), (lambda *case: [occam(*case)], "SHORT")],
    "fool_the_learner": [
        (set(EVEN), tuple([1, 0] * 8), np.arange(16) > 7),
        (
            np.array(EVEN[::-1] + EVEN),
            [True, False] * 8,
            [1.0] * 6 + [0.0] * 10,
        ),
    ],
}

MISREAD = {
    "how_many_examples": Misread(
        (532, 532),
        "Whether the target is in the class is taken to make no difference to the bound.",
        "give the one without that",
    ),
    "intervals": Misread(
        (4, 0.025, 176),
        "The numbers of the rectangle are repeated with its proof.",
        "an interval has ends",
    ),
    "striking_out_literals": Misread(
        conjunction_learner,
        "Valiant's learner is the one of the lecture, for conjunctions.",
        "for a disjunction it is by the negative ones",
    ),
    "shattered": Misread(
        lambda found, m: len(found) == 2**m,
        "The labellings in the list are counted.",
        "a repeated one is no other",
    ),
    "four_vc_dimensions": Misread(
        (1, 2, 4, 5),
        "Half-spaces in five dimensions have five.",
        "a half-space is a half-line in either direction",
    ),
    "the_growth_of_two_intervals": Misread(
        lambda m: m * (m + 1) // 2 + 1,
        "The count is the lecture's, for a single interval.",
        "count unions of at most two",
    ),
    "occams_bound": Misread(
        (lambda *case: occam(*case, in_nats=True), "short"),
        "The bits are put into the formula as they are.",
        "it is in bits",
    ),
    "fool_the_learner": Misread(
        (EVEN, [0, 1] * 8, [0, 1] * 8),
        "The kind labels are another set that fools the learner.",
        "it should be wrong on none",
    ),
}
