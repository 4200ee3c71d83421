"""Which numbers of the forward pass are read after it: results, and what any backward pass uses.

Executors that keep numbers in registers need not store the others.
"""

from __future__ import annotations

from micrograd import ops
from micrograd.lifting.steps.expression import Read, pushed, reads_of
from micrograd.lifting.steps.ir import Array, Program, View

__all__ = ["read_afterwards"]


def read_afterwards(program: Program) -> set[Array]:
    """The arrays that results, statistics or the gradients of any results are made from."""
    found = {window.view.array for window in (*program.results, *program.statistics)}
    sums = {step.out.array for step in program.forward if step.accumulate}
    for step in program.forward:
        n = len(step.reads)
        views: tuple[View, ...] = (*step.reads, step.out)
        if step.combine in (ops.maximum, ops.minimum):
            used = set(range(n + 1))
        else:
            kept = step.combine is None and step.out.array not in sums
            parts = pushed(step.value, Read(n + 1), Read(n) if kept else None)
            used = {k for part in parts.values() for k in reads_of(part) if k <= n}
        found |= {views[k].array for k in used}
        found |= {view.index.array for view in views if view.index is not None}
    return found
