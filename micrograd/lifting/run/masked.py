"""Sums of where(mask, a * b, 0), as matrix products.

The mask is applied to the factor that moves along the mask's loops, or to the result. A term that
it leaves out must not count even if its other factor is inf or nan, although 0 * inf is nan: only
if there are such factors is every product computed, and the mask applied to the products.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograd import ops
from micrograd.lifting.run.contraction import Operand, contract
from micrograd.lifting.run.source import Source
from micrograd.lifting.steps.expression import Apply, Formula, Read
from micrograd.lifting.steps.ir import Step
from micrograd.lifting.steps.notation import product
from micrograd.lifting.steps.walks import dense, moving, walk

__all__ = ["MaskedProduct", "is_finite"]


def is_finite(x: np.ndarray) -> bool:
    """Whether all numbers are finite (also False if the sum of their squares overflows)."""
    return math.isfinite(np.vdot(x, x))


class MaskedProduct:
    """A step whose value is where(mask, a * b, 0): its factors, and what the mask is applied to."""

    def __init__(self, step: Step, mask: int, factors: Sequence[int]) -> None:
        self.step, self.factors = step, factors
        self.mask = step.reads[mask]
        along = set(moving(self.mask, step.loops))
        self.over_result = along <= set(moving(step.out, step.loops))
        fitting = [k for k in (0, 1) if along <= set(moving(step.reads[factors[k]], step.loops))]
        self.masked = fitting[0] if fitting else None

    @classmethod
    def of(cls, step: Step) -> MaskedProduct | None:
        """The step as a masked product, if it is one that a matrix product may compute."""
        masks: list[int] = []
        factors = product(_stripped(step.value, masks))
        if len(masks) != 1 or factors is None or factors[1] or len(factors[0]) != 2:
            return None
        if step.combine is not ops.add or step.reads[masks[0]].array.numbers is None:
            return None
        found = cls(step, masks[0], factors[0])
        return found if found.over_result or found.masked is not None else None

    def write(self, source: Source, operands: Sequence[Operand], out: Operand, slow: Any) -> None:
        """Write the product to `out`; `slow()` writes the code that is right for inf and nan."""
        step = self.step
        if self.over_result:
            moves = moving(step.out, step.loops)
            name, place = self._temporary(source, moves)
            contract(source, step.loops, operands[0], operands[1], place, False)
            sizes = [step.loops[k] for k in moves]
            target = source.view(out.source, out.base, sizes, [out.strides[k] for k in moves])
            self._choose(source, moves, name, name)
            if step.accumulate:
                source.call(np.add, target, name, target)
            else:
                source.call(np.copyto, target, name)
            return
        assert self.masked is not None
        other = operands[1 - self.masked]
        moves = moving(step.reads[self.factors[1 - self.masked]], step.loops)
        read = source.view(other.source, other.base, [step.loops[k] for k in moves],
                           [other.strides[k] for k in moves])  # fmt: skip
        source.emit(f"if {source.function(is_finite)}({read}):")
        source.indented()
        chosen = list(operands)
        chosen[self.masked] = self._masked_factor(source, operands[self.masked])
        contract(source, step.loops, chosen[0], chosen[1], out, step.accumulate)
        source.indented("")
        source.emit("else:")
        source.indented()
        slow()
        source.indented("")

    def _masked_factor(self, source: Source, x: Operand) -> Operand:
        assert self.masked is not None
        moves = moving(self.step.reads[self.factors[self.masked]], self.step.loops)
        name, place = self._temporary(source, moves)
        sizes = [self.step.loops[k] for k in moves]
        read = source.view(x.source, x.base, sizes, [x.strides[k] for k in moves])
        self._choose(source, moves, read, name)
        return place

    def _choose(self, source: Source, moves: Sequence[int], read: str, out: str) -> None:
        """out = the numbers where the mask holds, else 0, along the loops `moves`."""
        loops = self.step.loops
        numbers = self.mask.array.numbers.ravel()[walk(self.mask.along(moves),
                                                       [loops[k] for k in moves])]  # fmt: skip
        mask = source.constant("mask", numbers != 0, (numbers != 0).tobytes() + bytes(numbers.ndim))
        zero = source.number(0.0)
        source.emit(
            f"{source.function(np.copyto)}({out}, {source.function(np.where)}({mask}, {read}, "
            f"{zero}))"
        )

    def _temporary(self, source: Source, moves: Sequence[int]) -> tuple[str, Operand]:
        sizes, strides = [self.step.loops[k] for k in moves], [0] * len(self.step.loops)
        for k, stride in zip(moves, dense(sizes), strict=True):
            strides[k] = stride
        name = source.temporary(sizes)
        return name, Operand(name, 0, tuple(strides))


def _stripped(value: Formula, masks: list[int]) -> Formula:
    """A product without the masks around it and in it; they are added to the list `masks`."""
    if isinstance(value, Apply) and value.op is ops.where:
        mask, inside, other = value.inputs
        if isinstance(mask, Read) and other == 0.0:
            if mask.k not in masks:
                masks.append(mask.k)
            return _stripped(inside, masks)
    if isinstance(value, Apply) and value.op is ops.mul:
        return Apply(ops.mul, tuple(_stripped(x, masks) for x in value.inputs))
    return value
