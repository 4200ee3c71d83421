"""The graph of a worksheet: small cards that say how a value was made and leave a line to write on.

`p = x1 × w1 = −2` stands over the blank for its gradient, so that the whole forward pass is on the
picture; the same as lines of text, forward and backward, stands below. Read `picture`, `forward`.
"""

from __future__ import annotations

from micrograd.show.graph.draw import tint
from micrograd.show.graph.drawing import Card, Cell, Drawing, Edge, Run
from micrograd.show.graph.picture import Picture
from micrograd.show.graph.text import number_text, shorten
from micrograd.show.lesson.cards import kind_in
from micrograd.show.lesson.finding import legend_of
from micrograd.show.lesson.formulas import Formula
from micrograd.show.lesson.told import name_cells
from micrograd.show.lesson.walk import Walk
from micrograd.show.notation import readable, same

__all__ = ["forward", "is_cut", "made", "picture", "worked"]

_BLANK = "0" * 12  # on paper a line of 19 mm to write on, or more
_MADE = 26  # letters of a formula on a card


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


def is_cut(walk: Walk) -> bool:
    """Whether some formula has no room on its card."""
    return any("…" in made(walk, i) or len(made(walk, i)) > _MADE for i in range(len(walk.nodes)))


def forward(walk: Walk) -> list[str]:
    """`e = a × b = −6`, a line for each value that was made."""
    lines = []
    for i in walk.order:
        if walk.inputs(i) and i not in walk.constants:
            formula = made(walk, i)
            name = f"{walk.names[i]} = {formula}" if formula else walk.expression(i).text
            lines.append(f"{name} = {readable(walk.data[i])}")
    return lines


def worked(walk: Walk, i: int) -> str:
    """How the gradient comes about: local × arriving, added up over the uses."""
    uses = walk.uses_of(i)
    if not uses:
        return "the output"
    terms = [
        Formula.substituted(use.local).times(Formula.substituted(use.arriving)) for use in uses
    ]
    return sum(terms[1:], terms[0]).text


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
