"""The checkers of lecture 9's exercises: k-means clustering."""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any

import numpy as np

from checks import Sheet, Wrong, array, as_value, by_hand, close, effort, integers, same, true, word
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


@sheet.exercise(
    9,
    title="How many restarts?",
    hints=[
        "One run misses with probability 1 - p, and the runs are independent.",
        "(1 - p)^m < 0.01: take logarithms, and mind that log(1 - p) is negative.",
    ],
)
def how_many_restarts(missed: Any, tenth: Any, half: Any) -> None:
    found = {"that is the probability that ten find it; give that they all miss": 1 - 0.9**10}
    by_hand(missed, 0.9**10, "the probability that ten restarts miss", instead=found)
    given = {"with that many they still miss with more than 1%": 43,
             "that makes it likely by half; ask for 1%": 7}  # fmt: skip
    by_hand(tenth, 44, "the restarts for p = 0.1", exact=True, instead=given)
    given = {"with that many they still miss with more than 1%": 6}
    by_hand(half, 7, "the restarts for p = 0.5", exact=True, instead=given)


@sheet.exercise(
    10,
    title="An M step by hand",
    hints=[
        "Every point counts with its responsibility: the size of the first part is 1 + 1/2 + 0.",
        "The variance is the weighted mean of the squared distances from the new mean.",
    ],
)
def an_m_step_by_hand(share: Any, mean: Any, variance: Any) -> None:
    size = "that is the size of the part; give its share of the three points"
    by_hand(share, 0.5, "the share of the first part", instead={size: 1.5})
    plain = "that counts each point once; weight it with its responsibility"
    by_hand(mean, 2 / 3, "the mean of the first part", instead={plain: 2.0, "divide by the "
            "size of the part, not by the number of points": 1 / 3})  # fmt: skip
    given = {"divide by the size of the part, not by the number of points": 4 / 9,
             "that is not yet divided by the size of the part": 4 / 3,
             "that is the deviation; give the variance": math.sqrt(8 / 9)}  # fmt: skip
    by_hand(variance, 8 / 9, "the variance of the first part", instead=given)


@sheet.exercise(
    11,
    title="The E step",
    hints=[
        "Work with log(share) - log(sigma) - (x - mean)^2 / (2 sigma^2) for each part.",
        "Take the greatest of a row off before exp: the quotient does not change.",
    ],
)
def the_e_step(responsibilities: Any) -> None:
    x = CLOUD[:9, 1]
    shares, means, sigmas = np.array([0.2, 0.5, 0.3]), np.array([-2.0, 0.0, 1.5]), np.array(
        [0.5, 1.0, 2.0])  # fmt: skip

    def wanted(points: Any, weigh: bool = True, scale: bool = True) -> Any:
        score = -((points[:, None] - means) ** 2) / (2 * sigmas**2)
        score = score + (np.log(shares) if weigh else 0) - (np.log(sigmas) if scale else 0)
        score = np.exp(score - score.max(1, keepdims=True))
        return score / score.sum(1, keepdims=True)

    right = wanted(x)
    mistaken = {
        "that leaves out the shares": wanted(x, weigh=False),
        "a wide Gaussian is lower: its density has 1 / sigma in front": wanted(x, scale=False),
    }
    what = "the responsibilities of three parts for nine points"
    close(responsibilities(x, shares, means, sigmas), right, what, instead=mistaken)
    far = np.array([-300.0, 400.0])
    nan = {"far from all means every density is 0 and 0/0 is no number; work with logarithms": (
        np.full((2, 3), np.nan)
    )}  # fmt: skip
    what = "the responsibilities for the points -300 and 400"
    close(responsibilities(far, shares, means, sigmas), wanted(far), what, instead=nan)


@sheet.exercise(
    12,
    hints=[
        "Beside 1 lie 0 and 2: with itself that is three within a distance of 1.",
        "A point that is not core but within the radius of a core point belongs to its cluster.",
    ],
)
def density_by_hand(core: Any, clusters: Any, noise: Any) -> None:
    itself = "a point counts as within its own radius"
    every = "that counts all points of the clusters; give those with three within 1"
    by_hand(core, 3, "the number of core points", exact=True, instead={itself: 0, every: 7})
    by_hand(clusters, 2, "the number of clusters", exact=True, instead={
        "that takes noise for a cluster": 3, itself: 0})  # fmt: skip
    border = "a point near a core point joins its cluster, even if it is not core itself"
    by_hand(noise, 1, "the number of noise points", exact=True, instead={border: 5, itself: 8})


@sheet.exercise(
    13,
    hints=[
        "0 and 1 are joined first, at 1, whatever the linkage. Then compare what is left.",
        "Average linkage: the mean over all pairs of a point here and a point there.",
    ],
)
def three_linkages_by_hand(single: Any, complete: Any, average: Any) -> None:
    by_hand(single, [1, 2, 4], "the heights of single linkage",
            instead={"those are for complete linkage": [1, 3, 7]})  # fmt: skip
    by_hand(complete, [1, 3, 7], "the heights of complete linkage",
            instead={"those are for single linkage": [1, 2, 4]})  # fmt: skip
    mistaken = {"that takes the mean of a cluster's points first": [1, 2.5, 17 / 3 + 1],
                "that gives two clusters the same weight; weight them by their sizes": (
                    [1, 2.5, 5.25])}  # fmt: skip
    by_hand(average, [1, 2.5, 17 / 3], "the heights of average linkage", instead=mistaken)


@sheet.exercise(
    14,
    title="Scale the wine?",
    hints=[
        "silhouette_score(A, labels) with the same columns A that were clustered.",
        "The two silhouettes are measured in two different rulers. What do the cultivars say?",
    ],
)
def scale_the_wine(raw: Any, scaled: Any, gain: Any, verdict: Any) -> None:
    silhouette_raw, silhouette_scaled, more = _wine()
    swapped = "that is the other one of the two"
    by_hand(raw, silhouette_raw, "the silhouette of the raw columns",
            instead={swapped: silhouette_scaled})  # fmt: skip
    by_hand(scaled, silhouette_scaled, "the silhouette of the scaled columns",
            instead={swapped: silhouette_raw})  # fmt: skip
    sign = {"that is raw minus scaled; the text asks for scaled minus raw": -more}
    by_hand(gain, more, "the difference of the adjusted Rand indices", instead=sign)
    word(verdict, "neither", "what you would choose the scaling by",
         ("silhouette", "inertia", "neither"), instead={
             "it is higher for the columns that match the cultivars worse": "silhouette",
             "inertia changes with the unit of length": "inertia"})  # fmt: skip


@functools.cache
def _wine() -> tuple[float, float, float]:
    """Silhouettes of raw and of scaled wine in three clusters; how much better scaled agrees."""
    from sklearn.cluster import KMeans
    from sklearn.datasets import load_wine
    from sklearn.metrics import adjusted_rand_score, silhouette_score

    X, target = load_wine(return_X_y=True)
    found = []
    for A in (X, (X - X.mean(0)) / X.std(0)):
        labels = KMeans(3, n_init=50, random_state=0).fit_predict(A)
        found.append((silhouette_score(A, labels), adjusted_rand_score(target, labels)))
    (raw, before), (scaled, after) = found
    return float(raw), float(scaled), float(after - before)
