"""The arguments that a function is recorded on: traced Values in place of the numbers."""

from __future__ import annotations

from collections.abc import Callable
from operator import is_
from typing import Any

import numpy as np

from micrograd import tree
from micrograd.lifting.arguments import is_traced, opened
from micrograd.lifting.narrow import Narrow, is_narrow
from micrograd.lifting.record import Recorder
from micrograd.lifting.results import ResultArray
from micrograd.lifting.stacks import Columns, Stack
from micrograd.lifting.tape import INPUT, INTEGER

__all__ = ["Tracer"]


class Tracer:
    """Arguments rebuilt with traced Values in place of the numbers."""

    def __init__(
        self, recorder: Recorder, resize: Callable[[int, tuple[int, ...]], tuple[int, ...]]
    ) -> None:
        self.recorder = recorder
        self.resize = resize  # argument number, shape -> the shape to record at
        self.shapes: list[tuple[int, ...]] = []
        self.first: list[int] = []
        self._given: list[tuple[Any, tree.Flat]] = []  # the arguments, and as they were

    def rebuild(self, x: Any, whole: bool = True) -> Any:
        """An argument; `whole`: a list of like numbers is one array, as `opened` says."""
        flat = opened(x, whole)
        made = flat.fill([self._leaf(item) for item in flat.leaves])
        self._given.append((made, tree.flatten(made)))
        return made

    def _leaf(self, x: Any) -> Any:
        if type(x) is Stack:
            return x.spread(self.leaves(x.array))
        if type(x) is Columns:
            return list(zip(*map(self._leaf, x.columns), strict=True))
        if not is_traced(x):
            return x
        if isinstance(x, ResultArray):
            x = x.values
        made = self.leaves(np.asarray(0.0 if isinstance(x, float) else x))
        return made if isinstance(x, np.ndarray) else made[()]

    def leaves(self, array: np.ndarray) -> np.ndarray:
        """Fresh leaves of the kind and shape of an argument."""
        number = len(self.shapes)
        shape = self.resize(number, array.shape)
        self.shapes.append(shape)
        self.first.append(len(self.recorder.tape))
        self.recorder.inputs.append(array.dtype == object)
        made = self.recorder.array(INTEGER if array.dtype.kind in "iub" else INPUT, shape, number)
        if array.dtype != object and is_narrow(array.dtype):
            for v in made.flat:
                v.__class__ = Narrow
                self.recorder.narrow[v._left] = array.dtype
        return made

    def unchanged(self) -> bool:
        """Whether the function left its arguments as they were given to it."""
        for made, given in self._given:
            try:
                now = tree.flatten(made)
            except ValueError:  # it holds itself by now
                return False
            if now.structure != given.structure or not all(map(is_, now.leaves, given.leaves)):
                return False
        return True
