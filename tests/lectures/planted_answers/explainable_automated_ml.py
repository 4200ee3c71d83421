"""Planted answers to lecture 7's exercises: mistakes, and right ones of unusual form."""

import math

import numpy as np
from planting import Misread
from scipy.stats import norm

from micrograd import Value, grads


def importance(predict, X, y, order, *, sign=1, root=False, keep=False, answers=False):
    def error(p, y=y):
        e = ((y - p) ** 2).mean()
        return math.sqrt(e) if root else e

    before, rises, shuffled = error(predict(X)), [], X.copy()
    for j in range(X.shape[1]):
        if answers:
            rises.append(error(predict(X), y[order]) - before)
            continue
        shuffled = shuffled if keep else X.copy()
        shuffled[:, j] = X[order, j]
        rises.append(sign * (error(predict(shuffled)) - before))
    return np.array(rises)


def in_place(predict, X, y, order):
    before, rises = ((y - predict(X)) ** 2).mean(), []
    for j in range(X.shape[1]):
        X[:, j] = X[order, j]
        rises.append(((y - predict(X)) ** 2).mean() - before)
    return np.array(rises)


def ice_curves(predict, X, j, grid):
    curves = []
    for value in grid:
        changed = X.copy()
        changed[:, j] = value
        curves.append(predict(changed))
    return np.array(curves)


def centred_over_people(predict, X, j, grid):
    curves = ice_curves(predict, X, j, grid)
    return (curves - curves.mean(1, keepdims=True)).std(axis=1).max()


def not_centred(predict, X, j, grid):
    return ice_curves(predict, X, j, grid).std(axis=1).max()


def of_the_mean(predict, X, j, grid):
    return ice_curves(predict, X, j, grid).mean(1).std()


def integrated(f, x, baseline, steps, *, offset=0.5, difference=True, only_end=False, reuse=False):
    total = np.zeros(len(x))
    inputs = np.array([Value(v) for v in x])
    for k in range(steps):
        at = x if only_end else baseline + (k + offset) / steps * (x - baseline)
        if reuse:
            for v, number in zip(inputs, at, strict=True):
                v.data = number
        else:
            inputs = np.array([Value(v) for v in at])
        f(inputs).backward()
        total += grads(inputs)
    return ((x - baseline) if difference else x) * total / steps


def improvement(mean, deviation, best, *, upwards=False, square=False):
    if deviation == 0:
        return max(best - mean, 0.0)
    gap = mean - best if upwards else best - mean
    z = gap / deviation
    s = deviation**2 if square else deviation
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return gap * 0.5 * (1 + math.erf(z / math.sqrt(2))) + s * density


def no_case_for_zero(mean, deviation, best):
    z = (best - mean) / deviation
    return (best - mean) * 0.5 * (1 + math.erf(z / math.sqrt(2)))


