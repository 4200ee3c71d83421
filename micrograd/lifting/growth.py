"""Recordings as functions of the batch size: numbers, constants and lists of addresses that grow.

`batch.py` finds them in recordings at a few sizes; `Fitted.at` gives the recording at any other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

__all__ = ["FORMS", "Curve", "Fitted", "Grown", "Moving", "StraightLine", "Tree"]


class StraightLine(NamedTuple):
    """slope * size + start."""

    slope: int
    start: int

    def at(self, size: int) -> int:
        return self.slope * size + self.start


class Curve(NamedTuple):
    """A constant that goes with the size: `FORMS[form]` of slope * size + start."""

    slope: float
    start: float
    form: int

    def at(self, size: int) -> float:
        return FORMS[self.form][1](self.slope * size + self.start)


# what to take of a constant so that a line is left, and how to come back from the line
FORMS: list[tuple[Callable[[float], float], Callable[[float], float]]] = [
    (lambda c: c, lambda line: line),
    (
        lambda c: 1.0 / c,
        lambda line: 1.0 / line,
    ),  # a mean: 1 / n; an unbiased variance: 1 / (n - 1)
    (lambda c: c * c, lambda line: line**0.5),
    (lambda c: 1.0 / (c * c), lambda line: line**-0.5),
    (lambda c: 1.0 / (c - 1.0), lambda line: 1.0 + 1.0 / line),  # n / (n - 1)
]


class Grown(NamedTuple):
    """Addresses that grow by one row for each row of the batch: row i is base + i * step."""

    length: StraightLine
    base: Any  # fitted arrays (slope, start)
    step: Any
    inner: bool  # whether the batch is the innermost loop (a sum over it), not the outermost

    def at(self, size: int) -> np.ndarray:
        rows = np.arange(self.length.at(size), dtype=np.int64)[:, None]
        base = self.base[0] * size + self.base[1]
        step = self.step[0] * size + self.step[1]
        found: np.ndarray = base + rows * step
        return (found.T if self.inner else found).reshape(-1)


class Moving(NamedTuple):
    """A list of addresses of one length, each of which moves with the size."""

    slope: np.ndarray
    start: np.ndarray

    def at(self, size: int) -> np.ndarray:
        found: np.ndarray = self.slope * size + self.start
        return found


class Tree(NamedTuple):
    """A tuple (or named tuple) with fitted parts in it."""

    kind: Any
    parts: tuple[Any, ...]


class Fitted:
    """A recording as a function of the batch size."""

    def __init__(self, tree: Any) -> None:
        self._tree = tree

    def at(self, size: int) -> Any:
        return _at(self._tree, size)


def _at(tree: Any, size: int) -> Any:
    if isinstance(tree, Tree):
        parts = [_at(part, size) for part in tree.parts]
        if tree.kind is list:
            return parts
        return tuple(parts) if tree.kind is tuple else tree.kind(*parts)
    return tree.at(size) if isinstance(tree, (StraightLine, Curve, Grown, Moving)) else tree
