"""Random tables for `take`: one row, rows in nested loops, gathered, transposed and computed rows.

A table is a source (parameters, arguments, constants, what was computed from them) seen through a
few views; traced integers choose among its rows, and what they chose may be a table again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from random_programs import Array, Sample, leaves

from micrograd import functional, ops

# parameters (p, q), arguments x (m, n) and y (n, m): what the rows are made of
SOURCES: list[tuple[str, Callable[[Array, Array, Array], Any]]] = [
    ("parameters", lambda w, x, y: w),
    ("an argument", lambda w, x, y: x),
    ("Values of an argument", lambda w, x, y: y),
    ("constants", lambda w, x, y: np.linspace(-1, 2, 6).reshape(2, 3)),
    ("computed", lambda w, x, y: ops.tanh(w) * w[0, 0]),
    ("computed of both", lambda w, x, y: x[:, :1] * w[:1]),
    ("a product", lambda w, x, y: y @ x),
    ("parameters and constants", lambda w, x, y: np.concatenate([w, np.ones((1, w.shape[1]))])),
    ("parameters and an argument", lambda w, x, y: np.array([w[0, 0], x[0, 0], 0.5, w[-1, -1]])),
    ("sums", lambda w, x, y: np.array([(w * k).sum() + x[0, 0] for k in range(3)])),

    ("ragged sums", lambda w, x, y: np.array([sum(w.flat[: k + 1]) for k in range(min(4, w.size))],
                                            dtype=object)),
]  # fmt: skip


# each sees an array of any shape another way; k is a free integer
VIEWS: list[tuple[str, Callable[[Array, int], Array]]] = [
    ("transposed", lambda a, k: a.T),
    ("backwards", lambda a, k: a[::-1]),
    ("every second", lambda a, k: a[k % 2 if len(a) > 1 else 0 :: 2]),
    ("first rows", lambda a, k: a[: 1 + k % len(a)]),
    ("one row", lambda a, k: a[k % len(a) :][:1]),
    ("first columns", lambda a, k: a[..., : 1 + k % a.shape[-1]]),
    ("last columns", lambda a, k: a[..., k % a.shape[-1] :]),
    ("ravelled", lambda a, k: a.ravel()),
    ("ravelled columns", lambda a, k: a.T.ravel()),
    ("as columns", lambda a, k: a.reshape(-1, 1)),
    ("deeper", lambda a, k: a[:, np.newaxis]),
    ("halved", lambda a, k: a.reshape(2, -1) if a.size % 2 == 0 else a),
    ("gathered", lambda a, k: a[np.random.default_rng(k).integers(len(a), size=1 + k % 4)]),
    ("each row twice", lambda a, k: np.repeat(a, 2, axis=0)),
    ("twice over", lambda a, k: np.concatenate([a, a])),
    ("one row, many times", lambda a, k: np.repeat(a[:1], 1 + k % 3, axis=0)),
    ("permuted", lambda a, k: np.random.default_rng(k).permutation(a.ravel()).reshape(a.shape)),
    ("scaled", lambda a, k: a * (1 + k)),
    ("squashed", lambda a, k: ops.tanh(a)),
    ("squares in a row", lambda a, k: np.stack([a, a * a])),
]

Use = Callable[[Any, Any, int], Any]
# what integers of one of SHAPES choose from a table t, and below what they must stay
USES: list[tuple[str, Callable[[Any, int, int], int], Use]] = [
    ("rows", lambda t, n, k: len(t), lambda t, i, k: functional.take(t, i)),
    ("along an axis", lambda t, n, k: t.shape[k % t.ndim],
     lambda t, i, k: functional.take(t, i, axis=k % t.ndim)),
    ("one by one", lambda t, n, k: len(t),
     lambda t, i, k: [functional.take(t, j) for j in np.ravel(i)]),
    ("of the transposed", lambda t, n, k: t.shape[-1], lambda t, i, k: functional.take(t.T, i)),
    ("of a list", lambda t, n, k: len(t), lambda t, i, k: functional.take(t.tolist(), i)),
    ("of what was chosen", lambda t, n, k: min(len(t), n * (t.size // len(t))),
     lambda t, i, k: functional.take(np.ravel(functional.take(t, i)), i)),
    ("twice", lambda t, n, k: len(t),
     lambda t, i, k: functional.take(t, i) * functional.take(t[::-1], i)),
    ("of two tables", lambda t, n, k: len(t),
     lambda t, i, k: [functional.take(t, i), functional.take(ops.sin(t), i)]),
    ("cross entropy", lambda t, n, k: t.size,
     lambda t, i, k: functional.cross_entropy(np.stack([t.ravel()] * np.size(i)), np.ravel(i))),
    ("one hot", lambda t, n, k: len(t),
     lambda t, i, k: functional.one_hot(np.ravel(i), len(t)) @ t.reshape(len(t), -1)),
]  # fmt: skip

SHAPES: list[tuple[int, ...]] = [(), (1,), (2,), (3,), (5,), (2, 2), (1, 3), (2, 1, 2)]


@st.composite
def tables(draw: Any) -> Sample:
    """Up to three tables, each of a source and up to three views, and integers into each."""
    parts = draw(st.lists(st.tuples(
        st.sampled_from(SOURCES),
        st.lists(st.tuples(st.sampled_from(VIEWS), st.integers(0, 7)), max_size=3),
        st.sampled_from(USES), st.sampled_from(SHAPES), st.integers(0, 7),
    ), min_size=1, max_size=3))  # fmt: skip
    m, n, p, q = (draw(st.integers(1, 4)) for _ in range(4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def table(part: Any, w: Array, x: Array, y: Array) -> Array:
        (_, source), views, *_ = part
        found = np.array(source(w, x, y))
        for (_, view), k in views:
            found = view(found, k)
        return found

    def function(w: Array, x: Array, y: Array, *index: Any) -> Any:
        results = []
        for part, i in zip(parts, index, strict=True):
            *_, (_, _, use), _, k = part
            chosen = use(table(part, w, x, y), i, k)
            results.append(chosen)
        return results

    shapes = np.ones((p, q)), np.ones((m, n)), np.ones((n, m))
    bounds = [
        bound(table(part, *shapes), int(np.prod(shape)), k)
        for part in parts
        for *_, (_, bound, _), shape, k in [part]
    ]

    def numbers() -> tuple[Any, ...]:
        index = [
            rng.integers(0, bound, size=part[3]) if part[3] else np.int64(rng.integers(bound))
            for part, bound in zip(parts, bounds, strict=True)
        ]
        return (rng.normal(size=(m, n)), leaves(rng.normal(size=(n, m))), *index)

    text = [
        f"take {use} {shape} of {source} {[f'{name} {k}' for (name, _), k in views]} {k}"
        for (source, _), views, (use, *_), shape, k in parts
    ]
    return Sample(text, function, leaves(rng.normal(size=(p, q))), [numbers(), numbers()])
