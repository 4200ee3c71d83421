"""Planted answers to lecture 3's exercises: mistakes, and right ones of unusual form."""

import functools

import numpy as np
from planting import Misread
from scipy import stats
from sklearn.linear_model import LinearRegression

from micrograd import Value, maximum


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


def fits_every_time(X, y):
    """Right numbers, by as many fits as there are examples."""
    rows = np.arange(len(y))
    return [y[i] - with_ones(X)[i] @ solved(with_ones(X)[rows != i], y[rows != i]) for i in rows]


def intervals(A, y, *, level=0.975, freedom=None, student=True):
    inverse = np.linalg.inv(A.T @ A)
    theta = inverse @ A.T @ y
    left = len(y) - A.shape[1] if freedom is None else freedom(len(y))
    sigma = np.sqrt(((y - A @ theta) ** 2).sum() / left)
    quantile = stats.t.ppf(level, len(y) - A.shape[1]) if student else 1.96
    half = quantile * sigma * np.sqrt(np.diag(inverse))
    return theta - half, theta + half


def intervals_by_qr(A, y):
    """The diagonal of the inverse of A^T A as the squared rows of the inverse of R."""
    Q, R = np.linalg.qr(A)
    back = np.linalg.inv(R)
    theta = back @ (Q.T @ y)
    n, p = A.shape
    sigma = np.linalg.norm(y - A @ theta) / (n - p) ** 0.5
    half = -stats.t.ppf(0.025, n - p) * sigma * np.linalg.norm(back, axis=1)
    return [(theta - half).tolist(), (theta + half).tolist()]


WRONG = {
    "a_line_by_hand": [(0.5, 2.5, 0.25), (1.0, 1.0, 0.25), (0.5, 1.5, 0.5)],
    "a_gradient_and_its_speed_limit": [
        (7.0, 3.0, 0.0858),
        (7.0, 3.0, 5.83),
        (4.0, 3.0, 0.1716),
    ],
    "least_squares_that_keeps_its_digits": [
        centred_only,
        lambda X, y: (solved(X, y), 0.0),
        lambda X, y: solved(with_ones(X), y),
    ],
    "weighted_least_squares": [
        functools.partial(weighted, power=0.5),
        functools.partial(weighted, both=False),
        lambda X, y, q: solved(with_ones(X), y),
    ],
    "the_elastic_net_on_values": [
        functools.partial(elastic, mean=False),
        functools.partial(elastic, halved=True),
        lambda *given: elastic(*given).data,
        lambda *given: Value(elastic(*given).data),
    ],
    "one_weight_of_the_elastic_net": [
        functools.partial(weight, plain=True),
        functools.partial(weight, keep=True),
        lambda a, c, l1, l2: max(c - l1 / 2, 0.0) / (a + l2),
    ],
    "cross_validation": [
        functools.partial(crossed, leak=True),
        functools.partial(crossed, squares=True),
        other_way_round,
    ],
    "leave_one_out_without_leaving_out": [
        fits_every_time,
        functools.partial(left_out, ones=False),
        functools.partial(left_out, sign=-1.0),
        functools.partial(left_out, power=0.5),
    ],
    "one_point_decides": [
        ([0, 0, 0, 0, 0, 0, 0, 9.0], [3, 2, 1, 0, 1, 2, 3, 9.0]),
        (np.arange(8.0), -np.arange(8.0)),
        (np.arange(7.0), np.arange(7.0)),
    ],
    "risk_and_what_was_seen": [
        (0.4, 0.3, "say x", 0.2),
        (0.8, 0.6, "always 0", 0.6),
        (0.4, 0.3, "always 0", -0.2),
        (0.2, 0.4, "always 0", 0.0),
    ],
    "intervals_for_the_weights": [
        lambda A, y: intervals(A, y, level=0.95),
        lambda A, y: intervals(A, y, freedom=lambda n: n),
        lambda A, y: intervals(A, y, student=False),
        lambda A, y: intervals(A, y)[::-1],
    ],
    "dummies_in_your_head": [
        ([10, 14, 11], [11, 10, 14], 3),
        ([10, 4, 1], [11, -1, 3], 4),
        ([11.3, 2.7, -0.3], [11, -1, 3], 3),
    ],
    "what_do_these_data_show": [
        ("s1", 7.81, [-6.06, 5.11], "no"),
        ("bmi", 24.7, [-6.06, 5.11], "no"),
        ("bmi", 7.81, [-5.14, 4.19], "no"),
        ("bmi", 7.81, [-6.06, 5.11], "yes"),
    ],
}


def by_pinv(X, y):
    theta = np.linalg.pinv(with_ones(X)) @ y
    return theta[:-1].tolist(), theta[-1:]


def by_svd(X, y):
    U, s, V = np.linalg.svd(with_ones(X), full_matrices=False)
    theta = V.T @ ((U.T @ y) / s)
    return {"w": theta[:-1], "b": theta[-1]}


def weighted_by_roots(X, y, q):
    return solved(with_ones(X) * np.sqrt(q)[:, None], y * np.sqrt(q)).tolist()


def weighted_by_sklearn(X, y, q):
    model = LinearRegression().fit(X, y, sample_weight=q)
    return np.append(model.coef_, model.intercept_)


def elastic_by_loops(w, b, X, y, l1, l2):
    total = Value(0.0)
    for row, target in zip(X, y, strict=True):
        e = sum(wj * x for wj, x in zip(w, row, strict=True)) + b - target
        total += e * e / len(y)
    for wj in w:
        total += l1 * maximum(wj, -wj) + l2 * wj * wj
    return total


