"""What the nodes of a lesson are called, and which of them are constants that nobody asks for.

A node bears its label, else the path of the weight or the neuron, else v1, v2, ...; the last one is
the output, and what a subtraction records of b is −b. Read `names_of`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from micrograd.engine import Value
from micrograd.show.graph.text import label_of, plain, shorten
from micrograd.show.lesson.formulas import MINUS, bracketed, readable

__all__ = ["constants_of", "names_of"]


def constants_of(nodes: Sequence[Value], kept: Collection[Value]) -> frozenset[int]:
    """Unlabelled leaves, the 2 of `2 * a`, and what is made of them alone."""
    if not any(node in kept or label_of(node) for node in nodes if node._rule is None):
        return frozenset()
    constants: dict[Value, int] = {}
    for i, node in enumerate(nodes):
        if node not in kept and not label_of(node) and all(x in constants for x in node._prev):
            constants[node] = i
    return frozenset(constants.values())


def names_of(
    nodes: Sequence[Value], constants: frozenset[int], parameters: Mapping[Value, str]
) -> list[str]:
    """A name of its own for every node: its label, else the weight's path, else v1, v2, ...

    A result without a label is the output.
    """
    names: list[str] = []
    taken: set[str] = set()
    fresh = 0
    given = [label_of(node) or plain(parameters.get(node, "")) for node in nodes]
    given = [name and shorten(name) for name in given]
    if len(nodes) > 1 and not given[-1] and "output" not in given:
        given[-1] = "output"
    labels = set(given)
    at = {node: i for i, node in enumerate(nodes)}
    for i, node in enumerate(nodes):
        name = given[i]
        if i in constants:
            names.append(readable(node.data))
            continue
        negative = _negative(node, at, names, constants)
        if not name and negative and negative not in labels:
            name = negative
        while not name or (not given[i] and name in labels):
            fresh += 1
            name = f"v{fresh}"
        stem, copy = name, 1
        while name in taken:
            copy += 1
            name = f"{stem}#{copy}"
        taken.add(name)
        names.append(name)
    return names


def _negative(
    node: Value, at: Mapping[Value, int], names: Sequence[str], constants: frozenset[int]
) -> str:
    """The b * -1 that a subtraction records is named −b."""
    if node._op != "*" or len(node._prev) != 2:
        return ""
    for x, factor in (node._prev, node._prev[::-1]):
        if factor._rule is None and factor.data == -1 and at[factor] in constants:
            return f"{MINUS}{bracketed(names[at[x]])}"
    return ""
