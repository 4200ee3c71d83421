"""What was seen in one place that may change: a list, a dict, an object, an array.

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

__all__ = [
    "MISSING",
    "Attributes",
    "Cell",
    "Change",
    "Entries",
    "Items",
    "Numbers",
    "Whole",
]

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


def _all_alike(now: Collection[Any], then: Collection[Any]) -> bool:
    return all(map(is_, now, then)) or all(map(alike, now, then))


class Attributes:
    """Some names in the dict of an object, a class or a module, and names that it lacks."""

    __slots__ = ("owner", "held", "path", "names", "absent", "then", "get", "moves_epoch")

    def __init__(
        self, owner: Any, held: Any, path: Path | None, names: Iterable[str], absent: Iterable[str]
    ) -> None:
        self.owner, self.held, self.path = owner, held, path
        self.names, self.absent = tuple(names), tuple(absent)
        # of one name itemgetter gives no tuple
        self.get = itemgetter(*self.names, *self.names[:1]) if self.names else lambda held: ()
        self.then: tuple[Any, ...] = self.get(held)
        self.moves_epoch = False  # whether setting one moves the epoch of Modules

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


class Slots:
    """Some attributes of an object whose class has `__slots__`."""

    __slots__ = ("owner", "path", "names", "then")
    moves_epoch = False

    def __init__(self, owner: Any, path: Path, names: Iterable[str]) -> None:
        self.owner, self.path, self.names = owner, path, tuple(names)
        self.then = self._now()

    def _now(self) -> list[Any]:
        return [getattr(self.owner, name, MISSING) for name in self.names]

    def same(self) -> bool:
        return _all_alike(self._now(), self.then)

    def changes(self) -> Iterator[Change]:
        for name, old, new in zip(self.names, self.then, self._now(), strict=True):
            if not alike(new, old):
                yield Change(
                    self.path.attribute(name), name, old, new,
                    partial(setattr, self.owner, name, old),
                )  # fmt: skip


class Cell:
    """A variable of an enclosing function."""

    __slots__ = ("owner", "path", "then")
    moves_epoch = False

    def __init__(self, owner: Any, path: Path) -> None:
        self.owner, self.path = owner, path
        self.then = self._now()

    def _now(self) -> Any:
        try:
            return self.owner.cell_contents
        except ValueError:  # not filled
            return MISSING

    def same(self) -> bool:
        now = self._now()
        return now is self.then or alike(now, self.then)

    def changes(self) -> Iterator[Change]:
        if not self.same():
            yield Change(self.path, self.path.step, self.then, self._now(), self._restore)

    def _restore(self) -> None:
        if self.then is not MISSING:
            self.owner.cell_contents = self.then


class Items:
    """The items of a list, a deque or an object array."""

    __slots__ = ("owner", "path", "then")
    moves_epoch = False

    def __init__(self, owner: Any, path: Path) -> None:
        self.owner, self.path = owner, path
        self.then = self._now()

    def _now(self) -> list[Any]:
        owner = self.owner
        return owner.ravel().tolist() if isinstance(owner, np.ndarray) else list(owner)

    def same(self) -> bool:
        owner = self.owner
        if isinstance(owner, np.ndarray):  # not `flat`, which goes on where it was left
            owner = owner.ravel().tolist()
        return len(owner) == len(self.then) and _all_alike(owner, self.then)

    def changes(self) -> Iterator[Change]:
        now = self._now()
        if len(now) != len(self.then):
            yield Change(self.path, None, self.then, now, self._restore)
            return
        for i, (old, new) in enumerate(zip(self.then, now, strict=True)):
            if not alike(new, old):
                key: Any = i
                if isinstance(self.owner, np.ndarray) and self.owner.ndim != 1:
                    key = tuple(map(int, np.unravel_index(i, self.owner.shape)))
                yield Change(self.path.item(key), None, old, new, self._restore)

    def _restore(self) -> None:
        if isinstance(self.owner, np.ndarray):
            then = np.empty(len(self.then), dtype=object)
            then[:] = self.then
            self.owner[...] = then.reshape(self.owner.shape)
        elif isinstance(self.owner, list):
            self.owner[:] = self.then
        else:
            self.owner.clear()
            self.owner.extend(self.then)


class Entries:
    """The keys and values of a dict."""

    __slots__ = ("owner", "path", "then")
    moves_epoch = False

    def __init__(self, owner: dict[Any, Any], path: Path) -> None:
        self.owner, self.path = owner, path
        self.then = dict(owner)

    def same(self) -> bool:
        now, then = self.owner, self.then
        if len(now) != len(then):
            return False
        return _all_alike(now.values(), then.values()) and _all_alike(now, then)

    def changes(self) -> Iterator[Change]:
        for key in {**self.then, **self.owner}:
            old, new = self.then.get(key, MISSING), self.owner.get(key, MISSING)
            if not alike(new, old):
                yield Change(self.path.item(key), None, old, new, self._restore)
        if not _all_alike(self.owner, self.then) and len(self.owner) == len(self.then):
            yield Change(self.path, None, self.then, self.owner, self._restore)  # another order

    def _restore(self) -> None:
        if isinstance(self.owner, dict):  # not a view of one
            self.owner.clear()
            self.owner.update(self.then)


class Numbers:
    """The numbers of an array, compared bit by bit: nan is itself, and 0.0 is not -0.0."""

    __slots__ = ("owner", "path", "then")
    moves_epoch = False

    def __init__(self, owner: np.ndarray, path: Path) -> None:
        self.owner, self.path = owner, path
        self.then = owner.copy()

    def same(self) -> bool:
        now, then = self.owner, self.then
        if now.shape != then.shape or now.dtype != then.dtype:
            return False
        return bool(np.array_equal(_bits(now), _bits(then)))

    def changes(self) -> Iterator[Change]:
        if not self.same():
            yield Change(self.path, None, self.then, self.owner, self._restore)

    def _restore(self) -> None:
        if self.owner.flags.writeable:
            self.owner[...] = self.then


class Whole:
    """A set, a bytearray, an array.array: compared by ==."""

    __slots__ = ("owner", "path", "then")
    moves_epoch = False

    def __init__(self, owner: Any, path: Path) -> None:
        self.owner, self.path = owner, path
        self.then: Any = set(owner) if isinstance(owner, set) else owner[:]
        if isinstance(owner, memoryview):
            self.then = owner.tobytes()

    def same(self) -> bool:
        return bool(self.owner == self.then)

    def changes(self) -> Iterator[Change]:
        if not self.same():
            yield Change(self.path, None, self.then, self.owner, self._restore)

    def _restore(self) -> None:
        if isinstance(self.owner, set):
            self.owner.clear()
            self.owner.update(self.then)
        else:
            self.owner[:] = self.then


def _bits(array: np.ndarray) -> np.ndarray:
    flat = np.ascontiguousarray(array).reshape(-1)
    return flat.view(f"u{flat.itemsize}" if flat.itemsize in (1, 2, 4, 8) else "u1")
