"""Anybody's Value: what a picture reads of a node, whichever class it is of.

The class that is typed along with the video will do: an object with `data`, `grad` and `_prev`, and
perhaps `_op` and `label`. There `_prev` is a set, so the order of operands is unknown, and which of
them is used twice. Read `Node`, then `read`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from micrograd import engine
from micrograd.engine import Value
from micrograd.show.graph.text import label_of, plain

__all__ = ["Node", "inputs_of", "is_node", "ordered", "read", "topological_order"]


@dataclass(frozen=True, slots=True)
class Node:
    """A node as it is drawn; `inputs` are places in the list that `read` gives."""

    value: Any
    data: float
    grad: float
    label: str
    op: str  # '' for a leaf
    inputs: tuple[int, ...]
    ordered: bool  # whether `inputs` are in the order in which they were written


def is_node(x: Any) -> bool:
    """Whether `x` is a Value, or an object that looks like one."""
    if isinstance(x, (Value, type)):
        return isinstance(x, Value)
    return all(hasattr(x, name) for name in ("data", "grad", "_prev"))


def ordered(node: Any) -> bool:
    """Whether a node knows the order of its operands; with one of them there is nothing to know."""
    return not isinstance(node._prev, (set, frozenset)) or len(node._prev) < 2


def inputs_of(node: Any) -> Sequence[Any]:
    """The operands, in one order on every run: those of a set by label, operation and number."""
    given = node._prev
    if isinstance(given, (set, frozenset)):
        return sorted(given, key=lambda x: (label_of(x), str(getattr(x, "_op", "")), float(x.data)))
    return tuple(given)


def topological_order(root: Any) -> list[Any]:
    """Every node that `root` was made from, inputs before outputs, `root` last."""
    if isinstance(root, Value):
        return list(engine.topological_order(root))
    order: list[Any] = []
    seen: set[int] = set()
    waiting = [(root, False)]
    while waiting:
        node, inputs_stand = waiting.pop()
        if inputs_stand:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            waiting.append((node, True))
            waiting += [(x, False) for x in reversed(inputs_of(node))]
    return order


def read(order: Sequence[Any]) -> list[Node]:
    """The nodes of a graph, inputs before outputs, with their numbers as floats."""
    index = {id(node): i for i, node in enumerate(order)}
    return [
        Node(
            value=node,
            data=_number(node, "data"),
            grad=_number(node, "grad"),
            label=label_of(node),
            op="" if _is_leaf(node) else plain(getattr(node, "_op", "")) or "?",
            inputs=tuple(index[id(x)] for x in inputs_of(node)),
            ordered=ordered(node),
        )
        for node in order
    ]


def _is_leaf(node: Any) -> bool:
    if isinstance(node, Value):
        return node._rule is None
    return not node._prev and not getattr(node, "_op", "")


def _number(node: Any, name: str) -> float:
    try:
        return float(getattr(node, name))
    except (TypeError, ValueError):
        raise TypeError(
            f"a node's {name} is one number; got {type(getattr(node, name)).__name__}"
        ) from None
