"""The contract of Value, row by row: what the videos type, what PyTorch answers, what is freed.

Covers `arithmetic.py`, `derivatives.py`, `rules.py`.
"""

from __future__ import annotations

import asyncio
import copy
import decimal
import enum
import fractions
import gc
import math
import operator
import pickle
import random
import shutil
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import graphviz
import numpy as np
import pytest
import torch

import micrograd
from micrograd import Value, engine, grad, grads, modes, no_grad, numbers, op, optim, values
from micrograd.engine import topological_order
from micrograd.op import registered
from micrograd.rules import ByHand


@contextmanager
def collector_off() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def example() -> tuple[Value, Value, Value]:
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    return a, b, (a * b + a**2).tanh() * b + a / b


# --- what a Value holds -------------------------------------------------------------------------


class Answer(enum.IntEnum):
    LIFE = 42


@pytest.mark.parametrize(
    ("given", "held"),
    [
        (2, 2.0),
        (2.5, 2.5),
        (True, 1.0),
        (Answer.LIFE, 42.0),
        (2**60, 2.0**60),
        (np.float64(0.1), 0.1),
        (np.float32(0.5), 0.5),
        (np.float16(0.5), 0.5),
        (np.longdouble(0.5), 0.5),
        (np.int8(-3), -3.0),
        (np.uint8(3), 3.0),
        (np.bool_(True), 1.0),
        (np.array(4), 4.0),
        (np.array(4.5), 4.5),
        (np.array(True), 1.0),
        (math.inf, math.inf),
    ],
)
def test_any_real_number_becomes_a_python_float(given: Any, held: float) -> None:
    v = Value(given)
    assert type(v.data) is float and v.data == held
    for result in (Value(1.0) * given, given * Value(1.0), Value(0.0) + given, given + Value(0.0)):
        assert isinstance(result, Value) and type(result.data) is float and result.data == held


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no text")


WRONG = {
    "str": "3",
    "complex": 1j,
    "list": [1],
    "NoneType": None,
    "tuple": (1.0,),
    "bytes": b"1",
    "dict": {},
    "Decimal": decimal.Decimal("1.5"),
    "Fraction": fractions.Fraction(1, 2),
    "ndarray": np.array([1.0]),
    "complex128": np.complex128(1j),
    "timedelta64": np.timedelta64(3, "s"),
    "str_": np.str_("3"),
    "Tensor": torch.tensor(1.0),
    "function": math.sin,
    "Value": Value(1.0),
    "Unprintable": Unprintable(),
}


@pytest.mark.parametrize("kind", WRONG)
def test_anything_else_is_a_type_error_that_names_it(kind: str) -> None:
    name = "builtin_function_or_method" if kind == "function" else kind
    with pytest.raises(TypeError, match=rf"got {name} .*a Value holds one real number"):
        Value(WRONG[kind])


def test_a_value_of_a_value_says_what_to_do() -> None:
    with pytest.raises(TypeError, match=r"detach\(\)"):
        Value(Value(1.0))


def leaf() -> Value:
    return Value(1.0)


def stored() -> Value:
    (p,) = (Value(1.0),)
    optim.SGD([p])
    return p


def interior() -> Value:
    return Value(1.0) * 1.0


@pytest.mark.parametrize("make", [leaf, stored, interior])
@pytest.mark.parametrize("what", ["data", "grad"])
class TestANumberIsWritten:
    @pytest.mark.parametrize("given", [3, True, np.float32(0.1), np.int8(3), np.array(4.5)])
    def test_it_becomes_a_python_float(self, make: Any, what: str, given: Any) -> None:
        v = make()
        setattr(v, what, given)
        assert type(getattr(v, what)) is float and getattr(v, what) == float(given)
        assert type((v * 3.3).data) is float

    @pytest.mark.parametrize("kind", WRONG)
    def test_anything_else_is_refused_and_the_old_one_stands(
        self, make: Any, what: str, kind: str
    ) -> None:
        v = make()
        before = getattr(v, what)
        name = "builtin_function_or_method" if kind == "function" else kind
        with pytest.raises(TypeError, match=rf"got {name} .*a Value holds one real number"):
            setattr(v, what, WRONG[kind])
        with pytest.raises(OverflowError, match="a Value holds a float"):
            setattr(v, what, 10**400)
        assert getattr(v, what) == before


@pytest.mark.parametrize("make", [leaf, stored])
def test_an_update_with_the_loss_for_its_gradient_says_what_to_do(make: Any) -> None:
    p = make()
    loss = (p - 1) ** 2
    loss.backward()
    with pytest.raises(TypeError, match=r"got .*Value .*detach\(\)"):
        p.data -= 0.1 * loss
    assert p.data == 1.0
    p.data -= 0.1 * loss.data
    assert type(p.data) is float


