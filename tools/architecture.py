"""Draws the pictures of docs/architecture.md: how data flows through the package.

`python -m tools.architecture` writes them again; look at them before committing.
"""

from __future__ import annotations

from typing import NamedTuple

from micrograd.show.graph.drawing import Card, Cell, Drawing, Edge, Group, Run
from micrograd.show.graph.picture import Picture
from tools.notebooks import ROOT

__all__ = ["PICTURES", "Plan", "main", "picture"]

FOLDER = ROOT / "docs" / "architecture"


class Plan(NamedTuple):
    """Boxes are data (name: lines; a * marks what is not made anew), words on arrows say what turns
    one into the next; a dashed arrow, after the others, is a help."""

    description: str
    boxes: dict[str, str]
    arrows: list[tuple[str, str, str]]
    dashed: list[tuple[str, str, str]]
    groups: dict[str, list[str]] = {}  # noqa: RUF012 (never changed)


PICTURES = {
    "backward": Plan(
        "From an expression to a graph, to an order, to gradients",
        {
            "expression": "tanh(x*w + b)|Python runs it",
            "scalars": "a graph of Values|data, rule, inputs",
            "order": "the same nodes|inputs before outputs",
            "grads": "every node's grad",
            "table": "*a row of the op table|forward and partial derivatives",
        },
        [
            ("expression", "scalars", "record"),
            ("scalars", "order", "topological_order"),
            ("order", "grads", "backward: push, last node first"),
        ],
        [("table", "scalars", "forward"), ("table", "grads", "partial derivatives")],
    ),
    "lifted_call": Plan(
        "Recording once, then a buffer, a forward and a backward for each call",
        {
            "function": "your function and its arguments",
            "tape": "tape|one line a scalar operation",
            "nodes": "nodes|chains of + and * are sums and dots",
            "groups": "groups of like nodes|each with addresses",
            "instructions": "instructions|loops with strides",
            "program": "program|steps over arrays, as data",
            "code": "code of an executor|NumPy calls, or native",
            "numbers": "numbers of the arguments",
            "buffers": "one buffer for this call",
            "results": "Values|one node of the graph, its results",
            "store": "*parameters in one array|store.py",
        },
        [
            ("function", "tape", "run once, traced"),
            ("tape", "nodes", "fuse"),
            ("nodes", "groups", "schedule, merge"),
            ("groups", "instructions", "strides"),
            ("instructions", "program", "steps/lower, adjoint"),
            ("program", "code", "run/"),
            ("numbers", "buffers", "copied in"),
            ("buffers", "results", "forward"),
        ],
        [
            ("results", "buffers", "backward"),
            ("code", "buffers", "runs on"),
            ("store", "buffers", "read where they live"),
        ],
        {
            "the first call with these shapes": [
                "function", "tape", "nodes", "groups", "instructions", "program", "code",
            ],
            "each later call": ["numbers", "buffers", "results"],
        },
    ),
    "picture": Plan(
        "From a Value to a picture, a page and a worksheet",
        {
            "value": "a Value|anybody's",
            "nodes": "nodes|data, grad, label, operands",
            "drawing": "Drawing|cards, edges, groups",
            "layout": "Layout|positions",
            "picture": "SVG, PNG, PDF",
            "walk": "Walk|each step of backward",
            "frames": "frames|formula, numbers, words",
            "page": "a page that steps,|asks and checks",
            "sheet": "a worksheet|and its answers",
        },
        [
            ("value", "nodes", "nodes.read"),
            ("nodes", "drawing", "draw, groups, views"),
            ("drawing", "layout", "Graphviz"),
            ("layout", "picture", "svg"),
            ("value", "walk", "walk"),
            ("walk", "frames", "lesson, formulas"),
            ("frames", "page", "stepper"),
            ("walk", "sheet", "worksheet"),
        ],
        [("picture", "page", ""), ("picture", "sheet", "")],
    ),
}  # fmt: skip


def picture(plan: Plan) -> Picture:
    cards = []
    for name, text in plan.boxes.items():
        title, *lines = text.removeprefix("*").split("|")
        cells = (Cell((Run(title, "name"),)), *(Cell((Run(line, "small"),)) for line in lines))
        look = "filled" if text.startswith("*") else ""
        cards.append(Card(name, "interior", cells, stacked=True, look=look))
    kinds = [(False, arrow) for arrow in plan.arrows] + [(True, arrow) for arrow in plan.dashed]
    edges = [
        Edge(f"e{k}", tail, head, label=words, back=dashed)
        for k, (dashed, (tail, head, words)) in enumerate(kinds)
    ]
    groups = [
        Group(f"g{k}", "room", title, tuple(held))
        for k, (title, held) in enumerate(plan.groups.items())
    ]
    return Picture(
        Drawing(tuple(cards), tuple(edges), tuple(groups), plan.description, "TB", (20.0, 30.0))
    )


def main() -> None:
    for name, plan in PICTURES.items():
        picture(plan).save(FOLDER / f"{name}.svg")


if __name__ == "__main__":
    main()
