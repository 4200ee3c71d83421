"""Names for the arrays that a program works on: views, temporaries, index lists.

Generated code sees an instruction's operands under short names (v3, g3, t7). `Views` hands them
out while code is written, and makes the arrays that they name when a program is to run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["Scratch", "Views", "addresses"]


def addresses(base: int, shape: Sequence[int], strides: Sequence[int]) -> np.ndarray:
    """Every address that nested loops visit, as an array of the loops' shape."""
    found = np.array(base, dtype=np.int64)
    for length, stride in zip(shape, strides, strict=True):
        found = found[..., None] + np.arange(length, dtype=np.int64) * stride
    return found


class Scratch:
    """What all calls of a program share: gradients, and one block of memory for all temporaries.

    Nothing in it is needed after a run, so each live call needs only its numbers for itself. Each
    instruction's temporaries lie where the last one's were, which the processor still has in its
    cache.
    """

    def __init__(self, size: int, parameters: int) -> None:
        self.grads = np.zeros(size)
        self.parameter_grads = np.zeros(parameters)
        self.arrays = {"g": self.grads, "d": self.parameter_grads}
        self.made: dict[str, Any] = {}
        self._arena = np.zeros(0, dtype=np.uint8)

    def apart(self) -> Scratch:
        """The same gradients with temporaries of its own, for code with names of its own."""
        other = Scratch(0, 0)
        other.grads, other.parameter_grads = self.grads, self.parameter_grads
        other.arrays = self.arrays
        return other

    def temporary(self, offset: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
        end = offset + max(1, math.prod(shape)) * dtype.itemsize
        if end > len(self._arena):  # what was made in the old one stays there
            self._arena = np.zeros(2 * end, dtype=np.uint8)
        return np.ndarray(shape, dtype, self._arena.data, offset)


class Views:
    """The names in a program's code and how to make what they stand for."""

    def __init__(self) -> None:
        self._names: dict[Any, str] = {}
        self._specs: dict[str, Any] = {}
        self._mark = ""  # ends the names of a copy, which must not be those that the original adds
        self._offset = 0  # in the arena, behind the temporaries of the instruction being written
        self.fixed: dict[str, Any] = {}  # the same in every set of buffers: functions, index lists

    def copy(self) -> Views:
        """The same names, to which others can be added that the original does not get."""
        other = Views()
        other._mark = "x"
        other._names, other._specs = dict(self._names), dict(self._specs)
        other.fixed = dict(self.fixed)
        return other

    def begin(self) -> None:
        """The next instruction: its temporaries take the place of the last one's."""
        self._offset = 0

    def view(self, buffer: str, base: int, shape: Sequence[int], strides: Sequence[int]) -> str:
        """A strided view of buffer 'v' or 'p' (numbers), 'g' or 'd' (their gradients)."""
        key = (buffer, base, tuple(shape), tuple(strides))
        return self._named(buffer, key, key)

    def temporary(self, shape: Sequence[int], dtype: Any = np.float64, keep: bool = False) -> str:
        """An array for this instruction, or (`keep`) for the whole life of a call."""
        dtype = np.dtype(dtype)
        name = f"{'t' if keep else 's'}{len(self._specs)}{self._mark}"
        self._specs[name] = ("keep" if keep else self._offset, tuple(shape), dtype)
        if not keep:
            self._offset += -(-max(1, math.prod(shape)) * dtype.itemsize // 64) * 64
        return name

    def retyped(self, name: str, shape: Sequence[int], strides: Sequence[int]) -> str:
        """A strided view of a temporary, strides in elements."""
        key = (name, 0, tuple(shape), tuple(strides))
        return self._named(name + "_", key, key)

    def constant(self, prefix: str, thing: Any, key: Any = None) -> str:
        """A name for something that never changes: a ufunc, an index list."""
        key = (prefix, key if key is not None else id(thing))
        if key not in self._names:
            self._names[key] = name = f"{prefix}{len(self.fixed)}{self._mark}"
            self.fixed[name] = thing
        return self._names[key]

    def function(self, name: str, thing: Any) -> str:
        """A name that reads well, `matmul`; numbered if another thing has it."""
        if self.fixed.setdefault(name, thing) is not thing:
            return self.constant(name + "_", thing)
        return name

    def _named(self, prefix: str, key: Any, spec: Any) -> str:
        if key not in self._names:
            self._names[key] = name = f"{prefix}{len(self._specs)}{self._mark}"
            self._specs[name] = spec
        return self._names[key]

    def instantiate(
        self, buffers: dict[str, np.ndarray], scratch: Scratch, made: dict[str, Any]
    ) -> None:
        """Arrays for every name that `made` lacks, on a call's buffers and the shared scratch."""
        made.update(self.fixed)
        for name, spec in list(self._specs.items()):
            if name in made:
                continue
            source, *shape = spec
            if source == "keep":
                made[name] = np.zeros(*shape)
            elif source in buffers:
                made[name] = _strided(buffers[source], *shape)
            elif source in made and source not in scratch.made:
                made[name] = _strided(made[source], *shape)
            else:
                if name not in scratch.made:
                    scratch.made[name] = self._shared(source, shape, scratch)
                made[name] = scratch.made[name]

    @staticmethod
    def _shared(source: Any, shape: Any, scratch: Scratch) -> np.ndarray:
        if isinstance(source, int):
            return scratch.temporary(source, *shape)
        return _strided(scratch.arrays.get(source, scratch.made.get(source)), *shape)


def _strided(array: Any, base: int, shape: Any, strides: Any) -> np.ndarray:
    size = array.itemsize
    if math.prod(shape) == 0:
        return np.zeros(shape)
    return np.ndarray(
        shape, array.dtype, array.data if array.ndim == 1 else array, base * size,
        [s * size for s in strides],
    )  # fmt: skip
