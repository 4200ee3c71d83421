"""What goes into a lifted call and what comes out: numbers to trace, statics, structures.

`read` takes a call's arguments apart into a key (shapes, statics) and arrays of numbers; `traced`
builds the arguments that the function is recorded on. `Template` does the same for what it
returned.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import reduce
from operator import is_
from types import BuiltinMethodType, MethodType
from typing import Any

import numpy as np

from micrograd import tree
from micrograd.arrays import numbers
from micrograd.engine import Value
from micrograd.fast import leaf
from micrograd.lifting.call import Call, ResultArray, output
from micrograd.lifting.effects import holds_traced
from micrograd.lifting.narrow import Narrow, is_narrow
from micrograd.lifting.paths import Path
from micrograd.lifting.record import Recorder
from micrograd.lifting.tape import INPUT, INTEGER
from micrograd.lifting.traced import Traced
from micrograd.op import Op

__all__ = ["Arguments", "Template", "is_leaf", "is_traced", "read", "roots"]


class Arguments:
    """One call's arguments: `key` tells which program fits, `arrays` are its numbers in order.

    `values` are the Values among them, into which gradients flow; None for an array of plain
    numbers.
    """

    __slots__ = ("key", "arrays", "values", "kept", "sizes", "size", "batched")

    def __init__(self) -> None:
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
    found = Arguments()
    for i, x in enumerate(args):
        if batched:
            found.batched = i in batched
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
    """What is taken apart no further: all but plain lists, tuples, named tuples and dicts."""
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
        name = _NAMES.get(x.dtype.char)
        if name is not None:
            found.add(name, x.shape, x)
        elif x.dtype == object:
            found.add("values", x.shape, None, x)
            found.arrays[-1] = numbers(x)
        else:
            raise TypeError(f"a lifted function takes arrays of numbers or Values, got {x.dtype}")
    elif isinstance(x, float):
        found.add(INPUT.name, (), x)
    elif isinstance(x, Value):
        found.add("values", (), x.data, x)
    elif x is None or isinstance(x, (int, str, bytes)):
        found.key.append((type(x), x))
    elif not is_leaf(x):
        flat = tree.flatten(x, is_leaf)
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
    else:
        _read_object(x, found)


def _read_object(x: Any, found: Arguments) -> None:
    """A model, a function: the same object next time means the same program."""
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


def roots(x: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """The objects among the arguments that the function can look into, by path."""
    flat = tree.flatten(x, is_leaf)
    for keys, item in zip(flat.paths(), flat.leaves, strict=True):
        if not isinstance(item, (*_TRACED, np.generic, int, str, bytes)):
            yield reduce(Path.item, keys, path), item


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

    def rebuild(self, x: Any) -> Any:
        flat = tree.flatten(x, is_leaf)
        made = flat.fill([self._leaf(item) for item in flat.leaves])
        self._given.append((made, tree.flatten(made)))
        return made

    def _leaf(self, x: Any) -> Any:
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
        made = self.recorder.array(_KINDS.get(array.dtype.kind, INPUT), shape, number)
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


class Template:
    """The structure that the function returned; its leaves say what each call puts there.

    A leaf is one traced Value, or an array or list of nothing else, which are numbered: `places`
    says what each holds; or what does not depend on the arguments.
    """

    def __init__(self, recorder: Recorder, returned: Any) -> None:
        self.places: list[np.ndarray] = []  # tape places, in the leaf's shape
        flat = tree.flatten(returned, _is_result)
        made = [self._leaf(recorder, x) for x in flat.leaves]
        self._flat = tree.flatten(flat.fill(made), _is_place)

    def __reduce__(self) -> tuple[Any, ...]:
        return _template, (self._flat,)

    def fill(self, node: Value | None, call: Call) -> Any:
        """The structure with the call's results in it."""
        made = [place.make(place.content, node, call) for place in self._flat.leaves]
        return self._flat.fill(made) if self._flat.containers else made[0]

    def same_structure(self, other: Template) -> bool:
        if self._flat.structure != other._flat.structure:
            return False
        return list(map(_shown, self._flat.leaves)) == list(map(_shown, other._flat.leaves))

    def _leaf(self, recorder: Recorder, x: Any) -> _Place:
        if isinstance(x, Traced):
            return self._numbered(_one, x, ())
        if type(x) is list:
            return self._numbered(_list, x, (len(x),))
        if type(x) is np.ndarray:
            if x.dtype == object:
                return self._numbered(_array, x.flat, x.shape)
            return _Place(_copy, x.copy())
        if isinstance(x, Value) and x in recorder.created_here:
            return _Place(_fresh, x._data)
        if isinstance(x, Iterator) or (not isinstance(x, Value) and holds_traced(x)):
            raise TypeError(f"returning a {type(x).__name__}")
        return _Place(_same, x)

    def _numbered(self, make: Any, values: Any, shape: tuple[int, ...]) -> _Place:
        values = [values] if make is _one else values
        places = np.array([v._left for v in values], dtype=np.int64)
        self.places.append(places.reshape(shape))
        return _Place(make, len(self.places) - 1)


class _Place:
    """One leaf of a template: `make(content, node, call)` is what a call puts there."""

    __slots__ = ("make", "content")

    def __init__(self, make: Callable[[Any, Value | None, Call], Any], content: Any) -> None:
        self.make = make
        self.content = content


def _template(flat: tree.Flat) -> Template:
    made = Template.__new__(Template)
    made._flat, made.places = flat, []
    return made


def _is_result(x: Any) -> bool:
    if type(x) is np.ndarray:
        return x.dtype != object or bool(x.size and all(isinstance(v, Traced) for v in x.flat))
    return is_leaf(x) or (type(x) is list and len(x) > 1 and all(isinstance(v, Traced) for v in x))


def _is_place(x: Any) -> bool:
    return isinstance(x, _Place)


def _shown(place: _Place) -> Any:
    """A template's leaf as something to compare, for any batch size."""
    free = place.make in (_one, _list, _array)
    return place.make, place.content if free else repr(place.content)


def _one(leaf_number: int, node: Value | None, call: Call) -> Value:
    return output(node, call, int(call.program.which[leaf_number]))


def _list(leaf_number: int, node: Value | None, call: Call) -> list[Value]:
    return [output(node, call, int(w)) for w in call.program.which[leaf_number]]


def _array(leaf_number: int, node: Value | None, call: Call) -> ResultArray:
    return ResultArray(node, call, call.program.which[leaf_number])


def _copy(content: Any, node: Value | None, call: Call) -> Any:
    return content.copy()


def _fresh(content: float, node: Value | None, call: Call) -> Value:
    return leaf(content)


def _same(content: Any, node: Value | None, call: Call) -> Any:
    return content


def flat_values(values: Sequence[Any]) -> list[Any]:
    """The Values among the arguments, in the order of their numbers."""
    found: list[Any] = []
    for x in values:
        if isinstance(x, Value):
            found.append(x)
        elif x is not None:
            found += [v if isinstance(v, Value) else Value(v) for v in x.flat]
    return found
