"""The networks that are measured, each written twice for Values: with layers, and as plain loops.

A module has `numbers(seed)`, the parameters to start from as arrays by name, and two functions that
make a `Network` of them: `with_layers` uses `micrograd.nn`, `with_loops` only Python's own lists
and loops. Both compute the same; `lift` finds much the same program in either. Read `demo` first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from micrograd import Value

__all__ = ["Network", "leaves", "names"]

NAMES = Path(__file__).parents[2] / "lectures" / "data" / "names.txt"
Numbers = Mapping[str, np.ndarray]


class Network(NamedTuple):
    """`loss(*batch)` is a function to lift; `values` are its parameters, by name."""

    loss: Callable[..., Any]
    values: dict[str, np.ndarray]


def leaves(numbers: Numbers) -> dict[str, np.ndarray]:
    """A Value for each number."""
    make = np.frompyfunc(Value, 1, 1)
    return {name: np.asarray(make(array), dtype=object) for name, array in numbers.items()}


def names(seed: int = 0) -> list[list[int]]:
    """The names of the lectures, shuffled; a is 1, z is 26, and 0 stands before and after each."""
    words = NAMES.read_text().split()
    order = np.random.default_rng(seed).permutation(len(words))
    return [[0, *(ord(letter) - 96 for letter in words[i]), 0] for i in order]
