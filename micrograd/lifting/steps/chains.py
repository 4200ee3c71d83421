"""The gradient of max(max(x0, x1), x2), pair after pair; a tie is shared as the row `maximum` says.

Forward along the chain, best[k] = max(best[k-1], x[k]). Backward, arriving[k] is the gradient of
best[k], and the row splits it in two: arriving[k-1], for best[k-1], and the gradient of x[k]. Each
of the three is a recurrence, or a map, over arrays of the chain's length.
"""

from __future__ import annotations

from collections.abc import Sequence

from micrograd.lifting.steps.expression import Apply, Read
from micrograd.lifting.steps.ir import Array, Step, View
from micrograd.lifting.steps.walks import dense
from micrograd.op import Op

__all__ = ["pairwise"]


def pairwise(
    op: Op, heads: Sequence[int], n: int, x: View, g: View, number: int
) -> tuple[list[Step], View]:
    """Steps from `g`, the gradients of the maxima, to those of the n numbers of each; their view.

    `x` walks these numbers: its last loop runs along a chain, the others, `heads`, from chain to
    chain, as those of `g` do. `number` tells the arrays of one such list from those of another.
    """
    every = range(len(heads))
    outer, pairs = tuple(heads), (*heads, n - 1)
    rows = (*(stride * n for stride in dense(heads)), 1)
    best, arriving, parts = (
        View(Array(f"{name}_{number}", (*heads, n), "gradient"), 0, rows)
        for name in ("best", "arriving", "parts")
    )
    second = [0] * len(heads) + [1]  # from the second link on
    here, above, link = best, arriving.shifted(second), x.shifted(second)
    pair = Apply(op, (Read(0), Read(1)))
    left, right = op.gradients(Read(2), (Read(0), Read(1)), pair)
    reads = (here, link, above)
    last = [0] * len(heads) + [n - 1]
    down = [view.backwards(pairs, [len(heads)]) for view in (arriving, *reads)]
    return [
        Step(outer, best.along(every), Read(0), (x.along(every),)),
        Step(pairs, best.shifted(second), pair, (here, link)),
        Step(outer, arriving.shifted(last).along(every), Read(0), (g,)),
        Step(pairs, down[0], left, tuple(down[1:])),
        Step(outer, parts.along(every), Read(0), (arriving.along(every),)),
        Step(pairs, parts.shifted(second), right, reads),
    ], parts
