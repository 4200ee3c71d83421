"""The checkers of lecture 3's exercises: linear regression."""

from __future__ import annotations

from typing import Any

import numpy as np

from checks import Sheet, Wrong, close, same, true
from micrograd import Value, grads, values

sheet = Sheet("Lecture 3")
check, hint = sheet.check, sheet.hint

rng = np.random.default_rng(30)
ROWS = rng.standard_normal((23, 3)) * [1.0, 3.0, 0.5] + [0.0, 5.0, -2.0]
ANSWERS = ROWS @ [1.5, -0.5, 2.0] + 4.0 + rng.standard_normal(23)
IMPORTANCE = rng.random(23) + 0.1


def _with_ones(X: Any) -> Any:
    return np.column_stack([X, np.ones(len(X))])


def _theta(X: Any, y: Any) -> Any:
    return np.linalg.lstsq(_with_ones(X), y, rcond=None)[0]


@sheet.exercise(
    1,
    "a line by hand",
    hints=[
        "Take the means off both columns first; then w is a ratio of two sums.",
        "The line goes through the point of the means, which gives b.",
        "R squared compares the squares left by the line with those left by the mean.",
    ],
)
def _(w: Any, b: Any, r_squared: Any) -> None:
    close(w, 0.5, "the slope")
    close(b, 1.5, "the intercept")
    close(r_squared, 0.25, "R squared")


@sheet.exercise(
    2,
    "a gradient and its speed limit",
    hints=[
        "The two errors are 1 and 2; the mean of two squares has the factor 1/2.",
        "The Hessian is (2/n) A^T A for the rows (1, 1) and (3, 1) of A.",
        "A symmetric 2 x 2 matrix has the eigenvalues m +- sqrt(d^2 + o^2): m is half the trace, "
        "d half the difference of the diagonal, o the other entry.",
    ],
)
def _(gradient_w: Any, gradient_b: Any, limit: Any) -> None:
    close(gradient_w, 7.0, "the gradient of w")
    close(gradient_b, 3.0, "the gradient of b")
    close(limit, 2 / (6 + 32**0.5), "the limit of the learning rate", rtol=1e-3)


@sheet.exercise(
    3,
    "least squares that keeps its digits",
    hints=[
        "A = np.column_stack([X, np.ones(len(X))]) makes the intercept a weight like the others.",
        "Q, R = np.linalg.qr(A): which triangular system remains?",
    ],
)
def _(fit: Any) -> None:
    w, b = fit(ROWS, ANSWERS)
    theta = _theta(ROWS, ANSWERS)
    close(w, theta[:3], "the weights of 23 examples with three columns")
    close(b, theta[3], "their intercept")
    t = np.linspace(0, 1, 50)
    powers = np.column_stack([t**k for k in range(1, 11)])
    w, _b = fit(powers, powers.sum(1) + 1.0)
    close(w, np.ones(10), "the weights of ten powers of t, an ill-conditioned problem", rtol=1e-4)


@sheet.exercise(
    4,
    "weighted least squares",
    hints=[
        "Set the derivative of the sum of q_i (a_i . theta - y_i)^2 by theta to zero.",
        "A^T Q A theta = A^T Q y, with the importances on the diagonal of Q.",
    ],
)
def _(weighted: Any) -> None:
    got = weighted(ROWS, ANSWERS, np.ones(23))
    close(got, _theta(ROWS, ANSWERS), "the weights and intercept if all are equally important")
    root = np.sqrt(IMPORTANCE)
    wanted = np.linalg.lstsq(_with_ones(ROWS) * root[:, None], ANSWERS * root, rcond=None)[0]
    close(weighted(ROWS, ANSWERS, IMPORTANCE), wanted, "the weights and intercept of 23 examples")
    twice = weighted(ROWS, ANSWERS, np.where(np.arange(23) < 4, 2.0, 1.0))
    doubled = np.r_[np.arange(4), np.arange(23)]
    close(twice, _theta(ROWS[doubled], ANSWERS[doubled]), "importance 2 is the same example twice")


@sheet.exercise(
    5,
    "the elastic net on Values",
    hints=[
        "errors = X @ w + b - y is an array of Values; ** 2, .sum() and abs() work on it.",
        "Divide the sum of squares by n, not the penalties; b appears in no penalty.",
    ],
)
def _(loss: Any) -> None:
    at, start = np.array([0.7, -1.1, 0.4]), 0.3
    w, b = values(at), Value(start)
    total = loss(w, b, ROWS, ANSWERS, 0.6, 0.2)
    true(isinstance(total, Value), "the result is a Value")
    e = ROWS @ at + start - ANSWERS
    wanted = (e**2).mean() + 0.6 * np.abs(at).sum() + 0.2 * (at**2).sum()
    close(total.data, wanted, "the loss on 23 examples")
    total.backward()
    slope = 2 / 23 * ROWS.T @ e + 0.6 * np.sign(at) + 0.4 * at
    close(grads(w), slope, "the gradients of three weights")
    close(b.grad, 2 * e.mean(), "the gradient of the intercept")


