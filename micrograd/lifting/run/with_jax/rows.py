"""Rows of the op table in JAX: forwards written in jax.numpy, derivatives by the table's own rules.

A row works element by element, so the rule that turns a gradient of the result into one of an input
also turns a tangent of the input into one of the result. `form` gives it to JAX as that: whatever
JAX differentiates, ties, kinks and poles come out as the table says, to any order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.custom_derivatives import SymbolicZero
from jax.scipy.special import erf

from micrograd import ops
from micrograd.lifting.errors import LiftError
from micrograd.lifting.rows import COPY, DIVIDE, QUOTIENT, SUBTRACT, is_choice
from micrograd.lifting.steps.expression import Apply, Formula, Read, evaluate
from micrograd.op import Op

__all__ = ["evaluated", "form", "largest"]

Form = Callable[..., Any]


def evaluated(formula: Formula, reads: Sequence[Any], dtype: Any) -> Any:
    """The expression's value on JAX arrays; its numbers are of the arrays' precision."""

    if isinstance(formula, Apply) and is_choice(formula.op):
        which, *cases = formula.inputs  # only the case that is chosen may have a derivative
        found = [partial(evaluated, case, reads, dtype) for case in cases]
        return lax.switch(jnp.int32(evaluated(which, reads, dtype)), found)

    def apply(op: Op, *xs: Any) -> Any:
        return form(op)(*(np.asarray(x, dtype) if isinstance(x, float) else x for x in xs))

    found = evaluate(formula, reads.__getitem__, apply)
    return np.asarray(found, dtype) if isinstance(found, float) else found


@lru_cache(maxsize=4096)
def form(op: Op) -> Form:
    """A row on JAX arrays, with the table's derivatives."""
    forward = _FORWARD.get(op) or _forward(op)
    if op in _PLAIN or not op.differentiable:
        return forward
    return _with_the_rows_derivatives(op, forward)


def _forward(op: Op) -> Form:
    if op.parameters[:1] == ("**",):
        return _power(float(op.parameters[1]))
    if op.jax is not None:
        return op.jax
    if op.composed is not None:
        formula = op.composed(*map(Read, range(op.arity)))
        return lambda *xs: evaluated(formula, xs, jnp.result_type(*xs))
    raise LiftError(
        f"JAX does not know op({op.name!r}); give its forward in jax.numpy: "
        f"op({op.name!r}, forward, partials, jax=...)"
    )


def _power(k: float) -> Form:
    """x**k for a constant k: roots as roots, small whole powers as products."""
    if k in _POWERS:
        return _POWERS[k]
    if k.is_integer() and abs(k) <= _LARGEST_PRODUCT:
        return lambda x: lax.integer_pow(x, int(k))
    return lambda x: jnp.power(x, np.asarray(k, x.dtype))


_LARGEST_PRODUCT = 8
_POWERS: dict[float, Form] = {
    -1.0: lambda x: 1 / x,
    0.5: jnp.sqrt,
    -0.5: lambda x: 1 / jnp.sqrt(x),
    2.0: lambda x: x * x,
    # the slope of x**-0.5; a tenth of what a general power takes
    -1.5: lambda x: jnp.where(x == -jnp.inf, np.asarray(0.0, x.dtype), 1 / (x * jnp.sqrt(x))),
}


def _chosen(c: Any, a: Any, b: Any) -> Any:
    return jnp.where(c != 0, a, b)


def _holds(relation: Form) -> Form:
    """A comparison that answers 1 or 0, in the precision of what it compares."""
    return lambda a, b: relation(a, b).astype(jnp.result_type(a, b))


_FORWARD: dict[Op, Form] = {
    ops.add: jnp.add,
    ops.mul: jnp.multiply,
    SUBTRACT: jnp.subtract,
    DIVIDE: jnp.divide,
    QUOTIENT: lambda a, inverse, b: a / b,
    COPY: lambda x: x,
    ops.power: jnp.power,
    ops.exp: jnp.exp,
    ops.log: jnp.log,
    ops.sqrt: jnp.sqrt,
    ops.sin: jnp.sin,
    ops.cos: jnp.cos,
    ops.erf: erf,
    ops.tanh: jnp.tanh,
    ops.softplus: lambda x: jnp.maximum(x, 0) + jnp.log1p(jnp.exp(-jnp.abs(x))),
    ops.relu: lambda x: jnp.maximum(x, 0),
    ops.absolute: jnp.abs,
    ops.maximum: jnp.maximum,
    ops.minimum: jnp.minimum,
    ops.where: _chosen,
    ops.greater: _holds(jnp.greater),
    ops.equal: _holds(jnp.equal),
    ops.detach: lax.stop_gradient,
}
# JAX differentiates these as the table does
_PLAIN = (ops.add, ops.mul, SUBTRACT, COPY, ops.where, ops.detach)


def _with_the_rows_derivatives(op: Op, forward: Form) -> Form:
    """The forward, with the derivatives of the table's row for JAX.

    JAX transposes the rule to go backward, so a derivative that a mask hides must not be nan: for a
    power (0**y) the slopes are computed first, and only then multiplied by the tangent.
    """
    n = op.arity
    parts = op.gradients(Read(n + 1), tuple(map(Read, range(n))), Read(n))
    made = jax.custom_jvp(forward)

    def rule(xs: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
        out = made(*xs)
        total = None
        for part, tangent in zip(parts, tangents, strict=True):
            if part is None or isinstance(tangent, SymbolicZero):
                continue
            if op is ops.power:
                slope = evaluated(part, (*xs, out, np.asarray(1.0, out.dtype)), out.dtype)
                term = jnp.where(slope == 0, np.asarray(0.0, out.dtype), slope * tangent)
            else:
                term = evaluated(part, (*xs, out, tangent), out.dtype)
            total = term if total is None else total + term
        total = jnp.zeros_like(out) if total is None else total
        return out, jnp.broadcast_to(total, out.shape).astype(out.dtype)

    made.defjvp(rule, symbolic_zeros=True)
    return made


# --- the largest of many --------------------------------------------------------------------------


def largest(op: Op, x: Any) -> Any:
    """max(max(x0, x1), x2) along the last axis, or min: ties are shared pair after pair."""
    return _largest(x) if op is ops.maximum else -_largest(-x)


@jax.custom_jvp
def _largest(x: Any) -> Any:
    return jnp.max(x, axis=-1)


@_largest.defjvp
def _largest_rule(primals: tuple[Any], tangents: tuple[Any]) -> tuple[Any, Any]:
    """The derivative; in pair k `up` is the share of what comes before, `own` that of x[k]."""
    (x,), (tangent,) = primals, tangents
    before, links = lax.cummax(x, axis=x.ndim - 1)[..., :-1], x[..., 1:]
    half, one, none = (np.asarray(share, x.dtype) for share in (0.5, 1.0, 0.0))
    ties = before == links
    own = jnp.where(ties, half, jnp.where(before > links, none, one))
    up = jnp.where(ties, half, jnp.where(links > before, none, one))
    ones = jnp.ones_like(x[..., :1])
    own = jnp.concatenate([ones, own], axis=-1)
    passed = lax.cumprod(up, axis=x.ndim - 1, reverse=True)
    share = own * jnp.concatenate([passed, ones], axis=-1)
    return _largest(x), jnp.where(share != 0, share * tangent, none).sum(axis=-1)
