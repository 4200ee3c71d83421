"""Mistakes that a learner makes in lecture 3's exercises."""

import functools

import numpy as np

from micrograd import Value


def with_ones(X):
    return np.column_stack([X, np.ones(len(X))])


def solved(A, y):
    return np.linalg.lstsq(A, y, rcond=None)[0]


def normal_equations(X, y):
    A = with_ones(X)
    theta = np.linalg.inv(A.T @ A) @ (A.T @ y)
    return theta[:-1], theta[-1]


def centred_only(X, y):
    w = solved(X - X.mean(0), y - y.mean())
    return w, y.mean()


def weighted(X, y, q, *, power=1.0, both=True):
    A = with_ones(X)
    return np.linalg.solve(A.T @ (q[:, None] ** power * A), A.T @ (q**power * y if both else y))


def elastic(w, b, X, y, l1, l2, *, shrink_b=False, mean=True, halved=False):
    errors = X @ w + b - y
    total = (errors**2).sum() * (1 / len(y) if mean else 1.0)
    total = total + l1 * abs(w).sum() + l2 * (w**2).sum() * (0.5 if halved else 1.0)
    return total + l2 * b**2 if shrink_b else total


def weight(a, c, l1, l2, *, threshold=0.5, plain=False, keep=False):
    if plain:
        return c / (a + l1 + l2)
    if keep:  # a hard threshold: what survives is not moved
        return c / (a + l2) if abs(c) > l1 / 2 else 0.0
    return np.sign(c) * max(abs(c) - threshold * l1, 0.0) / (a + l2)


def crossed(fit, X, y, k, *, leak=False, squares=False):
    errors, sizes = [], []
    for test in np.array_split(np.arange(len(y)), k):
        train = np.arange(len(y)) if leak else np.setdiff1d(np.arange(len(y)), test)
        errors.append(((fit(X[train], y[train])(X[test]) - y[test]) ** 2).sum())
        sizes.append(len(test))
    return np.sum(errors) / (1 if squares else np.sum(sizes))


def other_way_round(fit, X, y, k):
    errors = []
    for train in np.array_split(np.arange(len(y)), k)[:k]:
        test = np.setdiff1d(np.arange(len(y)), train)
        errors.append(((fit(X[train], y[train])(X[test]) - y[test]) ** 2).mean())
    return np.mean(errors)


def left_out(X, y, *, ones=True, sign=1.0, power=1.0):
    A = with_ones(X) if ones else X
    H = A @ np.linalg.solve(A.T @ A, A.T)
    return sign * (y - H @ y) / (1 - np.diag(H)) ** power


WRONG = {
    1: [(0.5, 1.5, 0.75), (0.5, 2.0, 0.25), (1.0, 1.0, 0.25)],
    2: [(14.0, 6.0, 0.1716), (7.0, 3.0, 0.0858), (7.0, 3.0, 5.83), (4.0, 3.0, 0.1716)],
    3: [normal_equations, centred_only, lambda X, y: (solved(X, y), 0.0)],
    4: [
        functools.partial(weighted, power=0.5),
        functools.partial(weighted, power=2.0),
        functools.partial(weighted, both=False),
        lambda X, y, q: solved(with_ones(X), y),
    ],
    5: [
        functools.partial(elastic, shrink_b=True),
        functools.partial(elastic, mean=False),
        functools.partial(elastic, halved=True),
        lambda *given: elastic(*given).data,
        lambda *given: Value(elastic(*given).data),
    ],
    6: [
        functools.partial(weight, threshold=1.0),
        functools.partial(weight, plain=True),
        functools.partial(weight, keep=True),
        lambda a, c, l1, l2: max(c - l1 / 2, 0.0) / (a + l2),
    ],
    7: [
        functools.partial(crossed, leak=True),
        functools.partial(crossed, squares=True),
        crossed,  # each example counts alike, not each fold
        other_way_round,
    ],
    8: [
        functools.partial(left_out, ones=False),
        functools.partial(left_out, sign=-1.0),
        functools.partial(left_out, power=0.5),
        functools.partial(left_out, power=0.0),
    ],
    9: [
        (np.arange(8.0), np.arange(8.0)),
        ([0, 0, 0, 0, 0, 0, 0, 9.0], [3, 2, 1, 0, 1, 2, 3, 9.0]),
        (np.arange(8.0), -np.arange(8.0)),
        (np.arange(7.0), np.arange(7.0)),
    ],
}
