"""What no program can repeat is refused while it is recorded, at the line where it stands."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from micrograd import LiftError, Value, grad, lift, numbers, optim
from micrograd.functional import take

p = Value(2.0)
row = np.array([p, Value(3.0)], dtype=object)


def backward_inside(x: Any) -> Any:
    y = x * p
    y.backward()
    return y


def grad_inside(x: Any) -> Any:
    return grad(x * p, [p])


def second_derivative_inside(x: Any) -> Any:
    return grad(x * p, [p], create_graph=True)


def closure_assigned(x: Any) -> Any:
    out = x * p
    out._backward = lambda: None
    return out


def node_by_hand(x: Any) -> Any:
    return Value(0.0, (x, p), "mine")


def written_into_floats(x: Any) -> Any:
    array = np.zeros(2)
    array[0] = x
    return array


def written_into_data(x: Any) -> Any:
    x.data = 1.0
    return x


ONE, INTEGER = 1.5, np.int64(1)
REFUSED: list[tuple[str, Callable[..., Any], Any, str]] = [
    ("data", lambda x: x * x.data, ONE, "number"),
    ("float", lambda x: float(x), ONE, "number"),
    ("item", lambda x: x.item(), ONE, "number"),
    ("format", lambda x: f"{x:.3f}", ONE, "number"),
    ("greater", lambda x: x if x > 0 else -x, ONE, "where"),
    ("at most", lambda x: x <= 1.0, ONE, "where"),
    ("if", lambda x: 1 if x else 2, ONE, "decision"),
    ("and", lambda x: x and p, ONE, "decision"),
    ("max of a list", lambda x: max([x, x * 2]), ONE, "maximum"),
    ("sorted", lambda x: sorted([x, x * 2]), ONE, "number"),
    ("np.max", lambda x: np.max([x, p]), ONE, "maximum"),
    ("np.maximum", lambda x: np.maximum(np.array([x, p]), 0), ONE, "maximum"),
    ("math.exp", lambda x: math.exp(x), ONE, "number"),
    ("numbers", lambda x: numbers([x]), ONE, "number"),
    ("astype", lambda x: np.array([x, p]).astype(float), ONE, "number"),
    ("into an array of floats", written_into_floats, ONE, "number"),
    ("writing data", written_into_data, ONE, "writing"),
    ("grad of an argument", lambda x: x * x.grad, ONE, "gradient"),
    ("index of a list", lambda i: [p, p][i], INTEGER, "take"),
    ("index of an array", lambda i: row[i], INTEGER, "take"),
    ("array of indices", lambda i: row[i], np.array([1, 0]), "take"),
    ("range", lambda i: sum(p for _ in range(i)), INTEGER, "take"),
    ("backward", backward_inside, ONE, "outside"),
    ("grad()", grad_inside, ONE, "outside"),
    ("grad(create_graph)", second_derivative_inside, ONE, "outside"),
    ("closure", closure_assigned, ONE, "micrograd.op"),
    ("node by hand", node_by_hand, ONE, "by hand"),
]


@pytest.mark.parametrize(
    ("function", "argument", "says"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED]
)
def test_refused_with_file_and_line(function: Any, argument: Any, says: str) -> None:
    with pytest.raises(LiftError, match=says) as fault:
        lift(function)(argument)
    text = str(fault.value)
    code = function.__code__
    lines = {line for _, _, line in code.co_lines() if line}
    assert __file__ in text
    assert any(f"line {line}:" in text for line in lines), (text, lines)


READ = [
    ("data", lambda x, w: x * w.data),
    ("float", lambda x, w: x * float(w)),
    ("comparison", lambda x, w: x if w > 0 else -x),
    ("if", lambda x, w: x if w else -x),
    ("numbers", lambda x, w: x * numbers([w])[0]),
]


@pytest.mark.parametrize("function", [r[1] for r in READ], ids=[r[0] for r in READ])
@pytest.mark.parametrize("stored", [False, True])
def test_the_number_of_a_parameter_is_refused_too(function: Any, stored: bool) -> None:
    w = Value(5.0)  # in a store or not yet: either way a program would keep this number for good
    if stored:
        optim.SGD([w])
    with pytest.raises(LiftError, match="parameter"):
        lift(lambda x: function(x, w))(1.0)


def test_the_line_is_the_users_even_below_the_library() -> None:
    def choose(x: Any) -> Any:
        return x if x > 0 else -x

    def loss(x: Any) -> Any:
        return sum(np.frompyfunc(choose, 1, 1)(x))

    with pytest.raises(LiftError, match=f"line {choose.__code__.co_firstlineno + 1}:"):
        lift(loss)(np.ones(3))


def test_no_second_derivative_through_a_lifted_call() -> None:
    f = lift(lambda x: x * p * x)
    v = Value(3.0)
    with pytest.raises(LiftError, match="create_graph"):
        grad(f(v), [v], create_graph=True)
    assert grad(f(v), v).data == 12.0


def test_after_a_refusal_all_is_as_before() -> None:
    w = Value(2.0)
    with pytest.raises(LiftError):
        lift(lambda x: x * w if x > 0 else x)(1.0)
    y = w * w
    y.backward()
    assert (float(y), w.grad, w > 1) == (4.0, 4.0, True)


def test_a_wrong_index_of_ones_own_stays_an_index_error() -> None:
    with pytest.raises(IndexError, match="out of range"):
        lift(lambda x: [x][3])(1.0)


def test_what_is_advised_lifts() -> None:
    from micrograd import greater, maximum, where

    f = lift(lambda x, i: where(greater(x, 0.0), x, -x) + maximum(x, 0.0) + take(row, i))
    assert [f(v, np.int64(i)).data for v, i in [(2.0, 0), (-2.0, 1)]] == [6.0, 5.0]


def test_python_may_still_ask_what_does_not_depend_on_numbers() -> None:
    f = lift(lambda x: x * 2 if isinstance(x, Value) and len([x]) == 1 and x is not None else x)
    assert f(3.0).data == 6.0
