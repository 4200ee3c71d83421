"""A view of a grouped graph: some parts open, as frames, and the others closed, as one card each.

Read `opened`, which says what is open, then `view`, which gives the drawing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from micrograd.show.graph.drawing import Card, Drawing, Edge, Group, Run
from micrograd.show.graph.grouping import Grouping, ShortName
from micrograd.show.graph.nodes import Node
from micrograd.show.graph.outside import Part
from micrograd.show.graph.rooms import of_one_size

__all__ = ["MANY", "Maker", "legend", "opened", "opened_by_names", "view"]

MANY = 60  # nodes: a larger graph is shown closed at first
_CARDS = 40  # so many cards can be taken in at once


@dataclass(frozen=True, slots=True)
class Maker:
    """How the cards of a view are made: of node i, of its operation, of a closed part."""

    node: Callable[[int], Card]
    op: Callable[[int], Card]
    part: Callable[[Part], Card]
    edges: Callable[[int], list[Edge]]


def opened(grouping: Grouping, part: Part | None) -> frozenset[str]:
    """The ids of what is open when one looks into `part`, or at the whole where it is None."""
    if part is None:
        chosen = [p for p in grouping.parts if p.kind == "sum"]
        if not any(p.kind == "example" for p in grouping.parts):
            chosen += _layers(grouping.parts)
        return frozenset(p.id for p in chosen)
    above = [p for p in grouping.within() if part in p.within()]
    inner = [p for p in above if p.kind == "example"]
    layers = _layers(inner[0].parts if inner else grouping.parts)
    return frozenset(p.id for p in (*above, *layers))


def _layers(parts: Iterable[Part]) -> list[Part]:
    """The layers among them, if all their neurons can be taken in at once."""
    layers = [p for p in parts if p.kind == "layer"]
    return layers if sum(len(p.parts) for p in layers) <= _CARDS else []


def opened_by_names(grouping: Grouping, names: str | Iterable[str], count: int) -> frozenset[str]:
    """What `open=` says: all, none, or names of parts; without one what a graph's size suggests."""
    every = list(grouping.within())
    if names == "all" or (names == "" and count <= MANY):
        return frozenset(p.id for p in every)
    chosen: frozenset[str] = frozenset()
    wanted = [names] if isinstance(names, str) else list(names)
    for name in wanted:
        if name in ("", "none"):
            continue
        found = [p for p in every if name in (p.key, p.label, p.path)]
        if not found:
            known = ", ".join(p.key for p in every[:12]) or "none"
            raise ValueError(
                f"open= is 'all', 'none' or names of groups; got {name!r}; the groups are {known}"
            )
        chosen |= opened(grouping, found[0])
    return chosen or opened(grouping, None)


def view(nodes: Sequence[Node], grouping: Grouping, open_: frozenset[str], make: Maker) -> Drawing:
    """The drawing in which these parts are open."""
    shown: dict[int, str] = {}  # node -> the closed part that hides it
    frame: dict[int, str] = {}  # node -> the innermost open part around it
    closed: list[Part] = []

    def enter(part: Part) -> None:
        if part.id not in open_:
            closed.append(part)
            shown.update(dict.fromkeys(part.all(), part.id))
            return
        frame.update(dict.fromkeys(part.nodes, part.id))
        for inner in part.parts:
            enter(inner)

    for part in grouping.parts:
        enter(part)
    outermost = {part.id for part in grouping.parts}
    closed.sort(key=lambda part: part.id in outermost)  # so that every example is laid out alike
    for weight in grouping.weights:  # a weight is seen where a node that uses it is
        users = [i for i, n in enumerate(nodes) if weight in n.inputs and i not in shown]
        if not users:
            shown[weight] = ""
        elif len({frame.get(i) for i in users}) == 1 and users[0] in frame:
            frame[weight] = frame[users[0]]
    cards, edges = [], []
    for i, node in enumerate(nodes):
        if i in shown:
            continue
        cards.append(make.node(i))
        if node.op:
            cards.append(make.op(i))
            for edge, x in zip(make.edges(i), (*node.inputs, i), strict=True):
                tail = shown.get(x, edge.tail) if edge.head == f"o{i}" else edge.tail
                edges.append(replace(edge, tail=tail))
    places = _places(grouping)
    made = [replace(make.part(part), place=places.get(part.id, 0)) for part in closed]
    cards = of_one_size(cards)
    # closed examples are equally wide, and the closed neurons of one layer
    layers = [(part.kind, part.path.rpartition(".")[0]) for part in closed]
    cards += of_one_size(made, layers, most=math.inf)
    for part in closed:
        edges += _edges_into(part, nodes, shown, grouping)
    groups = tuple(g for part in grouping.parts for g in _frames(part, open_, frame, nodes, places))
    description = f"Computation graph of {len(nodes)} values in {len(cards)} cards"
    words = legend(grouping.weights, [weight for weight in grouping.weights if weight not in shown])
    gaps = (14.0, _room(edges, closed))
    return Drawing(tuple(cards), tuple(edges), groups, description, gaps=gaps, legend=words)


