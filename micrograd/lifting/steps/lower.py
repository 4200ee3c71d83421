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
from micrograd.lifting.steps.expression import Apply, Formula, Read, renumbered
from micrograd.lifting.steps.ir import Argument, Draw, Parameters, Program, Step, View, Window
from micrograd.lifting.steps.reading import Reader, shortened
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
    for instruction in recording.layout.instructions:
        made = _steps(instruction, reader)
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
    return Window(found.access.shape, reader.result(found.access))


def _found(places: np.ndarray) -> Found:
    flat = places.reshape(-1)
    factored = nest(flat[None]) if flat.size else None
    if factored is None:
        return Found(places.shape, Access(0, (flat.size,), (1,), flat))
    loops, strides = factored
    return Found(places.shape, Access(int(flat[0]), loops, tuple(map(int, strides[0]))))


# --- instructions ---------------------------------------------------------------------------------


def _steps(instruction: Instruction, reader: Reader) -> list[Step]:
    if instruction.kind == "take":
        return [_take(instruction, reader)]
    if _can_be_written_out(instruction, reader):
        return [_written_out(instruction, reader)]
    operands = [reader.operand(access) for access in instruction.operands]
    out = reader.view(instruction.out)
    numbers = _numbered(operands)[0]
    if instruction.value is not None:
        value = renumbered(instruction.value, dict(enumerate(numbers)))
    else:
        value = _term(instruction, *numbers)
    combine = _combine(instruction) if instruction.inner else None
    step = _step(instruction.out.shape, out, value, operands, combine, instruction.replaces)
    return [step, *_start(instruction, reader)]


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
    views = tuple(dict.fromkeys(x for x in operands if isinstance(x, View)))
    return [Read(views.index(x)) if isinstance(x, View) else x for x in operands], views


def _step(
    loops: tuple[int, ...], out: View, value: Formula, operands: Sequence[View | float],
    combine: Op | None, replaces: int,
) -> Step:  # fmt: skip
    if combine is not None and not standing(out, loops):  # a sum of one term
        combine = None
    return Step(loops, out, value, _numbered(operands)[1], combine, False, replaces)


def _start(instruction: Instruction, reader: Reader) -> list[Step]:
    """out += start, the number that a dot product begins its sum with; no step if it has none."""
    if instruction.start is None:
        return []
    loops = range(len(instruction.out.shape) - instruction.inner)
    shape = tuple(instruction.out.shape[k] for k in loops)
    start = reader.operand(instruction.start)
    formulas, views = _numbered([start.along(loops) if isinstance(start, View) else start])
    return [Step(shape, reader.view(instruction.out).along(loops), formulas[0], views, None, True)]


def _can_be_written_out(instruction: Instruction, reader: Reader) -> bool:
    """Whether a reduction is short, an operand of it runs over several arrays, and no term does."""
    if instruction.inner == 0 or not any(map(reader.crosses, instruction.operands)):
        return False
    count = math.prod(_inner(instruction))
    return count <= _TERMS and not any(map(reader.crosses, _terms(instruction)))


def _inner(instruction: Instruction) -> tuple[int, ...]:
    return instruction.out.shape[len(instruction.out.shape) - instruction.inner :]


def _terms(instruction: Instruction) -> list[Access]:
    """The operands of a reduction's terms, term after term."""
    outer = len(instruction.out.shape) - instruction.inner
    turns = itertools.product(*map(range, _inner(instruction)))
    return [shortened(x, outer, turn) for turn in turns for x in instruction.operands]


def _written_out(instruction: Instruction, reader: Reader) -> Step:
    """A reduction over a few terms as one expression, a*b + c*d, without its inner loops."""
    outer = len(instruction.out.shape) - instruction.inner
    first = (0,) * instruction.inner
    accesses = _terms(instruction)
    count, width = len(accesses), len(instruction.operands)
    if instruction.start is not None:
        accesses.append(shortened(instruction.start, outer, first))
    operands = list(map(reader.operand, accesses))
    formulas, _ = _numbered(operands)
    terms = [_term(instruction, *formulas[k : k + width]) for k in range(0, count, width)]
    combine = _combine(instruction)
    value = reduce(lambda a, b: Apply(combine, (a, b)), [*terms, *formulas[count:]])  # type: ignore[arg-type]
    out = reader.view(shortened(instruction.out, outer, first))
    loops = instruction.out.shape[:outer]
    return _step(loops, out, value, operands, None, instruction.replaces)


def _take(instruction: Instruction, reader: Reader) -> Step:
    """out = table[index]: a view of the table's first row, with the integers as its `index`."""
    index, table = instruction.operands
    *outer, rows = range(len(instruction.out.shape))  # the last loop runs over the rows
    first = reader.view(table)
    chosen = replace(
        first.along(outer),
        index=reader.view(index).along(outer),
        step=first.strides[rows],
        rows=instruction.out.shape[rows],
    )
    loops = tuple(instruction.out.shape[k] for k in outer)
    out = reader.view(instruction.out).along(outer)
    return Step(loops, out, Read(0), (chosen,), None, False, instruction.replaces)
