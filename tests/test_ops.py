"""The op table against PyTorch: forward, first and second derivative, each row in each form.

On random numbers and on purpose at kinks, zeros of both signs, infinities, nan and huge numbers.

Covers `op.py`, `ufuncs.py`.
"""

from __future__ import annotations

import itertools
import math
import pickle
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from oracle import KINKED, ROWS, SMOOTH, SPECIAL, STEPS, same, tensor

from micrograd import Value, grad, modes, op, ops
from micrograd.engine import topological_order
from micrograd.op import Op, registered

DIFFERENTIABLE = {**SMOOTH, **KINKED}
ARRIVING = (1.0, -2.0, 0.0, math.inf, math.nan)  # gradients that arrive from above
Point = tuple[float, ...]


def special_points(arity: int) -> list[Point]:
    few = {3: (0.0, -1.0, 0.5, math.inf, math.nan), 5: (0.0, -1.5, math.inf)}
    return list(itertools.product(few.get(arity, SPECIAL), repeat=arity))


def random_points(arity: int) -> list[Point]:
    rng = np.random.default_rng(0)
    drawn = np.concatenate([rng.normal(0, 2, (150, arity)), rng.uniform(-6, 6, (150, arity))])
    return [tuple(map(float, row)) for row in drawn]


def points(arity: int) -> list[Point]:
    return special_points(arity) + random_points(arity)


