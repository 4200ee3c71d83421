"""Source code of NumPy calls, and the arrays that its names stand for.

`Source` hands out names while code is written: views of arrays, temporaries, constants. `bind` then
makes them for one set of arrays. Temporaries lie in one piece of memory, each step's where the last
one's were, so that they stay in the processor's cache; copies of gathered elements and chosen rows
are kept, and belong to one set.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import CodeType, FunctionType
from typing import Any

import numpy as np

__all__ = ["Arena", "Source", "strided"]


class Arena:
    """Memory for temporaries, which are not read after the step that made them."""

    def __init__(self) -> None:
        self._bytes = np.zeros(0, dtype=np.uint8)

    def array(self, offset: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
        end = offset + max(1, math.prod(shape)) * dtype.itemsize
        if end > len(self._bytes):  # what was made in the old one stays there
            self._bytes = np.zeros(2 * end, dtype=np.uint8)
        return np.ndarray(shape, dtype, self._bytes.data, offset)


class Source:
    """Lines of code and the names in them.

    Temporaries begin with an underscore, so that they are told from the program's arrays.
    """

    def __init__(self, before: Source | None = None) -> None:
        """`before`: code that has run on the same arrays, whose names this code may use.

        Its own names have another ending, so that several functions can follow the same one.
        """
        self.lines: list[str] = []
        self._mark: str = "" if before is None else before._mark + "b"
        self._names: dict[Any, str] = {} if before is None else dict(before._names)
        self._specs: dict[str, tuple[Any, ...]] = {} if before is None else dict(before._specs)
        self._fixed: dict[str, Any] = {} if before is None else dict(before._fixed)
        self._arena: Arena = Arena() if before is None else before._arena
        self._same: dict[str, str] = {}
        self._offset = 0
        self._indent = ""

    # --- writing ----------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin a step: its temporaries take the place of the last step's."""
        self._offset = 0

    def emit(self, line: str) -> None:
        self.lines.append(self._indent + line)

    def call(self, function: Any, *arguments: str) -> None:
        self.emit(f"{self.function(function)}({', '.join(arguments)})")

    def indented(self, by: str = "    ") -> None:
        self._indent = by

    def code(self, name: str) -> CodeType:
        """What was written since the last time, as a function without arguments."""
        lines, self.lines = self.lines, []
        source = "\n    ".join([f"def {name}():", *(lines or ["pass"])])
        module = compile(source, "<lifted>", "exec")
        (code,) = [c for c in module.co_consts if isinstance(c, CodeType)]
        return code

    def rename(self, array: str, other: str) -> None:
        """Note that an array lies where another one lay: their views share a name."""
        self._same[array] = self._same.get(other, other)

    # --- names ------------------------------------------------------------------------------------

    def view(self, source: str, base: int, sizes: Sequence[int], strides: Sequence[int]) -> str:
        """A strided view of an array, or of a temporary."""
        sizes, strides = tuple(sizes), tuple(strides)
        return self._named("v", ("view", source, base, sizes, strides))

    def series(
        self, source: str, bases: Sequence[int], sizes: Sequence[int], strides: Sequence[int]
    ) -> str:
        """A list of views, one for each turn of a loop."""
        return self._named("s", ("series", source, tuple(bases), tuple(sizes), tuple(strides)))

    def cell(self, source: str, place: int) -> str:
        """One number, as a Python float."""
        return f"{self._named('m', ('cells', source))}[{place}]"

    def array(self, source: str) -> str:
        return self._named("a", ("array", source))

    def temporary(self, sizes: Sequence[int], dtype: Any = np.float64) -> str:
        """An array that the next step may write over."""
        dtype, name = np.dtype(dtype), f"_t{len(self._specs)}"
        self._specs[name] = ("temporary", self._offset, tuple(sizes), dtype)
        self._offset += -(-max(1, math.prod(sizes)) * dtype.itemsize // 64) * 64
        return name

    def kept(self, sizes: Sequence[int], dtype: Any = np.float64) -> str:
        name = f"_k{len(self._specs)}{self._mark}"
        self._specs[name] = ("kept", tuple(sizes), np.dtype(dtype))
        return name

    def function(self, thing: Any) -> str:
        """The name of a function, such as `matmul`; with a number if another one has it."""
        name = getattr(thing, "__name__", "f")
        name = name if name.isidentifier() else "f"
        if self._fixed.setdefault(name, thing) is not thing:
            return self.constant("f", thing, id(thing))
        return name

    def constant(self, prefix: str, thing: Any, key: Any) -> str:
        """A name for something that never changes."""
        name = self._names.setdefault((prefix, key), f"{prefix}{len(self._fixed)}{self._mark}")
        self._fixed.setdefault(name, thing)
        return name

    def number(self, x: float) -> str:
        """The name of a constant as a 0-d array: with a float each call takes 0.3 us more."""
        return self.constant("c", np.array(float(x)), repr(float(x)))

    def places(self, found: np.ndarray) -> str:
        """The name of an array of integers."""
        found = np.array(found, dtype=np.intp, order="C")
        return self.constant("i", found, found.tobytes() + repr(found.shape).encode())

    def _named(self, prefix: str, spec: tuple[Any, ...]) -> str:
        kind, array, *rest = spec
        spec = (kind, self._same.get(array, array), *rest)
        name = self._names.setdefault(spec, f"{prefix}{len(self._specs)}{self._mark}")
        self._specs.setdefault(name, spec)
        return name

    # --- binding ----------------------------------------------------------------------------------

    def bind(
        self, code: CodeType, arrays: Mapping[str, np.ndarray], made: dict[str, Any]
    ) -> FunctionType:
        """The function for these arrays; `made`: what other functions made for them."""
        made.update(self._fixed)
        for name in code.co_names:
            if name in self._specs:
                self._made(name, arrays, made)
        return FunctionType(code, made)

    def _made(self, name: str, arrays: Mapping[str, np.ndarray], made: dict[str, Any]) -> Any:
        if name in arrays:
            return arrays[name]
        if name not in made:
            made[name] = self._make(self._specs[name], arrays, made)
        return made[name]

    def _make(
        self, spec: tuple[Any, ...], arrays: Mapping[str, np.ndarray], made: dict[str, Any]
    ) -> Any:
        kind, *rest = spec
        if kind == "temporary":
            return self._arena.array(*rest)
        if kind == "kept":
            return np.zeros(*rest)
        source = self._made(rest[0], arrays, made)
        if kind == "array":
            return source
        if kind == "cells":
            return source.data
        if kind == "view":
            return strided(source, *rest[1:])
        bases, sizes, strides = rest[1:]
        return [strided(source, base, sizes, strides) for base in bases]


def strided(
    array: np.ndarray, base: int, sizes: tuple[int, ...], strides: tuple[int, ...]
) -> np.ndarray:
    """A view of a contiguous array; strides are counted in elements."""
    if math.prod(sizes) == 0:
        return np.zeros(sizes, dtype=array.dtype)
    size = array.itemsize
    return np.ndarray(
        sizes, array.dtype, array.reshape(-1).data, base * size, [s * size for s in strides]
    )
