"""An LSTM that reads eight letters and guesses the ninth, number by number.

Embedding 10, hidden 32, one layer: 6,665 parameters. The gates stand in PyTorch's order: input,
forget, cell, output.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.models import Network, Numbers, leaves
from benchmarks.models.makemore import VOCABULARY, cross_entropy, linear
from benchmarks.models.makemore import batches as letters_before
from micrograd import functional, ops

__all__ = ["CONTEXT", "batches", "numbers", "with_loops"]

CONTEXT = 8


def numbers(seed: int = 42, embedding: int = 10, hidden: int = 32) -> dict[str, np.ndarray]:
    """The embedding from N(0, 1), every other number from U(-1/sqrt(hidden), 1/sqrt(hidden))."""
    rng = np.random.default_rng(seed)
    shapes = {
        "input.weight": (4 * hidden, embedding),
        "input.bias": (4 * hidden,),
        "hidden.weight": (4 * hidden, hidden),
        "head.weight": (VOCABULARY, hidden),
        "head.bias": (VOCABULARY,),
    }
    bound = hidden**-0.5
    return {
        "token.weight": rng.normal(0.0, 1.0, (VOCABULARY, embedding)),
        **{name: rng.uniform(-bound, bound, shape) for name, shape in shapes.items()},
    }


def batches(count: int, size: int = 32) -> list[tuple[np.ndarray, ...]]:
    return letters_before(count, size, CONTEXT)


def with_loops(numbers: Numbers) -> Network:
    values = leaves(numbers)
    token, Wx, bx, Wh, W, b = (array.tolist() for array in values.values())
    size = len(Wh[0])

    def loss(X: Any, y: Any) -> Any:
        total = 0.0
        for letters, target in zip(X, y, strict=True):
            h, c = [0.0] * size, [0.0] * size
            for letter in letters:
                x = functional.take(token, letter)
                gates = linear(x, Wx, bx)
                gates = [gate + r for gate, r in zip(gates, linear(h, Wh), strict=True)]
                for j in range(size):
                    i, f, g, o = gates[j::size]
                    c[j] = sigmoid(f) * c[j] + sigmoid(i) * ops.tanh(g)
                    h[j] = sigmoid(o) * ops.tanh(c[j])
            total = total + cross_entropy(linear(h, W, b), target)
        return total / len(y)

    return Network(loss, values)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + ops.exp(-x))
