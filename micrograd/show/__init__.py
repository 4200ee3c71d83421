"""What people look at: drawn graphs, backward step by step, worksheets, plots.

Nothing is imported here, so that a part costs only what it needs. `graph/` draws, `lesson/` steps
through backward and explains it, `practice/` makes worksheets and marks them; read them in this
order, each from its `__init__.py`.
"""

__all__: list[str] = []
