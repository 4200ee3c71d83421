"""Which array an address belongs to, and accesses of a recording as views of one array each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from micrograd.lifting.layout import PARAMETERS, Recording
from micrograd.lifting.steps.arrays import result_arrays, stacks, walked
from micrograd.lifting.steps.expression import Formula, Read
from micrograd.lifting.steps.ir import Array, Step, View
from micrograd.lifting.steps.walks import dense
from micrograd.lifting.strides import Access, distinct, nest

__all__ = ["Reader", "common_path", "shortened"]


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


def shortened(access: Access, outer: int, turns: Sequence[int]) -> Access:
    """The access at certain turns of its loops from `outer` on."""
    more = sum(s * turn for s, turn in zip(access.strides[outer:], turns, strict=True))
    shape, strides = access.shape[:outer], access.strides[:outer]
    if access.gather is None:
        return Access(access.base + more, shape, strides)
    return Access(0, shape, strides, access.gather[more:])


def _even_strides(found: np.ndarray) -> list[int] | None:
    """The strides of addresses that are evenly spaced along each axis; None if they are not."""
    first = int(found.flat[0])
    strides = [int(found.take([1], axis=k).flat[0]) - first for k in range(found.ndim)]
    even = np.array(first)
    for n, stride in zip(found.shape, strides, strict=True):
        even = even[..., None] + np.arange(n) * stride
    return strides if np.array_equal(found, even) else None


class Reader:
    """The arrays of a recording; it makes views of them, and the copies that views may need."""

    def __init__(
        self, recording: Recording, argument_names: Sequence[str], paths: Mapping[int, str]
    ) -> None:
        self._numbers = np.array(recording.layout.constants, dtype=np.float64)
        self._taken_names: set[str] = set()
        self._results = 0
        self._copies: list[Step] = []
        self._joined: dict[Any, View] = {}
        self.constants: dict[Any, Array] = {}
        self.names: dict[str, tuple[str, ...]] = {}
        self.parameters = [
            self._parameter_array(first, end, paths) for first, end in stacks(recording)
        ]
        found = list(self._brought(recording, argument_names))
        self.arguments = [array for role, _, array in found if role == "argument"]
        self.draws = [array for role, _, array in found if role == "draw"]
        placed = [(start, array) for _, start, array in found]
        placed += [(start, self._result(shape)) for start, shape in result_arrays(recording)]
        placed += [(PARAMETERS + first, array) for array, first in self.parameters]
        placed = [(start, array) for start, array in placed if array.size]
        placed.sort(key=lambda item: item[0])
        self._starts = np.array([start for start, _ in placed], dtype=np.int64)
        self._arrays = [array for _, array in placed]

    # --- names ------------------------------------------------------------------------------------

    def _free(self, name: str) -> str:
        name = re.sub(r"\W+", "_", name).strip("_") or "x"
        name = f"p_{name}" if name[0].isdigit() else name
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
        array = Array(self._free(common_path(found)), (end - first,), "parameters")
        self.names[array.name] = found
        return array, first

    def _brought(
        self, recording: Recording, argument_names: Sequence[str]
    ) -> Iterator[tuple[str, int, Array]]:
        """Arguments, draws and captured Values: what a call brings, and where it stood."""
        for (start, shape, _), name in zip(recording.arguments, argument_names, strict=True):
            yield "argument", start, Array(self._free(name), shape, "argument")
        counts: dict[str, int] = {}
        for start, shape, generator in recording.states:
            name = getattr(generator, "name", "uniform")
            counts[name] = counts.get(name, 0) + 1
            yield "draw", start, Array(self._free(f"{name}_{counts[name]}"), shape, "draw")
        for number, (place, _) in enumerate(recording.outside, 1):
            yield "argument", place, Array(self._free(f"outside_{number}"), (), "argument")

    # --- views ------------------------------------------------------------------------------------

    def crosses(self, access: Access) -> bool:
        """Whether an access runs over more than one array."""
        found, _ = walked(access)
        return found.size > 0 and len(self._sources(found)) > 1

    def operand(self, access: Access) -> View | float:
        """A view of one array, or the constant that all turns read."""
        found, _ = walked(access)
        if found.size and found.max() < len(self._numbers):
            numbers = self._numbers[found]
            if (numbers == numbers.flat[0]).all() and not _signs_differ(numbers):
                return float(numbers.flat[0])
        return self.view(access)

    def view(self, access: Access) -> View:
        """A view of one array; what lies in several is first copied to a new one, by steps."""
        found, moving = walked(access)
        if not found.size:
            return View(self._constant(np.zeros(0)), 0, (0,) * len(access.shape))
        strides = [0] * len(access.shape)
        sources = self._sources(found)
        if sources == [-1]:
            array = self._constant(self._numbers[found])
        elif len(sources) > 1:
            array = self._join(found, sources)
        else:
            start, array = int(self._starts[sources[0]]), self._arrays[sources[0]]
            if access.gather is None:
                return View(array, access.base - start, access.strides)
            along = _even_strides(found)
            if along is None:
                return View(array, 0, access.strides, access.gather - start)
            for k, stride in zip(moving, along, strict=True):
                strides[k] = stride
            return View(array, int(found.flat[0]) - start, tuple(strides))
        for k, stride in zip(moving, dense(found.shape), strict=True):
            strides[k] = stride
        return View(array, 0, tuple(strides))

    def result(self, access: Access) -> View:
        """A view of a result of the program; a parameter or a constant is copied by a step."""
        view = self.view(access)
        if view.array.role not in ("parameters", "constant") or not view.array.size:
            return view
        found, moving = walked(access)
        strides = [0] * len(access.shape)
        for k, stride in zip(moving, dense(found.shape), strict=True):
            strides[k] = stride
        copy = View(self._result(found.shape), 0, tuple(strides))
        loops = tuple(n if k in moving else 1 for k, n in enumerate(access.shape))
        self._copies.append(Step(loops, copy, Read(0), (view,)))
        return copy

    def taken(self) -> list[Step]:
        """The steps of the copies that were made since the last time this was asked."""
        copies, self._copies = self._copies, []
        return copies

    def _sources(self, found: np.ndarray) -> list[int]:
        """Which arrays the addresses lie in, ascending; -1 stands for the constants."""
        low, high = int(found.min()), int(found.max())
        ends = np.searchsorted(self._starts, [low, high], "right") - 1
        if ends[0] == ends[1] and (ends[0] >= 0 or high < len(self._numbers)):
            return [int(ends[0])]
        return [int(k) for k in distinct(np.searchsorted(self._starts, found, "right") - 1)]

    def _constant(self, numbers: np.ndarray) -> Array:
        key = numbers.shape, numbers.tobytes()
        if key not in self.constants:
            name = self._free(f"constant_{len(self.constants) + 1}")
            self.constants[key] = Array(name, numbers.shape, "constant", numbers)
        return self.constants[key]

    def _join(self, found: np.ndarray, sources: list[int]) -> Array:
        """A new array, to which steps copy what stands at these addresses."""
        key = found.shape, found.tobytes()
        if key not in self._joined:
            name = self._free(f"joined_{len(self._joined) + 1}")
            array = Array(name, found.shape, "result")
            self._joined[key] = View(array, 0, ())
            which = np.searchsorted(self._starts, found.reshape(-1), "right") - 1
            for source in sources:
                places = np.flatnonzero(which == source)
                self._copies.append(self._copy(array, places, found.reshape(-1)[places]))
        return self._joined[key].array

    def _copy(self, array: Array, places: np.ndarray, found: np.ndarray) -> Step:
        """Copy what stands at the addresses `found`, all in one array, to `places` of another."""
        factored = nest(np.stack([places, found]))
        n = len(places)
        if factored is not None:
            loops, strides = factored
            out = View(array, int(places[0]), tuple(map(int, strides[0])))
            read = self.operand(Access(int(found[0]), loops, tuple(map(int, strides[1]))))
        else:
            loops, out = (n,), View(array, 0, (1,), places)
            read = self.operand(Access(0, loops, (1,), found))
        value: Formula = Read(0) if isinstance(read, View) else read
        return Step(loops, out, value, (read,) if isinstance(read, View) else ())


def _signs_differ(numbers: np.ndarray) -> bool:
    return bool((np.signbit(numbers) != np.signbit(numbers.flat[0])).any())
