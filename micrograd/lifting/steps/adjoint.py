"""The backward pass as more steps: for every step, d value / d read * gradient of out.

`adjoint` goes through the steps from the last to the first. What flows into each operand it learns
from the op table: a row's rule, called with expressions, gives an expression. Every contribution is
an addition, `+=`; `first_writes` then turns the first one to each place into `=`, and fills places
that get none with zeros.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from micrograd import ops
from micrograd.lifting.steps.chains import pairwise
from micrograd.lifting.steps.expression import (
    Formula,
    Read,
    pushed,
    reads_of,
    renumbered,
)  # fmt: skip
from micrograd.lifting.steps.first_writes import first_writes
from micrograd.lifting.steps.flow import Marks, flows, wanted
from micrograd.lifting.steps.ir import Array, Program, Step, View
from micrograd.lifting.steps.reached import cut, unmasked
from micrograd.lifting.steps.simplify import simplified
from micrograd.lifting.steps.straight import Cases, cases_of, pushed_back
from micrograd.lifting.steps.walks import dense, lanes, moving, standing

__all__ = ["Backward", "adjoint", "backward", "gradient", "seed"]


class Backward(NamedTuple):
    """A backward pass: its steps, and which elements a gradient reaches.

    `arrived`: those of them that it reaches through a step, not only as a result of the program.
    """

    steps: tuple[Step, ...]
    reached: Marks
    arrived: Marks


def gradient(array: Array) -> Array:
    """The array in which an array's gradient is collected."""
    return Array(f"d_{array.name}", array.shape, "gradient")


def seed(program: Program, which: int) -> Array:
    """The array that brings the gradient of result number `which`."""
    return Array(f"seed_{which + 1}", program.results[which].loops, "seed")


def adjoint(
    program: Program, seeds: Sequence[int] | Mapping[int, Any], between: Sequence[int] = ()
) -> tuple[Step, ...]:
    """Steps that compute the gradient of every input: sum of seed * d result / d input.

    `seeds`: the numbers of the results that have a gradient; where only some elements of one have,
    a dict with a mask for each. `between`: results from which others are computed, whose own
    gradients are wanted as well.
    """
    return backward(program, seeds, between).steps


def backward(
    program: Program, seeds: Sequence[int] | Mapping[int, Any], between: Sequence[int] = ()
) -> Backward:
    """The steps of `adjoint`, and the elements that a gradient reaches; others get none."""
    found = _Adjoint(program, between)
    steps = found.of(_masks(seeds))
    return Backward(steps, found.marks[0], found.marks[1])


def _masks(seeds: Sequence[int] | Mapping[int, Any]) -> Mapping[int, Any]:
    return seeds if isinstance(seeds, Mapping) else dict.fromkeys(seeds, True)


