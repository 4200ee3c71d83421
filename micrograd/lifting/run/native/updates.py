"""Optimisers' steps in one pass over all parameters, the same numbers bit for bit.

NumPy goes through 4,192 parameters eight times for Adam, 13 us a step; one loop that does all of it
takes 2. `optim` uses these once a program has been compiled; before, they would not pay.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from struct import Struct
from typing import Any

import numpy as np

from micrograd import ops
from micrograd.lifting.run.native.linking import Linked
from micrograd.lifting.run.native.machine import Library
from micrograd.lifting.run.native.nests import Local, Nest, Statement
from micrograd.lifting.run.native.tiling import Tiled, Unit
from micrograd.lifting.steps.expression import Formula, Read
from micrograd.lifting.steps.ir import Array, View

__all__ = ["Update", "adam", "sgd"]

# which array a line changes, and what it becomes; later lines read what it has become
Lines = tuple[tuple[int, Formula], ...]
P, G, M, V = map(Read, range(4))  # the arrays; settings follow


def sgd(momentum: bool, decay: bool, nesterov: bool) -> Lines:
    """The lines of SGD; its settings are lr, momentum and weight decay."""
    first = 3 if momentum else 2
    lr, mu, weight_decay = map(Read, range(first, first + 3))
    g: Any = P * weight_decay + G if decay else G
    if not momentum:
        return ((0, P - g * lr),)
    moved = M * mu + g if nesterov else M
    return (2, M * mu + g), (0, P - moved * lr)


def adam(decay: str) -> Lines:
    """The lines of Adam; its settings: beta1, beta2, eps / root, the step's length, decay."""
    beta1, beta2, eps, length, weight_decay = map(Read, range(4, 9))
    p: Any = P * weight_decay if decay == "of p" else P
    g: Any = P * weight_decay + G if decay == "in g" else G
    moved = M / (ops.sqrt(V) + eps) * length
    return (2, M * beta1 + g), (3, V * beta2 + g * g), (0, p - moved)


class Update:
    """Lines that change arrays of one length in place, bound to them; called with the settings."""

    def __init__(self, lines: Lines, arrays: Sequence[np.ndarray], settings: int) -> None:
        numbers = np.zeros(settings)
        linked, library = _compiled(lines, len(arrays), len(arrays[0]), settings)
        known = {f"array {k}": array for k, array in enumerate((*arrays, numbers))}
        self._held = [known[name] for name in linked.arrays]
        self._table = np.array([x.ctypes.data for x in self._held], dtype=np.uintp)
        run: Callable[..., Any] = library.function("run", None, ctypes.c_void_p, ctypes.c_void_p)
        self._run, self._address = run, ctypes.c_void_p(self._table.ctypes.data)
        self._write = partial(Struct(f"{settings}d").pack_into, numbers.data, 0)

    def __call__(self, *settings: float) -> None:
        self._write(*settings)
        self._run(self._address, None)


@lru_cache(maxsize=64)
def _compiled(lines: Lines, count: int, size: int, settings: int) -> tuple[Linked, Library]:
    arrays = [Array(f"array {k}", (size,), "result") for k in range(count)]
    numbers = Array(f"array {count}", (settings,), "argument")
    reads: list[View | Local] = [View(array, 0, (1,)) for array in arrays]
    outs = [View(array, 0, (1,)) for array in arrays]
    reads += [View(numbers, k, (0,)) for k in range(settings)]
    body = []
    for number, (which, value) in enumerate(lines):
        body.append(Statement(value, tuple(reads), outs[which]))
        reads[which] = Local(number)
    linked = Linked([Unit([Tiled(Nest((size,), 1, body))])])
    return linked, Library(linked.text)
