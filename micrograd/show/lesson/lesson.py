"""The frames of a stepper: what each step shows and says, worked out before anybody looks.

Forward first, value by value; then the recorded backward, node by node; for training the update of
each parameter and the new loss (`training.py`). Where neurons are known, the same again by neurons
(`by_neurons.py`). Read `lesson`, then `backward`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from micrograd.engine import Value
from micrograd.show.graph.text import NUMBER_WIDTHS, label_of, plain
from micrograd.show.lesson.adopted import UNORDERED
from micrograd.show.lesson.by_neurons import by_neurons
from micrograd.show.lesson.cards import kind_in
from micrograd.show.lesson.curves import curves_of
from micrograd.show.lesson.formulas import Formula
from micrograd.show.lesson.frames import Frame, Row, as_json, data_shown, grad_shown
from micrograd.show.lesson.training import all_updates, training
from micrograd.show.lesson.walk import Use, Walk
from micrograd.show.notation import bracketed, gradient, readable, same
from micrograd.show.practice.answers import ACCEPTED
from micrograd.show.practice.mistakes import MISTAKES
from micrograd.show.practice.quiz import question
from micrograd.show.practice.recursion import recursions

__all__ = ["lesson"]


def lesson(walk: Walk, quiz: bool, parameters: Sequence[Value], lr: float | None) -> dict[str, Any]:
    """Everything that the page's script needs, ready for JSON."""
    given, seed, end = inputs(walk), output(walk), gradients(walk)
    forward = {frame.node: frame for frame in computed(walk)}
    back = {frame.node: frame for frame in backward(walk, quiz)}
    frames = [given, *forward.values(), seed, *back.values(), end]
    neurons: list[Frame] = []
    if walk.grouping is not None and not quiz:
        forth, and_back = by_neurons(walk, forward, back)
        neurons = [given, *forth, seed, *and_back, end]
    if lr is not None:
        frames += training(walk, parameters, lr)
        neurons += all_updates(walk, parameters, lr) if neurons else []
    place = {id(frame): k for k, frame in enumerate(frames)}  # the same frame is sent once
    uses = Counter(k for i in range(len(walk.nodes)) for k in walk.inputs(i))
    return {
        "quiz": quiz,
        "accepted": ACCEPTED if quiz else "",
        "nodes": [_node(walk, i, uses[i]) for i in range(len(walk.nodes))],
        "frames": [as_json(frame) for frame in frames],
        "neurons": [place.get(id(frame), as_json(frame)) for frame in neurons],
        "widths": NUMBER_WIDTHS,
        "mistakes": {key: [m.name, m.hint] for key, m in MISTAKES.items()} if quiz else {},
    }


def _node(walk: Walk, i: int, uses: int) -> dict[str, Any]:
    """What is known of a node wherever the lesson stands."""
    node = walk.nodes[i]
    leaf = "constant" if i in walk.constants else "input"
    name = walk.names[i] if node._rule is None else walk.told(i)[i]
    return {
        "name": next((p.told or p.label for p in walk.neurons if p.output == i), name),
        "label": plain(label_of(node), 400),
        "kind": leaf if node._rule is None else f"made by {plain(node._op, 24) or '?'}",
        "made": "" if node._rule is None else walk.expression(i, walk.told(i)).text,
        "exact": repr(walk.data[i]),
        "uses": uses,
    }


def inputs(walk: Walk) -> Frame:
    leaves = [i for i, node in enumerate(walk.nodes) if node._rule is None]
    return Frame(
        "forward",
        "The inputs",
        f"{_given(walk, leaves)} Go forward to see each value computed."
        + ("" if walk.ordered else f" {UNORDERED}"),
        lit=leaves,
        data=[data_shown(i, walk.data[i]) for i in leaves],
    )


def _given(walk: Walk, leaves: Sequence[int]) -> str:
    """`5 inputs and 4 constants are given.`"""
    kinds = Counter(kind_in(walk, i) for i in leaves)
    told = [
        f"{kinds[kind]} {kind}{'s' * (kinds[kind] > 1)}"
        for kind in ("input", "parameter", "constant")
        if kinds[kind]
    ]
    if len(told) == 1:
        return f"The {told[0] if len(leaves) > 1 else told[0].removeprefix('1 ')} " + (
            "are given." if len(leaves) > 1 else "is given."
        )
    return f"{', '.join(told[:-1])} and {told[-1]} are given."


