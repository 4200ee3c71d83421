"""A program that can be called: its steps and their code.

The forward pass has one code, the backward pass one for each set of results that get a gradient.
Each call whose results live has buffers of its own (`buffers.py`). Executors (`run/`) turn steps
into code, for NumPy or for the processor itself.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from micrograd.engine import Value
from micrograd.fast import leaf
from micrograd.lifting.arguments import Arguments, flat_values, read
from micrograd.lifting.buffers import Backward, Buffers
from micrograd.lifting.call import Call
from micrograd.lifting.errors import LiftError
from micrograd.lifting.layout import Recording
from micrograd.lifting.outputs import Outputs, places_of
from micrograd.lifting.run import EXECUTORS
from micrograd.lifting.steps.adjoint import adjoint
from micrograd.lifting.steps.lower import lower
from micrograd.lifting.steps.needed import read_afterwards
from micrograd.lifting.steps.text import BackwardText, Text
from micrograd.missing import PackageMissing, missing
from micrograd.modes import current_mode, eager
from micrograd.store import gather

__all__ = ["Executable"]

_EXACT_KEPT = 16  # exact backward codes that are kept; each is for other numbers of a result


class Executable(Outputs):
    """What `lift` found: a program, its parameters, and its code; call it like the function.

    A pickle holds the recording and the parameters; loading it makes the code again.
    """

    def __init__(
        self,
        name: str,
        recording: Recording,
        parameters: Sequence[Value],
        positions: Sequence[int],
        template: Any,
        argument_names: Sequence[str],
        paths: Mapping[int, str],
        executor: str = "numpy",
    ) -> None:
        self.name = name
        self.executor, self.compiled = executor, EXECUTORS[executor].make
        self.recording = recording
        self.parameters = list(parameters)
        self.positions = np.array(positions, dtype=np.intp)  # of the parameters, in the steps
        self.template = template
        self.argument_names, self.paths = list(argument_names), dict(paths)
        self.key: Any = None  # the arguments' structure and statics, where `lift` has set it
        self.program = lower(name, recording, argument_names, paths)
        self.store = gather(self.parameters)
        self.parameter_count = int(self.positions.max(initial=-1)) + 1
        self.running = threading.RLock()  # held by the call that uses what backward writes
        program, brought, size = self.program, {}, 0
        for array in (*(x.array for x in program.arguments), *(x.array for x in program.draws)):
            brought[array] = size
            size += array.size
        kept = None if EXECUTORS[executor].stores_all else read_afterwards(program)
        self.code = self.compiled(program.forward, None, brought, kept)
        starts = self.code.placement.starts
        self._drawn = [starts[x.array] for x in program.draws]
        self._outside = [starts[x.array] for x in program.arguments[len(recording.arguments) :]]
        self._updated = [places_of(w, starts) for w in program.statistics]
        self._arrange(starts, (result.shape for result in recording.results))
        self.has_inputs = any(x.wanted for x in program.arguments)
        self._backwards: dict[Any, Backward] = {}
        self.pool: list[Buffers] = []

    # --- what a person sees -----------------------------------------------------------------------

    @cached_property
    def text(self) -> Text:
        """The program as lines that can be read and run."""
        return Text(self.program)

    @cached_property
    def backward(self) -> BackwardText:
        """The backward pass of the first result, often a loss, as lines after those of `text`."""
        return BackwardText(self.program, adjoint(self.program, [0] if self.which else []))

    @property
    def loops(self) -> str:
        """The compiled loops as text that looks like C; only with `executor="native"`."""
        if self.code.loops is None:
            raise AttributeError(
                f"{self.name} is run by {self.executor!r}, which has no loops of its own; "
                'lift(executor="native") has'
            )
        return str(self.code.loops)

    def __str__(self) -> str:
        return str(self.text)

    @property
    def constants(self) -> list[float]:
        """The constants: numbers written in the function, or found outside it."""
        return list(self.recording.layout.constants)

    # --- backward ---------------------------------------------------------------------------------

    def backward_of(self, which: tuple[int, ...], exact: bool = False) -> Backward:
        """The backward code of these results; `exact`: of these outputs, single numbers, alone.

        It is made when it is first asked for. Only the last few exact ones are kept.
        """
        key = (which, exact)
        with self.running:
            if key not in self._backwards:
                self._backwards[key] = Backward(self, self.masks(which, exact))
                kept = [key for key in self._backwards if key[1]]
                for old in kept[:-_EXACT_KEPT]:
                    del self._backwards[old]
            return self._backwards[key]

    # --- other engines ----------------------------------------------------------------------------

    def to_jax(self, fit: Any = None) -> tuple[Any, dict[str, Any]]:
        """(function, parameters): the same program as a pure function of JAX arrays.

        `function(parameters, *args)` works under jit, grad, vmap and sharding, in the precision of
        `parameters`, a dict of arrays by attribute path. docs/beyond_one_machine.md tells more.
        `fit` finds the program for arguments whose leading axes differ.
        """
        try:
            from micrograd.lifting.run.with_jax.function import export
        except ImportError as fault:
            raise PackageMissing(missing("to_jax", fault), name=fault.name) from fault
        return export(self, fit)

    def load(
        self, parameters: Mapping[str, Any], statistics: Mapping[str, Any] | None = None
    ) -> None:
        """Write parameters as `to_jax` gave them, and statistics, into the Values and modules."""
        from micrograd.lifting.run.with_jax.stacks import load

        load(self, parameters, statistics or {})

    # --- calls ------------------------------------------------------------------------------------

    def __reduce__(self) -> tuple[Any, ...]:
        return Executable, (
            self.name, self.recording, self.parameters, self.positions, self.template,
            self.argument_names, self.paths, self.executor,
        )  # fmt: skip

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run on arguments with the structure and the shapes that were recorded."""
        found = read(args, kwargs)
        shapes = [np.shape(array) for array in found.arrays]
        expected = [argument.shape for argument in self.recording.arguments]
        if shapes != expected:
            raise LiftError(
                f"{self.name} was recorded for arrays of shapes {expected}, got {shapes}"
            )
        return self.run(found)

    def run(self, found: Arguments) -> Any:
        """One call: write the arguments, run the forward pass, make the results."""
        buffers, recording = self.buffers(), self.recording
        # `strict=` would cost 0.1 us; the key of a program has a part for each array
        for argument, array in zip(buffers.arguments, found.arrays):  # noqa: B905
            argument[...] = array
        if self._drawn or self._outside:
            self._bring(buffers)
        self.running.acquire()  # `with` takes 0.1 us more
        try:
            buffers.run_forward()
        finally:
            self.running.release()
        if self._updated:
            self._update(buffers)
        call = Call(self, buffers, self.name)
        node = None
        if current_mode() is eager:
            node = leaf(0.0)
            node._rule = call
            node._left = tuple(flat_values(found.values)) if self.has_inputs else ()
            if recording.outside:
                node._left += tuple(value for _, value in recording.outside)
        return self.template.fill(node, call)

    def _update(self, buffers: Buffers) -> None:
        """Give modules their new running statistics."""
        for places, update in zip(self._updated, self.recording.updates, strict=True):
            new = buffers.memory[places].reshape(update.places.shape)
            update.module.update_buffer(update.name, new)

    def _bring(self, buffers: Buffers) -> None:
        """Write new random numbers, and running statistics and captured Values as they are now."""
        for start, state in zip(self._drawn, self.recording.states, strict=True):
            size = int(np.prod(state.shape))
            buffers.memory[start : start + size] = state.generator.random(size)
        for start, outside in zip(self._outside, self.recording.outside, strict=True):
            buffers.memory[start] = outside.value._data

    def buffers(self) -> Buffers:
        """Buffers that a finished call has given back, or new ones."""
        try:
            while True:
                buffers = self.pool.pop()
                if buffers.store.successor is None:  # the parameters still live there
                    return buffers
        except IndexError:  # the pool is empty
            return Buffers(self, self.store.current())
