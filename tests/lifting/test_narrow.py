"""float32, small integers and masks agree with eager code, or are refused with what to write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from random_programs import leaves

from micrograd import LiftError, Value, functional, lift, nn, ops
from micrograd.functional import take

w = Value(0.7)
weights = leaves(np.linspace(-1, 1, 12).reshape(4, 3))
KINDS = ["float16", "float32", "int8", "uint8", "int16", "uint16", "int32", "uint32", "uint64"]


def some(kind: str, shape: Any = (5, 4)) -> np.ndarray:
    return np.arange(np.prod(shape)).reshape(shape).astype(kind)


AGREE: dict[str, Callable[[Any], Any]] = {
    "times a Value": lambda x: (x * w).sum(),
    "a Value times it": lambda x: (w * x).sum(),
    "plus and minus a Value": lambda x: ((x + w) * 2 - (w - x)).sum(),
    "divided by a Value": lambda x: (x / w).sum() + (w / (x + w)).sum(),
    "to a Value's power": lambda x: ((w + x) ** 2).sum(),
    "a matrix of Values": lambda x: (x @ weights).sum(),
    "a Value made of it": lambda x: sum(Value(v) * 0.1 for v in x.ravel()),
    "linear": lambda x: functional.linear(x, weights.T).sum(),
    "softmax": lambda x: (functional.softmax(x) * w).sum(),
    "an op": lambda x: (ops.exp(ops.mul(x, 0.1)) * w).sum(),
    "an op of two": lambda x: (ops.maximum(x, 3.3) * w).sum(),
    "where": lambda x: ops.where(x, w, 2.0).sum(),
    "a norm": lambda x: nn.LayerNorm(4)(x).sum(),
    "mse": lambda x: functional.mse_loss(x * w, x),
    "untouched": lambda x: x,
}


@pytest.mark.parametrize("kind", [*KINDS, "bool", "float64", "int64", ">f8", "longdouble"])
@pytest.mark.parametrize("name", AGREE)
def test_what_meets_a_value_agrees(name: str, kind: str) -> None:
    x, function = some(kind), AGREE[name]
    want = np.ravel(function(x))
    got = np.ravel(np.asarray(lift(function)(x), dtype=object))
    assert [float(v) for v in got] == pytest.approx([float(v) for v in want], rel=1e-12)


ALONE: dict[str, Callable[[Any], Any]] = {
    "times two": lambda x: (x * 2 * w).sum(),
    "plus itself": lambda x: ((x + x) * w).sum(),
    "minus a number": lambda x: ((x - 1) * w).sum(),
    "a number minus it": lambda x: ((1 - x) * w).sum(),
    "times itself": lambda x: ((x * x) * w).sum(),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ALONE)
def test_what_meets_its_like_alone_is_refused(name: str, kind: str) -> None:
    with pytest.raises(LiftError, match=rf"{kind} .*astype\(np\.float64\)"):
        lift(ALONE[name])(some(kind))


@pytest.mark.parametrize("name", ALONE)
@pytest.mark.parametrize("kind", ["float64", "int64", "longdouble"])
def test_what_has_64_bits_agrees_alone(name: str, kind: str) -> None:
    x = some(kind)
    lift(ALONE[name]).check(x)
    assert lift(ALONE[name])(x).data == pytest.approx(ALONE[name](x).data, rel=1e-12)


FLOATS: dict[str, Callable[[Any], Any]] = {
    "halves": lambda x: (x / 2 * w).sum(),
    "a square": lambda x: (x**2 * w).sum(),
    "np.exp": lambda x: (np.exp(x) * w).sum(),
    "np.tanh": lambda x: (np.tanh(x) * w).sum(),
    "a sum": lambda x: x.sum() * w,
    "a mean": lambda x: x.mean() * w,
    "a product": lambda x: (x @ x.T).sum() * w,
    "after a sign": lambda x: (-x * 2 * w).sum(),
    "abs": lambda x: (np.abs(x) * 2 * w).sum(),
}


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("kind", ["float16", "float32"])
def test_arithmetic_of_floats_alone_is_refused(name: str, kind: str) -> None:
    with pytest.raises(LiftError, match=kind):
        lift(FLOATS[name])(some(kind) / 8)


EXACT: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "minus float32": ("float32", lambda x: (-x * w).sum()),
    "abs of float32": ("float32", lambda x: (abs(x) * w).sum()),
    "small integers times a float": ("int8", lambda x: (x * 0.3 * w).sum()),
    "small integers divided": ("int16", lambda x: (x / 3 * w).sum()),
    "a sum of small integers": ("int8", lambda x: x.sum() * w),
    "a mean of small integers": ("uint8", lambda x: x.mean() * w),
    "a product of masks": ("bool", lambda m: (m * m * w).sum()),
    "a count": ("bool", lambda m: m.sum() * w),
    "a count along an axis": ("bool", lambda m: (m.sum(axis=0) * w).sum()),
    "Python's sum of a mask": ("bool", lambda m: sum(m.ravel()) * w),
    "not": ("bool", lambda m: ((1 - m) * w).sum()),
    "a mask as labels": ("bool", lambda m: ((2 * m - 1) * w).sum()),
    "a masked mean": ("bool", lambda m: (m * w).sum() / m.sum()),
    "the root of int32": ("int32", lambda x: (np.sqrt(x) * w).sum()),
}


@pytest.mark.parametrize("name", EXACT)
def test_what_eager_code_computes_in_64_bits_agrees(name: str) -> None:
    kind, function = EXACT[name]
    x = some(kind)
    lift(function).check(x)
    assert lift(function)(x).data == pytest.approx(function(x).data, rel=1e-12)


@pytest.mark.parametrize(
    "function", [lambda m: m + m, lambda m: m - m, lambda m: -m, lambda m: m + np.True_]
)
def test_masks_added_or_negated_are_refused(function: Any) -> None:
    with pytest.raises(LiftError, match="bool"):
        lift(function)(some("bool"))


def test_two_kinds_agree_where_numpy_takes_64_bits_for_both() -> None:
    x, n = some("float32"), some("int32")
    f = lift(lambda x, n: ((x + n) * w).sum())
    assert f(x, n).data == pytest.approx(((x + n) * w).sum().data, rel=1e-12)
    with pytest.raises(LiftError, match="float32"):
        lift(lambda x, n: ((x + n) * w).sum())(x, some("int16"))


@pytest.mark.parametrize("kind", KINDS[2:])
def test_small_integers_choose(kind: str) -> None:
    f = lift(lambda i: take(weights, i).sum())
    i = np.array([0, 3, 3], dtype=kind)
    assert f(i).data == pytest.approx(take(weights, i).sum().data, rel=1e-12)


@pytest.mark.parametrize("number", [np.float32(1.1), np.int8(100), np.uint8(3), np.True_])
def test_numpys_scalars_follow_the_same_rule(number: Any) -> None:
    assert lift(lambda x: x * w)(number).data == (number * w).data
    with pytest.raises(LiftError, match=str(number.dtype)):
        lift(lambda x: (x + x) * w)(number)


def test_float32_and_float64_have_programs_of_their_own() -> None:
    f = lift(lambda x: (x * 2 * w).sum())
    f(some("float64"))
    with pytest.raises(LiftError):
        f(some("float32"))


def test_wide_arguments_pay_nothing() -> None:
    from micrograd.lifting.record import Recorder
    from micrograd.lifting.tape import INPUT
    from micrograd.lifting.traced import Traced

    recorder = Recorder()
    x, y = recorder.array(INPUT, (2,), 0)
    assert type(x) is type(x + y) is Traced
    assert not recorder.narrow
