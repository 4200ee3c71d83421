"""Planted answers to makemore part 2's exercises: mistakes, and right ones of unusual form."""

import functools

import numpy as np
from checks.makemore_mlp import LETTERS, _examples, _network, _plateau, _words
from planting import Misread
from scipy.special import softmax

from micrograd import Value
from micrograd import functional as F


def count(context, embedding, width, *, biases=True, table=True, whole=True):
    nin = context * embedding if whole else embedding
    weights = nin * width + width * 27 + (27 * embedding if table else 0)
    return weights + (width + 27 if biases else 0)


def examples(words, context, *, end=True, copy=True, across=False, grow=True):
    X, y = [], []
    window = [0] * context
    for word in words:
        if not across:
            window = [0] * context
        for letter in word + ("." if end else ""):
            X.append(window if not copy else list(window))
            y.append(LETTERS.index(letter))
            if not copy:
                window.pop(0)
                window.append(y[-1])
            elif grow:
                window = [*window[1:], y[-1]]
    return np.array(X), np.array(y)


def zero_last_layer(model):
    for v in (*model[4].weight.flat, *model[4].bias.flat):
        v.data = 0.0


def only_the_bias(model):
    for v in model[4].bias.flat:
        v.data = 0.0


def small_everywhere(model):
    for v in model.parameters():
        v.data *= 0.001


def gradient(scores, y, *, mean=True, minus=True, stable=True, change=False):
    with np.errstate(all="ignore"):
        p = np.exp(scores - scores.max(axis=1, keepdims=True) if stable else scores)
        p = p / p.sum(axis=1, keepdims=True)
    if minus:
        p[np.arange(len(y)), y] -= 1
    if change:
        scores -= scores
    return p / len(y) if mean else p


class Table:
    """Scores from the last letter alone, all the same: an honest model that is too simple."""

    def __call__(self, X):
        return F.one_hot(X[:, -1], 27) @ np.zeros((27, 27))


class OneScore:
    def __call__(self, X):
        return np.zeros((len(X), 1))


WRONG = {
    "how_many_parameters": [
        functools.partial(count, biases=False),
        functools.partial(count, table=False),
        lambda context, embedding, width: 11_897,
    ],
    "examples_of_any_context": [
        functools.partial(examples, end=False),
        functools.partial(examples, copy=False),
        functools.partial(examples, grow=False),
    ],
    "a_calm_start": [only_the_bias, small_everywhere, lambda model: None],
    "everything_zero": [
        ({"2.bias", "4.bias"}, _plateau()),
        ({"4.weight", "4.bias"}, _plateau()),
        ({"4.bias"}, float(np.log(27))),
    ],
    "the_gradient_of_the_scores": [
        functools.partial(gradient, minus=False),
        functools.partial(gradient, stable=False),
        functools.partial(gradient, change=True),
    ],
    "reading_a_sweep": [
        lambda exponents, losses, window: 1.0,
        lambda exponents, losses, window: exponents[np.argmin(losses)],
        lambda exponents, losses, window: (
            10 ** exponents[np.convolve(losses, np.ones(window) / window, mode="same").argmin()]
        ),
    ],
    "beat_2_2": [(_network(), 3), (OneScore(), 3), (Table(), 3)],
}


def examples_by_text(words, context):
    rows = [
        ((("." * context + word)[i : i + context]), (word + ".")[i])
        for word in words
        for i in range(len(word) + 1)
    ]
    X = [[LETTERS.index(c) for c in window] for window, _ in rows]
    return {"X": X, "y": [LETTERS.index(c) for _, c in rows]}


def examples_in_arrays(words, context):
    windows, following = [], []
    for word in words:
        row = np.array([0] * context + [LETTERS.index(c) for c in word] + [0])
        windows.append(np.lib.stride_tricks.sliding_window_view(row[:-1], context))
        following.append(row[context:])
    return np.concatenate(windows).astype(float), np.concatenate(following)


