"""Frame: one step of a lesson, as the page's script reads it.

Python works all of it out, numbers as they are printed; `stepper.js` shows it. Read `Frame`, then
`Row`; `as_json` leaves out what a frame does not say.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from micrograd.show.graph.text import number_text

__all__ = ["Frame", "Points", "Row", "as_json", "data_shown", "grad_shown"]

Points = list[tuple[float, float]]
Shown = list[Any]  # [node, text], of a gradient [node, text, "plus" | "minus" | ""]


@dataclass(frozen=True, slots=True)
class Row:
    """What one input of a node gets: local × arriving = product; before + product -> after."""

    input: int
    name: str
    grad: str  # x.grad
    slope: str  # ∂n/∂x
    formula: str  # the local derivative in names,
    numbers: str  # with the numbers put in,
    local: str  # and as one number
    arriving: str
    product: str
    before: str
    after: str
    constant: bool = False


@dataclass(slots=True)
class Frame:
    """One step: where it is, what changes on the cards, what is said."""

    phase: str  # forward, backward, gradients, update
    title: str
    say: str
    node: int | None = None  # whose turn it is
    part: str = ""  # the neuron whose turn it is, where it is one step
    lit: list[int] = field(default_factory=list)  # what it reads, or gives to
    data: list[Shown] = field(default_factory=list)  # new numbers on cards
    grads: list[Shown] = field(default_factory=list)
    equation: list[str] = field(default_factory=list)  # name, formula, in numbers, result
    sign: str = "="
    arriving: str = ""
    rows: list[Row] = field(default_factory=list)
    summary: list[list[str]] = field(default_factory=list)  # name, value, meaning
    change: list[str] = field(default_factory=list)  # name, before, after
    # for each row points of the operation along its input; none at all where it is a straight line
    curves: list[Points] = field(default_factory=list)
    questions: list[dict[str, Any]] = field(default_factory=list)
    ask: str = ""  # said while a question is open


def as_json(frame: Frame) -> dict[str, Any]:
    """The frame without what it does not say; `lit` and `rows` are always there.

    Nor what the page knows: the name of a node, numbers that are the formula itself.
    """
    everything = asdict(frame)
    for row in everything["rows"]:
        if row["numbers"] == row["formula"]:
            del row["numbers"]
        if not row["constant"]:
            del row["constant"]
        if not frame.questions:
            del row["grad"]
    if frame.phase in ("forward", "backward") and frame.node is not None and not frame.part:
        del everything["title"]
    return {
        key: value
        for key, value in everything.items()
        if key in ("lit", "rows") or (value not in (None, "", []) and (key, value) != ("sign", "="))
    }


def data_shown(i: int, x: float) -> Shown:
    return [i, number_text(x)]


def grad_shown(i: int, x: float) -> Shown:
    """The text on a card and the colour beneath it."""
    return [i, number_text(x, sign=True), "plus" if x > 0 else "minus" if x < 0 else ""]
