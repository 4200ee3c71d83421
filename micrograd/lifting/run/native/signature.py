"""What the function of a nest takes: pointers to where its views begin.

Views of one array that may meet share a pointer, so that two nests whose `key` is equal do the same
to whatever their pointers point to: letters of a word, steps of an unrolled network share code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrograd.lifting.run.native.lists import is_table
from micrograd.lifting.run.native.nests import Local, Nest
from micrograd.lifting.steps.expression import Apply, Formula, Read
from micrograd.lifting.steps.ir import View

__all__ = ["Signature", "Slot", "extent"]


@dataclass(frozen=True, slots=True)
class Slot:
    """One view: which pointer it begins at, how far from it, and how loops walk on."""

    pointer: int
    base: int
    strides: tuple[int, ...]
    table: int | None = None  # the pointer to the list of elements, for a gathered view
    index: int | None = None  # the slot of the view that chooses rows
    step: int = 0
    rows: int = 0
    whole: bool = False  # integers that stand beforehand, not numbers that arrive


@dataclass(slots=True)
class Signature:
    """The pointers of a nest, (array, first element, step) or a list of elements, and its slots."""

    nest: Nest
    steps: Mapping[View, int] = field(default_factory=dict)  # how far views move between calls
    pointers: list[tuple[str, int, int] | np.ndarray] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    written: set[int] = field(default_factory=set)  # pointers that the nest writes through
    _numbers: dict[View, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        views = self._views()
        groups = _groups(self.nest, views)
        for view in views:
            self._add(view, groups)
        self.written = {self.slots[self.slot(view)].pointer for view in self.nest.outs()}

    def _views(self) -> list[View]:
        found: dict[View, None] = {}
        for view in (*self.nest.reads(), *self.nest.outs()):
            if view.index is not None:
                found[view.index] = None
            found[view] = None
        return list(found)

    def _add(self, view: View, groups: dict[View, tuple[str, int]]) -> None:
        name, first = groups[view]
        pointer = self._pointer((name, first, self.steps.get(view, 0)))
        index = None if view.index is None else self._numbers[view.index]
        table = None
        if view.gather is not None:
            table = len(self.pointers)
            self.pointers.append(np.ascontiguousarray(view.gather - first, dtype=np.int64))
        base = view.base if view.gather is not None else view.base - first
        self._numbers[view] = len(self.slots)
        whole = is_table(view.array)
        self.slots.append(
            Slot(pointer, base, view.strides, table, index, view.step, view.rows, whole)
        )

    def _pointer(self, place: tuple[str, int, int]) -> int:
        for number, known in enumerate(self.pointers):
            if isinstance(known, tuple) and known == place:
                return number
        self.pointers.append(place)
        return len(self.pointers) - 1

    def slot(self, view: View) -> int:
        return self._numbers[view]

    @property
    def checks(self) -> bool:
        """Whether an index may be out of range."""
        return any(s.index is not None and not self.slots[s.index].whole for s in self.slots)

    @property
    def key(self) -> Any:
        """Equal for nests that the same code computes."""
        nest = self.nest
        statements = tuple(
            (
                _key(s.value),
                tuple(
                    ("local", x.number) if isinstance(x, Local) else self.slot(x) for x in s.reads
                ),
                None if s.out is None else self.slot(s.out),
                s.accumulate,
            )
            for s in nest.statements
        )
        combine = None if nest.combine is None else nest.combine.name
        shape = (
            nest.loops,
            nest.outer,
            combine,
            len(nest.body),
            nest.serial,
            nest.free,
            nest.scatter,
        )
        return shape, statements, tuple(self.slots), len(self.pointers)


def _key(value: Formula) -> Any:
    if isinstance(value, Apply):
        return (id(value.op), *map(_key, value.inputs))
    return value.k if isinstance(value, Read) else repr(value)


def extent(view: View, loops: Sequence[int]) -> tuple[int, int]:
    """The first and the last element that a view may visit."""
    if view.gather is not None:
        return int(view.gather.min()), int(view.gather.max())
    low = high = view.base
    for n, stride in zip(loops, view.strides, strict=False):
        low, high = low + min(0, stride * (n - 1)), high + max(0, stride * (n - 1))
    if view.index is not None:
        reach = view.step * (view.rows - 1)
        low, high = low + min(0, reach), high + max(0, reach)
    return low, high


def _groups(nest: Nest, views: Sequence[View]) -> dict[View, tuple[str, int]]:
    """Where each view's pointer begins: one for all that meet of an array that is written."""
    written = {view.array for view in nest.outs()}
    found: dict[View, tuple[str, int]] = {}
    by_array: dict[str, list[tuple[int, int, View]]] = {}
    for view in views:
        by_array.setdefault(view.array.name, []).append((*extent(view, nest.loops), view))
    for name, extents in by_array.items():
        extents.sort(key=lambda x: x[:2])
        first, end = extents[0][:2]
        for low, high, view in extents:
            if low > end or view.array not in written:
                first = low
                end = high
            end = max(end, high)
            found[view] = name, first
    return found
