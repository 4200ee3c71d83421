"""step_through: backward, one node at a time, in a notebook or on a page of its own.

The steps are recorded from a real backward by `walk.py` and put into words by `lesson.py`; a small
script shows them. In a notebook they live in a sandboxed frame, which needs no kernel and no
network, survives export, and cannot disturb the page or another stepper. Read `step_through` first.
"""

from __future__ import annotations

import html
import json
import math
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from micrograd.engine import Value
from micrograd.show.graph.files import write
from micrograd.show.graph.nodes import is_node, topological_order
from micrograd.show.graph.parameters import read_parameters
from micrograd.show.graph.rooms import LITTLE
from micrograd.show.graph.text import number_text, plain, width
from micrograd.show.lesson.cards import Shown, Views, picture_of
from micrograd.show.lesson.finding import found
from micrograd.show.lesson.lesson import lesson
from micrograd.show.lesson.pages import document, embedded, filled, framed, size_of
from micrograd.show.lesson.training import updated
from micrograd.show.lesson.walk import Walk
from micrograd.show.practice.answers import described

__all__ = ["Stepper", "step_through"]

_MAX_NODES = 300  # 0.8 MB, and about as many as a person clicks through
_MAX_GROUPED = 600  # nodes in groups: nobody sees them all at once

_SCRIPTS = ("views", "slopes", "slides", "stepper")
_POSITIVE, _NEGATIVE = number_text(1.0, sign=True), number_text(-1.0)  # cards are alike in width

# inside a double-quoted srcdoc each " takes six bytes: the lesson travels with its quotes swapped
_SWAP = str.maketrans("\"'", "'\"")


def step_through(
    value: Any,
    parameters: Any = None,
    lr: float | None = None,
    *,
    quiz: bool = False,
    groups: Any = None,
) -> Stepper:
    """Forward value by value, then backward node by node, as an interactive picture.

    With `parameters` (Values, or a module) and a learning rate the lesson ends with each update
    p -= lr * p.grad and the new value. With `quiz` it stops before each gradient and asks for it.
    The examples, layers and neurons of a module (`parameters`, or `groups`) can be opened and
    closed, and the lesson goes from neuron to neuron, or from operation to operation.
    """
    given = _updated(parameters, lr)
    if groups is None and hasattr(parameters, "__dict__") and not is_node(parameters):
        groups = parameters
    if is_node(value):
        count = len(topological_order(value))
        most = _MAX_NODES if groups is None else _MAX_GROUPED
        if count > most:
            raise ValueError(
                f"this graph has {count:,} nodes, and nobody steps through more than {most}: "
                "take a smaller part of it, such as the loss of one example"
            )
    walk = Walk(value, parameters, groups=groups)
    return Stepper(walk, tuple(walk.own(p) for p in given if walk.own(p) in walk.index), lr, quiz)


def _updated(parameters: Any, lr: float | None) -> tuple[Any, ...]:
    """The Values that the lesson's end gives a step, in the order in which they were given."""
    if (parameters is None) != (lr is None):
        raise ValueError("an update needs both: step_through(loss, parameters, lr)")
    if parameters is None or lr is None:
        return ()
    values = read_parameters(parameters)
    if not values:
        raise TypeError(
            f"parameters= takes Values in a list, or a module; got {described(parameters)}"
        )
    if isinstance(lr, bool) or not isinstance(lr, (int, float)) or not math.isfinite(lr) or lr <= 0:
        raise ValueError(f"lr= is a learning rate, a finite number above 0; got {lr!r}")
    return tuple(values)


