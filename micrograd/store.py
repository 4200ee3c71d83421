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
from micrograd.node import Kind
from micrograd.reals import describe

__all__ = ["Block", "InStore", "Store", "Stored", "gather"]


class Store:
    """Two float64 arrays, `numbers` and `grads`, in which element i belongs to one Stored Value.

    A store that was merged into a larger one says where it went: `successor` is (store, offset).
    """

    __slots__ = ("numbers", "grads", "number_at", "grad_at", "members", "successor")

    def __init__(self, size: int) -> None:
        self.numbers = np.zeros(size)
        self.grads = np.zeros(size)
        # indexing a memoryview gives a Python float in 30 ns; an ndarray takes 70 with .item()
        self.number_at: Any = self.numbers.data
        self.grad_at: Any = self.grads.data
        self.members: list[weakref.ref[Stored] | None] = [None] * size
        self.successor: tuple[Store, int] | None = None

    def current(self) -> tuple[Store, int]:
        """The store that holds these numbers now, and the offset of ours in it."""
        store, offset = self, 0
        while store.successor is not None:
            store, more = store.successor
            offset += more
        return store, offset


class InStore:
    """What differs in a leaf whose numbers live in a store, `_left`, at an index, `_right`."""

    __slots__ = ()

    in_store = True
    _left: Store
    _right: int

    @property
    def _data(self) -> float:
        return self._left.number_at[self._right]  # type: ignore[no-any-return]

    @_data.setter
    def _data(self, number: float) -> None:
        self._left.number_at[self._right] = number

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
        twin = Kind(kind.__name__, (InStore, kind), body, stands_for=kind.stands_for)
        kind._in_store = twin  # type: ignore[attr-defined]
    return twin  # type: ignore[no-any-return]


_lock = threading.RLock()


def gather(values: Iterable[Value]) -> Store:
    """Move Values (leaves) into one store, in their order, and return it.

    Values that live in different stores bring their whole stores along, each in one piece, so that
    views on the old ones need only the offset that `current()` tells. Any thread may gather, but
    none may use the Values while they move.
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
        if len(stores) == 1 and not free:
            return stores[0]
        return _merge(stores, free)


def _merge(stores: list[Store], free: list[Value]) -> Store:
    whole = Store(sum(len(s.members) for s in stores) + len(free))
    offset = 0
    for store in stores:
        end = offset + len(store.members)
        whole.numbers[offset:end] = store.numbers
        whole.grads[offset:end] = store.grads
        whole.members[offset:end] = store.members
        for i, reference in enumerate(store.members, offset):
            member = reference() if reference is not None else None
            if member is not None:
                member._left, member._right = whole, i
        store.successor = (whole, offset)
        offset = end
    for i, v in enumerate(free, offset):
        whole.numbers[i], whole.grads[i] = v._data, v._grad
        v._left, v._right = whole, i
        v.__class__ = _in_store(type(v))
        whole.members[i] = weakref.ref(v)  # type: ignore[arg-type]
    return whole


class Block:
    """Some Values of one store as two arrays, in the order given: `numbers` and `grads`.

    They are views where the Values lie side by side, else copies; assigning writes in either case.
    Read them anew for each use: when another Block takes some of the Values, all of them move.
    """

    def __init__(self, values: Iterable[Value]) -> None:
        self.members = list(values)
        with _lock:  # so that nobody moves them between the two lines
            self._store = gather(self.members)
            index = np.array([v._right for v in self.members], dtype=np.intp)
        self._index: Any = index
        if len(index) and np.array_equal(index, np.arange(index[0], index[0] + len(index))):
            self._index = slice(int(index[0]), int(index[0]) + len(index))

    def _where(self) -> tuple[Store, Any]:
        if self._store.successor is not None:
            self._store, offset = self._store.current()
            if isinstance(self._index, slice):
                self._index = slice(self._index.start + offset, self._index.stop + offset)
            else:
                self._index = self._index + offset
        return self._store, self._index

    def __reduce__(self) -> tuple[Any, ...]:  # a copy is a Block of the copied Values
        return Block, (self.members,)

    @property
    def numbers(self) -> np.ndarray:
        store, index = self._where()
        view: np.ndarray = store.numbers[index]
        return view

    @numbers.setter
    def numbers(self, array: Any) -> None:
        store, index = self._where()
        store.numbers[index] = array

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
