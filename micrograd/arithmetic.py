"""What a Value shares with any number: operators made of `+`, `*` and `**`, comparisons, printing.

None of it is backpropagation; `engine.py` is. Each operator is recorded as in the video lectures.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from micrograd import ops
from micrograd.modes import _modes, current_mode
from micrograd.reals import is_real, real

__all__ = ["Arithmetic"]

_RECIPROCAL = ops.constant_power(-1)


class Arithmetic:
    """The operators of a class that has `data`, `grad`, `+`, `*` and `**`."""

    __slots__ = ()

    data: float
    grad: float
    __add__: Callable[[Any, Any], Any]
    __mul__: Callable[[Any, Any], Any]
    __pow__: Callable[[Any, Any], Any]

    def __neg__(self) -> Any:  # -self
        return self * -1

    def __pos__(self) -> Any:  # +self
        return self

    def __rmul__(self, other: Any) -> Any:  # other * self
        return self * other

    def __sub__(self, other: Any) -> Any:  # self - other
        if is_real(other):
            return self + -real(other)  # to a float first: minus an unsigned 3 is 253
        return self + (-other) if isinstance(other, Arithmetic) else NotImplemented

    def __rsub__(self, other: Any) -> Any:  # other - self
        return other + (-self) if is_real(other) else NotImplemented

    def __truediv__(self, other: Any) -> Any:  # self / other
        if is_real(other):
            return self * _RECIPROCAL.number(real(other))  # v / 0 is inf; in Python 0**-1 raises
        return self * other**-1 if isinstance(other, Arithmetic) else NotImplemented

    def __rtruediv__(self, other: Any) -> Any:  # other / self
        return other * self**-1 if is_real(other) else NotImplemented

    def conjugate(self) -> Any:  # A.var() asks for it
        return self

    # --- being a number -------------------------------------------------------------------------

    def item(self) -> float:
        return self.data

    def __float__(self) -> float:
        if _modes:
            refuse = getattr(current_mode(), "refuse_float", None)
            if refuse is not None:
                refuse()
        return float(self.data)

    def __bool__(self) -> bool:  # as in PyTorch and NumPy: true unless 0
        return bool(self.data)

    def __repr__(self) -> str:
        return f"Value(data={float(self.data)}, grad={float(self.grad)})"

    def __format__(self, spec: str) -> str:
        return format(float(self.data), spec) if spec else repr(self)

    def __lt__(self, other: Any) -> Any:
        return _compare(self, other, float.__lt__)

    def __le__(self, other: Any) -> Any:
        return _compare(self, other, float.__le__)

    def __gt__(self, other: Any) -> Any:
        return _compare(self, other, float.__gt__)

    def __ge__(self, other: Any) -> Any:
        return _compare(self, other, float.__ge__)


def _compare(a: Arithmetic, b: Any, relation: Callable[[float, float], bool]) -> Any:
    if isinstance(b, Arithmetic):
        return relation(float(a.data), float(b.data))
    return relation(float(a.data), real(b)) if is_real(b) else NotImplemented
