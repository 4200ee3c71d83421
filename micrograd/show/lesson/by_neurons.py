"""A lesson by neurons: one step for all that happens inside a neuron.

Forward a neuron gives one number; backward each of its inputs and weights gets the derivative of
that number times the gradient arriving. What is no neuron keeps the steps of `lesson.py`. Read
`by_neurons`, then `_back`.
"""

from __future__ import annotations

from collections.abc import Mapping

from micrograd.show.graph.outside import Part
from micrograd.show.lesson.formulas import Formula, expression, local_derivatives, named
from micrograd.show.lesson.frames import Frame, Row, data_shown, grad_shown
from micrograd.show.lesson.told import names_inside, read_by
from micrograd.show.lesson.walk import Use, Walk
from micrograd.show.notation import bracketed, gradient, readable

__all__ = ["by_neurons"]

_LONGEST = 90  # letters of a neuron in numbers: its weights and inputs, up to four or five

Frames = Mapping[int | None, Frame]


def by_neurons(walk: Walk, forward: Frames, backward: Frames) -> tuple[list[Frame], list[Frame]]:
    """The frames of both directions, given those of each node."""
    if walk.grouping is None:
        raise ValueError("a lesson by neurons needs a walk that knows them")
    neurons = {part.output: part for part in walk.neurons}
    steps = walk.grouping.order(walk.graph)
    forth, back = [], []
    for step in steps:
        end = step[-1]
        part = next((neurons[i] for i in step if i in neurons), None)
        if part is not None:
            forth.append(_forth(walk, part))
        elif end in forward:
            forth.append(forward[end])
    uses = {step[0].node: step for step in walk.steps if step}
    for step in reversed(steps):
        part = next((neurons[i] for i in step if i in neurons), None)
        if part is not None and part.output in uses:
            back.append(_back(walk, part, uses))
        elif part is None and step[-1] in backward:
            back.append(backward[step[-1]])
    return forth, back


def _where(part: Part) -> str:
    """`Neuron 2 of layer 1, example 3`, after its place among the groups."""
    place = part.told or part.label
    return place[:1].upper() + place[1:]


def _locals(walk: Walk, i: int, names: Mapping[int, str]) -> list[Formula]:
    """The local derivatives of a node, in the names of its neuron."""

    def formula(k: int) -> Formula:
        return named(names[k]) if k in names else walk.formula_of(k)

    return local_derivatives(walk.rule(i), [formula(k) for k in walk.inputs(i)], formula(i))


def _name(walk: Walk, part: Part) -> str:
    return names_inside(walk, part).get(part.output, walk.names[part.output])


def _in_numbers(walk: Walk, part: Part) -> str:
    """`tanh(0.5 × 2 + 0.1)`: all that a small neuron does; of a large one the last operation."""
    inside = set(part.all())
    made: dict[int, Formula] = {}
    for i in sorted(i for i in inside if walk.rule(i) is not None):
        number = walk.number_of
        made[i] = expression(walk.rule(i), [made.get(k) or number(k) for k in walk.inputs(i)])
    whole = made[part.output].text
    short = len(whole) <= _LONGEST
    return whole if short else walk.expression_in_numbers(part.output).text


def _forth(walk: Walk, part: Part) -> Frame:
    value = readable(walk.data[part.output])
    return Frame(
        "forward",
        _where(part),
        f"{_where(part)} computes {part.formula}, which gives {value}.",
        node=part.output,
        part=part.id,
        lit=read_by(walk, part),
        data=[data_shown(i, walk.data[i]) for i in sorted(part.all())],
        equation=[_name(walk, part), part.formula, _in_numbers(walk, part), value],
    )


def _back(walk: Walk, part: Part, uses: Mapping[int, tuple[Use, ...]]) -> Frame:
    """The chain rule inside the neuron, multiplied out: one row for each input and weight."""
    inside = set(part.all())
    slopes: dict[int, tuple[Formula, Formula, float]] = {}  # d output / d node
    changes: dict[int, tuple[float, float]] = {}  # before and after
    inner = names_inside(walk, part)
    names = {k: inner.get(k, walk.names[k]) for k in (*read_by(walk, part), part.output)}
    given_by = {p.output: p.label for p in walk.neurons}
    one = Formula.of(1.0)
    slopes[part.output] = one, one, 1.0
    for i in sorted(inside, reverse=True):
        if i not in slopes or i not in uses:
            continue
        symbols, numbers = _locals(walk, i, names), walk.locals_in_numbers(i)
        for use in uses[i]:
            above = slopes[i]
            slope = (
                above[0] * symbols[use.position],
                above[1] * numbers[use.position],
                above[2] * use.local,
            )
            if use.input in slopes:
                old = slopes[use.input]
                slope = old[0] + slope[0], old[1] + slope[1], old[2] + slope[2]
            slopes[use.input] = slope
            before = changes.get(use.input, (use.before, 0.0))[0]
            changes[use.input] = before, use.after
    arriving = walk.grads[part.output]
    told = [k for k in read_by(walk, part) if k in slopes and k not in walk.constants]
    return Frame(
        "backward",
        _where(part),
        f"{readable(arriving)} arrives at {part.told or part.label}. Each of its inputs and "
        "weights gets the derivative of its result times that.",
        node=part.output,
        part=part.id,
        lit=read_by(walk, part),
        grads=[grad_shown(k, walk.grads[k]) for k in sorted(inside)]
        + [grad_shown(k, after) for k, (_, after) in changes.items() if k not in inside],
        equation=[_name(walk, part), part.formula, _in_numbers(walk, part), ""],
        arriving=readable(arriving),
        rows=[
            Row(
                input=k,
                name=names[k] + (f" ({given_by[k]})" if k in given_by else ""),
                grad=gradient(names[k]),
                slope=f"∂{bracketed(names[part.output])}/∂{bracketed(names[k])}",
                formula=slopes[k][0].text,
                numbers=slopes[k][1].text,
                local=readable(slopes[k][2]),
                arriving=readable(arriving),
                product=readable(slopes[k][2] * arriving),
                before=readable(changes[k][0]),
                after=readable(changes[k][1]),
            )
            for k in told
        ],
    )
