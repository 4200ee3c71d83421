"""A sum of products over nested loops, written as the matrix product that it is.

Each loop of out[...] = sum a[...] * b[...] has a role, by which of the arrays move along it: all
three (batch), one factor and the result (row, column), the factors but not the result (sum). A
layer's forward pass and both of its gradients are such products, with different roles.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from micrograd.lifting.run.source import Source
from micrograd.lifting.steps.walks import dense

__all__ = ["Loop", "Operand", "contract", "merged"]


class Loop(NamedTuple):
    """One loop: its length and how far it moves in a, b and the result."""

    length: int
    a: int
    b: int
    out: int

    @property
    def role(self) -> str:
        return _ROLES[self.a != 0, self.b != 0, self.out != 0]


_ROLES = {
    (True, True, True): "batch",
    (True, False, True): "row",
    (False, True, True): "column",
    (True, True, False): "sum",
    # a factor that stays is not taken out of the sum: inf * (a + b) is not inf * a + inf * b
    (True, False, False): "sum",
    (False, True, False): "sum",
    (False, False, False): "repeat",
    (False, False, True): "copy",
}


def merged(loops: Sequence[Loop]) -> list[Loop]:
    """The loops, with neighbours of one role joined where they are one loop in memory."""
    result: list[Loop] = []
    for loop in loops:
        if loop.length == 1:
            continue
        if result:
            outer = result[-1]
            if outer.role == loop.role and all(
                outer[k] == loop[k] * loop.length for k in (1, 2, 3)
            ):
                result[-1] = Loop(outer.length * loop.length, *loop[1:])
                continue
        result.append(loop)
    return result


class Operand(NamedTuple):
    """An array by its name, and how the loops of a step walk it."""

    source: str
    base: int
    strides: tuple[int, ...]


def contract(
    source: Source, sizes: Sequence[int], a: Operand, b: Operand, out: Operand, add: bool
) -> None:
    """Write out[...] = sum a[...] * b[...], or += if `add`, over the loops with stride 0 in out."""
    loops = [
        Loop(n, *strides)
        for n, *strides in zip(sizes, a.strides, b.strides, out.strides, strict=True)
    ]
    repeats = math.prod(loop.length for loop in loops if loop.role == "repeat")
    loops = merged([loop for loop in loops if loop.role != "repeat"])
    sums = [loop for loop in loops if loop.role == "sum"]
    if len(sums) > 1:  # one loop in memory, by copying what is not
        loops = [loop for loop in loops if loop.role != "sum"] + sums
        a, loops = _copied(source, a, loops, "a")
        b, loops = _copied(source, b, loops, "b")
        loops = merged(loops)
    if not add and repeats == 1:
        _product(source, a, b, out, loops)
        return
    moving = [loop for loop in loops if loop.out]
    lengths = [loop.length for loop in moving]
    name = source.temporary(lengths)
    _product(source, a, b, Operand(name, 0, ()), _restrided(loops, moving, "out"))
    result = source.view(out.source, out.base, lengths, [loop.out for loop in moving])
    if repeats > 1:
        source.call(np.multiply, name, source.number(repeats), name if add else result)
    if add:
        source.call(np.add, result, name, result)


def _copied(
    source: Source, x: Operand, loops: list[Loop], which: str
) -> tuple[Operand, list[Loop]]:
    """A factor, copied if the loops of the sum are not one loop in memory; the new loops."""
    sums = [loop for loop in loops if loop.role == "sum"]
    if all(
        getattr(outer, which) == getattr(inner, which) * inner.length
        for outer, inner in pairwise(sums)
    ):
        return x, loops
    moving = [loop for loop in loops if getattr(loop, which) or loop in sums]
    name = source.temporary([loop.length for loop in moving])
    source.call(np.copyto, name, _factor(source, x, moving, which))
    return Operand(name, 0, ()), _restrided(loops, moving, which)


def _factor(source: Source, x: Operand, loops: Sequence[Loop], which: str) -> str:
    strides = [getattr(loop, which) for loop in loops]
    return source.view(x.source, x.base, [loop.length for loop in loops], strides)


def _product(source: Source, a: Operand, b: Operand, out: Operand, loops: list[Loop]) -> None:
    """The call that computes the product: multiply if there is no sum, else matmul or vecdot."""
    sums = [loop for loop in loops if loop.role == "sum"]
    rows = _longest([loop for loop in loops if loop.role == "row"])
    columns = _longest([loop for loop in loops if loop.role == "column"])
    used = {id(loop) for loop in (*rows, *columns, *sums)}
    batch = [loop for loop in loops if id(loop) not in used]
    function: np.ufunc = np.matmul
    if not sums:
        function, along = np.multiply, (loops, loops, loops)
    elif not rows and not columns:
        function = np.vecdot if batch else np.matmul
        along = (batch + sums, batch + sums, batch)
    else:
        if batch:  # matmul broadcasts over a batch only between two matrices
            rows, columns = rows or [_ONE], columns or [_ONE]
        along = (batch + rows + sums, batch + sums + columns, batch + rows + columns)
    views = [
        _factor(source, x, walked, which)
        for x, walked, which in zip((a, b, out), along, ("a", "b", "out"), strict=True)
    ]
    source.call(function, *views)


_ONE = Loop(1, 0, 0, 0)


def _longest(loops: list[Loop]) -> list[Loop]:
    return [max(loops, key=lambda loop: loop.length)] if loops else []


def _restrided(loops: Sequence[Loop], moving: Sequence[Loop], which: str) -> list[Loop]:
    """The loops with the strides of a contiguous copy, in the order of `moving`, for one array."""
    packed = dense([loop.length for loop in moving])
    strides = {id(loop): stride for loop, stride in zip(moving, packed, strict=True)}
    return [loop._replace(**{which: strides.get(id(loop), 0)}) for loop in loops]
