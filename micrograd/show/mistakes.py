"""The known mistakes of backpropagation by hand: what answer each gives, and what to say then.

A wrong gradient is diagnosed by making every known mistake on purpose and looking which of them
gives that number. Read `MISTAKES`, then `_slips`, which makes them at one use, then `diagnose`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from micrograd import ops
from micrograd.ops import Op
from micrograd.show.formulas import local_derivatives, named
from micrograd.show.walk import Use, Walk

__all__ = ["MISTAKES", "TOLERANCE", "Mistake", "diagnose", "matches", "suspects"]

TOLERANCE = "right to three significant digits, or rounded to three decimals"


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mistake's name, and a hint that helps without giving the number away."""

    name: str
    hint: str


MISTAKES = {
    "missing use": Mistake(
        "forgot to add the other use",
        "This node is used more than once: each use sends a gradient back, and they add up (+=).",
    ),
    "no arriving": Mistake(
        "local derivative without the gradient arriving",
        "Multiply the local derivative by the gradient that arrives from the output's side.",
    ),
    "no local": Mistake(
        "gradient arriving without the local derivative",
        "The gradient does not pass through unchanged: multiply it by the local derivative.",
    ),
    "own value": Mistake(
        "own value instead of the other factor",
        "The derivative of a product with respect to one factor is the other factor.",
    ),
    "sign": Mistake("sign", "The size is right and the sign is not: look for a lost minus."),
    "power rule": Mistake(
        "power rule",
        "The exponent comes down as a factor, and what stays behind has an exponent one lower.",
    ),
    "input for output": Mistake(
        "from its input instead of its output",
        "This derivative is written with the node's output; its input was put in.",
    ),
    "gate": Mistake(
        "gate ignored",
        "This input did not decide the output, so the gate is shut: nothing, or only the small "
        "slope, comes through.",
    ),
}  # fmt: skip


def matches(answer: float, right: float) -> bool:
    """Whether an answer is `right`, or `right` rounded to three digits or to three decimals."""
    if math.isnan(right) or math.isinf(right):
        return answer == right or (math.isnan(answer) and math.isnan(right))
    if abs(answer - right) <= 0.00501 * abs(right):
        return True
    thousandths = answer * 1000
    rounded = abs(thousandths - round(thousandths)) < 1e-6 if math.isfinite(answer) else False
    return rounded and abs(answer - right) <= 0.0005 + 1e-9


def _slips(walk: Walk, use: Use) -> Iterator[tuple[str, float]]:
    """What each mistake makes of the contribution of one use."""
    rule, g = walk.rule(use.node), use.arriving
    xs = [walk.data[k] for k in walk.inputs(use.node)]
    yield "no arriving", use.local
    yield "no local", g
    yield "sign", -use.product
    if not isinstance(rule, Op):
        return
    x = xs[use.position]
    factors = 2 * rule.parameters[1] if rule.name == "dot" else 2 if rule is ops.mul else 0
    if use.position < factors:
        yield "own value", x * g
    power = rule.parameters[1] if rule.parameters[:1] == ("**",) else None
    if rule is ops.power and use.position == 0:
        power = xs[1]
    if power is not None:
        yield "power rule", ops.power(x, power - 1.0) * g
        yield "power rule", power * ops.power(x, float(power)) * g
        if power < 0:
            yield "power rule", power * ops.power(x, power + 1.0) * g
    if rule is ops.power and use.position == 1:  # as if the base were the variable
        yield "power rule", xs[1] * ops.power(xs[0], xs[1] - 1.0) * g
    if _speaks_of_its_output(rule):
        yield "input for output", float(rule.number_gradients(g, xs, x)[0])
    gated = rule in (ops.relu, ops.maximum, ops.minimum) or rule.name == "LeakyReLU"
    if gated or (rule is ops.where and use.position > 0):
        yield "gate", g


@lru_cache(maxsize=256)
def _speaks_of_its_output(rule: Op) -> bool:
    """Whether the derivative is written with the output: 1 - out², but not relu's `if out > 0`."""
    if rule.arity != 1:
        return False
    written = local_derivatives(rule, [named("x")], named("out"))[0].text
    return "out" in written and " if " not in written


def suspects(walk: Walk, uses: Sequence[Use], new: int) -> Iterator[tuple[str, float]]:
    """(mistake, the total it leads to), made in one of the last `new` uses or in all of them."""
    products = [use.product for use in uses]
    if len(products) > 1:
        for i, product in enumerate(products):
            yield "missing use", product
            yield "missing use", sum(products[:i] + products[i + 1 :])
    everywhere: dict[tuple[str, int], dict[int, float]] = {}
    for i in range(len(uses) - new, len(uses)):
        seen: dict[str, int] = {}
        for mistake, slipped in _slips(walk, uses[i]):
            yield mistake, sum([*products[:i], slipped, *products[i + 1 :]])
            seen[mistake] = seen.get(mistake, 0) + 1
            everywhere.setdefault((mistake, seen[mistake]), {})[i] = slipped
    for (mistake, _), slips in everywhere.items():
        if len(slips) > 1:
            yield mistake, sum(slips.get(i, product) for i, product in enumerate(products))


def diagnose(answer: float, walk: Walk, uses: Sequence[Use], new: int | None = None) -> list[str]:
    """The keys of every known mistake that leads to this answer, in the order of MISTAKES."""
    found = {
        mistake
        for mistake, total in suspects(walk, uses, len(uses) if new is None else new)
        if matches(answer, total)
    }
    return [mistake for mistake in MISTAKES if mistake in found]
