"""The Values that come out of a lifted call, one by one or as an array that makes them late."""

from __future__ import annotations

from typing import Any
from weakref import ref

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from micrograd.arrays import grads, numbers
from micrograd.engine import ComputedValue, Value
from micrograd.lifting.call import Call
from micrograd.lifting.errors import LiftError
from micrograd.rules import Rule

__all__ = ["ResultArray", "output", "outputs"]

_new = object.__new__


class Output(Rule):
    """The rule of one result: where its number stands, and which of the program's outputs it is."""

    __slots__ = ("call", "which")

    call: Call
    which: int

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.call.name

    def refuse_graph(self) -> None:
        raise LiftError(
            f"{self.name} is lifted: its gradient is numbers, not a graph (create_graph); "
            f"differentiate {self.name}.function instead"
        )

    def push(self, node: Value) -> None:
        self.call.seeds[self.which] = node._grad
        node._left._grad += node._grad  # the engine pushes only from nodes that a gradient reached

    def backward_at_once(self, node: Value) -> bool:
        called, call = node._left, self.call
        if called._rule is not call:  # somebody has assigned it a `_backward`
            return False
        for value in called._left or ():
            if value._rule is not None:
                return False
        node._grad = called._grad = 1.0
        call.seeds = {self.which: 1.0}
        call.push(called)
        return True


def output(node: Value | None, call: Call, which: int) -> Value:
    """The Value of one result; a plain leaf if the call remembers nothing (`no_grad`)."""
    return _result(node, call, which, call.buffers.memory.item(call.program.outputs[which]))


def outputs(node: Value | None, call: Call, which: np.ndarray) -> list[Value]:
    """The Values of many results."""
    found = call.buffers.memory[call.program.places[which]].tolist()
    return [_result(node, call, k, x) for k, x in zip(which.tolist(), found, strict=True)]


def _result(node: Value | None, call: Call, which: int, number: float) -> Value:
    out = _new(ComputedValue)
    out._data = number
    out._grad = 0.0
    out._right = None
    if node is None:
        out._rule = out._left = None
        return out
    out._rule = rule = _new(Output)
    rule.call, rule.which = call, which
    out._left = node
    if call.made is not None:
        call.made.append((which, ref(out)))
        if call.between is not None and call.grads is not None and call.between[which]:
            out._grad = float(call.grads[which])
    return out


class ResultArray(NDArrayOperatorsMixin):
    """An array of results whose Values are made when they are touched: unread, they cost nothing.

    It is used as the object array of Values that it stands for (`values`): operators, NumPy's
    functions, indexing, assignment and every method of an ndarray. `micrograd.numbers` reads it
    without making Values.
    """

    def __init__(self, node: Value | None, call: Call, which: np.ndarray) -> None:
        self._node = node
        self._call = call
        self._which = which
        self._values: np.ndarray | None = None

    @property
    def values(self) -> np.ndarray:
        """The object array itself; the same Values each time."""
        if self._values is None:
            which = self._which.ravel()
            made = np.fromiter(outputs(self._node, self._call, which), object, which.size)
            self._values = made.reshape(self._which.shape)
        return self._values

    @property
    def shape(self) -> tuple[int, ...]:
        return self._which.shape

    @property
    def ndim(self) -> int:
        return self._which.ndim

    @property
    def size(self) -> int:
        return self._which.size

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(object)

    def _read(self, what: str) -> np.ndarray:
        if what == "grad":
            return grads(self.values)
        if self._values is not None:  # they may have been written to
            return numbers(self._values)
        places = self._call.program.places[self._which]
        found: np.ndarray = self._call.buffers.memory[places]
        return found

    def __len__(self) -> int:
        return len(self._which)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        found = self.values if dtype in (None, object) else self.values.astype(dtype)
        return found.copy() if copy and found is self._values else found

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        given = kwargs.get("out", ())
        if given:  # r += 1
            kwargs["out"] = tuple(map(_array, given))
        done = getattr(ufunc, method)(*map(_array, inputs), **kwargs)
        return given[0] if len(given) == 1 else done

    def __repr__(self) -> str:
        return repr(self.values)


def _array(x: Any) -> Any:
    return x.values if isinstance(x, ResultArray) else x


def _delegated(name: str) -> Any:
    of_array = getattr(np.ndarray, name)
    if not callable(of_array):
        return property(lambda self: getattr(self.values, name), doc=of_array.__doc__)

    def method(self: ResultArray, *args: Any, **kwargs: Any) -> Any:
        return of_array(self.values, *args, **kwargs)

    method.__name__ = name
    method.__doc__ = f"`ndarray.{name}` of the object array."
    return method


_SPECIAL = (
    "__bool__", "__complex__", "__contains__", "__float__", "__getitem__", "__index__", "__int__",
    "__iter__", "__setitem__",
)  # fmt: skip
for _name in (*_SPECIAL, *(name for name in dir(np.ndarray) if not name.startswith("_"))):
    if _name not in vars(ResultArray):
        setattr(ResultArray, _name, _delegated(_name))
