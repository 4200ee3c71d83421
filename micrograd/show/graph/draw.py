"""The graph behind a Value as a picture: a box for each number, a circle for each operation.

`draw` gives a `Picture`, which Jupyter shows and `save` writes; any object that looks like a Value
will do. Labels are data here, never markup. Read `draw` first, then `drawing_of`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from micrograd.engine import Value
from micrograd.reals import describe
from micrograd.show.graph.drawing import Card, Cell, Drawing, Edge, Run
from micrograd.show.graph.nodes import Node, is_node, read, topological_order
from micrograd.show.graph.picture import Drawable, Picture
from micrograd.show.graph.text import number_text, plain
from micrograd.show.parameters import read_parameters

__all__ = ["card_of", "draw", "drawing_of", "edges_of", "kind_of", "op_card", "tint"]

_LABEL_LENGTH = 24
_OP_LENGTH = 12
_UNORDERED = "; where _prev is a set, the order of operands is unknown"


def draw(
    value: Any,
    max_nodes: int = 300,
    *,
    parameters: Any = (),
    prefix: str = "",
    stacked: bool = False,
) -> Picture:
    """The picture of everything that `value` was made from.

    Inputs are sharp boxes, parameters have a bar on their left, constants (leaves without a label)
    a dashed border; what was computed is rounded, the result has two borders. Parameters are the
    leaves named in `parameters` (Values, or a module) and those that an optimiser stores. `prefix`
    stands before every id of the SVG, for several pictures on one page; with `stacked` a card's
    numbers stand one below the other, for a narrow column. The program of a lifted function is
    drawn as its lines.
    """
    if isinstance(value, Drawable):
        return value.picture()
    lifting = sys.modules.get("micrograd.lifting")  # not imported, there is no program to draw
    if lifting is not None and isinstance(value, lifting.Program):
        from micrograd.show.graph.program import program_picture

        return program_picture(value)
    drawing, nodes = drawing_of(value, max_nodes, parameters, stacked=stacked)
    return Picture(drawing, nodes, prefix)


def drawing_of(
    value: Any, max_nodes: int, parameters: Any, direction: str = "LR", stacked: bool = False
) -> tuple[Drawing, dict[str, Any]]:
    """The drawing, and the nodes by the ids of their cards."""
    nodes = read(_readable(value, max_nodes))
    trained = {id(p) for p in read_parameters(parameters)}
    cards, edges = [], []
    for i, node in enumerate(nodes):
        kind = kind_of(node, i == len(nodes) - 1, id(node.value) in trained)
        cards.append(card_of(node, i, kind, stacked))
        if node.op:
            cards.append(op_card(node, i))
            edges += edges_of(nodes, i)
    count = f"Computation graph of {len(nodes)} values" if len(nodes) > 1 else "A value"
    description = count + ("" if all(node.ordered for node in nodes) else _UNORDERED)
    drawing = Drawing(tuple(cards), tuple(edges), (), description, direction)
    return drawing, {f"n{i}": node.value for i, node in enumerate(nodes)}


def _readable(value: Any, max_nodes: int) -> list[Any]:
    if not is_node(value):
        hint = "of an array of Values draw one element, or their sum"
        if callable(value):
            program = hasattr(value, "program")
            hint = (
                "draw its program, draw(f.program)" if program else "draw what it gives, draw(f(x))"
            )
        raise TypeError(f"draw() draws the graph behind a Value, got {describe(value)}; {hint}")
    order = topological_order(value)
    if len(order) > max_nodes:
        raise ValueError(
            f"this graph has {len(order):,} nodes, and over {max_nodes:,} cannot be read: draw a "
            "smaller part, draw the program that micrograd.lift finds in it (draw(f.program)), "
            f"or pass max_nodes={len(order)}"
        )
    return order


def kind_of(node: Node, is_root: bool, is_parameter: bool) -> str:
    if node.op:
        return "result" if is_root else "interior"
    if is_parameter or (isinstance(node.value, Value) and node.value.in_store):
        return "parameter"
    return "input" if node.label else "constant"


def tint(g: float) -> str:
    """The class that colours a gradient by its sign."""
    return "grad-plus" if g > 0 else "grad-minus" if g < 0 else ""


def _title(node: Node, kind: str) -> str:
    what = {"constant": "constant, or input without a label"}.get(kind, kind)
    name = f"{node.label}: " if node.label else ""
    return f"{name}data {node.data}, grad {node.grad} ({what})"


def card_of(node: Node, i: int, kind: str, stacked: bool = False) -> Card:
    """name | data | grad; the title has a long name whole."""
    cells = [
        Cell((Run("data"), Run(number_text(node.data), "data", id=f"n{i}-data"))),
        Cell(
            (Run("grad"), Run(number_text(node.grad, sign=True), "grad", id=f"n{i}-grad")),
            tinted=True,
        ),
    ]
    label = plain(node.label, _LABEL_LENGTH)
    if label:
        cells.insert(0, Cell((Run(label, "name"),)))
    return Card(f"n{i}", kind, tuple(cells), stacked, _title(node, kind), tint(node.grad))


def op_card(node: Node, i: int) -> Card:
    text = plain(node.op, _OP_LENGTH) or "?"
    return Card(f"o{i}", "op", (Cell((Run(text, "op"),)),), title=node.op)


def edges_of(nodes: Sequence[Node], i: int) -> list[Edge]:
    """From each operand to the operation, and from it to its result."""
    node = nodes[i]
    edges = []
    for k, x in enumerate(node.inputs):
        which = f"operand {k + 1}" if node.ordered else "an operand, in unknown order"
        title = f"{nodes[x].label or 'value'} → {node.op}, {which}"
        edges.append(Edge(f"e{i}-{k}", f"n{x}", f"o{i}", title))
    return [*edges, Edge(f"r{i}", f"o{i}", f"n{i}")]
