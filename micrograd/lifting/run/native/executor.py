"""The native executor: steps become nests, nests functions, and one function runs them in order.

`Compiled` is code for any buffers; its `bind` fits the code to some. The code is called with a
table of their addresses.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from micrograd.lifting.progress import Progress
from micrograd.lifting.run import executor
from micrograd.lifting.run.executor import Executor
from micrograd.lifting.run.native.fusing import fused
from micrograd.lifting.run.native.linking import Linked
from micrograd.lifting.run.native.lists import is_table, regular
from micrograd.lifting.run.native.loops import c_like
from micrograd.lifting.run.native.machine import Callback, Library, load
from micrograd.lifting.run.native.nests import Nest, merged, nest_of
from micrograd.lifting.run.native.packing import SCRATCH, packed
from micrograd.lifting.run.native.stores import unstored
from micrograd.lifting.run.native.tiling import tiled
from micrograd.lifting.run.native.updates import Update
from micrograd.lifting.steps.ir import Array, Step
from micrograd.lifting.steps.place import Placement, moved

__all__ = ["Bound", "Compiled", "Update", "run"]

_MEMORY = "memory of what steps compute"


def run(steps: Sequence[Step], buffers: dict[str, Any]) -> None:
    """Compile, bind and run once; the result is that of `run` in `reference.py`."""
    given = {name: np.array(x, dtype=np.float64).ravel() for name, x in buffers.items()}
    bound = Compiled(steps).bind(given)
    bound.run()
    buffers.update(bound.arrays)


class Compiled(Executor):
    """Code for a list of steps; `fixed`: where some arrays must lie in `memory` of a Bound.

    `kept`: the arrays that are read afterwards, beside the fixed ones; all, if None.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        before: Compiled | None = None,
        fixed: Mapping[Array, int] | None = None,
        kept: Collection[Array] | None = None,
    ) -> None:
        super().__init__(steps, fixed, None)
        lasting = None if kept is None else (*kept, *(fixed or ()))
        joined = _joined(self.running, self.placement, lasting)
        self.units, self.scratch = packed(tiled(joined))
        self.constants.update(_tables([one.nest for unit in self.units for one in unit.nests]))
        self.failures: list[BaseException] = []  # of rows of the user's own
        with Progress.of("compiling"):
            self._compile()

    def _compile(self) -> None:
        self.linked = Linked(self.units)
        for symbol in self.linked.rows.in_c:
            load(symbol)
        self._callbacks = [
            Callback(symbol, op, self.failures) for symbol, op in self.linked.rows.users.items()
        ]
        library = Library(self.linked.text)
        self._run = library.function("run", ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p)

    @property
    def loops(self) -> str:
        """The loops that were made of the steps, as text that looks like C."""
        return c_like(self.units)

    def bind(
        self,
        given: Mapping[str, np.ndarray],
        shared: executor.Bound | None = None,
        memory: np.ndarray | None = None,
    ) -> Bound:
        memory, arrays = self.arrays(given, shared, memory)
        known = {**arrays, _MEMORY: memory, SCRATCH: np.zeros(self.scratch)}
        held = [*(known[name] for name in self.linked.arrays), *self.linked.tables]
        table = np.array([x.ctypes.data for x in held], dtype=np.uintp)
        fault = np.zeros(2, dtype=np.int64)
        run = _caller(self._run, table, fault, held, self)
        return Bound(memory, arrays, run, not self._callbacks)


class Bound(executor.Bound):
    """Compiled code gives no warnings; rows of one's own may."""

    __slots__ = ("is_silent",)

    def __init__(
        self,
        memory: np.ndarray,
        arrays: dict[str, np.ndarray],
        run: Callable[[], None],
        is_silent: bool,
    ) -> None:
        super().__init__(memory, arrays, run)
        self.is_silent = is_silent


def _joined(
    steps: Sequence[Step], placement: Placement, lasting: Collection[Array] | None
) -> list[Nest]:
    """The steps as nests on one array, joined, and without stores of what is never read."""
    memory = Array(_MEMORY, (placement.size,), "result")
    whole = replace(placement, copies=frozenset())
    alone = [nest_of(regular(step)) for step in moved(steps, whole, memory)]
    joined = fused([merged(nest) for nest in alone if nest is not None])
    if lasting is None:
        return joined
    starts = placement.starts
    kept = [(starts[x], starts[x] + x.size) for x in lasting if x in starts]
    return unstored(joined, kept)


def _caller(
    function: Any, table: np.ndarray, fault: np.ndarray, held: Any, compiled: Compiled
) -> Callable[[], None]:
    """The call as a function without arguments; ctypes releases Python's lock meanwhile."""
    first, second = ctypes.c_void_p(table.ctypes.data), ctypes.c_void_p(fault.ctypes.data)
    failures = compiled.failures

    def run() -> None:
        failed = function(first, second)
        if failures:
            error = failures[0]
            failures.clear()
            raise error
        if failed:
            row, rows = fault.tolist()
            raise IndexError(f"index {row} is out of range for a table of {rows} rows")

    run.held = (table, fault, held, compiled)  # type: ignore[attr-defined]
    return run


def _tables(nests: Sequence[Nest]) -> dict[str, np.ndarray]:
    """The lists of whole numbers that indexes of the nests read."""
    views = (v for nest in nests for v in (*nest.reads(), *nest.outs()))
    indices = (v.index.array for v in views if v.index is not None)
    return {array.name: array.numbers for array in indices if is_table(array)}
