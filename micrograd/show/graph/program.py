"""The picture of a lifted program: a box for each line of its text, arrows for what it reads.

It is small where the graph is large: 65,818 nodes of the demo's loss are a dozen boxes.
"""

from __future__ import annotations

from micrograd.lifting import Program
from micrograd.show.graph.drawing import Card, Cell, Drawing, Edge, Run
from micrograd.show.graph.picture import Picture
from micrograd.show.graph.text import plain

__all__ = ["program_picture"]

_EXPRESSION_LENGTH = 64


def program_picture(program: Program) -> Picture:
    """Inputs (arguments sharp, parameters with a bar), and below them the lines in their order."""
    text = program.text
    made = {entry.name: f"n{i}" for i, entry in enumerate(text.lines)}
    cards: list[Card] = []
    edges: list[Edge] = []
    for source in dict.fromkeys(name for entry in text.lines for name in entry.reads):
        if source in made or source == "constants":
            continue
        made[source] = f"i{len(made)}"
        kind = "parameter" if source in text.parameter_names else "input"
        title = text.parameter_names.get(source, "argument")
        cards.append(Card(made[source], kind, (_cell(source, "name"),), title=title))
    for entry in text.lines:
        shape = " by ".join(map(str, entry.shape)) or "1"
        count = f"{entry.replaces:,} node{'s' * (entry.replaces != 1)}"
        cells = (
            _cell(entry.name, "name"), _cell(entry.expression, "ink"),
            _cell(f"{shape} · {count}", "word"),
        )  # fmt: skip
        name = made[entry.name]
        title = f"{entry.name} = {entry.expression}: {shape}, stands for {count}"
        look = "filled" if entry is text.lines[-1] else ""
        cards.append(Card(name, "interior", cells, title=title, look=look))
        for k, source in enumerate(entry.reads):
            if source in made:
                edges.append(Edge(f"e{name[1:]}-{k}", made[source], name))
    nodes = sum(entry.replaces for entry in text.lines)
    description = f"Program of {len(text.lines)} instructions for {nodes:,} scalar nodes"
    drawing = Drawing(
        tuple(cards), tuple(edges), description=description, direction="TB", gaps=(18.0, 20.0)
    )
    return Picture(drawing)


def _cell(text: str, kind: str) -> Cell:
    return Cell((Run(plain(text, _EXPRESSION_LENGTH), kind),))