def test_a_partial_of_ones_own_that_gives_another_number_leaves_a_float() -> None:
    treble = op("test treble", lambda x: 3 * x, [lambda x, out: np.float32(3)])
    x = Value(2.0)
    treble(x).backward()
    assert type(x.grad) is float and x.grad == 3.0


def test_a_label_of_ten_thousand_characters_and_a_long_wrong_argument() -> None:
    assert len(Value(1.0, label="x" * 10_000).label) == 10_000
    with pytest.raises(TypeError) as caught:
        Value("x" * 10_000)
    assert len(str(caught.value)) < 150


@pytest.mark.parametrize("huge", [10**400, -(10**400), 10**5000], ids=["e400", "-e400", "e5000"])
def test_an_integer_beyond_float64_is_named_not_rounded(huge: int) -> None:
    v = Value(1.0)
    for operation in (Value, v.__add__, v.__mul__, v.__pow__, v.__truediv__, v.__lt__):
        with pytest.raises(OverflowError, match=r"got int .*a Value holds a float"):
            operation(huge)


@pytest.mark.parametrize(
    "operation",
    [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.lt],
)
@pytest.mark.parametrize("wrong", ["3", None, 1j, [1.0], decimal.Decimal(1)])
def test_operators_refuse_what_is_no_number(operation: Any, wrong: Any) -> None:
    v = Value(2.0)
    with pytest.raises(TypeError):
        operation(v, wrong)
    with pytest.raises(TypeError):
        operation(wrong, v)
    assert (v.data, v.grad) == (2.0, 0.0)


# --- attributes and text ------------------------------------------------------------------------


def test_attributes_of_a_leaf_and_of_a_node() -> None:
    a, b = Value(2.0, label="a"), Value(3)
    c = a * b
    assert (a.data, a.grad, a.label, a._prev, a._op) == (2.0, 0.0, "a", (), "")
    assert (c.data, c.grad, c.label, c._prev, c._op) == (6.0, 0.0, "", (a, b), "*")
    c.label = "c"
    assert c.label == "c"
    assert callable(a._backward) and a._backward() is None


def test_repr_and_format() -> None:
    v = Value(2)
    assert repr(v) == str(v) == f"{v}" == "Value(data=2.0, grad=0.0)"
    assert f"{v:.4f}" == "2.0000" and format(v, "8.2e") == "2.00e+00"
    v.data, v.grad = np.float64(0.5), np.float64(1.5)  # as a hand-written update may leave them
    assert repr(v) == "Value(data=0.5, grad=1.5)"


def test_being_a_number() -> None:
    v = Value(2.5)
    assert (float(v), v.item(), math.floor(v), complex(v)) == (2.5, 2.5, 2, 2.5)
    assert math.isclose(math.sqrt(v), math.sqrt(2.5)) and math.fsum([v, v]) == 5.0
    assert Value(1.0) and not Value(0.0) and Value(math.nan)
    for refused in (int, round, operator.index):
        with pytest.raises(TypeError, match="Value"):
            refused(v)


def test_comparisons_read_data_equality_and_hash_are_identity() -> None:
    a, b = Value(1.0), Value(2.0)
    assert a < b and a <= b and b > a and b >= a and not b < a
    assert a < 2 and a <= 1 and a > 0 and 0 < a < 2 and np.float64(2) > a and a < np.int64(3)
    assert a == (a if b else b) and a != Value(1.0) and a != 1.0
    assert len({a, Value(1.0), a}) == 2
    assert sorted([b, a]) == [a, b] and max(a, b) is b
    assert not (Value(math.nan) < 1 or Value(math.nan) >= 1)
    assert all(type(r) is bool for r in (a < b, a < 2, a >= np.float64(2)))


# --- how graphs are recorded --------------------------------------------------------------------


def test_prev_is_a_tuple_in_argument_order_with_every_use() -> None:
    a, b = Value(1.0), Value(2.0)
    assert (a * a)._prev == (a, a)
    assert (b + a)._prev == (b, a)
    assert micrograd.where(a, b, a)._prev == (a, b, a)


def test_sugar_is_recorded_as_in_the_videos() -> None:
    x, y = Value(3.0), Value(4.0)
    minus = -x
    assert minus._op == "*" and minus._prev[0] is x and minus._prev[1].data == -1.0
    difference = x - y
    assert difference._op == "+" and difference._prev[0] is x
    assert difference._prev[1]._op == "*" and difference._prev[1]._prev[0] is y
    quotient = x / y
    assert quotient._op == "*" and quotient._prev[0] is x
    assert quotient._prev[1]._op == "**-1" and quotient._prev[1]._prev == (y,)
    by_number, less = x / 2, x - 3
    assert [p.data for p in by_number._prev] == [3.0, 0.5] and by_number._op == "*"
    assert [p.data for p in less._prev] == [3.0, -3.0] and less._op == "+"
    assert (1 - x).data == -2.0 and (6 / x).data == 2.0
    assert [v._op for v in (x.relu(), x.tanh(), x.exp(), x**2)] == ["ReLU", "tanh", "exp", "**2"]


