"""gradcheck: true gradients pass to any order; every kind of planted fault is found and named."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import SMOOTH

import micrograd
from micrograd import Value, functional, nn, ops
from micrograd.gradcheck import GradcheckError, Undecided, gradcheck
from micrograd.op import Op, registered

# --- what is right passes -------------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, 2, 3])
def test_right_gradients_pass_to_any_order(order: int) -> None:
    assert gradcheck(lambda x, y: (x * y).tanh() + x**3 / y, [0.7, -1.3], order=order)


@pytest.mark.parametrize("name", SMOOTH)
@given(seed=st.integers(0, 2**32 - 1))
def test_every_smooth_row_of_the_table_passes(name: str, seed: int) -> None:
    op, _ = SMOOTH[name]
    assert gradcheck(op, np.random.default_rng(seed).uniform(0.5, 2.0, op.arity))


def test_inputs_are_numbers_or_values_and_values_stay_as_they_were() -> None:
    x = Value(0.5)
    x.grad = 7.0
    assert gradcheck(lambda a, b: a.exp() * b, [x, np.float64(2)])
    assert (x.data, x.grad) == (0.5, 7.0)


@pytest.mark.parametrize("x", [1e-3, 1.0, 300.0])
def test_the_step_fits_small_and_large_inputs(x: float) -> None:
    assert gradcheck(lambda v: v.log() + v.sqrt() + v.sin(), [x])


def test_a_whole_layer_passes_output_by_output() -> None:
    layer = nn.Sequential(nn.Linear(2, 3, rng=0), nn.GELU(), nn.LayerNorm(3))
    assert gradcheck(lambda *x: layer(np.array(x)), [0.3, -0.8])
    assert gradcheck(lambda *z: functional.softmax(list(z)), [0.3, -0.8, 1.1], order=2)
    assert gradcheck(lambda *z: functional.cross_entropy(list(z), 1), [0.3, -0.8, 1.1], order=2)


def test_inputs_may_be_arrays_whose_elements_are_named() -> None:
    x, w = np.array([[0.3, -0.8]]), [[0.1, 0.2], [-0.4, 0.5]]
    assert gradcheck(functional.linear, [x, w, [0.0, 1.0]])
    assert gradcheck(lambda z, c: functional.softmax(z)[0] * c, [[0.3, -0.8], 2.0])
    with pytest.raises(
        GradcheckError, match=r"d f / d inputs\[1\]\[0, 1\] at .* got 0.0, expected"
    ):
        gradcheck(lambda c, w: c * w[0, 1].detach(), [2.0, w])


def test_away_from_the_kink_relu_passes() -> None:
    assert gradcheck(lambda x: x.relu() * x, [0.5])
    assert gradcheck(lambda x: x.relu() * x, [-0.5])


# --- constants, where they are infinite or at a border --------------------------------------------

MASK = np.array([[0.0, -np.inf], [0.0, 0.0]])
A = np.array([[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize(
    ("f", "inputs"),
    [
        (lambda a: (functional.softmax(a + MASK) * A).sum(), [A]),
        (lambda a: functional.softmax(a + MASK), [A]),
        (lambda a: functional.log_softmax(a + MASK)[1], [A]),
        (lambda y: 0.0**y, [2.5]),
        (lambda x: x * Value(0.0).relu() + x, [2.0]),
        (lambda x: x + Value(0.0).sqrt() + Value(-1.0).log(), [2.0]),
        (lambda x: ops.maximum(x, -math.inf) * ops.minimum(2.0, 2.0), [2.0]),
        (lambda x: ops.where(Value(0.0), Value(0.0).log(), x) * x, [2.0]),
        (lambda x: x / Value(1e-9) * 1e-9 + Value(1e-9) ** -1 * x * 1e-9, [3.0]),
    ],
)
def test_what_does_not_depend_on_the_inputs_is_not_differenced(f: Any, inputs: Any) -> None:
    assert gradcheck(f, inputs, order=1)


def test_a_power_of_zero_is_differentiated_twice() -> None:
    assert gradcheck(lambda y: 0.0**y, [2.5])
    assert gradcheck(lambda y: Value(0.0) ** y * y, [1.5], order=3)


def test_an_output_that_is_infinite_all_around_has_nothing_to_check() -> None:
    assert gradcheck(lambda a: functional.log_softmax(a + MASK), [A], order=1)


@pytest.mark.parametrize(
    ("f", "x"), [(Value.log, 1e-7), (Value.sqrt, 0.0), (Value.exp, 709.7825), (Value.log, 0.0)]
)
def test_at_the_edge_of_a_domain_nothing_can_be_said(f: Any, x: float) -> None:
    with pytest.raises(Undecided, match=r"which have no difference; choose inputs further inside"):
        gradcheck(f, [x], order=1)


@pytest.mark.parametrize("f", [Value.relu, Value.leaky_relu, lambda x: (x * 1e6).relu()])
def test_at_a_kink_nothing_can_be_said_and_it_is_called_one(f: Any) -> None:
    with pytest.raises(Undecided, match=r"from the left and .* from the right: a kink"):
        gradcheck(f, [0.0], order=1)


def test_a_wrong_rule_of_large_curvature_is_wrong_and_no_kink() -> None:
    wrong = planted("fifth", [lambda x, out: 5 * x**4 + 0.01], lambda x: x**5)
    with pytest.raises(GradcheckError) as fault:
        gradcheck(wrong, [1.5], order=1)
    assert not isinstance(fault.value, Undecided)


def test_a_wrong_rule_on_what_depends_is_found_beside_constants() -> None:
    partials = [lambda a, b, out: b, lambda a, b, out: 0.0 * a]
    wrong = planted("product", partials, lambda a, b: a * b)
    assert gradcheck(lambda x: wrong(x, Value(2.0)), [3.0], order=1)  # its gradient is right
    with pytest.raises(GradcheckError, match="op product, partial derivative by argument 1"):
        gradcheck(lambda x: wrong(Value(2.0), x * 1), [3.0], order=1)


# --- what is wrong is found -----------------------------------------------------------------------


def planted(name: str, partials: list[Callable[..., Any]], forward: Any) -> Op:
    """An op with a fault in it, for this test alone."""
    row = micrograd.op(name, forward, partials)
    del registered[name]
    return row


def test_a_wrong_rule_is_named_with_its_argument_got_and_expected() -> None:
    wrong = planted("area", [lambda a, b, out: b, lambda a, b, out: a + 0.001], lambda a, b: a * b)
    with pytest.raises(
        GradcheckError,
        match=r"op area, partial derivative by argument 1 at \[3.0, 2.0\]: got 3.001, expected ",
    ):
        gradcheck(lambda x, y: wrong(x + 1, y).tanh(), [2.0, 2.0])


def test_a_rule_right_in_value_but_wrong_as_a_graph_fails_at_second_order() -> None:
    wrong = planted("cube", [lambda x, out: 3 * getattr(x, "data", x) ** 2], lambda x: x**3)
    assert gradcheck(wrong, [2.0], order=1)
    with pytest.raises(
        GradcheckError, match=r"d \(d f / d inputs\[0\]\) / d inputs\[0\] at \[2.0\]"
    ) as fault:
        gradcheck(wrong, [2.0])
    assert "got 0.0, expected 12.0" in str(fault.value) or "expected 11.99" in str(fault.value)


@pytest.mark.parametrize("factor", [-1.0, 0.0, 1.0001, 2.0])
def test_a_handwritten_backward_with_a_fault_is_named(factor: float) -> None:
    def square(x: Value) -> Value:
        out = Value(x.data**2, (x,), "square")

        def _backward() -> None:
            x.grad += factor * 2 * x.data * out.grad

        out._backward = _backward
        return out

    with pytest.raises(
        GradcheckError, match=r"d f / d inputs\[1\] .* look at the handwritten _backward of square"
    ):
        gradcheck(lambda a, x: square(x) + a, [1.0, 3.0], order=1)


def test_a_right_handwritten_backward_passes_at_first_order() -> None:
    def square(x: Value) -> Value:
        out = Value(x.data**2, (x,), "square")
        out._backward = lambda: setattr(x, "grad", x.grad + 2 * x.data * out.grad)
        return out

    assert gradcheck(lambda x: square(x) * 3, [3.0], order=1)
    with pytest.raises(TypeError, match="square has a handwritten _backward"):
        gradcheck(square, [3.0], order=2)


def test_a_forgotten_past_is_found() -> None:
    with pytest.raises(GradcheckError, match=r"d f\[1\] / d inputs\[0\] .*got 0.0, expected [12]"):
        gradcheck(lambda x: [x * x, x.detach() * 2], [1.0])


def test_a_kink_is_found() -> None:
    with pytest.raises(
        GradcheckError, match=r"op ReLU, partial derivative by argument 0 at \[0.0\]"
    ):
        gradcheck(lambda x: x.relu(), [0.0])


def test_a_nan_where_a_number_is_expected_is_found() -> None:
    wrong = planted("same", [lambda x, out: x * math.nan], lambda x: x * 1.0)
    with pytest.raises(GradcheckError, match=r"op same, .*got nan, expected (1|0.9)"):
        gradcheck(wrong, [2.0])


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "inputs", "order", "error", "named"),
    [
        (lambda: Value(1.0), [], 2, ValueError, "at least one input"),
        (lambda x: x, [1.0], 0, ValueError, "at least 1, got 0"),
        (lambda x: x, [1.0], 1.5, ValueError, "at least 1, got 1.5"),
        (lambda x: x.data, [1.0], 2, TypeError, "an array of Values, got float 1.0"),
        (lambda x: x, ["1"], 2, TypeError, "a Value holds one real number"),
    ],
)
def test_bad_input_says_what_was_given(
    f: Any, inputs: Any, order: Any, error: type[Exception], named: str
) -> None:
    with pytest.raises(error, match=named):
        gradcheck(f, inputs, order)
