"""Mistakes that a learner makes in lecture 6's exercises."""

import functools

import numpy as np

from micrograd import Value
from micrograd.ops import relu


def weighted(w, b, X, y, plus, minus, *, same=False, swapped=False, mean=False, negative=False):
    plus, minus = (minus, plus) if swapped else (plus, plus) if same else (plus, minus)
    hinge = np.where(y > 0, plus, minus) * relu(1 - y * (X @ w + b))
    hinge = hinge.mean() if mean else hinge.sum()
    return 0.5 * (w @ w) + (-1 if negative else 1) * hinge


def violators(K, y, alpha, b, C, tol, *, free_only=False, signed=True, tolerant=True):
    margin = y * (K @ (alpha * y if signed else alpha) + b)
    tol = tol if tolerant else 0.0
    if free_only:
        return (alpha > 0) & (alpha < C) & (abs(margin - 1) > tol)
    return ((alpha < C) & (margin < 1 - tol)) | ((alpha > 0) & (margin > 1 + tol))


def pair_step(K, y, alpha, i, j, C, *, clip="prices", in_place=False, forward=False):
    E = K @ (alpha * y) - y
    t = (E[j] - E[i]) / (K[i, i] + K[j, j] - 2 * K[i, j])
    t = max(t, 0.0) if forward else t
    moved = alpha if in_place else alpha.copy()
    if clip == "first":
        ends = [(-alpha[k] * s, (C - alpha[k]) * s) for k, s in ((i, y[i]), (j, -y[j]))]
        t = np.clip(t, max(min(e) for e in ends), min(max(e) for e in ends))
    moved[i] += y[i] * t
    moved[j] -= y[j] * t
    return np.clip(moved, 0, C) if clip == "prices" else moved


def features(x, *, root=2**0.5, twice=False):
    a, b, c = x
    mixed = [a * b, a * c, b * c]
    squares = [a * a, b * b, c * c]
    return np.array([*squares, *mixed, *mixed] if twice else squares + [root * m for m in mixed])


WRONG = {
    1: [(8.0, 8.0, 3.0, 0.4), (8.0, 1.6, -2.0, 0.4), (8.0, 1.6, 2.0, 0.2), (8.0, 1.6, 0.0, 0.4)],
    2: [
        ([0.5, 0.5], -1.0, [0.25, 0.25, 0.0]),
        ([1 / 3, 2 / 3], -1.0, [1 / 3, 1 / 6, 1 / 6]),
        ([1 / 3, 2 / 3], 1.0, [5 / 18, 1 / 6, 1 / 9]),
        ([1 / 3, 2 / 3], -1.0, [5 / 18, 1 / 9, 1 / 6]),
    ],
    3: [
        (-11.6, 0.0, -8.1, -3.6),
        (-1.6, -1.0, -8.1, -3.6),
        (4.4, 2.0, -8.1, -3.6),
        (-3.6, -2.0, -5.85, -5.85),
        (-3.6, -2.0, -3.6, -8.1),
    ],
    4: [
        functools.partial(weighted, same=True),
        functools.partial(weighted, swapped=True),
        functools.partial(weighted, mean=True),
        functools.partial(weighted, negative=True),
        lambda *a: weighted(*a).data,
        lambda *a: Value(weighted(*a).data),
    ],
    5: [
        functools.partial(violators, free_only=True),
        functools.partial(violators, signed=False),
        functools.partial(violators, tolerant=False),
        lambda *a: ~violators(*a),
    ],
    6: [
        pair_step,
        functools.partial(pair_step, clip="never"),
        functools.partial(pair_step, clip="first", in_place=True),
        functools.partial(pair_step, clip="first", forward=True),
    ],
    7: [
        functools.partial(features, root=2.0),
        functools.partial(features, root=1.0),
        functools.partial(features, twice=True),
        lambda x: x,
    ],
    8: [
        (lambda alpha, C: alpha / C, lambda K, C: K + C * np.eye(len(K))),
        (lambda alpha, C: alpha / (2 * C), lambda K, C: K + np.eye(len(K)) / (2 * C)),
        (lambda alpha, C: C * alpha, lambda K, C: K + np.eye(len(K)) / C),
        (lambda alpha, C: alpha / C, lambda K, C: K + 1 / C),
        (lambda alpha, C: 1 - alpha / C, lambda K, C: K),
    ],
    9: [
        np.array([[0.0, 0], [1, 0], [2, 0]]),
        np.column_stack([np.arange(12.0), np.zeros(12)]),
        np.array([[x, y] for x in range(4) for y in range(4)], dtype=float),
        np.arange(6.0),
    ],
    10: [
        {"kernel": "linear", "C": 1.0},
        {"kernel": "rbf", "gamma": 1.0, "C": 1.0},
        {"kernel": "rbf", "gamma": 100.0, "C": 10.0},
        "rbf",
    ],
}
