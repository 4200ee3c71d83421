"""A recurrence of single numbers as a loop in plain Python, and a running sum as one NumPy call."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrograd import ops
from micrograd.lifting.steps.expression import Apply, Read, evaluate
from micrograd.lifting.steps.ir import Step, View
from micrograd.lifting.steps.walks import moving

__all__ = ["Numbers"]


class Numbers:
    """out[t] = value(out[t - 1], reads[t]), for one loop."""

    def __init__(self, calls: Any, step: Step) -> None:
        self.calls, self.source, self.step = calls, calls.source, step
        self.loops = step.loops
        self.own = [k for k, view in enumerate(step.reads) if _is_last_turn(view, step)]

    @classmethod
    def fits(cls, step: Step) -> bool:
        """Whether there is one loop, each turn of which reads what the turn before it wrote."""
        if sum(n > 1 for n in step.loops) != 1 or not moving(step.out, step.loops):
            return False
        if step.out.gather is not None or step.out.index is not None or step.combine is not None:
            return False
        return all(
            _is_last_turn(view, step) or view == step.out or view.array != step.out.array
            for view in step.reads
        )

    def write(self) -> None:
        if not self._running_sum():
            self._loop()

    def _strided(self, view: View) -> str:
        """The name of the array that a view visits along the loop."""
        found = self.calls.operand(view, self.loops)
        (k,) = moving(self.step.out, self.loops)
        name: str = self.source.view(found.source, found.base, [self.loops[k]], [found.strides[k]])
        return name

    def _running_sum(self) -> bool:
        """Write out[t] = out[t - 1] + x[t] as np.add.accumulate; False if it is no such sum."""
        value, step = self.step.value, self.step
        if not isinstance(value, Apply) or value.op is not ops.add:
            return False
        reads = [x.k for x in value.inputs if isinstance(x, Read)]
        others = [k for k in reads if k not in self.own]
        if len(reads) != 2 or len(others) != 1:
            return False
        (k,) = moving(step.out, step.loops)
        out = self._strided(step.out)
        if step.reads[others[0]] != step.out:
            self.source.call(np.copyto, out, self._strided(step.reads[others[0]]))
        before = step.reads[self.own[0]]
        whole = self.source.view(
            before.array.name, before.base, [step.loops[k] + 1], [step.out.strides[k]]
        )
        accumulate = self.source.constant("accumulate", np.add.accumulate, "add")
        self.source.emit(f"{accumulate}({whole}, 0, None, {whole})")
        return True

    def _loop(self) -> None:
        source, step = self.source, self.step
        names: dict[int, str] = {}
        series = []
        for k, view in enumerate(step.reads):
            if k in self.own:
                names[k] = "last"
            elif moving(view, step.loops):
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
            source.emit(f"for _ in range({max(step.loops)}):")
        source.indented()
        source.emit(f"last = {text}")
        source.emit("found.append(last)")
        source.indented("")
        source.emit(f"{self._strided(step.out)}[:] = found")


def _is_last_turn(view: View, step: Step) -> bool:
    """Whether a view reads, in each turn, what the step has written in the turn before."""
    if view.array != step.out.array or view.gather is not None or view.index is not None:
        return False
    stride = sum(s for s, n in zip(step.out.strides, step.loops, strict=True) if n > 1)
    same = view.strides == step.out.strides
    return same and view.base == step.out.base - stride
