"""All nests of a program as one text: their functions, and the one that calls them in order.

Nests of equal shape share a function. `run` takes a table of addresses, arrays first and then lists
of elements, and a place to write down which index was out of range.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograd.lifting.run.native.code import Code, Module
from micrograd.lifting.run.native.emit import write
from micrograd.lifting.run.native.machine import has_fma
from micrograd.lifting.run.native.memory import Memory
from micrograd.lifting.run.native.plans import plan
from micrograd.lifting.run.native.rows import Rows
from micrograd.lifting.run.native.signature import Signature
from micrograd.lifting.run.native.tiling import Unit

__all__ = ["Linked"]

_Calls = list[tuple[int, list[tuple[str, Signature]]]]  # how often, which functions on what


class Linked:
    """The text of some units; `arrays` and `tables`: whose addresses `run` takes, in this order."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self.rows = Rows()
        module = Module(has_fma())
        known: dict[Any, str] = {}
        calls: _Calls = []
        for unit in units:
            inside = []
            for one in unit.nests:
                signature = Signature(one.nest, one.steps)
                key = signature.key
                if key not in known:
                    known[key] = _function(module, self.rows, signature, f"@nest_{len(known)}")
                inside.append((known[key], signature))
            calls.append((unit.count, inside))
        signatures = [signature for _, inside in calls for _, signature in inside]
        self.arrays = sorted({p[0] for s in signatures for p in s.pointers if isinstance(p, tuple)})
        self.tables: list[np.ndarray] = [
            p for s in signatures for p in s.pointers if not isinstance(p, tuple)
        ]
        main = Code(module)
        self._call_all(main, calls)
        module.functions["@run"] = main.function("@run", "ptr %table, ptr %fault", "i32")
        self.text = str(module)

    def _call_all(self, main: Code, calls: _Calls) -> None:
        places = {name: _entry(main, k) for k, name in enumerate(self.arrays)}
        tables = iter([_entry(main, len(places) + k) for k in range(len(self.tables))])
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
    write(rows, signature.nest, plan(signature.nest), Memory(code, signature))
    pointers = [f"ptr %p{k}" for k in range(len(signature.pointers))]
    if signature.checks:
        pointers.append("ptr %fault")
    code.do("ret i32 0" if signature.checks else "ret void")
    result = "i32" if signature.checks else "void"
    text = code.function(name, ", ".join(pointers), f"internal {result}", "noinline nounwind")
    module.functions[name] = text
    return name
