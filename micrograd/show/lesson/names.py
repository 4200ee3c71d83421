"""What the nodes of a lesson are called, and which of them are constants that nobody asks for.

A node bears its label; else a weight is w21 and the result of a neuron out2, as in the picture;
else it is v1, v2, ... The last one is the output, and what a subtraction records of b is −b. What
would be the name of two nodes is told apart by the layer, then by the example. Read `Names`, then
`named_nodes`; `finding.py` reads names that somebody wrote.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from micrograd.engine import Value
from micrograd.show.graph.grouping import Grouping
from micrograd.show.graph.outside import Part
from micrograd.show.graph.text import label_of, plain, shorten
from micrograd.show.notation import MINUS, bracketed, readable

__all__ = ["OUT", "Names", "constants_of", "named_nodes", "result_name"]

OUT = "out"


def constants_of(nodes: Sequence[Value], kept: Collection[Value]) -> frozenset[int]:
    """Unlabelled leaves, the 2 of `2 * a`, and what is made of them alone."""
    if not any(node in kept or label_of(node) for node in nodes if node._rule is None):
        return frozenset()
    constants: dict[Value, int] = {}
    for i, node in enumerate(nodes):
        if node not in kept and not label_of(node) and all(x in constants for x in node._prev):
            constants[node] = i
    return frozenset(constants.values())


@dataclass(slots=True)
class Names:
    """A name of its own for every node: `texts` are stems with what tells each from its like."""

    texts: list[str]
    stems: list[str]  # x3 of `x3 of example 4`
    paths: dict[int, str] = field(default_factory=dict)  # of the weights: layers.0.neurons.1.w[0]
    negated: dict[int, int] = field(default_factory=dict)  # the −b of a subtraction -> its b

    def tail(self, i: int) -> str:
        """`of example 4`"""
        return self.texts[i].removeprefix(self.stems[i]).strip()


def result_name(part: Part) -> str:
    """out for the result of a neuron that is alone in its layer, else out1, out2, ..."""
    return OUT + "".join(re.findall(r"^neuron (\d+)", part.label))


def named_nodes(
    nodes: Sequence[Value],
    constants: frozenset[int],
    parameters: Mapping[Value, str],
    grouping: Grouping,
    given: bool = False,
) -> Names:
    """The names of a graph; with `given` its labels are such names already, of a saved sheet."""
    root = len(nodes) - 1
    labels = [label_of(node) for node in nodes]
    stems = labels if given else [label and shorten(label) for label in labels]
    paths = {i: path for i, node in enumerate(nodes) if (path := parameters.get(node, ""))}
    paths |= {i: short.path for i, short in grouping.weights.items()}
    layers: dict[int, str] = {}
    for i, short in grouping.weights.items():
        if not stems[i] and short.letter:
            stems[i], layers[i] = short.text, short.layer
    for part in grouping.within():
        if part.kind == "neuron" and part.output != root and not stems[part.output]:
            stems[part.output] = result_name(part)
            layers[part.output] = "".join(re.findall(r"\blayer \d+", part.told))
    for i, path in paths.items():
        stems[i] = stems[i] or shorten(plain(path))
    if len(nodes) > 1 and not stems[root] and "output" not in stems:
        stems[root] = "output"
    for i in constants:
        stems[i] = ""
    examples = {
        i: part.label for part in grouping.parts if part.kind == "example" for i in part.all()
    }
    texts = _told_apart(stems, layers, examples, paths, labels)
    unnamed = {i for i, text in enumerate(texts) if not text}
    negated = {i: b for i, b in _negated(nodes, constants).items() if i in unnamed}
    names = Names(texts, stems, paths, negated)
    _complete(names, nodes, constants, examples)
    names.negated = {i: b for i, b in negated.items() if stems[i].startswith(MINUS)}
    return names


def _told_apart(
    stems: list[str],
    layers: Mapping[int, str],
    examples: Mapping[int, str],
    paths: Mapping[int, str],
    labels: Sequence[str],
) -> list[str]:
    """`w21 of layer 1`, `x3 of example 4`, `out2 of layer 1 in example 4`; else a weight's path."""
    texts = list(stems)
    for places in (layers, examples):
        for alike in _alike(texts):
            if len({places.get(i, "") for i in alike}) < 2:
                continue
            for i in alike:
                if places.get(i):
                    of = "in" if texts[i] != stems[i] else "of"
                    texts[i] = f"{texts[i]} {of} {places[i]}"
    for alike in _alike(texts):
        for i in alike:
            if i in paths and not labels[i]:
                texts[i] = stems[i] = shorten(plain(paths[i]))
    return texts


def _alike(texts: Iterable[str]) -> list[list[int]]:
    """The places of each name that several nodes have."""
    found: dict[str, list[int]] = {}
    for i, text in enumerate(texts):
        if text:
            found.setdefault(text, []).append(i)
    return [places for places in found.values() if len(places) > 1]


def _complete(
    names: Names,
    nodes: Sequence[Value],
    constants: frozenset[int],
    examples: Mapping[int, str],
) -> None:
    """Numbers for constants, −b for what a subtraction records, v1, v2, ... for the rest."""
    texts, stems = names.texts, names.stems
    taken = set(texts)
    used: Counter[str] = Counter()
    often = Counter(names.negated.values())
    fresh = 0
    for i, node in enumerate(nodes):
        if i in constants:
            texts[i] = stems[i] = readable(node.data)
            continue
        if not texts[i] and i in names.negated:
            b = names.negated[i]
            negative = f"{MINUS}{bracketed(stems[b])}"
            text = negative + texts[b].removeprefix(stems[b])  # −y of example 3
            text += f" in {examples[i]}" if often[b] > 1 and i in examples else ""
            if text not in taken and texts[b].startswith(stems[b]):
                texts[i], stems[i] = text, negative
        while not texts[i]:
            fresh += 1
            texts[i] = f"v{fresh}" if f"v{fresh}" not in taken else ""
        name = texts[i]
        used[name] += 1
        if used[name] > 1:
            texts[i] = next(f"{name}#{k}" for k in count(used[name]) if f"{name}#{k}" not in taken)
            taken.add(texts[i])
        stems[i] = stems[i] or name


def _negated(nodes: Sequence[Value], constants: frozenset[int]) -> dict[int, int]:
    """The b * -1 that a subtraction records, and its b."""
    at = {node: i for i, node in enumerate(nodes)}
    found = {}
    for i, node in enumerate(nodes):
        if node._op != "*" or len(node._prev) != 2 or i in constants:
            continue
        for x, factor in (node._prev, node._prev[::-1]):
            if factor._rule is None and factor.data == -1 and at[factor] in constants:
                found[i] = at[x]
    return found
