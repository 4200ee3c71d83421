"""Mistakes that a learner makes in lecture 5's exercises."""

import functools
import itertools

import numpy as np

from micrograd import Value


def log_sum_exp(a, *, shift):
    with np.errstate(all="ignore"):
        m = a.max(axis=1, keepdims=True) if shift else 0.0
        return (m + np.log(np.exp(a - m).sum(axis=1, keepdims=True)))[:, 0]


def gaps(x, log_pi, mu, var, *, fill=None, logs=True, prior=True, normalised=True):
    """Naive Bayes with one thing forgotten at a time."""
    known = ~np.isnan(x)
    if fill is not None:
        x, known = np.where(known, x, fill), np.ones(len(x), dtype=bool)
    spread = np.log(2 * np.pi * var[:, known]) if normalised else 0.0
    squares = (x[known] - mu[:, known]) ** 2 / var[:, known]
    a = log_pi * prior - 0.5 * (spread + squares).sum(axis=1)
    with np.errstate(all="ignore"):
        weights = np.exp(a - a.max() if logs else a)
        return weights / weights.sum()


def mean_loss(mu, x, sigma, m, tau, *, average=False, weight=1.0):
    fit = ((x - mu) ** 2).sum() / (2 * sigma**2) / (len(x) if average else 1)
    return fit + weight * (mu - m) ** 2 / (2 * tau**2)


def best_mean(x, sigma, m, tau):
    data, prior = len(x) / sigma**2, 1 / tau**2
    return (data * x.mean() + prior * m) / (data + prior)


def ask(net, query, given, *, divide=True, flip=True):
    both = evidence = 0.0
    for bits in itertools.product((0, 1), repeat=len(net)):
        world = dict(zip(net, bits, strict=True))
        p = 1.0
        for name, (parents, table) in net.items():
            true = table[tuple(world[parent] for parent in parents)]
            p *= true if world[name] or not flip else 1 - true
        if given.items() <= world.items():
            evidence += p
            both += p * (query.items() <= world.items())
    return both / evidence if divide else both


def rate(x):
    return x.mean()


def slope(s, x):
    return np.exp(s) - x.mean()


def map_rate(x, a, b):
    return (x.sum() + a - 1) / (len(x) + b)


rng = np.random.default_rng(0)
LABELS = np.repeat([0, 1], 150)
NOISE = rng.standard_normal((300, 2))

WRONG = {
    1: [(196, 0.98, 0.98**2), (2192, 196 / 2192, (196 / 2192) ** 2), (2192, 0.98, 0.9996)],
    2: [
        (True, True, False, True, False, True),
        (False, True, True, True, True, False),
        (1, 0, 1, 1, 0, 1),
    ],
    3: [
        (lambda x: 1 / x.mean(), slope, map_rate),
        (rate, lambda s, x: 1 - x.mean() / np.exp(s), map_rate),  # by lambda instead of by s
        (rate, lambda s, x: len(x) * np.exp(s) - x.sum(), map_rate),  # the sum, not the mean
        (rate, slope, lambda x, a, b: (x.sum() + a) / (len(x) + b)),  # the posterior mean
        (rate, slope, lambda x, a, b: x.mean()),
    ],
    4: [(0.5, np.log(1.5), 0.6), (-3.0, np.log(1.5), 0.6), (-0.5, 0.6, 0.6), (-0.5, 0.0, 0.5)],
    5: [
        functools.partial(log_sum_exp, shift=False),
        functools.partial(log_sum_exp, shift=True),  # nan for a row of -inf
        lambda a: a.max(axis=1),
        lambda a: np.log(np.exp(a).sum(axis=0)),
    ],
    6: [
        functools.partial(gaps, fill=0.0),
        functools.partial(gaps, logs=False),
        functools.partial(gaps, prior=False),
        functools.partial(gaps, normalised=False),
    ],
    7: [
        (functools.partial(mean_loss, average=True), best_mean),
        (functools.partial(mean_loss, weight=0.0), best_mean),
        (lambda *given: Value(float(mean_loss(*given).data)), best_mean),
        (mean_loss, lambda x, sigma, m, tau: (x.mean() + m) / 2),
        (mean_loss, lambda x, sigma, m, tau: x.mean()),
    ],
    8: [
        (False, True, False, True, True, True),
        (True, False, True, True, True, True),
        (True, True, True, True, True, True),
    ],
    9: [
        functools.partial(ask, divide=False),
        functools.partial(ask, flip=False),
        lambda net, query, given: ask(net, query, {}),
    ],
    10: [
        (NOISE + 5 * LABELS[:, None], LABELS),  # naive Bayes is right
        (NOISE, LABELS),  # so is nobody
        (NOISE[:50], LABELS[125:175]),
    ],
}
