"""Operands are copied so that the loop in lanes finds its numbers side by side.

y = x W^T reads W across its rows when outputs are the lanes; a transposed copy of W, made once
a call, turns eight loads into one. It pays where the product goes through W often enough.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from micrograd.lifting.run.native.nests import Nest, Statement, merged
from micrograd.lifting.run.native.plans import cheapest, cost
from micrograd.lifting.run.native.tiling import Tiled, Unit, carried
from micrograd.lifting.steps.expression import Read
from micrograd.lifting.steps.ir import Array, View
from micrograd.lifting.steps.walks import dense

__all__ = ["SCRATCH", "packed"]

SCRATCH = "packed operands"
_COPY = 1.5  # instructions for each number that is copied
_COPIES = 4  # for one nest


def packed(units: Sequence[Unit]) -> tuple[list[Unit], int]:
    """The units with copies where they pay, and how many numbers the copies take."""
    packer = _Packer()
    for unit in units:
        packer.add(unit)
    return packer.units, packer.size


class _Packer:
    """The units so far, and the copies made for them, which later nests may read, too."""

    def __init__(self) -> None:
        self.units: list[Unit] = []
        self.size = 0
        self.known: dict[tuple[View, tuple[int, ...]], View] = {}

    def add(self, unit: Unit) -> None:
        nests = []
        for one in unit.nests:
            whole = merged(one.nest)
            one = Tiled(whole, carried(one.nest, whole, one.steps))
            for _ in range(_COPIES):
                found = _worth_copying(one, unit.count)
                if found is None:
                    break
                copy, one = self.copied(one, *found)
                if copy is not None and copy.steps:
                    nests.append(copy)
                elif copy is not None:
                    self.units.append(Unit([copy]))
            nests.append(one)
        self.units.append(Unit(nests, unit.count))

    def copied(self, one: Tiled, view: View, lane: int) -> tuple[Tiled | None, Tiled]:
        """The nest that copies, if there is none yet, and the nest that reads the copy."""
        nest, step = one.nest, one.steps.get(view, 0)
        loops = [k for k, stride in enumerate(view.strides) if stride and k != lane]
        loops = [*sorted(loops, key=lambda k: -abs(view.strides[k])), lane]
        sizes = tuple(nest.loops[k] for k in loops)
        read = view.along(loops)
        made = None
        copy = self.known.get((read, sizes))
        if copy is None:
            copy = View(Array(SCRATCH, (0,), "result"), self.size, dense(sizes))
            self.size += -(-math.prod(sizes) // 8) * 8
            nest_of_copy = Nest(sizes, len(sizes), [Statement(Read(0), (read,), copy)])
            small = merged(nest_of_copy)
            within = not view.array.given or step  # a tile's own, or made anew for each use
            made = Tiled(small, carried(nest_of_copy, small, {read: step}) if within else {})
            if not within:
                self.known[read, sizes] = copy
        spread = _spread(copy, loops, len(view.strides))
        return made, Tiled(_reading(nest, view, spread), one.steps)


def _worth_copying(one: Tiled, times: int) -> tuple[View, int] | None:
    """A view and a loop for the lanes, if a copy makes the nest cheaper."""
    nest = one.nest
    if nest.serial or (nest.combine is None and times == 1):
        return None
    best, found = times * cost(nest, cheapest(nest)), None
    views = dict.fromkeys(v for s in nest.statements for v in s.views if v.index is None)
    for view in views:
        if view.gather is not None:
            continue
        for lane in range(nest.outer):
            if abs(view.strides[lane]) <= 1 or nest.loops[lane] < 4:
                continue
            trial = _reading(nest, view, _as_if_packed(view, lane))
            count = math.prod(n for n, s in zip(nest.loops, view.strides, strict=False) if s)
            once = view.array.given and not one.steps.get(view, 0)  # else in every tile
            price = times * cost(trial, lane) + _COPY * count * (1 if once else times)
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

    def read(statements: Sequence[Statement]) -> list[Statement]:
        return [
            replace(s, reads=tuple(new if x == old else x for x in s.reads)) for s in statements
        ]

    return replace(nest, body=read(nest.body), after=read(nest.after))
