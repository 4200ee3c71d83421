"""Mistakes that a learner makes in the GPT's exercises."""

import functools

import numpy as np

import micrograd
from micrograd import functional as F
from micrograd import numbers


def window(T, w, *, late=0, whole=False, ahead=False):
    A = np.tri(T) - np.tri(T, k=-(w + late))
    A = A.T if ahead else A
    return A / w if whole else A / A.sum(axis=1, keepdims=True)


def attend(q, k, v, *, mask=True, root=True, axis=-1):
    scores = q @ k.swapaxes(-1, -2) * (q.shape[-1] ** -0.5 if root else 1.0)
    if mask:
        scores = micrograd.where(np.tri(q.shape[-2]), scores, -np.inf)
    return F.softmax(scores, axis=axis) @ v


def unstable(q, k, v):
    scores = numbers(q @ k.T) * q.shape[-1] ** -0.5
    weights = np.exp(scores) * np.tri(len(q))
    return weights / weights.sum(axis=-1, keepdims=True) @ v


def merged(x, Q, K, V, heads, *, swap=True, back=True, whole=False):
    size = x.shape[-1] // heads

    def split(W):
        y = F.linear(x, W)
        if swap:
            return y.reshape(*y.shape[:-1], heads, size).swapaxes(-2, -3)
        return y.reshape(*y.shape[:-2], heads, y.shape[-2], size)

    q = split(Q) * ((size / x.shape[-1]) ** 0.5 if whole else 1.0)
    y = attend(q, split(K), split(V))
    return (y.swapaxes(-2, -3) if back else y).reshape(x.shape)


def encode(a, b, *, forward=False, peek=False, strings=False):
    c = a + b
    digits = [c % 10, c // 10 % 10, c // 100]
    digits = digits[::-1] if forward else digits
    whole = np.stack([a // 10, a % 10, b // 10, b % 10, *digits], axis=1)
    whole = whole.astype(float) if strings else whole
    return (whole[:, 1:] if peek else whole[:, :-1]), whole[:, 4:]


WRONG = {
    1: [([0.25, 0.5, 0.25], 3.0), ([1 / 3, 1 / 3, 1 / 3], 4.0), ([0.2, 0.6, 0.2], 4.0)],
    2: [(64 * 36, 36.0, 8.0), (64 * 6, 6.0, 48.0), (36, 36 / 64, 6.0)],
    3: [
        lambda v, b, c, layers: (v + b) * c + layers * 12 * c * c,
        lambda v, b, c, layers: (2 * v + b) * c + layers * 8 * c * c,
        lambda v, b, c, layers: (2 * v + b) * c + layers * (12 * c * c + 9 * c),
    ],
    4: [
        functools.partial(window, late=1),
        functools.partial(window, whole=True),
        functools.partial(window, ahead=True),
    ],
    5: [
        functools.partial(attend, mask=False),
        functools.partial(attend, root=False),
        functools.partial(attend, axis=0),
        lambda q, k, v: numbers(attend(q, k, v)),
        unstable,
    ],
    6: [
        functools.partial(merged, swap=False),
        functools.partial(merged, back=False),
        functools.partial(merged, whole=True),
    ],
    7: [
        functools.partial(encode, forward=True),
        functools.partial(encode, peek=True),
        functools.partial(encode, strings=True),
    ],
    8: [
        lambda: lambda a, b: a,
        lambda: lambda a, b: (a + b) % 100 - (a + b) % 10 + (a % 10 + b % 10) % 10 + 1,
        lambda: lambda a, b: np.stack([a, b]),
    ],
}
