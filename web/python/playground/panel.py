"""A panel: one graph whose leaves get other numbers, computed anew forward and backward each time.

`Typed` is the graph of an expression, `Drawn` that of a picture from a cell, which is copied: the
learner's own Values stay as they are. Read `Panel`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from micrograd.arithmetic import exact
from micrograd.engine import Value, topological_order
from micrograd.expression import evaluate
from micrograd.op import Op
from micrograd.show.graph.draw import drawing_of
from micrograd.show.graph.drawing import Card, Run
from micrograd.show.graph.parameters import found_parameters
from micrograd.show.graph.picture import Picture
from micrograd.show.graph.text import number_text, shorten, width
from micrograd.show.lesson.adopted import adopted

__all__ = ["Drawn", "Panel", "Typed"]

_ROOMS = {"data": "\N{MINUS SIGN}00.0000", "grad": "\N{MINUS SIGN}00.0000"}  # what a card has room for


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
        root, parts = evaluate(self.text, self.numbers)
        for text, part in parts:
            if part._prev and not part.label:
                part.label = "result" if part is root else shorten(text.replace(" ", ""))
        return root


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
            self.names[i] = v.label or (path and shorten(path)) or ""
        self.root.backward()

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


class Panel:
    """What the page shows of a graph: its picture, its leaves, and what changes in them."""

    def __init__(self, graph: Typed | Drawn) -> None:
        self.graph = graph
        self._rooms: dict[str, str] = {}
        self._shown: dict[str, tuple[str, str, int]] = {}
        self._note(self._cards())

    @property
    def order(self) -> list[Value]:
        return topological_order(self.graph.root)

    # --- what the page gets -----------------------------------------------------------------------

    def opened(self) -> dict[str, Any]:
        order = self.order
        cards = {id(order[i]): card for card, i in self.graph.cards.items()}
        leaves = [
            {"id": i, "name": self.graph.names[i] or number_text(self.graph.leaf(i).data),
             "kind": kind, "card": cards.get(id(self.graph.leaf(i)), ""), **self._leaf(i)}
            for i, kind in self.graph.kinds.items()
        ]  # fmt: skip
        return {"svg": self._svg(), "leaves": leaves, **self._result()}

    def set(self, numbers: Mapping[int, float]) -> dict[str, Any]:
        """Other numbers for some leaves; what changed in the picture."""
        for i, x in numbers.items():
            if not math.isfinite(x):
                raise ValueError(f"{self.graph.names[i]} is a finite number, got {x}")
        self.graph.compute(numbers).backward()
        return self._changes()

    def nudge(self, i: int, h: float) -> dict[str, Any]:
        """What the gradient says of a step of `h`, and what the step does; nothing is kept."""
        leaf, root = self.graph.leaf(i), self.graph.root
        x, slope, before = leaf.data, leaf.grad, root.data
        try:
            after = self.graph.compute({i: x + h}).data
        finally:
            self.graph.compute({i: x}).backward()
        return {
            "name": self.graph.names[i] or number_text(x), "x": number_text(x),
            "moved": number_text(x + h), "slope": number_text(slope), "before": number_text(before),
            "after": number_text(after), "predicted": number_text(slope * h, sign=True),
            "actual": number_text(after - before, sign=True),
        }  # fmt: skip

    def descend(self, leaves: Sequence[int], lr: float, steps: int) -> dict[str, Any]:
        """x -= lr * x.grad for these leaves; the result before each step, and what changed."""
        results = []
        for _ in range(min(max(steps, 1), 1000)):
            results.append(_json(self.graph.root.data))
            moved = {i: (v := self.graph.leaf(i)).data - lr * v.grad for i in leaves}
            if not all(map(math.isfinite, moved.values())):
                raise ValueError("a step led to an infinite number: take a smaller learning rate")
            self.graph.compute(moved).backward()
        return {"results": results, **self._changes()}

    def _changes(self) -> dict[str, Any]:
        cards = self._cards()
        answer: dict[str, Any] = {"leaves": [self._leaf(i) for i in self.graph.kinds], **self._result()}
        if self._outgrown(cards):
            return answer | {"svg": self._svg()}
        answer["cards"] = [
            [card, data, width(data), grad, width(grad), sign]
            for card, (data, grad, sign) in cards.items()
            if self._shown.get(card) != (data, grad, sign)
        ]
        self._shown = cards
        return answer

    def _leaf(self, i: int) -> dict[str, Any]:
        leaf = self.graph.leaf(i)
        return {"x": _json(leaf.data), "grad": number_text(leaf.grad, sign=True), "sign": _sign(leaf.grad)}

    def _result(self) -> dict[str, Any]:
        root = self.graph.root
        return {"result": number_text(root.data), "exact": _json(root.data), "label": root.label}

    # --- the picture ------------------------------------------------------------------------------

    def _cards(self) -> dict[str, tuple[str, str, int]]:
        """The texts of each card, and the sign of its gradient."""
        order = self.order
        return {
            card: (number_text(order[i].data), number_text(order[i].grad, True), _sign(order[i].grad))
            for card, i in self.graph.cards.items()
        }

    def _note(self, cards: dict[str, tuple[str, str, int]]) -> None:
        """Remember the widest text that each number has had."""
        for card, (data, grad, _) in cards.items():
            for what, text in (("data", data), ("grad", grad)):
                name = f"{card}-{what}"
                room = self._rooms.setdefault(name, _ROOMS[what])
                if width(text) > width(room):
                    self._rooms[name] = text

    def _outgrown(self, cards: dict[str, tuple[str, str, int]]) -> bool:
        before = dict(self._rooms)
        self._note(cards)
        return before != self._rooms

    def _svg(self) -> str:
        """The picture with the numbers of now, and room for others."""
        cards = self._cards()
        self._shown = cards
        drawing = self.graph.drawing
        renewed = [self._renewed(card, cards) for card in drawing.cards]
        return Picture(replace(drawing, cards=tuple(renewed)), prefix=self.graph.prefix).svg

    def _renewed(self, card: Card, cards: Mapping[str, tuple[str, str, int]]) -> Card:
        name = self.graph.prefix + card.id
        if name not in cards:
            return card
        data, grad, sign = cards[name]
        cells = tuple(
            replace(cell, runs=tuple(self._run(run, name, data, grad) for run in cell.runs))
            for cell in card.cells
        )
        look = " ".join(word for word in card.look.split() if not word.startswith("grad-"))
        return replace(card, cells=cells, title="", look=f"{look} {_TINTS[sign]}".strip())

    def _run(self, run: Run, name: str, data: str, grad: str) -> Run:
        if run.kind not in ("data", "grad") or not run.id:
            return run
        text = data if run.kind == "data" else grad
        return replace(run, text=text, room=self._rooms[f"{name}-{run.kind}"])


_TINTS = {1: "grad-plus", -1: "grad-minus", 0: ""}


def _sign(x: float) -> int:
    return (x > 0) - (x < 0)


def _json(x: float) -> float | str:
    """JSON has no infinities: they travel as words that JavaScript's Number reads."""
    return x if math.isfinite(x) else "NaN" if math.isnan(x) else f"{'-' * (x < 0)}Infinity"
