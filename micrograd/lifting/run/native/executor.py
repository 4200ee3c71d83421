"""The native executor: steps become nests, nests functions, and one function runs them in order.

`Compiled` is code for any buffers, `bind` fits it to some. A call passes one table of addresses.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from micrograd.lifting.run.native.code import Code, Module
from micrograd.lifting.run.native.emit import write
from micrograd.lifting.run.native.fusing import fused, unstored
from micrograd.lifting.run.native.lists import is_table, regular
from micrograd.lifting.run.native.machine import Callback, Library, has_fma, load
from micrograd.lifting.run.native.memory import Memory
from micrograd.lifting.run.native.nests import Nest, merged, nest_of
from micrograd.lifting.run.native.packing import SCRATCH, packed
from micrograd.lifting.run.native.plans import plan
from micrograd.lifting.run.native.rows import Rows
from micrograd.lifting.run.native.signature import Signature
from micrograd.lifting.run.native.tiling import Unit, tiled
from micrograd.lifting.steps.ir import Array, Step
from micrograd.lifting.steps.place import Placement, moved, place
from micrograd.lifting.steps.walks import walk

__all__ = ["Bound", "Compiled", "run"]

_MEMORY = "memory of what steps compute"


def run(steps: Sequence[Step], buffers: dict[str, Any]) -> None:
    """Compile, bind and run once: what `reference.run` does."""
    given = {name: np.array(x, dtype=np.float64).ravel() for name, x in buffers.items()}
    bound = Compiled(steps).bind(given)
    bound.run()
    buffers.update(bound.arrays)


class Compiled:
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
        self.placement: Placement = place(steps, fixed or {})
        self.constants = {
            view.array.name: np.ascontiguousarray(view.array.numbers, dtype=np.float64).ravel()
            for step in steps
            for view in step.views
            if view.array.numbers is not None
        }
        added_to = {step.out.array for step in steps if step.accumulate}
        self._fills = []  # what stays as it is: done once for each set of buffers
        steps_to_run = []
        for number, step in enumerate(steps):
            alone = step.combine is None and step.out.array not in added_to
            if isinstance(step.value, float) and alone:
                self._fills.append(step)
            elif number not in self.placement.copies:
                steps_to_run.append(step)
        lasting = None if kept is None else (*kept, *(fixed or ()))
        joined = _joined(steps_to_run, self.placement, lasting)
        units, self.scratch = packed(tiled(joined))
        self.constants.update(_tables([one.nest for unit in units for one in unit.nests]))
        self.arrays: list[str] = []  # in the order of their addresses in the table
        self.tables: list[np.ndarray] = []
        self.callbacks: list[Callback] = []
        self.failures: list[BaseException] = []  # of rows of the user's own
        self.text = _text(units, self)
        self._library = Library(self.text)
        self._run = self._library.function("run", ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p)

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
        for step in self._fills:
            arrays[step.out.array.name][walk(step.out, step.loops)] = step.value
        known = {**arrays, _MEMORY: memory, SCRATCH: np.zeros(self.scratch)}
        held = [*(known[name] for name in self.arrays), *self.tables]
        table = np.array([x.ctypes.data for x in held], dtype=np.uintp)
        fault = np.zeros(2, dtype=np.int64)
        return Bound(memory, arrays, _caller(self._run, table, fault, held, self))


class Bound:
    """A function that runs the steps on `arrays`."""

    __slots__ = ("memory", "arrays", "run")

    def __init__(
        self, memory: np.ndarray, arrays: dict[str, np.ndarray], run: Callable[[], None]
    ) -> None:
        self.memory, self.arrays, self.run = memory, arrays, run

    def take_over(self, other: Bound) -> None:
        """What the same code left in another set of buffers."""
        self.memory[:] = other.memory


def _joined(
    steps: Sequence[Step], placement: Placement, lasting: Collection[Array] | None
) -> list[Nest]:
    """The steps as nests on one array, without stores of what nobody reads."""
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
    """A function without arguments; ctypes lets go of the interpreter's lock while it runs."""
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


def _text(units: Sequence[Unit], compiled: Compiled) -> str:
    """All functions, and the one that calls them in order."""
    module, rows = Module(has_fma()), Rows()
    main = Code(module)
    known: dict[Any, str] = {}
    calls: list[tuple[int, list[tuple[str, Signature]]]] = []
    for unit in units:
        inside = []
        for one in unit.nests:
            signature = Signature(one.nest, one.steps)
            key = signature.key
            if key not in known:
                known[key] = _function(module, rows, signature, f"@nest_{len(known)}")
            inside.append((known[key], signature))
        calls.append((unit.count, inside))
    signatures = [signature for _, inside in calls for _, signature in inside]
    names = {p[0] for s in signatures for p in s.pointers if isinstance(p, tuple)}
    compiled.arrays = sorted(names)
    compiled.tables = [p for s in signatures for p in s.pointers if not isinstance(p, tuple)]
    places = {name: _entry(main, k) for k, name in enumerate(compiled.arrays)}
    tables = iter([_entry(main, len(places) + k) for k in range(len(compiled.tables))])
    for count, inside in calls:
        loop = main.open(count) if count > 1 else None
        for function, signature in inside:
            arguments = []
            for pointer in signature.pointers:
                if isinstance(pointer, tuple):
                    name, first, step = pointer
                    place = main.move(places[name], first)
                    if loop is not None and step:
                        place = main.move(place, main.whole("mul", 1, loop.index, str(step)))
                    arguments.append(place)
                else:
                    arguments.append(next(tables))
            _call(main, function, arguments, signature.checks)
        if loop is not None:
            main.close(loop)
    main.do("ret i32 0")
    for symbol in rows.in_c:
        load(symbol)
    compiled.callbacks = [Callback(s, op, compiled.failures) for s, op in rows.users.items()]
    module.functions["@run"] = main.function("@run", "ptr %table, ptr %fault", "i32")
    return str(module)


def _tables(nests: Sequence[Nest]) -> dict[str, np.ndarray]:
    """The lists of whole numbers that nests go by."""
    views = (v for nest in nests for v in (*nest.reads(), *nest.outs()))
    indices = (v.index.array for v in views if v.index is not None)
    return {array.name: array.numbers for array in indices if is_table(array)}


def _entry(code: Code, number: int) -> str:
    place = code.let(f"getelementptr ptr, ptr %table, i64 {number}")
    return code.let(f"load ptr, ptr {place}, align 8")


def _call(code: Code, function: str, arguments: Sequence[str], checks: bool) -> None:
    """Call a nest; leave if it met an index out of range."""
    given = ", ".join(f"ptr {x}" for x in arguments)
    if not checks:
        code.do(f"call void {function}({given})")
        return
    bad, good, failed = code.fresh(), code.fresh(), code.fresh()
    result = code.let(f"call i32 {function}({given}, ptr %fault)")
    code.do(f"{failed} = icmp ne i32 {result}, 0")
    code.do(f"br i1 {failed}, label {bad}, label {good}")
    code.label(bad)
    code.do("ret i32 1")
    code.label(good)


def _function(module: Module, rows: Rows, signature: Signature, name: str) -> str:
    code = Code(module)
    write(module, rows, signature.nest, plan(signature.nest), Memory(code, signature))
    pointers = [f"ptr %p{k}" for k in range(len(signature.pointers))]
    if signature.checks:
        pointers.append("ptr %fault")
    code.do("ret i32 0" if signature.checks else "ret void")
    result = "i32" if signature.checks else "void"
    text = code.function(name, ", ".join(pointers), f"internal {result}", "noinline nounwind")
    module.functions[name] = text
    return name
