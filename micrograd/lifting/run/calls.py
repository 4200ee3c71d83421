"""One step as NumPy calls: arrays for what it reads, the computation, where the result goes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from micrograd import ops
from micrograd.lifting.run.contraction import Operand, contract
from micrograd.lifting.run.masked import MaskedProduct
from micrograd.lifting.run.numbers_in_turn import Numbers
from micrograd.lifting.run.reads import Reads
from micrograd.lifting.run.straight import Table, literal
from micrograd.lifting.run.tables import scatter_add
from micrograd.lifting.run.ufuncs import emit, reduction
from micrograd.lifting.steps.expression import Formula, Read, evaluate, reads_of
from micrograd.lifting.steps.ir import Array, Step, View
from micrograd.lifting.steps.notation import product
from micrograd.lifting.steps.straight import cases_of
from micrograd.lifting.steps.walks import (
    dense,
    is_recurrence,
    lanes,
    moving,
    repeats,
    standing,
    walk,
)
from micrograd.lifting.strides import distinct

__all__ = ["Calls"]

_FEW = 4  # a number made of so many turns of the loops is quicker in plain Python


class Calls(Reads):
    """Writes the calls of one step after the other."""

    def write(self, step: Step) -> None:
        cases = cases_of(step)
        if cases is not None:
            table = Table(step, cases)
            name = self.source.constant("straight", table, id(table))
            self.source.emit(f"{name}({', '.join(map(self.source.array, table.names))})")
        elif not moving(step.out, step.loops) and math.prod(step.loops) <= _FEW and _plain(step):
            self.cells(step)
        elif is_recurrence(step):
            self.in_turn(step)
        elif step.out.index is not None or step.out.gather is not None or repeats(step):
            self.scatter(step)
        else:
            self.regular(step)

    # --- steps ------------------------------------------------------------------------------------

    def regular(self, step: Step) -> None:
        """A step that writes to a strided view which visits no place twice."""
        out = Operand(step.out.array.name, step.out.base, step.out.strides)
        factors = product(step.value)
        if factors is not None and len(factors[0]) == 2 and step.combine in (None, ops.add):
            self.product(step, out, *factors)
            return
        if factors is not None and len(factors[0]) == 1 and factors[1] and step.combine is ops.add:
            self.scaled_sum(step, out, factors[0][0], math.prod(factors[1]))
            return
        masked = MaskedProduct.of(step)
        if masked is not None:
            operands = [self.operand(step.reads[k], step.loops) for k in masked.factors]
            self.operand(masked.mask, step.loops)  # made before the code divides
            masked.write(self.source, operands, out, lambda: self.elementwise(step, out))
            return
        self.elementwise(step, out)

    def elementwise(self, step: Step, out: Operand) -> None:
        """A step as ufuncs, number by number, and then a sum or maximum if it combines."""
        still = standing(step.out, step.loops)
        kept = [k for k in range(len(step.loops)) if k not in still]
        sizes = [step.loops[k] for k in kept]
        target = self.source.view(out.source, out.base, sizes, [out.strides[k] for k in kept])
        if step.accumulate:
            value = self.value(step, kept)
            self.source.call(np.add, target, value, target)
        else:
            self.value(step, kept, target)

    def value(self, step: Step, kept: Sequence[int], out: str | None = None) -> str:
        """What a step computes along the loops `kept`, into `out` if given."""
        if step.combine is None or len(kept) == len(step.loops):
            return self.expression(step.value, step, out)
        name = self.expression(step.value, step)
        place = out or self.source.temporary([step.loops[k] for k in kept])
        axes = tuple(k for k in range(len(step.loops)) if k not in kept)
        reduction(self.source, step.combine, name, step.loops, axes, place)
        return place

    def expression(self, value: Formula, step: Step, out: str | None = None) -> str:
        """The name of an array with an axis for each loop, which holds the value."""
        if isinstance(value, Read) and out is not None:
            view = step.reads[value.k]
            if view.index is not None and len(moving(view, step.loops)) == len(step.loops):
                self.take(view, step.loops, out)
                return out
        names = {
            k: self.view(self.operand(step.reads[k], step.loops), step.loops)
            for k in reads_of(value)
        }
        return emit(self.source, value, names, step.loops, out)

    def scaled_sum(self, step: Step, out: Operand, read: int, factor: float) -> None:
        """sum of c * x as c * sum of x: fewer numbers are multiplied."""
        kept = moving(step.out, step.loops)
        sizes = [step.loops[k] for k in kept]
        target = self.source.view(out.source, out.base, sizes, [out.strides[k] for k in kept])
        name = self.source.temporary(sizes) if step.accumulate else target
        self.value(replace(step, value=Read(read)), kept, name)
        self.source.call(np.multiply, name, self.source.number(factor), name)
        if step.accumulate:
            self.source.call(np.add, target, name, target)

    def product(
        self, step: Step, out: Operand, reads: Sequence[int], numbers: Sequence[float]
    ) -> None:
        a, b = (self.operand(step.reads[k], step.loops) for k in reads)
        if numbers:  # the factor that moves less is scaled
            views = [step.reads[k] for k in reads]
            sizes = [math.prod(step.loops[k] for k in moving(v, step.loops)) for v in views]
            if sizes[0] <= sizes[1]:
                a = self.scaled(views[0], a, step.loops, math.prod(numbers))
            else:
                b = self.scaled(views[1], b, step.loops, math.prod(numbers))
        contract(self.source, step.loops, a, b, out, step.accumulate)

    def scaled(self, view: View, x: Operand, loops: Sequence[int], factor: float) -> Operand:
        moves = moving(view, loops)
        sizes = [loops[k] for k in moves]
        name, strides = self.source.temporary(sizes), [0] * len(loops)
        for k, stride in zip(moves, dense(sizes), strict=True):
            strides[k] = stride
        read = self.source.view(x.source, x.base, sizes, [x.strides[k] for k in moves])
        self.source.call(np.multiply, read, self.source.number(factor), name)
        return Operand(name, 0, tuple(strides))

    def scatter(self, step: Step) -> None:
        """A step that writes to a list of places, or to rows that an index chooses."""
        source, moves = self.source, moving(step.out, step.loops)
        sizes = [step.loops[k] for k in moves]
        value = self.scattered(step, moves, sizes)
        array = source.array(step.out.array.name)
        if step.out.index is None:
            places = walk(step.out.along(moves), sizes)
            unique = len(distinct(places)) == places.size
            if unique or not step.accumulate:
                sign = "+=" if step.accumulate else "="
                rows = self.rows(step.out.array, places) if value.startswith("_") else None
                if rows is not None:
                    array, places, length = rows
                    value = source.view(value, 0, (places.size, length), (length, 1))
                source.emit(f"{array}[{source.places(places)}] {sign} {value}")
                return
        chosen = self.chosen(step.out, step.loops)
        source.emit(f"{source.function(scatter_add)}({array}, {chosen}, {value})")

    def scattered(self, step: Step, moves: Sequence[int], sizes: Sequence[int]) -> str:
        """The numbers for the places that the loops `moves` visit, as a new array.

        A sum of products is a matrix product here, too, as in `regular`.
        """
        summed = len(moves) < len(step.loops)
        factors = product(step.value)
        whole = replace(step, accumulate=False, combine=ops.add if summed else None)
        is_product = factors is not None and len(factors[0]) == 2
        if not summed or not (is_product or MaskedProduct.of(whole)):
            return self.value(whole, moves)
        name = self.source.temporary(sizes)
        strides = [0] * len(step.loops)
        for k, stride in zip(moves, dense(sizes), strict=True):
            strides[k] = stride
        apart = View(Array(name, tuple(sizes), "gradient"), 0, tuple(strides))
        self.regular(replace(whole, out=apart))
        return name

    def in_turn(self, step: Step) -> None:
        """A recurrence: turn after turn, each for all rows that do not read one another."""
        rows = lanes(step)
        if step.accumulate:
            value = ops.add(Read(len(step.reads)), step.value)
            step = replace(step, value=value, reads=(*step.reads, step.out), accumulate=False)
        if Numbers.fits(step, rows) and Numbers(self, step, rows).write():
            return
        sizes = [step.loops[k] for k in rows]
        others = [k for k in range(len(step.loops)) if k not in rows]
        turns = list(itertools.product(*(range(step.loops[k]) for k in others)))
        names = []
        for view in (step.out, *step.reads):
            x = self.operand(view, step.loops)
            bases = [
                x.base + sum(x.strides[k] * t for k, t in zip(others, turn, strict=True))
                for turn in turns
            ]
            names.append(self.source.series(x.source, bases, sizes, [x.strides[k] for k in rows]))
        variables = [f"x{k}" for k in range(len(names))]
        self.source.emit(f"for {', '.join(variables)}, in zip({', '.join(names)}):")
        self.source.indented()
        reads = dict(enumerate(variables[1:]))
        reads |= {k: variables[0] for k, view in enumerate(step.reads) if view == step.out}
        emit(self.source, step.value, reads, sizes, variables[0])
        self.source.indented("")

    # --- one number at a time ---------------------------------------------------------------------

    def cells(self, step: Step) -> None:
        """A step that makes a few numbers, in plain Python."""
        terms = []
        for turns in itertools.product(*map(range, step.loops)):
            cells = [self.cell(view.shifted(turns)) for view in step.reads]
            terms.append(evaluate(step.value, cells.__getitem__, self.call))
        text = str(terms[0])
        for term in terms[1:]:
            text = self.call(step.combine, text, term)
        sign = "+=" if step.accumulate else "="
        self.source.emit(f"{self.cell(step.out)} {sign} {text}")

    def cell(self, view: View) -> str:
        place = view.base if view.gather is None else int(view.gather[view.base])
        return self.source.cell(view.array.name, place)

    def call(self, op: Any, *xs: Any) -> str:
        words = [x if isinstance(x, str) else literal(x) for x in xs]
        if op.name in ("+", "*", "-") and not op.parameters:
            return f"({words[0]} {op.name} {words[1]})"
        return f"{self.source.constant('number', op.number, id(op))}({', '.join(words)})"


def _plain(step: Step) -> bool:
    return all(view.index is None for view in (step.out, *step.reads))