@pytest.mark.parametrize("number", [2, 0.5, True, np.float64(0.5), np.int64(2), np.uint8(2)])
@pytest.mark.parametrize(
    "operation", [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]
)
def test_operators_and_reflected_operators_give_numbers_and_gradients(
    operation: Any, number: Any
) -> None:
    plain = float(number)
    for f in (lambda x, n: operation(x, n), lambda x, n: operation(n, x)):
        x = Value(1.5)
        y = f(x, number)
        t = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
        want = f(t, plain)
        y.backward()
        want.backward()
        assert math.isclose(y.data, want.item(), rel_tol=1e-12)
        assert math.isclose(x.grad, t.grad.item(), rel_tol=1e-12)


def test_in_place_operators_make_new_nodes() -> None:
    x = Value(2.0)
    y = x
    y += 1
    y *= 3
    y -= 1
    y /= 2
    y **= 2
    assert x.data == 2.0 and y.data == 16.0
    y.backward()
    assert x.grad == 12.0


def test_sum_starts_from_zero_and_keeps_the_graph() -> None:
    xs = [Value(float(i)) for i in range(4)]
    total = sum(xs)
    total.backward()
    assert total.data == 6.0 and [x.grad for x in xs] == [1.0] * 4
    assert sum(xs, Value(1.0)).data == 7.0


def test_all_functions_agree_with_torch_through_their_methods() -> None:
    names = ["exp", "log", "sqrt", "sin", "cos", "tanh", "sigmoid", "relu", "abs"]
    functional = {"softplus": {}, "gelu": {}, "leaky_relu": {"negative_slope": 0.2}}
    for name in [*names, *functional]:
        x = Value(0.7)
        t = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
        torch_f = getattr(torch, name, None) if name in names else None
        f = torch_f or getattr(torch.nn.functional, name)
        options = functional.get(name, {})
        y, want = getattr(x, name)(**options), f(t, **options)
        y.backward()
        want.backward()
        assert math.isclose(y.data, want.item(), rel_tol=1e-9), name
        assert math.isclose(x.grad, t.grad.item(), rel_tol=1e-9), name
    assert (abs(Value(-2.0)).data, (+Value(2.0)).data) == (2.0, 2.0)
    assert Value(1.0).maximum(2).data == 2.0 and Value(1.0).minimum(2).data == 1.0
    with pytest.raises(TypeError, match=r"got str '0\.1'"):
        Value(1.0).leaky_relu("0.1")  # type: ignore[arg-type]


def test_detach_keeps_the_number_and_drops_the_past() -> None:
    a = Value(3.0)
    d = (a * 2).detach()
    assert d.data == 6.0 and d._prev == ()
    (d * a).backward()
    assert a.grad == 6.0


# --- backward -----------------------------------------------------------------------------------


def test_backward_of_a_leaf_is_one() -> None:
    v = Value(3.0)
    v.backward()
    assert v.grad == 1.0
    v.backward()
    assert v.grad == 2.0


def test_a_node_used_twice_and_squares() -> None:
    a = Value(3.0)
    b = a + a
    b.backward()
    assert a.grad == 2.0
    a.grad = 0.0
    (a * a).backward()
    assert a.grad == 6.0
    a.grad = 0.0
    c = a * b
    (c + b).backward()
    assert a.grad == 14.0 and b.grad == 4.0


def test_backward_twice_doubles_the_leaves_and_no_more() -> None:
    a, b, out = example()
    out.backward()
    once = (a.grad, b.grad)
    interior = {node: node.grad for node in topological_order(out) if node._prev}
    out.backward()
    assert (a.grad, b.grad) == pytest.approx((2 * once[0], 2 * once[1]), rel=1e-15)
    assert all(node.grad == g for node, g in interior.items())


def test_two_losses_over_a_shared_part_add_up_as_in_torch() -> None:
    a, t = Value(2.0), torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    for x in (a, t):
        shared = x * x
        (shared * 3).backward(**({"retain_graph": True} if x is t else {}))
        (shared.tanh() + shared).backward()
    assert math.isclose(a.grad, t.grad.item(), rel_tol=1e-12)


