"""What goes into a lifted call and what comes out: numbers to trace, statics, structures.

`read` takes a call's arguments apart into a key (shapes, statics) and arrays of numbers; `traced`
builds the arguments that the function is recorded on. `Template` does the same for what it
returned.
"""

from __future__ import annotations

import copy
import datetime
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from operator import is_
from types import BuiltinMethodType, MethodType
from typing import Any

import numpy as np

from micrograd.arrays import numbers
from micrograd.engine import Value
from micrograd.fast import leaf
from micrograd.lifting.call import Call, ResultArray, output
from micrograd.lifting.effects import holds_traced
from micrograd.lifting.narrow import Narrow, is_narrow
from micrograd.lifting.paths import Path
from micrograd.lifting.record import INPUT, INTEGER, Tape
from micrograd.lifting.traced import Traced
from micrograd.op import Op

__all__ = ["Arguments", "Template", "read", "roots"]


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
_NAMES = {c: c if is_narrow(np.dtype(c)) else _KINDS[np.dtype(c).kind] for c in "efdgbhilqBHILQ?"}
# static arguments that are what they say, compared by ==
_STATIC = (
    complex, type(...), range, frozenset, type, np.dtype, np.ufunc, MethodType, BuiltinMethodType,
    Enum, datetime.date, datetime.timedelta, Fraction, Decimal, Op,
)  # fmt: skip


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
        found.add(INPUT, (), x)
    elif isinstance(x, Value):
        found.add("values", (), x.data, x)
    elif x is None or isinstance(x, (int, str, bytes)):
        found.key.append((type(x), x))
    elif isinstance(x, (list, tuple)):
        found.key.append((type(x), len(x)))
        for item in x:
            _read(item, found)
    elif isinstance(x, dict):
        found.key.append((type(x), tuple(x)))
        for item in x.values():
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
    if isinstance(x, Iterator):
        raise TypeError(
            f"a lifted function takes what can be read again, got a {type(x).__name__}; pass a list"
        )
    found.key.append((type(x), id(x)))
    found.kept.append(x)


