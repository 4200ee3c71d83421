"""step_through: backward, one node at a time, in a notebook or on a page of its own.

The steps are recorded from a real backward by `walk.py` and put into words by `lesson.py`; a small script
shows them. In a notebook they live in a sandboxed frame, which needs no kernel and no network, survives
export, and cannot disturb the page or another stepper. Read `step_through`, then `Stepper`.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
import os
import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from micrograd import engine
from micrograd.engine import Value
from micrograd.reals import describe
from micrograd.show.cards import picture_of
from micrograd.show.lesson import lesson, updated
from micrograd.show.svg import PALETTE, number_text, plain
from micrograd.show.walk import Walk

__all__ = ["Stepper", "step_through"]

_MAX_NODES = 300  # 0.8 MB, and about as many as a person clicks through


def step_through(
    value: Value, parameters: Any = None, lr: float | None = None, *, quiz: bool = False
) -> Stepper:
    """Forward value by value, then backward node by node, as an interactive picture.

    With `parameters` (Values, or a module) and a learning rate the lesson ends with each update
    p -= lr * p.grad and the new value. With `quiz` it stops before each gradient and asks for it.
    """
    given = _parameters(parameters, lr)
    if isinstance(value, Value):
        count = len(engine.topological_order(value))
        if count > _MAX_NODES:
            raise ValueError(
                f"this graph has {count:,} nodes, and nobody steps through more than {_MAX_NODES}: "
                "take a smaller part of it, such as the loss of one example"
            )
    walk = Walk(value, given)
    for p in given:
        if p not in walk.index or p._rule is not None:
            raise ValueError(
                f"parameters= takes leaves that {walk.names[-1]} was computed from; "
                f"{p!r} (label {p.label!r}) is not one of them"
            )
    return Stepper(walk, given, lr, quiz)


def _parameters(parameters: Any, lr: float | None) -> tuple[Value, ...]:
    if (parameters is None) != (lr is None):
        raise ValueError("an update needs both: step_through(loss, parameters, lr)")
    if parameters is None or lr is None:
        return ()
    found = parameters.parameters() if hasattr(parameters, "parameters") else parameters
    values = tuple(found) if isinstance(found, Iterable) else (found,)
    if not values or not all(isinstance(p, Value) for p in values):
        raise TypeError(
            f"parameters= takes Values in a list, or a module; got {describe(parameters)}"
        )
    if isinstance(lr, bool) or not isinstance(lr, (int, float)) or not math.isfinite(lr) or lr <= 0:
        raise ValueError(f"lr= is a learning rate, a finite number above 0; got {lr!r}")
    return tuple(dict.fromkeys(values))


class Stepper:
    """An interactive lesson: notebooks show it, `save("page.html")` writes it, `html` is its fragment."""

    def __init__(
        self, walk: Walk, parameters: tuple[Value, ...], lr: float | None, quiz: bool
    ) -> None:
        self._walk = walk
        self._lesson = lesson(walk, quiz, parameters, lr)
        later = None if lr is None else updated(walk, parameters, lr)
        data = [_wider(*pair) for pair in zip(walk.data, later or walk.data, strict=True)]
        self._picture = picture_of(walk, _widest_grads(walk), data, parameters, _MAX_NODES)
        self._final = picture_of(walk, walk.grads, None, parameters, _MAX_NODES)

    @property
    def page(self) -> str:
        """A whole HTML document that needs nothing but a browser."""
        script, style = _source("stepper.js"), _source("stepper.css")
        title = html.escape(f"Backpropagation of {self._walk.names[-1]}, step by step")
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        data = json.dumps(self._lesson, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return _PAGE.format(
            # no script but ours, and no address at all: whatever a label says stays text
            policy=f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'",
            title=title,
            style=_colours() + f":root{{--panel:{self._panel}px}}\n" + style,
            svg=self._picture.svg,
            lesson=data.replace("<", "\\u003c").replace("\u2028", "\\u2028"),
            script=script,
            controls=_CONTROLS,
        )

    @property
    def html(self) -> str:
        """The fragment for a notebook: the page in a frame, and a still picture where frames are cut out."""
        still = base64.b64encode(self._final.svg.encode()).decode()
        title = html.escape(f"Backpropagation of {self._walk.names[-1]}, step by step")
        return _FRAGMENT.format(
            title=title, height=self._height, page=html.escape(self.page), still=still
        )

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"<Stepper: {len(self._lesson['frames'])} steps; shown in a notebook, or save('page.html')>"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a page that opens from disk in any browser, offline."""
        target = Path(path)
        if target.suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"cannot save {str(path)!r}: a stepper's file ends in .html")
        target.write_text(self.page, encoding="utf-8")

    @property
    def _panel(self) -> int:
        """Pixels for the words: a line an input, up to five; more of them scroll."""
        rows = max(len(frame["rows"]) for frame in self._lesson["frames"])
        asked = 110 if self._lesson["quiz"] else 0  # room for what a mistake is told
        return 158 + 44 * min(max(rows, 2), 5) + asked

    @property
    def _height(self) -> int:
        """Pixels for the frame, which cannot size itself: the picture in a column of 860, and the words."""
        width, height = _size(self._picture.svg)
        drawn = height * min(1.0, 860 / width) if width < 1400 else height
        return round(min(max(drawn + 28, 200), 460)) + 54 + self._panel


