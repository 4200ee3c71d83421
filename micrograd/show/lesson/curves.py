"""The small plots beside a step of backward: the operation along one input, and its tangent.

The page knows the point and the slope; here is the curve. Read `curves_of`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from micrograd import ops
from micrograd.op import Op
from micrograd.show.lesson.frames import Points
from micrograd.show.lesson.walk import Use, Walk

__all__ = ["MOST", "curves_of"]

MOST = 2  # plots beside a step
_POINTS = 32


def curves_of(walk: Walk, step: Sequence[Use]) -> list[Points]:
    """Points for each of the first inputs, the others held where they are.

    Nothing for a sum or a product, which is a straight line; empty lists where nobody knows.
    """
    if walk.rule(step[0].node) in (ops.add, ops.mul):
        return []
    return [_curve(walk, use) for use in step[:MOST]]


def _curve(walk: Walk, use: Use) -> Points:
    rule = walk.rule(use.node)
    if not isinstance(rule, Op):
        return []
    xs = [walk.data[k] for k in walk.inputs(use.node)]
    x = xs[use.position]
    half = max(2.0, abs(x))
    points = []
    for k in range(_POINTS + 1):
        xs[use.position] = x - half + 2 * half * k / _POINTS
        points.append((_short(xs[use.position]), _short(rule.number(*xs))))
    return [point for point in points if all(map(math.isfinite, point))]


def _short(x: float) -> float:
    return float(f"{x:.4g}")
