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
    before = "that is before the round; give it after the round"
    by_hand(first, 1.5, "the first centre after the round", instead={before: 2.0})
    by_hand(second, 8.0, "the second centre after the round", instead={before: 6.0})
    mistaken = {
        "that is the inertia with the centres before they moved; give it after they moved": 27.0,
        "those are the distances; give their squares": 6.0,
    }
    by_hand(then, 14.5, "the inertia with the moved centres", instead=mistaken)


@sheet.exercise(
    2,
    hints=[
        "Only the points that are nearest to a centre contribute to its gradient.",
        "d/dc (x - c)^2 = -2 (x - c); what multiplies c in the sum is the second derivative.",
    ],
)
def a_gradient_by_hand(gradient_1: Any, gradient_2: Any, rate_1: Any, rate_2: Any) -> None:
    down = "that is the way down; give the gradient, which leads up"
    half = "the derivative of a square has a factor of 2"
    given = {down: -2.0, half: 1.0}
    by_hand(gradient_1, 2.0, "the gradient of the first centre", instead=given)
    given = {down: 12.0, half: -6.0}
    by_hand(gradient_2, -12.0, "the gradient of the second centre", instead=given)
    by_hand(rate_1, 1 / 4, "the learning rate of the first centre", instead={half: 1 / 2})
    by_hand(rate_2, 1 / 6, "the learning rate of the second centre", instead={half: 1 / 3})


@sheet.exercise(
    3,
    hints=[
        "X[:, None, :] - centres has the shape (n, k, d): which axis do you add over?",
        "argmin(axis=1) gives the first of equals.",
    ],
)
def the_nearest_centre(nearest: Any) -> None:
    tied = nearest(np.array([[0.0, 0.0]]), np.array([[3.0, 0], [0, -1.0], [1.0, 0]]))
    last = {"give the lowest index of those that are equally near": [2]}
    same(tied, [1], "the index for a point equally near to two centres", instead=last)
    far = nearest(np.array([[-9.0], [9.0]]), np.array([[-1.0], [1.0]]))
    same(far, [0, 1], "the centres of two far points on a line")
    got = nearest(CLOUD, CENTRES)
    if isinstance(got, np.ndarray):
        true(np.issubdtype(got.dtype, np.integer), "the answer holds integers, fit for an index")
    got = integers(got, "the nearest centres of 40 points in space", (40,))
    right = _squared(CLOUD, CENTRES).argmin(1)
    same(got, right, "the nearest centres of 40 points in space")
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
    stays = "a centre without points stays where it is"
    mistaken = {stays: np.zeros(3), f"{stays}; there is no mean of nothing": np.full(3, np.nan)}
    close(moved[2], CENTRES[2], "a centre without points", instead=mistaken)
    close(moved[0], CLOUD[labels == 0].mean(0), "the centre that took its points over")


@sheet.exercise(
    5,
    title="The odds of k-means++",
    hints=[
        "For each point: the squared distance to the nearest of the centres so far.",
        "Probabilities add up to 1. What if every squared distance is 0?",
    ],
)
def the_odds_of_k_means(odds: Any) -> None:
    squared, every = _squared(CLOUD, CENTRES).min(1), _squared(CLOUD, CENTRES).sum(1)
    roots = np.sqrt(squared)
    mistaken = {
        "these go with the distance; use its square": roots / roots.sum(),
        "these go with all centres; use the nearest one": every / every.sum(),
        "these are the squared distances; probabilities add up to 1": squared,
    }
    what = "the probabilities of 40 points with five centres"
    close(odds(CLOUD, CENTRES), squared / squared.sum(), what, instead=mistaken)
    twins = np.ones((4, 2))
    close(odds(twins, twins[:1]), [0.25] * 4, "the probabilities when every point is a centre")
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
        distance = np.sqrt(_squared(CLOUD, CLOUD[[i]])[:, 0])
        own = distance[labels == labels[i]].mean()  # with the point itself
        next_one = min(distance[labels == j].mean() for j in set(labels) - {labels[i]})
        mistaken = {
            "a is the mean distance to the others: the point is not one of them": (
                (next_one - own) / max(own, next_one)
            )
        }
        what = f"the silhouette of point {i} of 40"
        close(silhouette(CLOUD, labels, i), wanted[i], what, instead=mistaken)
    mixed = np.arange(40) % 3
    wanted = silhouette_samples(CLOUD, mixed)
    worst = int(wanted.argmin())
    close(silhouette(CLOUD, mixed, worst), wanted[worst], "the silhouette of a misplaced point")
    alone = np.array([0, 1, 1])
    close(silhouette(CLOUD[:3], alone, 0), 0.0, "the silhouette of a point alone in its cluster")


@sheet.exercise(
    7,
    title="A robust k-means on Values",
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
    mistaken = {
        "that adds the costs of all centres; add the smallest for each point": ((roots - 1).sum()),
        "that is without the -1 of each point": roots.min(1).sum(),
    }
    what = "the cost of twelve points with three centres"
    close(total.data, (roots.min(1) - 1).sum(), what, instead=mistaken)
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
            f"Lloyd's algorithm ends at an inertia of {ended:.4g}, {times}; reach at least 100 "
            "times the best"
        )
