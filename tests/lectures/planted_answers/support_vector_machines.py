"""Planted answers to lecture 6's exercises: mistakes, and right ones of unusual form."""

import functools

import numpy as np
from planting import Misread

from micrograd import Value, maximum
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


def tube(w, b, X, t, epsilon, *, total=False, above=False, square=False, whole=False):
    residual = t - (X @ w + b)
    out = relu(residual - epsilon) + (0.0 if above else relu(-residual - epsilon))
    if whole:
        out = np.where(np.array([o.data > 0 for o in out]), abs(residual), 0.0 * residual)
    out = out * out if square else out
    return out.sum() if total else out.mean()


def tube_by_loop(w, b, X, t, epsilon):
    losses = []
    for row, wanted in zip(X, t, strict=True):
        residual = wanted - sum(v * x for v, x in zip(w, row, strict=True)) - b
        losses.append(maximum(maximum(residual, -residual) - epsilon, 0.0))
    return sum(losses) / len(losses)


def distance(k, x, z, *, root=True, factor=2.0):
    square = max(k(x, x) - factor * k(x, z) + k(z, z), 0.0)
    return square**0.5 if root else square


GAIN, ERROR = -0.0012281, 0.0016132


WRONG = {
    "margins_by_hand": [
        (8.0, 1.6, -2.0, 0.4),
        (8.0, 1.6, 2.0, 0.2),
        (8.0, 1.6, 0.0, 0.4),
    ],
    "a_machine_on_paper": [
        ([1 / 3, 2 / 3], -1.0, [1 / 3, 1 / 6, 1 / 6]),
        ([1 / 3, 2 / 3], 1.0, [5 / 18, 1 / 6, 1 / 9]),
        ([1 / 3, 2 / 3], -1.0, [5 / 18, 1 / 9, 1 / 6]),
    ],
    "both_sides_of_the_hinge_and_the_kink": [
        (-11.6, 0.0, -8.1, -3.6),
        (-1.6, -1.0, -8.1, -3.6),
        (4.4, 2.0, -8.1, -3.6),
        (-3.6, -2.0, -5.85, -5.85),
    ],
    "unequal_prices_for_unequal_mistakes": [
        functools.partial(weighted, same=True),
        functools.partial(weighted, mean=True),
        functools.partial(weighted, negative=True),
        lambda *a: weighted(*a).data,
        lambda *a: Value(weighted(*a).data),
    ],
    "who_breaks_the_conditions": [
        functools.partial(violators, free_only=True),
        functools.partial(violators, signed=False),
        lambda *a: ~violators(*a),
    ],
    "one_step_of_smo": [
        functools.partial(pair_step, clip="never"),
        functools.partial(pair_step, clip="first", in_place=True),
        functools.partial(pair_step, clip="first", forward=True),
    ],
    "the_features_of_a_kernel": [
        functools.partial(features, root=2.0),
        functools.partial(features, root=1.0),
        lambda x: x,
    ],
    "the_dual_of_the_squared_hinge": [
        (lambda alpha, C: alpha / C, lambda K, C: K + C * np.eye(len(K))),
        (lambda alpha, C: C * alpha, lambda K, C: K + np.eye(len(K)) / C),
        (lambda alpha, C: alpha / C, lambda K, C: K + 1 / C),
        (lambda alpha, C: 1 - alpha / C, lambda K, C: K),
    ],
    "break_a_kernel": [
        np.array([[0.0, 0], [1, 0], [2, 0]]),
        np.array([[x, y] for x in range(4) for y in range(4)], dtype=float),
        np.arange(6.0),
    ],
    "few_support_vectors": [
        {"kernel": "linear", "C": 1.0},
        {"kernel": "rbf", "gamma": 100.0, "C": 10.0},
        "rbf",
    ],
    "a_dual_of_one_variable": [
        (0.5, 3, 4.5, -3),
        (2.5, 1, 4.5, -3),
        (2.5, 3, 4.5, 3),
        (2.5, 3, 9.0, -3),
    ],
    "in_the_tube_nothing_costs": [
        functools.partial(tube, above=True),
        functools.partial(tube, square=True),
        lambda *a: Value(tube(*a).data),
        functools.partial(tube, whole=True),
    ],
    "how_far_apart_in_the_other_space": [
        functools.partial(distance, factor=1.0),
        lambda k, x, z: float(np.linalg.norm(x - z)),
        lambda k, x, z: k(x, z),
    ],
    "what_is_promised": [
        (True, True, False, True, False, False),
        (True, False, True, True, False, False),
        (False, False, False, False, False, True),
    ],
    "is_the_bend_worth_it": [
        (GAIN, ERROR, "worse"),
        (GAIN, 20**0.5 * ERROR, "as good"),
        (0.0, ERROR, "as good"),
    ],
}


