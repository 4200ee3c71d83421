"""Planted answers to the primer's exercises: mistakes, and right ones of unusual form."""

import numpy as np
from planting import Misread
from scipy.special import expit

from micrograd import Value


def multiplied(A, *, start=None, times=2000, value=True, unit=True):
    v = np.random.default_rng(1).normal(size=len(A)) if start is None else np.eye(len(A))[start]
    for _ in range(times):
        v = A @ v
        if unit:
            v = v / np.sqrt(v @ v)
    return (v @ A @ v if value else v @ v), v


def by_entries(A):
    """With plain floats, the largest entry kept at 1 on the way."""
    v = [1.0 + 0.37 * i for i in range(len(A))]
    for _ in range(3000):
        v = [sum(a * x for a, x in zip(row, v, strict=True)) for row in A.tolist()]
        stretch = max(v, key=abs)
        v = [x / stretch for x in v]
    length = sum(x * x for x in v) ** 0.5
    return [stretch, [-x / length for x in v]]


def cubed(A):
    """The cube of A has the same directions, and reaches them in fewer steps."""
    v = multiplied(A @ A @ A, times=500)[1]
    return np.array(v @ A @ v / (v @ v)), -v


def of_values(z, y):
    losses = [(1 + Value(-abs(a)).exp()).log() + max(a if b == 0 else -a, 0.0)
              for a, b in zip(z, y, strict=True)]  # fmt: skip
    return sum(losses) / len(losses)


def overflowing(z, y):
    costs = 1 + np.exp(np.where(y == 1, -z, z))
    return np.log(costs).mean()


def by_softplus(z, y):
    z = np.where(np.asarray(y) == 1, -z, z)
    return np.mean(np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))))


WRONG = {
    "a_shadow": [(8, 5, [1.6, 3.2]), (8, 5**0.5, [0.8 * 4, 0.8 * 2]), (6, 5**0.5, [1.6, 3.2])],
    "eigenvalues_by_hand": [(1, 6, 5), (2, 5, 2.5), (6, 1, 6)],
    "the_largest_eigenvalue_by_multiplying": [
        lambda A: multiplied(A, start=0),  # an axis that may be an eigenvector itself
        lambda A: multiplied(A, times=3),
        lambda A: multiplied(A, value=False),
        lambda A: multiplied(A, unit=False),
        lambda A: (np.linalg.eigh(A)[0][-1], np.linalg.eigh(A)[1][:, -1]),
    ],
    "two_coins_and_their_sum": [
        (0.2, 0.16, 4, 0.0016),
        (0.2, 0.4, 10, 0.04),
        (0.2, 0.16, 100, 0.04),
        (0.2, 0.8, 4, 0.04),
    ],
    "logits_in_your_head": [
        (np.log10(4), 8 / 9, 0.685),
        (np.log(4), 0.8 + np.log(2), 0.685),
        (np.log(4), 8 / 9, -np.log(0.8)),
    ],
    "log_loss_that_does_not_overflow": [
        lambda z, y: -np.log(np.where(y == 1, expit(z), expit(-z))).mean(),
        overflowing,
        lambda z, y: np.logaddexp(0, np.where(y == 1, z, -z)).mean(),
        lambda z, y: np.logaddexp(0, np.where(y == 1, -z, z)).sum(),
        lambda z, y: -np.log(np.clip(np.where(y == 1, expit(z), expit(-z)), 1e-12, 1)).mean(),
    ],
    "a_price_for_a_fence": [(10, 10, 10), (20, 5, 5), (10, 5, 1)],
    "wine_or_units": [
        (0.998, 0.362, "wine"),
        (0.998, 0.998, "units"),
        (0.362, 0.998, "units"),
    ],
}

RIGHT = {
    "a_shadow": [("8", "2.236", ["8/5", "16/5"]), (8.0, np.sqrt(5), np.array([1.6, 3.2]))],
    "eigenvalues_by_hand": [("1", 6.0, np.float64(6)), ([1], [6], [6])],
    "the_largest_eigenvalue_by_multiplying": [
        by_entries,
        cubed,
    ],
    "two_coins_and_their_sum": [("1/5", "4/25", 4, "1/25"), (0.2, 0.16, 4.0, 0.04)],
    "logits_in_your_head": [(1.386, 0.889, 0.685), (np.log(0.8 / 0.2), "8/9", 0.6852)],
    "log_loss_that_does_not_overflow": [of_values, by_softplus],
    "a_price_for_a_fence": [(10.0, "5", 5.0), ("10", "10/2", [5])],
    "wine_or_units": [(0.998, 0.362, " Units"), (0.9981, 0.3620, "UNITS")],
}

MISREAD = {
    "a_shadow": Misread(
        (8, 5**0.5, [1.6, 0.8]),
        "The two vectors of the projection change places.",
        "the text asks for that of a on b",
    ),
    "eigenvalues_by_hand": Misread(
        (1, 6, 5),
        "The condition number is read as the distance of the eigenvalues.",
        "the text asks for their ratio",
    ),
    "the_largest_eigenvalue_by_multiplying": Misread(
        lambda A: (cubed(A)[0], 2 * cubed(A)[1]),
        "Any arrow along the direction is an eigenvector.",
        "the text asks for length 1",
    ),
    "two_coins_and_their_sum": Misread(
        (0.2, 0.16, 4, 0.0016),
        "The standard error is read as the variance of the mean.",
        "the text asks for its root",
    ),
    "logits_in_your_head": Misread(
        (np.log10(4), 8 / 9, 0.685),
        "The logarithm is taken to base 10.",
        "the text asks for the natural one",
    ),
    "log_loss_that_does_not_overflow": Misread(
        lambda z, y: np.logaddexp(0, np.where(y == 1, -z, z)).sum(),
        "The loss is read as the sum over the cases.",
        "the text asks for the mean",
    ),
    "a_price_for_a_fence": Misread(
        (10, 10, 10),
        "The limit is written as x + y = 20 before its price is found.",
        "the text asks for that with 2x + 2y",
    ),
    "wine_or_units": Misread(
        (0.998, 0.362, "wine"),
        "A large share is a discovery, whatever the units.",
        "would the share change with another unit",
    ),
}
