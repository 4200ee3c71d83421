"""Shapes of computation that loops make and arrays find hard: tables, recurrences, ragged reads.

Each is a loss as plain loops over Values, and the numbers to start from. A table (soft-DTW, CTC,
min-plus) fills cell by cell from its neighbours, a recurrence step by step, and the others read
rows of different length. `peers/torch_shapes.py` has the same losses as tensors.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from micrograd import ops

__all__ = ["SHAPES", "Shape", "graph", "labels"]


class Shape(NamedTuple):
    """`loss(*arrays)` is a function of arrays of Values; `arrays` are the numbers to start from.

    `limit`: how many instructions we hold ourselves to.
    """

    title: str
    loss: Callable[..., Any]
    arrays: tuple[np.ndarray, ...]
    limit: int


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 1.0, shape)


def total(xs: Any) -> Any:
    return reduce(lambda a, b: a + b, xs)


# --- tables ---------------------------------------------------------------------------------------


def neighbours(table: list[list[Any]], i: int, j: int) -> list[Any]:
    """The cells above, to the left and above left, as far as there are any."""
    found = [(i - 1, j), (i, j - 1), (i - 1, j - 1)]
    return [table[a][b] for a, b in found if a >= 0 and b >= 0]


def soft_minimum(xs: list[Any]) -> Any:
    """-log sum exp(-x)"""
    return -(total([(-x).exp() for x in xs]).log()) if len(xs) > 1 else xs[0]


def aligned(x: Any, y: Any, least: Callable[[list[Any]], Any]) -> Any:
    """The cost of the cheapest way to align two series: D[i, j] = (x_i - y_j)**2 + least before."""
    table: list[list[Any]] = []
    for i in range(len(x)):
        table.append([])
        for j in range(len(y)):
            before = neighbours(table, i, j)
            cost = (x[i] - y[j]) ** 2
            table[i].append(cost + least(before) if before else cost)
    return table[-1][-1]


def soft_dtw(x: Any, y: Any) -> Any:
    return aligned(x, y, soft_minimum)


def min_plus(x: Any, y: Any) -> Any:
    return aligned(x, y, lambda xs: reduce(ops.minimum, xs))


def labels(length: int = 21, kinds: int = 6) -> list[int]:
    """Letters with a blank (0) before, between and after them."""
    letters = np.random.default_rng(1).integers(1, kinds, length // 2)
    return [0 if s % 2 == 0 else int(letters[s // 2]) for s in range(length)]


def ctc(logits: Any) -> Any:
    """-log of the probability of all paths that spell the labels: alpha[t, s] by its three ways."""
    spelt = labels()
    rows = [[x - total([y.exp() for y in row]).log() for x in row] for row in logits]
    alpha: list[Any] = [rows[0][spelt[0]], rows[0][spelt[1]], *[None] * (len(spelt) - 2)]
    for row in rows[1:]:
        new: list[Any] = []
        for s, letter in enumerate(spelt):
            skips = s > 1 and letter != 0 and letter != spelt[s - 2]
            ways = [alpha[k] for k in range(max(0, s - 1 - skips), s + 1) if alpha[k] is not None]
            reached = total([way.exp() for way in ways]).log() if len(ways) > 1 else None
            reached = ways[0] if len(ways) == 1 else reached
            new.append(None if reached is None else reached + row[letter])
        alpha = new
    return -(alpha[-1].exp() + alpha[-2].exp()).log()


# --- recurrences ----------------------------------------------------------------------------------


def running_sum(x: Any) -> Any:
    """sum of squares of x0, x0 + x1, ..."""
    partial, squares = 0.0, []
    for element in x:
        partial = partial + element
        squares.append(partial * partial)
    return total(squares)


def cumsum(x: Any) -> Any:
    found = np.cumsum(x)
    return (found * found).sum()


def autoregression(a: Any, x: Any) -> Any:
    """h = a0 h + a1, with a loss at each step."""
    h, losses = a[2], []
    for target in x:
        h = a[0] * h + a[1]
        losses.append((h - target) ** 2)
    return total(losses) / len(losses)


def euler(a: Any, x: Any) -> Any:
    """h' = a0 h - a1 h**3 + a2 sin(h) by Euler's method, with a loss at each step."""
    h, losses = a[3], []
    for target in x:
        h = h + 0.01 * (a[0] * h - a[1] * h**3 + a[2] * ops.sin(h))
        losses.append((h - target) ** 2)
    return total(losses) / len(losses)


def predators(a: Any, x: Any) -> Any:
    """Lotka and Volterra's equations: two numbers that read each other."""
    u, v, losses = a[4], a[5], []
    for target in x:
        both = u * v
        u, v = u + 0.01 * (a[0] * u - a[1] * both), v + 0.01 * (a[2] * both - a[3] * v)
        losses.append((u - target) ** 2)
    return total(losses) / len(losses)


def small_rnn(w: Any, x: Any) -> Any:
    """h = tanh(w0 h + w1 x + w2), with a loss at each step."""
    h, losses = w[3], []
    for before, target in itertools.pairwise(x):
        h = (w[0] * h + w[1] * before + w[2]).tanh()
        losses.append((h - target) ** 2)
    return total(losses) / len(losses)