def by_parts(a, c, l1, l2):
    for sign in (1, -1):
        w = (c - sign * l1 / 2) / (a + l2)
        if w * sign > 0:
            return w
    return 0


def crossed_by_masks(fit, X, y, k):
    sizes = [len(y) // k + (i < len(y) % k) for i in range(k)]
    fold, errors = np.repeat(range(k), sizes), []
    for i in range(k):
        predict = fit(X[fold != i].tolist(), y[fold != i].tolist())
        errors.append(float(np.mean((y[fold == i] - predict(X[fold == i])) ** 2)))
    return sum(errors) / k


def left_out_by_qr(X, y):
    Q, _ = np.linalg.qr(with_ones(X))
    return ((y - Q @ (Q.T @ y)) / (1 - (Q**2).sum(axis=1))).tolist()


def left_out_by_svd(X, y):
    U = np.linalg.svd(with_ones(X), full_matrices=False)[0]
    return (y - U @ (U.T @ y)) / (1 - np.einsum("ij,ij->i", U, U))


RIGHT = {
    "a_line_by_hand": [("1/2", "3/2", "1/4"), (np.float64(0.5), Value(1.5), [0.25])],
    "a_gradient_and_its_speed_limit": [(7, 3, 0.172), ("7", "6/2", 0.171573)],
    "least_squares_that_keeps_its_digits": [by_pinv, by_svd],
    "weighted_least_squares": [weighted_by_roots, weighted_by_sklearn],
    "the_elastic_net_on_values": [elastic_by_loops, lambda *given: [elastic(*given)]],
    "one_weight_of_the_elastic_net": [
        by_parts,
        lambda a, c, l1, l2: (max(c - l1 / 2, 0) + min(c + l1 / 2, 0)) / (a + l2),
    ],
    "cross_validation": [
        crossed_by_masks,
        lambda *given: np.array([crossed_by_masks(*given)]),
    ],
    "leave_one_out_without_leaving_out": [left_out_by_qr, left_out_by_svd],
    "one_point_decides": [
        ([1, 2, 3, 4, 5, 6, 7, 100], [7, 6, 5, 4, 3, 2, 1, 100]),
        ((-3, -2, -1, 0, 1, 2, 3, 50.0), tuple(-x for x in (-3, -2, -1, 0, 1, 2, 3, -50.0))),
    ],
    "risk_and_what_was_seen": [("2/5", "3/10", " Always 0", "1/5"), (0.4, [0.3], "always 0", 0.2)],
    "intervals_for_the_weights": [intervals_by_qr, lambda A, y: np.array(intervals(A, y))],
    "dummies_in_your_head": [
        ((10, 4, 1), np.array([11, -1, 3]), "3"),
        ([10.0, 4, 1], ["11", -1, 3], 3.0),
    ],
    "what_do_these_data_show": [
        ("BMI", 7.81, (-6.06, 5.11), "No"),
        ("bmi", "7.813", ["-6.062", 5.11], "no"),
    ],
}

MISREAD = {
    "a_line_by_hand": Misread(
        (0.5, 1.5, 0.75),
        "R squared is read as the share of the squares that the line leaves.",
        "give the share it explains",
    ),
    "a_gradient_and_its_speed_limit": Misread(
        (14.0, 6.0, 1 / (6 + 32**0.5)),
        "The mean of two squares is read as their sum.",
        "give that of their mean",
    ),
    "least_squares_that_keeps_its_digits": Misread(
        normal_equations,
        "Least squares is the normal equations, whatever the title promises.",
        "write a fit that keeps its digits",
    ),
    "weighted_least_squares": Misread(
        functools.partial(weighted, power=2.0),
        "The importance multiplies the error, which is then squared.",
        "take q times the square",
    ),
    "the_elastic_net_on_values": Misread(
        functools.partial(elastic, shrink_b=True),
        "The intercept is a weight like the others and is penalised with them.",
        "penalise w alone",
    ),
    "one_weight_of_the_elastic_net": Misread(
        functools.partial(weight, threshold=1.0),
        "The lasso's threshold is read as l1 itself.",
        "the derivative of the squares has a factor of 2",
    ),
    "cross_validation": Misread(
        crossed,
        "The mean over the folds is read as the mean over all rows.",
        "give the mean over the folds",
    ),
    "leave_one_out_without_leaving_out": Misread(
        functools.partial(left_out, power=0.0),
        "One fit is read as its residuals.",
        "give each one's error without its example",
    ),
    "one_point_decides": Misread(
        ([0, 1, 2, 3, 4, 5, 6, 7.0], [6, 5, 4, 3, 2, 1, 0, 40.0]),
        "A point far above the others decides, wherever its x is.",
        "they should be at least 0.5 and at least 0.8",
    ),
    "risk_and_what_was_seen": Misread(
        (0.4, 0.3, "say x", 0.3),
        "The hypothesis of the smaller risk is taken for the chosen one.",
        "the five examples choose by empirical risk",
    ),
    "intervals_for_the_weights": Misread(
        lambda A, y: intervals(A, y, level=0.95),
        "The quantile of 95% is taken, with 5% on each side.",
        "the text asks for 95%",
    ),
    "dummies_in_your_head": Misread(
        ([10, 4, 1], [11, 10, 14], 3),
        "The weights are read as the means of the kinds.",
        "the text asks for differences from the reference",
    ),
    "what_do_these_data_show": Misread(
        ("bmi", 7.81, [-6.06, 5.11], "yes"),
        "An interval that contains 0 is read as a proof that the effect is 0.",
        "does it show that the effect is 0?",
    ),
}
