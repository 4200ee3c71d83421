"""What a step reads and where it writes, as NumPy code: names, slices, lists of places.

`Operands` knows the shape that each array has in the text, the names of views of parameters, and
the integer lists that irregular reads go through.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np

from micrograd.lifting.steps.ir import Array, Program, View
from micrograd.lifting.steps.notation import NAMES, Line, Notation
from micrograd.lifting.steps.reading import common_path
from micrograd.lifting.steps.slices import Loop, sliced, tuple_text
from micrograd.lifting.steps.walks import dense, moving, walk

__all__ = ["Operands", "whole"]


def whole(view: View, loops: Sequence[int]) -> bool:
    """Whether loops visit every element of the array once, in any order of the loops."""
    if view.gather is not None or view.index is not None or view.base:
        return False
    moves = sorted(moving(view, loops), key=lambda k: -view.strides[k])
    sizes = [loops[k] for k in moves]
    strides = tuple(view.strides[k] for k in moves)
    return math.prod(sizes) == view.array.size and strides == dense(sizes)


class Operands:
    """The names and shapes that a text is written with."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.notation = Notation()
        self.lists: dict[str, np.ndarray] = {}
        self.constants: dict[Array, None] = {}
        self.definitions: list[Line] = []
        self._shapes: dict[Array, tuple[int, ...]] = {}
        self._list_names: dict[bytes, str] = {}
        self._views: dict[tuple[View, tuple[int, ...]], str] = {}
        self._taken = {*NAMES, "view", *(array.name for array in program.values)}
        for array in program.values:
            if array.given:
                one = array.role == "parameters" and array.size == 1
                self._shapes[array] = () if one else array.shape
        for step in program.forward:
            for view in step.reads:
                if view.array.role == "parameters":
                    self._shape_parameters(view, step.loops)

    def described(self) -> list[str]:
        """Lines that name the constants and the lists of places, with their sizes."""
        constants = [f"{array.name} ({_sizes(array.shape)})" for array in self.constants]
        lists = [f"{name} ({_sizes(found.shape)})" for name, found in self.lists.items()]
        said = [("constants", constants), ("places in arrays", lists)]
        return [f"{what}: {', '.join(names)}" for what, names in said if names]

    # --- shapes and names -------------------------------------------------------------------------

    def shape(self, array: Array, first: tuple[int, ...] | None = None) -> tuple[int, ...]:
        """An array's shape in the text: that of the first value assigned to it, `first`."""
        if array not in self._shapes:
            source = self._source(array)
            if source is not None and source in self._shapes:
                self._shapes[array] = self._shapes[source]
            else:
                self._shapes[array] = array.shape if first is None else first
        return self._shapes[array]

    def _source(self, array: Array) -> Array | None:
        """The array whose gradient this is."""
        if array.role != "gradient" or not array.name.startswith("d_"):
            return None
        return Array(array.name.removeprefix("d_"), array.shape, "result")

    def _shape_parameters(self, view: View, loops: Sequence[int]) -> None:
        """Parameters have the shape in which they are first read whole."""
        moves = sorted(moving(view, loops), key=lambda k: -view.strides[k])
        if view.index is not None:
            return
        if whole(view, loops) and len(self._shapes[view.array]) < len(moves):
            self._shapes[view.array] = tuple(loops[k] for k in moves)

    def free(self, name: str) -> str:
        """The name, with a number behind it if it is taken."""
        number, free = 2, name
        while free in self._taken:
            free, number = f"{name}_{number}", number + 1
        self._taken.add(free)
        return free

    def _list(self, found: np.ndarray) -> str:
        """The name of an array of places."""
        key = found.tobytes() + repr(found.shape).encode()
        if key not in self._list_names:
            name = self._list_names[key] = self.free("places")
            self.lists[name] = found
        return self._list_names[key]

    def note(self, array: Array) -> None:
        """Note that an array is read: if it is a constant, the text needs its numbers."""
        if array.role == "constant":
            self.constants.setdefault(array)
            self._shapes.setdefault(array, array.shape)

    # --- reading ----------------------------------------------------------------------------------

    def natural(
        self, view: View, loops: Sequence[int], names: Mapping[int, str] | None = None
    ) -> tuple[str, list[int]]:
        """What a view reads, as text with an axis for each loop that moves; and those loops."""
        names = names or {}
        self.note(view.array)
        if view.index is not None:
            return self._chosen(view, loops)
        moves = moving(view, loops)
        if view.gather is not None:
            return self._gathered(view, loops, moves, names)
        moves.sort(key=lambda k: -abs(view.strides[k]))
        walked = [Loop(loops[k], view.strides[k], names.get(k, "")) for k in moves]
        order = [k for k in moves if k not in names]
        if view.array.role == "parameters" and not names:
            return self._parameter(view, loops, walked), order
        return sliced(view.array.name, self.shape(view.array), view.base, walked), order

    def _gathered(
        self, view: View, loops: Sequence[int], moves: Sequence[int], names: Mapping[int, str]
    ) -> tuple[str, list[int]]:
        found = walk(view.along(moves), [loops[k] for k in moves])
        subscripts = ", ".join(names.get(k, ":") for k in moves) if names else ""
        places = self._list(found) + (f"[{subscripts}]" if names else "")
        return f"{self._flat(view.array)}[{places}]", [k for k in moves if k not in names]

    def _flat(self, array: Array) -> str:
        return array.name if len(self.shape(array)) == 1 else f"{array.name}.ravel()"

    def _parameter(self, view: View, loops: Sequence[int], walked: Sequence[Loop]) -> str:
        """A part of the parameters, under a name that comes from their attribute paths."""
        text = sliced(view.array.name, self.shape(view.array), view.base, walked)
        if text == view.array.name:
            return text
        strides, sizes = tuple(w.stride for w in walked), tuple(w.n for w in walked)
        key = (View(view.array, view.base, strides), sizes)
        if key not in self._views:
            found = walk(view, loops).reshape(-1)
            paths = [self.program.names.get(view.array.name, ())[k] for k in found]
            name = self._views[key] = self.free(re.sub(r"\W", "_", common_path(paths)))
            said = f"{_sizes(sizes)}: {paths[0]} to {paths[-1]}" if paths[0] else _sizes(sizes)
            self.definitions.append(Line(f"{name} = {text}", said))
        return self._views[key]

    def aligned(
        self, view: View, loops: Sequence[int], axes: Sequence[int],
        names: Mapping[int, str] | None = None,
    ) -> str:  # fmt: skip
        """What a view reads, as text, turned so that it broadcasts over `axes` in that order."""
        text, order = self.natural(view, loops, names)
        wanted = [k for k in axes if k in order]
        if order != wanted:
            if len(order) == 2:
                text = f"{text}.T"
            else:
                text += f".transpose{tuple_text([order.index(k) for k in wanted])}"
        first = axes.index(wanted[0]) if wanted else 0
        slots = [":" if k in wanted else "None" for k in axes[first:]]
        return f"{text}[{', '.join(slots)}]" if wanted and "None" in slots else text

    # --- tables read by integers ------------------------------------------------------------------

    def _chosen(self, view: View, loops: Sequence[int]) -> tuple[str, list[int]]:
        target, places, order = self.places(view, loops)
        return f"{target}[{', '.join(places)}]", order

    def places(self, view: View, loops: Sequence[int]) -> tuple[str, list[str], list[int]]:
        """An array, its integer subscripts, as in table[letters], and the loops of their axes."""
        if view.index is None:
            moves = moving(view, loops)
            found = walk(view.along(moves), [loops[k] for k in moves])
            return self._flat(view.array), [self._list(found)], list(moves)
        chosen = moving(view.index, loops)
        own = [k for k, (n, s) in enumerate(zip(loops, view.strides, strict=True)) if s and n > 1]
        index, order = self.natural(view.index, loops)
        index = f"{index}.astype(int)" if order else f"int({index})"
        if view.gather is None and (not set(own) & set(chosen) or own == chosen == order):
            table, axes = self._table(view, loops, own)
            if own == order and own and axes == [*own, -1] and len(own) == 1:
                return table, [f"arange({loops[own[0]]})", index], order
            if axes[0] == -1 and not set(own) & set(chosen):
                return table, [index], [*order, *axes[1:]]
        every = sorted({*own, *chosen})
        plain = View(view.array, view.base, view.strides)
        base = walk(plain.along(every), [loops[k] for k in every])
        index = self.aligned(view.index, loops, every)
        text = f"{self._list(base)} + {view.step} * {index}"
        if order or "[" in index:
            text = f"({text}).astype(int)"
        else:
            text = f"{self._list(base)} + {view.step} * int({index})"
        if view.gather is not None:
            text = f"{self._list(view.gather)}[{text}]"
        return self._flat(view.array), [text], every

    def _table(self, view: View, loops: Sequence[int], own: Sequence[int]) -> tuple[str, list[int]]:
        """The rows that an index chooses among as an array; -1 in its axes stands for the rows."""
        walked = {k: Loop(loops[k], view.strides[k]) for k in own}
        walked[-1] = Loop(view.rows, view.step)
        order = sorted(walked, key=lambda k: -abs(walked[k].stride))
        text = sliced(
            view.array.name, self.shape(view.array), view.base, [walked[k] for k in order]
        )
        if order[0] != -1 and not (len(order) == 2 and own != moving(view.index, loops)):  # type: ignore[arg-type]
            return text, order
        return (text, order) if order[0] == -1 else (f"{text}.T", order[::-1])

    # --- writing ----------------------------------------------------------------------------------

    def target(
        self, view: View, loops: Sequence[int], names: Mapping[int, str] | None = None
    ) -> str:
        """What stands on the left of an assignment into an array."""
        text, order = self.natural(view, loops, names)
        wanted = [k for k in moving(view, loops) if not names or k not in names]
        if order != wanted and view.gather is None:
            text += f".transpose{tuple_text([order.index(k) for k in wanted])}"
        return text if text.endswith("]") else f"{text}[...]"


def _sizes(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape)) or "one number"
