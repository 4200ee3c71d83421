"""Anybody's graph again in Values of ours, so that its backward can be followed step by step.

A node becomes a row of the op table where its number and its own `_backward` say that it is one;
else its closure is run, and what it does to the gradients is shown as it is, a mistake included.
Read `adopted`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import permutations
from typing import Any

from micrograd import ops
from micrograd.engine import Value
from micrograd.op import Op, find
from micrograd.show.graph.nodes import Node, inputs_of, read, topological_order

__all__ = ["UNORDERED", "adopted"]

UNORDERED = "Here _prev is a set: in which order the operands were written is unknown."
_ALIASES = {"relu": "ReLU", "Tanh": "tanh", "Exp": "exp", "Log": "log"}


def adopted(root: Any) -> tuple[Value, dict[int, Value]]:
    """The Value that stands for `root`; and those that stand for the nodes, by the nodes' ids."""
    nodes = read(topological_order(root))
    twins: list[Value] = []
    for node in nodes:
        inputs = [twins[k] for k in node.inputs]
        twins.append(_twin(node, inputs))
    by_id = {id(node.value): twin for node, twin in zip(nodes, twins, strict=True)}
    return twins[-1], by_id


def _twin(node: Node, inputs: Sequence[Value]) -> Value:
    if not node.op:
        return Value(node.data, label=node.label)
    row, operands = _row(node, inputs)
    if row is not None:
        twin = Value(node.data, tuple(operands), row)
        twin.label = node.label
        return twin
    twin = Value(node.data, tuple(inputs), node.op, node.label)
    step = getattr(node.value, "_backward", None)
    if callable(step):
        originals = list(inputs_of(node.value))
        twin._backward = _closure(step, twin, inputs, node.value, originals)
    return twin


def _closure(
    step: Callable[[], Any], twin: Value, inputs: Sequence[Value], node: Any, originals: list[Any]
) -> Callable[[], None]:
    """The node's own `_backward`, run on the gradients of the Values that stand for it."""

    def push() -> None:
        touched = [node, *originals]
        kept = [x.grad for x in touched]
        try:
            for x, v in zip(touched, (twin, *inputs), strict=True):
                x.grad = v.grad
            step()
            for x, v in zip(originals, inputs, strict=True):
                v.grad = float(x.grad)
        finally:
            for x, grad in zip(touched, kept, strict=True):
                x.grad = grad

    return push


def _row(node: Node, inputs: Sequence[Value]) -> tuple[Op | None, Sequence[Value]]:
    """The row of the table that this node is, and its operands in their order."""
    row = _named(node.op)
    if row is None:
        return None, ()
    found = [
        operands
        for operands in _orders(row, node, inputs)
        if _same(row.number(*[x.data for x in operands]), node.data)
    ]
    commute = row in (ops.add, ops.mul)
    if not found or (len(found) > 1 and not commute) or not _agrees(row, node, inputs, found[0]):
        return None, ()
    return row, found[0]


def _named(op: str) -> Op | None:
    if op.startswith("**"):
        try:
            return ops.constant_power(float(op[2:]) if "." in op else int(op[2:]))
        except ValueError:
            pass
    try:
        return find(_ALIASES.get(op, op))
    except LookupError:
        return None


def _orders(row: Op, node: Node, inputs: Sequence[Value]) -> Iterator[Sequence[Value]]:
    """The ways in which the operands may have been written; a set has lost the twin of `a * a`."""
    if node.ordered and len(inputs) == row.arity:
        yield inputs
    elif not isinstance(node.value._prev, (tuple, list)) and len(inputs) == 1 and row.arity == 2:
        yield inputs[0], inputs[0]
    elif len(inputs) == row.arity:
        yield from permutations(inputs)


def _agrees(row: Op, node: Node, inputs: Sequence[Value], operands: Sequence[Value]) -> bool:
    """Whether the node's own `_backward`, if it has one, does what the row does."""
    step = getattr(node.value, "_backward", None)
    if not callable(step):
        return True
    by_hand = _closure(
        step, twin := Value(node.data), inputs, node.value, list(inputs_of(node.value))
    )
    kept = [x.grad for x in inputs]
    try:
        for arriving in (1.0, -0.7):
            twin.grad = arriving
            expected = dict.fromkeys(map(id, inputs), 0.25)  # += keeps what was there
            xs = [x.data for x in operands]
            for x, part in zip(
                operands, row.number_gradients(arriving, xs, node.data), strict=True
            ):
                expected[id(x)] += 0.0 if part is None else float(part)
            for x in inputs:
                x.grad = 0.25
            by_hand()
            if not all(_same(x.grad, expected[id(x)]) for x in inputs):
                return False
    except Exception:  # it is shown where it fails, in the lesson
        return False
    finally:
        for x, grad in zip(inputs, kept, strict=True):
            x.grad = grad
    return True


def _same(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) or (math.isnan(a) and math.isnan(b))