def test_the_order_is_the_same_every_time_and_inputs_come_first() -> None:
    _, _, out = example()
    order = topological_order(out)
    assert order == topological_order(out) and order[-1] is out
    place = {node: i for i, node in enumerate(order)}
    assert len(place) == len(order)
    assert all(place[x] < place[node] for node in order for x in node._prev)
    script = (
        "from micrograd import Value; from micrograd.engine import topological_order\n"
        "a, b = Value(1.5), Value(2.0); c = (a*b + b*a).tanh() * (a - b)\n"
        "print([(n._op, n.data) for n in topological_order(c)])"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


# --- by hand, as in the videos ------------------------------------------------------------------


def test_backward_by_hand_one_node_at_a_time() -> None:
    x1, x2, w1, w2, b = map(Value, (2.0, 0.0, -3.0, 1.0, 6.8813735870195432))
    x1w1, x2w2 = x1 * w1, x2 * w2
    both = x1w1 + x2w2
    n = both + b
    o = n.tanh()
    o.grad = 1.0
    for node in (o, n, b, both, x2w2, x1w1):
        node._backward()
    assert math.isclose(n.grad, 0.5) and math.isclose(w1.grad, 1.0) and math.isclose(x1.grad, -1.5)
    assert (x2.grad, w2.grad) == (pytest.approx(0.5, rel=1e-9), 0.0)


def test_the_videos_own_backward_over_a_recursive_sort() -> None:
    a, b, out = example()
    order, visited = [], set()

    def build(v: Value) -> None:
        if v not in visited:
            visited.add(v)
            for child in v._prev:
                build(child)
            order.append(v)

    build(out)
    out.grad = 1.0
    for node in reversed(order):
        node._backward()
    by_hand = (a.grad, b.grad)
    a.grad = b.grad = 0.0
    out.backward()
    assert (a.grad, b.grad) == by_hand


def test_an_operation_written_with_a_closure() -> None:
    def tanh(self: Value) -> Value:
        x = self.data
        t = (math.exp(2 * x) - 1) / (math.exp(2 * x) + 1)
        out = Value(t, (self,), "tanh")

        def _backward() -> None:
            self.grad += (1 - t**2) * out.grad

        out._backward = _backward
        return out

    x = Value(0.8)
    y = tanh(x * 2) * 3
    y.backward()
    want = 6 * (1 - math.tanh(1.6) ** 2)
    assert math.isclose(x.grad, want, rel_tol=1e-12)
    inner = y._prev[0]
    assert inner._op == "tanh" and inner._prev[0]._op == "*" and inner._rule.closure is not None
    y.backward()
    assert math.isclose(x.grad, 2 * want, rel_tol=1e-12)
    assert math.isclose(grad(y, x).data, want, rel_tol=1e-12)
    assert math.isclose(x.grad, 2 * want, rel_tol=1e-12)  # grad() put everything back
    with pytest.raises(TypeError, match=r"tanh has a handwritten _backward.*micrograd\.op"):
        grad(y, x, create_graph=True)


def test_an_operation_of_two_inputs_written_by_hand() -> None:
    a, b = Value(2.0), Value(3.0)
    out = Value(a.data * b.data, (a, b), "mine", label="product")

    def _backward() -> None:
        a.grad += b.data * out.grad
        b.grad += a.data * out.grad

    out._backward = _backward
    (out + a).backward()
    assert (a.grad, b.grad, out.label, out._prev) == (4.0, 2.0, "product", (a, b))


def test_a_closure_replaces_the_rule_of_a_node_and_keeps_its_name() -> None:
    x = Value(2.0)
    y = x * 3
    y._backward = lambda: None
    y.backward()
    assert x.grad == 0.0 and y._op == "*" and isinstance(y._rule, ByHand)
    with pytest.raises(TypeError, match="function without arguments"):
        y._backward = 3  # type: ignore[assignment]


def test_a_method_that_a_learner_adds_to_the_class(monkeypatch: pytest.MonkeyPatch) -> None:
    def cube(self: Value) -> Value:
        return self * self * self

    monkeypatch.setattr(Value, "cube", cube, raising=False)
    x = Value(2.0)
    x.cube().backward()  # type: ignore[attr-defined]
    assert x.grad == 12.0


def test_the_videos_drawing_code_runs_on_our_values() -> None:
    def trace(root: Value) -> tuple[set[Value], set[tuple[Value, Value]]]:
        nodes, edges = set(), set()

        def build(v: Value) -> None:
            if v not in nodes:
                nodes.add(v)
                for child in v._prev:
                    edges.add((child, v))
                    build(child)

        build(root)
        return nodes, edges

    def draw_dot(root: Value) -> graphviz.Digraph:
        dot = graphviz.Digraph(format="svg", graph_attr={"rankdir": "LR"})
        nodes, edges = trace(root)
        for n in nodes:
            uid = str(id(n))
            text = "{ %s | data %.4f | grad %.4f }" % (n.label, n.data, n.grad)  # noqa: UP031
            dot.node(name=uid, label=text, shape="record")
            if n._op:
                dot.node(name=uid + n._op, label=n._op)
                dot.edge(uid + n._op, uid)
        for n1, n2 in edges:
            dot.edge(str(id(n1)), str(id(n2)) + n2._op)
        return dot

    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    out = (a * b + a).tanh()
    out.backward()
    source = draw_dot(out).source
    assert source.count("shape=record") == 5 and source.count("label=tanh") == 1
    assert "{ a | data 2.0000 | grad" in source


def test_upstream_style_code_trains_a_neuron() -> None:
    random.seed(3)
    w, b = [Value(random.uniform(-1, 1)) for _ in range(2)], Value(0)
    data = [((1.0, 2.0), 1), ((-1.0, -2.0), -1), ((2.0, 1.0), 1), ((-2.0, 0.5), -1)]
    losses = []
    for _ in range(20):
        scores = [sum((wi * xi for wi, xi in zip(w, x, strict=True)), b) for x, _ in data]
        hinge = [(1 + -y * s).relu() for (_, y), s in zip(data, scores, strict=True)]
        loss = sum(hinge) * (1.0 / len(hinge)) + 1e-4 * sum(p * p for p in w)
        for p in [*w, b]:
            p.grad = 0
        loss.backward()
        for p in [*w, b]:
            p.data -= 0.1 * p.grad
        losses.append(loss.data)
    assert losses[-1] < 0.01 and losses[0] > 0.5


# --- grad, create_graph, no_grad ----------------------------------------------------------------


def test_grad_returns_values_in_the_shape_of_its_argument() -> None:
    a, b, out = example()
    g = grad(out, a)
    assert isinstance(g, Value) and g._prev == ()
    as_list = grad(out, [a, b])
    assert isinstance(as_list, list) and as_list[0].data == g.data
    array = grad(out, np.array([[a, b, a]]))
    assert array.shape == (1, 3) and array[0, 0].data == array[0, 2].data == g.data
    assert (a.grad, b.grad, out.grad) == (0.0, 0.0, 0.0)
    out.backward()
    assert (a.grad, b.grad) == (as_list[0].data, as_list[1].data)
    assert grad(out, out).data == 1.0 and grad(out, Value(1.0)).data == 0.0
    assert grad(out, []) == []


@pytest.mark.parametrize("create_graph", [False, True])
def test_grad_leaves_every_grad_as_it_was(create_graph: bool) -> None:
    a, b, out = example()
    for i, node in enumerate(topological_order(out)):
        node.grad = float(i)
    grad(out, [a, b], create_graph=create_graph)
    assert [node.grad for node in topological_order(out)] == [
        float(i) for i in range(len(topological_order(out)))
    ]


def test_grad_with_respect_to_an_interior_node() -> None:
    a = Value(3.0)
    h = a * a
    y = h * h + h
    for create_graph in (False, True):
        assert grad(y, h, create_graph=create_graph).data == 19.0


def test_derivatives_of_any_order() -> None:
    x = Value(2.0)
    y = x**5
    for want in (80.0, 160.0, 240.0, 240.0, 120.0, 0.0):
        y = grad(y, x, create_graph=True)
        assert y.data == want
    s = Value(0.3)
    wave = s.sin()
    for _ in range(4):
        wave = grad(wave, s, create_graph=True)
    assert math.isclose(wave.data, math.sin(0.3), rel_tol=1e-15)


def test_a_gradient_graph_backpropagates_into_leaves() -> None:
    a, b, out = example()
    ga = grad(out, a, create_graph=True)
    (ga * ga).backward()
    t, u = (torch.tensor(v.data, dtype=torch.float64, requires_grad=True) for v in (a, b))
    want = (t * u + t**2).tanh() * u + t / u
    (gt,) = torch.autograd.grad(want, t, create_graph=True)
    (gt * gt).backward()
    assert math.isclose(a.grad, t.grad.item(), rel_tol=1e-9)
    assert math.isclose(b.grad, u.grad.item(), rel_tol=1e-9)


@pytest.mark.parametrize("wrong", [(1.0, Value(1.0)), (Value(1.0), 2.0), (Value(1.0), ["a"])])
def test_grad_wants_values(wrong: Any) -> None:
    with pytest.raises(TypeError, match="differentiates Values with respect to Values, got"):
        grad(*wrong)


def test_no_grad_remembers_nothing_and_ends() -> None:
    a = Value(2.0)
    with no_grad():
        results = [a * 3, a + a, -a, a**2, a.tanh(), 1 / a, micrograd.maximum(a, 0), np.exp(a)]
        assert a.detach().data == 2.0
    assert all(r._prev == () and r._op == "" for r in results)
    assert results[0].data == 6.0
    assert (a * 3)._op == "*"


def test_no_grad_ends_with_an_exception_and_nests() -> None:
    a = Value(2.0)
    with pytest.raises(ZeroDivisionError), no_grad(), no_grad():
        raise ZeroDivisionError
    assert (a * 3)._prev != ()
    switch = no_grad()  # one object, entered again and again
    with switch:
        with switch:
            assert (a * 3)._prev == ()
        assert (a * 3)._prev == ()
    assert (a * 3)._prev != ()


def test_no_grad_decorates_functions_and_refuses_what_runs_later() -> None:
    @no_grad()
    def update(p: Value) -> Value:
        "its doc"
        return p * 2

    assert update(Value(1.0))._prev == () and update.__name__ == "update"
    assert update.__doc__ == "its doc"

    def steps() -> Iterator[Value]:
        yield Value(1.0) * 2

    async def later() -> Value:
        return Value(1.0) * 2

    for function, kind in ((steps, "a generator"), (later, "a coroutine")):
        with pytest.raises(TypeError, match=f"{function.__name__} is {kind}"):
            no_grad()(function)


def test_no_grad_is_a_matter_of_one_thread() -> None:
    a = Value(2.0)
    inside, go = threading.Event(), threading.Event()
    seen: list[Any] = []

    def work() -> None:
        with no_grad():
            inside.set()
            go.wait()
            seen.append((a * 3)._prev)
        seen.append((a * 3)._op)

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait()
    assert (a * 3)._op == "*" and modes.active
    go.set()
    thread.join()
    assert seen == [(), "*"]


def test_no_grad_is_a_matter_of_one_asynchronous_task() -> None:
    a = Value(2.0)

    async def without() -> tuple[Value, ...]:
        with no_grad():
            await asyncio.sleep(0)
            return (a * 3)._prev

    async def recording() -> tuple[Value, ...]:
        await asyncio.sleep(0)
        return (a * 3)._prev

    async def both() -> Any:
        return await asyncio.gather(without(), recording(), without())

    first, second, third = asyncio.run(both())
    assert (first, third) == ((), ()) and second[0] is a


def test_grad_under_no_grad_is_torchs() -> None:
    x = Value(2.0)
    y = x**3
    with no_grad():
        assert grad(y, x).data == 12.0
        g = grad(y, x, create_graph=True)  # asked for by name, the graph is made
        y.backward()
        assert (x * 2)._prev == ()
    assert grad(g, x).data == 12.0 and x.grad == 12.0


def test_gradients_from_many_threads_do_not_disturb_each_other() -> None:
    shared = [Value(0.1 * i) for i in range(20)]

    def handmade(v: Value) -> Value:
        out = Value(v.data * 2, (v,), "twice")

        def _backward() -> None:
            v.grad += 2 * out.grad

        out._backward = _backward
        return out

    def loss(k: int) -> Value:
        total = sum(((v * (k + 1)).tanh() for v in shared), Value(0.0))
        return handmade(total) if k % 2 else total

    losses = [loss(k) for k in range(8)]
    want = [[g.data for g in grad(y, shared)] for y in losses]
    for i, v in enumerate(shared):
        v.grad = float(i)
    wrong: list[int] = []

    def work(k: int) -> None:
        for _ in range(20):
            if [g.data for g in grad(losses[k], shared)] != want[k]:
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    finally:
        sys.setswitchinterval(interval)
    assert not wrong and [v.grad for v in shared] == [float(i) for i in range(20)]


def test_an_exception_in_a_closure_leaves_grad_as_it_was() -> None:
    x = Value(2.0)
    x.grad = 5.0
    y = Value(4.0, (x,), "broken")

    def _backward() -> None:
        x.grad += 1
        raise RuntimeError("in the closure")

    y._backward = _backward
    with pytest.raises(RuntimeError):
        grad(y, x)
    assert x.grad == 5.0


# --- memory -------------------------------------------------------------------------------------


def test_a_graph_dies_with_its_last_reference() -> None:
    with collector_off():
        a, b, out = example()
        own = op("test twice", lambda x: 2 * x, [lambda x, out: 2.0])
        out = own(out) + micrograd.where(a, out, b) + np.exp(np.array([a, b])).sum()
        out.backward()
        out._backward()
        second = grad(out, a, create_graph=True)
        second.backward()
        watched = [
            weakref.ref(n) for y in (out, second) for n in topological_order(y) if n not in (a, b)
        ]
        assert len(watched) > 20
        del out, second
        assert [w() for w in watched] == [None] * len(watched)
        assert a.data == 2.0


def test_a_deep_copy_and_a_pickle_die_with_their_last_reference() -> None:
    with collector_off():
        _, _, out = example()
        for again in (copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))):
            copied = again(out)
            watched = [weakref.ref(n) for n in topological_order(copied)]
            del copied
            assert [w() for w in watched] == [None] * len(watched)


