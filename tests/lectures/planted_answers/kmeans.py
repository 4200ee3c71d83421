"""Planted answers to lecture 9's exercises: mistakes, and right ones of unusual form."""

import functools
import math

import numpy as np
from planting import Misread
from scipy.spatial.distance import cdist
from sklearn.metrics import silhouette_samples

from micrograd import Value, maximum, minimum


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


def cdist_argmin(X, centres):
    return tuple(cdist(X, centres).argmin(axis=1).tolist())


def silhouette_by_sklearn(X, labels, i):
    return silhouette_samples(X, labels)[i]


def shares_of(x, shares, means, sigmas, *, logs=True, weigh=True, scale=True):
    with np.errstate(all="ignore"):
        score = -((np.asarray(x)[:, None] - means) ** 2) / (2 * sigmas**2)
        score = score + (np.log(shares) if weigh else 0) - (np.log(sigmas) if scale else 0)
        weights = np.exp(score - score.max(1, keepdims=True)) if logs else np.exp(score)
        return weights / weights.sum(1, keepdims=True)


WRONG = {
    "one_round_by_hand": [(1.5, 6.5, 14.5), (2.0, 6.0, 27.0)],
    "a_gradient_by_hand": [
        (-2.0, 12.0, 0.25, 1 / 6),
        (2.0, -12.0, 0.5, 1 / 3),
    ],
    "the_nearest_centre": [
        lambda X, c: squared(X, c).argmax(1),
        lambda X, c: squared(X, c).argmin(0),
        lambda X, c: squared(X, c).min(1),
        lambda X, c: len(c) - 1 - squared(X, c[::-1]).argmin(1),  # the last of equals
        lambda X, c: np.abs((X[:, None, :] - c).sum(axis=2)).argmin(1),
    ],
    "moving_the_centres": [moves_in_place, lambda X, labels, c: c],
    "the_odds_of_k_means": [
        lambda X, c: squared(X, c).min(1),
        lambda X, c: squared(X, c).sum(1) / squared(X, c).sum(),
    ],
    "one_silhouette": [
        functools.partial(silhouette, square=True),
        functools.partial(silhouette, furthest=True),
    ],
    "a_robust_k_means_on_values": [
        lambda X, c: robust(X, c).data,
        functools.partial(robust, inside=1.0),
        lambda X, c: Value(robust(X, c).data),
    ],
    "get_it_stuck": [
        (np.eye(6)[:, :2], np.eye(2)),
        (np.arange(12.0).reshape(6, 2), np.array([[0, 0], [99.0, 99.0]])),
        (np.zeros((4, 2)), np.zeros((2, 2))),
    ],
    "how_many_restarts": [(0.651, 44, 7), (0.349, 43, 6), (0.349, 10, 2)],
    "an_m_step_by_hand": [(1.5, 2.0, 8 / 9), (0.5, 1 / 3, 4 / 9), (0.5, 2 / 3, 4 / 3)],
    "the_e_step": [
        functools.partial(shares_of, weigh=False),
        functools.partial(shares_of, logs=False),
        lambda x, shares, means, sigmas: shares_of(x, shares, means, sigmas).T,
    ],
    "density_by_hand": [(0, 0, 8), (3, 3, 1), (3, 2, 0)],
    "three_linkages_by_hand": [
        ([1, 3, 7], [1, 2, 4], [1, 2.5, 17 / 3]),
        ([1, 2, 4], [1, 3, 4], [1, 2.5, 4]),
        ([1, 2, 3], [1, 3, 7], [1, 2, 4]),
    ],
    "scale_the_wine": [
        (0.285, 0.571, 0.526, "neither"),
        (0.571, 0.285, -0.526, "inertia"),
        (0.571, 0.285, 0.1, "neither"),
    ],
}


def nearest_by_products(X, centres):
    return np.argmax(X @ centres.T - 0.5 * (centres**2).sum(axis=1), axis=1).tolist()


def move_by_counts(X, labels, centres):
    moved = [list(c) for c in centres]
    for j in set(np.asarray(labels).tolist()):
        mine = [x for x, label in zip(X, labels, strict=True) if label == j]
        moved[j] = [sum(column) / len(mine) for column in zip(*mine, strict=True)]
    return moved


def move_by_one_hot(X, labels, centres):
    hot = np.eye(len(centres))[labels]
    counts = hot.sum(axis=0)[:, None]
    return np.where(counts > 0, hot.T @ X / np.maximum(counts, 1), centres)


def odds_by_loop(X, centres):
    squares = [min(sum((x - c) ** 2) for c in centres) for x in X]
    return [s / sum(squares) if sum(squares) else 1 / len(X) for s in squares]


def silhouette_by_sets(X, labels, i):
    groups = {}
    for j, label in enumerate(labels.tolist()):
        if j != i:
            groups.setdefault(label, []).append(math.dist(X[i], X[j]))
    if labels[i] not in groups:
        return 0
    means = {label: sum(d) / len(d) for label, d in groups.items()}
    a = means.pop(int(labels[i]))
    b = min(means.values())
    return [(b - a) / max(a, b)]


def robust_by_rows(X, centres):
    roots = [[np.sqrt(((c - x) @ (c - x)) + 1.0) for c in centres] for x in X]
    return np.array([sum(-functools.reduce(maximum, [-r for r in row]) for row in roots) - len(X)])


