"""A lifted call as one operation of the graph.

The call is a node whose inputs are the Values that were passed; each result is a node made from it
(`results.py`). When the engine comes to a result in `backward`, the result leaves its gradient with
the call; when it comes to the call's own node, the program's backward pass runs once, for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol
from weakref import ref

import numpy as np

from micrograd.engine import Value
from micrograd.rules import Rule
from micrograd.store import Store

__all__ = ["Call", "Called", "Memory"]


class Called(Protocol):
    """What a call needs of the program that it runs (`Executable` in `executable.py`)."""

    parameters: list[Value]
    store: Store
    pool: list[Any]  # memories of calls that have ended, to be used again
    which: list[np.ndarray]  # for each leaf of the results, its numbers among all of them
    outputs: list[int]  # where each of these stands in a memory,
    places: np.ndarray  # the same as an array

    @property
    def running(self) -> Any: ...  # an RLock, held by the call that goes backward
    @property
    def has_between(self) -> bool: ...  # whether results are made from other results
    def buffers(self) -> Any: ...


class Memory(Protocol):
    """What a call keeps while its results live (`Buffers` in `buffers.py`)."""

    memory: np.ndarray  # all numbers of the call, arguments and results among them
    store: Store

    def take_over(self, other: Any) -> None: ...
    def run_backward(self, executable: Any, seeds: Any, inputs: Any) -> Any: ...


class Call(Rule):
    """The rule of a call's node; it owns the buffers until the call and its results are gone."""

    __slots__ = ("program", "buffers", "seeds", "name", "made", "grads", "between")

    def __init__(self, program: Called, buffers: Memory, name: str) -> None:
        self.program = program
        self.buffers = buffers
        self.seeds: dict[int, float] = {}  # gradients that arrived at results, by output
        self.name = name
        # where results are made from other results: who they are, and their last gradients
        self.made: list[tuple[int, ref[Value]]] | None = [] if program.has_between else None
        self.grads: np.ndarray | None = None
        self.between: np.ndarray | None = None

    def __del__(self) -> None:
        self.program.pool.append(self.buffers)

    def push(self, node: Value) -> None:
        program = self.program
        seeds, self.seeds = self.seeds, {}
        inputs = node._left or ()
        program.running.acquire()  # `with` takes 0.1 us more
        try:
            backward = self.current().run_backward(program, seeds, inputs)
            grads = backward.memory
            numbers, places = backward.inputs
            if numbers:
                for k, g in zip(numbers, grads[places].tolist(), strict=True):
                    inputs[k]._grad += g
            if backward.between is not None:
                self._keep(backward.between, grads[backward.places])
        finally:
            program.running.release()

    def _keep(self, between: np.ndarray, grads: np.ndarray) -> None:
        """Give results from which others were computed their gradients, as in the eager graph."""
        if self.grads is None or self.between is None:
            self.grads = np.zeros(len(grads))
            self.between = np.zeros(len(grads), dtype=bool)
        self.grads[between] = grads[between]
        self.between[between] = True
        arrived = dict.fromkeys(between.tolist())
        for which, made in self.made or ():
            value = made()
            if value is not None and which in arrived:
                value._grad = float(self.grads[which])

    def refuse_copy(self) -> None:
        raise TypeError(
            f"cannot copy or pickle a result of {self.name}, which is lifted: its numbers stand in "
            f"the program's buffers; pickle {self.name}.program, or the numbers alone"
        )

    def current(self) -> Memory:
        """The buffers; new ones with the same numbers if the parameters have moved."""
        if self.buffers.store.successor is not None:
            fresh: Memory = self.program.buffers()
            fresh.take_over(self.buffers)
            self.buffers = fresh
        return self.buffers

    def hidden(self, node: Value) -> Sequence[Value]:
        return self.program.parameters
