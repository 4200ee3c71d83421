"""The op table read as array code: a rule run on Symbols gives the expression that it computes.

So the adjoint of an instruction is derived from the same row that the eager engine uses, number by
number. `Symbol` is a tree of ops over named arrays; `Writer.expression` writes it as NumPy calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from micrograd import ops
from micrograd.lifting.rows import DIVIDE, SUBTRACT
from micrograd.op import Op

__all__ = ["Symbol", "is_number"]


class Symbol:
    """An array expression: a name, or an op of other Symbols and plain numbers."""

    __slots__ = ("name", "op", "inputs")

    def __init__(self, name: str | None, op: Op | None = None, inputs: Sequence[Any] = ()) -> None:
        self.name = name
        self.op = op
        self.inputs = tuple(inputs)

    @staticmethod
    def _interpret(op: Op, xs: Sequence[Any]) -> Any:
        if op is ops.mul:
            for x, other in (xs, xs[::-1]):
                if is_number(x) and x == 1.0:
                    return other
        return Symbol(None, op, xs)

    def __add__(self, other: Any) -> Any:
        return ops.add(self, other)

    def __radd__(self, other: Any) -> Any:
        return ops.add(other, self)

    def __mul__(self, other: Any) -> Any:
        return ops.mul(self, other)

    def __rmul__(self, other: Any) -> Any:
        return ops.mul(other, self)

    def __sub__(self, other: Any) -> Any:
        return SUBTRACT(self, other)

    def __rsub__(self, other: Any) -> Any:
        return SUBTRACT(other, self)

    def __neg__(self) -> Any:
        return ops.mul(self, -1.0)

    def __truediv__(self, other: Any) -> Any:
        return DIVIDE(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return DIVIDE(other, self)

    def __pow__(self, k: Any) -> Any:
        return ops.constant_power(k)(self)


def is_number(x: Any) -> bool:
    return isinstance(x, (int, float))