def last_states(w: Any, x: Any) -> Any:
    """The same unit for each column of x, one beside the other; only their last numbers count."""
    h = [w[3]] * x.shape[1]
    for row in x:
        h = [
            (w[0] * before + w[1] * element + w[2]).tanh()
            for before, element in zip(h, row, strict=True)
        ]
    return total([(state - 1.0) ** 2 for state in h])


# --- rows of different length ---------------------------------------------------------------------


def softmax(xs: list[Any]) -> list[Any]:
    powers = [x.exp() for x in xs]
    whole = total(powers)
    return [p / whole for p in powers]


def linear(x: Any, weight: Any) -> list[Any]:
    return [total([a * b for a, b in zip(x, row, strict=True)]) for row in weight]


def causal_attention(x: Any, query: Any, key: Any, value: Any) -> Any:
    """One head; position t attends to positions 0 to t."""
    keys, values, squares = [], [], []
    for row in x:
        q = linear(row, query)
        keys.append(linear(row, key))
        values.append(linear(row, value))
        scores = [total([a * b for a, b in zip(q, k, strict=True)]) * 0.25 for k in keys]
        weights = softmax(scores)
        mixed = [
            total([w * v for w, v in zip(weights, column, strict=True)])
            for column in zip(*values, strict=True)
        ]
        squares += [m * m for m in mixed]
    return total(squares)


def graph(nodes: int = 60, degree: int = 4) -> list[list[int]]:
    """Whom each node hears: itself and one to `degree` * 2 - 1 others."""
    rng = np.random.default_rng(2)
    return [
        [i, *(int(j) for j in rng.choice(nodes, rng.integers(1, 2 * degree), replace=False))]
        for i in range(nodes)
    ]


def convolved(x: Any, weight: Any, heard: list[list[int]]) -> list[list[Any]]:
    """relu of the mean over the neighbours of W x."""
    sent = [linear(row, weight) for row in x]
    return [
        [(total([sent[j][k] for j in js]) / len(js)).relu() for k in range(len(weight))]
        for js in heard
    ]


def adjacency_lists(x: Any, first: Any, second: Any) -> Any:
    """Two layers of a graph convolution over lists of neighbours."""
    heard = graph()
    found = convolved(convolved(x, first, heard), second, heard)
    return total([v * v for row in found for v in row])


def dilated(x: Any, *weights: Any) -> Any:
    """Causal convolutions with 1, 2 and 4 steps between the taps; what lies before is left out."""
    for k, weight in enumerate(weights):
        step, out = 2**k, []
        for t in range(len(x)):
            taps = [(d, t - d * step) for d in range(len(weight)) if t - d * step >= 0]
            out.append([
                total([weight[d][o][c] * x[s][c] for d, s in taps for c in range(len(x[s]))]).tanh()
                for o in range(len(weight[0]))
            ])  # fmt: skip
        x = out
    return total([v * v for row in x for v in row])


def attention_arrays(length: int, width: int = 16) -> tuple[np.ndarray, ...]:
    matrices = (normal(width, width, seed=k) * width**-0.5 for k in (1, 2, 3))
    return (normal(length, width), *matrices)


SHAPES: dict[str, Shape] = {
    "soft-dtw": Shape("soft-DTW, 24 x 24", soft_dtw, (normal(24), normal(24, seed=1)), 192),
    "min-plus": Shape("min-plus DP, 24 x 24", min_plus, (normal(24), normal(24, seed=1)), 100),
    "ctc": Shape("CTC, 21 labels, 30 steps", ctc, (normal(30, 6),), 150),
    "running-sum": Shape("running sum of 300", running_sum, (normal(300),), 3),
    "cumsum": Shape("np.cumsum of 300", cumsum, (normal(300),), 3),
    "autoregression": Shape(
        "h = a h + b, 4,000 steps", autoregression,
        (np.array([0.9, 0.1, 0.5]), normal(4000)), 12,
    ),
    "euler": Shape(
        "Euler's method, 4,000 steps", euler, (np.array([0.5, 0.2, 0.3, 0.7]), normal(4000)), 12,
    ),
    "predators": Shape(
        "two coupled numbers, 4,000 steps", predators,
        (np.array([1.0, 0.5, 0.3, 0.6, 1.0, 1.0]), normal(4000)), 12,
    ),
    "small-rnn": Shape(
        "RNN of one unit, 4,000 steps", small_rnn,
        (np.array([0.9, 0.1, 0.0, 0.5]), normal(4000)), 12,
    ),
    "last-states": Shape(
        "last states of ten such RNNs, 400 steps", last_states,
        (np.array([0.9, 0.1, 0.0, 0.5]), normal(400, 10)), 12,
    ),
    "causal-48": Shape("causal attention, 48 rows", causal_attention, attention_arrays(48), 12),
    "gcn": Shape(
        "GCN by adjacency lists, 60 nodes", adjacency_lists,
        (normal(60, 16), normal(16, 16, seed=1) / 4, normal(16, 16, seed=2) / 4), 14,
    ),
    "dilated": Shape(
        "dilated causal convolutions, T 128", dilated,
        (normal(128, 8), *(normal(3, 8, 8, seed=k) / 5 for k in (1, 2, 3))), 14,
    ),
}  # fmt: skip
