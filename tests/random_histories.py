"""What may happen between the calls of a lifted function, at random, and the same to an eager twin.

Parameters are written, optimisers made and stepped, calls go backward late, again or never, in any
order. The twin is the plain function on parameters of its own; after each event both have the same
numbers and gradients.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from absolute import Undecided, flat, measures
from hypothesis import strategies as st
from random_programs import Sample, leaves, traceable

from micrograd import Value, lift, no_grad, numbers, optim

ROUNDING = 1e-11  # of the measure: gradients add up over a history, and optimisers divide by them


def _as_new(x: Any) -> Any:
    """The same argument with Values of its own."""
    if isinstance(x, (list, tuple)):
        return type(x)(map(_as_new, x))
    if isinstance(x, np.ndarray) and x.dtype == object:
        return leaves(numbers(x))
    return Value(x.data) if isinstance(x, Value) else x


def _with_a_past(x: Any) -> Any:
    """The same argument with Values that were computed, of leaves outside."""
    if isinstance(x, (list, tuple)):
        return type(x)(map(_with_a_past, x))
    of_values = isinstance(x, Value) or (isinstance(x, np.ndarray) and x.dtype == object)
    return x * 1.0 if of_values else x


class World:
    """A lifted function with its parameters, calls and optimisers, and the eager twin of each.

    With a `past` the function sees Values that were computed of the parameters.
    """

    def __init__(self, sample: Sample, past: bool) -> None:
        self.sample = sample
        self.parameters = sample.parameters
        self.twins = leaves(numbers(sample.parameters))
        given, twin = ((a * 1.25 + 0.1 if past else a) for a in (self.parameters, self.twins))
        self.eager = lambda *arguments: sample.function(twin, *arguments)
        self.lifted = lift(lambda *arguments: sample.function(given, *arguments))
        self.pairs = list(zip(self.parameters.flat, self.twins.flat, strict=True))
        self.alive: list[tuple[list[Any], list[Any]]] = []
        self.optimisers: list[tuple[Any, Any]] = []
        self.size = 1.0  # what rounding is measured by

    # --- what may happen --------------------------------------------------------------------------

    def call(self, a: int, b: int) -> None:
        arguments, others = ([_as_new(x) for x in self.sample.calls[a % 2]] for _ in range(2))
        with np.errstate(all="ignore"):
            self.measure(arguments)
            values = ([v for v in flat(x) if isinstance(v, Value)] for x in (arguments, others))
            self.pairs += zip(*values, strict=True)
            if b % 3 == 0:
                arguments, others = _with_a_past(arguments), _with_a_past(others)
            want, got = flat(self.eager(*others)), flat(self.lifted(*arguments))
        self.close([float(v) for v in got], [float(v) for v in want])
        self.alive.append((got, want))

    def call_for_numbers(self, a: int, b: int) -> None:
        arguments = self.sample.calls[a % 2]
        with no_grad(), np.errstate(all="ignore"):
            want, got = flat(self.eager(*arguments)), flat(self.lifted(*arguments))
        self.close([float(v) for v in got], [float(v) for v in want])

    def backward(self, a: int, b: int) -> None:
        if self.alive:
            for results in self.alive[-1 - a % len(self.alive)]:
                some = [
                    r for k, r in enumerate(results) if (b >> k % 5) & 1 or k == b % len(results)
                ]
                with np.errstate(all="ignore"):
                    sum((r * (1 + k) for k, r in enumerate(some)), Value(0.0)).backward()

    def forget(self, a: int, b: int) -> None:
        if self.alive:
            self.alive.pop(a % len(self.alive))

    def write(self, a: int, b: int) -> None:
        self.moved()
        for array in (self.parameters, self.twins):
            array.flat[a % array.size].data = b / 8 - 2

    def zero_grad(self, a: int, b: int) -> None:
        for pair in self.pairs:
            for v in pair:
                v.grad = 0.0

    def optimise(self, a: int, b: int) -> None:
        some = slice(a % self.parameters.size, None, 1 + b % 2)
        made = (
            [optim.SGD(array.ravel()[some], lr=0.05, momentum=0.5) for array in self.arrays],
            [optim.Adam(array.ravel()[some], lr=0.05, eps=1e-3) for array in self.arrays],
        )[b % 3 == 0]
        self.optimisers.append((made[0], made[1]))

    def step(self, a: int, b: int) -> None:
        if self.optimisers:
            self.moved()
            for optimiser in self.optimisers[a % len(self.optimisers)]:
                optimiser.step()

    def moved(self) -> None:
        """No call from before goes backward: 0 + w is w in a program, and eagerly w as it was.

        Backward after a step of an optimiser is left to models (test_lifting_machine.py).
        """
        self.alive.clear()

    # --- equal to the twin ------------------------------------------------------------------------

    @property
    def arrays(self) -> tuple[Any, Any]:
        return self.parameters, self.twins

    def measure(self, arguments: list[Any]) -> None:
        """How large the numbers are that rounding could come from."""
        arguments = [traceable(x) for x in arguments]
        inner = [*self.twins.flat, *(v for v in flat(arguments) if isinstance(v, Value))]

        def run() -> list[Any]:
            return flat(self.eager(*arguments))

        values, slopes = measures(run, [9.0] * len(run()), inner)
        self.size += values.max(initial=0.0) + slopes.max(initial=0.0)
        if not self.size < 1e12:
            raise Undecided("numbers so large that rounding hides everything")

    def compare(self) -> None:
        for what in ("data", "grad"):
            self.close(*([getattr(pair[k], what) for pair in self.pairs] for k in (0, 1)))
        for p, q in self.pairs:  # so that rounding does not add up
            q.data, q.grad = p.data, p.grad

    def close(self, got: list[float], want: list[float]) -> None:
        wrong = np.abs(np.subtract(got, want)) > ROUNDING * self.size
        assert np.isfinite(got).all()
        assert not wrong.any(), f"{np.array(got)[wrong]} for {np.array(want)[wrong]}"


EVENTS = (
    "call",
    "backward",
    "call_for_numbers",
    "forget",
    "write",
    "zero_grad",
    "optimise",
    "step",
)
_event = st.tuples(
    st.sampled_from(EVENTS + ("backward",) * 5), st.integers(0, 30), st.integers(0, 31)
)
histories = st.lists(_event, min_size=6, max_size=16).map(lambda events: [("call", 0, 0), *events])


def keeps_up(sample: Sample, history: list[tuple[str, int, int]], past: bool = False) -> None:
    """Assert that the lifted function and its twin stay equal through all that happens."""
    world = World(sample, past)
    for what, a, b in history:
        getattr(world, what)(a, b)
        world.compare()
