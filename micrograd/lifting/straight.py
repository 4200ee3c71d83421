"""Numbers that no array fits are computed one after the other: straight-line code, as a table.

A long irregular formula, or states that read one another, are single numbers of many kinds. As an
instruction each they cost a hundred times what they compute. Here all that can be computed in a row
become one group, a table with a line for each number: which case it is, and what it reads:

    case 0: x + y    case 1: x * y    case 2: tanh(x)

    line 4: 1 (0, 3)      line 5: 0 (4, 1)      line 6: 2 (5)      ...

The first lines hold what is read from outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress
from typing import Any

import numpy as np

from micrograd import ops
from micrograd.lifting.groups import Graph, Serial
from micrograd.lifting.nodes import Node
from micrograd.lifting.rows import QUOTIENT, QUOTIENT_PLUS, is_composite
from micrograd.lifting.steps.expression import Apply, Formula, Read
from micrograd.op import Op

__all__ = ["FEWEST", "NARROW", "Straight", "straightened"]

FEWEST = 64  # numbers that are worth a table
NARROW = 4  # a group of more is an array
_SHORT = 16  # numbers that one of them may read
_OPERANDS = 3  # of a case
_PLUS_PRODUCT = Apply(ops.add, (Read(0), Apply(ops.mul, (Read(1), Read(2)))))


class Straight(Serial):
    """Nodes in an order in which they can be computed, as a table.

    `outside`: the places that are read from outside, in the first lines; `codes`: the case of each
    later line; `reads`: the lines that it reads, a row for each operand of a case. `at`: for each
    place its line, counted from the first one that is computed.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        super().__init__(nodes)
        table = _Table()
        table.fill(nodes)
        self.replaces = sum([node.replaces for node in nodes])
        self.outside = table.outside
        first = len(self.outside)
        self.at = table.at
        self.cases = [case for case, _ in table.cases]
        width = max(width for _, width in table.cases)
        self.codes = np.array(table.codes, dtype=np.int64)
        columns = np.array([table.reads[k] for k in range(width)], dtype=np.int64)
        self.reads = np.where(columns < 0, -1 - columns, columns + first)


class _Table:
    """The lines so far, counted from 0; what comes from outside counts as -1, -2, ..."""

    def __init__(self) -> None:
        self.at: dict[int, int] = {}
        self.outside: list[int] = []
        self.codes: list[int] = []
        self.reads: tuple[list[int], list[int], list[int]] = ([], [], [])
        self.cases: list[tuple[Formula, int]] = []  # and how many operands each has
        self._numbers: dict[Op | None, int] = {}

    def line(self, place: int) -> int:
        found = self.at.get(place)
        if found is None:
            self.outside.append(place)
            found = self.at[place] = -len(self.outside)
        return found

    def fill(self, nodes: Iterable[Node]) -> None:
        """The lines of these nodes. Most are a known row of the op table: 0.5 us each, else 1.1."""
        at, numbers, codes = self.at, self._numbers, self.codes
        first, second, third = self.reads
        for node in nodes:
            code = numbers.get(node.op)
            if code is None or node.kind != "map":
                self.add(node)
                continue
            operands = node.operands
            place = operands[0][0]
            x = y = z = at[place] if place in at else self.line(place)
            if len(operands) > 1:
                place = operands[1][0]
                y = at[place] if place in at else self.line(place)
                if len(operands) > 2:
                    place = operands[2][0]
                    z = at[place] if place in at else self.line(place)
            at[node.place] = len(codes)
            codes.append(code)
            first.append(x)
            second.append(y)
            third.append(z)

    def add(self, node: Node) -> None:
        """The lines that compute a node; the last one is its own."""
        line = self.line
        if node.kind == "map":
            self.at[node.place] = self.map(node.op, [line(places[0]) for places in node.operands])
            return
        columns = [list(map(line, places)) for places in node.operands]
        if node.kind == "dot":
            xs, ws = columns
            total = None if node.start is None else line(node.start)
            for x, w in zip(xs, ws, strict=True):
                total = self.product(x, w) if total is None else self.plus_product(total, x, w)
        else:
            total, *others = columns[0]
            for x in others:
                total = self.map(node.op, [total, x])
        self.at[node.place] = total  # type: ignore[assignment]

    def map(self, op: Any, xs: list[int]) -> int:
        if op is QUOTIENT_PLUS:
            return self.plus_product(self.map(QUOTIENT, xs[:3]), xs[3], xs[4])
        return self._write(op, xs)

    def product(self, x: int, w: int) -> int:
        return self.map(ops.mul, [x, w])

    def plus_product(self, total: int, x: int, w: int) -> int:
        return self._write(None, [total, x, w])

    def _write(self, op: Op | None, xs: list[int]) -> int:
        """One more line: a row of the op table, or x + y * z."""
        code = self._numbers.get(op)
        if code is None:
            code = self._numbers[op] = len(self.cases)
            reads = tuple(map(Read, range(len(xs))))
            row: Formula = _PLUS_PRODUCT if op is None else Apply(op, reads)
            if op is not None and is_composite(op):
                row = op.composed(*reads)  # type: ignore[misc]
            self.cases.append((row, len(xs)))
        self.codes.append(code)
        first, second, third = self.reads
        first.append(xs[0])
        second.append(xs[1] if len(xs) > 1 else xs[0])  # a case that reads less ignores it
        third.append(xs[2] if len(xs) > 2 else xs[0])
        return len(self.codes) - 1


def straightened(graph: Graph, widest: int = NARROW) -> Graph:
    """The graph with groups of up to `widest` numbers that can be computed in a row as one."""
    groups = graph.groups
    narrow = [_is_narrow(group, widest) for group in groups]
    if sum(len(group) for group in compress(groups, narrow)) < FEWEST:
        return graph
    long: list[list[int]] = []
    sets: list[list[int]] = []
    for phase in _phases(graph, narrow):
        if narrow[phase[0]] and sum(len(groups[g]) for g in phase) >= FEWEST:
            long.append(phase)
        else:
            sets += [[g] for g in phase]
    made = {k: Straight([node for g in phase for node in groups[g]])
            for k, phase in enumerate(long)}  # fmt: skip
    return graph.joining([*long, *sets], made) if made else graph


def _is_narrow(group: list[Node], widest: int) -> bool:
    if len(group) > widest or isinstance(group, Serial):
        return False
    for node in group:
        if node.kind == "map":
            if len(node.operands) > _OPERANDS and node.op is not QUOTIENT_PLUS:
                return False
        elif node.kind == "take" or sum(map(len, node.operands)) > _SHORT:
            return False
    return True


def _phases(graph: Graph, narrow: list[bool]) -> list[list[int]]:
    """The groups in an order in which they can be computed: as many of one sort in a row as can be.

    Each phase has only narrow groups, or none.
    """
    phase = [int(sort) for sort in narrow]  # odd for narrow groups
    for source, reader in zip(*graph.in_turn, strict=True):
        earliest = phase[source] + (narrow[source] != narrow[reader])
        if phase[reader] < earliest:
            phase[reader] = earliest
    found: dict[int, list[int]] = {}
    for g in graph.order:
        found.setdefault(phase[g], []).append(g)
    return [found[k] for k in sorted(found)]
