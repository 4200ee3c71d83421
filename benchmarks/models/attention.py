"""One head of causal self-attention over 48 letters, letter by letter.

Width 16, tokens and positions embedded: 2,656 parameters, of which a fifth are the positions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.models import Network, Numbers, leaves, names
from benchmarks.models.gpt import linear, softmax
from benchmarks.models.makemore import VOCABULARY, cross_entropy
from micrograd import functional

__all__ = ["LENGTH", "batches", "numbers", "text", "with_loops"]

LENGTH = 48


def numbers(seed: int = 42, width: int = 16, length: int = LENGTH) -> dict[str, np.ndarray]:
    """Embeddings from N(0, 1), matrices from N(0, 1/width)."""
    rng = np.random.default_rng(seed)
    found = {
        "token.weight": rng.normal(0.0, 1.0, (VOCABULARY, width)),
        "position.weight": rng.normal(0.0, 1.0, (length, width)),
    }
    for name in ("query", "key", "value", "project"):
        found[f"{name}.weight"] = rng.normal(0.0, width**-0.5, (width, width))
    found["head.weight"] = rng.normal(0.0, width**-0.5, (VOCABULARY, width))
    return found


def text(count: int) -> np.ndarray:
    """The names one after the other, a 0 before each, cut to `count` letters."""
    letters = [letter for name in names()[:count] for letter in name[:-1]]
    return np.array(letters[:count])


def batches(count: int, length: int = LENGTH) -> list[tuple[np.ndarray, ...]]:
    """(letters, next letters) of one piece of text each."""
    letters = text(count * length + 1)
    starts = range(0, count * length, length)
    return [(letters[i : i + length], letters[i + 1 : i + length + 1]) for i in starts]


def with_loops(numbers: Numbers) -> Network:
    values = leaves(numbers)
    matrix = {name.removesuffix(".weight"): array.tolist() for name, array in values.items()}
    scale = len(matrix["query"]) ** -0.5

    def loss(letters: Any, following: Any) -> Any:
        total, keys, attended = 0.0, [], []
        for t, (letter, target) in enumerate(zip(letters, following, strict=True)):
            token = functional.take(matrix["token"], letter)
            x = [a + b for a, b in zip(token, matrix["position"][t], strict=True)]
            query = linear(x, matrix["query"])
            keys.append(linear(x, matrix["key"]))
            attended.append(linear(x, matrix["value"]))
            scores = [sum(q * k for q, k in zip(query, key, strict=True)) * scale for key in keys]
            weights = softmax(scores)
            mixed = [
                sum(w * v for w, v in zip(weights, column, strict=True))
                for column in zip(*attended, strict=True)
            ]
            y = linear(mixed, matrix["project"])
            x = [a + b for a, b in zip(x, y, strict=True)]
            total = total + cross_entropy(linear(x, matrix["head"]), target)
        return total / len(letters)

    return Network(loss, values)
