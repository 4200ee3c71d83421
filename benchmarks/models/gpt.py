"""The smallest GPT of the lectures: 4,192 parameters that learn to spell names.

One layer, 16 dimensions, 4 heads, up to 16 letters; RMSNorm without weights, ReLU, no biases.
`with_layers` computes whole arrays, all positions at once; `with_loops` goes letter by letter,
head by head, number by number.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

import micrograd
from benchmarks.models import Network, Numbers, leaves, names
from micrograd import Value, functional, nn

__all__ = ["GPT", "batches", "numbers", "padded", "single", "with_layers", "with_loops"]

VOCABULARY, BLOCK, WIDTH, HEADS, EPS = 27, 16, 16, 4, 1e-5
SIZE = WIDTH // HEADS  # of a head
SHAPES = {
    "token.weight": (VOCABULARY, WIDTH),
    "position.weight": (BLOCK, WIDTH),
    "query.weight": (WIDTH, WIDTH),
    "key.weight": (WIDTH, WIDTH),
    "value.weight": (WIDTH, WIDTH),
    "project.weight": (WIDTH, WIDTH),
    "expand.weight": (4 * WIDTH, WIDTH),
    "contract.weight": (WIDTH, 4 * WIDTH),
    "head.weight": (VOCABULARY, WIDTH),
}


def numbers(seed: int = 42) -> dict[str, np.ndarray]:
    """Every weight from N(0, 0.08**2)."""
    rng = np.random.default_rng(seed)
    return {name: rng.normal(0.0, 0.08, shape) for name, shape in SHAPES.items()}


def single(count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """(letters, next letters) of one name each."""
    return [(np.array(name[:-1]), np.array(name[1:])) for name in names()[:count]]


def padded(chosen: list[list[int]], block: int = BLOCK) -> tuple[np.ndarray, ...]:
    """(letters, next letters, mask), each (names, block); the mask is 0 behind a name's end."""
    letters = np.zeros((len(chosen), block), dtype=int)
    following = np.zeros((len(chosen), block), dtype=int)
    mask = np.zeros((len(chosen), block))
    for i, name in enumerate(chosen):
        length = len(name) - 1
        letters[i, :length], following[i, :length], mask[i, :length] = name[:-1], name[1:], 1.0
    return letters, following, mask


def batches(count: int, size: int = 32) -> list[tuple[np.ndarray, ...]]:
    every = names()
    return [padded(every[i * size : (i + 1) * size]) for i in range(count)]


class GPT(nn.Module):
    def __init__(self) -> None:
        self.token = nn.Embedding(VOCABULARY, WIDTH)
        self.position = nn.Embedding(BLOCK, WIDTH)
        self.norm = nn.RMSNorm(WIDTH, eps=EPS, elementwise_affine=False)
        self.query = nn.Linear(WIDTH, WIDTH, bias=False)
        self.key = nn.Linear(WIDTH, WIDTH, bias=False)
        self.value = nn.Linear(WIDTH, WIDTH, bias=False)
        self.project = nn.Linear(WIDTH, WIDTH, bias=False)
        self.expand = nn.Linear(WIDTH, 4 * WIDTH, bias=False)
        self.relu = nn.ReLU()
        self.contract = nn.Linear(4 * WIDTH, WIDTH, bias=False)
        self.head = nn.Linear(WIDTH, VOCABULARY, bias=False)

    def attention(self, x: Any) -> Any:
        def heads(y: Any) -> Any:  # (..., T, 16) -> (..., 4 heads, T, 4)
            return y.reshape(*y.shape[:-1], HEADS, SIZE).swapaxes(-2, -3)

        q, k, v = heads(self.query(x)), heads(self.key(x)), heads(self.value(x))
        scores = q @ k.swapaxes(-1, -2) * SIZE**-0.5
        past = np.tri(x.shape[-2])  # row t sees letters 0 to t
        mixed = functional.softmax(micrograd.where(past, scores, -np.inf)) @ v
        return self.project(mixed.swapaxes(-2, -3).reshape(x.shape))

    def __call__(self, letters: Any) -> Any:
        x = self.token(letters) + self.position(np.arange(letters.shape[-1]))
        x = self.norm(x)
        x = x + self.attention(self.norm(x))
        x = x + self.contract(self.relu(self.expand(self.norm(x))))
        return self.head(x)


def with_layers(numbers: Numbers) -> Network:
    model = GPT()
    model.load_state_dict(numbers)

    def loss(letters: Any, following: Any, mask: Any = None) -> Any:
        if mask is None:
            return functional.cross_entropy(model(letters), following)
        losses = functional.cross_entropy(model(letters), following, reduction="none")
        return (losses * mask).sum() / mask.sum()

    return Network(loss, dict(model.named_arrays()))


def with_loops(numbers: Numbers) -> Network:
    values = leaves(numbers)
    matrix = {name.removesuffix(".weight"): array.tolist() for name, array in values.items()}

    def name_losses(letters: Any, following: Any) -> list[Any]:
        """The loss of each letter of one name, given those before it."""
        losses, keys, attended = [], [], []
        for t, (letter, target) in enumerate(zip(letters, following, strict=True)):
            token = functional.take(matrix["token"], letter)
            x = normed([a + b for a, b in zip(token, matrix["position"][t], strict=True)])

            y = normed(x)
            query = linear(y, matrix["query"])
            keys.append(linear(y, matrix["key"]))
            attended.append(linear(y, matrix["value"]))
            mixed = []
            for h in range(0, WIDTH, SIZE):
                head = range(h, h + SIZE)
                scores = [sum(query[i] * key[i] for i in head) * SIZE**-0.5 for key in keys]
                weights = softmax(scores)
                for i in head:
                    mixed.append(sum(w * v[i] for w, v in zip(weights, attended, strict=True)))
            x = [a + b for a, b in zip(x, linear(mixed, matrix["project"]), strict=True)]

            hidden = [h.relu() for h in linear(normed(x), matrix["expand"])]
            x = [a + b for a, b in zip(x, linear(hidden, matrix["contract"]), strict=True)]

            probabilities = softmax(linear(x, matrix["head"]))
            losses.append(-functional.take(probabilities, target).log())
        return losses

    def loss(letters: Any, following: Any, mask: Any = None) -> Any:
        if mask is None:
            losses = name_losses(letters, following)
            return sum(losses) / len(losses)
        total, count = 0.0, 0.0
        for name, targets, real in zip(letters, following, mask, strict=True):
            for one, m in zip(name_losses(name, targets), real, strict=True):
                total = total + one * m
                count = count + m
        return total / count

    return Network(loss, values)


def linear(x: list[Any], weight: list[list[Value]]) -> list[Any]:
    return [sum(w * xi for w, xi in zip(row, x, strict=True)) for row in weight]


def normed(x: list[Any]) -> list[Any]:
    scale = (sum(xi * xi for xi in x) / len(x) + EPS) ** -0.5
    return [xi * scale for xi in x]


def softmax(scores: list[Any]) -> list[Any]:
    shift = reduce(micrograd.maximum, scores).detach()
    exponentials = [(score - shift).exp() for score in scores]
    total = sum(exponentials)
    return [e / total for e in exponentials]
