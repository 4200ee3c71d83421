"""max(max(x0, x1), x2) backward: pair after pair, ties shared as the row of `maximum` shares them.

The largest so far goes up the chain, best[k] = max(best[k-1], x[k]); what is left for the pairs
below comes down it, arriving[k-1]; each x[k] gets the other part of its pair. All three are
recurrences, or maps, over arrays of the chain's length.
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
    """Steps from `g`, the gradient of each chain, to those of its n links, and where they stand.

    `x` walks the links: its last loop runs along the chain, the others are `heads`, as in `g`.
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
