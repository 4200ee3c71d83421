"""A program: the instructions found in a recording, their code, and the buffers that one call uses.

`Program._write` makes code of a recording; `Buffers` are what one live call needs. Forward and
backward are straight lines of NumPy calls without a loop over scalars.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from types import CodeType, FunctionType
from typing import Any, NamedTuple

import numpy as np

from micrograd.engine import Value
from micrograd.fast import leaf
from micrograd.lifting.adjoint import AdjointWriter, reads
from micrograd.lifting.arguments import Arguments, flat_values, read
from micrograd.lifting.call import Call
from micrograd.lifting.errors import LiftError
from micrograd.lifting.forward import ForwardWriter
from micrograd.lifting.schedule import PARAMETERS, Layout
from micrograd.lifting.strides import Access
from micrograd.lifting.text import Text
from micrograd.lifting.views import Scratch, Views, addresses
from micrograd.modes import current_mode, eager
from micrograd.store import Store, gather

__all__ = ["Argument", "Buffers", "Outside", "Program", "Recording", "Result", "State", "Update"]

_add = np.add
_EXACT_KEPT = 16  # exact backward codes that a program keeps; each is for other numbers of a result


class Buffers:
    """The numbers of one live call, and the code bound to them and to the program's scratch.

    Parameters are read where they live, in the store. Only if they lie there in another order than
    when the program was recorded (it came from a pickle, say) are they copied: `moved` says how.
    """

    __slots__ = ("numbers", "parameters", "store", "moved", "forward", "arguments", "names",
                 "_arrays", "_stored", "_backwards")  # fmt: skip

    def __init__(self, program: Program, store: Store) -> None:
        layout, count = program.layout, program.parameter_count
        self.store = store
        self.numbers = np.zeros(layout.size)
        self.numbers[: len(layout.constants)] = layout.constants
        places = np.array([p._right for p in program.parameters], dtype=np.intp)
        first = int(places[0] - program.positions[0]) if count else 0
        self.moved = None
        if np.array_equal(places, program.positions + first):
            self.parameters = store.numbers[first : first + count]
            self._stored = store.grads[first : first + count]
        else:
            self.moved = (places, program.positions)
            self.parameters, self._stored = np.zeros(count), np.zeros(count)
        self._arrays = {"v": self.numbers, "p": self.parameters}
        self._backwards: dict[tuple[int, ...], tuple[Backward, FunctionType]] = {}
        everything = {**self._arrays, **program.scratch.arrays}
        self.names: dict[str, Any] = dict(everything)
        self.names.update({f"{name}_": array.data for name, array in everything.items()})
        program.views.instantiate(self._arrays, program.scratch, self.names)
        self.forward = FunctionType(program.forward_code, self.names)
        self.arguments = [
            self.numbers[a.start : a.start + math.prod(a.shape)].reshape(a.shape)
            for a in program.recording.arguments
        ]

    def run_forward(self) -> None:
        self.read_parameters()
        with np.errstate(all="ignore"):
            self.forward()

    def read_parameters(self) -> None:
        if self.moved is not None:
            places, positions = self.moved
            self.parameters[positions] = self.store.numbers[places]

    def take_over(self, other: Buffers, program: Program) -> None:
        """What the forward pass of another call left: its numbers, and the copies that it keeps."""
        self.numbers[:] = other.numbers
        for name in program.copies.values():
            self.names[name][...] = other.names[name]

    def run_backward(
        self, program: Program, seeds: dict[int, float], inputs: Sequence[Value] = ()
    ) -> Backward:
        """Fill the scratch with gradients, and add the parameters' to the store's.

        `seeds`: gradients of outputs. Results without one pass nothing on, not even 0 * inf; nor
        do nodes that no gradient reaches. Where the code of whole arrays cannot tell such nodes
        from others, and inf or nan comes out, or computed `inputs` pass on what they get, the
        exact code runs instead.
        """
        leaves = program.leaves_of(seeds)
        bound = self._backwards.get(leaves)
        if bound is None:
            bound = self._backwards[leaves] = self._bind(program, leaves)
        backward, run = bound
        outputs = program.outputs
        self.read_parameters()
        gradients = [(outputs[which], g) for which, g in seeds.items()]
        with np.errstate(all="ignore"):
            if not backward.partial and len(seeds) == backward.outputs:
                run(gradients)
            else:
                computed = any(value._rule is not None for value in inputs)
                if not computed:
                    run(gradients)
                if computed or not self._finite(program):
                    backward, run = self._bind(program, tuple(sorted(seeds)), exact=True)
                    run(gradients)
            _add(self._stored, program.scratch.parameter_grads, self._stored)
        if self.moved is not None:
            places, positions = self.moved
            self.store.grads[places] += program.scratch.parameter_grads[positions]
        return backward

    def _bind(
        self, program: Program, seeded: tuple[int, ...], exact: bool = False
    ) -> tuple[Backward, FunctionType]:
        """Backward code on these buffers. Exact code runs seldom: its arrays are not kept."""
        backward = program.backward(seeded, exact)
        names, scratch = self.names, program.scratch
        if exact:
            names, scratch = dict(names), scratch.apart()
        backward.views.instantiate(self._arrays, scratch, names)
        return backward, FunctionType(backward.code, names)

    def _finite(self, program: Program) -> bool:
        """Whether the squares of all gradients that leave the program have a finite sum."""
        scratch = program.scratch
        found = scratch.parameter_grads @ scratch.parameter_grads
        if program.wanted_inputs:
            inputs = scratch.grads[program.wanted_inputs]
            found += inputs @ inputs
        return math.isfinite(found)


class Backward:
    """The backward code of some results, and what is known of it before it runs."""

    __slots__ = ("views", "code", "source", "partial", "outputs", "inputs", "between")

    def __init__(self, adjoint: AdjointWriter, program: Program) -> None:
        self.views = adjoint.views
        adjoint.collect(program.wanted_inputs)
        self.source = _source("backward(seeds)", adjoint.lines)
        self.code = _compiled(self.source)
        self.partial = adjoint.partial
        self.outputs = len(adjoint.outputs)
        # the inputs that a gradient reaches: their number, and the place of the gradient
        self.inputs = [(k, at) for k, at in enumerate(program.wanted_inputs) if adjoint.reached[at]]
        # the results that others of them were made from, which have gradients of their own
        between = np.flatnonzero(adjoint.arrived[program.places] & program.is_between)
        self.between = between if len(between) else None


class Argument(NamedTuple):
    """An array among the arguments: where its numbers stand, and whether gradients flow into it."""

    start: int
    shape: tuple[int, ...]
    wanted: bool


class Result(NamedTuple):
    """A leaf of what the function returned: its shape and where its numbers stand."""

    shape: tuple[int, ...]
    access: Access

    def addresses(self) -> np.ndarray:
        if self.access.gather is not None:
            return self.access.gather
        return addresses(self.access.base, self.access.shape, self.access.strides).reshape(-1)


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


class Outside(NamedTuple):
    """A Value with a past that the function found outside itself: an input of each call."""

    place: int
    value: Value


class Recording(NamedTuple):
    """All that a program is made of, as plain data; a batch size changes nothing else."""

    layout: Layout
    arguments: tuple[Argument, ...]
    results: tuple[Result, ...]
    states: tuple[State, ...]
    updates: tuple[Update, ...]
    outside: tuple[Outside, ...]


class Program:
    """What `lift` found: instructions over a call's numbers and the parameters. Call it.

    A pickle holds the instructions and the parameters; the code is written again when it is loaded.
    """

    def __init__(
        self,
        name: str,
        recording: Recording,
        parameters: Sequence[Value],
        positions: Sequence[int],
        template: Any,
    ) -> None:
        self.name = name
        self.recording = recording
        self.layout = recording.layout
        self.parameters = list(parameters)
        self.positions = np.array(
            positions, dtype=np.intp
        )  # of the parameters, in the instructions
        self.template = template
        self.outputs: list[int] = []
        self.which: list[np.ndarray] = []  # for each leaf of the template, places in `outputs`
        for result in recording.results:
            found = result.addresses()
            self.which.append(np.arange(found.size).reshape(result.shape) + len(self.outputs))
            self.outputs += found.tolist()
        self.places = np.array(self.outputs, dtype=np.intp)
        self._leaf_of = np.repeat(np.arange(len(self.which)), [w.size for w in self.which])
        self.wanted_inputs = [
            at
            for a in recording.arguments
            if a.wanted
            for at in range(a.start, a.start + math.prod(a.shape))
        ] + [o.place for o in recording.outside]
        self.argument_names = [f"argument_{i}" for i in range(len(recording.arguments))]
        self.paths: dict[int, str] = {}  # parameter addresses -> attribute paths, for the text
        self._write()

    @cached_property
    def text(self) -> Text:
        """The program as lines that can be read and run."""
        return Text(self, self.argument_names, self.paths)

    def __str__(self) -> str:
        return str(self.text)

    @property
    def constants(self) -> list[float]:
        """The numbers that were taken from outside the function or written in it."""
        return list(self.layout.constants)

    def _write(self) -> None:
        layout = self.layout
        self.store = gather(self.parameters)
        self.parameter_count = int(self.positions.max(initial=-1)) + 1
        self.views = Views()
        self.scratch = Scratch(layout.size, self.parameter_count)
        self.running = threading.RLock()  # held by the call that uses the scratch
        forward = ForwardWriter(self.views, {})
        for instruction in layout.instructions:
            forward.write(instruction)
        self.copies = forward.copies
        # what backward may use of them: parameters are read anew, they may have been written since
        self._lasting = {
            key: name
            for key, name in self.copies.items()
            if key[0] != "copy" or (np.frombuffer(key[1], np.int64) < PARAMETERS).all()
        }
        self.forward_source = _source("forward()", forward.lines)
        self.forward_code = _compiled(self.forward_source)
        self._backwards: dict[Any, Backward] = {}
        self.backward_source = ""  # of the last backward that was asked for
        self.pool: list[Buffers] = []

    def leaves_of(self, seeds: dict[int, float]) -> tuple[int, ...]:
        """Which results, numbered as the template numbers them, a gradient has arrived at."""
        if len(seeds) == 1:
            return (int(self._leaf_of[next(iter(seeds))]),)
        return tuple(sorted({int(self._leaf_of[which]) for which in seeds}))

    def backward(self, seeded: tuple[int, ...], exact: bool = False) -> Backward:
        """The adjoint of these leaves of the result (`exact`: of these numbers among them).

        Written when it is first asked for; of the exact ones, which are as many as somebody asks
        for, the last few are kept.
        """
        key = (seeded, exact)
        with self.running:
            if key not in self._backwards:
                which = seeded
                if not exact:
                    which = tuple(i for leaf in seeded for i in self.which[leaf].flat)
                adjoint = AdjointWriter(
                    self.views.copy() if exact else self.views, dict(self._lasting), self._wanted,
                    [self.outputs[i] for i in which], self.parameter_count, exact,
                )  # fmt: skip
                for instruction in reversed(self.layout.instructions):
                    adjoint.write(instruction)
                self._backwards[key] = Backward(adjoint, self)
                self._drop_exact()
            self.backward_source = self._backwards[key].source
            return self._backwards[key]

    def _drop_exact(self) -> None:
        exact = [key for key in self._backwards if key[1]]
        for key in exact[:-_EXACT_KEPT]:
            del self._backwards[key]

    @cached_property
    def between(self) -> np.ndarray:
        """The places of results that are read to make others, so that they have gradients, too."""
        results = np.zeros(self.layout.size, dtype=bool)
        results[self.places] = True
        found = np.zeros(self.layout.size, dtype=bool)
        for instruction in self.layout.instructions:
            for access in (*instruction.operands, instruction.start):
                if access is not None:
                    places = reads(access)
                    places = places[places < PARAMETERS]
                    found[places] = results[places]
        return np.flatnonzero(found)

    @cached_property
    def has_between(self) -> bool:
        return len(self.between) > 0

    @cached_property
    def is_between(self) -> np.ndarray:
        """For each output, whether it is one of those."""
        return np.isin(self.places, self.between)

    @cached_property
    def _wanted(self) -> np.ndarray:
        """Which addresses gradients flow through: inputs that ask, results that are read, and all
        that depends on any.
        """
        wanted = np.zeros(self.layout.size, dtype=bool)
        wanted[self.wanted_inputs] = True
        wanted[self.between] = True
        asker = AdjointWriter(Views(), {}, wanted, (), 0)
        for instruction in self.layout.instructions:
            if instruction.op is not None and not instruction.op.differentiable:
                continue
            asked = [*instruction.operands, *([instruction.start] if instruction.start else [])]
            if instruction.kind == "take":
                asked = asked[1:]
            if any(map(asker.wants, asked)):
                wanted[reads(instruction.out)] = True
        return wanted

    def __reduce__(self) -> tuple[Any, ...]:
        parts = (self.name, self.recording, self.parameters, self.positions, self.template)
        return _rebuilt, (parts, self.argument_names, self.paths)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run on arguments of the kinds and shapes that were recorded."""
        found = read(args, kwargs)
        shapes = [np.shape(array) for array in found.arrays]
        expected = [argument.shape for argument in self.recording.arguments]
        if shapes != expected:
            raise LiftError(
                f"{self.name} was recorded for arrays of shapes {expected}, got {shapes}"
            )
        return self.run(found)

    def run(self, found: Arguments) -> Any:
        """One call: numbers in, forward, results out."""
        buffers = self.buffers()
        for argument, array in zip(buffers.arguments, found.arrays, strict=True):
            np.copyto(argument, array)
        for start, shape, generator in self.recording.states:
            size = math.prod(shape)
            buffers.numbers[start : start + size] = generator.random(size)
        for place, value in self.recording.outside:
            buffers.numbers[place] = value._data
        with self.running:
            buffers.run_forward()
        for update in self.recording.updates:
            update.module.update_buffer(update.name, buffers.numbers[update.places])
        call = Call(self, buffers, self.name)
        node = None
        if current_mode() is eager:
            node = leaf(0.0)
            node._rule = call
            node._left = tuple(flat_values(found.values)) if self.wanted_inputs else ()
            if self.recording.outside:
                node._left += tuple(value for _, value in self.recording.outside)
        return self.template.fill(node, call)

    def buffers(self) -> Buffers:
        store, _ = self.store.current()
        with suppress(IndexError):  # the pool is empty
            while True:
                buffers = self.pool.pop()
                if buffers.store is store:
                    return buffers
        return Buffers(self, store)


def _rebuilt(parts: tuple[Any, ...], argument_names: list[str], paths: dict[int, str]) -> Program:
    program = Program(*parts)
    program.argument_names, program.paths = argument_names, paths
    return program


def _source(head: str, lines: Sequence[str]) -> str:
    return "\n    ".join([f"def {head}:", *(lines or ["pass"])])


def _compiled(source: str) -> CodeType:
    module = compile(source, "<lifted>", "exec")
    (code,) = [c for c in module.co_consts if isinstance(c, CodeType)]
    return code
