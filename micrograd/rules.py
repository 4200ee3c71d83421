"""Rules: what a node asks of the thing that made it. A row of the op table is one.

A node keeps its rule in `_rule`; a leaf has None there. Others are `ByHand`, below, and those of a
lifted call. There is nothing to read first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from micrograd.engine import Value

__all__ = ["ByHand", "Rule"]


class Rule:
    """What made a node. Derive from it, and say what differs."""

    __slots__ = ()

    name: str = ""  # what a graph shows: `node._op`
    builtin: bool = False  # a row of micrograd's own table, which a file can call by its name

    def push(self, node: Value) -> None:
        """One step of the chain rule: add to each input's grad what `node.grad` gives it."""
        raise NotImplementedError(f"{type(self).__name__} does not say how gradients flow back")

    def backward_at_once(self, node: Value) -> bool:
        """All of `node.backward()`, where the rule knows a shorter way; whether it has done it."""
        return False

    def hidden(self, node: Value) -> Sequence[Value]:
        """Leaves to which `push` adds, too, although they are none of `node._prev`."""
        return ()

    def refuse_copy(self) -> None:
        """Raise a TypeError if a node of another graph, a copy or a pickle, cannot share it."""

    def refuse_graph(self) -> None:
        """Raise a TypeError: this gradient is a number, and no graph that can be differentiated."""
        raise TypeError(
            f"{self.name or 'a node'} has a handwritten _backward: its gradient is a number, not a "
            "graph; register it with micrograd.op(name, forward, partials) to differentiate twice"
        )


class ByHand(Rule):
    """The rule of a node made by hand: a name, and the closure that was assigned to `_backward`."""

    __slots__ = ("closure", "name")

    def __init__(self, name: str, closure: Callable[[], None] | None = None) -> None:
        self.name, self.closure = name, closure

    def push(self, node: Value) -> None:
        if self.closure is not None:
            self.closure()

    def refuse_copy(self) -> None:
        if self.closure is not None:
            raise TypeError(
                f"cannot copy or pickle {self.name or 'a node'} with a handwritten _backward: the "
                "closure names this graph's own nodes; register the operation with "
                "micrograd.op(name, forward, partials)"
            )
