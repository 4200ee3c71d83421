"""How nodes are kept: attributes of one's own on leaves, one class to a user, few bytes, freed."""

from __future__ import annotations

import gc
import sys
import threading
import tracemalloc
from typing import Any, ClassVar

import pytest

from micrograd import Value, fast, no_grad, op, optim
from micrograd import node as node_module
from micrograd.node import Node, free_one_by_one
from micrograd.rules import Rule


class Tagged(Value):
    """A class of one's own, with attributes and a constructor of its own."""

    def __init__(self, data: float, *, colour: str = "red") -> None:
        super().__init__(data, label="tagged")
        self.colour = colour


class Slotted(Value):
    __slots__ = ("velocity",)


def result() -> Value:
    return Value(2.0) * 3.0


def by_function() -> Value:
    return Value(2.0).tanh()


def of_a_row() -> Value:
    treble = op("test node treble", lambda x: 3 * x, [lambda x, out: 3.0])
    made: Value = treble(Value(1.0))
    return made


# --- attributes of one's own ----------------------------------------------------------------------


def leaf() -> Value:
    return Value(1.0)


def without_grad() -> Value:
    with no_grad():
        return Value(1.0) * 2.0


def detached() -> Value:
    return (Value(1.0) * 2.0).detach()


def made_by_hand() -> Value:
    a = Value(1.0)
    return Value(2.0, (a, a), "twice")


@pytest.mark.parametrize("make", [leaf, without_grad, detached, made_by_hand])
def test_a_leaf_takes_attributes_of_ones_own_and_keeps_them_in_a_store(make: Any) -> None:
    p = make()
    p.m, p.colour = 0.5, "blue"
    assert (p.m, p.colour, vars(p)) == (0.5, "blue", {"m": 0.5, "colour": "blue"})
    if not p._prev:
        optim.SGD([p])
        assert p.in_store and (p.m, p.colour) == (0.5, "blue")
        p.v = 1.5
        assert vars(p) == {"m": 0.5, "colour": "blue", "v": 1.5}
    del p.m
    with pytest.raises(AttributeError, match="m"):
        _ = p.m


@pytest.mark.parametrize("make", [result, by_function, of_a_row])
def test_the_result_of_an_operation_takes_none_and_says_what_it_is(make: Any) -> None:
    out = make()
    with pytest.raises(AttributeError, match="'ComputedValue' object has no attribute 'm'"):
        out.m = 0.0
    with pytest.raises(AttributeError, match="'ComputedValue' object has no attribute 'm'"):
        _ = out.m
    assert "m" not in dir(out) and not hasattr(out, "__dict__")


def test_adam_by_hand_with_its_moments_on_the_parameters() -> None:
    """As programs for the original's successors keep them."""
    parameters = [Value(3.0), Value(-2.0)]
    for p in parameters:
        p.m = p.v = 0.0  # type: ignore[attr-defined]
    for t in range(1, 4):
        loss = sum(p * p for p in parameters)
        for p in parameters:
            p.grad = 0.0
        loss.backward()
        for p in parameters:
            p.m = 0.9 * p.m + 0.1 * p.grad  # type: ignore[attr-defined]
            p.v = 0.999 * p.v + 0.001 * p.grad**2  # type: ignore[attr-defined]
            step = p.m / (1 - 0.9**t) / ((p.v / (1 - 0.999**t)) ** 0.5 + 1e-8)  # type: ignore[attr-defined]
            p.data -= 0.1 * step
    twins = [Value(3.0), Value(-2.0)]
    adam = optim.Adam(twins, lr=0.1)
    for _ in range(3):
        adam.zero_grad()
        sum(p * p for p in twins).backward()
        adam.step()
    for p, q in zip(parameters, twins, strict=True):
        assert abs(p.data - q.data) < 1e-12


# --- one class to a user --------------------------------------------------------------------------


def in_a_store() -> Value:
    p = Value(1.0)
    optim.SGD([p])
    return p


@pytest.mark.parametrize("make", [leaf, result, by_function, without_grad, in_a_store])
def test_the_type_of_every_value_is_value(make: Any) -> None:
    v = make()
    assert isinstance(v, Value) and type(v) == Value and Value == type(v)  # noqa: E721
    assert {Value: "found"}[type(v)] == "found"
    assert type(v) != float and type(v) != Tagged  # noqa: E721
    assert not isinstance(v, Tagged)


def test_a_class_of_ones_own_stays_ones_own() -> None:
    t = Tagged(2.0, colour="green")
    assert (t.data, t.label, t.colour, type(t)) == (2.0, "tagged", "green", Tagged)
    assert type(t) != Value and isinstance(t, Value)  # noqa: E721
    optim.SGD([t])
    assert type(t) == Tagged and isinstance(t, Tagged) and t.in_store  # noqa: E721
    assert type(t) != Value and t.colour == "green" and type(t).__name__ == "Tagged"  # noqa: E721
    assert type(t * 2) == Value  # noqa: E721
    s = Slotted(1.0)
    s.velocity = 0.25
    optim.SGD([s])
    assert isinstance(s, Slotted) and s.velocity == 0.25 and s.in_store
    with pytest.raises(AttributeError):
        s.other = 1  # type: ignore[attr-defined]


