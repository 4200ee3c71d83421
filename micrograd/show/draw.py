"""The graph behind a Value as a picture: a box for each number, a circle for each operation.

`draw` gives a `Picture`, which Jupyter shows and `save` writes; `draw_dot` is the videos' name for
the same graph as a `graphviz.Digraph`. Labels are data here, never markup. Read `draw` first, then
`_box`.
"""

from __future__ import annotations

import html
import sys
from typing import Any, overload

from micrograd import engine
from micrograd.engine import Value
from micrograd.reals import describe
from micrograd.show import svg
from micrograd.show.parameters import read_parameters
from micrograd.show.picture import Graph, Picture

__all__ = ["Graph", "Picture", "draw", "draw_dot"]


@overload
def draw(
    value: Value, max_nodes: int = 300, *, parameters: Any = (), prefix: str = ""
) -> Picture: ...
@overload
def draw(value: Any, max_nodes: int = 300, *, parameters: Any = (), prefix: str = "") -> Any: ...
def draw(value: Any, max_nodes: int = 300, *, parameters: Any = (), prefix: str = "") -> Any:
    """The picture of everything that `value` was made from.

    Inputs are sharp boxes, parameters have a bar on their left, constants (leaves without a label)
    a dashed border; what was computed is rounded, the result has two borders. Parameters are the
    leaves named in `parameters` (Values, or a module) and those that an optimiser stores. `prefix`
    stands before every id of the SVG, for several pictures on one page. The program of a lifted
    function is drawn as its lines.
    """
    if isinstance(value, Graph):
        return value._picture()
    lifting = sys.modules.get("micrograd.lifting")  # not imported, there is no program to draw
    if lifting is not None and isinstance(value, lifting.Executable):
        from micrograd.show.program import program_picture

        return program_picture(value)
    graph = draw_dot(value, max_nodes=max_nodes, parameters=parameters)
    return Picture(graph.source, graph.nodes, graph.titles, graph.description, prefix)


def draw_dot(
    value: Value, format: str = "svg", rankdir: str = "LR", *, max_nodes: int = 300,
    parameters: Any = (),
) -> Graph:  # fmt: skip
    """The same as a `graphviz.Digraph`, which renders itself without a `dot` program.

    `format` is what `render()` and `pipe()` give, svg or png or pdf; `rankdir` is LR, from left to
    right, or TB, from top to bottom.
    """
    if rankdir not in _DIRECTIONS:
        raise ValueError(f"rankdir= is one of {', '.join(_DIRECTIONS)}; got {rankdir!r}")
    order = _readable(value, max_nodes)
    trained = set(read_parameters(parameters))
    position = {node: i for i, node in enumerate(order)}
    directed = {**_GRAPH, "rankdir": rankdir}
    graph = Graph(format=format, graph_attr=directed, node_attr=_NODE, edge_attr=_EDGE)
    if len(order) > 100:  # or Graphviz seeks the best layout of many long edges for minutes
        graph.graph_attr.update(nslimit="1", nslimit1="1")
    graph.description = f"Computation graph of {len(order)} values" if len(order) > 1 else "A value"
    for i, node in enumerate(order):
        kind = kind_of(node, node is value, trained)
        graph.nodes[f"n{i}"] = node
        graph.titles[f"n{i}"] = _title(node, kind)
        graph.node(f"n{i}", _box(node, kind), id=f"n{i}", **{"class": " ".join(_classes(kind))})
        if node._rule is None:
            continue
        op = svg.plain(node._op) or "?"
        graph.titles[f"o{i}"] = op
        graph.node(f"o{i}", f"<{escaped(svg.plain(op, 12))}>", id=f"o{i}", **_OP)
        for k, operand in enumerate(node._prev):
            name = f"e{i}-{k}"
            graph.titles[name] = f"{svg.label_of(operand) or 'value'} → {op}, operand {k + 1}"
            graph.edge(f"n{position[operand]}", f"o{i}", id=name)
        graph.edge(f"o{i}", f"n{i}", id=f"r{i}")
    return graph


