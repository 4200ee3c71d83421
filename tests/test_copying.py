"""Copies and pickles keep what a Value is: its class, its attributes, its graph."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from micrograd import Value, grad, nn, op, optim

AGAIN = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{
        f"pickle {protocol}": lambda v, p=protocol: pickle.loads(pickle.dumps(v, p))
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
    },
}
again = pytest.mark.parametrize("again", AGAIN.values(), ids=AGAIN)
whole = pytest.mark.parametrize("again", list(AGAIN.values())[1:], ids=list(AGAIN)[1:])


class Tagged(Value):
    def __init__(self, data: float, *, colour: str = "red") -> None:
        super().__init__(data, label="tagged")
        self.colour = colour


class Slotted(Value):
    __slots__ = ("velocity",)


def a_leaf() -> Value:
    return Value(1.0, label="p")


def a_tagged() -> Value:
    return Tagged(1.0, colour="green")


def a_stored_leaf() -> Value:
    p = Value(1.0, label="p")
    optim.SGD([p])
    return p


def a_stored_tagged() -> Value:
    p = Tagged(1.0, colour="green")
    optim.SGD([p])
    return p


def a_node_made_by_hand() -> Value:
    a = Value(2.0)
    return Value(1.0, (a, a, a), "mine", "hand")


MAKE = [a_leaf, a_tagged, a_stored_leaf, a_stored_tagged, a_node_made_by_hand]


@pytest.mark.parametrize("make", MAKE)
@again
def test_class_numbers_label_and_attributes_are_kept(make: Any, again: Any) -> None:
    p = make()
    p.grad, p.m, p.notes = 0.25, 0.5, ["kept"]
    twin = again(p)
    assert twin is not p and not twin.in_store
    assert type(twin) == type(p) and isinstance(twin, type(p).stands_for)  # noqa: E721
    assert (twin.data, twin.grad, twin.label, twin._op) == (p.data, p.grad, p.label, p._op)
    assert vars(twin) == vars(p)
    twin.data, twin.m = 9.0, 1.0
    assert (p.data, p.m) == (1.0, 0.5)
    twin.more = 1  # it is a leaf as before
    assert len(twin._prev) == len(p._prev)


@again
def test_attributes_in_slots_are_kept(again: Any) -> None:
    s = Slotted(2.0)
    s.velocity = 0.5
    twin = again(s)
    assert type(twin) is Slotted and (twin.data, twin.velocity) == (2.0, 0.5)
    assert not hasattr(again(Slotted(1.0)), "velocity")


@whole
def test_attributes_are_copied_deeply_and_may_lead_back(again: Any) -> None:
    p = Value(2.0, label="p")
    p.history, p.me, p.loss = [1.0], p, p * p  # type: ignore[attr-defined]
    twin = again(p)
    assert twin.me is twin and twin.history == [1.0] and twin.history is not p.history  # type: ignore[attr-defined]
    assert twin.loss._prev == (twin, twin) and twin.loss.data == 4.0


@whole
def test_leaves_inside_a_graph_keep_theirs(again: Any) -> None:
    a, b = Tagged(2.0, colour="blue"), Value(3.0)
    b.m = 0.5  # type: ignore[attr-defined]
    optim.SGD([b])
    twin = again((a * b + a).tanh())
    (total,) = twin._prev
    product, left = total._prev
    assert (type(left), left.colour) == (Tagged, "blue") and product._prev[0] is left
    assert product._prev[1].m == 0.5 and not product._prev[1].in_store
    gradient = grad(twin, left)
    twin.backward()
    assert left.grad == gradient.data != 0.0 and (a.grad, b.grad) == (0.0, 0.0)


@whole
def test_a_model_whose_parameters_carry_moments(again: Any) -> None:
    model = nn.MLP(2, [2, 1])
    for i, p in enumerate(model.parameters()):
        p.m = float(i)  # type: ignore[attr-defined]
    twin = again(model)
    assert [p.m for p in twin.parameters()] == [float(i) for i in range(len(model.parameters()))]
    assert not {id(p) for p in twin.parameters()} & {id(p) for p in model.parameters()}


def test_a_shared_attribute_is_shared_by_the_copies() -> None:
    group = ["decay"]
    p, q = Value(1.0), Value(2.0)
    p.group = q.group = group  # type: ignore[attr-defined]
    for again in (copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))):
        a, b = again([p, q])
        assert a.group is b.group and a.group is not group


@again
def test_a_quotient_keeps_its_number(again: Any) -> None:
    assert again(Value(49.0) / 49).data == 1.0


@whole
def test_a_closure_is_not_copied(again: Any) -> None:
    a = Value(1.0)
    out = Value(1.0, (a,), "mine")
    out._backward = lambda: None
    wrapped = a * a
    wrapped._backward = wrapped._backward
    for node in (out, out * 2, wrapped):
        with pytest.raises(
            TypeError, match=r"cannot copy or pickle .* with a handwritten _backward"
        ):
            again(node)


@again
def test_a_row_of_ones_own_is_found_again_by_its_name(again: Any) -> None:
    treble = op("test copying treble", lambda x: 3 * x, [lambda x, out: 3.0])
    assert again(treble(Value(2.0)))._rule is treble
