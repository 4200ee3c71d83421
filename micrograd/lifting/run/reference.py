"""The reference executor: plain Python loops over plain lists, one turn after the other.

It is slow and easy to check: `run` defines what a Step means.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from micrograd.lifting.steps.expression import evaluate
from micrograd.lifting.steps.ir import Array, Step, View
from micrograd.op import Op

__all__ = ["run"]

Buffers = dict[str, list[float]]  # the numbers of each array, by its name, in memory order


def run(steps: Sequence[Step], buffers: Buffers) -> None:
    """Carry out the steps; `buffers` holds the given arrays and receives the computed ones."""
    for step in steps:
        for view in step.views:
            buffers.setdefault(view.array.name, _fresh(view.array))
        met = set()  # the places that this step has written
        for turns in itertools.product(*map(range, step.loops)):
            numbers = [buffers[v.array.name][_place(v, turns, buffers)] for v in step.reads]
            value = evaluate(step.value, numbers.__getitem__, Op.number)
            out, place = buffers[step.out.array.name], _place(step.out, turns, buffers)
            if step.accumulate:
                out[place] += value
            elif place in met and step.combine is not None:
                out[place] = step.combine.number(out[place], value)
            else:
                out[place] = value
            met.add(place)


def _fresh(array: Array) -> list[float]:
    """A constant's numbers; nan in an array that steps are still to write."""
    return [float("nan")] * array.size if array.numbers is None else array.numbers.ravel().tolist()


def _place(view: View, turns: Sequence[int], buffers: Buffers) -> int:
    """The element of its array that a view stands at."""
    place = view.base + sum(s * turn for s, turn in zip(view.strides, turns, strict=True))
    if view.index is not None:
        row = int(buffers[view.index.array.name][_place(view.index, turns, buffers)])
        if not 0 <= row < view.rows:
            raise IndexError(f"index {row} is out of range for a table of {view.rows} rows")
        place += view.step * row
    return place if view.gather is None else int(view.gather[place])