def test_a_node_takes_at_most_160_bytes() -> None:
    script = (
        "import tracemalloc, gc\n"
        "from micrograd import Value\n"
        "x = y = Value(0.5)\n"
        "gc.disable(); tracemalloc.start()\n"
        "for _ in range(20_000): y = y * x + x\n"
        "y.backward()\n"
        "print(tracemalloc.get_traced_memory()[0] / 40_000)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert 100 < float(done.stdout) <= 160


# --- copies and pickles -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "again",
    [
        copy.deepcopy,
        *[
            lambda v, p=p: pickle.loads(pickle.dumps(v, p))
            for p in range(pickle.HIGHEST_PROTOCOL + 1)
        ],
    ],
)
def test_copies_are_graphs_of_their_own(again: Any) -> None:
    a, b, out = example()
    out = micrograd.where(a, out, b) + (a**2.5).leaky_relu(0.3)
    out.backward()
    first = [(n.data, n.grad, n._op, n.label) for n in topological_order(out)]
    twin, same_a, twin_again = again([out, a, out])
    assert twin is twin_again and same_a in topological_order(twin) and same_a is not a
    assert [(n.data, n.grad, n._op, n.label) for n in topological_order(twin)] == first
    for n in topological_order(twin):
        n.grad = 0.0
    twin.backward()
    assert same_a.grad == a.grad
    assert [(n.data, n.grad, n._op, n.label) for n in topological_order(out)] == first


