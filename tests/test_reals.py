"""reals: IEEE's answers without NumPy are NumPy's, and rules run on floats that divide by 0."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from oracle import ROWS

from micrograd import op, ops, reals
from micrograd.op import Op
from micrograd.reals import Double, divide, power

# zeros of both signs, whole and broken, even and odd, tiny and huge, the edges of exp, inf, nan
EDGES = (
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 2.5, -2.5, 1e16, 1e16 + 2, -1e16,
    1e308, -1e308, 5e-324, -5e-324, 1e-310, 1e200, -1e200, 709.9, 710.0, -710.0, -746.0,
    math.inf, -math.inf, math.nan,
)  # fmt: skip
EXPONENTS = (
    -1, -2, -3, -0.5, 0.5, 2, 3, 2.5, -2.5, 1 / 3, 0, 1e3, -1e3, 1e16, 1e16 + 2, math.inf, -math.inf
)  # fmt: skip
TABLE: dict[str, Op] = {
    **{name: row for name, (row, _) in ROWS.items()},
    **{f"**{k!r}": ops.constant_power(k) for k in EXPONENTS},
    "b**-1 of a / b": ops.constant_power(-1, quotient=True),
}


def identical(a: float, b: float) -> bool:
    """The same number, signs of zeros included; any nan is nan."""
    return (math.isnan(a) and math.isnan(b)) or (a, math.copysign(1, a)) == (b, math.copysign(1, b))


def points(arity: int) -> Any:
    edges = EDGES if arity < 3 else (0.0, -0.0, 1.5, -2.0, 1e308, math.inf, -math.inf, math.nan)
    return itertools.product(edges if arity < 4 else edges[::2], repeat=arity)


@pytest.mark.parametrize("name", TABLE)
def test_where_python_raises_the_answer_is_numpys(name: str) -> None:
    row, raised = TABLE[name], 0
    for xs in points(row.arity):
        try:
            row.forward(*xs)
        except (ArithmeticError, ValueError):
            raised += 1
            with np.errstate(all="ignore"):
                want = float(row.array(*map(np.float64, xs)))
            got = row.number(*xs)
            assert type(got) is float and identical(got, want), (name, xs, got, want)
    assert row.edge is not None if raised else row.edge is None or name.startswith("**"), name


@pytest.mark.parametrize("name", TABLE)
def test_gradients_raise_nowhere(name: str) -> None:
    row = TABLE[name]
    for xs in points(row.arity):
        for g in (1.0, 0.0, -2.0, math.inf, math.nan):
            for part in row.number_gradients(g, xs, row.number(*xs)):
                assert part is None or type(part) is float, (name, xs, part)


@pytest.mark.parametrize("name", TABLE)
def test_gradients_are_those_of_numpys_floats(name: str) -> None:
    """The rule on float64 scalars, which divide and take powers as IEEE says."""
    row = TABLE[name]
    for xs in points(row.arity):
        out = row.number(*xs)
        try:
            row.gradients(1.0, xs, out)
        except (ArithmeticError, ValueError):
            with np.errstate(all="ignore"):
                want = row.gradients(np.float64(1), [*map(np.float64, xs)], np.float64(out))
            got = row.number_gradients(1.0, xs, out)
            for a, b in zip(got, want, strict=True):
                assert (a is None and b is None) or identical(a, float(b)), (name, xs, a, b)


@pytest.mark.parametrize(("a", "b"), list(itertools.product(EDGES, repeat=2)))
def test_divide_and_power_are_numpys(a: float, b: float) -> None:
    with np.errstate(all="ignore"):
        quotient, raised = np.float64(a) / np.float64(b), np.float64(a) ** np.float64(b)
    assert identical(divide(a, b), float(quotient))
    assert identical(divide(-a, b), float(-quotient))
    got = power(a, b)
    assert identical(got, float(raised)) or math.isclose(got, raised, rel_tol=1e-15)


OPERATIONS = {
    "add": lambda x, y: x + y, "sub": lambda x, y: x - y, "mul": lambda x, y: x * y,
    "truediv": lambda x, y: x / y, "pow": lambda x, y: x**y,
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_double_stays_one_beside_ints_and_floats(name: str) -> None:
    f = OPERATIONS[name]
    for x, y in itertools.product((0.0, 2.0, -3.0), (0, 2, -1, 0.5, True)):
        for a, b in ((Double(x), y), (y, Double(x)), (Double(x), Double(y))):
            got = f(a, b)
            with np.errstate(all="ignore"):
                want = f(np.float64(float(a)), np.float64(float(b)))
            assert type(got) is Double and identical(got, float(want)), (a, b)
    with pytest.raises(TypeError):
        f(Double(1.0), "1")
    assert type(-Double(1.0)) is type(abs(Double(-1.0))) is Double


def test_a_rule_of_ones_own_may_divide_by_zero_and_call_other_rows() -> None:
    inverse = op("test inverse", lambda x: 1 / x, [lambda x, out: -1 / (x * x)])
    assert inverse.number(0.0) == math.inf and inverse.number(-0.0) == -math.inf
    assert inverse.number_gradients(1.0, (0.0,), math.inf) == [-math.inf]
    root = op("test root", lambda x: x**0.5, [lambda x, out: 1 / (2 * ops.sqrt(x))])
    assert root.number_gradients(1.0, (0.0,), 0.0) == [math.inf]
    assert math.isnan(root.number(-1.0)) and root.number(1e308 * 10) == math.inf
    grown = op("test grown", lambda x: x**400 * 0, [lambda x, out: x**-1])
    assert math.isnan(grown.number(10.0)) and grown.number_gradients(2.0, (0.0,), 0.0) == [math.inf]


def test_the_names_that_errors_give() -> None:
    assert reals.describe(3) == "int 3" and reals.describe("x" * 100).endswith("...")
    from micrograd import Value

    for v in (Value(1.0), Value(1.0) * 1):
        assert reals.describe(v).startswith("Value Value(data=1.0")


def test_a_power_close_to_an_odd_one_is_not_odd() -> None:
    assert reals.power(-0.0, 1e-16 - 1) == math.inf == reals.power(-0.0, -2.0)
    assert reals.power(-0.0, -1.0) == reals.power(-0.0, -3.0) == -math.inf
    assert reals.power(-1e200, 3.0) == -math.inf
