"""Planted answers to makemore part 1's exercises: mistakes, and right ones of unusual form."""

import functools
import math
import random
from collections import Counter

import numpy as np
from checks.makemore_bigrams import LETTERS, _counts, _dev_losses, _splits
from planting import Misread

from micrograd import functional as F
from micrograd import maximum


def split(words, seed, *, shuffle=True, cuts=(0.8, 0.9), in_place=False, fresh=False):
    rng = np.random.default_rng(None if fresh else seed)
    if in_place:
        rng.shuffle(words)
        order = range(len(words))
    else:
        order = rng.permutation(len(words)) if shuffle else range(len(words))
    shuffled = [words[i] for i in order]
    n1, n2 = (int(cut * len(words)) for cut in cuts)
    return shuffled[:n1], shuffled[n1:n2], shuffled[n2:]


def trigram_counts(words, *, before=2, after=1, once=False):
    N = np.zeros((27, 27, 27), dtype=int)
    for word in words:
        row = [0] * before + [LETTERS.index(letter) for letter in word] + [0] * after
        for i, j, k in zip(row, row[1:], row[2:], strict=False):
            N[i, j, k] = 1 if once else N[i, j, k] + 1
    return N


def trigram_loss(N, words, extra, *, axis=-1, keepdims=True, mean=True, late=False):
    counts = N + (0 if late else extra)
    with np.errstate(all="ignore"):
        P = counts / counts.sum(axis=axis, keepdims=keepdims) + (extra if late else 0)
        costs = -np.log(P) * _counts(words)
    return np.nansum(costs) / (_counts(words).sum() if mean else 1)


def naive(z, y):
    with np.errstate(all="ignore"):
        counts = np.exp(z)
        return -np.log(counts[y] / counts.sum())


def shifted_by_a_value(z, y):
    """Subtracts the first score, not the largest: the next one may still be huge, or all tiny."""
    return np.log(np.exp(z - 100.0).sum()) - (z[y] - 100.0)


def bigram():
    N = _counts(_splits()[0]).sum(axis=0) + 1.0
    return np.broadcast_to(N / N.sum(axis=1, keepdims=True), (27, 27, 27))


def unsmoothed():
    N = _counts(_splits()[0]) + 1e-300
    return N / N.sum(axis=-1, keepdims=True)


def smoothed(extra):
    N = _counts(_splits()[0]) + extra  # a good model, but by counting
    return N / N.sum(axis=-1, keepdims=True)


LOSSES = _dev_losses()
WRONG = {
    "three_names_by_hand": [(0.5, 0.501, 0.768), (3 / 5, 0.501, 0.768), (2 / 3, 0.501, 0.501)],
    "training_dev_test": [
        functools.partial(split, shuffle=False),
        functools.partial(split, cuts=(0.8, 0.8)),
        functools.partial(split, fresh=True),
    ],
    "counting_triples": [
        lambda words: trigram_counts(words).transpose(2, 1, 0),
        functools.partial(trigram_counts, after=0),
        functools.partial(trigram_counts, once=True),
    ],
    "the_loss_of_a_trigram_model": [
        functools.partial(trigram_loss, axis=0),
        functools.partial(trigram_loss, keepdims=False),
        functools.partial(trigram_loss, mean=False),
        functools.partial(trigram_loss, late=True),
    ],
    "how_much_smoothing": [
        (1.0, LOSSES[1.0], 2.2431),
        (10.0, LOSSES[10.0], 2.2393),
        (0.1, LOSSES[0.1], LOSSES[0.1]),
    ],
    "without_one_hot_vectors": [
        lambda W, x, y: F.cross_entropy(W[y], x),
        lambda W, x, y: F.cross_entropy(W.T[x], y),
        lambda W, x, y: F.cross_entropy(W[x], y).data,
    ],
    "a_loss_that_cannot_overflow": [
        lambda z, y: F.cross_entropy(z[None], np.array([y])),
        shifted_by_a_value,
        lambda z, y: naive(z, y).data,
    ],
    "a_trigram_model_by_gradient_descent": [
        bigram(),
        unsmoothed(),
        np.full((27, 27, 27), 1 / 27),
    ],
}


