"""The forward code of a program: every instruction as NumPy calls, scalars as plain Python."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from micrograd import ops
from micrograd.lifting.rows import QUOTIENT, QUOTIENT_PLUS, SUBTRACT
from micrograd.lifting.run.tables import choose_rows
from micrograd.lifting.schedule import Instruction
from micrograd.lifting.strides import Access
from micrograd.lifting.views import addresses
from micrograd.lifting.write import Target, Writer
from micrograd.reals import divide

__all__ = ["ForwardWriter", "cell_addresses", "is_scalar"]


def is_scalar(instruction: Instruction) -> bool:
    """True for a single result of at most four numbers, which plain Python computes faster."""
    shape = instruction.out.shape
    width = int(np.prod(shape)) if shape else 1
    return (
        all(stride == 0 for stride in instruction.out.strides)
        and width <= 4
        and instruction.kind != "take"
    )


def cell_addresses(access: Access, inner: int) -> list[int]:
    """The addresses that a scalar instruction reads along its `inner` reduced loops."""
    outer = len(access.shape) - inner
    loops = access.shape[outer:], access.strides[outer:]
    if access.gather is not None:
        return [int(a) for a in access.gather[addresses(0, *loops)].flat]
    return [int(a) for a in addresses(access.base, *loops).flat]


class ForwardWriter(Writer):
    """Writes v[out] = op(v[operands]) for one instruction after the other."""

    def write(self, instruction: Instruction) -> None:
        self.views.begin()
        if is_scalar(instruction):
            self.scalar(instruction)
        else:
            getattr(self, instruction.kind)(instruction)

    def out(self, instruction: Instruction) -> Target:
        return Target("v", instruction.out.base, instruction.out.strides)

    def map(self, instruction: Instruction) -> None:
        shape = instruction.out.shape
        names = [self.view(self.read(access), shape) for access in instruction.operands]
        self.apply(instruction.op, names, self.view(self.out(instruction), shape), shape)

    def sum(self, instruction: Instruction) -> None:
        self._reduce(instruction, "add_reduce", np.add.reduce)

    def chain(self, instruction: Instruction) -> None:
        assert instruction.op is not None
        ufunc = np.maximum if instruction.op is ops.maximum else np.minimum
        self._reduce(instruction, f"{ufunc.__name__}_reduce", ufunc.reduce)

    def _reduce(self, instruction: Instruction, name: str, function: object) -> None:
        (operand,) = instruction.operands
        inner = instruction.inner
        shape = instruction.out.shape
        outer = len(shape) - inner
        view = self.view(self.read(operand), shape)
        out = Target("v", instruction.out.base, instruction.out.strides[:outer])
        axes = -1 if inner == 1 else tuple(range(outer, len(shape)))
        self.views.function(name, function)
        self.emit(f"{name}({view}, {axes}, None, {self.view(out, shape[:outer])})")

    def dot(self, instruction: Instruction) -> None:
        x, w = (self.read(access) for access in instruction.operands)
        shape = instruction.out.shape
        self.contract(shape, x, w, self.out(instruction))
        if instruction.start is not None:
            outer = len(shape) - instruction.inner
            start = self.read(instruction.start)
            start = Target(start.buffer, start.base, start.strides[:outer])
            out = Target("v", instruction.out.base, instruction.out.strides[:outer])
            name = self.view(out, shape[:outer])
            self.views.function("add", np.add)
            self.emit(f"add({name}, {self.view(start, shape[:outer])}, {name})")

    def take(self, instruction: Instruction) -> None:
        buffer = self.read(instruction.operands[1]).buffer
        chosen = self.chosen(instruction)
        shape = instruction.out.shape[: len(instruction.out.shape) - 1]
        out = self.view(
            Target("v", instruction.out.base, instruction.out.strides[: len(shape)]), shape
        )
        self.emit(f"{buffer}.take({chosen}, None, {out}, 'clip')")

    def chosen(self, instruction: Instruction) -> str:
        """The name of the addresses that a take reads, computed from its integers when it runs.

        The backward pass finds them under the same name.
        """
        key = ("chosen", instruction.out.base, instruction.out.shape)
        if key in self.copies:
            return self.copies[key]
        index, table = instruction.operands
        shape = instruction.out.shape
        outer, rows, step = shape[:-1], shape[-1], table.strides[-1]
        moving = [i for i, stride in enumerate(index.strides[:-1]) if stride]
        kept = [outer[i] for i in moving]
        read = self.read(index)
        view = self.view(Target(read.buffer, read.base, [read.strides[i] for i in moving]), kept)
        row = self.views.temporary(kept, np.intp)
        self.views.function("choose_rows", choose_rows)
        self.emit(f"choose_rows({view}, {rows}, {step}, {row}, {row}.view('u8'))")
        _, base = self.space(table.base)
        self.views.function("add", np.add)
        name = self.copies[key] = self.views.temporary(outer, np.intp, keep=True)
        found = addresses(base, outer, table.strides[:-1]).astype(np.intp)
        offsets = self.views.constant("offsets", found, (base, outer, table.strides))
        spread = self.views.retyped(row, outer, _spread(kept, moving, len(outer)))
        self.emit(f"add({offsets}, {spread}, {name})")
        return name

    # --- one number at a time ---------------------------------------------------------------------

    def cell(self, address: int) -> str:
        buffer, at = self.space(address)
        return f"{buffer}_[{at}]"

    def cells(self, instruction: Instruction, operand: int) -> list[str]:
        return [
            self.cell(a) for a in cell_addresses(instruction.operands[operand], instruction.inner)
        ]

    def scalar(self, instruction: Instruction) -> None:
        out = self.cell(instruction.out.base)
        columns = [self.cells(instruction, k) for k in range(len(instruction.operands))]
        if instruction.kind == "dot":
            terms = [f"{x} * {w}" for x, w in zip(*columns, strict=True)]
            if instruction.start is not None:
                terms.append(self.cell(cell_addresses(instruction.start, 0)[0]))
            self.emit(f"{out} = {' + '.join(terms)}")
        elif instruction.kind == "sum":
            self.emit(f"{out} = {' + '.join(columns[0])}")
        elif instruction.kind == "chain":
            function = self.views.constant("number", instruction.op.number)  # type: ignore[union-attr]
            nested = columns[0][0]
            for cell in columns[0][1:]:
                nested = f"{function}({nested}, {cell})"
            self.emit(f"{out} = {nested}")
        else:
            cells = [column[0] for column in columns]
            sign = {ops.add: "+", ops.mul: "*", SUBTRACT: "-"}.get(instruction.op)  # type: ignore[arg-type]
            if instruction.op in (QUOTIENT, QUOTIENT_PLUS):
                a, _, b, *factors = cells
                safe = self.views.constant("divide", divide)
                plus = f" + {' * '.join(factors)}" if factors else ""
                self.emit(f"{out} = ({a} / {b} if {b} else {safe}({a}, {b})){plus}")
            elif sign:
                self.emit(f"{out} = {cells[0]} {sign} {cells[1]}")
            else:
                function = self.views.constant("number", instruction.op.number, id(instruction.op))  # type: ignore[union-attr]
                self.emit(f"{out} = {function}({', '.join(cells)})")


def _spread(sizes: Sequence[int], moving: Sequence[int], ndim: int) -> list[int]:
    strides = [0] * ndim
    step = 1
    for size, axis in reversed(list(zip(sizes, moving, strict=True))):
        strides[axis] = step
        step *= size
    return strides