class Stepper:
    """An interactive lesson: notebooks show its `html`, `save("page.html")` writes its `page`."""

    def __init__(
        self, walk: Walk, parameters: tuple[Value, ...], lr: float | None, quiz: bool
    ) -> None:
        self._walk = walk
        self._lesson = lesson(walk, quiz, parameters, lr)
        later = None if lr is None else updated(walk, parameters, lr)
        rooms = _widest(walk, later or walk.data)
        start, end = (
            [
                replace(Shown.of(x, g), **room)
                for x, g, room in zip(walk.data, grads, rooms, strict=True)
            ]
            for grads in ([0.0] * len(walk.nodes), walk.grads)
        )
        self._views: Views | None = None
        if walk.grouping is None:
            self._picture, self._final = picture_of(walk, start), picture_of(walk, end)
        else:
            self._views = Views(walk, walk.grouping, start)
            self._picture = self._views.first
            self._final = Views.final(walk, walk.grouping, end)
            self._lesson |= self._views.as_json()

    @property
    def page(self) -> str:
        """A whole HTML document that needs nothing but a browser."""
        data = json.dumps(self._lesson, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        marking = ["practice/answers.js"] if self._lesson["quiz"] else []
        body = filled(
            "lesson/stepper.html",
            title=html.escape(self._title),
            panel=str(self._panel),
            svg=embedded(self._drawn()),
            lesson=data.replace("<", "\\u003c").translate(_SWAP),
        )
        scripts = [*marking, *(f"lesson/{name}.js" for name in _SCRIPTS)]
        return document(self._title, body, scripts, "lesson/stepper.css")

    def _drawn(self) -> str:
        """The first picture, and hidden in it the cards of the others."""
        if self._views is None:
            return self._picture.svg
        hidden = f'<g id="stock" display="none">{self._views.stock()}</g></svg>'
        return self._picture.svg.replace("</svg>", hidden)

    def step_of(self, name: str) -> int:
        """The step, 1 for the first, at which the gradient of this name is complete."""
        i = found(self._walk, name)[0]
        changed = [[grad[0] for grad in f.get("grads", ())] for f in self._lesson["frames"]]
        return max(k for k, nodes in enumerate(changed, 1) if i in nodes)

    @property
    def html(self) -> str:
        """The page in a frame, for notebooks; and a still picture for where frames are cut out."""
        return framed(
            self._title, self.page, self._height, embedded(self._final.svg), "allow-scripts"
        )

    @property
    def _title(self) -> str:
        return f"Backpropagation of {plain(self._walk.names[-1])}, step by step"

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        steps = len(self._lesson["frames"])
        return f"<Stepper of {steps} steps: show it in a notebook, or save('page.html')>"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a page that opens from disk in any browser, offline."""
        if Path(path).suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"cannot save {str(path)!r}: a stepper's file ends in .html")
        write(path, self.page)

    @property
    def _panel(self) -> int:
        """Pixels for the words: a line an input, up to five; more of them scroll."""
        rows = max(len(frame["rows"]) for frame in self._lesson["frames"])
        asked = 110 if self._lesson["quiz"] else 0  # room for what a mistake is told
        return 158 + 54 * min(max(rows, 2), 5) + asked

    @property
    def _height(self) -> int:
        """Pixels for the frame, which cannot size itself: the picture, controls and the words."""
        _, height = size_of(self._picture.svg)
        most = 460
        if self._views is not None:  # room for an example that is opened
            height = max(layout.height for layout in self._views.layouts)
            most = 570  # an open example of the lecture's network, in the smallest letters
        return round(min(max(height + 28, 200), most)) + 54 + self._panel


def _widest(walk: Walk, later: Sequence[float]) -> list[dict[str, str]]:
    """For each node the number and the gradient, of all it will show, that take the most room."""
    grads = [_POSITIVE] * len(walk.nodes)
    for step in walk.steps:
        for use in step:
            grads[use.input] = max(grads[use.input], number_text(use.after, sign=True), key=width)
    data = [
        max(_NEGATIVE, number_text(x), number_text(y), key=width)
        for x, y in zip(walk.data, later, strict=True)
    ]
    return [
        {"widest_data": x, "widest_grad": g}
        for x, g in zip(_alike(data), _alike(grads), strict=True)
    ]


def _alike(texts: Sequence[str]) -> list[str]:
    """For each the widest of all, so that cards are equally wide; one much wider stays alone."""
    wide = sorted(set(texts), key=width)
    return [
        next(text for text in reversed(wide) if width(text) <= width(own) + LITTLE) for own in texts
    ]
