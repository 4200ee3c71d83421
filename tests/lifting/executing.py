"""Lifted functions run by an executor of Steps, so that any test of `lift` can be run on any one.

`through(execute)` is a `lift` whose calls go by way of `lower` and `adjoint`. An executor here is
`execute(steps, buffers)`: `buffers` holds the numbers that are given, array by array, and receives
what the steps compute.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from absolute import flat

from micrograd import Value, lift
from micrograd.lifting import program as lifted
from micrograd.lifting.steps.adjoint import adjoint, gradient, reached, seed
from micrograd.lifting.steps.checks import check
from micrograd.lifting.steps.ir import Program, Step, Window
from micrograd.lifting.steps.lower import lower
from micrograd.lifting.steps.walks import walk

Execute = Callable[[Sequence[Step], dict[str, Any]], None]


def lowered(program: lifted.Program) -> Program:
    return lower(program.name, program.recording, program.argument_names, program.paths)


def through(execute: Execute, **options: Any) -> Callable[..., Any]:
    """A `lift` that runs functions by this executor."""

    def lifting(function: Callable[..., Any]) -> Callable[..., Any]:
        original = lift(function, **options)

        def call(*args: Any) -> list[Value]:
            return Run(original, execute, args).results

        call.original = original  # type: ignore[attr-defined]
        return call

    return lifting


class Run:
    """One call, as a node of the graph: `results` are Values above it."""

    name = "run"

    def __init__(self, function: Any, execute: Execute, args: Sequence[Any]) -> None:
        returned = flat(function(*args))
        old = function.program
        calls = [v._rule.call for v in returned if hasattr(getattr(v, "_rule", None), "call")]
        numbers = calls[0].buffers.numbers if calls else np.zeros(old.layout.size)
        self.execute = execute
        self.program = lowered(old)
        self.buffers = given(self.program, old, numbers)
        check(self.program)
        with np.errstate(all="ignore"):
            execute(self.program.forward, self.buffers)
        self.seeds: dict[int, dict[int, float]] = {}
        self.node = Value(0.0)
        self.node._rule = self
        inputs = [v for v in flat(args) if isinstance(v, Value)]
        self.inputs = [*inputs, *(outside.value for outside in old.recording.outside)]
        self.parameters = list(zip(old.parameters, old.positions, strict=True))
        self.node._left = (*self.inputs, *old.parameters)
        made = [v for k in range(len(self.program.results)) for v in self.values(k)]
        self.results = (
            [  # what was returned, with our own in the place of the other's results
                made[v._rule.which] if hasattr(getattr(v, "_rule", None), "call") else v
                for v in returned
            ]
            if calls
            else returned
        )

    def values(self, which: int) -> list[Value]:
        numbers = read(self.program.results[which], self.buffers)
        made = [Value(float(x)) for x in numbers.flat]
        for place, value in enumerate(made):
            value._rule, value._left = Output(self, which, place), self.node
        return made

    def arrived(self, which: int, places: Iterable[int]) -> np.ndarray:
        """At which elements of a result a gradient has arrived."""
        loops = self.program.results[which].loops
        found = np.zeros(math.prod(loops), dtype=bool)
        found[list(places)] = True
        return found.reshape(loops)

    def push(self, node: Value) -> None:
        """The gradients of everything that went in, from those that came to results."""
        arrived = {k: self.arrived(k, places) for k, places in sorted(self.seeds.items())}
        steps = adjoint(self.program, arrived)
        check(self.program, steps)
        buffers = dict(self.buffers)
        for which, found in self.seeds.items():
            array = seed(self.program, which)
            buffers[array.name] = [found.get(k, 0.0) for k in range(array.size)]
        with np.errstate(all="ignore"):
            self.execute(steps, buffers)
        marks = reached(self.program, arrived)
        wanted = [a.array for a in self.program.arguments if a.wanted]
        flags = [flag for array in wanted for flag in marks.of(array)]
        grads = [g for array in wanted for g in buffers[gradient(array).name]]
        for value, flag, g in zip(self.inputs, flags, grads, strict=True):
            if flag:
                value.grad += float(g)
        stored = {}
        for parameters in self.program.parameters:
            found = buffers[gradient(parameters.array).name]
            stored.update(enumerate(found, parameters.first))
        for value, position in self.parameters:
            value.grad += float(stored.get(position, 0.0))
        self.seeds = {}


class Output:
    """The rule of one result: its gradient goes to the run."""

    name = "run"

    def __init__(self, run: Run, which: int, place: int) -> None:
        self.run, self.which, self.place = run, which, place

    def push(self, node: Value) -> None:
        seeds = self.run.seeds.setdefault(self.which, {})
        seeds[self.place] = seeds.get(self.place, 0.0) + node.grad
        node._left.grad += node.grad


def given(program: Program, old: lifted.Program, numbers: Any) -> dict[str, Any]:
    """The numbers of a call's arguments, draws, parameters, and the constants, by array."""
    recording = old.recording
    starts = [a.start for a in recording.arguments] + [o.place for o in recording.outside]
    arrays = [a.array for a in program.arguments]
    starts += [s.start for s in recording.states]
    arrays += [d.array for d in program.draws]
    found = {
        array.name: numbers[start : start + array.size].tolist()
        for start, array in zip(starts, arrays, strict=True)
    }
    stored = dict(zip(old.positions, [p.data for p in old.parameters], strict=True))
    for array, first in ((p.array, p.first) for p in program.parameters):
        found[array.name] = [stored[k] for k in range(first, first + array.size)]
    for array in program.constants:
        found[array.name] = array.numbers.ravel().tolist()
    return found


def read(window: Window, buffers: dict[str, Any]) -> np.ndarray:
    """The numbers of a result."""
    places = np.broadcast_to(walk(window.view, window.loops), window.loops)
    found: np.ndarray = np.asarray(buffers[window.view.array.name], dtype=float).ravel()[places]
    return found
