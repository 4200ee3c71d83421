"""Which array an address belongs to, and accesses of a recording as views of one array each."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from micrograd.lifting.layout import PARAMETERS, Recording
from micrograd.lifting.steps.arrays import Addresses, result_arrays, stacks
from micrograd.lifting.steps.expression import Formula, Read
from micrograd.lifting.steps.ir import Array, Step, View
from micrograd.lifting.steps.walks import dense
from micrograd.lifting.strides import Access, Loops, distinct

__all__ = ["Reader", "common_path"]


_LOOKED_AT = 50


def common_path(paths: Sequence[str]) -> str:
    """The names that attribute paths have in common, model_layers_0_w; "parameters" if none.

    Only some fifty of the paths are compared: to split 76,579 takes 0.2 s.
    """
    chosen = [paths[len(paths) * k // _LOOKED_AT] for k in range(_LOOKED_AT)] if paths else []
    tokens = [path.split(".") for path in (*chosen, *paths[-1:]) if path]
    if not tokens or len({len(path) for path in tokens}) > 1:
        return "parameters"
    common = [names[0] for names in zip(*tokens, strict=True) if len(set(names)) == 1]
    return "_".join(common) or "parameters"


def _even_strides(found: np.ndarray) -> list[int] | None:
    """The strides of addresses that are evenly spaced along each axis; None if they are not."""
    strides = []
    for axis in range(found.ndim):
        along = found.swapaxes(0, axis)
        steps = along[1:] - along[:-1]
        step = steps.flat[0]
        if (steps != step).any():
            return None
        strides.append(int(step))
    return strides


class Reader:
    """The arrays of a recording; it makes views of them, and the copies that views may need.

    `reads`: for each instruction, the addresses of its operands and, if it has one, of its start.
    """

    def __init__(
        self, recording: Recording, argument_names: Sequence[str], paths: Mapping[int, str]
    ) -> None:
        instructions = recording.layout.instructions
        self.reads = [[*map(Addresses, x.operands)] for x in instructions]
        for addresses, instruction in zip(self.reads, instructions, strict=True):
            if instruction.start is not None:
                addresses.append(Addresses(instruction.start))
        self._numbers = np.array(recording.layout.constants, dtype=np.float64)
        self._taken_names: set[str] = set()
        self._results = 0
        self._copies: list[Step] = []
        self._joined: dict[Any, Array] = {}
        self.constants: dict[Any, Array] = {}
        self.names: dict[str, tuple[str, ...]] = {}
        every = list(chain.from_iterable(self.reads))
        self.parameters = [self._parameter_array(first, end, paths) for first, end in stacks(every)]
        found = list(self._brought(recording, argument_names))
        self.arguments = [array for role, _, array in found if role == "argument"]
        self.draws = [array for role, _, array in found if role == "draw"]
        placed = [(start, array) for _, start, array in found]
        results = result_arrays(instructions, every)
        placed += [(start, self._result(shape)) for start, shape in results]
        placed += [(PARAMETERS + first, array) for array, first in self.parameters]
        placed = [(start, array) for start, array in placed if array.size]
        placed.sort(key=lambda item: item[0])
        self._starts = [start for start, _ in placed]
        self._arrays = [array for _, array in placed]

    # --- names ------------------------------------------------------------------------------------

    def _named(self, name: str) -> str:
        """A name as Python has them, with a number behind it if it is taken."""
        name = re.sub(r"\W+", "_", name).strip("_") or "x"
        return self._free(f"p_{name}" if name[0].isdigit() else name)

    def _free(self, name: str) -> str:
        number, free = 2, name
        while free in self._taken_names:
            free, number = f"{name}_{number}", number + 1
        self._taken_names.add(free)
        return free

    def _result(self, shape: tuple[int, ...]) -> Array:
        self._results += 1
        return Array(self._free(f"t{self._results}"), shape, "result")

    def _parameter_array(self, first: int, end: int, paths: Mapping[int, str]) -> tuple[Array, int]:
        found = tuple(paths.get(PARAMETERS + k, "") for k in range(first, end))
        array = Array(self._named(common_path(found)), (end - first,), "parameters")
        self.names[array.name] = found
        return array, first

    def _brought(
        self, recording: Recording, argument_names: Sequence[str]
    ) -> Iterator[tuple[str, int, Array]]:
        """Arguments, draws and captured Values: what a call brings, and where it stood."""
        for (start, shape, _), name in zip(recording.arguments, argument_names, strict=True):
            yield "argument", start, Array(self._named(name), shape, "argument")
        counts: dict[str, int] = {}
        for start, shape, generator in recording.states:
            name = getattr(generator, "name", "uniform")
            counts[name] = counts.get(name, 0) + 1
            yield "draw", start, Array(self._named(f"{name}_{counts[name]}"), shape, "draw")
        for number, (place, _) in enumerate(recording.outside, 1):
            yield "argument", place, Array(self._free(f"outside_{number}"), (), "argument")

    # --- views ------------------------------------------------------------------------------------

    def crosses(self, addresses: Addresses) -> bool:
        """Whether an access runs over more than one array."""
        return self._source(addresses.low) != self._source(addresses.high)

    def operand(self, addresses: Addresses) -> View | float:
        """A view of one array, or the constant that all turns read."""
        if addresses.high < len(self._numbers):
            numbers = self._numbers[addresses.all]
            if (numbers == numbers.flat[0]).all() and not _signs_differ(numbers):
                return float(numbers.flat[0])
        return self.view(addresses)

    def view(self, addresses: Addresses) -> View:
        """A view of one array; what lies in several is first copied to a new one, by steps."""
        access, source = addresses.access, self._source(addresses.low)
        if source != self._source(addresses.high):
            return _spread(self._join(addresses.all), addresses)
        if source < 0:
            return _spread(self._constant(self._numbers[addresses.all]), addresses)
        start, array = self._starts[source], self._arrays[source]
        if access.gather is None:
            return View(array, access.base - start, access.strides)
        along = _even_strides(addresses.all)
        if along is None:
            return View(array, 0, access.strides, access.gather - start)
        return _spread(array, addresses, int(addresses.all.flat[0]) - start, along)

    def result(self, addresses: Addresses) -> View:
        """A view of a result of the program; a parameter or a constant is copied by a step."""
        view = self.view(addresses)
        if view.array.role not in ("parameters", "constant") or not view.array.size:
            return view
        copy = _spread(self._result(addresses.all.shape), addresses)
        shape, moving = addresses.access.shape, addresses.moving
        loops = tuple(n if k in moving else 1 for k, n in enumerate(shape))
        self._copies.append(Step(loops, copy, Read(0), (view,)))
        return copy

    def taken(self) -> list[Step]:
        """The steps of the copies that were made since the last time this was asked."""
        copies, self._copies = self._copies, []
        return copies

    def _source(self, address: int) -> int:
        """The number of the array that an address lies in; -1 stands for the constants."""
        return bisect_right(self._starts, address) - 1

    def _constant(self, numbers: np.ndarray) -> Array:
        key = numbers.shape, numbers.tobytes()
        if key not in self.constants:
            name = self._free(f"constant_{len(self.constants) + 1}")
            self.constants[key] = Array(name, numbers.shape, "constant", numbers)
        return self.constants[key]

    def _join(self, found: np.ndarray) -> Array:
        """A new array, to which steps copy what stands at these addresses."""
        key = found.shape, found.tobytes()
        if key not in self._joined:
            name = self._free(f"joined_{len(self._joined) + 1}")
            array = self._joined[key] = Array(name, found.shape, "result")
            flat = found.reshape(-1)
            sources = np.searchsorted(self._starts, flat, "right") - 1
            for source in distinct(sources):
                places = np.flatnonzero(sources == source)
                self._copies.append(self._copy(array, places, flat[places]))
        return self._joined[key]

    def _copy(self, array: Array, places: np.ndarray, found: np.ndarray) -> Step:
        """Copy what stands at the addresses `found`, all in one array, to `places` of another."""
        together = Loops(len(places))
        if together.take(places) and together.take(found):
            loops = together.shape
            out = View(array, int(places[0]), together.strides(places))
            access = Access(int(found[0]), loops, together.strides(found))
        else:
            loops, out = (len(places),), View(array, 0, (1,), places)
            access = Access(0, loops, (1,), found)
        read = self.operand(Addresses(access))
        value: Formula = Read(0) if isinstance(read, View) else read
        return Step(loops, out, value, (read,) if isinstance(read, View) else ())


def _spread(
    array: Array, addresses: Addresses, base: int = 0, along: Sequence[int] | None = None
) -> View:
    """A view from `base` on; the loops that move have these strides, or those of neighbours."""
    strides = [0] * len(addresses.access.shape)
    if along is None:
        along = dense([addresses.access.shape[k] for k in addresses.moving])
    for k, stride in zip(addresses.moving, along, strict=True):
        strides[k] = stride
    return View(array, base, tuple(strides))


def _signs_differ(numbers: np.ndarray) -> bool:
    return bool((np.signbit(numbers) != np.signbit(numbers.flat[0])).any())
