"""What each known mistake makes of one gradient, wherever on the way to it the mistake was made.

`check` sees every answer of a learner; a learning platform sees one. So the mistakes are made here
at each earlier gradient too, once or at every step, and carried on. Read `slips`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from micrograd.show.lesson.walk import Use, Walk
from micrograd.show.practice.answers import matches
from micrograd.show.practice.mistakes import MISTAKES, suspects
from micrograd.show.practice.parts import Edits, parts_of, readings, total
from micrograd.show.practice.recursion import recursions

__all__ = ["EVERYWHERE", "Slip", "accepted", "slips"]

EVERYWHERE = -1


class Slip(NamedTuple):
    """A mistake (a key of MISTAKES), the node whose gradient it spoiled first, what it leads to."""

    mistake: str
    node: int
    number: float


def accepted(walk: Walk, i: int) -> list[float]:
    """The gradient, and what the numbers that are printed on the sheet give where that differs."""
    numbers, way = [walk.grads[i]], _way(walk, i)
    printed = {k: list(readings(walk, uses)) for k, uses in way.items()}
    for form in (0, -1):
        edits = {k: forms[form] for k, forms in printed.items() if forms}
        number = _carried(walk, i, way, edits)
        if math.isfinite(number) and not any(matches(number, x) for x in numbers):
            numbers.append(number)
    return numbers


def slips(walk: Walk, i: int) -> list[Slip]:
    """The mistakes that give node i another number, likeliest first, one for each such number."""
    right = accepted(walk, i)
    found: list[Slip] = []
    for slip in _all(walk, i):
        taken = [*right, *(other.number for other in found)]
        if math.isfinite(slip.number) and not any(
            matches(slip.number, x) or matches(x, slip.number) for x in taken
        ):
            found.append(slip)
    return found


def _all(walk: Walk, i: int) -> Iterator[Slip]:
    """In the last step; at every step; backward by recursion; in one earlier step."""
    way = _way(walk, i)
    if i not in way:  # the output, or what no gradient reaches
        return
    edits = {k: list(suspects(walk, uses, len(uses))) for k, uses in way.items()}
    yield from _once(walk, i, i, way, edits[i])
    everywhere = sorted({mistake for each in edits.values() for mistake, _ in each}, key=_rank)
    for mistake in everywhere:
        for last in (False, True):
            whole = {k: _whole(each, mistake, last) for k, each in edits.items()}
            where = [k for k, edit in whole.items() if edit]
            node = where[0] if len(where) == 1 else EVERYWHERE
            yield Slip(mistake, node, _carried(walk, i, way, whole))
    for grads in recursions(walk):
        yield Slip("recursion", EVERYWHERE, grads[i])
    for k in way:
        if k != i:
            yield from _once(walk, i, k, way, edits[k])


def _rank(mistake: str) -> int:
    return list(MISTAKES).index(mistake)


def _way(walk: Walk, i: int) -> dict[int, list[Use]]:
    """The gradients that node i's follows from, the nearest first, with the uses they are sums of.

    The output's own is not among them: it is given.
    """
    way: dict[int, list[Use]] = {}
    waiting = {i}
    while waiting:
        k = min(waiting)
        waiting.remove(k)
        uses = walk.uses_of(k)
        if uses:
            way[k] = uses
            waiting |= {use.node for use in uses}
    return way


def _once(
    walk: Walk, i: int, k: int, way: Mapping[int, list[Use]], edits: list[tuple[str, Edits]]
) -> Iterator[Slip]:
    for mistake, edit in sorted(edits, key=lambda pair: _rank(pair[0])):
        yield Slip(mistake, k, _carried(walk, i, way, {k: edit}))


def _whole(edits: list[tuple[str, Edits]], mistake: str, last: bool) -> Edits:
    """The mistake in as many uses of a node as can be; where it has two forms, one or the other."""
    forms = [edit for kind, edit in edits if kind == mistake]
    most = max(map(len, forms), default=0)
    widest = [edit for edit in forms if len(edit) == most]
    return widest[-1 if last else 0] if widest else {}


def _carried(walk: Walk, i: int, way: Mapping[int, list[Use]], edits: Mapping[int, Edits]) -> float:
    """Node i's gradient, with the parts of some gradients on the way to it replaced."""
    grads = list(walk.grads)
    for k in sorted(way, reverse=True):
        grads[k] = total(parts_of(way[k]), grads, edits.get(k))
    return grads[i]
