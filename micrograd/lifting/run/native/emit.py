"""One nest as a function of LLVM's language, by its plan.

The function takes a pointer for each place where its views begin (`Signature`), so nests of equal
shape share one. Loops are opened from the outside in; pointers move along with them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from micrograd.lifting.run.native.memory import At, Memory
from micrograd.lifting.run.native.nests import Nest
from micrograd.lifting.run.native.plans import Plan, depends, width_for
from micrograd.lifting.run.native.reductions import ReductionWriter, Sums
from micrograd.lifting.run.native.rows import Rows

__all__ = ["write"]


def write(rows: Rows, nest: Nest, plan: Plan, memory: Memory) -> None:
    """The code of a nest, up to its return."""
    _Writer(rows, nest, plan, memory).outer_loops()


class _Writer(ReductionWriter):
    """Writes the outer loops of a nest, and what is in them."""

    def outer_loops(self) -> None:
        special = (self.plan.lane, self.plan.row)
        serial = [k for k in range(self.nest.outer) if k not in special]
        at = At(self.memory.start(), None, 1, 1)
        self.serial(serial, at)

    def serial(self, loops: Sequence[int], at: At) -> None:
        if not loops:
            self.tiled(self.plan.row, self.plan.rows, at, self.lanes)
            return
        self.turns(loops[0], self.nest.loops[loops[0]], 1, at, lambda x: self.serial(loops[1:], x))

    def turns(self, k: int, stop: int, step: int, at: At, inside: Callable[[At], None]) -> None:
        """Write `inside` for the turns 0, step, ... of a loop."""
        if stop <= step:
            inside(at)
            return
        loop = self.code.open(stop, step)
        self.memory.enter()
        inside(replace(at, pointers=self.memory.moved(at.pointers, k, loop.index)))
        self.memory.leave()
        self.code.close(loop)

    def tiled(self, k: int | None, size: int, at: At, inside: Callable[[At, int], None]) -> None:
        """Write `inside` for `size` turns of a loop at a time, then for those that are left."""
        n = 1 if k is None else self.nest.loops[k]
        whole = n // size * size
        if whole and k is not None:
            self.turns(k, whole, size, at, lambda x: inside(x, size))
        elif whole:
            inside(at, size)
        if n > whole:
            self.memory.enter()
            inside(at.moved(self.memory, k, whole), n - whole)
            self.memory.leave()

    def lanes(self, at: At, rows: int) -> None:
        """Write the loop in lanes: several vectors at a time, then smaller ones for the rest."""
        plan, lane = self.plan, self.plan.lane
        if lane is None or self.across:
            self.block(at, rows, [replace(at, lane=None, width=1, count=1)])
            return
        self.preload(at, rows, lane)

        def vectors(here: At, count: int) -> None:
            starts = range(0, count, plan.width)
            chunks = []
            for start in starts:
                found = min(plan.width, count - start)
                moved = here.moved(self.memory, lane, start)
                chunks.append(replace(moved, lane=lane, width=width_for(found), count=found))
            self.block(here, rows, chunks)

        self.tiled(lane, plan.width * plan.vectors, at, vectors)

    def preload(self, at: At, rows: int, lane: int) -> None:
        """Read what does not move along the loop in lanes before that loop begins."""
        if self.nest.combine is not None:
            return
        outs = [s.out for s in self.nest.body if s.out is not None]
        for view in (*outs, *self.nest.reads()):
            if view.index is not None and not depends(view.index, lane):
                self.memory.find_row(view, at)
        for view in self.nest.reads():
            if not depends(view, lane) and self.memory.lasts(view):
                self.memory.read(view, at)

    # --- one block: some rows, some vectors -------------------------------------------------------

    def block(self, at: At, rows: int, chunks: Sequence[At]) -> None:
        places = [c.moved(self.memory, self.plan.row, r) for r in range(rows) for c in chunks]
        if self.nest.combine is None:
            for place in places:
                self.statements(self.nest.body, place, {})
            return
        if self.across:
            totals = self.reduced(places, self.plan.width, self.plan.vectors)
            self.finished_across(at, rows, totals)
            return
        totals = self.reduced(places, 0, self.plan.split)
        for place, total in zip(places, totals, strict=True):
            self.statements(self.nest.after, place, {len(self.nest.body) - 1: total})

    def finished_across(self, at: At, rows: int, totals: Sums) -> None:
        """Sum each vector across its lanes; the sums of several rows become one vector."""
        width = width_for(rows)
        total = self.across_lanes(totals, width)
        lane = self.plan.row if rows > 1 else None
        place = replace(at, lane=lane, width=width, count=rows)
        self.statements(self.nest.after, place, {len(self.nest.body) - 1: total})
