"""Where the parts of a drawing lie: Graphviz is told sizes, and asked for nothing but positions.

The DOT that goes out has no text to measure, so that every Graphviz, of whichever version and with
whichever fonts, gives the same layout. Read `layout_dot`, then `arrange`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from micrograd.show.graph.doubled import apart
from micrograd.show.graph.drawing import Card, Drawing, Edge, Group, size_of, title_size
from micrograd.show.graph.render import render
from micrograd.show.graph.text import width

__all__ = ["Layout", "arrange", "layout_dot", "readable_dot", "readable_lines"]

Point = tuple[float, float]
_ALIKE = ("closed", "input", "parameter", "constant")
_STEM = re.compile(r"(.*?)(\d*)$", re.DOTALL)  # of a name such as x12


@dataclass(frozen=True, slots=True)
class Layout:
    """Positions in pixels from the top left: centres of cards, frames of groups, paths of edges."""

    width: float
    height: float
    cards: dict[str, Point]
    edges: dict[str, tuple[Point, ...]]  # a spline's control points, and last where its head ends
    labels: dict[str, Point]
    groups: dict[str, tuple[float, float, float, float]]  # left, top, right, bottom


def layout_dot(drawing: Drawing) -> str:
    """The drawing as fixed sizes."""
    across, along = (gap / 72 for gap in drawing.gaps)
    hurry = " nslimit=1 nslimit1=1" if len(drawing.cards) > 180 else ""  # or it takes minutes
    lines = [
        "digraph {",
        f"graph [rankdir={drawing.direction} nodesep={across:.4f} ranksep={along:.4f}{hurry}]",
        'node [shape=box fixedsize=true label=""]',
        "edge [arrowsize=0.7]",
    ]
    cards: Sequence[Card] = drawing.cards
    if drawing.direction == "LR" and drawing.groups:
        # Graphviz puts like cards from the bottom up, and closed ones on one side if they come last
        upwards = cards[::-1]
        cards = sorted(upwards, key=lambda card: card.kind == "closed")
    for card in cards:
        wide, high = (side / 72 for side in size_of(card))
        shape = " shape=ellipse" if card.kind == "op" else ""
        lines.append(f'"{card.id}" [width={wide:.4f} height={high:.4f}{shape}]')
    lines += [line for group in drawing.groups for line in _cluster(group)]
    late = _beside(drawing)
    for edge in drawing.edges:
        look = " constraint=false" if edge.back else " minlen=2" if edge.id in late else ""
        if edge.label:
            look += f" label={_room(width(edge.label, 12) + 8, 15)}"
        lines.append(f'"{edge.tail}" -> "{edge.head}" [id="{edge.id}"{look}]')
    return "\n".join([*lines, "}\n"])


def _beside(drawing: Drawing) -> set[str]:
    """The edges that go out of a frame to where closed groups lead as well.

    One rank longer, they put the closed ones beside the frame, where else they stand above it and
    make the picture half as high again.
    """
    framed = {name for group in drawing.groups for name in _within(group)}
    closed = {card.id for card in drawing.cards if card.kind == "closed"} - framed
    joined = {edge.head for edge in drawing.edges if edge.tail in closed} - framed
    return {e.id for e in drawing.edges if e.tail in framed and e.head in joined}


def _within(group: Group) -> Iterator[str]:
    yield from group.cards
    for inner in group.groups:
        yield from _within(inner)


def _cluster(group: Group) -> Iterator[str]:
    yield f'subgraph "cluster_{group.id}" {{'
    yield f"label={_room(*title_size(group))} labeljust=l margin=7"
    yield " ".join(f'"{name}"' for name in group.cards)
    for inner in group.groups:
        yield from _cluster(inner)
    yield "}"


def _room(wide: float, high: float) -> str:
    """An empty table of a fixed size: a label that nobody measures."""
    size = f'FIXEDSIZE="TRUE" WIDTH="{wide:.0f}" HEIGHT="{high:.0f}"'
    return f'<<TABLE BORDER="0" CELLBORDER="0" {size}><TR><TD></TD></TR></TABLE>>'


def arrange(drawing: Drawing) -> Layout:
    """The layout that Graphviz gives, with example 1 before example 2 where it is all the same."""
    dot = layout_dot(drawing)
    layout = _in_order(drawing, _arrange(dot, render(dot, "json0")))
    return apart(drawing, _mirrored(drawing, layout))


def _in_order(drawing: Drawing, layout: Layout) -> Layout:
    """Closed cards and leaves that Graphviz cannot tell apart exchange places, to stand in order.

    They have one size and the same neighbours, so that the picture stays the same but for its
    texts; each arrow takes the path of the one whose ends stood where its ends stand now.
    """
    near: dict[str, set[tuple[str, str]]] = {}
    for edge in drawing.edges:
        near.setdefault(edge.tail, set()).add(("to", edge.head))
        near.setdefault(edge.head, set()).add(("from", edge.tail))
    by_ends: dict[tuple[str, str], list[str]] = {}
    for edge in drawing.edges:
        by_ends.setdefault((edge.tail, edge.head), []).append(edge.id)
    doubled = {end for ends, ids in by_ends.items() if len(ids) > 1 for end in ends}
    alike: dict[Any, list[str]] = {}
    for card in drawing.cards:
        if card.kind in _ALIKE and card.id not in doubled and not layout.labels:
            same = size_of(card), frozenset(near.get(card.id, ()))
            alike.setdefault(same, []).append(card.id)
    along = 1 if drawing.direction in ("LR", "RL") else 0
    takes = {card.id: card.id for card in drawing.cards}
    for names in alike.values():
        places = sorted(names, key=lambda name: (layout.cards[name][along], layout.cards[name]))
        takes |= dict(zip(names, places, strict=True))
    return replace(
        layout,
        cards={name: layout.cards[takes[name]] for name in layout.cards},
        edges={
            name: layout.edges[stood]
            for (tail, head), names in by_ends.items()
            for name, stood in zip(names, by_ends[takes[tail], takes[head]], strict=True)
        },
    )


def _mirrored(drawing: Drawing, layout: Layout) -> Layout:
    """Turned over where that puts more of x1, x2, x3 in order; as many edges cross as before."""
    across = 0 if drawing.direction in ("TB", "BT") else 1
    if drawing.groups or layout.labels or _disorder(drawing, layout, across) <= 0:
        return layout
    whole = layout.height if across else layout.width

    def turned(point: Point) -> Point:
        x, y = point
        return (x, whole - y) if across else (whole - x, y)

    return replace(
        layout,
        cards={name: turned(point) for name, point in layout.cards.items()},
        edges={name: tuple(map(turned, path)) for name, path in layout.edges.items()},
    )


def _disorder(drawing: Drawing, layout: Layout, across: int) -> int:
    """How many pairs of a rank, such as x1 and x2, stand against their numbers, less the others."""
    ranks: dict[tuple[float, str], list[tuple[int, float]]] = {}
    for card in drawing.cards:
        stem, number = _STEM.match(card.cells[0].runs[0].text).groups()  # type: ignore[union-attr]
        if number and card.id in layout.cards:
            place = layout.cards[card.id]
            ranks.setdefault((place[1 - across], stem), []).append((int(number), place[across]))
    return sum(
        1 if (n - m) * (b - a) < 0 else -1
        for rank in ranks.values()
        for k, (n, b) in enumerate(rank)
        for m, a in rank[:k]
        if n != m
    )


@lru_cache(maxsize=4)
def _arrange(dot: str, answer: bytes) -> Layout:
    found: dict[str, Any] = json.loads(answer)
    _, _, right, top = _numbers(found["bb"])

    def flipped(text: str) -> Point:
        x, y = _numbers(text)
        return x, top - y

    objects = {o["name"]: o for o in found.get("objects", ())}
    groups = {}
    for name, o in objects.items():
        if name.startswith("cluster_") and "bb" in o:
            x0, y0, x1, y1 = _numbers(o["bb"])
            groups[name.removeprefix("cluster_")] = x0, top - y1, x1, top - y0
    edges = {e["id"]: e for e in found.get("edges", ())}
    return Layout(
        width=right,
        height=top,
        cards={name: flipped(o["pos"]) for name, o in objects.items() if "pos" in o},
        edges={name: _path(e["pos"], top) for name, e in edges.items()},
        labels={name: flipped(e["lp"]) for name, e in edges.items() if "lp" in e},
        groups=groups,
    )


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


def readable_dot(drawing: Drawing) -> str:
    """The drawing as DOT that any Graphviz draws in its own look, for other programs."""
    lines = [f"rankdir={drawing.direction}", "node [shape=box]", *readable_lines(drawing)]
    return "\n".join(["digraph {", *(f"\t{line}" for line in lines), "}\n"])


def readable_lines(drawing: Drawing) -> list[str]:
    """A line for each card, group and edge, with their texts."""
    lines = []
    for card in drawing.cards:
        label = " | ".join(" ".join(run.text + run.sub for run in c.runs) for c in card.cells)
        shape = " shape=ellipse" if card.kind == "op" else ""
        lines.append(f'"{card.id}" [label={_quoted(label)} id="{card.id}"{shape}]')
    for group in drawing.groups:
        lines += _readable_cluster(group)
    for edge in drawing.edges:
        lines.append(f'"{edge.tail}" -> "{edge.head}" [{_readable_look(edge)}]')
    return lines


def _readable_look(edge: Edge) -> str:
    look = f'id="{edge.id}"'
    look += f" label={_quoted(edge.label)}" if edge.label else ""
    return look + (" style=dashed constraint=false" if edge.back else "")


def _readable_cluster(group: Group) -> list[str]:
    inner = [line for each in group.groups for line in _readable_cluster(each)]
    cards = " ".join(f'"{name}"' for name in group.cards)
    return [f'subgraph "cluster_{group.id}" {{ label={_quoted(group.label)} {cards}', *inner, "}"]


def _quoted(text: str) -> str:
    r"""A string of DOT; a backslash is doubled, since \N would become the node's name."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
