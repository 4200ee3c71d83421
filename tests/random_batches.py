"""Random functions of a batch, for `lift(batched=...)`: called at sizes from 1 to 20.

Most treat the rows alike and extend; some look at the size, or at some of the rows, and do not.
Then lift has to say so, and be right all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
from hypothesis import strategies as st
from random_programs import Array, Sample, leaves

from micrograd import functional, ops

Rows = list[Any]


def _mean(rows: Rows) -> Any:
    return sum(rows) / len(rows)


def _recurrence(row: Any, w: Array) -> Any:
    h = row[0]
    for x in row[1:]:
        h = ops.tanh(h * w[0, 0] + x * w[0, 1])
    return h * row


# each takes rows (n, 3) of the batch, weights (3, 3) and integers (n,), and gives rows
ALIKE: list[tuple[str, Callable[[Any, Array, Any], Any]]] = [
    ("product", lambda X, w, i: X @ w),
    ("product in loops", lambda X, w, i: np.array(
        [[sum(a * b for a, b in zip(x, column, strict=True)) for column in w.T] for x in X])),
    ("linear", lambda X, w, i: functional.linear(X, w, w[0])),
    ("tanh", lambda X, w, i: ops.tanh(X)),
    ("hinge", lambda X, w, i: ops.relu(1 - X * w[0])),
    ("embed", lambda X, w, i: X + functional.take(w, i)),
    ("embed column by column", lambda X, w, i: X * functional.take(w.T, i)),
    ("one hot", lambda X, w, i: X * functional.one_hot(i, 3) + X),
    ("softmax", lambda X, w, i: functional.softmax(X)),
    ("recurrence", lambda X, w, i: np.array([_recurrence(x, w) for x in X])),
    ("attention", lambda X, w, i: np.array(
        [functional.softmax(np.array([x * k for k in x])).sum(axis=0) * x[0] for x in X])),
    ("maximum", lambda X, w, i: np.array([x - ops.detach(reduce(ops.maximum, x)) for x in X])),
    ("ragged", lambda X, w, i: np.array(
        [[sum(x[: k + 1]) * w[0, k] for k in range(3)] for x in X])),
    ("centred", lambda X, w, i: X - X.mean(axis=0)),
    ("standardised", lambda X, w, i: X * ((X * X).sum(axis=0) * (1 / len(X)) + 0.1) ** -0.5),
    ("mean of the batch", lambda X, w, i: X + _mean(list(X.sum(axis=1)))),
    ("list of rows", lambda X, w, i: np.array([list(x[::-1] * w[1]) for x in X])),
    ("swapped columns", lambda X, w, i: X[:, [2, 0, 1]]),
    ("a number of its own", lambda X, w, i: X * 0.5 - 1),
    ("where", lambda X, w, i: ops.where(ops.greater(X, 0.0), X, w[2])),
]  # fmt: skip

# the same with k from 1 to 10, where a size from 3 on may be told from the others
UNLIKE: list[tuple[str, Callable[[Any, Array, Any, int], Any]]] = [
    ("the first k count", lambda X, w, i, k: X * 0.5 + X[:k].sum()),
    ("the last k count", lambda X, w, i, k: X * 0.5 + X[-k:].sum()),
    ("other from k on", lambda X, w, i, k: X * 2 if len(X) > k else X + w[0]),
    ("in chunks of k", lambda X, w, i, k: np.concatenate(
        [X[a : a + k] - X[a : a + k].mean(axis=0) for a in range(0, len(X), k)])),
    ("mean of at most k", lambda X, w, i, k: X - X.sum(axis=0) * (1 / min(len(X), k))),
    ("odd and even", lambda X, w, i, k: X * (1 + len(X) % 2)),
    ("a power", lambda X, w, i, k: X * 1.1 ** len(X)),
    ("row by its number", lambda X, w, i, k: np.array(
        [x * (1 / (j + k)) for j, x in enumerate(X)])),
    ("neighbours", lambda X, w, i, k: np.array([x + X[(j + k) % len(X)] for j, x in enumerate(X)])),
    ("backwards", lambda X, w, i, k: X[::-1]),
    ("every k-th", lambda X, w, i, k: X + X[::k].mean(axis=0)),
    ("pairs", lambda X, w, i, k: X + sum(a[0] * b[0] for j, a in enumerate(X) for b in X[:j])),
]  # fmt: skip

RESULTS: list[tuple[str, Callable[[Any, Any, int], Any]]] = [
    ("a loss", lambda X, i, k: []),
    ("the rows", lambda X, i, k: X),
    ("row sums", lambda X, i, k: [x.sum() for x in X]),
    ("the first row", lambda X, i, k: X[0]),
    ("the first k", lambda X, i, k: X[:k]),
    ("the last row", lambda X, i, k: [X[-1], {"k": k}]),
    ("cross entropy", lambda X, i, k: functional.cross_entropy(X, i, reduction="sum")),
    ("each one's cross entropy", lambda X, i, k: _mean(
        [functional.cross_entropy(x, j) for x, j in zip(X, i, strict=True)])),
]  # fmt: skip

_places = st.integers(1, 10)
_alike = st.tuples(st.integers(0, len(ALIKE) - 1), st.just(0))
_unlike = st.tuples(st.integers(0, len(UNLIKE) - 1), _places)


@st.composite
def batches(draw: Any) -> Sample:
    """Up to four steps on a batch, now and then one that does not treat the rows alike."""
    steps = draw(st.lists(st.one_of(_alike, _alike, _alike, _unlike), min_size=1, max_size=4))
    returned, k = draw(st.sampled_from(RESULTS)), draw(_places)
    sizes = draw(st.lists(st.integers(1, 20), min_size=2, max_size=4))
    as_values, decay = draw(st.booleans()), draw(st.booleans())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def function(w: Array, X: Any, i: Any) -> Any:
        rows = X
        for which, place in steps:
            alike, unlike = ALIKE[which % len(ALIKE)][1], UNLIKE[which % len(UNLIKE)][1]
            rows = unlike(rows, w, i, place) if place else alike(rows, w, i)
        loss = (rows * rows).sum() / len(rows)
        if decay:
            loss = loss + 0.1 * (w * w).sum()
        return loss, returned[1](rows, i, k)

    def call(size: int) -> tuple[Any, ...]:
        X = rng.normal(size=(size, 3))
        return leaves(X) if as_values else X, rng.integers(0, 3, size=size)

    text = [f"{UNLIKE[which][0]} {k}" if k else ALIKE[which][0] for which, k in steps]
    text.append(f"return {returned[0]} {k}, at {sizes}")
    return Sample(text, function, leaves(rng.normal(size=(3, 3))), [call(n) for n in sizes])
