"""Groups of a graph: examples, in them layers, in them neurons; sums of losses, penalties.

They are found by `calls.py` in the finished graph. A part is drawn closed, as one card, or open, as
a frame around what it holds. Read `Part`, then `group`; `views.py` draws them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from micrograd.show.graph.calls import Call, Example, find_calls, find_examples
from micrograd.show.graph.nodes import Node
from micrograd.show.graph.outside import Part, penalty, summing
from micrograd.show.graph.units import Unit

__all__ = ["MOST_GROUPED", "START", "Grouping", "ShortName", "group", "short_names", "weight_names"]

START = "start"  # the name of what a sum begins with
MOST_GROUPED = 5000  # nodes; beyond that finding the groups takes seconds


class ShortName(NamedTuple):
    """A weight's name where its neuron is known: w with the subscript 21."""

    letter: str
    sub: str
    path: str  # layers.0.neurons.1.w[0]
    layer: str = ""  # layer 1, where there are several

    @property
    def text(self) -> str:
        return self.letter + self.sub


@dataclass(frozen=True, slots=True)
class Grouping:
    """The groups of a graph, and the short names of the weights by their places in it."""

    parts: tuple[Part, ...]
    weights: dict[int, ShortName]

    def within(self) -> Iterator[Part]:
        for part in self.parts:
            yield from part.within()

    def starts(self, nodes: Sequence[Node]) -> set[int]:
        """The 0 with which a sum of examples begins."""
        return {
            i
            for part in self.parts
            if part.kind == "sum"
            for i in part.nodes
            if not nodes[i].op and not nodes[i].label and nodes[i].data == 0
        }

    def order(self, nodes: Sequence[Node]) -> list[list[int]]:
        """The graph as steps of one neuron or one node: weights, then example after example."""
        step_of = {}
        for part in self.within():
            if part.kind == "neuron":
                step_of.update(dict.fromkeys(part.all(), part.output))
        first = {i: k - len(self.weights) for k, i in enumerate(self.weights)} | {
            i: k for k, part in enumerate(self.parts) if part.kind == "example" for i in part.all()
        }
        steps: dict[int, list[int]] = {}
        for i in range(len(nodes)):
            steps.setdefault(step_of.get(i, i), []).append(i)
        return _sorted(nodes, steps, {end: first.get(end, len(self.parts)) for end in steps})


def _sorted(
    nodes: Sequence[Node], steps: dict[int, list[int]], rank: dict[int, int]
) -> list[list[int]]:
    """Each step after those that it needs; among those that may come next the lowest rank."""
    import heapq

    at = {i: end for end, held in steps.items() for i in held}
    needs = {
        end: {at[x] for i in held for x in nodes[i].inputs} - {end} for end, held in steps.items()
    }
    users: dict[int, list[int]] = {end: [] for end in steps}
    for end, needed in needs.items():
        for x in needed:
            users[x].append(end)
    waiting = {end: len(needed) for end, needed in needs.items()}
    ready = [(rank[end], end) for end, count in waiting.items() if not count]
    heapq.heapify(ready)
    order = []
    while ready:
        _, end = heapq.heappop(ready)
        order.append(steps[end])
        for user in users[end]:
            waiting[user] -= 1
            if not waiting[user]:
                heapq.heappush(ready, (rank[user], user))
    return order


def group(nodes: Sequence[Node], units: Sequence[Unit]) -> Grouping:
    """What there is to open and close in the graph of a model's results, given its neurons."""
    weights = short_names(nodes, units)
    calls = find_calls(nodes, units)
    examples = find_examples(nodes, calls, set(weights)) if calls else []
    namer = _Namer(units, calls, examples)
    inside = {i for example in examples for i in example.nodes}
    inside |= {i for call in calls for i in (*call.nodes, *call.leaves)}
    if len(examples) == 1:  # then the frame around everything tells nothing
        parts = list(namer.layers(examples[0], ""))
    else:
        parts = [namer.example(k, example) for k, example in enumerate(examples)]
    for found in (penalty, summing):
        part = found(nodes, set(weights), inside, namer.id)
        if part is not None:
            parts.append(part)
            inside |= set(part.nodes)
    return Grouping(tuple(parts), weights)


def weight_names(weights: Mapping[int, ShortName]) -> dict[int, str]:
    """The short name of each; w21 of layer 1 where another layer has a w21."""
    layers: dict[str, set[str]] = {}
    for name in weights.values():
        layers.setdefault(name.text, set()).add(name.layer)
    return {
        i: f"{name.text} of {name.layer}" if len(layers[name.text]) > 1 else name.text
        for i, name in weights.items()
    }


