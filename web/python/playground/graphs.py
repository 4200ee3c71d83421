"""Graphs whose numbers can be computed anew: of a typed expression, and of a picture from a cell.

`Typed` is evaluated again each time; `Drawn` is a copy: the learner's own Values stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from micrograd.arithmetic import exact
from micrograd.engine import Value, topological_order
from micrograd.expression import evaluate, label_parts
from micrograd.op import Op
from micrograd.show.graph.draw import drawing_of
from micrograd.show.graph.parameters import found_parameters
from micrograd.show.graph.picture import Picture
from micrograd.show.lesson.adopted import adopted

__all__ = ["Drawn", "Typed"]


class Typed:
    """The graph of an expression, which is evaluated again for each set of numbers."""

    def __init__(self, text: str, numbers: dict[str, float], narrow: bool) -> None:
        self.text, self.numbers = text, numbers
        self.root, self.inputs = self._evaluated(numbers)
        self.names = {i: name for i, (name, _) in enumerate(self.inputs.items())}
        self.kinds = dict.fromkeys(self.names, "input")
        self.root.backward()
        drawing, nodes = drawing_of(self.root, 300, (), stacked=narrow)
        self.drawing, self.prefix = drawing, ""
        order = topological_order(self.root)
        index = {id(v): i for i, v in enumerate(order)}
        self.cards = {card: index[id(v)] for card, v in nodes.items()}

    def _evaluated(self, numbers: Mapping[str, float]) -> tuple[Value, dict[str, Value]]:
        root, parts = evaluate(self.text, numbers)
        self.parts = parts
        return root, {name: dict(parts)[name] for name in numbers}

    def leaf(self, i: int) -> Value:
        return self.inputs[self.names[i]]

    def compute(self, numbers: Mapping[int, float]) -> Value:
        """The root of the graph with these numbers."""
        self.numbers = self.numbers | {self.names[i]: x for i, x in numbers.items()}
        self.root, self.inputs = self._evaluated(self.numbers)
        return self.root

    def labelled(self) -> Value:
        """The root of a graph in which the text of each part is its name, for lessons."""
        return label_parts(*evaluate(self.text, self.numbers))


class Drawn:
    """The graph behind a picture, in Values of its own."""

    def __init__(self, picture: Picture) -> None:
        self.drawing, self.prefix = picture.drawing, picture.prefix
        last = max(
            (name for name in picture.nodes if name[len(picture.prefix) :].startswith("n")),
            key=lambda name: int(name[len(picture.prefix) + 1 :]),
        )
        self.root, twins = _copied(picture.nodes[last])
        self.order = topological_order(self.root)
        index = {id(v): i for i, v in enumerate(self.order)}
        self.cards = {
            card: index[id(twins[id(v)])] for card, v in picture.nodes.items() if id(v) in twins
        }
        originals = {id(twin): key for key, twin in twins.items()}
        weights = _weights(picture)
        self.leaves = [v for v in self.order if v._rule is None]
        self.names, self.kinds = {}, {}
        for i, v in enumerate(self.leaves):
            path = weights.get(originals.get(id(v), 0))
            self.kinds[i] = "parameter" if path is not None else "input" if v.label else "constant"
            self.names[i] = v.label or path or ""
        # inputs, then weights in the order of their paths, then constants
        self.kinds = dict(sorted(self.kinds.items(), key=lambda item: self._place(*item)))
        self.root.backward()

    def _place(self, i: int, kind: str) -> tuple[int, list[tuple[int, str]]]:
        words = re.findall(r"\d+|\D+", self.names[i]) if kind == "parameter" else []
        order = [(int(word), "") if word.isdigit() else (0, word) for word in words]
        return ("input", "parameter", "constant").index(kind), order

    def leaf(self, i: int) -> Value:
        return self.leaves[i]

    def compute(self, numbers: Mapping[int, float]) -> Value:
        for i, x in numbers.items():
            self.leaves[i].data = x
        for node in self.order:
            node.grad = 0.0
            if isinstance(node._rule, Op):
                node.data = node._rule.number(*[x.data for x in node._prev])
                _divided(node)
        return self.root

    def labelled(self) -> Value:
        return self.root


def _divided(node: Value) -> None:
    """A quotient a * b**-1 bears a / b, which is rounded once."""
    rule = node._prev[1]._rule if len(node._prev) == 2 and node._op == "*" else None
    if isinstance(rule, Op) and rule.parameters == ("**", -1, True):
        exact(node, node._prev[0], node._prev[1]._prev[0])


def _copied(root: Any) -> tuple[Value, dict[int, Value]]:
    """The graph in new Values whose numbers can all be computed again; by the ids of the nodes."""
    if isinstance(root, Value):
        order = topological_order(root)
        if all(v._rule is None or isinstance(v._rule, Op) for v in order):
            twins: dict[int, Value] = {}
            for v in order:
                inputs = tuple(twins[id(x)] for x in v._prev)
                twins[id(v)] = Value(v.data, inputs, v._rule or "", v.label)
            return twins[id(root)], twins
    twin, found = adopted(root)
    for v in topological_order(twin):
        if v._rule is not None and not isinstance(v._rule, Op):
            raise ValueError(
                f"{v.label or 'a node'} ({v._op}) was made by hand, and how its number comes about "
                "is known to its own code alone: change a number there, and run the cell again"
            )
    return twin, found


def _weights(picture: Picture) -> dict[int, str]:
    """The paths of the weights in a picture, by their ids."""
    leaves = [v for v in picture.nodes.values() if isinstance(v, Value) and v._rule is None]
    return {id(v): path for v, path in found_parameters(leaves).items()}
