"""What one call of a program uses while its results live: arrays, and the code bound to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd.engine import Value
from micrograd.lifting.run.executor import Bound
from micrograd.lifting.run.quiet import loud, quiet
from micrograd.lifting.steps.adjoint import backward, gradient, seed
from micrograd.lifting.steps.flow import Marks
from micrograd.lifting.steps.ir import Array
from micrograd.lifting.steps.walks import elements
from micrograd.store import Store

if TYPE_CHECKING:
    from micrograd.lifting.executable import Executable

__all__ = ["Backward", "Buffers"]

_add = np.add


class Buffers:
    """The arrays of one call, and the code bound to them.

    Parameters are read where they live, in the store. Only if they lie there in another order than
    when the program was recorded (it came from a pickle, say) are they copied: `moved` says how.
    """

    __slots__ = ("store", "moved", "parameters", "bound", "memory", "arguments",
                 "_stored", "_backwards")  # fmt: skip

    def __init__(self, executable: Executable, store: Store) -> None:
        count, program = executable.parameter_count, executable.program
        self.store = store
        places = np.array([p._right for p in executable.parameters], dtype=np.intp)
        first = int(places[0] - executable.positions[0]) if count else 0
        self.moved = None
        if np.array_equal(places, executable.positions + first):
            self.parameters = store.data[first : first + count]
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
        self.memory = self.bound.memory
        arrays = [self.bound.arrays[x.array.name] for x in program.arguments]
        shapes = [a.shape for a in executable.recording.arguments]
        self.arguments = [x.reshape(shape) for x, shape in zip(arrays, shapes, strict=False)]
        self._backwards: dict[Any, tuple[Backward, Bound]] = {}

    def run_forward(self) -> None:
        if self.moved is not None:
            self.read_parameters()
        if self.bound.is_silent:
            self.bound.run()
            return
        before = quiet()
        try:
            self.bound.run()
        finally:
            loud(before)

    def read_parameters(self) -> None:
        if self.moved is not None:
            places, positions = self.moved
            self.parameters[positions] = self.store.data[places]

    def take_over(self, other: Buffers) -> None:
        """Copy what the forward pass of another call left."""
        self.bound.take_over(other.bound)

    def run_backward(
        self, executable: Executable, seeds: Mapping[int, float], inputs: Sequence[Value] = ()
    ) -> Backward:
        """Fill the backward's memory with gradients, and add the parameters' to the store's.

        `seeds`: gradients by output; outputs without one must pass nothing on, not even 0 * inf.
        The usual code works on whole arrays and passes zeros on from such outputs. If that gives
        inf or nan, or if an input was itself computed, exact code runs: it leaves them out.
        """
        leaves = executable.leaves_of(seeds)
        backward, bound = self._backwards.get(leaves) or self._bound(executable, leaves)
        if self.moved is not None:
            self.read_parameters()
        whole = len(seeds) == len(backward.seed_places)
        exact = not whole and any(value._rule is not None for value in inputs)
        before = quiet()
        try:
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
        finally:
            loud(before)
        if self.moved is not None:
            places, positions = self.moved
            self.store.grads[places] += gradients[positions]
        return backward

    def _bound(
        self, executable: Executable, which: tuple[int, ...], exact: bool = False
    ) -> tuple[Backward, Bound]:
        """Backward code bound to these buffers; exact code runs seldom, and is bound anew."""
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
        """Where the gradients are of outputs from which other outputs are computed."""
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
        """Write the gradients that have arrived at outputs, and zeros for the others."""
        if len(seeds) < len(self.seed_places):
            self._numbers[:] = 0.0
        for output, g in seeds.items():
            self._numbers[self.seed_places[output]] = g

    def is_finite(self) -> bool:
        """Whether all gradients that leave the program are finite (and their squares' sum)."""
        return bool(np.isfinite(self._leaving @ self._leaving))
