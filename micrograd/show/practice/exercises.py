"""Exercises in backpropagation by hand: six levels, with numbers that stay small and pretty.

The numbers are chosen backwards: outputs of tanh whose square is short, probabilities that are
simple fractions, four inputs whose variance is a square. Read `exercise`, then any level.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from itertools import product
from operator import add, mul

from micrograd.engine import Value

__all__ = ["LEVELS", "exercise"]


def exercise(level: int, seed: int = 0) -> Value:
    """A computation to differentiate by hand; the same level and seed always give the same one."""
    if level not in _LEVELS or isinstance(level, bool):
        listed = "; ".join(f"{k}: {text}" for k, text in LEVELS.items())
        raise ValueError(f"there is no level {level!r}; the levels are {listed}")
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ValueError(f"seed= is an integer, got {seed!r}")
    return _LEVELS[level](random.Random(1000 * seed + level))


def _value(number: float, label: str) -> Value:
    return Value(number, label=label)


def _label(node: Value, label: str) -> Value:
    node.label = label
    return node


def _integer(draw: random.Random, largest: int) -> float:
    """A small integer other than 0."""
    return float(draw.choice([k for k in range(-largest, largest + 1) if k]))


def _sums_and_products(draw: random.Random) -> Value:
    a, b, c, f = (_value(_integer(draw, 3), name) for name in "abcf")
    first, second = draw.choice([(mul, add), (add, mul), (mul, mul)])
    d = _label(first(a, b), "d")
    e = _label(second(d, c), "e")
    return _label(e * f, "L")


def _neuron(draw: random.Random) -> Value:
    """tanh(x1*w1 + x2*w2 + b), its bias such that 1 - o**2 is short."""
    x1, w1, x2, w2 = (_value(_integer(draw, 3), name) for name in ("x1", "w1", "x2", "w2"))
    p, q = _label(x1 * w1, "p"), _label(x2 * w2, "q")
    s = _label(p + q, "s")
    o = draw.choice([-0.8, -0.6, -0.5, 0.5, 0.6, 0.8])
    b = _value(math.atanh(o) - s.data, "b")
    n = _label(s + b, "n")
    return _label(n.tanh(), "o")


def _shared(draw: random.Random) -> Value:
    """Every node but the last is used twice."""
    a, b = _value(_integer(draw, 3), "a"), _value(_integer(draw, 2), "b")
    c = _label(a + a if draw.random() < 0.4 else a * b, "c")
    d = _label(a * c if draw.random() < 0.5 else b * c, "d")
    e = _label(c + d, "e")
    return _label(e * b if draw.random() < 0.5 else e * a, "L")


def _softmax_cross_entropy(draw: random.Random) -> Value:
    """-log of the right class's probability, of three logits that are logarithms of integers."""
    odds = draw.choice([(1, 2, 5), (1, 1, 2), (2, 3, 5), (1, 4, 5), (1, 3, 4), (2, 2, 4)])
    logits = [_value(math.log(k), f"z{i}") for i, k in enumerate(draw.sample(odds, 3), 1)]
    powers = [_label(z.exp(), f"e{i}") for i, z in enumerate(logits, 1)]
    total = _label(_label(powers[0] + powers[1], "t") + powers[2], "sum")
    inverse = _label(total**-1, "r")
    p = _label(powers[draw.randrange(3)] * inverse, "p")
    return _label(_label(p.log(), "l") * -1, "loss")


def _two_layers(draw: random.Random) -> Value:
    """Two inputs, two ReLUs of which at least one is open, one output, the squared error."""
    while True:
        x = [_value(_integer(draw, 2), f"x{i}") for i in (1, 2)]
        hidden = []
        for k in (1, 2):
            w = [_value(_integer(draw, 2), f"w{k}{i}") for i in (1, 2)]
            b = _value(float(draw.randint(-1, 1)), f"b{k}")
            s = _label(_label(x[0] * w[0], f"p{k}") + _label(x[1] * w[1], f"q{k}"), f"s{k}")
            hidden.append(_label(_label(s + b, f"n{k}").relu(), f"h{k}"))
        v = [_value(_integer(draw, 2), f"v{k}") for k in (1, 2)]
        a = _label(_label(hidden[0] * v[0], "a1") + _label(hidden[1] * v[1], "a2"), "y")
        error = _label(a + _value(_integer(draw, 3), "t"), "d")
        if any(h.data for h in hidden) and 0 < abs(error.data) <= 4:
            return _label(error**2, "loss")


def _deviations() -> Iterable[tuple[int, ...]]:
    """Four whole numbers around 0 whose mean square is a square, so that their spread is whole."""
    for three in product(range(-7, 8), repeat=3):
        four = (*three, -sum(three))
        spread = math.isqrt(sum(d * d for d in four) // 4)
        if spread in (1, 2, 5) and spread**2 * 4 == sum(d * d for d in four):
            yield four


def _batch_norm(draw: random.Random) -> Value:
    """The weighted sum of four numbers after BatchNorm (epsilon 0, population variance)."""
    deviations = draw.choice([d for d in _deviations() if max(map(abs, d)) <= 7 and all(d)])
    mean = draw.randint(-2, 3)
    xs = [_value(float(mean + d), f"x{i}") for i, d in enumerate(deviations, 1)]
    left, right = _label(xs[0] + xs[1], "s1"), _label(xs[2] + xs[3], "s2")
    m = _label(_label(left + right, "s") * 0.25, "m")
    minus = _label(m * -1, "n")
    ds = [_label(x + minus, f"d{i}") for i, x in enumerate(xs, 1)]
    squares = [_label(d**2, f"q{i}") for i, d in enumerate(ds, 1)]
    left, right = _label(squares[0] + squares[1], "u1"), _label(squares[2] + squares[3], "u2")
    variance = _label(_label(left + right, "u") * 0.25, "var")
    inverse = _label(variance**-0.5, "r")
    gamma, beta = _value(float(draw.choice([1, 2])), "g"), _value(_integer(draw, 2), "b")
    k = draw.randrange(4)
    scaled = _label(_label(ds[k] * inverse, "xhat") * gamma, "v")
    y = _label(scaled + beta, "y")
    return _label(y * _value(_integer(draw, 3), "c"), "L")


_LEVELS: dict[int, Callable[[random.Random], Value]] = {
    1: _sums_and_products,
    2: _neuron,
    3: _shared,
    4: _softmax_cross_entropy,
    5: _two_layers,
    6: _batch_norm,
}
LEVELS = {
    1: "sums and products",
    2: "a neuron",
    3: "shared nodes",
    4: "softmax and cross-entropy",
    5: "a two-layer net",
    6: "BatchNorm of four numbers",
}
