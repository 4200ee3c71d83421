"""Fewer steps that compute the same.

A copy is left out: its readers read what it was copied from. And a step whose result one other step
reads once, place by place, becomes part of that step. A backward pass is full of both: the gradient
of a sum is a copy, and each factor of a chain of scalar functions is a step. A dozen steps of a
GPT's 100 go this way.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from micrograd import ops
from micrograd.lifting.steps.expression import (
    Apply,
    Expression,
    Formula,
    Read,
)
from micrograd.lifting.steps.ir import Array, Step
from micrograd.lifting.steps.notation import product
from micrograd.lifting.steps.substitution import beginning_with, computing, reading_the_source
from micrograd.lifting.steps.walks import dense, repeats

__all__ = ["folded", "simplified"]

_LONGEST = 24  # rows and operands in an expression: what a person can read, and a walk can recurse


def simplified(
    steps: Sequence[Step], kept: Collection[Array], copies_alone: bool = False
) -> tuple[Step, ...]:
    """The steps with copies left out and others joined; arrays in `kept` are still written.

    `copies_alone`: join no steps.
    """
    found = _Steps(steps, kept)
    found.fold(copies_alone)
    if not copies_alone:
        for number in range(len(steps)):
            found.hoist(number)
        for number in range(len(steps)):
            found.begin_a_sum(number)
        found.fold()  # sums begun are written once, so that they may be part of what reads them
    return tuple(found.steps.values())


class _Steps:
    """Steps by number, while some are removed, and the numbers of those that use each array."""

    def __init__(self, steps: Sequence[Step], kept: Collection[Array]) -> None:
        self.steps = dict(enumerate(steps))
        self.kept = kept
        self.readers: dict[Array, list[int]] = {}
        self.writers: dict[Array, list[int]] = {}
        for number, step in enumerate(steps):
            self.writers.setdefault(step.out.array, []).append(number)
            for array in _read(step):
                self.readers.setdefault(array, []).append(number)

    def fold(self, copies_alone: bool = False) -> None:
        """Remove each step that fills an array, if those that read the array can do without it."""
        for number in range(max(self.steps, default=-1) + 1):
            step = self.steps.get(number)
            if step is None or (copies_alone and not isinstance(step.value, Read)):
                continue
            array = step.out.array
            if array in self.kept or self.writers[array] != [number]:
                continue
            if not _fills_its_array(step):
                continue
            if isinstance(step.value, Read):
                self.pass_on(number)
            else:
                self.take_in(number)

    def pass_on(self, number: int) -> None:
        """Let the steps that read a copy read what it was copied from."""
        copy = self.steps[number]
        readers = self.readers.get(copy.out.array, [])
        if not readers or not self._unchanged(number, readers[-1]):
            return
        made = [reading_the_source(self.steps[k], copy) for k in readers]
        if None not in made:
            self._replace(number, dict(zip(readers, made, strict=True)))  # type: ignore[arg-type]

    def take_in(self, number: int) -> None:
        """Let the only step that reads a result compute it."""
        readers = self.readers.get(self.steps[number].out.array, [])
        if len(readers) == 1 and self._unchanged(number, readers[0]):
            made = computing(self.steps[readers[0]], self.steps[number])
            if made is not None and _size(made.value) <= _LONGEST:
                made = replace(made, value=folded(made.value))
                self._replace(number, {readers[0]: made})

    def begin_a_sum(self, number: int) -> None:
        """a = x and a += y become a = x + y, if no step reads a in between."""
        step = self.steps.get(number)
        if step is None:
            return
        array = step.out.array
        writers = self.writers[array]
        if writers[0] != number or len(writers) == 1 or isinstance(step.value, float):
            return
        later = writers[1]
        after = self.steps[later]
        if (
            not _fills_its_array(step)
            or not after.accumulate
            or after.combine is not None
            or after.out.index is not None
        ):
            return
        read = any(number < k <= later for k in self.readers.get(array, ()))
        if read or repeats(after) or not self._unchanged(number, later):
            return
        made = beginning_with(after, step)
        if made is None or _size(made.value) > _LONGEST:
            return
        self._replace(number, {later: made})
        del writers[0]

    def hoist(self, number: int) -> None:
        """A constant factor moves to the step before, if that has one as well.

        b = 3 * a, after a = 2 * x, which nothing else reads, becomes a = 6 * x and b = a.
        """
        step = self.steps.get(number)
        if step is None:
            return
        reads, numbers = product(step.value) or ([], [])
        for k in reads if numbers else ():
            array = step.reads[k].array
            makers = self.writers.get(array, [])
            if len(makers) != 1 or self.readers[array] != [number] or array in self.kept:
                continue
            maker = self.steps[makers[0]]
            scaled = folded(Apply(ops.mul, (maker.value, math.prod(numbers))))
            grown = _size(scaled) > _size(maker.value)
            if grown or maker.accumulate or maker.combine is not None or reads.count(k) > 1:
                continue
            self.steps[makers[0]] = replace(maker, value=scaled)
            value: Formula = Read(reads[0])
            for other in reads[1:]:
                value = Apply(ops.mul, (value, Read(other)))
            self.steps[number] = replace(step, value=value)
            return

    def _unchanged(self, number: int, last: int) -> bool:
        """Whether what a step reads stays the same until step `last`, which reads its result."""
        return not any(
            number < writer <= last
            for array in _read(self.steps[number])
            for writer in self.writers.get(array, ())
        )

    def _replace(self, number: int, others: Mapping[int, Step]) -> None:
        """Remove a step, and put `others` in the place of the steps that read its result."""
        step = self.steps.pop(number)
        self.steps.update(others)
        for array in _read(step):
            self.readers[array] = sorted({*self.readers[array], *others} - {number})


def _read(step: Step) -> list[Array]:
    """The arrays that a step reads, each once."""
    return list(dict.fromkeys(view.array for view in step.views[1:]))


def _fills_its_array(step: Step) -> bool:
    """Whether a step writes all of an array, place by place and from scratch."""
    out = step.out
    if step.accumulate or step.combine is not None or out.gather is not None or out.base:
        return False
    if out.index is not None or any(view.index is not None for view in step.reads):
        return False
    loops = [k for k, n in enumerate(step.loops) if n != 1]
    order = sorted(loops, key=lambda k: -out.strides[k])
    sizes = [step.loops[k] for k in order]
    return math.prod(sizes) == out.array.size and dense(sizes) == tuple(
        out.strides[k] for k in order
    )


def _size(formula: Formula) -> int:
    return 1 + sum(map(_size, formula.inputs)) if isinstance(formula, Apply) else 1


# --- constants ------------------------------------------------------------------------------------


def folded(formula: Formula) -> Formula:
    """The expression with the constant factors of each product multiplied: 2 * (x * 3) is x * 6."""
    if not isinstance(formula, Apply):
        return formula
    if formula.op is not ops.mul:
        return Apply(formula.op, tuple(map(folded, formula.inputs)))
    factors: list[Formula] = []
    waiting: list[Formula] = [formula]
    while waiting:
        x = waiting.pop()
        if isinstance(x, Apply) and x.op is ops.mul:
            waiting += reversed(x.inputs)
        else:
            factors.append(folded(x))
    constants = [x for x in factors if not isinstance(x, Expression)]
    factor = math.prod(constants)
    if len(constants) < 2 or not math.isfinite(factor) or not factor:
        return Apply(formula.op, tuple(map(folded, formula.inputs)))
    product = [x for x in factors if isinstance(x, Expression)]
    if not product:
        return factor
    found = product[0] if factor == 1.0 else Apply(ops.mul, (product[0], factor))
    for x in product[1:]:
        found = Apply(ops.mul, (found, x))
    return found
