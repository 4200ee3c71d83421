"""The checkers of lecture 3's exercises: linear regression."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats
from sklearn.datasets import load_diabetes

from checks import (
    Sheet,
    Wrong,
    array,
    as_value,
    beside,
    by_hand,
    close,
    several,
    true,
    watching,
    word,
)
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
    hints=[
        "Take the means off both columns first; then w is a ratio of two sums.",
        "The line goes through the point of the means, which gives b.",
        "R squared compares the squares left by the line with those left by the mean.",
    ],
)
def a_line_by_hand(w: Any, b: Any, r_squared: Any) -> None:
    by_hand(w, 0.5, "the slope")
    by_hand(b, 1.5, "the intercept")
    left = "that is the share of the squares that the line leaves; give the share it explains"
    by_hand(r_squared, 0.25, "R squared", instead={left: 0.75, "that is r; give r^2": 0.5})


@sheet.exercise(
    2,
    hints=[
        "The two errors are 1 and 2; the mean of two squares has the factor 1/2.",
        "The Hessian is (2/n) A^T A for the rows (1, 1) and (3, 1) of A.",
        "A symmetric 2 x 2 matrix has the eigenvalues m +- sqrt(d^2 + o^2): m is half the trace, "
        "d half the difference of the diagonal, o the other entry.",
    ],
)
def a_gradient_and_its_speed_limit(gradient_w: Any, gradient_b: Any, limit: Any) -> None:
    summed = "that is the gradient of the sum of squares; give that of their mean"
    by_hand(gradient_w, 7.0, "the gradient of w", instead={summed: 14.0})
    by_hand(gradient_b, 3.0, "the gradient of b", instead={summed: 6.0})
    largest = 6 + 32**0.5
    mistaken = {
        "that is 1 / curvature, where a step lands in the minimum; give where steps begin to "
        "grow": 1 / largest,
        "that is the flattest direction's limit; the steepest one decides": 2 / (6 - 32**0.5),
    }
    by_hand(limit, 2 / largest, "the limit of the learning rate", instead=mistaken)


@sheet.exercise(
    3,
    hints=[
        "A = np.column_stack([X, np.ones(len(X))]) makes the intercept a weight like the others.",
        "Q, R = np.linalg.qr(A): which triangular system remains?",
    ],
)
def least_squares_that_keeps_its_digits(fit: Any) -> None:
    theta = _theta(ROWS, ANSWERS)
    w, b = several(fit(ROWS, ANSWERS), "w", "b")
    close(w, theta[:3], "the weights of 23 examples with three columns")
    mean = "that is the mean answer; give the one where all columns are 0"
    close(b, theta[3], "the intercept of 23 examples", instead={mean: ANSWERS.mean()})
    t = np.linspace(0, 1, 50)
    powers = np.column_stack([t**k for k in range(1, 11)])
    w, _b = several(fit(powers, powers.sum(1) + 1.0), "w", "b")
    what = "the weights of ten powers of t, an ill-conditioned problem"
    off = np.abs(array(w, what, (10,)) - 1).max()
    if 1e-4 < off < 0.5:
        raise Wrong(
            f"{what}: they are off by up to {off:.1g}; write a fit that keeps its digits: "
            "forming A^T A loses half of them"
        )
    close(w, np.ones(10), what, rtol=1e-4)


@sheet.exercise(
    4,
    hints=[
        "Set the derivative of the sum of q_i (a_i . theta - y_i)^2 by theta to zero.",
        "A^T Q A theta = A^T Q y, with the importances on the diagonal of Q.",
    ],
)
def weighted_least_squares(weighted: Any) -> None:
    got = weighted(ROWS, ANSWERS, np.ones(23))
    close(got, _theta(ROWS, ANSWERS), "the weights and intercept if all are equally important")
    root = np.sqrt(IMPORTANCE)
    wanted = np.linalg.lstsq(_with_ones(ROWS) * root[:, None], ANSWERS * root, rcond=None)[0]
    q = IMPORTANCE
    squared = np.linalg.lstsq(_with_ones(ROWS) * q[:, None], ANSWERS * q, rcond=None)[0]
    mistaken = {
        "that multiplies the error by q before it is squared; take q times the square": squared,
        "that is as if all were equally important": _theta(ROWS, ANSWERS),
    }
    what = "the weights and intercept of 23 examples"
    close(weighted(ROWS, ANSWERS, q), wanted, what, instead=mistaken)
    twice = weighted(ROWS, ANSWERS, np.where(np.arange(23) < 4, 2.0, 1.0))
    doubled = np.r_[np.arange(4), np.arange(23)]
    close(twice, _theta(ROWS[doubled], ANSWERS[doubled]), "importance 2 is the same example twice")


@sheet.exercise(
    5,
    title="The elastic net on Values",
    hints=[
        "errors = X @ w + b - y is an array of Values; ** 2, .sum() and abs() work on it.",
        "Divide the sum of squares by n, not the penalties; b appears in no penalty.",
    ],
)
def the_elastic_net_on_values(loss: Any) -> None:
    at, start = np.array([0.7, -1.1, 0.4]), 0.3
    w, b = values(at), Value(start)
    total = as_value(loss(w, b, ROWS, ANSWERS, 0.6, 0.2), "the loss")
    e = ROWS @ at + start - ANSWERS
    wanted = (e**2).mean() + 0.6 * np.abs(at).sum() + 0.2 * (at**2).sum()
    penalties = wanted - (e**2).mean()
    mistaken = {
        "b is in the squared penalty; penalise w alone": wanted + 0.2 * start**2,
        "b is in the penalties; penalise w alone": wanted + 0.6 * start + 0.2 * start**2,
        "that is the sum of the squared errors; give their mean": (e**2).sum() + penalties,
        "that is half of the squared penalty; take l2 times the sum": wanted - 0.1 * (at**2).sum(),
    }
    close(total.data, wanted, "the loss on 23 examples", instead=mistaken)
    total.backward()
    slope = 2 / 23 * ROWS.T @ e + 0.6 * np.sign(at) + 0.4 * at
    close(grads(w), slope, "the gradients of three weights")
    close(b.grad, 2 * e.mean(), "the gradient of the intercept")


@sheet.exercise(
    6,
    hints=[
        "Suppose that the minimum is at w > 0: which c makes the derivative vanish there?",
        "The squared penalty only changes what multiplies w^2.",
    ],
)
def one_weight_of_the_elastic_net(update: Any) -> None:
    grid = np.linspace(-6, 6, 1_200_001)
    for a, c, l1, l2 in (
        (1.0, 2.0, 1.0, 0.0), (2.0, -3.0, 1.5, 0.5), (0.5, 0.4, 1.0, 0.3),
        (0.5, -0.45, 1.0, 0.0), (1.5, 1.2, 0.0, 0.7), (0.8, -2.5, 2.0, 1.0),
    ):  # fmt: skip
        cost = a * grid**2 - 2 * c * grid + l1 * np.abs(grid) + l2 * grid**2
        best = float(grid[cost.argmin()])
        what = f"the best weight for a = {a}, c = {c}, l1 = {l1}, l2 = {l2}"
        lowered = np.sign(c) * max(abs(c) - l1, 0.0) / (a + l2)
        mistaken = {
            "that lowers c by l1; the derivative of the squares has a factor of 2": lowered,
            "that is the minimum without l1": c / (a + l2),
        }
        close(update(a, c, l1, l2), best, what, atol=2e-5, rtol=0, instead=mistaken)


@sheet.exercise(
    7,
    title="Cross-validation",
    hints=[
        "np.array_split(np.arange(n), k) gives k folds, np.setdiff1d all the other rows.",
        "fit(X[train], y[train]) gives a function; call it on X[test].",
        "The mean of the folds' errors, each fold counting alike.",
    ],
)
def cross_validation(cross_validated: Any) -> None:
    seen = []

    def fit(X: Any, y: Any) -> Any:
        theta = _theta(np.asarray(X, dtype=float), np.asarray(y, dtype=float))
        trained = {tuple(row) for row in np.asarray(X)}
        seen.append(len(trained))

        def predict(new: Any) -> Any:
            if trained & {tuple(row) for row in np.asarray(new)}:
                raise Wrong("a row is predicted by a fit that has seen it")
            return _with_ones(new) @ theta

        return predict

    for k in (2, 5, 23):
        seen.clear()
        errors, sizes = [], []
        for fold in np.array_split(np.arange(23), k):
            sizes.append(len(fold))
            rest = np.setdiff1d(np.arange(23), fold)
            predicted = _with_ones(ROWS[fold]) @ _theta(ROWS[rest], ANSWERS[rest])
            errors.append(((predicted - ANSWERS[fold]) ** 2).mean())
        got = cross_validated(fit, ROWS, ANSWERS, k)
        true(len(seen) == k, f"there are {k} fits for {k} folds; there were {len(seen)}")
        mistaken = {
            "that is the mean over the rows; give the mean over the folds": np.average(
                errors, weights=sizes
            ),
            "that is the sum over the folds; give their mean": np.sum(errors),
        }
        what = f"the mean squared error of {k} folds of 23 examples"
        close(got, np.mean(errors), what, instead=mistaken)


@sheet.exercise(
    8,
    title="Leave one out, without leaving out",
    hints=[
        "H = A (A^T A)^-1 A^T, with the ones in A.",
        "Each residual is divided by what its own answer does not decide.",
    ],
)
def leave_one_out_without_leaving_out(left_out: Any) -> None:
    wanted = []
    for i in range(23):
        rest = np.arange(23) != i
        wanted.append(ANSWERS[i] - _with_ones(ROWS[[i]])[0] @ _theta(ROWS[rest], ANSWERS[rest]))
    with watching() as made:
        got = left_out(ROWS, ANSWERS)
    own = "these are the residuals of the fit to all; give each one's error without its example"
    residuals = ANSWERS - _with_ones(ROWS) @ _theta(ROWS, ANSWERS)
    close(got, wanted, "the 23 errors, answer minus prediction", instead={own: residuals})
    fits = sum(made[call] for call in made if call[1] in _SOLVERS)
    if fits > 6:
        raise Wrong(f"one fit is enough: {fits} systems of equations were solved")


_SOLVERS = ("lstsq", "solve", "inv", "pinv", "qr", "svd", "cholesky", "fit", "polyfit")


@sheet.exercise(
    9,
    hints=[
        "Which set of Anscombe's is it? Where must a point lie to have much leverage?",
        "Let seven points fall, close together, and put the eighth far away, up and to the right.",
    ],
)
def one_point_decides(x: Any, y: Any) -> None:
    x, y = array(x, "x", (8,)), array(y, "y", (8,))
    true(np.isfinite(x).all() and np.isfinite(y).all(), "all numbers are finite")

    def slope(keep: Any) -> float:
        if np.ptp(x[keep]) == 0:
            raise Wrong("with a point left out all x are equal, and there is no line")
        return float(np.polyfit(x[keep], y[keep], 1)[0])

    everybody = np.arange(8)
    full = slope(everybody)
    r2 = np.corrcoef(x, y)[0, 1] ** 2 if np.ptp(y) > 0 else 1.0
    without = min(slope(everybody != i) for i in range(8))
    if full < 0.5 or r2 < 0.8:
        raise Wrong(
            f"all eight points: slope {beside(full, 0.5)} and R squared {beside(r2, 0.8)}; they "
            "should be at least 0.5 and at least 0.8"
        )
    if without > -0.5:
        raise Wrong(
            f"whichever point is left out, the slope is at least {beside(without, -0.5)}; without "
            "one of them it should be -0.5 or less"
        )


@sheet.exercise(
    10,
    title="Risk, and what was seen",
    hints=[
        "A hypothesis errs at x = 0 with one probability and at x = 1 with another; average them.",
        "Empirical risk minimisation counts mistakes on the five examples, nothing else.",
    ],
)
def risk_and_what_was_seen(always_0: Any, say_x: Any, chosen: Any, gap: Any) -> None:
    by_hand(always_0, 0.4, 'the risk of "always 0"')
    by_hand(say_x, 0.3, 'the risk of "say x"')
    better = {"that has the smaller risk; the five examples choose by empirical risk": "say x"}
    word(chosen, "always 0", "which is chosen", ("always 0", "say x"), instead=better)
    by_hand(gap, 0.2, "the generalisation gap")


def _intervals(A: Any, y: Any) -> Any:
    theta = np.linalg.lstsq(A, y, rcond=None)[0]
    freedom = len(y) - A.shape[1]
    sigma = np.sqrt(((y - A @ theta) ** 2).sum() / freedom)
    error = sigma * np.sqrt(np.diag(np.linalg.pinv(A.T @ A)))
    return theta, error, stats.t.ppf(0.975, freedom)


@sheet.exercise(
    11,
    hints=[
        "The variance of the noise is the sum of squared residuals over n - p.",
        "The standard errors are sigma times the roots of the diagonal of the inverse of A^T A.",
        "95% between the ends leaves 2.5% on each side: which quantile is that?",
    ],
)
def intervals_for_the_weights(intervals: Any) -> None:
    rng = np.random.default_rng(311)
    for n, d in ((6, 1), (12, 2), (80, 4)):
        A = _with_ones(rng.normal(size=(n, d)) * 2 + 1)
        y = A @ rng.normal(size=d + 1) + rng.normal(size=n)
        theta, error, t = _intervals(A, y)
        low, high = several(intervals(A, y), "the lower ends", "the upper ends")
        low, high = array(low, "the lower ends", (d + 1,)), array(high, "the upper ends", (d + 1,))
        close((low + high) / 2, theta, f"the middles for {n} examples")
        narrow = 2 * stats.t.ppf(0.95, n - d - 1) * error
        instead = {"those are intervals of 90%; the text asks for 95%": narrow}
        close(high - low, 2 * t * error, f"the widths for {n} examples", instead=instead)


@sheet.exercise(
    12,
    hints=[
        "With dummies alone the prediction for a kind is the mean of its answers.",
        "Three dummies add up to 1 in each row: one column says nothing new.",
    ],
)
def dummies_in_your_head(reference_a: Any, reference_c: Any, rank: Any) -> None:
    by_hand(reference_a, [10, 4, 1], "the weights with A as the reference")
    means = {"those are means; the text asks for differences from the reference": [11, 10, 14]}
    by_hand(reference_c, [11, -1, 3], "the weights with C as the reference", instead=means)
    by_hand(rank, 3, "the rank", exact=True)


@sheet.exercise(
    13,
    title="What do these data show?",
    hints=[
        "Your `intervals` has all that is needed: the middle and the half width, which is t SE.",
        "Which other weights of age lie in the interval, besides 0?",
    ],
)
def what_do_these_data_show(surest: Any, ratio: Any, age: Any, no_effect: Any) -> None:
    data = load_diabetes()
    Z = (data.data - data.data.mean(0)) / data.data.std(0)
    theta, error, t = _intervals(_with_ones(Z), data.target)
    ratios = np.abs(theta / error)[:10]
    name = data.feature_names[int(ratios.argmax())]
    word(surest, name, "the column of the largest ratio", data.feature_names)
    by_hand(ratio, float(ratios.max()), "the weight over its standard error")
    ends = [float(theta[0] - t * error[0]), float(theta[0] + t * error[0])]
    by_hand(age, ends, "the interval of age")
    holds = {"other numbers lie in the interval too; does it show that the effect is 0?": "yes"}
    word(no_effect, "no", "whether no effect is shown", ("yes", "no"), instead=holds)
