"""Mistakes that a learner makes in the exercises to makemore part 2."""

import functools

import numpy as np
from checks.makemore_2 import LETTERS, _network, _plateau

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
    1: [
        functools.partial(count, biases=False),
        functools.partial(count, table=False),
        functools.partial(count, whole=False),
        lambda context, embedding, width: 11_897,
    ],
    2: [
        functools.partial(examples, end=False),
        functools.partial(examples, copy=False),
        functools.partial(examples, across=True),
        functools.partial(examples, grow=False),
    ],
    3: [zero_last_layer, only_the_bias, small_everywhere, lambda model: None],
    4: [
        ({"2.bias", "4.bias"}, _plateau()),
        ({"4.weight", "4.bias"}, _plateau()),
        (set(), float(np.log(27))),
        ({"4.bias"}, float(np.log(27))),
    ],
    5: [
        functools.partial(gradient, mean=False),
        functools.partial(gradient, minus=False),
        functools.partial(gradient, stable=False),
        functools.partial(gradient, change=True),
    ],
    6: [
        lambda exponents, losses, window: 10 ** exponents[np.argmin(losses)],
        lambda exponents, losses, window: exponents[np.argmin(losses)],
        lambda exponents, losses, window: (
            10 ** exponents[np.convolve(losses, np.ones(window) / window, mode="same").argmin()]
        ),
    ],
    7: [(_network(), 3), (OneScore(), 3), (Table(), 3)],
}
