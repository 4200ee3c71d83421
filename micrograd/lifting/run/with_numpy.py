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

from micrograd.lifting.run import executor
from micrograd.lifting.run.calls import Calls
from micrograd.lifting.run.executor import Executor
from micrograd.lifting.run.source import Source
from micrograd.lifting.steps.ir import Array, Step

__all__ = ["Bound", "Compiled", "run"]


def run(steps: Sequence[Step], buffers: dict[str, Any]) -> None:
    """Compile, bind and run once; the result is that of `run` in `reference.py`."""
    compiled = Compiled(steps)
    given = {name: np.array(x, dtype=np.float64).ravel() for name, x in buffers.items()}
    bound = compiled.bind(given)
    with np.errstate(all="ignore"):
        bound.run()
    buffers.update(bound.arrays)


class Compiled(Executor):
    """Code for a list of steps. `before`: code of other steps, which has run on the same arrays."""

    def __init__(
        self,
        steps: Sequence[Step],
        before: Compiled | None = None,
        fixed: Mapping[Array, int] | None = None,
        kept: Collection[Array] | None = None,
    ) -> None:
        super().__init__(steps, fixed, kept)
        self.source: Source = Source(None if before is None else before.source)
        self.copies: dict[Any, str] = {}
        if before is not None:
            self.copies = before._lasting()
        for array, other in self.placement.over.items():
            self.source.rename(array.name, other.name)
        for step in self.running:
            self.source.begin()
            Calls(self.source, self.copies).write(step)
        self.code: CodeType = self.source.code("run")

    def _lasting(self) -> dict[Any, str]:
        """The copies that later code may use: not those of parameters, which may have changed."""
        return {key: name for key, name in self.copies.items() if key[0] != "parameters"}

    def bind(
        self,
        given: Mapping[str, np.ndarray],
        shared: Any = None,  # a Bound of this executor
        memory: np.ndarray | None = None,
    ) -> Bound:
        memory, arrays = self.arrays(given, shared, memory)
        made = dict(shared.made) if shared else {}
        run = self.source.bind(self.code, arrays, made)
        return Bound(memory, arrays, run, made, self._lasting())


class Bound(executor.Bound):
    """`made`: what the names in the code stand for; `copies`: those that later code may use."""

    __slots__ = ("made", "_copies")

    def __init__(
        self,
        memory: np.ndarray,
        arrays: dict[str, np.ndarray],
        run: Callable[[], None],
        made: dict[str, Any],
        copies: Mapping[Any, str],
    ) -> None:
        super().__init__(memory, arrays, run)
        self.made, self._copies = made, copies

    def take_over(self, other: Bound) -> None:
        """Copy what the same code left in another set of buffers."""
        super().take_over(other)
        for name in self._copies.values():
            if name in self.made:
                self.made[name][...] = other.made[name]
