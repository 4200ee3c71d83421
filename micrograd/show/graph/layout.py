"""Where the parts of a drawing lie: Graphviz is told sizes, and asked for nothing but positions.

What it is told is in `dot.py`. It looks for few crossings and knows of no order, so that it is
asked in several ways, until examples, neurons and inputs stand in theirs. Read `arrange`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from micrograd.show.graph.dot import ATTEMPTS, MANY, layout_dot
from micrograd.show.graph.doubled import apart
from micrograd.show.graph.drawing import Drawing, Group
from micrograd.show.graph.order import disorder, in_order, mirrored, turned
from micrograd.show.graph.render import render
from micrograd.show.graph.stacks import stacks_of, unstacked

__all__ = ["Layout", "Point", "arrange"]

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Layout:
    """Positions in pixels from the top left: centres of cards, frames of groups, paths of edges."""

    width: float
    height: float
    cards: dict[str, Point]
    edges: dict[str, tuple[Point, ...]]  # a spline's control points, and last where its head ends
    labels: dict[str, Point]
    groups: dict[str, tuple[float, float, float, float]]  # left, top, right, bottom


def arrange(drawing: Drawing, asked: dict[str, Any] | None = None) -> Layout:
    """The layout that Graphviz gives, neuron 1 above neuron 2: of its answers the best in order.

    `asked` keeps the answers, for drawings of which many look alike, as a network's examples do.
    """
    asked = {} if asked is None else asked
    stacks = stacks_of(drawing)
    several = drawing.groups and drawing.direction == "LR" and len(drawing.cards) <= MANY
    found: list[tuple[int, float, Layout]] = []
    for attempt in ATTEMPTS if several else ATTEMPTS[:1]:
        dot = layout_dot(drawing, stacks, attempt)
        if dot not in asked:
            asked[dot] = json.loads(render(dot, "json0"))
        layout = _read(drawing, asked[dot])
        layout = unstacked(drawing, turned(layout, 1) if attempt.turned else layout, stacks)
        layout = in_order(drawing, layout)
        found.append((disorder(drawing, layout), layout.width * layout.height, layout))
        if not found[-1][0]:
            break
    best = min(found, key=lambda each: each[:2])[2]
    return apart(drawing, mirrored(drawing, best))


def _read(drawing: Drawing, found: dict[str, Any]) -> Layout:
    """What Graphviz says, which names things by their places."""
    _, _, right, top = _numbers(found["bb"])

    def flipped(text: str) -> Point:
        x, y = _numbers(text)
        return x, top - y

    objects = {o["name"]: o for o in found.get("objects", ())}
    ids = {f"c{k}": card.id for k, card in enumerate(drawing.cards)}
    edge_ids = {f"e{k}": edge.id for k, edge in enumerate(drawing.edges)}
    edges = {
        edge_ids[e["id"]]: e for e in found.get("edges", ()) if "id" in e
    }  # the rest is unseen
    groups = {}
    for name, group in _clusters(drawing.groups, "cluster"):
        x0, y0, x1, y1 = _numbers(objects[name]["bb"])
        groups[group.id] = x0, top - y1, x1, top - y0
    return Layout(
        width=right,
        height=top,
        cards={ids.get(name, name): flipped(o["pos"]) for name, o in objects.items() if "pos" in o},
        edges={name: _path(e["pos"], top) for name, e in edges.items()},
        labels={name: flipped(e["lp"]) for name, e in edges.items() if "lp" in e},
        groups=groups,
    )


def _clusters(groups: Sequence[Group], name: str) -> Iterator[tuple[str, Group]]:
    """Every group with what `layout_dot` calls it."""
    for k, group in enumerate(groups):
        yield f"{name}_{k}", group
        yield from _clusters(group.groups, f"{name}_{k}")


def _numbers(text: str) -> list[float]:
    return [float(part) for part in text.split(",")]


def _path(pos: str, top: float) -> tuple[Point, ...]:
    """`e,x,y x,y x,y ...`: the end of the arrowhead, then the control points."""
    head, *rest = pos.split()
    kind, _, end = head.partition(",")
    if kind != "e":
        raise ValueError(f"an edge's path begins with its end, e,x,y; got {head!r}")
    points = [_numbers(point) for point in (*rest, end)]
    return tuple((a, top - b) for a, b in points)
