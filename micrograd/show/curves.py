"""The small plots beside a step of backward: the operation along one input, and its tangent.

Read `curves_of`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from micrograd import ops
from micrograd.op import Op
from micrograd.show.frames import Curve
from micrograd.show.walk import Use, Walk

__all__ = ["curves_of"]

_MOST = 2  # plots beside a step
_POINTS = 32


def curves_of(walk: Walk, step: Sequence[Use]) -> list[Curve]:
    """One plot for each input, the others held where they are; none for a rule made by hand."""
    return [
        curve
        for use in step[:_MOST]
        if use.input not in walk.constants and (curve := _curve(walk, use)) is not None
    ]


def _curve(walk: Walk, use: Use) -> Curve | None:
    rule = walk.rule(use.node)
    if not isinstance(rule, Op) or not math.isfinite(use.local):
        return None
    xs = [walk.data[k] for k in walk.inputs(use.node)]
    x, y = xs[use.position], walk.data[use.node]
    half = max(2.0, abs(x))
    count = 1 if rule in (ops.add, ops.mul) else _POINTS  # those two are straight lines
    points = []
    for k in range(count + 1):
        xs[use.position] = x - half + 2 * half * k / count
        points.append((_short(xs[use.position]), _short(rule.number(*xs))))
    finite = [point for point in points if math.isfinite(point[1])]
    if len(finite) < 2 or not math.isfinite(y):
        return None
    return Curve(walk.names[use.input], _short(x), _short(y), _short(use.local), finite)


def _short(x: float) -> float:
    return float(f"{x:.4g}")
