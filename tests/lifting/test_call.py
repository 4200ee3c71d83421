"""An array that a lifted function returns is an array to the whole package and to NumPy.

Covers `call.py`, `results.py`. And how gradients come back from a lifted loss.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import micrograd
from micrograd import Value, fast, functional, lift, numbers, ops
from micrograd.lifting.results import Output, ResultArray

X = np.array([[0.5, -1.0, 2.0], [3.0, 0.25, -0.5]])
double = lift(lambda x: x * Value(2.0))


def eager() -> np.ndarray:
    return double.function(X)  # type: ignore[no-any-return]


USES: dict[str, Callable[[Any], Any]] = {
    **{name: lambda a, op=op: op(a) for name, op in
       (("exp", ops.exp), ("relu", ops.relu), ("tanh", ops.tanh), ("abs", ops.absolute))},
    "maximum": lambda a: micrograd.maximum(a, 0),
    "maximum, other side": lambda a: micrograd.maximum(0.5, a),
    "minimum of two": lambda a: micrograd.minimum(a, a[::-1]),
    "where": lambda a: micrograd.where(micrograd.greater(a, 0.0), a, 0.0),
    "np.maximum of one": lambda a: np.maximum(a[0, 0], 0.0),
    "np.exp": lambda a: np.exp(a),
    "softmax": lambda a: functional.softmax(a),
    "cross entropy": lambda a: functional.cross_entropy(a, np.array([0, 2])),
    "take": lambda a: functional.take(a, np.array([1, 0])),
    "linear": lambda a: functional.linear(a, a),
    "matmul": lambda a: a @ a.T,
    "matmul from the left": lambda a: np.ones((1, 2)) @ a,
    "arithmetic": lambda a: 1.0 - a / 2 + a**2,
    "compare": lambda a: a > 0.0,
    "clip": lambda a: a.clip(-1.0, 1.0),
    "any and all": lambda a: [a.any(), a.all()],
    "cumprod": lambda a: a.cumprod(axis=1),
    "trace": lambda a: a.trace(),
    "repeat": lambda a: a.repeat(2, axis=0),
    "flat": lambda a: list(a.flat),
    "T, reshape, ravel": lambda a: a.T.reshape(2, 3).ravel(),
    "argsort": lambda a: a.argsort(axis=1),
    "std": lambda a: a.std(),
    "in": lambda a: a[0, 0] in a,
    "iterate": lambda a: [row.sum() for row in a],
    "unpack": lambda a: (lambda x, y: x + y)(*a),
    "concatenate": lambda a: np.concatenate([a, a], axis=1),
    "stack, sum": lambda a: np.stack([a, a]).sum(axis=0),
    "np.mean": lambda a: np.mean(a, axis=0),
    "np.where": lambda a: np.where(numbers(a) > 0, a, 0.0),
    "into an object array": lambda a: np.array(a, dtype=object, copy=True),
}  # fmt: skip


@pytest.mark.parametrize("name", USES)
def test_used_as_an_array(name: str) -> None:
    want, got = USES[name](eager()), USES[name](double(X))
    want, got = np.asarray(want, dtype=object), np.asarray(got, dtype=object)
    assert got.shape == want.shape
    np.testing.assert_array_equal(numbers(got), numbers(want))


@pytest.mark.parametrize("name", ["exp", "maximum", "softmax", "matmul", "arithmetic", "clip"])
def test_gradients_flow_through(name: str) -> None:
    w = Value(2.0)
    f = lift(lambda x: x * w)
    np.sum(USES[name](f.function(X))).backward()
    want, w.grad = w.grad, 0.0
    np.sum(USES[name](f(X))).backward()
    assert w.grad == pytest.approx(want, rel=1e-12)


def test_every_public_method_of_an_array_is_there() -> None:
    result = double(X)
    assert isinstance(result, ResultArray)
    for name in dir(np.ndarray):
        if not name.startswith("_"):
            assert hasattr(type(result), name), name


def test_in_place() -> None:
    r = same = double(X)
    r += 1
    assert r is same
    np.testing.assert_array_equal(numbers(r), 2 * X + 1)
    r -= r.mean()
    np.testing.assert_allclose(numbers(r), 2 * X - (2 * X).mean(), atol=1e-15)
    r[0] = 7.0
    r[1, 0] = Value(8.0)
    assert numbers(r)[0].tolist() == [7.0] * 3
    assert numbers(r)[1, 0] == 8.0
    np.add(r, 1.0, out=r)
    assert numbers(r)[1, 0] == 9.0


def test_what_was_written_to_one_value_is_read() -> None:
    r = double(X)
    r[0, 0].data = 5.0
    assert numbers(r)[0, 0] == 5.0


def test_an_array_without_axes_is_a_number() -> None:
    r = lift(lambda x: np.array((x * Value(2.0)).sum(), dtype=object))(X)
    assert r.shape == ()
    assert float(r) == pytest.approx((2 * X).sum())
    assert bool(r)
    assert f"{r.item():.1f}" == "8.5"
    with pytest.raises(TypeError):
        float(double(X))


def test_reading_numbers_makes_no_values() -> None:
    r = double(X)
    numbers(r)
    assert (r.shape, r.ndim, r.size, len(r), r.dtype) == ((2, 3), 2, 6, 2, object)
    assert r._values is None


def test_an_op_takes_anything_that_says_it_is_an_array() -> None:
    class Table:
        def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
            return np.array([1.0, -2.0])

    np.testing.assert_array_equal(ops.relu(Table()), [1.0, 0.0])


# --- the backward of one result goes straight to the program --------------------------------------


def leaf_inputs() -> tuple[Any, list[Value]]:
    leaves = [Value(0.5), Value(-1.5)]
    return leaves, leaves


def computed_inputs() -> tuple[Any, list[Value]]:
    leaves = [Value(0.5), Value(-1.5)]
    return [leaves[0] * 2.0, leaves[1].exp()], leaves


def same_input_twice() -> tuple[Any, list[Value]]:
    v = Value(0.75)
    return [v, v], [v]


def numbers_alone() -> tuple[Any, list[Value]]:
    return np.array([0.5, -1.5]), []


def by_hand() -> tuple[Any, list[Value]]:
    """The call's node pushes by a closure, which is asked, not the program."""
    return leaf_inputs()