@sheet.exercise(
    6,
    "one weight of the elastic net",
    hints=[
        "Suppose that the minimum is at w > 0: which c makes the derivative vanish there?",
        "The squared penalty only changes what multiplies w^2.",
    ],
)
def _(update: Any) -> None:
    grid = np.linspace(-6, 6, 1_200_001)
    for a, c, l1, l2 in (
        (1.0, 2.0, 1.0, 0.0), (2.0, -3.0, 1.5, 0.5), (0.5, 0.4, 1.0, 0.3),
        (0.5, -0.45, 1.0, 0.0), (1.5, 1.2, 0.0, 0.7), (0.8, -2.5, 2.0, 1.0),
    ):  # fmt: skip
        cost = a * grid**2 - 2 * c * grid + l1 * np.abs(grid) + l2 * grid**2
        best = float(grid[cost.argmin()])
        what = f"the best weight for a = {a}, c = {c}, l1 = {l1}, l2 = {l2}"
        close(update(a, c, l1, l2), best, what, atol=2e-5, rtol=0)


@sheet.exercise(
    7,
    "cross-validation",
    hints=[
        "np.array_split(np.arange(n), k) gives k folds, np.setdiff1d all the other rows.",
        "fit(X[train], y[train]) gives a function; call it on X[test].",
        "The mean of the folds' errors, each fold counting alike.",
    ],
)
def _(cross_validated: Any) -> None:
    seen = []

    def fit(X: Any, y: Any) -> Any:
        theta = _theta(X, y)
        trained = {tuple(row) for row in np.asarray(X)}
        seen.append(len(trained))

        def predict(new: Any) -> Any:
            if trained & {tuple(row) for row in np.asarray(new)}:
                raise Wrong("a row is predicted by a fit that has seen it")
            return _with_ones(new) @ theta

        return predict

    for k in (2, 5, 23):
        seen.clear()
        errors = []
        for fold in np.array_split(np.arange(23), k):
            rest = np.setdiff1d(np.arange(23), fold)
            predicted = _with_ones(ROWS[fold]) @ _theta(ROWS[rest], ANSWERS[rest])
            errors.append(((predicted - ANSWERS[fold]) ** 2).mean())
        got = cross_validated(fit, ROWS, ANSWERS, k)
        same(len(seen), k, f"the number of fits for {k} folds")
        close(got, np.mean(errors), f"the mean squared error of {k} folds of 23 examples")


@sheet.exercise(
    8,
    "leave one out, without leaving out",
    hints=[
        "H = A (A^T A)^-1 A^T, with the ones in A.",
        "Each residual is divided by what its own answer does not decide.",
    ],
)
def _(left_out: Any) -> None:
    wanted = []
    for i in range(23):
        rest = np.arange(23) != i
        wanted.append(ANSWERS[i] - _with_ones(ROWS[[i]])[0] @ _theta(ROWS[rest], ANSWERS[rest]))
    close(left_out(ROWS, ANSWERS), wanted, "the 23 errors, answer minus prediction")


@sheet.exercise(
    9,
    "one point decides",
    hints=[
        "Which set of Anscombe's is it? Where must a point lie to have much leverage?",
        "Let seven points fall, close together, and put the eighth far away, up and to the right.",
    ],
)
def _(x: Any, y: Any) -> None:
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    same((x.shape, y.shape), ((8,), (8,)), "the shapes of x and y")
    true(np.isfinite(x).all() and np.isfinite(y).all(), "all numbers are finite")

    def slope(keep: Any) -> float:
        if np.ptp(x[keep]) == 0:
            raise Wrong("with a point left out all x are equal, and there is no line")
        return float(np.polyfit(x[keep], y[keep], 1)[0])

    everybody = np.arange(8)
    full = slope(everybody)
    r2 = np.corrcoef(x, y)[0, 1] ** 2
    without = min(slope(everybody != i) for i in range(8))
    if full < 0.5 or r2 < 0.8:
        raise Wrong(f"all eight points: slope {full:.3g} and R squared {r2:.3g}; one is too small")
    if without > -0.5:
        raise Wrong(f"the slope falls to {without:.3g} at the least when a point is left out")
