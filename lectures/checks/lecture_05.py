"""The checkers of lecture 5's exercises: generative models."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from checks import Sheet, Wrong, close, same, true
from micrograd import Value

sheet = Sheet("Lecture 5")
check, hint = sheet.check, sheet.hint

rng = np.random.default_rng(50)
CALLS = rng.poisson(3.4, size=25).astype(float)
LENGTHS = rng.normal(4.0, 2.0, size=11)
LOG_PI = np.log([0.2, 0.5, 0.3])
MEANS = rng.normal(size=(3, 4))
VARIANCES = rng.uniform(0.3, 2.0, size=(3, 4))
POINT = rng.normal(size=4)

NET = {
    "rain": ((), {(): 0.3}),
    "sprinkler": (("rain",), {(0,): 0.4, (1,): 0.05}),
    "wet": (("rain", "sprinkler"), {(0, 0): 0.02, (0, 1): 0.9, (1, 0): 0.8, (1, 1): 0.99}),
    "slippery": (("wet",), {(0,): 0.1, (1,): 0.7}),
}


@sheet.exercise(
    1,
    "a rare fault",
    hints=[
        "Of 100,000 parts, how many are cracked? Of these, how many are reported? And of the rest?",
        "Odds of 1 : 499 times the likelihood ratio, once for each camera.",
    ],
)
def _(reported: Any, once: Any, twice: Any) -> None:
    close(reported, 2192, "the parts reported of 100,000")
    close(once, 196 / 2192, "the probability after one report", rtol=1e-3)
    close(twice, 49**2 / (49**2 + 499), "the probability after two reports", rtol=1e-3)


@sheet.exercise(
    2,
    "which is which?",
    hints=[
        "MAP: (n_k + a_k - 1) / (n + sum of (a_j - 1)). Mean: (n_k + a_k) / (n + sum of a_j).",
        "Section 5 has the picture for e, section 9 the derivation for f.",
    ],
)
def _(*answers: Any) -> None:
    _all_right(answers, (True, False, True, True, False, True))


def _all_right(answers: tuple[Any, ...], wanted: tuple[bool, ...]) -> None:
    """Say how many are wrong and not which, so that guessing takes longer than thinking."""
    same(len(answers), len(wanted), "the number of answers")
    for name, answer in zip("abcdef", answers, strict=True):
        true(isinstance(answer, (bool, np.bool_)), f"the answer to {name} is True or False")
    mistakes = sum(bool(a) != w for a, w in zip(answers, wanted, strict=True))
    if mistakes:
        raise Wrong(f"{mistakes} of the {len(wanted)} answers {'is' if mistakes == 1 else 'are'}"
                    " not right")  # fmt: skip


@sheet.exercise(
    3,
    "events in an hour",
    hints=[
        "One count costs lambda - x log(lambda) + log(x!). Which part does not depend on lambda?",
        "In s the mean is exp(s) - s mean(x) + a constant.",
        "The prior adds -(a - 1) log(lambda) + b lambda, once and not for each hour.",
    ],
)
def _(best_rate: Any, slope: Any, map_rate: Any) -> None:
    close(best_rate(CALLS), CALLS.mean(), "the likeliest rate of 25 counts")
    for start in (-0.7, 0.4, 1.9):
        s = Value(start)
        (s.exp() - s * CALLS.mean()).backward()
        close(slope(start, CALLS), s.grad, f"the derivative at s = {start}")
    for a, b in ((2.0, 1.0), (5.0, 3.0)):
        rates = np.linspace(0.5, 8.0, 150_001)
        log_posterior = (CALLS.sum() + a - 1) * np.log(rates) - (len(CALLS) + b) * rates
        top = rates[log_posterior.argmax()]
        close(map_rate(CALLS, a, b), top, f"the MAP under Gamma({a:g}, {b:g})", rtol=1e-4)


@sheet.exercise(
    4,
    "a believer's gradient",
    hints=[
        "The derivative of softplus is the sigmoid, which is 1/2 at 0. s is used twice.",
        "The gradient is 5 sigmoid(s) - 3. Where is it zero? s = log(theta / (1 - theta)).",
    ],
)
def _(gradient: Any, place: Any, theta: Any) -> None:
    close(gradient, -0.5, "the gradient at s = 0")
    close(place, math.log(1.5), "the s at which the gradient is zero", rtol=1e-3)
    close(theta, 0.6, "the theta there", rtol=1e-3)


@sheet.exercise(
    5,
    "a sum that does not overflow",
    hints=[
        "Take the row's maximum out: log sum exp(a) = m + log sum exp(a - m).",
        "Mind that -inf - (-inf) is nan: where m is not finite, shift by 0.",
    ],
)
def _(log_sum_exp: Any) -> None:
    a = rng_rows()
    wanted = np.log(np.exp(a).sum(axis=1))
    close(log_sum_exp(a), wanted, "ordinary rows", rtol=1e-10)
    for shift in (2000.0, -2000.0):
        close(log_sum_exp(a + shift), wanted + shift, f"rows around {shift:g}", rtol=1e-10)
    a[2, 0] = -np.inf
    close(log_sum_exp(a)[2], np.log(np.exp(a[2]).sum()), "a row with one -inf", rtol=1e-10)
    a[4] = -np.inf
    same(float(log_sum_exp(a)[4]), -math.inf, "a row of nothing but -inf")


def rng_rows() -> np.ndarray:
    return np.random.default_rng(51).normal(scale=2.0, size=(6, 3))


@sheet.exercise(
    6,
    "a missing measurement",
    hints=[
        "The integral of p(x_j | k) over all x_j is 1: the factor of an unknown entry goes.",
        "known = ~np.isnan(x) picks the columns of x, mu and var alike.",
    ],
)
def _(posterior_with_gaps: Any) -> None:
    for gaps in ((), (1,), (0, 3), (0, 1, 2, 3)):
        x = POINT.copy()
        x[list(gaps)] = np.nan
        known = [j for j in range(4) if j not in gaps]
        densities = [
            math.exp(LOG_PI[k])
            * math.prod(
                math.exp(-((x[j] - MEANS[k, j]) ** 2) / (2 * VARIANCES[k, j]))
                / math.sqrt(2 * math.pi * VARIANCES[k, j])
                for j in known
            )
            for k in range(3)
        ]
        what = f"the posterior of a point with {len(gaps)} of its 4 entries unknown"
        close(posterior_with_gaps(x, LOG_PI, MEANS, VARIANCES), densities / np.sum(densities), what)
    got = posterior_with_gaps(POINT + 200, LOG_PI, MEANS, VARIANCES)
    true(np.isfinite(got).all(), "the posterior of a point far from every class is finite")


@sheet.exercise(
    7,
    "a mean with a prior",
    hints=[
        "One measurement costs (x - mu)^2 / (2 sigma^2), and what does not depend on mu.",
        "Set the derivative to zero and collect mu: weights n / sigma^2 and 1 / tau^2.",
    ],
)
def _(loss: Any, best_mean: Any) -> None:
    for sigma, m, tau in ((1.5, 0.0, 1.0), (0.5, -2.0, 3.0)):
        wanted = len(LENGTHS) / sigma**2 * LENGTHS.mean() + m / tau**2
        precision = len(LENGTHS) / sigma**2 + 1 / tau**2
        for start in (-1.0, 3.0):
            mu = Value(start)
            total = loss(mu, LENGTHS, sigma, m, tau)
            true(isinstance(total, Value), "the loss is a Value")
            total.backward()
            what = f"the gradient at mu = {start:g} with sigma = {sigma}, m = {m}, tau = {tau}"
            close(mu.grad, precision * start - wanted, what)
        close(best_mean(LENGTHS, sigma, m, tau), wanted / precision, "the mean found")


@sheet.exercise(
    8,
    "blocked or not?",
    hints=[
        "Write down every path between the two, whatever the direction of its arrows.",
        "A collider blocks unless it, or something that follows from it, is known; any other place "
        "on the path blocks if it is known.",
    ],
)
def _(*answers: Any) -> None:
    _all_right(answers, (True, False, False, True, True, True))


@sheet.exercise(
    9,
    "ask the net",
    hints=[
        "itertools.product((0, 1), repeat=len(net)) gives every world; its probability is a "
        "product with one factor a name.",
        "The factor is the table's number if the name is 1 in this world, else 1 minus it.",
    ],
)
def _(ask: Any) -> None:
    worlds = []
    for r, s, w, t in itertools.product((0, 1), repeat=4):
        p = 1.0
        for name, value, key in (
            ("rain", r, ()),
            ("sprinkler", s, (r,)),
            ("wet", w, (r, s)),
            ("slippery", t, (w,)),
        ):
            p *= NET[name][1][key] if value else 1 - NET[name][1][key]
        worlds.append(({"rain": r, "sprinkler": s, "wet": w, "slippery": t}, p))
    for query, given in (
        ({"slippery": 1}, {}),
        ({"rain": 1}, {"slippery": 1}),
        ({"rain": 0}, {"wet": 1, "sprinkler": 1}),
        ({"wet": 1, "rain": 1}, {"slippery": 0}),
    ):
        agree = [(world, p) for world, p in worlds if given.items() <= world.items()]
        both = sum(p for world, p in agree if query.items() <= world.items())
        close(ask(NET, query, given), both / sum(p for _, p in agree), f"p({query} | {given})")


@sheet.exercise(
    10,
    "defeat naive Bayes",
    hints=[
        "Naive Bayes knows the mean and variance of each feature within each class. Make these "
        "alike.",
        "What is left to tell the classes apart is how the two features go together.",
        "A cross: y = x in one class, y = -x in the other, each with a little noise.",
    ],
)
def _(X: Any, y: Any) -> None:
    X, y = np.asarray(X, dtype=float), np.asarray(y)
    same(X.shape, (len(y), 2), "the shape of X")
    true(set(np.unique(y).tolist()) == {0, 1}, "the labels are 0 and 1")
    true(np.bincount(y.astype(int)).min() >= 100, "there are at least 100 points of each class")
    naive, full = [], []
    for k in (0, 1):
        mine = X[y == k]
        covariance = np.cov(mine.T, bias=True) + 1e-9 * np.eye(2)
        for scores, S in ((naive, np.diag(np.diag(covariance))), (full, covariance)):
            away = X - mine.mean(axis=0)
            squares = (away @ np.linalg.inv(S) * away).sum(axis=1)
            scores.append(math.log(len(mine)) - (np.linalg.slogdet(S)[1] + squares) / 2)
    of_naive, of_full = (
        float(((scores[1] > scores[0]) == (y == 1)).mean()) for scores in (naive, full)
    )
    if of_full < 0.95:
        raise Wrong(f"with full covariances {of_full:.0%} are right, which is less than 95%")
    if of_naive > 0.6:
        raise Wrong(f"naive Bayes is right in {of_naive:.0%}: not defeated yet")
