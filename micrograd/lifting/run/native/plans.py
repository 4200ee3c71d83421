"""Which loop of a nest runs in the lanes of vectors, and which results are held in registers.

Each loop is tried as the one in lanes, and the cheapest is taken by a count of loads: numbers side
by side cost one for a vector, numbers apart one a lane. With a reduction, several results are
worked on at once (`vectors` times `rows`), so that what they share is loaded once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from micrograd.lifting.run.native.nests import Nest, weight
from micrograd.lifting.steps.ir import View

__all__ = ["LANES", "Plan", "cheapest", "cost", "depends", "plan", "width_for"]

LANES = 8  # doubles in a vector; narrower processors take two or four registers for it
_HELD = 16  # results that are held in registers at once


@dataclass(frozen=True, slots=True)
class Plan:
    """`lane`: the loop in lanes, None if numbers are computed one by one; `row`: one more loop of
    which several turns are worked on at once."""

    lane: int | None = None
    width: int = 1
    vectors: int = 1
    row: int | None = None
    rows: int = 1
    split: int = 1  # sums that a reduction is made in, so that no addition waits for the last


def width_for(count: int) -> int:
    """The lanes that so many numbers take."""
    return min(LANES, 1 << (count - 1).bit_length())


def depends(view: View | None, loop: int) -> bool:
    """Whether a view is elsewhere in another turn of the loop."""
    while view is not None:
        if view.strides[loop]:
            return True
        view = view.index
    return False


def plan(nest: Nest) -> Plan:
    lane = cheapest(nest)
    if nest.serial:
        return Plan() if lane is None else Plan(lane, width_for(nest.loops[lane]))
    width = 1 if lane is None else width_for(nest.loops[lane])
    if nest.combine is None:
        if lane is None:
            return Plan()
        light = sum(weight(s.value) for s in nest.body) < 8
        count = nest.loops[lane] // width
        return Plan(lane, width, 2 if light and count >= 4 else 1)
    return _reduction(nest, lane, width)


def cheapest(nest: Nest) -> int | None:
    """The loop that is best run in lanes."""
    first = len(nest.loops) - nest.free if nest.serial else 0
    loops: list[int | None] = [None, *(k for k, n in enumerate(nest.loops) if n > 1 and k >= first)]
    return min(loops, key=lambda k: cost(nest, k))


def _reduction(nest: Nest, lane: int | None, width: int) -> Plan:
    outer = [k for k in range(nest.outer) if k != lane and nest.loops[k] > 1]
    views = [view for s in nest.body for view in s.views]
    row = max(outer, key=lambda k: _sharing(nest, views, k, lane), default=None)
    if row is not None and _sharing(nest, views, row, lane)[0] <= 0:
        row = None
    rows = 1 if row is None else nest.loops[row]
    if lane is not None and lane >= nest.outer:  # summed across lanes in the end
        rows = _part(rows, width)
        vectors = _part(nest.loops[lane] // width, max(1, 4 // rows))
        return Plan(lane, width, max(1, vectors), row, rows)
    count = 1 if lane is None else max(1, nest.loops[lane] // width)
    vectors = _part(count, 4 if rows < 4 else 2)
    rows = _part(rows, min(8, _HELD // vectors))
    inner = nest.loops[-1]
    split = min(4 // (vectors * rows), inner // 4) if vectors * rows < 4 else 1
    return Plan(lane, width, vectors, row, rows, max(1, split))


def _part(count: int, most: int) -> int:
    """The largest number up to `most` that divides `count`; where that is small, `most` itself."""
    if count <= most:
        return count
    best = max(k for k in range(1, most + 1) if count % k == 0)
    return best if 2 * best > most else most


def _sharing(nest: Nest, views: Sequence[View], row: int, lane: int | None) -> tuple[float, int]:
    """What is not loaded again for the next row."""
    shared = sum(
        1.0 if lane is None or depends(view, lane) else 0.4
        for view in views
        if not depends(view, row) and any(depends(view, k) for k in range(len(view.strides)))
    )
    if lane is not None and lane >= nest.outer:
        outs = [s.out for s in nest.after if s.out is not None]
        shared += 0.5 * sum(abs(view.strides[row]) == 1 for view in outs)
    return shared * (1 - 1 / nest.loops[row]), nest.loops[row]


def cost(nest: Nest, lane: int | None) -> float:
    """About how many instructions the nest takes with this loop in lanes."""
    turns = math.prod(nest.loops)
    results = math.prod(nest.loops[: nest.outer])
    body = sum(1 + weight(s.value) for s in nest.body)
    after = sum(1 + weight(s.value) for s in nest.after)
    if lane is None:
        every = _loads(nest.body, None, 1) + body
        return turns * every + results * (after + _loads(nest.after, None, 1)) + 1e-6
    n = nest.loops[lane]
    width = width_for(n)
    vectors = -(-n // width) / n
    inner = turns * vectors * (body + _loads(nest.body, lane, width))
    if lane >= nest.outer:
        return inner + results * (4 + after + _loads(nest.after, None, 1))
    return inner + results * vectors * (after + _loads(nest.after, lane, width))


def _loads(statements: Iterable[object], lane: int | None, width: int) -> float:
    cost = 0.0
    for statement in statements:
        views = {*statement.views, *([statement.out] if statement.out else [])}  # type: ignore[attr-defined]
        for view in views:
            direct = view.gather is None and view.index is None
            if lane is None or not depends(view, lane):
                cost += 0.5 if direct else 2
            elif direct and view.strides[lane] == 1:
                cost += 1
            elif direct:
                cost += 2 * width
            elif view.gather is None and not depends(view.index, lane):
                cost += 2 if view.strides[lane] == 1 else 1.5 * width
            else:
                cost += 4 * width
    return cost
