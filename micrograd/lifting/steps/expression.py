"""What a step computes: an expression of the numbers that it reads, in rows of the op table.

An Expression has operators, and an op called with one gives an Expression. So the derivative of a
row, which is written for numbers, may be called with expressions, and gives the formula.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Union

from micrograd import ops
from micrograd.lifting.rows import COPY, DIVIDE, QUOTIENT, SUBTRACT, is_choice
from micrograd.op import Op

__all__ = [
    "Apply",
    "Expression",
    "Formula",
    "Read",
    "by_its_result",
    "evaluate",
    "is_identity",
    "pushed",
    "reads_of",
    "renumbered",
]

_SHOWN = 4  # of a choice's inputs, in a line

Formula = Union["Expression", float]  # what a step may compute: a plain number is one as well


class Expression:
    """A Read or an Apply: arithmetic and ops on it give further expressions."""

    __slots__ = ("_hash",)

    _hash: int  # of an Apply, once it is known; a pickle does not hold it

    @staticmethod
    def _interpret(op: Op, xs: Sequence[Any]) -> Formula:
        inputs = tuple(x if isinstance(x, Expression) else float(x) for x in xs)
        if op is ops.mul and 1.0 in inputs:
            return inputs[1 - inputs.index(1.0)]
        return Apply(op, inputs)

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

    def __truediv__(self, other: Any) -> Any:
        return DIVIDE(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return DIVIDE(other, self)

    def __pow__(self, k: float) -> Any:
        return ops.constant_power(k)(self)

    def __neg__(self) -> Any:
        return ops.mul(self, -1.0)


@dataclass(frozen=True, slots=True)
class Read(Expression):
    """The number that a step reads through its view number `k`."""

    k: int

    def __str__(self) -> str:
        return f"${self.k}"


@dataclass(frozen=True, slots=True)
class Apply(Expression):
    """A row of the op table, applied to expressions and numbers."""

    op: Op
    inputs: tuple[Formula, ...]

    def __hash__(self) -> int:
        """Kept: the hash of a long expression is asked for at each of its parts, and theirs."""
        try:
            return self._hash
        except AttributeError:
            object.__setattr__(self, "_hash", hash((self.op, self.inputs)))
            return self._hash

    def __str__(self) -> str:
        return written(self, str)


def is_identity(op: Op) -> bool:
    """Whether a row gives its input unchanged, as x**1 does, the derivative of x**2 / 2."""
    return op in (ops.detach, COPY) or op.parameters == ("**", 1.0)


def written(formula: Formula, read: Callable[[Read], str]) -> str:
    """An expression in one line, its Reads as `read` writes them."""
    if isinstance(formula, Read):
        return read(formula)
    if not isinstance(formula, Apply):
        return repr(formula)
    xs = [written(x, read) for x in formula.inputs]
    if is_choice(formula.op) and len(xs) > _SHOWN:
        return f"choose({', '.join(xs[:_SHOWN])}, ... {len(xs) - 1} cases)"
    if formula.op is QUOTIENT:
        return f"({xs[0]} / {xs[2]})"
    if formula.op.name in ("+", "*", "-", "/") and len(xs) == 2:
        return f"({xs[0]} {formula.op.name} {xs[1]})"
    if formula.op.parameters[:1] == ("**",):
        return f"{xs[0]}{formula.op.name}"
    return f"{formula.op.name}({', '.join(xs)})"


def evaluate(formula: Formula, read: Callable[[int], Any], apply: Callable[..., Any]) -> Any:
    """The expression's value: `read(k)` gives operands, `apply(op, *inputs)` computes a row."""
    if isinstance(formula, Read):
        return read(formula.k)
    if isinstance(formula, Apply):
        return apply(formula.op, *[evaluate(x, read, apply) for x in formula.inputs])
    return formula


def reads_of(formula: Formula) -> list[int]:
    """Which operands an expression looks at, each once, in the order of their first use."""
    found: dict[int, None] = {}
    seen: set[int] = set()  # parts that stand in several places
    stack = [formula]
    while stack:
        x = stack.pop()
        if isinstance(x, Read):
            found[x.k] = None
        elif isinstance(x, Apply) and id(x) not in seen:
            seen.add(id(x))
            stack += reversed(x.inputs)
    return list(found)


def renumbered(formula: Formula, numbers: Mapping[int, Formula]) -> Formula:
    """The expression with `numbers[k]` in the place of operand k."""
    made: dict[int, Formula] = {}  # parts that stand in several places are made once

    def again(x: Formula) -> Formula:
        if isinstance(x, Read):
            return numbers[x.k]
        if not isinstance(x, Apply):
            return x
        if id(x) not in made:
            made[id(x)] = Apply(x.op, tuple(map(again, x.inputs)))
        return made[id(x)]

    return again(formula)


def pushed(formula: Formula, g: Formula, out: Formula | None = None) -> dict[int, Formula]:
    """g * d formula / d operand, by the table's rows, for each operand that a gradient flows into.

    `out`: the formula's value, if it has been kept; else it is computed again.
    """
    found: dict[int, Formula] = {}
    waiting: list[tuple[Formula, Formula, Formula | None]] = [(formula, g, out)]
    while waiting:
        node, arriving, result = waiting.pop()
        if isinstance(node, Read):
            before = found.get(node.k)
            found[node.k] = arriving if before is None else _sum(before, arriving)
        elif isinstance(node, Apply) and node.op.differentiable:
            parts = _gradients(node.op, arriving, node.inputs, node if result is None else result)
            for x, part in reversed(list(zip(node.inputs, parts, strict=True))):
                if part is not None and not isinstance(x, float):
                    waiting.append((x, part if isinstance(part, Expression) else float(part), None))
    return found


@lru_cache(maxsize=1024)
def by_its_result(op: Op) -> bool:
    """Whether the derivative of a row of one input needs only its result, as that of exp."""
    if not op.builtin:
        return False
    parts = pushed(Apply(op, (Read(0),)), Read(1), Read(2))
    return not any(0 in reads_of(part) for part in parts.values())


def _gradients(op: Op, g: Formula, xs: Sequence[Formula], out: Formula) -> Sequence[Any]:
    if op is SUBTRACT:  # its partials times g, without a multiplication
        return g, -g
    return op.gradients(g, xs, out)


def _sum(a: Formula, b: Formula) -> Formula:
    """a + b; twice a where both are the same, as for x * x."""
    result: Formula = ops.mul(a, 2.0) if a == b and isinstance(a, Expression) else ops.add(a, b)
    return result
