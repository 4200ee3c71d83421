"""Steps on JAX arrays, one after the other: what `run/reference.py` does turn by turn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from micrograd import ops
from micrograd.lifting.run.with_jax.arrays import Arrays
from micrograd.lifting.run.with_jax.negations import Negations
from micrograd.lifting.run.with_jax.places import Turns
from micrograd.lifting.run.with_jax.products import contracted
from micrograd.lifting.run.with_jax.rows import evaluated, form, largest
from micrograd.lifting.steps.expression import reads_of
from micrograd.lifting.steps.ir import Step, View, Window
from micrograd.lifting.steps.notation import product
from micrograd.lifting.steps.straight import cases_of
from micrograd.lifting.steps.walks import is_recurrence, lanes, moving, repeats, walk

__all__ = ["result", "run"]


def run(steps: Sequence[Step], arrays: Arrays) -> None:
    """Carry out the steps; `arrays` holds the given arrays and receives the computed ones."""
    negations = Negations()
    for step in steps:
        if 0 in step.loops:
            continue
        step = negations.without(step)
        negations.note(step)
        differs = cases_of(step) is not None
        if differs or is_recurrence(step) or (repeats(step) and not _adds(step)):
            _in_turn(step, arrays)
            continue
        kept = moving(step.out, step.loops)
        kept.sort(key=lambda k: -abs(step.out.strides[k]))
        value = _value(step, kept, arrays)
        if step.out.gather is not None or step.out.index is not None or repeats(step):
            _scatter(step, kept, value, arrays)
            continue
        walked = [Turns(k, step.loops[k], step.out.strides[k]) for k in kept]
        if step.accumulate:
            value = value + arrays.walked(step.out.array, step.out.base, walked)
        arrays.write(step.out.array, step.out.base, walked, value)


def result(window: Window, arrays: Arrays) -> Any:
    """A result of the program, in its shape."""
    made = arrays.aligned(window.view, window.loops, range(len(window.loops)))
    return jnp.broadcast_to(made, window.loops)


def _adds(step: Step) -> bool:
    return step.accumulate or step.combine is ops.add


def _value(step: Step, kept: Sequence[int], arrays: Arrays) -> Any:
    """What a step computes, with an axis for each loop that its result keeps."""
    combine = ops.add if step.accumulate else step.combine
    factors = product(step.value) if combine is ops.add else None
    if factors is not None and factors[0]:
        found = [arrays.read(step.reads[k], step.loops) for k in factors[0]]
        return contracted(found, factors[1], step.loops, kept, arrays.dtype)
    gone = [k for k, n in enumerate(step.loops) if n > 1 and k not in kept]
    axes = _order(step, kept, gone) if combine is ops.add else [*kept, *gone]
    shape = [step.loops[k] for k in axes]
    reads_at = {k: arrays.aligned(step.reads[k], step.loops, axes) for k in reads_of(step.value)}
    reads = [reads_at.get(k) for k in range(len(step.reads))]
    made = jnp.broadcast_to(evaluated(step.value, reads, arrays.dtype), shape)
    if combine is None or not gone:
        made = made[(slice(None),) * len(kept) + (-1,) * len(gone)]
    elif combine is ops.add:
        made = made.sum(axis=tuple(axes.index(k) for k in gone))
        left = [k for k in axes if k in kept]
        made = made.transpose([left.index(k) for k in kept])
    else:
        made = largest(combine, made.reshape([*shape[: len(kept)], -1]))
    return made


def _order(step: Step, kept: Sequence[int], gone: Sequence[int]) -> list[int]:
    """The loops in the order in which they walk what is read: see `Arrays.read`."""
    if not gone:
        return list(kept)
    widest = max(step.reads, key=lambda view: len(moving(view, step.loops)), default=step.out)
    return sorted([*kept, *gone], key=lambda k: -abs(widest.strides[k]))


def _scatter(step: Step, kept: Sequence[int], value: Any, arrays: Arrays) -> None:
    """A step that writes to a list of places, or to rows that an index chooses."""
    places = _places(step.out, step.loops, kept, arrays)
    if step.combine is not None and not step.accumulate:  # a sum begins at 0
        arrays.put(step.out.array, places, jnp.zeros((), arrays.dtype), False)
    arrays.put(step.out.array, places, value, _adds(step))


def _places(view: View, loops: Sequence[int], kept: Sequence[int], arrays: Arrays) -> Any:
    """The element of its array that a view stands at, for each turn of the loops `kept`."""
    plain = replace(view, index=None, gather=None).along(kept)
    sizes = [loops[k] for k in kept]
    places = np.broadcast_to(walk(plain, sizes), sizes)
    if view.index is not None:
        row = arrays.aligned(view.index, loops, kept).astype(jnp.int32)
        places = places + view.step * row
    return places if view.gather is None else jnp.asarray(view.gather)[places]


def _in_turn(step: Step, arrays: Arrays) -> None:
    """A recurrence, turn by turn; the loops along which nothing is passed on go at once."""
    rows = [] if step.combine is not None else lanes(step)
    others = [k for k, n in enumerate(step.loops) if n > 1 and k not in rows]
    order = [*others, *rows]
    turns, row = math.prod(step.loops[k] for k in others), [step.loops[k] for k in rows]
    given = {
        k: jnp.broadcast_to(
            arrays.aligned(view, step.loops, order), [step.loops[j] for j in order]
        ).reshape(turns, *row)
        for k, view in enumerate(step.reads)
        if view.array.name != step.out.array.name
    }
    own = {
        k: _places(view, step.loops, order, arrays).reshape(turns, *row)
        for k, view in enumerate((*step.reads, step.out))
        if view.array.name == step.out.array.name
    }
    met = _met_before(own[len(step.reads)]) if step.combine is not None else np.zeros(turns, bool)

    def turn(array: Any, at: Any) -> tuple[Any, None]:
        reads, places, again = at
        seen = [reads[k] if k in reads else array[places[k]] for k in range(len(step.reads))]
        value = jnp.broadcast_to(evaluated(step.value, seen, arrays.dtype), row)
        here = places[len(step.reads)]
        if step.accumulate:
            value = array[here] + value
        elif step.combine is not None:
            value = jnp.where(again, form(step.combine)(array[here], value), value)
        return array.at[here].set(value), None

    made, _ = lax.scan(turn, arrays.whole(step.out.array), (given, own, met))
    arrays.bring(step.out.array, made)


def _met_before(places: Any) -> Any:
    """For each turn, whether an earlier one has written there."""
    seen: set[int] = set()
    found = []
    for place in np.asarray(places).reshape(-1).tolist():
        found.append(place in seen)
        seen.add(place)
    return np.array(found)
