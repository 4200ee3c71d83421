"""Is a gradient right? Derivatives of any order against finite differences of the order below.

`gradcheck` is what users call. It first holds every operation of f's graph to its own forward, so
that a wrong rule is named, and then f as a whole, which also covers handwritten `_backward`s.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from micrograd import engine
from micrograd.engine import Value
from micrograd.ops import Op, detach

__all__ = ["GradcheckError", "gradcheck"]

RELATIVE = 1e-6  # the stencil's own error is near 1e-10 for functions that vary on the scale of 1
Function = Callable[..., Any]
Outputs = Callable[..., list[Value]]


class GradcheckError(AssertionError):
    """An analytic derivative and its finite difference disagree."""


def gradcheck(f: Function, inputs: Iterable[Any], order: int = 2) -> bool:
    """Compare f's derivatives up to `order` with finite differences; True, or a GradcheckError.

    df/dx = (f(x - 2h) - 8 f(x - h) + 8 f(x + h) - f(x + 2h)) / 12h, h = 1e-3 |x| within 1e-6 and
    1e-3. An input is a number, a Value, or an array or list of them, f(*inputs) a Value, or an
    array or list of them. Keep 2h away from kinks: there the difference is a mean of both sides. A
    handwritten `_backward` has no second order: order=1.
    """
    if isinstance(order, bool) or not isinstance(order, int) or order < 1:
        raise ValueError(f"order is a whole number of at least 1, got {order!r}")
    arrays = [np.asarray(x, dtype=object) for x in inputs]
    at = [Value(v.data if isinstance(v, Value) else v).data for array in arrays for v in array.flat]
    if not at:
        raise ValueError("gradcheck needs at least one input to differentiate by, got none")
    labels = [
        f"inputs[{i}]{list(index) if index else ''}"
        for i, array in enumerate(arrays)
        for index in np.ndindex(array.shape)
    ]
    g = _of_flat(f, [array.shape for array in arrays])
    outputs = g(*map(Value, at))
    _check_operations(outputs)
    names = ["f"] if len(outputs) == 1 else [f"f[{i}]" for i in range(len(outputs))]
    for k in range(order):
        if k:
            g = _gradients_of(g)
            names = [f"(d {name} / d {label})" for name in names for label in labels]
        _check_first_order(g, names, at, labels)
    return True


def _of_flat(f: Function, shapes: list[tuple[int, ...]]) -> Outputs:
    """f as a function of single Values, and its outputs as one list."""

    def g(*xs: Value) -> list[Value]:
        remaining = iter(xs)
        arguments = []
        for shape in shapes:
            array = np.empty(shape, dtype=object)
            for index in np.ndindex(shape):
                array[index] = next(remaining)
            arguments.append(array[()])  # a Value itself where the shape is ()
        outputs = list(np.asarray(f(*arguments), dtype=object).flat)
        for y in outputs:
            if not isinstance(y, Value):
                raise TypeError(
                    f"f gives a Value or an array of Values, got {engine._describe(y)}; "
                    "a plain number has forgotten how it was made"
                )
        return outputs

    return g


def _gradients_of(g: Outputs) -> Outputs:
    return lambda *xs: [d for y in g(*xs) for d in engine.grad(y, list(xs), create_graph=True)]


def _check_first_order(g: Outputs, names: list[str], at: list[float], labels: list[str]) -> None:
    xs = list(map(Value, at))
    outputs = g(*xs)
    gradients = [engine.grad(y, xs) for y in outputs]
    for j, label in enumerate(labels):
        differences = _differences(lambda *xs: [y.data for y in g(*map(Value, xs))], at, j)
        for i, (expected, roundoff) in enumerate(differences):
            got = gradients[i][j].data
            if not _close(got, expected, roundoff):
                raise GradcheckError(
                    f"d {names[i]} / d {label} at {at}: got {got}, expected {expected} "
                    f"from finite differences{_suspects(outputs[i])}"
                )


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
