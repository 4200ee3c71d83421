"""The frames of a stepper: what each step shows and says, worked out before anybody looks.

Forward first, value by value; then the recorded backward, node by node; for training the update of
each parameter and the new loss. Every text that a page shows is made here. Read `lesson`, then
`_backward`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from micrograd.engine import Value
from micrograd.op import Op
from micrograd.show.adopted import UNORDERED
from micrograd.show.answers import ACCEPTED
from micrograd.show.formulas import MINUS, TIMES, Formula, bracketed, gradient, number, same
from micrograd.show.graph.text import NUMBER_WIDTHS, label_of, number_text, plain
from micrograd.show.mistakes import MISTAKES
from micrograd.show.quiz import question
from micrograd.show.recursion import recursions
from micrograd.show.walk import Use, Walk

__all__ = ["Frame", "lesson", "updated"]

Frame = dict[str, Any]


def lesson(walk: Walk, quiz: bool, parameters: Sequence[Value], lr: float | None) -> dict[str, Any]:
    """Everything that the page's script needs, ready for JSON."""
    frames = [*_forward(walk), _seed(walk), *_backward(walk, quiz), _gradients(walk)]
    if lr is not None:
        frames += _training(walk, parameters, lr)
    return {
        "quiz": quiz,
        "accepted": ACCEPTED if quiz else "",
        "nodes": [_node(walk, i) for i in range(len(walk.nodes))],
        "frames": frames,
        "widths": NUMBER_WIDTHS,
        "mistakes": {key: [m.name, m.hint] for key, m in MISTAKES.items()} if quiz else {},
    }


def _node(walk: Walk, i: int) -> Frame:
    """What is known of a node wherever the lesson stands."""
    uses = sum(x is walk.nodes[i] for node in walk.nodes for x in node._prev)
    node = walk.nodes[i]
    leaf = "constant" if i in walk.constants else "input"
    return {
        "name": walk.names[i],
        "label": plain(label_of(node), 400),
        "kind": leaf if node._rule is None else f"made by {plain(node._op, 24) or '?'}",
        "made": "" if node._rule is None else walk.expression(i).text,
        "exact": repr(walk.data[i]),
        "uses": uses,
    }


def _grad_shown(x: float) -> list[str]:
    """The text on a card and the colour beneath it."""
    return [number_text(x, sign=True), "plus" if x > 0 else "minus" if x < 0 else ""]


def _forward(walk: Walk) -> Iterator[Frame]:
    leaves = [i for i, node in enumerate(walk.nodes) if node._rule is None]
    many = f"The {len(leaves)} inputs are given." if len(leaves) > 1 else "The input is given."
    yield {
        "phase": "forward",
        "title": "The inputs",
        "lit": leaves,
        "data": [[i, number_text(walk.data[i])] for i in leaves],
        "say": many
        + " Go forward to see each value computed."
        + ("" if walk.ordered else f" {UNORDERED}"),
        "rows": [],
    }
    for i, node in enumerate(walk.nodes):
        if node._rule is None:
            continue
        name, value = walk.names[i], number(walk.data[i])
        made = walk.expression(i).text
        yield {
            "phase": "forward",
            "node": i,
            "title": name,
            "lit": walk.inputs(i),
            "data": [[i, number_text(walk.data[i])]],
            "equation": [name, made, walk.expression_in_numbers(i).text, value],
            "say": f"{name} gives {value}."
            if same(name, made)
            else f"{name} is {made}, which gives {value}.",
            "rows": [],
        }


def _seed(walk: Walk) -> Frame:
    root = len(walk.nodes) - 1
    name = walk.names[root]
    return {
        "phase": "backward",
        "node": root,
        "title": name,
        "lit": [],
        "grads": [[root, *_grad_shown(1.0)]],
        "equation": [gradient(name), _slope(name, name), "", "1"],
        "say": f"Backward begins at the output. {name} changes as fast as itself: "
        f"{gradient(name)} = 1.",
        "rows": [],
    }


def _slope(of: str, by: str) -> str:
    return f"∂{bracketed(of)}/∂{bracketed(by)}"


def _backward(walk: Walk, quiz: bool) -> Iterator[Frame]:
    past: dict[int, list[Use]] = {}
    left = Counter(use.input for step in walk.steps for use in step)
    recursed = recursions(walk) if quiz else []
    for step in walk.steps:
        if not step:
            continue  # nothing to see: a node whose inputs are not Values of this graph
        i = step[0].node
        for use in step:
            past.setdefault(use.input, []).append(use)
            left[use.input] -= 1
        grads = {use.input: use.after for use in step}
        name, arriving = walk.names[i], number(step[0].arriving)
        symbols, numbers = walk.locals_of(i), walk.locals_in_numbers(i)
        frame: Frame = {
            "phase": "backward",
            "node": i,
            "title": name,
            "lit": list(grads),
            "grads": [[k, *_grad_shown(after)] for k, after in grads.items()],
            "equation": [name, walk.expression(i).text, walk.expression_in_numbers(i).text, ""],
            "arriving": arriving,
            "say": f"{arriving} arrives at {name}. " + " ".join(_said(walk, use) for use in step),
            "rows": [_row(walk, use, symbols[use.position], numbers[use.position]) for use in step],
        }
        if quiz:
            frame["questions"] = [
                question(
                    walk,
                    past[k],
                    sum(use.input == k for use in step),
                    () if left[k] else [numbers[k] for numbers in recursed],
                )
                for k in grads
                if k not in walk.constants
            ]
            frame["ask"] = f"{arriving} arrives at {name}. Which gradients do its inputs have now?"
        yield frame


