"""Random routines for `lift`: the algorithms that people write of scalars, in plain Python.

Recursion, dynamic programming, ragged rows, functions with kinks, sums of terms of two kinds, sums
that may be empty. Each routine takes lists of numbers and gives a list, so that they follow one
another.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
from hypothesis import strategies as st
from random_programs import Sample, leaves

from micrograd import Value, functional, ops

List = list[Any]


def _recursion(xs: List, ws: List, i: int = 0) -> Any:
    """x0 * w0 + tanh(x1 * w1 + tanh(...))"""
    here = xs[i] * ws[i % len(ws)]
    return here if i + 1 == len(xs) else here + ops.tanh(_recursion(xs, ws, i + 1))


def _halves(xs: List, join: Callable[[Any, Any], Any]) -> Any:
    """A tree of pairs over the list."""
    if len(xs) == 1:
        return xs[0]
    return join(_halves(xs[: len(xs) // 2], join), _halves(xs[len(xs) // 2 :], join))


def _butterflies(xs: List, ws: List) -> List:
    """A Fourier transform's recursion, on real numbers."""
    if len(xs) == 1:
        return xs
    even, odd = _butterflies(xs[::2], ws), _butterflies(xs[1::2], ws)
    pairs = [(a, b * ws[k % len(ws)]) for k, (a, b) in enumerate(zip(even, odd, strict=False))]
    return [a + b for a, b in pairs] + [a - b for a, b in pairs] + even[len(pairs) :]


def _grid(xs: List, ws: List, border: Any, join: Callable[..., Any]) -> Any:
    """A table filled cell by cell from the three neighbours before it: edit distance, warping."""
    before = [border * j for j in range(len(ws) + 1)]
    for i, x in enumerate(xs):
        row = [border * (i + 1)]
        for j, w in enumerate(ws):
            row.append(join(before[j], before[j + 1], row[j], x, w))
        before = row
    return before[-1]


def _soft_minimum(*terms: Any) -> Any:
    return -ops.log(sum(ops.exp(-t) for t in terms))


def _best_path(xs: List, ws: List, best: Callable[[Any, Any], Any]) -> List:
    """Viterbi: scores of two states after each step, or forward with a soft maximum."""
    a, b = xs[0], ws[0]
    for x in xs[1:]:
        a, b = best(a + x, b - x * ws[-1]), best(a * 0.5, b + ws[0])
    return [a, b]


def _knapsack(xs: List, ws: List, n: int) -> Any:
    """The most of xs in a room of n, where the k-th takes 1 + k % 2."""
    best: List = [0.0] * (n + 1)
    for k, x in enumerate(xs):
        size = 1 + k % 2
        best = [
            ops.maximum(best[room], best[room - size] + x) if room >= size else best[room]
            for room in range(n + 1)
        ]
    return best[n] * ws[0]


def _compare_exchange(xs: List) -> List:
    """Bubble sort as a network of minima and maxima."""
    xs = list(xs)
    for end in range(len(xs) - 1, 0, -1):
        for j in range(end):
            xs[j], xs[j + 1] = ops.minimum(xs[j], xs[j + 1]), ops.maximum(xs[j], xs[j + 1])
    return xs


def _fibonacci(a: Any, b: Any, n: int) -> List:
    found = [a, b]
    for _ in range(n):
        found.append(found[-1] * 0.5 + found[-2])
    return found


def _power(x: Any, n: int) -> Any:
    """By squaring, of tanh x: every factor is used twice."""
    x, result = ops.tanh(x), 1.0
    while n:
        result, x, n = (result * x if n % 2 else result), x * x, n // 2
    return result


def _two_kinds(xs: List, ws: List) -> Any:
    """Terms of two kinds added in turn."""
    total: Any = 0
    for k, x in enumerate(xs):
        y = x * ws[k % len(ws)]
        total = total + (y - 1) ** 2
        total = total + ops.relu(y - 0.5)
    return total


def _euler(xs: List, ws: List, n: int) -> List:
    """dx/dt = -w x, dy/dt = sin x, with the loss of each step."""
    x, y, losses = xs[0], xs[-1], []
    for _ in range(n):
        x, y = x - 0.1 * ws[0] * x, y + 0.1 * ops.sin(x)
        losses.append((x - y) ** 2)
    return [x, y, sum(losses)]


def _eliminated(xs: List, ws: List, n: int) -> List:
    """Gaussian elimination of a diagonally dominant system."""
    n = 1 + n % 3
    rows = [
        [ops.tanh(xs[(i + j) % len(xs)]) * ops.tanh(ws[j % len(ws)]) + 4.0 * (i == j)
         for j in range(n)] + [xs[i % len(xs)]]
        for i in range(n)
    ]  # fmt: skip
    for i in range(n):
        rows[i] = [v / rows[i][i] for v in rows[i]]
        for j in range(n):
            if i != j:
                rows[j] = [v - rows[j][i] * u for v, u in zip(rows[j], rows[i], strict=True)]
    return [row[-1] for row in rows]