def short_names(nodes: Sequence[Node], units: Sequence[Unit]) -> dict[int, ShortName]:
    """The short names of the weights among the nodes, by their places."""
    at = {id(node.value): i for i, node in enumerate(nodes)}
    layers = list(dict.fromkeys(unit.layer for unit in units))
    sizes = Counter(unit.layer for unit in units)
    found: dict[int, ShortName] = {}
    for unit in units:
        layer = f"layer {layers.index(unit.layer) + 1}" if len(layers) > 1 else ""
        for v, name in unit.names.items():
            if v in at:
                found[at[v]] = _short(unit, sizes[unit.layer] > 1, name, layer)
    return found


def _short(unit: Unit, several: bool, name: str, layer: str) -> ShortName:
    """w[0] of the second of several neurons is w with the subscript 21, its bias b with 2."""
    path = f"{unit.path}.{name}".strip(".")
    letter, _, index = name.partition("[")
    places = [int(k) + 1 for k in index.strip("]").split(",")] if index else []
    if "[" in unit.path.rpartition(".")[2]:  # a row of an array has its number already
        path = f"{unit.path.rpartition('[')[0]}.{name}".strip(".")
    elif several:
        places = [unit.row + 1, *places]
    between = "," if max(places, default=0) > 9 else ""
    letter = {"weight": "w", "bias": "b"}.get(letter, letter)
    return ShortName(letter, between.join(map(str, places)), path, layer)


class _Namer:
    """Makes parts of calls and examples; every one gets an id of its own."""

    def __init__(
        self, units: Sequence[Unit], calls: Sequence[Call], examples: Sequence[Example]
    ) -> None:
        self.units, self.calls = units, calls
        self.names = list(dict.fromkeys(unit.layer for unit in units))
        self.count = 0

    def id(self) -> str:
        self.count += 1
        return f"g{self.count - 1}"

    def example(self, k: int, example: Example) -> Part:
        label = f"example {k + 1}"
        parts = tuple(self.layers(example, f"{label}/"))
        nodes = tuple(example.nodes)
        return Part(self.id(), "example", label, label, "", nodes, parts, example.output)

    def layers(self, example: Example, above: str) -> Iterator[Part]:
        """The neurons of an example; those of one layer in a part of their own."""
        held: dict[str, list[Call]] = {}
        for k in example.calls:
            held.setdefault(self.units[self.calls[k].unit].layer, []).append(self.calls[k])
        for name, calls in held.items():
            times: dict[int, int] = {}
            neurons = []
            for call in sorted(calls, key=lambda call: call.unit):  # where a set has mixed them up
                times[call.unit] = times.get(call.unit, 0) + 1
                neurons.append(self.neuron(call, above, times[call.unit]))
            if len(neurons) == 1 or len(self.names) == 1:
                yield from neurons
                continue
            key = f"{above}{name}"
            label = f"layer {self.names.index(name) + 1}"
            yield Part(self.id(), "layer", label, key, name, (), tuple(neurons))

    def neuron(self, call: Call, above: str, time: int) -> Part:
        unit = self.units[call.unit]
        layer = [other for other in self.units if other.layer == unit.layer]
        label = f"neuron {unit.row + 1}"
        if len(layer) == 1:
            label = "neuron"
            if len(self.names) > 1:
                label = f"layer {self.names.index(unit.layer) + 1}: neuron"
        if time > 1:
            label += f", call {time}"
        again = f"#{time}" if time > 1 else ""
        key = f"{above}{unit.path}{again}"
        told = label
        if len(layer) > 1 and len(self.names) > 1:
            told += f" of layer {self.names.index(unit.layer) + 1}"
        told += f" in {above[:-1]}" if above else ""
        nodes = (*call.nodes, *call.leaves)
        formula = _formula(unit, call)
        return Part(
            self.id(), "neuron", label, key, unit.path, nodes, (), call.output, formula, told
        )


def _formula(unit: Unit, call: Call) -> str:
    names = [name.partition("[")[0] for name in unit.names.values()]
    weights = [name for name in names if name in ("w", "weight")]
    biases = [name for name in names if name in ("b", "bias")]
    if not weights or len(biases) > 1 or len(weights) + len(biases) < len(names):
        inner = "f(x)"
    else:
        inner = "w·x + b" if biases else "w·x"
    return f"{call.activation}({inner})" if call.activation else inner
