"""A check of steps: addresses lie in their arrays, nothing is read too early or written twice.

`check` goes through the steps once and keeps, for every element of every array, whether it holds a
number yet. Which row an index will choose is not known before the program runs: `check` looks at
all rows, and executors check the index.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from micrograd.lifting.steps.expression import Apply, Formula, reads_of
from micrograd.lifting.steps.ir import Array, Program, Step, View, Window
from micrograd.lifting.steps.straight import cases_of
from micrograd.lifting.steps.walks import is_recurrence, standing, walk
from micrograd.lifting.strides import distinct

__all__ = ["Fault", "check"]


class Fault(ValueError):
    """What is wrong with a step; the message ends with the step itself."""


def check(program: Program, backward: Sequence[Step] = ()) -> None:
    """A Fault if a step of the program, or of its backward pass, breaks a rule of the IR."""
    written: dict[str, np.ndarray] = {}
    known: dict[str, Array] = {array.name: array for array in program.values}
    for step in (*program.forward, *backward):
        try:
            _check(step, written, known)
        except Fault as fault:
            raise Fault(f"{fault}, in {step}") from None
    for window in (*program.results, *program.statistics):
        _check_window(window, written)


def _check(step: Step, written: dict[str, np.ndarray], known: dict[str, Array]) -> None:
    _check_value(step.value, len(step.reads))
    _check_cases(step)
    for view in _views((step.out, *step.reads)):
        if known.setdefault(view.array.name, view.array).size != view.array.size:
            raise Fault(f"there are two arrays of the name {view.array.name}")
        _check_places(view, step.loops)
    if step.out.array.given:
        raise Fault(f"{step.out.array.name} is given, and no step may write it")
    early = _turns_until_written(step) if is_recurrence(step) else {}
    for view in _views(step.reads):
        ready = _holds(view.array, written)[walk(view, step.loops)]
        if not ready.all() and not _written_before(view, step, ready, early):
            raise Fault(f"{view} is read before it is written")
    _write(step, written)


def _views(views: Iterable[View]) -> Iterable[View]:
    for view in views:
        yield view
        if view.index is not None:
            yield view.index


def _check_value(value: Formula, count: int) -> None:
    for k in reads_of(value):
        if not 0 <= k < count:
            raise Fault(f"operand {k} is none of its {count} reads")
    stack = [value]
    while stack:
        x = stack.pop()
        if isinstance(x, Apply):
            if len(x.inputs) != x.op.arity:
                raise Fault(f"{x.op.name} takes {x.op.arity} inputs, got {len(x.inputs)}")
            stack += x.inputs


def _check_cases(step: Step) -> None:
    cases = cases_of(step)
    if cases is None:
        return
    count = len(cases.formulas)
    wrong = cases.codes[(cases.codes < 0) | (cases.codes >= count)]
    if wrong.size:
        raise Fault(f"a turn is of case {wrong[0]}, and there are {count} cases")


def _check_places(view: View, loops: Sequence[int]) -> None:
    if len(view.strides) != len(loops):
        raise Fault(f"{view} has {len(view.strides)} strides for {len(loops)} loops")
    if view.index is not None and view.rows < 1:
        raise Fault(f"{view} chooses among {view.rows} rows")
    if view.gather is not None:
        listed = walk(View(view.array, view.base, view.strides, None, view.index, view.step,
                           view.rows), loops)  # fmt: skip
        _check_range(listed, len(view.gather), view)
    _check_range(walk(view, loops), view.array.size, view)


def _check_range(places: np.ndarray, size: int, view: View) -> None:
    if places.size and not (places.min() >= 0 and places.max() < size):
        outside = places[(places < 0) | (places >= size)].flat[0]
        raise Fault(f"{view} goes to place {outside} of {size}")


def _holds(array: Array, written: dict[str, np.ndarray]) -> np.ndarray:
    """Which elements hold a number: all of an array that is given, else those that steps wrote."""
    if array.name not in written:
        written[array.name] = np.full(array.size, array.given)
    return written[array.name]


def _write(step: Step, written: dict[str, np.ndarray]) -> None:
    holds, places = _holds(step.out.array, written), walk(step.out, step.loops)
    if step.accumulate:
        if not holds[places].all():
            raise Fault(f"{step.out} is added to before it is written")
        return
    if step.out.index is not None:
        raise Fault(f"{step.out} may write one place twice")
    if holds[places].any():
        raise Fault(f"{step.out} is written a second time")
    if len(distinct(places)) < places.size:
        raise Fault(f"{step.out} writes one place twice")
    if standing(step.out, step.loops) and step.combine is None:
        raise Fault(f"{step.out} stands still, and nothing says how to combine")
    holds[places] = True


# --- recurrences ----------------------------------------------------------------------------------


def _turns_until_written(step: Step) -> dict[str, np.ndarray]:
    """By the array's name: in which turn, counted over all loops, each element is written."""
    turn = np.full(step.out.array.size, math.prod(step.loops), dtype=np.int64)
    turn[np.broadcast_to(walk(step.out, step.loops), step.loops)] = _turns(step)
    return {step.out.array.name: turn}


def _turns(step: Step) -> np.ndarray:
    return np.arange(math.prod(step.loops)).reshape(step.loops)


def _written_before(
    view: View, step: Step, ready: np.ndarray, early: dict[str, np.ndarray]
) -> bool:
    if view.array.name not in early:
        return False
    places = np.broadcast_to(walk(view, step.loops), step.loops)
    before = early[view.array.name][places] < _turns(step)
    return bool((np.broadcast_to(ready, step.loops) | before).all())


def _check_window(window: Window, written: dict[str, np.ndarray]) -> None:
    _check_places(window.view, window.loops)
    if not _holds(window.view.array, written)[walk(window.view, window.loops)].all():
        raise Fault(f"a result, {window.view}, is never written")
