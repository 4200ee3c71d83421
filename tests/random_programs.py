"""Random programs for `lift` to find arrays in: scalar graphs with sharing, and loops over arrays.

hypothesis draws what the programs do, a seed gives the numbers. `Sample` is one program with its
arguments; `agrees` runs it eagerly and lifted and holds one to the other by the measure of
`absolute.py`.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import Any, NamedTuple

import numpy as np
from absolute import TOLERANCE, Undecided, flat, measures
from hypothesis import settings
from hypothesis import strategies as st

from micrograd import Value, functional, lift, op, ops
from micrograd import values as leaves

Array = np.ndarray

# two rows of one's own: one that knows arrays, and one that is called number by number
bump = op(
    "bump", lambda x: 1 / (1 + x * x), [lambda x, out: -2 * x * out * out],
    array=lambda x: 1 / (1 + x * x), jax=lambda x: 1 / (1 + x * x),
)  # fmt: skip
blend = op(
    "blend", lambda x, y: x * y + 0.5 * x,
    [lambda x, y, out: y + 0.5, lambda x, y, out: x], jax=lambda x, y: x * y + 0.5 * x,
)  # fmt: skip


def programs(count: int) -> settings:
    """Settings of a test that tries `count` random programs, 40 / 3 times as many at night."""
    nightly = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
    return settings(max_examples=count * 40 // 3 if nightly else count, report_multiple_bugs=False)


class Sample(NamedTuple):
    """A program: `function(parameters, *arguments)`, and what to call it with, twice."""

    steps: list[str]
    function: Callable[..., Any]
    parameters: Array
    calls: list[tuple[Any, ...]]

    def __repr__(self) -> str:
        shapes = [np.shape(x) for x in self.calls[0]]
        return f"<{'; '.join(self.steps)} on {self.parameters.shape}, {shapes}>"


# --- eager beside lifted --------------------------------------------------------------------------


class Live(NamedTuple):
    """One call, made eagerly and lifted, that may go backward again and again."""

    eager: list[Any]
    lifted: list[Any]
    wanted: list[Value]
    seeds: list[float]
    slopes: Array

    def backward(self, which: Sequence[int]) -> None:
        """Some of the results, from both sides: what they do not reach has gradient 0."""
        seeds = [self.seeds[k] for k in which]
        want = gradients([self.eager[k] for k in which], seeds, self.wanted)
        got = gradients([self.lifted[k] for k in which], seeds, self.wanted)
        close(got, want, self.slopes)


def agrees(sample: Sample, lifting: Callable[..., Any] = lift) -> Any:
    """Assert that lifted equals eager: results, gradients of parameters and of Value arguments.

    Call by call; then all calls are made again, and while all of them live, some of the results of
    one of them go backward, eight times.
    """
    parameters = sample.parameters
    lifted = lifting(lambda *arguments: sample.function(parameters, *arguments))
    rng = np.random.default_rng(zlib.crc32(repr(sample).encode()))
    alive = []
    for arguments in sample.calls:
        inputs = [v for v in flat(arguments) if isinstance(v, Value)]
        wanted = [*parameters.flat, *inputs]
        eager = flat(sample.function(parameters, *arguments))
        seeds = rng.normal(size=len(eager)).round(2).tolist()
        run = partial(sample.function, parameters, *traceable(arguments))
        values, slopes = measures(lambda run=run: flat(run()), seeds, wanted)
        live = Live(eager, flat(lifted(*arguments)), wanted, seeds, slopes)
        close([float(v) for v in live.lifted], [float(v) for v in eager], values)
        live.backward(range(len(eager)))
        alive.append(live._replace(lifted=flat(lifted(*arguments))))
    for _ in range(8):
        live = alive[rng.integers(len(alive))]
        live.backward(some_of(live.eager, rng))
    return lifted


def some_of(results: list[Any], rng: np.random.Generator) -> list[int]:
    """The places of a random choice of results: of one, a few or nearly all."""
    return np.flatnonzero(rng.random(len(results)) < rng.random()).tolist()


def gradients(results: list[Any], seeds: list[float], wanted: list[Value]) -> list[float]:
    """d sum(seeds * results) / d each Value wanted; their `grad` is left at 0."""
    sum((r * s for r, s in zip(results, seeds, strict=True)), Value(0.0)).backward()
    found = [v.grad for v in wanted]
    for v in wanted:
        v.grad = 0.0
    return found


def close(got: list[float], want: list[float], measure: Array) -> None:
    """|got - want| <= 1e-13 times the measure, all of them finite."""
    got_array, want_array = np.array(got), np.array(want)
    assert got_array.shape == want_array.shape
    assert np.isfinite(got_array).all()
    if not np.isfinite(measure).all():
        raise Undecided("the program on absolute values overflows: there is nothing to measure by")
    off = np.abs(got_array - want_array) - TOLERANCE * measure
    worst = int(off.argmax()) if off.size else 0
    assert off.max(initial=0.0) <= 0, f"[{worst}]: {got[worst]} for {want[worst]}"


def traceable(x: Any) -> Any:
    """The arguments with Values in place of floats, so that each number's measure is known."""
    if isinstance(x, (list, tuple)):
        return [traceable(item) for item in x]
    if isinstance(x, np.ndarray) and x.dtype.kind == "f":
        return leaves(x)
    return Value(x) if isinstance(x, float) else x


