"""Lists of addresses become strided views, or gathers.

The addresses that a group of nodes reads are lists of integers. `nest` factors several such lists
together into nested loops with constant strides: find the first break in the constant difference,
split there, and do the same with what is left. `(100, 16, 16)` with a stride of 0 here and there is
a matrix product; what does not factor is read through its list of addresses.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

__all__ = ["FAR", "Access", "Loops", "distinct", "nest", "segments", "squeezed"]

FAR = 1 << 39  # no view spans the program's own buffer and the parameters' (`schedule.PARAMETERS`)


class Access(NamedTuple):
    """How an operand is read: at base + sum(i * stride), or at the addresses in `gather`.

    A gathered operand is first copied into an array of its own, over the loops along which it
    changes; `strides` then tell how the loops walk that array (0 where it does not change).
    """

    base: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    gather: np.ndarray | None = None


class Loops:
    """Nested loops of `n` turns together, split until they walk every list that `take` is given.

    `blocks`: how many turns come before the next one of each loop but the innermost, ascending.
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self.blocks: list[int] = []

    def take(self, addresses: np.ndarray) -> bool:
        """Split the loops so that they walk these addresses too; False if that is not possible."""
        found = _blocks(addresses)
        if found is None:
            return False
        if found and found != self.blocks:
            both = sorted({*self.blocks, *found})
            if any(large % small for small, large in pairwise(both)):
                return False
            self.blocks = both
        return True

    @property
    def shape(self) -> tuple[int, ...]:
        ends = [1, *self.blocks, self.n] if self.n > 1 else []
        return tuple(large // small for small, large in reversed(list(pairwise(ends))))

    def strides(self, addresses: np.ndarray) -> tuple[int, ...]:
        """How far each loop moves in addresses that they walk."""
        if self.n < 2:
            return ()
        first = int(addresses[0])
        return tuple(int(addresses[k]) - first for k in (*reversed(self.blocks), 1))


def _blocks(addresses: np.ndarray) -> list[int] | None:
    """The sizes, ascending, of the blocks in which addresses come that loops walk; else None.

    >>> _blocks(np.array([0, 1, 2, 10, 11, 12]))
    [3]
    """
    found: list[int] = []
    size = 1
    while (n := len(addresses)) > 1:
        steps = addresses[1:] - addresses[:-1]
        step = steps[0]
        other = steps != step
        length = int(other.argmax()) + 1  # argmax is 0 if all steps are the same
        if abs(step) > FAR:
            return None
        if length == 1:
            return found
        other[length - 1 :: length] = False
        if n % length or other.any():
            return None
        size *= length
        found.append(size)
        addresses = addresses[::length]
    return found


def nest(lists: np.ndarray) -> tuple[tuple[int, ...], np.ndarray] | None:
    """Factor the rows of `lists` (K, n) together: (shape, strides (K, ndim)), or None.

    >>> nest(np.array([[0, 0, 1, 1], [5, 7, 5, 7]]))
    ((2, 2), array([[1, 0],
           [0, 2]]))
    """
    loops = Loops(lists.shape[1])
    if not all(map(loops.take, lists)):
        return None
    strides = np.array([loops.strides(row) for row in lists], dtype=np.intp)
    return loops.shape, strides.reshape(len(lists), len(loops.shape))


def segments(lists: np.ndarray, limit: int) -> list[int] | None:
    """Where to cut the lists so that each piece factors: the ends of the pieces.

    None if that takes more than `limit` pieces.
    """
    n, start = lists.shape[1], 0
    ends: list[int] = []
    while start < n:
        if len(ends) == limit:
            return None
        start += _longest_prefix(lists[:, start:])
        ends.append(start)
    return ends


def _longest_prefix(lists: np.ndarray) -> int:
    """The length of the longest beginning that `nest` factors, as far as whole blocks go."""
    inner = 1
    while lists.shape[1] > 1:
        step = lists[:, 1:] - lists[:, :-1]
        same = (step == step[:, :1]).all(axis=0)
        length = lists.shape[1] if same.all() else int(same.argmin()) + 1
        whole = lists.shape[1] // length
        blocks = lists[:, : whole * length].reshape(lists.shape[0], whole, length)
        regular = (blocks - blocks[:, :, :1] == blocks[:, :1] - blocks[:, :1, :1]).all(axis=(0, 2))
        kept = whole if regular.all() else int(regular.argmin())
        lists = blocks[:, :kept, 0]
        inner *= length
    return inner


def squeezed(addresses: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, tuple[int, ...]]:
    """A gather without the loops along which it stands still: its addresses, and strides."""
    cube = addresses.reshape(shape)
    keep = []
    for axis, length in enumerate(shape):
        first = cube.take([0], axis=axis)
        constant = length == 1 or bool((cube == first).all())
        keep.append(not constant)
        if constant:
            cube = first
    strides, step = [0] * len(shape), 1
    for axis in reversed(range(len(shape))):
        if keep[axis]:
            strides[axis] = step
            step *= shape[axis]
    return np.ascontiguousarray(cube).reshape(-1), tuple(strides)


def distinct(addresses: np.ndarray) -> np.ndarray:
    """The different addresses, ascending.

    By sorting: np.unique hashes, which for 200,000 even numbers takes a hundred times as long.
    """
    found = np.sort(addresses, axis=None)
    return found[np.concatenate(([True], found[1:] != found[:-1]))] if found.size else found
