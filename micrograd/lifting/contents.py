"""What was seen in a container: a list, a dict, a set, an array. Read `sights.py` first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from micrograd.lifting.sights import MISSING, Change, Sight, alike, all_alike

__all__ = ["Entries", "Items", "Numbers", "Whole"]


class Items(Sight):
    """The items of a list, a deque or an object array."""

    __slots__ = ()

    def now(self) -> list[Any]:
        owner = self.owner  # not `flat` of an array, which goes on where it was left
        return owner.ravel().tolist() if isinstance(owner, np.ndarray) else list(owner)

    def same(self) -> bool:
        owner = self.owner
        now = owner.ravel().tolist() if isinstance(owner, np.ndarray) else owner
        return len(now) == len(self.then) and all_alike(now, self.then)

    def changes(self) -> Iterator[Change]:
        now = self.now()
        if len(now) != len(self.then):
            yield Change(self.path, None, self.then, now, self.restore)
            return
        for i, (old, new) in enumerate(zip(self.then, now, strict=True)):
            if not alike(new, old):
                key: Any = i
                if isinstance(self.owner, np.ndarray) and self.owner.ndim != 1:
                    key = tuple(map(int, np.unravel_index(i, self.owner.shape)))
                yield Change(self.path.item(key), None, old, new, self.restore)

    def restore(self) -> None:
        if isinstance(self.owner, np.ndarray):
            then = np.empty(len(self.then), dtype=object)
            then[:] = self.then
            self.owner[...] = then.reshape(self.owner.shape)
        elif isinstance(self.owner, list):
            self.owner[:] = self.then
        else:
            self.owner.clear()
            self.owner.extend(self.then)


class Entries(Sight):
    """The keys and values of a dict, or of a view of one."""

    __slots__ = ()

    def now(self) -> dict[Any, Any]:
        return dict(self.owner)

    def same(self) -> bool:
        now, then = self.owner, self.then
        if len(now) != len(then):
            return False
        return all_alike(now.values(), then.values()) and all_alike(now, then)

    def changes(self) -> Iterator[Change]:
        for key in {**self.then, **self.owner}:
            old, new = self.then.get(key, MISSING), self.owner.get(key, MISSING)
            if not alike(new, old):
                yield Change(self.path.item(key), None, old, new, self.restore)
        if not all_alike(self.owner, self.then) and len(self.owner) == len(self.then):
            yield Change(self.path, None, self.then, self.owner, self.restore)  # another order

    def restore(self) -> None:
        if isinstance(self.owner, dict):  # not a view of one
            self.owner.clear()
            self.owner.update(self.then)


class Numbers(Sight):
    """The numbers of an array, compared bit by bit: nan is itself, and 0.0 is not -0.0."""

    __slots__ = ()

    def now(self) -> np.ndarray:
        copied: np.ndarray = self.owner.copy()
        return copied

    def same(self) -> bool:
        now, then = self.owner, self.then
        if now.shape != then.shape or now.dtype != then.dtype:
            return False
        return bool(np.array_equal(_bits(now), _bits(then)))

    def restore(self) -> None:
        if self.owner.flags.writeable:
            self.owner[...] = self.then


class Whole(Sight):
    """A set, a bytearray, an array.array, a memoryview: compared by ==."""

    __slots__ = ()

    def now(self) -> Any:
        if isinstance(self.owner, memoryview):
            return self.owner.tobytes()
        return set(self.owner) if isinstance(self.owner, set) else self.owner[:]

    def same(self) -> bool:
        return bool(self.owner == self.then)

    def restore(self) -> None:
        if isinstance(self.owner, set):
            self.owner.clear()
            self.owner.update(self.then)
        else:
            self.owner[:] = self.then


def _bits(array: np.ndarray) -> np.ndarray:
    flat = np.ascontiguousarray(array).reshape(-1)
    return flat.view(f"u{flat.itemsize}" if flat.itemsize in (1, 2, 4, 8) else "u1")
