"""Neighbouring nests made one, so that numbers go from statement to statement in registers.

Two are joined where the later one is a map over the turns of the earlier one's result, or a
reduction of all that an earlier map makes. `recast` writes a nest in another's loops; what both
touch must then be the same element in the same turn.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from micrograd import ops
from micrograd.lifting.run.native.nests import Local, Nest, Statement, weight
from micrograd.lifting.run.native.signature import extent
from micrograd.lifting.steps.expression import Apply, Read
from micrograd.lifting.steps.ir import View

__all__ = ["conflict", "fused"]

_BACK = 12  # nests that another may be moved over
_STATEMENTS = 14  # in one nest: more would not stay in registers
_WEIGHT = 160

Turns = Sequence[Mapping[int, int]]  # for each new loop: how far it moves the old ones


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


def unstored(nests: Sequence[Nest], kept: Sequence[tuple[int, int]]) -> list[Nest]:
    """The nests without stores of numbers that nobody reads; `kept`: ranges that are asked for."""
    reads = [(v.array, *extent(v, n.loops)) for n in nests for v in n.reads()]
    reads += [
        (s.out.array, *extent(s.out, n.loops))
        for n in nests
        for s in n.statements
        if s.out is not None and s.accumulate
    ]
    reads += [
        (v.index.array, *extent(v.index, n.loops))
        for n in nests
        for v in (*n.reads(), *n.outs())
        if v.index is not None
    ]

    def without(statement: Statement, nest: Nest) -> Statement:
        out = statement.out
        if out is None or statement.accumulate or nest.serial:
            return statement
        low, high = extent(out, nest.loops)
        if any(low < end and first <= high for first, end in kept):
            return statement
        if any(a == out.array and low <= last and first <= high for a, first, last in reads):
            return statement
        return replace(statement, out=None)

    found = []
    for nest in nests:
        body = [without(s, nest) for s in nest.body]
        after = [without(s, nest) for s in nest.after]
        slim = replace(nest, body=body, after=after)
        if any(True for _ in slim.outs()):
            found.append(slim)
    return found


# --- what may not change places -------------------------------------------------------------------


def conflict(a: Nest, b: Nest) -> bool:
    """Whether one of them writes what the other one reads or writes."""
    first, second = list(_touched(a)), list(_touched(b))
    return any(
        (x[0] or y[0]) and x[1] == y[1] and x[2] <= y[3] and y[2] <= x[3]
        for x in first
        for y in second
    )


def _touched(nest: Nest) -> Iterator[tuple[bool, str, int, int]]:
    """(written, array, first, last) of everything that a nest touches."""
    for view in nest.outs():
        yield (True, view.array.name, *extent(view, nest.loops))
        if view.index is not None:
            yield (False, view.index.array.name, *extent(view.index, nest.loops))
    for view in nest.reads():
        yield (False, view.array.name, *extent(view, nest.loops))
        if view.index is not None:
            yield (False, view.index.array.name, *extent(view.index, nest.loops))


def _plain(view: View) -> bool:
    return view.gather is None and view.index is None


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
        if found is not None and (joined := _sewn(*found)) is not None:
            return joined
    return None


def _links(first: Nest, second: Nest) -> Iterator[tuple[View, View]]:
    """Views of one array, walked element by element by both nests."""
    count = first.outer
    own = [v for v in (*first.outs(), *first.reads()) if _plain(v)]
    own = [v for v in own if all(v.strides[:count]) and not any(v.strides[count:])]
    for a in dict.fromkeys(own):
        for b in dict.fromkeys((*second.reads(), *second.outs())):
            if len(b.strides) != len(second.loops):  # of a result: not all loops
                continue
            if a.array == b.array and a.base == b.base and _plain(b) and all(b.strides):
                yield a, b


def _in_same_loops(first: Nest, a: View, second: Nest, b: View) -> tuple[Nest, Nest] | None:
    """Both nests over the same loops, so that a and b are the same element in every turn."""
    loops = first.loops[: first.outer]
    strides = a.strides[: first.outer]
    if second.combine is None:
        turns = _turns(loops, strides, second.loops, b.strides)
        if turns is not None:
            return first, recast(second, loops, turns)
        turns = _turns(second.loops, b.strides, loops, strides)
        if turns is not None:
            return recast(first, second.loops, turns), second
        return None
    turns = _turns(second.loops, b.strides, loops, strides)
    if turns is not None:
        return recast(first, second.loops, turns), second
    if second.outer == 0:
        turns = _turns(loops, strides, second.loops, b.strides)
        if turns is not None:
            return first, _inner_recast(second, loops, turns)
    return None


def _turns(
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


def _inner_recast(nest: Nest, loops: Sequence[int], turns: Turns) -> Nest:
    """A reduction of everything, with other inner loops."""
    trial = recast(replace(nest, outer=len(nest.loops), after=[]), loops, turns)
    return replace(trial, outer=0, after=nest.after)


def _viewed(statement: Statement, change: object) -> Statement:
    reads = tuple(change(x) if isinstance(x, View) else x for x in statement.reads)  # type: ignore[operator]
    out = None if statement.out is None else change(statement.out)  # type: ignore[operator]
    return replace(statement, reads=reads, out=out)


def _sewn(first: Nest, second: Nest) -> Nest | None:
    """One nest of two over the same loops; None if they meet anywhere but in the same turn."""
    before = first.statements
    at_end = second.combine is None
    outer = first.outer if at_end else len(second.loops)
    written: dict[View, int] = {}  # what later statements find in a register
    places = [(v, True, k) for k, s in enumerate(before) if (v := s.out) is not None]
    places += [(v, False, k) for k, s in enumerate(before) for v in s.views]
    inner = first.combine is not None
    shift = len(before)
    loops = (*first.loops[:outer],) if at_end else second.loops
    for statement in second.statements if at_end else second.body:
        own = [(v, False) for v in statement.views]
        own += [(statement.out, True)] if statement.out is not None else []
        for view, writes in own:
            for other, wrote, k in places:
                if not (writes or wrote) or not _meet(view, other, loops, first.loops):
                    continue
                if not _same_turn(view, other, outer) or (inner and k < len(first.body)):
                    return None
    # an index that somebody has just written is not looked at again
    for view in (*second.reads(), *second.outs()):
        if view.index is not None and any(
            wrote and _meet(view.index, other, loops, first.loops) for other, wrote, _ in places
        ):
            return None
    for k, s in enumerate(before):
        if s.out is not None:
            written[s.out] = k

    def local(statement: Statement, number: int) -> Statement:
        reads = tuple(
            Local(x.number + shift) if isinstance(x, Local) else _found(x, written)
            for x in statement.reads
        )
        statement = _added_to(replace(statement, reads=reads), written, before)
        if statement.out is not None:
            written[statement.out] = number
        return statement

    if not at_end and any(_meets_any(s, places, loops, first.loops) for s in second.after):
        return None
    made = [local(s, shift + k) for k, s in enumerate(second.body)]
    if at_end:
        if first.combine is None:
            return replace(first, body=[*before, *made])
        return replace(first, body=before[: len(first.body)],
                       after=[*before[len(first.body) :], *made])  # fmt: skip
    after = [
        replace(
            s,
            reads=tuple(Local(x.number + shift) if isinstance(x, Local) else x for x in s.reads),
        )
        for s in second.after
    ]
    return replace(second, body=[*before, *made], after=after)


def _added_to(
    statement: Statement, written: Mapping[View, int], before: list[Statement]
) -> Statement:
    """What is added to a number just written is written with it: t = a, t += b is t = a + b."""
    if not statement.accumulate or statement.out is None or statement.out not in written:
        return statement
    number = written[statement.out]
    if number >= len(before) or before[number].accumulate:
        return statement
    before[number] = replace(before[number], out=None)
    total = Apply(ops.add, (Read(len(statement.reads)), statement.value))
    return replace(
        statement, value=total, reads=(*statement.reads, Local(number)), accumulate=False
    )


def _found(view: View, written: Mapping[View, int]) -> View | Local:
    return Local(written[view]) if view in written else view


def _same_turn(view: View, other: View, outer: int) -> bool:
    if not (_plain(view) and _plain(other)):
        return False
    return view.base == other.base and view.strides[:outer] == other.strides[:outer]


def _meet(a: View, b: View, loops: Sequence[int], others: Sequence[int]) -> bool:
    """Whether two views may touch the same element."""
    if a.array != b.array:
        return False
    low, high = extent(a, loops)
    first, last = extent(b, others if len(b.strides) == len(others) else loops)
    return low <= last and first <= high


def _meets_any(
    statement: Statement, places: Sequence[tuple[View, bool, int]], loops: Sequence[int],
    others: Sequence[int],
) -> bool:  # fmt: skip
    """Whether what runs after a reduction touches what the joined map touches."""
    for view in statement.views:
        if any(wrote and _meet(view, other, loops, others) for other, wrote, _ in places):
            return True
    out = statement.out
    return out is not None and any(_meet(out, other, loops, others) for other, _, _ in places)