def _cell(xs: List, ws: List, n: int) -> List:
    """A gated recurrence over ragged words: xs[:1], xs[:2], ..."""
    ends = []
    for length in range(1, min(n, len(xs)) + 1):
        h: Any = 0.0
        for x in xs[:length]:
            gate = ops.sigmoid(h * ws[0] + x)
            h = gate * h + (1 - gate) * ops.tanh(x * ws[-1])
        ends.append(h)
    return ends


def _logsumexp(xs: List) -> Any:
    largest = ops.detach(reduce(ops.maximum, xs))
    return largest + ops.log(sum(ops.exp(x - largest) for x in xs))


# each takes two lists of at least one number, integers 0 <= i < 3 (one traced), and 0 <= n <= 6
ROUTINES: list[tuple[str, Callable[[List, List, Any, int], Any]]] = [
    ("dot of n", lambda xs, ws, i, n: [sum(x * w for x, w in zip(xs[:n], ws, strict=False))]),
    ("dot of n from a bias", lambda xs, ws, i, n: [
        sum((x * w for x, w in zip(xs[:n], ws, strict=False)), ws[0])]),
    ("dot of n by NumPy", lambda xs, ws, i, n: [
        np.array(xs[:n] or [0.0]) @ np.array((ws * 6)[: len(xs[:n]) or 1])]),
    ("dots of every length", lambda xs, ws, i, n: [
        sum(x * w for x, w in zip(xs[:k], ws, strict=False)) for k in range(n)]),
    ("dot node", lambda xs, ws, i, n: [functional.dot(xs, (ws * 6)[: len(xs)], xs[0] * ws[0])]),
    ("recursion", lambda xs, ws, i, n: [_recursion(xs, ws)]),
    ("tree of products", lambda xs, ws, i, n: [_halves(xs, lambda a, b: ops.tanh(a * b + ws[0]))]),
    ("tree of sums", lambda xs, ws, i, n: [_halves(xs, lambda a, b: a + b)]),
    ("tree of maxima", lambda xs, ws, i, n: [_halves(xs + ws, ops.maximum)]),
    ("butterflies", lambda xs, ws, i, n: _butterflies(xs, ws)),
    ("edit distance", lambda xs, ws, i, n: [_grid(xs, ws, 1.0, lambda a, b, c, x, w: reduce(
        ops.minimum, [a + abs(x - w), b + 1.0, c + 1.0]))]),
    ("soft warping", lambda xs, ws, i, n: [_grid(xs, ws, 2.0, lambda a, b, c, x, w: (
        (x - w) ** 2 + _soft_minimum(a, b, c)))]),
    ("longest", lambda xs, ws, i, n: [_grid(xs, ws, 0.0, lambda a, b, c, x, w: ops.maximum(
        ops.maximum(b, c), a + x * w))]),
    ("best path", lambda xs, ws, i, n: _best_path(xs, ws, ops.maximum)),
    ("all paths", lambda xs, ws, i, n: _best_path(xs, ws, lambda a, b: ops.softplus(a - b) + b)),
    ("knapsack", lambda xs, ws, i, n: [_knapsack(xs, ws, n)]),
    ("sorted", lambda xs, ws, i, n: _compare_exchange(xs)),
    ("fibonacci", lambda xs, ws, i, n: _fibonacci(xs[0], ws[-1], n)),
    ("power by squaring", lambda xs, ws, i, n: [_power(x, n) for x in xs]),
    ("Horner", lambda xs, ws, i, n: [reduce(lambda t, w: t * ops.tanh(x) + w, ws) for x in xs]),
    ("two kinds in turn", lambda xs, ws, i, n: [_two_kinds(xs * 2, ws)]),
    ("two kinds by parity", lambda xs, ws, i, n: [sum(
        ops.tanh(ws[0] * x) if k % 2 else ops.sin(ws[-1] * x) for k, x in enumerate(xs * 2))]),
    ("pairs", lambda xs, ws, i, n: [sum(
        ((xs[a] - xs[b]) ** 2 * ws[0] for a in range(len(xs)) for b in range(a)), xs[0])]),
    ("distances", lambda xs, ws, i, n: [abs(x - w) for x in xs for w in ws][:8]),
    ("convolution", lambda xs, ws, i, n: [
        sum(xs[s + d] * ws[d] for d in range(min(2, len(ws))) if s + d < len(xs))
        for s in range(len(xs))]),
    ("running sums", lambda xs, ws, i, n: list(np.cumsum(np.array(xs, dtype=object)))),
    ("running products", lambda xs, ws, i, n: [
        reduce(lambda t, x: t * ops.tanh(x), xs[: k + 1], ws[0]) for k in range(len(xs))]),
    ("running maxima", lambda xs, ws, i, n: [
        reduce(ops.maximum, xs[: k + 1]) for k in range(len(xs))]),
    ("ragged sums", lambda xs, ws, i, n: [sum(xs[: k + 1]) * w for k, w in enumerate(ws)]),
    ("ragged softmax", lambda xs, ws, i, n: [
        v for k in range(len(xs)) for v in functional.softmax(np.array(xs[: k + 1]))][:8]),
    ("Euler", lambda xs, ws, i, n: _euler(xs, ws, n)),
    ("Newton", lambda xs, ws, i, n: [reduce(
        lambda y, _: 0.5 * (y + (x * x + 0.5) / y), range(n), x * x + 0.5) for x in xs]),
    ("elimination", lambda xs, ws, i, n: _eliminated(xs, ws, n)),
    ("gated recurrence", lambda xs, ws, i, n: _cell(xs, ws, n) or [ws[0]]),
    ("log sum exp", lambda xs, ws, i, n: [_logsumexp(xs), _logsumexp(ws[:n] or ws)]),
    ("deviation", lambda xs, ws, i, n: [
        np.array(xs).mean(), ops.sqrt(np.array(xs, dtype=object).var() + 0.5)]),
    ("kinks", lambda xs, ws, i, n: [ops.relu(x - w) - abs(w - x) for x in xs for w in ws][:8]),
    ("ties", lambda xs, ws, i, n: [
        ops.maximum(x, ops.detach(x)) + ops.minimum(w, w) for x, w in zip(xs, ws, strict=False)]),
    ("hinge", lambda xs, ws, i, n: [ops.relu(1 - x * ws[0]) for x in xs] + [ops.relu(xs[0] * 0)]),
    ("clipped", lambda xs, ws, i, n: [ops.minimum(ops.maximum(x, ws[0]), ws[-1]) for x in xs]),
    ("branches", lambda xs, ws, i, n: [
        ops.where(ops.greater(x, ws[0]), x * x, ops.where(ops.greater(0.0, x), -x, ws[-1]))
        for x in xs]),
    ("chosen", lambda xs, ws, i, n: [functional.take(np.array((xs * 3)[:3], dtype=object), j)
                                     for j in i]),
    ("chosen of ragged", lambda xs, ws, i, n: [functional.take(
        [sum(xs[: k + 1]) for k in range(min(len(xs), 3))] + ws[:1] * 2, j) for j in i]),
    ("one hot", lambda xs, ws, i, n: list(functional.one_hot(i, 3) @ np.array((ws * 3)[:3]))),
    ("reversed", lambda xs, ws, i, n: xs[::-1]),
    ("interleaved", lambda xs, ws, i, n: [v for p in zip(xs, ws, strict=False) for v in p]),
    ("numbers of one's own", lambda xs, ws, i, n: [x * (k - 1.5) + n for k, x in enumerate(xs)]),
    ("constants", lambda xs, ws, i, n: [float(k) for k in range(1 + n % 3)]),
    ("inner Values", lambda xs, ws, i, n: [x * Value(0.5) + Value(float(n)) for x in xs]),
]  # fmt: skip

