"""How far two ways of summing may lie apart: the measure that lifted programs are held to.

BLAS adds in another order than Python, and what cancels leaves the rounding of what was large. So
the measure of a difference is not the result but the same program run on absolute values: |a| + |b|
for a + b, |a| |b| for a * b, and for any other row |out| plus |d out / d x| times the measure of x,
at the worst point within reach. Gradients are graphs too, and are measured in the same way.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from operator import mul
from typing import Any

import numpy as np

from micrograd import engine, ops
from micrograd.derivatives import grad
from micrograd.engine import Value
from micrograd.modes import Mode, eager, mode
from micrograd.op import Op

TOLERANCE = 1e-13
_EXACT = (ops.relu, ops.absolute, ops.maximum, ops.minimum, ops.detach, ops.where, ops.mul)


class Undecided(Exception):
    """A comparison hangs on rounding: either side is right, so there is nothing to compare with."""


def absolute_run(roots: Sequence[Value]) -> list[float]:
    """What each root's graph computes on absolute values; Undecided where rounding decides."""
    order = engine.topological_order(Value(0.0, tuple(roots), "all"))[:-1]
    run: dict[Value, float] = {}
    reach: dict[Value, float] = {}  # how far the number may be off; 0 where no rounding can differ
    for node in order:
        rule, inputs = node._rule, node._prev
        if rule is None:
            run[node], reach[node] = abs(node.data), 0.0
            continue
        sizes = [run[x] for x in inputs]
        reaches = [reach[x] for x in inputs]
        _decided(rule, inputs, reaches)
        run[node] = _size(rule, node, inputs, sizes, reaches)
        exact = rule in _EXACT and not any(reaches)
        steps = rule is ops.greater or rule is ops.equal
        known = exact or steps or not math.isfinite(node.data)
        size = run[node] if math.isfinite(run[node]) else 1.0 + abs(node.data)  # 0 * inf on the way
        reach[node] = 0.0 if known else TOLERANCE * size
    return [run[root] for root in roots]


def _size(
    rule: Op, node: Value, inputs: Sequence[Value], sizes: list[float], reaches: list[float]
) -> float:
    if rule is ops.add:
        return sizes[0] + sizes[1]
    if rule is ops.mul:
        return sizes[0] * sizes[1]
    if rule.name == "dot":
        n = len(sizes) // 2
        return sum(map(mul, sizes[:n], sizes[n : 2 * n])) + sum(sizes[2 * n :])
    if rule is ops.gelu:  # 1 + erf(x) cancels inside the row
        return 2 * sizes[0]
    numbers = [x.data for x in inputs]
    points = [{x, x - r, x + r} for x, r in zip(numbers, reaches, strict=True)]
    worst = [0.0] * len(numbers)
    for point in itertools.product(*points):
        slopes = rule.number_gradients(1.0, point, rule.number(*point))
        for k, slope in enumerate(slopes):
            if slope is not None:
                worst[k] = max(worst[k], abs(slope))
    return abs(node.data) + sum(map(mul, worst, sizes))


def _decided(rule: Op, inputs: Sequence[Value], reaches: list[float]) -> None:
    if rule is ops.greater or rule is ops.equal:
        a, b = (x._prev[0] if x._rule is ops.detach else x for x in inputs)
        off = sum(reaches)
        if a is not b and off and abs(a.data - b.data) <= off:
            raise Undecided(f"{a} against {b}")
    elif rule is ops.where:
        c, off = inputs[0].data, reaches[0]
        if off and abs(c) <= off:
            raise Undecided(f"where({c}, ...)")
    elif rule in (ops.log, ops.sqrt, ops.power) or _has_a_pole(rule):
        x, off = inputs[0].data, reaches[0]
        if off and abs(x) <= off:  # may be on the other side of the pole
            raise Undecided(f"{x} under {rule.name}")


def _has_a_pole(rule: Op) -> bool:
    """Whether x**k has one at 0, or stops there: any k but 0, 1, 2, ..."""
    if rule.parameters[:1] != ("**",):
        return False
    exponent = float(rule.parameters[1])
    return exponent < 0 or not exponent.is_integer()


class WithDetached(Mode):
    """A mode in which `detach` stays a node of the graph, so that its measure is passed on."""

    @staticmethod
    def record(op: Op, inputs: Sequence[Value]) -> Value:
        with mode(eager):
            return engine.record(op, *inputs)


def measures(
    function: Callable[[], list[Value]], seeds: Sequence[float], wanted: Sequence[Value]
) -> tuple[np.ndarray, np.ndarray]:
    """The measure of each result, and of d sum(seeds * results) / d each Value wanted."""
    with mode(WithDetached()):
        results = [r if isinstance(r, Value) else Value(r) for r in function()]
    total = sum((r * s for r, s in zip(results, seeds, strict=True)), Value(0.0))
    gradients = grad(total, list(wanted), create_graph=True)
    sizes = absolute_run([*results, *gradients])
    return np.array(sizes[: len(results)]), np.array(sizes[len(results) :])


def flat(returned: Any) -> list[Any]:
    """The Values and numbers of any structure of tuples, lists, dicts and arrays, in order."""
    if isinstance(returned, dict):
        returned = list(returned.values())
    if isinstance(returned, (list, tuple)) or getattr(returned, "shape", None):
        return [v for item in returned for v in flat(item)]
    return [returned]
