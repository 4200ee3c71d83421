"""The checkers of the primer's exercises: vectors, eigenvalues, variance, logits, multipliers."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.datasets import load_wine

from checks import Sheet, Wrong, array, by_hand, close, number, several, true, without, word

sheet = Sheet("Primer")
check, hint = sheet.check, sheet.hint


@sheet.exercise(
    1,
    hints=[
        "Multiply entry by entry and add; the length is the root of b . b.",
        "The projection is b, times (a . b) / (b . b).",
    ],
)
def a_shadow(dot: Any, length: Any, projection: Any) -> None:
    by_hand(dot, 8, "the dot product")
    by_hand(length, 5**0.5, "the length of b")
    turned = {"that is the projection of b on a; the text asks for that of a on b": [1.6, 0.8]}
    by_hand(projection, [1.6, 3.2], "the projection", instead=turned)


@sheet.exercise(
    2,
    hints=[
        "Solve (5 - L)(2 - L) - 2 * 2 = 0 for the eigenvalue L.",
        "Check: the two add up to the trace. The condition number is the larger over the smaller.",
    ],
)
def eigenvalues_by_hand(smaller: Any, larger: Any, condition: Any) -> None:
    by_hand(smaller, 1, "the smaller eigenvalue")
    by_hand(larger, 6, "the larger eigenvalue")
    apart = {"that is the difference of the two; the text asks for their ratio": 5}
    by_hand(condition, 6, "the condition number", instead=apart)


@sheet.exercise(
    3,
    hints=[
        "Divide the arrow by its length after each multiplication, or it overflows.",
        "With v of length 1 the eigenvalue is v . A v. Which arrow would be a bad start?",
    ],
)
def the_largest_eigenvalue_by_multiplying(largest: Any) -> None:
    rng = np.random.default_rng(3)
    cases = [np.array([[2.0, 1.0], [1.0, 2.0]]), np.diag([1.0, 3.0])]
    for d in (3, 5):
        turn = np.linalg.qr(rng.normal(size=(d, d)))[0]
        cases.append(turn @ np.diag(np.arange(1.0, d + 1)) @ turn.T)
    for A in cases:
        with (
            without("eigh and the like", "eig", "eigh", "eigvals", "eigvalsh", "svd", "svdvals"),
            np.errstate(over="raise", invalid="raise"),
        ):
            value, vector = several(largest(A.copy()), "the eigenvalue", "the eigenvector")
        wanted, axes = np.linalg.eigh(A)
        close(value, wanted[-1], f"the largest eigenvalue of a {A.shape} matrix")
        vector = array(vector, "the eigenvector", (len(A),))
        close(
            vector @ vector,
            1.0,
            "the squared length of the eigenvector (the text asks for length 1)",
        )
        true(abs(abs(vector @ axes[:, -1]) - 1) < 1e-6, "the eigenvector is only stretched by A")


@sheet.exercise(
    4,
    hints=[
        "1 squared is 1 and 0 squared is 0, so E[Z^2] = E[Z].",
        "Variances of independent coins add; the standard error is a root of variance / n.",
    ],
)
def two_coins_and_their_sum(expectation: Any, variance: Any, of_sum: Any, error: Any) -> None:
    by_hand(expectation, 0.2, "the expectation")
    by_hand(variance, 0.16, "the variance of one coin")
    by_hand(of_sum, 4, "the variance of the sum")
    squared = {"that is the variance of the mean; the text asks for its root": 0.0016}
    by_hand(error, 0.04, "the standard error of the mean", instead=squared)


@sheet.exercise(
    5,
    hints=[
        "The odds of 0.8 are 0.8 / 0.2; the logit is their (natural) logarithm.",
        "On the third day the probability given to what happened is 0.2.",
    ],
)
def logits_in_your_head(logit: Any, probability: Any, loss: Any) -> None:
    tens = {
        "that is the logarithm to base 10; the text asks for the natural one": float(np.log10(4))
    }
    by_hand(logit, float(np.log(4)), "the logit", instead=tens)
    by_hand(probability, 8 / 9, "the probability")
    by_hand(loss, float(-(2 * np.log(0.8) + np.log(0.2)) / 3), "the log loss")


@sheet.exercise(
    6,
    hints=[
        "Where y is 1 the loss is log(1 + e^-z); where it is 0, log(1 + e^z).",
        "log(1 + e^a) is a + log(1 + e^-a): use the form whose exponent is not positive.",
    ],
)
def log_loss_that_does_not_overflow(log_loss: Any) -> None:
    close(log_loss(np.array([0.0]), np.array([1])), np.log(2), "the loss of a logit of 0")
    z, y = np.array([2.0, -1.0, 0.5]), np.array([1, 1, 0])
    losses = np.logaddexp(0, [-2.0, 1.0, 0.5])
    added = {"that is the sum over the cases; the text asks for the mean": losses.sum()}
    close(log_loss(z, y), losses.mean(), "the loss of three logits", instead=added)
    rng = np.random.default_rng(6)
    z, y = 3 * rng.normal(size=50), rng.integers(0, 2, size=50)
    close(log_loss(z, y), np.logaddexp(0, np.where(y == 1, -z, z)).mean(), "the loss of fifty")
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        far = number(log_loss(np.array([1000.0, -1000.0, 1000.0]), np.array([1, 0, 0])), "the loss")
    if not np.isfinite(far):
        raise Wrong("the loss where |z| is 1,000 is not finite")
    close(far, 1000 / 3, "the loss where |z| is 1,000")


@sheet.exercise(
    7,
    hints=[
        "Set both partial derivatives to zero: y - 2 lambda and x - 2 lambda.",
        "The multiplier is the rate at which the best value changes with the limit.",
    ],
)
def a_price_for_a_fence(x: Any, multiplier: Any, growth: Any) -> None:
    by_hand(x, 10, "x")
    half = {"that is the price with x + y - 20; the text asks for that with 2x + 2y - 40": 10}
    by_hand(multiplier, 5, "the multiplier", instead=half)
    by_hand(growth, 5, "what a metre of fence adds")


@sheet.exercise(
    8,
    title="Wine or units?",
    hints=[
        "np.cov(X.T) is the covariance matrix, np.linalg.eigvalsh gives its eigenvalues in order.",
        "Would the first share change if one measurement were given in another unit?",
    ],
)
def wine_or_units(share_raw: Any, share_scaled: Any, verdict: Any) -> None:
    X = load_wine().data
    shares = []
    for table in (X, X / X.std(axis=0)):
        found = np.linalg.eigvalsh(np.cov(table.T))
        shares.append(float(found[-1] / found.sum()))
    by_hand(share_raw, shares[0], "the share of the raw measurements")
    by_hand(share_scaled, shares[1], "the share of the scaled measurements")
    instead = {"would the share change with another unit for one measurement?": "wine"}
    word(verdict, "units", "what it tells about", ("wine", "units"), instead=instead)
