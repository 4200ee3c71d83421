"""Where gradients flow: which elements have a gradient that is wanted, and which one reaches.

Both are masks over arrays, `Marks`. `wanted` marks forward, from the inputs that ask for a
gradient; `adjoint.py` marks backward, from the results that have one. An element that no gradient
reaches passes nothing on, not even 0, because 0 * inf would be nan.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from micrograd.lifting.steps.expression import Apply, Formula, Read
from micrograd.lifting.steps.ir import Array, Program, Step, View, Window
from micrograd.lifting.steps.walks import is_recurrence, passed_on, seen, walk

__all__ = ["Marks", "flows", "wanted"]


class Marks:
    """True or false for every element of every array; false until it is marked."""

    def __init__(self) -> None:
        self._marks: dict[str, np.ndarray] = {}

    def of(self, array: Array) -> np.ndarray:
        if array.name not in self._marks:
            self._marks[array.name] = np.zeros(array.size, dtype=bool)
        return self._marks[array.name]

    def at(self, view: View, loops: Sequence[int]) -> np.ndarray:
        """The marks of what loops visit, with one turn for the loops along which the view stands.

        Where an index chooses among rows: whether any row is marked.
        """
        marks = self.of(view.array)
        if view.gather is None and view.index is None:
            return seen(marks, view, loops).copy()
        found = marks[walk(view, loops)]
        return np.asarray(found if view.index is None else found.any(axis=-1))

    def mark(self, view: View, loops: Sequence[int], which: np.ndarray) -> None:
        """Mark what a view visits in the turns `which`, a mask with any of its lengths 1."""
        marks, every = self.of(view.array), bool(which.all())
        if every and view.gather is None and view.index is None:
            seen(marks, view, loops)[...] = True
            return
        places = walk(view, loops)
        if not every:
            which = which if view.index is None else which[..., None]
            places, which = np.broadcast_arrays(places, which)
            places = places[which]
        marks[places] = True


def flows(value: Formula) -> list[int]:
    """The operands that a gradient may flow into: all rows above them have derivatives."""
    found: dict[int, None] = {}
    stack = [value]
    while stack:
        x = stack.pop()
        if isinstance(x, Read):
            found[x.k] = None
        elif isinstance(x, Apply) and x.op.differentiable:
            stack += reversed(x.inputs)
    return list(found)


def wanted(program: Program, results: Sequence[Window] = ()) -> Marks:
    """Marks on inputs that ask for a gradient, on `results`, and on all that depends on them."""
    marks = Marks()
    for argument in program.arguments:
        marks.of(argument.array)[:] = argument.wanted
    for parameters in program.parameters:
        marks.of(parameters.array)[:] = True
    for window in results:
        marks.mark(window.view, window.loops, np.ones((1,) * len(window.loops), dtype=bool))
    for step in program.forward:
        asks = np.zeros((1,) * len(step.loops), dtype=bool)
        for k in flows(step.value):
            asks = asks | marks.at(step.reads[k], step.loops)
        if is_recurrence(step):  # what follows from a turn that asks
            asks = passed_on(asks, step)
        if asks.any():
            marks.mark(step.out, step.loops, _spread(asks, step))
    return marks


def _spread(asks: np.ndarray, step: Step) -> np.ndarray:
    """The mask with length 1 where `out` stands still: true if any of those turns asks."""
    still = tuple(k for k, stride in enumerate(step.out.strides) if not stride)
    return np.asarray(asks.any(axis=still, keepdims=True))
