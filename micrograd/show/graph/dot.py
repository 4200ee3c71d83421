"""What Graphviz is told of a drawing, as DOT: sizes to lay out, or texts for other programs.

The DOT that asks for a layout has no text to measure, so that every Graphviz, of whichever version
and with whichever fonts, gives the same layout. Read `layout_dot`, then `readable_dot`.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from micrograd.show.graph.drawing import Card, Drawing, Edge, Group, size_of, title_size
from micrograd.show.graph.stacks import Stack, all_groups
from micrograd.show.graph.text import width

__all__ = ["ATTEMPTS", "MANY", "Attempt", "layout_dot", "readable_dot", "readable_lines"]

MANY = 180  # cards: more of them would take minutes
_RAILS = 6  # unseen arrows: to cross them costs more than all that it could save


class Attempt(NamedTuple):
    """How to ask: Graphviz begins with the cards as they come, and stops at what it cannot better.

    `order` is which cards come first; `turned`, upside down; `effort`, how long it looks for fewer
    crossings; `rails`, what keeps an open neuron in its place (see `_rails`).
    """

    order: int
    turned: bool = False
    effort: str = ""
    rails: int = 0


_BRIEFLY = " mclimit=0.05"
ATTEMPTS = (  # what helps most often comes first
    *(
        Attempt(order, turned, effort)
        for turned in (False, True)
        for effort in ("", _BRIEFLY)
        for order in range(3)
    ),
    *(Attempt(order, True, rails=1) for order in range(3)),
    *(Attempt(order, True, _BRIEFLY, 2) for order in range(3)),
    *(Attempt(order) for order in range(3, 9)),
)


def layout_dot(
    drawing: Drawing, stacks: Sequence[Stack] = (), attempt: Attempt = ATTEMPTS[0]
) -> str:
    """The drawing as fixed sizes; a stack is one node, with ports for its cards.

    Cards are named by their places, c0, c1, ..., so that drawings that look alike are asked once.
    """
    across, along = (gap / 72 for gap in drawing.gaps)
    hurry = " nslimit=1 nslimit1=1" if len(drawing.cards) > MANY else attempt.effort
    lines = [
        "digraph {",
        f"graph [rankdir={drawing.direction} nodesep={across:.4f} ranksep={along:.4f}{hurry}]",
        'node [shape=box fixedsize=true label=""]',
        "edge [arrowsize=0.7]",
        *(["graph [labelloc=b]"] if attempt.turned else []),
    ]
    names = {card.id: f"c{k}" for k, card in enumerate(drawing.cards)}
    ports: dict[str, str] = {}
    nodes = {card.id: _node(card, names[card.id]) for card in drawing.cards}
    for stack in stacks:
        node = f"{stack.id} [{_sides(stack.size)} margin=0 label={stack.table(attempt.turned)}]"
        names |= {card.id: stack.id for card in stack.cards}
        nodes |= {card.id: node for card in stack.cards}
        ports |= {card.id: stack.port(card, attempt.turned) for card in stack.cards}
    lines += dict.fromkeys(nodes[card.id] for card in _first(drawing, attempt.order))
    for k, group in enumerate(drawing.groups):
        lines += _cluster(group, names, f"cluster_{k}")
    late = _beside(drawing)
    for k, edge in enumerate(drawing.edges):
        look = " constraint=false" if edge.back else " minlen=2" if edge.id in late else ""
        if edge.label:
            look += f" label={_room(width(edge.label, 12) + 8, 15)}"
        tail = names[edge.tail] + (f":{ports[edge.tail]}:e" if edge.tail in ports else "")
        head = names[edge.head] + (f":{ports[edge.head]}:w" if edge.head in ports else "")
        lines.append(f"{tail} -> {head} [id=e{k}{look}]")
    return "\n".join([*lines, *_rails(drawing, stacks, names, attempt), "}\n"])


def _node(card: Card, name: str) -> str:
    shape = " shape=ellipse" if card.kind == "op" else ""
    return f"{name} [{_sides(size_of(card))}{shape}]"


def _sides(size: tuple[float, float]) -> str:
    wide, high = (side / 72 for side in size)
    return f"width={wide:.4f} height={high:.4f}"


def _first(drawing: Drawing, order: int) -> Sequence[Card]:
    """The cards as they come, or in another order."""
    if drawing.direction != "LR" or not drawing.groups:
        return drawing.cards
    if order > 2:
        cards = list(drawing.cards)
        random.Random(order).shuffle(cards)
        return cards
    # Graphviz puts like cards from the bottom up, and closed ones on one side if they come last
    upwards = drawing.cards[::-1]
    if order == 2:
        return upwards
    return sorted((upwards, drawing.cards)[order], key=lambda card: card.kind == "closed")


def _rails(
    drawing: Drawing, stacks: Sequence[Stack], names: dict[str, str], attempt: Attempt
) -> Iterator[str]:
    """Unseen arrows that keep an open neuron between the closed ones before and after it.

    They come from what the layer reads, or go to what reads it: a stack, whose ports have an order.
    `attempt.rails` is 1 for both, and 2 where they lead to the last input of the open one.
    """
    for group in all_groups(drawing.groups):
        if not group.groups:
            continue
        for after in (False, True)[: 1 + (attempt.rails == 1)]:
            row = _row(drawing, group, names, after, -(attempt.rails == 2))
            beside = Counter(
                names[edge.head if after else edge.tail]
                for edge in drawing.edges
                if names[edge.tail if after else edge.head] in row
            )
            rails = [s for s in stacks if beside[s.id] and s.id not in row]
            if len(row) < 2 or not rails:
                continue
            rail = max(rails, key=lambda stack: beside[stack.id])
            for k, node in enumerate(row[::-1] if attempt.turned else row):
                port = f"{rail.id}:p{round(k * (rail.cells - 1) / (len(row) - 1))}"
                arrow = f"{node} -> {port}:w" if after else f"{port}:e -> {node}"
                yield from [f"{arrow} [style=invis weight=0]"] * _RAILS


def _row(
    drawing: Drawing, group: Group, names: dict[str, str], after: bool, which: int
) -> list[str]:
    """The nodes of what has a place in a group, in their order; of an open one an end."""
    cards = {card.id: card for card in drawing.cards}
    read = {edge.head for edge in drawing.edges}
    row = {cards[name].place: names[name] for name in group.cards if cards[name].place}
    for inner in group.groups:
        ends = [name for name in inner.cards if name not in read]
        if after:
            out = (e.tail for e in drawing.edges if e.head not in inner.cards)
            ends = [name for name in out if name in inner.cards]
        if inner.place and ends:
            row[inner.place] = names[ends[which]]
    return list(dict.fromkeys(row[place] for place in sorted(row)))


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


def _cluster(group: Group, names: dict[str, str], name: str) -> Iterator[str]:
    yield f"subgraph {name} {{"
    yield f"label={_room(*title_size(group))} labeljust=l margin=7"
    yield " ".join(dict.fromkeys(names[name] for name in group.cards))
    for k, inner in enumerate(group.groups):
        yield from _cluster(inner, names, f"{name}_{k}")
    yield "}"


def _room(wide: float, high: float) -> str:
    """An empty table of a fixed size: a label that nobody measures."""
    size = f'FIXEDSIZE="TRUE" WIDTH="{wide:.0f}" HEIGHT="{high:.0f}"'
    return f'<<TABLE BORDER="0" CELLBORDER="0" {size}><TR><TD></TD></TR></TABLE>>'


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
