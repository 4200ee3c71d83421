"""Calls of neurons and examples, found in a finished graph from the weights that it uses.

A call of a neuron is the part of the graph that uses each of its weights once and has one result.
Calls that feed each other belong to one example, with the inputs, the target and the term of the
loss that nothing else uses. Read `Call`, then `find_calls`, then `find_examples`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from micrograd.show.graph.nodes import Node
from micrograd.show.graph.units import Unit

__all__ = ["Call", "Example", "find_calls", "find_examples", "users_of"]


@dataclass(slots=True)
class Call:
    """One use of a neuron: the nodes computed in it, and the leaves that only it uses."""

    unit: int
    used: set[int]  # weights
    nodes: list[int]
    leaves: list[int] = field(default_factory=list)
    activation: str = ""

    @property
    def output(self) -> int:
        return self.nodes[-1]


@dataclass(slots=True)
class Example:
    """Calls that belong together, and what belongs to them alone."""

    calls: list[int]
    nodes: list[int]

    output: int = -1


def users_of(nodes: Sequence[Node]) -> list[list[int]]:
    """For each node those that it is an input of."""
    users: list[list[int]] = [[] for _ in nodes]
    for i, node in enumerate(nodes):
        for x in node.inputs:
            users[x].append(i)
    return users


def find_calls(nodes: Sequence[Node], units: Sequence[Unit]) -> list[Call]:
    """The calls, in the order of their results."""
    owner = {v: k for k, unit in enumerate(units) for v in unit.names}
    weights = {i: owner[id(n.value)] for i, n in enumerate(nodes) if id(n.value) in owner}
    complete = [{i for i, k in weights.items() if k == unit} for unit in range(len(units))]
    users = users_of(nodes)
    at: dict[int, Call] = {}  # node -> the call that it is the latest node of, so far
    for i, node in enumerate(nodes):
        if not node.op:
            continue
        call = _joined(node, nodes, at, weights, complete)
        if call is not None:
            call.nodes.append(i)
            at[i] = call
            continue
        before = at.get(node.inputs[0]) if len(node.inputs) == 1 else None
        if before is not None and _activates(before, node, units, complete, users):
            before.activation = node.op
            before.nodes.append(i)
            at[i] = before
    found = {id(call): call for call in at.values() if call.used == complete[call.unit]}
    return sorted((c for c in found.values() if _closed(c, users)), key=lambda c: c.output)


def _joined(
    node: Node,
    nodes: Sequence[Node],
    at: dict[int, Call],
    weights: dict[int, int],
    complete: list[set[int]],
) -> Call | None:
    """The call that this node carries on: one unit's weights and unfinished parts, each once."""
    direct = [x for x in node.inputs if x in weights]
    parts = {id(at[x]): at[x] for x in node.inputs if x in at}
    open_ = [c for c in parts.values() if c.used != complete[c.unit]]
    of = {weights[x] for x in direct} | {c.unit for c in open_}
    if len(of) != 1 or len(set(direct)) < len(direct):
        return None
    (unit,) = of
    if not direct:  # a sum of parts; beside them only a leaf, such as the 0 that sum() starts with
        others = [x for x in node.inputs if at.get(x) not in open_]
        if any(nodes[x].op for x in others):
            return None
    used = [*direct, *(w for call in open_ for w in call.used)]
    if len(set(used)) < len(used):
        return None
    return Call(unit, set(used), sorted(i for call in open_ for i in call.nodes))


def _activates(
    call: Call,
    node: Node,
    units: Sequence[Unit],
    complete: list[set[int]],
    users: Sequence[Sequence[int]],
) -> bool:
    """Whether this node is the activation: a function of the finished sum, and its one use."""
    unit = units[call.unit]
    function = node.op[:1].isalpha()
    finished = call.used == complete[call.unit] and not call.activation
    return function and finished and unit.nonlin is not False and len(users[call.output]) == 1


def _closed(call: Call, users: Sequence[Sequence[int]]) -> bool:
    """Whether nothing but the result is used outside."""
    inside = set(call.nodes)
    return all(user in inside for i in call.nodes[:-1] for user in users[i])


# --- examples -------------------------------------------------------------------------------------


def find_examples(nodes: Sequence[Node], calls: Sequence[Call], weights: set[int]) -> list[Example]:
    """Groups of calls that feed each other, each with what is its own; one alone is none."""
    home = {i: k for k, call in enumerate(calls) for i in call.nodes}
    group: dict[int, int] = {}  # node -> a call that stands for its example; -1: of several
    parent = list(range(len(calls)))
    held = [{call.unit} for call in calls]

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    def join(ks: set[int]) -> int:
        first, *others = sorted(ks)
        for k in others:
            parent[k] = first
            held[first] |= held[k]
        return first

    for i, node in enumerate(nodes):
        if not node.op:
            continue
        from_ = {group[x] for x in node.inputs if x in group and x not in weights}
        of = {root(k) for k in from_ if k >= 0}
        if i in home:
            group[i] = join(of | {root(home[i])})
        elif -1 in from_:
            group[i] = -1
        elif of:
            disjoint = sum(len(held[k]) for k in of) == len(set().union(*(held[k] for k in of)))
            group[i] = join(of) if disjoint else -1
    examples: dict[int, Example] = {}
    for k, call in enumerate(calls):
        examples.setdefault(root(group[call.output]), Example([], [])).calls.append(k)
    for i, k in group.items():
        if k >= 0 and i not in home:
            examples[root(k)].nodes.append(i)
    found = list(examples.values())
    _trim(nodes, found)
    for example in found:
        ends = [*example.nodes, *(calls[k].output for k in example.calls)]
        example.output = max(ends)
    _add_own(nodes, calls, found, weights)
    return found


def _trim(nodes: Sequence[Node], examples: list[Example]) -> None:
    """All examples end alike: the first of them alone holds what sum() starts with."""
    if len(examples) < 2:
        return
    written = [[nodes[i].op for i in example.nodes] for example in examples]
    same = 0
    while all(len(ops) > same and ops[same] == written[0][same] for ops in written):
        same += 1
    for example in examples:
        del example.nodes[same:]


def _add_own(
    nodes: Sequence[Node], calls: Sequence[Call], examples: list[Example], weights: set[int]
) -> None:
    """What is made of leaves alone goes to the one example, or call, that uses it."""
    users = users_of(nodes)
    in_call = {i: call for call in calls for i in call.nodes}
    in_example: dict[int, Example] = {}
    for example in examples:
        for i in [*example.nodes, *(j for k in example.calls for j in calls[k].nodes)]:
            in_example[i] = example
    for i in reversed(range(len(nodes))):
        if i in in_example or i in weights:
            continue
        homes = [in_example.get(user) for user in users[i]]
        if not homes or homes[0] is None or any(home is not homes[0] for home in homes):
            continue
        at = [in_call.get(user) for user in users[i]]
        if at[0] is not None and all(a is at[0] for a in at) and not nodes[i].label:
            if nodes[i].op:
                continue
            at[0].leaves.append(i)
        else:
            homes[0].nodes.append(i)
        in_example[i] = homes[0]
