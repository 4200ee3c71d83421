"""A function's tape, and its nodes after `fuse`: what the passes of lifting are tested on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from micrograd.lifting.fuse import Fused, fuse
from micrograd.lifting.recording import trace
from micrograd.lifting.tape import Tape

__all__ = ["addresses", "fused", "taped"]


def taped(function: Callable[..., Any], *args: Any) -> tuple[Tape, list[int]]:
    """The tape of one run, and the places of what it returned."""
    run = trace(function, args, {})
    return run.tape, [int(place) for places in run.leaves() for place in np.ravel(places)]


def fused(function: Callable[..., Any], *args: Any) -> Fused:
    return fuse(*taped(function, *args))


def addresses(base: int, shape: Sequence[int], strides: Sequence[int]) -> np.ndarray:
    """Every address that nested loops visit, as an array of the loops' shape."""
    found = np.array(base, dtype=np.int64)
    for length, stride in zip(shape, strides, strict=True):
        found = found[..., None] + np.arange(length, dtype=np.int64) * stride
    return found
