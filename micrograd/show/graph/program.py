"""The picture of a lifted program: a box for each line of its text, arrows for what it reads.

It is small where the graph is large: 65,818 nodes of the demo's loss are a dozen boxes.
"""

from __future__ import annotations

import re

from micrograd.lifting import Executable
from micrograd.show.graph.drawing import Card, Cell, Drawing, Edge, Run
from micrograd.show.graph.picture import Picture
from micrograd.show.graph.text import plain

__all__ = ["program_picture"]

_EXPRESSION_LENGTH = 64
_NAME = re.compile(r"[^\W\d]\w*")


def program_picture(program: Executable) -> Picture:
    """Inputs (arguments sharp, parameters with a bar), and below them the lines in their order."""
    text = program.text
    lines = text.instructions
    boxes: dict[str, list[str]] = {}  # the cards of what has a name: an array may have several
    views = {entry.statement.partition(" = ")[0] for entry in text.operands.definitions}
    arguments = {x.array.name for x in program.program.arguments}
    arguments |= {x.array.name for x in program.program.draws}
    parameters = views | {x.array.name for x in program.program.parameters}
    inputs: list[Card] = []
    cards: list[Card] = []
    edges: list[Edge] = []
    for i, entry in enumerate(lines):
        name, _, expression = entry.statement.partition(" = ")
        reads = [x for x in dict.fromkeys(_NAME.findall(expression)) if x != entry.name]
        for source in reads:
            if source in boxes or source not in arguments | parameters:
                continue
            kind = "parameter" if source in parameters else "input"
            title = "parameters" if source in parameters else "argument"
            boxes[source] = [f"i{len(inputs)}"]
            inputs.append(Card(f"i{len(inputs)}", kind, (_cell(source, "name"),), title=title))
        comment = entry.comment.replace("; ", " · ")
        cells = _cell(name, "name"), _cell(expression, "ink"), _cell(comment, "word")
        title = f"{entry.statement}: {entry.comment}"
        look = "filled" if entry is lines[-1] else ""
        cards.append(Card(f"n{i}", "interior", cells, title=title, look=look))
        froms = [box for source in reads for box in boxes.get(source, ())]
        edges += [Edge(f"e{i}-{k}", box, f"n{i}") for k, box in enumerate(froms)]
        boxes.setdefault(entry.name, []).append(f"n{i}")
    nodes = sum(step.replaces for step in program.program.forward)
    description = f"Program of {len(lines)} instructions for {nodes:,} scalar nodes"
    drawing = Drawing(
        (*inputs, *cards), tuple(edges), description=description, direction="TB", gaps=(18.0, 20.0)
    )
    return Picture(drawing)


def _cell(text: str, kind: str) -> Cell:
    return Cell((Run(plain(text, _EXPRESSION_LENGTH), kind),))
