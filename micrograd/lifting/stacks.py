"""Lists and tuples of like numbers, taken as one array: rows, floats, Values, nests of these.

So a function that is given 800 rows in a list has one argument of 800 rows, as if they came in an
array, and not 800 arguments. A list of pairs, rows with their labels, is one array a column.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from micrograd.engine import Value

__all__ = ["Columns", "Stack", "kinds_of", "stacked"]

_DEPTH = 8  # of lists in lists: a list that holds itself would never end
_SEQUENCES = ({list}, {tuple})
_DTYPE = attrgetter("dtype")


class Stack(NamedTuple):
    """The numbers of a list as an array; `levels` are the types and lengths of the lists."""

    array: np.ndarray
    levels: tuple[tuple[type[Any], int], ...]

    def spread(self, made: np.ndarray) -> Any:
        """A list of the same structure, with other numbers in the shape of `array`."""
        depth = len(self.levels)
        items = list(made.reshape(math.prod(made.shape[:depth]), *made.shape[depth:]))
        for kind, length in self.levels[:0:-1]:
            items = [kind(items[i : i + length]) for i in range(0, len(items), length)]
        return self.levels[0][0](items)


class Columns(NamedTuple):
    """A list of tuples: what stands at each position of the tuples."""

    columns: tuple[Stack, ...]


def stacked(x: Any) -> Stack | Columns | None:
    """A list or tuple as one array, or as one a column; None where its items are not alike."""
    stack = _stack(x)
    if stack is not None or type(x) is not list or set(map(type, x)) != {tuple}:
        return stack
    if len(set(map(len, x))) > 1:
        return None
    columns = tuple(_stack(column) for column in zip(*x, strict=True))
    whole = tuple(column for column in columns if column is not None)
    return Columns(whole) if whole and len(whole) == len(columns) else None


def _stack(x: Sequence[Any]) -> Stack | None:
    levels = [(type(x), len(x))]
    kinds = kinds_of(x)
    while kinds in _SEQUENCES and len(levels) < _DEPTH:
        if len(set(map(len, x))) > 1:
            return None
        levels.append((type(x[0]), len(x[0])))
        x = list(chain.from_iterable(x))
        kinds = kinds_of(x)
    array = _joined(x, kinds) if x else None
    if array is None:
        return None
    lengths = [length for _, length in levels]
    return Stack(array.reshape(*lengths, *array.shape[1:]), tuple(levels))


def kinds_of(x: Sequence[Any]) -> set[type[Any]]:
    """The types of the items."""
    if x and isinstance(x[0], Value) and len(set(map(id, map(type, x)))) == 1:
        return {type(x[0])}  # the types of Values take longer to hash
    return set(map(type, x))


def _joined(x: Sequence[Any], kinds: set[type[Any]]) -> np.ndarray | None:
    """Numbers, Values or arrays of one shape and dtype as one array; else None."""
    first = x[0]
    if kinds == {np.ndarray}:
        return _rows(x) if first.shape else None
    if all(issubclass(kind, Value) for kind in kinds):
        return np.fromiter(x, dtype=object, count=len(x))
    one_kind = len(kinds) == 1 and isinstance(first, (np.floating, np.integer, np.bool_))
    if one_kind or all(issubclass(kind, float) for kind in kinds):
        return np.array(x)
    return None


def _rows(x: Sequence[np.ndarray]) -> np.ndarray | None:
    """Arrays of one shape and dtype as one, in less time than it takes to compare shapes."""
    try:
        joined = np.concatenate(x)
    except ValueError:  # they differ in a later axis
        return None
    if len(set(map(len, x))) > 1 or len(set(map(_DTYPE, x))) > 1:
        return None
    return joined.reshape(len(x), *x[0].shape)