def split_by_shuffling(words, seed):
    mixed = list(words)
    random.Random(seed).shuffle(mixed)
    n = len(mixed)
    return {"train": mixed[: n * 8 // 10], "dev": mixed[n * 8 // 10 : n * 9 // 10],
            "test": tuple(mixed[n * 9 // 10 :])}  # fmt: skip


def split_in_arrays(words, seed):
    mixed = np.random.default_rng(seed).permutation(words)
    return np.split(mixed, [int(0.8 * len(words)), int(0.9 * len(words))])


def counts_by_counter(words):
    triples = Counter()
    for word in words:
        text = f"..{word}."
        triples.update(zip(text, text[1:], text[2:], strict=False))
    return [[[triples[a, b, c] for c in LETTERS] for b in LETTERS] for a in LETTERS]


def counts_at_once(words):
    rows = [np.array([0, 0, *map(LETTERS.index, word), 0]) for word in words]
    N = np.zeros((27, 27, 27))
    for row in rows:
        np.add.at(N, (row[:-2], row[1:-1], row[2:]), 1)
    return N


def loss_by_names(N, words, extra):
    rows = [[0, 0, *map(LETTERS.index, word), 0] for word in words]
    costs = [
        math.log((N[i, j] + extra).sum()) - math.log(N[i, j, k] + extra)
        for row in rows
        for i, j, k in zip(row, row[1:], row[2:], strict=False)
    ]
    return [sum(costs) / len(costs)]


def rows_by_loop(W, x, y):
    total = 0.0
    for i, j in zip(x.tolist(), y.tolist(), strict=True):
        total = total + F.cross_entropy(W[i][None], np.array([j]))
    return total / len(x)


def stable_by_chain(z, y):
    """log(e^a + e^b) = max(a, b) + log(1 + e^-|a - b|), one score after the other."""
    total = z[0]
    for v in z[1:]:
        total = maximum(total, v) + ((-abs(total - v)).exp() + 1).log()
    return np.array([total - z[y]])


def stable_from_the_right_one(z, y):
    top = max(z, key=lambda v: v.data)
    return sum((v - top.data).exp() for v in z).log() + top.data - z[y]


def learned(decay):
    """Gradient descent on the counts' loss, with the gradient written out."""
    N = _counts(_splits()[0]).reshape(729, 27) / 1e4
    W = np.zeros_like(N)
    for _ in range(400):
        P = np.exp(W - W.max(axis=1, keepdims=True))
        P /= P.sum(axis=1, keepdims=True)
        slope = N.sum(axis=1, keepdims=True) * P - N + decay * W
        W -= slope / (N.sum(axis=1, keepdims=True) + decay)
    P = np.exp(W)
    return (P / P.sum(axis=1, keepdims=True)).reshape(27, 27, 27)


RIGHT = {
    "three_names_by_hand": [(0.667, 0.501, 0.768), ("2/3", "0.5014", np.float64(0.7676))],
    "training_dev_test": [split_by_shuffling, split_in_arrays],
    "counting_triples": [counts_by_counter, counts_at_once],
    "the_loss_of_a_trigram_model": [loss_by_names, lambda *a: np.array(trigram_loss(*a))],
    "how_much_smoothing": [
        (min(LOSSES, key=LOSSES.get), 2.23, 2.24),
        ("3/10", round(LOSSES[0.3], 3), [2.236]),
    ],
    "without_one_hot_vectors": [rows_by_loop, lambda *a: [rows_by_loop(*a)]],
    "a_loss_that_cannot_overflow": [stable_by_chain, stable_from_the_right_one],
    "a_trigram_model_by_gradient_descent": [learned(1e-4), learned(2e-4).tolist()],
}

MISREAD = {
    "three_names_by_hand": Misread(
        (2 / 3, np.log(1.5) + np.log(3), np.log(10)),
        "The average over its three bigrams is read as the cost of the whole name.",
        "give their average",
    ),
    "training_dev_test": Misread(
        functools.partial(split, in_place=True),
        "Shuffling is done as usual, in the list itself.",
        "the list of names that was given is unchanged",
    ),
    "counting_triples": Misread(
        functools.partial(trigram_counts, before=1),
        "A name begins after one dot, as for bigrams.",
        "a name begins after two dots",
    ),
    "the_loss_of_a_trigram_model": Misread(
        lambda N, words, extra: trigram_loss(N, words, extra, mean=False) / len(words),
        "The average is over the names.",
        "give the average over all triples",
    ),
    "how_much_smoothing": Misread(
        (0.01, LOSSES[0.01], 2.2393),
        "The amount is chosen where the counts come from.",
        "use the dev part",
    ),
    "without_one_hot_vectors": Misread(
        lambda W, x, y: F.cross_entropy(F.one_hot(x, 27) @ W, y),
        "The same loss is read as the same way to it.",
        "less than a third of the nodes of the one-hot way",
    ),
    "a_loss_that_cannot_overflow": Misread(
        naive,
        "The formula is written down as it stands.",
        "no size of the scores can break",
    ),
    "a_trigram_model_by_gradient_descent": Misread(
        smoothed(0.1),
        "Any table below 2.25 will do, and the counts of exercise 5 give one.",
        "use gradient descent",
    ),
}
