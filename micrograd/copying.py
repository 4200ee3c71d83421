"""Deep copies and pickles of graphs, node by node, so that neither gets deeper with the graph.

`Value.__deepcopy__` and `Value.__reduce__` come here. Read `deepcopy` first; a pickle is the same
idea in the pickler's own terms: the list of all nodes, inputs first, then the one asked for.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any

from micrograd.engine import Value, _leaf, _set_inputs, topological_order

__all__ = ["deepcopy", "reduce"]


def deepcopy(value: Value, memo: dict[int, Any]) -> Value:
    """A second graph like the one below `value`; nodes that `memo` knows are shared with it."""
    for node in topological_order(value):
        if id(node) not in memo:
            inputs = tuple(memo[id(x)] for x in node._prev)
            memo[id(node)] = _node(node.data, node.grad, node.label, node._rule, inputs)
    copied: Value = memo[id(value)]
    return copied


def reduce(value: Value) -> tuple[Any, ...]:
    """What `pickle` asks for: how to make `value` again."""
    if value._rule is None:
        return _leaf, (value.data, value.grad, value.label)
    nodes = _being_written.nodes() if hasattr(_being_written, "nodes") else None
    if nodes is None:
        return _last, (_Nodes(topological_order(value)),)
    return _node, (value.data, value.grad, value.label, _portable(value._rule), value._prev)


_being_written = threading.local()  # `nodes`: a weak reference, so that a failure ends it, too


class _Nodes(list[Value]):
    """A graph on its way into a pickle: between two marks, each node's inputs stand before it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _Nodes, (), None, iter([_Mark(weakref.ref(self)), *self, _Mark(_nothing)])


class _Mark:
    """Says what is being written when its turn comes; picklers fetch up to a thousand ahead."""

    def __init__(self, nodes: Callable[[], Any]) -> None:
        self.nodes = nodes

    def __reduce__(self) -> tuple[Any, ...]:
        _being_written.nodes = self.nodes
        return _nothing, ()


def _nothing() -> None:
    return None


def _last(nodes: list[Value | None]) -> Value | None:
    return nodes[-2]  # before the mark, which reads as None


def _node(data: float, grad: float, label: str, rule: Any, inputs: tuple[Value, ...]) -> Value:
    out = _leaf(data, grad, label)
    if rule is not None:
        out._rule = _portable(rule)
        _set_inputs(out, inputs)
    return out


def _portable(rule: Any) -> Any:
    """A rule that another graph can share; a closure cannot be: it names the nodes of this one."""
    refuse = getattr(rule, "refuse_copy", None)
    if refuse is not None:
        refuse()
    if getattr(rule, "closure", None) is not None:
        raise TypeError(
            f"cannot copy or pickle {rule.name or 'a node'} with a handwritten _backward: the "
            "closure names this graph's own nodes; register the operation with "
            "micrograd.op(name, forward, partials)"
        )
    return rule
