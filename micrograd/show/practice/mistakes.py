"""The known mistakes of backpropagation by hand: what answer each gives, and what to say then.

A wrong gradient is diagnosed by making every known mistake on purpose, with the learner's own
numbers for the gradients that arrive, and looking which of them gives that answer. Read `MISTAKES`,
then `_slips`, which makes them at one use, then `suspects` and `diagnose`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from micrograd import ops
from micrograd.op import Op
from micrograd.show.lesson.formulas import local_derivatives, named
from micrograd.show.lesson.walk import Use, Walk
from micrograd.show.practice.answers import matches
from micrograd.show.practice.parts import Edits, parts_of, total

__all__ = ["MISTAKES", "Mistake", "diagnose", "suspects"]


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mistake's name, and a hint that helps without giving the number away."""

    name: str
    hint: str


MISTAKES = {  # the most specific first: where two give one number, the first is the likelier
    "gate": Mistake(
        "an ignored gate",
        "The output does not depend on this input here (relu of a negative number, the smaller of "
        "two in a maximum), so no gradient passes; through LeakyReLU the small slope does.",
    ),
    "input for output": Mistake(
        "the node's input where its output belongs",
        "This derivative is written with the node's output; its input was put in.",
    ),
    "square": Mistake(
        "the output where its square belongs",
        "The derivative of tanh is one minus the square of its output: the square is missing.",
    ),
    "power rule": Mistake(
        "the power rule",
        "The exponent comes down as a factor, and what stays behind has an exponent one lower.",
    ),
    "missing use": Mistake(
        "a use that was not added",
        "This node is used more than once: each use sends a gradient back, and they add up (+=).",
    ),
    "recursion": Mistake(
        "backward by recursion, without topological order",
        "A node was pushed before all of its gradient had arrived, or more than once. Put the "
        "nodes in topological order, and push each exactly once, from the output down.",
    ),
    "own value": Mistake(
        "own value instead of the other factor",
        "The derivative of a product with respect to one factor is the other factor.",
    ),
    "no local": Mistake(
        "gradient arriving without the local derivative",
        "The gradient does not pass through unchanged: multiply it by the local derivative.",
    ),
    "no arriving": Mistake(
        "local derivative without the gradient arriving",
        "Multiply the local derivative by the gradient that arrives from the output's side.",
    ),
    "output": Mistake(
        "the output's own gradient",
        "Here the output is derived by itself: neither its value nor a target plays a part, and it "
        "does not stay zero.",
    ),
    "sign": Mistake(
        "a wrong sign", "The size is right and the sign is not: look for a lost minus."
    ),
}


def _slips(walk: Walk, use: Use) -> Iterator[tuple[str, float, float]]:
    """(mistake, constant, factor): what each mistake makes of one use."""
    if math.isnan(use.local):
        yield "no local", 0.0, 1.0
        yield "sign", -use.product, 0.0
        return
    yield "no arriving", use.local, 0.0
    yield "no local", 0.0, 1.0
    yield "sign", 0.0, -use.local
    if use.node == len(walk.nodes) - 1:  # as if the output's gradient were its value
        yield "output", use.local * walk.data[use.node], 0.0
    rule = walk.rule(use.node)
    if not isinstance(rule, Op):
        return
    xs, out = [walk.data[k] for k in walk.inputs(use.node)], walk.data[use.node]
    x = xs[use.position]
    factors = 2 * rule.parameters[1] if rule.name == "dot" else 2 if rule is ops.mul else 0
    if use.position < factors:
        yield "own value", 0.0, x
    power = rule.parameters[1] if rule.parameters[:1] == ("**",) else None
    if rule is ops.power and use.position == 0:
        power = xs[1]
    if power is not None:
        yield "power rule", 0.0, ops.power(x, power - 1.0)
        yield "power rule", 0.0, power * ops.power(x, float(power))
        if power < 0:
            yield "power rule", 0.0, power * ops.power(x, power + 1.0)
    if rule is ops.power and use.position == 1:  # as if the base were the variable
        yield "power rule", 0.0, xs[1] * ops.power(xs[0], xs[1] - 1.0)
    if rule is ops.tanh:
        yield "square", 0.0, 1.0 - out
    if _speaks_of_its_output(rule):
        yield "input for output", 0.0, float(rule.number_gradients(1.0, xs, x)[0])
    gated = rule in (ops.relu, ops.maximum, ops.minimum) or rule.name == "LeakyReLU"
    if gated or (rule is ops.where and use.position > 0):
        yield "gate", 0.0, 1.0


@lru_cache(maxsize=256)
def _speaks_of_its_output(rule: Op) -> bool:
    """Whether the derivative is written with the output: 1 - out², but not relu's `if out > 0`."""
    if rule.arity != 1:
        return False
    written = local_derivatives(rule, [named("x")], named("out"))[0].text
    return "out" in written and " if " not in written


def suspects(
    walk: Walk, uses: Sequence[Use], new: int, recursed: Iterable[float] = ()
) -> Iterator[tuple[str, Edits]]:
    """Each mistake as what it makes of the uses: in one of the last `new`, or in all of them.

    `recursed` is what backward by recursion leaves in this node, in each way of writing it.
    """
    count = len(uses)
    if count > 1:
        for i in range(count):
            yield "missing use", {k: (0.0, 0.0) for k in range(count) if k != i}
            yield "missing use", {i: (0.0, 0.0)}
    everywhere: dict[tuple[str, int], dict[int, tuple[float, float]]] = {}
    for i in range(count - new, count):
        seen: dict[str, int] = {}
        for mistake, constant, factor in _slips(walk, uses[i]):
            yield mistake, {i: (constant, factor)}
            seen[mistake] = seen.get(mistake, 0) + 1
            everywhere.setdefault((mistake, seen[mistake]), {})[i] = constant, factor
    for (mistake, _), edits in everywhere.items():
        if len(edits) > 1:
            yield mistake, edits
    for number in recursed if count else ():
        if not matches(number, sum(use.product for use in uses)):
            yield "recursion", {k: (0.0 if k else number, 0.0) for k in range(count)}


def diagnose(
    answer: float,
    walk: Walk,
    uses: Sequence[Use],
    grads: Sequence[float] | None = None,
    recursed: Iterable[float] = (),
) -> dict[str, float]:
    """Every known mistake that leads to this answer, and the number it gives; likeliest first.

    `grads` are the gradients that the learner has for the nodes, the right ones where not given.
    """
    known = walk.grads if grads is None else grads
    parts = parts_of(uses)
    found: dict[str, float] = {}
    for mistake, edits in suspects(walk, uses, len(uses), recursed):
        number = total(parts, known, edits)
        if mistake not in found and matches(answer, number):
            found[mistake] = number
    return {mistake: found[mistake] for mistake in MISTAKES if mistake in found}