# --- scalar graphs --------------------------------------------------------------------------------

# name, number of inputs, what it does: every row of the table, kept away from overflow
EXPRESSIONS: list[tuple[str, int, Callable[..., Any]]] = [
    ("add", 2, lambda a, b: a + b),
    ("subtract", 2, lambda a, b: a - b),
    ("multiply", 2, lambda a, b: a * b),
    ("multiply small", 2, lambda a, b: ops.tanh(a) * b),
    ("negate", 1, lambda a: -a),
    ("divide", 2, lambda a, b: a / (1 + b * b)),
    ("divide a number", 1, lambda a: 2 / (a * a + 0.5)),
    ("square", 1, lambda a: a**2),
    ("cube", 1, lambda a: ops.sin(a) ** 3),
    ("root", 1, lambda a: (a * a + 0.25) ** 0.5),
    ("power 1.5", 1, lambda a: (a * a + 0.5) ** 1.5),
    ("power 0", 1, lambda a: a**0 + a),
    ("reciprocal root", 1, lambda a: (a * a + 1) ** -0.5),
    ("power", 2, lambda a, b: (a * a + 0.5) ** ops.tanh(b)),
    ("number to a power", 1, lambda a: 2.0 ** ops.tanh(a)),
    ("exp", 1, lambda a: ops.exp(ops.minimum(a, 3.0))),
    ("exp of a sine", 1, lambda a: ops.exp(ops.sin(a))),
    ("log", 1, lambda a: ops.log(a * a + 0.1)),
    ("sqrt", 1, lambda a: ops.sqrt(abs(a) + 0.5)),
    ("sin", 1, lambda a: ops.sin(a)),
    ("cos", 1, lambda a: ops.cos(a)),
    ("erf", 1, lambda a: ops.erf(a)),
    ("tanh", 1, lambda a: ops.tanh(a)),
    ("sigmoid", 1, lambda a: ops.sigmoid(a)),
    ("softplus", 1, lambda a: ops.softplus(a)),
    ("relu", 1, lambda a: ops.relu(a)),
    ("leaky relu", 1, lambda a: ops.leaky_relu(0.1)(a)),
    ("gelu", 1, lambda a: ops.gelu(a)),
    ("abs", 1, lambda a: abs(a)),
    ("maximum", 2, lambda a, b: ops.maximum(a, b)),
    ("minimum", 2, lambda a, b: ops.minimum(a, b)),
    ("tie", 2, lambda a, b: reduce(ops.maximum, [ops.detach(a), a, b])),
    ("clip", 1, lambda a: ops.maximum(ops.minimum(a, 1.5), -0.5)),
    ("where", 3, lambda a, b, c: ops.where(ops.greater(a, 0.0), b, c)),
    ("where equal", 3, lambda a, b, c: ops.where(ops.equal(a, b), b, c)),
    ("gate", 2, lambda a, b: ops.greater(a, b) * a),
    ("detach", 2, lambda a, b: ops.detach(a) * b),
    ("bump", 1, lambda a: bump(a)),
    ("blend", 2, lambda a, b: blend(a, ops.tanh(b))),
    ("sum", 3, lambda a, b, c: sum([a, b, c, a])),
    ("sum of squares", 3, lambda a, b, c: sum(x * x for x in (a, b, c))),
    ("right to left", 3, lambda a, b, c: a + (b + (c + a * b))),
    ("maximum of a list", 3, lambda a, b, c: reduce(ops.maximum, [a, b, c, a])),
    ("dot", 3, lambda a, b, c: functional.dot([a, b], [c, a])),
    ("dot and bias", 3, lambda a, b, c: functional.dot([a, ops.tanh(b)], [c, ops.sin(a)], b)),
    ("mix with numbers", 2, lambda a, b: 0.5 * a + b * 3 - 1),
]  # fmt: skip

