"""Mistakes that a learner makes in the exercises to makemore part 1."""

import functools

import numpy as np
from checks.makemore_1 import LETTERS, _counts, _dev_losses, _splits

from micrograd import functional as F


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


LOSSES = _dev_losses()
WRONG = {
    1: [(0.5, 0.501, 0.768), (2 / 3, 1.504, 0.768), (2 / 3, 0.501, 0.501)],
    2: [
        functools.partial(split, shuffle=False),
        functools.partial(split, cuts=(0.8, 0.8)),
        functools.partial(split, in_place=True),
        functools.partial(split, fresh=True),
    ],
    3: [
        functools.partial(trigram_counts, before=1),
        functools.partial(trigram_counts, after=0),
        functools.partial(trigram_counts, once=True),
    ],
    4: [
        functools.partial(trigram_loss, axis=0),
        functools.partial(trigram_loss, keepdims=False),
        functools.partial(trigram_loss, mean=False),
        functools.partial(trigram_loss, late=True),
    ],
    5: [
        (1.0, LOSSES[1.0], 2.2431),
        (0.01, LOSSES[0.01], 2.2393),
        (0.1, LOSSES[0.1], LOSSES[0.1]),
    ],
    6: [
        lambda W, x, y: F.cross_entropy(F.one_hot(x, 27) @ W, y),
        lambda W, x, y: F.cross_entropy(W[y], x),
        lambda W, x, y: F.cross_entropy(W.T[x], y),
        lambda W, x, y: F.cross_entropy(W[x], y).data,
    ],
    7: [naive, shifted_by_a_value, lambda z, y: naive(z, y).data],
    8: [bigram(), unsmoothed(), np.full((27, 27, 27), 1 / 27)],
}
