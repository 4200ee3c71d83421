"""Public names whose packages are not installed: found at once, an error when they are used.

The core needs nothing but Python. `lift`, the layers and `optim` need NumPy, pictures `graphviz`;
where these are missing, `from micrograd import *` still works, and so does all that needs neither.
Read `find`, which both `__init__.py` ask for the names that they import when used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["Absent", "PackageMissing", "find"]


class PackageMissing(ImportError):
    """A name was used whose package cannot be imported: the message says which."""


class Absent:
    """Stands for `name` of a module (or the module) that cannot be imported; a use tries anew."""

    def __init__(self, module: str, name: str = "") -> None:
        self._module, self._name = module, name

    def _found(self) -> Any:
        try:
            return _import(self._module, self._name)
        except ImportError as fault:
            what = f"micrograd.{self._name}" if self._name else self._module
            raise PackageMissing(missing(what, fault), name=fault.name) from fault

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._found()(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # notebooks and `inspect` ask any object for such names
            raise AttributeError(name)
        return getattr(self._found(), name)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:  # class Mine(Linear)
        return (self._found(),)


def find(module: str, name: str = "", into: dict[str, Any] | None = None) -> Any:
    """`name` of a module, or the module itself; where a package is missing, an `Absent`.

    What was found is kept in `into`, so that Python asks once. For `LiftError` an absent one is
    `PackageMissing`: what `lift` raises there, so that `except LiftError` works everywhere.
    """
    try:
        found = _import(module, name)
    except ImportError as fault:
        if _is_ours(fault):
            raise
        return PackageMissing if name == "LiftError" else Absent(module, name)
    if into is not None:
        into[name] = found
    return found


def missing(what: str, fault: ImportError) -> str:
    """The message about a package that is missing; the fault itself if it is a module of ours."""
    if _is_ours(fault):
        raise fault
    package = (fault.name or "").partition(".")[0]
    advice = f"; pip install {package}" if package else ""
    return f"{what} needs a package that cannot be imported here ({fault}){advice}"


def _is_ours(fault: ImportError) -> bool:
    return (fault.name or "").partition(".")[0] == "micrograd"


def _import(module: str, name: str) -> Any:
    found = import_module(module)
    return getattr(found, name) if name else found
