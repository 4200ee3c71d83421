"""Names that somebody wrote, and what the short ones stand for.

A weight may be written short or as the path of attributes that leads to it: w21, w₂₁,
layers.0.neurons.1.w[0] and layers.0.neurons.1.w.0 are one. Read `found`, then `legend_of`.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from typing import TYPE_CHECKING

from micrograd.show.graph.drawing import Run
from micrograd.show.graph.views import legend
from micrograd.show.notation import MINUS, TIMES
from micrograd.show.practice.reading import bare

if TYPE_CHECKING:
    from micrograd.show.lesson.walk import Walk

__all__ = ["Known", "found", "legend_of", "legend_text", "meant"]

_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789") | {ord(MINUS): "-", ord(TIMES): "*"}


def found(walk: Walk, written: str) -> list[int]:
    """The nodes that this may be the name of: the first kind of name that any of them has."""
    asked = [i for i in walk.asked if walk.names[i] == written]
    if asked:
        return asked
    wanted = _folded(written)
    paths = [walk.called.paths.get(i, "") for i in range(len(walk.nodes))]
    for names in (walk.names, paths, walk.called.stems):
        alike = [i for i in walk.asked if wanted and _folded(names[i]) == wanted]
        if alike:
            return alike
    return []


def _folded(name: str) -> str:
    """Without blanks and capitals, in ASCII's signs and digits; w[0] is w.0."""
    name = re.sub(r"\s+", "", name).translate(_SUBSCRIPTS).casefold()
    return re.sub(r"\[([\d,]+)\]", r".\1", name)


def meant(walk: Walk, written: str) -> list[int]:
    """The same for a gradient's name, with or without `.grad`."""
    return found(walk, written) or found(walk, bare(written))


class Known(Container[str]):
    """The names of the gradients of some sheets, however somebody writes them."""

    def __init__(self, walks: Iterable[Walk]) -> None:
        self.forms = {
            _folded(form)
            for walk in walks
            for i in walk.asked
            for form in (walk.names[i], walk.called.stems[i], walk.called.paths.get(i, ""))
            if form
        }

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and _folded(name) in self.forms


def legend_of(walk: Walk) -> tuple[Run, ...]:
    """What the short names of weights stand for, as a picture writes it: by one of them."""
    weights = {i: w for i, w in walk.found.weights.items() if walk.called.stems[i] == w.text}
    return legend(weights, weights, walk.called.tail)


def legend_text(walk: Walk) -> list[str]:
    """The same as sentences; and which of several a#2 is."""
    runs = legend_of(walk)
    said = ["".join(run.text + run.sub + " " for run in runs).strip() + "."] if runs else []
    said += [walk.legend] if walk.legend else []
    for i in walk.asked:
        stem, _, copy = walk.names[i].rpartition("#")
        if copy == "2" and stem in walk.names:
            return [*said, f"{walk.names[i]} is the second that is called {stem}."]
    return said
