"""The six levels of exercises: what each computes, and between which numbers one can choose.

The numbers are chosen backwards: outputs of tanh whose square is short, probabilities that are
simple fractions, four inputs whose variance is a square. Read `Level`, then any level.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from operator import add, mul
from typing import Any

from micrograd.engine import Value

__all__ = ["EXERCISES", "LEVELS", "Level"]

LEVELS = {
    1: "sums and products",
    2: "a neuron",
    3: "shared nodes",
    4: "softmax and cross-entropy",
    5: "a two-layer net",
    6: "BatchNorm of four numbers",
}


@dataclass(frozen=True, slots=True)
class Level:
    """`make` takes one of each of the choices, and no two selections give the same exercise."""

    choices: Callable[[], tuple[Sequence[Any], ...]]
    make: Callable[..., Value]


def _value(number: float, label: str) -> Value:
    return Value(float(number), label=label)


def _label(node: Value, label: str) -> Value:
    node.label = label
    return node


def _integers(largest: int) -> list[int]:
    """The integers up to this size, other than 0."""
    return [k for k in range(-largest, largest + 1) if k]


# --- 1: sums and products -------------------------------------------------------------------------


def _sums_and_products(a: int, b: int, c: int, f: int, shape: Any) -> Value:
    first, second = shape
    d = _label(first(_value(a, "a"), _value(b, "b")), "d")
    e = _label(second(d, _value(c, "c")), "e")
    return _label(e * _value(f, "f"), "L")


def _choices_of_sums() -> tuple[Sequence[Any], ...]:
    return *[_integers(3)] * 4, [(mul, add), (add, mul), (mul, mul)]


# --- 2: a neuron ----------------------------------------------------------------------------------


def _neuron(x1: int, w1: int, x2: int, w2: int, output: float) -> Value:
    """tanh(x1*w1 + x2*w2 + b), its bias such that 1 - o**2 is short."""
    p = _label(_value(x1, "x1") * _value(w1, "w1"), "p")
    q = _label(_value(x2, "x2") * _value(w2, "w2"), "q")
    s = _label(p + q, "s")
    n = _label(s + _value(math.atanh(output) - s.data, "b"), "n")
    return _label(n.tanh(), "o")


def _choices_of_neurons() -> tuple[Sequence[Any], ...]:
    return *[_integers(3)] * 4, [-0.8, -0.6, -0.5, 0.5, 0.6, 0.8]


# --- 3: shared nodes ------------------------------------------------------------------------------


def _shared(choice: tuple[int, int, str, str, str]) -> Value:
    """c is made of a and b, d of c and one of them, and so on: most nodes are used twice."""
    a, b, *formulas = choice
    nodes = {"a": _value(a, "a"), "b": _value(b, "b")}
    for name, formula in zip("cdeL", [*formulas[:2], "c+d", formulas[2]], strict=True):
        combine = mul if formula[1] == "*" else add
        combined = combine(nodes[formula[0]], nodes[formula[2]])
        nodes[name] = _label(combined, name)
    return nodes["L"]


@cache
def _choices_of_shared() -> tuple[Sequence[Any], ...]:
    kept = []
    formulas = ("a+a", "a*b", "a+b", "b*b"), ("a*c", "b*c", "c*c"), ("e*a", "e*b")
    for a, b, *made in product(_integers(4), _integers(4), *formulas):
        values: dict[str, int] = {"a": a, "b": b}
        for name, formula in zip("cdeL", [*made[:2], "c+d", made[2]], strict=True):
            left, right = values[formula[0]], values[formula[2]]
            values[name] = left * right if formula[1] == "*" else left + right
        used = set("".join(made))
        if {"a", "b"} <= used and values["e"] and values["c"] and abs(values["L"]) <= 60:
            kept.append((a, b, *made))
    return (kept,)


# --- 4: softmax and cross-entropy -----------------------------------------------------------------


def _softmax_cross_entropy(odds: tuple[int, int, int], target: int) -> Value:
    """-log of the right class's probability, of three logits that are logarithms of integers."""
    logits = [_value(math.log(k), f"z{i}") for i, k in enumerate(odds, 1)]
    powers = [_label(z.exp(), f"e{i}") for i, z in enumerate(logits, 1)]
    total = _label(_label(powers[0] + powers[1], "t") + powers[2], "sum")
    inverse = _label(total**-1, "r")
    p = _label(powers[target] * inverse, "p")
    return _label(_label(p.log(), "l") * -1, "loss")


