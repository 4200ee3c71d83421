"""Recurrences of single numbers: a running sum as one NumPy call, any other as plain Python.

Several numbers that go in lockstep, the lanes of a step, are all in the one call; a loop in Python
has the lanes one after the other if they are few. If they are many, a call for each turn is faster.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from micrograd import ops
from micrograd.lifting.steps.expression import Apply, Read, evaluate
from micrograd.lifting.steps.ir import Step, View
from micrograd.lifting.steps.walks import moving

__all__ = ["Numbers"]

_ACCUMULATED = (ops.add, ops.mul, ops.maximum, ops.minimum)
_WIDE = 64  # lanes: a sum of 50 takes 11 us by `accumulate` and by 50 calls; for 1,000, 169 and 21
_FEW = 4  # lanes: a call takes as long as about so many numbers in Python


class Numbers:
    """out[t] = value(out[t - 1], reads[t]), for one loop; `lanes` are the step's other loops."""

    def __init__(self, calls: Any, step: Step, lanes: Sequence[int]) -> None:
        self.calls, self.source, self.step, self.lanes = calls, calls.source, step, lanes
        self.loops = step.loops
        self.count = math.prod(step.loops[k] for k in lanes)
        (self.turn,) = _turns(step, lanes)
        self.own = [k for k, v in enumerate(step.reads) if _is_last_turn(v, step, self.turn)]

    @classmethod
    def fits(cls, step: Step, lanes: Sequence[int]) -> bool:
        """Whether there is one loop, each turn of which reads what the turn before it wrote."""
        turns = _turns(step, lanes)
        if len(turns) != 1 or turns[0] not in moving(step.out, step.loops):
            return False
        if step.out.gather is not None or step.out.index is not None or step.combine is not None:
            return False
        return all(
            _is_last_turn(view, step, turns[0]) or view == step.out or view.array != step.out.array
            for view in step.reads
        )

    def write(self) -> bool:
        """Write the step; False if there are too many lanes for that."""
        if self.count < _WIDE and self._accumulated():
            return True
        if self.count > _FEW:
            return False
        for turns in itertools.product(*(range(self.loops[k]) for k in self.lanes)):
            self._lane(turns)._loop()
        return True

    def _lane(self, turns: Sequence[int]) -> Numbers:
        """The same for one of the lanes."""
        at = dict(zip(self.lanes, turns, strict=True))
        first = [at.get(k, 0) for k in range(len(self.loops))]
        step = replace(
            self.step,
            loops=tuple(1 if k in at else n for k, n in enumerate(self.loops)),
            out=self.step.out.shifted(first),
            reads=tuple(view.shifted(first) for view in self.step.reads),
        )
        return Numbers(self.calls, step, ())

    def _strided(self, view: View) -> str:
        """The name of the array that a view visits along the loop, and along the lanes."""
        found = self.calls.operand(view, self.loops)
        axes = [self.turn, *self.lanes]
        sizes, strides = [self.loops[k] for k in axes], [found.strides[k] for k in axes]
        name: str = self.source.view(found.source, found.base, sizes, strides)
        return name

    def _accumulated(self) -> bool:
        """Write out[t] = out[t - 1] + x[t] as np.add.accumulate; False if it is no such step."""
        value, step = self.step.value, self.step
        if not isinstance(value, Apply) or value.op not in _ACCUMULATED:
            return False
        reads = [x.k for x in value.inputs if isinstance(x, Read)]
        others = [k for k in reads if k not in self.own]
        if len(reads) != 2 or len(others) != 1:
            return False
        if step.reads[others[0]] != step.out:
            read = self._strided(step.reads[others[0]])
            self.source.call(np.copyto, self._strided(step.out), read)
        before = step.reads[self.own[0]]
        axes = [self.turn, *self.lanes]
        sizes = [step.loops[k] + (k == self.turn) for k in axes]
        strides = [step.out.strides[k] for k in axes]
        whole = self.source.view(before.array.name, before.base, sizes, strides)
        array: Any = value.op.array
        name = self.source.constant("accumulate", array.accumulate, value.op.name)
        self.source.emit(f"{name}({whole}, 0, None, {whole})")
        return True

    def _loop(self) -> None:
        source, step = self.source, self.step
        names: dict[int, str] = {}
        series = []
        for k, view in enumerate(step.reads):
            if k in self.own:
                names[k] = "last"
            elif self.turn in moving(view, step.loops):
                names[k] = f"x{k}"
                series.append((f"x{k}", f"{self._strided(view)}.tolist()"))
            else:
                names[k] = f"c{k}_"
                source.emit(f"c{k}_ = float({self._strided(view)}[0])")
        text = evaluate(step.value, names.__getitem__, self.calls.call)
        before = step.reads[self.own[0]]
        source.emit(f"last = {source.cell(before.array.name, before.base)}")
        source.emit("found = []")
        if series:
            variables = ", ".join(name for name, _ in series)
            source.emit(f"for {variables}, in zip({', '.join(x for _, x in series)}):")
        else:
            source.emit(f"for _ in range({self.loops[self.turn]}):")
        source.indented()
        source.emit(f"last = {text}")
        source.emit("found.append(last)")
        source.indented("")
        source.emit(f"{self._strided(step.out)}[:] = found")


def _turns(step: Step, lanes: Sequence[int]) -> list[int]:
    """The loops that go turn after turn."""
    return [k for k, n in enumerate(step.loops) if n > 1 and k not in lanes]


def _is_last_turn(view: View, step: Step, turn: int) -> bool:
    """Whether a view reads, in each turn, what the step has written in the turn before."""
    if view.array != step.out.array or view.gather is not None or view.index is not None:
        return False
    same = view.strides == step.out.strides
    return same and view.base == step.out.base - step.out.strides[turn]
