"""Neighbouring nests are joined, so that numbers pass from statement to statement in registers.

Two are joined where the later one is a map over the turns of the earlier one's result, or a
reduction of all that an earlier map makes. `recast` writes a nest in another's loops; what both
touch must then be the same element in the same turn.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from micrograd.lifting.run.native.nests import Local, Nest, weight
from micrograd.lifting.run.native.recasting import inner_recast, recast, turns_between
from micrograd.lifting.run.native.sewing import is_plain, sewn
from micrograd.lifting.run.native.signature import extent
from micrograd.lifting.steps.ir import View

__all__ = ["conflict", "fused"]

_BACK = 12  # nests that another may be moved over
_STATEMENTS = 14  # in one nest: more would not stay in registers
_WEIGHT = 160


def fused(nests: Sequence[Nest]) -> list[Nest]:
    """The nests in an order that computes the same, joined where that is possible."""
    made: list[Nest] = []
    for nest in nests:
        for k in range(len(made) - 1, max(-1, len(made) - 1 - _BACK), -1):
            joined = _joined(made[k], nest)
            if joined is not None:
                made[k] = joined
                break
            if conflict(made[k], nest):
                made.append(nest)
                break
        else:
            made.append(nest)
    return made


# --- what may not change places -------------------------------------------------------------------


def conflict(a: Nest, b: Nest) -> bool:
    """Whether one writes what the other one reads or writes; additions may change places."""
    first, second = list(_touched(a)), list(_touched(b))
    return any(
        (x[0] != y[0] or x[0] == "writes") and x[1] == y[1] and x[2] <= y[3] and y[2] <= x[3]
        for x in first
        for y in second
    )


def _touched(nest: Nest) -> Iterator[tuple[str, str, int, int]]:
    """("reads", "writes" or "adds", array, first, last) of everything that a nest touches."""
    looked_at = {x.number for s in nest.statements for x in s.reads if isinstance(x, Local)}
    if nest.combine is not None:
        looked_at.add(len(nest.body) - 1)
    for number, statement in enumerate(nest.statements):
        own = [("reads", view) for view in statement.views]
        if statement.out is not None:  # a sum that is looked at may not grow later
            adds = statement.accumulate and number not in looked_at
            own.append(("adds" if adds else "writes", statement.out))
        for what, view in own:
            yield (what, view.array.name, *extent(view, nest.loops))
            if view.index is not None:
                yield ("reads", view.index.array.name, *extent(view.index, nest.loops))


# --- joining two ----------------------------------------------------------------------------------


def _joined(first: Nest, second: Nest) -> Nest | None:
    if first.serial or second.serial or first.scatter or second.scatter:
        return None
    statements = [*first.statements, *second.statements]
    if len(statements) > _STATEMENTS or sum(weight(s.value) for s in statements) > _WEIGHT:
        return None
    if second.combine is not None and first.combine is not None:
        return None
    loops = first.loops[: first.outer]
    if math.prod(loops) != math.prod(second.loops):
        return None
    for a, b in _links(first, second):
        found = _in_same_loops(first, a, second, b)
        if found is not None and (joined := sewn(*found)) is not None:
            return joined
    return None


def _links(first: Nest, second: Nest) -> Iterator[tuple[View, View]]:
    """Views of one array, walked element by element by both nests."""
    count = first.outer
    own = [v for v in (*first.outs(), *first.reads()) if is_plain(v)]
    own = [v for v in own if all(v.strides[:count]) and not any(v.strides[count:])]
    for a in dict.fromkeys(own):
        for b in dict.fromkeys((*second.reads(), *second.outs())):
            if len(b.strides) != len(second.loops):  # of a result: not all loops
                continue
            if a.array == b.array and a.base == b.base and is_plain(b) and all(b.strides):
                yield a, b


def _in_same_loops(first: Nest, a: View, second: Nest, b: View) -> tuple[Nest, Nest] | None:
    """Both nests over the same loops, so that a and b are the same element in every turn."""
    loops = first.loops[: first.outer]
    strides = a.strides[: first.outer]
    if second.combine is None:
        turns = turns_between(loops, strides, second.loops, b.strides)
        if turns is not None:
            return first, recast(second, loops, turns)
        turns = turns_between(second.loops, b.strides, loops, strides)
        if turns is not None:
            return recast(first, second.loops, turns), second
        return None
    turns = turns_between(second.loops, b.strides, loops, strides)
    if turns is not None:
        return recast(first, second.loops, turns), second
    if second.outer == 0:
        turns = turns_between(loops, strides, second.loops, b.strides)
        if turns is not None:
            return first, inner_recast(second, loops, turns)
    return None
