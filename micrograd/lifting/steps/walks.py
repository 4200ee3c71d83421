"""Which loops of a step move a view, which places they visit, and whether they visit one twice."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from micrograd.lifting.steps.ir import Step, View, Window
from micrograd.lifting.strides import distinct

__all__ = [
    "dense",
    "elements",
    "is_recurrence",
    "lanes",
    "moving",
    "passed_on",
    "repeats",
    "seen",
    "standing",
    "walk",
]


def dense(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides of a contiguous array, in elements."""
    strides, size = [], 1
    for n in reversed(shape):
        strides.append(size)
        size *= n
    return tuple(reversed(strides))


def moving(view: View, loops: Sequence[int]) -> list[int]:
    """The loops along which a view moves."""
    strides = view.strides if view.index is None else _both(view.strides, view.index.strides)
    return [k for k, (n, s) in enumerate(zip(loops, strides, strict=True)) if s and n > 1]


def _both(a: Sequence[int], b: Sequence[int]) -> list[int]:
    return [x or y for x, y in zip(a, b, strict=True)]


def standing(view: View, loops: Sequence[int]) -> list[int]:
    """The loops of more than one turn along which a view stays where it is (its stride is 0)."""
    moves = moving(view, loops)
    return [k for k, n in enumerate(loops) if n > 1 and k not in moves]


def walk(view: View, loops: Sequence[int]) -> np.ndarray:
    """The elements that loops visit, with one turn for the loops along which the view stands.

    For a view with an `index`, those of every row, along one more axis.
    """
    found = np.array(view.base, dtype=np.int64)
    for n, stride in zip(loops, view.strides, strict=True):
        found = found[..., None]
        if n != 1 and (stride or not n):
            found = found + np.arange(0, n * stride, stride or 1, dtype=np.int64)
    if view.index is not None:
        found = found[..., None] + np.arange(view.rows, dtype=np.int64) * view.step
    return found if view.gather is None else view.gather[found]


def seen(numbers: np.ndarray, view: View, loops: Sequence[int]) -> np.ndarray:
    """What a view without lists sees of `numbers`, one for each element of its array.

    It has the shape of `walk`, and what is written to it is written to `numbers`. For a few
    numbers it takes 1 us, where `walk` and reading what is there take 3.
    """
    shape = [n if stride or not n else 1 for n, stride in zip(loops, view.strides, strict=True)]
    size = numbers.itemsize
    strides = [stride * size for stride in view.strides]
    return np.ndarray(shape, numbers.dtype, numbers.data, view.base * size, strides)


def elements(window: Window) -> np.ndarray:
    """The elements of its array that a window visits, in order."""
    found = np.broadcast_to(walk(window.view, window.loops), window.loops)
    return found.ravel()


def repeats(step: Step) -> bool:
    """Whether the loops along which `out` moves may visit one place twice."""
    out, moves = step.out, moving(step.out, step.loops)
    if out.index is not None:
        return True
    reach = 0  # surely not, if each loop's stride clears all that the inner ones span
    for k in sorted(moves, key=lambda k: abs(out.strides[k])):
        if abs(out.strides[k]) <= reach or out.gather is not None:
            places = walk(out, step.loops)
            return len(distinct(places)) < places.size
        reach += (step.loops[k] - 1) * abs(out.strides[k])
    return False


def is_recurrence(step: Step) -> bool:
    """Whether a step reads places that it writes itself, in earlier turns of its loops."""
    own = [view for view in step.reads if view.array.name == step.out.array.name]
    return any(_meet(view, step.out, step.loops) for view in own)


def _meet(view: View, other: View, loops: Sequence[int]) -> bool:
    """Whether two views of one array visit a place in common."""
    low, high = _bounds(view, loops)
    lowest, highest = _bounds(other, loops)
    if high < lowest or highest < low:
        return False
    return bool(np.isin(walk(view, loops), walk(other, loops)).any())


def _bounds(view: View, loops: Sequence[int]) -> tuple[int, int]:
    """Places that all those which a view visits lie between; not always the closest ones."""
    if view.index is not None:
        return 0, view.array.size
    if view.gather is not None:
        return int(view.gather.min()), int(view.gather.max())
    return view.reach(loops)


def lanes(step: Step) -> list[int]:
    """The loops of a recurrence along which no turn reads, or writes, what another one writes."""
    out, loops = step.out, step.loops
    own = [view for view in step.reads if view.array == out.array]
    moves = moving(out, loops)
    if not moves or any(view.index is not None for view in (out, *own)) or repeats(step):
        return []
    turn = np.full(out.array.size, -1, dtype=np.int64)  # that writes each element
    sizes = [loops[k] for k in moves]
    turn[walk(out.along(moves), sizes)] = np.arange(math.prod(sizes)).reshape(sizes)
    found = set(moves)
    for view in own:
        written = np.broadcast_to(turn[walk(view, loops)], loops)
        reading = np.nonzero(written >= 0)
        writing = np.unravel_index(written[reading], sizes)
        found -= {k for k, at in zip(moves, writing, strict=True) if (at != reading[k]).any()}
    return sorted(found)


def passed_on(which: np.ndarray, step: Step, backwards: bool = False) -> np.ndarray:
    """The turns of a recurrence that follow one of `which` in their lane, and those themselves.

    Backwards: that come before one of them.
    """
    own = lanes(step)
    turns = [k for k in range(len(step.loops)) if k not in own]
    order = [*own, *turns]
    sizes = [step.loops[k] for k in order]
    flat = np.broadcast_to(which, step.loops).transpose(order)
    flat = flat.reshape(*(step.loops[k] for k in own), -1)
    way = slice(None, None, -1 if backwards else 1)
    flat = np.logical_or.accumulate(flat[..., way], axis=-1)[..., way]
    return flat.reshape(sizes).transpose(np.argsort(order))