def _readable(value: Any, max_nodes: int) -> list[Value]:
    if not isinstance(value, Value):
        hint = "of an array of Values draw one element, or their sum"
        if callable(value):
            program = hasattr(value, "program")
            hint = (
                "draw its program, draw(f.program)" if program else "draw what it gives, draw(f(x))"
            )
        raise TypeError(f"draw() draws the graph behind a Value, got {describe(value)}; {hint}")
    order = engine.topological_order(value)
    if len(order) > max_nodes:
        raise ValueError(
            f"this graph has {len(order):,} nodes, and over {max_nodes:,} cannot be read: draw a "
            "smaller part, draw the program that micrograd.lift finds in it (draw(f.program)), "
            f"or pass max_nodes={len(order)}"
        )
    return order


# --- what a node looks like ---------------------------------------------------------------------

_LABEL_LENGTH = 24
INK, MUTED, LINE, PAPER, BOX = (
    svg.PALETTE[name][0] for name in ("ink", "muted", "line", "paper", "box")
)
_DIRECTIONS = ("LR", "TB", "RL", "BT")
_GRAPH = {"bgcolor": PAPER, "nodesep": "0.22", "ranksep": "0.3"}
_NODE = {
    "shape": "plain", "fontname": "Helvetica,Arial,sans-serif", "fontcolor": INK,
    "fontsize": "13.5",  # 18 pixels of 1/96 inch: measured with hinting, digits come out right
}  # fmt: skip
_EDGE = {"color": LINE, "arrowsize": "0.7"}
_OP = {
    "class": "op", "shape": "ellipse", "style": "filled", "fillcolor": svg.PALETTE["op"][0],
    "color": LINE, "fontsize": "15", "width": "0.4", "height": "0.4", "margin": "0.04,0.02",
}  # fmt: skip


def kind_of(node: Value, is_root: bool, parameters: set[Value]) -> str:
    if node._rule is not None:
        return "result" if is_root else "interior"
    if node.in_store or node in parameters:
        return "parameter"
    return "input" if svg.label_of(node) else "constant"


def _classes(kind: str) -> list[str]:
    return [kind] if kind in ("result", "interior") else ["leaf", kind]


def _title(node: Value, kind: str) -> str:
    label = svg.label_of(node)
    what = {"constant": "constant, or input without a label"}.get(kind, kind)
    return (
        f"{label + ': ' if label else ''}data {float(node.data)}, grad {float(node.grad)} ({what})"
    )


def escaped(text: str) -> str:
    """Text for an HTML-like label, where even so `\\N` would become the node's name."""
    return html.escape(text.replace("\\", svg.BACKSLASH))


def _box(node: Value, kind: str) -> str:
    """An HTML-like label of Graphviz: name | data | grad; the title has a long name whole."""
    cells = [
        f'<TD>data <FONT COLOR="{INK}">{svg.number_text(node.data)}</FONT></TD>',
        _gradient_cell(node.grad),
    ]
    label = svg.plain(svg.label_of(node), _LABEL_LENGTH)
    if label:
        cells.insert(0, f'<TD><FONT COLOR="{INK}"><B>{escaped(label)}</B></FONT></TD>')
    row = "<VR/>".join(cells)
    if kind == "parameter":
        bar = svg.PALETTE["parameter"][0]
        row = f'<TD BGCOLOR="{bar}" CELLPADDING="0" WIDTH="5"></TD>' + row
    style = {"constant": "DASHED", "interior": "ROUNDED", "result": "ROUNDED"}.get(kind, "")
    fill = svg.PALETTE["result"][0] if kind == "result" else BOX
    table = table_of(f"<TR>{row}</TR>", style, fill, padding=6)
    if kind == "result":
        table = table_of(f"<TR><TD>{table}</TD></TR>", style, PAPER, padding=2)
    return f'<<FONT COLOR="{MUTED}">{table}</FONT>>'


def _gradient_cell(g: float) -> str:
    sign = "plus" if g > 0 else "minus" if g < 0 else ""
    ink = svg.PALETTE[f"{sign}_ink"][0] if sign else MUTED
    fill = f' BGCOLOR="{svg.PALETTE[sign][0]}"' if sign else ""
    return f'<TD{fill}>grad <FONT COLOR="{ink}">{svg.number_text(g, sign=True)}</FONT></TD>'


def table_of(rows: str, style: str, fill: str, padding: int) -> str:
    style = f' STYLE="{style}"' if style else ""
    return (
        f'<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="{padding}" '
        f'COLOR="{LINE}" BGCOLOR="{fill}"{style}>{rows}</TABLE>'
    )
