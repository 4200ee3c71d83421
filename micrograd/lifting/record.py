"""Run a function once on traced Values and write down every operation: the tape.

A `Traced` Value has no number, only a place on the tape, so that nothing recorded can depend on
one. `Tape` is what `modes.mode` hands operations to; `fuse.py` reads the finished tape.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from types import FrameType, FunctionType, MethodType, TracebackType
from typing import Any, NamedTuple

import numpy as np

from micrograd import ops
from micrograd.engine import Leaf, NumbersOnly, Value
from micrograd.functional import take
from micrograd.lifting.narrow import Narrow, wide
from micrograd.lifting.reach import is_library
from micrograd.lifting.rows import QUOTIENT
from micrograd.lifting.traced import LiftError, Traced, advice
from micrograd.modes import Mode
from micrograd.op import Op
from micrograd.reals import is_real

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
    "whereabouts",
]

# what stands in `Tape.kinds` for a node that no row of the op table made
CONSTANT, INPUT, INTEGER, PARAMETER, STATE, TAKE, DOT = (
    "constant", "input", "integer", "parameter", "state", "take", "dot"
)  # fmt: skip


_new = object.__new__
_NUMPY_SAYS = ("not supported for the input types", "no callable", "from dtype('O')")
_FULL = {"data": "number", "grad": "gradient"}


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
        self.created_here: dict[Value, None] = {}
        self.wrapped: dict[int, Value] = {}  # Value(x) of a traced x, by id
        self.narrow: dict[int, np.dtype[Any]] = {}  # of arguments that are no float64 and no int64
        self.inputs: list[bool] = []  # for each argument, whether it holds Values
        self._plain: list[bool] = []
        self.buffers: dict[
            tuple[Any, str], Any
        ] = {}  # module, name -> new values (running statistics)
        self.draws: list[tuple[Any, tuple[int, ...], np.ndarray]] = []  # fresh uniforms (dropout)

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
        if isinstance(x, Narrow):
            return self.find(wide(x))
        if isinstance(x, Value):
            index = self.captured.get(x)
            if index is None:
                if x in self.created_here:
                    return self.constant(x._data)
                index = self.captured[x] = self.node(PARAMETER, x, -1)._left
            return index
        if isinstance(x, np.ndarray) and x.shape == () and x.dtype == object:
            return self.find(x.item())
        return self.constant(float(x)) if is_real(x) else None

    def constant(self, number: float, divisor: bool = False) -> int:
        """The place of a number; equal ones share it.

        A `divisor` is kept apart from others: the size of a batch that happens to equal the number
        of a class is no such number at another size.
        """
        kind = 2.0 if divisor else 1.0
        key = (number, math.copysign(kind, number)) if number == number else (0.0, 0.0)  # noqa: PLR0124
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

    def quotient(self, product: Value, a: Any, b: Any) -> Value:
        """The product that was just recorded is a quotient: of a, b**-1 and b."""
        if type(product) is Traced and product._right is self:
            i: int = product._left
            dividend = self.find(a)
            divisor = (
                self.find(b) if isinstance(b, Value) else self.constant(float(b), divisor=True)
            )
            inverse = self.rights[i] if self.lefts[i] == dividend else self.lefts[i]
            self.kinds[i], self.rights[i] = QUOTIENT, -1
            self.lefts[i] = (dividend, inverse, divisor)
        return product

    def constructs(self, node: Value, data: Any, made_from: Any) -> Value:
        """`Value(...)` inside the function: a constant, or a second name of a traced Value."""
        if made_from:
            raise self.error("making a node by hand, Value(..., children)")
        if not isinstance(data, Value):
            self.created_here[node] = None
            return node
        if type(node) is not Leaf:
            raise self.error(f"making a {type(node).__name__} of a traced number by hand")
        name = _new(Traced)
        name._rule, name._left, name._right = None, self.find(data), self
        self.wrapped[id(name)] = name
        return name

    def entered(self, active: Any) -> None:
        if isinstance(active, NumbersOnly):
            raise self.error("entering no_grad()")

    def refuse(self, what: str) -> None:
        raise self.error(what)

    def read(self, node: Value, what: str) -> None:
        if node not in self.created_here:  # one from outside: the program would keep it for good
            raise self.error(f"reading the {_FULL[what]} of a parameter")

    def written(self, node: Value, what: str) -> None:
        if node not in self.created_here:
            raise self.error(f"writing the {_FULL[what]} of a parameter")

    def explained(self, fault: Exception) -> Exception:
        """What NumPy makes of traced numbers, in our own words; any other fault as it is."""
        text = str(fault)
        if isinstance(fault, IndexError) and "integer" in text:
            return self.error("indexing by a traced integer", fault.__traceback__)
        if isinstance(fault, TypeError) and any(said in text for said in _NUMPY_SAYS):
            return self.error(f"what NumPy does with numbers alone ({text})", fault.__traceback__)
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
        outside = [(name, line) for name, line in places if not is_library(name)]
        name, line = (outside or places)[0]
        return LiftError(
            f"{name}, line {line}: {what} while lift records. A program holds for every number, so "
            f"it cannot look at one: {advice(what)}"
        )

    @staticmethod
    def error_in(function: Any, what: str) -> LiftError:
        """`what` the function did, where no line of it is to blame."""
        return LiftError(
            f"{whereabouts(function)}: {what} while lift records, which a program does not repeat: "
            f"{advice(what)}"
        )

    # --- which numbers are the function's own -----------------------------------------------------

    def plain(self, x: Traced) -> bool:
        """Whether eager code has a plain number here: all of arguments without Values."""
        if id(x) in self.wrapped:
            return False
        known, place = self._plain, int(x._left)
        for i in range(len(known), place + 1):
            known.append(self._is_plain(i))
        return known[place]

    def _is_plain(self, i: int) -> bool:
        kind = self.kinds[i]
        if kind == INPUT:
            return self.lefts[i] is None and not self.inputs[self.rights[i]]
        if kind in (PARAMETER, CONSTANT, INTEGER, STATE):
            return bool(kind != PARAMETER)
        return all(self._plain[k] for k in self._operands(i))

    def _operands(self, i: int) -> Iterator[int]:
        left, right = self.lefts[i], self.rights[i]
        if self.kinds[i] == TAKE:
            yield from (left[0], *left[1])
        elif self.kinds[i] == DOT:
            yield from (*left[0], *left[1])
        else:
            yield from left if isinstance(left, tuple) else (left,)
        if right >= 0:
            yield right

    def integral(self, place: int | None) -> bool:
        """Whether eager code has an integer here: sums and products of integers."""
        stack = [place]
        while stack:
            i = stack.pop()
            if i is None:
                return False
            kind = self.kinds[i]
            if kind == CONSTANT:
                if not float(self.lefts[i]).is_integer():
                    return False
            elif kind in (ops.add, ops.mul) or self._is_whole_power(kind):
                stack += self._operands(i)
            elif kind != INTEGER:
                return False
        return True

    @staticmethod
    def _is_whole_power(kind: Any) -> bool:
        if not isinstance(kind, Op) or kind.parameters[:1] != ("**",):
            return False
        exponent = kind.parameters[1]
        return type(exponent) is int and exponent >= 0

    def floats(self, array: np.ndarray) -> np.ndarray:
        if not self.narrow:
            return array
        widened: np.ndarray = np.frompyfunc(wide, 1, 1)(array)
        return widened

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
        index = np.asarray(index)
        if index.dtype != object:
            return NotImplemented
        if not any(isinstance(i, Traced) for i in index.flat):
            if index.size and all(isinstance(i, (int, np.integer)) for i in index.flat):
                return take(table, index.astype(np.int64), axis)  # np.zeros_like of traced integers
            return NotImplemented
        for i in index.flat:
            if not self.integral(self.find(i)):
                raise self.error("taking by a fraction")
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


def whereabouts(function: Any) -> str:
    """File and line where a function is defined, or its name."""
    while isinstance(function, (partial, MethodType)):
        function = function.func if isinstance(function, partial) else function.__func__
    code = getattr(
        function if isinstance(function, FunctionType) else type(function).__call__,
        "__code__",
        None,
    )
    if code is None:
        return str(getattr(function, "__name__", function))
    return f"{code.co_filename}, line {code.co_firstlineno}"
