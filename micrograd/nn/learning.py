"""Which leaf is a weight, for pictures and lessons: they ask for its gradient, labelled or not.

`nn` marks the Values that it makes, and a Module is known while it lives; neither changes anything
in a computation. Read `learning`, then `names_of`.
"""

from __future__ import annotations

import weakref
from typing import Any

from micrograd.engine import Value

__all__ = ["alive", "holders", "is_learning", "learning", "names_of"]

alive: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()  # every Module, by id


def learning(v: Value) -> Value:
    """Mark a new weight, by an attribute as anybody may set one on a leaf.

    The mark stays with the Value when its module is gone, in a store, in copies and pickles.
    """
    v._learns = True  # type: ignore[attr-defined]
    return v


def is_learning(v: Value) -> bool:
    """Whether `nn` made this Value to learn."""
    return getattr(v, "_learns", False)


def holders(leaves: set[Value]) -> list[Any]:
    """The living modules that hold any of these; of nested modules the outermost one."""
    held: dict[int, tuple[Any, set[int]]] = {}  # by id of a module: itself, and those inside it
    for module in list(alive.values()):
        try:
            if not leaves.isdisjoint(module.parameters()):
                held[id(module)] = module, {id(m) for path, m in module.named_modules() if path}
        except Exception:  # half built, since its __init__ failed: an old traceback keeps it alive
            continue
    inner = {k for _, inside in held.values() for k in inside}
    return [module for k, (module, _) in held.items() if k not in inner]


def names_of(leaves: set[Value]) -> dict[Value, str]:
    """The names of those that living modules hold."""
    names: dict[Value, str] = {}
    for module in holders(leaves):
        for name, v in module.named_parameters():
            if v in leaves:
                names.setdefault(v, name)
    return names
