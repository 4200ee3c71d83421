"""What every executor is: steps, where their arrays lie, and which of them each run must do.

An executor is a subclass of `Executor` whose `bind` gives a `Bound`: a function without arguments
that runs the steps on one set of buffers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from micrograd.lifting.steps.ir import Array, Step
from micrograd.lifting.steps.place import Placement, place
from micrograd.lifting.steps.walks import walk

__all__ = ["Bound", "Executor"]


class Bound:
    """A function that runs the steps on `arrays`, most of which lie in `memory`."""

    __slots__ = ("memory", "arrays", "run")

    is_silent = False  # whether inf and nan come without a warning

    def __init__(
        self, memory: np.ndarray, arrays: dict[str, np.ndarray], run: Callable[[], None]
    ) -> None:
        self.memory, self.arrays, self.run = memory, arrays, run

    def take_over(self, other: Any) -> None:
        """Copy what the same code left in another set of buffers."""
        self.memory[:] = other.memory


class Executor:
    """Steps made ready to run.

    `fixed`: where some arrays must lie in memory. `kept`: the arrays that are read afterwards;
    all, if None. `running`: the steps that each run does. Copies that `placement` makes needless
    are not among them, nor are constants that no step adds to, which are written once.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        fixed: Mapping[Array, int] | None,
        kept: Collection[Array] | None,
    ) -> None:
        self.placement: Placement = place(steps, fixed or {}, kept)
        self.constants = {
            view.array.name: np.ascontiguousarray(view.array.numbers, dtype=np.float64).ravel()
            for step in steps
            for view in step.views
            if view.array.numbers is not None
        }
        added_to = {step.out.array for step in steps if step.accumulate}
        self.running: list[Step] = []
        self._once: list[Step] = []
        for number, step in enumerate(steps):
            constant = isinstance(step.value, float) and step.combine is None
            if constant and step.out.array not in added_to:
                self._once.append(step)
            elif number not in self.placement.copies:
                self.running.append(step)

    @property
    def loops(self) -> str | None:
        """The compiled loops as text, of an executor that has any."""
        return None

    def bind(
        self,
        given: Mapping[str, np.ndarray],
        shared: Bound | None = None,
        memory: np.ndarray | None = None,
    ) -> Bound:
        """The code on a set of buffers: `given` arrays, and `memory` for what steps compute.

        `shared`: the buffers that the code runs on that came before this one.
        """
        raise NotImplementedError

    def arrays(
        self, given: Mapping[str, np.ndarray], shared: Bound | None, memory: np.ndarray | None
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """The memory, and every array by its name; what is written once is written."""
        memory = np.zeros(self.placement.size) if memory is None else memory
        arrays = {**(shared.arrays if shared else {}), **given, **self.constants}
        for array, start in self.placement.starts.items():
            arrays[array.name] = memory[start : start + array.size]
        for step in self._once:
            arrays[step.out.array.name][walk(step.out, step.loops)] = step.value
        return memory, arrays