def test_what_is_added_to_the_class_is_on_every_value() -> None:
    try:
        Value.twice = lambda v: v + v  # type: ignore[attr-defined]
        for make in (leaf, result, in_a_store):
            assert make().twice().data == 2 * make().data
        assert Tagged(2.0).twice().data == 4.0  # type: ignore[attr-defined]
    finally:
        del Value.twice  # type: ignore[attr-defined]


def test_optimisers_move_values_of_a_class_of_ones_own() -> None:
    plain, tagged, slotted = Value(1.0), Tagged(2.0), Slotted(3.0)
    optimiser = optim.SGD([plain, tagged, slotted], lr=0.5)
    (plain * 1 + tagged * 2 + slotted * 3).backward()
    optimiser.step()
    assert [p.data for p in (plain, tagged, slotted)] == [0.5, 1.0, 1.5]
    tagged.data = 7
    assert optimiser.block.data.tolist() == [0.5, 7.0, 1.5]
    assert tagged.colour == "red"


# --- what a node holds ----------------------------------------------------------------------------


def test_inputs_and_names_can_be_assigned() -> None:
    a, b, c = Value(1.0), Value(2.0), Value(3.0)
    out = Value(6.0)
    out._prev, out._op = {a, b}, "+"  # type: ignore[assignment]
    assert set(out._prev) == {a, b} and out._op == "+"
    out._prev = [a, b, c]  # type: ignore[assignment]
    assert out._prev == (a, b, c)
    out._backward = lambda: setattr(c, "grad", c.grad + 5 * out.grad)
    out._op = "sum"
    out.backward()
    assert (out._op, c.grad) == ("sum", 5.0)
    product = a * b
    product._op = "times"
    product.backward()
    assert (product._op, a.grad, b.grad) == ("times", 2.0, 1.0)
    a._op = ""
    assert a._prev == ()


def test_a_label_is_there_before_it_is_set() -> None:
    v = result()
    assert v.label == ""
    v.label = ""
    assert not hasattr(v, "_label")
    v.label = "y"
    v.label = ""
    assert v.label == ""
    assert Value(1.0, label=0).label == 0  # type: ignore[arg-type] # and None is one, too
    v.label = 0  # type: ignore[assignment]
    assert v.label == 0


def test_a_node_takes_at_most_136_bytes_with_both_numbers() -> None:
    v = x = Value(1.0000001)
    count = 10_000
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(count):
            v = v * x
        v.backward()
        gc.collect()
        size = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert v._prev[0]._prev[0].grad != 1.0
    assert 130 < size / count <= 136.1  # and a few bytes for v, x and the collector


# --- where the C stack is small -------------------------------------------------------------------


def chain(length: int) -> Value:
    v = Value(1.0)
    for _ in range(length):
        v = v * 1.0
    return v


def by_hand_chain(length: int) -> Value:
    """Each node's closure holds its input, too, and is the last to hold it."""
    v = Value(1.0)
    for _ in range(length):
        out = Value(v.data, (v,), "copy")
        out._backward = lambda v=v: setattr(v, "grad", v.grad + 1.0)  # type: ignore[misc]
        v = out
    return v


class Probe(Rule):
    """A rule that notes how it dies: under how many Python frames, and in whose loop."""

    deepest = 0
    drained: ClassVar[list[bool]] = []

    def __del__(self) -> None:
        depth, frame = 0, sys._getframe()
        while frame.f_back is not None:
            depth, frame = depth + 1, frame.f_back
        Probe.deepest = max(Probe.deepest, depth)
        Probe.drained.append(node_module._draining)


@pytest.mark.parametrize("make", [chain, by_hand_chain])
def test_a_chain_of_100_000_nodes_is_freed_one_by_one(make: Any) -> None:
    free_one_by_one(Node)
    try:
        done: list[bool] = []

        def free() -> None:
            v = make(100_000)
            del v
            done.append(True)

        small = threading.stack_size(65536)
        try:
            thread = threading.Thread(target=free)
            thread.start()
            thread.join()
        finally:
            threading.stack_size(small)
        assert done == [True]
    finally:
        free_one_by_one(Node, on=False)
    assert "__del__" not in vars(Node)


def free_probes(length: int) -> tuple[int, set[bool]]:
    Probe.deepest = 0
    Probe.drained.clear()
    v = Value(1.0)
    for _ in range(length):
        v = fast.node(Probe(), (v,), 1.0)
    del v
    assert len(Probe.drained) == length
    return Probe.deepest, set(Probe.drained)


def test_freeing_one_by_one_never_nests() -> None:
    free_one_by_one(Node)
    try:
        depth, drained = free_probes(1)
        assert free_probes(1000) == (depth, {True}) and drained == {True}
        with pytest.raises(TypeError, match="a Value holds one real number"):
            Value("3")  # half made when it is freed
        kept = Value(2.0)
        out = kept * kept
        del out
        assert kept.data == 2.0 and (kept * 3).data == 6.0
    finally:
        free_one_by_one(Node, on=False)
    assert free_probes(10)[1] == {False}