def robust_by_choice(X, centres):
    """The nearest centre is chosen by its number: the gradient is the same."""
    total = 0.0
    for x in X:
        costs = [(((c - x) ** 2).sum() + 1) ** 0.5 - 1 for c in centres]
        total = min(costs, key=lambda v: v.data) + total
    return total


def shares_by_lists(x, shares, means, sigmas):
    rows = []
    for point in x:
        logs = [math.log(p) - math.log(s) - ((point - m) / s) ** 2 / 2
                for p, m, s in zip(shares, means, sigmas, strict=True)]  # fmt: skip
        rows.append([1 / sum(math.exp(min(b - a, 700)) for b in logs) for a in logs])
    return rows


RIGHT = {
    "one_round_by_hand": [("3/2", 8, "29/2"), ([1.5], np.float64(8), 14.5)],
    "a_gradient_by_hand": [(2, -12, "1/4", "1/6"), (2.0, -12.0, 0.25, 0.167)],
    "the_nearest_centre": [
        nearest_by_products,
        lambda X, c: np.linalg.norm(X[:, None] - c, axis=2).argmin(axis=1).astype(np.int8),
        cdist_argmin,
    ],
    "moving_the_centres": [move_by_counts, move_by_one_hot],
    "the_odds_of_k_means": [odds_by_loop, lambda X, c: np.array(odds_by_loop(X, c))[:, None].T[0]],
    "one_silhouette": [silhouette_by_sets, silhouette_by_sklearn],
    "a_robust_k_means_on_values": [robust_by_rows, robust_by_choice],
    "get_it_stuck": [
        ([(x, y) for x in (0, 100) for y in (0, 1, 2)], [(50, 0), (50, 2)]),
        (np.array([[x, y] for x in (-30, 30) for y in (0, 1, 1.0)]), ((0, 0), (0, 1))),
    ],
    "how_many_restarts": [("0.349", 44.0, [7]), (0.34868, "44", 7)],
    "an_m_step_by_hand": [("1/2", "2/3", "8/9"), ([0.5], 0.667, np.float64(0.889))],
    "the_e_step": [shares_by_lists, lambda *a: shares_of(*a).tolist()],
    "density_by_hand": [("3", 2.0, 1), ([3], 2, "1")],
    "three_linkages_by_hand": [
        ((1, 2, 4), np.array([1, 3, 7]), [1, "5/2", "17/3"]),
        ([1.0, 2.0, 4.0], (1, 3, 7.0), (1, 2.5, 5.667)),
    ],
    "scale_the_wine": [
        ("0.571", [0.285], 0.526, "Neither"),
        (0.5711, 0.2849, 0.5264, " neither "),
    ],
}

MISREAD = {
    "one_round_by_hand": Misread(
        (1.5, 8.0, 27.0),
        "The inertia is the one at which the points were assigned.",
        "give it after they moved",
    ),
    "a_gradient_by_hand": Misread(
        (1.0, -6.0, 1 / 2, 1 / 3),
        "J is read with the factor 1/2 that squared costs often have.",
        "the derivative of a square has a factor of 2",
    ),
    "the_nearest_centre": Misread(
        lambda X, c: np.array([squared(x[None], c)[0].argmin() for x in X]),
        "No loop is read as no `for` statement.",
        "there is no loop over points",
    ),
    "moving_the_centres": Misread(
        nan_without_points,
        "The mean of no points is 0.",
        "a centre without points stays where it is",
    ),
    "the_odds_of_k_means": Misread(
        lambda X, c: np.sqrt(squared(X, c).min(1)) / np.sqrt(squared(X, c).min(1)).sum(),
        "The further the likelier is read as in proportion to the distance.",
        "use its square",
    ),
    "one_silhouette": Misread(
        functools.partial(silhouette, count_itself=True),
        "The mean distance a is read as one over the whole cluster.",
        "the point is not one of them",
    ),
    "a_robust_k_means_on_values": Misread(
        functools.partial(robust, every=True),
        "The cost is added over points and centres.",
        "add the smallest for each point",
    ),
    "get_it_stuck": Misread(
        (
            np.array([[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1.0]]),
            np.array([[1, 0], [1, 1.0]]),
        ),
        "Any start from which the algorithm misses the best has got it stuck.",
        "reach at least 100 times the best",
    ),
    "how_many_restarts": Misread(
        (0.349, 43, 7),
        "The number of restarts is rounded to the nearest whole number or down.",
        "they still miss with more than 1%",
    ),
    "an_m_step_by_hand": Misread(
        (0.5, 2 / 3, np.sqrt(8 / 9)),
        "The standard deviation is given for the variance.",
        "give the variance",
    ),
    "the_e_step": Misread(
        functools.partial(shares_of, scale=False),
        "The factor in front of the exponential is taken to be the same for all parts.",
        "its density has 1 / sigma in front",
    ),
    "density_by_hand": Misread(
        (3, 2, 5),
        "All points that are not core are counted as noise.",
        "joins its cluster",
    ),
    "three_linkages_by_hand": Misread(
        ([1, 2, 4], [1, 3, 7], [1, 2.5, 5.25]),
        "The mean of the distances of the two joined clusters is taken, without their sizes.",
        "weight them by their sizes",
    ),
    "scale_the_wine": Misread(
        (0.571, 0.285, 0.526, "silhouette"),
        "The higher silhouette is read as the better scaling.",
        "match the cultivars worse",
    ),
}
