"""Gathered views as strides plus a table: a list of elements is often regular along some loops.

place = base + sum(i * stride) + table[...]: the table holds only what no stride says, so that a
loop along which numbers lie side by side can still run in the lanes of a vector.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from micrograd.lifting.steps.ir import Array, Step, View
from micrograd.lifting.steps.walks import dense, walk

__all__ = ["is_table", "regular"]


def regular(step: Step) -> Step:
    """The step with its lists made as short as they can be."""
    if 0 in step.loops:
        return step
    views = [_regular(view, step.loops) for view in (step.out, *step.reads)]
    return replace(step, out=views[0], reads=tuple(views[1:]))


def is_table(array: Array) -> bool:
    """Whether an index reads whole numbers that stand before the program runs."""
    return array.numbers is not None and array.numbers.dtype == np.int64


def _regular(view: View, loops: Sequence[int]) -> View:
    if view.gather is None:
        return view
    if view.index is not None:  # rows chosen from a list: only the index can be shortened
        return replace(view, index=_regular(view.index, loops))
    places = walk(view, loops)
    strides, listed = [], []
    for k, n in enumerate(places.shape):
        steps = np.diff(places, axis=k)
        even = n == 1 or bool((steps == steps.flat[0]).all())
        strides.append(int(steps.flat[0]) if n > 1 and even else 0)
        if not even:
            listed.append(k)
    first = places[tuple(slice(None) if k in listed else 0 for k in range(places.ndim))]
    base = int(first.min())
    plain = View(view.array, base, tuple(strides))
    if not listed:
        return plain
    numbers = np.ascontiguousarray(first - base, dtype=np.int64).reshape(-1)
    name = hashlib.sha256(numbers.tobytes()).hexdigest()[:16]  # equal lists are one
    table = Array(f"table {name}", (numbers.size,), "constant", numbers)
    walked = [0] * len(loops)
    for k, stride in zip(listed, dense(first.shape), strict=True):
        walked[k] = stride
    index = View(table, 0, tuple(walked))
    return replace(plain, index=index, step=1, rows=int(numbers.max()) + 1)
