"""The Python that computes what an expression shows: for a cell, and for a file of its own."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from micrograd.engine import Value
from micrograd.expression import functions

__all__ = ["code_of"]

_TAKEN = ("Value", "draw", "ops", "registered")  # what the program imports


def code_of(text: str, numbers: Mapping[str, float]) -> str:
    """A program: functions are methods of Values there, `tanh(x*w)` is `(x * w).tanh()`.

    An op of the learner's own is called by its name; where nobody has made it, the program says so.
    """
    writer = _Writer()
    body = ast.unparse(ast.fix_missing_locations(writer.visit(ast.parse(text, mode="eval"))))
    lines = ["from micrograd import Value, draw"]
    lines += ["from micrograd import ops"] if writer.rows else []
    lines += ["from micrograd.op import registered"] if writer.own else []
    lines.append("")
    for name in dict.fromkeys(writer.own):
        said = f"{name} is an op of your own: run the code that makes it, op({name!r}, ...), first"
        lines += [f"if {name!r} not in registered:", f"    raise NameError({said!r})"]
    lines += [f"{_variable(n)} = Value({float(x)!r}, label={n!r})" for n, x in numbers.items()]
    return "\n".join([*lines, f"out = {body}", "out.backward()", "draw(out)"])


def _variable(name: str) -> str:
    return f"{name}_" if name in _TAKEN else name


class _Writer(ast.NodeTransformer):
    rows = False  # whether a row of the op table is called by its name

    def __init__(self) -> None:
        self.own: list[str] = []  # ops that the package does not have

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(_variable(node.id), node.ctx)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        arguments = [self.visit(argument) for argument in node.args]
        row = functions().get(name)
        if row is not None and not row.builtin:
            self.own.append(row.name)
            called = ast.Subscript(ast.Name("registered"), ast.Constant(row.name))
            return ast.Call(called, arguments, [])
        method = row.name.lower() if row is not None else name
        if name == "leaky_relu" or not hasattr(Value, method):
            method = name
        if not hasattr(Value, method):
            self.rows = True
            return ast.Call(ast.Attribute(ast.Name("ops"), name), arguments, [])
        first, *others = arguments
        if not any(
            isinstance(part, ast.Name) for part in ast.walk(first)
        ):  # numbers have no methods
            first = ast.Call(ast.Name("Value"), [first], [])
        return ast.Call(ast.Attribute(first, method), others, [])
