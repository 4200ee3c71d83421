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
from micrograd.lifting.strides import FAR, Access

__all__ = ["scan", "straight"]


def scan(scan: Scan, base: int, address: dict[int, int]) -> list[Instruction]:
    """A chain of cells as a loop that reads what it writes, after a copy of where it begins.

    Links are the outer loop, and lanes, if there are several, the inner one.
    """
    lanes, n = scan.lanes, len(scan) // scan.lanes
    shape, strides, once = ((n,), (1,), ()) if lanes == 1 else ((n, lanes), (lanes, 1), (1, lanes))
    operands = []
    for role, places in enumerate(scan.reads):
        if role == scan.carried:
            operands.append(Access(base, shape, strides))
        else:
            operands.append(_read(np.array([address[place] for place in places]), shape))
    first = _read(np.array([address[place] for place in scan.starts]), once)
    out = Access(base, once, strides[: len(once)])
    begin = Instruction("map", COPY, out, (first,), None, 0, 0)
    out = Access(base + lanes, shape, strides)
    loop = Instruction("scan", None, out, tuple(operands), None, 0, scan.replaces, scan.value)
    return [begin, loop]


def _read(reads: np.ndarray, shape: tuple[int, ...]) -> Access:
    """The addresses by strides, if these loops walk them so; else as a list to gather."""
    base = int(reads[0])
    cube = reads.reshape(shape)
    strides = tuple(
        int(cube.take(1, axis=k).flat[0]) - base if n > 1 else 0 for k, n in enumerate(shape)
    )
    walked = np.array(base)
    for n, stride in zip(shape, strides, strict=True):
        walked = walked[..., None] + np.arange(n) * stride
    if np.array_equal(walked, cube) and all(abs(stride) <= FAR for stride in strides):
        return Access(base, shape, strides)
    return gathered(reads, shape, ())


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
