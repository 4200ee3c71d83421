"""Drawing and layout in, SVG out: the one place where pictures are written.

Parts have classes (`palette.py` gives them colours) and ids, so that a page can find and change
them. Every text says how long it is, so that no font overflows its box. Read `svg_of`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from html import escape

from micrograd.show.graph.drawing import (
    BAR,
    RIM,
    Card,
    Drawing,
    Edge,
    Group,
    Place,
    Run,
    places,
    size_of,
)
from micrograd.show.graph.layout import Layout, Point
from micrograd.show.graph.palette import BROAD_FONT, PALETTE, style_sheet
from micrograd.show.graph.stacks import all_groups
from micrograd.show.graph.text import common, plain

__all__ = ["MARGIN", "caption_svg", "card_svg", "edge_paths", "frame_svg", "svg_of"]

MARGIN = 4.0
_LEGEND = 26.0  # the height of the line below


def svg_of(drawing: Drawing, layout: Layout, prefix: str = "", theme: int | None = None) -> str:
    """The picture; ids bear the prefix. With a theme, 0 or 1, its colours are written out."""
    wide, high = layout.width + 2 * MARGIN, layout.height + 2 * MARGIN
    if drawing.legend:
        long = sum(run.width + 4 for run in drawing.legend)
        wide, high = max(wide, long + 2 * MARGIN), high + _LEGEND
    parts = [
        f'<svg width="{wide:.0f}" height="{high:.0f}" viewBox="{-MARGIN:g} {-MARGIN:g} '
        f'{wide:.1f} {high:.1f}" xmlns="http://www.w3.org/2000/svg" class="micrograd-picture" '
        'role="img" style="max-width:100%;height:auto" '
        f'aria-label="{escape(plain(drawing.description))}">',
        f"<style>{style_sheet(theme)}</style>",
        f'<rect class="paper" x="{-MARGIN:g}" y="{-MARGIN:g}" width="{wide:.1f}" '
        f'height="{high:.1f}"/>',
    ]
    for group in drawing.groups:
        parts += _group(group, layout, prefix)
    parts += [_edge(edge, layout, prefix) for edge in drawing.edges]
    for group in all_groups(drawing.groups):
        parts.append(caption_svg(group, *layout.groups[group.id][:2], prefix))
    parts += [card_svg(card, layout.cards[card.id], prefix) for card in drawing.cards]
    x = 0.0
    for run in drawing.legend:
        parts.append(_text(run, x, layout.height + _LEGEND - 6, prefix))
        x += run.width + 4
    written = "\n".join([*parts, "</svg>\n"])
    return written if theme is None else _VARIABLE.sub(lambda v: _literal(v[1], theme), written)


_VARIABLE = re.compile(r"var\(--micrograd-([a-z-]+)\)")  # a card's own fill


def _literal(name: str, theme: int) -> str:
    return PALETTE[name.replace("-", "_")][theme]


def _n(x: float) -> str:
    """A coordinate, to a tenth of a pixel."""
    text = f"{x:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _title(text: str) -> str:
    return f"<title>{escape(text, quote=False)}</title>" if text else ""


def _group(group: Group, layout: Layout, prefix: str) -> Iterator[str]:
    left, top, right, bottom = layout.groups[group.id]
    yield frame_svg(group, left, top, right - left, bottom - top, prefix)
    for inner in group.groups:
        yield from _group(inner, layout, prefix)


def frame_svg(
    group: Group, left: float, top: float, wide: float, high: float, prefix: str = ""
) -> str:
    """The frame of an open group without its name, drawn from its top left corner."""
    return (
        f'<g id="{prefix}{group.id}" class="group {group.kind}" '
        f'transform="translate({_n(left)} {_n(top)})">{_title(group.title)}'
        f'<rect class="box" width="{_n(wide)}" height="{_n(high)}" rx="8"/></g>'
    )


def caption_svg(group: Group, left: float, top: float, prefix: str = "") -> str:
    """A frame's name, on a ground of its own: arrows pass behind it."""
    run = Run(group.label, "name")
    ground = f'<rect class="ground" x="6" y="5" width="{_n(run.width + 8)}" height="19" rx="4"/>'
    return (
        f'<g id="{prefix}{group.id}-name" class="caption" '
        f'transform="translate({_n(left)} {_n(top)})">{ground}{_text(run, 10, 19, prefix)}</g>'
    )


# --- edges ----------------------------------------------------------------------------------------


def edge_paths(points: tuple[Point, ...]) -> tuple[str, str]:
    """The line of an edge and its head, as SVG paths."""
    (x, y), *rest = points[:-1]
    line = f"M{_n(x)},{_n(y)}C" + " ".join(f"{_n(a)},{_n(b)}" for a, b in rest)
    (x0, y0), (x1, y1) = points[-2], points[-1]
    long = math.hypot(x1 - x0, y1 - y0) or 1.0
    ahead, aside = ((x1 - x0), (y1 - y0)), ((y0 - y1) / long * 2.7, (x1 - x0) / long * 2.7)
    left = _n(ahead[0] - aside[0]), _n(ahead[1] - aside[1])
    right = _n(-ahead[0] - aside[0]), _n(-ahead[1] - aside[1])
    head = f"M{_n(x0 + aside[0])},{_n(y0 + aside[1])}l{','.join(left)} {','.join(right)}z"
    return line, head


