"""Deep copies and pickles of graphs, node by node, so that neither gets deeper with the graph.

`Value.__deepcopy__` and `Value.__reduce__` come here. Read `deepcopy` first. A pickle is the same
idea in the pickler's own terms. Asked for a node with inputs, `reduce` gives it a list, `_Nodes`:

    [mark, leaf, leaf, product, sum, ..., the node asked for, mark]

The pickler writes the list from left to right, so that each node finds its inputs written already.
For that, a node has to know that it is being written as part of such a list, and not asked for
alone: between the two marks `_being_written` says so. The marks are written, too, as None. They
act when they are asked how to write themselves, which is their turn, and not when the list's
iterator comes to them: picklers fetch up to a thousand members ahead.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from copy import deepcopy as _deepcopy
from typing import Any

from micrograd import engine
from micrograd.engine import ComputedValue, Leaf, Value
from micrograd.node import Node
from micrograd.op import Op
from micrograd.rules import Rule

__all__ = ["copy", "deepcopy", "reduce"]


def copy(value: Value) -> Value:
    """A second node with the same inputs, rule, numbers and attributes."""
    return _again(value, value._rule, value._prev, _attributes(value))


def deepcopy(value: Value, memo: dict[int, Any]) -> Value:
    """A second graph like the one below `value`; nodes that `memo` knows are shared with it."""
    for node in engine.topological_order(value):
        if id(node) not in memo:
            inputs = tuple(memo[id(x)] for x in node._prev)
            memo[id(node)] = made = _again(node, _portable(node._rule), inputs, None)
            own = _attributes(node)
            if own:
                _set(made, _deepcopy(own, memo))
    copied: Value = memo[id(value)]
    return copied


def reduce(value: Value) -> tuple[Any, ...]:
    """What `pickle` asks for: how to make `value` again."""
    plain = type(value).stands_for is Value
    if value._rule is not None and getattr(_being_written, "nodes", _nothing)() is None:
        return _last, (_Nodes(engine.topological_order(value)),)
    what = (value._data, value._grad, value.label)
    own = _attributes(value)
    if value._rule is None and plain:
        return (_leaf, what) if own is None else (_leaf, what, (None, own))
    kind: Any = None if plain else type(value).stands_for
    made = (*what, _portable(value._rule), value._prev, kind)
    return (_node, made) if own is None else (_node, made, (None, own))  # set one by one


_being_written = threading.local()  # `nodes`: a weak reference, so that a failure ends it, too


class _Nodes(list[Value]):
    """A graph on its way into a pickle: between two marks, each node's inputs stand before it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _Nodes, (), None, iter([_Mark(weakref.ref(self)), *self, _Mark(_nothing)])


class _Mark:
    """Says what is being written when its turn comes."""

    def __init__(self, nodes: Callable[[], Any]) -> None:
        self.nodes = nodes

    def __reduce__(self) -> tuple[Any, ...]:
        _being_written.nodes = self.nodes
        return _nothing, ()


def _nothing() -> None:
    return None


def _last(nodes: list[Value | None]) -> Value | None:
    return nodes[-2]  # before the mark, which reads as None


# --- one node -----------------------------------------------------------------------------------


def _leaf(data: float, grad: float, label: str) -> Value:
    return _node(data, grad, label, None, (), None)


def _node(
    data: float,
    grad: float,
    label: str,
    rule: Rule | None,
    inputs: Sequence[Value],
    kind: type[Value] | None,
) -> Value:
    if kind is None:
        kind = ComputedValue if isinstance(rule, Op) else Leaf
    made = object.__new__(kind)
    made._data, made._grad, made._rule = data, grad, rule
    made._prev = tuple(inputs)
    made.label = label
    return made


def _again(
    value: Value, rule: Rule | None, inputs: Sequence[Value], own: dict[str, Any] | None
) -> Value:
    kind: Any = type(value).stands_for
    made = _node(
        value._data, value._grad, value.label, rule, inputs, None if kind is Value else kind
    )  # fmt: skip
    if own:
        _set(made, own)
    return made


def _attributes(value: Value) -> dict[str, Any] | None:
    """A user's own attributes, in a dictionary or in slots of a derived class; None for none."""
    if type(value) is ComputedValue:
        return None
    state: Any = object.__getstate__(value)
    if not isinstance(state, tuple):
        return dict(state) if state else None
    named, slots = state
    own = {**(named or {}), **{k: v for k, v in slots.items() if k not in Node.__slots__}}
    return own or None


def _set(value: Value, own: dict[str, Any]) -> None:
    for name, x in own.items():
        object.__setattr__(value, name, x)


def _portable(rule: Rule | None) -> Rule | None:
    """A rule that another graph can share; a closure cannot be: it names the nodes of this one."""
    if rule is not None:
        rule.refuse_copy()
    return rule
