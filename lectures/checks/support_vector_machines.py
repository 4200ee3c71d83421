"""The checkers of lecture 6's exercises: support vector machines."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from checks import (
    Sheet,
    Wrong,
    array,
    as_value,
    beside,
    by_hand,
    close,
    flags,
    true,
    truths,
    word,
)
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
    hints=[
        "The functional margin is y (w . x + b). What is the length of (3, 4)?",
        "A mistake has a negative margin, and 1 minus a negative number is more than 1.",
    ],
)
def margins_by_hand(functional: Any, geometric: Any, hinge: Any, width: Any) -> None:
    length = {"that is the functional margin; give the distance in the plane": 8.0}
    loss = {
        "that is the margin; give 1 minus it, where that is positive": -2.0,
        "that is for a point outside the street on its own side": 0.0,
        "that is how far f is from 0; give how far it is from 1": 2.0,
    }
    half = {"that is from the boundary to one side; measure from side to side": 0.2}
    by_hand(functional, 8.0, "the functional margin of the first point")
    by_hand(geometric, 1.6, "the geometric margin of the first point", instead=length)
    by_hand(hinge, 3.0, "the hinge loss of the second point", instead=loss)
    by_hand(width, 0.4, "the width of the street", instead=half)


@sheet.exercise(
    2,
    hints=[
        "All three margins are exactly 1: three equations for w1, w2 and b. The point (0, 0) "
        "gives b at once.",
        "w is the sum of alpha_i y_i x_i: its first coordinate has only one term that is not 0.",
        "The last price follows from the sum of alpha_i y_i, which is 0.",
    ],
)
def a_machine_on_paper(w: Any, b: Any, prices: Any) -> None:
    two = "that is the machine of the first two points; all three are support vectors"
    by_hand(w, [1 / 3, 2 / 3], "w", instead={two: [0.5, 0.5]})
    by_hand(b, -1.0, "b", instead={"that is f(0, 0) = 1, and (0, 0) is of class -1": 1.0})
    by_hand(prices, [5 / 18, 1 / 6, 1 / 9], "the prices", instead={two: [0.25, 0.25, 0.0]})


@sheet.exercise(
    3,
    title="Both sides of the hinge, and the kink",
    hints=[
        "Compute both margins first. Which of the examples are inside the street?",
        "An example inside contributes -C y x to w and -C y to b; the square contributes w.",
        "The third example contributes -t C y x, and t may be anything from 0 to 1.",
    ],
)
def both_sides_of_the_hinge_and_the_kink(
    gradient_w: Any, gradient_b: Any, smallest: Any, largest: Any
) -> None:
    both = "that is as if both examples were inside the street: look at their margins"
    price = "that is without the factor C = 2"
    by_hand(gradient_w, -3.6, "the gradient in w", instead={both: -11.6, price: -1.6})
    by_hand(gradient_b, -2.0, "the gradient in b", instead={both: 0.0, price: -1.0})
    order = "of two numbers below 0 the smaller one is further from 0"
    one = "that is one of them; give both ends of the interval"
    what = "the smallest subgradient in w"
    by_hand(smallest, -8.1, what, instead={order: -3.6, one: -5.85})
    what = "the largest subgradient in w"
    by_hand(largest, -3.6, what, instead={order: -8.1, one: -5.85})


@sheet.exercise(
    4,
    hints=[
        "y is an array of floats, so np.where(y > 0, ..., ...) makes an array of prices.",
        "Multiply the array of hinges by the array of prices before you add it up.",
    ],
)
def unequal_prices_for_unequal_mistakes(objective: Any) -> None:
    start, bias = np.array([0.4, -0.3, 0.2]), 0.15
    for plus, minus in ((2.0, 0.5), (0.3, 1.7)):
        w, b = values(start), Value(bias)
        total = as_value(objective(w, b, POINTS, LABELS, plus, minus), "the objective")
        cost = np.where(LABELS > 0, plus, minus)
        slack = np.maximum(0, 1 - LABELS * (POINTS @ start + bias))
        wanted = 0.5 * start @ start + (cost * slack).sum()
        turned = np.where(LABELS > 0, minus, plus)
        mistaken = {
            "C_plus and C_minus have changed places: C_plus is for y = +1": 0.5 * start @ start
            + (turned * slack).sum(),
            "that is C_plus for all": 0.5 * start @ start + plus * slack.sum(),
            "that averages the hinges; give their sum": 0.5 * start @ start + (cost * slack).mean(),
        }
        what = f"the objective with C_plus = {plus} and C_minus = {minus}"
        close(total.data, wanted, what, instead=mistaken)
        total.backward()
        pull = np.where(slack > 0, cost * LABELS, 0.0)
        close(grads(w), start - pull @ POINTS, "the gradients of w")
        close(b.grad, -pull.sum(), "the gradient of b")


@sheet.exercise(
    5,
    title="Who breaks the conditions?",
    hints=[
        "A margin that is too small matters unless alpha_i = C; when does one matter that is "
        "too large?",
        "(alpha < C) & (margin < 1 - tol) is one half of the answer.",
    ],
)
def who_breaks_the_conditions(violators: Any) -> None:
    C, tol, b = 0.7, 1e-3, 0.1
    alpha = np.tile([0.0, 0.2, 0.7], 8)
    margin = LABELS * (GRAM @ (alpha * LABELS) + b)
    wanted = ((alpha < C) & (margin < 1 - tol)) | ((alpha > 0) & (margin > 1 + tol))
    got = flags(violators(GRAM, LABELS, alpha, b, C, tol), "the answer for 24 examples", (24,))
    for price, kind in ((0.0, "alpha = 0"), (0.2, "alpha between 0 and C"), (0.7, "alpha = C")):
        off = np.flatnonzero((alpha == price) & (got != wanted))
        if len(off):
            number_of = f"{len(off)} of {int((alpha == price).sum())}"
            raise Wrong(
                f"examples with {kind}: {number_of} {'is' if len(off) == 1 else 'are'} not right; "
                f"example {off[0]} has the margin {margin[off[0]]:.4g} and is said "
                f"{'' if got[off[0]] else 'not '}to break its line"
            )
    pair = np.array([[1.0, -1.0], [-1.0, 1.0]])  # the points 1 and -1: solved by alpha = 1/2 each
    signs = np.array([1.0, -1.0])
    exact = flags(violators(pair, signs, np.array([0.5, 0.5]), 0.0, 1.0, tol), "two examples", (2,))
    true(not exact.any(), "nobody breaks the conditions at the solution for two points")
    prices = np.array([0.4995, 0.4995])
    nearly = flags(violators(pair, signs, prices, 0.0, 1.0, 0.01), "two examples", (2,))
    true(not nearly.any(), "a margin of 0.999 is no violation with tol = 0.01")


@sheet.exercise(
    6,
    title="One step of SMO",
    hints=[
        "With E = K beta - y and beta = y alpha, the top of the parabola is at "
        "t = (E_j - E_i) / (K_ii + K_jj - 2 K_ij).",
        "alpha_i moves by y_i t and alpha_j by -y_j t. What bounds does 0 <= alpha <= C put on t, "
        "from above and from below, for each?",
        "Clip t first, then move both: if you clip the prices one by one, their sum drifts.",
    ],
)
def one_step_of_smo(pair_step: Any) -> None:
    C = 0.5
    draw = np.random.default_rng(66)
    for trial in range(40):
        alpha = draw.choice([0.0, 0.1, 0.25, 0.5], size=24)
        i, j = (int(k) for k in draw.permutation(24)[:2])
        before = alpha.copy()
        moved = array(pair_step(GRAM, LABELS, alpha, i, j, C), "the new prices", (24,))
        true(np.array_equal(alpha, before), "the array of prices that was given is unchanged")
        others = np.delete(np.arange(24), [i, j])
        true(np.array_equal(moved[others], alpha[others]), "only two prices differ")
        low, high = moved.min(), moved.max()
        true(low >= -1e-12 and high <= C + 1e-12, "every price is from 0 to C")
        true(abs((moved - alpha) @ LABELS) < 1e-9, "the sum of alpha_i y_i is as before")
        E = GRAM @ (alpha * LABELS) - LABELS
        best = (E[j] - E[i]) / (GRAM[i, i] + GRAM[j, j] - 2 * GRAM[i, j])
        ends = [(-alpha[k] * s, (C - alpha[k]) * s) for k, s in ((i, LABELS[i]), (j, -LABELS[j]))]
        step = np.clip(best, max(min(e) for e in ends), min(max(e) for e in ends))
        upwards = {"that goes one way only; take the best step either way": alpha[i]}
        what = f"the price alpha_i in trial {trial + 1}"
        instead = upwards if step < 0 else {}
        close(moved[i], alpha[i] + LABELS[i] * step, what, atol=1e-8, instead=instead)


@sheet.exercise(
    7,
    hints=[
        "Three terms squared give three squares and three mixed products, each of these twice.",
        "A product that occurs twice needs a factor in phi whose square is 2.",
    ],
)
def the_features_of_a_kernel(features: Any) -> None:
    def of(x: np.ndarray) -> np.ndarray:
        return array(features(x), "the features").ravel()

    for x, z in (([1.0, 2.0, 0.0], [3.0, -1.0, 2.0]), *zip(POINTS[:12], POINTS[12:], strict=True)):
        x, z = np.array(x), np.array(z)
        here, there = of(x), of(z)
        true(len(here) == len(there), "there are as many features of every x")
        squares, mixed = (x * z) ** 2 @ np.ones(3), (x @ z) ** 2 - (x * z) ** 2 @ np.ones(3)
        mistaken = {
            "that has each mixed product once; it occurs twice": squares + mixed / 2,
            "that has each mixed product four times; it occurs twice": squares + 2 * mixed,
            "that is x . z; give its square": x @ z,
        }
        close(there @ here, (x @ z) ** 2, "phi(x) . phi(z)", instead=mistaken)
    size = len(of(POINTS[0]))
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
    hints=[
        "Set the derivative of the Lagrangian in xi_i to zero: C xi_i and alpha_i are all there "
        "is.",
        "Put xi_i back: (C/2) xi_i^2 - alpha_i xi_i becomes a multiple of alpha_i^2.",
        "A sum of alpha_i^2 is the quadratic form of a diagonal matrix, and y_i y_i = 1.",
    ],
)
def the_dual_of_the_squared_hinge(slack_of: Any, gram_of: Any) -> None:
    for C in (0.4, 3.0):
        K = GRAM.copy()
        changed = array(gram_of(K, C), "the new matrix", (24, 24))
        true(np.array_equal(K, GRAM), "the matrix K that was given is unchanged")
        true(np.linalg.eigvalsh(changed)[0] > 0, "the new matrix has positive eigenvalues only")
        alpha, b = _hard(changed, LABELS)
        missing = np.maximum(0, 1 - LABELS * (GRAM @ (alpha * LABELS) + b))
        slack = array(slack_of(alpha, C), "the slacks", (24,))
        if np.abs(slack - missing).max() > 1e-6:
            raise Wrong(
                f"with C = {C} the machine of your matrix misses a margin of 1 by "
                f"{missing.max():.4g} at most, and your largest slack is {slack.max():.4g}: "
                "slack and what is missing must be equal for each example"
            )
        # both may be wrong alike: the gradient of the primal in w must vanish, and that in b
        w = (alpha * LABELS) @ POINTS
        pull = C * missing * LABELS
        primal = "the gradient of |w|^2 / 2 + C/2 sum of xi_i^2 at your machine"
        true(np.allclose(w, pull @ POINTS, atol=1e-6), f"{primal} is 0 in w")
        true(abs(pull.sum()) < 1e-6, f"{primal} is 0 in b")


@sheet.exercise(
    9,
    hints=[
        "The matrix is 1 on the diagonal and 1 for each pair that is near. Draw points as dots "
        "and near pairs as lines: which drawings have a very negative eigenvalue?",
        "A path does not suffice. Try one point in the middle of several that are far from each "
        "other, or a chessboard.",
    ],
)
def break_a_kernel(points: Any) -> None:
    points = array(points, "the points")
    true(points.ndim == 2 and points.shape[1] == 2, "the points have the shape (n, 2)")
    true(len(points) <= 12, f"there are at most 12 points (you have {len(points)})")
    distance = np.sqrt(((points[:, None] - points) ** 2).sum(-1))
    least = float(np.linalg.eigvalsh((distance <= 1).astype(float))[0])
    if least > -1 + 1e-9:
        raise Wrong(f"the smallest eigenvalue is {beside(least, -1.0)}; it should be -1 or less")


@sheet.exercise(
    10,
    hints=[
        "A grid: gamma and C each from 0.01 to 1000 in steps of ten; print the number of support "
        "vectors and the cross-validated accuracy.",
        "What does a larger C do to the width of the street, and so to the number of points in it?",
    ],
)
def few_support_vectors(chosen: Any) -> None:
    from sklearn.svm import SVC

    true(isinstance(chosen, dict), "the answer is a dictionary of SVC's arguments")
    machine = SVC(**{**chosen, "max_iter": 2_000_000}).fit(*moons())
    support, right = len(machine.support_), machine.score(*moons(62, 2000))
    if support > 25 or right < 0.95:
        found = beside(right, 0.95, 1, percent=True)
        raise Wrong(
            f"{support} support vectors, {found} of the new points right; it "
            "should be at most 25, and at least 95%"
        )


@sheet.exercise(
    11,
    hints=[
        "The Lagrangian is (x - 4)^2 / 2 + alpha (x - 1). Where is its slope in x zero?",
        "Put that x back in and collect: alpha and alpha^2 are left.",
        "With the limit l the best value is (l - 4)^2 / 2. Differentiate it at l = 1.",
    ],
)
def a_dual_of_one_variable(at_one: Any, price: Any, value: Any, rate: Any) -> None:
    charge = {
        "that is the objective at x = 4 - 1 alone; the charge belongs to D": 0.5,
        "the charge is alpha (x - 1), above 0 where the limit is broken": -1.5,
    }
    by_hand(at_one, 2.5, "D(1)", instead=charge)
    where = {"that is the best x; give the price": 1.0}
    by_hand(price, 3, "the best price", instead=where)
    by_hand(value, 4.5, "the best value", instead={"that is D without its square": 9.0})
    sign = {"a looser limit cannot make the lowest value larger": 3.0}
    by_hand(rate, -3, "the derivative by the limit", instead=sign)


@sheet.exercise(
    12,
    hints=[
        "Outside means |r| > epsilon, and that has two sides: r > epsilon, and -r > epsilon.",
        "relu(r - epsilon) + relu(-r - epsilon), of an array of residuals, then the mean.",
    ],
)
def in_the_tube_nothing_costs(tube_loss: Any) -> None:
    start, bias = np.array([0.5, -0.4, 0.2]), 0.3
    target = np.random.default_rng(612).standard_normal(24)
    residual = target - POINTS @ start - bias
    for epsilon in (0.0, 0.5, 1.2):
        w, b = values(start), Value(bias)
        loss = as_value(tube_loss(w, b, POINTS, target, epsilon), "the loss")
        out = np.maximum(0, np.abs(residual) - epsilon)
        mistaken = {
            "that is the sum; give the mean": out.sum(),
            "what is outside costs only by how far it is outside": np.where(
                out > 0, np.abs(residual), 0.0
            ).mean(),
            "that counts points above the tube only": np.maximum(0, residual - epsilon).mean(),
            "that squares what is outside": (out**2).mean(),
        }
        close(loss.data, out.mean(), f"the loss with epsilon = {epsilon}", instead=mistaken)
        loss.backward()
        pull = -np.sign(residual) * (out > 0) / 24
        close(grads(w), pull @ POINTS, f"the gradients of w with epsilon = {epsilon}")
        close(b.grad, pull.sum(), f"the gradient of b with epsilon = {epsilon}")


@sheet.exercise(
    13,
    title="How far apart in the other space?",
    hints=[
        "Multiply |phi(x) - phi(z)|^2 out: three dot products, and each is a value of k.",
        "Take the root at the end; keep rounding from making its argument negative.",
    ],
)
def how_far_apart_in_the_other_space(distance: Any) -> None:
    kernels = {
        "x . z": lambda x, z: float(x @ z),
        "(x . z + 1)^2": lambda x, z: float((x @ z + 1) ** 2),
        "exp(-|x - z|^2)": lambda x, z: math.exp(-float((x - z) @ (x - z))),
    }
    for name, k in kernels.items():
        for x, z in ((POINTS[0], POINTS[1]), (POINTS[2], POINTS[3]), (POINTS[4], POINTS[4])):
            square = k(x, x) - 2 * k(x, z) + k(z, z)
            mistaken = {
                "that is its square; take the root": square,
                "that is the distance of the points; give that of their features": (
                    float(np.linalg.norm(x - z))
                ),
                "the middle term has the factor 2": math.sqrt(abs(k(x, x) - k(x, z) + k(z, z))),
            }
            right = math.sqrt(max(square, 0.0))
            near = [w for w, v in mistaken.items() if abs(v - right) < 1e-6]
            for what in near:
                del mistaken[what]
            what = f"the distance with k = {name}"
            close(distance(k, x.copy(), z.copy()), right, what, atol=1e-7, instead=mistaken)


@sheet.exercise(
    14,
    title="What is promised?",
    hints=[
        "nu is about the training examples. Who has a price above 0 in a tube?",
        "Section 15 has a counter-example to e, section 3 one to f.",
    ],
)
def what_is_promised(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any) -> None:
    bound = "a bound on an error is no error, and an assumption may be false"
    mistaken = {bound: (True, False, False, True, True, True)}
    truths((a, b, c, d, e, f), (True, False, False, True, False, False), "abcdef", instead=mistaken)


@functools.cache
def _bends() -> tuple[float, ...]:
    """RBF accuracy minus linear accuracy on the halves of 20 splits of the cancer data."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    X, y = load_breast_cancer(return_X_y=True)
    gains = []
    for seed in range(20):
        X_a, X_b, y_a, y_b = train_test_split(X, y, test_size=0.5, random_state=seed)
        straight, bent = (
            make_pipeline(StandardScaler(), machine).fit(X_a, y_a).score(X_b, y_b)
            for machine in (SVC(kernel="linear", C=0.1), SVC())
        )
        gains.append(bent - straight)
    return tuple(gains)


@sheet.exercise(
    15,
    title="Is the bend worth it?",
    hints=[
        "Keep the 20 differences in a list; score gives the accuracy.",
        "Compare the size of the mean with twice its standard error.",
    ],
)
def is_the_bend_worth_it(mean_gain: Any, error_of_mean: Any, verdict: Any) -> None:
    gains = np.array(_bends())
    turned = {"that is linear minus RBF; give RBF minus linear": -gains.mean()}
    by_hand(mean_gain, float(gains.mean()), "the mean difference", instead=turned)
    spread = {
        "that is the standard deviation of one difference; divide by the root of 20": gains.std()
    }
    what = "the standard error of the mean"
    by_hand(error_of_mean, float(gains.std() / math.sqrt(20)), what, instead=spread)
    word(verdict, "as good", "what the figures support", ("better", "as good", "worse"))