def test_a_shallow_copy_shares_its_inputs() -> None:
    a = Value(2.0, label="a")
    y = a * 3
    twin = copy.copy(y)
    assert twin is not y and twin._prev == y._prev
    twin.backward()
    assert a.grad == 3.0 and y.grad == 0.0
    assert copy.copy(a).label == "a"


@pytest.mark.parametrize("again", [copy.deepcopy, pickle.dumps])
def test_a_closure_cannot_be_copied_and_says_so(again: Any) -> None:
    x = Value(1.0)
    y = Value(2.0, (x,), "mine")
    y._backward = lambda: None
    with pytest.raises(TypeError, match="cannot copy or pickle mine"):
        again(y * 2)
    assert pickle.loads(pickle.dumps(x * 2)).data == 2.0  # the failure left nothing behind


def test_a_pickle_of_an_op_that_is_not_registered_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = op("test gone", lambda x: x, [lambda x, out: 1.0])
    text = pickle.dumps(gone(Value(1.0)))
    monkeypatch.delitem(registered, "test gone")
    with pytest.raises(LookupError, match="no op is registered under 'test gone'"):
        pickle.loads(text)


# --- reading arrays -----------------------------------------------------------------------------


def test_numbers_and_grads_read_arrays_lists_and_single_values() -> None:
    a, b, out = example()
    out.backward()
    array = np.array([[a, b], [b, a]])
    assert numbers(array).tolist() == [[2.0, -3.0], [-3.0, 2.0]]
    assert numbers(array).dtype == grads(array).dtype == np.float64
    assert grads([a, 7.0]).tolist() == [a.grad, 0.0]
    assert numbers([[a, 1], [True, b]]).tolist() == [[2.0, 1.0], [1.0, -3.0]]
    assert numbers(a).shape == () and float(numbers(a)) == 2.0
    assert numbers([]).shape == (0,)
    with pytest.raises(TypeError, match="got str '3'"):
        numbers([a, "3"])


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 2)])
def test_values_hold_the_given_numbers_in_their_shape(shape: tuple[int, ...]) -> None:
    given = np.arange(np.prod(shape, dtype=int)).reshape(shape) / 7
    made = values(given)
    assert made.shape == shape and made.dtype == object
    np.testing.assert_array_equal(numbers(made), given)
    assert len({id(v) for v in made.flat}) == made.size


