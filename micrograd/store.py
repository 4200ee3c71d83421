"""One array that holds the numbers of many Values: the parameters' single home.

A `Stored` Value reads and writes its `data` and `grad` in the arrays of a `Store`, which programs
and optimisers use whole: whoever writes, everybody sees it, and there is nothing to keep in step.
Start with `Block`, the handle that optimisers hold; `gather` moves Values into a common store.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable
from typing import Any

import numpy as np

from micrograd.engine import Leaf, Value
from micrograd.node import TwinType
from micrograd.reals import describe

__all__ = ["Block", "InStore", "Store", "Stored", "gather"]


class Store:
    """Two float64 arrays, `data` and `grads`, in which element i belongs to one Stored Value.

    Values may be added as long as there is room: those in it stay where they are, and views of the
    arrays hold. A store whose Values have moved to another says so: `successor`.
    """

    __slots__ = ("data", "grads", "data_at", "grad_at", "members", "successor",
                 "_all_data", "_all_grads")  # fmt: skip

    def __init__(self, room: int) -> None:
        self._all_data, self._all_grads = np.zeros(room), np.zeros(room)
        self.data, self.grads = self._all_data[:0], self._all_grads[:0]
        # indexing a memoryview gives a Python float in 30 ns; an ndarray takes 70 with .item()
        self.data_at: Any = self._all_data.data
        self.grad_at: Any = self._all_grads.data
        self.members: list[weakref.ref[Stored]] = []
        self.successor: Store | None = None

    def has_room(self, count: int) -> bool:
        return len(self.members) + count <= len(self._all_data)

    def add(self, values: list[Value]) -> None:
        """Move Values, free ones or those of another store, behind those that are here."""
        start, end = len(self.members), len(self.members) + len(values)
        numbers, grads = [v._data for v in values], [v._grad for v in values]
        self._all_data[start:end], self._all_grads[start:end] = numbers, grads
        self.data, self.grads = self._all_data[:end], self._all_grads[:end]
        for i, v in enumerate(values, start):
            v._left, v._right = self, i
            if not v.in_store:
                v.__class__ = _in_store(type(v))
            self.members.append(weakref.ref(v))  # type: ignore[arg-type]

    def living(self) -> list[Value]:
        """The members that somebody still holds, in order."""
        found = [reference() for reference in self.members]
        return [v for v in found if v is not None]

    def current(self) -> Store:
        """The store that holds these numbers now."""
        store = self
        while store.successor is not None:
            store = store.successor
        return store


class InStore:
    """What differs in a leaf whose numbers live in a store, `_left`, at an index, `_right`."""

    __slots__ = ()

    in_store = True
    _left: Store
    _right: int

    @property
    def _data(self) -> float:
        return self._left.data_at[self._right]  # type: ignore[no-any-return]

    @_data.setter
    def _data(self, number: float) -> None:
        self._left.data_at[self._right] = number

    @property
    def _grad(self) -> float:
        return self._left.grad_at[self._right]  # type: ignore[no-any-return]

    @_grad.setter
    def _grad(self, number: float) -> None:
        self._left.grad_at[self._right] = number

    @property
    def _prev(self) -> tuple[Value, ...]:
        return ()

    @_prev.setter
    def _prev(self, inputs: Any) -> None:
        raise AttributeError("a parameter in a store is a leaf: nothing made it")


class Stored(InStore, Leaf, stands_for=Value):
    """A leaf whose numbers live in a store."""

    __slots__ = ()


def _in_store(kind: type[Value]) -> type[Stored]:
    """What a Value of class `kind` becomes in a store; of a class of one's own, a twin."""
    if kind is Leaf:
        return Stored
    twin: Any = vars(kind).get("_in_store")
    if twin is None:
        body = {"__slots__": (), "__module__": kind.__module__, "__qualname__": kind.__qualname__}
        twin = TwinType(kind.__name__, (InStore, kind), body, stands_for=kind.stands_for)
        kind._in_store = twin  # type: ignore[attr-defined]
    return twin  # type: ignore[no-any-return]


_lock = threading.RLock()


def gather(values: Iterable[Value]) -> Store:
    """Move Values (leaves) into one store, in their order, and return it.

    Values that live in different stores bring all that lives there along, store after store. What
    moves has another place then, and who knows places asks for them again (`current()`). Any thread
    may gather, but none may use the Values while they move.
    """
    given = list(values)
    for v in given:
        if not isinstance(v, Value) or v._rule is not None:
            made = f", the result of {v._op!r}" if isinstance(v, Value) else ""
            raise TypeError(f"only leaf Values can be parameters, got {describe(v)}{made}")
    with _lock:
        unique = list(dict.fromkeys(given))
        stores: list[Store] = list(dict.fromkeys(v._left for v in unique if v.in_store))
        free = [v for v in unique if not v.in_store]
        if len(stores) == 1 and (not free or stores[0].has_room(len(free))):
            stores[0].add(free)
            return stores[0]
        living = [v for store in stores for v in store.living()]
        # a store that has grown may grow again: with room, what is there need not move each time
        whole = Store((len(living) + len(free)) * (2 if stores else 1))
        whole.add(living + free)
        for store in stores:
            store.successor = whole
        return whole


class Block:
    """Some Values of one store as two arrays, in the order given: `data` and `grads`.

    They are views where the Values lie side by side, else copies; assigning writes in either case.
    Read them anew for each use: when another Block takes some of the Values, all of them move.
    """

    def __init__(self, values: Iterable[Value]) -> None:
        self.members = list(values)
        self._locate()

    def _locate(self) -> None:
        with _lock:  # so that nobody moves them between the two lines
            self._store = gather(self.members)
            index = np.array([v._right for v in self.members], dtype=np.intp)
        self._index: Any = index
        self._views: tuple[np.ndarray, np.ndarray] | None = None
        if len(index) and np.array_equal(index, np.arange(index[0], index[0] + len(index))):
            self._index = slice(int(index[0]), int(index[0]) + len(index))
            self._views = self._store.data[self._index], self._store.grads[self._index]

    def _where(self) -> tuple[Store, Any]:
        if self._store.successor is not None:
            self._locate()
        return self._store, self._index

    def views(self) -> tuple[np.ndarray, np.ndarray] | None:
        """`data` and `grads` where both are views, which stand while no Value moves; else None."""
        if self._store.successor is not None:
            self._locate()
        return self._views

    def __reduce__(self) -> tuple[Any, ...]:  # a copy is a Block of the copied Values
        return Block, (self.members,)

    @property
    def data(self) -> np.ndarray:
        store, index = self._where()
        view: np.ndarray = store.data[index]
        return view

    @data.setter
    def data(self, array: Any) -> None:
        store, index = self._where()
        store.data[index] = array

    @property
    def grads(self) -> np.ndarray:
        store, index = self._where()
        view: np.ndarray = store.grads[index]
        return view

    @grads.setter
    def grads(self, array: Any) -> None:
        store, index = self._where()
        store.grads[index] = array

    def __len__(self) -> int:
        return len(self.members)
