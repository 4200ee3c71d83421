"""Programs for any batch size, from recordings at three small ones.

A function that treats a batch uniformly records the same instructions at every size; only extents,
strides and addresses differ, and they are linear in the size. `fit` finds the linear functions from
two recordings and checks them on a third; `Fitted.at` computes the recording for any size without
running the function. `prove` compares that with a run at a larger size.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from micrograd.lifting.growth import FORMS, Curve, Fitted, Grown, Moving, StraightLine, Tree
from micrograd.lifting.strides import Access
from micrograd.lifting.tape import CONSTANT

__all__ = ["SIZES", "DoesNotExtend", "Extent", "Fitted", "fit", "prove"]

# A sum of two is a plain addition, so what grows with the batch shows from three on. At the last,
# larger size the function is only run, to see if it looks at the size (`X[:8]`, `len(X) > 10`).
# The second row is for functions with a constant that is 1/3 or 1/4; odd and even in each.
SIZES = (((3, 4, 6), 11), ((7, 12, 14), 23))


class DoesNotExtend(Exception):
    """The recordings are no linear functions of the batch size; the message says why."""


def fit(sizes: Sequence[int], recordings: Sequence[Any]) -> Fitted:
    """Linear functions through two recordings; DoesNotExtend if the third does not fit."""
    return Fitted(_fit(tuple(sizes), list(recordings), "the recording"))


class Extent(NamedTuple):
    """What a run of the function did: how many operations of each kind, constants, shapes."""

    kinds: Counter[Any]
    constants: list[float]
    shapes: list[tuple[int, ...]]


def prove(
    sizes: Sequence[int], kinds: Sequence[Counter[Any]], fitted: Fitted, size: int, run: Extent
) -> None:
    """DoesNotExtend unless a run at `size` agrees with what `fitted` says of that size.

    `kinds` are the operations of each recording. Compared are the results' shapes, the number of
    operations of each kind, and the constants.
    """
    asks = "does the function look at the batch size, as X[:8] or len(X) > 10 does?"
    recording = fitted.at(size)
    expected = [result.shape for result in recording.results]
    if expected != run.shapes:
        raise DoesNotExtend(
            f"at batch size {size} the results have shapes {run.shapes} instead of {expected}: "
            f"{asks}"
        )
    for kind in {**dict.fromkeys(run.kinds), **dict.fromkeys(kinds[0])}:
        name = kind.name
        if kind is CONSTANT:  # two that happen to be equal are one; they are compared below
            continue
        line = _line(tuple(sizes), [found[kind] for found in kinds], f"the number of {name} nodes")
        wanted = line.at(size) if isinstance(line, StraightLine) else line
        if run.kinds[kind] != wanted:
            raise DoesNotExtend(
                f"at batch size {size} there are {run.kinds[kind]:,} {name} nodes instead of "
                f"{wanted:,}: {asks}"
            )
    known = np.array(recording.layout.constants)
    for number in run.constants:
        if not np.isclose(known, number, rtol=1e-12, atol=0.0, equal_nan=True).any():
            raise DoesNotExtend(f"at batch size {size} there is a new constant, {number}: {asks}")


def _fit(sizes: tuple[int, ...], items: list[Any], where: str) -> Any:
    first = items[0]
    if any(type(item) is not type(first) for item in items):
        raise DoesNotExtend(f"{where} is of another kind at another batch size")
    if type(first) is int:
        return _line(sizes, items, where)
    if type(first) is float:
        return _curve(sizes, items, where)
    if type(first) is Access and first.gather is not None:
        return _gather(sizes, items, where)
    if isinstance(first, np.ndarray):
        return _moving(sizes, items, where)
    if isinstance(first, (tuple, list)):
        if len({len(item) for item in items}) > 1:
            lengths = [len(item) for item in items]
            raise DoesNotExtend(f"{where} has {lengths} parts at batch sizes {list(sizes)}")
        names = getattr(first, "_fields", range(len(first)))
        parts = tuple(
            _fit(
                sizes,
                list(column),
                f"{where}, {name}" if isinstance(name, str) else f"{where} {name}",
            )
            for name, column in zip(names, zip(*items, strict=True), strict=True)
        )
        kind = type(first)
        return Tree(kind, parts) if any(map(_moves, parts)) else first
    if any(item is not first and item != first for item in items):
        raise DoesNotExtend(f"{where} is {first!r} at one batch size and {items[-1]!r} at another")
    return first


def _moves(part: Any) -> bool:
    return isinstance(part, (Tree, StraightLine, Curve, Grown, Moving))


def _line(sizes: tuple[int, ...], values: list[int], where: str) -> Any:
    (m, n, *rest), (a, b, *others) = sizes, values
    slope, remainder = divmod(b - a, n - m)
    line = StraightLine(slope, a - slope * m)
    if remainder or any(line.at(s) != v for s, v in zip(rest, others, strict=True)):
        raise DoesNotExtend(f"{where} is {values} at batch sizes {list(sizes)}: not a line")
    return line if slope else a


def _curve(sizes: tuple[int, ...], values: list[float], where: str) -> Any:
    if len(set(values)) == 1 or all(math.isnan(v) for v in values):
        return values[0]
    for k, (straight, _) in enumerate(FORMS):
        try:
            a, b = straight(values[0]), straight(values[1])
        except ZeroDivisionError:
            continue
        slope = _rounded((b - a) / (sizes[1] - sizes[0]))
        curve = Curve(slope, _rounded(a - slope * sizes[0]), k)
        if np.allclose(values, [curve.at(size) for size in sizes], rtol=4e-16, atol=0):
            return curve
    raise DoesNotExtend(f"{where}, a constant, is {values} at batch sizes {list(sizes)}")


def _rounded(x: float) -> float:
    """x to 11 decimals: dividing by a rounded 1/11 gives 11.000000000000002, and 11 is meant."""
    return round(x, 11)


def _moving(sizes: tuple[int, ...], arrays: list[np.ndarray], where: str) -> Any:
    if len({array.shape for array in arrays}) > 1:
        raise DoesNotExtend(f"{where} has shapes {[array.shape for array in arrays]}")
    (m, n, *rest), (a, b, *others) = sizes, arrays
    slope, remainder = np.divmod(b - a, n - m)
    start = a - slope * m
    if remainder.any() or any(
        (slope * s + start != v).any() for s, v in zip(rest, others, strict=True)
    ):
        raise DoesNotExtend(
            f"{where}, a list of addresses, does not move in proportion to the batch"
        )
    return Moving(slope, start) if slope.any() else a


def _gather(sizes: tuple[int, ...], accesses: list[Access], where: str) -> Any:
    """A gathered operand: of one length, or growing by whole rows, each a constant step further."""
    lists = [access.gather for access in accesses]
    shape = _fit(sizes, [access.shape for access in accesses], f"{where}, shape")
    strides = _fit(sizes, [access.strides for access in accesses], f"{where}, strides")
    lengths = [len(found) for found in lists if found is not None]
    line = _line(sizes, lengths, f"{where}, length")
    if not isinstance(line, StraightLine):
        return Tree(Access, (0, shape, strides, _moving(sizes, lists, where)))  # type: ignore[arg-type]
    if line.start:
        raise DoesNotExtend(
            f"{where} reads {lengths} scattered places at batch sizes {list(sizes)}"
        )
    for inner in (False, True):
        rows = [f.reshape(-1, n).T if inner else f.reshape(n, -1) for n, f in zip(sizes, lists)]  # type: ignore[union-attr] # noqa: B905
        steps = [r[1] - r[0] for r in rows]
        even = [
            r[0] + np.arange(len(r))[:, None] * step for r, step in zip(rows, steps, strict=True)
        ]
        if all(np.array_equal(r, e) for r, e in zip(rows, even, strict=True)):
            base, step = (_moving(sizes, arrays, where) for arrays in ([r[0] for r in rows], steps))
            grown = Grown(StraightLine(1, 0), _as_pair(base), _as_pair(step), inner)
            return Tree(Access, (0, shape, strides, grown))
    raise DoesNotExtend(f"{where} reads places that do not advance evenly along the batch")


def _as_pair(x: Any) -> tuple[np.ndarray, np.ndarray]:
    return (x.slope, x.start) if isinstance(x, Moving) else (np.zeros_like(x), x)