_step = st.tuples(st.integers(0, len(EXPRESSIONS) - 1), *[st.integers(0, 25) for _ in range(3)])
_seeds = st.integers(0, 2**32 - 1)


@st.composite
def expressions(draw: Any) -> Sample:
    """A graph of up to 40 expressions on shared numbers; any of them may be returned."""
    size = draw(st.integers(1, 40))
    steps = draw(st.lists(_step, min_size=size, max_size=size))
    returned = draw(st.lists(st.integers(0, 60), min_size=1, max_size=4))
    all_of_it = draw(st.booleans())
    rng = np.random.default_rng(draw(_seeds))

    def function(parameters: Array, x: Any, y: Any, z: Any) -> Any:
        pool = [x, *y, z, *parameters]
        for which, *places in steps:
            _, arity, f = EXPRESSIONS[which]
            pool.append(f(*[_pick(pool, place) for place in places[:arity]]))
        results = [pool[-1 - place % len(pool)] for place in returned]
        return [*results, sum(pool)] if all_of_it else results

    def numbers() -> tuple[Any, ...]:
        return float(rng.normal()), list(_some_equal(rng, 3)), Value(rng.normal())

    text = [
        f"{EXPRESSIONS[which][0]} {places[: EXPRESSIONS[which][1]]}" for which, *places in steps
    ]
    text.append(f"return {returned}{' and the sum' * all_of_it}")
    return Sample(text, function, leaves(_some_equal(rng, 3)), [numbers(), numbers()])


def _pick(pool: list[Any], place: int) -> Any:
    """One of the last results, or from 18 on one of the eight numbers that it all began with."""
    return pool[place - 18] if place >= 18 else pool[-1 - place % len(pool)]


def _some_equal(rng: np.random.Generator, *shape: int) -> Array:
    """Normal numbers, in half of the cases rounded to halves, so that maxima tie."""
    numbers = rng.normal(size=shape)
    return numbers.round() / 2 + 0.5 if rng.random() < 0.5 else numbers


# --- loops over arrays ----------------------------------------------------------------------------


def _left(terms: list[Any], start: Any = 0) -> Any:
    return sum(terms, start)


def _right(terms: list[Any]) -> Any:
    return reduce(lambda total, term: term + total, terms[::-1])


def _prepend(terms: list[Any]) -> Any:
    return reduce(lambda total, term: term + total, terms)


def _loops(a: Array, b: Array, total: Callable[..., Any]) -> Array:
    """a @ b in plain Python, over as many inner places as both have."""
    inner = range(min(a.shape[1], len(b)))
    return _array(
        [
            [total([a[i, k] * b[k, j] for k in inner]) for j in range(b.shape[1])]
            for i in range(len(a))
        ]
    )


def _array(rows: Any) -> Array:
    rows = list(rows)
    return np.array(rows, dtype=object).reshape(len(rows), -1)


def _fit(b: Array, shape: tuple[int, ...]) -> Array:
    """b repeated or cut to a shape."""
    return b[np.ix_(np.arange(shape[0]) % len(b), np.arange(shape[1]) % b.shape[1])]


