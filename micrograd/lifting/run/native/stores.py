"""Stores that nothing reads are left out: what stays in registers need not go to memory as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from micrograd.lifting.run.native.nests import Nest, Statement
from micrograd.lifting.run.native.signature import extent

__all__ = ["unstored"]


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
