"""The picture of a lesson: the graph as `draw` draws it, on narrow cards whose numbers can change.

A copy of the graph is drawn, in which every node bears the name that the lesson gives it, so that
the user's labels and gradients stay as they are. Read `picture_of` first.
"""

from __future__ import annotations

from collections.abc import Sequence

from micrograd.engine import Value
from micrograd.show import draw, svg
from micrograd.show.formulas import shorten
from micrograd.show.picture import Picture
from micrograd.show.walk import Walk

__all__ = ["picture_of"]

_NAME_LENGTH = 18


def picture_of(
    walk: Walk,
    grads: Sequence[float],
    data: Sequence[float] | None = None,
    max_nodes: int = 300,
    downwards: bool = False,
) -> Picture:
    """A Picture with the ids of `draw`, one card a node: name, data, grad under each other.

    The cards show these numbers; where they will change, pass those that take the most room. It
    goes from left to right, or `downwards` where a long graph has to fit a page.
    """
    data = walk.data if data is None else data
    copies: dict[Value, Value] = {}
    for i, node in enumerate(walk.nodes):
        name = "" if i in walk.constants else walk.names[i]
        inputs = tuple(copies[x] for x in node._prev)
        op = "" if node._rule is None else node._op or "?"
        copies[node] = Value(data[i], inputs, op, name)
        copies[node].grad = grads[i]
    trained = [copies[v] for v in walk.parameters]
    graph = draw.draw_dot(copies[walk.root], max_nodes=max_nodes, parameters=trained)
    for i, copy in enumerate(copies.values()):
        kind = draw.kind_of(copy, copy is copies[walk.root], set(trained))
        graph.node(f"n{i}", _card(copy, kind))
    graph.graph_attr.update(nodesep="0.2", ranksep="0.28", rankdir="TB" if downwards else "LR")
    return Picture(graph.source, graph.nodes, {}, graph.description)


def _card(node: Value, kind: str) -> str:
    bar, rows = "", []
    name = shorten(node.label, _NAME_LENGTH) if node.label else ""
    if name:
        ink = svg.PALETTE["ink"][0]
        escaped = draw.escaped(name)
        rows.append(f'<TD ALIGN="LEFT"><FONT COLOR="{ink}"><B>{escaped}</B></FONT></TD>')
    if kind == "parameter":
        colour = svg.PALETTE["parameter"][0]
        bar = f'<TD BGCOLOR="{colour}" CELLPADDING="0" WIDTH="5" ROWSPAN="3"></TD>'
    number = svg.number_text(node.data)
    rows.append(f'<TD ALIGN="LEFT">data <FONT COLOR="{draw.INK}">{number}</FONT></TD>')
    rows.append(f'<TD ALIGN="LEFT" CELLPADDING="1">{_pill(node.grad)}</TD>')
    rows[0] = bar + rows[0]
    table = "".join(f"<TR>{row}</TR>" for row in rows)
    style = {"constant": "DASHED", "interior": "ROUNDED", "result": "ROUNDED"}.get(kind, "")
    fill = svg.PALETTE["result"][0] if kind == "result" else draw.BOX
    label = draw.table_of(table, style, fill, padding=3)
    if kind == "result":
        label = draw.table_of(f"<TR><TD>{label}</TD></TR>", style, draw.PAPER, padding=2)
    return f'<<FONT COLOR="{draw.MUTED}">{label}</FONT>>'


def _pill(g: float) -> str:
    """The gradient on its colour, inset: a cell's own background would cut across round corners."""
    sign = "plus" if g > 0 else "minus" if g < 0 else ""
    ink = svg.PALETTE[f"{sign}_ink"][0] if sign else draw.MUTED
    fill = f'BGCOLOR="{svg.PALETTE[sign][0]}" ' if sign else ""
    number = svg.number_text(g, sign=True)
    return (
        f'<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="2" {fill}STYLE="ROUNDED"><TR>'
        f'<TD ALIGN="LEFT">grad <FONT COLOR="{ink}">{number}</FONT></TD></TR></TABLE>'
    )