CASES = (leaf_inputs, computed_inputs, same_input_twice, numbers_alone, by_hand)


@pytest.mark.parametrize("executor", ["numpy", "native"])
@pytest.mark.parametrize("case", CASES)
def test_the_short_way_back_gives_the_gradients_of_the_walk(
    case: Callable[[], tuple[Any, list[Value]]], executor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shortened: list[bool] = []
    taken = Output.backward_at_once

    def gradients(short: bool) -> list[float]:
        def at_once(rule: Output, node: Value) -> bool:
            shortened.append(short and taken(rule, node))
            return shortened[-1]

        monkeypatch.setattr(Output, "backward_at_once", at_once)
        w = [Value(1.25), Value(-0.5)]
        loss_fn = lift(
            lambda x: (w[0] * x[0] + w[1] * x[1]).tanh() + x[0] * x[1], executor=executor
        )
        given, leaves = case()
        for _ in range(2):  # leaves add to what they hold
            loss = loss_fn(given)
            (call,) = loss._prev
            if case is by_hand:
                call._backward = lambda: setattr(leaves[0], "grad", 7.0)
            loss.backward()
        return [v.grad for v in (*w, *leaves, call, loss)]

    walked = gradients(short=False)
    assert gradients(short=True) == walked
    assert walked[-1] == 1.0
    if Value.backward is fast.of_value["backward"]:  # the reference always walks
        assert any(shortened) == (case not in (computed_inputs, by_hand)), "which way was taken"


def test_the_short_way_keeps_the_gradients_of_results_in_between() -> None:
    def grown(x: Any) -> tuple[Any, Any]:
        inner = x[0] * x[1]
        return inner * inner, inner

    found = []
    for function in (grown, lift(grown)):
        outer, inner = function([Value(3.0), Value(0.5)])
        outer.backward()
        found.append((outer.grad, inner.grad))
    assert found[0] == found[1] == (1.0, 3.0)
