"""Anybody's Value: the class that is typed along with the video is drawn and stepped through.

Covers `adopted.py`, `nodes.py`.
"""

# ruff: noqa: RUF001 (the formulas are typeset, with a real minus sign)

from __future__ import annotations

import math
import random
from types import SimpleNamespace
from typing import Any

import pytest

import micrograd
from micrograd import draw, explain, step_through, worksheet
from micrograd.op import Op
from micrograd.show.lesson.adopted import UNORDERED, adopted
from micrograd.show.lesson.walk import Walk
from micrograd.show.practice.marking import check


class Value:
    """As the video types it, with its set; `assigns` makes the mistake of the lecture."""

    assigns = False

    def __init__(self, data: float, _children: Any = (), _op: str = "", label: str = "") -> None:
        self.data = data
        self.grad = 0.0
        self._backward: Any = lambda: None
        self._prev = set(_children)
        self._op = _op
        self.label = label

    def __add__(self, other: Any) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other), "+")

        def _backward() -> None:
            if self.assigns:
                self.grad = 1.0 * out.grad
                other.grad = 1.0 * out.grad
            else:
                self.grad += 1.0 * out.grad
                other.grad += 1.0 * out.grad

        out._backward = _backward
        return out

    def __mul__(self, other: Any) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other), "*")

        def _backward() -> None:
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out

    def __pow__(self, k: float) -> Value:
        out = Value(self.data**k, (self,), f"**{k}")

        def _backward() -> None:
            self.grad += k * (self.data ** (k - 1)) * out.grad

        out._backward = _backward
        return out

    def tanh(self) -> Value:
        t = (math.exp(2 * self.data) - 1) / (math.exp(2 * self.data) + 1)
        out = Value(t, (self,), "tanh")

        def _backward() -> None:
            self.grad += (1 - t**2) * out.grad

        out._backward = _backward
        return out

    def backward(self) -> None:
        topo: list[Value] = []
        visited = set()

        def build_topo(v: Value) -> None:
            if v not in visited:
                visited.add(v)
                for child in v._prev:
                    build_topo(child)
                topo.append(v)

        build_topo(self)
        self.grad = 1.0
        for node in reversed(topo):
            node._backward()


class Assigning(Value):
    assigns = True


def neuron(value: Any) -> Any:
    v = {n: value(x, label=n) for n, x in (("x1", 2.0), ("x2", 0.5), ("w1", -3.0), ("w2", 1.0))}
    v["b"] = value(6.5, label="b")
    p, q = v["x1"] * v["w1"], v["x2"] * v["w2"]
    n = p + q + v["b"]
    out = n.tanh() ** 2
    p.label, q.label, n.label, out.label = "p", "q", "n", "L"
    return out


def lesson(stepper: Any) -> list[dict[str, Any]]:
    return stepper._lesson["frames"]  # type: ignore[no-any-return]


# --- drawing --------------------------------------------------------------------------------------


def test_the_videos_own_class_is_drawn_with_its_numbers() -> None:
    out = neuron(Value)
    out.backward()
    picture = draw(out)
    assert set(map(type, picture.nodes.values())) == {Value} and len(picture.nodes) == 11
    for name, node in picture.nodes.items():
        if node.label:
            assert f"{node.label}: data {node.data}, grad {node.grad}" in picture.svg, name
    assert "the order of operands is unknown" in picture.svg
    assert "an operand, in unknown order" in picture.svg
    assert micrograd.draw_dot(out).pipe(encoding="utf-8") == picture.svg


def test_a_set_is_drawn_in_one_order() -> None:
    pictures = set()
    for _ in range(20):
        keep = [object() for _ in range(random.randrange(50))]  # other addresses, another order
        pictures.add(draw(neuron(Value)).svg)
        del keep
    assert len(pictures) == 1


def test_what_has_an_order_is_not_said_to_have_none() -> None:
    x = SimpleNamespace(data=2.0, grad=0.0, _prev=(), label="x")
    y = SimpleNamespace(data=6.0, grad=1.0, _prev=(x, x), _op="+")
    picture = draw(y)
    assert "unknown" not in picture.svg and "operand 2" in picture.svg
    bare = SimpleNamespace(data=3, grad=0, _prev=[])  # neither label nor _op
    assert "data 3.0, grad 0" in draw(bare).svg
    unnamed = SimpleNamespace(data=3, grad=0, _prev=[bare])
    assert ">?</text>" in draw(unnamed).svg


def test_a_node_whose_data_is_no_number_is_named() -> None:
    with pytest.raises(TypeError, match="a node's data is one number; got list"):
        draw(SimpleNamespace(data=[1.0, 2.0], grad=0.0, _prev=()))


# --- stepping -------------------------------------------------------------------------------------


