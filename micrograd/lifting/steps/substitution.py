"""One step rewritten with another in the place of what it reads, or with its loops cut in two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from micrograd import ops
from micrograd.lifting.steps.expression import Apply, Formula, Read, reads_of, renumbered
from micrograd.lifting.steps.ir import Array, Step, View
from micrograd.lifting.steps.walks import is_recurrence, moving, repeats, walk

__all__ = ["beginning_with", "computing", "reading_the_source", "with_reads"]


def reading_the_source(reader: Step, copy: Step) -> Step | None:
    """The reader of a copy, rewritten to read what was copied; None if no strides describe that."""
    array, (source,) = copy.out.array, copy.reads
    if reader.out.array == source.array or is_recurrence(reader):
        return None
    for view in reader.reads:
        if view.array == array and view.gather is None and view.index is None:
            reader = _split(reader, view, _borders(copy.out, copy.loops))
    origin = np.empty(array.size, dtype=np.int64)
    origin[walk(copy.out, copy.loops)] = walk(source, copy.loops)
    views = []
    for view in reader.reads:
        if view.array == array:
            found = _moved(view, reader.loops, source.array, origin)
            if found is None or (reader.combine is not None and not _alike(view, found, reader)):
                return None
            view = found
        elif view.index is not None and view.index.array == array:
            return None
        views.append(view)
    if reader.out.index is not None and reader.out.index.array == array:
        return None
    return with_reads(reader, views)


def _moved(view: View, loops: Sequence[int], source: Array, origin: np.ndarray) -> View | None:
    """The view of a copy as one of its source; `origin`: where each element was copied from."""
    if view.index is not None or view.gather is not None:
        return None
    moves = moving(view, loops)
    found = origin[walk(view.along(moves), [loops[k] for k in moves])]
    first = int(found.flat[0]) if found.size else 0
    strides, even = [0] * len(loops), np.array(first)
    for axis, k in enumerate(moves):
        strides[k] = int(found.take([1], axis=axis).flat[0]) - first
        even = even[..., None] + np.arange(loops[k]) * strides[k]
    return View(source, first, tuple(strides)) if np.array_equal(even, found) else None


def _alike(view: View, other: View, step: Step) -> bool:
    """Whether two views move along the same loops: then a matrix product remains one."""
    return moving(view, step.loops) == moving(other, step.loops)


def computing(reader: Step, step: Step) -> Step | None:
    """The reader of a step's result, rewritten to compute it; None if that is not possible."""
    array = step.out.array
    places = [k for k, view in enumerate(reader.reads) if view.array == array]
    if (
        len(places) != 1
        or reader.combine is not None
        or reader.out.array in {view.array for view in step.views[1:]}
    ):
        return None
    if reader.out.gather is not None or reader.out.index is not None or repeats(reader):
        return None
    if any(view.gather is not None for view in step.reads):
        return None
    (place,) = places
    reader, step = (
        _split(reader, reader.reads[place], _borders(step.out, step.loops)),
        _split(step, step.out, _borders(reader.reads[place], reader.loops)),
    )
    order = _same_walk(reader.reads[place], reader, step)
    if order is None or any(view.index is not None for view in reader.reads):
        return None
    views = [_along(view, order) for view in step.reads]
    own = len(reader.reads)
    inner = renumbered(step.value, {k: Read(own + k) for k in reads_of(step.value)})
    numbers: dict[int, Formula] = {k: Read(k) for k in range(own)}
    numbers[place] = inner
    value = renumbered(reader.value, numbers)
    return with_reads(replace(reader, value=value), [*reader.reads, *views])


def _same_walk(view: View, reader: Step, step: Step) -> list[int | None] | None:
    """For each loop of the reader, the loop of the step with the same walk, if all have one."""
    if view.gather is not None or view.base:
        return None
    loops = {(step.out.strides[k], n): k for k, n in enumerate(step.loops) if n != 1}
    order: list[int | None] = []
    for n, stride in zip(reader.loops, view.strides, strict=True):
        order.append(None if n == 1 else loops.pop((stride, n), -1))
    return None if loops or -1 in order else order


def _along(view: View, order: Sequence[int | None]) -> View:
    return replace(view, strides=tuple(0 if k is None else view.strides[k] for k in order))


def _borders(view: View, loops: Sequence[int]) -> list[int]:
    """The distances in the array that one turn, and all turns, of each of a view's loops go."""
    walked = [(abs(s), n) for s, n in zip(view.strides, loops, strict=True) if s and n > 1]
    return sorted({x for stride, n in walked for x in (stride, stride * n)})


def _split(step: Step, view: View, borders: Sequence[int]) -> Step:
    """The step with a loop of, say, 6 turns as two, 2 x 3, where `borders` ask for it."""
    pieces: list[tuple[int, int, int]] = []  # which loop, turns, and how many turns of it one is
    for k, (n, stride) in enumerate(zip(step.loops, view.strides, strict=True)):
        cuts = [1]
        for border in borders:
            turns = border // abs(stride) if stride else 0
            inside = cuts[-1] < turns < n and border == turns * abs(stride)
            if inside and turns % cuts[-1] == 0 and n % turns == 0:
                cuts.append(turns)
        found = [(k, after // cut, cut) for cut, after in zip(cuts, [*cuts[1:], n], strict=True)]
        pieces += reversed(found)
    if len(pieces) == len(step.loops):
        return step

    def cut(view: View) -> View:
        index = None if view.index is None else cut(view.index)
        strides = tuple(view.strides[k] * times for k, _, times in pieces)
        return replace(view, strides=strides, index=index)

    loops = tuple(turns for _, turns, _ in pieces)
    return replace(step, loops=loops, out=cut(step.out), reads=tuple(map(cut, step.reads)))


def with_reads(step: Step, views: Sequence[View]) -> Step:
    """The step with these views, only those that its value uses, each once."""
    used = {k: views[k] for k in reads_of(step.value)}
    distinct = tuple(dict.fromkeys(used.values()))
    numbers = {k: Read(distinct.index(view)) for k, view in used.items()}
    return replace(step, value=renumbered(step.value, numbers), reads=distinct)


def beginning_with(after: Step, step: Step) -> Step | None:
    """The steps a = x and a += y as one, a = x + y; None if they do not go place by place."""
    after = _split(after, after.out, _borders(step.out, step.loops))
    step = _split(step, step.out, _borders(after.out, after.loops))
    order = _same_walk(after.out, after, step)
    if order is None:
        return None
    own = len(after.reads)
    first = renumbered(step.value, {k: Read(own + k) for k in reads_of(step.value)})
    made = replace(after, value=Apply(ops.add, (first, after.value)), accumulate=False)
    return with_reads(made, [*after.reads, *(_along(view, order) for view in step.reads)])
