"""What a Value shares with any number: operators made of `+`, `*` and `**`, functions, printing.

None of it is backpropagation; `engine.py` is. Each operator is recorded as in the video lectures.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from micrograd import modes, ops
from micrograd.op import Op
from micrograd.reals import Real, divide, is_real, real

if TYPE_CHECKING:
    from micrograd.engine import Value

__all__ = ["Arithmetic", "exact"]

_INVERSE = ops.constant_power(-1, quotient=True)


class Arithmetic:
    """The operators of a class that has `data`, `grad`, `+`, `*` and `**`."""

    __slots__ = ()

    if TYPE_CHECKING:
        data: Any
        grad: Any
        _data: float
        _grad: float

        def __add__(self, other: Value | Real) -> Value: ...
        def __mul__(self, other: Value | Real) -> Value: ...
        def __pow__(self, other: Value | Real) -> Value: ...
        def __radd__(self, other: Real) -> Value: ...

    def __neg__(self) -> Value:  # -self
        return self * -1

    def __pos__(self) -> Value:  # +self
        return self  # type: ignore[return-value]

    def __rmul__(self, other: Real) -> Value:  # other * self
        return self * other

    def __sub__(self, other: Value | Real) -> Value:  # self - other
        if is_real(other):
            return self + -real(other)  # to a float first: minus an unsigned 3 is 253
        return self + (-other._operand()) if isinstance(other, Arithmetic) else NotImplemented

    def __rsub__(self, other: Real) -> Value:  # other - self
        return other + (-self) if is_real(other) else NotImplemented

    def __truediv__(self, other: Value | Real) -> Value:  # self / other: self * other**-1
        if is_real(other):
            return _quotient(self * divide(1.0, real(other)), self, other)
        if isinstance(other, Arithmetic):
            return _quotient(self * _of(_INVERSE, other._operand()), self, other)
        return NotImplemented

    def __rtruediv__(self, other: Real) -> Value:  # other / self: other * self**-1
        if is_real(other):
            return _quotient(other * _of(_INVERSE, self), other, self)
        return NotImplemented

    def _operand(self) -> Value:
        """What an operation of Values takes this as; an argument in float32 says: as float64."""
        return self  # type: ignore[return-value]

    # --- functions: NumPy calls these by name on object arrays, np.exp(A) -------------------------

    def __abs__(self) -> Value:
        return _of(ops.absolute, self)

    def abs(self) -> Value:
        return _of(ops.absolute, self)

    def pow(self, other: Value | Real) -> Value:
        return self**other

    def exp(self) -> Value:
        return _of(ops.exp, self)

    def log(self) -> Value:
        return _of(ops.log, self)

    def sqrt(self) -> Value:
        return _of(ops.sqrt, self)

    def sin(self) -> Value:
        return _of(ops.sin, self)

    def cos(self) -> Value:
        return _of(ops.cos, self)

    def tanh(self) -> Value:
        return _of(ops.tanh, self)

    def sigmoid(self) -> Value:
        return _of(ops.sigmoid, self)

    def softplus(self) -> Value:
        return _of(ops.softplus, self)

    def relu(self) -> Value:
        return _of(ops.relu, self)

    def leaky_relu(self, negative_slope: Real = 0.01) -> Value:
        return _of(ops.leaky_relu(real(negative_slope)), self)

    def gelu(self) -> Value:
        return _of(ops.gelu, self)

    def maximum(self, other: Value | Real) -> Value:
        return _of(ops.maximum, self, other)

    def minimum(self, other: Value | Real) -> Value:
        return _of(ops.minimum, self, other)

    # --- being a number -------------------------------------------------------------------------

    def item(self) -> float:
        number: float = self.data
        return number

    def __float__(self) -> float:
        if modes.active:
            modes.current_mode().refuse_float()
        return self.item()

    def __bool__(self) -> bool:  # as in PyTorch and NumPy: true unless 0
        return bool(self.data)

    def __repr__(self) -> str:
        # from the slots, which may be read while lift records: nobody computes with what is printed
        return f"Value(data={self._data}, grad={self._grad})"

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else repr(self)

    def __lt__(self, other: Any) -> bool:
        return _compare(self, other, float.__lt__)

    def __le__(self, other: Any) -> bool:
        return _compare(self, other, float.__le__)

    def __gt__(self, other: Any) -> bool:
        return _compare(self, other, float.__gt__)

    def __ge__(self, other: Any) -> bool:
        return _compare(self, other, float.__ge__)


def _of(op: Op, *xs: Any) -> Value:
    result: Value = op(*xs)
    return result


def _quotient(product: Value, a: Any, b: Any) -> Value:
    if modes.active:
        return modes.current_mode().quotient(product, a, b)
    return exact(product, a, b)


def exact(out: Value, a: Any, b: Any) -> Value:
    """`out`, the graph of a * b**-1, with a / b for its number, which is rounded once.

    49 * 49**-1 is 0.9999999999999999, and b**-1 overflows where b is subnormal and a / b is not.
    """
    if type(getattr(out, "_data", None)) is float:  # in a mode `out` may hold no number
        a, b = (x._data if isinstance(x, Arithmetic) else real(x) for x in (a, b))
        out._data = divide(a, b)
    return out


def _compare(a: Arithmetic, b: Any, relation: Callable[[float, float], bool]) -> bool:
    if isinstance(b, Arithmetic):
        return relation(a.data, b.data)
    return relation(a.data, real(b)) if is_real(b) else NotImplemented
