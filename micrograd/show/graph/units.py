"""Which weights belong together: the neurons of a model, found by the attributes that hold them.

Any object will do whose attributes lead to Values, through lists, arrays and other objects: ours,
or the Neuron, Layer and MLP of the video. Read `Unit`, then `units_of`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from micrograd.show.graph.nodes import is_node

__all__ = ["Unit", "paths", "units_of"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A neuron: the weights of one object, or of one row of an object that holds arrays."""

    path: str  # layers.0.neurons.1; '' for a model that is one neuron
    layer: str  # layers.0: the path of what holds it beside its like
    row: int  # its place in the layer
    names: dict[int, str]  # id of a weight -> its name here, w[0]
    nonlin: bool | None  # what the object says of an activation; None: nothing


def paths(model: Any) -> Iterator[tuple[str, Any]]:
    """Every weight with the path of attributes that leads to it, and each once."""
    seen: set[int] = set()
    for owner, name, v in _walk(model, "", "", set()):
        if id(v) not in seen:
            seen.add(id(v))
            yield f"{owner[0]}.{name}".strip("."), v


def units_of(model: Any) -> list[Unit]:
    """The neurons of a model, in the order of its attributes."""
    owners = {id(v): owner for (_, owner), _, v in _walk(model, "", "", set())}
    named = getattr(model, "named_parameters", None)
    held: dict[str, dict[int, str]] = {}
    for name, v in named() if callable(named) else paths(model):
        path, _, last = name.rpartition(".")
        held.setdefault(path, {})[id(v)] = last
    units: list[Unit] = []
    for path, names in held.items():
        says = getattr(owners.get(next(iter(names))), "nonlin", None)
        rows = _rows(names)
        for k, row in rows.items():
            layer = path if _has_matrix(names) else _above(path)
            beside = k if _has_matrix(names) else sum(unit.layer == layer for unit in units)
            units.append(Unit(path if len(rows) == 1 else f"{path}[{k}]", layer, beside, row, says))
    return units


def _above(path: str) -> str:
    """`layers.0` for `layers.0.neurons.1`: without the place in a list, and the list's name."""
    stem, _, last = path.rpartition(".")
    return stem.rpartition(".")[0] if last.isdigit() else stem


def _has_matrix(names: dict[int, str]) -> bool:
    return any("," in name for name in names.values())


def _rows(names: dict[int, str]) -> dict[int, dict[int, str]]:
    """By output: weight[2, 0], weight[2, 1] and bias[2] are row 2; else everything is row 0."""
    if not _has_matrix(names):
        return {0: names}
    rows: dict[int, dict[int, str]] = {}
    for v, name in names.items():
        _, bracket, index = name.partition("[")
        if not bracket:
            return {0: names}
        rows.setdefault(int(index.strip("]").split(",")[0]), {})[v] = name
    return rows


def _walk(
    x: Any, path: str, name: str, above: set[int], owner: Any = None
) -> Iterator[tuple[tuple[str, Any], str, Any]]:
    """((path of the object that holds it, that object), name in it, weight)"""
    if is_node(x):
        yield (path, owner), name, x
        return
    if id(x) in above or isinstance(x, (str, bytes, int, float, type(None), type)):
        return
    above = above | {id(x)}
    for key, inner in _inside(x):
        if isinstance(key, str) and not key.startswith("["):  # an attribute of an object
            where = f"{path}.{name}".strip(".")
            yield from _walk(inner, where, key, above, x)
        elif is_node(inner) or _is_array(x):
            yield from _walk(inner, path, f"{name}{key}", above, owner)
        else:
            yield from _walk(inner, path, f"{name}.{str(key)[1:-1]}", above, owner)


def _inside(x: Any) -> Iterator[tuple[str, Any]]:
    if _is_array(x):
        if x.dtype == object:
            for index in sorted(_indices(x.shape)):
                yield str(list(index)), x[index]
    elif isinstance(x, dict):
        for key, inner in x.items():
            yield f"[{key}]", inner
    elif isinstance(x, (list, tuple)):
        for k, inner in enumerate(x):
            yield f"[{k}]", inner
    elif hasattr(x, "__dict__") and not callable(getattr(x, "__code__", None)):
        for key, inner in vars(x).items():
            if not key.startswith("_"):
                yield key, inner


def _is_array(x: Any) -> bool:
    return hasattr(x, "dtype") and hasattr(x, "shape") and hasattr(x, "flat")


def _indices(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    indices: list[tuple[int, ...]] = [()]
    for size in shape:
        indices = [(*index, k) for index in indices for k in range(size)]
    return indices
