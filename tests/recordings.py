"""Watch a lifted function being recorded, where lift does not look: through an iterator."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from micrograd import lift

__all__ = ["noting", "recorded"]


def noting() -> tuple[Callable[[Any], None], list[Any]]:
    """A function that notes what it is given, and the list of it.

    A lifted function may not append to a list that it can reach: lifted, it would do so once.
    """
    notes: list[Any] = []

    def sink() -> Iterator[None]:
        while True:
            notes.append((yield))

    generator: Any = sink()
    next(generator)
    return generator.send, notes


def recorded(function: Callable[..., Any], **options: Any) -> tuple[Any, list[int]]:
    """The function lifted, and a list that grows by one each time it is recorded."""
    note, notes = noting()
    count = itertools.count()

    def counted(*args: Any, **kwargs: Any) -> Any:
        note(next(count))
        return function(*args, **kwargs)

    return lift(**options)(counted), notes
