"""Lists of addresses become strided views, or gathers.

The addresses that a group of nodes reads are lists of integers. `nest` factors several such lists
together into nested loops with constant strides: find the first break in the constant difference,
split there, and do the same with what is left. `(100, 16, 16)` with a stride of 0 here and there is
a matrix product; what does not factor is read through its list of addresses.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["FAR", "Access", "distinct", "nest", "segments", "squeezed"]

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


def nest(lists: np.ndarray) -> tuple[tuple[int, ...], np.ndarray] | None:
    """Factor the rows of `lists` (K, n) together: (shape, strides (K, ndim)), or None.

    >>> nest(np.array([[0, 0, 1, 1], [5, 7, 5, 7]]))
    ((2, 2), array([[1, 0],
           [0, 2]]))
    """
    shape: list[int] = []
    strides: list[np.ndarray] = []
    while lists.shape[1] > 1:
        n = lists.shape[1]
        step = lists[:, 1:] - lists[:, :-1]
        same = (step == step[:, :1]).all(axis=0)
        length = n if same.all() else int(same.argmin()) + 1
        if n % length or np.abs(step[:, 0]).max() > FAR:
            return None
        blocks = lists.reshape(lists.shape[0], n // length, length)
        if (
            length < n
            and ((blocks - blocks[:, :, :1]) != (blocks[:, :1] - blocks[:, :1, :1])).any()
        ):
            return None
        shape.append(length)
        strides.append(step[:, 0])
        lists = blocks[:, :, 0]
    if not shape:
        return (), np.zeros((lists.shape[0], 0), dtype=np.intp)
    return tuple(reversed(shape)), np.stack(strides[::-1], axis=1)


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
