"""While a function is recorded, numbers it finds outside may not be read: they would be baked in.

`guarded` gives the leaf Values that the function can reach a class that refuses, and theirs back
after.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from micrograd.engine import Value, current_mode

__all__ = ["guarded"]

_data, _grad = Value.__dict__["data"], Value.__dict__["grad"]


def _refuse(what: str) -> None:
    refuse = getattr(current_mode(), "refuse", None)
    if refuse is not None:
        refuse(what)


class Guarded(Value):
    """A leaf whose numbers the recording thread may not look at or change."""

    __slots__ = ()

    @property
    def data(self) -> float:
        _refuse("reading the number of a parameter")
        return _data.__get__(self)  # type: ignore[no-any-return]

    @data.setter
    def data(self, number: float) -> None:
        _refuse("writing the number of a parameter")
        _data.__set__(self, number)

    @property
    def grad(self) -> float:
        _refuse("reading the gradient of a parameter")
        return _grad.__get__(self)  # type: ignore[no-any-return]

    @grad.setter
    def grad(self, number: float) -> None:
        _refuse("writing the gradient of a parameter")
        _grad.__set__(self, number)


@contextmanager
def guarded(values: Iterable[Any]) -> Iterator[None]:
    """Guard those of `values` that are plain leaves."""
    plain = [v for v in values if type(v) is Value and v._rule is None]
    for v in plain:
        v.__class__ = Guarded
    try:
        yield
    finally:
        for v in plain:
            if isinstance(v, Guarded):  # not moved into a store meanwhile
                v.__class__ = Value  # type: ignore[assignment]
