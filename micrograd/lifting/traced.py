"""The Values that a function is recorded on: they have no number, only a place on a tape.

`Traced` refuses whatever would need the number: reading it, deciding or indexing by it, asking
whether it equals another. `errors.py` says what to write instead. `narrow.py` adds the arguments
that eager code would compute with in less than float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from micrograd import ops
from micrograd.engine import Leaf, Value
from micrograd.lifting.errors import refusal
from micrograd.lifting.rows import QUOTIENT
from micrograd.lifting.tape import MANY, NONE
from micrograd.op import Op
from micrograd.reals import divide, is_real, real
from micrograd.store import Stored

__all__ = ["Traced"]


class Traced(Value):
    """A place on a tape: `_left` is the place, `_right` the Recorder. It has no number to read."""

    __slots__ = ()

    has_number = False
    _rule = None

    def __init__(self, *given: Any, **named: Any) -> None:
        pass  # `Value(traced)` is another of these, which `Tape.constructs` has made

    def _refuse(self, what: str) -> Any:
        raise refusal(what)

    @property
    def data(self) -> float:
        return self._refuse("reading the number of a traced Value")  # type: ignore[no-any-return]

    @data.setter
    def data(self, number: Any) -> None:
        if self._left is not None:
            self._refuse("writing the number of a traced Value")

    @property
    def grad(self) -> float:
        return self._refuse("reading the gradient of a traced Value")  # type: ignore[no-any-return]

    @grad.setter
    def grad(self, number: Any) -> None:
        self._refuse("writing the gradient of a traced Value")

    @property
    def _prev(self) -> tuple[Value, ...]:
        return self._refuse("walking the graph of a traced Value")  # type: ignore[no-any-return]

    @_prev.setter
    def _prev(self, inputs: Any) -> None:
        self._refuse("walking the graph of a traced Value")

    @property
    def _backward(self) -> Any:
        return self._refuse("a step of backward() by hand")

    @_backward.setter
    def _backward(self, closure: Any) -> None:
        self._refuse("a closure as _backward, which has no array form,")

    def __bool__(self) -> bool:
        return self._refuse("a decision (if, and, or) on a traced Value")  # type: ignore[no-any-return]

    def __index__(self) -> int:
        return self._refuse("indexing by a traced integer")  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"<traced {self._right.tape.kinds[self._left].name}>"

    def __copy__(self) -> Traced:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self if self._right.plain(self) else self._refuse("copying the graph of a Value")

    def __reduce__(self) -> Any:
        return self._refuse("pickling a traced Value")

    # Whether two Values are equal asks whether they are the same one, lifted or not. But the
    # function sees its numbers as Traced, too, and of those it asks whether the numbers agree.

    def __eq__(self, other: object) -> Any:
        return self._equals(other, "==")

    def __ne__(self, other: object) -> Any:
        return self._equals(other, "!=")

    def _equals(self, other: object, sign: str) -> Any:
        recorder = self._right
        if recorder.plain(self):
            if isinstance(other, Traced):
                refused = recorder.plain(other)
            else:
                refused = isinstance(other, (int, float, complex, np.generic, np.ndarray))
            if refused:
                self._refuse(f"asking whether a traced number equals another ({sign}, in)")
        if isinstance(other, np.ndarray):
            return NotImplemented
        return (self is other) is (sign == "==")

    def __hash__(self) -> int:
        if self._right.plain(self):
            self._refuse("looking a traced number up in a set or dict (a hash, equality)")
        return object.__hash__(self)

    # What the engine would record, written on the tape without the way through `engine.record` and
    # the mode: 0.2 us for a sum instead of 0.9, 0.4 for `w * x` of a parameter w instead of 2.6.

    def __add__(self, other: Any) -> Any:
        recorder = self._right
        same = type(other) is Traced and other._right is recorder
        place = other._left if same else recorder.find(other)
        return NotImplemented if place is None else recorder.node(_ADD, self._left, place)

    def __radd__(self, other: Any) -> Any:
        recorder = self._right
        place = recorder.find(other)
        return NotImplemented if place is None else recorder.node(ops.add, place, self._left)

    def __mul__(self, other: Any) -> Any:
        recorder = self._right
        same = type(other) is Traced and other._right is recorder
        place = other._left if same else recorder.find(other)
        return NotImplemented if place is None else recorder.node(_MUL, self._left, place)

    def __rmul__(self, other: Any) -> Any:
        # the eager engine turns `2 * v` into v * 2, but `w * v` of two Values keeps its order
        recorder = self._right
        if type(other) is Stored or type(other) is Leaf:  # `w * x`, most often: spares three calls
            place = recorder.captured.get(other)
            if place is not None:
                return recorder.node(_MUL, place, self._left)
        place = recorder.find(other)
        if place is None:
            return NotImplemented
        if isinstance(other, Value):
            return recorder.node(_MUL, place, self._left)
        return recorder.node(ops.mul, self._left, place)

    def __neg__(self) -> Any:
        recorder = self._right
        return recorder.node(ops.mul, self._left, recorder.tape.constant(-1.0))

    def __sub__(self, other: Any) -> Any:
        if not isinstance(other, Value):
            return super().__sub__(other)
        recorder = self._right
        place, tape = recorder.find(other), recorder.tape
        negated = tape.add(ops.mul, place, tape.constant(-1.0))
        return recorder.node(ops.add, self._left, negated)

    def __truediv__(self, other: Any) -> Any:
        recorder = self._right
        tape = recorder.tape
        if isinstance(other, Value):
            divisor = recorder.find(other)
            inverse = tape.add(_INVERSE, divisor)
        elif is_real(other):
            number = real(other)
            inverse = tape.constant(divide(1.0, number))
            divisor = tape.constant(number, divisor=True)
        else:
            return NotImplemented
        return recorder.node(QUOTIENT, tape.add_list((self._left, inverse, divisor)), MANY)

    def __pow__(self, other: Any) -> Any:
        if type(other) is not int and type(other) is not float:
            return super().__pow__(other)
        return self._right.node(ops.constant_power(other), self._left, NONE)

    @staticmethod
    def _interpret(op: Op, xs: Sequence[Any]) -> Any:  # what ops.exp(x) means
        for x in xs:
            if isinstance(x, Traced):
                break
        recorder = x._right
        places = tuple([
            x._left if type(x) is Traced and x._right is recorder else recorder.find(x) for x in xs
        ])  # fmt: skip
        return Value._interpret(op, xs) if None in places else recorder.apply(op, places)


_ADD, _MUL = ops.add, ops.mul
_INVERSE = ops.constant_power(-1, quotient=True)


def _function(op: Op) -> Callable[[Traced], Any]:
    def method(self: Traced) -> Any:
        return self._right.node(op, self._left, NONE)

    return method


for _name in (
    "exp", "log", "sqrt", "sin", "cos", "tanh", "sigmoid", "softplus", "relu", "gelu", "detach",
):  # fmt: skip
    setattr(Traced, _name, _function(getattr(ops, _name)))
for _name in ("abs", "__abs__"):
    setattr(Traced, _name, _function(ops.absolute))


def _refusing(what: str) -> Callable[..., Any]:
    def method(self: Traced, *others: Any) -> Any:
        return self._refuse(what)

    return method


_COMPARISONS = {"__lt__": "<", "__le__": "<=", "__gt__": ">", "__ge__": ">="}
_INTEGER = {
    "mod": "%", "floordiv": "//", "divmod": "divmod()", "and": "&", "or": "|", "xor": "^",
    "lshift": "<<", "rshift": ">>", "invert": "~",
}  # fmt: skip
_ROUNDED = ("floor", "ceil", "trunc", "round", "rint", "int", "complex")
for _name, _sign in _COMPARISONS.items():
    setattr(Traced, _name, _refusing(f"a decision by comparing ({_sign}) a traced number"))
for _name, _sign in _INTEGER.items():
    for _side in (f"__{_name}__", f"__r{_name}__"):
        setattr(Traced, _side, _refusing(f"an operation of integers or masks ({_sign})"))
for _name in _ROUNDED:
    for _side in (f"__{_name}__", _name):  # NumPy asks an object for a method `floor`
        setattr(Traced, _side, _refusing(f"rounding ({_name}) the number of a traced Value"))