def calm_by_setting(model):
    rng = np.random.default_rng(0)
    for v in model[4].weight.ravel():
        v.data = 1e-3 * rng.standard_normal()
    for v in model[4].bias:
        v.data *= 0


def calm_and_says_so(model):
    for v in [*model[4].weight.flat, *model[4].bias.flat]:
        v.data /= 200
    return model  # nobody asked for it


def gradient_by_rows(z, y):
    rows = []
    for row, label in zip(z, y, strict=True):
        p = softmax(row)
        rows.append([(v - (j == label)) / len(y) for j, v in enumerate(p)])
    return rows


def rate_by_sums(exponents, losses, window):
    sums = np.cumsum(np.append(0.0, losses))
    sums = sums[window:] - sums[:-window]
    return [np.power(10.0, exponents[int(np.argmin(sums)) + (window - 1) // 2])]


def rate_by_loop(exponents, losses, window):
    half = window // 2
    middles = range(half, len(losses) - half)
    best = min(middles, key=lambda i: sum(losses[i - half : i + half + 1]))
    return Value(10) ** float(exponents[best])


class Trigrams:
    """Counts of the last two letters, as scores: no network, and better than 2.2 nearly."""

    def __init__(self, context):
        N = np.full((27,) * (context + 1), 0.0)
        X, y = _examples(_words()[0], context)
        np.add.at(N, (*X.T, y), 1)
        self.N, self.context = N, context

    def __call__(self, X):
        below = self.N
        P = np.full((len(X), 27), 1 / 27)
        for k in range(self.context + 1):  # back off: fewer letters where there are few counts
            seen = below.sum(axis=tuple(range(self.context - k)))
            counts = seen[tuple(X[:, self.context - k + i] for i in range(k))]
            counts = np.broadcast_to(counts, P.shape)
            P = (counts + 8 * P) / (counts.sum(axis=1, keepdims=True) + 8)
        return np.log(P)


RIGHT = {
    "how_many_parameters": [
        lambda k, e, w: float(27 * e + (k * e + 1) * w + (w + 1) * 27),
        lambda k, e, w: np.array([w * (k * e + 28) + 27 * (e + 1)]),
    ],
    "examples_of_any_context": [examples_by_text, examples_in_arrays],
    "a_calm_start": [calm_by_setting, calm_and_says_so],
    "everything_zero": [
        (["4.bias"], round(_plateau(), 3)),
        (" 4.BIAS", f"{_plateau():.2f}"),
    ],
    "the_gradient_of_the_scores": [
        gradient_by_rows,
        lambda z, y: (softmax(z, axis=1) - np.eye(z.shape[1])[y]) / len(z),
    ],
    "reading_a_sweep": [rate_by_sums, rate_by_loop],
    "beat_2_2": [(Trigrams(4), 4.0), (Trigrams(3), np.array([3]))],
}

MISREAD = {
    "how_many_parameters": Misread(
        functools.partial(count, whole=False),
        "The hidden layer reads one embedding.",
        "the embeddings of the whole context",
    ),
    "examples_of_any_context": Misread(
        functools.partial(examples, across=True),
        "The window slides on from one name into the next.",
        "every name begins with a window of dots",
    ),
    "a_calm_start": Misread(
        zero_last_layer,
        "The calmest start is an output layer of zeros.",
        "gets a gradient other than 0 at the first step",
    ),
    "everything_zero": Misread(
        (set(), float(np.log(27))),
        "Where all weights are 0 nothing learns.",
        "what learns can do better",
    ),
    "the_gradient_of_the_scores": Misread(
        functools.partial(gradient, mean=False),
        "The gradient of each row is that of its own loss.",
        "take their mean",
    ),
    "reading_a_sweep": Misread(
        lambda exponents, losses, window: 10 ** exponents[np.argmin(losses)],
        "The best rate is the one with the least loss.",
        "find the least mean of a window",
    ),
    "beat_2_2": Misread(
        (lambda X: np.exp(Trigrams(4)(X)), 4),
        "The model gives probabilities.",
        "give scores",
    ),
}
