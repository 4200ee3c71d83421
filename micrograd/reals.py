"""What counts as a real number here, how an error names what was given, and IEEE's answers.

A Value holds one real number, so everything that becomes one passes through `real`. Where Python
raises (1 / 0.0, log 0, exp 1000) a Value holds what IEEE 754 says, as in NumPy and PyTorch: the
functions of the second half. There is nothing to read first, and nothing but Python is needed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Double", "Real", "describe", "divide", "exponent", "is_real", "power", "real", "sqrt"]

Real: TypeAlias = "float | np.number[Any] | np.bool_"  # what `is_real` takes, for a type checker


def is_real(x: Any) -> bool:
    """int, float, bool, NumPy's real scalars and 0-d arrays of them: what a Value can hold."""
    if isinstance(x, (float, int)):
        return True
    if not hasattr(type(x), "__array__"):
        return False
    import numpy as np  # whoever has an array has imported it

    if not isinstance(x, (np.generic, np.ndarray)):
        return False
    return x.dtype.kind in "biuf" and x.shape == ()  # a timedelta is an np.integer, too


def real(x: Any) -> float:
    """A Python float of any real number; a TypeError that names anything else."""
    if not isinstance(x, (float, int)) and not is_real(x):
        hint = "; use the Value itself, or v.detach() for its number alone" if _is_value(x) else ""
        raise TypeError(f"got {describe(x)}; a Value holds one real number{hint}")
    try:
        return float(x)
    except OverflowError:
        raise OverflowError(
            f"got {describe(x)}; a Value holds a float, whose size ends at 1.8e308"
        ) from None


def exponent(k: Any) -> float:
    """A number as an exponent: an int stays one, so that graphs show `**2`, and `**2.0` for 2.0."""
    if type(k) is int or type(k) is float:
        return k
    k = k.item() if hasattr(k, "item") else k  # a NumPy scalar or 0-d array
    return int(k) if isinstance(k, int) else float(k)


def _is_value(x: Any) -> bool:
    return hasattr(type(x), "_interpret")


def describe(x: Any) -> str:
    """Type and text of anything, short enough for an error: `int 3`, `list [1, 2]`."""
    kind = getattr(type(x), "stands_for", type(x)).__name__  # a leaf, a result: to a user, a Value
    try:
        text = repr(x)
    except Exception:  # a broken repr, or an int of more digits than Python prints
        return f"{kind} that cannot be printed"
    return f"{kind} {text if len(text) <= 60 else text[:57] + '...'}"


# --- IEEE 754, where Python would raise -----------------------------------------------------------


def divide(a: float, b: float) -> float:
    """a / b; a / 0 is an infinity, 0 / 0 nan."""
    if b != 0.0:
        return a / b
    if a == 0.0 or math.isnan(a):
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def sqrt(x: float) -> float:
    """The square root; nan below 0."""
    return math.nan if x < 0.0 else math.sqrt(x)


def power(x: float, y: float) -> float:
    """x**y; infinity where it overflows or x is 0 and y below; nan for a root of x < 0."""
    try:
        return math.pow(x, y)
    except OverflowError:
        return -math.inf if x < 0.0 and _is_odd(y) else math.inf
    except ValueError:
        if x != 0.0:
            return math.nan
        return math.copysign(math.inf, x) if _is_odd(y) else math.inf


def _is_odd(y: float) -> bool:
    # 1e-16 - 1 is no whole number, although its remainder rounds to 1
    return float(y).is_integer() and y % 2.0 == 1.0


def _same_type(operation: Callable[..., float]) -> Any:
    def method(self: Double, *others: Any) -> Any:
        if not all(isinstance(x, (float, int)) for x in others):
            return NotImplemented
        return Double(operation(float(self), *map(float, others)))

    return method


def _reflected(operation: Callable[[float, float], float]) -> Any:
    return _same_type(lambda x, y: operation(y, x))


class Double(float):
    """A float that divides and takes powers as IEEE 754 says; a rule that raised runs on these."""

    __slots__ = ()

    __neg__, __abs__ = _same_type(float.__neg__), _same_type(math.fabs)
    __add__ = __radd__ = _same_type(float.__add__)
    __mul__ = __rmul__ = _same_type(float.__mul__)
    __sub__, __rsub__ = _same_type(float.__sub__), _reflected(float.__sub__)
    __truediv__, __rtruediv__ = _same_type(divide), _reflected(divide)
    __pow__, __rpow__ = _same_type(power), _reflected(power)

    @staticmethod
    def _interpret(op: Any, xs: Sequence[Any]) -> Any:  # ops.log(x) in a rule
        return Double(op.number(*map(real, xs)))