def plan(n, r, full, eta, *, up=False, beyond=False, zero=False):
    rounds = [(n, r)]
    while True:
        n = -(-n // eta) if up else n // eta
        r *= eta
        if (r > full and not beyond) or (n < 1 and not zero) or len(rounds) > 8:
            return rounds
        rounds.append((n, r))


def random_search(score, rng, trials=40):
    tried = rng.random((trials, 3))
    return tried[int(np.argmax([score(u) for u in tried]))]


def leaves_the_cube(score, rng):
    best = np.full(3, 0.5)
    for _ in range(39):
        u = best + rng.standard_normal(3)
        best = max(best, u, key=score)
    return best


def local_line(f, x, Z, width, *, intercept=True, weigh=True, root=False):
    w = np.exp(-((Z - x) ** 2).sum(1) / width**2) if weigh else np.ones(len(Z))
    w = np.sqrt(w) if root else w
    A = np.column_stack([Z, np.ones(len(Z))]) if intercept else Z
    return np.linalg.solve((A.T * w) @ A, (A.T * w) @ f(Z))[: Z.shape[1]]


def local_by_lstsq(f, x, Z, width):
    """Rows times the root of their weight, columns centred on x."""
    root = np.exp(-np.square(Z - x).sum(axis=1) / width**2 / 2)
    A = np.hstack([np.ones((len(Z), 1)), Z - x]) * root[:, None]
    return np.linalg.lstsq(A, f(Z) * root, rcond=None)[0][1:].tolist()


WRONG = {
    "how_many_trials": [(229, 0.878, 405), (90, 0.878, 405), (230, 0.1216, 324)],
    "a_fair_wage": [(15.0, 6.0, 6.0), (6.0, 6.0, 6.0), (10.5, 4.5, 3.0)],
    "attribution_by_hand": [
        (7.0, -1.0, 21.0, 1.0),  # the gate of the shut unit ignored
        (2.0, 2.0, 6.0, -2.0),
        (2.0, 4.0, 6.0, 4.0),
    ],
    "permutation_importance": [
        in_place,
        lambda *a: importance(*a, sign=-1),
        lambda *a: importance(*a, root=True),
        lambda *a: importance(*a, answers=True),
    ],
    "shuffling_a_group": [
        lambda w, X, S: np.var(X[:, S] @ w[S]),
        lambda w, X, S: 2 * np.var(X[:, S] @ w[S], ddof=1),
        lambda w, X, S: 2 * np.std(X[:, S] @ w[S]),
    ],
    "what_partial_dependence_hides": [not_centred, of_the_mean],
    "integrated_gradients_on_the_engine": [
        lambda *a: integrated(*a, difference=False),
        lambda *a: integrated(*a, only_end=True),
        lambda *a: integrated(*a, reuse=True),  # gradients add up from step to step
    ],
    "expected_improvement_downwards": [
        lambda m, s, b: improvement(m, s, b, square=True),
        no_case_for_zero,
        lambda m, s, b: max(b - m, 0.0),
    ],
    "the_plan_of_a_bracket": [
        lambda *a: plan(*a, up=True),
        lambda *a: plan(*a, zero=True),
    ],
    "beat_random_search": [
        lambda score, rng: climbs(score, np.random.default_rng()),  # not the rng that was given
        leaves_the_cube,
        lambda score, rng: random_search(score, rng, 80),
    ],
    "accumulated_by_hand": [(1.0, 1.5, 1.25), (0.5, 2.5, 1.25), (1.0, 2.5, 2.5)],
    "a_local_line": [
        lambda *given: local_line(*given, intercept=False),
        lambda *given: local_line(*given, root=True),
        lambda f, x, Z, width: local_line(f, x, Z, width)[::-1],
    ],
    "the_model_or_the_world": [(True, True, True, False), (False, False, True, False)],
    "where_next": [
        ("B", 0.00399, 0.0121, "A"),
        ("B", 0.0, 0.00417, "A"),
        ("B", 0.00399, 0.00417, "B"),
    ],
    "the_winners_own_report": [
        (0.0208186, 14, "own score"),
        (0.0208186, 14, "mean"),
        (0.0208186, 6, "other rows"),
    ],
}


def importance_by_columns(predict, X, y, order):
    def error(columns):
        return np.mean(np.square(y - predict(np.column_stack(columns))))

    columns = list(X.T)
    return [
        error([c[order] if i == j else c for i, c in enumerate(columns)]) - error(columns)
        for j in range(len(columns))
    ]


def rise_by_covariance(w, X, S):
    cov = np.atleast_2d(np.cov(X[:, S].T, bias=True))
    return [2 * w[S] @ cov @ w[S]]


def hidden_by_rows(predict, X, j, grid):
    curves = []
    for row in X:
        table = np.tile(row, (len(grid), 1))
        table[:, j] = grid
        curve = predict(table)
        curves.append(curve - np.mean(curve))
    return max(np.sqrt(np.mean(np.square(c - np.mean(c)))) for c in zip(*curves, strict=True))


def integrated_at_once(f, x, baseline, steps):
    """One graph for all midpoints."""
    ways = [baseline + (k + 0.5) / steps * (x - baseline) for k in range(steps)]
    inputs = [[Value(v) for v in way] for way in ways]
    sum(f(np.array(v)) for v in inputs).backward()
    slopes = [sum(v.grad for v in column) / steps for column in zip(*inputs, strict=True)]
    return [(a - b) * s for a, b, s in zip(x, baseline, slopes, strict=True)]


def improvement_by_scipy(mean, deviation, best):
    if not deviation:
        return Value(max(best - mean, 0))
    z = (best - mean) / deviation
    return deviation * (z * norm.cdf(z) + norm.pdf(z))


def improvement_by_integral(mean, deviation, best):
    """E max(b - h, 0) is the integral of P(h < t) up to b."""
    if deviation == 0:
        return np.maximum(best - mean, 0.0)
    t = np.linspace(mean - 12 * deviation, best, 400_001)
    return np.array([np.trapezoid(norm.cdf(t, mean, deviation), t)])


def plan_by_recursion(n, r, full, eta):
    more = plan_by_recursion(n // eta, r * eta, full, eta) if n >= eta and r * eta <= full else []
    return [[n, r], *more]


def climbs(score, rng):
    best = np.full(3, 0.5)
    top, step = score(best), 0.3
    for _ in range(39):
        u = np.clip(best + step * rng.standard_normal(3), 0, 1)
        value = score(u.tolist())
        if value > top:
            best, top = u, value
        else:
            step *= 0.93
    return best.tolist()


def by_coordinates(score, rng):
    best = [0.5, 0.5, 0.5]
    top, calls, width = score(best), 1, 0.3
    while calls < 38:
        for j in range(3):
            for side in (-1, 1):
                u = list(best)
                u[j] = min(max(u[j] + side * width, 0.0), 1.0)
                if calls == 40:
                    return tuple(best)
                value, calls = score(u), calls + 1
                if value > top:
                    best, top = u, value
                    break
        width *= 0.6
    return tuple(best)


RIGHT = {
    "how_many_trials": [(230.0, 0.878, "405"), ("230", 0.88, np.int64(405))],
    "a_fair_wage": [("21/2", 3, "9/2"), (10.5, [3.0], np.float64(4.5))],
    "attribution_by_hand": [(2, 4, 6, -4), ("2", Value(4.0), [6], "-4.0")],
    "permutation_importance": [importance_by_columns, lambda *a: tuple(importance(*a))],
    "shuffling_a_group": [
        rise_by_covariance,
        lambda w, X, S: np.mean(np.square(np.subtract.outer(X[:, S] @ w[S], X[:, S] @ w[S]))),
    ],
    "what_partial_dependence_hides": [hidden_by_rows, lambda *a: np.array([hidden_by_rows(*a)])],
    "integrated_gradients_on_the_engine": [
        integrated_at_once,
        lambda *a: tuple(Value(v) for v in integrated(*a)),
    ],
    "expected_improvement_downwards": [improvement_by_scipy, improvement_by_integral],
    "the_plan_of_a_bracket": [plan_by_recursion, lambda *a: np.array(plan(*a))],
    "beat_random_search": [climbs, by_coordinates],
    "accumulated_by_hand": [("1", "5/2", "5/4"), (np.float64(1.0), [2.5], 1.25)],
    "a_local_line": [local_by_lstsq, lambda *given: tuple(local_line(*given))],
    "the_model_or_the_world": [
        ("False", "true", np.True_, False),
        (np.array(False), True, "True", "false"),
    ],
    "where_next": [(" b", 0.0039894, "0.0041655", "a"), ("B", 0.00399, 0.00417, ["A"])],
    "the_winners_own_report": [
        (0.02082, "14", "Other rows"),
        ("0.0208", [14.0], " other-rows"),
    ],
}

MISREAD = {
    "how_many_trials": Misread(
        (230, 0.878, 297),
        "The settings that are kept go on with their training.",
        "every round trains anew",
    ),
    "a_fair_wage": Misread(
        (6.0, 0.0, 3.0),
        "A fair wage is what each earns alone.",
        "that is what this person earns alone",
    ),
    "attribution_by_hand": Misread(
        (2.0, 4.0, 2.0, 4.0),
        "What integrated gradients attribute is read as the mean gradient on the way.",
        "multiply it by the way from the baseline to x",
    ),
    "permutation_importance": Misread(
        lambda *a: importance(*a, keep=True),
        "One copy of the table is shuffled column by column.",
        "shuffle each column alone",
    ),
    "shuffling_a_group": Misread(
        lambda w, X, S: 2 * (w[S] ** 2 * X[:, S].var(0)).sum(),
        "Each column of the group is shuffled in an order of its own.",
        "the group moves in one order",
    ),
    "what_partial_dependence_hides": Misread(
        centred_over_people,
        "Its own mean is read as the mean over the people at each grid point.",
        "first subtract its own mean over the grid",
    ),
    "integrated_gradients_on_the_engine": Misread(
        lambda *a: integrated(*a, offset=0.0),
        "The steps begin at the baseline.",
        "take their midpoints",
    ),
    "expected_improvement_downwards": Misread(
        lambda m, s, b: improvement(m, s, b, upwards=True),
        "An improvement is an increase, as in the lecture.",
        "give how far h falls below the best",
    ),
    "the_plan_of_a_bracket": Misread(
        lambda *a: plan(*a, beyond=True),
        "The round that exceeds the full resource is the last one.",
        "more than full = 27",
    ),
    "beat_random_search": Misread(
        random_search,
        "Forty good draws are enough.",
        "random search with twice the budget reaches",
    ),
    "accumulated_by_hand": Misread(
        (1.25, 2.5, 1.25),
        "Everybody is moved across each bin.",
        "move those of the bin",
    ),
    "a_local_line": Misread(
        lambda *given: local_line(*given, weigh=False),
        "The line is fitted to all neighbours alike.",
        "weigh each",
    ),
    "the_model_or_the_world": Misread(
        (True, True, True, True),
        "What explains a model is taken for advice.",
        "not about acts",
    ),
    "where_next": Misread(
        ("A", 0.00399, 0.00417, "A"),
        "The bound is read as the mean.",
        "add two deviations",
    ),
    "the_winners_own_report": Misread(
        (0.0315, 14, "other rows"),
        "The difference is read off one seed.",
        "the text asks for the mean of 20",
    ),
}
