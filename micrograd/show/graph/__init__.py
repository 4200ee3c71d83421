"""Graphs as pictures: from nodes to a typed drawing, to a layout, to SVG, PNG and PDF.

Read `draw.py` first, then `drawing.py` (what a picture is), `layout.py` (where Graphviz puts its
parts) and `svg.py` (how they look).
"""

__all__: list[str] = []
