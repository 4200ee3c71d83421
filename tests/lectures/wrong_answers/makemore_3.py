"""Mistakes that a learner makes in makemore part 3's exercises."""

import numpy as np


def entropy(y, *, log=np.log, classes=False):
    if classes:
        return log(len(np.unique(y)))
    share = np.unique(y, return_counts=True)[1] / len(y)
    return -(share * log(share)).sum()


def fold(W, gain, shift, mean, var, eps, *, with_mean=True, with_eps=True, rows=False):
    scale = gain / np.sqrt(var + (eps if with_eps else 0))
    weight = (W.T * scale).T if rows and len(W) == len(scale) else W * scale
    return weight, shift - (mean * scale if with_mean else 0)


def normalise(x, state, training, momentum, *, ddof=1, always=False, swapped=False, batch=False):
    mean, var = x.mean(0), x.var(0, ddof=ddof if len(x) > 1 else 0)
    if training or always:
        keep = momentum if swapped else 1 - momentum
        state["mean"] = keep * state["mean"] + (1 - keep) * mean
        state["var"] = keep * state["var"] + (1 - keep) * var
    if not training and not batch:
        mean, var = state["mean"], state["var"]
    return (x - mean) / np.sqrt(var + 1e-5)


def switched(**how):
    return lambda x, state, training, momentum: normalise(x, state, training, momentum, **how)


def sampled(f):
    return f(np.random.default_rng(0).normal(size=100_000))


RIGHT_RATIO = (lambda w, g, rate: np.log10(rate * g.std() / w.std()), "the rate is too small")

WRONG = {
    1: [
        ({"b1", "b2"}, entropy),
        ({"W2", "b2"}, entropy),
        ({"b2"}, lambda y: entropy(y, log=np.log2)),
        ({"b2"}, lambda y: entropy(y, classes=True)),
        (set(), entropy),
    ],
    2: [
        lambda *a: fold(*a, with_mean=False),
        lambda *a: fold(*a, with_eps=False),
        lambda *a: fold(*a, rows=True),
        lambda W, gain, shift, mean, var, eps: (W, gain * (shift - mean) / np.sqrt(var + eps)),
    ],
    3: [(1.0, 0.4327), (np.log2(10), 0.4327), (np.log(10), -2.0), (np.log(10), np.log(5))],
    4: [
        lambda h: (np.abs(h) > 0.99).any(0).sum(),
        lambda h: (h > 0.99).all(0).sum(),
        lambda h: (np.abs(h) > 0.99).all(1).sum(),
        lambda h: (np.abs(h.mean(0)) > 0.99).sum(),
    ],
    5: [
        lambda f: sampled(f).std(),
        lambda f: 1 / sampled(f).std(),  # ReLU's mean is not 0
        lambda f: 1 / (sampled(f) ** 2).mean(),
        lambda f: 5 / 3,
    ],
    6: [
        switched(always=True),
        switched(ddof=0),
        switched(swapped=True),
        switched(batch=True),
    ],
    7: [
        (lambda w, g, rate: np.log10(g.std() / w.std()), "the rate is too small"),
        (lambda w, g, rate: np.log(rate * g.std() / w.std()), "the rate is too small"),
        (lambda w, g, rate: np.log10(rate * abs(g.mean() / w.mean())), "the rate is too small"),
        (RIGHT_RATIO[0], "healthy"),
    ],
}