def roots(x: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """The objects among the arguments that the function can look into, by path."""
    if isinstance(x, (list, tuple)):
        for i, item in enumerate(x):
            yield from roots(item, path.item(i))
    elif isinstance(x, dict):
        for key, item in x.items():
            yield from roots(item, path.item(key))
    elif not isinstance(x, (np.ndarray, np.generic, float, int, str, bytes, Value, ResultArray)):
        yield path, x


class Tracer:
    """Arguments rebuilt with traced Values in place of the numbers."""

    def __init__(
        self, tape: Tape, resize: Callable[[int, tuple[int, ...]], tuple[int, ...]]
    ) -> None:
        self.tape = tape
        self.resize = resize  # argument number, shape -> the shape to record at
        self.shapes: list[tuple[int, ...]] = []
        self.first: list[int] = []
        self._given: list[tuple[Any, list[Any]]] = []  # what may be changed in place, and as it was

    def rebuild(self, x: Any) -> Any:
        if type(x) is ResultArray:
            x = x.values
        made = x
        if isinstance(x, (float, Value)):
            return self.leaves(np.asarray(0.0 if isinstance(x, float) else x))[()]
        if isinstance(x, (np.ndarray, np.floating, np.integer, np.bool_)):
            made = self.leaves(np.asarray(x))
            if not isinstance(x, np.ndarray):
                return made[()]
            self._given.append((made, made.ravel().tolist()))
        elif isinstance(x, (list, tuple)):
            made = _like(x, [self.rebuild(item) for item in x])
            if isinstance(x, list):
                self._given.append((made, list(made)))
        elif isinstance(x, dict):
            made = _filled(x, {key: self.rebuild(item) for key, item in x.items()})
            self._given.append((made, [*made.keys(), *made.values()]))
        return made

    def leaves(self, array: np.ndarray) -> np.ndarray:
        """Fresh leaves of the kind and shape of an argument."""
        number = len(self.shapes)
        shape = self.resize(number, array.shape)
        self.shapes.append(shape)
        self.first.append(len(self.tape.kinds))
        self.tape.inputs.append(array.dtype == object)
        made = self.tape.array(_KINDS.get(array.dtype.kind, INPUT), shape, number)
        if array.dtype != object and is_narrow(array.dtype):
            for v in made.flat:
                v.__class__ = Narrow
                self.tape.narrow[v._left] = array.dtype
        return made

    def unchanged(self) -> bool:
        """Whether the function left its arguments as they were given to it."""
        for made, given in self._given:
            now = made.flat if isinstance(made, np.ndarray) else made
            if isinstance(made, dict):
                now = [*made.keys(), *made.values()]
            if len(now) != len(given) or not all(map(is_, now, given)):
                return False
        return True


def _like(x: Any, items: list[Any]) -> Any:
    if hasattr(x, "_fields"):
        return type(x)(*items)
    if type(x) not in (list, tuple):
        raise TypeError(
            f"got a {type(x).__name__}; lift takes and gives plain lists, tuples and dicts"
        )
    return items if isinstance(x, list) else tuple(items)


def _filled(x: dict[Any, Any], items: dict[Any, Any]) -> dict[Any, Any]:
    """A dict of the class of x (a defaultdict, an OrderedDict) with these items."""
    if type(x) is dict:
        return items
    made = copy.copy(x)
    made.clear()
    made.update(items)
    return made


class Template:
    """The structure that the function returned; its leaves are numbered, `places` says what each
    holds.

    A leaf is one traced Value, or an array or list of nothing else.
    """

    def __init__(self, tape: Tape, returned: Any) -> None:
        self.places: list[np.ndarray] = []  # tape places, in the leaf's shape
        self._build = self._compile(tape, returned)

    def __reduce__(self) -> tuple[Any, ...]:
        return _template, (self._build,)

    def fill(self, node: Value | None, call: Call) -> Any:
        """The structure with the call's results in it."""
        return _fill(self._build, node, call)

    def same_structure(self, other: Template) -> bool:
        return bool(_shape_free(self._build) == _shape_free(other._build))

    def _leaf(self, values: Any) -> int:
        values = np.asarray(values, dtype=object)
        places = np.array([v._left for v in values.flat], dtype=np.int64)
        self.places.append(places.reshape(values.shape))
        return len(self.places) - 1

    def _compile(self, tape: Tape, x: Any) -> Any:
        if isinstance(x, Traced):
            boxed = np.empty((), dtype=object)
            boxed[()] = x
            return ("one", self._leaf(boxed))
        if type(x) is np.ndarray and x.dtype == object:
            if x.size and all(isinstance(v, Traced) for v in x.flat):
                return ("array", self._leaf(x))
            return ("mixed", x.shape, [self._compile(tape, v) for v in x.flat])
        if type(x) is np.ndarray:
            return ("copy", x.copy())
        if type(x) in (list, tuple) or (isinstance(x, tuple) and hasattr(x, "_fields")):
            if type(x) is list and len(x) > 1 and all(isinstance(v, Traced) for v in x):
                return ("list", self._leaf(x))
            empty = x if hasattr(x, "_fields") else type(x)()
            return ("like", empty, [self._compile(tape, v) for v in x])
        if isinstance(x, dict):
            items = {key: self._compile(tape, v) for key, v in x.items()}
            return ("dict", items, _filled(x, {}))
        if isinstance(x, Value) and x in tape.created_here:
            return ("leaf", x._data)
        if isinstance(x, Iterator) or (not isinstance(x, Value) and holds_traced(x)):
            raise TypeError(f"returning a {type(x).__name__}")
        return ("same", x)


def _template(build: Any) -> Template:
    made = Template.__new__(Template)
    made._build, made.places = build, []
    return made


def _shape_free(build: Any) -> Any:
    """A template's structure as something to compare."""
    kind = build[0]
    if kind in ("one", "array", "list"):
        return build
    if kind in ("like", "mixed"):
        return kind, len(build[2]), [_shape_free(b) for b in build[2]]
    if kind == "dict":
        return kind, {key: _shape_free(b) for key, b in build[1].items()}
    return kind, repr(build[1])


def _fill(build: Any, node: Value | None, call: Call) -> Any:
    kind = build[0]
    if kind == "one":
        return output(node, call, int(call.program.which[build[1]]))
    if kind == "array":
        return ResultArray(node, call, call.program.which[build[1]])
    if kind == "list":
        return [output(node, call, int(w)) for w in call.program.which[build[1]]]
    if kind == "like":
        return _like(build[1], [_fill(b, node, call) for b in build[2]])
    if kind == "mixed":
        made = np.empty(len(build[2]), dtype=object)
        made[:] = [_fill(b, node, call) for b in build[2]]
        return made.reshape(build[1])
    if kind == "dict":
        return _filled(build[2], {key: _fill(b, node, call) for key, b in build[1].items()})
    if kind == "copy":
        return build[1].copy()
    if kind == "leaf":
        return leaf(build[1])
    return build[1]


def flat_values(values: Sequence[Any]) -> list[Any]:
    """The Values among the arguments, in the order of their numbers."""
    found: list[Any] = []
    for x in values:
        if isinstance(x, Value):
            found.append(x)
        elif x is not None:
            found += [v if isinstance(v, Value) else Value(v) for v in x.flat]
    return found
