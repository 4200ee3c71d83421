"""Mistakes that a learner makes in lecture 9's exercises."""

import functools

import numpy as np

from micrograd import Value, minimum


def squared(X, centres):
    return ((X[:, None, :] - centres) ** 2).sum(axis=2)


def nan_without_points(X, labels, centres):
    means = [X[labels == j].sum(0) / max((labels == j).sum(), 1) for j in range(len(centres))]
    return np.array(means)


def moves_in_place(X, labels, centres):
    for j in range(len(centres)):
        if (labels == j).any():
            centres[j] = X[labels == j].mean(0)
    return centres


def silhouette(X, labels, i, *, count_itself=False, square=False, furthest=False):
    distance = ((X - X[i]) ** 2).sum(1)
    distance = distance if square else np.sqrt(distance)
    own = labels == labels[i]
    a = distance[own].sum() / max(own.sum() - (not count_itself), 1)
    others = [distance[labels == j].mean() for j in set(labels.tolist()) - {int(labels[i])}]
    b = max(others) if furthest else min(others)
    return (b - a) / max(a, b)


def robust(X, centres, *, inside=0.0, every=False):
    costs = [[(((c - x) ** 2).sum() + 1) ** 0.5 - 1 + inside for c in centres] for x in X]
    if every:
        return sum(sum(row) for row in costs)
    return sum(functools.reduce(minimum, row) for row in costs)


WRONG = {
    1: [(1.5, 8.0, 14.0), (1.5, 6.5, 14.5), (2.0, 6.0, 27.0)],
    2: [(-2.0, 12.0, 0.25, 1 / 6), (1.0, -6.0, 0.25, 1 / 6), (2.0, -12.0, 0.5, 1 / 3)],
    3: [
        lambda X, c: squared(X, c).argmax(1),
        lambda X, c: squared(X, c).argmin(0),
        lambda X, c: squared(X, c).min(1),
        lambda X, c: len(c) - 1 - squared(X, c[::-1]).argmin(1),  # the last of equals
        lambda X, c: np.abs((X[:, None, :] - c).sum(axis=2)).argmin(1),
    ],
    4: [nan_without_points, moves_in_place, lambda X, labels, c: c],
    5: [
        lambda X, c: np.sqrt(squared(X, c).min(1)) / np.sqrt(squared(X, c).min(1)).sum(),
        lambda X, c: squared(X, c).min(1),
        lambda X, c: squared(X, c).sum(1) / squared(X, c).sum(),
    ],
    6: [
        functools.partial(silhouette, count_itself=True),
        functools.partial(silhouette, square=True),
        functools.partial(silhouette, furthest=True),
    ],
    7: [
        lambda X, c: robust(X, c).data,
        functools.partial(robust, every=True),
        functools.partial(robust, inside=1.0),
        lambda X, c: Value(robust(X, c).data),
    ],
    8: [
        (np.eye(6)[:, :2], np.eye(2)),
        (np.arange(12.0).reshape(6, 2), np.array([[0, 0], [99.0, 99.0]])),
        (np.zeros((4, 2)), np.zeros((2, 2))),
    ],
}