def _softmax(row: Array) -> list[Any]:
    shift = ops.detach(reduce(ops.maximum, row))
    powers = [ops.exp(v - shift) for v in row]
    total = sum(powers)
    return [p / total for p in powers]


def _cells(a: Array, w: Array) -> Array:
    """A recurrent cell: each row is the next step's input."""
    h = a[0]
    rows = [h]
    for x in a[1:]:
        h = np.array([ops.tanh(h[j] * w.flat[0] + x[j]) for j in range(len(h))], dtype=object)
        rows.append(h)
    return _array(rows)


# each takes two arrays, integers (0 <= i < 3) and a position, and gives an array
STEPS: list[tuple[str, Callable[[Array, Array, Any, int], Array]]] = [
    ("product", lambda a, b, i, k: _loops(a, b, _left)),
    ("product, right to left", lambda a, b, i, k: _loops(a, b, _right)),
    ("product, prepended", lambda a, b, i, k: _loops(a, b, _prepend)),
    ("product from a Value", lambda a, b, i, k: _loops(
        a, b, lambda terms: _left(terms, b.flat[k % b.size]))),
    ("product, transposed", lambda a, b, i, k: _loops(a.T, b.T[:, ::-1], _left)),
    ("product with itself", lambda a, b, i, k: _loops(a, a.T, _left)),
    ("product by NumPy", lambda a, b, i, k: a[:, : len(b)] @ b[: a.shape[1]]),
    ("linear", lambda a, b, i, k: functional.linear(a[:, : b.shape[1]], b[:, : a.shape[1]])),
    ("linear and bias", lambda a, b, i, k: functional.linear(
        a[:, : b.shape[1]], b[:, : a.shape[1]], b[:, k % b.shape[1]])),
    ("add", lambda a, b, i, k: a + _fit(b, a.shape)),
    ("multiply", lambda a, b, i, k: a * _fit(b, a.shape)),
    ("add a row", lambda a, b, i, k: a + _fit(b, (1, a.shape[1]))),
    ("multiply by a column", lambda a, b, i, k: a * _fit(b, (len(a), 1))),
    ("subtract one number", lambda a, b, i, k: a - b.flat[k % b.size]),
    ("numbers of one's own", lambda a, b, i, k: a * np.linspace(-1, 2, a.size).reshape(a.shape)),
    ("tanh", lambda a, b, i, k: ops.tanh(a)),
    ("relu", lambda a, b, i, k: ops.relu(a)),
    ("exp", lambda a, b, i, k: ops.exp(-a * a)),
    ("bump", lambda a, b, i, k: bump(a)),
    ("blend", lambda a, b, i, k: blend(a, _fit(b, a.shape))),
    ("where", lambda a, b, i, k: ops.where(ops.greater(a, 0.0), a, _fit(b, a.shape))),
    ("power", lambda a, b, i, k: (a * a + 0.5) ** ops.tanh(_fit(b, a.shape))),
    ("maximum", lambda a, b, i, k: ops.maximum(a, _fit(b, a.shape))),
    ("sum down", lambda a, b, i, k: a.sum(axis=0, keepdims=True)),
    ("sum across", lambda a, b, i, k: a.sum(axis=1, keepdims=True)),
    ("mean", lambda a, b, i, k: a - a.mean(axis=k % 2, keepdims=True)),
    ("standardise", lambda a, b, i, k: a * (
        (a * a).sum(axis=k % 2, keepdims=True) * 0.5 + 0.1) ** -0.5),
    ("largest down", lambda a, b, i, k: _array([[reduce(ops.maximum, c) for c in a.T]])),
    ("smallest across", lambda a, b, i, k: _array([[reduce(ops.minimum, r)] for r in a])),
    ("softmax", lambda a, b, i, k: _array(map(_softmax, a))),
    ("log softmax", lambda a, b, i, k: functional.log_softmax(a)),
    ("causal", lambda a, b, i, k: _array(
        [[_left([a[t, s] * b[s % len(b), 0] for s in range(min(t + 1, a.shape[1]))])]
         for t in range(len(a))])),
    ("causal maximum", lambda a, b, i, k: _array(
        [[reduce(ops.maximum, a[: t + 1, s]) for s in range(a.shape[1])] for t in range(len(a))])),
    ("causal softmax", lambda a, b, i, k: _array(
        [_softmax(a[t, : t + 1]) + [0.0] * (a.shape[1] - t - 1) for t in range(len(a))])),
    ("running sum", lambda a, b, i, k: _array(
        [[_left(list(a[t, : s + 1])) for s in range(a.shape[1])] for t in range(len(a))])),
    ("window", lambda a, b, i, k: _array(
        [[_left([row[s + d] * b.flat[d % b.size] for d in range(min(2, len(row)))])
          for s in range(max(1, len(row) - 1))] for row in a])),
    ("cells", lambda a, b, i, k: _cells(a, b)),
    ("every second", lambda a, b, i, k: a[:: 1 + k % 2, ::2]),
    ("backwards", lambda a, b, i, k: a[::-1, ::-1]),
    ("permuted", lambda a, b, i, k: a[np.random.default_rng(k).permutation(len(a))]),
    ("gathered", lambda a, b, i, k: a[:, np.random.default_rng(k).integers(a.shape[1], size=4)]),
    ("scattered", lambda a, b, i, k: _array([np.random.default_rng(k).permutation(a.ravel())])),
    ("diagonal", lambda a, b, i, k: _array([[a[j, j] for j in range(min(a.shape))]])),
    ("reshaped", lambda a, b, i, k: a.reshape(-1, 1)),
    ("transposed", lambda a, b, i, k: a.T),
    ("side by side", lambda a, b, i, k: np.concatenate([a, _fit(b, (len(a), 2))], axis=1)),
    ("stacked", lambda a, b, i, k: np.concatenate([_fit(b, (1, a.shape[1])), a], axis=0)),
    ("take rows", lambda a, b, i, k: functional.take(_fit(a, (3, a.shape[1])), i)),
    ("take columns", lambda a, b, i, k: functional.take(_fit(a, (len(a), 3)), i, axis=1)),
    ("take one", lambda a, b, i, k: functional.take(_fit(b, (3, 4)), i[k % len(i)]).reshape(1, -1)),
    ("one hot", lambda a, b, i, k: functional.one_hot(i, 3) * a.flat[k % a.size]),
    ("exact integers", lambda a, b, i, k: a * i[k % len(i)] + i[0]),
    ("cross entropy", lambda a, b, i, k: _array([[functional.cross_entropy(
        _fit(a, (len(i), 3)), i)]])),
]  # fmt: skip

