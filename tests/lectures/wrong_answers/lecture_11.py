"""Mistakes that a learner makes in lecture 11's exercises."""

import functools

import numpy as np

from micrograd import Value, maximum


def train(X, y, epochs, *, strict=False, bias=True, batch=False, in_place=False, runs_on=False):
    w, b, mistakes = np.zeros(X.shape[1]), 0.0, []
    for _ in range(epochs):
        old, old_b, count = w, b, 0
        for i in range(len(X)):
            score = y[i] * (X[i] @ (old if batch else w) + (old_b if batch else b))
            if score < 0 or (score == 0 and not strict):
                w, b, count = w + y[i] * X[i], b + y[i] * bias, count + 1
                if in_place:
                    X[i] *= y[i]
        mistakes.append(count)
        if count == 0 and not runs_on:
            break
    return w, b, mistakes


def averaged(Z, epochs, *, late=0, updates_only=False, last=False):
    w, weighted, held = np.zeros(Z.shape[1]), np.zeros(Z.shape[1]), []
    T = epochs * len(Z)
    for t in range(1, T + 1):
        z = Z[(t - 1) % len(Z)]
        if w @ z <= 0:
            w = w + z
            weighted += (T - t + 1 - late) * z
            held.append(w)
    if last:
        return w
    return np.mean(held, axis=0) if updates_only else weighted / T


def class_loss(W, X, labels, *, total=False, sign=1, number=False):
    losses = []
    for x, label in zip(X, labels, strict=True):
        scores = W @ x
        losses.append(sign * (functools.reduce(maximum, scores) - scores[label]))
    loss = sum(losses) if total else sum(losses) / len(X)
    return Value(loss.data) if number else loss


WRONG = {
    1: [([-2.0, 1.0], 2), ([-4.0, -2.0], 3), ([-1.0, -1.0], 2), ([0.0, 4.0], 2)],
    2: [(20.0, -5.0, [0.6, 0.8]), (4.0, 1.0, [0.6, 0.8]), (4.0, -1.0, [2.2, 3.2])],
    3: [
        lambda R, gamma, beta: (R / gamma) ** 2,
        lambda R, gamma, beta: (R**2 + beta) / gamma**2,
        lambda R, gamma, beta: ((R + beta) / gamma) ** 2,
        lambda R, gamma, beta: (R**2 + 2 * beta) / gamma,
    ],
    4: [
        functools.partial(train, strict=True),
        functools.partial(train, bias=False),
        functools.partial(train, batch=True),
        functools.partial(train, in_place=True),
        functools.partial(train, runs_on=True),
    ],
    5: [
        functools.partial(averaged, late=1),
        functools.partial(averaged, updates_only=True),
        functools.partial(averaged, last=True),
    ],
    6: [
        functools.partial(class_loss, total=True),
        functools.partial(class_loss, sign=-1),
        functools.partial(class_loss, number=True),
    ],
    7: [(1.0, 0.0, 3.0, 6.0), (-1.0, 0.0, -3.0, -3.0), (1.0, 3.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0)],
    8: [
        (np.ones((3, 3)), [-0.5, -1.5, -2.5], [1.0, 1.0, 1.0], -0.5),
        (np.ones((2, 3)), [-0.5, -1.5], [1.0, -1.0], -0.5),
        (np.ones((3, 2)), [-0.5, -1.5, -2.5], [1.0, -1.0, 1.0], -0.5),
    ],
    9: [
        (np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([1.0, 1.0])),
        (np.array([[10.0, 0.1], [-10.0, 0.1]]), np.array([1.0, 1.0])),
        (np.array([[1.0, 0.0], [-1.0, 0.0]]), np.array([1.0, 1.0])),
        (np.array([[0.99, 0.05], [-0.99, 0.05]]), np.array([1.0, 1.0])),
    ],
}