def test_values_refuses_what_is_no_number() -> None:
    assert [v.data for v in values([1, True, 2.5])] == [1.0, 1.0, 2.5]
    for wrong in (["3"], [1j], [Value(1.0)]):
        with pytest.raises(TypeError, match="a Value holds one real number"):
            values(wrong)


def test_the_engine_works_without_the_rest_of_the_house(tmp_path: Path) -> None:
    house = Path(engine.__file__).parent
    alone = tmp_path / "micrograd"
    alone.mkdir()
    (alone / "__init__.py").touch()
    for name in (
        "engine", "node", "rules", "modes", "op", "ops", "arithmetic", "arrays", "reals"
    ):  # fmt: skip
        shutil.copy(house / f"{name}.py", alone)
    script = (
        "from micrograd.engine import Value, no_grad\n"
        "x = Value(2.0); y = (x * 3 + x**2).tanh().relu() / 2 - 1; y.backward()\n"
        "with no_grad(): assert (x * 2)._prev == ()\n"
        "print(x.grad)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    x = Value(2.0)
    ((x * 3 + x**2).tanh().relu() / 2 - 1).backward()
    assert float(ran.stdout) == x.grad


# --- _backward, read and assigned -----------------------------------------------------------------


def test_a_kept_step_is_that_of_its_time() -> None:
    y = Value(1.0)
    z = y + y
    step = z._backward
    z._backward = lambda: None
    z.grad = 1.0
    step()
    assert y.grad == 2.0


def test_a_closure_may_wrap_the_step_that_was_there() -> None:
    a, b = Value(2.0), Value(3.0)
    c = a * b
    seen: list[float] = []
    for _ in range(2):  # wrapped twice
        old = c._backward
        c._backward = lambda old=old: (seen.append(c.grad), old())  # type: ignore[misc]
    c.backward()
    assert (seen, a.grad, b.grad) == ([1.0, 1.0], 3.0, 2.0)


def test_an_assigned_closure_is_the_one_that_is_read() -> None:
    a = Value(2.0)
    for out in (a * 3, a.tanh(), Value(4.0, (a,), "mine"), Value(1.0)):

        def closure() -> None:
            a.grad += 10.0

        out._backward = closure
        assert out._backward is closure
        assert out._op in ("*", "tanh", "mine", "")
    leaf = Value(1.0)
    assert leaf._backward() is None and leaf.grad == 0.0  # type: ignore[func-returns-value]


# --- quotients ------------------------------------------------------------------------------------

TINY = (0.0, 1e-200, -1e-200, 5e-324, 1e-320, 1.0, 3.0, 49.0, 1e200, -1e308, math.inf, math.nan)


@pytest.mark.parametrize("b", TINY)
@pytest.mark.parametrize("a", TINY)
def test_a_quotient_and_its_gradients_are_pytorchs(a: float, b: float) -> None:
    x, y = Value(a), Value(b)
    out = x / y
    assert (out._op, out._prev[1]._op, out._prev[0]) == ("*", "**-1", x)  # as in the videos
    out.backward()
    s, t = (torch.tensor(n, dtype=torch.float64, requires_grad=True) for n in (a, b))
    want = s / t
    want.backward()
    pairs = [(out.data, want), (x.grad, s.grad)]
    if b == 0 or abs(b) > 1e-307:  # where b**-1 overflows, so does what it hands b
        pairs.append((y.grad, t.grad))
    for got, theirs in pairs:
        assert theirs is not None
        close = math.isclose(got, theirs.item(), rel_tol=1e-12, abs_tol=1e-300)
        assert close or (math.isnan(got) and math.isnan(theirs.item())), (got, theirs)
    for quotient in (Value(a) / b, a / Value(b)):
        assert bits(quotient.data) == bits(out.data)
    with no_grad():
        assert bits((x / y).data) == bits(out.data)


def bits(x: float) -> str:
    return float(x).hex()


def test_whole_quotients_are_whole() -> None:
    for n in range(1, 200):
        assert (Value(n) / n).data == (n / Value(n)).data == (Value(3 * n) / Value(n) / 3).data == 1
    assert (Value(49.0) / 49).item() == 1.0 and int((Value(98.0) / 49).data) == 2


def test_second_derivatives_of_a_quotient() -> None:
    x, y = Value(3.0), Value(-0.7)
    dx, dy = grad(x / y, [x, y], create_graph=True)
    assert math.isclose(grad(dy, y).data, 2 * 3.0 / (-0.7) ** 3, rel_tol=1e-13)
    assert math.isclose(grad(dx, y).data, -1 / 0.49, rel_tol=1e-13)
    assert math.isclose(grad(dy, x).data, -1 / 0.49, rel_tol=1e-13)


# --- names that code for the original relies on ---------------------------------------------------


def test_pow_is_the_operator() -> None:
    x, y = Value(2.0), Value(3.0)
    assert x.pow(2)._op == "**2" and (x.pow(2).data, x.pow(y).data) == (4.0, 8.0)


def test_a_star_import_of_nn_brings_what_the_originals_brought() -> None:
    names: dict[str, Any] = {}
    exec("from micrograd.nn import *", names)
    assert names["Value"] is Value and names["random"] is random
    assert {"Module", "Neuron", "Layer", "MLP", "Linear", "save"} <= set(names)


def test_a_star_import_brings_everything_public() -> None:
    names: dict[str, Any] = {}
    exec("from micrograd import *", names)
    assert set(micrograd.__all__) <= set(names)
    assert {"lift", "draw", "step_through", "worksheet", "check", "explain"} <= set(names)
    assert set(micrograd.__all__) <= set(dir(micrograd))


def test_submodules_are_attributes() -> None:
    script = "import micrograd as m; m.nn.MLP(1, [1]); m.optim.SGD; m.functional.softmax; m.data"
    subprocess.run([sys.executable, "-c", script], check=True)
    for module in (micrograd, micrograd.nn):
        with pytest.raises(AttributeError, match="has no attribute 'lfit'"):
            module.lfit  # noqa: B018
    with pytest.raises(ImportError):
        exec("from micrograd import lfit")


def test_the_version_is_that_of_the_package() -> None:
    text = (Path(__file__).parent.parent / "pyproject.toml").read_text()
    assert f'\nversion = "{micrograd.__version__}"\n' in text


def test_the_public_names_stand_where_they_are_looked_for() -> None:
    for name in (
        "Value",
        "grad",
        "grads",
        "no_grad",
        "numbers",
        "op",
        "where",
        "maximum",
        "minimum",
    ):
        assert name in micrograd.__all__ and hasattr(micrograd, name)
    from micrograd.engine import Value as engines_own

    assert engines_own is Value
