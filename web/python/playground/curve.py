"""A curve that grows while code runs: the loss of a training loop, drawn as SVG by us.

from playground import Curve
losses = Curve("loss")
losses.add(loss.data)          # once a step
"""

from __future__ import annotations

import builtins
import math
from html import escape
from itertools import count

from micrograd.show.graph.palette import style_sheet
from micrograd.show.graph.text import number_text, plain

__all__ = ["Curve"]

_WIDE, _HIGH = 480.0, 220.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 64.0, 12.0, 30.0, 30.0
_MOST = 400  # points that are drawn: the eye sees no more
_numbers = count(1)


class Curve:
    """A plot of numbers in their order; `add` draws it anew in its place."""

    def __init__(self, title: str = "loss", log: bool = False) -> None:
        self.title, self.log = plain(title, 60), log
        self.points: list[float] = []
        self._name = f"curve-{next(_numbers)}"
        self._shown = False

    def add(self, y: float) -> None:
        """One more point; a Value will do."""
        self.points.append(float(getattr(y, "data", y)))
        self._shown = True
        builtins.display(self, name=self._name)  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        return f"<Curve {self.title!r} of {len(self.points)} points>"

    def _repr_svg_(self) -> str | None:
        points = [(k, y) for k, y in enumerate(self.points) if self._drawable(y)]
        low, high = self._range([y for _, y in points])
        last = max(len(self.points) - 1, 1)

        def place(k: float, y: float) -> str:
            y = self._height(y)
            across = _LEFT + (_WIDE - _LEFT - _RIGHT) * k / last
            up = (_HIGH - _TOP - _BOTTOM) * (y - low) / (high - low)
            return f"{across:.1f},{_HIGH - _BOTTOM - up:.1f}"

        shown = points[:: max(1, len(points) // _MOST)] + points[-1:]
        path = "M" + "L".join(place(*point) for point in shown) if shown else ""
        now = number_text(self.points[-1]) if self.points else "no points yet"
        said = escape(f"{self.title}: {len(self.points)} points, the last {now}")
        marks = self._marks(low, high, last)
        x, y = place(*points[-1]).split(",") if points else ("-9", "-9")
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="micrograd-picture" role="img" '
            f'width="{_WIDE:.0f}" height="{_HIGH:.0f}" viewBox="0 0 {_WIDE:.0f} {_HIGH:.0f}" '
            f'aria-label="{said}"><style>{style_sheet()}'
            ".micrograd-picture .curve{fill:none;stroke:var(--micrograd-plus-ink);stroke-width:2}"
            ".micrograd-picture .point{fill:var(--micrograd-plus-ink)}</style>"
            f'<rect class="paper" width="{_WIDE:.0f}" height="{_HIGH:.0f}"/>'
            f'<text class="name" x="{_LEFT:.0f}" y="18">{escape(self.title)}: {now}</text>{marks}'
            f'<path class="curve" d="{path}"/>'
            f'<circle class="point" cx="{x}" cy="{y}" r="3.5"/></svg>'
        )

    def _drawable(self, y: float) -> bool:
        return math.isfinite(y) and (not self.log or y > 0)

    def _height(self, y: float) -> float:
        return math.log10(y) if self.log else y

    def _range(self, ys: list[float]) -> tuple[float, float]:
        heights = [self._height(y) for y in ys] or [0.0]
        low, high = min(heights), max(heights)
        if not self.log and low >= 0:
            low = 0.0  # a loss is read against zero
        return (low, high) if high > low else (low - 0.5, high + 0.5)

    def _marks(self, low: float, high: float, last: int) -> str:
        """The ends of both axes, and a line at the top and at the bottom."""
        ends = [(10**y if self.log else y) for y in (low, high)]
        heights = (_HIGH - _BOTTOM, _TOP)
        lines = "".join(f'<path class="rule" d="M{_LEFT},{h}H{_WIDE - _RIGHT}"/>' for h in heights)
        sides = "".join(
            f'<text class="small" x="{_LEFT - 8}" y="{h + 4}" text-anchor="end">{_short(y)}</text>'
            for y, h in zip(ends, heights, strict=True)
        )
        below = _HIGH - _BOTTOM + 18
        feet = (
            f'<text class="small" x="{_LEFT}" y="{below}">0</text>'
            f'<text class="small" x="{_WIDE - _RIGHT}" y="{below}" text-anchor="end">{last}</text>'
        )
        return lines + sides + feet


def _short(y: float) -> str:
    return f"{y:.3g}".replace("-", "\N{MINUS SIGN}")
