"""Scans and straight-line code as instructions: loops that read what they have written.

Each comes after a copy of what its first turns read.
"""

from __future__ import annotations

import numpy as np

from micrograd.lifting.instructions import Neutral, gathered
from micrograd.lifting.layout import Instruction
from micrograd.lifting.rows import COPY, choose
from micrograd.lifting.scans import Scan
from micrograd.lifting.steps.expression import Apply, Read
from micrograd.lifting.straight import Straight
from micrograd.lifting.strides import Access, nest

__all__ = ["scan", "straight"]


def scan(scan: Scan, base: int, address: dict[int, int]) -> list[Instruction]:
    """A chain of cells as a loop that reads what it writes, after a copy of where it begins."""
    n = len(scan)
    operands = []
    for role, places in enumerate(scan.reads):
        reads = np.array([address[place] for place in places])
        if role == scan.carried:
            operands.append(Access(base, (n,), (1,)))
        elif nest(reads[None]) is not None and (np.diff(reads, 2) == 0).all():
            operands.append(Access(int(reads[0]), (n,), (int(reads[1] - reads[0]),)))
        else:
            operands.append(gathered(reads, (n,), ()))
    first = Access(address[scan.first], (), ())
    begin = Instruction("map", COPY, Access(base, (), ()), (first,), None, 0, 0)
    out = Access(base + 1, (n,), (1,))
    loop = Instruction("scan", None, out, tuple(operands), None, 0, scan.replaces, scan.value)
    return [begin, loop]


def straight(
    group: Straight, base: int, address: dict[int, int], neutral: Neutral
) -> list[Instruction]:
    """A table of numbers as a loop that reads what it writes, after a copy of what is outside."""
    first, n = len(group.outside), len(group.codes)
    copied = gathered(np.array([address[place] for place in group.outside]), (first,), ())
    begin = Instruction("map", COPY, Access(base, (first,), (1,)), (copied,), None, 0, 0)
    numbers = np.array([neutral.at[float(code)] for code in range(len(group.cases))])
    reads = [gathered(row, (n,), ()) for row in (*(base + group.reads), numbers[group.codes])]
    value = Apply(choose(len(group.cases)), (Read(len(group.reads)), *group.cases))
    out = Access(base + first, (n,), (1,))
    loop = Instruction("straight", None, out, tuple(reads), None, 0, group.replaces, value)
    return [begin, loop]
