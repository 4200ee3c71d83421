"""The arrays of a program while it runs on JAX, and what views read of them.

JAX's arrays do not change, so an array that several steps write is kept in the pieces that they
wrote: a read that needs one piece gets that one, and only a read across pieces joins them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from micrograd.lifting.run.with_jax.places import Turns, found
from micrograd.lifting.steps.ir import Array, View
from micrograd.lifting.steps.walks import moving, walk

__all__ = ["Arrays"]

_SLICES = 64  # windows that overlap are so many slices side by side at most, else a gather


class Arrays:
    """Arrays by name, as pieces: where each begins, and its numbers in any shape.

    `dtype` is the precision of all that is computed; integers that come in stay what they are.
    """

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        self._pieces: dict[str, list[tuple[int, Any]]] = {}

    def bring(self, array: Array, numbers: Any) -> None:
        """The numbers of an array that stands before the first step."""
        self._pieces[array.name] = [(0, numbers)]

    # --- reading ----------------------------------------------------------------------------------

    def read(self, view: View, loops: Sequence[int]) -> tuple[Any, list[int]]:
        """What a view reads, and the loops that are its axes: those that move, widest first.

        In any other order than that of memory XLA copies before it sums, which is a tenth slower.
        """
        made, moves = self._raw(view, loops)
        return made.astype(self.dtype), moves

    def aligned(self, view: View, loops: Sequence[int], axes: Sequence[int]) -> Any:
        """What a view reads, so that it broadcasts over the loops `axes`, in that order."""
        made, moves = self.read(view, loops)
        wanted = [k for k in axes if k in moves]
        made = made.transpose([moves.index(k) for k in wanted])
        return made.reshape([loops[k] if k in moves else 1 for k in axes])

    def _raw(self, view: View, loops: Sequence[int]) -> tuple[Any, list[int]]:
        moves = moving(view, loops)
        if view.index is not None:
            return self._chosen(view, loops, moves), moves
        if 0 in loops:
            return jnp.zeros([loops[k] for k in moves], self.dtype), moves
        if view.gather is not None:
            places = walk(view.along(moves), [loops[k] for k in moves])
            start, piece = self._around(view.array, int(places.min()), int(places.max()))
            return piece.reshape(-1)[places - start], moves
        moves.sort(key=lambda k: -abs(view.strides[k]))
        walked = [Turns(k, loops[k], view.strides[k]) for k in moves]
        return self.walked(view.array, view.base, walked), moves

    def walked(self, array: Array, base: int, walked: Sequence[Turns]) -> Any:
        """The elements that loops visit, the loops in their order."""
        reach = [turns.stride * (turns.n - 1) for turns in walked]
        low, high = base + sum(min(0, r) for r in reach), base + sum(max(0, r) for r in reach)
        start, piece = self._around(array, low, high)
        cut = found(piece.shape, base - start, walked)
        if cut is not None:
            loops = [turns.loop for turns in cut.order]
            return cut.read(piece).transpose([loops.index(turns.loop) for turns in walked])
        window = _window(piece.shape, base - start, walked)
        if window is None:
            view = View(array, base - start, tuple(turns.stride for turns in walked))
            return piece.reshape(-1)[walk(view, [turns.n for turns in walked])]
        turned = itertools.product(*(range(walked[k].n) for k in window))
        rest = [turns for k, turns in enumerate(walked) if k not in window]
        strides = [walked[k].stride for k in window]
        slices = [
            self.walked(array, base + sum(map(int.__mul__, strides, turn)), rest) for turn in turned
        ]
        sizes = [walked[k].n for k in window] + [turns.n for turns in rest]
        order = [*window, *(k for k in range(len(walked)) if k not in window)]
        made = jnp.stack(slices).reshape(sizes)
        return made.transpose([order.index(k) for k in range(len(walked))])

    def _around(self, array: Array, low: int, high: int) -> tuple[int, Any]:
        """The piece that holds these elements, and where it begins."""
        if array.name not in self._pieces and array.numbers is not None:
            self.bring(array, np.asarray(array.numbers, self.dtype))
        for start, piece in self._pieces.get(array.name, ()):
            if start <= low and high < start + piece.size:
                return start, piece
        return 0, self.whole(array)

    def whole(self, array: Array) -> Any:
        """The array in one piece, flat; what no step has written is 0."""
        parts, reached = [], 0
        for start, piece in sorted(self._pieces.get(array.name, ()), key=lambda item: item[0]):
            if start > reached:
                parts.append(jnp.zeros(start - reached, self.dtype))
            parts.append(piece.reshape(-1))
            reached = start + piece.size
        if reached < array.size or not parts:
            parts.append(jnp.zeros(array.size - reached, self.dtype))
        if len(parts) == 1:
            return parts[0]
        made = jnp.concatenate(parts)
        self.bring(array, made)
        return made

    # --- tables read by integers ------------------------------------------------------------------

    def _chosen(self, view: View, loops: Sequence[int], moves: Sequence[int]) -> Any:
        """Rows of a table that integers choose; a row that there is not is nan."""
        assert view.index is not None
        index, chosen = self._raw(view.index, loops)
        index = index.astype(jnp.int32)
        index = jnp.where(index < 0, view.rows, index)  # JAX counts negative ones from the end
        own = [k for k, (n, s) in enumerate(zip(loops, view.strides, strict=True)) if s and n > 1]
        sizes = [loops[k] for k in own]
        if view.gather is None and view.rows and 0 not in loops:
            walked = [Turns(k, loops[k], view.strides[k]) for k in own]
            several = [Turns(-1, view.rows, view.step)] if view.rows > 1 and view.step else []
            table = self.walked(view.array, view.base, [*several, *walked])
            if several == []:
                table = jnp.broadcast_to(table, (view.rows, *sizes))
        else:
            plain = View(view.array, view.base, view.strides, view.gather)
            places = walk(_with_rows(plain, view).along([*own, len(loops)]), [*sizes, view.rows])
            table = jnp.moveaxis(self.whole(view.array)[places], -1, 0)
        return _taken(table.astype(self.dtype), own, index, chosen, moves)

    # --- writing ----------------------------------------------------------------------------------

    def write(self, array: Array, base: int, walked: Sequence[Turns], value: Any) -> None:
        """Put a value, whose axes are the loops, where they walk; they visit no place twice."""
        order = sorted(walked, key=lambda turns: -abs(turns.stride))
        loops = [turns.loop for turns in walked]
        value = value.transpose([loops.index(turns.loop) for turns in order])
        if 0 in value.shape:
            return
        if _is_dense(order):
            self._replace(array, base, value)
            return
        piece = self.whole(array)
        cut = found(piece.shape, base, walked)
        if cut is not None:
            self.bring(array, cut.written(piece, value))
            return
        view = View(array, base, tuple(turns.stride for turns in order))
        places = walk(view, [turns.n for turns in order])
        self.bring(array, piece.at[places].set(value))

    def put(self, array: Array, places: Any, value: Any, add: bool) -> None:
        """Put or add a value at a list of places."""
        whole = self.whole(array)
        at = whole.at[places]
        self.bring(array, at.add(value) if add else at.set(value))

    def _replace(self, array: Array, base: int, value: Any) -> None:
        """A piece of its own, in the place of those that it covers."""
        pieces, end = self._pieces.get(array.name, []), base + value.size
        beside = [(s, x) for s, x in pieces if s >= end or s + x.size <= base]
        covered = [(s, x) for s, x in pieces if s >= base and s + x.size <= end]
        if len(beside) + len(covered) == len(pieces):
            self._pieces[array.name] = [*beside, (base, value)]
            return
        flat = self.whole(array)
        self.bring(array, jnp.concatenate([flat[:base], value.reshape(-1), flat[end:]]))


def _is_dense(order: Sequence[Turns]) -> bool:
    """Whether loops, the widest first, walk on and on without a gap."""
    sizes = [turns.n for turns in order]
    return all(
        turns.stride == math.prod(sizes[k + 1 :]) for k, turns in enumerate(order) if turns.n > 1
    )


def _window(shape: Sequence[int], base: int, walked: Sequence[Turns]) -> list[int] | None:
    """Loops, as few turns as can be, without which the others are slices."""
    places = range(len(walked))
    chosen = [list(c) for r in (1, 2) for c in itertools.combinations(places, r)]
    chosen.sort(key=lambda c: math.prod(walked[k].n for k in c))
    for c in chosen:
        if math.prod(walked[k].n for k in c) > _SLICES:
            break
        rest = [turns for k, turns in enumerate(walked) if k not in c]
        if rest and found(shape, base, rest) is not None:
            return c
    return None


def _with_rows(plain: View, view: View) -> View:
    """The walk over a table with its rows as one more, last, loop."""
    return View(plain.array, plain.base, (*plain.strides, view.step), plain.gather)


def _taken(
    table: Any, own: Sequence[int], index: Any, chosen: Sequence[int], moves: Sequence[int]
) -> Any:
    """table[index], where the first axis of the table, its rows, is the one that is chosen from."""
    shared = [k for k in own if k in chosen]
    if not shared:
        made = jnp.asarray(table).at[index].get(mode="fill", fill_value=jnp.nan)
        axes = [*chosen, *own]
        return made.transpose([axes.index(k) for k in moves])
    rows = table.shape[0]
    size = dict(zip(own, table.shape[1:], strict=True)) | dict(
        zip(chosen, index.shape, strict=True)
    )
    spread = jnp.moveaxis(table, 0, -1).reshape(
        [size[k] if k in own else 1 for k in moves] + [rows]
    )
    index = index.reshape([size[k] if k in chosen else 1 for k in moves] + [1])
    shape = tuple(size[k] for k in moves)
    spread = jnp.broadcast_to(spread, (*shape, rows))
    index = jnp.broadcast_to(index, (*shape, 1))
    made = jnp.take_along_axis(spread, index, axis=-1, mode="fill", fill_value=jnp.nan)
    return made[..., 0]
