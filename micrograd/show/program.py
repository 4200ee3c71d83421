"""The picture of a lifted program: a box for each line of its text, arrows for what it reads.

It is small where the graph is large: 65,818 nodes of the demo's loss are a dozen boxes.
"""

from __future__ import annotations

import html
import re

from micrograd.lifting import Executable
from micrograd.show import svg
from micrograd.show.picture import Picture

__all__ = ["program_picture"]

_EXPRESSION_LENGTH = 64
_NAME = re.compile(r"[^\W\d]\w*")


def program_picture(program: Executable) -> Picture:
    """Inputs (arguments sharp, parameters with a bar), and below them the lines in their order."""
    ink, muted, line, paper, box = (
        svg.PALETTE[name][0] for name in ("ink", "muted", "line", "paper", "box")
    )
    text = program.text
    rows = [
        f'graph [rankdir=TB bgcolor="{paper}" nodesep=0.25 ranksep=0.28]',
        f'node [shape=plain fontname="Helvetica,Arial,sans-serif" fontsize=13.5 fontcolor="{ink}"]',
        f'edge [color="{line}" arrowsize=0.7]',
    ]
    lines = text.instructions
    boxes: dict[str, list[str]] = {}  # the boxes of what has a name: an array may have several
    titles: dict[str, str] = {}
    views = {entry.statement.partition(" = ")[0] for entry in text.operands.definitions}
    arguments = {x.array.name for x in program.program.arguments}
    arguments |= {x.array.name for x in program.program.draws}
    parameters = views | {x.array.name for x in program.program.parameters}
    for i, entry in enumerate(lines):
        name, _, expression = entry.statement.partition(" = ")
        reads = [x for x in dict.fromkeys(_NAME.findall(expression)) if x != entry.name]
        for source in reads:
            if source in boxes or source not in arguments | parameters:
                continue
            box_name = f"i{len(titles)}"
            bar = svg.PALETTE["parameter"][0]
            cells = f'<TD BGCOLOR="{bar}" CELLPADDING="0" WIDTH="5"></TD>'
            cells = (cells if source in parameters else "") + f"<TD><B>{_escape(source)}</B></TD>"
            rows.append(f'{box_name} [id="{box_name}" label=<{_table(cells, box, line)}>]')
            boxes[source] = [box_name]
            titles[box_name] = "parameters" if source in parameters else "argument"
        fill = svg.PALETTE["result"][0] if entry is lines[-1] else box
        cells = (
            f"<TD><B>{_escape(name)}</B></TD><VR/><TD>{_escape(expression)}</TD><VR/>"
            f'<TD><FONT COLOR="{muted}">{entry.comment.replace("; ", " · ")}</FONT></TD>'
        )
        rows.append(f'n{i} [id="n{i}" label=<{_table(cells, fill, line, "ROUNDED")}>]')
        titles[f"n{i}"] = f"{entry.statement}: {entry.comment}"
        froms = [box_name for source in reads for box_name in boxes.get(source, ())]
        rows += [f'{source} -> n{i} [id="e{i}-{k}"]' for k, source in enumerate(froms)]
        boxes.setdefault(entry.name, []).append(f"n{i}")
    nodes = sum(step.replaces for step in program.program.forward)
    description = f"Program of {len(lines)} instructions for {nodes:,} scalar nodes"
    return Picture("digraph {\n" + "\n".join(rows) + "\n}\n", {}, titles, description)


def _escape(text: str) -> str:
    return html.escape(svg.plain(text, _EXPRESSION_LENGTH))


def _table(cells: str, fill: str, line: str, style: str = "") -> str:
    style = f' STYLE="{style}"' if style else ""
    return (
        f'<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="5" COLOR="{line}" '
        f'BGCOLOR="{fill}"{style}><TR>{cells}</TR></TABLE>'
    )