def _edge(edge: Edge, layout: Layout, prefix: str) -> str:
    line, head = edge_paths(layout.edges[edge.id])
    label = ""
    if edge.label:
        x, y = layout.labels[edge.id]
        run = Run(edge.label, "small")
        label = _text(run, x - run.width / 2, y + 4, prefix)
    return (
        f'<g id="{prefix}{edge.id}" class="edge{" dashed" if edge.back else ""}">'
        f'{_title(edge.title)}<path d="{line}"/><path class="head" d="{head}"/>{label}</g>'
    )


# --- cards ----------------------------------------------------------------------------------------


def card_svg(card: Card, centre: Point, prefix: str = "") -> str:
    """A card, drawn from its own top left corner, moved to where its centre shall lie."""
    wide, high = size_of(card)
    classes = ["op" if card.kind == "op" else "node", *_kinds(card), card.look]
    place = f"translate({_n(centre[0] - wide / 2)} {_n(centre[1] - high / 2)})"
    return (
        f'<g id="{prefix}{card.id}" class="{" ".join(filter(None, classes))}" transform="{place}">'
        f"{_title(card.title)}{''.join(_inside(card, prefix))}</g>"
    )


def _kinds(card: Card) -> list[str]:
    if card.kind in ("input", "parameter", "constant"):
        return ["leaf", card.kind]
    return {"op": [], "result": ["result", "filled"]}.get(card.kind, [card.kind])


def _inside(card: Card, prefix: str) -> Iterator[str]:
    wide, high = size_of(card)
    if card.kind == "op":
        yield (
            f'<ellipse class="box" cx="{_n(wide / 2)}" cy="{_n(high / 2)}" rx="{_n(wide / 2)}" '
            f'ry="{_n(high / 2)}"/>'
        )
        run = card.cells[0].runs[0]
        yield _text(run, (wide - run.width) / 2, high / 2 + 5, prefix)
        return
    round_ = 0 if card.kind in ("input", "parameter", "constant") else 6
    yield from _borders(card, wide, high, round_)
    if card.kind == "parameter":
        yield f'<rect class="bar" width="{BAR:g}" height="{_n(high)}"/>'
    cells = list(places(card))
    for k, place in enumerate(cells):
        if place.cell.tinted:
            yield _tint(card, place)
        if k and not card.stacked:
            x, y = _n(place.x), _n(place.y)
            yield f'<path class="rule" d="M{x},{y}v{_n(place.height)}"/>'
    for place in cells:
        yield from _runs(place, prefix)


def _borders(card: Card, wide: float, high: float, round_: int) -> Iterator[str]:
    def box(kind: str, inset: float, radius: float, style: str = "") -> str:
        corner = f' x="{inset:g}" y="{inset:g}"' if inset else ""
        radius_ = f' rx="{radius:g}"' if radius else ""
        size = f'width="{_n(wide - 2 * inset)}" height="{_n(high - 2 * inset)}"'
        return f'<rect class="{kind}"{corner} {size}{radius_}{style}/>'

    if card.kind == "closed":  # a pile of cards
        size = f'width="{_n(wide - RIM)}" height="{_n(high - RIM)}" rx="6"'
        yield f'<rect class="back" x="{RIM:g}" y="{RIM:g}" {size}/>'
        yield f'<rect class="box" {size}/>'
        return
    if card.kind == "result":
        yield box("rim", 0, round_ + 2)
        yield box("box", RIM, round_)
        return
    style = f' style="fill:{escape(card.fill)}"' if card.fill else ""
    yield box("box", 0, round_, style)


def _tint(card: Card, place: Place) -> str:
    """The ground of a gradient, inset where it would cut across round corners."""
    inset = 3.0 if card.stacked else 1.0
    x, y = place.x + inset, place.y + 1
    size = f'width="{_n(place.width - 2 * inset)}" height="{_n(place.height - 2)}"'
    return f'<rect class="cell" x="{_n(x)}" y="{_n(y)}" {size} rx="{4 if card.stacked else 3}"/>'


def _runs(place: Place, prefix: str) -> Iterator[str]:
    x = place.x + 6
    for run in place.cell.runs:
        if run.kind == "blank":
            y = place.y + place.height - 3
            yield f'<path class="rule" d="M{_n(x)},{_n(y)}h{_n(run.width)}"/>'
        elif run.text or run.id:
            yield _text(run, x, place.y + place.height / 2 + 0.355 * run.size, prefix)
        x += run.width + 4


def _text(run: Run, x: float, y: float, prefix: str) -> str:
    name = f' id="{prefix}{run.id}"' if run.id else ""
    long = run.width_of(run.text)
    length = ""
    if len(run.text) > 1 and not run.sub:  # one letter has room, and tspans are not squeezed
        length = f' textLength="{_n(long)}" lengthAdjust="spacingAndGlyphs"'
    sub = f'<tspan class="sub" dy="3">{escape(run.sub, quote=False)}</tspan>' if run.sub else ""
    kind = "" if run.kind == "word" else f' class="{run.kind}"'
    if not common(run.text + run.sub):  # resvg would take the first font at hand, of any look
        kind += f' style="font-family:{BROAD_FONT}"'
    return (
        f'<text{name}{kind} x="{_n(x)}" y="{_n(y)}"{length}>{escape(run.text, quote=False)}{sub}'
        "</text>"
    )
