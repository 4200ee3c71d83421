"""The checkers of lecture 9's exercises: k-means clustering."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from checks import Sheet, Wrong, array, as_value, by_hand, close, effort, integers, same, true
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
    hints=[
        "First write beside each point which centre is nearer; only then move anything.",
        "The second cluster has three points.",
    ],
)
def one_round_by_hand(first: Any, second: Any, then: Any) -> None:
    by_hand(first, 1.5, "the first centre after the round")
    by_hand(second, 8.0, "the second centre after the round")
    by_hand(then, 14.5, "the inertia with the moved centres")


@sheet.exercise(
    2,
    hints=[
        "Only the points that are nearest to a centre contribute to its gradient.",
        "d/dc (x - c)^2 = -2 (x - c); what multiplies c in the sum is the second derivative.",
    ],
)
def a_gradient_by_hand(gradient_1: Any, gradient_2: Any, rate_1: Any, rate_2: Any) -> None:
    by_hand(gradient_1, 2.0, "the gradient of the first centre")
    by_hand(gradient_2, -12.0, "the gradient of the second centre")
    by_hand(rate_1, 1 / 4, "the learning rate of the first centre")
    by_hand(rate_2, 1 / 6, "the learning rate of the second centre")


@sheet.exercise(
    3,
    hints=[
        "X[:, None, :] - centres has the shape (n, k, d): which axis do you add over?",
        "argmin(axis=1) gives the first of equals.",
    ],
)
def the_nearest_centre(nearest: Any) -> None:
    tied = nearest(np.array([[0.0, 0.0]]), np.array([[3.0, 0], [0, -1.0], [1.0, 0]]))
    same(tied, [1], "the index for a point equally near to two centres")
    far = nearest(np.array([[-9.0], [9.0]]), np.array([[-1.0], [1.0]]))
    same(far, [0, 1], "the centres of two far points on a line")
    got = nearest(CLOUD, CENTRES)
    if isinstance(got, np.ndarray):
        true(np.issubdtype(got.dtype, np.integer), "the answer holds integers, fit for an index")
    got = integers(got, "the nearest centres of 40 points in space", (40,))
    same(got, _squared(CLOUD, CENTRES).argmin(1), "the nearest centres of 40 points in space")
    few, many = (effort(nearest, CLOUD[:n], CENTRES) for n in (5, 40))
    true(many <= few, "there is no loop over points: 40 take no more steps of Python than 5")


@sheet.exercise(
    4,
    hints=[
        "X[labels == j] are the points of cluster j. What is their mean when there are none?",
        "Begin with centres.copy().",
    ],
)
def moving_the_centres(move: Any) -> None:
    labels = _squared(CLOUD, CENTRES).argmin(1)
    before, points = CENTRES.copy(), CLOUD.copy()
    moved = array(move(points, labels, before), "the new centres", (5, 3))
    true(np.array_equal(before, CENTRES), "the array of centres that was given is unchanged")
    true(np.array_equal(points, CLOUD), "the points that were given are unchanged")
    means = [CLOUD[labels == j].mean(0) for j in range(5)]
    close(moved, means, "the means of five clusters")
    labels[labels == 2] = 0
    moved = array(move(points, labels, CENTRES.copy()), "the new centres", (5, 3))
    close(moved[2], CENTRES[2], "a centre without points")
    close(moved[0], CLOUD[labels == 0].mean(0), "the centre that took its points over")


@sheet.exercise(
    5,
    hints=[
        "For each point: the squared distance to the nearest of the centres so far.",
        "Probabilities add up to 1. What if every squared distance is 0?",
    ],
)
def the_odds_of_k_means(odds: Any) -> None:
    twins = np.ones((4, 2))
    close(odds(twins, twins[:1]), [0.25] * 4, "the probabilities when every point is a centre")
    squared = _squared(CLOUD, CENTRES).min(1)
    got = array(odds(CLOUD, CENTRES), "the probabilities of 40 points", (40,))
    close(np.sum(got), 1.0, "the sum of the probabilities")
    close(got, squared / squared.sum(), "the probabilities of 40 points with five centres")
    chosen = array(odds(CLOUD, CLOUD[:1]), "the probabilities of 40 points", (40,))
    close(chosen[0], 0.0, "the probability of a point that is a centre already")


@sheet.exercise(
    6,
    hints=[
        "The point itself has distance 0 and is not one of the others: divide by one less.",
        "b is the smallest of the mean distances to each of the other clusters.",
    ],
)
def one_silhouette(silhouette: Any) -> None:
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
    hints=[
        "Write the cost for one point and one centre first; (...) ** 0.5 is the square root.",
        "Chain minimum(a, b) over the centres of one point, then add over the points.",
    ],
)
def a_robust_k_means_on_values(cost: Any) -> None:
    X, start = CLOUD[:12], CENTRES[:3]
    centres = np.array([[Value(x) for x in row] for row in start])
    total = as_value(cost(X, centres), "the cost")
    roots = np.sqrt(1 + _squared(X, start))
    near = roots.argmin(1)
    close(total.data, (roots.min(1) - 1).sum(), "the cost of twelve points with three centres")
    total.backward()
    wanted = np.zeros_like(start)
    np.add.at(wanted, near, (start[near] - X) / roots.min(1)[:, None])
    close(grads(centres), wanted, "the gradients of three centres")


@sheet.exercise(
    8,
    hints=[
        "Section 5 does it with four points. What did their shape have to do with it?",
        "Two columns of points far apart, and two centres in the middle, one above the other.",
    ],
)
def get_it_stuck(points: Any, centres: Any) -> None:
    points, centres = array(points, "the points", (6, 2)), array(centres, "the centres", (2, 2))
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
