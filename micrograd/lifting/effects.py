"""What a function does to its surroundings while it is recorded, and would not do lifted.

What holds traced results is put back, since they mean nothing outside. Random draws, counts and
states, which each call would have changed, are refused by name. `watch.py` asks.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from functools import cached_property, partial
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from micrograd.engine import Value
from micrograd.lifting.errors import LiftError
from micrograd.lifting.paths import Path
from micrograd.lifting.record import Buffer, Recorder
from micrograd.lifting.sights import MISSING, Cell, Change
from micrograd.lifting.traced import Traced

__all__ = ["Captured", "Effects", "holds_traced"]


class Captured:
    """What the runs of one recording took from outside: Values, and buffers that are read anew."""

    def __init__(self) -> None:
        self.values: dict[Value, int] = {}
        self.buffers: dict[tuple[int, str], Any] = {}  # with the module

    def add(self, run: Recorder) -> None:
        self.values.update(run.captured)
        read = [draw.generator for draw in run.draws if isinstance(draw.generator, Buffer)]
        self.buffers |= {(id(module), name): module for module, name in (*run.buffers, *read)}


class Effects:
    """The surroundings as they were: `before`, a sight of each place, and random generators.

    `head` begins errors; `loaded` are the attributes that the function's code reads.
    """

    def __init__(
        self, before: list[Any], generators: list[tuple[Path, Any]], head: str, loaded: set[str]
    ) -> None:
        self.before = before
        self.generators = generators
        self.head = head
        self.loaded = loaded
        self.states = _states(generators)
        self.captured = Captured()

    def undo(self) -> None:
        """After a failure: put back what holds traced results."""
        for sight in self.before:
            for change in list(sight.changes()):
                if holds_traced(change.new):
                    change.restore()

    def settle(self, exempt: dict[tuple[int, Any], Any]) -> bool:
        """Put back what holds traced results, and note it in `exempt`; refuse what counts or draws.

        Says whether anything has changed.
        """
        for (_, name), module in self.captured.buffers.items():
            buffer = getattr(module, name)
            exempt |= {(id(module), name): module, (id(buffer), None): buffer}
        changed = [sight for sight in self.before if not sight.same()]
        faults = []
        for sight in changed:
            for change in list(sight.changes()):
                name = change.name
                if (id(sight.owner), name) in self.captured.buffers:
                    continue
                if holds_traced(change.new):
                    change.restore()
                    if self._is_state(change.old, name is None or name in self.loaded):
                        faults.append((change.path, _STATE))
                    exempt[id(sight.owner), name] = sight.owner
                elif not _is_cache(change, sight.owner):
                    change.restore()
                    faults.append((change.path, _COUNT))
        for (drawn, old), (_, new) in zip(self.states, _states(self.generators), strict=True):
            if not _equal(old, new):
                raise LiftError(
                    f"{self.head}: draws random numbers ({drawn}) while lift records, so that each "
                    "call would have the same ones. Pass the draws as an argument, or let "
                    "nn.Dropout draw them"
                )
        for path, advice in faults:
            raise LiftError(
                f"{self.head}: the function changes {path} while lift records, which a program "
                f"does not repeat. {advice}"
            )
        return bool(changed)

    def _is_state(self, old: Any, read: bool) -> bool:
        """Whether the function may have read what stood where it now puts a traced result."""
        if isinstance(old, Value):
            return old in self.captured.values
        if isinstance(old, np.ndarray) and old.dtype == object:
            return any(v in self.captured.values for v in old.flat if isinstance(v, Value))
        if isinstance(old, (list, tuple)):
            return any(self._is_state(x, read) for x in old)
        return read and isinstance(old, (float, int, np.ndarray)) and not isinstance(old, bool)


_STATE = "Take it as an argument and return the new one"
_COUNT = "Count outside the function, or return the number"
_OPAQUE = (int, float, str, bytes, Value, type, ModuleType)
_NOWHERE = Path(None, "", "")
_COUNTED = (int, float, str, bytes, complex, np.generic)


def _is_cache(change: Change, owner: Any) -> bool:
    """Whether an object was put where the next run would find it again, or put it again."""
    old, new = change.old, change.new
    if old is MISSING and isinstance(getattr(type(owner), str(change.name), None), cached_property):
        return True
    if isinstance(old, _COUNTED) or isinstance(new, _COUNTED):
        return False
    if old is None or old is MISSING:
        return True
    if isinstance(old, np.ndarray) and isinstance(new, np.ndarray) and new.dtype != object:
        return old is not new and (old.shape != new.shape or _equal(old, new))
    return change.name is not None


def holds_traced(x: Any) -> bool:
    """Whether there is a traced Value in x, or in anything that x holds.

    Not by `tree.flatten`: it looks into sets, keys and attributes too, and loops are no error.
    """
    seen: set[int] = set()
    stack = [x]
    while stack:
        x = stack.pop()
        if isinstance(x, Traced):
            return True
        if isinstance(x, _OPAQUE) or id(x) in seen:
            continue
        seen.add(id(x))
        if isinstance(x, np.ndarray):
            stack += x.ravel().tolist() if x.dtype == object else []
        elif isinstance(x, Mapping):
            stack += [*x.keys(), *x.values()]
        elif isinstance(x, Collection):
            stack += x
        elif isinstance(x, FunctionType):
            stack += [Cell(cell, _NOWHERE).then for cell in x.__closure__ or ()]
            stack += x.__defaults__ or ()
        elif isinstance(x, partial):
            stack += [x.func, x.args, x.keywords]
        elif isinstance(getattr(x, "__dict__", None), dict):
            stack += vars(x).values()
    return False


def _states(generators: list[tuple[Path, Any]]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = [
        ("random", random.getstate()), ("np.random", np.random.get_state(legacy=False))
    ]  # fmt: skip
    for path, generator in generators:
        if isinstance(generator, random.SystemRandom):
            continue  # has no state
        if isinstance(generator, random.Random):
            state: Any = generator.getstate()
        elif isinstance(generator, np.random.RandomState):
            state = generator.get_state(legacy=False)
        else:
            state = generator.bit_generator.state
        found.append((str(path), state))
    return found


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return all(_equal(a[key], b[key]) for key in a)
    return bool(np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b)
