"""Nests over the same batch run in tiles: a few rows at a time, which stay in the cache.

In a run of nests, those that share a loop of N turns and never look at another turn's numbers are
put into one loop over tiles: what one writes the next one finds in the cache. Sums over the batch
are added to, tile after tile.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from micrograd import ops
from micrograd.lifting.run.native.alignment import aligned, meet, touched
from micrograd.lifting.run.native.fusing import conflict
from micrograd.lifting.run.native.nests import Nest, Statement, along
from micrograd.lifting.steps.ir import View

__all__ = ["Tiled", "Unit", "carried", "tiled"]

_CACHE = 4096  # numbers that a tile may touch: two thirds of the nearest cache
_LARGE = 64 * 1024  # numbers that nests touch, from which on tiles pay
_SMALLEST = 16  # a batch


@dataclass(frozen=True, slots=True)
class Tiled:
    """A nest of one tile; `steps`: how far each of its views moves from tile to tile."""

    nest: Nest
    steps: dict[View, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unit:
    """Nests that run one after the other, `count` times: once for each tile."""

    nests: list[Tiled]
    count: int = 1


@dataclass(slots=True)
class _Group:
    """A unit that is being put together; its nests have the batch as their first loop."""

    size: int
    before: list[Nest] = field(default_factory=list)
    inside: list[Nest] = field(default_factory=list)
    after: list[Nest] = field(default_factory=list)
    originals: list[Nest] = field(default_factory=list)

    def units(self) -> list[Unit]:
        rows = _rows(self.inside, self.size)
        if len(self.inside) < 2 or rows == self.size:
            return [Unit([Tiled(nest)]) for nest in self.originals]
        apart = [[Unit([Tiled(nest)]) for nest in nests] for nests in (self.before, self.after)]
        return [*apart[0], _unit(self.inside, self.size, rows), *apart[1]]


def tiled(nests: Sequence[Nest]) -> list[Unit]:
    """The nests as units, in an order that computes the same."""
    size = _batch(nests)
    units: list[Unit] = []
    group = _Group(size)
    for nest in nests:
        if not size or not _taken(nest, group):
            units += group.units()
            group = _Group(size)
            if not size or not _taken(nest, group):
                units.append(Unit([Tiled(nest)]))
    return units + group.units()


def _batch(nests: Sequence[Nest]) -> int:
    """The largest number of turns that divides loops of most of the work; 0 if there is none."""
    sizes = {n for nest in nests for n in nest.loops if n >= _SMALLEST}
    sizes |= {math.gcd(a, b) for a in sizes for b in sizes}
    work: Counter[int] = Counter()
    for nest in nests:
        turns = math.prod(nest.loops)
        for size in sizes:
            if size >= _SMALLEST and any(n % size == 0 for n in nest.loops):
                work[size] += turns
    most = max(work.values(), default=0)
    return max((size for size, turns in work.items() if turns > 0.8 * most), default=0)


def _taken(nest: Nest, group: _Group) -> bool:
    """Put a nest into the group, before it or behind it, if that computes the same."""
    waits = any(conflict(nest, other) for other in group.after)
    found = None if waits else _with_batch(nest, group)
    if found is not None:
        zeros, inside = found
        group.before += zeros
        group.inside.append(inside)
    elif not group.inside:
        return False
    elif not waits and not any(conflict(nest, other) for other in group.inside):
        group.before.append(nest)
    elif len(group.after) < 8 and math.prod(nest.loops) < _LARGE:
        group.after.append(nest)
    else:
        return False
    group.originals.append(nest)
    return True


# --- which loop is the batch ----------------------------------------------------------------------


def _with_batch(nest: Nest, group: _Group) -> tuple[list[Nest], Nest] | None:
    """What must be filled with zeros, and the nest with its batch as the first loop."""
    if nest.serial or nest.scatter or nest.combine not in (None, ops.add):
        return None
    if any(view.gather is not None for view in (*nest.reads(), *nest.outs())):
        return None
    for k, n in enumerate(nest.loops):
        if n % group.size == 0:
            found = _batch_first(nest, k, group.size)
            if found is not None and all(aligned(found[1], x, group.size) for x in group.inside):
                return found
    return None


def _batch_first(nest: Nest, k: int, size: int) -> tuple[list[Nest], Nest] | None:
    first = _first(nest, k, size)
    if k < nest.outer:
        moves = all(out.strides[0] > 0 for out in first.outs())
        return ([], first) if moves and aligned(first, first, size) else None
    if len(nest.after) > 1:
        return None  # what follows needs the sum over all tiles
    every = replace(first, after=[])
    if any(out.strides[0] <= 0 for out in every.outs()) or not aligned(every, every, size):
        return None
    (total,) = nest.after
    if total.out is None or any(meet(total.out, nest, view, nest) for view in nest.reads()):
        return None
    loops = nest.loops[: nest.outer]
    zeros = [] if total.accumulate else [Nest(loops, nest.outer, [Statement(0.0, (), total.out)])]
    added = [replace(s, accumulate=True) for s in first.after]
    return zeros, replace(first, after=added)


def _first(nest: Nest, k: int, size: int) -> Nest:
    """The nest with a part of loop k as its first loop; outer, even where it is summed."""
    n = nest.loops[k] // size

    def over(view: View) -> View:
        index = None if view.index is None else over(view.index)
        strides = view.strides
        own = strides[k] * n if k < len(strides) else 0
        rest = strides if n > 1 else tuple(s for j, s in enumerate(strides) if j != k)
        return replace(view, strides=(own, *rest), index=index)

    def statements(which: Sequence[Statement]) -> list[Statement]:
        return [
            replace(
                s,
                reads=tuple(over(x) if isinstance(x, View) else x for x in s.reads),
                out=None if s.out is None else over(s.out),
            )
            for s in which
        ]

    loops = [m for j, m in enumerate(nest.loops) if j != k or n > 1]
    if n > 1:
        loops[k] = n
    outer = nest.outer + 1 - (k < nest.outer and n == 1)
    return replace(
        nest,
        loops=(size, *loops),
        outer=outer,
        body=statements(nest.body),
        after=statements(nest.after),
    )


# --- tiles ----------------------------------------------------------------------------------------


def _touches(nests: Sequence[Nest], moving: bool) -> int:
    """How many numbers the nests touch in a turn of the batch: those that move with it, or not."""
    count = 0
    known = set()
    for nest in nests:
        for view in (*nest.outs(), *nest.reads()):
            if bool(view.strides[0]) == moving and (view.array, view.base) not in known:
                known.add((view.array, view.base))
                loops = zip(nest.loops[1:], view.strides[1:], strict=False)
                count += math.prod(n for n, s in loops if s)
    return count


def _rows(nests: Sequence[Nest], size: int) -> int:
    """The rows of a tile: as many as the cache holds, but no fewer than make it worth to go
    through the weights once more; the whole batch if that does not stay in the cache."""
    row = _touches(nests, True)
    if row * size < _LARGE:
        return size
    most = max(1, _CACHE // max(1, row))
    least = _touches(nests, False) // max(1, row)
    divisors = [n for n in range(1, size + 1) if size % n == 0]
    return next((n for n in divisors if n >= least and 2 * n > most), size)


def _unit(nests: Sequence[Nest], size: int, rows: int) -> Unit:
    """The nests over tiles of so many rows."""
    found = []
    for nest in nests:
        small = replace(nest, loops=(rows, *nest.loops[1:]))
        steps = {view: view.strides[0] * rows for view in touched(small)}
        if any(not out.strides[0] for out in small.outs()):
            small, steps = _last(small, steps)
        found.append(Tiled(small, steps))
    return Unit(found, size // rows)


def _last(nest: Nest, steps: dict[View, int]) -> tuple[Nest, dict[View, int]]:
    """The nest with its batch among the loops that are summed."""
    order = [*range(1, len(nest.loops)), 0]
    outer = nest.outer - 1
    moved = replace(
        nest,
        loops=tuple(nest.loops[k] for k in order),
        outer=outer,
        body=[along(s, order) for s in nest.body],
        after=[along(s, order[:outer]) for s in nest.after],
    )
    return moved, carried(nest, moved, steps)


def carried(before: Nest, after: Nest, steps: dict[View, int]) -> dict[View, int]:
    """The steps of a nest's views, for the same nest with other loops."""
    pairs = zip(touched(before), touched(after), strict=True)
    return {new: steps.get(old, 0) for old, new in pairs}
