"""What a step reads, as NumPy arrays: strided views, and copies of what is gathered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograd.lifting.run.contraction import Operand
from micrograd.lifting.run.source import Source
from micrograd.lifting.run.tables import choose_rows, run_length
from micrograd.lifting.steps.ir import Array, View
from micrograd.lifting.steps.walks import dense, moving, walk

__all__ = ["Reads"]

_ROW = 4  # places that come so many at a time are copied row by row


class Reads:
    """Names of operands; `copies`: those that code has already copied out of other arrays."""

    def __init__(self, source: Source, copies: dict[Any, str]) -> None:
        self.source = source
        self.copies = copies

    def operand(self, view: View, loops: Sequence[int]) -> Operand:
        """A view as an array with strides; what is gathered is copied to a new array first."""
        if view.gather is None and view.index is None:
            return Operand(view.array.name, view.base, view.strides)
        key = (view.array.role, view.key, tuple(loops))
        moves = moving(view, loops)
        sizes = [loops[k] for k in moves]
        strides = [0] * len(loops)
        for k, stride in zip(moves, dense(sizes), strict=True):
            strides[k] = stride
        if key not in self.copies:
            keep = view.array.role != "gradient"
            name = self.source.kept(sizes) if keep else self.source.temporary(sizes)
            self.take(view, loops, name)
            if not keep:
                return Operand(name, 0, tuple(strides))
            self.copies[key] = name
        return Operand(self.copies[key], 0, tuple(strides))

    def take(self, view: View, loops: Sequence[int], out: str) -> None:
        """out = the elements of a gathered view along the loops that it moves along."""
        source, moves = self.source, moving(view, loops)
        if view.index is None:
            places = walk(view.along(moves), [loops[k] for k in moves])
            rows = self.rows(view.array, places)
            if rows is not None:
                table, which, length = rows
                whole = source.view(out, 0, (which.size, length), (length, 1))
                source.emit(f"{table}.take({source.places(which)}, 0, {whole}, 'clip')")
                return
        array = source.array(view.array.name)
        chosen = source.places(places) if view.index is None else self.chosen(view, loops)
        source.emit(f"{array}.take({chosen}, None, {out}, 'clip')")

    def rows(self, array: Array, places: np.ndarray) -> tuple[str, np.ndarray, int] | None:
        """The rows that places visit: the array as a table, the row numbers, the length of a row.

        None if they do not come in rows. Whole rows are copied in a fifth of the time.
        """
        length = run_length(places)
        if length < _ROW:
            return None
        flat = places.reshape(-1)[::length]
        first = int(flat.min())
        count = (array.size - first) // length
        table = self.source.view(array.name, first, (count, length), (length, 1))
        return table, (flat - first) // length, length

    def chosen(self, view: View, loops: Sequence[int]) -> str:
        """The places that a gathered view visits, along the loops that it moves along."""
        moves = moving(view, loops)
        sizes = [loops[k] for k in moves]
        if view.index is None:
            return self.source.places(walk(view.along(moves), sizes))
        key = ("chosen", view.at(Array("", (), "result")).key, tuple(loops))
        if key not in self.copies:
            self.copies[key] = self._chosen(view.along(moves), sizes)
        return self.copies[key]

    def _chosen(self, view: View, sizes: Sequence[int]) -> str:
        source, index = self.source, view.index
        assert index is not None
        along = moving(index, sizes)
        lengths = [sizes[k] for k in along]
        found = self.operand(index.along(along), lengths)
        row = source.temporary(lengths, np.intp)
        source.emit(
            f"{source.function(choose_rows)}({source.view(*found[:2], lengths, found.strides)}, "
            f"{view.rows}, {view.step}, {row}, {row}.view('u8'))"
        )
        strides = [0] * len(sizes)
        for k, stride in zip(along, dense(lengths), strict=True):
            strides[k] = stride
        name = source.kept(sizes, np.intp)
        offsets = walk(View(view.array, view.base, view.strides), sizes)
        source.call(np.add, source.places(offsets), source.view(row, 0, sizes, strides), name)
        if view.gather is not None:
            source.emit(f"{source.places(view.gather)}.take({name}, None, {name}, 'clip')")
        return name

    def view(self, operand: Operand, sizes: Sequence[int]) -> str:
        return self.source.view(operand.source, operand.base, sizes, operand.strides)
