"""explain: the derivation of a gradient in sentences and formulas, with the numbers in place.

`explain(value)` goes from the output down, one node at a time; `explain(value, wrt=w)` follows
every path from w to the output and adds up what they bring (`paths.py`). Read `_derivation`.
"""

from __future__ import annotations

import math
from typing import Any

from micrograd.show.graph.nodes import is_node
from micrograd.show.graph.text import label_of
from micrograd.show.lesson.adopted import UNORDERED
from micrograd.show.lesson.explanation import (
    Explanation,
    grad_of,
    local_of,
    plain_markdown,
    slope_of,
)
from micrograd.show.lesson.finding import legend_text, meant
from micrograd.show.lesson.formulas import Formula, named
from micrograd.show.lesson.paths import explain_paths
from micrograd.show.lesson.walk import Use, Walk
from micrograd.show.notation import gradient, readable, same
from micrograd.show.practice.answers import described

__all__ = ["Explanation", "explain"]

_READABLE = 30  # nodes; beyond that nobody reads the derivation of everything


def explain(value: Any, wrt: Any = None, *, parameters: Any = ()) -> Explanation:
    """How every gradient below `value` comes about; with `wrt=w`, how that of w alone does.

    `wrt` is a Value, or its name: w21, or the path that leads to it in its model. A graph of more
    than 30 nodes is explained along the paths from w only. `parameters` (Values, or a module) get
    the module's names.
    """
    walk = Walk(value, parameters, (wrt,) if is_node(wrt) else ())
    out = Explanation()
    if not walk.ordered:
        out.say(UNORDERED)
    for line in legend_text(walk):
        out.say(line)
    if wrt is None:
        (_derivation if len(walk.nodes) <= _READABLE else _too_large)(walk, out)
    else:
        explain_paths(walk, _start(walk, wrt), out)
    return out


def _start(walk: Walk, wrt: Any) -> int:
    """The node that `wrt` means."""
    if is_node(wrt):
        if walk.own(wrt) in walk.index:
            return walk.index[walk.own(wrt)]
        raise ValueError(
            f"{walk.names[-1]} was not computed from {_called(wrt)}, so that gradient is 0; give "
            "wrt= a Value that the output was computed from"
        )
    names = [walk.names[i] for i in walk.asked]
    listed = f"{', '.join(names[:20])}{', ...' if len(names) > 20 else ''}"
    if not isinstance(wrt, str):
        raise TypeError(f"wrt= is a Value or one of the names {listed}; got {described(wrt)}")
    alike = meant(walk, wrt)
    if len(alike) > 1:
        several = " and ".join(walk.names[i] for i in sorted(alike)[:3])
        raise ValueError(f"wrt={wrt!r} may be one of {len(alike)}, such as {several}: say which")
    if not alike:
        raise ValueError(
            f"there is no {wrt!r} in this graph; wrt= is a Value or one of the names {listed}"
        )
    return alike[0]


def _called(v: Any) -> str:
    """A Value as whoever made it would speak of it."""
    label = label_of(v)
    return label or f"the Value {readable(v.data)}, which has no label"


def _made(walk: Walk, i: int, out: Explanation) -> None:
    """name = expression = the same in numbers = number"""
    name, made = named(walk.names[i]), walk.expression(i)
    parts = [made] if same(name.text, made.text) else [name, made]
    parts += [walk.expression_in_numbers(i), Formula.substituted(walk.data[i])]
    out.chain(parts)


def _derivation(walk: Walk, out: Explanation) -> None:
    root = len(walk.nodes) - 1
    out.heading("Forward: every value from its inputs")
    for i in range(len(walk.nodes)):
        if walk.inputs(i) and i not in walk.constants:
            _made(walk, i, out)
    out.heading("Backward: every gradient, from the output down")
    out.say(f"The output changes as fast as itself: {gradient(walk.names[root])} = 1.")
    for step in walk.steps:
        if any(use.input not in walk.constants for use in step):
            _explain_step(walk, step, out)
    out.heading("The gradients")
    for i in range(root + 1):
        if i not in walk.constants and not walk.inputs(i):
            out.chain([Formula.substituted(walk.grads[i])], grad_of(walk, i))


def _explain_step(walk: Walk, step: tuple[Use, ...], out: Explanation) -> None:
    i = step[0].node
    name, arriving = walk.names[i], readable(step[0].arriving)
    made = walk.expression(i)
    head = made.text if same(name, made.text) else f"{name} = {made.text}"
    out.say(
        f"\n{head}: the gradient {arriving} arrives at {name}.",
        f"**{plain_markdown(name)}** ${named(name).latex} = {made.latex}$: "
        f"the gradient {arriving} arrives.",
    )
    for use in step:
        if use.input in walk.constants:
            continue
        out.chain(local_of(walk, use), slope_of(walk, use))
        grad, slope, above = grad_of(walk, use.input), slope_of(walk, use), grad_of(walk, i)
        rule = rf"{slope.latex} \cdot {above.latex}"
        before, after, term = map(Formula.substituted, (use.before, use.after, use.product))
        product = Formula.substituted(use.local).times(Formula.substituted(use.arriving))
        if math.isnan(use.local):
            out.formula(
                f"{grad.text}: {before.text} -> {after.text} (custom)",
                rf"{grad.latex}: {before.latex} \to {after.latex}",
            )
        elif len(walk.uses_of(use.input)) == 1:
            out.chain([product, after], Formula(grad.text, f"{grad.latex} = {rule}"))
        else:
            out.formula(
                f"{grad.text} += {product.text} = {term.text}: {before.text} -> {after.text}",
                rf"{grad.latex} \mathrel{{+}}= {rule} = {product.latex} = {term.latex}:\quad "
                rf"{before.latex} \to {after.latex}",
            )


def _too_large(walk: Walk, out: Explanation) -> None:
    inputs = [
        walk.names[i]
        for i in range(len(walk.nodes))
        if not walk.inputs(i) and i not in walk.constants
    ]
    listed = ", ".join(inputs[:20])
    if len(inputs) > 20:
        listed += f" and {len(inputs) - 20} more"
    out.say(
        f"This graph has {len(walk.nodes):,} nodes; a derivation of them all is readable up "
        f"to {_READABLE}. Ask for one input, explain(value, wrt={inputs[0]!r}): all paths from it "
        f"to the output are explained then. The inputs are {listed}."
    )
