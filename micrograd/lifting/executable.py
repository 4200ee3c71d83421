"""A program that can be called: its steps, their code, and the buffers that one call uses.

`Executable` holds a program's code, forward and, for each set of results that a gradient has
arrived at, backward; `Buffers` are what one live call needs. Which calls of NumPy, or of another
library, the code is made of is the executor's business (`run/`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any

import numpy as np

from micrograd.engine import Value
from micrograd.fast import leaf
from micrograd.lifting.arguments import Arguments, flat_values, read
from micrograd.lifting.call import Call
from micrograd.lifting.errors import LiftError
from micrograd.lifting.layout import Recording
from micrograd.lifting.run import EXECUTORS
from micrograd.lifting.run.with_numpy import Bound
from micrograd.lifting.steps.adjoint import adjoint, backward, gradient, seed
from micrograd.lifting.steps.flow import Marks
from micrograd.lifting.steps.ir import Array, Window
from micrograd.lifting.steps.lower import lower
from micrograd.lifting.steps.text import BackwardText, Text
from micrograd.lifting.steps.walks import walk
from micrograd.modes import current_mode, eager
from micrograd.store import Store, gather

__all__ = ["Backward", "Buffers", "Executable"]

_add = np.add
_EXACT_KEPT = 16  # exact backward codes that are kept; each is for other numbers of a result


class Buffers:
    """The numbers of one live call, and the code bound to them.

    Parameters are read where they live, in the store. Only if they lie there in another order than
    when the program was recorded (it came from a pickle, say) are they copied: `moved` says how.
    """

    __slots__ = ("store", "moved", "parameters", "bound", "numbers", "arguments",
                 "_stored", "_backwards")  # fmt: skip

    def __init__(self, executable: Executable, store: Store) -> None:
        count, program = executable.parameter_count, executable.program
        self.store = store
        places = np.array([p._right for p in executable.parameters], dtype=np.intp)
        first = int(places[0] - executable.positions[0]) if count else 0
        self.moved = None
        if np.array_equal(places, executable.positions + first):
            self.parameters = store.numbers[first : first + count]
            self._stored = store.grads[first : first + count]
        else:
            self.moved = (places, executable.positions)
            self.parameters, self._stored = np.zeros(count), np.zeros(count)
        self.bound = executable.code.bind(
            {
                x.array.name: self.parameters[x.first : x.first + x.array.size]
                for x in program.parameters
            }
        )
        self.numbers = self.bound.memory
        arrays = [self.bound.arrays[x.array.name] for x in program.arguments]
        shapes = [a.shape for a in executable.recording.arguments]
        self.arguments = [x.reshape(shape) for x, shape in zip(arrays, shapes, strict=False)]
        self._backwards: dict[Any, tuple[Backward, Bound]] = {}

    def run_forward(self) -> None:
        self.read_parameters()
        with np.errstate(all="ignore"):
            self.bound.run()

    def read_parameters(self) -> None:
        if self.moved is not None:
            places, positions = self.moved
            self.parameters[positions] = self.store.numbers[places]

    def take_over(self, other: Buffers) -> None:
        """What the forward pass of another call left."""
        self.bound.take_over(other.bound)

    def run_backward(
        self, executable: Executable, seeds: Mapping[int, float], inputs: Sequence[Value] = ()
    ) -> Backward:
        """Fill the backward's memory with gradients, and add the parameters' to the store's.

        `seeds`: gradients of outputs. Results without one pass nothing on, not even 0 * inf. The
        code of whole arrays passes zeros on from them; where inf or nan comes out, or computed
        `inputs` pass on what they get, the exact code runs instead.
        """
        leaves = executable.leaves_of(seeds)
        backward, bound = self._bound(executable, leaves)
        self.read_parameters()
        with np.errstate(all="ignore"):
            whole = len(seeds) == len(backward.seed_places)
            exact = not whole and any(value._rule is not None for value in inputs)
            if not exact:
                backward.seed(seeds)
                bound.run()
                exact = not whole and not backward.is_finite()
            if exact:
                backward, bound = self._bound(executable, tuple(sorted(seeds)), exact=True)
                backward.seed(seeds)
                bound.run()
            gradients = backward.parameters
            _add(self._stored, gradients, self._stored)
        if self.moved is not None:
            places, positions = self.moved
            self.store.grads[places] += gradients[positions]
        return backward

    def _bound(
        self, executable: Executable, which: tuple[int, ...], exact: bool = False
    ) -> tuple[Backward, Bound]:
        """Backward code on these buffers. Exact code runs seldom: it is bound each time."""
        found = self._backwards.get(which) if not exact else None
        if found is None:
            backward = executable.backward_of(which, exact)
            found = backward, backward.code.bind(backward.seeds, self.bound, backward.memory)
            if not exact:
                self._backwards[which] = found
        return found


class Backward:
    """The backward code of some results, the memory it writes, and what is known before it runs."""

    __slots__ = ("code", "memory", "seeds", "seed_places", "parameters", "inputs", "between",
                 "places", "_numbers", "_leaving")  # fmt: skip

    def __init__(self, executable: Executable, masks: Mapping[int, np.ndarray]) -> None:
        program, which = executable.program, executable.which
        found = backward(program, masks, executable.between)
        places = {gradient(x.array): x.first for x in program.parameters}
        asked = [x.array for x in program.arguments if x.wanted]
        end = executable.parameter_count
        for array in asked:
            places[gradient(array)] = end
            end += array.size
        kept = [gradient(program.results[k].view.array) for k in executable.between]
        self.code = executable.compiled(found.steps, executable.code, places, kept)
        starts = self.code.placement.starts
        self.memory = np.zeros(self.code.placement.size)
        self.parameters = self.memory[: executable.parameter_count]
        self._leaving = self.memory[:end]
        # one array of seeds, result after result, and where the seed of each output stands in it
        outputs = [int(k) for leaf in masks for k in which[leaf].flat]
        self.seed_places = {output: at for at, output in enumerate(outputs)}
        self._numbers = np.zeros(len(outputs))
        ends = np.cumsum([which[leaf].size for leaf in masks])
        pieces = np.split(self._numbers, ends[:-1])
        self.seeds = {seed(program, leaf).name: x for leaf, x in zip(masks, pieces, strict=True)}
        # the inputs that a gradient reaches: their numbers, and the places of the gradients
        none = np.zeros(0, dtype=np.intp)
        flags = [np.asarray(found.reached.of(array), dtype=bool) for array in asked]
        at = [starts[gradient(array)] + np.arange(array.size) for array in asked]
        reached = np.concatenate([none.astype(bool), *flags])
        self.inputs = np.flatnonzero(reached).tolist(), np.concatenate([none, *at])[reached]
        self._between(executable, found.arrived, starts)

    def _between(self, executable: Executable, arrived: Marks, starts: Mapping[Array, int]) -> None:
        """The results that others of them were made from, which have gradients of their own."""
        self.places = np.zeros(len(executable.places), dtype=np.intp)
        flags = np.zeros(len(executable.places), dtype=bool)
        for number in executable.between:
            window, outputs = executable.program.results[number], executable.which[number].ravel()
            found = elements(window)
            flags[outputs] = arrived.of(window.view.array)[found]
            self.places[outputs] = starts[gradient(window.view.array)] + found
        between = np.flatnonzero(flags & executable.is_between)
        self.between = between if len(between) else None

    def seed(self, seeds: Mapping[int, float]) -> None:
        """The gradients that have arrived at outputs; zeros at the others."""
        if len(seeds) < len(self.seed_places):
            self._numbers[:] = 0.0
        for output, g in seeds.items():
            self._numbers[self.seed_places[output]] = g

    def is_finite(self) -> bool:
        """Whether the squares of all gradients that leave the program have a finite sum."""
        return bool(np.isfinite(self._leaving @ self._leaving))


class Executable:
    """What `lift` found: a program, its parameters, and its code. Call it.

    A pickle holds the recording and the parameters; the code is made again when it is loaded.
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
        self.executor, self.compiled = executor, EXECUTORS[executor]
        self.recording = recording
        self.parameters = list(parameters)
        self.positions = np.array(positions, dtype=np.intp)  # of the parameters, in the steps
        self.template = template
        self.argument_names, self.paths = list(argument_names), dict(paths)
        self.program = lower(name, recording, argument_names, paths)
        self.store = gather(self.parameters)
        self.parameter_count = int(self.positions.max(initial=-1)) + 1
        self.running = threading.RLock()  # held by the call that uses what backward writes
        program, brought, size = self.program, {}, 0
        for array in (*(x.array for x in program.arguments), *(x.array for x in program.draws)):
            brought[array] = size
            size += array.size
        self.code = self.compiled(program.forward, None, brought)
        starts = self.code.placement.starts
        self._drawn = [starts[x.array] for x in program.draws]
        self._outside = [starts[x.array] for x in program.arguments[len(recording.arguments) :]]
        self._updated = [_places(w, starts) for w in program.statistics]
        found = [_places(w, starts) for w in program.results]
        # where each output, a number of a result, stands; the outputs of each result, in its shape
        self.places = np.concatenate([*found, np.zeros(0, dtype=np.intp)])
        self.outputs = self.places.tolist()
        sizes = [places.size for places in found]
        ends = np.cumsum(sizes, dtype=np.intp)
        self.which = [
            np.arange(end - size, end).reshape(result.shape)
            for end, size, result in zip(ends, sizes, recording.results, strict=True)
        ]
        self._leaf_of = np.repeat(np.arange(len(self.which)), sizes)
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
        """The backward pass of the first result, a loss, say: lines that read those of `text`."""
        return BackwardText(self.program, adjoint(self.program, [0] if self.which else []))

    def __str__(self) -> str:
        return str(self.text)

    @property
    def constants(self) -> list[float]:
        """The numbers that were taken from outside the function or written in it."""
        return list(self.recording.layout.constants)

    # --- backward ---------------------------------------------------------------------------------

    def leaves_of(self, seeds: Iterable[int]) -> tuple[int, ...]:
        """Which results, numbered as the template numbers them, a gradient has arrived at."""
        return tuple(sorted({int(self._leaf_of[which]) for which in seeds}))

    def backward_of(self, which: tuple[int, ...], exact: bool = False) -> Backward:
        """The backward code of these results (`exact`: of these outputs).

        Made when it is first asked for; of the exact ones, which are as many as somebody asks for,
        the last few are kept.
        """
        key = (which, exact)
        with self.running:
            if key not in self._backwards:
                self._backwards[key] = Backward(self, self._masks(which, exact))
                kept = [key for key in self._backwards if key[1]]
                for old in kept[:-_EXACT_KEPT]:
                    del self._backwards[old]
            return self._backwards[key]

    def _masks(self, which: tuple[int, ...], exact: bool) -> dict[int, np.ndarray]:
        """For each of the results, at which elements a gradient has arrived."""
        if not exact:
            return {leaf: np.ones(self.program.results[leaf].loops, dtype=bool) for leaf in which}
        arrived = np.zeros(len(self.places), dtype=bool)
        arrived[list(which)] = True
        leaves = self.leaves_of(which)
        loops = [self.program.results[leaf].loops for leaf in leaves]
        return {
            leaf: arrived[self.which[leaf]].reshape(shape)
            for leaf, shape in zip(leaves, loops, strict=True)
        }

    @cached_property
    def between(self) -> list[int]:
        """The results some of whose elements are read to make others: they have gradients, too."""
        return [k for k, which in enumerate(self.which) if self.is_between[which].any()]

    @property
    def has_between(self) -> bool:
        return bool(self.between)

    @cached_property
    def is_between(self) -> np.ndarray:
        """For each output, whether a step reads it."""
        read = Marks()
        for step in self.program.forward:
            for view in step.reads:
                read.of(view.array)[walk(view, step.loops)] = True
        flags = [read.of(w.view.array)[elements(w)] for w in self.program.results]
        return np.concatenate([*flags, np.zeros(0, dtype=bool)])

    # --- calls ------------------------------------------------------------------------------------

    def __reduce__(self) -> tuple[Any, ...]:
        return Executable, (
            self.name, self.recording, self.parameters, self.positions, self.template,
            self.argument_names, self.paths, self.executor,
        )  # fmt: skip

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
        buffers, recording = self.buffers(), self.recording
        for argument, array in zip(buffers.arguments, found.arrays, strict=True):
            np.copyto(argument, array)
        self._bring(buffers)
        with self.running:
            buffers.run_forward()
        for places, update in zip(self._updated, recording.updates, strict=True):
            new = buffers.numbers[places].reshape(update.places.shape)
            update.module.update_buffer(update.name, new)
        call = Call(self, buffers, self.name)
        node = None
        if current_mode() is eager:
            node = leaf(0.0)
            node._rule = call
            node._left = tuple(flat_values(found.values)) if self.has_inputs else ()
            if recording.outside:
                node._left += tuple(value for _, value in recording.outside)
        return self.template.fill(node, call)

    def _bring(self, buffers: Buffers) -> None:
        """Random numbers, running statistics and captured Values, as they are now."""
        for start, state in zip(self._drawn, self.recording.states, strict=True):
            size = int(np.prod(state.shape))
            buffers.numbers[start : start + size] = state.generator.random(size)
        for start, outside in zip(self._outside, self.recording.outside, strict=True):
            buffers.numbers[start] = outside.value._data

    def buffers(self) -> Buffers:
        store = self.store.current()
        with suppress(IndexError):  # the pool is empty
            while True:
                buffers = self.pool.pop()
                if buffers.store is store:
                    return buffers
        return Buffers(self, store)


def _places(window: Window, starts: Mapping[Array, int]) -> np.ndarray:
    """Where a window's elements stand in memory."""
    return elements(window) + starts.get(window.view.array, 0)  # an empty one stands nowhere


def elements(window: Window) -> np.ndarray:
    """The elements of its array that a window visits, in order."""
    found = np.broadcast_to(walk(window.view, window.loops), window.loops)
    return found.ravel()
