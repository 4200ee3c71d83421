"""Rows of the op table in NumPy's notation, with no more parentheses than needed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrograd.lifting.rows import DIVIDE, QUOTIENT
from micrograd.lifting.steps.expression import Apply, Formula, Read, is_identity
from micrograd.op import Op

__all__ = ["NAMES", "Line", "Notation", "comment", "product"]

# how tightly an operator binds; a name or a call binds tightest
_SUM, _PRODUCT, _SIGN, _POWER, _NAME = 1, 2, 3, 4, 5
_INFIX = {"+": (" + ", _SUM), "-": (" - ", _SUM), "*": (" * ", _PRODUCT), "/": (" / ", _PRODUCT)}
_CALLS = {"ReLU": "maximum({0}, 0.0)", "**": "power({0}, {1})"}
_RELATIONS = {"greater": ">", "equal": "=="}


@dataclass(frozen=True, slots=True)
class Line:
    """One statement, what is said beside it, and the array that it writes."""

    statement: str
    comment: str = ""
    name: str = ""


def comment(shape: Sequence[int], nodes: int) -> str:
    """What is said beside a step: the shape of its result, and how many nodes it stands for."""
    said = " x ".join(map(str, shape)) or "one number"
    return f"{said}; {nodes:,} node{'s' * (nodes != 1)}" if nodes else said


class Notation:
    """Writes expressions; `functions`: those that the text calls and NumPy lacks, by name."""

    def __init__(self) -> None:
        self.functions: dict[str, Callable[..., Any]] = {}

    def write(self, formula: Formula, reads: Callable[[int], str]) -> str:
        return self._write(formula, reads)[0]

    def _write(self, formula: Formula, reads: Callable[[int], str]) -> tuple[str, int]:
        if isinstance(formula, Read):
            return reads(formula.k), _NAME
        if not isinstance(formula, Apply):
            text = repr(formula)
            return text, _SIGN if text.startswith("-") else _NAME
        op, xs = formula.op, formula.inputs
        if op.name in _INFIX and not op.parameters:
            sign, strength = _INFIX[op.name]
            left = self._inside(xs[0], reads, strength)
            right = self._inside(xs[1], reads, strength + 1)
            return f"{left}{sign}{right}", strength
        if is_identity(op):
            return self._write(xs[0], reads)
        if op is QUOTIENT:
            return self._write(Apply(DIVIDE, (xs[0], xs[2])), reads)
        if op.parameters[:1] == ("**",):
            return f"{self._inside(xs[0], reads, _POWER + 1)}**{op.parameters[1]}", _POWER
        if op.name == "where":
            words = [self._condition(xs[0], reads), *(self.write(x, reads) for x in xs[1:])]
            return f"where({', '.join(words)})", _NAME
        if op.name in _CALLS and not op.parameters:
            return _CALLS[op.name].format(*(self.write(x, reads) for x in xs)), _NAME
        return f"{self._function(op)}({', '.join(self.write(x, reads) for x in xs)})", _NAME

    def _inside(self, formula: Formula, reads: Callable[[int], str], strength: int) -> str:
        text, own = self._write(formula, reads)
        return f"({text})" if own < strength else text

    def _condition(self, c: Formula, reads: Callable[[int], str]) -> str:
        if isinstance(c, Apply) and c.op.name in _RELATIONS:
            a, b = (self._inside(x, reads, _SUM) for x in c.inputs)
            return f"{a} {_RELATIONS[c.op.name]} {b}"
        return f"{self._inside(c, reads, _SUM)} != 0"

    def _function(self, op: Op) -> str:
        """The name of a row's array function: NumPy's own, or one that the text brings along."""
        name = re.sub(r"\W", "_", op.name)
        if op.array is getattr(np, name, None):
            return name
        free, number = name, 2
        while self.functions.setdefault(free, op.array) is not op.array:
            free, number = f"{name}_{number}", number + 1
        return free


def product(formula: Formula) -> tuple[list[int], list[float]] | None:
    """The operands and the numbers of a product: [0, 1] and [2.0] of $0 * 2.0 * $1; else None."""
    if isinstance(formula, Read):
        return [formula.k], []
    if isinstance(formula, (int, float)):
        return [], [formula]
    if not isinstance(formula, Apply) or formula.op.name != "*" or formula.op.parameters:
        return None
    parts = [product(x) for x in formula.inputs]
    if None in parts:
        return None
    reads, numbers = zip(*(part for part in parts if part is not None), strict=True)
    return [k for found in reads for k in found], [x for found in numbers for x in found]


NAMES: Mapping[str, Any] = {
    name: getattr(np, name)
    for name in (
        "add", "arange", "broadcast_to", "cos", "einsum", "empty", "exp", "full", "inf", "log",
        "maximum", "minimum", "nan", "ndindex", "power", "sin", "sqrt", "tanh", "where",
        "zeros",
    )
}  # fmt: skip