class _Adjoint:
    """The steps of one backward pass while they are being written."""

    def __init__(self, program: Program, between: Sequence[int]) -> None:
        self.program = program
        self.between = [program.results[which] for which in between]
        self.wanted = wanted(program, self.between)
        self.marks = [Marks()]  # what is reached; then, beside it, what is reached by steps
        self.steps: list[Step] = []
        self.chains = self.lists = 0
        self.masks: dict[bytes, Array] = {}
        self.sums = {s.out.array for s in program.forward if s.accumulate}

    def of(self, seeds: Mapping[int, Any]) -> tuple[Step, ...]:
        for number, mask in seeds.items():
            window = self.program.results[number]
            view = View(seed(self.program, number), 0, dense(window.loops))
            which = np.broadcast_to(np.array(mask), window.loops)
            if self.asks(window.view, window.loops):
                self.push_into(window.loops, window.view, Read(0), (view,), which)
        self.marks.append(Marks())
        for step in reversed(self.program.forward):
            cases = cases_of(step)
            if cases is not None:
                self.push_cases(step, cases)
                continue
            reached = cut(step, self.marks[0], self.wanted)
            if reached is not None:
                self.push(*reached)
        asked = [a.array for a in self.program.arguments if a.wanted]
        asked += [p.array for p in self.program.parameters]
        asked += [window.view.array for window in self.between]
        gradients = [gradient(array) for array in asked]
        return simplified(first_writes(self.steps, gradients), gradients)

    def push(self, step: Step, which: np.ndarray) -> None:
        """For each operand of a step: its gradient += d value / d operand * gradient of `out`."""
        asked = [k for k in flows(step.value) if self.asks(step.reads[k], step.loops)]
        if not asked:
            return
        if step.combine is ops.maximum or step.combine is ops.minimum:
            self.push_chain(step, which, asked)
            return
        step, which = unmasked(step, which)
        n = len(step.reads)
        kept = step.combine is None and step.out.array not in self.sums
        parts = pushed(step.value, Read(n + 1), Read(n) if kept else None)
        views = (*step.reads, step.out, step.out.at(gradient(step.out.array)))
        own = [k for k in parts if step.reads[k].array == step.out.array]
        for k in own:
            self.push_back(step, k, parts[k], views, which)
        for k, part in parts.items():
            if k in asked and k not in own:
                self.push_into(step.loops, step.reads[k], part, views, which)

    def push_cases(self, step: Step, cases: Cases) -> None:
        """Straight-line code: from each turn that a gradient reaches to those that it reads."""
        self.lists += 1
        into = gradient(step.out.array)
        made = pushed_back(step, cases, into, str(self.lists), self.marks, self.wanted)
        if made is not None:
            self.steps.append(made)

    def push_back(
        self, step: Step, k: int, part: Formula, views: Sequence[View], which: np.ndarray
    ) -> None:
        """What each turn of a recurrence passes on to the turn before, from the last to the first.

        This comes before the other operands: only then are the gradients of all turns complete.
        """
        for marks in self.marks:
            marks.mark(step.reads[k], step.loops, which)
        if not which.all():  # one of several lanes is reached in fewer turns than another
            views, part = [*views, self.mask(which)], ops.where(Read(len(views)), part, 0.0)
        turns = [k for k in range(len(step.loops)) if k not in lanes(step)]
        back = [view.backwards(step.loops, turns) for view in views]
        into = step.reads[k].at(gradient(step.out.array)).backwards(step.loops, turns)
        self.add(step.loops, into, part, back)

    def asks(self, view: View, loops: Sequence[int]) -> bool:
        return bool(self.wanted.at(view, loops).any())

    def push_into(
        self, loops: tuple[int, ...], into: View, part: Formula, views: Sequence[View],
        which: np.ndarray,
    ) -> None:  # fmt: skip
        """Add the step: gradient of `into` += part, in the turns `which`."""
        for marks in self.marks:
            marks.mark(into, loops, which)
        if not which.all():
            views, part = [*views, self.mask(which)], ops.where(Read(len(views)), part, 0.0)
        self.add(loops, into.at(gradient(into.array)), part, views)

    def mask(self, which: np.ndarray) -> View:
        """A constant: 1 in the turns that a gradient reaches, else 0; as the view of a step."""
        key = which.tobytes() + repr(which.shape).encode()
        if key not in self.masks:
            name = f"reached_{len(self.masks) + 1}"
            self.masks[key] = Array(name, which.shape, "constant", which.astype(np.float64))
        sizes = zip(which.shape, dense(which.shape), strict=True)
        return View(self.masks[key], 0, tuple(s if n > 1 else 0 for n, s in sizes))

    def add(
        self, loops: tuple[int, ...], out: View, value: Formula, views: Sequence[View],
        accumulate: bool = True,
    ) -> None:  # fmt: skip
        """Add a step that reads only the views which its value uses, each once."""
        used = {k: views[k] for k in reads_of(value)}
        distinct = tuple(dict.fromkeys(used.values()))
        numbers = {k: Read(distinct.index(view)) for k, view in used.items()}
        combine = ops.add if standing(out, loops) else None
        self.steps.append(
            Step(loops, out, renumbered(value, numbers), distinct, combine, accumulate)
        )

    def push_chain(self, step: Step, which: np.ndarray, asked: Collection[int]) -> None:
        """The gradient of a maximum (or minimum) over all loops along which `out` stands still.

        The numbers that are compared are first written side by side; `pairwise` gives each its
        part of the gradient, which then flows on to what the number was computed from.
        """
        assert step.combine is not None
        outer, inner = moving(step.out, step.loops), standing(step.out, step.loops)
        heads = [step.loops[k] for k in outer]
        n = math.prod(step.loops[k] for k in inner)
        self.chains += 1
        g = step.out.at(gradient(step.out.array)).along(outer)
        links = Array(f"links_{self.chains}", (*heads, n), "gradient")
        flat = View(links, 0, (*(stride * n for stride in dense(heads)), 1))
        spread = self.spread(flat, step, outer, inner)
        self.add(step.loops, spread, step.value, step.reads, False)
        steps, parts = pairwise(step.combine, heads, n, flat, g, self.chains)
        self.steps += steps
        views = (*step.reads, self.spread(parts, step, outer, inner))
        for k, part in pushed(step.value, Read(len(step.reads))).items():
            if k in asked:
                self.push_into(step.loops, step.reads[k], part, views, which)

    @staticmethod
    def spread(flat: View, step: Step, outer: Sequence[int], inner: Sequence[int]) -> View:
        """A view of numbers that lie side by side, as one that all loops of the step walk."""
        strides = [0] * len(step.loops)
        for k, stride in zip(outer, flat.strides[:-1], strict=True):
            strides[k] = stride
        for k, stride in zip(inner, dense([step.loops[k] for k in inner]), strict=True):
            strides[k] = stride
        return View(flat.array, flat.base, tuple(strides))