def test_it_is_stepped_through_as_our_own_value_is() -> None:
    theirs, ours = neuron(Value), neuron(micrograd.Value)
    walk, own = Walk(theirs), Walk(ours)
    expected = dict(zip(own.names, own.grads, strict=True))
    found = dict(zip(walk.names, walk.grads, strict=True))
    for name in ("x1", "x2", "w1", "w2", "b", "p", "q", "n", "L"):
        assert found[name] == pytest.approx(expected[name], rel=1e-12), name
    rows = [r for f in lesson(step_through(theirs)) for r in f["rows"]]
    assert {r["formula"] for r in rows} >= {"w1", "x1", "1", "2 × v2", "1 − v2²"}
    assert "custom" not in {r["formula"] for r in rows}
    theirs.backward()
    for node in draw(theirs).nodes.values():
        if node.label:
            assert found[node.label] == pytest.approx(node.grad, rel=1e-12)


def test_it_says_that_the_order_is_unknown() -> None:
    assert lesson(step_through(neuron(Value)))[0]["say"].endswith(UNORDERED)
    assert UNORDERED in str(explain(neuron(Value)))
    assert UNORDERED not in str(explain(neuron(micrograd.Value)))
    x = Value(2.0, label="x")
    assert UNORDERED not in str(explain(x.tanh()))  # one operand has no order


def test_a_value_used_twice_is_found_though_the_set_lost_it() -> None:
    a = Value(3.0, label="a")
    square, twice = a * a, a + a
    out = square + twice
    out.label = "L"
    assert len(square._prev) == 1
    walk = Walk(out)
    assert walk.grads[walk.names.index("a")] == 8.0
    assert "a × a" in str(explain(out)) and "a + a" in str(explain(out))


def test_a_mistake_in_their_backward_is_shown_as_it_is() -> None:
    for made, formulas, after in ((Value, ["1", "1"], "2"), (Assigning, ["custom"], "1")):
        a = made(3.0, label="a")
        out = a + a  # where = stands instead of +=, one of the two contributions is lost
        rows = [r for f in lesson(step_through(out)) for r in f["rows"]]
        assert [r["formula"] for r in rows] == formulas and rows[-1]["after"] == after
        out.backward()
        assert float(after) == a.grad


def test_an_operation_of_their_own_is_custom() -> None:
    a = Value(3.0, label="a")
    out = Value(27.0, (a,), "their_cube", label="L")

    def _backward() -> None:
        a.grad += 3 * a.data**2 * out.grad

    out._backward = _backward
    (row,) = [r for f in lesson(step_through(out)) for r in f["rows"]]
    assert (row["formula"], row["product"]) == ("custom", "27")
    no_number = Value(26.0, (a,), "tanh")  # not what tanh gives: not taken for it
    assert adopted(no_number)[0]._op == "tanh"
    assert not isinstance(adopted(no_number)[0]._rule, Op)


def test_without_a_backward_the_row_of_the_table_is_used() -> None:
    x = SimpleNamespace(data=2.0, grad=0.0, _prev=(), label="x")
    y = SimpleNamespace(data=8.0, grad=0.0, _prev={x.label: x}.values(), _op="**3", label="y")
    y._prev = (x,)
    walk = Walk(y)
    assert walk.grads == [12.0, 1.0]


def test_their_gradients_stay_as_they_are() -> None:
    out = neuron(Value)
    nodes = list(draw(out).nodes.values())
    for i, node in enumerate(nodes):
        node.grad = float(i)
    _ = step_through(out, quiz=True).page, explain(out), worksheet(out).page
    w = next(node for node in nodes if node.label == "w1")
    _ = step_through(out, [w], 0.1).page
    assert [node.grad for node in nodes] == [float(i) for i in range(len(nodes))]


def test_their_parameters_and_wrt_are_taken() -> None:
    out = neuron(Value)
    leaves = {node.label: node for node in draw(out).nodes.values()}
    frames = lesson(step_through(out, [leaves["w1"], leaves["b"]], 0.1))
    assert [f["title"] for f in frames[-3:]] == ["w1", "b", "The new L"]
    assert str(explain(out, wrt=leaves["w1"])) == str(explain(out, wrt="w1"))
    right = Walk(out)
    answers = dict(zip(right.names, right.grads, strict=True))
    report = check(out, answers)
    assert report.count("right") == len(report.marks) > 8
    assert draw(out, parameters=[leaves["w1"]]).svg.count('class="bar"') == 1


def test_operands_whose_order_matters_are_put_in_order_by_their_numbers() -> None:
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    out = Value(9.0, (a, b), "**", label="L")  # b ** a, and not a ** b
    del out._backward  # type: ignore[attr-defined]
    walk = Walk(out)
    assert walk.expression(2).text in ("b^a", "bᵃ", "b**a", "b ^ a", "b ** a")
    assert walk.grads[walk.names.index("b")] == pytest.approx(6.0)
    same = Value(4.0, (Value(2.0, label="p"), Value(2.0, label="q")), "**")
    del same._backward  # type: ignore[attr-defined]
    assert not any(use.product for step in Walk(same).steps for use in step)  # nobody knows
