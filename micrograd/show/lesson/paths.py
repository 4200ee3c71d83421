"""explain(value, wrt=w): every path from w to the output, and what they add up to.

Read `explain_paths`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from micrograd.show.lesson.explanation import Explanation, grad_of, local_of, slope_of
from micrograd.show.lesson.formulas import Formula, named
from micrograd.show.lesson.walk import Use, Walk
from micrograd.show.notation import gradient

__all__ = ["explain_paths"]

_PATHS = 12  # written out; the others are counted


def explain_paths(walk: Walk, start: int, out: Explanation) -> None:
    """Every path from `start` to the output, the product along it, and the sum of the products."""
    root = len(walk.nodes) - 1
    name, total = walk.names[start], walk.grads[start]
    ways, count = _count_ways(walk, start)
    out.heading(f"How {walk.names[root]} changes with {name}")
    if start == root:
        out.say(f"The output changes as fast as itself: {gradient(name)} = 1.")
        return
    if not count:
        out.say(f"No gradient comes from {walk.names[root]} to {name}: its gradient is 0.")
        return
    shown = 0.0
    plural = "s lead" if count > 1 else " leads"
    out.say(
        f"{count:,} path{plural} from {name} to {walk.names[root]}; along each the local "
        "derivatives multiply."
    )
    terms = []
    for k, path in enumerate(_enumerate(ways, start, root), 1):
        if k > _PATHS:
            break
        product = math.prod(use.local for use in path)
        shown += product
        terms.append(Formula.substituted(product))
        _explain_path(walk, path, k, product, out)
    if count > _PATHS:
        rest = Formula.substituted(total - shown)
        out.say(f"\nThe other {count - _PATHS:,} paths bring {rest.text} together.")
        terms.append(rest)
    out.say("\nThe paths add up:")
    summed = terms[0]
    for term in terms[1:]:
        summed = summed + term
    out.chain([summed, Formula.substituted(total)], grad_of(walk, start))


def _count_ways(walk: Walk, start: int) -> tuple[dict[int, list[Use]], int]:
    """The uses of each node on a path from `start` to the output, and how many paths there are."""
    ways: dict[int, list[Use]] = {}
    count = {start: 1}
    for step in reversed(walk.steps):
        for use in step:
            if use.input in count and use.node != start:
                ways.setdefault(use.input, []).append(use)
                count[use.node] = count.get(use.node, 0) + count[use.input]
    return ways, count.get(len(walk.nodes) - 1, 0)


def _enumerate(ways: dict[int, list[Use]], start: int, root: int) -> Iterator[list[Use]]:
    """The paths one by one, depth first, without recursion."""
    stack: list[tuple[int, list[Use]]] = [(start, [])]
    while stack:
        node, path = stack.pop()
        if node == root:
            yield path
            continue
        stack += [(use.node, [*path, use]) for use in reversed(ways.get(node, []))]


def _explain_path(walk: Walk, path: list[Use], k: int, product: float, out: Explanation) -> None:
    names = [walk.names[path[0].input]] + [walk.names[use.node] for use in path]
    out.say(
        f"\nPath {k}: {' -> '.join(names)}",
        f"**Path {k}:** $" + r" \to ".join(named(name).latex for name in names) + "$",
    )
    for use in path:
        out.chain(local_of(walk, use), slope_of(walk, use))
    factors = [Formula.substituted(use.local) for use in path]
    multiplied = factors[0]
    for factor in factors[1:]:
        multiplied = multiplied.times(factor)
    out.chain([multiplied, Formula.substituted(product)], Formula("product", r"\text{product}"))
