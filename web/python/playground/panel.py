"""A panel: one graph whose leaves get other numbers, computed anew forward and backward each time.

What changed goes to the page: the layout stays while every number has room. Read `Panel`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from micrograd.engine import Value, topological_order
from micrograd.show.graph.drawing import Card, Run
from micrograd.show.graph.picture import Picture
from micrograd.show.graph.text import number_text, width
from playground.graphs import Drawn, Typed

__all__ = ["Panel"]

_WIDEST = (
    "\N{MINUS SIGN}0.000e\N{MINUS SIGN}00"  # what a card has room for: as small as a number gets
)


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
        answer: dict[str, Any] = {
            "leaves": [self._leaf(i) for i in self.graph.kinds],
            **self._result(),
        }
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
        return {
            "x": _json(leaf.data),
            "grad": number_text(leaf.grad, sign=True),
            "sign": _sign(leaf.grad),
        }

    def _result(self) -> dict[str, Any]:
        root = self.graph.root
        return {"result": number_text(root.data), "exact": _json(root.data), "label": root.label}

    # --- the picture ------------------------------------------------------------------------------

    def _cards(self) -> dict[str, tuple[str, str, int]]:
        """The texts of each card, and the sign of its gradient."""
        order = self.order
        return {
            card: (
                number_text(order[i].data),
                number_text(order[i].grad, True),
                _sign(order[i].grad),
            )
            for card, i in self.graph.cards.items()
        }

    def _note(self, cards: dict[str, tuple[str, str, int]]) -> None:
        """Remember the widest text that each number has had."""
        for card, (data, grad, _) in cards.items():
            for what, text in (("data", data), ("grad", grad)):
                name = f"{card}-{what}"
                room = self._rooms.setdefault(name, _WIDEST)
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
