"""Whether what a recording depends on is still the same; and what the function itself did to it.

Names, closure cells and the attributes of Modules are compared at each call; all the rest that
`walk.py` found when 50 times what comparing it costs has passed since the last time, and at the
first three calls after a recording. What a call could have used is never silently replaced.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property, partial
from operator import is_
from time import perf_counter
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from micrograd.engine import Value
from micrograd.lifting.record import Buffer, Tape
from micrograd.lifting.sights import MISSING, Attributes, Cell, Change, Path
from micrograd.lifting.traced import LiftError, Traced
from micrograd.lifting.walk import Walk
from micrograd.nn.module import epoch

__all__ = ["Captured", "Watch", "holds_traced"]

_SPARED = 50  # a comparison waits until so many times its own cost has passed since the last
_FRESH = 3  # calls after a recording that compare in any case


class Captured:
    """What the runs of one recording took from outside: Values, and buffers that are read anew."""

    def __init__(self) -> None:
        self.values: dict[Value, int] = {}
        self.buffers: dict[tuple[int, str], Any] = {}  # with the module

    def add(self, tape: Tape) -> None:
        self.values.update(tape.captured)
        read = [drawn[0] for drawn in tape.draws if isinstance(drawn[0], Buffer)]
        self.buffers |= {(id(module), name): module for module, name in (*tape.buffers, *read)}


class Watch:
    """What the programs of one function depend on; `head` begins its errors (file, line, name)."""

    def __init__(self, roots: Iterable[tuple[Path, Any]], head: str) -> None:
        self.roots = list(roots)
        self.head = head
        self.alive = True  # False once something has changed: its programs are recorded anew
        self.why = ""  # what that was
        self.exempt: set[tuple[int, Any]] = set()  # (id, name) of what the function sets itself
        self.walk = Walk(self.roots)
        self._look(self.walk)

    def _look(self, walk: Walk) -> None:
        """See all there is to see, as it stands now."""
        self.walk = walk
        self.epoch = epoch[0]
        self.named = walk.named_sights(self.exempt)
        variables = [s for s in self.named if isinstance(s, Attributes)]
        self.variables = [(s.held, s.get, s.then) for s in variables if len(s.names) > 2]
        self.few = [  # one by one is faster where there are few
            (s.held, name, then)
            for s in variables
            if len(s.names) <= 2
            for name, then in zip(s.names, s.then, strict=False)
        ]
        self.cells = [(s.owner, s.then) for s in self.named if not isinstance(s, Attributes)]
        self.sights = walk.sights(self.exempt)
        self._least = float("inf")
        began = perf_counter()
        all(s.same() for s in self.sights)
        self._compared(began)
        self._fresh = _FRESH

    def _compared(self, began: float) -> None:
        now = perf_counter()
        self._least = min(self._least, now - began)
        cost = min(now - began, 4 * self._least)  # another process may have had the processor
        self._due = now + _SPARED * cost
        self._calls = 0  # since then, those that did not compare

    # --- at each call -----------------------------------------------------------------------------

    def stands(self) -> bool:
        """Whether nothing has changed; LiftError if something has and a call may have used it."""
        try:
            for names, name, thing in self.few:
                if names[name] is not thing:
                    return self.compare()
            for names, get, things in self.variables:
                if not all(map(is_, get(names), things)):
                    return self.compare()
            for cell, thing in self.cells:
                if cell.cell_contents is not thing:
                    return self.compare()
        except (KeyError, ValueError):  # a name or a cell is gone
            return self.compare()
        if self.epoch != epoch[0] or self._fresh or perf_counter() >= self._due:
            return self.compare()
        self._calls += 1
        return True

    def compare(self) -> bool:
        """The same question, with everything compared."""
        if not self.alive:
            return False
        for sight in self.named:  # each call asks these, so that none has used what was before
            if not sight.same():
                return self._end(next(sight.changes()).path)
        began = perf_counter()
        moved = epoch[0]
        changed = [s for s in self.sights if not s.same()]
        if not changed:
            self.epoch = moved
            self._fresh = max(0, self._fresh - 1)
            self._compared(began)
            return True
        noticed = [s for s in changed if not (s.moves_epoch and self.epoch != moved)]
        first = next((noticed or changed)[0].changes()).path
        calls = self._calls
        self._end(first)
        if calls and noticed:
            times = "1 call" if calls == 1 else f"up to {calls} calls"
            raise LiftError(
                f"{self.head}: {first} has changed, and {times} may have used it as it was before. "
                "The next call records it as it is now. Pass it as an argument to change it at "
                "any time"
            )
        return False

    def _end(self, path: Path) -> bool:
        self.alive, self.why = False, str(path)
        return False

    # --- while the function is recorded -----------------------------------------------------------

    @contextmanager
    def recording(self) -> Iterator[Captured]:
        """Around the runs of the function: what it draws is refused, what it sets put back."""
        walk = self.walk
        before = [*walk.named_sights(self.exempt), *walk.sights(self.exempt, new=True)]
        states = _states(walk.generators)
        captured = Captured()
        try:
            yield captured
        except BaseException:
            for change in _all_changes(before):
                if holds_traced(change.new):
                    change.restore()
            raise
        for (name, old), (_, new) in zip(states, _states(walk.generators), strict=True):
            if not _equal(old, new):
                raise LiftError(
                    f"{self.head}: draws random numbers ({name}) while lift records, so that each "
                    "call would have the same ones. Pass the draws as an argument, or let "
                    "nn.Dropout draw them"
                )
        for (_, name), module in captured.buffers.items():
            self.exempt |= {(id(module), name), (id(getattr(module, name)), None)}
        changed = [sight for sight in before if not sight.same()]
        faults = self._settle(changed, captured, walk.loaded)
        self._look(Walk(self.roots) if changed else walk)
        if faults:
            self._end(faults[0][0])
            path, advice = faults[0]
            raise LiftError(
                f"{self.head}: the function changes {path} while lift records, which a program "
                f"does not repeat. {advice}"
            )

    def _settle(
        self, changed: list[Any], captured: Captured, loaded: set[str]
    ) -> list[tuple[Path, str]]:
        """Put back what holds traced results now; the changes that no program can repeat."""
        faults = []
        for sight in changed:
            for change in list(sight.changes()):
                path, name, old, new, restore = change
                if (id(sight.owner), name) in captured.buffers:
                    continue
                if holds_traced(new):
                    restore()
                    if _is_state(old, captured, name is None or name in loaded):
                        faults.append((path, "Take it as an argument and return the new one"))
                    self.exempt.add((id(sight.owner), name))
                elif not _is_cache(change, sight.owner):
                    restore()
                    faults.append((path, "Count outside the function, or return the number"))
        return faults


_OPAQUE = (int, float, str, bytes, Value, type, ModuleType)
_NOWHERE = Path(None, "", "")
_COUNTED = (int, float, str, bytes, complex, np.generic)


def _all_changes(sights: list[Any]) -> Iterator[Change]:
    for sight in sights:
        yield from list(sight.changes())


def _is_state(old: Any, captured: Captured, read: bool) -> bool:
    """Whether the function may have read what stood where it now puts a traced result."""
    if isinstance(old, Value):
        return old in captured.values
    if isinstance(old, np.ndarray) and old.dtype == object:
        return any(v in captured.values for v in old.flat if isinstance(v, Value))
    if isinstance(old, (list, tuple)):
        return any(_is_state(x, captured, read) for x in old)
    return read and isinstance(old, (float, int, np.ndarray)) and not isinstance(old, bool)


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
    """Whether there is a traced Value in x, or in anything that x holds."""
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
