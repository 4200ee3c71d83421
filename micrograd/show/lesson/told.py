"""What things are called in the words about one step, where neurons are known: as in the picture.

Inside a neuron its weights are w31 and b3 (the picture writes w₃₁), its inputs x1, x2, ... and its
result out, which is out3 for those who read it; what an example gives to the sum is example 1.
Everywhere else a name is that of `names.py`, which no other node bears. Read `names_inside`, then
`told_names`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from micrograd.show.graph.outside import Part
from micrograd.show.lesson.formulas import MINUS

if TYPE_CHECKING:
    from micrograd.show.lesson.walk import Walk

__all__ = ["OUT", "names_inside", "negated", "read_by", "results_of", "told_names"]

OUT = "out"


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
    names = {part.output: walk.nodes[part.output].label or OUT}
    weights = walk.grouping.weights if walk.grouping else {}
    read = read_by(walk, part)
    inputs = [k for k in read if k not in weights and k not in walk.constants]
    for k in read:
        if walk.nodes[k].label:
            names[k] = walk.nodes[k].label
        elif k in weights:
            names[k] = weights[k].letter + weights[k].sub
        elif k in inputs:
            names[k] = f"x{inputs.index(k) + 1}"
    for i in part.nodes:
        factor = negated(walk, i)
        if factor in names:
            names[i] = f"{MINUS}{names[factor]}"
    return _distinct(names)


def negated(walk: Walk, i: int) -> int | None:
    """The weight w where node i is the −w that a subtraction records."""
    weights = walk.grouping.weights if walk.grouping else {}
    said = walk.names[i]
    return next(
        (k for k in walk.inputs(i) if k in weights and said == f"{MINUS}{walk.names[k]}"), None
    )


def told_names(walk: Walk, i: int) -> Mapping[int, str]:
    """The names in the step of node i, for it and its inputs, where they differ from the walk's."""
    if walk.grouping is None:
        return {}
    names = dict(walk.results)
    for example in walk.grouping.parts:  # the sum adds up what stands on the cards of the examples
        unnamed = example.output >= 0 and not walk.nodes[example.output].label
        if example.kind == "example" and unnamed and i not in example.all():
            names[example.output] = example.label
    part = next((p for p in walk.neurons if i in p.nodes), None)
    if part is not None:
        names |= names_inside(walk, part)
    return _distinct({k: names[k] for k in (i, *walk.inputs(i)) if k in names})


def results_of(walk: Walk) -> dict[int, str]:
    """out for a neuron that is alone in its layer, else out1, out2, ..."""
    return {
        p.output: OUT + "".join(re.findall(r"^neuron (\d+)", p.label))
        for p in walk.neurons
        if not walk.nodes[p.output].label
    }


def _distinct(names: dict[int, str]) -> dict[int, str]:
    """Less what would be the name of two things."""
    often = Counter(names.values())
    return {k: name for k, name in names.items() if often[name] == 1}
