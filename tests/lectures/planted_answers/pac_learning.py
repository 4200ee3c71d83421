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


EPSILON = math.sqrt(math.log(2 * 500 / 0.05) / 2000)


def rademacher(labellings, *, best=False, size=False, mean=True):
    H = np.array(labellings)
    coins = np.array(list(itertools.product((-1, 1), repeat=H.shape[1])))
    table = coins @ H.T / (H.shape[1] if mean else 1)
    table = abs(table) if size else table
    return table.max() if best else table.max(axis=1).mean()


def trained(Z):
    w, mistaken = np.zeros(Z.shape[1]), []
    while True:
        before = len(mistaken)
        for i, z in enumerate(Z):
            if w @ z <= 0:
                w, mistaken = w + z, [*mistaken, i]
        if len(mistaken) == before:
            return w, mistaken


def left_out(Z):
    return sum(trained(np.delete(Z, i, axis=0))[0] @ Z[i] <= 0 for i in range(len(Z)))


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
    "the_best_of_the_class": [
        (math.sqrt(math.log(500 / 0.05) / 2000), 2 * EPSILON, 0.12 - EPSILON, 0.12 + EPSILON),
        (EPSILON, 2 * EPSILON, 0.12 - 2 * EPSILON, 0.12 + EPSILON),
        (EPSILON, 2 * EPSILON, 0.12 - EPSILON, 0.12 + 2 * EPSILON),
    ],
    "the_complexity_of_a_list": [
        lambda H: rademacher(H, size=True),
        lambda H: rademacher(H, mean=False),
        lambda H: 1 - math.log2(len(H)) / len(H[0]),
    ],
    "how_many_are_too_few": [(0.2, 0.002, 250), (0.8, 0.2 / 101, 250), (0.8, 0.002, 500)],
    "leave_one_out": [
        lambda Z: (sum(trained(Z)[0] @ z <= 0 for z in Z), len(trained(Z)[1])),
        lambda Z: (left_out(Z), len(set(trained(Z)[1]))),
        lambda Z: (0, 0),
    ],
    "stump_or_tree": [
        (-0.03656, -0.08042, 1, "the tree"),
        (0.03656, 0.08042, 0, "the tree"),
        (0.10839, 0.08042, 1, "the tree"),
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
    "the_best_of_the_class": [
        ("0.0704", [0.1407], 0.0496, 0.1904),
        (np.float64(EPSILON), 2 * EPSILON, 0.12 - EPSILON, "0.190"),
    ],
    "the_complexity_of_a_list": [
        lambda H: (
            np.mean(
                [
                    max(sum(s * y for s, y in zip(coins, h, strict=True)) for h in H)
                    for coins in itertools.product((-1, 1), repeat=len(H[0]))
                ]
            )
            / len(H[0])
        ),
        lambda H: [rademacher(H)],
    ],
    "how_many_are_too_few": [("4/5", "1/500", 250.0), ([0.8], 0.002, "250")],
    "leave_one_out": [
        lambda Z: [np.int64(left_out(Z)), float(len(trained(Z)[1]))],
        lambda Z: np.array([left_out(Z), len(trained(Z)[1])]),
    ],
    "stump_or_tree": [
        (0.0366, "0.0804", 1.0, "The tree"),
        ([0.03656], 0.0804, "1", " the-tree"),
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
    "the_best_of_the_class": Misread(
        (EPSILON, EPSILON, 0.12 - EPSILON, 0.12 + EPSILON),
        "Only the error of ERM's answer is taken to be misjudged, not that of the best.",
        "may look worse than it is",
    ),
    "the_complexity_of_a_list": Misread(
        lambda H: rademacher(H, best=True),
        "The largest agreement is taken over the coins as well.",
        "take the mean over all outcomes",
    ),
    "how_many_are_too_few": Misread(
        (0.8, 0.002, 125),
        "The number is that of the sentence after the theorem, with its 16.",
        "here the error is expected",
    ),
    "leave_one_out": Misread(
        lambda Z: (len(set(trained(Z)[1])), len(trained(Z)[1])),
        "The bound of the proof is given for the errors that it bounds.",
        "train without each",
    ),
    "stump_or_tree": Misread(
        (0.03656, 0.08042, 1, "the stump"),
        "The smaller gap is taken for the smaller error.",
        "which errs less on the test parts",
    ),
}
