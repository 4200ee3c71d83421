"""Which addresses of a layout are one array: parameters and results that are read together.

Parameters that one operand reads are a stack: one array, side by side in the store. Results of
neighbouring instructions that one operand reads are one array as well, which several steps write.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from micrograd.lifting.layout import PARAMETERS, Instruction
from micrograd.lifting.steps.walks import dense
from micrograd.lifting.strides import Access, distinct

__all__ = ["Addresses", "result_arrays", "stacks"]


class Addresses:
    """The addresses that an access visits: the lowest, the highest, and, if asked for, all.

    `moving`: the loops that move it.
    """

    __slots__ = ("access", "moving", "low", "high", "_all")

    def __init__(self, access: Access, found: np.ndarray | None = None) -> None:
        """`found`: all of them, if they are known."""
        self.access = access
        self.moving: list[int] = []
        self._all = found
        low = high = access.base
        for k, (n, stride) in enumerate(zip(access.shape, access.strides, strict=True)):
            if stride and n > 1:
                self.moving.append(k)
                if stride > 0:
                    high += stride * (n - 1)
                else:
                    low += stride * (n - 1)
        if access.gather is not None:
            low, high = int(self.all.min()), int(self.all.max())
        self.low, self.high = low, high

    @property
    def all(self) -> np.ndarray:
        """With an axis for each loop that moves."""
        if self._all is None:
            self._all = self._walked()
        return self._all

    def _walked(self) -> np.ndarray:
        base, shape, strides, gather = self.access
        sizes = [shape[k] for k in self.moving]
        in_order = dense(sizes) == tuple(strides[k] for k in self.moving)
        if gather is not None and in_order and gather.size == math.prod(sizes):
            return gather.reshape(sizes)
        found = np.array(base, dtype=np.int64)
        for k in self.moving:
            turns = np.arange(shape[k], dtype=np.int64)
            found = found[..., None] + turns * strides[k]
        return found if gather is None else gather[found]

    def at(self, outer: int, turns: Sequence[int]) -> Addresses:
        """Those at certain turns of the loops from `outer` on."""
        base, shape, strides, gather = self.access
        base += sum(s * turn for s, turn in zip(strides[outer:], turns, strict=True))
        if gather is None:
            return Addresses(Access(base, shape[:outer], strides[:outer]))
        access = Access(0, shape[:outer], strides[:outer], gather[base:])
        inner = [turn for k, turn in enumerate(turns, outer) if k in self.moving]
        index: Any = (..., *inner)
        return Addresses(access, self.all[index])


def stacks(reads: Iterable[Addresses]) -> list[tuple[int, int]]:
    """The ranges of the store that are one array each: (first, end), in ascending order."""
    spans = []
    for addresses in reads:
        if addresses.high < PARAMETERS or 0 in addresses.access.shape:
            continue
        low = addresses.low
        if low < PARAMETERS:  # a gather of parameters and other numbers
            low = int(addresses.all[addresses.all >= PARAMETERS].min())
        spans.append((low - PARAMETERS, addresses.high + 1 - PARAMETERS))
    found: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if found and low < found[-1][1]:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return found


def result_arrays(
    instructions: Sequence[Instruction], reads: Iterable[Addresses]
) -> list[tuple[int, tuple[int, ...]]]:
    """(address, shape) of each array of results: neighbours that are read together are one."""
    pieces = []
    for instruction in instructions:
        outer = len(instruction.out.shape) - instruction.inner
        pieces.append((instruction.out.base, instruction.out.shape[:outer]))
    starts = [base for base, _ in pieces]
    # whether a piece belongs to the array of the piece before it
    joined = [one.kind == "straight" for one in instructions]
    for addresses in reads:
        first, last = (bisect_right(starts, x) - 1 for x in (addresses.low, addresses.high))
        if first == last or first < 0 or addresses.high >= PARAMETERS:
            continue
        met = last - first + 1
        if met > 2:  # whether it visits what lies between the first and the last one
            met = len(distinct(np.searchsorted(starts, addresses.all, "right")))
        if met == last - first + 1:
            joined[first + 1 : last + 1] = [True] * (last - first)
    return _stacked(pieces, joined)


def _stacked(
    pieces: Sequence[tuple[int, tuple[int, ...]]], joined: Sequence[bool]
) -> list[tuple[int, tuple[int, ...]]]:
    found: list[tuple[int, tuple[int, ...]]] = []
    for (base, shape), with_last in zip(pieces, joined, strict=True):
        if not with_last:
            found.append((base, shape))
            continue
        first, whole = found[-1]
        if len(shape) == len(whole) > 0 and shape[1:] == whole[1:]:
            found[-1] = (first, (whole[0] + shape[0], *shape[1:]))
        else:
            size = int(np.prod(whole)) + int(np.prod(shape))
            found[-1] = (first, (size,))
    return found
