"""Rows of the op table in LLVM's language.

A row without a template is written out in other rows (`composed`), or calls C's function, one lane
after the other (sin, cos, erf, pow), or, for a row of the user's own, Python.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

from micrograd import ops
from micrograd.lifting.rows import QUOTIENT, is_choice
from micrograd.lifting.run.native.code import Code, kind
from micrograd.lifting.run.native.functions import VECTORISED, function
from micrograd.lifting.steps.expression import Read, evaluate
from micrograd.op import Op

__all__ = ["Rows", "combined", "neutral"]

NEUTRAL = {"+": 0.0, "maximum": -math.inf, "minimum": math.inf}
_OPERATORS = {"+": "fadd", "*": "fmul", "-": "fsub", "/": "fdiv"}
_SAME = ("detach", "copy")
_IN_C = {"sin": "sin", "cos": "cos", "erf": "erf", "**": "pow"}
_numbers = itertools.count()  # names are unique among all programs of the process


def neutral(op: Op) -> float:
    """What a sum, maximum or minimum begins from."""
    return NEUTRAL[op.name]


class Rows:
    """Writes rows into code, and keeps which functions of C and rows of the user's it calls."""

    def __init__(self) -> None:
        self.in_c: dict[str, None] = {}
        self.users: dict[str, Op] = {}

    def apply(self, code: Code, width: int, op: Op, *xs: str) -> str:
        name = op.name
        if op.parameters[:1] == ("**",):
            return self.power(code, width, op, xs[0])
        if op is QUOTIENT:
            return code.binary("fdiv", width, xs[0], xs[2])
        if is_choice(op):
            return self.choice(code, width, xs)
        if op.builtin or type(op) is not Op:
            if name in _OPERATORS:
                return code.binary(_OPERATORS[name], width, xs[0], xs[1])
            if name in _TEMPLATES:
                return _TEMPLATES[name](code, width, *xs)
            if name in VECTORISED:
                t = kind(width)
                symbol = function(code.module, name, width)
                return code.let(f"call {t} {symbol}({t} {xs[0]})")
            if name in _SAME:
                return xs[0]
            if op.composed is not None:
                return self.composed(code, width, op, xs)
        return self.one_by_one(code, width, op, xs)

    def choice(self, code: Code, width: int, xs: Sequence[str]) -> str:
        """The one of several numbers that the first one counts off."""
        which, found, *others = xs
        for k, x in enumerate(others, 1):
            here = code.compare("oeq", width, which, code.number(float(k), width))
            found = code.select(width, here, x, found)
        return found

    def composed(self, code: Code, width: int, op: Op, xs: Sequence[str]) -> str:
        """The row in other rows."""
        assert op.composed is not None
        formula = op.composed(*map(Read, range(len(xs))))
        return str(
            evaluate(formula, xs.__getitem__, lambda row, *ys: self.of(code, width, row, *ys))
        )

    def of(self, code: Code, width: int, op: Op, *xs: Any) -> str:
        """The row applied to inputs, some of which may be plain numbers."""
        names = [code.number(x, width) if isinstance(x, (int, float)) else x for x in xs]
        return self.apply(code, width, op, *names)

    def power(self, code: Code, width: int, op: Op, x: str) -> str:
        """x**k: by products and a root where k is a small whole number or half of one."""
        k = float(op.parameters[1])
        if k in (0.5, -0.5):
            root = code.call("sqrt", width, x)
            if k > 0:
                return root
            return code.binary("fdiv", width, code.number(1.0, width), root)
        if abs(k) > 4 or not (2 * k).is_integer() or k == 0:
            return self.one_by_one(code, width, ops.power, [x, code.number(k, width)])
        if not k.is_integer():
            x = code.binary("fadd", width, x, code.number(0.0, width))  # -0 becomes 0
        base = x
        if k < 0:  # first: x * x may overflow where the result need not
            base = code.binary("fdiv", width, code.number(1.0, width), x)
        made = base
        for _ in range(int(abs(k)) - 1):
            made = code.binary("fmul", width, made, base)
        if k.is_integer():
            return made
        root = code.call("sqrt", width, x)
        made = code.binary("fmul" if k > 0 else "fdiv", width, made, root)
        end = code.number(math.inf if k > 0 else 0.0, width)  # of -inf, as C's pow
        edge = code.compare("oeq", width, x, code.number(-math.inf, width))
        return code.select(width, edge, end, made)

    def one_by_one(self, code: Code, width: int, op: Op, xs: Sequence[str]) -> str:
        """A call for each lane."""
        symbol = self.symbol(op)
        code.module.need(f"declare double @{symbol}({', '.join(['double'] * len(xs))})")
        lanes = []
        for k in range(width):
            taken = ", ".join(f"double {code.lane(width, x, k)}" for x in xs)
            lanes.append(code.let(f"call double @{symbol}({taken})"))
        return code.pack(width, lanes)

    def symbol(self, op: Op) -> str:
        """The name of the function that computes one number of a row."""
        if op.builtin and op.name in _IN_C:
            self.in_c[_IN_C[op.name]] = None
            return _IN_C[op.name]
        for name, known in self.users.items():
            if known is op:
                return name
        name = f"row_{next(_numbers)}"
        self.users[name] = op
        return name


def combined(code: Code, width: int, op: Op, a: str, b: str) -> str:
    """One step of a reduction: what it has so far combined with one more number."""
    if op is ops.add:
        return code.binary("fadd", width, a, b)
    return _TEMPLATES[op.name](code, width, a, b)


def _larger(relation: str) -> Callable[..., str]:
    def template(code: Code, width: int, a: str, b: str) -> str:
        first = code.compare(relation, width, a, b)
        first = code.both("or", width, first, code.compare("uno", width, a, a))
        return code.select(width, first, a, b)

    return template


def _relu(code: Code, width: int, x: str) -> str:
    zero = code.number(0.0, width)
    return code.select(width, code.compare("ole", width, x, zero), zero, x)


def _where(code: Code, width: int, c: str, a: str, b: str) -> str:
    return code.select(width, code.compare("une", width, c, code.number(0.0, width)), a, b)


def _truth(relation: str) -> Callable[..., str]:
    def template(code: Code, width: int, a: str, b: str) -> str:
        one, zero = code.number(1.0, width), code.number(0.0, width)
        return code.select(width, code.compare(relation, width, a, b), one, zero)

    return template


_TEMPLATES: dict[str, Callable[..., str]] = {
    "ReLU": _relu,
    "maximum": _larger("oge"),
    "minimum": _larger("ole"),
    "where": _where,
    "greater": _truth("ogt"),
    "equal": _truth("oeq"),
    "sqrt": lambda code, width, x: code.call("sqrt", width, x),
    "abs": lambda code, width, x: code.call("fabs", width, x),
}
