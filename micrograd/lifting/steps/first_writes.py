"""Of all `+=` to one place the first becomes `=`, and places that get none are filled with zeros.

So an array that is written whole is not zeroed first, and a matrix product is written directly to
the array that it belongs in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from micrograd.lifting.steps.flow import Marks
from micrograd.lifting.steps.ir import Array, Step, View
from micrograd.lifting.steps.walks import repeats, walk
from micrograd.lifting.strides import distinct

__all__ = ["first_writes"]

_RUNS = 3  # a fill of more pieces than these goes through a list of places


def first_writes(steps: Sequence[Step], asked: Sequence[Array]) -> tuple[Step, ...]:
    """The steps with each first `+=` as `=`, after the steps that write the zeros.

    Zeros go to empty places that a step reads or adds to, and to those of the arrays `asked`.
    """
    written = Marks()
    empty: dict[Array, list[np.ndarray]] = {}

    def fill(array: Array, places: np.ndarray) -> None:
        missing = places[~written.of(array)[places]]
        if missing.size:
            empty.setdefault(array, []).append(missing.ravel())
            written.of(array)[missing] = True

    made = []
    for step in steps:
        for view in step.reads:
            if view.array.role == "gradient":
                places = walk(view, step.loops)
                if view.array == step.out.array:  # a recurrence reads what it writes
                    places = places[~np.isin(places, walk(step.out, step.loops))]
                fill(view.array, places)
        places = walk(step.out, step.loops)
        if not step.accumulate:
            written.of(step.out.array)[places] = True
        elif not repeats(step) and not written.of(step.out.array)[places].any():
            written.of(step.out.array)[places] = True
            step = replace(step, accumulate=False)
        else:
            fill(step.out.array, places)
        made.append(step)
    for array in asked:
        fill(array, np.arange(array.size))
    return (*(fill for array, found in empty.items() for fill in _fills(array, found)), *made)


def _fills(array: Array, found: Sequence[np.ndarray]) -> list[Step]:
    places = distinct(np.concatenate(found))
    runs = np.split(places, np.flatnonzero(np.diff(places) > 1) + 1)
    if len(runs) > _RUNS:
        return [Step((len(places),), View(array, 0, (1,), places), 0.0)]
    return [Step((len(run),), View(array, int(run[0]), (1,)), 0.0) for run in runs]
