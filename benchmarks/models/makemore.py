"""The MLP of makemore part 2: three letters, an embedding of 10, a hidden layer of 200, the next.

27 x 10 + 30 x 200 + 200 + 200 x 27 + 27 = 11,897 parameters. `examples` serves `wavenet` too.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

import micrograd
from benchmarks.models import Network, Numbers, leaves, names
from micrograd import functional, nn

__all__ = ["batches", "examples", "numbers", "with_layers", "with_loops"]

VOCABULARY, CONTEXT, EMBEDDING = 27, 3, 10


def numbers(seed: int = 2147483647, hidden: int = 200) -> dict[str, np.ndarray]:
    """The embedding from N(0, 1); weights scaled for tanh, the last layer small."""
    rng = np.random.default_rng(seed)
    nin = CONTEXT * EMBEDDING
    return {
        "0.weight": rng.normal(0.0, 1.0, (VOCABULARY, EMBEDDING)),
        "2.weight": rng.normal(0.0, 5 / 3 / nin**0.5, (hidden, nin)),
        "2.bias": rng.normal(0.0, 0.01, hidden),
        "4.weight": rng.normal(0.0, 0.01, (VOCABULARY, hidden)),
        "4.bias": np.zeros(VOCABULARY),
    }


def examples(context: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """`context` letters (count, context) and the one that follows (count,), in random order."""
    X, y = [], []
    for name in names():
        row = [0] * context
        for letter in name[1:]:
            X.append(row)
            y.append(letter)
            row = [*row[1:], letter]
        if len(X) >= 4 * count:
            break
    chosen = np.random.default_rng(1).permutation(len(X))[:count]
    return np.array(X)[chosen], np.array(y)[chosen]


def batches(count: int, size: int = 32, context: int = CONTEXT) -> list[tuple[np.ndarray, ...]]:
    X, y = examples(context, count * size)
    return [(X[i : i + size], y[i : i + size]) for i in range(0, count * size, size)]


def with_layers(numbers: Numbers) -> Network:
    hidden, nin = numbers["2.weight"].shape
    model = nn.Sequential(
        nn.Embedding(VOCABULARY, EMBEDDING), nn.Flatten(),
        nn.Linear(nin, hidden), nn.Tanh(),
        nn.Linear(hidden, VOCABULARY),
    )  # fmt: skip
    model.load_state_dict(numbers)

    def loss(X: Any, y: Any) -> Any:
        return functional.cross_entropy(model(X), y)

    return Network(loss, dict(model.named_arrays()))


def with_loops(numbers: Numbers) -> Network:
    values = leaves(numbers)
    embedding, W1, b1, W2, b2 = (array.tolist() for array in values.values())

    def loss(X: Any, y: Any) -> Any:
        total = 0.0
        for letters, target in zip(X, y, strict=True):
            x = [number for letter in letters for number in functional.take(embedding, letter)]
            hidden = [unit.tanh() for unit in linear(x, W1, b1)]
            total = total + cross_entropy(linear(hidden, W2, b2), target)
        return total / len(y)

    return Network(loss, values)


def linear(x: list[Any], weight: list[list[Any]], bias: Any = None) -> list[Any]:
    products = [[w * xi for w, xi in zip(row, x, strict=True)] for row in weight]
    return [sum(row, b) for row, b in zip(products, bias or [0.0] * len(weight), strict=True)]


def cross_entropy(logits: list[Any], target: Any) -> Any:
    """log sum_i exp(z_i - m) - (z_target - m), where m is the largest score, held constant."""
    shift = reduce(micrograd.maximum, logits).detach()
    shifted = [z - shift for z in logits]
    return sum(z.exp() for z in shifted).log() - functional.take(shifted, target)
