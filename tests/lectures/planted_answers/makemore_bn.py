"""Planted answers to makemore part 3's exercises: mistakes, and right ones of unusual form."""

import math
from collections import Counter

import numpy as np
from planting import Misread


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
    "all_weights_zero": [
        ({"W2", "b2"}, entropy),
        ({"b2"}, lambda y: entropy(y, log=np.log2)),
        ({"b2"}, lambda y: entropy(y, classes=True)),
        (set(), entropy),
    ],
    "batch_normalisation_folded_away": [
        lambda *a: fold(*a, with_mean=False),
        lambda *a: fold(*a, with_eps=False),
        lambda *a: fold(*a, rows=True),
    ],
    "the_first_loss": [
        (np.log2(10), 0.4327),
        (np.log(10), -2.0),
        (np.log(10), np.log(5)),
    ],
    "dead_units": [
        lambda h: (h > 0.99).all(0).sum(),
        lambda h: (np.abs(h) > 0.99).all(1).sum(),
        lambda h: (np.abs(h.mean(0)) > 0.99).sum(),
    ],
    "the_gain_of_any_nonlinearity": [
        lambda f: sampled(f).std(),
        lambda f: 1 / (sampled(f) ** 2).mean(),
        lambda f: 5 / 3,
    ],
    "running_statistics": [
        switched(always=True),
        switched(ddof=0),
        switched(batch=True),
    ],
    "the_update_data_ratio": [
        (lambda w, g, rate: np.log(rate * g.std() / w.std()), "the rate is too small"),
        (lambda w, g, rate: np.log10(rate * abs(g.mean() / w.mean())), "the rate is too small"),
        (RIGHT_RATIO[0], "healthy"),
    ],
}


def entropy_by_counter(y):
    n = len(y)
    return [sum(c / n * math.log(n / c) for c in Counter(y.tolist()).values())]


def fold_by_columns(W, gain, shift, mean, var, eps):
    bias = [
        s - g * m / math.sqrt(v + eps) for g, s, m, v in zip(gain, shift, mean, var, strict=True)
    ]
    weight = [
        [w * g / math.sqrt(v + eps) for w, g, v in zip(row, gain, var, strict=True)] for row in W
    ]
    return weight, bias


def gain_by_simulation(f):
    z = np.random.default_rng(1).standard_normal(400_000)
    return np.array([1 / np.sqrt(np.mean(f(z) ** 2))])


def gain_by_quadrature(f):
    at, weight = np.polynomial.hermite_e.hermegauss(150)
    return (weight.sum() / (weight @ f(at) ** 2)) ** 0.5


def normalise_in_place(x, state, training, momentum):
    """The arrays of the state are changed, not replaced."""
    mean, var = state["mean"].copy(), state["var"].copy()
    if training:
        mean = x.sum(axis=0) / len(x)
        var = ((x - mean) ** 2).sum(axis=0) / (len(x) - 1)
        state["mean"] += momentum * (mean - state["mean"])
        state["var"] += momentum * (var - state["var"])
    return ((x - mean) * (var + 1e-5) ** -0.5).tolist()


def normalise_with_lists(x, state, training, momentum):
    if training:
        now = {"mean": np.mean(x, axis=0), "var": np.var(x, axis=0, ddof=1)}
        for name, value in now.items():
            state[name] = [(1 - momentum) * a + momentum * b
                           for a, b in zip(state[name], value, strict=True)]  # fmt: skip
    else:
        now = {name: np.array(value) for name, value in state.items()}
    return (x - now["mean"]) / np.sqrt(now["var"] + 1e-5)


RIGHT = {
    "all_weights_zero": [(["b2"], entropy_by_counter), (" B2", lambda y: np.array(entropy(y)))],
    "batch_normalisation_folded_away": [
        fold_by_columns,
        lambda *a: {"weight": fold(*a)[0], "bias": fold(*a)[1]},
    ],
    "the_first_loss": [(2.303, 0.433), ("2.3026", 0.4327)],
    "dead_units": [
        lambda h: len([1 for unit in h.T if min(abs(unit)) > 0.99]),
        lambda h: [float((np.abs(h).min(axis=0) > 0.99).sum())],
    ],
    "the_gain_of_any_nonlinearity": [gain_by_simulation, gain_by_quadrature],
    "running_statistics": [normalise_in_place, normalise_with_lists],
    "the_update_data_ratio": [
        (
            lambda w, g, rate: [np.log10(np.std(-rate * g)) - np.log10(np.std(w))],
            "The rate is too small",
        ),
        (
            lambda w, g, rate: math.log10((rate * g).std(ddof=1) / w.std(ddof=1)),
            " the rate is TOO small ",
        ),
    ],
}

MISREAD = {
    "all_weights_zero": Misread(
        ({"b1", "b2"}, entropy),
        "Biases are added and not multiplied, so both learn.",
        "1 of the 2 arrays that you name never gets a gradient other than 0",
    ),
    "batch_normalisation_folded_away": Misread(
        lambda W, gain, shift, mean, var, eps: (W * gain / np.sqrt(var + eps), shift - mean),
        "The bias is what is added, less what is subtracted.",
        "the mean is divided by the spread and multiplied by the gain, too",
    ),
    "the_first_loss": Misread(
        (1.0, 0.4327 / math.log(10)),
        "The logarithm is the one to the base 10.",
        "a loss takes ln",
    ),
    "dead_units": Misread(
        lambda h: (np.abs(h) > 0.99).any(0).sum(),
        "A unit that saturates is dead.",
        "if every example saturates it",
    ),
    "the_gain_of_any_nonlinearity": Misread(
        lambda f: 1 / sampled(f).std(),
        "The mean square is read as the variance, and ReLU's mean is not 0.",
        "take the mean square",
    ),
    "running_statistics": Misread(
        switched(swapped=True),
        "Momentum is the share that is kept, as in an optimiser.",
        "momentum is how far to move to the batch",
    ),
    "the_update_data_ratio": Misread(
        (lambda w, g, rate: np.log10(g.std() / w.std()), "the rate is too small"),
        "The step is read as the gradient.",
        "the step is rate times it",
    ),
}
