"""Where the results of a program stand in its memory, number by number.

A result is a number or an array among what the function returned; an output is one of its numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property

import numpy as np

from micrograd.lifting.steps.flow import Marks
from micrograd.lifting.steps.ir import Array, Program, Window
from micrograd.lifting.steps.walks import elements, walk

__all__ = ["Outputs", "places_of"]


class Outputs:
    """The outputs of `program`: their places, and which gradients they ask for."""

    program: Program

    def _arrange(self, starts: Mapping[Array, int], shapes: Iterable[tuple[int, ...]]) -> None:
        """Find the places of results of these shapes; arrays begin in memory at `starts`."""
        found = [places_of(w, starts) for w in self.program.results]
        # where each output, a number of a result, stands; the outputs of each result, in its shape
        self.places = np.concatenate([*found, np.zeros(0, dtype=np.intp)])
        self.outputs = self.places.tolist()
        sizes = [places.size for places in found]
        ends = np.cumsum(sizes, dtype=np.intp)
        self.which = [
            np.arange(end - size, end).reshape(shape)
            for end, size, shape in zip(ends, sizes, shapes, strict=True)
        ]
        self._leaf_of: list[int] = np.repeat(np.arange(len(self.which)), sizes).tolist()
        self._alone = [(leaf,) for leaf in range(len(self.which))]

    def leaves_of(self, seeds: Collection[int]) -> tuple[int, ...]:
        """The results, by number, that the outputs in `seeds` (single numbers) belong to."""
        if len(seeds) == 1:
            (which,) = seeds
            return self._alone[self._leaf_of[which]]
        return tuple(sorted({self._leaf_of[which] for which in seeds}))

    def masks(self, which: tuple[int, ...], exact: bool) -> dict[int, np.ndarray]:
        """For each of the results, at which elements a gradient has arrived."""
        if not exact:
            return {leaf: np.ones(self.program.results[leaf].loops, dtype=bool) for leaf in which}
        arrived = np.zeros(len(self.places), dtype=bool)
        arrived[list(which)] = True
        leaves = self.leaves_of(which)
        loops = [self.program.results[leaf].loops for leaf in leaves]
        return {
            leaf: arrived[self.which[leaf]].reshape(shape)
            for leaf, shape in zip(leaves, loops, strict=True)
        }

    @cached_property
    def between(self) -> list[int]:
        """The results from which others are computed: they have gradients of their own, too."""
        return [k for k, which in enumerate(self.which) if self.is_between[which].any()]

    @property
    def has_between(self) -> bool:
        return bool(self.between)

    @cached_property
    def is_between(self) -> np.ndarray:
        """For each output, whether a step reads it."""
        read = Marks()
        for step in self.program.forward:
            for view in step.reads:
                read.of(view.array)[walk(view, step.loops)] = True
        flags = [read.of(w.view.array)[elements(w)] for w in self.program.results]
        return np.concatenate([*flags, np.zeros(0, dtype=bool)])


def places_of(window: Window, starts: Mapping[Array, int]) -> np.ndarray:
    """The places in memory of a window's elements."""
    return elements(window) + starts.get(window.view.array, 0)  # an empty one stands nowhere
