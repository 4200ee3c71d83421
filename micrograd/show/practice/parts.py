"""A gradient as a sum that can be formed of anybody's numbers: one part for each use of the node.

The engine's sum is `parts_of` with the right gradients arriving; a learner's has other gradients, a
mistake other factors. Read `Part`, then `total`; `readings` is what the numbers on paper give.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from micrograd.op import Op
from micrograd.show.graph.text import number_text
from micrograd.show.lesson.walk import Use, Walk
from micrograd.show.notation import MINUS, readable

__all__ = ["Edits", "Part", "parts_of", "readings", "total"]


class Part(NamedTuple):
    """What one use brings to a gradient: constant + factor × the gradient of `node`."""

    node: int
    constant: float
    factor: float

    def at(self, grads: Sequence[float]) -> float:
        return self.constant + (self.factor * grads[self.node] if self.factor else 0.0)


Edits = Mapping[int, tuple[float, float]]  # the constant and the factor of some uses, replaced


def parts_of(uses: Sequence[Use]) -> list[Part]:
    """The uses of a node; one whose local derivative nobody knows brings what it brought."""
    return [
        Part(use.node, use.product, 0.0)
        if math.isnan(use.local)
        else Part(use.node, 0.0, use.local)
        for use in uses
    ]


def total(parts: Sequence[Part], grads: Sequence[float], edits: Edits | None = None) -> float:
    """The gradient that these parts add up to, with `grads` arriving."""
    edits = edits or {}
    return sum(
        (part if k not in edits else Part(part.node, *edits[k])).at(grads)
        for k, part in enumerate(parts)
    )


def readings(walk: Walk, uses: Sequence[Use]) -> Iterator[Edits]:
    """The local derivatives of the numbers as they are printed, where that makes a difference.

    Of tanh(3.9) a sheet shows 0.9992, and 1 - 0.9992² is 3% less than the derivative.
    """
    for printed in (readable, number_text):
        edits = {}
        for k, use in enumerate(uses):
            local = _local(walk, use, printed)
            if abs(local - use.local) > 1e-4 * abs(use.local):
                edits[k] = 0.0, local
        if edits:
            yield edits


def _local(walk: Walk, use: Use, printed: Callable[[float], str]) -> float:
    """d node / d input at the numbers that a reader sees; nan for a closure of one's own."""
    rule = walk.rule(use.node)
    if not isinstance(rule, Op):
        return math.nan
    *xs, out = (
        float(printed(walk.data[k]).replace(MINUS, "-").replace("∞", "inf"))
        for k in (*walk.inputs(use.node), use.node)
    )
    slope = rule.number_gradients(1.0, xs, out)[use.position]
    return 0.0 if slope is None else float(slope)
