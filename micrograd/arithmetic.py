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
    _data: float
    _grad: float
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
        if not isinstance(other, Arithmetic):
            return NotImplemented
        return self + (-other._operand() if _modes else -other)

    def __rsub__(self, other: Any) -> Any:  # other - self
        return other + (-self) if is_real(other) else NotImplemented

    def __truediv__(self, other: Any) -> Any:  # self / other
        if is_real(other):
            return self * _RECIPROCAL.number(real(other))  # v / 0 is inf; in Python 0**-1 raises
        if not isinstance(other, Arithmetic):
            return NotImplemented
        return self * (other._operand() if _modes else other) ** -1

    def __rtruediv__(self, other: Any) -> Any:  # other / self
        return other * self**-1 if is_real(other) else NotImplemented

    def conjugate(self) -> Any:  # A.var() asks for it
        return self

    def _operand(self) -> Any:
        """What an operation of Values takes this as; an argument in float32 says: as float64."""
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
        # from the slots, which may be read while lift records: nobody computes with what is printed
        return f"Value(data={float(self._data)}, grad={float(self._grad)})"

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
