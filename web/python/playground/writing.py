"""The Python that computes what an expression shows: for a cell, and for a file of its own."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from micrograd.engine import Value
from micrograd.expression import functions

__all__ = ["code_of"]


def code_of(text: str, numbers: Mapping[str, float]) -> str:
    """A program: functions are methods of Values there, `tanh(x*w)` is `(x * w).tanh()`."""
    writer = _Writer()
    body = ast.unparse(ast.fix_missing_locations(writer.visit(ast.parse(text, mode="eval"))))
    lines = ["from micrograd import Value, draw"]
    lines += ["from micrograd import ops"] if writer.rows else []
    lines.append("")
    lines += [f"{name} = Value({float(x)!r}, label={name!r})" for name, x in numbers.items()]
    return "\n".join([*lines, f"out = {body}", "out.backward()", "draw(out)"])


class _Writer(ast.NodeTransformer):
    rows = False  # whether a row of the op table is called by its name

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        method = functions()[name].name.lower() if name in functions() else name
        if name == "leaky_relu" or not hasattr(Value, method):
            method = name
        if not hasattr(Value, method):
            self.rows = True
            function = ast.Attribute(ast.Name("ops", ast.Load()), name, ast.Load())
            return ast.Call(function, node.args, [])
        first, *others = node.args
        if not any(
            isinstance(part, ast.Name) for part in ast.walk(first)
        ):  # numbers have no methods
            first = ast.Call(ast.Name("Value", ast.Load()), [first], [])
        return ast.Call(ast.Attribute(first, method, ast.Load()), others, [])
