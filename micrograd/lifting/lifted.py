"""`lift`: record a function of Values once, then run it as an array program.

The decorator keeps one program for each combination of shapes and static arguments, and records again
when something that the function names has changed. `record_program` is the path from the function to
the program; read it next.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import Any

import numpy as np

from micrograd import engine
from micrograd.engine import Value
from micrograd.lifting.arguments import Arguments, Template, Tracer, read
from micrograd.lifting.environment import Environment
from micrograd.lifting.fuse import Fused, fuse
from micrograd.lifting.program import Argument, Program, State, Update
from micrograd.lifting.record import PARAMETER, Tape
from micrograd.lifting.schedule import schedule
from micrograd.store import gather

__all__ = ["Lifted", "lift"]

_PROGRAMS = 64  # how many programs a lifted function keeps; the least recently used goes first


class Lifted:
    """A function that records itself and runs lifted; `program` is the one that ran last."""

    def __init__(self, function: Callable[..., Any], batched: Sequence[str] = ()) -> None:
        update_wrapper(self, function)
        self.function = function
        self.batched = tuple(batched)
        self.programs: OrderedDict[Any, tuple[Environment, Program, Any]] = OrderedDict()
        self.program: Program | None = None
        self._lock = threading.RLock()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if isinstance(engine.current_mode(), Tape):  # inside another recording: part of it
            return self.function(*args, **kwargs)
        found = read(args, kwargs)
        key = tuple(found.key)
        entry = self.programs.get(key)
        if entry is None or not entry[0].same():
            entry = self._record(key, args, kwargs, found)
        self.program = entry[1]
        return self.program.run(found)

    def _record(self, key: Any, args: Any, kwargs: Any, found: Arguments) -> Any:
        with self._lock:
            environment = Environment.of(self.function, (args, tuple(kwargs.values())))
            program = record_program(self.function, args, kwargs, found)
            entry = self.programs[key] = (environment, program, found.kept)
            self.programs.move_to_end(key)
            while len(self.programs) > _PROGRAMS:
                self.programs.popitem(last=False)
            return entry


def lift(function: Callable[..., Any] | None = None, *, batched: Sequence[str] = ()) -> Any:
    """The same function, recorded once and run as an array program: `@lift`, `@lift(batched=("X",))`."""
    if function is None:
        return lambda f: Lifted(f, batched)
    if not callable(function):
        raise TypeError(f"lift decorates a function, got {function!r}")
    return Lifted(function, batched)


def record_program(
    function: Callable[..., Any], args: Any, kwargs: dict[str, Any], found: Arguments
) -> Program:
    """Run the function on traced arguments and compile what it did."""
    tape = Tape()
    tracer = Tracer(tape, lambda number, shape: shape)
    traced_args = [tracer.rebuild(x) for x in args]
    traced_kwargs = {name: tracer.rebuild(kwargs[name]) for name in sorted(kwargs)}
    with engine.mode(tape):
        returned = function(*traced_args, **traced_kwargs)
    template = Template(tape, returned)
    updates = [(module, name, values) for (module, name), values in tape.buffers.items()]
    state_places = [[tape.find(v) for v in np.asarray(values).flat] for _, _, values in updates]
    needed = [*template.places, *(p for places in state_places for p in places if p is not None)]
    fused = fuse(tape, needed)
    parameters = _in_order_of_use(tape, fused)
    outside = [(v, i) for v, i in tape.captured.items() if v._rule is not None]
    for _, i in outside:
        tape.kinds[i] = "input"
    gather(parameters)
    first = min((p._right for p in parameters), default=0)
    stored = {tape.captured[p]: p._right - first for p in parameters}
    layout = schedule(tape, fused, stored)
    at = layout.address
    arguments = [
        Argument(at[start] if size else 0, size, shape, values is not None)
        for start, shape, values in zip(tracer.first, tracer.shapes, found.values, strict=True)
        for size in [int(np.prod(shape))]
    ]
    states = [
        State(at[drawn.flat[0]._left], shape, generator)
        for generator, shape, drawn in tape.draws
        if drawn.size
    ]
    outputs = [at[i] for i in fused.outputs]
    count = len(template.places)
    changed = []
    position = count
    for (module, name, values), places in zip(updates, state_places, strict=True):
        size = len(places)
        found_at = np.array(outputs[position : position + size]).reshape(np.shape(values))
        changed.append(Update(module, name, found_at))
        position += size
    return Program(
        getattr(function, "__name__", "lifted"), layout, parameters, arguments, outputs[:count],
        template, states, changed, [(at[i], v) for v, i in outside],
    )  # fmt: skip


def _in_order_of_use(tape: Tape, fused: Fused) -> list[Value]:
    """The captured leaves, ordered so that what one group reads lies side by side in a new store."""
    value_at = {i: v for v, i in tape.captured.items() if v._rule is None}
    ordered: dict[Value, None] = {}
    wide = sorted(fused.nodes, key=lambda node: -len(node.operands[-1]))

    def visit(places: Sequence[int]) -> None:
        for place in places:
            if tape.kinds[place] == PARAMETER and place in value_at:
                ordered.setdefault(value_at[place])

    for role in (1, 0):
        for node in wide:
            if node.kind in ("dot", "take") and role < len(node.operands):
                visit(node.operands[role])
    for node in fused.nodes:
        for places in node.operands:
            visit(places)
        if node.start is not None:
            visit((node.start,))
    return list(ordered)