@cache
def _choices_of_softmax() -> tuple[Sequence[Any], ...]:
    triples = product(range(1, 11), repeat=3)
    return [odds for odds in triples if sum(odds) in (4, 5, 6, 8, 10, 12, 20)], range(3)


# --- 5: a two-layer net ---------------------------------------------------------------------------


def _two_layers(hidden: tuple[tuple[int, ...], ...], v1: int, v2: int, error: int) -> Value:
    """Two inputs, two ReLUs of which at least one is open, one output, the squared error."""
    inputs, *neurons = hidden
    x = [_value(number, f"x{i}") for i, number in enumerate(inputs, 1)]
    terms = []
    for k, ((w1, w2, bias), v) in enumerate(zip(neurons, (v1, v2), strict=True), 1):
        p, q = _label(x[0] * _value(w1, f"w{k}1"), f"p{k}"), x[1] * _value(w2, f"w{k}2")
        s = _label(p + _label(q, f"q{k}"), f"s{k}")
        h = _label(_label(s + _value(bias, f"b{k}"), f"n{k}").relu(), f"h{k}")
        terms.append(_label(h * _value(v, f"v{k}"), f"a{k}"))
    y = _label(terms[0] + terms[1], "y")
    return _label(_label(y + _value(error - y.data, "t"), "d") ** 2, "loss")


@cache
def _choices_of_nets() -> tuple[Sequence[Any], ...]:
    """No ReLU stands at its kink, and no number grows large."""
    two = _integers(2)
    hidden = []
    for x in product(two, two):
        neurons = [
            (w1, w2, b)
            for w1, w2, b in product(two, two, (-1, 0, 1))
            if 0 < abs(x[0] * w1 + x[1] * w2 + b) <= 5
        ]
        is_open = {w: x[0] * w[0] + x[1] * w[1] + w[2] > 0 for w in neurons}
        hidden += [(x, v, w) for v, w in product(neurons, neurons) if is_open[v] or is_open[w]]
    return hidden, two, two, _integers(4)


# --- 6: BatchNorm of four numbers -----------------------------------------------------------------


def _deviations() -> Iterator[tuple[int, ...]]:
    """Four whole numbers around 0 whose mean square is a square, so that their spread is whole."""
    for three in product(_integers(7), repeat=3):
        four = (*three, -sum(three))
        spread = math.isqrt(sum(d * d for d in four) // 4)
        pretty = spread in (1, 2, 5) and spread**2 * 4 == sum(d * d for d in four)
        if pretty and 0 < abs(four[3]) <= 7:
            yield four


def _batch_norm(
    deviations: tuple[int, ...], mean: int, k: int, gamma: int, beta: int, last: int
) -> Value:
    """The weighted sum of four numbers after BatchNorm (epsilon 0, population variance)."""
    xs = [_value(mean + d, f"x{i}") for i, d in enumerate(deviations, 1)]
    left, right = _label(xs[0] + xs[1], "s1"), _label(xs[2] + xs[3], "s2")
    m = _label(_label(left + right, "s") * 0.25, "m")
    minus = _label(m * -1, "n")
    ds = [_label(x + minus, f"d{i}") for i, x in enumerate(xs, 1)]
    squares = [_label(d**2, f"q{i}") for i, d in enumerate(ds, 1)]
    left, right = _label(squares[0] + squares[1], "u1"), _label(squares[2] + squares[3], "u2")
    variance = _label(_label(left + right, "u") * 0.25, "var")
    inverse = _label(variance**-0.5, "r")
    scaled = _label(_label(ds[k] * inverse, "xhat") * _value(gamma, "g"), "v")
    y = _label(scaled + _value(beta, "b"), "y")
    return _label(y * _value(last, "c"), "L")


@cache
def _choices_of_norms() -> tuple[Sequence[Any], ...]:
    return list(_deviations()), range(-2, 4), range(4), (1, 2), _integers(2), _integers(3)


EXERCISES: dict[int, Level] = {
    1: Level(_choices_of_sums, _sums_and_products),
    2: Level(_choices_of_neurons, _neuron),
    3: Level(_choices_of_shared, _shared),
    4: Level(_choices_of_softmax, _softmax_cross_entropy),
    5: Level(_choices_of_nets, _two_layers),
    6: Level(_choices_of_norms, _batch_norm),
}
