"""The op table: every operation of the engine is one row.

`row(name, forward, partials)`: d out / d xi = partials[i](x1, ..., xn, out). What else a row may
say stands at `op.Op`. Rows without `composed` are the primitive ones. A partial has no `if` on a
value: `where` and `greater` are rows, too.
"""

from __future__ import annotations

import math
import operator
from functools import lru_cache
from typing import Any

from micrograd.op import Op, families, row
from micrograd.reals import divide, real
from micrograd.reals import power as ieee_power
from micrograd.reals import sqrt as ieee_sqrt

__all__ = [
    "add", "mul", "power", "constant_power", "exp", "log", "sqrt", "sin", "cos", "erf",
    "tanh", "sigmoid", "softplus", "relu", "leaky_relu", "gelu", "absolute",
    "maximum", "minimum", "where", "greater", "equal", "detach", "dot_op",
]  # fmt: skip

# fmt: off

# --- arithmetic ---------------------------------------------------------------------------------

add = row(
    "+",
    operator.add,
    (lambda a, b, out: 1.0, lambda a, b, out: 1.0),
    arity=2,
    backward=lambda g, a, b, out: (g, g),
)
mul = row("*", operator.mul, (lambda a, b, out: b, lambda a, b, out: a), arity=2)


@lru_cache(maxsize=1024, typed=True)
def constant_power(k: float, quotient: bool = False) -> Op:
    """The row of x**k for a constant k: d out / d x = k * x**(k - 1), and 0 for k = 0.

    The b**-1 of a quotient a / b is a row of its own, whose gradient is that of PyTorch's `a / b`.
    """
    exponent = real(k)
    forward, edge = _POWERS.get(
        exponent, (lambda x: math.pow(x, exponent), lambda x: ieee_power(x, exponent))
    )
    backward = None
    if quotient:  # for small b the square of 1 / b overflows, although g / b / b need not
        backward = lambda g, x, out: (-(g * out) * out,)
    elif not k:  # as in PyTorch, even where g is inf
        backward = lambda g, x, out: (0.0,)
    return Op(
        f"**{k}",
        forward,
        (lambda x, out: k * constant_power(k - 1)(x) if k else 0.0,),
        arity=1,
        edge=edge,
        backward=backward,
        parameters=("**", k, True) if quotient else ("**", k),
        builtin=True,
    )


_POWERS: dict[float, Any] = {
    2.0: (lambda x: x * x, None),
    -1.0: (lambda x: 1 / x, lambda x: divide(1.0, x)),
    # as in PyTorch these are square roots: (-inf)**0.5 is nan, where C's pow says inf
    0.5: (math.sqrt, ieee_sqrt),
    -0.5: (lambda x: 1 / math.sqrt(x), lambda x: divide(1.0, ieee_sqrt(x))),
}


def _power_backward(g: Any, x: Any, y: Any, out: Any) -> tuple[Any, Any]:
    # PyTorch masks: d/dx is 0 where y = 0, whatever arrives; d out/dy is 0 where x = 0 and y >= 0.
    # There the logarithm is that of 1, for 0 * log 0 would be nan in the second derivative by y;
    # 0 * sqrt(x) is 0, and its derivative by x nan, as PyTorch's: it would be infinite
    masked = equal(x, 0.0) * (greater(y, 0.0) + equal(y, 0.0))
    by_x = where(equal(y, 0.0), 0.0, g * (y * power(x, y - 1)))
    by_y = where(masked, 0.0 * sqrt(where(masked, x, 1.0)), out * log(where(masked, 1.0, x)))
    return by_x, g * by_y


power: Op = row(
    "**",
    math.pow,
    (lambda x, y, out: y * power(x, y - 1), lambda x, y, out: out * log(x)),
    arity=2,
    edge=ieee_power,
    backward=_power_backward,
)

# --- elementary functions -----------------------------------------------------------------------

exp: Op = row("exp", math.exp, (lambda x, out: out,), arity=1, edge=lambda x: math.inf)
log: Op = row(
    "log",
    math.log,
    (lambda x, out: 1 / x,),
    arity=1,
    edge=lambda x: -math.inf if x == 0.0 else math.nan,
    backward=lambda g, x, out: (g / x,),  # 1 / x overflows where x is subnormal
)
sqrt = row("sqrt", math.sqrt, (lambda x, out: 0.5 / out,), arity=1, edge=ieee_sqrt)
sin: Op = row("sin", math.sin, (lambda x, out: cos(x),), arity=1, edge=lambda x: math.nan)
cos: Op = row("cos", math.cos, (lambda x, out: -sin(x),), arity=1, edge=lambda x: math.nan)
tanh = row("tanh", math.tanh, (lambda x, out: 1 - out * out,), arity=1)
erf: Op = row("erf", math.erf, (lambda x, out: 2 / math.sqrt(math.pi) * exp(-x * x),), arity=1)
sigmoid: Op = row(
    "sigmoid",
    lambda x: 1 / (1 + math.exp(-x)),
    (lambda x, out: out * (1 - out),),
    arity=1,
    edge=lambda x: 0.0,  # exp(-x) overflowed
    composed=lambda x: constant_power(-1)(1 + exp(-x)),
)
softplus = row(  # log(1 + exp x), without overflow for large x; nan comes out of the second term
    "softplus",
    lambda x: max(x, 0.0) + math.log1p(math.exp(-math.fabs(x))),
    (lambda x, out: sigmoid(x),),
    arity=1,
)

