"""The NumPy executor: each step is a few calls on views that are prepared in advance.

`Compiled` turns steps into code once, its `bind` fits the code to buffers. A step (`calls.py`)
becomes a matrix product where BLAS has one (`contraction.py`), plain Python where it makes a few
numbers, else ufuncs that write to where the result belongs (`ufuncs.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
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
    """Compile, bind and run once; the result is that of `run` in `reference.py`."""
    compiled = Compiled(steps)
    given = {name: np.array(x, dtype=np.float64).ravel() for name, x in buffers.items()}
    bound = compiled.bind(given)
    with np.errstate(all="ignore"):
        bound.run()
    buffers.update(bound.arrays)


class Compiled:
    """Code for a list of steps. `before`: code of other steps, which has run on the same arrays.

    `fixed`: where some arrays must lie in the buffer, `memory` of a Bound. `kept`: the arrays that
    are read afterwards; all, if None.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        before: Compiled | None = None,
        fixed: Mapping[Array, int] | None = None,
        kept: Collection[Array] | None = None,
    ) -> None:
        self.source: Source = Source(None if before is None else before.source)
        self.copies: dict[Any, str] = {}
        if before is not None:
            self.copies = before._lasting()
        self.placement: Placement = place(steps, fixed or {}, kept)
        self.constants = {
            view.array.name: np.ascontiguousarray(view.array.numbers, dtype=np.float64).ravel()
            for step in steps
            for view in step.views
            if view.array.numbers is not None
        }
        for array, other in self.placement.over.items():
            self.source.rename(array.name, other.name)
        added_to = {step.out.array for step in steps if step.accumulate}
        self._fills = []
        for number, step in enumerate(steps):
            if number in self.placement.copies:
                continue
            constant = isinstance(step.value, float) and step.combine is None
            if constant and step.out.array not in added_to:
                self._fills.append(step)  # it stays as it is: once for each set of buffers
                continue
            self.source.begin()
            Calls(self.source, self.copies).write(step)
        self.code: CodeType = self.source.code("run")

    def _lasting(self) -> dict[Any, str]:
        """The copies that later code may use: not those of parameters, which may have changed."""
        return {key: name for key, name in self.copies.items() if key[0] != "parameters"}

    def bind(
        self,
        given: Mapping[str, np.ndarray],
        shared: Bound | None = None,
        memory: np.ndarray | None = None,
    ) -> Bound:
        """The code on a set of buffers: `given` arrays, and `memory` for what steps compute.

        `shared`: the buffers that the code `before` this one runs on.
        """
        memory = np.zeros(self.placement.size) if memory is None else memory
        arrays = {**(shared.arrays if shared else {}), **given, **self.constants}
        for array, start in self.placement.starts.items():
            arrays[array.name] = memory[start : start + array.size]
        made = dict(shared.made) if shared else {}
        run = self.source.bind(self.code, arrays, made)
        bound = Bound(memory, arrays, made, run, self._lasting())
        for step in self._fills:
            arrays[step.out.array.name][walk(step.out, step.loops)] = step.value
        return bound


class Bound:
    """A function that runs the steps on `arrays`, most of which lie in `memory`."""

    __slots__ = ("memory", "arrays", "made", "run", "_copies")
    is_silent = False  # whether inf and nan come without a warning

    def __init__(
        self,
        memory: np.ndarray,
        arrays: dict[str, np.ndarray],
        made: dict[str, Any],
        run: Callable[[], None],
        copies: Mapping[Any, str],
    ) -> None:
        self.memory, self.arrays, self.made, self.run = memory, arrays, made, run
        self._copies = copies

    def take_over(self, other: Bound) -> None:
        """Copy what the same code left in another set of buffers."""
        self.memory[:] = other.memory
        for name in self._copies.values():
            if name in self.made:
                self.made[name][...] = other.made[name]
