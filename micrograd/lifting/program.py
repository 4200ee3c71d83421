"""A program: the instructions found in a recording, their code, and the buffers that one call uses.

`Program.build` goes from a tape to code; `Program.buffers` makes what one live call needs; `forward` and
`backward` of the buffers are straight lines of NumPy calls without a loop over scalars.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import CodeType, FunctionType
from typing import Any, NamedTuple

import numpy as np

from micrograd.engine import Value, _leaf, current_mode
from micrograd.lifting.adjoint import AdjointWriter
from micrograd.lifting.arguments import Arguments, flat_values, read
from micrograd.lifting.call import Call
from micrograd.lifting.forward import ForwardWriter
from micrograd.lifting.record import LiftError
from micrograd.lifting.schedule import Layout
from micrograd.lifting.views import Views
from micrograd.store import Store, gather

__all__ = ["Buffers", "Program"]


class Buffers:
    """The numbers and gradients of one live call, and its code bound to them."""

    __slots__ = ("numbers", "grads", "parameter_grads", "store", "offset", "forward", "backward", "arguments")

    def __init__(self, program: Program, store: Store, offset: int) -> None:
        layout = program.layout
        self.store, self.offset = store, offset
        self.numbers = np.zeros(layout.size)
        self.numbers[: len(layout.constants)] = layout.constants
        self.grads = np.zeros(layout.size)
        self.parameter_grads = np.zeros(program.parameter_count)
        names = program.views.instantiate(
            {
                "v": self.numbers,
                "g": self.grads,
                "p": store.numbers[offset : offset + program.parameter_count],
                "d": self.parameter_grads,
            }
        )
        names.update(
            v=self.numbers,
            g=self.grads,
            p=store.numbers[offset : offset + program.parameter_count],
            d=self.parameter_grads,
            stored=store.grads[offset : offset + program.parameter_count],
            v_=self.numbers.data,
            g_=self.grads.data,
            d_=self.parameter_grads.data,
            p_=store.numbers[offset : offset + program.parameter_count].data,
        )
        self.forward = FunctionType(program.forward_code, names)
        self.backward = FunctionType(program.backward_code, names)
        self.arguments = [
            self.numbers[a.start : a.start + a.size].reshape(a.shape) for a in program.arguments
        ]


class Program:
    """What `lift` found: `instructions` over one buffer and the parameters' store; call it on arguments.

    A program can be pickled: it keeps its instructions and its parameters, and writes its code anew.
    """

    def __init__(
        self,
        name: str,
        layout: Layout,
        parameters: Sequence[Value],
        arguments: Sequence[Argument],
        outputs: Sequence[int],
        template: Any,
        states: Sequence[State] = (),
        updates: Sequence[Update] = (),
        outside: Sequence[tuple[int, Value]] = (),
    ) -> None:
        self.name = name
        self.layout = layout
        self.parameters = list(parameters)
        self.arguments = list(arguments)
        self.outputs = list(outputs)
        self.template = template
        self.states = list(states)
        self.updates = list(updates)
        self.outside = list(outside)  # Values with a past that the function found: inputs of each call
        self.wanted_inputs = [
            at for a in arguments if a.wanted for at in range(a.start, a.start + a.size)
        ] + [at for at, _ in self.outside]
        self._write()

    def _write(self) -> None:
        layout = self.layout
        self.store = gather(self.parameters)
        places = [p._right for p in self.parameters]
        self.first = min(places, default=0)
        self.parameter_count = max(places, default=-1) + 1 - self.first
        self.views = Views()
        forward = ForwardWriter(self.views)
        for instruction in layout.instructions:
            forward.write(instruction)
        wanted = self._wanted()
        written = np.zeros(layout.size, dtype=bool)
        written[self.outputs] = True
        adjoint = AdjointWriter(self.views, wanted, written, self.parameter_count)
        for instruction in reversed(layout.instructions):
            adjoint.write(instruction)
        adjoint.collect(self.outputs)
        self.forward_source = _source("forward()", forward.lines)
        self.backward_source = _source("backward(seeds)", adjoint.lines)
        self.forward_code = _compiled(self.forward_source)
        self.backward_code = _compiled(self.backward_source)
        self.pool: list[Buffers] = []

    def _wanted(self) -> np.ndarray:
        """Which addresses a gradient flows through: inputs that ask, and all that depends on any."""
        wanted = np.zeros(self.layout.size, dtype=bool)
        wanted[self.wanted_inputs] = True
        asker = AdjointWriter(Views(), wanted, wanted, 0)
        for instruction in self.layout.instructions:
            if instruction.op is not None and not instruction.op.differentiable:
                continue
            reads = [*instruction.operands, *([instruction.start] if instruction.start else [])]
            if instruction.kind == "take":
                reads = reads[1:]
            if any(map(asker.wants, reads)):
                wanted[asker.places(instruction.out)] = True
        return wanted

    def __reduce__(self) -> tuple[Any, ...]:
        parts = (self.name, self.layout, self.parameters, self.arguments, self.outputs)
        return _rebuilt, (parts, self.first, self.template, self.states, self.updates, self.outside)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run on arguments of the kinds and shapes that were recorded."""
        found = read(args, kwargs)
        shapes = [np.shape(array) for array in found.arrays]
        expected = [argument.shape for argument in self.arguments]
        if shapes != expected:
            raise LiftError(f"{self.name} was recorded for arrays of shapes {expected}, got {shapes}")
        return self.run(found)

    def run(self, found: Arguments) -> Any:
        """One call: numbers in, forward, results out."""
        buffers = self._buffers()
        for place, array in zip(buffers.arguments, found.arrays, strict=True):
            np.copyto(place, array)
        for state in self.states:
            size = math.prod(state.shape)
            buffers.numbers[state.start : state.start + size] = state.generator.random(size)
        for at, value in self.outside:
            buffers.numbers[at] = value.data
        with np.errstate(all="ignore"):
            buffers.forward()
        for update in self.updates:
            update.module.update_buffer(update.name, buffers.numbers[update.places])
        call = Call(self, buffers, self.name)
        node = None
        if current_mode() is None:
            node = _leaf(0.0, 0.0, "")
            node._rule = call
            node._left = tuple(flat_values(found.values)) if self.wanted_inputs else ()
            if self.outside:
                node._left += tuple(value for _, value in self.outside)
        return self.template.fill(node, call)

    def _buffers(self) -> Buffers:
        store, offset = self.store.current()
        while self.pool:
            buffers = self.pool.pop()
            if buffers.store is store:
                return buffers
        return Buffers(self, store, offset + self.first)

    def fresh_buffers(self) -> Buffers:
        return self._buffers()


class Argument(NamedTuple):
    """An array among the arguments: where its numbers stand, and whether gradients flow into it."""

    start: int
    size: int
    shape: tuple[int, ...]
    wanted: bool


class State(NamedTuple):
    """Uniform random numbers, drawn anew for each call (dropout)."""

    start: int
    shape: tuple[int, ...]
    generator: np.random.Generator


class Update(NamedTuple):
    """A module's running statistics and where their new values stand after a call."""

    module: Any
    name: str
    places: np.ndarray


def _rebuilt(parts: tuple[Any, ...], first: int, *rest: Any) -> Program:
    """A program in another process: its parameters, plain Values there, are stored in their old order."""
    name, layout, parameters, *others = parts
    return Program(name, layout, parameters, *others, *rest)


def _source(head: str, lines: Sequence[str]) -> str:
    return "\n    ".join([f"def {head}:", *(lines or ["pass"])])


def _compiled(source: str) -> CodeType:
    module = compile(source, "<lifted>", "exec")
    (code,) = [c for c in module.co_consts if isinstance(c, CodeType)]
    return code
