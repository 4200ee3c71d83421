"""The checkers of lecture 6's exercises: support vector machines."""

from __future__ import annotations

from typing import Any

import numpy as np

from checks import Sheet, Wrong, close, same, true
from micrograd import Value, grads, values

sheet = Sheet("Lecture 6")
check, hint = sheet.check, sheet.hint

rng = np.random.default_rng(60)
POINTS = rng.standard_normal((24, 3))
LABELS = np.where(rng.random(24) < 0.5, 1.0, -1.0)
GRAM = POINTS @ POINTS.T


def moons(seed: int = 61, n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Noisy moons X (n, 2) with labels y of -1 and 1."""
    from sklearn.datasets import make_moons

    X, moon = make_moons(n, noise=0.2, random_state=seed)
    return X, 2.0 * moon - 1


@sheet.exercise(
    1,
    "margins by hand",
    hints=[
        "The functional margin is y (w . x + b). What is the length of (3, 4)?",
        "A mistake has a negative margin, and 1 minus a negative number is more than 1.",
    ],
)
def _(functional: Any, geometric: Any, hinge: Any, width: Any) -> None:
    close(functional, 8.0, "the functional margin of the first point")
    close(geometric, 1.6, "the geometric margin of the first point")
    close(hinge, 3.0, "the hinge loss of the second point")
    close(width, 0.4, "the width of the street")


@sheet.exercise(
    2,
    "a machine on paper",
    hints=[
        "All three margins are exactly 1: three equations for w1, w2 and b. The point (0, 0) "
        "gives b at once.",
        "w is the sum of alpha_i y_i x_i: its first coordinate has only one term that is not 0.",
        "The last price follows from the sum of alpha_i y_i, which is 0.",
    ],
)
def _(w: Any, b: Any, prices: Any) -> None:
    w, prices = np.asarray(w, dtype=float), np.asarray(prices, dtype=float)
    same(w.shape, (2,), "the shape of w")
    same(prices.shape, (3,), "the shape of the prices")
    X, y = np.array([[0.0, 0], [2, 2], [0, 3]]), np.array([-1.0, 1, 1])
    for x, label, margin in zip(X, y, y * (X @ w + b), strict=True):
        if abs(margin - 1) > 1e-6:
            point = tuple(int(t) for t in x)
            raise Wrong(f"the margin of {point}, y = {label:+.0f}: {margin:.4g} is not right")
    true((prices >= 0).all(), "no price is negative")
    true(abs(prices @ y) < 1e-6, "the sum of alpha_i y_i is 0")
    true(np.allclose((prices * y) @ X, w, atol=1e-6), "w is the sum of alpha_i y_i x_i")


@sheet.exercise(
    3,
    "both sides of the hinge",
    hints=[
        "Compute both margins first. Which of the examples are inside the street?",
        "An example inside contributes -C y x to w and -C y to b; the square contributes w.",
        "The third example contributes -t C y x, and t may be anything from 0 to 1.",
    ],
)
def _(gradient_w: Any, gradient_b: Any, smallest: Any, largest: Any) -> None:
    close(gradient_w, -3.6, "the gradient in w")
    close(gradient_b, -2.0, "the gradient in b")
    close(smallest, -8.1, "the smallest subgradient in w")
    close(largest, -3.6, "the largest subgradient in w")


@sheet.exercise(
    4,
    "unequal prices",
    hints=[
        "y is an array of floats, so np.where(y > 0, ..., ...) makes an array of prices.",
        "Multiply the array of hinges by the array of prices before you add it up.",
    ],
)
def _(objective: Any) -> None:
    start, bias = np.array([0.4, -0.3, 0.2]), 0.15
    for plus, minus in ((2.0, 0.5), (0.3, 1.7)):
        w, b = values(start), Value(bias)
        total = objective(w, b, POINTS, LABELS, plus, minus)
        true(isinstance(total, Value), "the result is a Value")
        cost = np.where(LABELS > 0, plus, minus)
        slack = np.maximum(0, 1 - LABELS * (POINTS @ start + bias))
        wanted = 0.5 * start @ start + (cost * slack).sum()
        close(total.data, wanted, f"the objective with C_plus = {plus} and C_minus = {minus}")
        total.backward()
        pull = np.where(slack > 0, cost * LABELS, 0.0)
        close(grads(w), start - pull @ POINTS, "the gradients of w")
        close(b.grad, -pull.sum(), "the gradient of b")


@sheet.exercise(
    5,
    "violators of the conditions",
    hints=[
        "A margin that is too small matters unless alpha_i = C; when does one matter that is "
        "too large?",
        "(alpha < C) & (margin < 1 - tol) is one half of the answer.",
    ],
)
def _(violators: Any) -> None:
    C, tol, b = 0.7, 1e-3, 0.1
    alpha = np.tile([0.0, 0.2, 0.7], 8)
    margin = LABELS * (GRAM @ (alpha * LABELS) + b)
    wanted = ((alpha < C) & (margin < 1 - tol)) | ((alpha > 0) & (margin > 1 + tol))
    got = violators(GRAM, LABELS, alpha, b, C, tol)
    same(np.shape(got), (24,), "the shape of the answer for 24 examples")
    for price, kind in ((0.0, "alpha = 0"), (0.2, "alpha between 0 and C"), (0.7, "alpha = C")):
        same(np.asarray(got)[alpha == price], wanted[alpha == price], f"examples with {kind}")
    pair = np.array([[1.0, -1.0], [-1.0, 1.0]])  # the points 1 and -1: solved by alpha = 1/2 each
    exact = violators(pair, np.array([1.0, -1.0]), np.array([0.5, 0.5]), 0.0, 1.0, tol)
    true(not np.any(exact), "nobody breaks the conditions at the solution for two points")
    nearly = violators(pair, np.array([1.0, -1.0]), np.array([0.4995, 0.4995]), 0.0, 1.0, 0.01)
    true(not np.any(nearly), "a margin of 0.999 is no violation with tol = 0.01")


@sheet.exercise(
    6,
    "one step of SMO",
    hints=[
        "With E = K beta - y and beta = y alpha, the top of the parabola is at "
        "t = (E_j - E_i) / (K_ii + K_jj - 2 K_ij).",
        "alpha_i moves by y_i t and alpha_j by -y_j t. What bounds does 0 <= alpha <= C put on t, "
        "from above and from below, for each?",
        "Clip t first, then move both: if you clip the prices one by one, their sum drifts.",
    ],
)
def _(pair_step: Any) -> None:
    C = 0.5
    draw = np.random.default_rng(66)
    for trial in range(40):
        alpha = draw.choice([0.0, 0.1, 0.25, 0.5], size=24)
        i, j = (int(k) for k in draw.permutation(24)[:2])
        before = alpha.copy()
        moved = np.asarray(pair_step(GRAM, LABELS, alpha, i, j, C), dtype=float)
        true(np.array_equal(alpha, before), "the array of prices that was given is unchanged")
        same(moved.shape, (24,), "the shape of the new prices")
        others = np.delete(np.arange(24), [i, j])
        true(np.array_equal(moved[others], alpha[others]), "only two prices differ")
        low, high = moved.min(), moved.max()
        true(low >= -1e-12 and high <= C + 1e-12, "every price is from 0 to C")
        true(abs((moved - alpha) @ LABELS) < 1e-9, "the sum of alpha_i y_i is as before")
        E = GRAM @ (alpha * LABELS) - LABELS
        best = (E[j] - E[i]) / (GRAM[i, i] + GRAM[j, j] - 2 * GRAM[i, j])
        ends = [(-alpha[k] * s, (C - alpha[k]) * s) for k, s in ((i, LABELS[i]), (j, -LABELS[j]))]
        step = np.clip(best, max(min(e) for e in ends), min(max(e) for e in ends))
        close(moved[i], alpha[i] + LABELS[i] * step, f"the price alpha_i in trial {trial + 1}",
              atol=1e-8)  # fmt: skip


@sheet.exercise(
    7,
    "the features of a kernel",
    hints=[
        "Three terms squared give three squares and three mixed products, each of these twice.",
        "A product that occurs twice needs a factor in phi whose square is 2.",
    ],
)
def _(features: Any) -> None:
    for x, z in zip(POINTS[:12], POINTS[12:], strict=True):
        got = np.asarray(features(x), dtype=float) @ np.asarray(features(z), dtype=float)
        close(got, (x @ z) ** 2, "phi(x) . phi(z) for two random points")
    size = np.size(features(POINTS[0]))
    true(size <= 6, f"there are as few features as possible (you have {size})")


def _hard(K: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    """The prices and the bias of the hard margin for a Gram matrix, by pairwise steps."""
    alpha, E = np.zeros(len(y)), -y
    for _ in range(20_000):
        up, down = (y > 0) | (alpha > 0), (y < 0) | (alpha > 0)
        i, j = np.where(up, E, np.inf).argmin(), np.where(down, E, -np.inf).argmax()
        if E[j] - E[i] < 1e-10:
            break
        room = min(np.inf if y[i] > 0 else alpha[i], alpha[j] if y[j] > 0 else np.inf)
        t = min((E[j] - E[i]) / max(K[i, i] + K[j, j] - 2 * K[i, j], 1e-12), room)
        alpha[i], alpha[j] = max(alpha[i] + y[i] * t, 0.0), max(alpha[j] - y[j] * t, 0.0)
        E = E + t * (K[i] - K[j])
        if not alpha.max() < 1e9:
            break
    return alpha, float(-E[alpha > 0].mean()) if (alpha > 0).any() else 0.0


@sheet.exercise(
    8,
    "the dual of the squared hinge",
    hints=[
        "Set the derivative of the Lagrangian in xi_i to zero: C xi_i and alpha_i are all there "
        "is.",
        "Put xi_i back: (C/2) xi_i^2 - alpha_i xi_i becomes a multiple of alpha_i^2.",
        "A sum of alpha_i^2 is the quadratic form of a diagonal matrix, and y_i y_i = 1.",
    ],
)
def _(slack_of: Any, gram_of: Any) -> None:
    for C in (0.4, 3.0):
        K = GRAM.copy()
        changed = np.asarray(gram_of(K, C), dtype=float)
        true(np.array_equal(K, GRAM), "the matrix K that was given is unchanged")
        same(changed.shape, (24, 24), "the shape of the new matrix")
        true(np.linalg.eigvalsh(changed)[0] > 0, "the new matrix has positive eigenvalues only")
        alpha, b = _hard(changed, LABELS)
        missing = np.maximum(0, 1 - LABELS * (GRAM @ (alpha * LABELS) + b))
        slack = np.asarray(slack_of(alpha, C), dtype=float)
        same(slack.shape, (24,), "the shape of the slacks")
        if np.abs(slack - missing).max() > 1e-6:
            raise Wrong(
                f"with C = {C} the machine of your matrix misses a margin of 1 by "
                f"{missing.max():.4g} at most, and your largest slack is {slack.max():.4g}: "
                "slack and what is missing must be equal for each example"
            )
        # both may be wrong alike: the gradient of the primal in w must vanish, and that in b
        w = (alpha * LABELS) @ POINTS
        pull = C * missing * LABELS
        true(np.allclose(w, pull @ POINTS, atol=1e-6), "the gradient of the primal in w is 0")
        true(abs(pull.sum()) < 1e-6, "the gradient of the primal in b is 0")


@sheet.exercise(
    9,
    "break a kernel",
    hints=[
        "The matrix is 1 on the diagonal and 1 for each pair that is near. Draw points as dots "
        "and near pairs as lines: which drawings have a very negative eigenvalue?",
        "A path does not suffice. Try one point in the middle of several that are far from each "
        "other, or a chessboard.",
    ],
)
def _(points: Any) -> None:
    points = np.asarray(points, dtype=float)
    true(points.ndim == 2 and points.shape[1] == 2, "the points have the shape (n, 2)")
    true(len(points) <= 12, f"there are at most 12 points (you have {len(points)})")
    distance = np.sqrt(((points[:, None] - points) ** 2).sum(-1))
    least = float(np.linalg.eigvalsh((distance <= 1).astype(float))[0])
    if least > -1 + 1e-9:
        raise Wrong(f"the smallest eigenvalue is {least:.3f}: not far enough below 0")


@sheet.exercise(
    10,
    "few support vectors",
    hints=[
        "A grid: gamma and C each from 0.01 to 1000 in steps of ten; print the number of support "
        "vectors and the cross-validated accuracy.",
        "What does a larger C do to the width of the street, and so to the number of points in it?",
    ],
)
def _(chosen: Any) -> None:
    from sklearn.svm import SVC

    true(isinstance(chosen, dict), "the answer is a dictionary of SVC's arguments")
    machine = SVC(**{**chosen, "max_iter": 2_000_000}).fit(*moons())
    support, right = len(machine.support_), machine.score(*moons(62, 2000))
    if support > 25 or right < 0.95:
        raise Wrong(f"{support} support vectors, {right:.1%} of the new points right: not both met")
