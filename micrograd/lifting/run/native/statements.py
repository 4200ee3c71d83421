"""Statements of a nest in code: what they compute, from what they read to where it goes."""

from __future__ import annotations

from collections.abc import Sequence

from micrograd.lifting.run.native.memory import At, Memory
from micrograd.lifting.run.native.nests import Local, Nest, Statement
from micrograd.lifting.run.native.rows import Rows
from micrograd.lifting.steps.expression import Formula, evaluate

__all__ = ["StatementWriter"]


class StatementWriter:
    """Writes statements; `known` holds what earlier ones have computed in the same turn."""

    def __init__(self, rows: Rows, nest: Nest, memory: Memory) -> None:
        self.rows, self.nest, self.memory = rows, nest, memory
        self.code = memory.code

    def statements(self, which: Sequence[Statement], at: At, known: dict[int, str]) -> None:
        first = len(self.nest.body) if which is self.nest.after else 0
        for number, statement in enumerate(which, first):
            self.statement(statement, number, at, known)

    def statement(self, statement: Statement, number: int, at: At, known: dict[int, str]) -> None:
        value = self.number(statement.value, statement, at, known)
        if statement.out is not None:
            value = self.memory.write(statement.out, value, at, statement.accumulate)
        known[number] = value

    def number(self, value: Formula, statement: Statement, at: At, known: dict[int, str]) -> str:
        def read(k: int) -> str:
            x = statement.reads[k]
            return known[x.number] if isinstance(x, Local) else self.memory.read(x, at, True)

        made = evaluate(value, read, lambda op, *xs: self.rows.of(self.code, at.width, op, *xs))
        return made if isinstance(made, str) else self.code.number(made, at.width)
