"""A hidden Markov model of 16 states: the likelihood of 50 letters by the forward recursion.

alpha_t[j] = m + log sum_i exp(alpha_{t-1}[i] - m) A[i, j] + log B[j, letter t], where m is the
largest of alpha_{t-1} and the tables are logits under a softmax: 704 parameters.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

import micrograd
from benchmarks.models import Network, Numbers, leaves
from benchmarks.models.attention import text
from benchmarks.models.makemore import VOCABULARY
from micrograd import functional

__all__ = ["LENGTH", "batches", "numbers", "with_loops"]

LENGTH = 50


def numbers(seed: int = 42, states: int = 16) -> dict[str, np.ndarray]:
    """Logits from N(0, 1)."""
    rng = np.random.default_rng(seed)
    shapes = {
        "start": (states,), "transition": (states, states), "emission": (states, VOCABULARY),
    }  # fmt: skip
    return {name: rng.normal(0.0, 1.0, shape) for name, shape in shapes.items()}


def batches(count: int, length: int = LENGTH) -> list[tuple[np.ndarray]]:
    """`length` letters each."""
    letters = text(count * length)
    return [(letters[i : i + length],) for i in range(0, count * length, length)]


def with_loops(numbers: Numbers) -> Network:
    values = leaves(numbers)
    start, transition, emission = (array.tolist() for array in values.values())

    def loss(letters: Any) -> Any:
        A = [[x.exp() for x in log_softmax(row)] for row in transition]
        B = [log_softmax(row) for row in emission]
        into = list(zip(*A, strict=True))  # into[j][i] = A[i][j]
        alpha = log_softmax(start)
        for t, letter in enumerate(letters):
            if t > 0:
                shift = reduce(micrograd.maximum, alpha).detach()
                shares = [(a - shift).exp() for a in alpha]
                alpha = [
                    sum(share * p for share, p in zip(shares, column, strict=True)).log() + shift
                    for column in into
                ]
            alpha = [a + functional.take(row, letter) for a, row in zip(alpha, B, strict=True)]
        return -log_sum_exp(alpha) / len(letters)

    return Network(loss, values)


def log_sum_exp(xs: list[Any]) -> Any:
    """m + log sum_i exp(x_i - m), where m is the largest, held constant."""
    shift = reduce(micrograd.maximum, xs).detach()
    return sum((x - shift).exp() for x in xs).log() + shift


def log_softmax(xs: list[Any]) -> list[Any]:
    total = log_sum_exp(xs)
    return [x - total for x in xs]
