"""A lifted call as one operation of the graph, and the Values that come out of it.

The call is a node whose inputs are the Values that were passed; each result is a node above it. A
result's backward leaves its gradient with the call; the call's own runs the program's backward
once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from micrograd import engine
from micrograd.engine import Value
from micrograd.lifting.record import LiftError

if TYPE_CHECKING:
    from micrograd.lifting.program import Buffers, Program

__all__ = ["Call", "ResultArray"]

_new = object.__new__


class Call:
    """The rule of a call's node: owns its buffers, gives them back when the results die."""

    __slots__ = ("program", "buffers", "seeds", "name")

    def __init__(self, program: Program, buffers: Buffers, name: str) -> None:
        self.program = program
        self.buffers = buffers
        self.seeds: list[tuple[int, float]] = []  # gradients that arrived at results, by output
        self.name = name

    def __del__(self) -> None:
        self.program.pool.append(self.buffers)

    def push(self, node: Value) -> None:
        program = self.program
        with program.running:
            self.current().run_backward(program, self.seeds)
            self.seeds = []
            grads = program.scratch.grads
            for value, at in zip(
                node._left, program.wanted_inputs if node._left else (), strict=True
            ):
                value.grad += float(grads[at])

    def refuse_copy(self) -> None:
        raise TypeError(
            f"cannot copy or pickle a result of {self.name}, which is lifted: its numbers stand in "
            f"the program's buffers; pickle {self.name}.program, or the numbers alone"
        )

    def current(self) -> Buffers:
        """The buffers, moved along if the parameters have moved to a larger store since."""
        store, _ = self.program.store.current()
        if self.buffers.store is not store:
            fresh = self.program.fresh_buffers()
            fresh.numbers[:] = self.buffers.numbers
            fresh.run_forward()
            self.buffers = fresh
        return self.buffers

    def parameters_of(self, node: Value) -> Sequence[Value]:
        return self.program.parameters


class Output:
    """The rule of one result: where its number stands, and which of the program's outputs it is."""

    __slots__ = ("call", "which", "name")

    def __init__(self, call: Call, which: int) -> None:
        self.call = call
        self.which = which
        self.name = call.name

    def refuse_graph(self) -> None:
        raise LiftError(
            f"{self.name} is lifted: its gradient is numbers, not a graph (create_graph); "
            f"differentiate {self.name}.function instead"
        )

    def push(self, node: Value) -> None:
        self.call.seeds.append((self.which, node.grad))
        node._left.grad += node.grad  # the engine pushes only from nodes that a gradient reached


def output(node: Value | None, call: Call, which: int) -> Value:
    """The Value of one result; a plain leaf if the call remembers nothing (`no_grad`)."""
    out = _new(Value)
    out.data = call.buffers.numbers.item(call.program.outputs[which])
    out.grad = 0.0
    out._right = None
    if node is None:
        out._rule = out._left = None
    else:
        out._rule = Output(call, which)
        out._left = node
    return out


class ResultArray(NDArrayOperatorsMixin):
    """An array of results whose Values are made when they are touched: 10,000 scores cost nothing
    unread.

    Indexing, iterating, NumPy functions and operators see an object array of Values;
    `micrograd.numbers` reads it without making any.
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
            made = np.empty(self._which.size, dtype=object)
            made[:] = [output(self._node, self._call, int(w)) for w in self._which.flat]
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

    @property
    def T(self) -> np.ndarray:
        return self.values.T

    def _read(self, what: str) -> np.ndarray:
        if what == "grad":
            return engine.grads(self.values)
        places = np.asarray(self._call.program.outputs)[self._which]
        found: np.ndarray = self._call.buffers.numbers[places]
        return found

    def __len__(self) -> int:
        return len(self._which)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values)

    def __getitem__(self, key: Any) -> Any:
        return self.values[key]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.values if dtype in (None, object) else self.values.astype(dtype)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        plain = [x.values if isinstance(x, ResultArray) else x for x in inputs]
        return getattr(ufunc, method)(*plain, **kwargs)

    def __repr__(self) -> str:
        return repr(self.values)

    @property
    def flat(self) -> Any:
        return self.values.flat


def _delegated(name: str) -> Any:
    def method(self: ResultArray, *args: Any, **kwargs: Any) -> Any:
        return getattr(self.values, name)(*args, **kwargs)

    method.__name__ = name
    method.__doc__ = f"`ndarray.{name}` of the object array."
    return method


for _name in (
    "argmax", "argmin", "astype", "copy", "cumsum", "dot", "flatten", "item", "max", "mean", "min",
    "prod", "ravel", "reshape", "squeeze", "std", "sum", "swapaxes", "take", "tolist", "transpose",
    "var",
):  # fmt: skip
    setattr(ResultArray, _name, _delegated(_name))
