"""Where the loops of a view walk in a JAX array, as slices of a reshaped array.

`found` looks for a shape in which each loop has an axis of its own: the one that the array has, or
one made of the loops' strides. What has none, a diagonal of blocks, say, goes by a list of places.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import jax.numpy as jnp

from micrograd.lifting.steps.walks import dense

__all__ = ["Cut", "Turns", "found"]


class Turns(NamedTuple):
    """One loop of a view: which it is, how often it turns, and how far it goes each time."""

    loop: int
    n: int
    stride: int


class Cut(NamedTuple):
    """`x.ravel()[low:high].reshape(shape)[slices]`, with zeros behind the array's end if need be.

    The axes that are left are the loops in the order of their strides, `order`.
    """

    low: int
    high: int
    shape: tuple[int, ...]
    slices: tuple[slice, ...]
    order: tuple[Turns, ...]

    def read(self, x: Any) -> Any:
        """The elements, with an axis for each loop in `order`."""
        part = self._part(x)
        return part[self.slices].reshape([turns.n for turns in self.order])

    def written(self, x: Any, value: Any) -> Any:
        """The array with `value`, whose axes are as in `order`, in the place of the elements."""
        part = self._part(x)
        part = part.at[self.slices].set(value.reshape(part[self.slices].shape))
        if self.low == 0 and self.high >= x.size:
            return part.reshape(-1)[: x.size]
        flat = x.reshape(-1)
        inside = part.reshape(-1)[: min(self.high, x.size) - self.low]
        return jnp.concatenate([flat[: self.low], inside, flat[self.high :]])

    def _part(self, x: Any) -> Any:
        if x.shape == self.shape:
            return x
        flat = x.reshape(-1)[self.low : self.high]
        missing = self.high - self.low - flat.shape[0]
        return (jnp.pad(flat, (0, missing)) if missing else flat).reshape(self.shape)


def found(shape: Sequence[int], base: int, walked: Sequence[Turns]) -> Cut | None:
    """The cut of an array of this shape that begins at `base`; no stride may be 0."""
    order = tuple(sorted(walked, key=lambda turns: -abs(turns.stride)))
    size = math.prod(shape)
    slices = _slices(shape, base, order)
    if slices is not None:
        return Cut(0, size, tuple(shape), slices, order)
    if not order:
        return None
    low = base + sum(min(0, turns.stride) * (turns.n - 1) for turns in order)
    for start, end in ((0, size), (low, low + order[0].n * abs(order[0].stride))):
        own = _axes(end - start, order)
        slices = None if own is None else _slices(own, base - start, order)
        if own is not None and slices is not None:
            return Cut(start, end, tuple(own), slices, order)
    return None


def _axes(size: int, order: Sequence[Turns]) -> list[int] | None:
    """A shape whose axes have the loops' strides."""
    strides = list(dict.fromkeys(abs(turns.stride) for turns in order))
    sizes = [size, *strides, 1]
    if any(outer % inner for outer, inner in pairwise(sizes)):
        return None
    return [outer // inner for outer, inner in pairwise(sizes)]


def _slices(shape: Sequence[int], base: int, order: Sequence[Turns]) -> tuple[slice, ...] | None:
    """A slice of each axis, if every loop has one to itself; loops come in the axes' order."""
    steps = dense(shape)
    along: list[list[Turns]] = [[] for _ in shape]
    for turns in order:
        axes = [k for k, n in enumerate(shape) if n > 1 and steps[k] <= abs(turns.stride)]
        if not axes or turns.stride % steps[axes[0]]:
            return None
        along[axes[0]].append(turns._replace(stride=turns.stride // steps[axes[0]]))
    made = [
        _slice(base // step % size if size else 0, size, walked)
        for size, step, walked in zip(shape, steps, along, strict=True)
    ]
    return tuple(made) if None not in made else None  # type: ignore[arg-type]


def _slice(start: int, size: int, walked: Sequence[Turns]) -> slice | None:
    if len(walked) > 1:
        return None
    n, step = (walked[0].n, walked[0].stride) if walked else (1, 1)
    last = start + step * (n - 1)
    if not (0 <= start < size and 0 <= last < size):
        return None
    if step > 0:
        return slice(start, last + 1, step)
    return slice(start, last - 1 if last else None, step)
