"""A nest in other loops that make the same turns, so that it can be joined with its neighbour."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from micrograd.lifting.run.native.nests import Nest, Statement
from micrograd.lifting.steps.ir import View

__all__ = ["inner_recast", "recast", "turns_between"]

Turns = Sequence[Mapping[int, int]]  # for each new loop: how far it moves the old ones


def turns_between(
    new: Sequence[int], new_strides: Sequence[int], old: Sequence[int], old_strides: Sequence[int]
) -> Turns | None:
    """How one turn of each new loop moves the old loops, if both walk the same elements."""
    order = sorted(range(len(old)), key=lambda k: -old_strides[k])
    reach = [0] * len(old)
    found = []
    for n, stride in zip(new, new_strides, strict=True):
        digits: dict[int, int] = {}
        left = stride
        for k in order:
            if old_strides[k] <= 0 or left < 0:
                return None
            digit, left = divmod(left, old_strides[k])
            if digit:
                digits[k] = digit
                reach[k] += digit * (n - 1)
        if left:
            return None
        found.append(digits)
    if not (_apart(new, new_strides) and _apart(old, old_strides)):
        return None
    if any(r > n - 1 for r, n in zip(reach, old, strict=True)):
        return None
    return found


def _apart(loops: Sequence[int], strides: Sequence[int]) -> bool:
    """Whether no element is met twice."""
    reach = 0
    for stride, n in sorted(zip(strides, loops, strict=True)):
        if stride <= reach:
            return False
        reach += stride * (n - 1)
    return True


def recast(nest: Nest, loops: Sequence[int], turns: Turns) -> Nest:
    """The nest with other outer loops, that make the same turns."""
    outer = nest.outer
    inner = range(outer, len(nest.loops))

    def over(view: View) -> View:
        strides = [sum(view.strides[k] * n for k, n in digits.items()) for digits in turns]
        strides += [view.strides[k] for k in inner if k < len(view.strides)]
        index = None if view.index is None else over(view.index)
        return replace(view, strides=tuple(strides), index=index)

    return replace(
        nest,
        loops=(*loops, *nest.loops[outer:]),
        outer=len(loops),
        body=[_viewed(s, over) for s in nest.body],
        after=[_viewed(s, over) for s in nest.after],
    )


def inner_recast(nest: Nest, loops: Sequence[int], turns: Turns) -> Nest:
    """A reduction of everything, with other inner loops."""
    trial = recast(replace(nest, outer=len(nest.loops), after=[]), loops, turns)
    return replace(trial, outer=0, after=nest.after)


def _viewed(statement: Statement, change: Callable[[View], View]) -> Statement:
    reads = tuple(change(x) if isinstance(x, View) else x for x in statement.reads)
    out = None if statement.out is None else change(statement.out)
    return replace(statement, reads=reads, out=out)
