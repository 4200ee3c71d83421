"""The end of a lesson in training: each parameter's step, and the new value of the loss.

Read `training`; `all_updates` is the same in one frame, for lessons by neurons.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from micrograd.engine import Value
from micrograd.op import Op
from micrograd.show.lesson.formulas import Formula
from micrograd.show.lesson.frames import Frame, data_shown
from micrograd.show.lesson.walk import Walk
from micrograd.show.notation import MINUS, TIMES, gradient, readable

__all__ = ["all_updates", "training", "updated"]


def updated(walk: Walk, parameters: Iterable[Value], lr: float) -> list[float] | None:
    """Every number of the graph after p -= lr * p.grad; None if a node cannot be computed again."""
    changed = {walk.index[p] for p in parameters}
    data: list[float] = []
    for i, node in enumerate(walk.nodes):
        if node._rule is None:
            data.append(walk.data[i] - lr * walk.grads[i] if i in changed else walk.data[i])
        elif isinstance(node._rule, Op):
            data.append(node._rule.number(*[data[k] for k in walk.inputs(i)]))
        else:
            return None
    return data


def training(walk: Walk, parameters: Sequence[Value], lr: float) -> Iterator[Frame]:
    """A frame for each parameter, and one for the new output."""
    rate = readable(lr)
    for p in parameters:
        i = walk.index[p]
        name, before, grad = walk.names[i], walk.data[i], walk.grads[i]
        step = Formula.substituted(lr).times(Formula.substituted(grad))
        after = before - lr * grad
        yield Frame(
            "update",
            name,
            f"{name} takes a step of {rate} against its gradient: from {readable(before)} "
            f"to {readable(after)}.",
            node=i,
            data=[data_shown(i, after)],
            sign="←",  # an assignment, no equation
            equation=[
                name,
                f"{name} {MINUS} {rate} {TIMES} {gradient(name)}",
                (Formula.substituted(before) - step).text,
                readable(after),
            ],
        )
    yield _result(walk, parameters, lr)


def all_updates(walk: Walk, parameters: Sequence[Value], lr: float) -> Iterator[Frame]:
    """One frame for all the parameters, and one for the new output."""
    places = [walk.index[p] for p in parameters]
    after = {i: walk.data[i] - lr * walk.grads[i] for i in places}
    yield Frame(
        "update",
        "The weights",
        f"Each of the {len(places)} weights takes a step of {readable(lr)} against its gradient.",
        lit=places,
        data=[data_shown(i, x) for i, x in after.items()],
        equation=["w", f"w {MINUS} {readable(lr)} {TIMES} w.grad", "", ""],
        sign="←",
        summary=[
            [walk.names[i], readable(x), f"it was {readable(walk.data[i])}"]
            for i, x in after.items()
        ],
    )
    yield _result(walk, parameters, lr)


def _result(walk: Walk, parameters: Sequence[Value], lr: float) -> Frame:
    root = len(walk.nodes) - 1
    name = walk.names[root]
    data = updated(walk, parameters, lr)
    if data is None:
        return Frame(
            "update",
            f"The new {name}",
            "A node made by hand does not tell how to compute it again: run your own "
            f"forward code for the new {name}.",
        )
    difference = data[root] - walk.data[root]
    direction = "down" if difference < 0 else "up" if difference > 0 else "unchanged"
    by = f" by {readable(abs(difference))}" if difference and math.isfinite(difference) else ""
    return Frame(
        "update",
        f"The new {name}",
        f"Forward again with the new parameters: {name} was {readable(walk.data[root])} "
        f"and is {readable(data[root])}, {direction}{by}.",
        node=root,
        lit=[walk.index[p] for p in parameters],
        data=[data_shown(i, x) for i, x in enumerate(data) if x != walk.data[i]],
        change=[name, readable(walk.data[root]), readable(data[root])],
    )
