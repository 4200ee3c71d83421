"""Arithmetic typed by a person, such as `tanh(x1*w1 + b)`, as a graph of Values.

Python's own parser reads the text, and of what it finds only numbers, names that were given one,
+ - * / ** and the functions of the op table are computed; nothing else ever runs. Whatever else
stands there is an `ExpressionError` that points at the place. Read `evaluate` first.
"""

from __future__ import annotations

import ast
import math
import operator
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from micrograd import ops
from micrograd.engine import Value
from micrograd.op import Op, registered

__all__ = ["ExpressionError", "evaluate", "functions", "label_parts", "written"]


class ExpressionError(ValueError):
    """What is wrong with an expression, and under its text the place where."""

    def __init__(self, reason: str, text: str, column: int, width: int = 1) -> None:
        self.column = column
        super().__init__(f"{reason}\n  {text}\n  {' ' * column}{'^' * width}")


def evaluate(text: str, numbers: Mapping[str, float]) -> tuple[Value, list[tuple[str, Value]]]:
    """The Value of an expression, and all its parts with their text: inputs, then what uses them.

    `evaluate("a*b + a", {"a": 2, "b": 3})` gives Value(8.0) and the parts a, b, a*b, a*b + a.
    """
    text = " ".join(text.split())
    inputs = {name: Value(number, label=name) for name, number in numbers.items()}
    nodes = _operands_first(_parsed(text), text)
    occurring = {node.id for node in nodes if isinstance(node, ast.Name)}
    for name in inputs:
        if name not in occurring:
            raise ExpressionError(f"{name} was given a number but is not in", text, 0, len(text))
    parts = list(inputs.items())
    results: dict[ast.expr, Any] = {}
    for node in nodes:
        results[node] = result = _compute(node, results, inputs, text)
        if isinstance(result, Value) and not isinstance(node, ast.Name):
            parts.append((written(text[slice(*_extent(node, text))]), result))
    result = results[nodes[-1]]
    return (result if isinstance(result, Value) else Value(result)), parts


def label_parts(value: Value, parts: Iterable[tuple[str, Value]]) -> Value:
    """The same Value, in which every part but the whole bears its text as its label."""
    for text, part in parts:
        if part is not value and not part.label:
            part.label = text
    return value


_TOKEN = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|\w+|\*\*|\S")


def written(text: str) -> str:
    """An expression as labels have it: `x1*w1 + x2*w2`, blanks around + and - and after commas."""
    made = before = ""
    for token in _TOKEN.findall(text):
        between = token in ("+", "-") and before not in ("", "(", ",", "*", "/", "**", "+", "-")
        if token in ("+", "-") and not between:  # a sign
            made, before = made + token, "sign"
            continue
        made += f" {token} " if between else f"{token} " if token == "," else token
        before = token
    return made


def functions() -> dict[str, Op]:
    """What an expression may call: the op table's functions by name, in small letters too."""
    named = {name: op for name, op in registered.items() if name.isidentifier()}
    lower = {name.lower(): op for name, op in named.items()}
    return lower | named | {"leaky_relu": ops.leaky_relu(0.01)}


# --- reading ------------------------------------------------------------------------------------

_LONGEST = 1000
_PRODUCT = "a product is written with *"
_MEANT = {  # what other languages call it
    "max": "maximum(a, b)",
    "min": "minimum(a, b)",
    "ln": "log(x)",
    "pow": "a**b",
    "square": "x**2",
    "sgn": "greater(x, 0)",
    "step": "greater(x, 0)",
    "logistic": "sigmoid(x)",
    "log10": "log(x) / log(10)",
    "log2": "log(x) / log(2)",
}
_REASONS = {  # where Python's own words would not help
    "invalid syntax": "an operator, a number or a name is missing or out of place here",
    "invalid decimal literal": _PRODUCT,
}


