"""What goes into a lifted call: numbers to trace, statics, structures.

`read` takes a call's arguments apart into a key (shapes, statics) and arrays of numbers.
`tracer.py` builds the arguments that the function is recorded on.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import reduce
from types import BuiltinMethodType, MethodType
from typing import Any

import numpy as np

from micrograd import tree
from micrograd.engine import Value
from micrograd.lifting.narrow import is_narrow
from micrograd.lifting.paths import Path
from micrograd.lifting.results import ResultArray
from micrograd.lifting.stacks import Columns, Stack, kinds_of, stacked
from micrograd.lifting.tape import INPUT, INTEGER
from micrograd.op import Op

__all__ = ["Arguments", "flat_values", "is_leaf", "is_traced", "opened", "read", "roots"]


class Arguments:
    """One call's arguments: `key` tells which program fits, `arrays` are its numbers in order.

    `values` are the Values among them, into which gradients flow: one, a list, or None for plain
    numbers. `places` are the positions and names of the arguments that hold a batch.
    """

    __slots__ = ("key", "arrays", "values", "kept", "places", "sizes", "size", "batched")

    def __init__(self, places: Sequence[int | str] = ()) -> None:
        self.places = places
        self.key: list[Any] = []
        self.arrays: list[Any] = []
        self.values: list[Any] = []
        self.kept: list[Any] = []  # objects that the key names by identity
        self.sizes: dict[int, int] = {}  # of the batch, by argument number
        self.size: int | None = None  # the one that they share
        self.batched = False  # whether the argument being read holds a batch

    def add(self, kind: str, shape: tuple[Any, ...], array: Any, values: Any = None) -> None:
        if self.batched:
            if not shape:
                raise TypeError(
                    "a batched argument is an array with a leading axis, got one number"
                )
            self.sizes[len(self.arrays)] = self.size = shape[0]
            shape = ("batch", *shape[1:])
        self.key.append((kind, shape))
        self.arrays.append(array)
        self.values.append(values)


def read(
    args: tuple[Any, ...], kwargs: dict[str, Any], batched: Sequence[int | str] = ()
) -> Arguments:
    """Take a call apart; `batched` are the positions and names whose leading axis may vary."""
    found = Arguments(batched)
    for i, x in enumerate(args):
        if batched:
            found.batched = i in batched
        if type(x) is np.ndarray and not batched and x.dtype.char in _NAMES:  # most: 0.2 us less
            found.key.append((_NAMES[x.dtype.char], x.shape))
            found.arrays.append(x)
            found.values.append(None)
        else:
            _read(x, found)
    for name in sorted(kwargs) if kwargs else ():
        found.key.append(name)
        found.batched = name in batched
        _read(kwargs[name], found)
    if found.sizes and len(set(found.sizes.values())) > 1:
        raise ValueError(
            f"batched arguments of different sizes: {sorted(set(found.sizes.values()))}"
        )
    return found


# How an array of each dtype is traced, and what stands for it in the key: eager code computes with
# narrow ones in kind, so that they have programs of their own.
_KINDS = {"f": INPUT, "i": INTEGER, "u": INTEGER, "b": INTEGER}
_NAMES = {
    c: c if is_narrow(np.dtype(c)) else _KINDS[np.dtype(c).kind].name for c in "efdgbhilqBHILQ?"
}
_TRACED = (float, Value, np.ndarray, np.floating, np.integer, np.bool_, ResultArray)
# static arguments that are what they say, compared by ==
_STATIC = (
    complex, type(...), range, frozenset, type, np.dtype, np.ufunc, MethodType, BuiltinMethodType,
    Enum, datetime.date, datetime.timedelta, Fraction, Decimal, Op,
)  # fmt: skip


def is_leaf(x: Any) -> bool:
    """Whether x is taken apart no further: all but plain lists, tuples, named tuples and dicts."""
    kind = type(x)
    if kind is list or kind is tuple or kind is dict:
        return False
    return not (issubclass(kind, dict) or (issubclass(kind, tuple) and hasattr(kind, "_make")))


def is_traced(x: Any) -> bool:
    """Whether a leaf among the arguments is numbers to trace."""
    return isinstance(x, _TRACED)


def _read(x: Any, found: Arguments) -> None:
    if type(x) is ResultArray:
        x = x.values
    if type(x) is np.ndarray or isinstance(x, np.memmap):
        _read_array(x, found)
    elif isinstance(x, float):
        found.add(INPUT.name, (), x)
    elif isinstance(x, Value):
        found.add("values", (), x._data, x)
    elif x is None or isinstance(x, (int, str, bytes)):
        found.key.append((type(x), x))
    elif not is_leaf(x):
        flat = opened(x, whole=not found.batched)
        found.key.append(flat.structure)
        for item in flat.leaves:
            _read(item, found)
    elif isinstance(x, (np.floating, np.integer, np.bool_)):
        found.add(_NAMES[x.dtype.char], (), x)
    elif isinstance(x, slice):
        found.key.append((slice, x.start, x.stop, x.step))
    elif isinstance(x, _STATIC):
        found.key.append((type(x), x))
        found.kept.append(getattr(x, "__self__", x))
    elif type(x) is Stack:
        found.key.append(x.levels)
        _read_array(x.array, found)
    elif type(x) is Columns:
        found.key.append(len(x.columns))
        for column in x.columns:
            _read(column, found)
    else:
        _read_object(x, found)


def _read_array(x: np.ndarray, found: Arguments) -> None:
    name = _NAMES.get(x.dtype.char)
    if name is not None:
        found.add(name, x.shape, x)
    elif x.dtype == object:
        values: list[Any] = x.ravel().tolist()
        if not all(issubclass(kind, Value) for kind in kinds_of(values)):
            values = [v if isinstance(v, Value) else Value(v) for v in values]
        found.add("values", x.shape, np.array([v._data for v in values]).reshape(x.shape), values)
    else:
        raise TypeError(f"a lifted function takes arrays of numbers or Values, got {x.dtype}")


def _read_object(x: Any, found: Arguments) -> None:
    """Note a model, say, or a function in the key: a program is for this very object."""
    if isinstance(x, np.ndarray):
        raise TypeError(
            f"a lifted function takes plain arrays, got a {type(x).__name__}, whose operations are "
            "its own; pass np.asarray(x) (of a masked array also its mask)"
        )
    if any(hasattr(type(x), name) for name in ("__array__", "__array_interface__", "__dlpack__")):
        raise TypeError(
            f"a lifted function takes NumPy arrays, got a {type(x).__name__}; pass np.asarray(x)"
        )
    if isinstance(x, (list, tuple)):
        raise TypeError(
            f"got a {type(x).__name__}; lift takes and gives plain lists, tuples and dicts"
        )
    if isinstance(x, Iterator):
        raise TypeError(
            f"a lifted function takes what can be read again, got a {type(x).__name__}; pass a list"
        )
    found.key.append((type(x), id(x)))
    found.kept.append(x)


def opened(x: Any, whole: bool) -> tree.Flat:
    """The structure of x, with its leaves; `whole`: lists of like numbers are leaves, Stacks."""
    if not whole:
        return tree.flatten(x, is_leaf)
    found: dict[int, Stack | Columns] = {}

    def stop(x: Any) -> bool:
        stack = stacked(x) if type(x) is list or type(x) is tuple else None
        if stack is not None:
            found[id(x)] = stack
        return stack is not None or is_leaf(x)

    flat = tree.flatten(x, stop)
    if not found:
        return flat
    return flat._replace(leaves=[found.get(id(x), x) for x in flat.leaves])


def roots(x: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """The objects among the arguments that the function can look into, by path."""
    flat = tree.flatten(x, is_leaf)
    for keys, item in zip(flat.paths(), flat.leaves, strict=True):
        if not isinstance(item, (*_TRACED, np.generic, int, str, bytes)):
            yield reduce(Path.item, keys, path), item


def flat_values(values: Sequence[Any]) -> list[Any]:
    """The Values among the arguments, in the order of their numbers."""
    found: list[Any] = []
    for x in values:
        if isinstance(x, Value):
            found.append(x)
        elif x is not None:
            found += x
    return found
