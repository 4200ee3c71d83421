"""Where everything lies in every view of a lesson, packed for the page's script, `views.js`.

Read `placed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from micrograd.show.graph.drawing import Card, Drawing, Group, Run, size_of
from micrograd.show.graph.layout import Layout
from micrograd.show.graph.stacks import is_straight

__all__ = ["groups_in", "placed"]


def groups_in(groups: Sequence[Group]) -> dict[str, Group]:
    found: dict[str, Group] = {}
    for group in groups:
        found |= {group.id: group, **groups_in(group.groups)}
    return found


def _short_path(points: tuple[tuple[float, float], ...]) -> str:
    """The line in relative whole pixels, up to where its head begins: views.js draws that."""
    whole = [(round(x), round(y)) for x, y in points[:-1]]
    (x, y), steps = whole[0], []
    if is_straight(points):
        return f"M{x},{y}l{whole[-1][0] - x},{whole[-1][1] - y}"
    for k in range(1, len(whole), 3):
        steps += [f"{a - x},{b - y}" for a, b in whole[k : k + 3]]
        x, y = whole[k + 2]
    return f"M{whole[0][0]},{whole[0][1]}c" + " ".join(steps)


def placed(
    pictures: Sequence[tuple[Drawing, Layout, Sequence[Run]]],
) -> dict[str, Any]:
    """Where everything lies in every view, in whole pixels; each place and path is written once.

    Neuron 2 lies where neuron 1 lay, with other names. So a view is [size, names of cards, numbers
    of their places, names of edges, numbers of their paths, frames, legend]: a network of 41 views
    takes 57 KB, where they took 161 with everything written out.
    """
    places: dict[str, int] = {}
    paths: dict[str, int] = {}
    views = []
    for drawing, layout, legend in pictures:
        corners = [_corner(card, layout) for card in drawing.cards]
        lines = [_short_path(layout.edges[edge.id]) for edge in drawing.edges]
        views.append(
            [
                [round(layout.width), round(layout.height)],
                " ".join(card.id for card in drawing.cards),
                [places.setdefault(corner, len(places)) for corner in corners],
                " ".join(edge.id for edge in drawing.edges),
                [paths.setdefault(line, len(paths)) for line in lines],
                {name: list(map(round, layout.groups[name])) for name in groups_in(drawing.groups)},
                [[run.text, run.sub] for run in legend],
            ]
        )
    return {"places": ";".join(places), "paths": ";".join(paths), "views": views}


def _corner(card: Card, layout: Layout) -> str:
    (x, y), (wide, high) = layout.cards[card.id], size_of(card)
    return f"{round(x - wide / 2)} {round(y - high / 2)}"