def computed(walk: Walk) -> Iterator[Frame]:
    """Forward, one value after the other."""
    for i, node in enumerate(walk.nodes):
        if node._rule is None:
            continue
        names = walk.told(i)
        name, value, made = names[i], readable(walk.data[i]), walk.expression(i, names).text
        yield Frame(
            "forward",
            name,
            f"{name} gives {value}."
            if same(name, made)
            else f"{name} is {made}, which gives {value}.",
            node=i,
            lit=walk.inputs(i),
            data=[data_shown(i, walk.data[i])],
            equation=[name, made, walk.expression_in_numbers(i).text, value],
        )


def output(walk: Walk) -> Frame:
    root = len(walk.nodes) - 1
    name = walk.names[root]
    return Frame(
        "backward",
        name,
        f"Backward begins at the output. {name} changes as fast as itself: {gradient(name)} = 1.",
        node=root,
        grads=[grad_shown(root, 1.0)],
        equation=[gradient(name), slope(name, name), "", "1"],
    )


def slope(of: str, by: str) -> str:
    return f"∂{bracketed(of)}/∂{bracketed(by)}"


def backward(walk: Walk, quiz: bool) -> Iterator[Frame]:
    """The recorded backward, one node after the other."""
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
        names = walk.told(i)
        name, arriving = names[i], readable(step[0].arriving)
        symbols, numbers = walk.locals_of(i, names), walk.locals_in_numbers(i)
        frame = Frame(
            "backward",
            name,
            f"{arriving} arrives at {name}. "
            + " ".join(_said(names, use) for use in step if use.input not in walk.constants),
            node=i,
            lit=list(grads),
            grads=[grad_shown(k, after) for k, after in grads.items()],
            equation=[name, walk.expression(i, names).text, walk.expression_in_numbers(i).text, ""],
            arriving=arriving,
            rows=[_row(walk, use, symbols[use.position], numbers[use.position]) for use in step],
            curves=[] if quiz else curves_of(walk, step),
        )
        if quiz:
            frame.questions = [
                question(
                    walk,
                    past[k],
                    sum(use.input == k for use in step),
                    () if left[k] else [numbers[k] for numbers in recursed],
                )
                for k in grads
                if k not in walk.constants
            ]
            several = (
                "gradients do its inputs" if len(frame.questions) > 1 else "gradient does its input"
            )
            frame.ask = f"{arriving} arrives at {name}. Which {several} have now?"
        yield frame


def _said(names: Mapping[int, str], use: Use) -> str:
    """What happened to one input, for reading aloud."""
    x, after = gradient(names[use.input]), readable(use.after)
    if use.before == 0:
        return f"{x} becomes {after}."
    return f"{x} held {readable(use.before)}; {readable(use.product)} is added: {after}."


def _row(walk: Walk, use: Use, symbols: Formula, numbers: Formula) -> Row:
    known, names = not math.isnan(use.local), walk.told(use.node)
    return Row(
        input=use.input,
        name=names[use.input],
        grad=gradient(names[use.input]),
        slope=slope(names[use.node], names[use.input]),
        formula=symbols.text,
        numbers=numbers.text,
        local=readable(use.local) if known else "?",
        arriving=readable(use.arriving),
        product=readable(use.product),
        before=readable(use.before),
        after=readable(use.after),
        constant=use.input in walk.constants,
    )


def gradients(walk: Walk) -> Frame:
    leaves = [
        i for i, node in enumerate(walk.nodes) if node._rule is None and i not in walk.constants
    ]
    result = walk.names[-1]
    return Frame(
        "gradients",
        "The gradients",
        f"Backward is done: every input knows how {result} changes with it.",
        lit=leaves,
        summary=[
            [gradient(walk.names[i]), readable(walk.grads[i]), _meaning(walk, i, result)]
            for i in leaves
        ],
    )


def _meaning(walk: Walk, i: int, result: str) -> str:
    g = walk.grads[i]
    if not math.isfinite(g):
        return ""
    if g == 0:
        return f"a small change of {walk.names[i]} leaves {result} as it is"
    direction = "up" if g > 0 else "down"
    return f"{walk.names[i]} up by 0.01: {result} {direction} by about {readable(abs(g) * 0.01)}"