def objective_by_loop(w, b, X, y, plus, minus):
    total = sum(v * v for v in w) / 2
    for row, label in zip(X, y, strict=True):
        margin = label * (sum(v * x for v, x in zip(w, row, strict=True)) + b)
        total += (plus if label > 0 else minus) * maximum(1 - margin, 0.0)
    return total


def violators_by_loop(K, y, alpha, b, C, tol):
    found = []
    for i in range(len(y)):
        margin = y[i] * (sum(alpha[j] * y[j] * K[i, j] for j in range(len(y))) + b)
        found.append(
            int((alpha[i] < C and margin < 1 - tol) or (alpha[i] > 0 and margin > 1 + tol))
        )
    return found


def step_by_alpha(K, y, alpha, i, j, C):
    """Platt's own form: new alpha_j between L and H, alpha_i follows."""
    E = K @ (alpha * y) - y
    s = y[i] * y[j]
    low, high = (
        (max(0, alpha[i] + alpha[j] - C), min(C, alpha[i] + alpha[j]))
        if s > 0
        else (max(0, alpha[j] - alpha[i]), min(C, C + alpha[j] - alpha[i]))
    )
    moved = alpha.tolist()
    best = alpha[j] + y[j] * (E[i] - E[j]) / (K[i, i] + K[j, j] - 2 * K[i, j])
    moved[j] = min(max(best, low), high)
    moved[i] = min(max(alpha[i] + s * (alpha[j] - moved[j]), 0.0), C)
    return moved


def features_by_matrix(x):
    outer = np.outer(x, x)
    mixed = outer[np.triu_indices(3, 1)] * 2**0.5
    return [*np.diag(outer), *mixed]


STAR = [[0, 0], *([np.cos(t), np.sin(t)] for t in np.arange(5) * 2 * np.pi / 5)]
RIGHT = {
    "margins_by_hand": [(8, "8/5", 3, "2/5"), ([8.0], 1.6, np.int64(3), 0.4)],
    "a_machine_on_paper": [
        ((0.333, 0.667), -1, (0.278, 0.167, 0.111)),
        (["1/3", "2/3"], "-1", ["5/18", "1/6", "1/9"]),
        (np.array([0.333333, 0.666667]), -1.0, np.array([0.277778, 0.166667, 0.111111])),
    ],
    "both_sides_of_the_hinge_and_the_kink": [
        ("-18/5", -2, "-81/10", -3.6),
        (np.float64(-3.6), [-2.0], -8.1, "-3,6"),
    ],
    "unequal_prices_for_unequal_mistakes": [
        objective_by_loop,
        lambda *a: np.array([weighted(*a)]),
    ],
    "who_breaks_the_conditions": [violators_by_loop, lambda *a: violators(*a).tolist()],
    "one_step_of_smo": [
        step_by_alpha,
        lambda *a: tuple(np.clip(pair_step(*a, clip="first"), 0, a[-1])),
    ],
    "the_features_of_a_kernel": [features_by_matrix, lambda x: features(x)[::-1].reshape(2, 3)],
    "the_dual_of_the_squared_hinge": [
        (lambda alpha, C: [a / C for a in alpha], lambda K, C: (K + np.eye(len(K)) / C).tolist()),
        (lambda alpha, C: np.divide(alpha, C), lambda K, C: K + np.diag(np.full(len(K), 1 / C))),
    ],
    "break_a_kernel": [
        [[0.99 * x, 0.99 * y] for x, y in STAR],
        np.array(STAR) * 0.9 + 7.0,
    ],
    "few_support_vectors": [
        {"gamma": 1, "C": 100},
        {"kernel": "rbf", "gamma": 0.8, "C": 200.0, "tol": 1e-4},
    ],
    "a_dual_of_one_variable": [("5/2", 3.0, "9/2", -3.0), (2.5, "3", 4.5, "-3")],
    "in_the_tube_nothing_costs": [tube_by_loop, lambda *a: [tube(*a)]],
    "how_far_apart_in_the_other_space": [
        lambda k, x, z: [distance(k, x, z)],
        lambda k, x, z: Value(distance(k, x, z)),
    ],
    "what_is_promised": [
        ("true", "False", "false", "TRUE", "False", "False"),
        tuple(np.bool_(v) for v in (1, 0, 0, 1, 0, 0)),
    ],
    "is_the_bend_worth_it": [
        ("-0.00123", 0.00161, "As good"),
        (np.float64(GAIN), ERROR, " as good"),
    ],
}

