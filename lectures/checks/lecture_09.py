"""The checkers of lecture 9's exercises: k-means clustering."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from checks import Sheet, Wrong, close, same, true
from micrograd import Value, grads

sheet = Sheet("Lecture 9")
check, hint = sheet.check, sheet.hint

rng = np.random.default_rng(90)
CLOUD = rng.standard_normal((40, 3)) * [1.0, 2.0, 0.5]
CENTRES = rng.standard_normal((5, 3))


def _squared(X: Any, centres: Any) -> Any:
    return ((X[:, None, :] - centres) ** 2).sum(axis=2)


@sheet.exercise(
    1,
    "one round by hand",
    hints=[
        "First write beside each point which centre is nearer; only then move anything.",
        "The second cluster has three points.",
    ],
)
def _(first: Any, second: Any, then: Any) -> None:
    close(first, 1.5, "the first centre after the round")
    close(second, 8.0, "the second centre after the round")
    close(then, 14.5, "the inertia with the moved centres")


@sheet.exercise(
    2,
    "a gradient by hand",
    hints=[
        "Only the points that are nearest to a centre contribute to its gradient.",
        "d/dc (x - c)^2 = -2 (x - c); what multiplies c in the sum is the second derivative.",
    ],
)
def _(gradient_1: Any, gradient_2: Any, rate_1: Any, rate_2: Any) -> None:
    close(gradient_1, 2.0, "the gradient of the first centre")
    close(gradient_2, -12.0, "the gradient of the second centre")
    close(rate_1, 0.25, "the learning rate of the first centre")
    close(rate_2, 1 / 6, "the learning rate of the second centre")


@sheet.exercise(
    3,
    "the nearest centre",
    hints=[
        "X[:, None, :] - centres has the shape (n, k, d): which axis do you add over?",
        "argmin(axis=1) gives the first of equals.",
    ],
)
def _(nearest: Any) -> None:
    got = nearest(CLOUD, CENTRES)
    same(np.shape(got), (40,), "the shape of the answer for 40 points")
    true(np.issubdtype(np.asarray(got).dtype, np.integer), "the answer holds integers")
    same(got, _squared(CLOUD, CENTRES).argmin(1), "the nearest centres of 40 points in space")
    tied = nearest(np.array([[0.0, 0.0]]), np.array([[3.0, 0], [0, -1.0], [1.0, 0]]))
    same(tied, np.array([1]), "the index for a point equally near to two centres")
    far = nearest(np.array([[-9.0], [9.0]]), np.array([[-1.0], [1.0]]))
    same(far, np.array([0, 1]), "the centres of two far points on a line")


@sheet.exercise(
    4,
    "moving the centres",
    hints=[
        "X[labels == j] are the points of cluster j. What is their mean when there are none?",
        "Begin with centres.copy().",
    ],
)
def _(move: Any) -> None:
    labels = _squared(CLOUD, CENTRES).argmin(1)
    before = CENTRES.copy()
    moved = move(CLOUD, labels, before)
    true(np.array_equal(before, CENTRES), "the array of centres that was given is unchanged")
    means = [CLOUD[labels == j].mean(0) for j in range(5)]
    close(moved, means, "the means of five clusters")
    labels[labels == 2] = 0
    moved = move(CLOUD, labels, CENTRES.copy())
    close(moved[2], CENTRES[2], "a centre without points")
    close(moved[0], CLOUD[labels == 0].mean(0), "the centre that took its points over")


@sheet.exercise(
    5,
    "the odds of k-means++",
    hints=[
        "For each point: the squared distance to the nearest of the centres so far.",
        "Probabilities add up to 1. What if every squared distance is 0?",
    ],
)
def _(odds: Any) -> None:
    squared = _squared(CLOUD, CENTRES).min(1)
    got = odds(CLOUD, CENTRES)
    close(np.sum(got), 1.0, "the sum of the probabilities")
    close(got, squared / squared.sum(), "the probabilities of 40 points with five centres")
    chosen = odds(CLOUD, CLOUD[:1])
    close(chosen[0], 0.0, "the probability of a point that is a centre already")
    twins = np.ones((4, 2))
    close(odds(twins, twins[:1]), [0.25] * 4, "the probabilities when every point is a centre")


@sheet.exercise(
    6,
    "one silhouette",
    hints=[
        "The point itself has distance 0 and is not one of the others: divide by one less.",
        "b is the smallest of the mean distances to each of the other clusters.",
    ],
)
def _(silhouette: Any) -> None:
    from sklearn.metrics import silhouette_samples

    labels = _squared(CLOUD, CENTRES[:4]).argmin(1)
    wanted = silhouette_samples(CLOUD, labels)
    for i in (0, 7, 31):
        close(silhouette(CLOUD, labels, i), wanted[i], f"the silhouette of point {i} of 40")
    mixed = np.arange(40) % 3
    wanted = silhouette_samples(CLOUD, mixed)
    worst = int(wanted.argmin())
    close(silhouette(CLOUD, mixed, worst), wanted[worst], "the silhouette of a misplaced point")
    alone = np.array([0, 1, 1])
    close(silhouette(CLOUD[:3], alone, 0), 0.0, "the silhouette of a point alone in its cluster")


@sheet.exercise(
    7,
    "a robust k-means on Values",
    hints=[
        "Write the cost for one point and one centre first; (...) ** 0.5 is the square root.",
        "Chain minimum(a, b) over the centres of one point, then add over the points.",
    ],
)
def _(cost: Any) -> None:
    X, start = CLOUD[:12], CENTRES[:3]
    centres = np.array([[Value(x) for x in row] for row in start])
    total = cost(X, centres)
    true(isinstance(total, Value), "the result is a Value")
    roots = np.sqrt(1 + _squared(X, start))
    near = roots.argmin(1)
    close(total.data, (roots.min(1) - 1).sum(), "the cost of twelve points with three centres")
    total.backward()
    wanted = np.zeros_like(start)
    np.add.at(wanted, near, (start[near] - X) / roots.min(1)[:, None])
    close(grads(centres), wanted, "the gradients of three centres")


@sheet.exercise(
    8,
    "get it stuck",
    hints=[
        "Section 5 does it with four points. What did their shape have to do with it?",
        "Two columns of points far apart, and two centres in the middle, one above the other.",
    ],
)
def _(points: Any, centres: Any) -> None:
    points, centres = np.asarray(points, dtype=float), np.asarray(centres, dtype=float)
    same(points.shape, (6, 2), "the shape of the points")
    same(centres.shape, (2, 2), "the shape of the centres")
    for _ in range(100):
        labels = _squared(points, centres).argmin(1)
        if len(set(labels.tolist())) < 2:
            raise Wrong("a centre has lost all its points on the way")
        centres = np.array([points[labels == j].mean(0) for j in range(2)])
    ended = float(((points - centres[labels]) ** 2).sum())
    best = np.inf
    for split in itertools.product([False, True], repeat=6):
        groups = [points[np.array(split)], points[~np.array(split)]]
        cost = sum(float(((g - g.mean(0)) ** 2).sum()) for g in groups if len(g))
        best = min(best, cost)
    if ended < 100 * best or ended <= 0:
        times = f"{ended / best:.3g} times the best" if best > 0 else "with a best of 0"
        raise Wrong(
            f"Lloyd's algorithm ends at an inertia of {ended:.4g}, {times}: not stuck enough"
        )
