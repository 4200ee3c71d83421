"""Lowering: a recording's instructions, which read one long buffer, become Steps that read arrays.

The layout puts like results side by side, so that an operand may run from one array into the next.
Such an operand is written in one of three ways: results of neighbouring instructions become one
array that several steps write (`result_arrays`); a short sum over several arrays is written out,
term by term; and anything else is first copied into an array of its own (`Reader.view`). In the
benchmarks' networks 17 of 448 operands run over several arrays; in 300 random programs of 2,477
instructions 145 sums are written out, 49 arrays have several writers, and 46 are made by copying.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce

import numpy as np

from micrograd import ops
from micrograd.lifting.layout import Instruction, Recording
from micrograd.lifting.layout import Result as Found
from micrograd.lifting.rows import is_composite
from micrograd.lifting.steps.arrays import Addresses
from micrograd.lifting.steps.expression import Apply, Formula, Read, renumbered
from micrograd.lifting.steps.ir import Argument, Draw, Parameters, Program, Step, View, Window
from micrograd.lifting.steps.reading import Reader
from micrograd.lifting.steps.simplify import simplified
from micrograd.lifting.steps.walks import standing
from micrograd.lifting.strides import Access, nest
from micrograd.op import Op

__all__ = ["lower"]

_TERMS = 8  # a sum of so many terms is written out if its terms stand in several arrays


def lower(
    name: str, recording: Recording, argument_names: Sequence[str], paths: Mapping[int, str]
) -> Program:
    """The program of a recording. `paths`: attribute paths of parameter addresses."""
    reader = Reader(recording, argument_names, paths)
    steps: list[Step] = []
    for instruction, reads in zip(recording.layout.instructions, reader.reads, strict=True):
        made = _steps(instruction, reads, reader)
        steps += [*reader.taken(), *made]
    results = tuple(_window(found, reader) for found in recording.results)
    statistics = tuple(_window(_found(update.places), reader) for update in recording.updates)
    steps += reader.taken()
    wanted = [*(a.wanted for a in recording.arguments), *(True for _ in recording.outside)]
    held = zip(reader.arguments, wanted, strict=True)
    kept = {window.view.array for window in (*results, *statistics)}
    return Program(
        name,
        tuple(Argument(array, flag) for array, flag in held),
        tuple(Parameters(array, first) for array, first in reader.parameters),
        tuple(reader.constants.values()),
        tuple(map(Draw, reader.draws)),
        simplified(steps, kept, copies_alone=True),
        results,
        statistics,
        reader.names,
    )


def _window(found: Found, reader: Reader) -> Window:
    return Window(found.access.shape, reader.result(Addresses(found.access)))


def _found(places: np.ndarray) -> Found:
    flat = places.reshape(-1)
    factored = nest(flat[None]) if flat.size else None
    if factored is None:
        return Found(places.shape, Access(0, (flat.size,), (1,), flat))
    loops, strides = factored
    return Found(places.shape, Access(int(flat[0]), loops, tuple(map(int, strides[0]))))


# --- instructions ---------------------------------------------------------------------------------


def _steps(instruction: Instruction, addresses: Sequence[Addresses], reader: Reader) -> list[Step]:
    count = len(instruction.operands)
    reads, start = addresses[:count], addresses[count:]
    if instruction.kind == "take":
        return [_take(instruction, reads, reader)]
    if instruction.inner and any(map(reader.crosses, reads)):
        terms = _short_terms(instruction, reads)
        if terms and not any(map(reader.crosses, terms)):
            return [_written_out(instruction, terms, start, reader)]
    formulas, views = _numbered(list(map(reader.operand, reads)))
    out = reader.view(Addresses(instruction.out))
    if instruction.value is not None:
        value = renumbered(instruction.value, dict(enumerate(formulas)))
    else:
        value = _term(instruction, *formulas)
    combine = None
    if instruction.inner and standing(out, instruction.out.shape):  # else a sum of one term
        combine = _combine(instruction)
    loops = instruction.out.shape
    step = Step(loops, out, value, views, combine, False, instruction.replaces)
    return [step, *(_start(instruction, out, x, reader) for x in start)]


def _combine(instruction: Instruction) -> Op | None:
    return instruction.op if instruction.kind == "chain" else ops.add


def _term(instruction: Instruction, *xs: Formula) -> Formula:
    """The expression that one turn of the loops computes."""
    if instruction.kind == "map":
        assert instruction.op is not None
        if is_composite(instruction.op):
            return instruction.op.composed(*xs)  # type: ignore[misc, no-any-return]
        return Apply(instruction.op, xs)
    if len(xs) == 3:
        return Apply(ops.where, (xs[2], Apply(ops.mul, xs[:2]), 0.0))
    return xs[0] if len(xs) == 1 else Apply(ops.mul, xs)


def _numbered(operands: Sequence[View | float]) -> tuple[list[Formula], tuple[View, ...]]:
    """The operands as expressions, numbers as they are; and the views that are read, each once."""
    numbers: dict[View, Formula] = {}
    formulas = [
        numbers.setdefault(x, Read(len(numbers))) if isinstance(x, View) else x for x in operands
    ]
    return formulas, tuple(numbers)


def _start(instruction: Instruction, out: View, addresses: Addresses, reader: Reader) -> Step:
    """out += start, the number that a dot product begins its sum with."""
    loops = range(len(instruction.out.shape) - instruction.inner)
    shape = tuple(instruction.out.shape[k] for k in loops)
    start = reader.operand(addresses)
    formulas, views = _numbered([start.along(loops) if isinstance(start, View) else start])
    return Step(shape, out.along(loops), formulas[0], views, None, True)


def _short_terms(instruction: Instruction, reads: Sequence[Addresses]) -> list[Addresses]:
    """The operands of each term of a short reduction, term after term; none of a long one."""
    outer = len(instruction.out.shape) - instruction.inner
    inner = instruction.out.shape[outer:]
    if math.prod(inner) > _TERMS:
        return []
    turns = itertools.product(*map(range, inner))
    return [addresses.at(outer, turn) for turn in turns for addresses in reads]


def _written_out(
    instruction: Instruction, terms: Sequence[Addresses], start: Sequence[Addresses], reader: Reader
) -> Step:
    """A reduction over a few terms as one expression, a*b + c*d, without its inner loops."""
    outer = len(instruction.out.shape) - instruction.inner
    first = (0,) * instruction.inner
    reads = [*terms, *(addresses.at(outer, first) for addresses in start)]
    formulas, views = _numbered(list(map(reader.operand, reads)))
    count, width = len(terms), len(instruction.operands)
    written = [_term(instruction, *formulas[k : k + width]) for k in range(0, count, width)]
    combine = _combine(instruction)
    value = reduce(lambda a, b: Apply(combine, (a, b)), [*written, *formulas[count:]])  # type: ignore[arg-type]
    out = reader.view(Addresses(instruction.out).at(outer, first))
    return Step(instruction.out.shape[:outer], out, value, views, None, False, instruction.replaces)


def _take(instruction: Instruction, reads: Sequence[Addresses], reader: Reader) -> Step:
    """out = table[index]: a view of the table's first row, with the integers as its `index`."""
    index, table = reads
    *outer, rows = range(len(instruction.out.shape))  # the last loop runs over the rows
    first = reader.view(table)
    chosen = replace(
        first.along(outer),
        index=reader.view(index).along(outer),
        step=first.strides[rows],
        rows=instruction.out.shape[rows],
    )
    loops = tuple(instruction.out.shape[k] for k in outer)
    out = reader.view(Addresses(instruction.out)).along(outer)
    return Step(loops, out, Read(0), (chosen,), None, False, instruction.replaces)
