"""Mistakes that a learner makes in lecture 8's exercises."""

import functools

import numpy as np


def sigmoid(z):
    return np.exp(-np.logaddexp(0.0, -z))


def naive_loss(z, y):
    p = z.sigmoid()
    return -(p.log() * y + (1 - p).log() * (1 - y))


def derivatives(w, X, y, strength, *, n=None, penalty=True, minus=1.0, weights=True):
    p = sigmoid(X @ w)
    n = n or len(y)
    s = p * (1 - p) if weights else p
    gradient = minus * X.T @ (p - y) / n + strength * w * penalty
    return gradient, (X.T * s) @ X / n + strength * np.eye(len(w)) * penalty


def softmax_gradient(W, b, X, y, *, shift=True, sign=1.0, mean=True):
    scores = X @ W + b
    weights = np.exp(scores - (scores.max(axis=1, keepdims=True) if shift else 0.0))
    residual = sign * (weights / weights.sum(axis=1, keepdims=True) - np.eye(len(b))[y])
    n = len(y) if mean else 1
    return X.T @ residual / n, residual.sum(axis=0) / n


def auc(y, score, *, tie=0.5):
    above = score[y == 1][:, None] - score[y == 0]
    return (above > 0).mean() + tie * (above == 0).mean()


def newton(w, X, y, *, size=1.0):
    gradient, hessian = derivatives(w, X, y, 0.0)
    return w - size * np.linalg.solve(hessian, gradient)


def in_place(w, X, y):
    w -= 0.01 * derivatives(w, X, y, 0.0)[0]
    return w


Y = np.repeat([0, 1], 10)

WRONG = {
    1: [(0.25, 0.25, 0.5, 1 / 3), (4.0, 1 / 3, 0.5, 1 / 3), (4.0, 0.25, 0.5, 0.4)],
    2: [
        (np.log(2), 1.0, 0.5, 0.5),
        (np.log(2), -0.5, -0.5, -0.5),
        (0.5, -1.0, -0.5, -0.5),
    ],
    3: [
        naive_loss,
        lambda z, y: (z.exp() + 1).log() - y * z,
        lambda z, y: z.softplus() + y * z,
        lambda z, y: z.softplus().data - y * z.data,
    ],
    4: [
        functools.partial(derivatives, n=1),
        functools.partial(derivatives, penalty=False),
        functools.partial(derivatives, minus=-1.0),
        functools.partial(derivatives, weights=False),
    ],
    5: [
        functools.partial(softmax_gradient, shift=False),
        functools.partial(softmax_gradient, sign=-1.0),
        functools.partial(softmax_gradient, mean=False),
    ],
    6: [
        functools.partial(auc, tie=0.0),
        functools.partial(auc, tie=1.0),
        lambda y, s: 1 - auc(y, s),
        lambda y, s: ((s > 0.5) == y).mean(),
    ],
    7: [newton, functools.partial(newton, size=0.5), in_place],
    8: [(5 / 25, 25 / 349), (18 / 23, 25 / 349), (5 / 23, 10 / 23), (5 / 23, 10 / 28)],
    9: [
        (np.where(Y == 1, 0.9, 0.1), np.where(Y == 1, 0.6, 0.4)),
        (np.where(Y == 1, 0.99, 0.98), np.full(20, 0.5)),
        (np.where(Y == 1, 1.0, 0.98), np.full(20, 0.5)),
    ],
}