_array_step = st.tuples(
    st.integers(0, len(STEPS) - 1), st.integers(0, 6), st.integers(0, 6), st.integers(0, 11)
)


@st.composite
def loops(draw: Any) -> Sample:
    """Up to eight steps on arrays of random shapes, then a loss; parameters outside the batch."""
    size = draw(st.integers(1, 8))
    steps = draw(st.lists(_array_step, min_size=size, max_size=size))
    m, n, p, q = (draw(st.integers(1, 5)) for _ in range(4))
    as_values, decay = draw(st.booleans()), draw(st.booleans())
    rng = np.random.default_rng(draw(_seeds))

    def function(parameters: Array, x: Any, y: Any, index: Any, scale: Any) -> Any:
        pool = [parameters, x, parameters.T, y]
        for which, first, second, k in steps:
            a, b = pool[-1 - first % len(pool)], pool[-1 - second % len(pool)]
            pool.append(np.asarray(STEPS[which][1](a, b, index, k))[:6, :6])
        last = pool[-1]
        loss = sum(v * v for v in last.flat) / last.size
        if decay:
            loss = loss + scale * sum(p * p for p in parameters.flat)
        return {"loss": loss, "last": last, "other": [pool[-2].sum(axis=0), last.flat[0]]}

    def numbers() -> tuple[Any, ...]:
        y = rng.normal(size=(n, m))
        index = rng.integers(0, 3, size=3)
        return _some_equal(rng, m, n), leaves(y) if as_values else y, index, np.float64(0.1)

    text = [f"{STEPS[which][0]} {places}" for which, *places in steps]
    return Sample(text, function, leaves(_some_equal(rng, p, q)), [numbers(), numbers()])
