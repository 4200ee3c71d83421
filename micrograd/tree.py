"""Lists, tuples, dicts and arrays, nested in any way, as one flat list of leaves with their paths.

`flatten` takes such a structure apart, `fill` builds it again with other leaves. Whoever walks
arguments or results does it here. A leaf is whatever is no container: a number, a Value, a string.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

__all__ = ["Path", "Place", "fill", "flatten", "path_text"]

Path = tuple[Any, ...]  # keys and indices from the root: ("layers", 0, (2, 5))


class Place(NamedTuple):
    """A leaf and where it stands."""

    path: Path
    value: Any


def flatten(tree: Any, is_leaf: Callable[[Any], bool] = lambda x: False) -> list[Place]:
    """All leaves, from left to right; `is_leaf` stops the walk at a container. No recursion.

    A dict in its own order; an array of objects, element by element, with the index as a tuple; an
    array of numbers is a leaf. A list that holds itself is a ValueError.
    """
    leaves: list[Place] = []
    waiting: list[tuple[Path, Any, tuple[int, ...]]] = [((), tree, ())]
    while waiting:
        path, x, above = waiting.pop()
        members = None if is_leaf(x) else _members(x)
        if members is None:
            leaves.append(Place(path, x))
            continue
        if id(x) in above:
            raise ValueError(f"a {type(x).__name__} holds itself at {path_text(path)}")
        inside = (*above, id(x))
        waiting += [((*path, key), member, inside) for key, member in reversed(list(members))]
    return leaves


def fill(tree: Any, leaves: Iterable[Any], is_leaf: Callable[[Any], bool] = lambda x: False) -> Any:
    """The structure of `tree` with `leaves` for its own, in the order in which `flatten` has them.

    Lists, tuples, named tuples and dicts of the same type, arrays of dtype object.
    """
    rest = iter(leaves)
    filled = _filled(tree, rest, is_leaf)
    if next(rest, _END) is not _END:
        raise ValueError("there are more leaves than places for them")
    return filled


def path_text(path: Path, root: str = "") -> str:
    """The path as Python writes it: `[0]['w'][2, 5]`."""
    keys = (", ".join(map(str, k)) if type(k) is tuple else repr(k) for k in path)
    return root + "".join(f"[{key}]" for key in keys if key)


_END = object()


def _members(x: Any) -> Iterable[tuple[Any, Any]] | None:
    """What a container holds, with keys; None for a leaf."""
    if isinstance(x, dict):
        return x.items()
    if isinstance(x, (list, tuple)):
        return enumerate(x)
    np = sys.modules.get("numpy")
    if np is not None and isinstance(x, np.ndarray) and x.dtype == object:
        return list(np.ndenumerate(x))
    return None


def _filled(x: Any, rest: Iterator[Any], is_leaf: Callable[[Any], bool]) -> Any:
    members = None if is_leaf(x) else _members(x)
    if members is None:
        found = next(rest, _END)
        if found is _END:
            raise ValueError("there are fewer leaves than places for them")
        return found
    new = [(key, _filled(member, rest, is_leaf)) for key, member in members]
    return _like(x, new)


def _like(x: Any, members: Sequence[tuple[Any, Any]]) -> Any:
    if isinstance(x, dict):
        made = x.copy()  # keeps an OrderedDict, a defaultdict
        made.update(members)
        return made
    items = [member for _, member in members]
    if isinstance(x, tuple) and hasattr(x, "_make"):  # a named tuple
        return x._make(items)
    if isinstance(x, (list, tuple)):
        return type(x)(items) if type(x) in (list, tuple) else x.__class__(items)
    import numpy as np

    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array.reshape(x.shape)
