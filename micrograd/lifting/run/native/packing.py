"""Operands copied so that the loop in lanes finds its numbers side by side.

y = x W^T reads W across its rows when outputs are the lanes; a copy of W the other way round, made
once a call, turns eight loads into one. It pays where the product goes through W often enough.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from micrograd.lifting.run.native.nests import Nest, Statement, merged
from micrograd.lifting.run.native.plans import cheapest, cost
from micrograd.lifting.steps.expression import Read
from micrograd.lifting.steps.ir import Array, View
from micrograd.lifting.steps.walks import dense

__all__ = ["SCRATCH", "packed"]

SCRATCH = "packed operands"
_COPY = 1.5  # instructions for each number that is copied


def packed(nests: Sequence[Nest]) -> tuple[list[Nest], int]:
    """The nests with copies where they pay, and how many numbers the copies take."""
    made: list[Nest] = []
    known: dict[tuple[View, tuple[int, ...]], View] = {}
    size = 0
    for nest in nests:
        found = _worth_copying(nest)
        if found is not None:
            view, lane = found
            loops = [k for k in range(len(nest.loops)) if view.strides[k] and k != lane]
            loops = [*sorted(loops, key=lambda k: -abs(view.strides[k])), lane]
            sizes = tuple(nest.loops[k] for k in loops)
            key = (view.along(loops), sizes)
            if key not in known:
                array = Array(SCRATCH, (0,), "result")
                copy = View(array, size, dense(sizes))
                size += -(-math.prod(sizes) // 8) * 8
                made.append(_copy(view.along(loops), copy, sizes))
                if view.array.given:
                    known[key] = copy
            else:
                copy = known[key]
            nest = _reading(nest, view, _spread(copy, loops, len(nest.loops)))
        made.append(nest)
    return made, size


def _copy(view: View, copy: View, sizes: tuple[int, ...]) -> Nest:
    return merged(Nest(sizes, len(sizes), [Statement(Read(0), (view,), copy)]))


def _worth_copying(nest: Nest) -> tuple[View, int] | None:
    """A view and a loop for the lanes, if a copy makes the nest cheaper."""
    if nest.combine is None or nest.serial:
        return None
    best, found = cost(nest, cheapest(nest)), None
    views = dict.fromkeys(v for s in nest.body for v in s.views if v.index is None)
    for view in views:
        if view.gather is not None:
            continue
        for lane in range(nest.outer):
            if abs(view.strides[lane]) <= 1 or nest.loops[lane] < 4:
                continue
            trial = _reading(nest, view, _as_if_packed(view, lane))
            count = math.prod(n for n, s in zip(nest.loops, view.strides, strict=True) if s)
            price = cost(trial, lane) + _COPY * count
            if price < best:
                best, found = price, (view, lane)
    return found


def _as_if_packed(view: View, lane: int) -> View:
    strides = tuple(1 if k == lane else s and max(2, s) for k, s in enumerate(view.strides))
    return View(Array(SCRATCH, (0,), "result"), 0, strides)


def _spread(copy: View, loops: Sequence[int], count: int) -> View:
    strides = [0] * count
    for k, stride in zip(loops, copy.strides, strict=True):
        strides[k] = stride
    return replace(copy, strides=tuple(strides))


def _reading(nest: Nest, old: View, new: View) -> Nest:
    """The nest with another view in the place of one."""
    body = [replace(s, reads=tuple(new if x == old else x for x in s.reads)) for s in nest.body]
    return replace(nest, body=body)
