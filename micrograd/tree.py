"""Lists, tuples, dicts and arrays, nested in any way, as one flat list of leaves with their paths.

`flatten` takes such a structure apart, `Flat.fill` builds it again with other leaves. Whoever walks
arguments or results does it here. A leaf is whatever is no container: a number, a Value, a string.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

__all__ = ["Flat", "Path", "flatten", "path_text"]

Path = tuple[Any, ...]  # keys and indices from the root: ("layers", 0, (2, 5))


class Flat(NamedTuple):
    """A structure taken apart: its leaves from left to right, and what held them.

    `structure` can be compared and be a key of a dict: a container's type with its length, keys or
    shape, None for a leaf, in the order in which they are written.
    """

    leaves: list[Any]
    structure: tuple[tuple[type[Any], Any] | None, ...]
    containers: list[Any]

    def paths(self) -> list[Path]:
        """Where each leaf stands."""
        found: list[Path] = []
        _follow(self.structure, found)
        return found

    def fill(self, leaves: Iterable[Any]) -> Any:
        """The structure with other leaves.

        Lists, tuples, named tuples and dicts of the same type, arrays of dtype object.
        """
        left = list(leaves)
        if len(left) != len(self.leaves):
            few = "fewer" if len(left) < len(self.leaves) else "more"
            raise ValueError(f"there are {few} leaves than places for them")
        containers = self.containers.copy()
        built: list[Any] = []  # backwards, so that what a container holds is there before it
        for entry in reversed(self.structure):
            if entry is None:
                built.append(left.pop())
                continue
            start = len(built) - _size(*entry)
            items = built[start:]
            items.reverse()
            del built[start:]
            built.append(_like(containers.pop(), items, *entry))
        return built[0]


def flatten(tree: Any, is_leaf: Callable[[Any], bool] = lambda x: False) -> Flat:
    """All leaves, from left to right; `is_leaf` stops the walk at a container. No recursion.

    A dict in its own order; an array of objects element by element, with the index as a tuple; an
    array of numbers is a leaf. A list that holds itself is a ValueError.
    """
    leaves: list[Any] = []
    structure: list[tuple[type[Any], Any] | None] = []
    containers: list[Any] = []
    rest = [iter((tree,))]
    above = [0]
    while rest:
        for x in rest[-1]:
            kind: Any = type(x)
            if not _may_hold(kind) or is_leaf(x) or (inside := _inside(x, kind)) is None:
                leaves.append(x)
                structure.append(None)
                continue
            if id(x) in above:
                at = path_text(_follow(structure, []))
                raise ValueError(f"a {kind.__name__} holds itself at {at}")
            keys, items = inside
            structure.append((kind, keys))
            containers.append(x)
            rest.append(iter(items))
            above.append(id(x))
            break
        else:
            rest.pop()
            above.pop()
    return Flat(leaves, tuple(structure), containers)


def path_text(path: Path, root: str = "") -> str:
    """The path as Python writes it: `[0]['w'][2, 5]`."""
    keys = (", ".join(map(str, k)) if type(k) is tuple else repr(k) for k in path)
    return root + "".join(f"[{key}]" for key in keys if key)


@lru_cache(256)
def _may_hold(kind: type[Any]) -> bool:
    """Whether an object of this type may be a container: asked of each leaf, 40 ns if known."""
    return issubclass(kind, (list, tuple, dict)) or hasattr(kind, "__array__")


def _inside(x: Any, kind: type[Any]) -> tuple[Any, Iterable[Any]] | None:
    """A container's length, keys or shape, and what it holds; None for a leaf."""
    if issubclass(kind, (list, tuple)):
        return len(x), x
    if issubclass(kind, dict):
        return tuple(x), x.values()
    import numpy as np  # whoever has an array has imported it

    if getattr(x, "dtype", None) == np.dtype(object):  # also an array of lifted results
        return x.shape, np.asarray(x).ravel().tolist()
    return None


def _follow(structure: Iterable[tuple[type[Any], Any] | None], found: list[Path]) -> Path:
    """Add the leaves' paths to `found`; returns the path of what would come next."""
    waiting: list[Path] = [()]
    for entry in structure:
        path = waiting.pop()
        if entry is None:
            found.append(path)
        else:
            waiting += [(*path, key) for key in reversed(_keys(*entry))]
    return waiting[-1] if waiting else ()


def _keys(kind: type[Any], keys: Any) -> Sequence[Any]:
    if isinstance(keys, int):
        return range(keys)
    return keys if issubclass(kind, dict) else list(product(*map(range, keys)))


def _size(kind: type[Any], keys: Any) -> int:
    return keys if isinstance(keys, int) else len(_keys(kind, keys))


def _like(x: Any, items: list[Any], kind: type[Any], keys: Any) -> Any:
    """A container of the kind of x with these items."""
    if kind is list:
        return items
    if kind is tuple:
        return tuple(items)
    if kind is dict:
        return dict(zip(keys, items, strict=True))
    if issubclass(kind, dict):
        made = copy(x)  # keeps a defaultdict, a dict with attributes
        made.clear()
        for key, item in zip(keys, items, strict=True):  # a Counter's `update` would add
            made[key] = item
        return made
    if issubclass(kind, (list, tuple)):
        return x._make(items) if hasattr(kind, "_make") else kind(items)
    import numpy as np

    array = np.empty(len(items), dtype=object)
    for i, item in enumerate(items):  # `array[:] = items` would look into lists
        array[i] = item
    return array.reshape(keys)
