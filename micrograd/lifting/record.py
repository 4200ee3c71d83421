"""Run a function on traced Values and write down every operation on a tape.

A `Traced` Value has no number, only a place on the tape, so that nothing recorded can depend on
one. `Recorder` is what `modes.mode` hands operations to; read `tape.py` first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from micrograd.engine import Leaf, NumbersOnly, Value
from micrograd.functional import take
from micrograd.lifting.errors import refusal
from micrograd.lifting.narrow import wide
from micrograd.lifting.rows import QUOTIENT
from micrograd.lifting.tape import DOT, INPUT, MANY, NONE, PARAMETER, STATE, TAKE, Kind, Tail, Tape
from micrograd.lifting.traced import Traced
from micrograd.modes import Mode
from micrograd.op import Op
from micrograd.reals import is_real

__all__ = ["Buffer", "Recorder"]

_new = object.__new__
_FULL = {"data": "number", "grad": "gradient"}


class Recorder(Mode):
    """The mode in which operations are written on `tape`, and what else the function did."""

    def __init__(self) -> None:
        self.tape = Tape()
        self.captured: dict[Value, int] = {}  # Values from outside, and their places
        self.created_here: dict[Value, None] = {}
        self.wrapped: dict[int, Value] = {}  # Value(x) of a traced x, by id
        self.narrow: dict[int, np.dtype[Any]] = {}  # of arguments that are no float64 and no int64
        self.inputs: list[bool] = []  # for each argument, whether it holds Values
        self.buffers: dict[tuple[Any, str], Any] = {}  # running statistics: their new values
        self.draws: list[Draw] = []
        self._plain: list[bool] = []

    def node(self, kind: Op | Kind, left: int, right: int) -> Traced:
        tape = self.tape  # `Tape.add` written out
        kinds = tape.kinds
        out = _new(Traced)
        out._left = len(kinds)
        out._right = self
        kinds.append(kind)
        tape.lefts.append(left)
        tape.rights.append(right)
        return out

    def apply(self, op: Op, places: tuple[int, ...]) -> Traced:
        """Record a row applied to the numbers at these places."""
        if len(places) == 1:
            return self.node(op, places[0], NONE)
        if len(places) == 2:
            return self.node(op, places[0], places[1])
        return self.node(op, self.tape.add_list(places), MANY)

    def array(self, kind: Kind, shape: tuple[int, ...], number: int) -> np.ndarray:
        """An object array of fresh leaves: of the argument or the draw of this number."""
        size = math.prod(shape)
        leaves = [self.node(kind, number, NONE) for _ in range(size)]
        return np.fromiter(leaves, object, size).reshape(shape)

    def find(self, x: Any) -> int | None:
        """The place of an operand: a traced Value, one captured from outside, or a constant.

        None for what is no number.
        """
        if isinstance(x, Value):
            if not x.has_number:
                if x._right is not self:
                    raise refusal("using a Value that another recording traced")
                return x._left  # type: ignore[no-any-return]
            place = self.captured.get(x)
            if place is None:
                if x in self.created_here:
                    return self.tape.constant(x._data)
                place = self.captured[x] = self.tape.parameter(x)
            return place
        if type(x) is float:
            return self.tape.constant(x)
        if isinstance(x, np.ndarray) and x.shape == () and x.dtype == object:
            return self.find(x.item())
        return self.tape.constant(float(x)) if is_real(x) else None

    def places(self, values: Iterable[Any]) -> tuple[int, ...]:
        """The places of operands, all of which are numbers."""
        return tuple(map(self.find, values))  # type: ignore[arg-type]

    # --- what the engine asks of a mode -----------------------------------------------------------

    def record(self, op: Op, inputs: Sequence[Value]) -> Traced:
        return self.apply(op, self.places(inputs))

    def quotient(self, product: Value, a: Any, b: Any) -> Value:
        """Record the quotient of a, b**-1 and b in the place of a * b**-1, the last node."""
        if type(product) is not Traced or product._right is not self:
            return product
        _, left, right = self.tape.take_back()
        (dividend,) = self.places((a,))
        inverse = right if left == dividend else left
        if isinstance(b, Value):
            (divisor,) = self.places((b,))
        else:
            divisor = self.tape.constant(float(b), divisor=True)
        quotient: Value = self.apply(QUOTIENT, (dividend, inverse, divisor))
        return quotient

    def constructs(self, node: Value, data: Any, made_from: Any) -> Value:
        """`Value(...)` inside the function: a constant, or a second name of a traced Value."""
        if made_from:
            raise refusal("making a node by hand, Value(..., children)")
        if not isinstance(data, Value):
            self.created_here[node] = None
            return node
        if type(node) is not Leaf:
            raise refusal(f"making a {type(node).__name__} of a traced number by hand")
        name = _new(Traced)
        name._left, name._right = self.find(data), self
        self.wrapped[id(name)] = name
        return name

    def entered(self, inner: Mode) -> None:
        if isinstance(inner, NumbersOnly):
            raise refusal("entering no_grad()")

    def refuse(self, what: str) -> None:
        raise refusal(what)

    def read(self, node: Value, what: str) -> None:
        if node not in self.created_here:  # one from outside: the program would keep it for good
            raise refusal(f"reading the {_FULL[what]} of a parameter")

    def written(self, node: Value, what: str) -> None:
        if node not in self.created_here:
            raise refusal(f"writing the {_FULL[what]} of a parameter")

    # --- which numbers are the function's own -----------------------------------------------------

    def plain(self, x: Traced) -> bool:
        """Whether eager code has a plain number here: it comes from such arguments alone."""
        if id(x) in self.wrapped:
            return False
        known, place = self._plain, int(x._left)
        for i in range(len(known), place + 1):
            known.append(self._is_plain(i))
        return known[place]

    def _is_plain(self, place: int) -> bool:
        kind = self.tape.kinds[place]
        if kind is INPUT:
            return not self.inputs[self.tape.lefts[place]]
        return kind is not PARAMETER and all(self._plain[k] for k in self.tape.inputs(place))

    def floats(self, array: np.ndarray) -> np.ndarray:
        if not self.narrow:
            return array
        widened: np.ndarray = np.frompyfunc(wide, 1, 1)(array)
        return widened

    # --- many dots at once ------------------------------------------------------------------------

    def dots(
        self, rows: Sequence[Sequence[Value]], tails: Sequence[Sequence[Value]]
    ) -> list[Traced]:
        tape, n = self.tape, len(rows[0])
        first = [tape.add_list(self.places(row)) for row in rows]
        second = [len(tape.tails) + k for k in range(len(tails))]
        for tail in tails:
            places = self.places(tail)
            tape.tails.append(Tail(places[:n], places[n] if len(places) > n else NONE))
        return [self.node(DOT, row, tail) for row in first for tail in second]

    # --- integers, running statistics, random draws -----------------------------------------------

    def take(self, table: Any, index: Any, axis: int = 0) -> Any:
        """`np.take` by traced integers: each element is a node that chooses from the table."""
        index = np.asarray(index)
        if index.dtype != object:
            return NotImplemented
        if not any(isinstance(i, Traced) for i in index.flat):
            if index.size and all(isinstance(i, (int, np.integer)) for i in index.flat):
                return take(table, index.astype(np.int64), axis)  # np.zeros_like of traced integers
            return NotImplemented
        chosen = self.places(index.flat)
        if not all(map(self.tape.is_integer, chosen)):
            raise refusal("taking by a fraction")
        table = np.asarray(table, dtype=object)
        axis = range(table.ndim)[axis]
        table = np.moveaxis(table, axis, 0)
        rows, inner = table.shape[0], table.shape[1:]
        columns = table.reshape(rows, -1)
        tables = [self.tape.add_list(self.places(columns[:, j])) for j in range(columns.shape[1])]
        result = np.empty((index.size, len(tables)), dtype=object)
        for i, place in enumerate(chosen):
            for j, candidates in enumerate(tables):
                result[i, j] = self.node(TAKE, place, candidates)
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
        drawn = self.array(STATE, shape, len(self.draws))
        self.draws.append(Draw(generator, shape, drawn))
        return drawn


class Draw(NamedTuple):
    """Fresh uniform numbers that a layer asked for (dropout), or running statistics it read."""

    generator: Any
    shape: tuple[int, ...]
    drawn: np.ndarray


class Buffer(NamedTuple):
    """A module's running statistics, which a call gets by `random`, as from a generator."""

    module: Any
    name: str

    def random(self, size: int) -> np.ndarray:
        return getattr(self.module, self.name).reshape(size)  # type: ignore[no-any-return]
