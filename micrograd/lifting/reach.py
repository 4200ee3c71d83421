"""What a function's code names: globals, attributes, and which of them it sets.

A recording depends on what its code can reach, and code says by name where it looks. `named` reads
the bytecode, so that an attribute is not taken for a global of the same name; `is_library` tells
whose code is not looked at.
"""

from __future__ import annotations

import builtins
import dis
import os
import site
import sys
import sysconfig
from functools import cached_property, lru_cache
from types import CodeType, ModuleType
from typing import Any, NamedTuple

__all__ = [
    "PACKAGE",
    "Named",
    "is_library",
    "library_class",
    "library_module",
    "named",
    "unwrapped",
]

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


class Named(NamedTuple):
    """The names in a piece of code and in the functions and comprehensions inside it."""

    globals: frozenset[str]
    attributes: frozenset[str]
    loaded: frozenset[str]  # attributes that it reads; the others it only sets
    stored: frozenset[str]  # attributes that it sets
    asked: frozenset[str]  # attributes that an object may lack: hasattr(x, "scale")
    modules: frozenset[str]  # imported inside it
    dynamic: bool  # it looks attributes up by names that it computes


_DYNAMIC = {"getattr", "vars", "__dict__", "attrgetter"}


@lru_cache(maxsize=4096)
def named(code: CodeType) -> Named:
    """All names of `code`, from its bytecode."""
    variables, loaded, stored, asked, modules = set(), set(), set(), set(), set()
    stack = [code]
    while stack:
        code = stack.pop()
        for instruction in dis.get_instructions(code):
            name, kind = instruction.argval, instruction.opname
            if not isinstance(name, str):
                continue
            if kind in ("STORE_ATTR", "DELETE_ATTR"):
                stored.add(name)
            elif kind.endswith("_ATTR") or kind in ("LOAD_METHOD", "IMPORT_FROM"):
                loaded.add(name)
            elif kind == "IMPORT_NAME":
                modules.add(name)
            elif "GLOBAL" in kind or kind == "LOAD_NAME":
                variables.add(name)
            elif kind == "LOAD_CONST" and name.isidentifier():
                asked.add(name)
        stack += [c for c in code.co_consts if isinstance(c, CodeType)]
    if not variables & {"getattr", "hasattr", "setattr"}:
        asked.clear()
    loaded |= asked
    return Named(
        frozenset(variables),
        frozenset(loaded | stored),
        frozenset(loaded),
        frozenset(stored),
        frozenset(asked),
        frozenset(modules),
        bool(_DYNAMIC & (variables | loaded)),
    )


def _library_folders() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    folders: list[str | None] = [
        *(paths[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")),
        *site.getsitepackages(),
        site.getusersitepackages(),  # None in a browser
    ]
    return (PACKAGE, *sorted({os.path.join(os.path.abspath(f), "") for f in folders if f}))


_MADE_BY_CODE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: a class statement, and not C, made the class
_LIBRARIES = (*_library_folders(), "<frozen", "<__array_function__")


def is_library(filename: str) -> bool:
    """Whether code of this file belongs to Python, to an installed package or to this one."""
    return filename.startswith(_LIBRARIES)


def library_module(module: ModuleType) -> bool:
    filename = getattr(module, "__file__", None) or next(
        iter(getattr(module, "__path__", ())), None
    )
    if filename is not None:
        return is_library(filename)
    origin = getattr(getattr(module, "__spec__", None), "origin", None)
    return origin in ("built-in", "frozen")


def library_class(cls: type[Any]) -> bool:
    module = sys.modules.get(cls.__module__)
    if module is builtins and cls.__flags__ & _MADE_BY_CODE:
        return False  # code run without a `__name__`: its classes say they are Python's own
    return module is not None and library_module(module)


def unwrapped(x: Any) -> Any:
    """The function in a staticmethod, a classmethod or a property; anything else as it is."""
    if isinstance(x, (staticmethod, classmethod)):
        return x.__func__
    if isinstance(x, property):
        return x.fget
    return x.func if isinstance(x, cached_property) else x