def _size(svg: str) -> tuple[float, float]:
    """Width and height of a picture in pixels."""
    found = re.match(r'<svg width="([\d.]+)" height="([\d.]+)"', svg)
    if found is None:
        raise ValueError("a picture begins with its width and its height")
    return float(found[1]), float(found[2])


def _widest_grads(walk: Walk) -> list[float]:
    """For each node the gradient, of all it will show, that takes the most room; never 0."""
    widest = [1.0] * len(walk.nodes)
    for step in walk.steps:
        for use in step:
            widest[use.input] = _wider(widest[use.input], use.after, sign=True)
    return widest


def _wider(a: float, b: float, sign: bool = False) -> float:
    return b if b and len(number_text(b, sign)) > len(number_text(a, sign)) else a


@cache
def _source(name: str) -> str:
    return files("micrograd.show").joinpath(name).read_text(encoding="utf-8")


_MORE = {  # beside the picture's colours: (light, dark); each text colour has 4.5:1 on its tint
    "rule": ("#dcdfe3", "#363c44"),
    "accent": ("#a85200", "#ffb454"),
    "on-accent": ("#ffffff", "#1c1200"),
    "glow": ("#fff0d6", "#4a3410"),
    "arriving": ("#8a4300", "#ffc477"),
    "input": ("#0f7b6c", "#4fd1bd"),
    "local": ("#5b3f8c", "#cdb9f7"),
    "local-tint": ("#efe9f9", "#382a56"),
    "product": ("#0b6355", "#7fe0d0"),
    "product-tint": ("#dff3ef", "#123f38"),
    "scheme": ("light", "dark"),
}


def _colours() -> str:
    """Every colour as a custom property, light or dark with the system or the page's own switch."""
    palette = {name.replace("_", "-"): pair for name, pair in PALETTE.items()} | _MORE
    light, dark = (
        "".join(f"--{name}:{pair[k]};" for name, pair in palette.items())
        + f"color-scheme:{('light', 'dark')[k]}"
        for k in (0, 1)
    )
    return (
        f":root{{{light}}}\n@media(prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
        f':root[theme="light"]{{{light}}}\n:root[theme="dark"]{{{dark}}}\n'
    )


def _button(name: str, label: str, *shapes: str) -> str:
    drawn = "".join(
        f'<svg viewBox="0 0 16 16" aria-hidden="true" class="{kind}"><path d="{d}"/></svg>'
        for kind, _, d in (shape.partition("|") for shape in shapes)
    )
    return (
        f'<button type="button" id="{name}" aria-label="{label}" title="{label}">{drawn}</button>'
    )


_BUTTONS = "".join(
    (
        _button("first", "First step (Home)", "|M3 3h2v10H3zM13 3v10L6 8z"),
        _button("back", "Back (left arrow)", "|M11.5 3v10L4.5 8z"),
        _button("play", "Play", "start|M4 2.5v11L13 8z", "pause|M4 3h3v10H4zM9 3h3v10H9z"),
        _button("forward", "Forward (right arrow)", "|M4.5 3v10l7-5z"),
        _button("last", "Last step (End)", "|M11 3h2v10h-2zM3 3v10l7-5z"),
    )
)
_LOOKS = _button(
    "zoom", "Close up", "|M7 1a6 6 0 1 0 3.6 10.8l3.3 3.3 1.2-1.2-3.3-3.3A6 6 0 0 0 7 1zm0 1.7a4.3 4.3 0 1 1 "
    "0 8.6 4.3 4.3 0 0 1 0-8.6zM6.2 4.5h1.6v1.7h1.7v1.6H7.8v1.7H6.2V7.8H4.5V6.2h1.7z",
) + _button("theme", "Light or dark", "|M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm0 1.8v10.4A5.2 5.2 0 0 1 8 2.8z")  # fmt: skip
_CONTROLS = f"""<div class="controls" role="toolbar" aria-label="Steps">
<div class="buttons">{_BUTTONS}</div>
<input type="range" id="slider" min="0" value="0" aria-label="Step"><span id="count"></span>
<div class="switch" role="radiogroup" aria-label="Show formulas or numbers">
<input type="radio" name="form" value="formula" id="as-formula" checked><label for="as-formula">Formulas</label>
<input type="radio" name="form" value="numbers" id="as-numbers"><label for="as-numbers">Numbers</label></div>
<div class="looks">{_LOOKS}</div>
</div>"""
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}</style></head>
<body><main aria-label="{title}">
<div id="graph" tabindex="0" role="region" aria-label="Computation graph">{svg}</div>
{controls}
<section class="panel" aria-label="This step">
<div class="said"><span id="phase" class="phase"></span><p id="say" aria-live="polite"></p></div>
<div id="work" tabindex="0" role="region" aria-label="The arithmetic of this step"></div>
</section>
</main>
<div id="tip" role="tooltip" hidden></div>
<script type="application/json" id="lesson">{lesson}</script>
<script>{script}</script>
</body></html>
"""
# An untrusted notebook and GitHub cut out the frame and the style, and then the still picture shows.
_FRAGMENT = """<div class="micrograd-stepper">
<style>.micrograd-stepper > iframe ~ img {{ display: none; }}</style>
<iframe title="{title}" sandbox="allow-scripts" width="100%" height="{height}" style="width: 100%; \
height: {height}px; border: 1px solid #8884; border-radius: 10px;" srcdoc="{page}"></iframe>
<img alt="{title}: the graph with its gradients" src="data:image/svg+xml;base64,{still}">
</div>"""
