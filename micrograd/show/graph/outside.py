"""Parts of a graph: what one is, and those that lie outside the examples.

These are the sum that brings the examples together, and a penalty on the weights. Read `Part`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from micrograd.show.graph.calls import users_of
from micrograd.show.graph.nodes import Node

__all__ = ["Part", "penalty", "summing"]


@dataclass(frozen=True, slots=True)
class Part:
    """A group: the nodes that it holds itself, and the groups within it."""

    id: str
    kind: str  # example, layer, neuron, sum or penalty
    label: str
    key: str  # its name among all: example 2/layers.0.neurons.1
    path: str = ""
    nodes: tuple[int, ...] = ()
    parts: tuple[Part, ...] = ()
    output: int = -1  # the node that others use; -1 where there are several
    formula: str = ""
    told: str = ""  # neuron 2 of layer 1, example 3

    def all(self) -> Iterator[int]:
        """Its nodes and those of the groups within it."""
        yield from self.nodes
        for part in self.parts:
            yield from part.all()

    def within(self) -> Iterator[Part]:
        """Itself and every group within it."""
        yield self
        for part in self.parts:
            yield from part.within()


def penalty(
    nodes: Sequence[Node], weights: set[int], inside: set[int], new_id: Callable[[], str]
) -> Part | None:
    """What is computed from weights and constants alone, such as a sum of squares."""
    of: dict[int, bool] = {}  # node -> whether a weight is in it
    for i, node in enumerate(nodes):
        if not node.op:
            if i in weights or not node.label:
                of[i] = i in weights
        elif i not in inside and all(x in of for x in node.inputs):
            of[i] = any(of[x] for x in node.inputs)
    held = [i for i, has in of.items() if has and nodes[i].op]
    return _part(nodes, held, inside | weights, new_id, "penalty", "penalty on the weights")


def summing(
    nodes: Sequence[Node], weights: set[int], inside: set[int], new_id: Callable[[], str]
) -> Part | None:
    """The additions that bring the examples together."""
    held = [i for i, node in enumerate(nodes) if node.op == "+" and i not in inside]
    terms = len({x for i in held for x in nodes[i].inputs if nodes[x].op and x not in held})
    result = nodes[held[-1]].label if held else ""
    label = f"{result}: sum of {terms}" if result else f"sum of {terms}"
    return _part(nodes, held, inside | weights, new_id, "sum", label)


def _part(
    nodes: Sequence[Node],
    held: list[int],
    taken: set[int],
    new_id: Callable[[], str],
    kind: str,
    label: str,
) -> Part | None:
    """A part of at least three operations, of which others use one; with leaves of its own."""
    users, among = users_of(nodes), set(held)
    ends = [i for i in held if not users[i] or any(user not in among for user in users[i])]
    if len(held) < 3 or len(ends) != 1:
        return None
    leaves = [
        i
        for i, node in enumerate(nodes)
        if not node.op and i not in taken and users[i] and all(user in among for user in users[i])
    ]
    return Part(new_id(), kind, label, kind, "", (*held, *leaves), (), ends[0])
