"""Is a gradient right? Analytic derivatives of any order against finite differences of the order
below.

`gradcheck` is what users call. It first holds every operation of f's graph to its own forward, so
that a wrong rule is named, and then f as a whole, which also covers handwritten `_backward`s.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from micrograd import engine
from micrograd.engine import Value
from micrograd.ops import Op, detach

__all__ = ["GradcheckError", "gradcheck"]

RELATIVE = 1e-6  # the stencil's own error is near 1e-10 for functions that vary on the scale of 1
Function = Callable[..., Any]


class GradcheckError(AssertionError):
    """An analytic derivative and its finite difference disagree."""


def gradcheck(f: Function, inputs: Iterable[Any], order: int = 2) -> bool:
    """Compare all derivatives of f(*inputs) up to `order` with finite differences; True, or
    GradcheckError.

    df/dx = (f(x - 2h) - 8 f(x - h) + 8 f(x + h) - f(x + 2h)) / 12h, h = 1e-3 |x| within 1e-6 and
    1e-3. `inputs` are numbers or Values; f gives a Value, or an array or list of them. Keep 2h away
    from kinks: there the difference is a mean of both sides. A handwritten `_backward` has no
    second order: order=1.
    """
    if isinstance(order, bool) or not isinstance(order, int) or order < 1:
        raise ValueError(f"order is a whole number of at least 1, got {order!r}")
    at = [Value(x.data if isinstance(x, Value) else x).data for x in inputs]
    if not at:
        raise ValueError("gradcheck needs at least one input to differentiate by, got none")
    names = ["f"]
    for k in range(1, order + 1):
        xs = list(map(Value, at))
        outputs = _outputs(f, xs)
        if k == 1:
            _check_operations(outputs)
            names = ["f"] if len(outputs) == 1 else [f"f[{i}]" for i in range(len(outputs))]
        derivatives = [engine.grad(y, xs) for y in outputs]
        numbers = _on_numbers(f)
        for j in range(len(at)):
            differences = _differences(numbers, at, j)
            for i, (expected, roundoff) in enumerate(differences):
                got = derivatives[i][j].data
                if not _close(got, expected, roundoff):
                    raise GradcheckError(
                        f"d {names[i]} / d inputs[{j}] at {at}: got {got}, expected {expected} "
                        f"from finite differences{_suspects(outputs[i])}"
                    )
        if k < order:
            names = [f"(d {name} / d inputs[{j}])" for name in names for j in range(len(at))]
            f = _gradients_of(f)
    return True


def _gradients_of(f: Function) -> Function:
    def gradients(*xs: Value) -> list[Value]:
        return [g for y in _outputs(f, xs) for g in engine.grad(y, list(xs), create_graph=True)]

    return gradients


def _on_numbers(f: Function) -> Callable[..., list[float]]:
    return lambda *xs: [y.data for y in _outputs(f, list(map(Value, xs)))]


def _outputs(f: Function, xs: Sequence[Value]) -> list[Value]:
    outputs = list(np.asarray(f(*xs), dtype=object).flat)
    for y in outputs:
        if not isinstance(y, Value):
            raise TypeError(
                f"f gives a Value or an array of Values, got {engine._describe(y)}; "
                "a plain number has forgotten how it was made"
            )
    return outputs


# --- operations, one by one -----------------------------------------------------------------------


def _check_operations(outputs: list[Value]) -> None:
    """Hold each node's local partial derivatives to differences of its op's forward."""
    for node in dict.fromkeys(n for y in outputs for n in engine.topological_order(y)):
        op = node._rule
        if not isinstance(op, Op) or not op.differentiable or op is detach:
            continue
        at = [x.data for x in node._prev]
        got = op.number_gradients(1.0, at, node.data)
        for j, contribution in enumerate(got):
            if contribution is None:
                continue
            [(expected, roundoff)] = _differences(_one(op), at, j)
            if not _close(float(contribution), expected, roundoff):
                raise GradcheckError(
                    f"op {op.name}, partial derivative by argument {j} at {at}: "
                    f"got {float(contribution)}, expected {expected} from finite differences"
                )


def _one(op: Op) -> Callable[..., list[float]]:
    return lambda *xs: [op.number(*xs)]


def _suspects(y: Value) -> str:
    """The handwritten rules below y: the only ones that were not checked one by one."""
    rules = (n._rule for n in engine.topological_order(y))
    named = dict.fromkeys(r.name or "unnamed" for r in rules if r and not isinstance(r, Op))
    return f"; look at the handwritten _backward of {', '.join(named)}" if named else ""


# --- finite differences ---------------------------------------------------------------------------


def _differences(
    f: Callable[..., list[float]], at: list[float], j: int
) -> list[tuple[float, float]]:
    """Each output's derivative by input j, with the roundoff to expect in it."""
    h = 1e-3 * min(max(abs(at[j]), 1e-3), 1.0)
    points = [[*at[:j], at[j] + step * h, *at[j + 1 :]] for step in (-2, -1, 1, 2)]
    values = np.array([f(*map(float, point)) for point in points])
    with np.errstate(all="ignore"):
        derivative = np.array([1, -8, 8, -1]) @ values / (12 * h)
    roundoff = np.finfo(float).eps * np.abs(values).max(axis=0) / h
    return list(zip(derivative.tolist(), roundoff.tolist(), strict=True))


def _close(got: float, expected: float, roundoff: float) -> bool:
    if math.isnan(expected) or got == expected:
        return math.isnan(got) or got == expected
    return abs(got - expected) <= RELATIVE * max(1.0, abs(expected)) + 20 * roundoff