def torch_gradients(
    f: Callable[..., torch.Tensor], at: list[Point], arriving: float = 1.0
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """The inputs, a column each, and d f / d each input times what arrives, ready for another."""
    xs = [tensor(column).requires_grad_() for column in zip(*at, strict=True)]
    y = f(*xs)
    weight = torch.full_like(y, arriving)
    return xs, list(torch.autograd.grad(y, xs, weight, create_graph=True, materialize_grads=True))


def rows(table: dict[str, Any]) -> Any:
    return pytest.mark.parametrize(("row", "f"), table.values(), ids=table)


def agree(got: Any, want: Any, at: list[Point]) -> None:
    """Equal everywhere; the failure shows the first points where they are not."""
    ok = same(got, want)
    bad = [
        (at[i], float(np.asarray(got)[i]), float(np.asarray(want)[i])) for i in np.flatnonzero(~ok)
    ]
    assert not bad, f"{len(bad)} of {len(at)} differ: (inputs, got, want) {bad[:5]}"


def floats(row: Op, at: list[Point]) -> list[float]:
    results = [row(*p) for p in at]
    assert all(type(r) is float for r in results)
    return results


def column(contributions: Any, i: int, size: int) -> np.ndarray:
    """What reaches input i; None is a gradient of 0."""
    c = contributions[i]
    return np.broadcast_to(np.asarray(0.0 if c is None else c, dtype=float), size)


def test_the_oracle_knows_every_row() -> None:
    families = {"**2", "LeakyReLU", "dot"}
    own = {name for name in registered if registered[name].builtin}
    assert own | families <= set(ROWS)


@rows(ROWS)
def test_forward_is_torchs(row: Op, f: Any) -> None:
    at = points(row.arity)
    want = f(*[tensor(c) for c in zip(*at, strict=True)])
    agree(floats(row, at), want.numpy(force=True), at)


@rows(ROWS)
def test_forward_on_arrays_is_the_forward_on_floats(row: Op, f: Any) -> None:
    at = points(row.arity)
    columns = [np.array(c) for c in zip(*at, strict=True)]
    agree(row(*columns), floats(row, at), at)
    out = np.full(len(at), 7.0)
    with np.errstate(all="ignore"):
        assert row.array(*columns, out=out) is out
    agree(out, floats(row, at), at)


@rows(ROWS)
def test_forward_on_values_is_the_forward_on_floats(row: Op, f: Any) -> None:
    at = points(row.arity)
    values = [row(*map(Value, p)) for p in at]
    assert all(v._op == row.name and len(v._prev) == row.arity for v in values)
    agree([v.data for v in values], floats(row, at), at)
    objects = [np.array(list(map(Value, c)), dtype=object) for c in zip(*at, strict=True)]
    agree([v.data for v in row(*objects)], floats(row, at), at)


@pytest.mark.parametrize("arriving", ARRIVING)
@rows(DIFFERENTIABLE)
def test_first_derivative_is_torchs(row: Op, f: Any, arriving: float) -> None:
    at = points(row.arity)
    _, want = torch_gradients(f, at, arriving)
    got = [row.number_gradients(arriving, p, row.number(*p)) for p in at]
    with np.errstate(all="ignore"):
        columns = [np.array(c) for c in zip(*at, strict=True)]
        arrays = row.gradients(np.full(len(at), arriving), columns, np.asarray(row(*columns)))
    for i in range(row.arity):
        numbers = [0.0 if g[i] is None else g[i] for g in got]
        agree(numbers, want[i].numpy(force=True), at)
        agree(column(arrays, i, len(at)), numbers, at)


@rows(DIFFERENTIABLE)
def test_partials_tell_the_derivative_that_backward_pushes(row: Op, f: Any) -> None:
    if not row.partials:
        assert row.name == "dot"  # of any number of inputs: its backward says it all
        return
    at = random_points(row.arity)
    for p in at:
        out = row.number(*p)
        pushed = row.number_gradients(1.0, p, out)
        for partial, g in zip(row.partials, pushed, strict=True):
            told = partial(*p, out) if not math.isnan(out) else math.nan
            assert same(told, 0.0 if g is None else g) or math.isnan(out), (p, told, g)


@rows(DIFFERENTIABLE)
def test_second_derivative_is_torchs(row: Op, f: Any) -> None:
    at = points(row.arity)
    if row.name in ("erf", "GELU"):
        # torch computes exp(-x*x) * -2x, which is 0 * inf = nan once x overflows: we say 0
        at = [p for p in at if abs(p[0]) < 1e150 or not math.isfinite(p[0])]
    if row is ops.power:
        # the videos' x / y is x * y**-1, and the reciprocal of a subnormal number overflows
        at = [p for p in at if p[0] != 5e-324]
    xs, firsts = torch_gradients(f, at)
    wants = []
    for first in firsts:
        if first.requires_grad:
            ones = torch.ones_like(first)
            seconds = torch.autograd.grad(
                first, xs, ones, retain_graph=True, materialize_grads=True
            )
            wants.append([s.numpy(force=True) for s in seconds])
        else:
            wants.append([np.zeros(len(at))] * row.arity)
    for i in range(row.arity):
        got_first, got_second = [], []
        for p in at:
            inputs = list(map(Value, p))
            first_i = grad(row(*inputs), inputs[i], create_graph=True)
            got_first.append(first_i.data)
            got_second.append([v.data for v in grad(first_i, inputs)])
        agree(got_first, firsts[i].numpy(force=True), at)
        for j in range(row.arity):
            kept = range(len(at))
            if row is ops.power and i == j == 1:  # torch: 0 * log 0 = nan; see the next
                kept = [k for k in kept if at[k][0] != 0.0 or not at[k][1] >= 0.0]
            some = [got_second[k][j] for k in kept]
            agree(some, wants[i][j][kept], [at[k] for k in kept])


@pytest.mark.parametrize("y", [0.0, 0.5, 1.0, 2.5, 3.0, 20.0])
@pytest.mark.parametrize("x", [0.0, -0.0])
def test_a_power_of_zero_does_not_change_with_its_exponent(x: float, y: float) -> None:
    exponent = Value(y)
    derivative = Value(x) ** exponent
    for _ in range(3):
        derivative = grad(derivative, exponent, create_graph=True)
        assert derivative.data == 0.0


@rows(STEPS)
def test_steps_pass_no_gradient(row: Op, f: Any) -> None:
    assert not row.differentiable
    inputs = [Value(0.5) for _ in range(row.arity)]
    (row(*inputs) * 3).backward()
    assert [x.grad for x in inputs] == [0.0] * row.arity
    assert [g.data for g in grad(row(*inputs), inputs, create_graph=True)] == [0.0] * row.arity


# --- the rows that are written out in the engine are the table's --------------------------------


def test_written_out_add_mul_and_relu_equal_the_table() -> None:
    at = points(2)
    for row, written in ((ops.add, lambda a, b: a + b), (ops.mul, lambda a, b: a * b)):
        agree([written(Value(a), Value(b)).data for a, b in at], floats(row, at), at)
        for arriving in ARRIVING:
            pushed, table = [], []
            for p in at:
                a, b = map(Value, p)
                (written(a, b) * arriving).backward()
                pushed.append((a.grad, b.grad))
                table.append(row.number_gradients(arriving, p, row.number(*p)))
            for i in (0, 1):
                agree([g[i] for g in pushed], [g[i] for g in table], at)
    at = points(1)
    for arriving in ARRIVING:
        pushed_relu, table_relu = [], []
        for (a,) in at:
            x = Value(a)
            (x.relu() * arriving).backward()
            pushed_relu.append(x.grad)
            table_relu.append(ops.relu.number_gradients(arriving, (a,), ops.relu.number(a))[0])
        agree(pushed_relu, table_relu, at)


# --- edges by name: the rows of the contract ----------------------------------------------------


def test_overflow_and_poles_are_ieee_numbers_not_exceptions() -> None:
    assert Value(1000.0).exp().data == math.inf
    assert Value(0.0).log().data == -math.inf
    assert math.isnan(Value(-1.0).log().data)
    assert math.isnan((Value(-8.0) ** (1 / 3)).data)
    assert (1 / Value(0.0)).data == math.inf
    assert (1 / Value(-0.0)).data == -math.inf
    assert (Value(1.0) / 0).data == math.inf
    assert (Value(1.0) / Value(0.0)).data == math.inf
    assert (Value(1e300) ** 2).data == math.inf
    assert (Value(1e300) * 1e300).data == math.inf
    assert math.isnan(Value(math.inf).sin().data)
    assert math.isnan(Value(-1.0).sqrt().data)


def test_kinks_share_the_gradient_as_torch_does() -> None:
    x, y = Value(0.0), Value(0.0)
    x.relu().backward()
    abs(x).backward()
    assert x.grad == 0.0
    ops.maximum(x, y).backward()
    assert (x.grad, y.grad) == (0.5, 0.5)
    ops.minimum(x, y).backward()
    assert (x.grad, y.grad) == (1.0, 1.0)


def test_relu_does_not_let_an_infinite_gradient_through_a_shut_gate() -> None:
    x = Value(-1.0)
    (x.relu() * math.inf).backward()
    assert x.grad == 0.0


# --- what an op takes ---------------------------------------------------------------------------


def test_an_op_mixes_numbers_values_and_arrays() -> None:
    v, a = Value(2.0), np.array([1.0, 3.0])
    assert ops.maximum(1, 2.5) == 2.5
    assert type(ops.exp(1)) is float
    assert ops.maximum(a, 2).tolist() == [2.0, 3.0]
    mixed = ops.maximum(v, a)
    assert mixed.dtype == object and [x.data for x in mixed] == [2.0, 3.0]
    assert ops.maximum(np.array(v), 3).data == 3.0
    assert ops.where(True, v, 0.0).data == 2.0
    assert ops.where(np.array([True, False]), v, 0.0)[1].data == 0.0


def test_integer_and_bool_arrays_count_in_floats() -> None:
    assert ops.constant_power(-1)(np.array([2, 4])).tolist() == [0.5, 0.25]
    assert ops.constant_power(2)(np.array([2**40])).tolist() == [2.0**80]
    assert ops.relu(np.array([True, False])).dtype == np.float64


@pytest.mark.parametrize(
    "wrong", ["3", b"3", None, [1.0], 1j, np.array(["3"]), np.array([1j]), np.datetime64("2020")]
)
def test_an_op_refuses_what_is_no_number(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"got .*real number"):
        ops.exp(wrong)
    with pytest.raises(TypeError):
        ops.maximum(Value(1.0), wrong)


@pytest.mark.parametrize("number", [1.0, Value(1.0), np.array([1.0])])
def test_an_op_counts_its_inputs(number: Any) -> None:
    with pytest.raises(TypeError, match="exp takes 1 inputs, got 2"):
        ops.exp(number, number)
    with pytest.raises(TypeError, match="maximum takes 2 inputs, got 1"):
        ops.maximum(number)


def test_rows_survive_pickling_and_copying_as_themselves() -> None:
    for row in [ops.add, ops.gelu, ops.constant_power(3), ops.leaky_relu(0.2), ops.dot_op(3, True)]:
        again = pickle.loads(pickle.dumps(row))
        assert (again.name, again.parameters, again.arity) == (row.name, row.parameters, row.arity)
        assert again is row


def test_an_exponent_keeps_the_form_it_was_typed_in() -> None:
    x = Value(3.0)
    assert [(x**k)._op for k in (2, 2.0, -1, 0.5)] == ["**2", "**2.0", "**-1", "**0.5"]
    assert (x ** np.int64(2))._op == "**2"
    assert (x ** np.float64(2))._op == "**2.0"
    assert (x**True)._op == "**1"
    assert (x ** np.array(2))._op == "**2"
    assert math.isnan((x**math.nan).data)


# --- an op of one's own -------------------------------------------------------------------------


def test_an_op_of_ones_own_works_to_any_order_and_on_arrays() -> None:
    cube = op("test cube", lambda x: x * x * x, [lambda x, out: 3 * x * x])
    x = Value(2.0)
    y = cube(x)
    assert (y.data, y._op, y._prev) == (8.0, "test cube", (x,))
    first = grad(y, x, create_graph=True)
    second = grad(first, x, create_graph=True)
    third = grad(second, x)
    assert [first.data, second.data, third.data] == [12.0, 12.0, 6.0]
    assert cube(np.array([1.0, 2.0])).tolist() == [1.0, 8.0]
    assert cube(3) == 27.0
    assert pickle.loads(pickle.dumps(y)).data == 8.0


def test_an_op_of_ones_own_answers_in_ieee_numbers() -> None:
    inverse = op("test inverse", lambda x: 1 / x, [lambda x, out: -1 / (x * x)])
    root = op("test root", lambda x: x**0.5, [lambda x, out: 0.5 * x**-0.5])
    zero = Value(0.0)
    y = inverse(zero)
    assert y.data == math.inf
    y.backward()
    assert zero.grad == -math.inf
    assert inverse(np.array([0.0, 2.0])).tolist() == [math.inf, 0.5]
    minus = Value(-4.0)
    y = root(minus)
    y.backward()
    assert math.isnan(y.data) and math.isnan(minus.grad)
    assert np.isnan(root(np.array([-4.0]))).all()


def test_an_op_of_ones_own_may_bring_an_array_form_without_out() -> None:
    cubic = op("test cubic", lambda x: x**3, [lambda x, out: 3 * x * x], array=lambda x: x**3)
    out = np.empty(2)
    assert cubic.array(np.array([1.0, 2.0]), out=out) is out and out.tolist() == [1.0, 8.0]


def test_a_partial_that_reads_a_number_is_refused_where_it_would_lose_the_graph() -> None:
    sine = op("test sine", math.sin, [lambda x, out: math.cos(x)])
    x = Value(0.5)
    assert grad(sine(x), x).data == math.cos(0.5)
    with pytest.raises(TypeError, match="partial of op 'test sine' reads a Value's number"):
        grad(sine(x), x, create_graph=True)
    assert modes.current_mode() is modes.eager
    right = op("test right sine", math.sin, [lambda x, out: ops.cos(x)])
    second = grad(grad(right(x), x, create_graph=True), x)
    assert second.data == -math.sin(0.5)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("", math.sin, [math.cos]), TypeError, "non-empty string"),
        (("exp", math.exp, [math.exp]), ValueError, "op of micrograd's own"),
        (("test f", 3, [math.cos]), TypeError, "callable forward"),
        (("test f", math.sin, math.cos), TypeError, "callable forward and a list"),
        (("test f", math.sin, []), TypeError, "got none"),
        (("test f", math.sin, [1.0]), TypeError, "one callable partial"),
    ],
)
def test_op_refuses_what_it_cannot_register(
    arguments: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        op(*arguments)
    assert "test f" not in registered


def test_a_forward_that_gives_no_number_is_refused() -> None:
    text = op("test text", lambda x: "three", [lambda x, out: 1.0])
    with pytest.raises(TypeError, match="got str 'three'"):
        text(Value(1.0))


# --- the checker can fail -----------------------------------------------------------------------


def test_the_comparison_finds_a_planted_wrong_rule() -> None:
    wrong = Op("tanh", math.tanh, (lambda x, out: 1 - out,), arity=1, array=np.tanh)
    with pytest.raises(AssertionError, match="differ"):
        test_first_derivative_is_torchs(wrong, torch.tanh, 1.0)
    with pytest.raises(AssertionError, match="differ"):
        test_second_derivative_is_torchs(wrong, torch.tanh)
    with pytest.raises(AssertionError, match="differ"):
        test_forward_is_torchs(wrong, torch.sin)


def test_the_comparison_tells_infinities_and_nan_apart() -> None:
    values = [math.inf, -math.inf, math.nan, 0.0, 1.0]
    assert (
        same(np.array(values)[:, None], np.array(values)).tolist() == np.eye(5, dtype=bool).tolist()
    )
    assert not same(1.0 + 2e-9, 1.0)
    assert same(1.0 + 5e-10, 1.0)


# --- primitive and composed rows ------------------------------------------------------------------

PRIMITIVE = {
    "+", "*", "**", "exp", "log", "sqrt", "sin", "cos", "tanh", "erf", "softplus", "maximum",
    "where", "greater", "equal", "detach",
}  # fmt: skip


def test_the_primitive_rows_are_few() -> None:
    own = {name: row for name, row in registered.items() if row.builtin}
    assert {name for name, row in own.items() if row.composed is None} == PRIMITIVE
    assert ops.constant_power(3).composed is None
    assert ops.leaky_relu(0.1).composed is not None and ops.dot_op(2, True).composed is not None


def composed_rows() -> list[Op]:
    rows = [row for row in registered.values() if row.builtin and row.composed is not None]
    return [*rows, ops.leaky_relu(0.1), ops.dot_op(1, False), ops.dot_op(1, True)]


@pytest.mark.parametrize("row", composed_rows(), ids=lambda row: f"{row.name} {row.arity}")
def test_a_composed_row_is_what_its_parts_say(row: Op) -> None:
    """The same function in other rows; the sign of a zero and the last digits may differ."""
    uses: set[str] = set()
    for xs in itertools.product(SPECIAL, repeat=min(row.arity, 3)):
        want = row.number(*xs)
        inputs = list(map(Value, xs))
        out = row.composed(*inputs)
        assert same(out.data, want, rel=1e-12), (row.name, xs, out.data, want)
        uses |= {node._op for node in topological_order(out) if node._op}
    assert uses and all(name in PRIMITIVE or re.match(r"\*\*-?\d", name) for name in uses), uses
