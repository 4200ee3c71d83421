"""The NumPy executor: each step a few calls on views that are prepared in advance.

`Compiled` turns steps into code once, `bind` fits it to buffers. A step (`calls.py`) is a matrix
product where BLAS does it (`contraction.py`), plain Python where it is a number or two, else ufuncs
that write where the result belongs (`ufuncs.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import CodeType
from typing import Any

import numpy as np

from micrograd.lifting.run.calls import Calls
from micrograd.lifting.run.source import Source
from micrograd.lifting.steps.ir import Array, Step
from micrograd.lifting.steps.place import Placement, place
from micrograd.lifting.steps.walks import walk

__all__ = ["Bound", "Compiled", "run"]


def run(steps: Sequence[Step], buffers: dict[str, Any]) -> None:
    """Compile, bind and run once: what `reference.run` does."""
    compiled = Compiled(steps)
    given = {name: np.array(x, dtype=np.float64).ravel() for name, x in buffers.items()}
    bound = compiled.bind(given)
    with np.errstate(all="ignore"):
        bound.run()
    buffers.update(bound.arrays)


class Compiled:
    """Code for a list of steps; `before`: other steps' code that has run on the same arrays.

    `fixed`: where some arrays must lie in the buffer, `memory` of a Bound.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        before: Compiled | None = None,
        fixed: Mapping[Array, int] | None = None,
    ) -> None:
        self.source: Source = Source() if before is None else before.source
        self.copies: dict[Any, str] = {}
        if before is not None:  # parameters are read anew, they may have been written since
            lasting = ((k, v) for k, v in before.copies.items() if k[0] != "parameters")
            self.copies = dict(lasting)
        self.placement: Placement = place(steps, fixed or {})
        self.constants = {
            view.array.name: np.ascontiguousarray(view.array.numbers, dtype=np.float64).ravel()
            for step in steps
            for view in step.reads
            if view.array.numbers is not None
        }
        added_to = {step.out.array for step in steps if step.accumulate}
        self._fills = []
        for number, step in enumerate(steps):
            if number in self.placement.copies:
                continue
            if isinstance(step.value, float) and step.out.array not in added_to:
                self._fills.append(step)  # it stays as it is: once for each set of buffers
                continue
            self.source.begin()
            Calls(self.source, self.copies).write(step)
        self.code: CodeType = self.source.code("run")

    def bind(self, given: Mapping[str, np.ndarray], shared: Bound | None = None) -> Bound:
        """The code on a set of buffers: `given` arrays, and new ones for what steps compute."""
        memory = np.zeros(self.placement.size)
        arrays = {**(shared.arrays if shared else {}), **given, **self.constants}
        for array, start in self.placement.starts.items():
            arrays[array.name] = memory[start : start + array.size]
        made = dict(shared.made) if shared else {}
        bound = Bound(memory, arrays, made, self.source.bind(self.code, arrays, made))
        for step in self._fills:
            arrays[step.out.array.name][walk(step.out, step.loops)] = step.value
        return bound


class Bound:
    """A function that runs the steps on `arrays`."""

    __slots__ = ("memory", "arrays", "made", "run")

    def __init__(
        self,
        memory: np.ndarray,
        arrays: dict[str, np.ndarray],
        made: dict[str, Any],
        run: Callable[[], None],
    ) -> None:
        self.memory, self.arrays, self.made, self.run = memory, arrays, made, run
