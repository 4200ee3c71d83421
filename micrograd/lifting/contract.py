"""A sum of products over nested loops, written as the matrix product that it is.

The `role` of each loop of out[...] = sum a[...] * b[...] says what changes along it: both factors
and the result (a batch), one factor and the result (rows, columns), both factors but not the result
(the sum). A dot and its two gradients are three such sums, with other roles. `Writer.contract`
writes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Loop", "merged"]


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
    """Neighbouring loops of one role that are one loop in memory become one."""
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