def _places(grouping: Grouping) -> dict[str, int]:
    """Of examples, and of neurons beside each other: from 1 in the order of the model."""
    beside = [grouping.parts, *(part.parts for part in grouping.within())]
    return {
        part.id: k
        for parts in beside
        for k, part in enumerate(parts, 1)
        if part.kind in ("example", "neuron")
    }


def _room(edges: Iterable[Edge], closed: Iterable[Part]) -> float:
    """The gap between ranks: where everything of a layer leads to everything of the next, arrows
    need room to be told apart."""
    ids = {part.id for part in closed}
    arriving = Counter(edge.head for edge in edges if edge.head in ids)
    return 20.0 + 6.0 * min(max(arriving.values(), default=0), 8)


def _edges_into(
    part: Part, nodes: Sequence[Node], shown: dict[int, str], grouping: Grouping
) -> list[Edge]:
    """An arrow from each thing that a closed part reads; its weights are its own."""
    inside = set(part.all())
    read = (x for i in sorted(inside) for x in nodes[i].inputs)
    tails = dict.fromkeys(
        shown.get(x) or f"n{x}" for x in read if x not in inside and x not in grouping.weights
    )
    closed = set(shown.values())  # last, so that every example is laid out alike
    return [
        Edge(f"{tail}-{part.id}", tail, part.id)
        for tail in sorted(tails, key=lambda tail: tail in closed)
    ]


def _frames(
    part: Part,
    open_: frozenset[str],
    frame: dict[int, str],
    nodes: Sequence[Node],
    places: dict[str, int],
) -> Iterable[Group]:
    if part.id not in open_:
        return
    held = [i for i, name in frame.items() if name == part.id]
    cards = [f"n{i}" for i in held] + [f"o{i}" for i in held if nodes[i].op]
    cards += [inner.id for inner in part.parts if inner.id not in open_]
    inner_frames = tuple(
        g for inner in part.parts for g in _frames(inner, open_, frame, nodes, places)
    )
    label = f"{part.label}: {part.formula}" if part.formula else part.label
    place = places.get(part.id, 0)
    yield Group(f"f{part.id[1:]}", part.kind, label, tuple(cards), inner_frames, part.path, place)


def legend(
    weights: Mapping[int, ShortName], seen: Iterable[int], tail: Callable[[int], str] | None = None
) -> tuple[Run, ...]:
    """What the short names of weights stand for, by one that is seen and has two numbers.

    `tail` gives what tells a name from its like, where no frame does.
    """
    for i in sorted(seen, key=lambda i: (len(set(weights[i].sub)) < 2, weights[i].path)):
        name, told = weights[i], tail(i) if tail else ""
        if name.sub:
            return Run(name.letter, "name", name.sub), Run(f"{told} is {name.path}".strip())
    return ()