_step = st.tuples(
    st.integers(0, len(ROUTINES) - 1), st.integers(0, 5), st.integers(0, 5), st.integers(0, 6),
    st.booleans(),
)  # fmt: skip


@st.composite
def routines(draw: Any) -> Sample:
    """Up to six routines, each on two of the lists before it; several results of several kinds."""
    steps = draw(st.lists(_step, min_size=1, max_size=6))
    count, length = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    as_values, as_list = draw(st.booleans()), draw(st.booleans())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def function(w: Any, x: Any, y: Any, i: Any) -> Any:
        pool: list[List] = [list(w), list(x), [y], [w[0], y, x[-1]]]
        for which, first, second, n, squash in steps:
            xs, ws = pool[-1 - first % len(pool)], pool[-1 - second % len(pool)]
            found = list(ROUTINES[which][1](xs[:6], ws[:6], i, n)) or [w[-1]]
            pool.append([ops.tanh(v) for v in found] if squash else found)
        last = pool[-1]
        loss = sum((v * v for v in last), 0.1 * y) / len(last)
        return {"loss": loss, "last": last, "sums": [sum(some, y) for some in pool[4:]], "w": w[0]}

    def numbers() -> tuple[Any, ...]:
        x = rng.normal(size=length)
        x = x.round() if rng.random() < 0.4 else x
        given = leaves(x) if as_values else x
        index = rng.integers(0, 3, size=2)
        return (list(given) if as_list else given), float(rng.normal()), index

    text = [f"{ROUTINES[which][0]} {places}" for which, *places in steps]
    return Sample(text, function, leaves(rng.normal(size=count)), [numbers(), numbers()])
