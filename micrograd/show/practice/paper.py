"""The graph of a worksheet: small cards that say how a value was made and leave a line to write on.

`p = x1 × w1 = −2` stands over the blank for its gradient, so that the whole forward pass is on the
picture. It is laid out for the larger letters on a page. Read `picture`, then `Fit`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from micrograd.show.graph.draw import tint
from micrograd.show.graph.drawing import Card, Cell, Drawing, Edge, Run
from micrograd.show.graph.picture import Picture
from micrograd.show.graph.text import SIZE, number_text, shorten
from micrograd.show.lesson.cards import kind_in
from micrograd.show.lesson.finding import legend_of
from micrograd.show.lesson.pages import size_of
from micrograd.show.lesson.told import name_cells
from micrograd.show.lesson.walk import Walk
from micrograd.show.notation import readable, same

__all__ = ["LEAST", "Fit", "fitted", "made", "picture"]

# A page that A4 and Letter both hold with margins of 12 mm, in pixels (96 an inch): CSS prints so.
_WIDE, _HIGH = 703.0, 963.0
_HEAD = 206.0  # pixels for the title and the rule
_TABLE = 60.0  # for the heading of the answers
_ROW, _MOST = 38.0, 54.0  # for a row of two answers, at least and at most
LEAST = 8 / (0.75 * SIZE)  # the scale at which a card's text is 8 points high
_BLANK = "0" * 12  # at that scale a line of 19 mm to write on
_MADE = 26  # letters of a formula on a card


@dataclass(frozen=True, slots=True)
class Fit:
    """A picture and how it is printed: its scale, and on how many pages the sheet goes.

    `row` is the height in pixels that is left for a row of two answers.
    """

    svg: str
    scale: float
    pages: int
    row: float


def fitted(walk: Walk, solved: bool = False, prefix: str = "") -> Fit:
    """The picture with the larger letters, on one page with the table where both have room."""
    drawn = [picture(walk, solved, prefix, direction).svg for direction in ("LR", "TB")]
    rows = (len(walk.asked) + 1) // 2
    free = _HIGH - _HEAD - _TABLE
    scale, svg = _larger(drawn, free - _ROW * rows)
    if scale >= LEAST:
        return Fit(svg, scale, 1, min((free - scale * size_of(svg)[1]) / rows, _MOST))
    scale, svg = _larger(drawn, _HIGH - _HEAD)
    return Fit(svg, scale, 2, min(max((_HIGH - 2 * _TABLE) / rows, _ROW), _MOST))


def _larger(drawn: Sequence[str], high: float) -> tuple[float, str]:
    scales = []
    for svg in drawn:
        w, h = size_of(svg)
        scales.append(min(1.0, _WIDE / w, high / h))
    return max(zip(scales, drawn, strict=True), key=lambda fit: fit[0])


def picture(walk: Walk, solved: bool, prefix: str = "", direction: str = "LR") -> Picture:
    """One card a node; the arrows lead from the operands to what is made of them."""
    nodes = [i for i in range(len(walk.nodes)) if i not in walk.constants]  # formulas have those
    edges = (
        Edge(f"e{i}-{position}", f"n{k}", f"n{i}")
        for i in nodes
        for position, k in enumerate(walk.inputs(i))
        if k not in walk.constants
    )
    description = f"Computation graph of {len(nodes)} values; the list Forward has them as text"
    drawing = Drawing(
        tuple(_card(walk, i, solved) for i in nodes), tuple(edges), (), description, direction,
        gaps=(11.0, 20.0), legend=legend_of(walk),
    )  # fmt: skip
    return Picture(drawing, {f"n{i}": walk.nodes[i] for i in nodes}, prefix)


def made(walk: Walk, i: int) -> str:
    """How a node was made: `x1 × w1`; nothing where it is given, or where its name says it."""
    text = walk.expression(i).text if walk.rule(i) is not None else ""
    return "" if same(walk.names[i], text) else text


def _card(walk: Walk, i: int, solved: bool) -> Card:
    value, formula = Run(readable(walk.data[i]), "data"), made(walk, i)
    name, *tail = name_cells(walk, i)
    head = [*name.runs, *(run for cell in tail for run in cell.runs), Run("=")]
    head += [Run(shorten(formula, _MADE), "ink"), Run("=")] if formula else []
    grad = Run(number_text(walk.grads[i], sign=True) if solved else "", "grad", room=_BLANK)
    blank = grad if solved else Run("", "blank", room=_BLANK)
    cells = Cell((*head, value)), Cell((Run("grad"), blank), tinted=True)
    look = tint(walk.grads[i]) if solved else ""
    return Card(f"n{i}", kind_in(walk, i), cells, stacked=True, look=look)
