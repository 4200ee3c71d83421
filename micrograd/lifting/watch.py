"""Whether what a recording depends on is still the same.

Names, closure cells and the attributes of Modules are compared at each call; all the rest that
`walk.py` found when 50 times what comparing it costs has passed since the last time, and at the
first three calls after a recording. What a call could have used is never silently replaced.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from operator import is_
from time import perf_counter
from typing import Any

from micrograd.lifting.effects import Captured, Effects
from micrograd.lifting.errors import LiftError
from micrograd.lifting.paths import Path
from micrograd.lifting.seeing import named_sights, sights
from micrograd.lifting.sights import Attributes
from micrograd.lifting.walk import Walk
from micrograd.nn.module import epoch

__all__ = ["Watch"]

_SPARED = 50  # a comparison waits until so many times its own cost has passed since the last
_FRESH = 3  # calls after a recording that compare in any case


class Watch:
    """What the programs of one function depend on; `head` begins its errors (file, line, name)."""

    def __init__(self, roots: Iterable[tuple[Path, Any]], head: str) -> None:
        self.roots = list(roots)
        self.head = head
        self.alive = True  # False once something has changed: its programs are recorded anew
        self.why = ""  # what that was
        self.exempt: dict[tuple[int, Any], Any] = {}  # what the function sets itself, by id, name
        self.walk = Walk(self.roots)
        self._look(self.walk)

    def _look(self, walk: Walk) -> None:
        """See all there is to see, as it stands now."""
        self.walk = walk
        self.epoch = epoch[0]
        self.named = named_sights(walk, self.exempt)
        variables = [s for s in self.named if isinstance(s, Attributes)]
        self.variables = [(s.held, s.get, s.then) for s in variables if len(s.names) > 2]
        self.few = [  # one by one is faster where there are few
            (s.held, name, then)
            for s in variables
            if len(s.names) <= 2
            for name, then in zip(s.names, s.then, strict=False)
        ]
        self.cells = [(s.owner, s.then) for s in self.named if not isinstance(s, Attributes)]
        self.sights = sights(walk, self.exempt)
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
        before = [*named_sights(walk, self.exempt), *sights(walk, self.exempt, new=True)]
        effects = Effects(before, walk.generators, self.head, walk.loaded)
        try:
            yield effects.captured
        except BaseException:
            effects.undo()
            raise
        self._look(Walk(self.roots) if effects.settle(self.exempt) else walk)
