"""Gradients as values of their own, for `engine.grad`: no `grad` is touched, any order exists.

The chain rule is the one of `engine.backward`; what differs is where the gradients are kept, in a
dictionary, and that they may be Values, so that the backward pass is itself a graph.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from micrograd.engine import Value, _no_parameters, _NumbersOnly, backward, topological_order
from micrograd.modes import Mode, current_mode, mode
from micrograd.ops import Op

__all__ = ["gradients"]


def gradients(y: Value, wanted: list[Value], create_graph: bool) -> list[Value]:
    """d y / d x for each x of `wanted`: leaves, or with `create_graph` graphs."""
    refuse = getattr(current_mode(), "refuse", None)
    if refuse is not None:
        refuse("grad()")
    order = topological_order(y)
    if create_graph:
        if isinstance(current_mode(), _NumbersOnly):  # asked for by name, it outdoes `no_grad`
            with mode(None):
                return _graphs(order, wanted)
        return _graphs(order, wanted)
    if all(node._rule is None or type(node._rule) is Op for node in order):
        return _leaves(order, wanted)
    return _pushed(order, wanted)


def _leaves(order: list[Value], wanted: list[Value]) -> list[Value]:
    total = {order[-1]: 1.0}
    for node in reversed(order):
        g, rule = total.get(node), node._rule
        if g is None or rule is None:
            continue
        inputs = node._prev
        contributions = rule.number_gradients(g, [x.data for x in inputs], node.data)
        for x, contribution in zip(inputs, contributions, strict=True):
            if contribution is not None:
                total[x] = total.get(x, 0.0) + contribution
    return [Value(total.get(x, 0.0)) for x in wanted]


_borrowing = threading.RLock()


def _pushed(order: list[Value], wanted: list[Value]) -> list[Value]:
    """A real backward between two copies of every grad: handwritten rules know no other place."""
    hidden = [
        p for node in order for p in getattr(node._rule, "parameters_of", _no_parameters)(node)
    ]
    touched = list(dict.fromkeys([*order, *hidden, *wanted]))
    with _borrowing:
        before = [node.grad for node in touched]
        try:
            for node in touched:
                node.grad = 0.0
            backward(order[-1])
            return [Value(x.grad) for x in wanted]
        finally:
            for node, g in zip(touched, before, strict=True):
                node.grad = g


def _graphs(order: list[Value], wanted: list[Value]) -> list[Value]:
    total: dict[Value, Any] = {order[-1]: Value(1.0)}
    for node in reversed(order):
        g, rule = total.get(node), node._rule
        if g is None or rule is None:
            continue
        if type(rule) is not Op:
            refuse = getattr(rule, "refuse_graph", None)  # a lifted call says it in its own words
            if refuse is not None:
                refuse()
            raise TypeError(
                f"{rule.name or 'a node'} has a handwritten _backward: its gradient is a number, "
                "not a graph; register it with micrograd.op(name, forward, partials) to "
                "differentiate twice"
            )
        inputs = node._prev
        if rule.builtin:
            contributions = rule.gradients(g, inputs, node)
        else:
            with mode(_NoFloats(rule, current_mode())):
                contributions = rule.gradients(g, inputs, node)
        for x, contribution in zip(inputs, contributions, strict=True):
            if contribution is not None:
                total[x] = total[x] + contribution if x in total else contribution
    found = [total.get(x, 0.0) for x in wanted]
    return [g if isinstance(g, Value) else Value(g) for g in found]


class _NoFloats(Mode):
    """While a user's own partial builds a graph: `math.cos(x)` would end it without a word."""

    def __init__(self, rule: Op, outer: Any) -> None:
        self.rule, self.outer = rule, outer

    def record(self, op: Op, inputs: Sequence[Value]) -> Any:
        with mode(self.outer):
            return op(*inputs)

    def refuse_float(self) -> None:
        raise TypeError(
            f"a partial of op {self.rule.name!r} reads a Value's number, math.cos(x) or float(x), "
            "which cannot be differentiated again; write it in arithmetic and micrograd.ops"
        )
