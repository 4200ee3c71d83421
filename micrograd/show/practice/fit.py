"""How a sheet goes on its pages: how large its graph is, and how many answers stand on which page.

A sheet fills its pages: the graph is as large as the answers allow, and the style gives the rows
what is left. Read `Fit`, then `fitted`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from micrograd.show.graph.text import SIZE, width
from micrograd.show.lesson.pages import size_of
from micrograd.show.lesson.walk import Walk
from micrograd.show.practice.paper import forward, is_cut, picture, worked

__all__ = ["LEAST", "Fit", "fitted"]

# A page that A4 and Letter both hold with margins of 12 mm, in pixels (96 an inch): CSS prints so.
_WIDE, _HIGH = 703.0, 963.0
_HEAD, _KEY_HEAD = 182.0, 60.0  # pixels for a title of one line, and the rule; a key has no rule
_TITLE = 24.0  # for every other line of the title
_TABLE, _KEY_TABLE = 54.0, 76.0  # for the heading of the answers
_NEXT, _KEY_NEXT = 60.0, 80.0  # for the sheet's number and the heading on the pages that follow
_LEAST_ROW = {1: 34.0, 2: 38.0}  # of one answer a line, and of two
_GOOD_ROW = {1: 44.0, 2: 60.0}  # with these the graph may be larger than it is drawn
_MOST_ROW = 83.0  # 22 mm, as the style has it
_LARGEST = 1.25
_WORK = 270.0  # of a key: the width for local × arriving
_MORE = 9  # pages after the first; a sheet's hundred answers take two
LEAST = 8 / (0.75 * SIZE)  # the scale at which a card's text is 8 points high


@dataclass(frozen=True, slots=True)
class Fit:
    """A picture and how it is printed: its scale, and the answers in one column or two.

    `pages` says how many answers each page holds; the first has the graph, and perhaps no answer.
    """

    svg: str
    scale: float
    columns: int
    pages: tuple[int, ...]


def fitted(walk: Walk, solved: bool = False, prefix: str = "", title: str = "") -> Fit:
    """The graph and all answers on one page if both have room there, else on more pages."""
    drawn = [picture(walk, solved, prefix, direction).svg for direction in ("LR", "TB")]
    lines = math.ceil(1.15 * width(title or " ", 20, bold=True) / _WIDE)
    free = _HIGH - _TITLE * (lines - 1)
    return _key(walk, drawn, free - _KEY_HEAD) if solved else _sheet(walk, drawn, free - _HEAD)


def _sheet(walk: Walk, drawn: Sequence[str], free: float) -> Fit:
    """Answers stand in one column where the graph need not be drawn smaller for that."""
    count, listed = len(walk.asked), _list_height(walk)
    (narrow, one), (wide, two) = (
        _above(drawn, free - listed - _TABLE, -(-count // columns), columns) for columns in (1, 2)
    )
    if narrow >= max(LEAST, min(1.0, wide)):
        return Fit(one, narrow, 1, (count,))
    if wide >= LEAST:
        return Fit(two, wide, 2, (count,))
    scale, svg = _larger(drawn, free)
    rooms = free - scale * size_of(svg)[1] - listed - _TABLE, *[_HIGH - _NEXT] * _MORE
    for columns, most in ((1, 2), *((2, k) for k in range(2, len(rooms) + 1))):
        rows = _balanced(-(-count // columns), rooms[:most], _LEAST_ROW[columns])
        if rows:
            break
    pages = [columns * k for k in rows]
    pages[-1] -= sum(pages) - count
    return Fit(svg, scale, columns, tuple(pages))


def _key(walk: Walk, drawn: Sequence[str], free: float) -> Fit:
    """The answers as a table whose rows are as high as their texts."""
    listed = _list_height(walk)
    rows = [_key_row(walk, i) for i in walk.asked]
    scale, svg = _larger(drawn, free - listed - _KEY_TABLE - sum(rows))
    if scale >= LEAST:
        return Fit(svg, scale, 1, (len(rows),))
    scale, svg = _larger(drawn, free)
    first = free - scale * size_of(svg)[1] - listed - _KEY_TABLE
    return Fit(svg, scale, 1, _filled(rows, [first, *[_HIGH - _KEY_NEXT] * _MORE]))


def _above(drawn: Sequence[str], high: float, rows: int, columns: int) -> tuple[float, str]:
    """The graph above these rows, larger than drawn where they are good to write in."""
    good = _larger(drawn, high - rows * _GOOD_ROW[columns], _LARGEST)
    return good if good[0] >= 1 else _larger(drawn, high - rows * _LEAST_ROW[columns])


def _larger(drawn: Sequence[str], high: float, most: float = 1.0) -> tuple[float, str]:
    scales = []
    for svg in drawn:
        w, h = size_of(svg)
        scales.append(min(most, _WIDE / w, high / h))
    return max(zip(scales, drawn, strict=True), key=lambda fit: fit[0])


def _balanced(rows: int, rooms: Sequence[float], least: float) -> tuple[int, ...]:
    """How many rows go on each page, such that they are as high as can be; () if not `least`."""
    high = _MOST_ROW
    while high >= least:
        pages = _filled([high] * rows, rooms)
        if pages:
            return pages
        high -= 0.5
    return ()


def _filled(heights: Sequence[float], rooms: Sequence[float]) -> tuple[int, ...]:
    """How many rows of these heights go on each page, one page after the other; () if not all."""
    pages, row = [], 0
    for room in rooms:
        first = row
        while row < len(heights) and sum(heights[first : row + 1]) <= room:
            row += 1
        pages.append(row - first)
        if row == len(heights):
            return tuple(pages)
    return ()


def _list_height(walk: Walk) -> float:
    """What the list of formulas takes, which is printed where one has no room on its card."""
    return 40.0 + 22.0 * ((len(forward(walk)) + 1) // 2) if is_cut(walk) else 0.0


def _key_row(walk: Walk, i: int) -> float:
    """The height of a row of the key, whose longest text is a sum over the uses."""
    return 5.0 + 17.0 * math.ceil(1.15 * width(worked(walk, i), 13.4) / _WORK)
