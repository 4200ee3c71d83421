"""A check for users: the function is run with and without lift, and the results are compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from micrograd import tree
from micrograd.engine import Value
from micrograd.lifting.arguments import flat_values, read
from micrograd.lifting.errors import LiftError
from micrograd.lifting.executable import Executable

__all__ = ["compare"]

_ALONE = 8  # so many results are also differentiated alone


def compare(function: Callable[..., Any], program: Executable, args: Any, kwargs: Any) -> None:
    """LiftError if results or gradients differ by more than 1e-9 of the largest.

    Gradients are those of the sum of all results, and of each alone (the first few, if many).
    """
    recording = program.recording
    leaves = [*program.parameters, *(o.value for o in recording.outside)]
    leaves = list(dict.fromkeys(leaves + flat_values(read(args, kwargs).values)))
    generators = [s.generator for s in recording.states]
    generators = [g for g in generators if isinstance(g, np.random.Generator)]
    statistics = [
        (u.module, u.name, u.module.read_buffer(u.name).copy()) for u in recording.updates
    ]
    before = [leaf.grad for leaf in leaves]
    states = [generator.bit_generator.state for generator in generators]

    def restore() -> None:
        for generator, state in zip(generators, states, strict=True):
            generator.bit_generator.state = state
        for module, name, values in statistics:
            module.update_buffer(name, values)

    sides = []
    try:
        for side in (function, program):
            returned = tree.flatten(side(*args, **kwargs)).leaves
            results = [v for v in returned if isinstance(v, Value)]
            roots = [sum(results[1:], results[0]), *results[:_ALONE]] if results else []
            gradients = [_gradients(root, leaves) for root in roots]
            sides.append(([v.data for v in results], [g for of_one in gradients for g in of_one]))
            restore()
    finally:
        restore()
        for leaf, g in zip(leaves, before, strict=True):
            leaf.grad = g
    for what, eager, lifted in zip(("result", "gradient"), *sides, strict=True):
        _agree(f"{program.name}: {what}", np.array(eager), np.array(lifted))


def _gradients(root: Value, leaves: list[Value]) -> list[float]:
    for leaf in leaves:
        leaf.grad = 0.0
    root.backward()
    return [leaf.grad for leaf in leaves]


def _agree(what: str, eager: np.ndarray, lifted: np.ndarray) -> None:
    if eager.shape != lifted.shape:
        raise LiftError(f"{what}s: {eager.size} eager, {lifted.size} lifted")
    finite = np.abs(eager[np.isfinite(eager)])
    tolerance = 1e-9 * max(1.0, finite.max(initial=0.0))
    wrong = ~np.isclose(eager, lifted, rtol=1e-9, atol=tolerance, equal_nan=True)
    if wrong.any():
        i = int(wrong.argmax())
        raise LiftError(f"{what} {i} is {eager[i]} eager and {lifted[i]} lifted")
