"""Instructions become Python source: a line a NumPy call, on views prepared in advance.

`Writer` holds what forward and backward code have in common: how an operand is read, and how an
expression of the op table or a sum of products is written. `forward.py` and `adjoint.py` use it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from micrograd import ops
from micrograd.lifting.contract import Loop, merged
from micrograd.lifting.rows import QUOTIENT, QUOTIENT_PLUS
from micrograd.lifting.schedule import PARAMETERS
from micrograd.lifting.strides import Access
from micrograd.lifting.symbols import Symbol, is_number
from micrograd.lifting.views import Views

__all__ = ["Target", "Writer", "inputs_first"]


class Target:
    """Where a result goes: a buffer, the first address, the strides along the loops."""

    def __init__(self, buffer: str, base: int, strides: Sequence[int]) -> None:
        self.buffer = buffer
        self.base = base
        self.strides = tuple(strides)


class Writer:
    """Lines of source code, and the views that they name."""

    def __init__(self, views: Views, copies: dict[Any, str]) -> None:
        self.views = views
        self.copies = copies  # gathered operands and addresses that earlier code has computed
        self.lines: list[str] = []

    def emit(self, line: str) -> None:
        self.lines.append(line)

    # --- reading ----------------------------------------------------------------------------------

    def space(self, address: int, gradients: bool = False) -> tuple[str, int]:
        """Which buffer an address is in, and where."""
        if address >= PARAMETERS:
            return ("d" if gradients else "p"), address - PARAMETERS
        return ("g" if gradients else "v"), address

    def read(self, access: Access) -> Target:
        """An operand as strides over a buffer; a gathered one is copied out first."""
        if access.gather is None:
            buffer, base = self.space(access.base)
            return Target(buffer, base, access.strides)
        key = ("copy", access.gather.tobytes())
        if key in self.copies:  # the forward pass has made it already
            return Target(self.copies[key], 0, access.strides)
        name = self.copies[key] = self.views.temporary(access.gather.shape, keep=True)
        parts: list[tuple[Any, np.ndarray]] = [(slice(None), access.gather)]
        inside = access.gather < PARAMETERS
        if inside.any() and not inside.all():
            parts = [(np.flatnonzero(m), access.gather[m]) for m in (inside, ~inside)]
        for where, found in parts:
            buffer = "p" if found[0] >= PARAMETERS else "v"
            index = self.index(found % PARAMETERS)
            if isinstance(where, slice):
                self.emit(f"{buffer}.take({index}, None, {name}, 'clip')")
            else:
                self.emit(f"{name}[{self.index(where)}] = {buffer}.take({index})")
        return Target(name, 0, access.strides)

    def index(self, found: np.ndarray) -> str:
        found = np.ascontiguousarray(found, dtype=np.intp)
        return self.views.constant("index", found, found.tobytes())

    def view(self, target: Target, shape: Sequence[int]) -> str:
        if target.buffer in ("v", "p", "g", "d"):
            return self.views.view(target.buffer, target.base, shape, target.strides)
        return self.views.retyped(target.buffer, shape, target.strides)

    def number(self, x: float) -> str:
        """A constant as an array of no dimensions: a Python float costs each call 0.3 us more."""
        return self.views.constant("c", np.array(float(x)), repr(float(x)))

    def reduced(self, name: str, shape: Sequence[int], axes: tuple[int, ...], out: str) -> None:
        """out = the sum of an array over some axes."""
        if len(shape) == 2 and axes == (0,):  # down the columns BLAS takes a third of the time
            ones = self.views.constant("ones", np.ones(shape[0]), shape[0])
            self.views.function("matmul", np.matmul)
            self.emit(f"matmul({ones}, {name}, {out})")
        else:
            self.views.function("add_reduce", np.add.reduce)
            self.emit(f"add_reduce({name}, {axes}, None, {out})")

    def function(self, op: Any) -> str:
        array = op.array
        if isinstance(array, np.ufunc):
            return self.views.function(array.__name__, array)
        return self.views.constant("op", array)

    # --- expressions ------------------------------------------------------------------------------

    def expression(self, symbol: Symbol, shape: tuple[int, ...], out: str | None = None) -> str:
        """Write lines that compute a Symbol over loops of `shape`; the name of the result.

        The result is `out` if that is given, else a temporary.
        """
        made: dict[int, str] = {}
        order = inputs_first(symbol)
        waiting = Counter(id(x) for node in order for x in node.inputs)  # reads still to come

        def name_of(x: Any) -> str:
            return self.number(x) if is_number(x) else x.name or made[id(x)]

        for node in order:
            last = node is symbol
            if node.name is not None:
                if last and out is not None:
                    self.views.function("copyto", np.copyto)
                    self.emit(f"copyto({out}, {node.name})")
                    return out
                continue
            names = [name_of(x) for x in node.inputs]
            for x in node.inputs:
                waiting[id(x)] -= 1
            free = [made[id(x)] for x in node.inputs if id(x) in made and not waiting[id(x)]]
            if last and out is not None:
                place = out
            else:  # in place of an input that is not read again: less memory to go through
                place = free[0] if free else self.views.temporary(shape)
            self.apply(node.op, names, place, shape)
            made[id(node)] = place
        return made.get(id(symbol)) or symbol.name or ""

    def apply(self, op: Any, names: Sequence[str], out: str, shape: tuple[int, ...]) -> None:
        """One row of the table on arrays."""
        if op is ops.where:  # twice as fast as filling with b and copying a where c holds
            c, a, b = names
            mask = self.views.temporary(shape, bool)
            for name in ("not_equal", "copyto", "where"):
                self.views.function(name, getattr(np, name))
            self.emit(f"not_equal({c}, {self.number(0.0)}, {mask})")
            self.emit(f"copyto({out}, where({mask}, {a}, {b}))")
        elif op is QUOTIENT_PLUS:
            a, _, b, x, w = names
            product = self.views.temporary(shape)
            for name in ("multiply", "divide", "add"):
                self.views.function(name, getattr(np, name))
            self.emit(f"multiply({x}, {w}, {product})")
            self.emit(f"divide({a}, {b}, {out})")
            self.emit(f"add({out}, {product}, {out})")
        elif op is QUOTIENT:
            self.views.function("divide", np.divide)
            self.emit(f"divide({names[0]}, {names[2]}, {out})")
        elif op is ops.greater or op is ops.equal:
            ufunc = np.greater if op is ops.greater else np.equal
            self.emit(f"{self.views.function(ufunc.__name__, ufunc)}({', '.join(names)}, {out})")
        elif op is ops.relu:
            self.views.function("maximum", np.maximum)
            self.emit(f"maximum({names[0]}, {self.number(0.0)}, out={out})")
        elif op is ops.maximum or op is ops.minimum:  # NumPy deprecates their third argument
            self.emit(f"{self.function(op)}({', '.join(names)}, out={out})")
        elif isinstance(op.array, np.ufunc):
            self.emit(f"{self.function(op)}({', '.join(names)}, {out})")
        elif op.parameters == ("**", -0.5):  # of -inf it is nan, where power says 0
            self.views.function("sqrt", np.sqrt)
            self.views.function("reciprocal", np.reciprocal)
            self.emit(f"sqrt({names[0]}, {out})")
            self.emit(f"reciprocal({out}, {out})")
        elif op.parameters[:1] == ("**",):
            self.views.function("power", np.power)
            self.emit(f"power({names[0]}, {self.number(op.parameters[1])}, {out})")
        else:
            self.emit(f"{self.function(op)}({', '.join(names)}, out={out})")

    # --- sums of products -------------------------------------------------------------------------

    def contract(
        self, shape: Sequence[int], a: Target, b: Target, out: Target, *, add: bool = False
    ) -> None:
        """out[...] = sum a[...] * b[...] over loops of `shape` (with `add`: out[...] += ...).

        The sum runs along the loops that `out` does not move along.
        """
        loops = [
            Loop(length, *strides)
            for length, *strides in zip(shape, a.strides, b.strides, out.strides, strict=True)
        ]
        repeats = 1
        for loop in loops:
            if loop.role == "repeat":
                repeats *= loop.length
        loops = [loop for loop in loops if loop.role != "repeat"]
        loops = merged(loops)
        sums = [loop for loop in loops if loop.role == "sum"]
        if len(sums) > 1:  # one loop in memory, by copying what is not
            loops = [loop for loop in loops if loop.role != "sum"] + sums
            a, loops = self._copied(a, loops, "a")
            b, loops = self._copied(b, loops, "b")
            loops = merged(loops)
        if not add and repeats == 1:
            self._product(a, b, out, loops)
            return
        moving = [loop for loop in loops if loop.out]
        sizes = [loop.length for loop in moving]
        name = self.views.temporary(sizes)
        dense = _restrided(loops, moving, "out")
        self._product(a, b, Target(name, 0, ()), dense)
        result = self.view(Target(out.buffer, out.base, [loop.out for loop in moving]), sizes)
        self.views.function("add", np.add)
        if repeats > 1:
            self.views.function("multiply", np.multiply)
            self.emit(f"multiply({name}, {float(repeats)}, {name if add else result})")
        if add:
            self.emit(f"add({result}, {name}, {result})")

    def _copied(self, x: Target, loops: list[Loop], which: str) -> tuple[Target, list[Loop]]:
        """A factor copied in the order of the loops, if the loops of the sum are not one in it."""
        sums = [loop for loop in loops if loop.role == "sum"]
        if all(
            getattr(outer, which) == getattr(inner, which) * inner.length
            for outer, inner in pairwise(sums)
        ):
            return x, loops
        moving = [loop for loop in loops if getattr(loop, which) or loop in sums]
        sizes = [loop.length for loop in moving]
        name = self.views.temporary(sizes)
        self.views.function("copyto", np.copyto)
        self.emit(f"copyto({name}, {self._factor(x, moving, which)})")
        return Target(name, 0, ()), _restrided(loops, moving, which)

    def _factor(self, x: Target, loops: Sequence[Loop], which: str) -> str:
        strides = [getattr(loop, which) for loop in loops]
        return self.view(Target(x.buffer, x.base, strides), [loop.length for loop in loops])

    def _product(self, a: Target, b: Target, out: Target, loops: list[Loop]) -> None:
        """The call that computes it: multiply without a sum, else matmul or vecdot."""
        sums = [loop for loop in loops if loop.role == "sum"]
        if not sums:
            views = [
                self._factor(x, loops, which) for x, which in ((a, "a"), (b, "b"), (out, "out"))
            ]
            self.emit(f"{self.views.function('multiply', np.multiply)}({', '.join(views)})")
            return
        row = _longest([loop for loop in loops if loop.role == "row"])
        column = _longest([loop for loop in loops if loop.role == "column"])
        used = {id(loop) for loop in (*row, *column, *sums)}
        batch = [loop for loop in loops if id(loop) not in used]
        if not row and not column:
            name = "vecdot" if batch else "matmul"
            views = [
                self._factor(a, batch + sums, "a"),
                self._factor(b, batch + sums, "b"),
                self._factor(out, batch, "out"),
            ]
            self.emit(f"{self.views.function(name, getattr(np, name))}({', '.join(views)})")
            return
        if batch:  # matmul broadcasts over a batch only between two matrices
            row, column = row or [_ONE], column or [_ONE]
        views = [
            self._factor(a, batch + row + sums, "a"),
            self._factor(b, batch + sums + column, "b"),
            self._factor(out, batch + row + column, "out"),
        ]
        self.emit(f"{self.views.function('matmul', np.matmul)}({', '.join(views)})")


_ONE = Loop(1, 0, 0, 0)


def _longest(loops: list[Loop]) -> list[Loop]:
    return [max(loops, key=lambda loop: loop.length)] if loops else []


def _restrided(loops: Sequence[Loop], moving: Sequence[Loop], which: str) -> list[Loop]:
    """The loops over a contiguous copy of one factor, laid out in the order of `moving`."""
    dense = _dense([loop.length for loop in moving])
    strides = {id(loop): stride for loop, stride in zip(moving, dense, strict=True)}
    return [loop._replace(**{which: strides.get(id(loop), 0)}) for loop in loops]


def _dense(sizes: Sequence[int]) -> list[int]:
    """The strides of a contiguous array, in elements."""
    return [math.prod(sizes[i + 1 :]) for i in range(len(sizes))]


def inputs_first(symbol: Symbol) -> list[Symbol]:
    order: list[Symbol] = []
    seen: set[int] = set()
    stack: list[tuple[Symbol, bool]] = [(symbol, False)]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack += [(x, False) for x in reversed(node.inputs) if isinstance(x, Symbol)]
    return order