# --- functions with a kink ----------------------------------------------------------------------

relu = row(
    "ReLU",
    lambda x: 0.0 if x <= 0.0 else x,
    (lambda x, out: greater(out, 0.0),),
    arity=1,
    backward=lambda g, x, out: (where(out, g, 0.0),),  # out is 0 where shut; nan is let through
    composed=lambda x: maximum(x, 0.0),
)


@lru_cache(maxsize=1024)
def leaky_relu(slope: float) -> Op:
    """The row of x if x > 0 else slope * x: d out / d x = where(x > 0, 1, slope)."""
    return Op(
        "LeakyReLU",
        lambda x: x if x > 0.0 else slope * x,
        (lambda x, out: where(greater(x, 0.0), 1.0, slope),),
        arity=1,
        backward=lambda g, x, out: (where(greater(x, 0.0), g, slope * g),),
        parameters=("LeakyReLU", slope),
        builtin=True,
        composed=lambda x: where(greater(x, 0.0), x, slope * x),
    )


_SQRT2, _SQRT2PI = math.sqrt(2), math.sqrt(2 * math.pi)
gelu = row(  # x * Phi(x), exact: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016
    "GELU",
    lambda x: 0.5 * x * (1 + math.erf(x / _SQRT2)),
    (lambda x, out: 0.5 * (1 + erf(x / _SQRT2)) + x * exp(-0.5 * (x * x)) / _SQRT2PI,),
    arity=1,
    composed=lambda x: 0.5 * x * (1 + erf(x / _SQRT2)),
)
absolute = row(
    "abs",
    math.fabs,
    (lambda x, out: greater(x, 0.0) - greater(0.0, x),),
    arity=1,
    composed=lambda x: maximum(x, -x),
)
maximum: Op = row(
    "maximum",
    lambda a, b: a if a >= b or math.isnan(a) else b,
    (
        lambda a, b, out: where(equal(a, b), 0.5, greater(a, b)),
        lambda a, b, out: where(equal(a, b), 0.5, greater(b, a)),
    ),
    arity=2,
    backward=lambda g, a, b, out: (
        where(equal(a, b), 0.5 * g, where(greater(b, a), 0.0, g)),
        where(equal(a, b), 0.5 * g, where(greater(a, b), 0.0, g)),
    ),
)
minimum = row(
    "minimum",
    lambda a, b: a if a <= b or math.isnan(a) else b,
    (
        lambda a, b, out: where(equal(a, b), 0.5, greater(b, a)),
        lambda a, b, out: where(equal(a, b), 0.5, greater(a, b)),
    ),
    arity=2,
    backward=lambda g, a, b, out: (
        where(equal(a, b), 0.5 * g, where(greater(a, b), 0.0, g)),
        where(equal(a, b), 0.5 * g, where(greater(b, a), 0.0, g)),
    ),
    composed=lambda a, b: -maximum(-a, -b),
)
where: Op = row(
    "where",
    lambda c, a, b: a if c else b,
    (
        lambda c, a, b, out: 0.0,
        lambda c, a, b, out: where(c, 1.0, 0.0),
        lambda c, a, b, out: where(c, 0.0, 1.0),
    ),
    arity=3,
    backward=lambda g, c, a, b, out: (None, where(c, g, 0.0), where(c, 0.0, g)),
)

# --- without a gradient -------------------------------------------------------------------------

greater: Op = row("greater", lambda a, b: 1.0 if a > b else 0.0, arity=2)
equal: Op = row("equal", lambda a, b: 1.0 if a == b else 0.0, arity=2)
detach = row("detach", lambda x: x, arity=1)

# --- of any number of inputs --------------------------------------------------------------------


@lru_cache(maxsize=1024)
def dot_op(n: int, bias: bool) -> Op:
    """The row of x1*w1 + ... + xn*wn (+ bias): one node where the videos' neuron has 2n."""

    def forward(*inputs: Any) -> Any:
        start = inputs[-1] if bias else 0.0
        return sum(map(operator.mul, inputs[:n], inputs[n : 2 * n]), start)

    def backward(g: Any, *inputs: Any) -> tuple[Any, ...]:
        products = [w * g for w in inputs[n : 2 * n]] + [x * g for x in inputs[:n]]
        return (*products, g) if bias else tuple(products)

    return Op(
        "dot",
        forward,
        arity=2 * n + bias,
        backward=backward,
        parameters=("dot", n, bias),
        builtin=True,
        composed=forward,
    )


families.update({"**": constant_power, "LeakyReLU": leaky_relu, "dot": dot_op})
