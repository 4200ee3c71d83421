"""Arguments in float32, float16, small integers or bool: eager code computes with them in kind.

`x * 2` of a float32 x rounds to float32, `a - b` of two uint8 wraps, `p + q` of two masks is `or`;
a program computes in float64. Where such an argument meets a Value, a float64 or an op of this
package, it is converted exactly and all agrees. Where it meets only its like, that is refused.
"""

from __future__ import annotations

import operator
import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from micrograd.engine import Value
from micrograd.lifting.traced import Traced

__all__ = ["Narrow", "is_narrow", "wide"]

_WHAT = "{} of {} numbers, which is computed in less than float64"


def is_narrow(dtype: np.dtype[Any]) -> bool:
    return dtype.kind not in "fi" or dtype.itemsize < 8


class Narrow(Traced):
    """An element of such an argument; the tape knows its dtype."""

    __slots__ = ()

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._right.narrow[self._left]  # type: ignore[no-any-return]

    def _as(self, x: Any) -> Any:
        """x as narrow as self is: by operations that round nothing."""
        x.__class__ = Narrow
        self._right.narrow[x._left] = self.dtype
        return x

    def __neg__(self) -> Any:
        return self._as(-wide(self)) if self.dtype.kind == "f" else _meet(operator.neg, "-x", self)

    def __abs__(self) -> Any:
        return self._as(abs(wide(self))) if self.dtype.kind == "f" else _meet(abs, "abs", self)

    def __pos__(self) -> Any:
        return self

    def _operand(self) -> Any:
        return wide(self)


def wide(x: Any) -> Any:
    """The same place on the tape, in float64; anything but a Narrow as it is."""
    if type(x) is not Narrow:
        return x
    out = object.__new__(Traced)
    out._left, out._right = x._left, x._right
    return out


def _sample(x: Any) -> Any:
    return x.dtype.type(1) if type(x) is Narrow else x


def _meet(operation: Callable[..., Any], name: str, *xs: Any) -> Any:
    """operation(*xs) in float64, if eager code would compute it so; a LiftError if not."""
    if not any(isinstance(x, Value) and type(x) is not Narrow for x in xs):
        try:
            with np.errstate(all="ignore"):
                result = np.asarray(operation(*map(_sample, xs))).dtype
        except (TypeError, OverflowError, AttributeError):
            result = None
        (first, *_) = (x for x in xs if type(x) is Narrow)
        if result == np.bool_ and operation is operator.mul:  # `and`: 0 or 1 again
            return first._as(operation(*map(wide, xs)))
        if (result is None or is_narrow(result)) and not _sums_in_64_bits(first):
            first._refuse(
                f"{name} of {first.dtype} numbers, which is computed in less than float64"
            )
    return operation(*map(wide, xs))


def _sums_in_64_bits(x: Narrow) -> bool:
    """Whether NumPy's own sum or mean of integers asks, which counts in 64 bits."""
    asks = sys._getframe(3).f_code.co_filename
    return x.dtype.kind in "iub" and asks.endswith(os.path.join("_core", "_methods.py"))


def _operator(name: str, sign: str) -> None:
    operation = getattr(operator, name)

    def forward(self: Narrow, other: Any) -> Any:
        return _meet(operation, sign, self, other)

    def reflected(self: Narrow, other: Any) -> Any:
        return _meet(operation, sign, other, self)

    setattr(Narrow, f"__{name}__", forward)
    setattr(Narrow, f"__r{name}__", reflected)


for _name, _sign in (("add", "+"), ("sub", "-"), ("mul", "*"), ("truediv", "/"), ("pow", "**")):
    _operator(_name, _sign)


def _function(name: str) -> None:
    function = getattr(np, name)

    def method(self: Narrow) -> Any:
        if is_narrow(np.asarray(function(_sample(self))).dtype):
            self._refuse(_WHAT.format(f"np.{name}", self.dtype))
        return getattr(wide(self), name)()

    setattr(Narrow, name, method)


for _name in ("exp", "log", "sqrt", "sin", "cos", "tanh"):  # NumPy calls them by these names
    _function(_name)
