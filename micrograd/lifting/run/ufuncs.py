"""Expressions and reductions as NumPy calls that write where the result belongs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from micrograd import ops
from micrograd.lifting.rows import QUOTIENT
from micrograd.lifting.run.source import Source
from micrograd.lifting.steps.expression import Apply, Expression, Formula, Read, is_identity

__all__ = ["emit", "reduction"]


def emit(
    source: Source, value: Formula, reads: Mapping[int, str], sizes: Sequence[int], out: str | None
) -> str:
    """Write calls that compute an expression; the name of the result (`out` if given)."""
    if not isinstance(value, Apply):
        name = reads[value.k] if isinstance(value, Read) else source.number(value)  # type: ignore[arg-type]
        if out is None:
            return name
        source.call(np.copyto, out, name)
        return out
    made: dict[Apply, str] = {}
    order = _inputs_first(value)
    spare = [out] if out is not None and out not in reads.values() else []
    waiting: dict[Apply, int] = {}  # how often each part will still be read
    for x in (x for node in order for x in node.inputs if isinstance(x, Apply)):
        waiting[x] = waiting.get(x, 0) + 1

    def name_of(x: Formula) -> str:
        if isinstance(x, Read):
            return reads[x.k]
        return made[x] if isinstance(x, Apply) else source.number(x)  # type: ignore[arg-type]

    for node in order:
        names = [name_of(x) for x in node.inputs]
        if is_identity(node.op) and node is not value:
            made[node] = names[0]
            continue
        inner = [x for x in node.inputs if isinstance(x, Apply)]
        for x in inner:
            waiting[x] -= 1
        done = [x for x in inner if not waiting[x] and not is_identity(x.op)]
        spare += dict.fromkeys(made[x] for x in done)
        if node is value and out is not None:
            place = out
        else:  # in place of what is not read again: less memory to go through
            place = spare.pop() if spare else source.temporary(sizes)
        _apply(source, node, names, place, sizes)
        made[node] = place
    return made[value]


def _inputs_first(value: Apply) -> list[Apply]:
    """Every part of an expression once, inputs before what they are inputs of."""
    order: dict[Apply, None] = {}
    stack: list[tuple[Apply, bool]] = [(value, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.setdefault(node)
        elif node not in order:
            stack.append((node, True))
            stack += [(x, False) for x in reversed(node.inputs) if isinstance(x, Apply)]
    return list(order)


def _apply(source: Source, node: Apply, names: list[str], out: str, sizes: Sequence[int]) -> None:
    """Write the call of one row of the op table."""
    op = node.op
    if op is ops.where and not isinstance(node.inputs[2], Expression):
        # 0.96 us for 7 by 64, in place 0.69; `where` into a new array, and that copied: 1.49
        c, a, b = names
        mask = source.temporary(sizes, bool)
        source.call(np.equal, c, source.number(0.0), mask)
        if a != out:
            source.call(np.copyto, out, a)
        source.call(np.putmask, out, mask, b)
    elif op is ops.where:  # twice as fast as filling with b and copying a where c holds
        c, a, b = names
        mask = source.temporary(sizes, bool)
        source.call(np.not_equal, c, source.number(0.0), mask)
        source.emit(
            f"{source.function(np.copyto)}({out}, {source.function(np.where)}({mask}, {a}, {b}))"
        )
    elif op is QUOTIENT:
        source.call(np.divide, names[0], names[2], out)
    elif op is ops.greater or op is ops.equal:
        source.call(np.greater if op is ops.greater else np.equal, *names, out)
    elif op is ops.relu:
        source.call(np.maximum, names[0], source.number(0.0), f"out={out}")
    elif op.parameters == ("**", -0.5):  # of -inf it is nan, where power says 0
        source.call(np.sqrt, names[0], out)
        source.call(np.reciprocal, out, out)
    elif op.parameters[:1] == ("**",) and not isinstance(op.array, np.ufunc):
        source.call(np.power, names[0], source.number(op.parameters[1]), out)
    elif isinstance(op.array, np.ufunc):  # NumPy deprecates the third argument of maximum
        source.call(op.array, *names, f"out={out}" if op.array in _NAMED else out)
    else:
        source.emit(f"{source.function(op.array)}({', '.join(names)}, out={out})")


_SHORT = 32
_NAMED = (np.maximum, np.minimum)


def reduction(
    source: Source, op: Any, name: str, sizes: Sequence[int], axes: tuple[int, ...], out: str
) -> None:
    """out = the sum, maximum or minimum of an array over some axes."""
    if op is ops.add and len(sizes) == 2 and axes == (0,):
        # down the columns BLAS takes a third of the time
        ones = source.constant("ones", np.ones(sizes[0]), sizes[0])
        source.call(np.matmul, ones, name, out)
        return
    if op is ops.add and len(sizes) == 2 and axes == (1,) and sizes[1] <= _SHORT < sizes[0]:
        # many short rows: 2 us instead of 13 for 944 of 8
        ones = source.constant("ones", np.ones(sizes[1]), sizes[1])
        source.call(np.matmul, name, ones, out)
        return
    reduce = source.constant("reduce", op.array.reduce, op.name)
    along = axes[0] if len(axes) == 1 else axes
    source.emit(f"{reduce}({name}, {along}, None, {out})")