def _parsed(text: str) -> ast.expr:
    if len(text) > _LONGEST:
        reason = f"an expression has up to {_LONGEST:,} characters, got {len(text):,}"
        raise ExpressionError(reason, text[:60] + "...", 60, 3)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about `2(x)`, which gets an error of ours
            return ast.parse(text, mode="eval").body
    except (RecursionError, MemoryError):
        raise ExpressionError("the expression is nested too deeply", text[:60], 0) from None
    except SyntaxError as error:
        column = min(error.offset - 1, len(text)) if error.offset else len(text)
        reason = _REASONS.get(error.msg, error.msg)
        raise ExpressionError(reason, text.replace("\0", "\ufffd"), column) from None
    except ValueError as error:  # what Python 3.11.2 says of a null byte
        raise ExpressionError(str(error), text.replace("\0", "\ufffd"), len(text)) from None


def _operands_first(root: ast.expr, text: str) -> list[ast.expr]:
    """The parts of an expression, operands first, each of them checked to be arithmetic."""
    nodes, stack = [], [root]
    while stack:
        node = stack.pop()
        nodes.append(node)
        stack += _operands(node, text)
    return nodes[::-1]


def _operands(node: ast.expr, text: str) -> list[ast.expr]:
    match node:
        case ast.Name() | ast.Constant():
            return []
        case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
            return [node.operand]
        case ast.BinOp(op=ast.BitXor()):
            raise _error("a power is written with **, not ^", node, text)
        case ast.BinOp() if type(node.op) in _ARITHMETIC:
            return [node.left, node.right]
        case ast.Call(func=ast.Name(id=name), keywords=[]):
            if name in _MEANT:
                raise _error(f"{name} is no function here; write {_MEANT[name]}", node.func, text)
            if name not in functions():
                known = ", ".join(sorted(filter(str.islower, functions())))
                raise _error(f"{name} is no function; there are {known}", node.func, text)
            return node.args
        case ast.Call(func=ast.Constant()):
            raise _error(_PRODUCT, node, text)
    raise _error("only numbers, names, + - * / ** and functions can be computed", node, text)


def _extent(node: ast.expr, text: str) -> tuple[int, int]:
    """First and last place of a part; Python counts in bytes."""
    coded = text.encode()
    start, end = node.col_offset, node.end_col_offset or len(coded)
    return len(coded[:start].decode()), len(coded[:end].decode())


def _error(reason: str, node: ast.expr, text: str) -> ExpressionError:
    start, end = _extent(node, text)
    return ExpressionError(reason, text, start, end - start)


# --- computing ----------------------------------------------------------------------------------


_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


def _combined(f: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
    if isinstance(a, Value) or isinstance(b, Value):
        return f(a, b)
    return f(Value(a), b).data  # numbers alone: 1/0 is inf, and 9**9**9**9 is no huge integer


def _compute(node: ast.expr, results: Mapping[ast.expr, Any], inputs: Any, text: str) -> Any:
    match node:
        case ast.Constant():
            return _number(node, text)
        case ast.Name():
            if node.id in inputs:
                return inputs[node.id]
            hint = f"write {node.id}(...)" if node.id in functions() else f"write {node.id}=number"
            raise _error(f"{node.id} has no number; {hint}", node, text)
        case ast.UnaryOp():
            operand = results[node.operand]
            return -operand if isinstance(node.op, ast.USub) else operand
        case ast.BinOp():
            return _combined(_ARITHMETIC[type(node.op)], results[node.left], results[node.right])
        case ast.Call(func=ast.Name(id=name)):
            return _called(name, node, [results[argument] for argument in node.args], text)
    raise AssertionError(f"{type(node).__name__} passed the check of _operands")


def _called(name: str, node: ast.Call, arguments: list[Any], text: str) -> Any:
    function = functions()[name]
    wanted, given = function.arity, len(arguments)
    if given != wanted:
        raise _error(f"{name} takes {wanted} number{'s' * (wanted > 1)}, got {given}", node, text)
    return function(*arguments)


def _number(node: ast.Constant, text: str) -> int | float:
    """An int stays one, for `x**2` to be called so, unless a float could not hold it exactly."""
    number = node.value
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise _error(f"{number!r} is not a real number", node, text)
    if abs(number) < 2**53:
        return number
    return float(number) if number < 1e308 else math.inf
