"""What was found in one recording, as plain data, of which `steps/lower.py` makes a program.

Another batch size changes the numbers in it and nothing else: `batch.py` uses that.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from micrograd.engine import Value
from micrograd.lifting.steps.expression import Formula
from micrograd.lifting.strides import Access
from micrograd.op import Op

__all__ = [
    "PARAMETERS",
    "Argument",
    "Instruction",
    "Layout",
    "Outside",
    "Recording",
    "Result",
    "State",
    "Update",
]

PARAMETERS = 1 << 40  # addresses from here on are in the store, below in the program's own buffer


class Instruction(NamedTuple):
    """out = op(operands): a map, a reduction over the last `inner` loops, a take, or in turn.

    A dot may have a third operand, a mask: where it is 0 there is no term. All accesses have the
    same loops: those of `out`, then the `inner` ones that are reduced.
    """

    kind: str  # 'map', 'sum', 'chain' (of maxima or minima), 'dot', 'take', 'scan' or 'straight'
    op: Op | None
    out: Access
    operands: tuple[Access, ...]
    start: Access | None
    inner: int
    replaces: int
    value: Formula | None = None  # of a scan and straight-line code: a turn, from the operands


class Layout(NamedTuple):
    """Where everything stands, and what is done with it."""

    instructions: list[Instruction]
    constants: list[float]  # the numbers at addresses 0, 1, ...
    size: int


class Argument(NamedTuple):
    """An array among the arguments: where its numbers stand, and whether gradients flow into it."""

    start: int
    shape: tuple[int, ...]
    wanted: bool


class Result(NamedTuple):
    """A leaf of what the function returned: its shape, and where its numbers stand."""

    shape: tuple[int, ...]
    access: Access


class State(NamedTuple):
    """Numbers that each call gets anew: random ones (dropout), or running statistics."""

    start: int
    shape: tuple[int, ...]
    generator: np.random.Generator


class Update(NamedTuple):
    """A module's running statistics and where their new values stand after a call."""

    module: Any
    name: str
    places: np.ndarray


class Outside(NamedTuple):
    """A computed Value that the function found outside itself: an input of each call."""

    place: int
    value: Value


class Recording(NamedTuple):
    """Instructions, and where arguments, results and the rest stand among their numbers."""

    layout: Layout
    arguments: tuple[Argument, ...]
    results: tuple[Result, ...]
    states: tuple[State, ...]
    updates: tuple[Update, ...]
    outside: tuple[Outside, ...]