MISREAD = {
    "margins_by_hand": Misread(
        (8.0, 8.0, 3.0, 0.4),
        "The geometric margin is read as f of the point.",
        "give the distance in the plane",
    ),
    "a_machine_on_paper": Misread(
        ([0.5, 0.5], -1.0, [0.25, 0.25, 0.0]),
        "The street is taken between the two nearest points alone.",
        "all three are support vectors",
    ),
    "both_sides_of_the_hinge_and_the_kink": Misread(
        (-3.6, -2.0, -3.6, -8.1),
        "The smallest number is read as the one nearest to 0.",
        "the smaller one is further from 0",
    ),
    "unequal_prices_for_unequal_mistakes": Misread(
        functools.partial(weighted, swapped=True),
        "C_plus is taken for the price of being called +1.",
        "C_plus is for y = +1",
    ),
    "who_breaks_the_conditions": Misread(
        functools.partial(violators, tolerant=False),
        "A margin that should be 1 breaks the line as soon as it is not.",
        "a margin of 0.999 is no violation with tol = 0.01",
    ),
    "one_step_of_smo": Misread(
        pair_step,
        "Both prices are moved and then cut to the range from 0 to C, each by itself.",
        "the sum of alpha_i y_i is as before",
    ),
    "the_features_of_a_kernel": Misread(
        functools.partial(features, twice=True),
        "All nine products of the square are listed.",
        "there are as few features as possible",
    ),
    "the_dual_of_the_squared_hinge": Misread(
        (lambda alpha, C: alpha / (2 * C), lambda K, C: K + np.eye(len(K)) / (2 * C)),
        "The factor of the squared slacks is read as C.",
        "C/2 sum of xi_i^2",
    ),
    "break_a_kernel": Misread(
        np.column_stack([np.arange(12.0), np.zeros(12)]),
        "More points on the line of the lecture do better.",
        "it should be -1 or less",
    ),
    "few_support_vectors": Misread(
        {"kernel": "rbf", "gamma": 1.0, "C": 1.0},
        "The example in the text, or any machine that is right, will do.",
        "it should be at most 25, and at least 95%",
    ),
    "a_dual_of_one_variable": Misread(
        (0.5, 3, 4.5, -3),
        "D is read as the objective at the best x, without the charge.",
        "the charge belongs to D",
    ),
    "in_the_tube_nothing_costs": Misread(
        functools.partial(tube, total=True),
        "A loss adds its examples up, as the primal does.",
        "give the mean",
    ),
    "how_far_apart_in_the_other_space": Misread(
        functools.partial(distance, root=False),
        "The distance is read as its square.",
        "take the root",
    ),
    "what_is_promised": Misread(
        (True, False, False, True, True, True),
        "What bounds the error is taken for the error.",
        "a bound on an error is no error",
    ),
    "is_the_bend_worth_it": Misread(
        (-GAIN, ERROR, "as good"),
        "The difference is taken the other way round.",
        "give RBF minus linear",
    ),
}
