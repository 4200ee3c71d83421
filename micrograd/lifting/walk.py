"""All that a function can reach: the places that may change, the Values, the random generators.

`Walk` follows code by the names in it, and objects by those of their attributes whose names occur
in code that was reached. Libraries are not walked; of this package's layers only the attributes
are. `seeing.py` notes what stands in the places found. `tree.py` is not used: a walk follows
attributes and code, too, meets each object once, in order of distance, and loops are no error.
"""

from __future__ import annotations

import random
import sys
import weakref
from array import array
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache, partial
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
from micrograd.lifting.paths import Found, Path
from micrograd.lifting.reach import (
    Named,
    is_library,
    library_class,
    library_module,
    named,
    unwrapped,
)
from micrograd.lifting.sights import Attributes, Cell, Slots
from micrograd.nn import Module

__all__ = ["OBJECTS", "Place", "Walk"]

_Cached = type(lru_cache(len))

OBJECTS = 100_000  # how many objects a walk looks at; `lift`'s docstring says it
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
        self.values: dict[Value, Found] = {}
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
                for x in map(unwrapped, vars(c).values()):
                    if isinstance(x, FunctionType) and x.__name__ != "__init__":
                        self._names(named(x.__code__))
            elif not library_class(c):
                names = tuple(n for n, x in vars(c).items() if self._looked_at(n, x, made))
                self.places.append(Place(Attributes, c, path, names))
                for name in names:
                    yield path.attribute(name), unwrapped(vars(c)[name])

    def _looked_at(self, name: str, x: Any, made: bool) -> bool:
        if name.startswith("__") and name.endswith("__"):
            return isinstance(unwrapped(x), FunctionType) and (made or name != "__init__")
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
