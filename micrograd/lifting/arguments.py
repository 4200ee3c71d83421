"""What goes into a lifted call and what comes out: numbers to trace, statics, structures.

`read` takes a call's arguments apart into a key (shapes, statics) and arrays of numbers; `traced`
builds the arguments that the function is recorded on. `Template` does the same for what it
returned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from micrograd.engine import Value, _leaf, numbers
from micrograd.lifting.call import Call, ResultArray, output
from micrograd.lifting.record import INPUT, INTEGER, Tape, Traced

__all__ = ["Arguments", "Template", "read"]


class Arguments:
    """One call's arguments: `key` tells which program fits, `arrays` are its numbers in order.

    `values` are the Values among them, into which gradients flow; None for an array of plain
    numbers.
    """

    __slots__ = ("key", "arrays", "values", "kept", "sizes", "batched")

    def __init__(self) -> None:
        self.key: list[Any] = []
        self.arrays: list[Any] = []
        self.values: list[Any] = []
        self.kept: list[Any] = []  # objects that the key names by identity
        self.sizes: dict[int, int] = {}  # of the batch, by argument number
        self.batched = False  # whether the argument being read holds a batch

    @property
    def size(self) -> int | None:
        return next(iter(self.sizes.values())) if self.sizes else None

    def add(self, kind: str, shape: tuple[Any, ...], array: Any, values: Any = None) -> None:
        if self.batched:
            if not shape:
                raise TypeError(
                    "a batched argument is an array with a leading axis, got one number"
                )
            self.sizes[len(self.arrays)] = shape[0]
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
        found.batched = i in batched
        _read(x, found)
    for name in sorted(kwargs) if kwargs else ():
        found.key.append(name)
        found.batched = name in batched
        _read(kwargs[name], found)
    if len(set(found.sizes.values())) > 1:
        raise ValueError(
            f"batched arguments of different sizes: {sorted(set(found.sizes.values()))}"
        )
    return found


def _read(x: Any, found: Arguments) -> None:
    if type(x) is ResultArray:
        x = x.values
    if type(x) is np.ndarray or isinstance(x, np.ndarray):
        kind = x.dtype.kind
        if kind == "f":
            found.add(INPUT, x.shape, x)
        elif kind in "iub":
            found.add(INTEGER, x.shape, x)
        elif kind == "O":
            found.add("values", x.shape, None, x)
            found.arrays[-1] = numbers(x)
        else:
            raise TypeError(f"a lifted function takes arrays of numbers or Values, got {x.dtype}")
    elif isinstance(x, float):
        found.add(INPUT, (), x)
    elif isinstance(x, Value):
        found.add("values", (), x.data, x)
    elif x is None or isinstance(x, (int, str, bytes, bool)):
        found.key.append((type(x), x))
    elif isinstance(x, np.floating):
        found.add(INPUT, (), float(x))
    elif isinstance(x, (np.integer, np.bool_)):
        found.add(INTEGER, (), int(x))
    elif isinstance(x, (list, tuple)):
        found.key.append((type(x), len(x)))
        for item in x:
            _read(item, found)
    elif isinstance(x, dict):
        found.key.append((dict, tuple(x)))
        for item in x.values():
            _read(item, found)
    else:  # a model, a function: the same object next time means the same program
        found.key.append((type(x), id(x)))
        found.kept.append(x)


class Tracer:
    """Arguments rebuilt with traced Values in place of the numbers."""

    def __init__(
        self, tape: Tape, resize: Callable[[int, tuple[int, ...]], tuple[int, ...]]
    ) -> None:
        self.tape = tape
        self.resize = resize  # argument number, shape -> the shape to record at
        self.shapes: list[tuple[int, ...]] = []
        self.first: list[int] = []

    def rebuild(self, x: Any) -> Any:
        if type(x) is ResultArray:
            x = x.values
        if isinstance(x, np.ndarray):
            return self.leaves(INTEGER if x.dtype.kind in "iub" else INPUT, x.shape)
        if isinstance(x, (float, Value, np.floating)):
            return self.leaves(INPUT, ())[()]
        if isinstance(x, (np.integer, np.bool_)):
            return self.leaves(INTEGER, ())[()]
        if isinstance(x, (list, tuple)):
            return _like(x, [self.rebuild(item) for item in x])
        if isinstance(x, dict):
            return {key: self.rebuild(item) for key, item in x.items()}
        return x

    def leaves(self, kind: str, shape: tuple[int, ...]) -> np.ndarray:
        number = len(self.shapes)
        shape = self.resize(number, shape)
        self.shapes.append(shape)
        self.first.append(len(self.tape.kinds))
        return self.tape.array(kind, shape, number)


def _like(x: Any, items: list[Any]) -> Any:
    if hasattr(x, "_fields"):
        return type(x)(*items)
    return items if isinstance(x, list) else tuple(items)


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
        if type(x) is Traced:
            boxed = np.empty((), dtype=object)
            boxed[()] = x
            return ("one", self._leaf(boxed))
        if isinstance(x, np.ndarray) and x.dtype == object:
            if x.size and all(type(v) is Traced for v in x.flat):
                return ("array", self._leaf(x))
            return ("mixed", x.shape, [self._compile(tape, v) for v in x.flat])
        if isinstance(x, np.ndarray):
            return ("copy", x.copy())
        if isinstance(x, (list, tuple)):
            if type(x) is list and len(x) > 1 and all(type(v) is Traced for v in x):
                return ("list", self._leaf(x))
            empty = x if hasattr(x, "_fields") else type(x)()
            return ("like", empty, [self._compile(tape, v) for v in x])
        if isinstance(x, dict):
            return ("dict", {key: self._compile(tape, v) for key, v in x.items()})
        if isinstance(x, Value) and x in tape.created_here:
            return ("leaf", tape.created_here[x])
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
        return {key: _fill(b, node, call) for key, b in build[1].items()}
    if kind == "copy":
        return build[1].copy()
    if kind == "leaf":
        return _leaf(build[1], 0.0, "")
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
