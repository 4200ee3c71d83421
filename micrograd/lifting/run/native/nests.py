"""Nests: loops around several statements, what a Step becomes before it is written as code.

A Nest's first loops are `outer`; the others, if any, are reduced away by `combine`. `body` runs in
every turn, its last statement's value is what is combined; `after` runs once the inner loops are
done. Later statements may use the number of an earlier one, which stays in a register (`Local`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from micrograd import ops
from micrograd.lifting.steps.expression import Apply, Formula, Read
from micrograd.lifting.steps.ir import Step, View
from micrograd.lifting.steps.walks import is_recurrence, lanes, moving, repeats
from micrograd.op import Op

__all__ = ["Local", "Nest", "Statement", "merged", "nest_of"]


@dataclass(frozen=True, slots=True)
class Local:
    """The number that an earlier statement of the nest has computed in this turn."""

    number: int


@dataclass(frozen=True, slots=True)
class Statement:
    """out = value(reads), or +=; without `out` the value is for later statements only."""

    value: Formula
    reads: tuple[View | Local, ...]
    out: View | None
    accumulate: bool = False

    @property
    def views(self) -> tuple[View, ...]:
        return tuple(x for x in self.reads if isinstance(x, View))


@dataclass(slots=True)
class Nest:
    """for loops: body; the last `len(loops) - outer` loops are combined, then `after` runs."""

    loops: tuple[int, ...]
    outer: int
    body: list[Statement]
    combine: Op | None = None
    after: list[Statement] = field(default_factory=list)
    serial: bool = False  # a recurrence: turn after turn, except along the last `free` loops
    free: int = 0
    scatter: bool = False  # may meet a place twice: nothing is fused with it

    @property
    def statements(self) -> list[Statement]:
        return [*self.body, *self.after]

    def reads(self) -> Iterator[View]:
        for statement in self.statements:
            yield from statement.views

    def outs(self) -> Iterator[View]:
        for statement in self.statements:
            if statement.out is not None:
                yield statement.out


def nest_of(step: Step) -> Nest | None:
    """A step alone; None if it has nothing to do."""
    if 0 in step.loops:
        return None
    if is_recurrence(step):
        free = lanes(step)
        order = [*(k for k in range(len(step.loops)) if k not in free), *free]
        loops = tuple(step.loops[k] for k in order)
        reads = tuple(view.along(order) for view in step.reads)
        statement = Statement(step.value, reads, step.out.along(order), step.accumulate)
        return Nest(loops, len(loops), [statement], serial=True, free=len(free))
    long = [k for k, n in enumerate(step.loops) if n > 1]
    moves = moving(step.out, step.loops)
    inner = [k for k in long if k not in moves]
    order = [*moves, *inner]
    loops = tuple(step.loops[k] for k in order)
    reads = tuple(view.along(order) for view in step.reads)
    scatter = repeats(step)
    if not inner:
        statement = Statement(step.value, reads, step.out.along(moves), step.accumulate)
        return Nest(loops, len(moves), [statement], scatter=scatter)
    combine = ops.add if step.accumulate or step.combine is None else step.combine
    term = Statement(step.value, reads, None)
    result = Statement(Read(0), (Local(0),), step.out.along(moves), step.accumulate)
    return Nest(loops, len(moves), [term], combine, [result], scatter=scatter)


# --- loops ----------------------------------------------------------------------------------------


def merged(nest: Nest) -> Nest:
    """The nest with two loops joined wherever all its views walk them as one."""
    if nest.serial:
        return nest
    while True:
        pair = _mergeable(nest)
        if pair is None:
            return nest
        nest = _merge(nest, *pair)


def _walks(nest: Nest, k: int) -> Iterator[tuple[int, ...]]:
    """The strides of everything that walks loop k."""
    for number, statement in enumerate(nest.statements):
        if k >= nest.outer and number >= len(nest.body):
            continue
        for view in (*statement.views, *([statement.out] if statement.out else [])):
            while view is not None:
                yield view.strides
                view = view.index  # type: ignore[assignment]


def _mergeable(nest: Nest) -> tuple[int, int] | None:
    for group in (range(nest.outer), range(nest.outer, len(nest.loops))):
        for a in group:
            for b in group:
                n = nest.loops[b]
                if a != b and all(s[a] == s[b] * n for s in _walks(nest, b)):
                    return a, b
    return None


def _merge(nest: Nest, a: int, b: int) -> Nest:
    """Loop a, around b, is made part of it."""
    sizes = list(nest.loops)
    sizes[b] *= sizes[a]
    kept = [k for k in range(len(sizes)) if k != a]
    outer = nest.outer - (a < nest.outer)

    def over(statements: Sequence[Statement], loops: Sequence[int]) -> list[Statement]:
        return [along(statement, loops) for statement in statements]

    return replace(
        nest,
        loops=tuple(sizes[k] for k in kept),
        outer=outer,
        body=over(nest.body, kept),
        after=over(nest.after, kept[:outer]),
    )


def along(statement: Statement, loops: Sequence[int]) -> Statement:
    """The statement over only these loops, in this order."""
    reads = tuple(x.along(loops) if isinstance(x, View) else x for x in statement.reads)
    out = None if statement.out is None else statement.out.along(loops)
    return replace(statement, reads=reads, out=out)


def weight(formula: Formula) -> int:
    """About how many operations an expression takes."""
    if not isinstance(formula, Apply):
        return 0
    own = {"exp": 20, "log": 25, "tanh": 25, "sigmoid": 25, "softplus": 45, "/": 6, "sqrt": 6}
    return own.get(formula.op.name, 1 + 8 * bool(formula.op.parameters)) + sum(
        map(weight, formula.inputs)
    )
