"""Which turns of a step a gradient reaches: the others pass nothing on, not even 0."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from micrograd import ops
from micrograd.lifting.steps.expression import Apply, Read
from micrograd.lifting.steps.flow import Marks
from micrograd.lifting.steps.ir import Step
from micrograd.lifting.steps.walks import is_recurrence, passed_on, walk

__all__ = ["cut", "unmasked"]


def cut(step: Step, reached: Marks, wanted: Marks) -> tuple[Step, np.ndarray] | None:
    """The step, cut to the smallest box of turns that holds all those that a gradient reaches.

    Also which turns of the box it reaches, as a mask. None if it reaches none.
    """
    which = reached.at(step.out, step.loops)
    if is_recurrence(step):  # and every turn before one that a gradient reaches
        which = passed_on(which, step, backwards=True)
    if not which.any() or not wanted.at(step.out, step.loops).any():
        return None
    if which.all():
        return step, which
    box = [np.flatnonzero(which.any(axis=_others(k, which.ndim))) for k in range(which.ndim)]
    first = [int(turns[0]) for turns in box]
    lengths = [int(turns[-1]) + 1 - start for turns, start in zip(box, first, strict=True)]
    inside = which[tuple(slice(a, a + n) for a, n in zip(first, lengths, strict=True))]
    loops = tuple(
        full if known == 1 else n
        for full, known, n in zip(step.loops, which.shape, lengths, strict=True)
    )
    made = replace(
        step,
        loops=loops,
        out=step.out.shifted(first),
        reads=tuple(view.shifted(first) for view in step.reads),
    )
    return made, inside


def unmasked(step: Step, which: np.ndarray) -> tuple[Step, np.ndarray]:
    """A sum of where(mask, x, 0) as a sum of x, over the turns at which the mask is not 0."""
    value = step.value
    if step.combine is not ops.add or not isinstance(value, Apply) or value.op is not ops.where:
        return step, which
    mask, inside, _ = value.inputs
    assert isinstance(mask, Read)
    view = step.reads[mask.k]
    assert view.array.numbers is not None
    stays = view.array.numbers.ravel()[walk(view, step.loops)] != 0
    return replace(step, value=inside), _narrowed(which) & stays


def _narrowed(which: np.ndarray) -> np.ndarray:
    """The mask with length 1 along every axis along which it does not change."""
    for axis in range(which.ndim):
        first = which.take([0], axis)
        if (which == first).all():
            which = first
    return which


def _others(k: int, count: int) -> tuple[int, ...]:
    return tuple(j for j in range(count) if j != k)