def _said(walk: Walk, use: Use) -> str:
    """What happened to one input, for reading aloud."""
    x, after = gradient(walk.names[use.input]), number(use.after)
    if use.before == 0:
        return f"{x} becomes {after}."
    return f"{x} held {number(use.before)}; {number(use.product)} is added: {after}."


def _row(walk: Walk, use: Use, symbols: Formula, numbers: Formula) -> Frame:
    known = not math.isnan(use.local)
    return {
        "input": use.input,
        "name": walk.names[use.input],
        "grad": gradient(walk.names[use.input]),
        "slope": _slope(walk.names[use.node], walk.names[use.input]),
        "formula": symbols.text,
        "numbers": numbers.text,
        "local": number(use.local) if known else "?",
        "arriving": number(use.arriving),
        "product": number(use.product),
        "before": number(use.before),
        "after": number(use.after),
        "constant": use.input in walk.constants,
    }


def _gradients(walk: Walk) -> Frame:
    leaves = [
        i for i, node in enumerate(walk.nodes) if node._rule is None and i not in walk.constants
    ]
    output = walk.names[-1]
    return {
        "phase": "gradients",
        "title": "The gradients",
        "lit": leaves,
        "say": f"Backward is done: every input knows how {output} changes with it.",
        "summary": [
            [gradient(walk.names[i]), number(walk.grads[i]), _meaning(walk, i, output)]
            for i in leaves
        ],
        "rows": [],
    }


def _meaning(walk: Walk, i: int, output: str) -> str:
    g = walk.grads[i]
    if not math.isfinite(g):
        return ""
    if g == 0:
        return f"a small change of {walk.names[i]} leaves {output} as it is"
    direction = "up" if g > 0 else "down"
    return f"{walk.names[i]} up by 0.01: {output} {direction} by about {number(abs(g) * 0.01)}"


# --- training -----------------------------------------------------------------------------------


def updated(walk: Walk, parameters: Iterable[Value], lr: float) -> list[float] | None:
    """Every number of the graph after p -= lr * p.grad; None if a node cannot be computed again."""
    changed = {walk.index[p] for p in parameters}
    data: list[float] = []
    for i, node in enumerate(walk.nodes):
        if node._rule is None:
            data.append(walk.data[i] - lr * walk.grads[i] if i in changed else walk.data[i])
        elif isinstance(node._rule, Op):
            data.append(node._rule.number(*[data[k] for k in walk.inputs(i)]))
        else:
            return None
    return data


def _training(walk: Walk, parameters: Sequence[Value], lr: float) -> Iterator[Frame]:
    data = updated(walk, parameters, lr)
    rate = number(lr)
    for p in parameters:
        i = walk.index[p]
        name, before, grad = walk.names[i], walk.data[i], walk.grads[i]
        step = Formula.substituted(lr).times(Formula.substituted(grad))
        after = before - lr * grad
        yield {
            "phase": "update",
            "node": i,
            "title": name,
            "lit": [],
            "data": [[i, number_text(after)]],
            "sign": "←",  # an assignment, no equation
            "equation": [
                name,
                f"{name} {MINUS} {rate} {TIMES} {gradient(name)}",
                (Formula.substituted(before) - step).text,
                number(after),
            ],
            "say": f"{name} takes a step of {rate} against its gradient: from {number(before)} "
            f"to {number(after)}.",
            "rows": [],
        }
    root = len(walk.nodes) - 1
    name = walk.names[root]
    if data is None:
        yield {
            "phase": "update",
            "title": f"The new {name}",
            "lit": [],
            "say": "A node made by hand does not tell how to compute it again: run your own "
            f"forward code for the new {name}.",
            "rows": [],
        }
        return
    difference = data[root] - walk.data[root]
    direction = "down" if difference < 0 else "up" if difference > 0 else "unchanged"
    by = f" by {number(abs(difference))}" if difference and math.isfinite(difference) else ""
    yield {
        "phase": "update",
        "node": root,
        "title": f"The new {name}",
        "lit": [walk.index[p] for p in parameters],
        "data": [[i, number_text(x)] for i, x in enumerate(data) if x != walk.data[i]],
        "change": [name, number(walk.data[root]), number(data[root])],
        "say": f"Forward again with the new parameters: {name} was {number(walk.data[root])} "
        f"and is {number(data[root])}, {direction}{by}.",
        "rows": [],
    }
