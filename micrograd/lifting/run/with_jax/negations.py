"""x + y, where y is the step m * -1, becomes x - m.

Eager code writes a difference so, and softmax subtracts the maximum of each row. XLA would join
the product with the maximum before it, whose loop then is none of vectors any more: the step of the
GPT on padded names takes a tenth longer.
"""

from __future__ import annotations

import math
from dataclasses import replace

from micrograd import ops
from micrograd.lifting.rows import SUBTRACT
from micrograd.lifting.steps.expression import Apply, Formula, Read, reads_of, renumbered
from micrograd.lifting.steps.ir import Step, View
from micrograd.lifting.steps.substitution import with_reads
from micrograd.lifting.steps.walks import repeats

__all__ = ["Negations"]


class Negations:
    """The arrays that hold another one's numbers times -1, place by place."""

    def __init__(self) -> None:
        self._steps: dict[str, Step] = {}  # by the array that they write

    def note(self, step: Step) -> None:
        """The step is about to run: what it writes is something else from here on."""
        written = step.out.array.name
        for name, made in [*self._steps.items()]:
            if written == name or written == made.reads[0].array.name:
                del self._steps[name]
        if _negates(step):
            self._steps[written] = step

    def without(self, step: Step) -> Step:
        """The step with differences in the place of such sums."""
        if not any(view.array.name in self._steps for view in step.reads):
            return step
        views = list(step.reads)
        value = self._subtracting(step.value, step, views)
        return step if value == step.value else with_reads(replace(step, value=value), views)

    def _subtracting(self, formula: Formula, step: Step, views: list[View]) -> Formula:
        if not isinstance(formula, Apply):
            return formula
        inputs = tuple(self._subtracting(x, step, views) for x in formula.inputs)
        if formula.op is ops.add:
            for minuend, x in (inputs, inputs[::-1]):
                found = self._of(x, step, views)
                if found is not None:
                    return Apply(SUBTRACT, (minuend, found))
        return Apply(formula.op, inputs)

    def _of(self, x: Formula, step: Step, views: list[View]) -> Formula | None:
        """What x is the negation of; its view comes behind `views`."""
        if not isinstance(x, Read) or x.k >= len(step.reads):
            return None
        view = step.reads[x.k]
        made = self._steps.get(view.array.name)
        if made is None:
            return None
        views.append(view.at(made.reads[0].array))
        assert isinstance(made.value, Apply)
        return renumbered(made.value.inputs[0], {0: Read(len(views) - 1)})


def _negates(step: Step) -> bool:
    """Whether a step writes f(x) * -1 of one array x, each to its own place."""
    value = step.value
    if step.combine is not None or step.accumulate or not isinstance(value, Apply):
        return False
    if value.op is not ops.mul or value.inputs[1] != -1.0 or reads_of(value) != [0]:
        return False
    out, view = step.out, step.reads[0]
    plain = all(v.gather is None and v.index is None for v in (out, view))
    same = (out.base, out.strides) == (view.base, view.strides)
    if not plain or not same or out.array.size != view.array.size:
        return False
    return math.prod(step.loops) == out.array.size and not repeats(step)  # it fills the array
