"""Run a function once on traced Values and write down every operation: the tape.

A `Traced` Value has no number, only a place on the tape, so that nothing recorded can depend on
one. `Tape` is what `engine.mode` hands operations to; `fuse.py` reads the finished tape.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from numbers import Real
from types import FrameType, TracebackType
from typing import Any, NamedTuple

import numpy as np

from micrograd import ops
from micrograd.engine import Value
from micrograd.modes import Mode
from micrograd.ops import Op

__all__ = [
    "LiftError",
    "Tape",
    "Traced",
    "CONSTANT",
    "INPUT",
    "INTEGER",
    "PARAMETER",
    "STATE",
    "TAKE",
    "DOT",
]

# what stands in `Tape.kinds` for a node that no row of the op table made
CONSTANT, INPUT, INTEGER, PARAMETER, STATE, TAKE, DOT = (
    "constant", "input", "integer", "parameter", "state", "take", "dot"
)  # fmt: skip


class LiftError(TypeError):
    """The function does what a recorded program cannot repeat; the message names the line."""


class Traced(Value):
    """A place on a tape: `_left` is the index, `_right` the tape. It has no number to read."""

    __slots__ = ()

    def _refuse(self, what: str) -> Any:
        raise self._right.error(what)

    @property
    def data(self) -> float:
        return self._refuse("reading the number of a traced Value")  # type: ignore[no-any-return]

    @data.setter
    def data(self, number: float) -> None:
        if self._left is not None:
            self._refuse("writing the number of a traced Value")

    @property
    def grad(self) -> float:
        return self._refuse("reading the gradient of a traced Value")  # type: ignore[no-any-return]

    @grad.setter
    def grad(self, number: float) -> None:
        self._refuse("writing the gradient of a traced Value")

    @property
    def _prev(self) -> tuple[Value, ...]:
        return self._refuse("walking the graph of a traced Value")  # type: ignore[no-any-return]

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
        return f"<traced {self._right.kinds[self._left]}>"

    # the two hottest operations, without the way through `record` (0.35 us a node instead of 0.9)

    def __add__(self, other: Any) -> Any:
        tape = self._right
        same = type(other) is Traced and other._right is tape
        index = other._left if same else tape.find(other)
        return NotImplemented if index is None else tape.node(ops.add, self._left, index)

    def __radd__(self, other: Any) -> Any:
        tape = self._right
        index = tape.find(other)
        return NotImplemented if index is None else tape.node(ops.add, index, self._left)

    def __mul__(self, other: Any) -> Any:
        tape = self._right
        same = type(other) is Traced and other._right is tape
        index = other._left if same else tape.find(other)
        return NotImplemented if index is None else tape.node(ops.mul, self._left, index)

    def __rmul__(self, other: Any) -> Any:
        # the eager engine turns `2 * v` into v * 2, but `w * v` of two Values keeps its order
        tape = self._right
        index = tape.find(other)
        if index is None:
            return NotImplemented
        if isinstance(other, Value):
            return tape.node(ops.mul, index, self._left)
        return tape.node(ops.mul, self._left, index)


_new = object.__new__
_FULL = {"data": "number", "grad": "gradient"}
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Tape(Mode):
    """What a function did: node i is `kinds[i]` applied to `lefts[i]` and `rights[i]`.

    `lefts[i]` is a tuple where there are more than two inputs; for leaves it is what they stand
    for.
    """

    def __init__(self) -> None:
        self.kinds: list[Any] = []
        self.lefts: list[Any] = []
        self.rights: list[int] = []
        self.captured: dict[Value, int] = {}
        self.constants: dict[tuple[float, float], int] = {}
        self.created_here: dict[Value, float] = {}
        self.buffers: dict[
            tuple[Any, str], Any
        ] = {}  # module, name -> new values (running statistics)
        self.draws: list[tuple[Any, tuple[int, ...], np.ndarray]] = []  # fresh uniforms (dropout)
        self.modules: dict[Any, None] = {}

    def node(self, kind: Any, left: Any, right: int) -> Traced:
        out = _new(Traced)
        out._rule = None
        out._left = len(self.kinds)
        out._right = self
        self.kinds.append(kind)
        self.lefts.append(left)
        self.rights.append(right)
        return out

    def array(self, kind: str, shape: tuple[int, ...], argument: int = -1) -> np.ndarray:
        """An object array of fresh leaves."""
        size = math.prod(shape)
        result = np.empty(size, dtype=object)
        for i in range(size):
            result[i] = self.node(kind, None, argument)
        return result.reshape(shape)

    def find(self, x: Any) -> int | None:
        """The place of an operand: a traced Value, one captured from outside, or a constant."""
        if type(x) is Traced:
            if x._right is not self:
                raise self.error("using a Value that another recording traced")
            return x._left  # type: ignore[no-any-return]
        if isinstance(x, Value):
            index = self.captured.get(x)
            if index is None:
                if x in self.created_here:
                    return self.constant(self.created_here[x])
                index = self.captured[x] = self.node(PARAMETER, x, -1)._left
            return index
        if isinstance(x, (Real, np.bool_)) or (isinstance(x, np.ndarray) and x.shape == ()):
            return self.find(x.item()) if isinstance(x, np.ndarray) else self.constant(float(x))
        return None

    def constant(self, number: float) -> int:
        key = (number, math.copysign(1.0, number)) if number == number else (0.0, 0.0)  # noqa: PLR0124
        index = self.constants.get(key)
        if index is None:
            index = self.constants[key] = self.node(CONSTANT, number, -1)._left
        return index

    # --- what the engine asks of a mode -----------------------------------------------------------

    def record(self, op: Op, inputs: Sequence[Value]) -> Traced:
        places = [self.find(x) for x in inputs]
        if len(places) == 1:
            return self.node(op, places[0], -1)
        if len(places) == 2:
            return self.node(op, places[0], places[1])  # type: ignore[arg-type]
        return self.node(op, tuple(places), -1)

    def created(self, value: Value, data: Any) -> None:
        """`Value(...)` inside the function: a constant, or a second name of a traced Value."""
        if value._rule is not None:
            raise self.error("making a node by hand, Value(..., children)")
        if isinstance(data, Value):
            place = self.find(data)
            value.__class__ = Traced
            value._left, value._right = place, self
        else:
            self.created_here[value] = value._data

    def refuse(self, what: str) -> None:
        raise self.error(what)

    def read(self, node: Value, what: str) -> None:
        if node not in self.created_here:  # one from outside: the program would keep it for good
            raise self.error(f"reading the {_FULL[what]} of a parameter")

    def written(self, node: Value, what: str) -> None:
        if node not in self.created_here:
            raise self.error(f"writing the {_FULL[what]} of a parameter")

    def explained(self, fault: Exception) -> Exception:
        """What NumPy makes of a traced index, in our own words; any other fault as it is."""
        if isinstance(fault, IndexError) and "integer" in str(fault):
            return self.error("indexing by a traced integer", fault.__traceback__)
        return fault

    def error(self, what: str, trace: TracebackType | None = None) -> LiftError:
        """`what` happened, at the innermost line that is not the library's."""
        places: list[tuple[str, int]] = []
        frame: FrameType | None = sys._getframe(1)
        while trace is not None:
            places.insert(0, (trace.tb_frame.f_code.co_filename, trace.tb_lineno))
            trace = trace.tb_next
        while frame is not None:
            places.append((frame.f_code.co_filename, frame.f_lineno))
            frame = frame.f_back
        outside = [
            (name, line)
            for name, line in places
            if not name.startswith(_PACKAGE) and f"{os.sep}numpy{os.sep}" not in name
        ]
        name, line = (outside or places)[0]
        return LiftError(
            f"{name}, line {line}: {what} while lift records. A program holds for every number, so "
            "it cannot look at one: " + _advice(what)
        )

    # --- many dots at once ------------------------------------------------------------------------

    def dots(
        self, rows: Sequence[Sequence[Value]], tails: Sequence[Sequence[Value]]
    ) -> list[Traced]:
        """The dot of every row with every tail (weights, and a bias if it is one longer).

        The nodes of one row share one tuple of places, and the later passes look at it once:
        recording a layer takes time in proportion to rows and columns, not to their products.
        """
        row_places = [tuple(map(self.find, row)) for row in rows]
        tail_places = []
        for tail in tails:
            n = len(rows[0])
            start = self.find(tail[n]) if len(tail) > n else -1
            tail_places.append((tuple(map(self.find, tail[:n])), start))
        return [
            self.node(DOT, (row, weights), start)  # type: ignore[arg-type]
            for row in row_places
            for weights, start in tail_places
        ]

    # --- integers, running statistics, random draws -----------------------------------------------

    def take(self, table: Any, index: Any, axis: int = 0) -> Any:
        """`np.take` by traced integers: one node an element, choosing among the slices of the
        table.
        """
        index = np.asarray(index, dtype=object)
        if not any(type(i) is Traced for i in index.flat):
            return NotImplemented
        table = np.asarray(table, dtype=object)
        axis = range(table.ndim)[axis]
        table = np.moveaxis(table, axis, 0)
        rows, inner = table.shape[0], table.shape[1:]
        columns = table.reshape(rows, -1)
        places = [tuple(map(self.find, columns[:, j])) for j in range(columns.shape[1])]
        result = np.empty((index.size, len(places)), dtype=object)
        for i, chosen in enumerate(index.flat):
            place = self.find(chosen)
            for j, candidates in enumerate(places):
                result[i, j] = self.node(TAKE, (place, candidates), -1)
        shaped = result.reshape(index.shape + inner)
        if axis:
            source = range(index.ndim)
            shaped = np.moveaxis(shaped, source, range(axis, axis + index.ndim))
        return shaped if shaped.shape else shaped[()]

    def read_buffer(self, module: Any, name: str) -> Any:
        """Running statistics as they stand when a call begins, or as this function left them."""
        if (module, name) in self.buffers:
            return self.buffers[module, name]
        return self.random_array(Buffer(module, name), getattr(module, name).shape)

    def update_buffer(self, module: Any, name: str, new_values: Any) -> None:
        self.buffers[module, name] = new_values

    def random_array(self, generator: Any, shape: tuple[int, ...]) -> np.ndarray:
        drawn = self.array(STATE, shape)
        self.draws.append((generator, shape, drawn))
        return drawn


class Buffer(NamedTuple):
    """Where a call finds a module's running statistics; asked as a generator of draws is."""

    module: Any
    name: str

    def random(self, size: int) -> np.ndarray:
        return getattr(self.module, self.name).reshape(size)  # type: ignore[no-any-return]


def _advice(what: str) -> str:
    if "decision" in what or "number of a traced" in what:
        return (
            "use micrograd.where(c, a, b), maximum or greater, or compute it outside and pass it "
            "as an argument."
        )
    if "indexing" in what:
        return (
            "use functional.take(A, index), one_hot or Embedding, or pass a Python int to make it "
            "static."
        )
    if "by hand" in what or "closure" in what:
        return "register the operation with micrograd.op(name, forward, partials) and call that."
    if "backward" in what or "grad()" in what:
        return "return the loss and differentiate it outside."
    if "parameter" in what:
        return "use the Value itself, or read its number outside the function."
    return "do it outside the function."
