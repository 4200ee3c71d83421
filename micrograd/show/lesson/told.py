"""What things are called in the words about one step, where neurons are known: as in the picture.

Inside a neuron its weights are w31 and b3 (the picture writes w₃₁), its inputs x1, x2, ... and its
result out, which is out3 for those who read it; what an example gives to the sum is example 1.
Everywhere else a name is that of `names.py`, which no other node bears. Read `names_inside`, then
`told_names`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from micrograd.show.graph.drawing import Cell, Run
from micrograd.show.graph.grouping import START
from micrograd.show.graph.outside import Part
from micrograd.show.graph.text import shorten
from micrograd.show.lesson.names import OUT, result_name
from micrograd.show.notation import MINUS

if TYPE_CHECKING:
    from micrograd.show.lesson.walk import Walk

__all__ = ["name_cells", "names_inside", "negated", "read_by", "results_of", "told_names"]

_NAME_LENGTH = 18  # letters on a card


def read_by(walk: Walk, part: Part) -> list[int]:
    """What a neuron reads: its inputs, then its weights, in the neuron's order, then its bias."""
    inside = set(part.all())
    read = dict.fromkeys(k for i in sorted(inside) for k in walk.inputs(i) if k not in inside)
    weights = walk.grouping.weights if walk.grouping else {}
    own = [k for k in read if k in weights]
    own.sort(key=lambda k: "[" not in weights[k].path.rpartition(".")[2])  # a bias has no place
    return [k for k in read if k not in weights] + own


def names_inside(walk: Walk, part: Part) -> dict[int, str]:
    """What things are called within a neuron: w31, b3, x1 or their labels, and out."""
    names = {part.output: OUT if part.output in walk.results else walk.names[part.output]}
    weights = walk.grouping.weights if walk.grouping else {}
    read = read_by(walk, part)
    inputs = [k for k in read if k not in weights and k not in walk.constants]
    for k in read:
        if walk.nodes[k].label:
            names[k] = walk.nodes[k].label
        elif k in weights:
            names[k] = weights[k].text
        elif k in inputs:
            names[k] = f"x{inputs.index(k) + 1}"
    for i in part.nodes:
        factor = negated(walk, i)
        if factor in names:
            names[i] = f"{MINUS}{names[factor]}"
    return _distinct(names)


def negated(walk: Walk, i: int) -> int | None:
    """The weight w where node i is the −w that a subtraction records."""
    k = walk.called.negated.get(i)
    return k if k in walk.found.weights else None


def told_names(walk: Walk, i: int) -> Mapping[int, str]:
    """The names in the step of node i, for it and its inputs, where they differ from the walk's."""
    if walk.grouping is None:
        return {}
    names = dict(walk.results)
    here = (i, *walk.inputs(i))
    for example in walk.grouping.parts:
        if example.kind != "example":
            continue
        held = set(example.all())
        if i in held:  # the frame around it says which one
            names |= {k: walk.called.stems[k] for k in here if k in held and k not in names}
        elif example.output >= 0 and not walk.nodes[example.output].label:
            names[example.output] = example.label  # the sum adds up what stands on their cards
    part = next((p for p in walk.neurons if i in p.nodes), None)
    if part is not None:
        names |= names_inside(walk, part)
    return _distinct({k: names[k] for k in here if k in names})


def results_of(walk: Walk) -> dict[int, str]:
    """out for a neuron that is alone in its layer, else out1, ...; the output keeps its name."""
    return {
        p.output: result_name(p)
        for p in walk.neurons
        if not walk.nodes[p.output].label and p.output != len(walk.nodes) - 1
    }


def _distinct(names: dict[int, str]) -> dict[int, str]:
    """Less what would be the name of two things."""
    often = Counter(names.values())
    return {k: name for k, name in names.items() if often[name] == 1}


# --- on cards -------------------------------------------------------------------------------------


def name_cells(walk: Walk, i: int) -> list[Cell]:
    """The name as a frame around the card leaves it, or below it what tells it from its like."""
    called = walk.called
    if walk.grouping and i in walk.grouping.starts(walk.graph):
        return [Cell((Run(START, "name"),))]
    if i in walk.constants:
        return []
    if i in walk.results:
        return [Cell((Run(OUT, "name"),))]
    factor = negated(walk, i)
    short = walk.found.weights.get(i if factor is None else factor)
    if short is None or called.stems[i] not in (short.text, MINUS + short.text):
        return [Cell((Run(shorten(called.stems[i], _NAME_LENGTH), "name"),)), *_tail(walk, i)]
    minus = "" if factor is None else MINUS
    return [Cell((Run(minus + short.letter, "name", short.sub),)), *_tail(walk, i)]


def _tail(walk: Walk, i: int) -> list[Cell]:
    """`of example 2`, where no frames are drawn."""
    text = "" if walk.grouping else walk.called.tail(i)
    return [Cell((Run(text, "small"),))] if text else []
