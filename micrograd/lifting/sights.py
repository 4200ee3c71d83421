"""What was seen in one place that may change: an attribute, a variable; `contents.py` has the rest.

A sight keeps what stood there. `same` compares, in C where nothing has changed; `changes` says what
has, and can put it back. `watch.py` decides which places are looked at, and when.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from operator import is_, itemgetter
from types import MethodType
from typing import Any, NamedTuple

import numpy as np

from micrograd.lifting.paths import Path

__all__ = ["MISSING", "Attributes", "Cell", "Change", "Sight", "Slots", "alike", "all_alike"]

MISSING = object()
_PLAIN = (int, float, str, bool, bytes, complex)


class Change(NamedTuple):
    """One place that holds something else now; `restore()` puts `old` back."""

    path: Path
    name: Any
    old: Any
    new: Any
    restore: Callable[[], None]


def alike(now: Any, then: Any) -> bool:
    """The same object, or an equal number, string, bound method, or tuple of such."""
    if now is then:
        return True
    kind = type(now)
    if kind is not type(then):
        return False
    if kind in _PLAIN or issubclass(kind, np.generic):
        return bool(now == then or (now != now and then != then))  # noqa: PLR0124
    if kind is tuple:
        return len(now) == len(then) and all(map(alike, now, then))
    return kind is MethodType and now == then


def all_alike(now: Collection[Any], then: Collection[Any]) -> bool:
    return all(map(is_, now, then)) or all(map(alike, now, then))


class Sight:
    """One place, and what stood `then` at it. `name` in a Change is that of an attribute."""

    __slots__ = ("owner", "path", "then")
    moves_epoch = False  # whether a change there moves the epoch of Modules

    path: Any  # a Path; None where globals begin one

    def __init__(self, owner: Any, path: Path | None) -> None:
        self.owner, self.path = owner, path
        self.then = self.now()

    def now(self) -> Any:
        """What stands there now, apart from the owner, which may change."""
        raise NotImplementedError

    def same(self) -> bool:
        return alike(self.now(), self.then)

    def changes(self) -> Iterator[Change]:
        if not self.same():
            yield Change(self.path, None, self.then, self.owner, self.restore)

    def restore(self) -> None:
        raise NotImplementedError


class Attributes(Sight):
    """Some names in the dict of an object, a class or a module, and names that it lacks."""

    __slots__ = ("held", "names", "absent", "get", "moves_epoch")

    def __init__(
        self, owner: Any, held: Any, path: Path | None, names: Iterable[str], absent: Iterable[str]
    ) -> None:
        self.held, self.names, self.absent = held, tuple(names), tuple(absent)
        # of one name itemgetter gives no tuple
        self.get = itemgetter(*self.names, *self.names[:1]) if self.names else lambda held: ()
        self.moves_epoch = False
        super().__init__(owner, path)

    def now(self) -> tuple[Any, ...]:
        return self.get(self.held)

    def same(self) -> bool:
        try:
            now = self.get(self.held)
        except KeyError:
            return False
        if not all(map(is_, now, self.then)) and not all(map(alike, now, self.then)):
            return False
        return not self.absent or self.held.keys().isdisjoint(self.absent)

    def changes(self) -> Iterator[Change]:
        held = self.held
        for name, old in [
            *zip(self.names, self.then, strict=False),
            *((n, MISSING) for n in self.absent),
        ]:
            new = held.get(name, MISSING)
            if not alike(new, old):
                path = Path(self.path, "." if self.path else "", name)
                yield Change(path, name, old, new, partial(self._put, name, old))

    def _put(self, name: str, old: Any) -> None:
        if isinstance(self.held, dict):
            if old is MISSING:
                self.held.pop(name, None)
            else:
                self.held[name] = old
        elif old is MISSING:
            delattr(self.owner, name)
        else:
            setattr(self.owner, name, old)


class Slots(Sight):
    """Some attributes of an object whose class has `__slots__`."""

    __slots__ = ("names",)

    def __init__(self, owner: Any, path: Path, names: Iterable[str]) -> None:
        self.names = tuple(names)
        super().__init__(owner, path)

    def now(self) -> tuple[Any, ...]:
        return tuple([getattr(self.owner, name, MISSING) for name in self.names])

    def same(self) -> bool:
        return all_alike(self.now(), self.then)

    def changes(self) -> Iterator[Change]:
        for name, old, new in zip(self.names, self.then, self.now(), strict=True):
            if not alike(new, old):
                put_back = partial(setattr, self.owner, name, old)
                yield Change(self.path.attribute(name), name, old, new, put_back)


class Cell(Sight):
    """A variable of an enclosing function."""

    __slots__ = ()

    def now(self) -> Any:
        try:
            return self.owner.cell_contents
        except ValueError:  # not filled
            return MISSING

    def changes(self) -> Iterator[Change]:
        if not self.same():
            yield Change(self.path, self.path.step, self.then, self.now(), self.restore)

    def restore(self) -> None:
        if self.then is not MISSING:
            self.owner.cell_contents = self.then
