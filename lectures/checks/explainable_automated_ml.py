"""The checkers of lecture 7's exercises: explainable and automated machine learning."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from checks import Sheet, Wrong, array, brief, by_hand, close, integers, same, true, truths, word

sheet = Sheet("Lecture 7")
check, hint = sheet.check, sheet.hint

rng = np.random.default_rng(70)
TABLE = rng.standard_normal((60, 4)) @ rng.standard_normal((4, 4))
ANSWERS = TABLE @ [1.0, -2.0, 0.5, 0.0] + 0.3 * rng.standard_normal(60)


def _black_box(X: Any) -> Any:
    return X[:, 0] ** 2 + np.sin(X[:, 1]) + X[:, 0] * X[:, 2]


def _mse(y: Any, predicted: Any) -> float:
    return float(((y - predicted) ** 2).mean())


@sheet.exercise(
    1,
    title="How many trials?",
    hints=[
        "One trial misses with probability 0.99, n independent ones with 0.99 to the power n.",
        "How many settings does each round have, with how many epochs? Multiply, then add.",
    ],
)
def how_many_trials(trials: Any, probability: Any, epochs_paid: Any) -> None:
    wanted = math.ceil(math.log(0.1) / math.log(0.99))
    mistaken = {
        "so many miss with a probability above 0.1: round up": wanted - 1,
        "that adds the chances of all; several may hit": 90,
    }
    by_hand(trials, wanted, "the number of trials", exact=True, instead=mistaken)
    none = {"that is the probability that none hits": 0.9**20}
    by_hand(probability, 1 - 0.9**20, "the probability that one of 20 hits", instead=none)
    mistaken = {
        "that is as if training went on; every round trains anew": 297,
        "one of the five rounds is left out": 324,
    }
    by_hand(epochs_paid, 405, "the epochs paid", exact=True, instead=mistaken)


@sheet.exercise(
    2,
    hints=[
        "Write the six orders in six rows. In each, what does the group earn more as each enters?",
        "The three wages must add up to what all earn together.",
    ],
)
def a_fair_wage(first: Any, second: Any, third: Any) -> None:
    alone = "that is what this person earns alone; give the mean over all orders of arrival"
    last = "that is for the one who arrives last; give the mean over all orders of arrival"
    by_hand(first, 10.5, "the wage of person 1", instead={alone: 6.0, last: 15.0})
    by_hand(second, 3.0, "the wage of person 2", instead={alone: 0.0, last: 6.0})
    by_hand(third, 4.5, "the wage of person 3", instead={alone: 3.0, last: 6.0})


@sheet.exercise(
    3,
    hints=[
        "What stands inside each relu at (3, -1)? A shut unit lets no gradient through.",
        "At t times x each unit sees t times what it sees at x: does its sign ever change?",
    ],
)
def attribution_by_hand(
    saliency_1: Any, saliency_2: Any, attribution_1: Any, attribution_2: Any
) -> None:
    shut = "that is as if both units were open: what stands inside each relu?"
    slope = "that is the gradient; multiply it by the way from the baseline to x"
    size = "the way from the baseline to x2 goes down"
    by_hand(saliency_1, 2.0, "the gradient of x1", instead={shut: 7.0})
    by_hand(saliency_2, 4.0, "the gradient of x2", instead={shut: -1.0})
    by_hand(attribution_1, 6.0, "the attribution to x1", instead={slope: 2.0, shut: 21.0})
    mistaken = {f"{slope}, and {size}": 4.0, shut: 1.0}
    by_hand(attribution_2, -4.0, "the attribution to x2", instead=mistaken)


@sheet.exercise(
    4,
    hints=[
        "Take a fresh copy of X for each column, else the columns before it stay shuffled.",
        "The rise is the error after the shuffle less the error before.",
    ],
)
def permutation_importance(importance: Any) -> None:
    X = TABLE.copy()
    y = _black_box(X) + 0.1 * np.cos(np.arange(60))
    order = np.random.default_rng(71).permutation(60)
    wanted = []
    for j in range(4):
        shuffled = TABLE.copy()
        shuffled[:, j] = TABLE[order, j]
        wanted.append(_mse(y, _black_box(shuffled)) - _mse(y, _black_box(TABLE)))
    got = array(importance(_black_box, X, y, order), "the importances of four columns", (4,))
    true(np.array_equal(X, TABLE), "the table that was given is unchanged")
    error = _mse(y, _black_box(TABLE))
    kept = "the columns before have stayed shuffled; shuffle each column alone"
    mistaken = {kept: _mse(y, _black_box(TABLE[order])) - error}
    close(got[3], 0.0, "the importance of a column that the box does not read", instead=mistaken)
    roots = np.sqrt(np.array(wanted) + error) - np.sqrt(error)
    mistaken = {"these are rises of the root; give those of the mean squared error": roots}
    close(got, wanted, "the importances of four columns", instead=mistaken)


@sheet.exercise(
    5,
    hints=[
        "Call g_i the part of the prediction that comes from the group. Which residual has row i "
        "with the group of row l?",
        "The mean over all pairs of (g_i - g_l)^2 is twice a variance. Of what?",
    ],
)
def shuffling_a_group(group_rise: Any) -> None:
    columns = np.column_stack([TABLE, np.ones(60)])
    w = np.linalg.lstsq(columns, ANSWERS, rcond=None)[0]
    residual = ANSWERS - columns @ w
    before = TABLE.copy()
    for group in ([1], [0, 2], [0, 1, 3]):
        part = TABLE[:, group] @ w[group]
        pairs = residual[:, None] + part[:, None] - part[None, :]
        wanted = (pairs**2).mean() - (residual**2).mean()
        singly = 2 * (w[group] ** 2 * TABLE[:, group].var(axis=0)).sum()
        mistaken = {"that adds the columns' own rises; the group moves in one order": singly}
        what = f"the mean rise for the group {group}"
        close(group_rise(w[:4], TABLE, group), wanted, what, instead=mistaken)
    true(np.array_equal(before, TABLE), "the table that was given is unchanged")


@sheet.exercise(
    6,
    hints=[
        "One curve a person: the predictions with column j set to each value of the grid in turn.",
        "First subtract from each curve its mean over the grid; then look across the people.",
    ],
)
def what_partial_dependence_hides(hidden: Any) -> None:
    X, grid = TABLE.copy(), np.linspace(-1, 2, 7)
    squares = TABLE[:, 1] ** 2
    mistaken = {
        "that is how far the curves lie apart; first subtract its own mean over the "
        "grid": squares.std(),
        "that is the spread of the mean curve along the grid; give the spread between the curves": (
            3 * grid.std()
        ),
    }
    got = hidden(lambda X: 3 * X[:, 0] + X[:, 1] ** 2, X, 0, grid)
    close(got, 0.0, "the spread without an interaction", instead=mistaken)
    curves = np.array([_black_box(np.column_stack([np.full(60, v), TABLE[:, 1:]])) for v in grid])
    wanted = (curves - curves.mean(0)).std(1).max()
    close(hidden(_black_box, X, 0, grid), wanted, "the spread of sixty people's curves")
    true(np.array_equal(X, TABLE), "the table that was given is unchanged")


@sheet.exercise(
    7,
    hints=[
        "New Values at each midpoint: then no gradient is left over from the one before.",
        "The midpoints are (k + 0.5) / steps of the way. Multiply by x - baseline at the end.",
    ],
)
def integrated_gradients_on_the_engine(integrated: Any) -> None:
    def f(v: Any) -> Any:
        return (v[0] * v[1]).tanh() * 2 + v[2] ** 3 + (v[0] - v[2]).relu()

    def gradient(v: Any) -> Any:
        slope = 2 * (1 - np.tanh(v[0] * v[1]) ** 2)
        gate = float(v[0] > v[2])
        return np.array([slope * v[1] + gate, slope * v[0], 3 * v[2] ** 2 - gate])

    x, baseline = np.array([1.2, -0.7, 0.4]), np.array([0.1, 0.3, -0.5])
    for steps in (3, 50):
        middles = [baseline + (k + 0.5) / steps * (x - baseline) for k in range(steps)]
        wanted = (x - baseline) * np.mean([gradient(v) for v in middles], axis=0)
        got = integrated(f, x, baseline, steps)
        way = x - baseline

        def at(offset: float, steps: int = steps, way: Any = way) -> Any:
            points = [baseline + (k + offset) / steps * way for k in range(steps)]
            return np.mean([gradient(v) for v in points], axis=0)

        mistaken = {
            "that takes the beginnings of the steps; take their midpoints": way * at(0.0),
            "that takes the ends of the steps; take their midpoints": way * at(1.0),
            "that is the mean gradient times x; multiply by x - baseline": x * at(0.5),
            "that is the gradient at x alone": way * gradient(x),
        }
        close(got, wanted, f"three attributions with {steps} midpoints", instead=mistaken)
    total = 2 * math.tanh(-0.84) + 0.064 + 0.8 - (2 * math.tanh(0.03) - 0.125 + 0.6)
    what = "the sum of the attributions with 50 midpoints"
    close(np.sum(array(got, "three attributions", (3,))), total, what, atol=1e-3)


@sheet.exercise(
    8,
    title="Expected improvement, downwards",
    hints=[
        "Write h = mean + deviation * t. For which t is best - h positive?",
        "The integral of t times the normal density has a closed form; look at its derivative.",
    ],
)
def expected_improvement_downwards(improvement: Any) -> None:
    t = np.linspace(-10, 10, 200_001)
    density = np.exp(-t * t / 2) / math.sqrt(2 * math.pi)
    for mean, deviation, best in ((0.3, 0.8, 0.1), (2.0, 0.5, 3.0), (-1.0, 1.5, -2.5)):
        gain = np.maximum(best - mean - deviation * t, 0) * density
        what = f"the improvement for mean {mean}, deviation {deviation}, best {best}"
        upwards = np.maximum(mean + deviation * t - best, 0) * density
        mistaken = {
            "that is the improvement upwards; give how far h falls below the best": (
                upwards.sum() * (t[1] - t[0])
            ),
            "that is the improvement of the mean; give the mean improvement": max(best - mean, 0.0),
        }
        right = gain.sum() * (t[1] - t[0])
        close(improvement(mean, deviation, best), right, what, rtol=1e-5, instead=mistaken)
    close(improvement(0.5, 0.0, 2.0), 1.5, "the improvement of a value that is certain")
    close(improvement(2.5, 0.0, 2.0), 0.0, "the improvement of a value that is certainly worse")


@sheet.exercise(
    9,
    hints=[
        "n // eta settings are kept. When is that none?",
        "Look before you leap: the next resource is r * eta; may it be used?",
    ],
)
def the_plan_of_a_bracket(plan: Any) -> None:
    cases = {
        (27, 1, 27, 3): [(27, 1), (9, 3), (3, 9), (1, 27)],
        (12, 3, 27, 3): [(12, 3), (4, 9), (1, 27)],
        (4, 27, 27, 3): [(4, 27)],
        (100, 1, 20, 4): [(100, 1), (25, 4), (6, 16)],
        (5, 1, 64, 2): [(5, 1), (2, 2), (1, 4)],
    }
    for arguments, wanted in cases.items():
        rounds = [integers(pair, "a pair of numbers", (2,)) for pair in plan(*arguments)]
        full = arguments[2]
        for settings, resource in rounds:
            if resource > full:
                raise Wrong(f"a round has the resource {resource}, more than full = {full}")
            true(settings > 0, "every round has settings left")
        same(len(rounds), len(wanted), "the number of rounds")
        same(rounds, wanted, "the pairs (settings, resource of each)")


def _hills(number: int) -> Any:
    """A function on the unit cube with one broad peak and small ripples."""
    rng = np.random.default_rng(7000 + number)
    peak, widths = 0.1 + 0.8 * rng.random(3), 0.2 + 0.4 * rng.random(3)
    phases = 6 * rng.random(3)

    def score(u: Any) -> float:
        u = np.asarray(u, dtype=float)
        ripples = 0.02 * np.cos(25 * u + phases).sum()
        return float(ripples - (((u - peak) / widths) ** 2).sum())

    return score


@sheet.exercise(
    10,
    hints=[
        "Random search forgets where its good points were. Look near the best one so far.",
        "Begin with ten random points, then take random steps from the best one, ever smaller; "
        "or choose the next point by expected improvement.",
    ],
)
def beat_random_search(search: Any) -> None:
    mine, random = [], []
    for number in range(30):
        score = _hills(number)
        found = _searched(search, score, number)
        if number == 0:
            again = _searched(search, score, number)
            true(np.array_equal(found, again), "generators with the same seed find the same point")
        mine.append(score(found))
        trials = np.random.default_rng(900 + number).random((80, 3))
        random.append(max(score(u) for u in trials))
    if np.mean(mine) <= np.mean(random):
        raise Wrong(
            f"the mean score of 30 searches is {np.mean(mine):.3f}; random search with twice the "
            f"budget reaches {np.mean(random):.3f}"
        )


def _searched(search: Any, score: Any, seed: int) -> np.ndarray:
    calls = 0

    def counted(u: Any) -> float:
        nonlocal calls
        calls += 1
        if calls > 40:
            raise Wrong("the score was asked for more than 40 times")
        return score(_in_the_cube(u, "a point that was tried"))

    return _in_the_cube(search(counted, np.random.default_rng(seed)), "the answer")


def _in_the_cube(u: Any, what: str) -> np.ndarray:
    u = array(u, what, (3,))
    if not (u.min() >= 0 and u.max() <= 1):
        raise Wrong(f"{what} lies outside the unit cube: {brief(u)}")
    return u


@sheet.exercise(
    11,
    title="Accumulated, by hand",
    hints=[
        "Only the people of a bin are moved, from its left edge to its right one; take their mean.",
        "Add the bins up from the left. Partial dependence moves all four people.",
    ],
)
def accumulated_by_hand(ale_half: Any, ale_one: Any, dependence_half: Any) -> None:
    everybody = "that moves all four people; move those of the bin"
    last = "that is the second bin alone; add the first"
    by_hand(ale_half, 1.0, "ALE at 0.5", instead={everybody: 1.25})
    by_hand(ale_one, 2.5, "ALE at 1", instead={last: 1.5})
    few = {"that moves the two people of the bin; partial dependence moves all four": 1.0}
    by_hand(dependence_half, 1.25, "the partial dependence", instead=few)


@sheet.exercise(
    12,
    hints=[
        "Add a column of ones to Z for the intercept, and leave its weight out of the answer.",
        "The normal equations: (A^T diag(weight) A) beta = A^T diag(weight) f(Z).",
    ],
)
def a_local_line(local_slopes: Any) -> None:
    rng = np.random.default_rng(712)
    x = np.array([0.5, -1.0])
    Z = x + rng.standard_normal((40, 2))

    def plane(points: Any) -> Any:
        return 3 * points[:, 0] - 2 * points[:, 1] + 7

    no_intercept = np.linalg.lstsq(Z, plane(Z), rcond=None)[0]
    given = Z.copy()
    through = {"that is a line without an intercept; add one": no_intercept}
    got = local_slopes(plane, x.copy(), given, 1.0)
    close(got, [3.0, -2.0], "the slopes of a plane", instead=through)

    def bent(points: Any) -> Any:
        return np.exp(points[:, 0]) + points[:, 1] ** 2

    for width in (0.7, 2.0):
        weight = np.exp(-((Z - x) ** 2).sum(axis=1) / width**2)
        A = np.column_stack([Z, np.ones(len(Z))])
        wanted = np.linalg.solve((A.T * weight) @ A, (A.T * weight) @ bent(Z))[:-1]
        alike = np.linalg.lstsq(A, bent(Z), rcond=None)[0][:-1]
        mistaken = {"that counts all neighbours alike; weigh each": alike}
        got = local_slopes(bent, x.copy(), given, width)
        close(got, wanted, f"the slopes of a bent box, width {width}", instead=mistaken)
    true(np.array_equal(given, Z), "the neighbours that were given are unchanged")


@sheet.exercise(
    13,
    title="The model, or the world?",
    hints=[
        "Who or what is the statement about: the model, or what an act would do?",
        "What happens to importance when a table holds two copies of a column?",
    ],
)
def the_model_or_the_world(a: Any, b: Any, c: Any, d: Any) -> None:
    acts = {"importance is about the model's use of a number, not about acts": (True, True, True,
                                                                                 True)}  # fmt: skip
    truths((a, b, c, d), (False, True, True, False), "abcd", instead=acts)


@sheet.exercise(
    14,
    title="Where next?",
    hints=[
        "The bound is the mean plus two deviations.",
        "EI = (mean - best) Phi(z) + s phi(z) with z = (mean - best) / s. What is z for each?",
    ],
)
def where_next(bound_tries: Any, improvement_a: Any, improvement_b: Any, mean_tries: Any) -> None:
    choices = ("A", "B")
    alone = {"that is the one with the larger mean; add two deviations": "A"}
    word(bound_tries, "B", "what the bound tries", choices, instead=alone)
    by_hand(improvement_a, 0.01 * 0.39894, "the expected improvement of A")
    half = {"that leaves out (mean - best) Phi(z)": 0.05 * 0.24197}
    right = -0.05 * 0.15866 + 0.05 * 0.24197
    by_hand(improvement_b, right, "the expected improvement of B", instead=half)
    word(mean_tries, "A", "what the mean alone tries", choices)


@functools.cache
def _flattery() -> tuple[float, ...]:
    X, y = load_breast_cancer(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    found = []
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(569)
        few, others = order[:60], order[60:]
        models = [KNeighborsClassifier(k) for k in range(1, 16, 2)]
        scores = [cross_val_score(m, X[few], y[few], cv=5).mean() for m in models]
        best = models[int(np.argmax(scores))].fit(X[few], y[few])
        found.append(float(max(scores) - best.score(X[others], y[others])))
    return tuple(found)


@sheet.exercise(
    15,
    title="The winner's own report",
    hints=[
        "np.argmax gives the first of several best scores; keep the 20 differences in a list.",
        "Which of the two scores had a part in choosing the winner?",
    ],
)
def the_winners_own_report(mean_difference: Any, positive: Any, report: Any) -> None:
    found = _flattery()
    alone = {"that is the difference on seed 0; the text asks for the mean of 20": found[0]}
    by_hand(mean_difference, float(np.mean(found)), "the mean difference", instead=alone)
    count = sum(difference > 0 for difference in found)
    by_hand(positive, count, "the seeds on which it is positive", exact=True)
    chosen_by = {"that score chose the winner, so it flatters": "own score"}
    among = ("own score", "other rows", "mean")
    word(report, "other rows", "what should be reported", among, instead=chosen_by)
