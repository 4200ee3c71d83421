"""An executor that compiles nothing: it calls a function that carries out the steps."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from micrograd.lifting.run.executor import Bound, Executor
from micrograd.lifting.steps.ir import Array, Step

__all__ = ["Interpreted"]


class Interpreted(Executor):
    """`run(steps, buffers)` as an executor; `buffers`: a list of floats for each array, by name."""

    def __init__(
        self,
        run: Callable[[Sequence[Step], dict[str, Any]], None],
        steps: Sequence[Step],
        before: Interpreted | None = None,
        fixed: Mapping[Array, int] | None = None,
        kept: Collection[Array] | None = None,
    ) -> None:
        super().__init__(steps, fixed, None)  # lists of their own do not lie over one another
        self.run, self.steps = run, steps

    def bind(
        self,
        given: Mapping[str, np.ndarray],
        shared: Bound | None = None,
        memory: np.ndarray | None = None,
    ) -> Bound:
        memory, arrays = self.arrays(given, shared, memory)
        computed = {step.out.array.name for step in self.steps}

        def run() -> None:
            brought = arrays.keys() - computed
            buffers: dict[str, Any] = {name: arrays[name].tolist() for name in brought}
            self.run(self.steps, buffers)
            for name in computed:
                arrays[name][:] = buffers[name]

        return Bound(memory, arrays, run)
