"""The intermediate representation: arrays, views, steps over nested loops. Nothing here runs.

A step means: for every turn (iteration) of its loops, the last one innermost, `out = value(reads)`.
Where `out` stands still along a loop, with stride 0, the results are combined. That is enough for a
map, a sum, a matrix product, a maximum, a table read by integers and its scatter-add, and, because
turns come in order, for a recurrence: forward and backward are lists of the same kind of step.
Every view reads one array, so a step says what it depends on; another pass, `place`, decides where
arrays lie in memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from micrograd.lifting.steps.expression import Formula, Read, written
from micrograd.op import Op

__all__ = [
    "Argument",
    "Array",
    "Draw",
    "Parameters",
    "Program",
    "Role",
    "Step",
    "View",
    "Window",
    "loop_names",
]

# what a call brings, what it computes, and what the backward pass adds
Role = Literal["argument", "parameters", "constant", "draw", "result", "seed", "gradient"]


@dataclass(frozen=True, slots=True)
class Array:
    """A value of the program, known by its name; a constant brings its numbers."""

    name: str
    shape: tuple[int, ...] = field(compare=False)
    role: Role = field(compare=False)
    numbers: Any = field(default=None, compare=False, repr=False)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def given(self) -> bool:
        """Whether its numbers are there before the first step: then no step may write them."""
        return self.role not in ("result", "gradient")


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """How loops walk an array: element base + sum(i * stride), counted in memory order.

    `gather`: a list of elements, and the loops walk the list. `index`: another view, whose integers
    choose among `rows` rows, `step` elements apart, while the program runs.
    """

    array: Array
    base: int
    strides: tuple[int, ...]
    gather: Any = None
    index: View | None = None
    step: int = 0
    rows: int = 0

    @property
    def key(self) -> Any:
        gather = None if self.gather is None else self.gather.tobytes()
        index = None if self.index is None else (self.index.key, self.step, self.rows)
        return self.array.name, self.base, self.strides, gather, index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, View) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __str__(self) -> str:
        names = loop_names(len(self.strides))
        terms = [f"{stride}*{name}" for stride, name in zip(self.strides, names, strict=True)
                 if stride]  # fmt: skip
        if self.index is not None:
            terms.append(f"{self.step}*{self.index}")
        walked = " + ".join([str(self.base), *terms] if self.base or not terms else terms)
        if self.gather is not None:
            walked = f"list of {len(self.gather)}: {walked}"
        return f"{self.array.name}[{walked}]"

    def at(self, array: Array) -> View:
        """The same walk over another array of the same size, such as a value's gradient."""
        return View(array, self.base, self.strides, self.gather, self.index, self.step, self.rows)

    def along(self, loops: Sequence[int]) -> View:
        """The view over these loops only, with the others at their first turn."""
        index = None if self.index is None else self.index.along(loops)
        strides = tuple(self.strides[k] for k in loops)
        return View(self.array, self.base, strides, self.gather, index, self.step, self.rows)

    def reach(self, loops: Sequence[int]) -> tuple[int, int]:
        """The lowest and the highest element that loops visit, by base and strides."""
        ends = [s * (n - 1) for s, n in zip(self.strides, loops, strict=True)]
        return self.base + sum(e for e in ends if e < 0), self.base + sum(e for e in ends if e > 0)

    def shifted(self, turns: Sequence[int]) -> View:
        """The same walk, begun at these turns of the loops."""
        more = sum(s * t for s, t in zip(self.strides, turns, strict=True))
        index = None if self.index is None else self.index.shifted(turns)
        base = self.base + more
        return View(self.array, base, self.strides, self.gather, index, self.step, self.rows)

    def backwards(self, loops: Sequence[int], which: Sequence[int]) -> View:
        """The same elements, with the loops `which` run from their last turn to the first."""
        view = self.shifted([n - 1 if k in which else 0 for k, n in enumerate(loops)])
        return view._turned(which)

    def _turned(self, which: Sequence[int]) -> View:
        strides = tuple(-s if k in which else s for k, s in enumerate(self.strides))
        index = None if self.index is None else self.index._turned(which)
        return replace(self, strides=strides, index=index)


@dataclass(frozen=True, slots=True)
class Step:
    """for loops: out = value(reads), combined along the loops where `out` stands still."""

    loops: tuple[int, ...]
    out: View
    value: Formula  # Read(k) in it stands for reads[k]
    reads: tuple[View, ...] = ()
    combine: Op | None = None  # add, maximum or minimum
    accumulate: bool = False  # out += instead of out =
    replaces: int = 0  # scalar nodes of the recording

    @property
    def views(self) -> tuple[View, ...]:
        """All that the step looks through: `out`, `reads`, and the indexes of both."""
        found = (self.out, *self.reads)
        return (*found, *(view.index for view in found if view.index is not None))

    def __str__(self) -> str:
        names = loop_names(len(self.loops))
        turns = " ".join(f"{name}<{n}" for name, n in zip(names, self.loops, strict=True))
        sign = "+=" if self.accumulate else "="
        combined = f"{_COMBINED[self.combine.name]} of " if self.combine is not None else ""
        value = written(self.value, self._read)
        return f"{turns or 'once':<20} {self.out} {sign} {combined}{value}"

    def _read(self, x: Read) -> str:
        return str(self.reads[x.k] if x.k < len(self.reads) else x)


_COMBINED = {"+": "sum", "maximum": "maximum", "minimum": "minimum"}


@dataclass(frozen=True, slots=True)
class Window:
    """Where an array of results stands: the loops that visit it and the view they walk."""

    loops: tuple[int, ...]
    view: View


@dataclass(frozen=True, slots=True)
class Argument:
    """An array that a call brings, and whether gradients flow into it."""

    array: Array
    wanted: bool


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameters that steps read as one array, side by side in the store from `first` on."""

    array: Array
    first: int


@dataclass(frozen=True, slots=True)
class Draw:
    """Random numbers or running statistics, which each call brings anew."""

    array: Array


@dataclass(frozen=True, slots=True)
class Program:
    """A function of arrays as steps. Data only: no code, no buffers, no lock."""

    name: str
    arguments: tuple[Argument, ...]
    parameters: tuple[Parameters, ...]
    constants: tuple[Array, ...]
    draws: tuple[Draw, ...]
    forward: tuple[Step, ...]
    results: tuple[Window, ...]
    statistics: tuple[Window, ...]  # the new running statistics
    names: Mapping[str, tuple[str, ...]]  # a parameter array's attribute paths, element by element

    @property
    def values(self) -> tuple[Array, ...]:
        """Every array: what a call brings first, then what steps compute, in that order."""
        brought = [*self.constants, *(x.array for x in self.arguments)]
        brought += [*(x.array for x in self.parameters), *(x.array for x in self.draws)]
        return tuple(dict.fromkeys([*brought, *(step.out.array for step in self.forward)]))

    def __str__(self) -> str:
        nodes = sum(step.replaces for step in self.forward)
        head = f"# {self.name}: {nodes:,} scalar nodes -> {len(self.forward)} steps"
        return "\n".join([head, *map(str, self.forward)])


def loop_names(count: int) -> Iterator[str]:
    """The names of nested loops, as in mathematics: i, j, k, ..., and from the tenth on i9, i10."""
    return ("ijklmnopq"[k] if k < 9 else f"i{k}" for k in range(count))
