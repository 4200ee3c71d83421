"""What a recording depends on besides its arguments: globals, closure cells, train or eval mode.

A program is right only while these are the same objects. `Environment.of` finds them once, through
the function and the plain functions that it calls by name; `same` is asked at each call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from micrograd.engine import Value
from micrograd.nn import Module

__all__ = ["Environment"]

_MISSING = object()
_LIBRARIES = ("micrograd.", "numpy", "builtins", "math", "functools", "itertools")


class Environment:
    """Identities of every global and cell that a function names, and the mode of every module."""

    def __init__(self) -> None:
        self.globals: list[tuple[dict[str, Any], str, Any]] = []
        self.cells: list[tuple[CellType, Any]] = []
        self.cell_names: list[tuple[str, Any]] = []
        self.modules: list[tuple[Module, bool]] = []

    @classmethod
    def of(cls, function: Callable[..., Any], arguments: Any) -> Environment:
        found = cls()
        seen: set[int] = set()
        things: list[Any] = [function, arguments]
        modules: dict[int, Module] = {}
        while things:
            thing = things.pop()
            if id(thing) in seen:
                continue
            seen.add(id(thing))
            if isinstance(thing, MethodType):
                things += [thing.__func__, thing.__self__]
            elif hasattr(thing, "__wrapped__") and not isinstance(thing, FunctionType):
                things.append(thing.__wrapped__)
            elif isinstance(thing, FunctionType):
                if not (thing.__module__ or "").startswith(_LIBRARIES):
                    things += found._named(thing)
            elif isinstance(thing, Module):
                modules.update((id(module), module) for _, module in thing.named_modules())
            elif isinstance(thing, (list, tuple)):
                things += [x for x in thing if not isinstance(x, (Value, float, int, str))]
            elif isinstance(thing, dict):
                things += [x for x in thing.values() if not isinstance(x, (Value, float, int, str))]
        found.modules = [(module, module.training) for module in modules.values()]
        return found

    def _named(self, function: FunctionType) -> Iterator[Any]:
        for name in _names(function.__code__):
            if name in function.__globals__:
                thing = function.__globals__[name]
                self.globals.append((function.__globals__, name, thing))
                yield thing
        for name, cell in zip(
            function.__code__.co_freevars, function.__closure__ or (), strict=True
        ):
            try:
                thing = cell.cell_contents
            except ValueError:  # not filled yet
                continue
            self.cells.append((cell, thing))
            self.cell_names.append((name, thing))
            yield thing
        yield from function.__defaults__ or ()

    def paths(self) -> dict[Value, str]:
        """Attribute paths of the Values reachable by name: model.layers.0.neurons.3.w.1."""
        found: dict[Value, str] = {}
        stack = [(name, thing) for name, thing in self.cell_names]
        stack += [(name, thing) for _, name, thing in self.globals]
        seen: dict[int, Any] = {}  # keeps rows of arrays alive, else the next one gets their id
        while stack:
            path, x = stack.pop()
            if isinstance(x, Value):
                found.setdefault(x, path)
                continue
            if id(x) in seen:
                continue
            seen[id(x)] = x
            stack += [
                (f"{path}.{name}", item)
                for name, item in _parts(x)
                if not isinstance(item, (float, int, str))
            ]
        return found

    def same(self) -> bool:
        for names, name, thing in self.globals:
            if names.get(name, _MISSING) is not thing:
                return False
        for cell, thing in self.cells:
            if cell.cell_contents is not thing:
                return False
        return all(module.training is training for module, training in self.modules)


def _parts(x: Any) -> Iterator[tuple[Any, Any]]:
    """What a container, a module or an object of the user's own holds, by name."""
    if isinstance(x, (list, tuple)):
        yield from enumerate(x)
    elif isinstance(x, np.ndarray):
        yield from enumerate(x) if x.dtype == object and x.ndim else ()
    elif isinstance(x, dict):
        yield from x.items()
    elif hasattr(x, "__dict__") and not isinstance(x, (type, ModuleType, FunctionType)):
        yield from vars(x).items()


def _names(code: CodeType) -> list[str]:
    """Every global name in the code and in the functions and comprehensions inside it."""
    found: dict[str, None] = {}
    stack = [code]
    while stack:
        code = stack.pop()
        found.update(dict.fromkeys(code.co_names))
        stack += [c for c in code.co_consts if isinstance(c, CodeType)]
    return list(found)
