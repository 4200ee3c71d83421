"""Names for the arrays that a program works on: views, temporaries, index lists.

Generated code sees an instruction's operands under short names (v3, g3, t7). `Views` hands the
names out while code is written, and makes the arrays for one set of buffers when a program is to
run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["Views", "addresses"]


def addresses(base: int, shape: Sequence[int], strides: Sequence[int]) -> np.ndarray:
    """Every address that nested loops visit, as an array of the loops' shape."""
    found = np.array(base, dtype=np.int64)
    for length, stride in zip(shape, strides, strict=True):
        found = found[..., None] + np.arange(length, dtype=np.int64) * stride
    return found


class Views:
    """The names in a program's code and how to make what they stand for."""

    def __init__(self) -> None:
        self._names: dict[Any, str] = {}
        self._specs: dict[str, Any] = {}
        self.fixed: dict[str, Any] = {}  # the same in every set of buffers: functions, index lists

    def view(self, buffer: str, base: int, shape: Sequence[int], strides: Sequence[int]) -> str:
        """A strided view of buffer 'v' or 'p' (numbers), 'g' or 'd' (their gradients)."""
        key = (buffer, base, tuple(shape), tuple(strides))
        return self._named(buffer, key, key)

    def temporary(self, shape: Sequence[int], dtype: Any = np.float64) -> str:
        name = f"t{len(self._specs)}"
        self._specs[name] = ("t", tuple(shape), np.dtype(dtype))
        return name

    def retyped(self, name: str, shape: Sequence[int], strides: Sequence[int]) -> str:
        """A strided view of a temporary, strides in elements."""
        key = (name, 0, tuple(shape), tuple(strides))
        return self._named(name + "_", key, key)

    def constant(self, prefix: str, thing: Any, key: Any = None) -> str:
        """A name for something that never changes: a ufunc, an index list."""
        key = (prefix, key if key is not None else id(thing))
        if key not in self._names:
            self._names[key] = name = f"{prefix}{len(self.fixed)}"
            self.fixed[name] = thing
        return self._names[key]

    def function(self, name: str, thing: Any) -> str:
        """A name that reads well, `matmul`; numbered if another thing has it."""
        if self.fixed.setdefault(name, thing) is not thing:
            return self.constant(name + "_", thing)
        return name

    def _named(self, prefix: str, key: Any, spec: Any) -> str:
        if key not in self._names:
            self._names[key] = name = f"{prefix}{len(self._specs)}"
            self._specs[name] = spec
        return self._names[key]

    def instantiate(self, buffers: dict[str, np.ndarray], made: dict[str, Any]) -> None:
        """Arrays for every name that `made` lacks, on these buffers."""
        made.update(self.fixed)
        for name, spec in list(self._specs.items()):
            if name in made:
                continue
            if spec[0] == "t":
                made[name] = np.zeros(spec[1], dtype=spec[2])
            else:
                buffer, base, shape, strides = spec
                array = buffers[buffer] if buffer in buffers else made[buffer]
                made[name] = _strided(array, base, shape, strides)


def _strided(array: np.ndarray, base: int, shape: Any, strides: Any) -> np.ndarray:
    size = array.itemsize
    if math.prod(shape) == 0:
        return np.zeros(shape)
    return np.ndarray(
        shape, array.dtype, array.data if array.ndim == 1 else array, base * size,
        [s * size for s in strides],
    )  # fmt: skip
