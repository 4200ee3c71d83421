"""Where arrays lie in memory: one after the other in a buffer, or one inside another.

A step that only copies an array into a part of a larger one (results put side by side for a matrix
product), or out of it (their gradients), need not run if the smaller array lies in that part from
the start. `place` finds such copies. And a step whose operand nobody reads afterwards may write
over it. Executors that want a single buffer get their steps from `moved`.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from types import MappingProxyType

from micrograd.lifting.steps.expression import Read
from micrograd.lifting.steps.ir import Array, Step, View
from micrograd.lifting.steps.walks import dense, walk

__all__ = ["Placement", "moved", "place"]

_ALIGNED = 8  # arrays begin at multiples of so many elements: a line of the cache


@dataclass(frozen=True, slots=True)
class Placement:
    """The first element of each array that steps compute, and the steps that need not run.

    `over`: arrays that lie exactly where another one lay that is not needed any more.
    """

    starts: Mapping[Array, int]
    size: int
    copies: frozenset[int]  # by their number
    over: Mapping[Array, Array] = field(default_factory=dict)


def place(
    steps: Sequence[Step],
    fixed: Mapping[Array, int] = MappingProxyType({}),
    kept: Collection[Array] | None = None,
) -> Placement:
    """Put every array that the steps compute into one buffer.

    `fixed`: where some must begin. `kept`: those that are read afterwards; all, if None.
    """
    computed = dict.fromkeys(step.out.array for step in steps)
    writers: dict[Array, _Writers] = {}
    for number, step in enumerate(steps):
        writers.setdefault(step.out.array, _Writers()).numbers.append(number)
    inside: dict[Array, tuple[Array, int]] = {}
    copies = []
    for number, step in enumerate(steps):
        found = _embedding(step)
        if found is None or not computed.keys() >= set(found[:2]):
            continue
        if _may_share(steps, writers, number, *found):
            small, large, offset = found
            if small not in inside and small not in fixed and _root(large, 0, inside)[0] != small:
                inside[small] = large, offset
                copies.append(number)
    over = {} if kept is None else _overwritten(steps, kept, fixed, inside)
    starts = dict(fixed)
    size = _aligned(max((start + array.size for array, start in fixed.items()), default=0))
    for array in computed:
        if array not in inside and array not in fixed and array not in over:
            starts[array] = size
            size += _aligned(max(1, array.size))
    for array in over:  # in the order of the steps, so that each finds the one before it
        starts[array] = starts[over[array]]
    for array in inside:
        root, offset = _root(array, 0, inside)
        starts[array] = starts[root] + offset
    return Placement(starts, size, frozenset(copies), over)


def _overwritten(
    steps: Sequence[Step],
    kept: Collection[Array],
    fixed: Collection[Array],
    inside: Mapping[Array, tuple[Array, int]],
) -> dict[Array, Array]:
    """Which array may lie over which: their step is the last to read it, place by place."""
    apart = {*fixed, *inside, *(large for large, _ in inside.values())}
    first: dict[Array, int] = {}
    last: dict[Array, int] = {}
    for number, step in enumerate(steps):
        first.setdefault(step.out.array, number)
        last.update((view.array, number) for view in step.views)
    apart.update(step.out.array for step in steps if isinstance(step.value, float))
    found: dict[Array, Array] = {}
    for number, step in enumerate(steps):
        out = step.out
        new = first[out.array] == number and not step.accumulate and step.combine is None
        if not new or out.array in apart or out.gather is not None or out.index is not None:
            continue
        for view in step.reads:
            mine = [other for other in step.reads if other.array == view.array]
            same = all(other.at(out.array) == out for other in mine)
            dead = last[view.array] == number and first.get(view.array, number) < number
            free = view.array not in apart and view.array not in kept
            if same and dead and free and view.array.size == out.array.size:
                found[out.array] = view.array
                break
    return found


def _aligned(size: int) -> int:
    return -(-size // _ALIGNED) * _ALIGNED


def moved(steps: Sequence[Step], placement: Placement, memory: Array) -> list[Step]:
    """The steps that must run, rewritten for one array, `memory`, that holds all others."""
    return [
        replace(
            step,
            out=_moved(step.out, placement, memory),
            reads=tuple(_moved(view, placement, memory) for view in step.reads),
        )
        for number, step in enumerate(steps)
        if number not in placement.copies
    ]


def _moved(view: View, placement: Placement, memory: Array) -> View:
    if view.index is not None:
        view = replace(view, index=_moved(view.index, placement, memory))
    start = placement.starts.get(view.array)
    if start is None:
        return view
    if view.gather is None:
        return replace(view, array=memory, base=view.base + start)
    return replace(view, array=memory, gather=view.gather + start)


def _root(
    array: Array, offset: int, inside: Mapping[Array, tuple[Array, int]]
) -> tuple[Array, int]:
    """The array that holds this one in the end, and the offset at which it does."""
    while array in inside:
        array, more = inside[array]
        offset += more
    return array, offset


def _embedding(step: Step) -> tuple[Array, Array, int] | None:
    """(small, large, offset) if a step copies a whole array to or from a run of a larger one."""
    if step.value != Read(0) or step.accumulate or step.combine is not None:
        return None
    (read,) = step.reads
    for view in (step.out, read):
        in_order = view.strides == dense(step.loops) or math.prod(step.loops) == 1
        if view.gather is not None or view.index is not None or view.array.given or not in_order:
            return None
    count = math.prod(step.loops)
    for small, large in ((read, step.out), (step.out, read)):
        if small.array.size == count and small.array != large.array:
            return small.array, large.array, large.base
    return None


class _Writers:
    """The steps that write one array, by their number, and those of them that write into a part.

    A recurrence writes an array in as many steps as it has turns, and each is asked about.
    """

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self._lows: list[int] | None = None

    def into(self, steps: Sequence[Step], first: int, end: int) -> list[int]:
        """Those that may write places from `first` on, before `end`."""
        if self._lows is None:
            reach = sorted((*_reach(steps[k]), k) for k in self.numbers)
            self._lows = [low for low, _, _ in reach]
            self._highest = list(accumulate((high for _, high, _ in reach), max))
            self._sorted = [k for _, _, k in reach]
        return self._sorted[bisect_left(self._highest, first) : bisect_left(self._lows, end)]


def _reach(step: Step) -> tuple[int, int]:
    """The first and the last place of its array that a step may write."""
    if step.out.gather is not None or step.out.index is not None:
        return 0, step.out.array.size
    return step.out.reach(step.loops)


def _may_share(
    steps: Sequence[Step], writers: Mapping[Array, _Writers], number: int,
    small: Array, large: Array, offset: int,
) -> bool:  # fmt: skip
    """Whether no step writes either array's numbers after the copy, or the target's before it."""
    target = steps[number].out.array
    asked = [*writers[small].numbers, *writers[large].into(steps, offset, offset + small.size)]
    for step, k in ((steps[k], k) for k in asked):
        if k == number or (k < number and step.out.array != target):
            continue
        if step.out.array == small or _meets(step, offset, offset + small.size):
            return False
    return True


def _meets(step: Step, first: int, end: int) -> bool:
    """Whether a step writes places from `first` on, before `end`."""
    if step.out.gather is None and step.out.index is None:
        low, high = step.out.reach(step.loops)
        if high < first or low >= end:
            return False
    places = walk(step.out, step.loops)
    return bool(((places >= first) & (places < end)).any())
