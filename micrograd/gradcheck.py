"""Is a gradient right? Derivatives of any order against finite differences of the order below.

`gradcheck` is what users call. It first holds every operation of f's graph to its own forward, so
that a wrong rule is named, and then f as a whole, which also covers handwritten `_backward`s. Only
what depends on the inputs is differenced: a constant of f may be infinite, or at a kink.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

from micrograd import engine, tree
from micrograd.derivatives import grad
from micrograd.engine import Value
from micrograd.op import Op
from micrograd.ops import detach
from micrograd.reals import describe, real

__all__ = ["GradcheckError", "Undecided", "gradcheck"]

RELATIVE = 1e-6  # the stencil's own error is near 1e-10 for functions that vary on the scale of 1
ONE_SIDED = 1e-3  # the slopes of both sides differ by more only at a kink: their error is h**2
EPSILON = 2.0**-52
Function = Callable[..., Any]
Outputs = Callable[..., list[Value]]


class GradcheckError(AssertionError):
    """An analytic derivative and its finite difference disagree."""


class Undecided(GradcheckError):
    """No difference can say whether the derivative is right: a kink, or the edge of a domain."""


def gradcheck(f: Function, inputs: Iterable[Any], order: int = 2) -> bool:
    """Compare f's derivatives up to `order` with finite differences; True, or a GradcheckError.

    df/dx = (f(x - 2h) - 8 f(x - h) + 8 f(x + h) - f(x + 2h)) / 12h, where h = 1e-3 |x|, at least
    1e-6 and at most 1e-3. An input is a number, a Value, or an array or list of them; f(*inputs) is
    a Value, or an array or list of them. Keep 2h away from kinks and from where f ends: no
    difference can say anything there (`Undecided`). Where f is infinite or nan on both sides, too,
    there is nothing to check. A handwritten `_backward` has no second order: order=1.
    """
    if isinstance(order, bool) or not isinstance(order, int) or order < 1:
        raise ValueError(f"order is a whole number of at least 1, got {order!r}")
    arguments = [_argument(x) for x in inputs]
    at = [number for argument in arguments for number in argument.numbers]
    if not at:
        raise ValueError("gradcheck needs at least one input to differentiate by, got none")
    labels = [
        f"inputs[{i}]{list(index) if index else ''}"
        for i, argument in enumerate(arguments)
        for index in product(*map(range, argument.shape))
    ]
    g = _of_flat(f, arguments)
    xs = list(map(Value, at))
    outputs = g(*xs)
    _check_operations(outputs, xs)
    names = ["f"] if len(outputs) == 1 else [f"f[{i}]" for i in range(len(outputs))]
    for k in range(order):
        if k:
            g = _gradients_of(g)
            names = [f"(d {name} / d {label})" for name in names for label in labels]
        _check_first_order(g, names, at, labels)
    return True


# --- f as a function of single numbers ------------------------------------------------------------


class _Argument(NamedTuple):
    """One input of f: its numbers, and the shape in which f takes them; () for one alone."""

    shape: tuple[int, ...]
    numbers: list[float]

    def of(self, xs: Iterator[Value]) -> Any:
        if not self.shape:
            return next(xs)
        import numpy as np

        array = np.empty(self.shape, dtype=object)
        for index in np.ndindex(self.shape):
            array[index] = next(xs)
        return array


def _argument(x: Any) -> _Argument:
    if isinstance(x, (list, tuple)) or hasattr(type(x), "__array__"):
        import numpy as np

        array = np.asarray(x, dtype=object)
        return _Argument(array.shape, [_number(v) for v in array.flat])
    return _Argument((), [_number(x)])


def _number(x: Any) -> float:
    return x.data if isinstance(x, Value) else real(x)


def _of_flat(f: Function, arguments: Sequence[_Argument]) -> Outputs:
    """f as a function of single Values, and its outputs as one list."""

    def g(*xs: Value) -> list[Value]:
        remaining = iter(xs)
        outputs = tree.flatten(f(*[argument.of(remaining) for argument in arguments])).leaves
        for y in outputs:
            if not isinstance(y, Value):
                raise TypeError(
                    f"f gives a Value or an array of Values, got {describe(y)}; "
                    "a plain number has forgotten how it was made"
                )
        return outputs

    return g


def _gradients_of(g: Outputs) -> Outputs:
    return lambda *xs: [d for y in g(*xs) for d in grad(y, list(xs), create_graph=True)]


def _check_first_order(g: Outputs, names: list[str], at: list[float], labels: list[str]) -> None:
    xs = list(map(Value, at))
    outputs = g(*xs)
    gradients = [grad(y, xs) for y in outputs]
    centre = [y.data for y in outputs]
    for j, label in enumerate(labels):
        differences = _differences(lambda *xs: [y.data for y in g(*map(Value, xs))], at, j, centre)
        for i, difference in enumerate(differences):
            what = f"d {names[i]} / d {label} at {at}"
            difference.compare(gradients[i][j].data, what, lambda i=i: _suspects(outputs[i]))  # type: ignore[misc]


# --- operations, one by one -----------------------------------------------------------------------


def _check_operations(outputs: list[Value], inputs: list[Value]) -> None:
    """Hold each node's local partial derivatives to differences of its op's forward."""
    depends = set(inputs)
    for node in dict.fromkeys(n for y in outputs for n in engine.topological_order(y)):
        if not depends.isdisjoint(node._prev):
            depends.add(node)
        op = node._rule
        if not isinstance(op, Op) or not op.differentiable or op is detach:
            continue
        at = [x.data for x in node._prev]
        if node not in depends or op.number(*at) != node.data:
            continue  # of constants; or of a number that is known better, as in a / b
        got = op.number_gradients(1.0, at, node.data)
        for j, contribution in enumerate(got):
            if contribution is None or node._prev[j] not in depends:
                continue
            [difference] = _differences(_one(op), at, j, [node.data])
            what = f"op {op.name}, partial derivative by argument {j} at {at}"
            difference.compare(float(contribution), what)


def _one(op: Op) -> Callable[..., list[float]]:
    return lambda *xs: [op.number(*xs)]


def _suspects(y: Value) -> str:
    """The handwritten rules below y: the only ones that were not checked one by one."""
    rules = (n._rule for n in engine.topological_order(y))
    named = dict.fromkeys(r.name or "unnamed" for r in rules if r and not isinstance(r, Op))
    return f"; look at the handwritten _backward of {', '.join(named)}" if named else ""


# --- finite differences ---------------------------------------------------------------------------


class _Difference(NamedTuple):
    """A function of one number at x - 2h, x - h, x, x + h, x + 2h."""

    values: tuple[float, float, float, float, float]
    h: float

    def compare(self, got: float, what: str, suspects: Callable[[], str] = str) -> None:
        """Raise where the derivative cannot be `got`, or where nothing can be said."""
        finite = list(map(math.isfinite, self.values))
        if not any(finite):
            return  # -inf plus a number: no derivative, no difference
        if not all(finite):
            raise Undecided(
                f"{what}: got {got}, but within {2 * self.h:.1g} the values are "
                f"{list(self.values)}, which have no difference; choose inputs further inside"
            )
        expected = self.slope()
        if _close(got, expected, self._roundoff()):
            return
        left, right = self._one_sided()
        scale = max(1.0, abs(left), abs(right))
        if abs(left - right) > ONE_SIDED * scale + 100 * self._roundoff():
            raise Undecided(
                f"{what}: got {got}, expected {left} from the left and {right} from the right: "
                "a kink, where a difference is a mean of both sides; choose other inputs"
            )
        raise GradcheckError(
            f"{what}: got {got}, expected {expected} from finite differences{suspects()}"
        )

    def slope(self) -> float:
        a, b, _, c, d = self.values
        return (a - 8 * b + 8 * c - d) / (12 * self.h)

    def _one_sided(self) -> tuple[float, float]:
        a, b, x, c, d = self.values
        return (3 * x - 4 * b + a) / (2 * self.h), (4 * c - 3 * x - d) / (2 * self.h)

    def _roundoff(self) -> float:
        return EPSILON * max(map(abs, self.values)) / self.h


def _differences(
    f: Callable[..., list[float]], at: list[float], j: int, centre: list[float]
) -> list[_Difference]:
    """Each output around input j, whose own numbers are `centre`."""
    h = 1e-3 * min(max(abs(at[j]), 1e-3), 1.0)
    around = [f(*at[:j], at[j] + step * h, *at[j + 1 :]) for step in (-2, -1, 1, 2)]
    a, b, c, d = around
    return [_Difference(values, h) for values in zip(a, b, centre, c, d, strict=True)]


def _close(got: float, expected: float, roundoff: float) -> bool:
    return abs(got - expected) <= RELATIVE * max(1.0, abs(expected)) + 20 * roundoff
