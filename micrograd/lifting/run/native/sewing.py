"""Two nests over the same loops are joined if they touch the same element only in the same turn.

What the first one writes, the second one finds in a register; if it adds to that number, only the
sum goes to memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from micrograd import ops
from micrograd.lifting.run.native.nests import Local, Nest, Statement
from micrograd.lifting.run.native.signature import extent
from micrograd.lifting.steps.expression import Apply, Read
from micrograd.lifting.steps.ir import View

__all__ = ["is_plain", "sewn"]


def is_plain(view: View) -> bool:
    return view.gather is None and view.index is None


def sewn(first: Nest, second: Nest) -> Nest | None:
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
    """A statement that adds to what was just written, as one that writes the sum: t = a + b."""
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
    if not (is_plain(view) and is_plain(other)):
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
