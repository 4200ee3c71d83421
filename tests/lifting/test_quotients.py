"""A lifted a / b is the eager one to the last bit, and so are its gradients, edges included.

Covers `rows.py`.
"""

from __future__ import annotations

import itertools
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from random_programs import leaves

from micrograd import Value, grads, lift, no_grad, numbers, ops
from micrograd.lifting import rows

EDGES = (
    0.0, -0.0, 1.0, -3.0, 49.0, 5e-324, -1e-310, 1e-308, 1e-200, -1e200, 1e308,
    math.inf, -math.inf, math.nan,
)  # fmt: skip
PAIRS = np.array(list(itertools.product(EDGES, repeat=2))).T


def same_bits(got: Any, want: Any) -> None:
    """Equal, with the same sign of zero; nan where nan."""
    got, want = np.array(got, dtype=float), np.array(want, dtype=float)
    both = np.isnan(got) & np.isnan(want)
    wrong = ~both & ((got != want) | (np.signbit(got) != np.signbit(want)))
    assert not wrong.any(), (got[wrong], want[wrong])


@pytest.mark.parametrize("arriving", [1.0, 0.3, 0.0, -1e200, math.inf])
def test_arrays_of_values(arriving: float) -> None:
    (a, b), (x, y) = leaves(PAIRS), leaves(PAIRS)
    with np.errstate(all="ignore"):  # NumPy's division of objects warns of what Values do
        want = a / b
    got = lift(lambda x, y: x / y)(x, y)
    same_bits(numbers(got), numbers(want))
    for u, v in zip(want.flat, got.flat, strict=True):
        (u * arriving).backward()
        (v * arriving).backward()
    same_bits(grads(x), grads(a))
    same_bits(grads(y), grads(b))


def test_single_values() -> None:
    f = lift(lambda x, y: x / y)
    for point in PAIRS.T:
        (a, b), (x, y) = map(Value, point), map(Value, point)
        want, got = a / b, f(x, y)
        want.backward()
        got.backward()
        same_bits([got.data, x.grad, y.grad], [want.data, a.grad, b.grad])


@pytest.mark.parametrize("number", EDGES)
@pytest.mark.parametrize("count", [1, len(EDGES)])
@pytest.mark.parametrize(
    "divide",
    [
        lambda x, c: x / c,
        lambda x, c: c / x,
        lambda x, c: x / Value(c),
        lambda x, c: x / c + 0.1 * x,
        lambda x, c: 0.1 * x + c / x,
        lambda x, c: x / c - x,
    ],
)
def test_numbers_on_either_side(divide: Callable[..., Any], count: int, number: float) -> None:
    a, x = leaves(EDGES[:count]), leaves(EDGES[:count])
    want = [divide(v, number) for v in a]
    got = lift(lambda x: [divide(v, number) for v in x])(x)
    same_bits([v.data for v in got], [v.data for v in want])
    for u, v in zip(want, got, strict=True):
        u.backward()
        v.backward()
    same_bits(grads(x), grads(a))


def test_a_float_argument_and_a_captured_parameter() -> None:
    p = Value(49.0)
    assert lift(lambda a, b: a / b)(49.0, 49.0).data == 1.0
    assert lift(lambda a: a / p)(49.0).data == 1.0
    assert lift(lambda a: p / a)(49.0).data == 1.0
    assert lift(lambda a, b: a / b)(1e-310, 1e-310).data == 1.0


def test_one_divisor_for_a_whole_row() -> None:
    row = np.random.default_rng(0).uniform(0.1, 9.0, (5, 7))
    normalised = lift(lambda A: A / A.sum(axis=1, keepdims=True))
    a, x = leaves(row), leaves(row)
    want, got = a / a.sum(axis=1, keepdims=True), normalised(x)
    np.testing.assert_allclose(numbers(got), numbers(want), rtol=4e-16)
    tiny = lift(lambda A, b: A / b)
    same_bits(numbers(tiny(leaves([[1e-310] * 3] * 2), Value(1e-310))), np.ones((2, 3)))


def test_a_mean_of_any_number_of_rows() -> None:
    mean = lift(lambda X: sum(X) / len(X) + 0.5 * X[0], batched="X")
    for rows_given in (3, 7, 11, 49, 50):
        x = np.full(rows_given, 1.0)
        assert mean(x).data == sum(x) / len(x) + 0.5
    assert len(mean.programs) == 1


def test_a_power_stays_a_power() -> None:
    a = Value(49.0)
    assert lift(lambda x: x * x**-1)(a).data == 49.0 * (1 / 49.0) != 1.0


def test_the_text_reads_as_a_division() -> None:
    f = lift(lambda x, y: x / y)
    f(*leaves(PAIRS))
    assert "x / y" in str(f.program)


def test_the_mode_inside_which_numbers_are_computed_divides_too() -> None:
    with no_grad():
        assert (Value(49.0) / 49).data == 1.0 == (Value(49.0) / Value(49.0)).data


def test_rows_of_programs_are_pickled_by_name() -> None:
    for name in rows.__all__:
        row = getattr(rows, name)
        assert pickle.loads(pickle.dumps(row)) is row


def test_the_comparison_sees_a_rounded_reciprocal() -> None:
    with pytest.raises(AssertionError):
        same_bits([ops.mul(49.0, 1 / 49.0)], [1.0])
