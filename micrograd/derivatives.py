"""Gradients as Values of their own: no `grad` is touched, any order of derivative exists.

The order is `engine.reached`'s and the chain rule that of `engine.push`; what differs is where the
gradients are kept, in a dictionary, and that they may be Values, so that the backward pass is
itself a graph.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from micrograd import engine, modes, tree
from micrograd.engine import NumbersOnly, Value
from micrograd.modes import Mode
from micrograd.op import Op
from micrograd.reals import describe

if TYPE_CHECKING:
    import numpy as np

__all__ = ["grad"]


@overload
def grad(y: Value, xs: Value, create_graph: bool = False) -> Value: ...
@overload
def grad(y: Value, xs: list[Value], create_graph: bool = False) -> list[Value]: ...
@overload
def grad(y: Value, xs: tuple[Value, ...], create_graph: bool = False) -> tuple[Value, ...]: ...
@overload
def grad(y: Value, xs: np.ndarray, create_graph: bool = False) -> np.ndarray: ...
@overload
def grad(
    y: Value, xs: Sequence[Any] | Mapping[Any, Any], create_graph: bool = False
) -> Any: ...  # nested
def grad(y: Value, xs: Any, create_graph: bool = False) -> Any:
    """d y / d x for each x of `xs` (a Value, a list, dict or array of them), as Values in its form.

    Reads and writes no `grad`. With `create_graph` the results are graphs themselves and can be
    differentiated again; without it they are leaves. What y does not depend on has gradient 0.
    """
    flat = tree.flatten(xs)
    wanted = flat.leaves
    for x in (y, *wanted):
        if not isinstance(x, Value):
            raise TypeError(
                f"grad() differentiates Values with respect to Values, got {describe(x)}"
            )
    modes.current_mode().refuse("grad()")
    if not create_graph:
        results = _leaves(y, wanted)
    elif isinstance(modes.current_mode(), NumbersOnly):  # a graph was asked for, `no_grad` or not
        with modes.mode(modes.eager):
            results = _graphs(y, wanted)
    else:
        results = _graphs(y, wanted)
    return flat.fill(results)


def _leaves(y: Value, wanted: list[Value]) -> list[Value]:
    order = engine.topological_order(y)
    if not all(node._rule is None or isinstance(node._rule, Op) for node in order):
        return _pushed(order, wanted)
    total = {y: 1.0}
    for node in engine.reached(y, total):
        rule: Any = node._rule
        xs = [x._data for x in node._prev]
        _add(total, node, rule.number_gradients(total[node], xs, node._data))
    return [Value(total.get(x, 0.0)) for x in wanted]


def _add(total: dict[Value, Any], node: Value, parts: Sequence[Any]) -> None:
    for x, part in zip(node._prev, parts, strict=True):
        if part is not None:
            total[x] = total[x] + part if x in total else part


_borrowing = threading.RLock()


def _pushed(order: list[Value], wanted: list[Value]) -> list[Value]:
    """`backward()` itself, then every grad as before: a handwritten rule knows no other place."""
    hidden = [p for node in order if node._rule is not None for p in node._rule.hidden(node)]
    touched = list(dict.fromkeys([*order, *hidden, *wanted]))
    with _borrowing:
        before = [node.grad for node in touched]
        try:
            for node in touched:
                node.grad = 0.0
            order[-1].backward()
            return [Value(x.grad) for x in wanted]
        finally:
            for node, g in zip(touched, before, strict=True):
                node.grad = g


def _graphs(y: Value, wanted: list[Value]) -> list[Value]:
    total: dict[Value, Any] = {y: Value(1.0)}
    for node in engine.reached(y, total):
        rule: Any = node._rule
        if not isinstance(rule, Op):
            rule.refuse_graph()
        if rule.builtin:
            _add(total, node, rule.gradients(total[node], node._prev, node))
        else:
            with modes.mode(_NoFloats(rule)):
                parts = rule.gradients(total[node], node._prev, node)
            _add(total, node, parts)
    found = [total.get(x, 0.0) for x in wanted]
    return [g if isinstance(g, Value) else Value(g) for g in found]


class _NoFloats(Mode):
    """While a user's own partial builds a graph: `math.cos(x)` would lose it, and is refused."""

    def __init__(self, rule: Op) -> None:
        self.rule = rule

    def record(self, op: Op, inputs: Sequence[Value]) -> Any:
        with modes.mode(modes.outside(self)):
            return engine.record(op, *inputs)

    def refuse_float(self) -> None:
        raise TypeError(
            f"a partial of op {self.rule.name!r} reads a Value's number, math.cos(x) or float(x), "
            "which cannot be differentiated again; write it in arithmetic and micrograd.ops"
        )
