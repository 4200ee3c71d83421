"""What was found in one recording, as plain data, of which `steps/lower.py` makes a program.

Another batch size changes the numbers in it and nothing else: `batch.py` uses that.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from micrograd.engine import Value
from micrograd.lifting.schedule import Layout
from micrograd.lifting.strides import Access

__all__ = ["Argument", "Outside", "Recording", "Result", "State", "Update"]


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
