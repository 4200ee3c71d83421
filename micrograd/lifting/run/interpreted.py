"""An executor that compiles nothing: it calls a function that carries out the steps."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from micrograd.lifting.run.with_numpy import Bound
from micrograd.lifting.steps.ir import Array, Step
from micrograd.lifting.steps.place import Placement, place

__all__ = ["Interpreted"]


class Interpreted:
    """`run(steps, buffers)` as an executor; `buffers`: a list of floats for each array, by name."""

    def __init__(
        self,
        run: Callable[[Sequence[Step], dict[str, Any]], None],
        steps: Sequence[Step],
        before: Interpreted | None = None,
        fixed: Mapping[Array, int] | None = None,
        kept: Collection[Array] | None = None,
    ) -> None:
        self.run, self.steps = run, steps
        self.placement: Placement = place(steps, fixed or {})

    def bind(
        self,
        given: Mapping[str, np.ndarray],
        shared: Bound | None = None,
        memory: np.ndarray | None = None,
    ) -> Bound:
        """A Bound that runs the steps on a set of buffers; arguments as for `Compiled.bind`."""
        memory = np.zeros(self.placement.size) if memory is None else memory
        arrays = {**(shared.arrays if shared else {}), **given}
        for array, start in self.placement.starts.items():
            arrays[array.name] = memory[start : start + array.size]
        computed = {step.out.array.name for step in self.steps}

        def run() -> None:
            brought = arrays.keys() - computed
            buffers: dict[str, Any] = {name: arrays[name].tolist() for name in brought}
            self.run(self.steps, buffers)
            for name in computed:
                arrays[name][:] = buffers[name]

        return Bound(memory, arrays, {}, run, {})
