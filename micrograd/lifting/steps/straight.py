"""Steps whose turns differ: in each, a constant list says which of a few cases is computed.

So straight-line code is one step: out[i] = cases[which[i]](x[i], y[i]), where x and y are lists of
earlier places of the same array. Its backward pass is one such step as well, with a turn for each
number that a number was made from, the last ones first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from micrograd.lifting.rows import choose, is_choice
from micrograd.lifting.steps.expression import Apply, Formula, Read, pushed, reads_of, renumbered
from micrograd.lifting.steps.flow import Marks
from micrograd.lifting.steps.ir import Array, Step, View
from micrograd.lifting.steps.walks import walk

__all__ = ["Cases", "cases_of", "places_of", "pushed_back"]


class Cases(NamedTuple):
    """What the turns of a step compute: the cases, and the case of each turn."""

    formulas: tuple[Formula, ...]
    codes: np.ndarray


def cases_of(step: Step) -> Cases | None:
    """The cases of a step that is a list of turns; None if all turns compute the same."""
    value = step.value
    if not isinstance(value, Apply) or not is_choice(value.op) or len(step.loops) != 1:
        return None
    which, *formulas = value.inputs
    if isinstance(which, Read):
        view = step.reads[which.k]
        if view.array.numbers is None or view.index is not None:
            return None
        numbers = view.array.numbers.ravel()[walk(view, step.loops)]
    else:
        numbers = np.array(which)
    return Cases(tuple(formulas), np.broadcast_to(numbers, step.loops).astype(np.intp))


def places_of(view: View, loops: Sequence[int]) -> np.ndarray:
    """The element in each turn."""
    return np.broadcast_to(walk(view, loops), loops)


class _Edges(NamedTuple):
    """Pairs of a number and one that it was made from: the turn, and the operand's place."""

    turns: np.ndarray
    into: np.ndarray
    codes: np.ndarray
    others: list[np.ndarray]  # the places of further numbers that the gradient is computed from


def pushed_back(
    step: Step, cases: Cases, gradient: Array, number: str, marks: Sequence[Marks], wanted: Marks
) -> Step | None:
    """The step that passes gradients on from the last turn to the first; None if nothing flows.

    What it reaches is noted in `marks`; `number` tells its list of cases from others.
    """
    formulas, edges = _edges(step, cases)
    reached = marks[0].of(step.out.array).data  # of an array, one by one takes three times as long
    out = places_of(step.out, step.loops)[edges.turns]
    asks = wanted.of(step.out.array)[edges.into]
    kept = [False] * len(out)
    for k, (here, into, asked) in enumerate(zip(out.tolist(), edges.into.tolist(), asks.tolist(),
                                                strict=True)):  # fmt: skip
        if asked and reached[here]:
            kept[k] = True
            reached[into] = 1
    found = np.flatnonzero(kept)
    if not found.size:
        return None
    for known in marks:
        known.of(step.out.array)[edges.into[found]] = True
    into, g = (View(gradient, 0, (1,), places[found]) for places in (edges.into, out))
    reads = [g, *(View(step.out.array, 0, (1,), places[found]) for places in edges.others)]
    codes = edges.codes[found]
    which = Array(f"cases_{number}", codes.shape, "constant", codes.astype(np.float64))
    value = Apply(choose(len(formulas)), (Read(len(reads)), *formulas))
    reads.append(View(which, 0, (1,)))
    return Step((len(found),), into, value, tuple(reads), None, True)


def _edges(step: Step, cases: Cases) -> tuple[list[Formula], _Edges]:
    """What flows along each edge, from the gradient, $0, and other numbers; and all edges.

    The edges of later turns come first.
    """
    n = len(step.reads)
    places = [places_of(view, step.loops) for view in (*step.reads, step.out)]
    formulas: dict[Formula, int] = {}
    found: list[tuple[np.ndarray, int, int, list[int]]] = []
    for code, case in enumerate(cases.formulas):
        turns = np.flatnonzero(cases.codes == code)
        for k, part in pushed(case, Read(n + 1), Read(n)).items():
            others = [j for j in reads_of(part) if j != n + 1]
            names = {n + 1: Read(0), **{j: Read(slot) for slot, j in enumerate(others, 1)}}
            formula = formulas.setdefault(renumbered(part, names), len(formulas))
            found.append((turns, k, formula, others))
    width = max((len(others) for *_, others in found), default=0)
    turns, into, codes, *rows = (np.concatenate(column) for column in zip(*(
        (turns, places[k][turns], np.full(len(turns), formula),
         *(places[j][turns] for j in (*others, *[n] * (width - len(others)))))
        for turns, k, formula, others in found
    ), strict=True))  # fmt: skip
    order = np.argsort(-turns, kind="stable")
    used = [x[order] for x in rows]
    return list(formulas), _Edges(turns[order], into[order], codes[order], used)
