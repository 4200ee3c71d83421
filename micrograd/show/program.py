"""The picture of a lifted program: a box for each line of its text, arrows for what it reads.

It is small where the graph is large: 65,818 nodes of the demo's loss are a dozen boxes.
"""

from __future__ import annotations

import html

from micrograd.lifting import Program
from micrograd.show import svg
from micrograd.show.picture import Picture

__all__ = ["program_picture"]

_EXPRESSION_LENGTH = 64


def program_picture(program: Program) -> Picture:
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
    made = {entry.name: f"n{i}" for i, entry in enumerate(text.lines)}
    titles = {}
    for source in dict.fromkeys(name for entry in text.lines for name in entry.reads):
        if source in made or source == "constants":
            continue
        made[source] = f"i{len(made)}"
        is_parameter = source in text.parameter_names
        bar = svg.PALETTE["parameter"][0]
        cells = f'<TD BGCOLOR="{bar}" CELLPADDING="0" WIDTH="5"></TD>' if is_parameter else ""
        cells += f"<TD><B>{_escape(source)}</B></TD>"
        rows.append(f'{made[source]} [id="{made[source]}" label=<{_table(cells, box, line)}>]')
        titles[made[source]] = text.parameter_names.get(source, "argument")
    for entry in text.lines:
        shape = " by ".join(map(str, entry.shape)) or "1"
        count = f"{entry.replaces:,} node{'s' * (entry.replaces != 1)}"
        fill = svg.PALETTE["result"][0] if entry is text.lines[-1] else box
        cells = (
            f"<TD><B>{entry.name}</B></TD><VR/><TD>{_escape(entry.expression)}</TD><VR/>"
            f'<TD><FONT COLOR="{muted}">{shape} · {count}</FONT></TD>'
        )
        name = made[entry.name]
        rows.append(f'{name} [id="{name}" label=<{_table(cells, fill, line, "ROUNDED")}>]')
        titles[name] = f"{entry.name} = {entry.expression}: {shape}, stands for {count}"
        for k, source in enumerate(entry.reads):
            if source in made:
                rows.append(f'{made[source]} -> {name} [id="e{name[1:]}-{k}"]')
    nodes = sum(entry.replaces for entry in text.lines)
    description = f"Program of {len(text.lines)} instructions for {nodes:,} scalar nodes"
    return Picture("digraph {\n" + "\n".join(rows) + "\n}\n", {}, titles, description)


def _escape(text: str) -> str:
    return html.escape(svg.plain(text, _EXPRESSION_LENGTH))


def _table(cells: str, fill: str, line: str, style: str = "") -> str:
    style = f' STYLE="{style}"' if style else ""
    return (
        f'<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="5" COLOR="{line}" '
        f'BGCOLOR="{fill}"{style}><TR>{cells}</TR></TABLE>'
    )
