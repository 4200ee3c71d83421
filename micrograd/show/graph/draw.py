"""The graph behind a Value as a picture: a box for each number, a circle for each operation.

`draw` gives a `Picture`, which Jupyter shows and `save` writes; any object that looks like a Value
will do. Labels are data here, never markup. Read `draw` first, then `drawing_of`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from micrograd.engine import Value
from micrograd.show.graph.called import Called
from micrograd.show.graph.drawing import Card, Cell, Drawing, Edge, Run
from micrograd.show.graph.grouping import MOST_GROUPED, group, short_names
from micrograd.show.graph.nodes import Node, is_node, read, topological_order
from micrograd.show.graph.outside import Part
from micrograd.show.graph.parameters import found_parameters, known_units, read_parameters
from micrograd.show.graph.picture import Drawable, Picture
from micrograd.show.graph.rooms import of_one_size
from micrograd.show.graph.text import number_text, plain
from micrograd.show.graph.units import units_of
from micrograd.show.graph.views import Maker, opened_by_names, view
from micrograd.show.practice.answers import described

__all__ = ["card_of", "closed_card", "draw", "drawing_of", "edges_of", "kind_of", "op_card", "tint"]

_OP_LENGTH = 12
_UNORDERED = "; where _prev is a set, the order of operands is unknown"


def draw(
    value: Any,
    max_nodes: int = 300,
    *,
    parameters: Any = (),
    prefix: str = "",
    stacked: bool = False,
    groups: Any = None,
    open: str | Iterable[str] = "",
) -> Picture:
    """The picture of everything that `value` was made from.

    Inputs are sharp boxes, parameters have a bar on their left, constants (leaves without a label)
    a dashed border; what was computed is rounded, the result has two borders. Parameters are the
    leaves named in `parameters` (Values, or a module), the weights of living modules, and what an
    optimiser stores. `prefix` stands before every id of the SVG, for several pictures on one page;
    with `stacked` a card's numbers stand one below the other, for a narrow column. The program of a
    lifted function is drawn as its lines.

    With `groups`, a model, its examples, layers and neurons are frames, or closed, as one card
    each: `open` names those to open ("example 2", "layers.0.neurons.1", "all" or "none"). A graph
    of more than 60 nodes is closed at first.
    """
    if isinstance(value, Drawable):
        return value.picture()
    lifting = sys.modules.get("micrograd.lifting")  # not imported, there is no program to draw
    if lifting is not None and isinstance(value, lifting.Executable):
        from micrograd.show.graph.program import program_picture

        return program_picture(value)
    if groups is not None:
        return Picture(*grouped_drawing(value, groups, open, parameters), prefix)
    drawing, nodes = drawing_of(value, max_nodes, parameters, stacked=stacked)
    return Picture(drawing, nodes, prefix)


def drawing_of(
    value: Any, max_nodes: int, parameters: Any, direction: str = "LR", stacked: bool = False
) -> tuple[Drawing, dict[str, Any]]:
    """The drawing, and the nodes by the ids of their cards."""
    order = _readable(value, max_nodes)
    nodes, weights = read(order), _weights(order, parameters)
    leaves = [node.value for node in nodes if not node.op]
    called = Called(nodes, weights, short_names(nodes, known_units(parameters, leaves)))
    cards, edges = [], []
    for i, node in enumerate(nodes):
        kind = kind_of(node, i == len(nodes) - 1, id(node.value) in weights)
        cards.append(card_of(node, i, kind, called.cells(i), stacked, called.text(i)))
        if node.op:
            cards.append(op_card(node, i))
            edges += edges_of(nodes, i)
    count = f"Computation graph of {len(nodes)} values" if len(nodes) > 1 else "A value"
    description = count + ("" if all(node.ordered for node in nodes) else _UNORDERED)
    cards = of_one_size(cards)
    drawing = Drawing(
        tuple(cards), tuple(edges), (), description, direction, legend=called.legend()
    )
    return drawing, {f"n{i}": node.value for i, node in enumerate(nodes)}


def grouped_drawing(
    value: Any, model: Any, names: str | Iterable[str], parameters: Any
) -> tuple[Drawing, dict[str, Any]]:
    """The same with the groups of a model; closed ones stand for their results."""
    order = _readable(value, MOST_GROUPED)
    nodes, weights = read(order), _weights(order, model) | _weights(order, parameters)
    grouping = group(nodes, units_of(model))
    called = Called(nodes, weights, grouping.weights, framed=True, starts=grouping.starts(nodes))

    def node_card(i: int) -> Card:
        kind = kind_of(nodes[i], i == len(nodes) - 1, id(nodes[i].value) in weights)
        return card_of(nodes[i], i, kind, called.cells(i), True, called.text(i))

    def part_card(part: Part) -> Card:
        out = nodes[part.output]
        look = f"{tint(out.grad)} {'filled' if part.output == len(nodes) - 1 else ''}".strip()
        return closed_card(part, number_text(out.data), number_text(out.grad, True), look)

    make = Maker(node_card, lambda i: op_card(nodes[i], i), part_card, lambda i: edges_of(nodes, i))
    open_ = opened_by_names(grouping, names, len(nodes))
    drawing = view(nodes, grouping, open_, make)
    return drawing, {f"n{i}": node.value for i, node in enumerate(nodes)} | {
        part.id: nodes[part.output].value for part in grouping.within() if part.output >= 0
    }


def _weights(order: Sequence[Any], given: Any) -> dict[int, str]:
    """The weights among the nodes, by id, with the paths that lead to them."""
    named = {id(p): name for p, name in read_parameters(given).items()}
    leaves = [v for v in order if isinstance(v, Value) and v._rule is None]
    for v, name in found_parameters(leaves).items():
        named[id(v)] = named.get(id(v)) or name
    return named


def _readable(value: Any, max_nodes: int) -> list[Any]:
    if not is_node(value):
        hint = "of an array of Values draw one element, or their sum"
        if callable(value):
            program = hasattr(value, "program")
            hint = (
                "draw its program, draw(f.program)" if program else "draw what it gives, draw(f(x))"
            )
        raise TypeError(f"draw() draws the graph behind a Value, got {described(value)}; {hint}")
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


def _title(node: Node, kind: str, name: str) -> str:
    what = {"constant": "constant, or input without a label"}.get(kind, kind)
    name = f"{name}: " if name else ""
    return f"{name}data {node.data}, grad {node.grad} ({what})"


def card_of(
    node: Node,
    i: int,
    kind: str,
    name: Sequence[Cell],
    stacked: bool = False,
    told: str = "",
) -> Card:
    """name | data | grad; the title has a long name whole."""
    cells = list(name)
    cells += _numbers(f"n{i}", number_text(node.data), number_text(node.grad, sign=True))
    return Card(f"n{i}", kind, tuple(cells), stacked, _title(node, kind, told), tint(node.grad))


def closed_card(part: Part, data: str, grad: str, look: str = "", room: str = "") -> Card:
    """A group as one card: its name, its formula, and the numbers of its result."""
    cells = [Cell((Run(part.label, "name"),))]
    if part.formula:
        cells.append(Cell((Run(part.formula, "small"),)))
    elif part.kind == "layer":
        cells.append(Cell((Run(f"{len(part.parts)} neurons", "small"),)))
    if part.output >= 0:
        cells += _numbers(part.id, data, grad, room)
    return Card(part.id, "closed", tuple(cells), True, part.path, look if part.output >= 0 else "")


def _numbers(name: str, data: str, grad: str, room: str = "") -> list[Cell]:
    return [
        Cell((Run("data"), Run(data, "data", room=room, id=f"{name}-data"))),
        Cell((Run("grad"), Run(grad, "grad", room=room, id=f"{name}-grad")), tinted=True),
    ]


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
