"""All that a function can reach: the places that may change, the Values, the random generators.

`Walk` follows code by the names in it, and objects by those of their attributes whose names occur
in code that was reached. Libraries are not walked; of this package's layers only the attributes
are. `watch.py` compares what it finds. It does not use `tree.py`: it follows attributes and code,
meets each object once, in order of distance, and loops are no error.
"""

from __future__ import annotations

import random
import sys
import weakref
from array import array
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property, lru_cache, partial
from types import (
    BuiltinMethodType,
    FunctionType,
    MappingProxyType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any, NamedTuple

import numpy as np

from micrograd.engine import Value
from micrograd.lifting.contents import Entries, Items, Numbers, Whole
from micrograd.lifting.paths import Path
from micrograd.lifting.reach import Named, is_library, library_class, library_module, named
from micrograd.lifting.sights import Attributes, Cell, Slots
from micrograd.nn import Module

__all__ = ["OBJECTS", "BYTES", "Walk"]

Exempt = Mapping[tuple[int, Any], Any]  # places by id and name, with their owner

_Cached = type(lru_cache(len))

OBJECTS = 100_000  # how many objects a walk looks at; `lift`'s docstring says it
BYTES = 2**26  # and how much of arrays of numbers
_ATOMS = {
    int, float, str, bool, bytes, complex, type(None), np.ufunc, slice, range,
    weakref.ProxyType, weakref.CallableProxyType,
}  # fmt: skip


class Place(NamedTuple):
    """Where something may change: `kind` is the class of the sight that looks at it."""

    kind: Any
    owner: Any
    path: Path
    names: tuple[str, ...] = ()


class Walk:
    """What code reaches from `roots`."""

    def __init__(self, roots: Iterable[tuple[Path, Any]]) -> None:
        self.roots = list(roots)
        self.attributes: set[str] = set()  # names in the code that was reached
        self.loaded: set[str] = set()
        self.stored: set[str] = set()
        self.asked: set[str] = set()
        self.dynamic = False
        known = None
        while known != (known := (len(self.attributes), self.dynamic)):  # code reached names more
            self._once()

    def _once(self) -> None:
        self.variables: dict[int, tuple[Path | None, dict[str, Any], dict[str, None]]] = {}
        self.cells: list[tuple[Any, Path]] = []
        self.places: list[Place] = []
        self.values: dict[Value, tuple[Path, Any, Any]] = {}  # where, which there, of which shape
        self.generators: list[tuple[Path, Any]] = []
        self._classes: set[type[Any]] = set()
        seen: dict[int, Any] = {}  # keeps rows of arrays alive, else the next one gets their id
        queue = deque(self.roots)
        while queue and len(seen) < OBJECTS:
            path, x = queue.popleft()
            if type(x) in _ATOMS:
                continue
            if isinstance(x, Value):
                self.values.setdefault(x, (path, None, None))
            elif id(x) not in seen:
                seen[id(x)] = x
                queue.extend(self._parts(x, path))

    def names_of(self, values: Iterable[Value]) -> list[str | None]:
        """Where each Value was found, by attributes and numbers: model.layers.0.w.1."""
        containers: dict[int, str] = {}
        found: list[str | None] = []
        for value in values:
            path, key, shape = self.values.get(value, (None, None, None))
            if path is None:
                found.append(None)
                continue
            name = containers.get(id(path)) or containers.setdefault(id(path), path.dotted())
            if key is not None:
                steps = [key]
                for n in reversed((shape or ())[1:]):
                    steps[:1] = divmod(steps[0], n)
                name = ".".join([name, *map(str, steps)])
            found.append(name)
        return found

    def _items(
        self, path: Path, keys: Iterable[Any], items: Iterable[Any], shape: Any = None
    ) -> Iterator[tuple[Path, Any]]:
        """What stands in a container; of Values, which may be many, only where."""
        values = self.values
        for key, item in zip(keys, items, strict=True):
            if isinstance(item, Value):
                if item not in values:
                    values[item] = (path, key, shape)
            elif type(item) not in _ATOMS:
                yield path.item(key), item

    def _parts(self, x: Any, path: Path) -> Iterable[tuple[Path, Any]]:
        """What can be reached from x in one step."""
        if isinstance(x, (list, deque)):
            self.places.append(Place(Items, x, path))
            return self._items(path, range(len(x)), x)
        if isinstance(x, (dict, MappingProxyType)):
            self.places.append(Place(Entries, x, path))
            return self._items(path, x.keys(), x.values())
        if isinstance(x, np.ndarray):
            return self._array(x, path)
        if isinstance(x, FunctionType):
            return self._function(x, path)
        if isinstance(x, type):
            return self._class(x, path, made=True)
        if isinstance(x, (set, bytearray, array, memoryview)):
            self.places.append(Place(Whole, x, path))
        if isinstance(x, (tuple, set, frozenset)):
            return self._items(path, range(len(x)), x)
        if isinstance(x, ModuleType):
            return () if library_module(x) else self._module(x)
        if isinstance(x, (random.Random, np.random.Generator, np.random.RandomState)):
            self.generators.append((path, x))
            return ()
        return () if isinstance(x, np.generic) else self._object(x, path)

    def _array(self, x: np.ndarray, path: Path) -> Iterable[tuple[Path, Any]]:
        if x.dtype != object:
            self.places.append(Place(Numbers, x, path))
            return ()
        self.places.append(Place(Items, x, path))
        return self._items(path, range(x.size), x.ravel().tolist(), x.shape)

    # --- code -------------------------------------------------------------------------------------

    def _names(self, code: Named) -> None:
        self.attributes |= code.attributes
        self.loaded |= code.loaded
        self.stored |= code.stored
        self.asked |= code.asked

    def _function(self, x: FunctionType, path: Path) -> Iterator[tuple[Path, Any]]:
        cells = list(zip(x.__code__.co_freevars, x.__closure__ or (), strict=True))
        if is_library(x.__code__.co_filename):  # a decorator's wrapper holds the user's function
            for name, cell in cells:
                content = Cell(cell, path).then
                if callable(content):
                    yield Path(None, "", name), content
            return
        code = named(x.__code__)
        self._names(code)
        self.dynamic |= code.dynamic
        yield from self._variables(None, x.__globals__, sorted(code.globals))
        for name, cell in cells:
            here = Path(None, "", name)
            self.cells.append((cell, here))
            yield here, Cell(cell, here).then
        # `%autoreload` gives functions other code in place
        self.places.append(Place(Slots, x, path, ("__code__", "__defaults__", "__kwdefaults__")))
        for default in (*(x.__defaults__ or ()), *(x.__kwdefaults__ or {}).values()):
            yield Path(path, "", "'s default"), default
        yield from self._held(x, path)
        for name in sorted(code.modules):
            if name in sys.modules:
                yield Path(None, "", name), sys.modules[name]

    def _variables(
        self, path: Path | None, held: dict[str, Any], names: Iterable[str]
    ) -> Iterator[tuple[Path, Any]]:
        known = self.variables.setdefault(id(held), (path, held, {}))[2]
        for name in names:
            known[name] = None
            if name in held:
                yield Path(path, "." if path else "", name), held[name]

    def _module(self, x: ModuleType) -> Iterator[tuple[Path, Any]]:
        names = sorted(self.attributes & vars(x).keys())
        return self._variables(Path(None, "", x.__name__), vars(x), names)

    def _class(self, cls: type[Any], path: Path, made: bool) -> Iterator[tuple[Path, Any]]:
        """Methods and class attributes by name; `__init__` where the code may make an object."""
        for c in cls.__mro__:
            if c is Module:
                continue
            if c.__module__.startswith("micrograd.nn."):
                for x in map(_unwrapped, vars(c).values()):
                    if isinstance(x, FunctionType) and x.__name__ != "__init__":
                        self._names(named(x.__code__))
            elif not library_class(c):
                names = tuple(n for n, x in vars(c).items() if self._looked_at(n, x, made))
                self.places.append(Place(Attributes, c, path, names))
                for name in names:
                    yield path.attribute(name), _unwrapped(vars(c)[name])

    def _looked_at(self, name: str, x: Any, made: bool) -> bool:
        if name.startswith("__") and name.endswith("__"):
            return isinstance(_unwrapped(x), FunctionType) and (made or name != "__init__")
        return name in self.attributes or self.dynamic

    # --- objects ----------------------------------------------------------------------------------

    def _object(self, x: Any, path: Path) -> Iterator[tuple[Path, Any]]:
        cls = type(x)
        if isinstance(x, MethodType):
            yield from ((path, x.__func__), (path, x.__self__))
        elif isinstance(x, BuiltinMethodType):  # weights.__getitem__
            yield path, x.__self__
        elif isinstance(x, weakref.ref):
            yield path, x()
        elif isinstance(x, partial):
            yield from ((path, x.func), (path, x.args), (path, x.keywords))
        elif cls.__module__.startswith(("micrograd.lifting.", "micrograd.store")):
            yield path, getattr(x, "function", None)
        else:
            if cls is _Cached:
                yield path, x.__wrapped__
            if cls not in self._classes:
                self._classes.add(cls)
                yield from self._class(cls, Path(None, "", cls.__name__), made=False)
            yield from self._held(x, path)

    def _held(self, x: Any, path: Path) -> Iterator[tuple[Path, Any]]:
        """The attributes of an object whose names occur in the code that was reached."""
        held = getattr(x, "__dict__", None)
        if isinstance(held, dict):
            # a UserDict of the standard library holds its items where no code of the user's looks
            every = self.dynamic or (isinstance(x, Collection) and library_class(type(x)))
            names = tuple(n for n in held if every or n in self.attributes)
            self.places.append(Place(Attributes, x, path, names))
            for name in names:
                yield path.attribute(name), held[name]
        slots = tuple(
            n for c in type(x).__mro__ for n, v in vars(c).items()
            if isinstance(v, MemberDescriptorType) and n in self.attributes
        )  # fmt: skip
        if slots and not library_class(type(x)):
            self.places.append(Place(Slots, x, path, slots))
            for name in slots:
                yield path.attribute(name), getattr(x, name, None)

    # --- what stands in these places --------------------------------------------------------------

    def named_sights(self, exempt: Exempt) -> list[Any]:
        """Sights of the globals, the names of the user's modules and the cells."""
        found: list[Any] = []
        for path, held, names in self.variables.values():
            present = [n for n in names if n in held and (id(held), n) not in exempt]
            found.append(Attributes(held, held, path, present, ()))
        cells = [Cell(cell, path) for cell, path in self.cells]
        return found + [c for c in cells if (id(c.owner), c.path.step) not in exempt]

    def sights(self, exempt: Exempt, new: bool = False) -> list[Any]:
        """A sight of each other place; with `new` also of attributes that code may newly set."""
        found: list[Any] = []
        left = BYTES
        for kind, owner, path, names in self.places:
            if (id(owner), None) in exempt:
                continue
            names = tuple(n for n in names if (id(owner), n) not in exempt)
            if kind is Numbers:
                left -= owner.nbytes
                if left < 0:
                    continue
            if kind is Attributes:
                sight = self._attributes(owner, path, names, exempt, new)
                found += [sight] if sight.names or sight.absent else []
            else:
                found.append(kind(owner, path, *([names] if kind is Slots else [])))
        for module, held, variables in self.variables.values():  # `sum`, before someone defines it
            absent = [n for n in variables if n not in held and (id(held), n) not in exempt]
            found += [Attributes(held, held, module, (), absent)] if absent else []
        return found

    def _attributes(
        self, x: Any, path: Path, names: tuple[str, ...], exempt: Exempt, new: bool
    ) -> Attributes:
        held = vars(x)
        absent = self.asked | self.stored if new else set(self.asked)
        if isinstance(x, Module) and "training" in self.attributes:
            absent.add("training")  # which its class holds until it is set
        for c in x.__mro__[1:] if isinstance(x, type) else type(x).__mro__:
            if not library_class(c):
                absent |= self.attributes & vars(c).keys()
        absent = {n for n in absent if n not in held and (id(x), n) not in exempt}
        sight = Attributes(x, held, path, names, sorted(absent))
        sight.moves_epoch = isinstance(x, Module)
        return sight


def _unwrapped(x: Any) -> Any:
    """The function in a staticmethod, a classmethod or a property; anything else as it is."""
    if isinstance(x, (staticmethod, classmethod)):
        return x.__func__
    if isinstance(x, property):
        return x.fget
    return x.func if isinstance(x, cached_property) else x
