"""What people look at: drawn graphs, backward step by step, worksheets, plots.

Nothing is imported here, so that a part costs only what it needs. Read `draw.py` first; `render.py`
turns its DOT into pictures, `svg.py` makes them follow light and dark pages.
"""

__all__: list[str] = []
