"""Straight-line code on lists: a function for each case, and one loop over the table of turns.

A turn takes 0.09 us. As a line of its own, `m[5] = m[3] * m[4]` on an array, it would take 0.15,
and 10 to compile.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from micrograd import ops
from micrograd.lifting.rows import DIVIDE, QUOTIENT
from micrograd.lifting.steps.expression import Apply, Formula, Read, evaluate, reads_of
from micrograd.lifting.steps.ir import Step
from micrograd.lifting.steps.straight import Cases, places_of
from micrograd.lifting.strides import distinct
from micrograd.op import Op

__all__ = ["Table", "literal"]


_IN_C: dict[Op, Callable[..., float]] = {ops.add: operator.add, ops.mul: operator.mul}


class Table:
    """out[p] = f(x[a], y[b], ...), or +=, turn after turn; called with the arrays of `names`."""

    def __init__(self, step: Step, cases: Cases) -> None:
        self._cases = cases
        self._reads = sorted({k for case in cases.formulas for k in reads_of(case)})
        views = [step.out, *(step.reads[k] for k in self._reads)]
        self.names = tuple(dict.fromkeys(view.array.name for view in views))
        arrays = tuple(self.names.index(view.array.name) for view in views)
        found = [places_of(view, step.loops) for view in views]
        # the parts of the arrays that are looked at, and where in them each turn looks
        self._parts: list[Any] = []
        self._places: list[list[int]] = [[]] * len(views)
        for number in range(len(self.names)):
            own = [k for k, array in enumerate(arrays) if array == number]
            part = distinct(np.concatenate([found[k] for k in own]))
            one = list(range(len(part)))  # a place is one object, however often it is listed
            for k in own:
                at = np.searchsorted(part, found[k]).tolist()
                self._places[k] = [one[place] for place in at]
            first, count = int(part[0]), len(part)
            together = int(part[-1]) - first + 1 == count
            self._parts.append(slice(first, first + count) if together else part)
        self._turns = _loop(arrays, step.accumulate)
        self._fast = self._functions(safe=False)

    def _functions(self, safe: bool) -> list[Callable[..., float]]:
        """The function of each turn."""
        made = [_function(case, self._reads, safe) for case in self._cases.formulas]
        return [made[code] for code in self._cases.codes.tolist()]

    def __call__(self, *arrays: np.ndarray) -> None:
        try:
            found = self._computed(self._fast, arrays)
        except (ArithmeticError, ValueError):  # a division by zero, say: again, as IEEE has it
            found = self._computed(self._functions(safe=True), arrays)
        arrays[0][self._parts[0]] = found

    def _computed(self, functions: Sequence[Any], arrays: Sequence[np.ndarray]) -> list[float]:
        """What stands in the looked-at part of `out` after the last turn."""
        lists: list[list[float]] = [
            x[part].tolist() for x, part in zip(arrays, self._parts, strict=True)
        ]
        self._turns(functions, self._places, lists)
        return lists[0]


@cache
def _loop(arrays: tuple[int, ...], accumulate: bool) -> Callable[..., None]:
    """The loop over turns; `arrays`: which list the result goes to, and each operand comes from."""
    count = len(arrays)
    reads = ", ".join(f"x{arrays[k]}[p{k}]" for k in range(1, count))
    places = ", ".join(f"p{k}" for k in range(count))
    lines = [
        "def loop(functions, places, lists):",
        f"    {', '.join(f'x{k}' for k in range(max(arrays) + 1))}, = lists",
        f"    for f, {places} in zip(functions, *places):",
        f"        x{arrays[0]}[p0] {'+=' if accumulate else '='} f({reads})",
    ]
    names: dict[str, Any] = {}
    exec("\n".join(lines), names)
    return names["loop"]  # type: ignore[no-any-return]


def _function(case: Formula, reads: Sequence[int], safe: bool) -> Callable[..., float]:
    """A case as a function of all operands, in the order of `reads`; `safe`: it never raises."""
    if isinstance(case, Apply) and case.op in _IN_C and case.inputs == tuple(map(Read, reads)):
        return _IN_C[case.op]
    known: dict[str, Any] = {}

    def apply(op: Op, *xs: Any) -> str:
        words = [x if isinstance(x, str) else literal(x) for x in xs]
        if op.name in ("+", "*", "-") and not op.parameters:
            return f"({words[0]} {op.name} {words[1]})"
        if op in (DIVIDE, QUOTIENT) and not safe:
            return f"({words[0]} / {words[-1]})"
        name = f"f{len(known)}"
        known[name] = op.number if safe else op.forward
        return f"{name}({', '.join(words)})"

    text = evaluate(case, lambda k: f"x{k}", apply)
    arguments = ", ".join(f"x{k}" for k in reads)
    return eval(f"lambda {arguments}: {text if isinstance(text, str) else literal(text)}", known)  # type: ignore[no-any-return]


def literal(x: float) -> str:
    """A number as Python reads it."""
    return repr(x) if math.isfinite(x) else f"float('{x!r}')"
