"""The rows on NumPy arrays: what the op table computes on numbers, on whole arrays of float64.

`Op.array` comes here, and nobody else has to: a row's form is a ufunc, or a function with an `out=`
parameter, as NumPy's ufuncs have.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd.reals import real

if TYPE_CHECKING:
    from micrograd.op import Op

__all__ = ["form_of", "into"]

Form = Callable[..., Any]


def into(f: Form) -> Form:
    """`f` with an `out=` parameter, as NumPy's ufuncs have."""

    def array(*xs: Any, out: Any = None) -> Any:
        if out is None:
            return f(*xs)
        out[...] = f(*xs)
        return out

    return array


def _erf(x: Any, out: Any = None) -> Any:
    from scipy.special import erf  # only GELU needs SciPy, and only on arrays

    return erf(x, out=out) if out is not None else erf(x)


def _sigmoid(x: Any, out: Any = None) -> Any:
    out = np.negative(x, out=out)
    out = np.exp(out, out=out if isinstance(out, np.ndarray) else None)
    out = np.add(out, 1.0, out=out if isinstance(out, np.ndarray) else None)
    return np.reciprocal(out, out=out if isinstance(out, np.ndarray) else None)


def _power(k: float, quotient: bool = False) -> Form:
    exponent = real(k)
    return _POWERS.get(exponent, into(lambda x: np.power(x, exponent)))


_POWERS: dict[float, Form] = {
    2.0: np.square,
    -1.0: np.reciprocal,
    0.5: np.sqrt,
    -0.5: into(lambda x: 1 / np.sqrt(x)),
}


def _leaky_relu(slope: float) -> Form:
    return into(lambda x: np.where(np.greater(x, 0.0), x, slope * x))


def _dot(n: int, bias: bool) -> Form:
    def array(*inputs: Any) -> Any:
        products = [x * w for x, w in zip(inputs[:n], inputs[n : 2 * n], strict=True)]
        return reduce(np.add, products, inputs[-1] if bias else np.float64(0.0))

    return into(array)


_SQRT2 = np.sqrt(2.0)
_FORMS: dict[str, Form] = {
    "+": np.add,
    "*": np.multiply,
    "**": np.power,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "erf": _erf,
    "sigmoid": _sigmoid,
    "softplus": lambda x, out=None: np.logaddexp(0.0, x, out=out),
    "ReLU": lambda x, out=None: np.maximum(x, 0.0, out=out),
    "GELU": into(lambda x: 0.5 * x * (1 + _erf(x / _SQRT2))),
    "abs": np.abs,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "where": into(lambda c, a, b: np.where(np.not_equal(c, 0), a, b)),
    "greater": into(lambda a, b: np.greater(a, b) * 1.0),
    "equal": into(lambda a, b: np.equal(a, b) * 1.0),
    "detach": np.positive,
}
_FAMILIES: dict[str, Callable[..., Form]] = {"**": _power, "LeakyReLU": _leaky_relu, "dot": _dot}


def form_of(op: Op) -> Form:
    """The array form of a row; a row of the user's own is computed one by one."""
    if op.parameters:
        return _FAMILIES[op.parameters[0]](*op.parameters[1:])
    if op.builtin:
        return _FORMS[op.name]

    def one_by_one(*xs: Any) -> Any:
        return np.asarray(np.frompyfunc(_number, op.arity, 1)(*xs), dtype=np.float64)[()]

    def _number(*xs: Any) -> float:
        return op.number(*map(float, xs))

    return into(one_by_one)
